/**
 * `npm run sim:mutants [--json] [--only <part of a name>] [--schedules N]`: loads each seeded bug in a process of its own and
 * runs schedules until it is caught. A survivor means that the simulator would not notice that bug, and fails the command.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { patched, pathOf } from "./hooks.ts";
import { type Mutant, mutants } from "./mutant-list.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    schedules: { type: "string", default: "5000" },
    seconds: { type: "string", default: "240" },
    jobs: { type: "string", default: String(Math.min(4, availableParallelism())) },
  },
});

interface Verdict {
  readonly name: string;
  readonly caught: boolean;
  readonly schedules: number;
  readonly by: string;
}

interface Answer {
  readonly figures: readonly { readonly name: string; readonly value: number }[];
  readonly failures: readonly { readonly guarantee: string; readonly text: string }[];
}

function attempt(mutant: Mutant): Promise<Verdict> {
  for (const patch of mutant.patches) {
    patched(readFileSync(pathOf(patch.file), { encoding: "utf8" }), patch);
  }
  const main = pathOf("test/sim/main.ts");
  const options = ["--schedules", values.schedules, "--seconds", values.seconds, "--no-shrink", "--json"];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...options], {
      env: { ...process.env, BATON_SIM_MUTANT: mutant.name },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      err += chunk;
    });
    child.on("close", () => {
      const answer = parse(out);
      if (answer === null)
        return resolve({ name: mutant.name, caught: false, schedules: 0, by: `did not run: ${err.slice(0, 200)}` });
      const failure = answer.failures[0];
      const schedules = answer.figures.find((figure) => figure.name === "schedules")?.value ?? 0;
      const by = failure === undefined ? "" : `${failure.guarantee} ${failure.text}`;
      resolve({ name: mutant.name, caught: failure !== undefined, schedules, by });
    });
  });
}

function parse(text: string): Answer | null {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return null;
  }
}

const wanted = mutants.filter((mutant) => mutant.name.includes(values.only));
const verdicts: Verdict[] = [];
const queue = [...wanted];
await Promise.all(
  Array.from({ length: Number(values.jobs) }, async () => {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const verdict = await attempt(mutant);
      verdicts.push(verdict);
      if (!values.json)
        process.stdout.write(
          `${verdict.caught ? "caught  " : "SURVIVED"}  ${verdict.name.padEnd(44)} ${String(verdict.schedules).padStart(5)}  ${verdict.by.slice(0, 110)}\n`,
        );
    }
  }),
);
const caught = verdicts.filter((verdict) => verdict.caught).length;
const survivors = verdicts.filter((verdict) => !verdict.caught).map((verdict) => verdict.name);
const ok = survivors.length === 0 && verdicts.length > 0;
const figures = [
  { name: "mutants", value: verdicts.length, unit: "", bound: ">= 1", ok: verdicts.length > 0 },
  { name: "caught", value: caught, unit: "", bound: `= ${verdicts.length}`, ok: survivors.length === 0 },
];
if (values.json) process.stdout.write(`${JSON.stringify({ ok, figures, verdicts, survivors })}\n`);
else
  process.stdout.write(
    `${caught} of ${verdicts.length} caught${survivors.length > 0 ? `; survivors: ${survivors.join(", ")}` : ""}\n`,
  );
process.exitCode = ok ? 0 : 1;
