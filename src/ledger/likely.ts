/**
 * Likely duplicates among the leads of a workspace that share no hard identifier (`resolve/likeness`): put before a person
 * as exceptions, or merged where policy says so. Run by the cron.
 *
 * It may run twice, overlap with itself, and stop anywhere: a proposal is a row under an id that comes from the pair, made
 * once and never again, whatever became of it; a merge is first a proposal and then a choice, so that one left halfway lies before a
 * person; and the row that says "compared" is written last. Where nothing is new, nothing is written.
 */

import { digest } from "../crypto.ts";
import { answerableFor } from "../decide/answerable.ts";
import type { Policy } from "../decide/policy.ts";
import type { Env } from "../env.ts";
import {
  cronEveryMs,
  hopsMax,
  likelyBaseLeads,
  likelyEveryMs,
  likelyLeadsMax,
  likelyMergesMax,
  likelyOpenMax,
  likelyPairsMax,
  likelyRecentLeads,
  likelyRunLeadsMax,
  likelyWorkspacesMax,
} from "../limits.ts";
import { errorName, log } from "../log.ts";
import type { IdentityView } from "../objects/identity.ts";
import { identityStub } from "../objects/names.ts";
import type { Choice, ChoiceAnswer } from "../objects/splitting.ts";
import { guard, profileOf } from "../resolve/guard.ts";
import { emailOf } from "../resolve/lead.ts";
import { type LikelyPair, likelyDuplicates, mayMerge } from "../resolve/likeness/duplicates.ts";
import { isComparable, type LeadText, leadLikenessFields, recordOf } from "../resolve/likeness/records.ts";
import { proposalId, proposalIds, standingOf } from "../resolve/likeness/standing.ts";
import type { LikenessRecord } from "../resolve/likeness/table.ts";
import type { Root } from "../resolve/node.ts";
import { workspaceById } from "../workspace.ts";
import { ledgerOf } from "./shards.ts";

export interface Bounds {
  /** Leads compared with each other. */
  readonly leads: number;
  /** Of them, the most recently active ones, where there are more. */
  readonly recent: number;
  /** Pairs that identity is asked about. */
  readonly pairs: number;
  readonly merges: number;
}

export const usualBounds: Bounds = {
  leads: likelyLeadsMax,
  recent: likelyRecentLeads,
  pairs: likelyPairsMax,
  merges: likelyMergesMax,
};

export interface Sweep {
  /** Leads that were compared; 0 when nothing was new. */
  readonly leads: number;
  /** Pairs that identity was asked about. */
  readonly pairs: number;
  readonly proposed: number;
  readonly merged: number;
  readonly closed: number;
}

const nothing: Sweep = { leads: 0, pairs: 0, proposed: 0, merged: 0, closed: 0 };

/**
 * The cron's run. Each workspace has its turn once an hour, and what one run can take is bounded; who comes first changes
 * with the hour, so that where there is too much for all, each waits longer and none for ever.
 */
export async function findLikely(env: Env, scheduledAt: number): Promise<void> {
  const workspaces = await env.CONTROL.prepare("SELECT id FROM workspaces").all<{ id: string }>();
  const due = inTurn(
    workspaces.results.map(({ id }) => id),
    scheduledAt,
  );
  let [leads, pairs] = [likelyRunLeadsMax, likelyPairsMax];
  for (const workspace of due.slice(0, likelyWorkspacesMax)) {
    if (leads < likelyBaseLeads || pairs <= 0) break;
    try {
      const done = await sweepLikely(env, workspace, Date.now(), { ...usualBounds, pairs });
      if (done.leads > 0) leads -= done.leads + likelyBaseLeads;
      pairs -= done.pairs;
      if (done.leads > 0) log("info", "likely.compared", { workspace, ...done });
    } catch (error) {
      log("error", "likely.sweep", { workspace, error: errorName(error) });
    }
  }
}

/** Those whose turn it is in this run of the cron, in the order of this hour. */
export function inTurn(workspaces: readonly string[], scheduledAt: number): readonly string[] {
  const turns = likelyEveryMs / cronEveryMs;
  const turn = Math.floor(scheduledAt / cronEveryMs) % turns;
  const hour = String(Math.floor(scheduledAt / likelyEveryMs));
  return workspaces
    .filter((id) => Number.parseInt(digest(id).slice(0, 6), 16) % turns === turn)
    .map((id) => ({ id, place: digest(id, hour) }))
    .sort((one, other) => (one.place < other.place ? -1 : 1))
    .map(({ id }) => id);
}

