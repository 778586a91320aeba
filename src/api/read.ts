/** The reading half of the API: leads, follow-ups, decisions, exceptions. Lists page by cursor; instants are ISO 8601. */
import { standingOf } from "../decide/level.ts";
import type { ExceptionReason } from "../decide/policy/people.ts";
import type { Policy } from "../decide/policy.ts";
import type { Promising } from "../decide/promise.ts";
import { scoreOf } from "../decide/score.ts";
import type { Env } from "../env.ts";
import { problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";
import { readHistory } from "../ledger/history.ts";
import { ledgerOf } from "../ledger/shards.ts";
import { hopsMax, pageSizeMax } from "../limits.ts";
import type { Decision } from "../model.ts";
import type { IdentityView } from "../objects/identity.ts";
import { identityStub } from "../objects/names.ts";
import { peopleOf, type Root } from "../resolve/node.ts";
import { recordsOf } from "../resolve/shown.ts";
import { tieId } from "../resolve/ties.ts";
import { workspaceById } from "../workspace.ts";
import { workspaceOf } from "./authorise.ts";
import { evidenceOf, identifierOf, wordsOfGuard, wordsOfLikeness } from "./evidence.ts";
import { withInstants } from "./instants.ts";
import { slaOf } from "./sla.ts";

interface LedgerRow {
  readonly id: string;
  readonly document: string;
  readonly [column: string]: unknown;
}

/** `GET /v1/leads`, most recently active first. */
export function listLeads(c: AppContext): Promise<Response> {
  return list(c, {
    sql: `SELECT id, version, email, name, lifecycle_state, lead_score, source, last_event_timestamp, idempotency_key, active_day, document
          FROM leads WHERE workspace = ?1 AND merged_into IS NULL AND (?2 = '' OR (active_day, last_event_timestamp, id) < (?3, ?4, ?2))
          ORDER BY active_day DESC, last_event_timestamp DESC, id DESC LIMIT ?5`,
    cursor: (row) => [row.id, Number(row.active_day), Number(row.last_event_timestamp)],
  });
}

/** `GET /v1/follow-ups`, newest first. */
export function listFollowUps(c: AppContext): Promise<Response> {
  return list(c, {
    sql: `SELECT id, lead, play, state, holder, tier, created_at, due_at, document FROM follow_ups
          WHERE workspace = ?1 AND (?2 = '' OR id < ?2) AND ?3 IS ?3 AND ?4 IS ?4 ORDER BY id DESC LIMIT ?5`,
    cursor: (row) => [row.id, 0, 0],
    shown: async (workspace) => {
      const policy = await policyOf(c, workspace);
      const now = Date.now();
      return (row) => ({ ...published(row), sla: policy === null ? null : slaOf(policy, promisingIn(row), now) });
    },
  });
}

function promisingIn({ play, state, document }: LedgerRow): Promising {
  return { ...(JSON.parse(document) as Promising), play: play as string, state: state as Promising["state"] };
}

/** `GET /v1/exceptions?state=open|closed`: what a person must look at, or has looked at. */
export async function listExceptions(c: AppContext): Promise<Response> {
  const state = c.req.query("state") ?? "open";
  if (state !== "open" && state !== "closed")
    return problem(400, { code: "bad_state", detail: "The state is open or closed." });
  return list(c, {
    sql: `SELECT id, lead, reason, owner, state, raised_at, due_at, document FROM exceptions
          WHERE workspace = ?1 AND (?2 = '' OR id < ?2) AND ?3 IS ?3 AND ?4 IS ?4 AND state = ?6 ORDER BY id DESC LIMIT ?5`,
    cursor: (row) => [row.id, 0, 0],
    more: [state],
    shown: async () => publishedException,
  });
}

/** `GET /v1/exceptions/:id`; where the question is who is who, with both leads side by side. */
export async function readException(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const row = await exceptionOf(c, who);
  if (row === null) return problem(404, { code: "no_such_exception" });
  const pair = pairOf(row);
  if (pair === null) return Response.json(publishedException(row));
  const found = await workspaceById(c.env, who.workspace, Date.now(), (work) => c.executionCtx.waitUntil(work));
  const views = (await Promise.all(pair.map((id) => viewOf(c.env, id)))).filter((view) => view !== null);
  const leads = views.filter(({ root }, index) => views.findIndex((view) => view.root.name === root.name) === index);
  const document = JSON.parse(row.document) as { identifier_type?: string; guard?: string; probability?: number };
  return Response.json({
    ...published(row),
    because: document.guard === undefined ? wordsOfLikeness(document.probability ?? 0) : wordsOfGuard(document.guard),
    identifier:
      document.identifier_type === undefined
        ? null
        : (identifierOf(row.id, views) ?? { type: document.identifier_type }),
    // Whoever was merged since is one; nothing is known (any more) of whoever is missing.
    leads: found === null ? [] : leads.map((view) => evidenceOf(view, found.workspace.policy, Date.now())),
  });
}

export interface ExceptionOfPeople extends LedgerRow {
  readonly lead: string;
  readonly reason: ExceptionReason;
  readonly raised_at: number;
}

/** The exception named in the address. */
export function exceptionOf(
  c: AppContext,
  who: { readonly workspace: string; readonly shard: number },
): Promise<ExceptionOfPeople | null> {
  return ledgerOf(c.env, who.shard)
    .prepare(
      "SELECT id, lead, reason, owner, state, raised_at, due_at, document FROM exceptions WHERE workspace = ? AND id = ?",
    )
    .bind(who.workspace, leadIdOf(c))
    .first<ExceptionOfPeople>();
}

/** The two of whom it is asked whether they are one; null where something else is asked. */
export function pairOf(row: ExceptionOfPeople): readonly [string, string] | null {
  const { node, a, b } = JSON.parse(row.document) as { node?: string; a?: string; b?: string };
  if (row.reason === "link_conflict" && node !== undefined) return [row.lead, node];
  return row.reason === "likely_duplicate" && a !== undefined && b !== undefined ? [a, b] : null;
}

/** `GET /v1/counts`: what was stopped or kept at the door, per emitter and day. */
export async function listCounts(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const rows = await ledgerOf(c.env, who.shard)
    .prepare(
      "SELECT emitter, day, what, count FROM counts WHERE workspace = ? ORDER BY day DESC, emitter, what LIMIT 1000",
    )
    .bind(who.workspace)
    .all<{ emitter: string; day: number; what: string; count: number }>();
  return Response.json({
    items: rows.results.map((row) => ({ ...row, day: new Date(row.day * 86_400_000).toISOString().slice(0, 10) })),
  });
}

/**
 * `GET /v1/decisions?lead=…&since=…`: from history and journal, newest last; those that led to nothing too. Without `since`
 * (ISO 8601) the last seven days.
 */
export async function listDecisions(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const lead = c.req.query("lead");
  const since = Date.parse(c.req.query("since") ?? "");
  const from = Number.isNaN(since) ? Date.now() - 7 * 86_400_000 : since;
  const items: { lead: string; decision: Decision }[] = [];
  for await (const entry of readHistory(ledgerOf(c.env, who.shard), c.env.HISTORY, who.workspace, from)) {
    if (entry.type !== "decision" || (lead !== undefined && entry.lead !== lead)) continue;
    items.push({ lead: entry.lead, decision: entry.decision });
    if (items.length > limitOf(c)) items.shift();
  }
  return Response.json({ items: items.map(withInstants) });
}

/** `GET /v1/leads/:id`: the object's own state, which is never behind. Follows merges. */
export async function readLead(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const id = leadIdOf(c);
  if (!id.startsWith(`${who.workspace}/`)) return problem(404, { code: "no_such_lead" });
  const view = await viewOf(c.env, id);
  if (view === null) return problem(404, { code: "no_such_lead" });
  const { root, log } = view;
  const policy = await policyOf(c, who.workspace);
  const now = Date.now();
  return Response.json(
    withInstants({
      id: root.name,
      version: root.version,
      lead: root.lead,
      ...(policy === null ? {} : standingNow(policy, root, now)),
      // Identifiers that are this person, and the names under which it can be asked for besides its own.
      members: root.members.length + 1,
      aliases: root.members,
      follow_ups: root.follow_ups.map((item) => ({
        ...item,
        sla: policy === null ? null : slaOf(policy, item, now),
      })),
      people: peopleOf(root),
      // What stands on its records of ours, to be compared with the CRM; what a person typed there is left out.
      records: recordsOf(root).map(({ values: _asSent, occasion: _ofIt, key: _too, ...record }) => record),
      links: root.ties.map((tie) => ({
        id: tieId(tie),
        type: tie.over.type,
        by: tie.by,
        at: tie.at,
        merged: tie.loser ?? null,
      })),
      apart: root.apart,
      undecided: root.undecided,
      signals: log.map((entry) => entry.signal),
    }),
  );
}

/** The score with every point of it, and the level, as of now. */
function standingNow(policy: Policy, { lead }: Root, now: number) {
  const { score, reasons } = scoreOf(policy, lead, now);
  return { score: { ...score, reasons }, level: standingOf(policy, lead, score, now).level };
}

async function policyOf(c: AppContext, workspace: string): Promise<Policy | null> {
  const found = await workspaceById(c.env, workspace, Date.now(), (work) => c.executionCtx.waitUntil(work));
  return found?.workspace.policy ?? null;
}

/** The name in the address; empty where it is no proper one, which then names nothing. */
export function leadIdOf(c: AppContext): string {
  try {
    return decodeURIComponent(c.req.param("id") ?? "");
  } catch {
    return "";
  }
}

/** The state of a lead, wherever merges have moved it; null where nothing is known. */
export async function viewOf(env: Env, id: string): Promise<IdentityView | null> {
  let target = id;
  for (let hops = 0; hops < hopsMax; hops++) {
    const view = await readable(identityStub(env, target)).read();
    if (view === null) return null;
    if (!("moved" in view)) return view;
    target = view.moved;
  }
  return null;
}

interface Listing {
  /** ?1 workspace, ?2–?4 cursor, ?5 limit, then `more`. */
  readonly sql: string;
  readonly cursor: (row: LedgerRow) => readonly [string, number, number];
  readonly more?: readonly string[];
  /** How a row is shown; `published` unless given. */
  readonly shown?: (workspace: string) => Promise<(row: LedgerRow) => Record<string, unknown>>;
}

async function list(c: AppContext, listing: Listing): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const cursor = parseCursor(c.req.query("cursor"));
  if (cursor === null) return problem(400, { code: "bad_cursor", detail: "Use the next_cursor of the page before." });
  const limit = limitOf(c);
  const rows = await ledgerOf(c.env, who.shard)
    .prepare(listing.sql)
    .bind(who.workspace, ...cursor, limit + 1, ...(listing.more ?? []))
    .all<LedgerRow>();
  const page = rows.results.slice(0, limit);
  const last = page.at(-1);
  const next = rows.results.length > limit && last !== undefined ? btoa(JSON.stringify(listing.cursor(last))) : null;
  const shown = (await listing.shown?.(who.workspace)) ?? published;
  return Response.json({ items: page.map(shown), next_cursor: next });
}

