/** What a replay adds up: sums that can be added to those of another part of the same history, and the figures made of them. Pure. */
import type { Decision, DecisionOutcome, Tier } from "../../model.ts";

type Counts = Record<string, number>;
type ByOutcome = Record<string, Partial<Record<DecisionOutcome, number>>>;

export interface Tally {
  decisions: number;
  readonly outcomes: Partial<Record<DecisionOutcome, number>>;
  /** By play; those that led to none stand under "". */
  readonly plays: ByOutcome;
  /** By kind of the signal that triggered the decision, or was the last one it was made for. */
  readonly kinds: ByOutcome;
  /** By epoch day. */
  readonly days: ByOutcome;
  /** By code of the hold. */
  readonly held: Counts;
  /** By tier: milliseconds from the arrival of the trigger to the decision -> follow-ups; three significant digits. */
  readonly waits: Partial<Record<Tier, Counts>>;
  /** Follow-ups that were opened while another one of the same lead and play was open. */
  open_at_once: number;
  /** Number of follow-ups -> leads that had so many. */
  readonly per_lead: Counts;
}

export function newTally(): Tally {
  return {
    decisions: 0,
    outcomes: {},
    plays: {},
    kinds: {},
    days: {},
    held: {},
    waits: {},
    open_at_once: 0,
    per_lead: {},
  };
}

/** Takes one decision in. `waitedMs` of a follow-up: from the arrival of its trigger. */
export function count(tally: Tally, decision: Decision, kind: string, waitedMs: number | null): void {
  const { outcome } = decision;
  tally.decisions++;
  add(tally.outcomes, outcome, 1);
  add(partOf(tally.plays, decision.play ?? ""), outcome, 1);
  add(partOf(tally.kinds, kind), outcome, 1);
  add(partOf(tally.days, String(Math.floor(decision.at / 86_400_000))), outcome, 1);
  if (outcome === "held") add(tally.held, decision.reasons[0]?.code ?? "", 1);
  if (waitedMs !== null) {
    const waits = tally.waits[decision.tier] ?? {};
    tally.waits[decision.tier] = waits;
    add(waits, String(rounded(waitedMs)), 1);
  }
}

/** Adds the sums of another part to the first one. */
export function addTally(to: Tally, from: Tally): void {
  to.decisions += from.decisions;
  to.open_at_once += from.open_at_once;
  for (const name of ["outcomes", "held", "per_lead"] as const) addAll(to[name], from[name]);
  for (const name of ["plays", "kinds", "days"] as const)
    for (const [key, counts] of Object.entries(from[name])) addAll(partOf(to[name], key), counts);
  for (const tier of ["seconds", "minutes", "hours"] as const) {
    const waits = to.waits[tier] ?? {};
    addAll(waits, from.waits[tier] ?? {});
    if (Object.keys(waits).length > 0) to.waits[tier] = waits;
  }
}

export interface Latency {
  readonly follow_ups: number;
  readonly median_ms: number;
  readonly p95_ms: number;
}

export function latencyOf(tally: Tally): Partial<Record<Tier, Latency>> {
  const latency: Partial<Record<Tier, Latency>> = {};
  for (const tier of ["seconds", "minutes", "hours"] as const) {
    const waits = Object.entries(tally.waits[tier] ?? {}).map(([ms, times]) => [Number(ms), times] as const);
    if (waits.length === 0) continue;
    waits.sort(([a], [b]) => a - b);
    const all = waits.reduce((sum, [, times]) => sum + times, 0);
    latency[tier] = { follow_ups: all, median_ms: shareOf(waits, all * 0.5), p95_ms: shareOf(waits, all * 0.95) };
  }
  return latency;
}

/** The value at or below which so many lie. */
function shareOf(ascending: readonly (readonly [number, number])[], wanted: number): number {
  let seen = 0;
  for (const [ms, times] of ascending) {
    seen += times;
    if (seen >= wanted) return ms;
  }
  return 0;
}

function rounded(ms: number): number {
  return Number(Math.max(0, ms).toPrecision(3));
}

function partOf<T extends object>(parts: Record<string, T>, name: string): T {
  const known = Object.hasOwn(parts, name) ? parts[name] : undefined;
  if (known !== undefined) return known;
  const fresh = {} as T;
  parts[name] = fresh;
  return fresh;
}

export function add(counts: Partial<Counts>, name: string, number: number): void {
  counts[name] = (counts[name] ?? 0) + number;
}

function addAll(to: Partial<Counts>, from: Partial<Counts>): void {
  for (const [name, number] of Object.entries(from)) add(to, name, number ?? 0);
}