export async function sweepLikely(
  env: Env,
  workspaceId: string,
  now: number,
  bounds: Bounds = usualBounds,
): Promise<Sweep> {
  // What the isolate holds is at most a few seconds old, and nothing here outlives the run.
  const found = await workspaceById(env, workspaceId, now, () => undefined);
  if (found === null) return nothing;
  const { id: workspace, policy, shard } = found.workspace;
  const ledger = ledgerOf(env, shard);
  const closed = await closeSettled(env, ledger, workspace, now);
  const { propose_at, merge_at } = policy.identity.likeness;
  if (Math.min(propose_at, merge_at) >= 1) return { ...nothing, closed };
  const last = await ledger
    .prepare("SELECT at, digest, cursor FROM likely_runs WHERE workspace = ?")
    .bind(workspace)
    .first<{ at: number; digest: string; cursor: string }>();
  // The turns of two hours may be a little closer than an hour.
  if (last !== null && now - last.at < likelyEveryMs - cronEveryMs) return { ...nothing, closed };
  const { leads, cursor } = await leadsToCompare(ledger, workspace, last?.cursor ?? "", bounds);
  const addresses = {
    roleAccounts: new Set(policy.identity.role_accounts),
    freeMail: new Set(policy.scoring.free_mail_domains),
  };
  const records = leads.map((lead) => recordOf(lead, addresses)).filter(isComparable);
  const compared = digestOf(records, policy);
  if (last !== null && last.digest === compared && last.cursor === cursor) return { ...nothing, closed };
  const pairs = records.length < 2 ? [] : pairsOf(records, policy);
  const asked = await settlePairs(env, ledger, workspace, policy, pairs, now, bounds);
  if (asked.finished) {
    await ledger
      .prepare(
        "INSERT INTO likely_runs VALUES (?, ?, ?, ?) ON CONFLICT (workspace) DO UPDATE SET at = excluded.at, digest = excluded.digest, cursor = excluded.cursor",
      )
      .bind(workspace, now, compared, cursor)
      .run();
  }
  const { finished: _, ...counts } = asked;
  return { ...counts, leads: records.length, closed };
}

/* ------------------------------------------------------------------------------------------ what is compared */

const columns = `id, email,
  document ->> '$.fields.first_name.value' AS first_name, document ->> '$.fields.last_name.value' AS last_name,
  document ->> '$.fields.company.value' AS company, document ->> '$.account.name' AS account_name,
  document ->> '$.account.domain' AS account_domain, document ->> '$.fields.website.value' AS website,
  document ->> '$.fields.phone.value' AS phone, document ->> '$.fields.job_title.value' AS job_title,
  document ->> '$.fields.country.value' AS country`;

/**
 * All leads, where they are not too many; else the most recently active ones and a stretch of the others in the order of
 * their ids, which goes on after `cursor` the next time: so each lead that is active meets every other one in the end.
 */
async function leadsToCompare(
  ledger: D1Database,
  workspace: string,
  cursor: string,
  bounds: Bounds,
): Promise<{ readonly leads: readonly LeadText[]; readonly cursor: string }> {
  const recent = await ledger
    .prepare(
      `SELECT ${columns} FROM leads WHERE workspace = ? AND merged_into IS NULL
       ORDER BY active_day DESC, last_event_timestamp DESC, id DESC LIMIT ?`,
    )
    .bind(workspace, bounds.leads + 1)
    .all<LeadText>();
  if (recent.results.length <= bounds.leads) return { leads: recent.results, cursor: "" };
  const first = recent.results.slice(0, bounds.recent);
  const stretch = bounds.leads - bounds.recent;
  const others = await ledger
    .prepare(`SELECT ${columns} FROM leads WHERE workspace = ? AND merged_into IS NULL AND id > ? ORDER BY id LIMIT ?`)
    .bind(workspace, cursor, stretch)
    .all<LeadText>();
  const known = new Set(first.map(({ id }) => id));
  const leads = [...first, ...others.results.filter(({ id }) => !known.has(id))];
  return { leads, cursor: others.results.length < stretch ? "" : (others.results.at(-1)?.id ?? "") };
}

function digestOf(records: readonly LikenessRecord[], { identity }: Policy): string {
  const texts = records.map(({ id, values }) => JSON.stringify([id, values])).sort();
  return digest(JSON.stringify(identity.likeness), ...texts);
}

/** A bar so low that it would bring thousands of strangers before a person is a mistake. */
const probabilityMin = 0.1;

function pairsOf(records: readonly LikenessRecord[], { identity }: Policy): readonly LikelyPair[] {
  const { propose_at, merge_at } = identity.likeness;
  const bar = Math.max(probabilityMin, Math.min(propose_at, merge_at));
  return likelyDuplicates(records, leadLikenessFields, { probabilityMin: bar }).pairs;
}

