/** The second stage of a backtest: one part of the leads under both policies. One call is one slice. */
import type { Difference } from "../../decide/backtest/compare.ts";
import { type TurnList, Turns } from "../../decide/backtest/load.ts";
import type { Tally } from "../../decide/backtest/tally.ts";
import type { Closing } from "../../decide/backtest/track.ts";
import { Replay } from "../../decide/backtest.ts";
import type { Policy } from "../../decide/policy.ts";
import { backtestFileBytes } from "../../limits.ts";
import type { Checkpoint, Job } from "../backtests.ts";
import { erasedKeys, withoutErased } from "../erasures.ts";
import type { Line } from "./gather.ts";

/** What a part comes to. */
export interface PartResult {
  readonly signals: number;
  readonly leads: number;
  readonly differences: number;
  readonly real: Tally;
  readonly baseline: Tally;
  readonly draft: Tally;
  /** Follow-ups of each policy, to be given to people when all parts are there. */
  readonly turns: readonly [TurnList, TurnList];
}

export async function replayPart(
  job: Job,
  { parts, part }: Extract<Checkpoint, { stage: "replay" }>,
  policies: readonly [Policy, Policy],
): Promise<Checkpoint> {
  const { env, ledger, workspace, request, folder } = job;
  const erased = await erasedKeys(ledger, workspace);
  const closings = new Map<string, Closing>();
  const seen = new Set<string>();
  const turns = [new Turns(), new Turns()] as const;
  const told = new Told(env.HISTORY, `${folder}/differences/${part}`);
  const replay = new Replay(policies, {
    from: request.from,
    to: request.to,
    closings: (id) => closings.get(id),
    ...(request.assumed_handling_ms === null ? {} : { handlingMs: request.assumed_handling_ms }),
    turn: (side, turn) => turns[side === 0 ? 0 : 1].add(turn),
    found: (difference) => told.add(difference),
  });
  for (const name of await filesOf(env.HISTORY, `${folder}/parts/${part}/`)) {
    const text = (await (await env.HISTORY.get(name))?.text()) ?? "";
    for (const row of text.split("\n")) {
      if (row === "") continue;
      const line = JSON.parse(row) as Line;
      if (line.type === "closing") {
        closings.set(line.id, closingOf(line));
        continue;
      }
      // Recorded twice where somebody became part of another one, or a projection was repeated.
      const key = line.type === "signal" ? `s ${line.signal.idempotency_key}` : `d ${line.decision.id}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const entry = withoutErased(line, erased);
      if (entry !== null) replay.feed(entry);
    }
    await told.flush(backtestFileBytes);
  }
  const [baseline, draft] = replay.finish();
  await told.flush(0);
  if (baseline === undefined || draft === undefined) throw new Error("a replay without its policies");
  const result: PartResult = {
    signals: replay.signals,
    leads: replay.leads,
    differences: told.count,
    real: replay.real,
    baseline,
    draft,
    turns: [turns[0].list, turns[1].list],
  };
  await env.HISTORY.put(`${folder}/parts/result-${part}.json`, JSON.stringify(result));
  return part + 1 < parts ? { stage: "replay", parts, part: part + 1 } : { stage: "finish", parts };
}

function closingOf({ state, at }: Extract<Line, { type: "closing" }>): Closing {
  return (state === "done" || state === "cancelled") && at !== null ? { state, at } : null;
}

async function filesOf(bucket: R2Bucket, prefix: string): Promise<readonly string[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ prefix, ...(cursor === undefined ? {} : { cursor }) });
    names.push(...page.objects.map(({ key }) => key));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return names.sort();
}

/** Differences on their way to R2, in files that a page of the list is read from. */
class Told {
  count = 0;
  readonly #bucket: R2Bucket;
  readonly #folder: string;
  #lines: string[] = [];
  #bytes = 0;
  #files = 0;

  constructor(bucket: R2Bucket, folder: string) {
    this.#bucket = bucket;
    this.#folder = folder;
  }

  add(difference: Difference): void {
    const line = JSON.stringify(difference);
    this.count++;
    this.#lines.push(line);
    this.#bytes += line.length + 1;
  }

  /** Writes what there is, if it is more than so much. */
  async flush(bytesMin: number): Promise<void> {
    if (this.#bytes <= bytesMin) return;
    for (let at = 0; at < this.#lines.length; ) {
      const lines: string[] = [];
      let bytes = 0;
      while (at < this.#lines.length && bytes < backtestFileBytes) {
        const line = this.#lines[at++] ?? "";
        lines.push(line);
        bytes += line.length + 1;
      }
      const number = String(this.#files++).padStart(5, "0");
      await this.#bucket.put(`${this.#folder}/${number}.ndjson`, `${lines.join("\n")}\n`);
    }
    this.#lines = [];
    this.#bytes = 0;
  }
}
