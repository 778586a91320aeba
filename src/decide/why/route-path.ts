/** The routes of a policy in their order, as a decision went past them: which held, which did not, and what was asked. Pure. */
import type { Signal } from "../../model.ts";
import type { FactReader } from "../facts.ts";
import { type Condition, type Fact, holds, passes, readied, type Test } from "../policy/condition.ts";
import type { Policy, Route } from "../policy.ts";
import { missOf, type Situation, takesKind, triggerOf } from "../route.ts";

export interface RouteStep {
  readonly route: string;
  readonly play: string;
  /** `not_asked`: a route above it was taken already. */
  readonly result: "taken" | "missed" | "not_asked";
  /** Why it was missed; null where it was taken or not asked. */
  readonly because: string | null;
  /** What its condition asked, of the signal that came closest; null where it has none or was not asked. */
  readonly tests: Asked | null;
}

/** A condition with what it found. */
export type Asked =
  | { readonly fact: string; readonly value: Fact | null; readonly asked: Test; readonly passed: boolean }
  | { readonly group: "all_of" | "any_of" | "none_of"; readonly of: readonly Asked[]; readonly passed: boolean };

export function routePath(policy: Policy, situation: Situation, signals: readonly Signal[]): readonly RouteStep[] {
  const facts = signals.map(situation.factsOf);
  let taken = false;
  return policy.routes.map((route): RouteStep => {
    const step = { route: route.name, play: route.play };
    if (taken) return { ...step, result: "not_asked", because: null, tests: null };
    if (policy.plays[route.play]?.status === "draft")
      return { ...step, result: "missed", because: `“${route.play}” is a draft`, tests: null };
    const miss = missOf(route, situation);
    if (miss !== null) return { ...step, result: "missed", because: miss, tests: null };
    taken = triggerOf(policy, route, signals, facts, situation.now) !== undefined;
    const { where } = route.when;
    const closest = closestOf(policy, route, signals, facts, situation.now);
    const tests = where === undefined || closest === null ? null : askedOf(where, closest);
    if (taken) return { ...step, result: "taken", because: null, tests };
    return { ...step, result: "missed", because: whyNoSignal(policy, route, signals, situation.now), tests };
  });
}

/** Of a condition that holds, the signal for which it does; else the latest one that the route takes but for its condition. */
function closestOf(
  policy: Policy,
  route: Route,
  signals: readonly Signal[],
  facts: readonly FactReader[],
  now: number,
): FactReader | null {
  const { where } = route.when;
  let latest: FactReader | null = null;
  for (let at = signals.length - 1; at >= 0; at--) {
    const [signal, factOf] = [signals[at], facts[at]];
    if (signal === undefined || factOf === undefined || !takes(policy, route, signal, now)) continue;
    if (where === undefined || holds(where, factOf)) return factOf;
    latest ??= factOf;
  }
  return latest;
}

function takes(policy: Policy, route: Route, signal: Signal, now: number): boolean {
  return now - signal.occurred_at <= route.when.max_age_ms && isOfKind(policy, route, signal);
}

function isOfKind(policy: Policy, route: Route, { kind }: Signal): boolean {
  const { where } = route.when;
  return takesKind(policy, route, where === undefined ? null : readied(where), kind);
}

function whyNoSignal(policy: Policy, route: Route, signals: readonly Signal[], now: number): string {
  const { kinds } = route.when;
  const ofKind = signals.filter((signal) => isOfKind(policy, route, signal));
  if (ofKind.length === 0)
    return kinds === undefined
      ? "none of the signals shows interest: they are only recorded"
      : `none of the signals is one of ${kinds.join(", ")}`;
  return ofKind.some((signal) => takes(policy, route, signal, now))
    ? "its condition does not hold"
    : "what happened is too long ago for it";
}

export function askedOf(condition: Condition, factOf: FactReader): Asked {
  const of = Object.entries(condition).flatMap(([name, item]): Asked[] => {
    if (item === undefined) return [];
    if (name === "any_of" || name === "all_of" || name === "none_of") {
      const inner = (item as readonly Condition[]).map((one) => askedOf(one, factOf));
      const passed = name === "all_of" ? inner.every(isPassed) : inner.some(isPassed) === (name === "any_of");
      return [{ group: name, of: inner, passed }];
    }
    const { value } = factOf(name);
    return [{ fact: name, value: value ?? null, asked: item as Test, passed: passes(item as Test, value) }];
  });
  const [only] = of;
  return of.length === 1 && only !== undefined ? only : { group: "all_of", of, passed: of.every(isPassed) };
}

function isPassed({ passed }: Asked): boolean {
  return passed;
}
