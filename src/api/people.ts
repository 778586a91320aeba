/** Where revenue operations says who is who (`who-is-who.ts`), and what is to be done about exceptions. */
import * as z from "zod";
import { problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";
import { ledgerOf } from "../ledger/shards.ts";
import type { Choice } from "../objects/splitting.ts";
import { workspaceById } from "../workspace.ts";
import { settleByLead, settleInLedger, wayBody } from "./answers.ts";
import { workspaceOf } from "./authorise.ts";
import { exceptionOf, leadIdOf, pairOf } from "./read.ts";
import { checked } from "./setup.ts";
import { cutLink, settlePair } from "./who-is-who.ts";

const leadId = z.string().min(1).max(200);
const by = z.email().max(320);

const splitBody = z
  .strictObject({
    link: z
      .string()
      .regex(/^li_[0-9a-f]{1,64}$/)
      .optional(),
    lead: leadId.optional(),
    by,
  })
  .refine(({ link, lead }) => (link === undefined) !== (lead === undefined), {
    message: "Name either the link or the lead that was merged.",
  });

/** `POST /v1/leads/:id/split`: those on both sides of a link are two people again. */
export async function splitLead(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const body = await checked(c, splitBody);
  if (body instanceof Response) return body;
  const asked = leadIdOf(c);
  if (!areOf(who.workspace, body.lead === undefined ? [asked] : [asked, body.lead])) return noSuchLead();
  const cut = await cutLink(c.env, asked, body);
  switch (cut.arm) {
    case "split":
      return Response.json({ stays: cut.stays, leaves: cut.leaves });
    case "no_such_lead":
      return noSuchLead();
    case "no_such_link":
      return noSuchLink();
    case "under_way":
      return underWay();
  }
}

/** `POST /v1/leads/:id/merge`: the two are one person, whatever the limits of the policy say. */
export async function mergeLeads(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const body = await checked(c, z.strictObject({ with: leadId, by }));
  if (body instanceof Response) return body;
  const pair = [leadIdOf(c), body.with] as const;
  return areOf(who.workspace, pair) ? settle(c, who.workspace, pair, "merge", body.by) : noSuchLead();
}

/** `POST /v1/leads/:id/keep-apart`: the two are two, and no signal joins them from now on. */
export async function keepLeadsApart(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const body = await checked(c, z.strictObject({ from: leadId, by }));
  if (body instanceof Response) return body;
  const pair = [leadIdOf(c), body.from] as const;
  return areOf(who.workspace, pair) ? settle(c, who.workspace, pair, "keep_apart", body.by) : noSuchLead();
}

const settlement = z.strictObject({
  choice: z.enum(["merge", "keep_apart"]),
  by,
  /** For those who look at it later; kept where the question is the ledger's own (`likely_duplicate`). */
  reason: z.string().min(1).max(500).optional(),
});

/** `POST /v1/exceptions/:id`: somebody's answer. Whether two are one is asked in one way, everything else in another. */
export async function answerException(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const row = await exceptionOf(c, who);
  if (row === null) return problem(404, { code: "no_such_exception" });
  const pair = pairOf(row);
  if (pair === null) {
    const body = await checked(c, wayBody);
    if (body instanceof Response) return body;
    return row.lead === "" ? settleInLedger(c, who, row, body) : settleByLead(c, who.workspace, row, body);
  }
  const body = await checked(c, settlement);
  if (body instanceof Response) return body;
  const answer = await settle(c, who.workspace, pair, body.choice, body.by);
  // A conflict is closed by the lead's object, which has it; a likeness is nobody's but the ledger's.
  if (answer.ok && row.reason === "likely_duplicate")
    await closeQuestion(ledgerOf(c.env, who.shard), who.workspace, row.id, body);
  return answer;
}

/** A question that is the ledger's own is answered there. */
export function closeQuestion(
  ledger: D1Database,
  workspace: string,
  id: string,
  { choice, by: settledBy, reason }: z.infer<typeof settlement>,
): Promise<unknown> {
  return ledger
    .prepare(
      `UPDATE exceptions SET state = 'closed', version = version + 1, document = json_patch(document, ?3)
       WHERE workspace = ?1 AND id = ?2 AND (state = 'open' OR document ->> '$.choice' IS NOT ?4)`,
    )
    .bind(
      workspace,
      id,
      JSON.stringify({ choice, settled_by: settledBy, settled_at: Date.now(), settled_because: reason ?? null }),
      choice,
    )
    .run();
}

/** The answer to whoever said it. */
async function settle(
  c: AppContext,
  workspace: string,
  pair: readonly [string, string],
  choice: Choice["choice"],
  settledBy: string,
): Promise<Response> {
  const found = await workspaceById(c.env, workspace, Date.now(), (work) => c.executionCtx.waitUntil(work));
  if (found === null) return noSuchLead();
  const settled = await settlePair(c.env, found.workspace.policy.identity, pair, choice, settledBy);
  switch (settled.arm) {
    case "one":
    case "apart":
      return Response.json({ status: settled.arm });
    case "owed":
      return Response.json({ status: "owed" }, { status: 202 });
    case "no_such_lead":
      return noSuchLead();
    case "same_lead":
      return problem(422, {
        code: settled.arm,
        detail: "A lead cannot be kept apart from itself; name the other one.",
      });
    case "already_one": {
      const { lead, link } = settled;
      const how = `POST /v1/leads/${encodeURIComponent(lead)}/split with {"link": "${link}"}`;
      const details = { code: settled.arm, detail: `They are one person. To make them two, ${how}.`, link };
      return problem(409, details);
    }
    case "too_many_members":
      return tooMany();
    case "under_way":
      return underWay();
  }
}

function underWay(): Response {
  return problem(
    409,
    { code: "merge_under_way", detail: "A merge or a split of this lead is under way; ask again in a moment." },
    { "retry-after": "3" },
  );
}

function areOf(workspace: string, leads: readonly string[]): boolean {
  return leads.every((id) => id.startsWith(`${workspace}/`));
}

function noSuchLead(): Response {
  return problem(404, { code: "no_such_lead", detail: "There is no such lead in this workspace." });
}

function noSuchLink(): Response {
  return problem(404, {
    code: "no_such_link",
    detail:
      "This lead has no such link, and nobody of this name was merged into it; GET /v1/leads/:id lists its links.",
  });
}

function tooMany(): Response {
  return problem(409, {
    code: "too_many_members",
    detail: "Together they would have more identifiers than even a person's word can join.",
  });
}
