/** Creating, changing and deleting rows, by programs and by people; merge, conversion and the recycle bin. */
import { type Faults, statusesOf, strikeRow } from "./faults.ts";
import { findField, keyName, type ObjectName, type Values } from "./fields.ts";
import { checkRow, instant, type RowError, readValues, rowError, struck } from "./rules.ts";
import type { Store, Stored } from "./store.ts";

/** One request as it reached the org: what was made after `arrived` it did not see when it looked. */
export interface Call {
  readonly request: number;
  readonly arrived: number;
  readonly user: string;
  readonly now: number;
}

export type Change =
  | { readonly ok: true; readonly id: string; readonly created: boolean }
  | { readonly ok: false; readonly error: RowError }
  /** Several rows carry the key: 300. */
  | { readonly ok: false; readonly choices: readonly string[] };

export type Body = Readonly<Record<string, unknown>>;

export class Records {
  readonly store: Store;
  readonly #faults: Faults;

  constructor(store: Store, faults: Faults) {
    this.store = store;
    this.#faults = faults;
  }

  create(object: ObjectName, body: Body, call: Call): Change {
    const values = readValues(object, body, null, this.#faults);
    if (isError(values)) {
      return no(values);
    }
    const error =
      checkRow(this.store, object, values, null, this.#faults) ??
      this.#strike(object, body, null) ??
      this.#unique(object, values, null);
    return error === null ? { ok: true, id: this.#add(object, values, call).id, created: true } : no(error);
  }

  update(object: ObjectName, id: string, body: Body, call: Call): Change {
    const row = this.store.get(id);
    if (row?.object !== object) {
      return no(rowError("NOT_FOUND", "The requested resource does not exist", [], 404));
    }
    if (row.values.IsDeleted === true) {
      return no(rowError("ENTITY_IS_DELETED", "entity is deleted", [], 404));
    }
    const values = readValues(object, body, row, this.#faults);
    if (isError(values)) {
      return no(values);
    }
    const error =
      checkRow(this.store, object, values, row, this.#faults) ??
      this.#strike(object, body, row) ??
      this.#unique(object, values, row);
    if (error !== null) {
      return no(error);
    }
    this.#change(row, values, call);
    return { ok: true, id: row.id, created: false };
  }

  /** By External ID. Two at nearly the same moment both find nothing, and the second to commit is refused. */
  upsert(object: ObjectName, field: string, key: string, body: Body, call: Call, updateOnly: boolean): Change {
    const known = findField(object, field, this.#faults.packageMissing);
    if (known?.key !== true) {
      return no(
        rowError("NOT_FOUND", `Provided external ID field does not exist or is not accessible: ${field}`, [], 404),
      );
    }
    if (Object.keys(body).some((name) => ["id", known.name.toLowerCase()].includes(name.toLowerCase()))) {
      return no(rowError("INVALID_FIELD", `The ${known.name} field should not be specified in the sobject data.`));
    }
    const [row, ...others] = this.#keyed(object, key).filter((candidate) => candidate.values.IsDeleted !== true);
    if (others.length > 0 && row !== undefined) {
      return { ok: false, choices: [row, ...others].map((one) => `/services/data/v68.0/sobjects/${object}/${one.id}`) };
    }
    if (row === undefined) {
      if (updateOnly) {
        return no(rowError("NOT_FOUND", "The requested resource does not exist", [], 404));
      }
      return this.create(object, { ...body, [known.name]: key }, call);
    }
    return row.madeAt > call.arrived && row.madeBy !== call.request
      ? no(duplicate(row))
      : this.update(object, row.id, body, call);
  }

  remove(object: ObjectName, id: string, call: Call): RowError | null {
    const row = this.store.get(id);
    if (row?.object !== object) {
      return rowError("NOT_FOUND", "The requested resource does not exist", [], 404);
    }
    if (row.values.IsDeleted === true) {
      return rowError("ENTITY_IS_DELETED", "entity is deleted", [], 404);
    }
    this.#change(row, { IsDeleted: true }, call);
    return null;
  }

  keyedLive(object: ObjectName, key: string): Stored | undefined {
    return this.#keyed(object, key).find((row) => row.values.IsDeleted !== true);
  }

  /* ------------------------------------------------------------------------------- what people do, unchecked */

  /** A person's own record or edit: no rule of ours stands in its way. */
  put(object: ObjectName, values: Values, call: Call): Stored {
    return this.#add(object, values, call);
  }

  edit(id: string, values: Values, call: Call): boolean {
    const row = this.store.get(id);
    if (row !== undefined) {
      this.#change(row, values, call);
    }
    return row !== undefined;
  }

  /** The winner keeps its id; losers are deleted and name it; their tasks move, and no trigger hears of it. */
  merge(winner: string, losers: readonly string[], call: Call): boolean {
    const kept = this.store.get(winner);
    const gone = losers.map((id) => this.store.get(id)).filter((row) => row !== undefined);
    if (kept === undefined || gone.length !== losers.length || gone.some((row) => row.object !== kept.object)) {
      return false;
    }
    for (const row of gone) {
      this.#change(row, { IsDeleted: true, MasterRecordId: kept.id }, call);
      this.#moveTasks(row.id, kept.id);
    }
    this.#change(kept, {}, call);
    return true;
  }

  /** The lead becomes a contact (a given one or a new one) and refuses writes from then on; its tasks move. */
  convert(lead: string, contact: string | null, call: Call): string | null {
    const row = this.store.get(lead);
    if (row?.object !== "Lead" || row.values.IsConverted === true || row.values.IsDeleted === true) {
      return null;
    }
    const { LastName, FirstName, Email, Phone, Title } = row.values;
    const made =
      contact ??
      this.#add(
        "Contact",
        {
          LastName: LastName ?? null,
          FirstName: FirstName ?? null,
          Email: Email ?? null,
          Phone: Phone ?? null,
          Title: Title ?? null,
        },
        call,
      ).id;
    this.#change(
      row,
      {
        IsConverted: true,
        ConvertedContactId: made,
        ConvertedDate: instant(call.now).slice(0, 10),
        Status: "Closed - Converted",
      },
      call,
    );
    this.#moveTasks(row.id, made);
    return made;
  }

  undelete(id: string, call: Call): boolean {
    return this.edit(id, { IsDeleted: false }, call);
  }

  /* ---------------------------------------------------------------------------------------------------- */

  #moveTasks(from: string, to: string): void {
    for (const task of [...(this.store.find("Task", "WhoId", from) ?? [])]) {
      this.store.change(task, { WhoId: to });
    }
  }

  #keyed(object: ObjectName, key: string): readonly Stored[] {
    return [...(this.store.find(object, keyName, key) ?? [])];
  }

  #strike(object: ObjectName, body: Body, existing: Stored | null): RowError | null {
    const kind = strikeRow(this.#faults, object, body);
    if (kind !== "duplicate_value") {
      return kind === null ? null : struck(kind);
    }
    if (existing !== null) {
      return null;
    }
    const values = readValues(object, body, null, this.#faults);
    const other: Call = { request: -1, arrived: this.store.made, user: this.#integrationUser(), now: Date.now() };
    const rival = isError(values) ? null : this.store.outside(() => this.#add(object, values, other));
    return rival === null ? null : duplicate(rival);
  }

  #unique(object: ObjectName, values: Values, row: Stored | null): RowError | null {
    const key = values[keyName];
    if (typeof key !== "string") {
      return null;
    }
    const holder = this.#keyed(object, key).find(
      (other) => other !== row && (other.values.IsDeleted !== true || this.#faults.recycleBinHoldsKey),
    );
    return holder === undefined ? null : duplicate(holder);
  }

  #add(object: ObjectName, given: Values, call: Call): Stored {
    const at = instant(call.now);
    const who = {
      CreatedDate: at,
      CreatedById: call.user,
      LastModifiedDate: at,
      LastModifiedById: call.user,
      SystemModstamp: at,
    };
    const defaults: Values = {
      ...(object === "User" || object === "Organization" || object === "TaskStatus"
        ? {}
        : { IsDeleted: false, OwnerId: this.#integrationUser() }),
      ...(object === "Lead" ? { Status: "Open - Not Contacted", IsConverted: false } : {}),
      ...(object === "Task"
        ? {
            Status: statusesOf(this.#faults)[0] ?? "Not Started",
            Priority: "Normal",
            TaskSubtype: "Task",
            IsReminderSet: false,
            IsArchived: false,
          }
        : {}),
    };
    return this.store.add(object, this.#derived(object, { ...who, ...defaults, ...given }, call.now), call.request);
  }

  #change(row: Stored, values: Values, call: Call): void {
    const at = instant(call.now);
    const stamps = { LastModifiedDate: at, LastModifiedById: call.user, SystemModstamp: at };
    this.#track(row, values, call);
    this.store.change(row, this.#derived(row.object, { ...row.values, ...values, ...stamps }, call.now));
  }

  #track({ id, object, values: before }: Stored, values: Values, call: Call): void {
    if (object !== "Lead" && object !== "Contact") {
      return;
    }
    for (const name of this.#faults.trackedFields) {
      const [from, to] = [before[name] ?? null, values[name] ?? null];
      if (!Object.hasOwn(values, name) || from === to) {
        continue;
      }
      const who = { IsDeleted: false, CreatedDate: instant(call.now), CreatedById: call.user };
      const change = { [`${object}Id`]: id, Field: name, OldValue: from, NewValue: to };
      this.store.add(`${object}History`, { ...who, ...change }, call.request);
    }
  }

  #derived(object: ObjectName, values: Values, now: number): Values {
    if (object === "Lead" || object === "Contact") {
      return {
        ...values,
        Name: [values.FirstName, values.LastName].filter((part) => typeof part === "string").join(" "),
      };
    }
    if (object !== "Task") {
      return values;
    }
    const closed = values.Status === statusesOf(this.#faults).at(-1);
    const completed = closed ? (values.CompletedDateTime ?? instant(now)) : null;
    return { ...values, IsClosed: closed, IsHighPriority: values.Priority === "High", CompletedDateTime: completed };
  }

  #integrationUser(): string {
    return this.store.table("User").keys().next().value ?? "";
  }
}

function duplicate(holder: Stored): RowError {
  return rowError(
    "DUPLICATE_VALUE",
    `duplicate value found: ${keyName} duplicates value on record with id: ${holder.id.slice(0, 15)}`,
  );
}

function no(error: RowError): Change {
  return { ok: false, error };
}

function isError(values: Values | RowError): values is RowError {
  return "code" in values && "message" in values;
}
