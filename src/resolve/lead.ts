/**
 * The lead state as a fold of signals. Every part of it is commutative and idempotent over the *set* of signals (registers
 * ordered by (occurred_at, emitter, key), sets, and integer counts), so that any arrival order ends in the same bytes (G6)
 * and two folds can be joined when two people turn out to be one (DESIGN §6.2). The caller sees to it that a signal is
 * folded once per key. Pure.
 */
import { countDaysMax } from "../limits.ts";
import type { AccountRef, Attribution, FieldValue, Identifier, LifecycleState, Signal } from "../model.ts";
import { rankOf } from "../translate/normalise.ts";

/** Fields of a person that Baton keeps; other traits stay on their signal. */
export const leadFields = [
  "email",
  "first_name",
  "last_name",
  "phone",
  "company",
  "job_title",
  "country",
  "time_zone",
  "website",
] as const;
export type LeadField = (typeof leadFields)[number];

export interface KindCount {
  readonly count: number;
  readonly first_at: number;
  readonly last_at: number;
  /** Key of the last signal of this kind, in fold order: the one a reason points to. */
  readonly last_key: string;
  /** Epoch day -> signals on it, within the last `countDaysMax` days of the lead. */
  readonly days: Readonly<Record<string, number>>;
}

/** Order of two signals wherever one must win: event time, then emitter, then key. Never arrival. */
export interface Stamp {
  readonly at: number;
  readonly source: string;
  readonly key: string;
}

export interface LeadFold {
  readonly fields: Readonly<Partial<Record<LeadField, FieldValue>>>;
  readonly identifiers: Readonly<Record<string, Identifier & { readonly first_at: number }>>;
  /** Ids of CRM records (`type:value`) that were merged into another one: they lead here still, and are no second record. */
  readonly former: Readonly<Record<string, true>>;
  readonly kinds: Readonly<Record<string, KindCount>>;
  readonly account: (Stamp & { readonly value: AccountRef }) | null;
  /** Attribution of the earliest signal that carries one: the first touch. */
  readonly first_touch: (Stamp & { readonly value: Attribution }) | null;
  readonly consent: (Stamp & { readonly value: boolean }) | null;
  readonly first: Stamp | null;
  readonly last: Stamp | null;
}

export const emptyLead: LeadFold = {
  fields: {},
  identifiers: {},
  former: {},
  kinds: {},
  account: null,
  first_touch: null,
  consent: null,
  first: null,
  last: null,
};

export function foldSignal(lead: LeadFold, signal: Signal): LeadFold {
  return joinLeads(lead, leadOf(signal));
}

/** The lead that knows of one signal only. */
export function leadOf(signal: Signal): LeadFold {
  const stamp: Stamp = { at: signal.occurred_at, source: signal.emitter, key: signal.idempotency_key };
  const fields: Partial<Record<LeadField, FieldValue>> = {};
  for (const name of leadFields) {
    const value = signal.traits[name];
    if (value !== undefined && value !== "") fields[name] = { value, ...stamp };
  }
  const identifiers: Record<string, Identifier & { first_at: number }> = {};
  for (const { type, value } of signal.identifiers)
    identifiers[`${type}:${value}`] = { type, value, first_at: stamp.at };
  const day = String(Math.floor(signal.occurred_at / 86_400_000));
  return {
    fields,
    identifiers,
    former: formerOf(signal),
    kinds: {
      [signal.kind]: { count: 1, first_at: stamp.at, last_at: stamp.at, last_key: stamp.key, days: { [day]: 1 } },
    },
    account: Object.keys(signal.account).length > 0 ? { ...stamp, value: signal.account } : null,
    first_touch: Object.keys(signal.attribution).length > 0 ? { ...stamp, value: signal.attribution } : null,
    consent: signal.consent === undefined ? null : { ...stamp, value: signal.consent.follow_up },
    first: stamp,
    last: stamp,
  };
}

/** CRM-FACTS §3: a merge keeps one record (`survivor` in the signal's properties), maybe under a new id; the others are gone. */
function formerOf(signal: Signal): Record<string, true> {
  const former: Record<string, true> = {};
  if (signal.kind !== "crm_records_merged") return former;
  for (const { type, value } of signal.identifiers) {
    if (rankOf(type) === 0 && value !== signal.properties.survivor) former[`${type}:${value}`] = true;
  }
  return former;
}

