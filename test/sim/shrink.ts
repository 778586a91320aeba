/** Makes a failing schedule smaller: leaves out signals, kinds of faults and single faults while it still fails the same way. */
import { type FaultKind, type FaultPlan, faultKinds } from "./faults.ts";
import type { Scenario } from "./scenario.ts";
import { type Run, runSchedule } from "./schedule.ts";

export interface Shrunk {
  readonly scenario: Scenario;
  readonly spared: ReadonlySet<number>;
  readonly run: Run;
}

/** Runs it spends at most: shrinking is for reading, not for proof. */
const runsMax = 600;

export function shrink(scenario: Scenario): Shrunk {
  let best: Shrunk = { scenario, spared: new Set(), run: runSchedule(scenario) };
  const guarantee = best.run.violation?.guarantee;
  let runs = 0;
  const attempt = (next: Scenario, spared: ReadonlySet<number>): boolean => {
    if (runs++ >= runsMax) return false;
    const run = runSchedule(next, { spared });
    if (run.violation?.guarantee !== guarantee) return false;
    best = { scenario: next, spared, run };
    return true;
  };
  for (let again = true; again && runs < runsMax; ) {
    again = false;
    for (const kind of faultKinds) {
      if (best.scenario.plan[kind] === undefined) continue;
      const plan = withoutKind(best.scenario.plan, kind);
      if (attempt({ ...best.scenario, plan }, best.spared)) again = true;
    }
    for (let index = best.scenario.sendings.length - 1; index >= 0; index--) {
      const sendings = best.scenario.sendings.filter((_, other) => other !== index);
      if (attempt({ ...best.scenario, sendings }, best.spared)) again = true;
    }
    if (best.scenario.sayings.length > 0 && attempt({ ...best.scenario, sayings: [] }, best.spared)) again = true;
    if (best.scenario.deeds.length > 0 && attempt({ ...best.scenario, deeds: [] }, best.spared)) again = true;
    if (best.scenario.touches.length > 0 && attempt({ ...best.scenario, touches: [] }, best.spared)) again = true;
    for (let number = best.run.faults - 1; number >= 0; number--) {
      if (best.spared.has(number)) continue;
      if (attempt(best.scenario, new Set([...best.spared, number]))) again = true;
    }
  }
  return { ...best, run: runSchedule(best.scenario, { spared: best.spared, traced: true }) };
}

function withoutKind(plan: FaultPlan, kind: FaultKind): FaultPlan {
  const { [kind]: _dropped, ...rest } = plan;
  return rest;
}
