/** Which route of the policy is taken. Pure. */
import type { Score, Signal } from "../model.ts";
import type { LeadFold } from "../resolve/lead.ts";
import type { Match } from "./decide.ts";
import { type FactReader, factsOf, factsWith } from "./facts.ts";
import { isSustained, type Past, type Standing } from "./level.ts";
import { type Readied, readied } from "./policy/condition.ts";
import { levels } from "./policy/scoring.ts";
import { kindRuleOf, type Play, type Policy, type Route } from "./policy.ts";
import { isOpen } from "./time/calendar.ts";

/** What a route looks at. */
export interface Situation {
  readonly policy: Policy;
  readonly score: Score;
  readonly standing: Standing;
  readonly past: Past;
  readonly now: number;
  /** Facts of the lead, and with a signal those of that one too. */
  readonly factsOf: (signal: Signal) => FactReader;
}

export function situationOf(policy: Policy, lead: LeadFold, score: Score, standing: Standing, past: Past): Situation {
  const ofLead = factsOf({ policy, lead, score, level: standing.level });
  return {
    policy,
    score,
    standing,
    past,
    now: past.now,
    factsOf: (signal) => factsWith(signal, ofLead),
  };
}

/**
 * The first route, in the policy's order, whose conditions hold; the trigger is the latest signal that fits and is young enough. `signals`
 * stand in the order in which they happened.
 */
export function matchOf(situation: Situation, signals: readonly Signal[]): Match | null {
  const { policy } = situation;
  const facts = signals.map(situation.factsOf);
  for (const { route, play, where } of openRoutes(policy)) {
    if (missOf(route, situation) !== null) continue;
    const trigger = triggerIn(policy, route, where, signals, facts, situation.now);
    if (trigger !== undefined) return { route, trigger, play };
  }
  return null;
}

/** A route that may be taken, with its condition made ready to be asked. */
interface OpenRoute {
  readonly route: Route;
  readonly play: Play;
  readonly where: Readied | null;
}

/** As in `time/hours.ts`: results of a pure function under its argument. */
const open = new WeakMap<Policy, readonly OpenRoute[]>();

/** Those whose play is no draft, in the policy's order. */
function openRoutes(policy: Policy): readonly OpenRoute[] {
  let found = open.get(policy);
  if (found === undefined) {
    found = policy.routes.flatMap((route): OpenRoute[] => {
      const play = policy.plays[route.play];
      if (play === undefined || play.status === "draft") return [];
      return [{ route, play, where: route.when.where === undefined ? null : readied(route.when.where) }];
    });
    open.set(policy, found);
  }
  return found;
}

/** Why a route does not hold, whatever the signal; null where that depends on the signal alone. */
export function missOf({ when }: Route, { policy, score, standing, past, now }: Situation): string | null {
  const { score_at_least, level_at_least, sustained, open, closed } = when;
  if (score_at_least !== undefined && score.total < score_at_least)
    return `the score is ${score.total}, and ${score_at_least} is needed`;
  if (level_at_least !== undefined && rungOf(standing.level) < rungOf(level_at_least))
    return `the lead is at level “${standing.level}”, and “${level_at_least}” is needed`;
  if (sustained !== undefined && !isSustained(past, sustained, Math.floor(now / 86_400_000)))
    return "the interest was not sustained";
  const inHours = open === undefined ? undefined : policy.calendars[open];
  if (inHours !== undefined && !isOpen(inHours, now)) return `“${open}” is closed`;
  const outOfHours = closed === undefined ? undefined : policy.calendars[closed];
  if (outOfHours !== undefined && isOpen(outOfHours, now)) return `“${closed}” is open`;
  return null;
}

/** The latest signal that the route takes; `facts` are theirs, in the same order. */
export function triggerOf(
  policy: Policy,
  route: Route,
  signals: readonly Signal[],
  facts: readonly FactReader[],
  now: number,
): Signal | undefined {
  const { where } = route.when;
  return triggerIn(policy, route, where === undefined ? null : readied(where), signals, facts, now);
}

/**
 * Whether a route takes signals of this kind, whatever else it asks of them. One that names no kinds is about interest, and a kind that is
 * only recorded shows none: who unsubscribes at a high level asks for nothing.
 */
export function takesKind(policy: Policy, { when }: Route, where: Readied | null, kind: string): boolean {
  if (when.kinds !== undefined) return when.kinds.includes(kind);
  return where?.ofSignal === true || kindRuleOf(policy, kind).fact !== true;
}

function triggerIn(
  policy: Policy,
  route: Route,
  where: Readied | null,
  signals: readonly Signal[],
  facts: readonly FactReader[],
  now: number,
): Signal | undefined {
  for (let at = signals.length - 1; at >= 0; at--) {
    const [signal, factOf] = [signals[at], facts[at]];
    if (signal === undefined || factOf === undefined) continue;
    if (now - signal.occurred_at > route.when.max_age_ms || !takesKind(policy, route, where, signal.kind)) continue;
    if (where === null || where.check(factOf)) return signal;
    if (!where.ofSignal) return undefined;
  }
  return undefined;
}

function rungOf(level: Standing["level"]): number {
  return level === "none" ? -1 : levels.indexOf(level);
}
