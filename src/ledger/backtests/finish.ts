/** The last stage of a backtest: the parts are added up. */
import { type Loads, loadsOf, type TurnList, Turns } from "../../decide/backtest/load.ts";
import { addTally, type Latency, latencyOf, newTally, type Tally } from "../../decide/backtest/tally.ts";
import type { Tier } from "../../model.ts";
import type { Job } from "../backtests.ts";
import type { PartResult } from "./replay.ts";

/** What one policy came to, as it is published. */
export type Side = Omit<Tally, "waits"> & {
  readonly latency: Partial<Record<Tier, Latency>>;
  readonly load: Loads;
};

export interface Figures {
  readonly signals: number;
  readonly leads: number;
  readonly differences: number;
  readonly baseline: Side;
  readonly draft: Side;
  /** What was really decided in the same time, under whichever policies were in force. */
  readonly real: Pick<Tally, "decisions" | "outcomes" | "plays" | "days">;
}

export async function finish({ env, folder }: Job, parts: number): Promise<Figures> {
  const sums = { signals: 0, leads: 0, differences: 0 };
  const [real, baseline, draft] = [newTally(), newTally(), newTally()];
  const turns = [new Turns(), new Turns()] as const;
  for (let part = 0; part < parts; part++) {
    const file = await env.HISTORY.get(`${folder}/parts/result-${part}.json`);
    if (file === null) throw new Error("a part is missing");
    const result = (await file.json()) as PartResult;
    sums.signals += result.signals;
    sums.leads += result.leads;
    sums.differences += result.differences;
    addTally(real, result.real);
    addTally(baseline, result.baseline);
    addTally(draft, result.draft);
    for (const side of [0, 1] as const) turns[side].addAll(result.turns[side]);
  }
  const { decisions, outcomes, plays, days } = real;
  return {
    ...sums,
    baseline: sideOf(baseline, turns[0].list),
    draft: sideOf(draft, turns[1].list),
    real: { decisions, outcomes, plays, days: byDate(days) },
  };
}

function sideOf(tally: Tally, turns: TurnList): Side {
  const { waits: _inside, ...rest } = tally;
  return { ...rest, days: byDate(tally.days), latency: latencyOf(tally), load: loadsOf(turns) };
}

function byDate(days: Tally["days"]): Tally["days"] {
  return Object.fromEntries(
    Object.entries(days).map(([day, counts]) => [
      new Date(Number(day) * 86_400_000).toISOString().slice(0, 10),
      counts,
    ]),
  );
}
