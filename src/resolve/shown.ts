/**
 * What a CRM's record of this person shows of ours (`connectors/contract.ts`, `RecordCommand`), and what became of the last write: one entry
 * per account, in the root's state. Which values are to be shown is told in `act/showing.ts`. Pure.
 */
import {
  type CarriedField,
  carriedFields,
  type RecordField,
  type RecordValues,
  recordFields,
} from "../../connectors/contract.ts";
import type { CrmName } from "../model.ts";
import type { Root } from "./node.ts";

/** Values by field, as `RecordValue.value`. */
export type Shown = Readonly<Partial<Record<RecordField, string>>>;

/** A version of the policy has written into a field of the CRM's own, over this value of ours (empty: nothing stood there). */
export interface FieldWrite {
  readonly version: number;
  readonly before: string;
}

export interface ShownRecord {
  readonly crm: CrmName;
  /** Name of the account object. */
  readonly account: string;
  /** Id of the record there. */
  readonly person: string;
  /** Of the last write: its key, and what of the lead it was for (`occasionOf`). */
  readonly key: string;
  readonly occasion: string;
  /** Epoch ms at which its values were found out. */
  readonly at: number;
  /** `superseded`: the account had something newer for that record. */
  readonly state: "pending" | "done" | "refused" | "superseded";
  readonly values: RecordValues;
  /** When it is asked about again; in use while it is pending. */
  readonly retry_at: number;
  /** What stands there of ours as far as the CRM has confirmed it. What a person has typed is not in it. */
  readonly stands?: Shown;
  /** Who has written into the fields of the CRM's own, the latest last: what an undo brings back. */
  readonly wrote?: Wrote;
  /** What an undo is to bring back, unless the policy in force writes there itself. */
  readonly returns?: Returns;
  /** Fields that the last write has left: a person's, or the CRM has none such. */
  readonly left?: readonly RecordField[];
  /** Why the CRM refused the last write. */
  readonly problem?: string;
}

export type Wrote = Readonly<Partial<Record<CarriedField, readonly FieldWrite[]>>>;
export type Returns = Readonly<Partial<Record<CarriedField, string>>>;

/** More is not remembered of one field: an older version's writes are not undone then. */
const writesMax = 4;

export function recordsOf(root: Root): readonly ShownRecord[] {
  return root.records ?? [];
}

/** Writes that must still reach their CRM. */
export function pendingRecords(root: Root): readonly ShownRecord[] {
  return root.erase === undefined ? recordsOf(root).filter(({ state }) => state === "pending") : [];
}

/** The entry of its account is this one now. No newer version for it: the ledger need not hear of it at once. */
export function withRecord(root: Root, record: ShownRecord): Root {
  const others = recordsOf(root).filter(({ account }) => account !== record.account);
  return { ...root, records: [...others, record] };
}

/** The write with this key came out so; any other one is history. */
export function recordEnded(
  root: Root,
  key: string,
  end:
    | { readonly left: readonly RecordField[] }
    | { readonly problem: string }
    | { readonly retry_at: number }
    | "superseded",
): Root {
  const record = recordsOf(root).find((item) => item.key === key);
  if (record?.state !== "pending") return root;
  if (end === "superseded") return withRecord(root, { ...record, state: "superseded" });
  if ("retry_at" in end) return withRecord(root, { ...record, retry_at: end.retry_at });
  if ("problem" in end) return withRecord(root, { ...record, state: "refused", problem: end.problem });
  const { problem: _over, wrote: _before, returns, ...rest } = record;
  const done = {
    ...rest,
    state: "done",
    stands: standing(record, end.left),
    left: end.left,
    ...wroteAfter(record, end.left),
  } as const;
  if (returns === undefined) return withRecord(root, done);
  const isOwed = (field: CarriedField) =>
    returns[field] !== undefined && record.values[field]?.value !== returns[field];
  const owed = carriedFields.filter(isOwed).map((field) => [field, returns[field]] as const);
  // Seen in the ledger: whoever undoes a version asks there what it has written.
  const next = owed.length === 0 ? done : { ...done, returns: Object.fromEntries(owed) };
  return { ...withRecord(root, next), version: root.version + 1 };
}

