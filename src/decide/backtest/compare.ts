/** Where two policies decided differently: decisions of the same signals, side by side. Pure. */
import { canonicalJson } from "../../crypto.ts";
import { waitingSignalsMax } from "../../limits.ts";
import type { Assignment, Decision, Reason } from "../../model.ts";
import { sameKeys } from "../decide.ts";

/** What of a decision may differ; `when` is its instant, `signals` how many were decided together. */
export const aspects = [
  "outcome",
  "play",
  "route",
  "level",
  "tier",
  "when",
  "score",
  "signals",
  "due",
  "candidates",
  "enrichment",
  "withdrawn",
  "reasons",
] as const;
export type Aspect = (typeof aspects)[number];

export interface Difference {
  readonly lead: string;
  /** Key of the signal that both were made for. */
  readonly signal: string;
  readonly at: number;
  readonly what: readonly Aspect[];
  /** Null where that policy made none: it decided the signal once, the other one twice. */
  readonly baseline: Decision | null;
  readonly draft: Decision | null;
}

/** What differs, the version of the policy apart; what follows from the instant alone (ids) is no difference of its own. */
export function aspectsOf(a: Decision, b: Decision): readonly Aspect[] {
  const what: Aspect[] = [];
  if (a.outcome !== b.outcome) what.push("outcome");
  if (a.play !== b.play) what.push("play");
  if (a.route !== b.route) what.push("route");
  if (a.level !== b.level) what.push("level");
  if (a.tier !== b.tier) what.push("tier");
  if (a.at !== b.at) what.push("when");
  if (a.score.fit !== b.score.fit || a.score.intent !== b.score.intent || a.score.total !== b.score.total)
    what.push("score");
  if (!sameKeys(a.signals, b.signals)) what.push("signals");
  const [ways, others] = [a.assign ?? [], b.assign ?? []];
  if (!sameWays(ways, others, (one, other) => one.due_at === other.due_at && one.priority === other.priority))
    what.push("due");
  if (!sameWays(ways, others, sameCandidates)) what.push("candidates");
  if (!sameJson(a.enrichment, b.enrichment)) what.push("enrichment");
  if (!sameJson(a.withdrawn, b.withdrawn)) what.push("withdrawn");
  if (!sameReasons(a.reasons, b.reasons)) what.push("reasons");
  return what;
}

function sameWays(
  a: readonly Assignment[],
  b: readonly Assignment[],
  same: (one: Assignment, other: Assignment) => boolean,
): boolean {
  return a.length === b.length && a.every((one, at) => same(one, b[at] ?? one));
}

function sameCandidates(a: Assignment, b: Assignment): boolean {
  return (
    a.team === b.team &&
    a.preferred?.address === b.preferred?.address &&
    a.candidates.length === b.candidates.length &&
    a.candidates.every(({ address, weight, cap }, at) => {
      const other = b.candidates[at];
      return other?.address === address && other.weight === weight && other.cap === cap;
    })
  );
}

function sameJson(a: unknown, b: unknown): boolean {
  return a === b || canonicalJson(a) === canonicalJson(b);
}

function sameReasons(a: readonly Reason[], b: readonly Reason[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ code, text, points, signal }, at) => {
      const other = b[at];
      return other?.code === code && other.text === text && other.points === points && other.signal === signal;
    })
  );
}

/**
 * Of one lead, so many signals wait for the other side at most: more than are ever decided together. Who cannot be reached is decided on
 * again and again by a policy that asks for a follow-up, and once by one that does not.
 */
const openMax = 2 * waitingSignalsMax;

/** The two sides of one lead, until each decision of one has met its counterpart of the other. */
export class Pairing {
  readonly #lead: string;
  readonly #found: (difference: Difference) => void;
  /** By key of a signal: what one side has decided on it and the other one not yet, in order. */
  readonly #open = new Map<string, { readonly side: 0 | 1; readonly decision: Decision }[]>();

  /** Decisions that have met one of the other side, for whichever of their signals, or were told of without. */
  readonly #met = new WeakSet<Decision>();

  constructor(lead: string, found: (difference: Difference) => void) {
    this.#lead = lead;
    this.#found = found;
  }

  /** Both sides decided the same signals at the same time: the usual case, in one step. */
  both(baseline: Decision, draft: Decision): void {
    const untouched = this.#open.size === 0;
    if (untouched && sameKeys(baseline.signals, draft.signals)) this.#compare(baseline, draft);
    else {
      this.one(0, baseline);
      this.one(1, draft);
    }
  }

  /** A pair is told once, however many signals both were made for. */
  one(side: 0 | 1, decision: Decision): void {
    const met = new Set<Decision>();
    for (const key of decision.signals) {
      const waiting = this.#open.get(key);
      const first = waiting?.[0];
      if (first === undefined || first.side === side) {
        // One that has met somebody already need not wait beside the newer one.
        const others = waiting?.filter((item) => !this.#met.has(item.decision)) ?? [];
        this.#open.set(key, [...others, { side, decision }]);
        continue;
      }
      if (waiting?.length === 1) this.#open.delete(key);
      else waiting?.shift();
      if (met.has(first.decision)) continue;
      met.add(first.decision);
      this.#met.add(first.decision).add(decision);
      if (side === 1) this.#compare(first.decision, decision, key);
      else this.#compare(decision, first.decision, key);
    }
    this.#letGo(openMax);
  }

  /** What has met nobody by now never will: one policy decided on it again, and the other one did not. */
  finish(): void {
    this.#letGo(0);
  }

  /** The oldest first, until so many signals are left. */
  #letGo(most: number): void {
    for (const [signal, waiting] of this.#open) {
      if (this.#open.size <= most) return;
      this.#open.delete(signal);
      for (const { side, decision } of waiting) {
        if (this.#met.has(decision)) continue;
        this.#met.add(decision);
        const [baseline, draft] = side === 0 ? [decision, null] : [null, decision];
        this.#found({ lead: this.#lead, signal, at: decision.at, what: ["outcome"], baseline, draft });
      }
    }
  }

  #compare(baseline: Decision, draft: Decision, signal = draft.signals.at(-1) ?? ""): void {
    const what = aspectsOf(baseline, draft);
    if (what.length > 0) this.#found({ lead: this.#lead, signal, at: draft.at, what, baseline, draft });
  }
}
