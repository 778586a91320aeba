/**
 * Backtests in the Worker (`decide/backtest.ts`), in slices that each end in a checkpoint: whoever comes next goes on there, and a slice that is
 * repeated after a crash writes the same files again.
 *
 * 1. *gather*: history is read once, segment by segment, and its entries are dealt to parts by lead, each part a few files in R2.
 * 2. *replay*: part by part, both policies over its leads; sums, turns and differences are written per part.
 * 3. *finish*: sums are added up, turns are given to people in the order of time, and what was gathered is deleted.
 *
 * What was gathered is a copy of what history holds about people. It is read like history, the erased left out, and goes when the
 * backtest ends, whichever way.
 */
import { type Policy, policyShape } from "../decide/policy.ts";
import type { Env } from "../env.ts";
import { backtestLeaseMs, backtestSlicesPerRun } from "../limits.ts";
import { errorName, log } from "../log.ts";
import { finish } from "./backtests/finish.ts";
import { gather } from "./backtests/gather.ts";
import { replayPart } from "./backtests/replay.ts";
import { ledgerOf } from "./shards.ts";

export interface BacktestRequest {
  readonly draft?: string;
  /** Name of the draft policy's content. */
  readonly digest: string;
  /** Version that it is compared with. */
  readonly baseline: number;
  /** Epoch ms. */
  readonly from: number;
  readonly to: number;
  readonly leads_percent: number;
  readonly assumed_handling_ms: number | null;
}

export type Checkpoint =
  | {
      readonly stage: "gather";
      readonly parts: number;
      /** Slices done. */
      readonly slices: number;
      /** Segment or follow-up after which the next slice goes on. */
      readonly after: string;
      readonly what: "follow_ups" | "segments";
      readonly signals: number;
    }
  | { readonly stage: "replay"; readonly parts: number; readonly part: number }
  | { readonly stage: "finish"; readonly parts: number };

export interface BacktestRow {
  readonly workspace: string;
  readonly id: string;
  readonly state: "running" | "finished" | "failed";
  /** JSON. */
  readonly request: string;
  readonly checkpoint: string;
  readonly figures: string | null;
  readonly problem: string | null;
  readonly created_at: number;
  readonly finished_at: number | null;
}

/** What a slice needs. */
export interface Job {
  readonly env: Env;
  readonly ledger: D1Database;
  readonly workspace: string;
  readonly id: string;
  readonly request: BacktestRequest;
  /** Under which everything of it lies in R2. */
  readonly folder: string;
}

/** Why a backtest cannot go on, in a sentence for people. */
export class Refused extends Error {}

export function folderOf(workspace: string, id: string): string {
  return `backtests/${workspace}/${id}`;
}

/** The cron's run: every running backtest gets its slices in turn. */
export async function runBacktests(env: Env, now: number): Promise<void> {
  const shards = await env.CONTROL.prepare("SELECT DISTINCT shard FROM workspaces").all<{ shard: number }>();
  for (const { shard } of shards.results) {
    const rows = await ledgerOf(env, shard)
      .prepare(
        "SELECT workspace, id FROM backtests WHERE state = 'running' AND lease_until < ? ORDER BY lease_until LIMIT 1",
      )
      .bind(now)
      .all<{ workspace: string; id: string }>();
    for (const { workspace, id } of rows.results) await advance(env, shard, workspace, id, backtestSlicesPerRun);
  }
}

/** Does so many slices of one backtest, if nobody else is at it. */
export async function advance(env: Env, shard: number, workspace: string, id: string, slices: number): Promise<void> {
  const ledger = ledgerOf(env, shard);
  const leased = await ledger
    .prepare(
      "UPDATE backtests SET lease_until = ?3 WHERE workspace = ?1 AND id = ?2 AND state = 'running' AND lease_until < ?4 RETURNING request, checkpoint",
    )
    .bind(workspace, id, Date.now() + backtestLeaseMs, Date.now())
    .first<{ request: string; checkpoint: string }>();
  if (leased === null) return;
  const request = JSON.parse(leased.request) as BacktestRequest;
  const job: Job = { env, ledger, workspace, id, request, folder: folderOf(workspace, id) };
  let checkpoint = JSON.parse(leased.checkpoint) as Checkpoint;
  try {
    const policies = await policiesOf(job);
    for (let slice = 0; slice < slices; slice++) {
      if (checkpoint.stage === "finish")
        return await end(job, "finished", JSON.stringify(await finish(job, checkpoint.parts)));
      checkpoint =
        checkpoint.stage === "gather" ? await gather(job, checkpoint) : await replayPart(job, checkpoint, policies);
      await ledger
        .prepare("UPDATE backtests SET checkpoint = ? WHERE workspace = ? AND id = ?")
        .bind(JSON.stringify(checkpoint), workspace, id)
        .run();
    }
    await ledger
      .prepare("UPDATE backtests SET lease_until = ? WHERE workspace = ? AND id = ?")
      .bind(Date.now() - 1, workspace, id)
      .run();
  } catch (error) {
    // Anything else is tried again from the checkpoint when the lease has run out.
    if (error instanceof Refused) return await end(job, "failed", error.message);
    log("error", "backtest.slice", { workspace, stage: checkpoint.stage, error: errorName(error) });
  }
}

/** The policy in force and the draft. */
async function policiesOf(job: Job): Promise<readonly [Policy, Policy]> {
  const { env, workspace, request, folder } = job;
  const row = await env.CONTROL.prepare("SELECT document FROM policies WHERE workspace = ? AND version = ?")
    .bind(workspace, request.baseline)
    .first<{ document: string }>();
  const draft = await (await env.HISTORY.get(`${folder}/policy.json`))?.text();
  if (row === null || draft === undefined) throw new Refused("The policies that it compares are no longer kept.");
  return [policyShape.parse(JSON.parse(row.document)), policyShape.parse(JSON.parse(draft))];
}

async function end(job: Job, state: "finished" | "failed", told: string): Promise<void> {
  const { env, ledger, workspace, id, request, folder } = job;
  await deleteAll(env.HISTORY, `${folder}/parts/`);
  const now = Date.now();
  if (state === "finished" && request.draft !== undefined) {
    await env.CONTROL.prepare(
      "INSERT OR REPLACE INTO policy_backtests (workspace, digest, id, finished_at) VALUES (?, ?, ?, ?)",
    )
      .bind(workspace, request.digest, id, now)
      .run();
  }
  await ledger
    .prepare(
      `UPDATE backtests SET state = ?, ${state === "finished" ? "figures" : "problem"} = ?, finished_at = ? WHERE workspace = ? AND id = ?`,
    )
    .bind(state, told, now, workspace, id)
    .run();
}

async function deleteAll(bucket: R2Bucket, prefix: string): Promise<void> {
  for (;;) {
    const page = await bucket.list({ prefix });
    if (page.objects.length > 0) await bucket.delete(page.objects.map(({ key }) => key));
    if (!page.truncated) return;
  }
}
