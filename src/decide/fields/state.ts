/**
 * What is remembered of the fields of one lead: what was seen where, and what the engine wrote there. Every part is a set of facts
 * of which the latest few per source are kept, so that any order and any repetition of the same facts ends in the same bytes (G6)
 * and two people's states can be joined; what holds now is worked out when it is asked for (`current.ts`), under the policy of
 * that moment. Nothing of the engine's own values is in here: they follow from the lead. Pure.
 *
 * Stored shape: `FieldState`, inside the person's state. Names are in ascending order, lists oldest first.
 */
import { canonicalJson } from "../../crypto.ts";

/** A value that somebody gave a field. Empty means: a person cleared it. */
export interface Observation {
  readonly field: string;
  readonly value: string;
  /** `hubspot`, `salesforce`, or the name of an emitter. */
  readonly system: string;
  /** Where a CRM holds it: the name of the account object. Absent for emitters. */
  readonly account?: string;
  /** Who did it, as the system says: somebody at the CRM, an automation or tool, or ourselves (an echo). */
  readonly actor: "person" | "system" | "engine";
  /**
   * What `actor` is said of. `field`: of this very change (HubSpot's change events). `record`: only of the last change to the
   * record (Salesforce's LastModifiedById), behind which anything may hide; also where it is not known whether we did it. Such an
   * observation counts as a person's unless it is what we wrote or what stood there already. Not to be given where
   * `isKnown` (`writes.ts`) says that it stands there anyhow; for that they have to come in the order in which
   * they were read. Absent: `field`.
   */
  readonly attribution?: "field" | "record";
  /**
   * Epoch ms of the change by the system's clock. Of a clock that shows seconds, the last ms of the second: in doubt a person is
   * the newer one.
   */
  readonly at: number;
  /** The same change has the same key, however often it is told. */
  readonly key: string;
  /** Who in person, where it is known. */
  readonly by?: string;
}

/** The CRM has confirmed a write of the engine. */
export interface FieldReceipt {
  readonly key: string;
  readonly field: string;
  readonly account: string;
  readonly value: string;
  /** What the CRM keeps of it, where its answer says so. Where observations are of attribution `record`, it has to be read. */
  readonly stored?: string;
  /**
   * Epoch ms: when the CRM says that it was changed, in its answer or in a read. The instant of the answer will do where it never
   * says; then what an automation does meanwhile may stay.
   */
  readonly at: number;
  /** Of the value, as in the `FieldWrite`. */
  readonly version: string;
  readonly provoked: boolean;
}

export type Seen = Omit<Observation, "field"> & { readonly rank?: number };
export type Wrote = Omit<FieldReceipt, "field" | "account">;

export interface FieldHistory {
  /** By source: system, account and actor. */
  readonly seen: Readonly<Record<string, readonly Seen[]>>;
  /** By account. */
  readonly wrote: Readonly<Record<string, readonly Wrote[]>>;
}

export interface FieldState {
  readonly fields: Readonly<Record<string, FieldHistory>>;
  /** `field|system` → the last day (epoch days) whose write by a non-owner its owners were told of. */
  readonly told: Readonly<Record<string, number>>;
}

export const emptyFields: FieldState = { fields: {}, told: {} };

/** Kept of what one source said: more than one where echoes may stand before a change that counts. */
const seenInCrmMax = 4;
const seenElsewhereMax = 1;
/** Kept of the engine's writes into one account: more than may be provoked in a day (`writes.ts`). */
export const wroteMax = 8;

/** Adds one observation. `rank` is the place of its value on the field's ladder, where the highest wins. */
export function withSeen(state: FieldState, observation: Observation, rank: number | undefined): FieldState {
  const { field, ...said } = observation;
  const { system, account, actor } = said;
  const ranked = rank !== undefined && actor === "system" ? { ...said, rank } : said;
  return joinFields(
    state,
    historyOf(field, { seen: { [[system, account ?? "", actor].join("|")]: [ranked] }, wrote: {} }),
  );
}

/** A write of the engine was confirmed. */
export function written(state: FieldState, receipt: FieldReceipt): FieldState {
  const { field, account, ...wrote } = receipt;
  return joinFields(state, historyOf(field, { seen: {}, wrote: { [account]: [wrote] } }));
}

/** The owners of the field and of the system have been told, about this day and those before it. */
export function told(
  state: FieldState,
  report: { readonly field: string; readonly system: string; readonly day: number },
): FieldState {
  return joinFields(state, { fields: {}, told: { [toldName(report.field, report.system)]: report.day } });
}

export function toldName(field: string, system: string): string {
  return `${field}|${system}`;
}

/** The engine's latest confirmed writes, oldest first. */
export function wroteIn(state: FieldState, field: string, account: string): readonly Wrote[] {
  const wrote = Object.hasOwn(state.fields, field) ? state.fields[field]?.wrote : undefined;
  return wrote !== undefined && Object.hasOwn(wrote, account) ? (wrote[account] ?? []) : [];
}

function historyOf(field: string, history: FieldHistory): FieldState {
  return { fields: { [field]: history }, told: {} };
}

/** What is known when both are. Commutative, associative, idempotent. */
export function joinFields(a: FieldState, b: FieldState): FieldState {
  return {
    fields: joinRecords(a.fields, b.fields, (left, right) => ({
      seen: joinRecords(left.seen, right.seen, joinSeen),
      wrote: joinRecords(left.wrote, right.wrote, (one, other) => inOrder(one, other).slice(-wroteMax)),
    })),
    told: joinRecords(a.told, b.told, Math.max),
  };
}

/** The latest ones, and on a ladder every one that no later one reaches: the highest since any instant is among them. */
function joinSeen(left: readonly Seen[], right: readonly Seen[]): readonly Seen[] {
  const all = inOrder(left, right);
  const latest = all.length - (all.some(({ account }) => account !== undefined) ? seenInCrmMax : seenElsewhereMax);
  return all.filter(
    (item, index) =>
      index >= latest ||
      (item.rank !== undefined &&
        !all.some(({ rank = Number.NEGATIVE_INFINITY }, other) => other > index && rank >= Number(item.rank))),
  );
}

/** Oldest first, each once. One key with two contents is a mistake of its sender; then the order of the text decides. */
function inOrder<T extends { readonly at: number; readonly key: string; readonly value: string }>(
  left: readonly T[],
  right: readonly T[],
): readonly T[] {
  const all = [...left, ...right].map((item) => ({ item, text: `${item.key}|${canonicalJson(item)}` }));
  all.sort((a, b) => a.item.at - b.item.at || (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
  return all.filter(({ text }, index) => text !== all[index - 1]?.text).map(({ item }) => item);
}

function joinRecords<T>(
  a: Readonly<Record<string, T>>,
  b: Readonly<Record<string, T>>,
  join: (left: T, right: T) => T,
): Readonly<Record<string, T>> {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  return Object.fromEntries(
    names.flatMap((name) => {
      const [left, right] = [a, b].map((side) => (Object.hasOwn(side, name) ? side[name] : undefined));
      const value = left !== undefined && right !== undefined ? join(left, right) : (left ?? right);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
