/**
 * The lead state as a fold of signals. Every part of it is commutative and idempotent over the *set* of signals (registers
 * ordered by (occurred_at, emitter, key), sets, and integer counts), so that any arrival order ends in the same bytes (G6)
 * and two folds can be joined when two people turn out to be one (DESIGN §6.2). The caller sees to it that a signal is
 * folded once per key. Pure.
 */
import { carriedFields } from "../../connectors/contract.ts";
import { answerSystem } from "../decide/fields/current.ts";
import { countDaysMax } from "../limits.ts";
import type {
  AccountRef,
  Attribution,
  CrmName,
  FieldValue,
  Identifier,
  LifecycleState,
  Purpose,
  Signal,
} from "../model.ts";
import { rankOf } from "../translate/normalise.ts";
import { type Counts, joined, once, oneMore, youngerThan } from "./counts.ts";

/** Fields of a person that Baton keeps; other traits stay on their signal. The owners are believed of a CRM's signals only. */
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
  "owner",
  "account_owner",
] as const;
export type LeadField = (typeof leadFields)[number];

export interface KindCount {
  readonly count: number;
  readonly first_at: number;
  readonly last_at: number;
  /** Key of the last signal of this kind, in fold order: the one a reason points to. */
  readonly last_key: string;
  /** By epoch day, within the last `countDaysMax` days of the lead. */
  readonly days: Counts;
  /** By number of ten minutes since 1970, within the last `burstMs` of the lead. */
  readonly recent: Counts;
}

/** Bursts are looked for in so much time before the lead's last signal. */
export const burstMs = 6 * 3_600_000;
export const burstStepMs = 600_000;

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
  readonly purposes: Readonly<Partial<Record<Purpose, Stamp & { readonly value: boolean }>>>;
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
  purposes: {},
  first: null,
  last: null,
};

/**
 * The same as joining with the lead that knows of this signal only (a test compares them), and several times faster: what the signal
 * does not change is not copied. `lead` is one that this or `joinLeads` made.
 */
export function foldSignal(lead: LeadFold, signal: Signal): LeadFold {
  const stamp: Stamp = { at: signal.occurred_at, source: signal.emitter, key: signal.idempotency_key };
  const last = later(lead.last, stamp);
  const told = fieldsOf(signal, stamp);
  const fields = told === null ? lead.fields : joinFields(lead.fields, told);
  const isMerge = signal.kind === "crm_records_merged";
  return {
    fields,
    identifiers: withIdentifiers(lead.identifiers, signal),
    former: isMerge ? { ...lead.former, ...formerOf(signal) } : lead.former,
    kinds: withSignal(lead, signal, oldestFor(last?.at ?? 0)),
    account: isEmpty(signal.account) ? lead.account : later(lead.account, { ...stamp, value: signal.account }),
    first_touch: isEmpty(signal.attribution)
      ? lead.first_touch
      : earlier(lead.first_touch, { ...stamp, value: signal.attribution }),
    consent:
      signal.consent?.follow_up === undefined
        ? lead.consent
        : later(lead.consent, { ...stamp, value: signal.consent.follow_up }),
    purposes:
      signal.consent?.purposes === undefined ? lead.purposes : joinPurposes(lead.purposes, purposesOf(signal, stamp)),
    first: earlier(lead.first, stamp),
    last,
  };
}

function isEmpty(value: object): boolean {
  for (const _name in value) return false;
  return true;
}

function withIdentifiers(known: LeadFold["identifiers"], signal: Signal): LeadFold["identifiers"] {
  let next: Record<string, Identifier & { readonly first_at: number }> | null = null;
  for (const { type, value } of signal.identifiers) {
    const name = `${type}:${value}`;
    const item = (next ?? known)[name];
    if (item !== undefined && item.first_at <= signal.occurred_at) continue;
    next ??= { ...known };
    next[name] = { type, value, first_at: signal.occurred_at };
  }
  return next ?? known;
}

/** What the others count is looked at too where time has passed: their oldest days may have become too old. */
function withSignal(lead: LeadFold, signal: Signal, oldest: Oldest): LeadFold["kinds"] {
  const before = oldestFor(lead.last?.at ?? 0);
  const isSame = before.day === oldest.day && before.step === oldest.step;
  const next: Record<string, KindCount> = isSame ? { ...lead.kinds } : {};
  if (!isSame) {
    for (const name in lead.kinds) {
      const item = lead.kinds[name];
      if (item !== undefined) next[name] = prune(item, oldest);
    }
  }
  const { occurred_at: at, idempotency_key: key, kind } = signal;
  const day = Math.floor(at / 86_400_000);
  const step = Math.floor(at / burstStepMs);
  const item = Object.hasOwn(next, kind) ? next[kind] : undefined;
  if (item === undefined) {
    const one = { count: 1, first_at: at, last_at: at, last_key: key, days: once(day), recent: once(step) };
    next[kind] = prune(one, oldest);
    return next;
  }
  const isLater = at > item.last_at || (at === item.last_at && key > item.last_key);
  next[kind] = {
    count: item.count + 1,
    first_at: Math.min(item.first_at, at),
    last_at: Math.max(item.last_at, at),
    last_key: isLater ? key : item.last_key,
    days: day > oldest.day ? oneMore(item.days, day) : item.days,
    recent: step > oldest.step ? oneMore(item.recent, step) : item.recent,
  };
  return next;
}