/* ------------------------------------------------------------------------------------------ what becomes of a pair */

type Outcome = "proposed" | "merged" | "nothing_to_ask" | "later";

async function settlePairs(
  env: Env,
  ledger: D1Database,
  workspace: string,
  policy: Policy,
  pairs: readonly LikelyPair[],
  now: number,
  bounds: Bounds,
): Promise<Omit<Sweep, "leads" | "closed"> & { readonly finished: boolean }> {
  const ids = pairs.map(({ a, b }) => proposalId(a, b));
  const known = await answered(ledger, workspace, ids);
  const fresh = pairs.filter((_, at) => !known.has(ids[at] ?? ""));
  const counts: Record<Outcome, number> = { proposed: 0, merged: 0, nothing_to_ask: 0, later: 0 };
  /** Whoever is being merged is left alone until that is done: three who look alike are judged as one and a third. */
  const merging = new Set<string>();
  for (const pair of fresh.slice(0, bounds.pairs)) {
    try {
      const mayStillMerge = counts.merged < bounds.merges;
      counts[await settle({ env, ledger, workspace, policy, now, merging, mayStillMerge }, pair)]++;
    } catch (error) {
      counts.later++;
      log("warn", "likely.pair", { workspace, error: errorName(error) });
    }
  }
  const looked = Math.min(fresh.length, bounds.pairs);
  const finished = counts.later === 0 && looked === fresh.length;
  return { pairs: looked, proposed: counts.proposed, merged: counts.merged, finished };
}

interface Surroundings {
  readonly env: Env;
  readonly ledger: D1Database;
  readonly workspace: string;
  readonly policy: Policy;
  readonly now: number;
  readonly merging: Set<string>;
  readonly mayStillMerge: boolean;
}

async function settle(around: Surroundings, pair: LikelyPair): Promise<Outcome> {
  const { env, ledger, workspace, policy, now, merging } = around;
  const [one, other] = await Promise.all([personAt(env, pair.a), personAt(env, pair.b)]);
  // Gone, one already, or about to be: the ledger will follow, and what it shows then is compared anew.
  if (one === null || other === null) return "nothing_to_ask";
  const [a, b] = one.name < other.name ? [one, other] : [other, one];
  const standing = standingOf(a, b);
  if (standing.arm === "one" || standing.arm === "linking") return "nothing_to_ask";
  if (standing.arm === "apart" || (await answered(ledger, workspace, proposalIds(a, b))).size > 0) {
    await ledger
      .prepare("INSERT OR IGNORE INTO likely_answered VALUES (?, ?)")
      .bind(workspace, proposalId(pair.a, pair.b))
      .run();
    return "nothing_to_ask";
  }
  const { merge_at } = policy.identity.likeness;
  const merges = merge_at < 1 && mayMerge(pair, merge_at) && !isObjected(a, b, policy);
  if (merges && (!around.mayStillMerge || merging.has(a.name) || merging.has(b.name))) return "later";
  const isOurs = await propose(around, pair, a, b);
  if (!isOurs) return "nothing_to_ask";
  if (!merges) return "proposed";
  merging.add(a.name).add(b.name);
  const answer = await choosing(identityStub(env, a.name)).choose({
    choice: "merge",
    node: b.name,
    by: "likeness",
    at: now,
  });
  // Busy or moved in this instant: the proposal stays, and a person decides.
  if (answer.arm !== "ok") return "proposed";
  await close(ledger, workspace, proposalId(a.name, b.name), "likeness", now);
  return "merged";
}

/** What stands against making these two one without a person: they would not be joined over an address that both had, either. */
function isObjected(a: Root, b: Root, { identity }: Policy): boolean {
  const over = { type: "email", value: emailOf(a.lead) ?? "" };
  return guard(profileOf(a), profileOf(b), over, identity) !== null;
}

/** False where the pair lies before a person already, or did. */
async function propose(around: Surroundings, pair: LikelyPair, a: Root, b: Root): Promise<boolean> {
  const { ledger, workspace, policy, now } = around;
  const { probability, own, weights } = pair;
  const { owner, due_at, next, climbed } = answerableFor(policy, "likely_duplicate", now, now);
  const document = JSON.stringify({ a: a.name, b: b.name, probability, own, weights, next, climbed });
  const done = await ledger
    .prepare(
      `INSERT INTO exceptions (workspace, id, version, lead, reason, owner, state, raised_at, due_at, document)
       VALUES (?, ?, 1, ?, 'likely_duplicate', ?, 'open', ?, ?, ?) ON CONFLICT DO NOTHING`,
    )
    .bind(workspace, proposalId(a.name, b.name), a.name, owner, now, due_at, document)
    .run();
  return done.meta.changes > 0;
}

