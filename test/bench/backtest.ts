/**
 * `node test/bench/backtest.ts [--cases 200000] [--rules 3] [--leads 4000] [--json]`: CPU time of a backtest, the active policy and a draft replayed
 * together over so many signals of so many people, and how its memory grows. One thread; the CPU time is that of the whole process,
 * garbage collection included, and of the replay alone: making the history up is not counted.
 */
import { parseArgs } from "node:util";
import { loadsOf, Turns } from "../../src/decide/backtest/load.ts";
import { Replay } from "../../src/decide/backtest.ts";
import type { Policy } from "../../src/decide/policy.ts";
import type { JournalEntry } from "../../src/ledger/rows.ts";
import { countDaysMax } from "../../src/limits.ts";
import { seeded } from "../signals.ts";
import { lifeOf, policyOfRules, startAt } from "./histories.ts";

const dayMs = 86_400_000;

export interface BacktestFigures {
  readonly signals: number;
  /** Of one thread, for both replays together. */
  readonly signals_per_second: number;
  readonly us_per_signal: number;
  readonly decisions: number;
  readonly differences: number;
  readonly follow_ups: number;
  readonly heap_mb_half_a_year: number | null;
  readonly heap_mb_end: number;
  /**
   * How many times as much at the end as when leads had counts of as many days as they keep; null where the range is not twice as long.
   * Says something where `globalThis.gc` is there.
   */
  readonly heap_growth: number | null;
}

/** A draft as people write them: one weight, one threshold and one window changed. */
export function draftOf(policy: Policy): Policy {
  const viewed = policy.kinds.pricing_viewed ?? policy.other_kinds;
  return {
    ...policy,
    version: policy.version + 1,
    kinds: { ...policy.kinds, pricing_viewed: { ...viewed, intent: viewed.intent + 2 } },
    escalation: { ...policy.escalation, task: { ...policy.escalation.task, enter: 45 } },
  };
}

/** So many weeks, week by week, of the same people, five signals each: memory must not grow with them. */
export function* weeksOf(cases: number, leads: number): Generator<readonly JournalEntry[]> {
  const perWeek = leads * 5;
  const random = seeded(17);
  for (let week = 0; week * perWeek < cases; week++) {
    const entries: (JournalEntry & { readonly type: "signal" })[] = [];
    for (let person = 0; person < leads; person++) {
      for (const signal of lifeOf(random, `p${person}`, 5, 7, startAt + week * 7 * dayMs)) {
        const key = `${signal.idempotency_key}-${week}`;
        entries.push({ type: "signal", lead: `acme/${person}`, signal: { ...signal, idempotency_key: key } });
      }
    }
    yield entries.sort((a, b) => a.signal.received_at - b.signal.received_at);
  }
}

export function measureBacktest(cases: number, rules: number, leads: number): BacktestFigures {
  const baseline = policyOfRules(rules);
  let differences = 0;
  const turns = new Turns();
  const replay = new Replay([baseline, draftOf(baseline)], {
    found: () => differences++,
    turn: (side, turn) => {
      if (side === 1) turns.add(turn);
    },
  });
  // Warm: what is measured is a long run, not its first seconds.
  const warm = new Replay([baseline, draftOf(baseline)], { found: () => undefined });
  for (const entries of weeksOf(Math.min(cases, 20_000), Math.min(leads, 1_000)))
    for (const entry of entries) warm.feed(entry);
  let cpuUs = 0;
  const heaps: number[] = [];
  for (const entries of weeksOf(cases, leads)) {
    const before = process.cpuUsage();
    for (const entry of entries) replay.feed(entry);
    const { user, system } = process.cpuUsage(before);
    cpuUs += user + system;
    globalThis.gc?.();
    heaps.push(process.memoryUsage().heapUsed / 1e6);
  }
  const before = process.cpuUsage();
  const [, draft] = replay.finish();
  loadsOf(turns.list);
  const { user, system } = process.cpuUsage(before);
  cpuUs += user + system;
  const { signals } = replay;
  const settled = Math.ceil(countDaysMax / 7);
  const half = heaps.length >= 2 * settled ? heaps[settled] : undefined;
  const end = heaps.at(-1) ?? 0;
  return {
    signals,
    signals_per_second: Math.round((signals / cpuUs) * 1e6),
    us_per_signal: Math.round((cpuUs / signals) * 10) / 10,
    decisions: draft?.decisions ?? 0,
    differences,
    follow_ups: turns.list.turns.length,
    heap_mb_half_a_year: half === undefined ? null : Math.round(half),
    heap_mb_end: Math.round(end),
    heap_growth: half === undefined ? null : Math.round((end / half) * 100) / 100,
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      cases: { type: "string", default: "200000" },
      rules: { type: "string", default: "3" },
      leads: { type: "string", default: "4000" },
      json: { type: "boolean", default: false },
    },
  });
  const figures = measureBacktest(Number(values.cases), Number(values.rules), Number(values.leads));
  const ok = figures.signals_per_second >= 20_000;
  if (values.json) console.log(JSON.stringify({ ok, figures }));
  else for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(24)} ${value}`);
  process.exitCode = ok ? 0 : 1;
}
