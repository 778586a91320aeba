/**
 * What a CRM's record of this person shows of ours (`connectors/contract.ts`, `RecordCommand`), and what became of the last write: one entry
 * per account, in the root's state. Which values are to be shown is told in `act/showing.ts`. Pure.
 */
import { type RecordField, type RecordValues, recordFields } from "../../connectors/contract.ts";
import type { CrmName } from "../model.ts";
import type { Root } from "./node.ts";

/** Values by field, as `RecordValue.value`. */
export type Shown = Readonly<Partial<Record<RecordField, string>>>;

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
  /** Fields that the last write has left: a person's, or the CRM has none such. */
  readonly left?: readonly RecordField[];
  /** Why the CRM refused the last write. */
  readonly problem?: string;
}

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
  const { problem: _over, ...rest } = record;
  return withRecord(root, { ...rest, state: "done", stands: standing(record, end.left), left: end.left });
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
