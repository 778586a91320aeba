/**
 * The records of the account, in memory: contacts, tasks, their links, their history, and the unique indexes over them.
 * Every change is atomic, for one request is carried out in one turn. Nothing here knows HTTP.
 */
import { ApiError, invalid } from "./answers.ts";
import type { Faults } from "./faults.ts";
import type { ObjectType, Schemas } from "./schemas.ts";
import { typeIds } from "./schemas.ts";

/** Who changed something: our own API writes come back in webhooks and must be told apart (CRM-FACTS §1.7). */
export interface Source {
  readonly changeSource: string;
  readonly sourceId: string;
}

export interface Change {
  readonly subscriptionType: string;
  readonly objectId: string;
  readonly source: Source;
  readonly propertyName?: string;
  readonly propertyValue?: string;
  readonly primaryObjectId?: string;
  readonly mergedObjectIds?: readonly string[];
  readonly newObjectId?: string;
}

export interface TwinRecord {
  readonly id: string;
  readonly type: ObjectType;
  properties: Record<string, string>;
  history: Record<string, { value: string; at: number; source: Source }[]>;
  readonly createdAt: number;
  updatedAt: number;
  archivedAt: number | null;
  /** Where this contact went in a merge. */
  mergedInto: string | null;
  mergedIds: string[];
  /** What search still shows while it lags. */
  before: { properties: Record<string, string>; updatedAt: number } | null;
}

export class Store {
  readonly #schemas: Schemas;
  readonly #faults: () => Faults;
  readonly #now: () => number;
  readonly #onChange: (change: Change) => void;
  readonly #records: Record<ObjectType, Map<string, TwinRecord>> = { contacts: new Map(), tasks: new Map() };
  readonly #unique: Record<ObjectType, Map<string, Map<string, string>>> = { contacts: new Map(), tasks: new Map() };
  readonly #archivedUnique: Record<ObjectType, Map<string, string>> = { contacts: new Map(), tasks: new Map() };
  /** `type:id` → `type:id` → since. */
  readonly #links = new Map<string, Map<string, number>>();
  #nextId = 101;

  constructor(schemas: Schemas, faults: () => Faults, now: () => number, onChange: (change: Change) => void) {
    this.#schemas = schemas;
    this.#faults = faults;
    this.#now = now;
    this.#onChange = onChange;
  }

  clear(): void {
    for (const type of ["contacts", "tasks"] as const) {
      this.#records[type].clear();
      this.#unique[type].clear();
      this.#archivedUnique[type].clear();
    }
    this.#links.clear();
  }

  all(type: ObjectType): IterableIterator<TwinRecord> {
    return this.#records[type].values();
  }

  /** A live record by its own id. */
  live(type: ObjectType, id: string): TwinRecord | undefined {
    const record = this.#records[type].get(id);
    return record === undefined || record.archivedAt !== null || record.mergedInto !== null ? undefined : record;
  }

  /** Also by an id that went in a merge: what single GET and PATCH do (CRM-FACTS §3). */
  followed(type: ObjectType, id: string): TwinRecord | undefined {
    let record = this.#records[type].get(id);
    while (record?.mergedInto != null) record = this.#records[type].get(record.mergedInto);
    return record?.archivedAt === null ? record : undefined;
  }

  archived(type: ObjectType, id: string): TwinRecord | undefined {
    const record = this.#records[type].get(id);
    return record?.archivedAt != null && record.mergedInto === null ? record : undefined;
  }

  byUnique(type: ObjectType, property: string, value: string): TwinRecord | undefined {
    const id = this.#unique[type].get(property)?.get(normal(property, value));
    return id === undefined ? undefined : this.live(type, id);
  }

  /** The record deleted last that held this value. */
  archivedByUnique(type: ObjectType, property: string, value: string): TwinRecord | undefined {
    const id = this.#archivedUnique[type].get(`${property}:${normal(property, value)}`);
    return id === undefined ? undefined : this.archived(type, id);
  }

