/** The policy in force: read, written the short way, put back; its versions, its schema and the pages it is published as. */
import * as z from "zod";
import { diffOf } from "../decide/policy/diff.ts";
import { digestOf } from "../decide/policy/digest.ts";
import { ownershipPage, routingMatrix } from "../decide/policy/export.ts";
import { policyJsonSchema } from "../decide/policy/json-schema.ts";
import { csvOf, longTable, markdownOf } from "../decide/policy/tables.ts";
import type { Policy } from "../decide/policy.ts";
import { problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";
import { configTtlMs, pageSizeMax } from "../limits.ts";
import { workspaceOf } from "./authorise.ts";
import { instantOf } from "./instants.ts";
import { outletMissing } from "./outlets.ts";
import {
  checkPolicy,
  invalid,
  isObject,
  listedMistakes,
  note,
  readDocument,
  saidBy,
  wantsYaml,
  yamlAnswer,
} from "./policy-body.ts";
import {
  activeVersion,
  policyIn,
  putInForce,
  type StoredVersion,
  versionNumbered,
  versionsBelow,
  wasBacktested,
} from "./policy-store.ts";

/** `GET /v1/policy` */
export async function readPolicy(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const active = await activeVersion(c.env, who.workspace);
  return active === null ? noPolicy() : documentAnswer(c, active);
}

/** `PUT /v1/policy`: draft and activation in one, by one person. Its `version` is the present one plus one, so that nobody overwrites unseen. */
export async function writePolicy(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const by = c.req.query("by");
  if (by !== undefined && !saidBy.safeParse(by).success)
    return invalid([{ path: "by", message: "This is not an e-mail address." }]);
  const given = await readDocument(c);
  if (given instanceof Response) return given;
  const version = isObject(given.value) && typeof given.value.version === "number" ? given.value.version : Number.NaN;
  const checked = checkPolicy(given.value, version);
  if (!checked.ok) return invalid(checked.mistakes);
  const active = await activeVersion(c.env, who.workspace);
  if (active === null || version !== active.version + 1)
    return problem(409, { code: "policy_version", detail: `The next version is ${(active?.version ?? 0) + 1}.` });
  const from = policyIn(active);
  if (from.changes.four_eyes)
    return problem(409, {
      code: "four_eyes",
      detail: "Here a second person activates what the first one wrote: save a draft and have it activated.",
    });
  const refused =
    (await outletMissing(c, who.workspace, checked.policy)) ??
    (await backtestMissing(c, who.workspace, from, checked.policy));
  if (refused !== null) return refused;
  const author = by ?? "api";
  const done = await putInForce(c.env, who.workspace, {
    policy: checked.policy,
    from,
    authors: [author],
    activatedBy: author,
    note: c.req.query("note")?.slice(0, 500) ?? "",
  });
  return done ? Response.json({ version }) : overtaken();
}

/** The refusal where the policy in force wants a backtest of what is to follow it, and there is none. */
export async function backtestMissing(
  c: AppContext,
  workspace: string,
  active: Policy,
  next: Policy,
): Promise<Response | null> {
  if (!active.changes.backtest_required || (await wasBacktested(c.env, workspace, digestOf(next)))) return null;
  return problem(409, {
    code: "backtest_required",
    detail: "The policy in force asks for a finished backtest of exactly this content, and there is none yet.",
  });
}

export function overtaken(): Response {
  return problem(409, { code: "policy_version", detail: "Somebody was faster; read the policy again." });
}

function noPolicy(): Response {
  return problem(404, { code: "no_policy" });
}

const rollback = z.strictObject({ to: z.int().min(1), by: saidBy, note: note.default("") });

/**
 * `POST /v1/policy/rollback`: an earlier version's content as the next version. An emergency, so one person may, and nothing but what the
 * engine needs to run is checked again; mistakes that today's check finds are told.
 */
export async function rollBack(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const given = await readDocument(c);
  if (given instanceof Response) return given;
  const body = rollback.safeParse(given.value);
  if (!body.success) return invalid(listedMistakes(body.error));
  const { to, by, note: why } = body.data;
  const [active, wanted] = [await activeVersion(c.env, who.workspace), await versionNumbered(c.env, who.workspace, to)];
  if (active === null || wanted === null) return noSuchVersion(to);
  if (to === active.version)
    return problem(409, { code: "in_force", detail: `Version ${to} is in force; there is nothing to put back.` });
  const policy: Policy = { ...policyIn(wanted), version: active.version + 1 };
  const done = await putInForce(c.env, who.workspace, {
    policy,
    from: policyIn(active),
    authors: wantedAuthors(wanted),
    activatedBy: by.toLowerCase(),
    note: why,
    restores: to,
  });
  if (!done) return overtaken();
  const checked = checkPolicy(policy, policy.version);
  return Response.json({
    version: policy.version,
    restores: to,
    // An isolate serves its copy for one span, and once more while it reads the new one.
    everywhere_within_seconds: (2 * configTtlMs) / 1000,
    mistakes: checked.ok ? [] : checked.mistakes,
  });
}

function wantedAuthors({ authors, author }: StoredVersion): readonly string[] {
  const list = JSON.parse(authors) as string[];
  return list.length > 0 ? list : [author];
}

/** `GET /v1/policy/versions`, the newest first. */
export async function listVersions(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const limit = Math.min(Math.max(1, Math.trunc(Number(c.req.query("limit") ?? 50)) || 50), pageSizeMax);
  const cursor = c.req.query("cursor");
  if (cursor !== undefined && !/^\d{1,9}$/.test(cursor))
    return problem(400, { code: "bad_cursor", detail: "Use the next_cursor of the page before." });
  const [active, rows] = [
    await activeVersion(c.env, who.workspace),
    await versionsBelow(
      c.env,
      who.workspace,
      cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor),
      limit + 1,
    ),
  ];
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return Response.json({
    items: page.map((row) => ({ ...publishedVersion(row), in_force: row.version === active?.version })),
    next_cursor: rows.length > limit && last !== undefined ? String(last.version) : null,
  });
}

