/**
 * Undo of what a version of the policy did: its open follow-ups are withdrawn, what it wrote into fields of the CRMs' own returns to what stood
 * there of ours before, and what a person touched is left and listed.
 */
import * as z from "zod";
import { type Made, type Undoing, undoOf } from "../decide/undo.ts";
import type { Env } from "../env.ts";
import { problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";
import { ledgerOf } from "../ledger/shards.ts";
import { undoPageMax } from "../limits.ts";
import type { AnswerAnswer, AnswerCall } from "../objects/answering.ts";
import { askIdentity } from "../objects/names.ts";
import type { writtenFields } from "../resolve/shown.ts";
import { ask } from "./answers.ts";
import { workspaceOf } from "./authorise.ts";
import { checked } from "./setup.ts";

const order = z.strictObject({
  /** Who wants it. */
  by: z.email(),
  /** Only tells what would be done. */
  dry_run: z.boolean().default(false),
  /** `next_cursor` of the answer before. */
  cursor: z.string().max(200).optional(),
});

/** Whose they are. */
interface Of {
  readonly workspace: string;
  readonly shard: number;
}

interface Row {
  readonly id: string;
  readonly lead: string;
  readonly play: string;
  readonly state: Made["state"];
  readonly holder: string;
  readonly document: string;
}

/** A field of a CRM's own, of one lead, that this version was the last to write. */
interface Returned {
  readonly lead: string;
  readonly crm: string;
  readonly account: string;
  readonly field: string;
}

/** Cursors of the second half: what follows is the last lead. No follow-up's id begins so. */
const ofLeads = "lead:";

/**
 * `POST /v1/policy/versions/:version/undo`: a page of its follow-ups at a time, oldest first, then of the leads in whose records it wrote; to be
 * called again with `next_cursor` until that is null. Calling it again from the beginning is harmless: what is withdrawn stays so.
 */
export async function undoVersion(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const version = Number(c.req.param("version"));
  if (!Number.isInteger(version) || version < 1) return problem(404, { code: "no_such_version" });
  const body = await checked(c, order as unknown as z.ZodType<z.infer<typeof order>>);
  if (body instanceof Response) return body;
  const known = await c.env.CONTROL.prepare("SELECT 1 FROM policies WHERE workspace = ? AND version = ?")
    .bind(who.workspace, version)
    .first();
  if (known === null) return problem(404, { code: "no_such_version" });
  const { cursor = "", dry_run, by } = body;
  const followUps = cursor.startsWith(ofLeads)
    ? null
    : await undoFollowUps(c.env, who, version, { cursor, dry_run, by });
  if (followUps !== null && followUps.next !== null) {
    const { withdrawn, left, next } = followUps;
    return Response.json({ version, dry_run, withdrawn, left, fields: [], next_cursor: next });
  }
  const { withdrawn = [], left = [] } = followUps ?? {};
  const from = followUps === null ? cursor.slice(ofLeads.length) : "";
  const { fields, next } = await undoFields(c.env, who, version, from, dry_run);
  return Response.json({ version, dry_run, withdrawn, left, fields, next_cursor: next });
}

async function undoFollowUps(
  env: Env,
  { workspace, shard }: Of,
  version: number,
  { cursor, dry_run, by }: { readonly cursor: string; readonly dry_run: boolean; readonly by: string },
): Promise<{ readonly withdrawn: Undoing[]; readonly left: Undoing[]; readonly next: string | null }> {
  const rows = await ledgerOf(env, shard)
    .prepare(
      `SELECT id, lead, play, state, holder, document FROM follow_ups
       WHERE workspace = ? AND id > ? AND document ->> '$.policy_version' = ? ORDER BY id LIMIT ?`,
    )
    .bind(workspace, cursor, version, undoPageMax + 1)
    .all<Row>();
  const page = rows.results.slice(0, undoPageMax);
  const withdrawn: Undoing[] = [];
  const left: Undoing[] = [];
  for (const item of undoOf(page.map(madeOf), version)) {
    if (item.arm === "left") left.push(item);
    if (item.arm !== "withdraw") continue;
    if (dry_run) {
      withdrawn.push(item);
      continue;
    }
    const answer = await withdraw(env, item, version, by);
    if (answer === "withdrawn") withdrawn.push(item);
    else left.push({ ...item, arm: "left", because: answer });
  }
  return { withdrawn, left, next: rows.results.length > undoPageMax ? (page.at(-1)?.id ?? null) : null };
}

/** The lead's object brings them back; what somebody has typed there since stays, and is listed no more once the CRM has said so. */
async function undoFields(
  env: Env,
  { workspace, shard }: Of,
  version: number,
  from: string,
  dryRun: boolean,
): Promise<{ readonly fields: readonly Returned[]; readonly next: string | null }> {
  const rows = await ledgerOf(env, shard)
    .prepare(
      `SELECT id, document ->> '$.written' AS written FROM leads
       WHERE workspace = ? AND id > ? AND merged_into IS NULL
         AND EXISTS (SELECT 1 FROM json_each(document, '$.written') WHERE value ->> '$.version' = ?) ORDER BY id LIMIT ?`,
    )
    .bind(workspace, from, version, undoPageMax + 1)
    .all<{ id: string; written: string }>();
  const page = rows.results.slice(0, undoPageMax);
  const fields: Returned[] = [];
  for (const { id, written } of page) {
    const mine = (JSON.parse(written) as ReturnType<typeof writtenFields>).filter((item) => item.version === version);
    const isDone = dryRun || (await bringBack(env, id, version));
    if (isDone) fields.push(...mine.map(({ crm, account, field }) => ({ lead: id, crm, account, field })));
  }
  return { fields, next: rows.results.length > undoPageMax ? `${ofLeads}${page.at(-1)?.id ?? ""}` : null };
}

/** False where the lead is gone, or going. */
async function bringBack(env: Env, lead: string, version: number): Promise<boolean> {
  const answer = await askIdentity(
    env,
    lead,
    (stub: { undoFields(call: { readonly version: number }): Promise<AnswerAnswer> }) => stub.undoFields({ version }),
  );
  return answer?.arm === "ok";
}

function madeOf({ document, ...row }: Row): Made {
  const { policy_version, assigned_by, touched, actions } = JSON.parse(document) as Pick<
    Made,
    "policy_version" | "assigned_by" | "touched" | "actions"
  >;
  return {
    ...row,
    policy_version,
    actions: actions ?? [],
    ...(assigned_by === undefined ? {} : { assigned_by }),
    ...(touched === undefined ? {} : { touched }),
  };
}

/** The lead's object says it is withdrawn; closing its tasks is that one's obligation from then on. */
async function withdraw(env: Env, item: Undoing, version: number, by: string): Promise<string> {
  const call: AnswerCall = {
    follow_up: item.follow_up,
    word: { choice: "undo", reason: `undone: policy version ${version}` },
    by,
    at: Date.now(),
  };
  const answer = await ask(env, item.lead, call);
  switch (answer?.arm) {
    case "ok":
      return "withdrawn";
    case "refused":
      return answer.detail;
    case "busy":
      return "this lead is being erased";
    case "unknown":
      return "it is not known there any more";
    case undefined:
      return "its lead could not be found; try again";
  }
}