function published(row: LedgerRow): Record<string, unknown> {
  const { document, active_day: _internal, ...columns } = row;
  return withInstants({ ...columns, ...(JSON.parse(document) as object) });
}

/** With how late the follow-up is that it is about, or was when it was closed or somebody settled the question. */
function publishedException(row: LedgerRow): Record<string, unknown> {
  const item = published(row);
  if (row.reason !== "overdue") return item;
  const { promised_at, closed_at, settled_at } = JSON.parse(row.document) as {
    readonly promised_at?: number;
    readonly closed_at?: number;
    readonly settled_at?: number;
  };
  const end = closed_at ?? settled_at ?? (row.state === "open" ? Date.now() : undefined);
  return { ...item, late_ms: end === undefined || promised_at === undefined ? null : end - promised_at };
}

function parseCursor(text: string | undefined): readonly [string, number, number] | null {
  if (text === undefined) return ["", 0, 0];
  try {
    const [id, a, b] = JSON.parse(atob(text)) as unknown[];
    return typeof id === "string" && typeof a === "number" && typeof b === "number" ? [id, a, b] : null;
  } catch {
    return null;
  }
}

function limitOf(c: AppContext): number {
  const asked = Number(c.req.query("limit") ?? "50");
  return Number.isInteger(asked) && asked > 0 ? Math.min(asked, pageSizeMax) : 50;
}

/** The generated stub type of a whole state is too deep for the compiler; this says the same of the one method used here. */
function readable(stub: unknown): { read(): Promise<IdentityView | { readonly moved: string } | null> } {
  return stub as { read(): Promise<IdentityView | { readonly moved: string } | null> };
}
