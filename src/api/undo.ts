/** Undo of what a version of the policy did: its open follow-ups are withdrawn, what a person touched is left and listed. */
import * as z from "zod";
import { type Made, type Undoing, undoOf } from "../decide/undo.ts";
import type { Env } from "../env.ts";
import { problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";
import { ledgerOf } from "../ledger/shards.ts";
import { hopsMax, undoPageMax } from "../limits.ts";
import type { AnswerAnswer, AnswerCall } from "../objects/answering.ts";
import { identityStub } from "../objects/names.ts";
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

interface Row {
  readonly id: string;
  readonly lead: string;
  readonly play: string;
  readonly state: Made["state"];
  readonly holder: string;
  readonly document: string;
}

/**
 * `POST /v1/policy/versions/:version/undo`: a page of its follow-ups at a time, oldest first; to be called again with `next_cursor` until that is
 * null. Calling it again from the beginning is harmless: what is withdrawn stays so.
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
  const rows = await ledgerOf(c.env, who.shard)
    .prepare(
      `SELECT id, lead, play, state, holder, document FROM follow_ups
       WHERE workspace = ? AND id > ? AND document ->> '$.policy_version' = ? ORDER BY id LIMIT ?`,
    )
    .bind(who.workspace, body.cursor ?? "", version, undoPageMax + 1)
    .all<Row>();
  const page = rows.results.slice(0, undoPageMax);
  const withdrawn: Undoing[] = [];
  const left: Undoing[] = [];
  for (const item of undoOf(page.map(madeOf), version)) {
    if (item.arm === "left") left.push(item);
    if (item.arm !== "withdraw") continue;
    if (body.dry_run) {
      withdrawn.push(item);
      continue;
    }
    const answer = await withdraw(c.env, item, version, body.by);
    if (answer === "withdrawn") withdrawn.push(item);
    else left.push({ ...item, arm: "left", because: answer });
  }
  const next = rows.results.length > undoPageMax ? (page.at(-1)?.id ?? null) : null;
  return Response.json({ version, dry_run: body.dry_run, withdrawn, left, next_cursor: next });
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
  let target = item.lead;
  for (let hops = 0; hops < hopsMax; hops++) {
    const stub = identityStub(env, target) as unknown as { answer(call: AnswerCall): Promise<AnswerAnswer> };
    const answer = await stub.answer(call);
    switch (answer.arm) {
      case "moved":
        target = answer.to;
        continue;
      case "ok":
        return "withdrawn";
      case "refused":
        return answer.detail;
      case "busy":
        return "this lead is being erased";
      case "unknown":
        return "it is not known there any more";
    }
  }
  return "its lead could not be found; try again";
}
