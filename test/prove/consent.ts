/**
 * Races of a "no" against a follow-up that is on its way, in the simulator: the real objects, and every fault it has. Somebody
 * asks for something and does not want to be contacted a moment later, maybe under another of their names. Nothing may leave after
 * the no was taken in, and at rest no task stands open for somebody who said no.
 * `node test/prove/consent.ts --cases 100000 --seed 1 [--json]`
 */
import { parseArgs } from "node:util";
import type { Identifier } from "../../src/model.ts";
import { pick, seeded } from "../signals.ts";
import { installHooks } from "../sim/hooks.ts";
import type { Scenario, Sending } from "../sim/scenario.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});

installHooks([]);
const { defaultIdentityPolicy } = await import("../../src/decide/identity-policy.ts");
const { toSignal } = await import("../../src/translate/signal.ts");
const { realNow } = await import("../sim/globals.ts");
const { policies, scenarioOf, startedAt, workspaceId } = await import("../sim/scenario.ts");
const { runSchedule } = await import("../sim/schedule.ts");

/** Faults and CRMs are those of the simulator's schedule of that seed; the people are these. */
function raceOf(seed: number): Scenario {
  const random = seeded(Math.imul(seed, 2_246_822_519) ^ 0xc0);
  for (let i = 0; i < 3; i++) random();
  const between = (from: number, to: number) => Math.floor(from + random() * (to - from));
  const email: Identifier = { type: "email", value: "ada@example.com" };
  const names: Identifier[] = [email, { type: "user_id", value: "u1" }, { type: "anonymous_id", value: "a1" }];
  const known = names.slice(0, between(1, 4));
  const send = (
    id: string,
    kind: string,
    at: number,
    identifiers: readonly Identifier[],
    followUp?: boolean,
  ): Sending => {
    const made = toSignal(
      {
        id,
        kind,
        occurredAt: startedAt + at,
        identifiers,
        ...(followUp === undefined ? {} : { consent: { follow_up: followUp } }),
      },
      { workspace: workspaceId, emitter: "forms", receivedAt: startedAt + at },
      defaultIdentityPolicy,
    );
    if (!made.ok) throw new Error("the race made no signal");
    return { at, signal: made.value, persistent: true };
  };
  const asksAt = between(0, 2_000);
  const noAt = asksAt + pick(random, [between(-50, 50), between(0, 400), between(0, 6_000), between(0, 90_000)]);
  const sendings = [
    send("1", "identified", 0, known),
    send("2", pick(random, ["demo_requested", "trial_started", "contact_requested"]), asksAt, [
      pick(random, known as [Identifier]),
    ]),
    send("3", "unsubscribed", Math.max(0, noAt), [pick(random, known as [Identifier])], false),
  ];
  // Half of them were customers who said yes before.
  if (random() < 0.5) sendings.push(send("4", "form_submitted", Math.max(0, asksAt - 1_000), [email], true));
  const { targets, plan } = scenarioOf(seed);
  const policy = pick(random, policies() as [Scenario["policy"]]);
  return {
    seed,
    policy,
    targets,
    sendings,
    words: [],
    touches: [],
    sayings: [],
    deeds: [],
    plan,
    faultsEndAt: 120_000,
  };
}

/** In a task of its own: within a microtask nothing would drain the schedules' own. */
function prove(): void {
  const begun = realNow();
  let against = 0;
  let other = 0;
  let tasks = 0;
  let faults = 0;
  const failed: string[] = [];
  const cases = Number(values.cases);
  for (let seed = Number(values.seed); seed < Number(values.seed) + cases; seed++) {
    const run = runSchedule(raceOf(seed));
    tasks += run.tasks;
    faults += run.faults;
    if (run.violation === null) continue;
    if (run.violation.guarantee === "G11") against++;
    else other++;
    if (failed.length < 10) failed.push(`seed ${seed}: ${run.violation.guarantee} ${run.violation.text}`);
  }
  const seconds = Math.round(realNow() - begun) / 1_000;
  const figures = {
    races: cases,
    against_consent: against,
    other_violations: other,
    tasks_made: tasks,
    faults,
    seconds,
  };
  if (values.json) process.stdout.write(`${JSON.stringify({ ...figures, failed })}\n`);
  else {
    for (const [name, value] of Object.entries(figures)) process.stdout.write(`${name.padEnd(20)} ${value}\n`);
    for (const line of failed) process.stdout.write(`${line}\n`);
  }
  process.exitCode = against + other === 0 ? 0 : 1;
}

setImmediate(prove);
