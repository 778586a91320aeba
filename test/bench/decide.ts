/**
 * `node test/bench/decide.ts [--cases 20000] [--rules 100] [--json]`: CPU time of one decision under a policy of so many rules, warm,
 * over leads of 5 to 300 signals.
 */
import { parseArgs } from "node:util";
import { decide, type Question } from "../../src/decide/decide.ts";
import { emptyLead, foldSignal, type LeadFold } from "../../src/resolve/lead.ts";
import { seeded } from "../signals.ts";
import { lifeOf, policyOfRules } from "./histories.ts";

export interface DecideFigures {
  readonly cases: number;
  readonly rules: number;
  /** As while a lead is looked at: one kind has changed since. */
  readonly decide_median_us: number;
  readonly decide_p95_us: number;
  readonly decide_cold_median_us: number;
  readonly decide_cold_p95_us: number;
}

export function measureDecide(cases: number, rules: number): DecideFigures {
  const policy = policyOfRules(rules);
  const random = seeded(3);
  const questions: Question[] = [];
  while (questions.length < 2_000) {
    const count = 5 + Math.floor(random() * 296);
    const signals = lifeOf(random, `p${questions.length}`, count, 1 + random() * 60);
    const last = signals.at(-1);
    if (last === undefined) continue;
    questions.push({
      policy,
      lead: signals.reduce(foldSignal, emptyLead),
      leadId: `acme/${questions.length}`,
      followUps: [],
      signals: signals.slice(-1 - Math.floor(random() * 3)),
      now: last.received_at + 1_000,
    });
  }
  const texts = questions.map(({ lead }) => JSON.stringify(lead));
  const at = (index: number) => index % questions.length;
  const warm = (index: number) => questions[at(index)] as Question;
  // As an object has it that just woke up: nothing of this lead was ever looked at.
  const cold = (index: number): Question => ({
    ...warm(index),
    lead: JSON.parse(texts[at(index)] as string) as LeadFold,
  });
  for (let index = 0; index < 10_000; index++) decide(cold(index));
  const cold_times = timesOf(cases, cold);
  const warm_times = timesOf(cases, warm);
  return {
    cases,
    rules,
    decide_median_us: share(warm_times, 0.5),
    decide_p95_us: share(warm_times, 0.95),
    decide_cold_median_us: share(cold_times, 0.5),
    decide_cold_p95_us: share(cold_times, 0.95),
  };
}

/** µs, ascending. The thread only computes: the clock shows its CPU time, or more where it had to wait, which a median does not mind. */
function timesOf(cases: number, questionOf: (index: number) => Question): Float64Array {
  const times = new Float64Array(cases);
  for (let index = 0; index < cases; index++) {
    const question = questionOf(index);
    const start = process.hrtime.bigint();
    decide(question);
    times[index] = Number(process.hrtime.bigint() - start) / 1_000;
  }
  return times.sort();
}

function share(ascending: Float64Array, part: number): number {
  return Math.round((ascending[Math.floor(ascending.length * part)] ?? 0) * 10) / 10;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      cases: { type: "string", default: "20000" },
      rules: { type: "string", default: "100" },
      json: { type: "boolean", default: false },
    },
  });
  const figures = measureDecide(Number(values.cases), Number(values.rules));
  const ok = figures.decide_median_us < 50;
  if (values.json) console.log(JSON.stringify({ ok, figures }));
  else
    console.log(
      `decide() under ${figures.rules} rules: median ${figures.decide_median_us} µs, 95 % within ${figures.decide_p95_us} µs; of a lead just read ${figures.decide_cold_median_us} and ${figures.decide_cold_p95_us} µs (${figures.cases} cases)`,
    );
  process.exitCode = ok ? 0 : 1;
}
