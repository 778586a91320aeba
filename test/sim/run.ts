/**
 * Runs schedules, one after the other or shared out among processes (`--jobs`); loaded by `main.ts` once the hooks are in
 * place.
 */
import { type ChildProcess, fork } from "node:child_process";
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

/** Schedules that a process is given at a time. */
const portion = 250;

/**
 * The same with several processes. Portions are given out in the order of their seeds and each one given out is waited for,
 * so the failing seeds reported are the lowest ones, as with one process.
 */
export async function runShared(options: Options, jobs: number, main: string): Promise<Summary> {
  const begun = realNow();
  const end = options.seed + options.schedules;
  const summaries: Summary[] = [];
  let next = options.seed;
  let failures = 0;
  const work = async (child: ChildProcess) => {
    while (next < end && failures < options.failuresMax) {
      const secondsMax = options.secondsMax === 0 ? 0 : options.secondsMax - (realNow() - begun) / 1_000;
      if (secondsMax < 0) break;
      const seed = next;
      next = Math.min(end, seed + portion);
      const summary = await ask(child, { ...options, seed, schedules: next - seed, secondsMax, shrinks: false });
      failures += summary.failures.length;
      summaries.push(summary);
    }
  };
  const children = Array.from({ length: jobs }, () => fork(main, ["--portions"]));
  try {
    await Promise.all(children.map(work));
  } finally {
    for (const child of children) child.kill();
  }
  const failed = summaries.flatMap((summary) => summary.failures).sort((a, b) => a.seed - b.seed);
  const reported = failed.slice(0, options.failuresMax);
  const shrunk = options.shrinks
    ? await inTask(() => reported.map(({ seed }) => failureOf(seed, runSchedule(scenarioOf(seed)), true)))
    : reported;
  const sum = (of: (summary: Summary) => number) => summaries.reduce((total, summary) => total + of(summary), 0);
  return {
    schedules: sum((summary) => summary.schedules),
    events: sum((summary) => summary.events),
    faults: sum((summary) => summary.faults),
    tasks: sum((summary) => summary.tasks),
    merges: sum((summary) => summary.merges),
    acknowledged: sum((summary) => summary.acknowledged),
    virtualHours: sum((summary) => summary.virtualHours),
    seconds: (realNow() - begun) / 1_000,
    failures: shrunk,
  };
}

function ask(child: ChildProcess, options: Options): Promise<Summary> {
  return new Promise((resolve, reject) => {
    const died = () => reject(new Error(`the process with the seeds from ${options.seed} on died`));
    child.once("exit", died);
    child.once("message", (summary) => {
      child.off("exit", died);
      resolve(summary as Summary);
    });
    child.send(options);
  });
}

/** Runs it as a task of its own: within a microtask a schedule could not run its own ones. */
function inTask<T>(work: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(work());
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** What a process does that is given portions. */
export function runPortions(): void {
  process.on("message", (options) => process.send?.(runAll(options as Options)));
  process.on("disconnect", () => process.exit());
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
