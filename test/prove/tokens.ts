/**
 * Rotating refresh tokens (CRM-FACTS §2.4): the real objects, Salesforce alone connected, tokens that are refused again and again, and
 * crashes, lost answers and slow ones at every step of a refresh. Counted: tokens that were sent although they were used up, refreshes of
 * one organisation at the same time, and how often somebody had to connect again.
 * `node test/prove/tokens.ts --cases 10000 --seed 1 [--json]`; a case is a refresh. Time is virtual.
 */
import { parseArgs } from "node:util";
import { installHooks } from "../sim/hooks.ts";
import { mutants } from "../sim/mutant-list.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    /** A seeded bug (`test/sim/mutant-list.ts`) that has to be noticed. */
    mutant: { type: "string" },
  },
});
const mutant = mutants.find(({ name }) => name === values.mutant);
if (values.mutant !== undefined && mutant === undefined) throw new Error(`no mutant ${values.mutant}`);
installHooks(mutant?.patches ?? []);
const { refreshOften } = await import("../sim/refreshing.ts");

// A schedule runs its own microtasks: it must be a task.
setImmediate(() => {
  const figures = refreshOften({ refreshes: Number(values.cases), seed: Number(values.seed) });
  const { violations, ...counts } = figures;
  if (values.json)
    process.stdout.write(`${JSON.stringify({ figures: { ...counts, violations: violations.length } })}\n`);
  else {
    for (const text of violations) process.stdout.write(`${text}\n`);
    for (const [name, value] of Object.entries({ ...counts, violations: violations.length }))
      process.stdout.write(`${name.padEnd(24)} ${value}\n`);
  }
  process.exitCode = violations.length === 0 ? 0 : 1;
});