/** Joins the folds of two disjoint sets of signals. Commutative and associative. */
export function joinLeads(a: LeadFold, b: LeadFold): LeadFold {
  const fields: Partial<Record<LeadField, FieldValue>> = {};
  for (const name of leadFields) {
    const value = later(a.fields[name] ?? null, b.fields[name] ?? null);
    if (value !== null) fields[name] = value;
  }
  const identifiers: Record<string, Identifier & { first_at: number }> = { ...a.identifiers };
  for (const [name, item] of Object.entries(b.identifiers)) {
    const known = identifiers[name];
    identifiers[name] = known === undefined || item.first_at < known.first_at ? item : known;
  }
  const last = later(a.last, b.last);
  return {
    fields,
    identifiers,
    former: { ...a.former, ...b.former },
    kinds: joinKinds(a.kinds, b.kinds, last?.at ?? 0),
    account: later(a.account, b.account),
    first_touch: earlier(a.first_touch, b.first_touch),
    consent: later(a.consent, b.consent),
    first: earlier(a.first, b.first),
    last,
  };
}

function joinKinds(
  a: Readonly<Record<string, KindCount>>,
  b: Readonly<Record<string, KindCount>>,
  lastAt: number,
): Record<string, KindCount> {
  const oldest = Math.floor(lastAt / 86_400_000) - countDaysMax;
  const kinds: Record<string, KindCount> = {};
  for (const [name, item] of Object.entries(a)) {
    const other = Object.hasOwn(b, name) ? b[name] : undefined;
    kinds[name] = other === undefined ? prune(item, oldest) : joinKind(item, other, oldest);
  }
  for (const [name, item] of Object.entries(b)) if (!Object.hasOwn(a, name)) kinds[name] = prune(item, oldest);
  return kinds;
}

function joinKind(a: KindCount, b: KindCount, oldest: number): KindCount {
  const days: Record<string, number> = {};
  for (const part of [a.days, b.days]) {
    for (const [day, count] of Object.entries(part)) if (Number(day) > oldest) days[day] = (days[day] ?? 0) + count;
  }
  const bIsLater = b.last_at > a.last_at || (b.last_at === a.last_at && b.last_key > a.last_key);
  return {
    count: a.count + b.count,
    first_at: Math.min(a.first_at, b.first_at),
    last_at: Math.max(a.last_at, b.last_at),
    last_key: bIsLater ? b.last_key : a.last_key,
    days,
  };
}

function prune(item: KindCount, oldest: number): KindCount {
  for (const day of Object.keys(item.days))
    if (Number(day) <= oldest) return joinKind(item, { ...item, count: 0, days: {} }, oldest);
  return item;
}

export function compareStamps(a: Stamp, b: Stamp): number {
  if (a.at !== b.at) return a.at - b.at;
  if (a.source !== b.source) return a.source < b.source ? -1 : 1;
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

function later<T extends Stamp>(a: T | null, b: T | null): T | null {
  if (a === null || b === null) return a ?? b;
  return compareStamps(a, b) >= 0 ? a : b;
}

function earlier<T extends Stamp>(a: T | null, b: T | null): T | null {
  if (a === null || b === null) return a ?? b;
  return compareStamps(a, b) <= 0 ? a : b;
}

const ladder: readonly LifecycleState[] = [
  "unknown",
  "subscriber",
  "lead",
  "engaged",
  "trial",
  "sales_ready",
  "customer",
];

/**
 * Where the lead stands: the highest step that any of its kinds reached; `churned` where that kind came after the last
 * step to `customer`. `stepOf` says which step a kind means (the policy's business).
 */
export function lifecycleOf(lead: LeadFold, stepOf: (kind: string) => LifecycleState | undefined): LifecycleState {
  let highest: LifecycleState = "unknown";
  let customerAt = -1;
  let churnedAt = -1;
  for (const [name, item] of Object.entries(lead.kinds)) {
    const step = stepOf(name);
    if (step === undefined) continue;
    if (step === "churned") churnedAt = Math.max(churnedAt, item.last_at);
    else if (ladder.indexOf(step) > ladder.indexOf(highest)) highest = step;
    if (step === "customer") customerAt = Math.max(customerAt, item.last_at);
  }
  return churnedAt > customerAt ? "churned" : highest;
}

/** Earliest known first; ids of records that are gone last. */
export function identifierValues(lead: LeadFold, type: string): readonly string[] {
  return Object.values(lead.identifiers)
    .filter((item) => item.type === type)
    .sort(
      (a, b) => formerRank(lead, a) - formerRank(lead, b) || a.first_at - b.first_at || (a.value < b.value ? -1 : 1),
    )
    .map((item) => item.value);
}

function formerRank(lead: LeadFold, { type, value }: Identifier): number {
  return Object.hasOwn(lead.former, `${type}:${value}`) ? 1 : 0;
}

/** The address to write to: the field a form or an identify call set last, else the earliest known address. */
export function emailOf(lead: LeadFold): string | undefined {
  return lead.fields.email?.value ?? identifierValues(lead, "email")[0];
}

export function displayName(lead: LeadFold): string {
  const name = [lead.fields.first_name?.value, lead.fields.last_name?.value]
    .filter((part) => part !== undefined)
    .join(" ");
  return name !== "" ? name : (emailOf(lead) ?? "someone");
}
