/** Backtests: a draft policy over a range of history, and where it would have decided differently from the one in force. */
import * as z from "zod";
import { canonicalJson, digest, randomToken } from "../crypto.ts";
import { aspects, type Difference } from "../decide/backtest/compare.ts";
import { type Policy, policySchema } from "../decide/policy.ts";
import { problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";
import { firstSegment } from "../ledger/backtests/gather.ts";
import { advance, type BacktestRequest, type BacktestRow, type Checkpoint, folderOf } from "../ledger/backtests.ts";
import { ledgerOf } from "../ledger/shards.ts";
import {
  backtestAtOnceBytesMax,
  backtestAtOnceSegmentsMax,
  backtestBytesMax,
  backtestPartBytes,
  backtestPartsMax,
  backtestsOpenMax,
  pageSizeMax,
} from "../limits.ts";
import { workspaceOf } from "./authorise.ts";
import { instantOf, withInstants } from "./instants.ts";
import { checked } from "./setup.ts";

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const order = z
  .strictObject({
    /** Id of a stored draft. */
    draft: z.string().min(1).max(100).optional(),
    /** Or the document itself; its `version` does not matter. */
    policy: z.record(z.string(), z.unknown()).optional(),
    from: instant,
    to: instant,
    /** So many of a hundred leads, always the same ones. */
    leads_percent: z.int().min(1).max(100).default(100),
    /** A follow-up that was never made is taken to be done after so long; otherwise as long as its play gives for it. */
    assumed_handling_ms: z
      .int()
      .min(0)
      .max(366 * 86_400_000)
      .optional(),
  })
  .refine(({ draft, policy }) => (draft === undefined) !== (policy === undefined), "Give either a draft or a policy.")
  .refine(({ from, to }) => from < to, { error: "The range ends before it begins.", path: ["to"] });

/** `POST /v1/backtests` */
export async function createBacktest(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const body = await checked(c, order as unknown as z.ZodType<z.infer<typeof order>>);
  if (body instanceof Response) return body;
  const baseline = await c.env.CONTROL.prepare("SELECT policy_version FROM workspaces WHERE id = ?")
    .bind(who.workspace)
    .first<{ policy_version: number }>();
  const version = baseline?.policy_version ?? 0;
  const policy = await draftPolicy(c, who.workspace, body, version + 1);
  if (policy instanceof Response) return policy;
  const ledger = ledgerOf(c.env, who.shard);
  const open = await ledger
    .prepare("SELECT count(*) AS number FROM backtests WHERE workspace = ? AND state = 'running'")
    .bind(who.workspace)
    .first<{ number: number }>();
  if ((open?.number ?? 0) >= backtestsOpenMax)
    return problem(409, { code: "too_many_backtests", detail: `${backtestsOpenMax} backtests are running already.` });
  const now = Date.now();
  const request: BacktestRequest = {
    ...(body.draft === undefined ? {} : { draft: body.draft }),
    digest: digestOf(policy),
    baseline: version,
    from: body.from,
    to: Math.min(body.to, now),
    leads_percent: body.leads_percent,
    assumed_handling_ms: body.assumed_handling_ms ?? null,
  };
  const { bytes, segments } = await sizeOf(c.env.HISTORY, who.workspace, request);
  if (bytes * (body.leads_percent / 100) > backtestBytesMax)
    return problem(422, {
      code: "range_too_large",
      detail:
        "There is more history in this range than one backtest takes; take a shorter one, or a share of the leads.",
    });
  const id = `bk_${now.toString(36)}_${randomToken(6)}`;
  await c.env.HISTORY.put(`${folderOf(who.workspace, id)}/policy.json`, canonicalJson(policy));
  const checkpoint: Checkpoint = {
    stage: "gather",
    what: "follow_ups",
    after: "",
    slices: 0,
    signals: 0,
    parts: Math.max(1, Math.min(backtestPartsMax, Math.ceil(bytes / backtestPartBytes))),
  };
  await ledger
    .prepare("INSERT INTO backtests VALUES (?, ?, 'running', ?, ?, NULL, NULL, 0, ?, NULL)")
    .bind(who.workspace, id, JSON.stringify(request), JSON.stringify(checkpoint), now)
    .run();
  // What is small is done behind this answer; the rest, and what a crash leaves, by the cron.
  if (bytes <= backtestAtOnceBytesMax && segments <= backtestAtOnceSegmentsMax)
    c.executionCtx.waitUntil(advance(c.env, who.shard, who.workspace, id, 60));
  return Response.json({ id }, { status: 202 });
}

/** Compare `decide/policy/digest.ts`: the same content has the same name whatever its version. */
function digestOf({ version: _version, ...content }: Policy): string {
  return digest("policy", canonicalJson(content));
}

async function draftPolicy(
  c: AppContext,
  workspace: string,
  body: z.infer<typeof order>,
  version: number,
): Promise<Policy | Response> {
  let given: object | undefined = body.policy;
  if (body.draft !== undefined) {
    const row = await c.env.CONTROL.prepare("SELECT document FROM policy_drafts WHERE workspace = ? AND id = ?")
      .bind(workspace, body.draft)
      .first<{ document: string }>();
    if (row === null) return problem(404, { code: "no_such_draft" });
    given = JSON.parse(row.document) as object;
  }
  const parsed = policySchema.safeParse({ ...given, version });
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.slice(0, 50).map(({ path, message }) => ({ path: path.join("."), message }));
  return problem(422, { code: "invalid", errors });
}

async function sizeOf(
  history: R2Bucket,
  workspace: string,
  request: BacktestRequest,
): Promise<{ readonly bytes: number; readonly segments: number }> {
  let [bytes, segments] = [0, 0];
  let cursor: string | undefined;
  const end = `history/${workspace}/${new Date(request.to + 2 * 86_400_000).toISOString().slice(0, 10)}`;
  do {
    const page = await history.list({
      prefix: `history/${workspace}/`,
      startAfter: firstSegment({ workspace, request }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { key, size } of page.objects) {
      if (key > end) return { bytes, segments };
      bytes += size;
      segments++;
    }
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return { bytes, segments };
}

/** `GET /v1/backtests`, newest first. */
export async function listBacktests(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const rows = await ledgerOf(c.env, who.shard)
    .prepare("SELECT * FROM backtests WHERE workspace = ? ORDER BY id DESC LIMIT ?")
    .bind(who.workspace, pageSizeMax)
    .all<BacktestRow>();
  return Response.json({ items: rows.results.map((row) => published(row, false)) });
}

/** `GET /v1/backtests/:id` */
export async function readBacktest(c: AppContext): Promise<Response> {
  const found = await rowOf(c);
  return found instanceof Response ? found : Response.json(published(found, true));
}

/**
 * `GET /v1/backtests/:id/differences?cursor=&what=`: each with both decisions. `what` (one of `aspects`) leaves out those that are alike in that.
 * The order is by part of the leads, and within it as they were found.
 */
export async function listDifferences(c: AppContext): Promise<Response> {
  const row = await rowOf(c);
  if (row instanceof Response) return row;
  if (row.state !== "finished") return problem(409, { code: "not_finished", detail: "This backtest is not finished." });
  const what = c.req.query("what");
  if (what !== undefined && !(aspects as readonly string[]).includes(what))
    return problem(400, { code: "bad_aspect", detail: `Differences are of ${aspects.join(", ")}.` });
  const asked = Number(c.req.query("limit") ?? "50");
  const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, pageSizeMax) : 50;
  const from = cursorOf(c.req.query("cursor"));
  if (from === null) return problem(400, { code: "bad_cursor", detail: "Use the next_cursor of the page before." });
  const prefix = `${folderOf(row.workspace, row.id)}/differences/`;
  const items: unknown[] = [];
  // A page of a rare kind may lie many files away: the cursor goes on where this request stopped looking.
  let { file, line } = from;
  for (let files = 0; files < filesPerPage; files++) {
    const [object] = (await c.env.HISTORY.list({ prefix, limit: 1, startAfter: before(prefix, file) })).objects;
    if (object === undefined) return Response.json({ items, next_cursor: null });
    const name = object.key.slice(prefix.length);
    if (name !== file) [file, line] = [name, 0];
    const lines = ((await (await c.env.HISTORY.get(object.key))?.text()) ?? "").split("\n");
    for (; line < lines.length; line++) {
      if (items.length >= limit) return Response.json({ items, next_cursor: btoa(JSON.stringify([file, line])) });
      const text = lines[line] ?? "";
      if (text === "") continue;
      const difference = JSON.parse(text) as Difference;
      if (what === undefined || (difference.what as readonly string[]).includes(what))
        items.push(withInstants(difference));
    }
    // Sorts behind this file and before the next one.
    [file, line] = [`${name}~`, 0];
  }
  return Response.json({ items, next_cursor: btoa(JSON.stringify([file, line])) });
}

const filesPerPage = 20;

/** `startAfter` is exclusive: the file itself is to be found again, unless it was done with. */
function before(prefix: string, file: string): string {
  return file.endsWith("~") || file === "" ? `${prefix}${file}` : `${prefix}${file.slice(0, -1)}`;
}

function cursorOf(text: string | undefined): { file: string; line: number } | null {
  if (text === undefined) return { file: "", line: 0 };
  try {
    const [file, line] = JSON.parse(atob(text)) as unknown[];
    return typeof file === "string" && typeof line === "number" ? { file, line } : null;
  } catch {
    return null;
  }
}

async function rowOf(c: AppContext): Promise<BacktestRow | Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const row = await ledgerOf(c.env, who.shard)
    .prepare("SELECT * FROM backtests WHERE workspace = ? AND id = ?")
    .bind(who.workspace, c.req.param("id") ?? "")
    .first<BacktestRow>();
  return row ?? problem(404, { code: "no_such_backtest" });
}

function published(row: BacktestRow, whole: boolean): Record<string, unknown> {
  const request = JSON.parse(row.request) as BacktestRequest;
  const checkpoint = JSON.parse(row.checkpoint) as Checkpoint;
  return {
    id: row.id,
    status: row.state,
    ...request,
    from: instantOf(request.from),
    to: instantOf(request.to),
    created_at: instantOf(row.created_at),
    finished_at: row.finished_at === null ? null : instantOf(row.finished_at),
    problem: row.problem,
    ...(row.state === "running"
      ? {
          stage: checkpoint.stage,
          ...(checkpoint.stage === "replay" ? { done: checkpoint.part / checkpoint.parts } : {}),
        }
      : {}),
    ...(whole ? { figures: row.figures === null ? null : (JSON.parse(row.figures) as unknown) } : {}),
  };
}