function publishedVersion(row: StoredVersion): Record<string, unknown> {
  return {
    version: row.version,
    authors: wantedAuthors(row),
    activated_by: row.activated_by === "" ? row.author : row.activated_by,
    at: instantOf(row.created_at),
    note: row.note,
    restores: row.restores,
    summary: JSON.parse(row.summary) as unknown,
  };
}

/** `GET /v1/policy/versions/:version` */
export async function readVersion(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const row = await versionAsked(c, who.workspace, c.req.param("version"));
  if (row instanceof Response) return row;
  if (wantsYaml(c)) return yamlAnswer(policyIn(row));
  return Response.json({ ...publishedVersion(row), document: policyIn(row) });
}

/** `GET /v1/policy/versions/:version/diff?against=`: the version before it unless another one is named. */
export async function diffVersion(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const row = await versionAsked(c, who.workspace, c.req.param("version"));
  if (row instanceof Response) return row;
  const against = await versionAsked(c, who.workspace, c.req.query("against") ?? String(Math.max(1, row.version - 1)));
  if (against instanceof Response) return against;
  return Response.json({
    against: against.version,
    version: row.version,
    changes: diffOf(policyIn(against), policyIn(row)),
  });
}

/** By number, or `active`; the answer to give where there is none. */
export async function versionAsked(
  c: AppContext,
  workspace: string,
  asked: string | undefined,
): Promise<StoredVersion | Response> {
  if (asked === undefined || asked === "active") return (await activeVersion(c.env, workspace)) ?? noPolicy();
  const row = /^\d{1,9}$/.test(asked) ? await versionNumbered(c.env, workspace, Number(asked)) : null;
  return row ?? noSuchVersion(asked);
}

function noSuchVersion(version: number | string): Response {
  return problem(404, { code: "no_such_version", detail: `There is no version ${String(version).slice(0, 20)}.` });
}

function documentAnswer(c: AppContext, row: StoredVersion): Response {
  if (wantsYaml(c)) return yamlAnswer(policyIn(row));
  return new Response(row.document, { headers: { "content-type": "application/json", vary: "accept" } });
}

let schemaText: string | undefined;

/** `GET /v1/policy/schema`: for editors, which have no key; it says nothing about anybody. */
export function readPolicySchema(): Response {
  schemaText ??= JSON.stringify(policyJsonSchema());
  return new Response(schemaText, {
    headers: { "content-type": "application/schema+json", "cache-control": "public, max-age=3600" },
  });
}

/** `GET /v1/policy/routing.md`, `routing.csv`, `ownership.md`, `ownership.csv`; of the version in force, or `?version=`. */
export async function readPolicyPage(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const row = await versionAsked(c, who.workspace, c.req.query("version"));
  if (row instanceof Response) return row;
  const policy = policyIn(row);
  const [page, form] = (c.req.path.split("/").at(-1) ?? "").split(".");
  const tables = page === "routing" ? [routingMatrix(policy)] : ownershipPage(policy);
  if (form === "md") {
    const heading = page === "routing" ? "Routing" : "Ownership";
    return text(markdownOf(`${heading}, policy version ${row.version}`, tables), "text/markdown");
  }
  const [first] = tables;
  return text(csvOf(page === "routing" && first !== undefined ? first : longTable(tables)), "text/csv");
}

function text(body: string, type: string): Response {
  return new Response(body, { headers: { "content-type": `${type}; charset=utf-8` } });
}