/** With the write of this version, where it changes what stands there of ours: an undo of an earlier one that was still owed there is over. */
export function writing(
  { wrote: known, stands = {}, returns = {} }: Pick<ShownRecord, "wrote" | "stands" | "returns">,
  values: Returns,
  version: number,
): Pick<ShownRecord, "wrote" | "returns"> {
  const wrote = known ?? {};
  const more = carriedFields.flatMap((field) => {
    const [value, before = ""] = [values[field], stands[field]];
    const writes = wrote[field] ?? [];
    if (value === undefined || value === before || writes.at(-1)?.version === version) return [];
    return [[field, [...writes, { version, before }].slice(-writesMax)] as const];
  });
  const isOver = (field: CarriedField) => more.some(([one]) => one === field);
  const owed = carriedFields.flatMap((field) =>
    returns[field] === undefined || isOver(field) ? [] : [[field, returns[field]] as const],
  );
  const next = more.length === 0 ? known : { ...wrote, ...Object.fromEntries(more) };
  return {
    ...(next === undefined ? {} : { wrote: next }),
    ...(owed.length === 0 ? {} : { returns: Object.fromEntries(owed) }),
  };
}

/** What a person has typed there is theirs from then on, whatever stood there before; what was brought back is no write any more. */
function wroteAfter(
  { wrote = {}, values, returns = {} }: ShownRecord,
  left: readonly RecordField[],
): Pick<ShownRecord, "wrote"> {
  const next: Partial<Record<CarriedField, readonly FieldWrite[]>> = {};
  for (const field of carriedFields) {
    const isReturned = returns[field] !== undefined && values[field]?.value === returns[field];
    const writes = isReturned ? (wrote[field] ?? []).slice(0, -1) : (wrote[field] ?? []);
    if (writes.length > 0 && !left.includes(field)) next[field] = writes;
  }
  return Object.keys(next).length === 0 ? {} : { wrote: next };
}

/** Fields of the CRMs' own in which a version of the policy stands, as its last write. */
export function writtenFields(root: Root): readonly {
  readonly crm: CrmName;
  readonly account: string;
  readonly field: CarriedField;
  readonly version: number;
}[] {
  return recordsOf(root).flatMap(({ crm, account, wrote = {} }) =>
    carriedFields.flatMap((field) => {
      const last = wrote[field]?.at(-1);
      return last === undefined ? [] : [{ crm, account, field, version: last.version }];
    }),
  );
}

/** What this version of the policy was the last to write returns to what of ours stood there before. The same root where there is nothing. */
export function fieldsUndone(root: Root, version: number): Root {
  let next = root;
  for (const record of recordsOf(root)) {
    const last = carriedFields.flatMap((field) => {
      const write = record.wrote?.[field]?.at(-1);
      const isAsked = record.returns?.[field] !== undefined;
      return write?.version === version && !isAsked ? [[field, write.before] as const] : [];
    });
    if (last.length === 0) continue;
    const returns = { ...record.returns, ...Object.fromEntries(last) };
    next = { ...withRecord(next, { ...record, returns }), version: root.version + 1 };
  }
  return next;
}

function standing({ stands = {}, values }: ShownRecord, left: readonly RecordField[]): Shown {
  const now: Partial<Record<RecordField, string>> = {};
  for (const field of recordFields) {
    const value = values[field]?.value ?? stands[field];
    if (value !== undefined && !left.includes(field)) now[field] = value;
  }
  return now;
}

/** Of two states of one person: for each account the entry of the later write. */
export function joinRecords(a: Root, b: Root): Pick<Root, "records"> {
  const all = [...recordsOf(a), ...recordsOf(b)].sort(
    (one, other) => other.at - one.at || (one.key < other.key ? -1 : 1),
  );
  if (all.length === 0) return {};
  return { records: all.filter((item, index) => all.findIndex(({ account }) => account === item.account) === index) };
}
