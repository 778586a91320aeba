/** What people say about exceptions and follow-ups, by way of the API: checked here, decided by the lead's object. */
import * as z from "zod";
import { timeToAnswer } from "../decide/answerable.ts";
import type { Env } from "../env.ts";
import { problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";
import { takeInLedger } from "../ledger/overdue.ts";
import { ledgerOf } from "../ledger/shards.ts";
import { traitLengthMax } from "../limits.ts";
import type { AnswerAnswer, AnswerCall } from "../objects/answering.ts";
import { askIdentity } from "../objects/names.ts";
import { workspaceById } from "../workspace.ts";
import { workspaceOf } from "./authorise.ts";
import { chooseValue } from "./field-answers.ts";
import { type ExceptionOfPeople, leadIdOf } from "./read.ts";
import { checked } from "./setup.ts";

const by = z.email().max(320);
const reason = z.string().min(1).max(500);
const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const edit = z
  .strictObject({
    holder: by.optional(),
    priority: z.enum(["low", "medium", "high"]).optional(),
    due_at: instant.optional(),
  })
  .refine((given) => Object.values(given).some((value) => value !== undefined), "Say what is to be changed.");

/** Ways out of every exception that is not about who is who. */
export const wayBody = z.discriminatedUnion("choice", [
  z.strictObject({ choice: z.literal("approve"), by, edit: edit.optional() }),
  z.strictObject({ choice: z.literal("retry"), by }),
  z.strictObject({ choice: z.literal("reassign"), by, to: by }),
  z.strictObject({ choice: z.literal("take"), by, to: by.optional() }),
  /** Of a field of which several tell different things: one of their values, or another. */
  z.strictObject({ choice: z.literal("choose"), by, value: z.string().trim().min(1).max(traitLengthMax) }),
  z.strictObject({ choice: z.literal("dismiss"), by, reason }),
]);

/** Tells the lead's object; its answer as an HTTP one. */
export async function settleByLead(
  c: AppContext,
  workspace: string,
  row: ExceptionOfPeople,
  body: z.infer<typeof wayBody>,
): Promise<Response> {
  const found = await workspaceById(c.env, workspace, Date.now(), (work) => c.executionCtx.waitUntil(work));
  if (found === null) return problem(404, { code: "no_such_exception" });
  const { policy, targets } = found.workspace;
  const due_in_ms = timeToAnswer(policy, row.reason);
  if (body.choice === "choose") {
    const refusal = await chooseValue(c.env, found, row, body);
    if (refusal !== null) return refusal;
  }
  const way = body.choice === "take" ? { choice: body.choice, to: body.to ?? body.by, due_in_ms } : body;
  const call: AnswerCall = { exception: row.id, way, targets, by: body.by, at: Date.now() };
  return responseTo(await ask(c.env, row.lead, call), "no_such_exception");
}

/** A question that only the ledger has: about an emitter, not about a lead. */
export async function settleInLedger(
  c: AppContext,
  who: { readonly workspace: string; readonly shard: number },
  row: ExceptionOfPeople,
  body: z.infer<typeof wayBody>,
): Promise<Response> {
  if (body.choice === "approve" || body.choice === "retry" || body.choice === "choose") {
    const detail = "This is about a tool, not about a lead: take it, give it to somebody, or dismiss it.";
    return problem(409, { code: "not_possible", detail });
  }
  const ledger = ledgerOf(c.env, who.shard);
  if (body.choice === "dismiss") {
    const settled = JSON.stringify({
      how: "dismissed",
      note: body.reason,
      settled_by: body.by,
      settled_at: Date.now(),
    });
    await ledger
      .prepare(
        `UPDATE exceptions SET state = 'closed', version = version + 1, document = json_patch(document, ?3)
         WHERE workspace = ?1 AND id = ?2 AND state = 'open'`,
      )
      .bind(who.workspace, row.id, settled)
      .run();
  } else {
    const now = Date.now();
    const found = await workspaceById(c.env, who.workspace, now, (work) => c.executionCtx.waitUntil(work));
    if (found === null) return problem(404, { code: "no_such_exception" });
    await takeInLedger(ledger, found.workspace.policy, who.workspace, row, { by: body.to ?? body.by, at: now });
  }
  return Response.json({ status: "ok" });
}

const wordBody = z.discriminatedUnion("choice", [
  z.strictObject({
    choice: z.literal("done"),
    by,
    outcome: z.enum(["contacted", "replied", "converted", "no_answer", "not_a_fit"]).default("contacted"),
  }),
  z.strictObject({ choice: z.literal("dismiss"), by, reason }),
  z.strictObject({ choice: z.literal("reassign"), by, to: by }),
  z.strictObject({ choice: z.literal("snooze"), by, until: instant }),
]);

/** `POST /v1/follow-ups/:id`: what its holder says of it. */
export async function tellOfFollowUp(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const body = await checked(c, wordBody);
  if (body instanceof Response) return body;
  const id = leadIdOf(c);
  const row = await ledgerOf(c.env, who.shard)
    .prepare("SELECT lead FROM follow_ups WHERE workspace = ? AND id = ?")
    .bind(who.workspace, id)
    .first<{ lead: string }>();
  if (row === null) return problem(404, { code: "no_such_follow_up" });
  const { by: speaker, ...word } = body;
  return responseTo(
    await ask(c.env, row.lead, { follow_up: id, word, by: speaker, at: Date.now() }),
    "no_such_follow_up",
  );
}

function responseTo(answer: AnswerAnswer | null, unknown: string): Response {
  switch (answer?.arm) {
    case "ok":
      return Response.json({ status: "ok" });
    case "refused":
      return problem(409, { code: "not_possible", detail: answer.detail });
    case "unknown":
      return problem(404, { code: unknown, detail: "It is not among what this lead has any more." });
    default:
      return problem(
        409,
        { code: "busy", detail: "This lead is changing; ask again in a moment." },
        { "retry-after": "3" },
      );
  }
}

/** Follows the lead to wherever it is by now; null where it does not come to rest. */
export function ask(env: Env, lead: string, call: AnswerCall): Promise<Exclude<AnswerAnswer, { arm: "moved" }> | null> {
  return askIdentity(env, lead, (stub: { answer(call: AnswerCall): Promise<AnswerAnswer> }) => stub.answer(call));
}