  create(type: ObjectType, properties: Record<string, string>, source: Source): TwinRecord {
    const at = this.#now();
    this.requireFree(type, properties, null);
    const record: TwinRecord = {
      id: String(this.#nextId++),
      type,
      properties: {},
      history: {},
      createdAt: at,
      updatedAt: at,
      archivedAt: null,
      mergedInto: null,
      mergedIds: [],
      before: null,
    };
    this.#records[type].set(record.id, record);
    const stamp = String(at);
    const stamps: Record<string, string> =
      type === "contacts"
        ? { createdate: stamp, lastmodifieddate: stamp }
        : { hs_createdate: stamp, hs_lastmodifieddate: stamp };
    this.#write(record, { ...stamps, hs_object_id: record.id, ...properties }, source);
    record.before = null;
    this.#tell(type, "creation", record.id, source);
    return record;
  }

  update(record: TwinRecord, properties: Record<string, string>, source: Source): void {
    this.requireFree(record.type, properties, record.id);
    record.before = { properties: { ...record.properties }, updatedAt: record.updatedAt };
    record.updatedAt = Math.max(this.#now(), record.updatedAt + 1);
    const completed =
      record.type === "tasks" && properties.hs_task_status !== undefined
        ? { hs_task_completion_date: properties.hs_task_status === "COMPLETED" ? String(record.updatedAt) : "" }
        : {};
    const modified = record.type === "contacts" ? "lastmodifieddate" : "hs_lastmodifieddate";
    this.#write(record, { ...properties, ...completed, [modified]: String(record.updatedAt) }, source);
  }

  archive(record: TwinRecord, source: Source): void {
    record.archivedAt = this.#now();
    for (const [property, value] of this.#uniqueValues(record)) {
      this.#archivedUnique[record.type].set(`${property}:${normal(property, value)}`, record.id);
    }
    if (record.type === "contacts" || this.#faults().archivedKey === "free") this.#release(record);
    this.#tell(record.type, "deletion", record.id, source);
  }

  link(from: TwinRecord, to: TwinRecord): void {
    const at = this.#now();
    for (const [one, other] of [
      [name(from), name(to)],
      [name(to), name(from)],
    ] as const) {
      const ends = this.#links.get(one) ?? new Map<string, number>();
      if (!ends.has(other)) ends.set(other, at);
      this.#links.set(one, ends);
    }
  }

  unlink(from: TwinRecord, to: TwinRecord): void {
    this.#links.get(name(from))?.delete(name(to));
    this.#links.get(name(to))?.delete(name(from));
  }

  /** Live records of `type` linked to this one. `lagMs` hides those younger than that. */
  linked(record: TwinRecord, type: ObjectType, lagMs = 0): TwinRecord[] {
    const found: TwinRecord[] = [];
    const until = this.#now() - lagMs;
    for (const [end, since] of this.#links.get(name(record)) ?? []) {
      const [endType, id = ""] = end.split(":");
      const other = endType === type ? this.live(type, id) : undefined;
      if (other !== undefined && since <= until) found.push(other);
    }
    return found;
  }

  /** Two contacts become a third with a new id; tasks stay with the survivor (CRM-FACTS §3). */
  merge(primary: TwinRecord, other: TwinRecord, source: Source): TwinRecord {
    const { hs_object_id: _a, createdate: _b, ...kept } = { ...other.properties, ...primary.properties };
    const emails = [primary, other].flatMap((one) => [
      one.properties.email,
      ...(one.properties.hs_additional_emails ?? "").split(";"),
    ]);
    const tasks = [...this.linked(primary, "tasks"), ...this.linked(other, "tasks")];
    for (const one of [primary, other]) {
      this.#release(one);
      for (const task of this.linked(one, "tasks")) this.unlink(one, task);
    }
    const further = [
      ...new Set(emails.filter((email) => email !== undefined && email !== "" && email !== kept.email)),
    ].join(";");
    const mergedIds = [...primary.mergedIds, ...other.mergedIds, primary.id, other.id];
    const survivor = this.create("contacts", { ...kept, hs_merged_object_ids: mergedIds.join(";") }, source);
    survivor.mergedIds = mergedIds;
    if (further !== "") this.update(survivor, { hs_additional_emails: further }, source);
    for (const one of [primary, other]) one.mergedInto = survivor.id;
    for (const task of tasks) this.link(survivor, task);
    this.#onChange({
      subscriptionType: "contact.merge",
      objectId: survivor.id,
      source,
      primaryObjectId: primary.id,
      mergedObjectIds: [other.id],
      newObjectId: survivor.id,
    });
    return survivor;
  }

  /** Refuses a value that another record already has. */
  requireFree(type: ObjectType, properties: Readonly<Record<string, string>>, self: string | null): void {
    for (const [property, value] of Object.entries(properties)) {
      if (value === "" || !this.#isUnique(type, property)) continue;
      const holder = this.#unique[type].get(property)?.get(normal(property, value));
      if (holder === undefined || holder === self) continue;
      if (property === "email") {
        throw new ApiError(409, "CONFLICT", `Contact already exists. Existing ID: ${holder}`);
      }
      const message = `Cannot set PropertyValueCoordinates{objectTypeId=${typeIds[type]}, propertyName=${property}}. ${holder} already has that value.`;
      throw invalid(message, [{ message, code: "CONFLICTING_UNIQUE_VALUE", context: { propertyName: [property] } }]);
    }
  }

  #uniqueValues(record: TwinRecord): [string, string][] {
    const values = Object.entries(record.properties).filter(([property]) => this.#isUnique(record.type, property));
    const further = (record.properties.hs_additional_emails ?? "").split(";").filter((email) => email !== "");
    return [...values, ...further.map((email): [string, string] => ["email", email])];
  }

  #release(record: TwinRecord): void {
    for (const [property, value] of this.#uniqueValues(record)) {
      const index = this.#unique[record.type].get(property);
      if (index?.get(normal(property, value)) === record.id) index.delete(normal(property, value));
    }
  }

  #isUnique(type: ObjectType, property: string): boolean {
    return this.#schemas.isUnique(type, property);
  }

