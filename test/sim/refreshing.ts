/** Schedules in which tokens are refused again and again, until so many refreshes have been counted. */
import type { FaultPlan } from "./faults.ts";
import { scenarioOf } from "./scenario.ts";
import { runSchedule } from "./schedule.ts";

export interface Refreshed {
  readonly schedules: number;
  readonly refreshes: number;
  /** After an answer that was lost, or a crash before it was stored. */
  readonly connected_again: number;
  readonly faults: number;
  /** Whatever the simulator checks, and what `Tokens` does, each with its seed. */
  readonly violations: readonly string[];
}

const violationsMax = 5;

export function refreshOften(wanted: { readonly refreshes: number; readonly seed: number }): Refreshed {
  const sum = { schedules: 0, refreshes: 0, connected_again: 0, faults: 0 };
  const violations: string[] = [];
  for (let seed = wanted.seed; sum.refreshes < wanted.refreshes && violations.length < violationsMax; seed++) {
    const drawn = scenarioOf(seed);
    const plan = { ...drawn.plan, ...plans[seed % plans.length] };
    const targets = [{ crm: "salesforce", world: "unique_property" }] as const;
    const run = runSchedule({ ...drawn, targets, plan });
    sum.schedules++;
    sum.refreshes += run.refreshes;
    sum.connected_again += run.reconnects;
    sum.faults += run.faults;
    if (run.violation !== null) violations.push(`seed ${seed}: ${run.violation.guarantee} ${run.violation.text}`);
  }
  return { ...sum, violations };
}

/** Refused tokens alone, with answers that are lost or slow, with crashes at any step, and all of it. */
const refused: FaultPlan = { crm_expired: 0.6 };
const silent: FaultPlan = { crm_lost_before: 0.05, crm_lost_after: 0.1, crm_slow: 0.4, crm_defers: 0.1 };
const crashing: FaultPlan = {
  crash_before_commit: 0.05,
  crash_before_send: 0.05,
  crash_after_turn: 0.05,
  crash_any: 0.5,
  evict: 0.5,
};
const plans: readonly FaultPlan[] = [
  refused,
  { ...refused, ...silent },
  { ...refused, ...crashing },
  { ...refused, ...silent, ...crashing },
];