/** Which of these ids need no asking: proposed once, whatever became of it, or answered by identity. */
async function answered(ledger: D1Database, workspace: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await ledger
    .prepare(
      `SELECT id FROM exceptions WHERE workspace = ?1 AND id IN (SELECT value FROM json_each(?2))
       UNION SELECT id FROM likely_answered WHERE workspace = ?1 AND id IN (SELECT value FROM json_each(?2))`,
    )
    .bind(workspace, JSON.stringify(ids))
    .all<{ id: string }>();
  return new Set(rows.results.map(({ id }) => id));
}

/* ------------------------------------------------------------------------------------------ what needs no person any more */

/** Open proposals held in memory at a time; more than a team can answer. */
const openRowsMax = 2_000;

/** Closes proposals whose two have become one, are gone, or were said to be two in another way. */
async function closeSettled(env: Env, ledger: D1Database, workspace: string, now: number): Promise<number> {
  const open = await ledger
    .prepare(
      `SELECT e.id, e.document ->> '$.a' AS a, e.document ->> '$.b' AS b,
         (x.merged_into IS NOT NULL OR y.merged_into IS NOT NULL) AS moved
       FROM exceptions e
         LEFT JOIN leads x ON x.workspace = e.workspace AND x.id = e.document ->> '$.a'
         LEFT JOIN leads y ON y.workspace = e.workspace AND y.id = e.document ->> '$.b'
       WHERE e.workspace = ? AND e.reason = 'likely_duplicate' AND e.state = 'open' ORDER BY e.id LIMIT ?`,
    )
    .bind(workspace, openRowsMax)
    .all<{ id: string; a: string; b: string; moved: number }>();
  const turn = Math.floor(now / likelyEveryMs);
  const due = [
    // Where the ledger shows that somebody became part of somebody, it is likely.
    ...stretchOf(
      open.results.filter(({ moved }) => moved === 1),
      turn,
    ),
    ...stretchOf(
      open.results.filter(({ moved }) => moved === 0),
      turn,
    ),
  ];
  let closed = 0;
  for (const { id, a, b } of due) {
    const by = await settledBy(env, a, b);
    if (by !== null) closed += await close(ledger, workspace, id, by, now);
  }
  return closed;
}

/** A part of the list, another one in every turn. */
export function stretchOf<T>(list: readonly T[], turn: number, length = likelyOpenMax): readonly T[] {
  const from = (turn % Math.max(1, Math.ceil(list.length / length))) * length;
  return list.slice(from, from + length);
}

/** Null while a person still has to say. */
async function settledBy(env: Env, a: string, b: string): Promise<string | null> {
  const [one, other] = await Promise.all([personAt(env, a), personAt(env, b)]);
  if (one === null || other === null) return "engine";
  const standing = standingOf(one, other);
  if (standing.arm === "one") return "engine";
  return standing.arm === "apart" && standing.state === "kept_apart" ? (standing.by ?? "engine") : null;
}

/** How many rows were closed: none where somebody was faster. */
async function close(ledger: D1Database, workspace: string, id: string, by: string, now: number): Promise<number> {
  const done = await ledger
    .prepare(
      `UPDATE exceptions SET state = 'closed', version = version + 1,
         document = json_set(document, '$.settled_by', ?, '$.settled_at', ?)
       WHERE workspace = ? AND id = ? AND state = 'open'`,
    )
    .bind(by, now, workspace, id)
    .run();
  return Math.min(1, done.meta.changes);
}

/* ------------------------------------------------------------------------------------------ identity */

/** The person behind this name, wherever merges have moved it; null where nobody is known, or soon will be. */
async function personAt(env: Env, name: string): Promise<Root | null> {
  let target = name;
  for (let hops = 0; hops < hopsMax; hops++) {
    const view = await readable(identityStub(env, target)).read();
    if (view === null) return null;
    if (!("moved" in view)) return view.root.erase === undefined ? view.root : null;
    target = view.moved;
  }
  throw new Error("too many moves");
}

/** The generated stub types of a whole state are too deep for the compiler; these say the same of the methods used here. */
function readable(stub: unknown): { read(): Promise<IdentityView | { readonly moved: string } | null> } {
  return stub as { read(): Promise<IdentityView | { readonly moved: string } | null> };
}

function choosing(stub: unknown): { choose(call: Choice): Promise<ChoiceAnswer> } {
  return stub as { choose(call: Choice): Promise<ChoiceAnswer> };
}