/** The lead that knows of one signal only. */
export function leadOf(signal: Signal): LeadFold {
  const stamp: Stamp = { at: signal.occurred_at, source: signal.emitter, key: signal.idempotency_key };
  const identifiers: Record<string, Identifier & { first_at: number }> = {};
  for (const { type, value } of signal.identifiers)
    identifiers[`${type}:${value}`] = { type, value, first_at: stamp.at };
  return {
    fields: fieldsOf(signal, stamp) ?? {},
    identifiers,
    former: formerOf(signal),
    kinds: {
      [signal.kind]: {
        count: 1,
        first_at: stamp.at,
        last_at: stamp.at,
        last_key: stamp.key,
        days: once(Math.floor(signal.occurred_at / 86_400_000)),
        recent: once(Math.floor(signal.occurred_at / burstStepMs)),
      },
    },
    account: Object.keys(signal.account).length > 0 ? { ...stamp, value: signal.account } : null,
    first_touch: Object.keys(signal.attribution).length > 0 ? { ...stamp, value: signal.attribution } : null,
    consent: signal.consent?.follow_up === undefined ? null : { ...stamp, value: signal.consent.follow_up },
    purposes: purposesOf(signal, stamp),
    first: stamp,
    last: stamp,
  };
}

/** Null where it tells none. */
function fieldsOf(signal: Signal, stamp: Stamp): LeadFold["fields"] | null {
  if (isEmpty(signal.traits)) return null;
  const fields: Partial<Record<LeadField, FieldValue>> = {};
  const [strongest] = signal.identifiers;
  const isOfCrm = strongest !== undefined && rankOf(strongest.type) === 0;
  const crm = isOfCrm
    ? { crm: strongest.type.startsWith("hubspot") ? ("hubspot" as const) : ("salesforce" as const) }
    : {};
  for (const name of leadFields) {
    const value = signal.traits[name];
    if (value === undefined || value === "") continue;
    if ((name === "owner" || name === "account_owner") && !isOfCrm) continue;
    fields[name] = { value, ...stamp, ...(stamp.source === answerSystem ? {} : crm) };
  }
  return fields;
}

function purposesOf(signal: Signal, stamp: Stamp): LeadFold["purposes"] {
  const purposes: Partial<Record<Purpose, Stamp & { value: boolean }>> = {};
  for (const name of purposeNames) {
    const value = signal.consent?.purposes?.[name];
    if (value !== undefined) purposes[name] = { ...stamp, value };
  }
  return purposes;
}

const purposeNames: readonly Purpose[] = ["call", "email", "sequence"];

function joinPurposes(a: LeadFold["purposes"], b: LeadFold["purposes"]): LeadFold["purposes"] {
  const purposes: Partial<Record<Purpose, Stamp & { value: boolean }>> = {};
  for (const name of purposeNames) {
    const value = later(a[name] ?? null, b[name] ?? null);
    if (value !== null) purposes[name] = value;
  }
  return purposes;
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
  const identifiers: Record<string, Identifier & { first_at: number }> = { ...a.identifiers };
  for (const [name, item] of Object.entries(b.identifiers)) {
    const known = identifiers[name];
    identifiers[name] = known === undefined || item.first_at < known.first_at ? item : known;
  }
  const last = later(a.last, b.last);
  return {
    fields: joinFields(a.fields, b.fields),
    identifiers,
    former: { ...a.former, ...b.former },
    kinds: joinKinds(a.kinds, b.kinds, last?.at ?? 0),
    account: later(a.account, b.account),
    first_touch: earlier(a.first_touch, b.first_touch),
    consent: later(a.consent, b.consent),
    purposes: joinPurposes(a.purposes, b.purposes),
    first: earlier(a.first, b.first),
    last,
  };
}

function joinFields(a: LeadFold["fields"], b: LeadFold["fields"]): LeadFold["fields"] {
  const fields: Partial<Record<LeadField, FieldValue>> = {};
  for (const name of leadFields) {
    const [one, other] = [a[name], b[name]];
    const value = one === undefined || other === undefined ? (one ?? other) : joinField(name, one, other);
    if (value !== undefined) fields[name] = value;
  }
  return fields;
}

/** Others whose word is kept beside the newest. The latest word of each of the latest few: in any order they are the same ones (G6). */
const othersMax = 7;

