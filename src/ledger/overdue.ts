/**
 * The sweeper (DESIGN §6): exceptions whose time has passed are somebody else's now. Who that is follows from the policy and the
 * clock (`decide/answerable.ts`); here the ledger is made to show it, by the lead's object where that has the question. And
 * follow-ups that are open after what they promised become exceptions, also by the lead's object (`resolve/overdue.ts`).
 */
import { type Answerable, answerableFor, type Taken, timeToAnswer } from "../decide/answerable.ts";
import type { ExceptionReason } from "../decide/policy/people.ts";
import type { Policy } from "../decide/policy.ts";
import type { Env } from "../env.ts";
import { hopsMax, overdueMax, sweepMs } from "../limits.ts";
import { errorName, log } from "../log.ts";
import type { AnswerAnswer } from "../objects/answering.ts";
import { identityStub } from "../objects/names.ts";
import { workspaceById } from "../workspace.ts";
import { ledgerOf } from "./shards.ts";

/** A question that only the ledger has, or the mark of one that a lead's object has. */
export interface Asked {
  readonly id: string;
  readonly reason: ExceptionReason;
  readonly raised_at: number;
  readonly document: string;
}

interface Row extends Asked {
  readonly workspace: string;
  readonly lead: string;
}

/** Questions that no object has, only the ledger. */
const ofTheLedger: ReadonlySet<ExceptionReason> = new Set([
  "likely_duplicate",
  "contract_break",
  "not_canonical",
  "field_report",
]);

/** `later` keeps work alive behind the cron's run. */
export async function climbOverdue(env: Env, now: number, later: (work: Promise<unknown>) => void): Promise<void> {
  const shards = await env.CONTROL.prepare(
    "SELECT shard, json_group_array(id) AS workspaces FROM workspaces GROUP BY shard",
  ).all<{ shard: number; workspaces: string }>();
  for (const { shard, workspaces } of shards.results) {
    try {
      const ledger = ledgerOf(env, shard);
      const told = new Set<string>();
      const climbed = await climbShard(env, ledger, now, told, later);
      if (climbed > 0) log("info", "exceptions.climbed", { shard, climbed });
      const late = await latePromises(ledger, workspaces, now);
      for (const lead of late) await tellOnce(env, lead, told);
      if (late.length > 0) log("info", "follow_ups.late", { shard, follow_ups: late.length });
    } catch (error) {
      log("error", "exceptions.climb", { shard, error: errorName(error) });
    }
  }
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/**
 * Leads of follow-ups that are open after what they promised, and of which nobody is asked yet. They have no index: one would be written
 * with each follow-up, and most are closed in time. But ids begin with the instant at which the signal was accepted, so each run reads
 * the follow-ups of the last two days, the first of an hour those of two weeks, and the first of a day all of them. Where there are
 * more than one run can tell, each workspace has its turn, the latest ones first: what cannot be told keeps nobody else waiting.
 */
async function latePromises(ledger: D1Database, workspaces: string, now: number): Promise<readonly string[]> {
  const backMs = now % dayMs < sweepMs ? now : now % hourMs < sweepMs ? 14 * dayMs : 2 * dayMs;
  const rows = await ledger
    .prepare(
      `SELECT f.lead FROM json_each(?1) AS w CROSS JOIN follow_ups AS f ON f.workspace = w.value
       WHERE f.id >= ?2 AND f.state = 'open' AND f.document ->> '$.promised_at' < ?3 AND f.document ->> '$.overdue_since' IS NULL
       ORDER BY row_number() OVER (PARTITION BY f.workspace ORDER BY f.id DESC), f.workspace LIMIT ?4`,
    )
    .bind(workspaces, `fu_${(now - backMs).toString(36)}`, now, overdueMax)
    .all<{ lead: string }>();
  return rows.results.map(({ lead }) => lead);
}

async function climbShard(
  env: Env,
  ledger: D1Database,
  now: number,
  told: Set<string>,
  later: (work: Promise<unknown>) => void,
): Promise<number> {
  // Whoever stands on top has nobody above: that one is late, and stays who is asked.
  const rows = await ledger
    .prepare(
      `SELECT workspace, id, lead, reason, raised_at, document FROM exceptions
       WHERE state = 'open' AND due_at < ? AND document ->> '$.next' IS NOT NULL ORDER BY due_at LIMIT ?`,
    )
    .bind(now, overdueMax)
    .all<Row>();
  for (const row of rows.results) {
    if (!ofTheLedger.has(row.reason)) {
      await tellOnce(env, row.lead, told);
      continue;
    }
    const found = await workspaceById(env, row.workspace, now, later);
    if (found === null) continue;
    const { holder, taken } = evidenceOf(row);
    const answerable = answerableFor(found.workspace.policy, row.reason, row.raised_at, now, { holder, taken });
    await show(ledger, row.workspace, row.id, answerable);
  }
  return rows.results.length;
}

/** A lead hears in one go of everything that is late about it. */
async function tellOnce(env: Env, lead: string, told: Set<string>): Promise<void> {
  if (!told.has(lead)) await tell(env, lead);
  told.add(lead);
}

/** One that cannot be told now keeps nobody else waiting: the next run asks again. */
async function tell(env: Env, lead: string): Promise<void> {
  let target = lead;
  try {
    for (let hops = 0; hops < hopsMax; hops++) {
      const stub = identityStub(env, target) as unknown as { overdue(): Promise<AnswerAnswer> };
      const answer = await stub.overdue();
      if (answer.arm !== "moved") return;
      target = answer.to;
    }
  } catch (error) {
    log("error", "exceptions.tell", { lead: target, error: errorName(error) });
  }
}

/** A question that only the ledger has is somebody's from now on. Said again while it is theirs anyway, nothing changes. */
export async function takeInLedger(
  ledger: D1Database,
  policy: Policy,
  workspace: string,
  row: Asked,
  taken: Taken,
): Promise<void> {
  const { holder, taken: before } = evidenceOf(row);
  if (before?.by === taken.by && taken.at < before.at + timeToAnswer(policy, row.reason)) return;
  const answerable = answerableFor(policy, row.reason, row.raised_at, taken.at, { holder, taken });
  await show(ledger, workspace, row.id, answerable, taken);
}

/** Who is asked when the policy names nobody (the tool's owner, who was told first), and who has taken it over. */
function evidenceOf({ document }: Asked): { readonly holder: string | undefined; readonly taken: Taken | undefined } {
  const { told, taken_by, taken_at } = JSON.parse(document) as {
    readonly told?: readonly string[];
    readonly taken_by?: string;
    readonly taken_at?: number;
  };
  const taken = taken_by === undefined || taken_at === undefined ? undefined : { by: taken_by, at: taken_at };
  return { holder: told?.[0], taken };
}

/** Not patched: a patch leaves out what is null, and `next` is null where there is nobody above. */
async function show(
  ledger: D1Database,
  workspace: string,
  id: string,
  { owner, due_at, next, climbed }: Answerable,
  taken?: Taken,
): Promise<void> {
  const document =
    taken === undefined
      ? "json_set(document, '$.next', ?5, '$.climbed', ?6)"
      : "json_set(document, '$.next', ?5, '$.climbed', ?6, '$.taken_by', ?7, '$.taken_at', ?8)";
  await ledger
    .prepare(
      `UPDATE exceptions SET owner = ?3, due_at = ?4, version = version + 1, document = ${document}
       WHERE workspace = ?1 AND id = ?2 AND state = 'open'`,
    )
    .bind(workspace, id, owner, due_at, next, climbed, ...(taken === undefined ? [] : [taken.by, taken.at]))
    .run();
}