  #write(record: TwinRecord, properties: Record<string, string>, source: Source): void {
    for (const [property, given] of Object.entries(properties)) {
      const value = property === "email" ? given.trim().toLowerCase() : given;
      const before = record.properties[property] ?? "";
      if (before === value) continue;
      this.#reindex(record, property, before, value);
      if (value === "") delete record.properties[property];
      else record.properties[property] = value;
      const past = record.history[property] ?? [];
      past.unshift({ value, at: this.#now(), source });
      record.history[property] = past.slice(0, historyMax);
      if (!unsubscribable.has(property)) this.#tell(record.type, "propertyChange", record.id, source, property, value);
    }
  }

  #reindex(record: TwinRecord, property: string, before: string, value: string): void {
    const key = property === "hs_additional_emails" ? "email" : property;
    if (key === property && !this.#isUnique(record.type, property)) return;
    const index = this.#unique[record.type].get(key) ?? new Map<string, string>();
    this.#unique[record.type].set(key, index);
    const parts = (text: string) => (key === property ? [text] : text.split(";")).filter((part) => part !== "");
    for (const part of parts(before)) if (index.get(normal(key, part)) === record.id) index.delete(normal(key, part));
    for (const part of parts(value)) index.set(normal(key, part), record.id);
  }

  #tell(
    type: ObjectType,
    what: string,
    objectId: string,
    source: Source,
    propertyName?: string,
    propertyValue?: string,
  ): void {
    // There is no `task.*` (CRM-FACTS §1.7).
    if (type !== "contacts") return;
    const about = propertyName === undefined ? {} : { propertyName, propertyValue: propertyValue ?? "" };
    this.#onChange({ subscriptionType: `contact.${what}`, objectId, source, ...about });
  }
}

function name(record: TwinRecord): string {
  return `${record.type}:${record.id}`;
}

function normal(property: string, value: string): string {
  return property === "email" ? value.trim().toLowerCase() : value;
}

const historyMax = 20;
/** `hs_lastmodifieddate` cannot be subscribed to (CRM-FACTS §1.7). */
const unsubscribable = new Set([
  "lastmodifieddate",
  "hs_lastmodifieddate",
  "hs_object_id",
  "createdate",
  "hs_createdate",
]);