function joinField(name: LeadField, a: FieldValue, b: FieldValue): FieldValue {
  const [newest, older] = compareStamps(a, b) >= 0 ? [a, b] : [b, a];
  if (!carried.has(name)) return newest;
  // What most signals are: one source says the same field again.
  if (older.others === undefined && isOfSameSource(newest, older)) return newest;
  // Both stand newest first: the rest of the newest, and all of the older one.
  const rest = newest.others ?? [];
  const { others: olderOthers = [], ...olderOwn } = older;
  const others: FieldValue[] = [];
  let [left, right] = [0, -1];
  while (others.length < othersMax) {
    const one = rest[left];
    const other = right < 0 ? olderOwn : olderOthers[right];
    const isOnes = one !== undefined && (other === undefined || compareStamps(one, other) >= 0);
    const word = isOnes ? one : other;
    if (word === undefined) break;
    if (isOnes) left++;
    else right++;
    if (!isOfSameSource(word, newest) && !others.some((known) => isOfSameSource(known, word))) others.push(word);
  }
  return others.length === 0 ? newest : { ...newest, others };
}

const carried: ReadonlySet<string> = new Set(carriedFields);

/** One emitter may tell of a person and of their record in a CRM: those are two sources. */
function isOfSameSource(a: FieldValue, b: FieldValue): boolean {
  return a.source === b.source && a.crm === b.crm;
}

/** Adds up counts of different signals; `lastAt` says what is too old to be kept. */
export function joinKinds(
  a: Readonly<Record<string, KindCount>>,
  b: Readonly<Record<string, KindCount>>,
  lastAt: number,
): Record<string, KindCount> {
  const oldest = oldestFor(lastAt);
  const kinds: Record<string, KindCount> = {};
  for (const [name, item] of Object.entries(a)) {
    const other = Object.hasOwn(b, name) ? b[name] : undefined;
    kinds[name] = other === undefined ? prune(item, oldest) : joinKind(item, other, oldest);
  }
  for (const [name, item] of Object.entries(b)) if (!Object.hasOwn(a, name)) kinds[name] = prune(item, oldest);
  return kinds;
}

/** What is older than these, or as old, is no longer counted. */
interface Oldest {
  readonly day: number;
  readonly step: number;
}

function oldestFor(lastAt: number): Oldest {
  return {
    day: Math.floor(lastAt / 86_400_000) - countDaysMax,
    step: Math.floor((lastAt - burstMs) / burstStepMs),
  };
}

function joinKind(a: KindCount, b: KindCount, oldest: Oldest): KindCount {
  const bIsLater = b.last_at > a.last_at || (b.last_at === a.last_at && b.last_key > a.last_key);
  return {
    count: a.count + b.count,
    first_at: Math.min(a.first_at, b.first_at),
    last_at: Math.max(a.last_at, b.last_at),
    last_key: bIsLater ? b.last_key : a.last_key,
    days: youngerThan(joined(a.days, b.days), oldest.day),
    recent: youngerThan(joined(a.recent, b.recent), oldest.step),
  };
}

function prune(item: KindCount, oldest: Oldest): KindCount {
  const days = youngerThan(item.days, oldest.day);
  const recent = youngerThan(item.recent, oldest.step);
  return days === item.days && recent === item.recent ? item : { ...item, days, recent };
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
  return ofType(lead, type)
    .sort((a, b) => compareIdentifiers(lead, a, b))
    .map((item) => item.value);
}

/** Ids of this person's records in a CRM, as signals named them; in Salesforce contacts first. */
export function recordIdsOf(lead: LeadFold, crm: CrmName): readonly string[] {
  if (crm === "hubspot") return identifierValues(lead, "hubspot_contact_id");
  return [...identifierValues(lead, "salesforce_contact_id"), ...identifierValues(lead, "salesforce_lead_id")];
}

type Known = LeadFold["identifiers"][string];

function ofType({ identifiers }: LeadFold, type: string): Known[] {
  const found: Known[] = [];
  for (const name in identifiers) {
    const item = identifiers[name];
    if (item?.type === type) found.push(item);
  }
  return found;
}

function compareIdentifiers(lead: LeadFold, a: Known, b: Known): number {
  return formerRank(lead, a) - formerRank(lead, b) || a.first_at - b.first_at || (a.value < b.value ? -1 : 1);
}

function formerRank({ former }: LeadFold, { type, value }: Identifier): number {
  return !isEmpty(former) && Object.hasOwn(former, `${type}:${value}`) ? 1 : 0;
}

/** The address to write to: the field a form or an identify call set last, else the earliest known address. */
export function emailOf(lead: LeadFold): string | undefined {
  const said = lead.fields.email?.value;
  if (said !== undefined) return said;
  const known = ofType(lead, "email");
  return known.length === 1 ? known[0]?.value : identifierValues(lead, "email")[0];
}

export function displayName(lead: LeadFold): string {
  const name = [lead.fields.first_name?.value, lead.fields.last_name?.value]
    .filter((part) => part !== undefined)
    .join(" ");
  return name !== "" ? name : (emailOf(lead) ?? "someone");
}
