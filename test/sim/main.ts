/**
 * `npm run sim -- --schedules N --seed S [--jobs N] [--json]`: the real object classes on a simulated platform in virtual time, with
 * faults; each seed is one schedule and always the same one. A failing seed is shrunk and told line by line.
 *
 * `BATON_SIM_MUTANT` names a seeded bug to load instead of the real source (see `mutants.ts`).
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { installHooks } from "./hooks.ts";
import { mutants } from "./mutant-list.ts";
import type { Summary } from "./run.ts";

const { values } = parseArgs({
  options: {
    schedules: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    failures: { type: "string", default: "1" },
    seconds: { type: "string", default: "0" },
    jobs: { type: "string", default: "1" },
    /** Not for people: this process is one of those that `--jobs` starts. */
    portions: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
    "no-shrink": { type: "boolean", default: false },
  },
});

const wanted = process.env.BATON_SIM_MUTANT;
const mutant = mutants.find((item) => item.name === wanted);
if (wanted !== undefined && mutant === undefined) throw new Error(`no mutant ${wanted}`);
installHooks(mutant?.patches ?? []);
const { runAll, runPortions, runShared } = await import("./run.ts");

if (values.portions) runPortions();
else
  setImmediate(() =>
    run().then(tell, (error: unknown) => {
      process.stderr.write(`the simulator itself failed: ${error instanceof Error ? error.stack : String(error)}\n`);
      process.exitCode = 2;
    }),
  );

async function run(): Promise<Summary> {
  const options = {
    schedules: Number(values.schedules),
    seed: Number(values.seed),
    failuresMax: Number(values.failures),
    secondsMax: Number(values.seconds),
    shrinks: !values["no-shrink"],
    verbose: values.verbose,
  };
  const jobs = Number(values.jobs);
  return jobs > 1 ? runShared(options, jobs, fileURLToPath(import.meta.url)) : runAll(options);
}

function tell(summary: Summary): void {
  const { failures, seconds, ...counts } = summary;
  const figures = [
    { name: "violations", value: failures.length, unit: "schedules", bound: "0", ok: failures.length === 0 },
    ...Object.entries(counts).map(([name, value]) => ({
      name,
      value: Math.round(value),
      unit: "",
      bound: "",
      ok: true,
    })),
    { name: "seconds", value: Number(seconds.toFixed(2)), unit: "s", bound: "", ok: true },
    { name: "speed", value: Math.round(summary.schedules / seconds), unit: "schedules/s", bound: "", ok: true },
  ];
  const ok = failures.length === 0;
  if (values.json) process.stdout.write(`${JSON.stringify({ ok, figures, failures })}\n`);
  else {
    for (const failure of failures) {
      process.stdout.write(
        `\nseed ${failure.seed}: ${failure.guarantee} ${failure.text}\n  ${failure.signals} signals, ${failure.faults} faults:\n${failure.trace.join("\n")}\n`,
      );
    }
    for (const { name, value, unit } of figures) process.stdout.write(`${name.padEnd(14)} ${value} ${unit}\n`);
  }
  process.exitCode = ok ? 0 : 1;
}
