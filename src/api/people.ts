/**
 * Where revenue operations says who is who: two leads are one, or are two, or were wrongly made one. What is said is an
 * obligation of the lead's object when the answer leaves. Objects move while they are asked; so each attempt reads both anew,
 * and saying the same twice changes nothing.
 */
import * as z from "zod";
import type { IdentityPolicy } from "../decide/identity-policy.ts";
import type { Env } from "../env.ts";
import { problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";
import { ledgerOf } from "../ledger/shards.ts";
import { identityStub } from "../objects/names.ts";
import type { Choice, ChoiceAnswer, SplitAnswer, SplitCall } from "../objects/splitting.ts";
import { guard, profileOf } from "../resolve/guard.ts";
import type { Apart, Root } from "../resolve/node.ts";
import { reach, type Tie, tieId } from "../resolve/ties.ts";
import { workspaceById } from "../workspace.ts";
import { settleByLead, settleInLedger, wayBody } from "./answers.ts";
import { workspaceOf } from "./authorise.ts";
import { exceptionOf, leadIdOf, pairOf, viewOf } from "./read.ts";
import { checked } from "./setup.ts";

/** What is on its way usually arrives within this; whoever asked is told to come again after it. */
const patienceMs = 3_000;
const pauseMs = 100;

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
  const tie = body.link ?? body.lead ?? "";
  return patiently(async () => {
    const root = await rootOf(c.env, asked);
    if (root === null) return noSuchLead();
    const answer = await splitting(c.env, root.name).split({ tie, by: body.by, at: Date.now() });
    switch (answer.arm) {
      case "split":
        return Response.json({ stays: answer.stays, leaves: answer.leaves });
      case "no_such_link":
        return splitBefore(c.env, root, body);
      case "moved":
      case "busy":
        return null;
    }
  });
}

/** There is no such link: because it was cut already, because its merge is still under way (null), or because there never was. */
async function splitBefore(
  env: Env,
  root: Root,
  { link, lead }: { readonly link?: string | undefined; readonly lead?: string | undefined },
): Promise<Response | null> {
  const partings = root.apart.filter((item) => item.reason === "split");
  const known = partings.find(({ from, node }) => tieId({ a: from, b: node }) === link);
  const wanted = lead ?? known?.node;
  const other = wanted === undefined ? null : await rootOf(env, wanted);
  if (other === null || wanted === undefined) return noSuchLink();
  // Sealed, and its state has not arrived: its link comes with it.
  if (other.name === root.name) return nodesOf(root).includes(wanted) ? noSuchLink() : null;
  if (known === undefined && !partings.some(({ node }) => nodesOf(other).includes(node))) return noSuchLink();
  // Whoever left was restored from the other one's log.
  const swapped = root.restored !== undefined && other.restored === undefined;
  return Response.json({ stays: swapped ? other.name : root.name, leaves: swapped ? root.name : other.name });
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
    await close(ledgerOf(c.env, who.shard), who.workspace, row.id, body);
  return answer;
}

