/** Runs schedules one after the other; loaded by `main.ts` once the hooks are in place. */
import { realNow } from "./globals.ts";
import { scenarioOf } from "./scenario.ts";
import { type Run, runSchedule } from "./schedule.ts";
import { shrink } from "./shrink.ts";

export interface Options {
  readonly schedules: number;
  readonly seed: number;
  readonly failuresMax: number;
  /** Wall-clock bound; 0 = none. */
  readonly secondsMax: number;
  readonly shrinks: boolean;
  readonly verbose: boolean;
}

export interface Failure {
  readonly seed: number;
  readonly guarantee: string;
  readonly text: string;
  readonly signals: number;
  readonly faults: number;
  readonly trace: readonly string[];
}

export interface Summary {
  readonly schedules: number;
  readonly seconds: number;
  readonly events: number;
  readonly faults: number;
  readonly tasks: number;
  readonly merges: number;
  readonly acknowledged: number;
  readonly virtualHours: number;
  readonly failures: readonly Failure[];
}

export function runAll(options: Options): Summary {
  const begun = realNow();
  const sum = { schedules: 0, events: 0, faults: 0, tasks: 0, merges: 0, acknowledged: 0, virtualHours: 0 };
  const failures: Failure[] = [];
  for (let seed = options.seed; seed < options.seed + options.schedules; seed++) {
    const scenario = scenarioOf(seed);
    const run = runSchedule(scenario, { traced: options.verbose });
    if (options.verbose) process.stdout.write(`${run.trace.join("\n")}\n`);
    sum.schedules++;
    sum.events += run.events;
    sum.faults += run.faults;
    sum.tasks += run.tasks;
    sum.merges += run.merges;
    sum.acknowledged += run.acknowledged;
    sum.virtualHours += run.virtualMs / 3_600_000;
    if (run.violation !== null) failures.push(failureOf(seed, run, options.shrinks));
    if (failures.length >= options.failuresMax) break;
    if (options.secondsMax > 0 && realNow() - begun > options.secondsMax * 1_000) break;
  }
  return { ...sum, seconds: (realNow() - begun) / 1_000, failures };
}

function failureOf(seed: number, first: Run, shrinks: boolean): Failure {
  const scenario = scenarioOf(seed);
  const small = shrinks ? shrink(scenario) : { scenario, spared: new Set<number>(), run: first };
  const violation = small.run.violation ?? first.violation;
  return {
    seed,
    guarantee: violation?.guarantee ?? "",
    text: violation?.text ?? "",
    signals: small.scenario.sendings.length,
    faults: small.run.faults - small.spared.size,
    trace: small.run.trace,
  };
}