function close(
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

/* ------------------------------------------------------------------------------------------ one or two */

/** The second of the pair may be an identifier that is nobody's yet, where the first one has a question about it. */
async function settle(
  c: AppContext,
  workspace: string,
  pair: readonly [string, string],
  choice: Choice["choice"],
  settledBy: string,
): Promise<Response> {
  const found = await workspaceById(c.env, workspace, Date.now(), (work) => c.executionCtx.waitUntil(work));
  if (found === null) return noSuchLead();
  const { identity } = found.workspace.policy;
  return patiently(async () => {
    const [mine, theirs] = await Promise.all(pair.map((id) => rootOf(c.env, id)));
    if (mine == null || (theirs == null && !mine.apart.some(({ node }) => node === pair[1]))) return noSuchLead();
    if (theirs?.name === mine.name) return choice === "merge" ? Response.json({ status: "one" }) : already(mine, pair);
    const at = Date.now();
    const calls =
      choice === "merge" ? toMerge(mine, theirs ?? null, pair[1]) : toKeepApart(mine, theirs ?? null, pair[1]);
    if (choice === "merge" && theirs != null && !fits(mine, theirs, identity, at)) return tooMany();
    for (const { name, node } of calls) {
      const answer = await choosing(c.env, name).choose({ choice, node, by: settledBy, at });
      // It has become something else since it was read.
      if (answer.arm !== "ok") return null;
    }
    return choice === "merge" ? Response.json({ status: "owed" }, { status: 202 }) : Response.json({ status: "apart" });
  });
}

/** Which object is told of which node. */
interface Telling {
  readonly name: string;
  readonly node: string;
}

/** Where one of them has the question, it is the one to be told: its link is then made over the identifier in question. */
function toMerge(mine: Root, theirs: Root | null, wanted: string): readonly Telling[] {
  if (isOwed(mine, theirs)) return [];
  const [question] = [
    ...questions(mine, theirs, wanted),
    ...(theirs === null ? [] : questions(theirs, mine, mine.name)),
  ].sort((a, b) => (a.state === b.state ? 0 : a.state === "open" ? -1 : 1));
  return [question ?? { name: mine.name, node: theirs?.name ?? wanted }];
}

/** Every open question between the two is answered with it. */
function toKeepApart(mine: Root, theirs: Root | null, wanted: string): readonly Telling[] {
  const all = [...questions(mine, theirs, wanted), ...(theirs === null ? [] : questions(theirs, mine, mine.name))];
  const open = all.filter(({ state }) => state === "open");
  if (open.length > 0) return open;
  return all.length > 0 && !isOwed(mine, theirs) ? [] : [{ name: mine.name, node: theirs?.name ?? wanted }];
}

/** What `of` knows of links to the other one that were not made. */
function questions(of: Root, other: Root | null, wanted: string): readonly (Telling & Pick<Apart, "state">)[] {
  const nodes = other === null ? [wanted] : nodesOf(other);
  return of.apart
    .filter((item) => nodes.includes(item.node))
    .map(({ node, state }) => ({ name: of.name, node, state }));
}

/** A person has said that they are one, and the merge is under way. */
function isOwed(mine: Root, theirs: Root | null): boolean {
  const owes = (root: Root, nodes: readonly string[]) =>
    root.links.some(({ node, authority }) => authority.type === "person" && nodes.includes(node));
  return theirs !== null && (owes(mine, nodesOf(theirs)) || owes(theirs, nodesOf(mine)));
}

/** The one bound that also holds for what people say. */
function fits(mine: Root, theirs: Root, rules: IdentityPolicy, at: number): boolean {
  const said = { type: "person", at } as const;
  return guard(profileOf(mine), profileOf(theirs), { type: "person", value: "" }, rules, said) !== "too_many_members";
}

/** They are one; the link to cut is the latest between the two names that made one of two. Null while it is on its way. */
function already(root: Root, [a, b]: readonly [string, string]): Response | null {
  if (a === b)
    return problem(422, { code: "same_lead", detail: "A lead cannot be kept apart from itself; name the other one." });
  const between = reach(root.ties, a).has(b) ? root.ties.filter((tie) => !reach(root.ties, a, tie).has(b)) : [];
  const tie = latest(between.filter(({ loser }) => loser !== undefined)) ?? latest(between);
  if (tie === undefined) return null;
  const link = tieId(tie);
  const how = `POST /v1/leads/${encodeURIComponent(root.name)}/split with {"link": "${link}"}`;
  const details = { code: "already_one", detail: `They are one person. To make them two, ${how}.`, link };
  return problem(409, details);
}

function latest(ties: readonly Tie[]): Tie | undefined {
  return ties.reduce<Tie | undefined>((last, tie) => (last === undefined || tie.at > last.at ? tie : last), undefined);
}

function nodesOf(root: Root): readonly string[] {
  return [root.name, ...root.members];
}

/* ------------------------------------------------------------------------------------------ asking */

/** Asks until there is an answer; null means that something is on its way. */
async function patiently(ask: () => Promise<Response | null>): Promise<Response> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (Date.now() >= end) break;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return problem(
    409,
    { code: "merge_under_way", detail: "A merge or a split of this lead is under way; ask again in a moment." },
    { "retry-after": "3" },
  );
}

async function rootOf(env: Env, id: string): Promise<Root | null> {
  return (await viewOf(env, id))?.root ?? null;
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

/** The generated stub type of these calls is too deep for the compiler. */
function choosing(env: Env, name: string): { choose(call: Choice): Promise<ChoiceAnswer> } {
  return identityStub(env, name) as unknown as { choose(call: Choice): Promise<ChoiceAnswer> };
}

function splitting(env: Env, name: string): { split(call: SplitCall): Promise<SplitAnswer> } {
  return identityStub(env, name) as unknown as { split(call: SplitCall): Promise<SplitAnswer> };
}
