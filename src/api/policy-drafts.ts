/**
 * Drafts of the policy: saved with mistakes if need be, compared, worked through, and activated by whoever may. A draft that became a
 * version is gone; the version knows its name.
 */
import * as z from "zod";
import { randomToken } from "../crypto.ts";
import { checklistOf } from "../decide/policy/checklist.ts";
import { type Change, diffOf, rebased } from "../decide/policy/diff.ts";
import { digestOf } from "../decide/policy/digest.ts";
import type { Policy } from "../decide/policy.ts";
import { type ProblemDetails, problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";
import { policyDraftsMax, policyMistakesMax, policyStoredBytesMax } from "../limits.ts";
import { workspaceOf } from "./authorise.ts";
import { instantOf } from "./instants.ts";
import { outletMissing } from "./outlets.ts";
import { backtestMissing, overtaken, versionAsked } from "./policy.ts";
import {
  type Checked,
  checkPolicy,
  invalid,
  isObject,
  listedMistakes,
  note,
  readDocument,
  readPolicyShape,
  saidBy,
  wantsYaml,
  yamlAnswer,
} from "./policy-body.ts";
import {
  activeVersion,
  deleteDraft,
  draftOf,
  draftsOf,
  insertDraft,
  mistakesIn,
  policyIn,
  putInForce,
  type StoredDraft,
  type StoredVersion,
  updateDraft,
  versionNumbered,
  versionOfDraft,
} from "./policy-store.ts";

const envelope = z.strictObject({
  by: saidBy,
  note: note.optional(),
  /** Version that it was written from. */
  base: z.int().min(1).optional(),
  /** When saving again: the revision that was read. */
  revision: z.int().min(1).optional(),
  document: z.record(z.string(), z.unknown()).optional(),
  /** JSON Merge Patch (RFC 7396) of the base. */
  patch: z.record(z.string(), z.unknown()).optional(),
});

interface Written {
  readonly by: string;
  readonly note?: string | undefined;
  readonly base?: number | undefined;
  readonly revision?: number | undefined;
  readonly document: Record<string, unknown>;
}

/** The body is `{by, document}` or `{by, base, patch}`; or the document itself, and the rest stands in the query. */
async function writtenIn(c: AppContext, workspace: string): Promise<Written | Response> {
  const given = await readDocument(c);
  if (given instanceof Response) return given;
  const { value } = given;
  if (!isObject(value)) return invalid([{ path: "", message: "A policy is an object." }]);
  const wrapped = Object.hasOwn(value, "document") || Object.hasOwn(value, "patch");
  const parsed = envelope.safeParse(wrapped ? { ...queried(c), ...value } : { ...queried(c), document: value });
  if (!parsed.success) return invalid(listedMistakes(parsed.error));
  const { document, patch, ...said } = parsed.data;
  if ((document === undefined) === (patch === undefined))
    return invalid([{ path: "", message: "Send either the whole document or a patch." }]);
  const own = document?.version;
  const base = said.base ?? (typeof own === "number" ? own : undefined);
  const from = base === undefined ? null : await versionNumbered(c.env, workspace, base);
  if (patch !== undefined && from === null)
    return invalid([{ path: "base", message: "A patch needs the number of the version that it changes." }]);
  if (said.base !== undefined && from === null)
    return invalid([{ path: "base", message: `There is no version ${said.base}.` }]);
  const { version: _version, ...content } = document ?? merged(from === null ? {} : policyIn(from), patch ?? {});
  if (new TextEncoder().encode(JSON.stringify(content)).length > policyStoredBytesMax)
    return problem(413, { code: "body_too_large", detail: `A policy may be ${policyStoredBytesMax} bytes.` });
  return { ...said, by: said.by.toLowerCase(), base: from?.version, document: content };
}

function queried(c: AppContext): Record<string, unknown> {
  const { by, note: why, base, revision } = c.req.query();
  return {
    ...(by === undefined ? {} : { by }),
    ...(why === undefined ? {} : { note: why }),
    ...(base === undefined ? {} : { base: Number(base) }),
    ...(revision === undefined ? {} : { revision: Number(revision) }),
  };
}

/** RFC 7396: null takes away, objects are merged, everything else replaces. */
function merged(target: object, patch: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else if (isObject(value)) result[name] = merged(isObject(result[name]) ? result[name] : {}, value);
    else result[name] = value;
  }
  return result;
}

/** `POST /v1/policy/drafts` */
export async function createDraft(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const written = await writtenIn(c, who.workspace);
  if (written instanceof Response) return written;
  const base = written.base ?? (await activeVersion(c.env, who.workspace))?.version ?? 1;
  const now = Date.now();
  const draft: StoredDraft = {
    id: `pd_${randomToken(12)}`,
    base,
    ...checkedParts(written.document, base),
    authors: JSON.stringify([written.by]),
    note: written.note ?? "",
    revision: 1,
    created_at: now,
    updated_at: now,
  };
  if (!(await insertDraft(c.env, who.workspace, draft, policyDraftsMax)))
    return problem(409, {
      code: "too_many_drafts",
      detail: `There are ${policyDraftsMax} drafts; delete or activate one first.`,
    });
  return Response.json(publishedDraft(draft), { status: 201 });
}

/** What is stored of a document, and what was found in it. */
function checkedParts(
  document: Record<string, unknown>,
  base: number,
): Pick<StoredDraft, "document" | "digest" | "mistakes"> {
  const checked = checkPolicy(document, base + 1);
  return {
    document: JSON.stringify(document),
    digest: checked.ok ? digestOf(checked.policy) : "",
    mistakes: JSON.stringify(checked.ok ? [] : checked.mistakes.slice(0, policyMistakesMax)),
  };
}

function publishedDraft(draft: StoredDraft): Record<string, unknown> {
  return {
    id: draft.id,
    base: draft.base,
    authors: JSON.parse(draft.authors) as unknown,
    note: draft.note,
    revision: draft.revision,
    digest: draft.digest === "" ? null : draft.digest,
    mistakes: mistakesIn(draft),
    created_at: instantOf(draft.created_at),
    updated_at: instantOf(draft.updated_at),
  };
}

/** `GET /v1/policy/drafts` */
export async function listDrafts(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  return Response.json({ items: (await draftsOf(c.env, who.workspace)).map(publishedDraft) });
}

/** `GET /v1/policy/drafts/:id` */
export async function readDraft(c: AppContext): Promise<Response> {
  const found = await draftAsked(c);
  if (found instanceof Response) return found;
  const document: unknown = JSON.parse(found.draft.document);
  return wantsYaml(c) ? yamlAnswer(document) : Response.json({ ...publishedDraft(found.draft), document });
}

/** `PUT /v1/policy/drafts/:id`: another text; whoever saves it is one of its authors. */
export async function saveDraft(c: AppContext): Promise<Response> {
  const found = await draftAsked(c);
  if (found instanceof Response) return found;
  const { workspace, draft } = found;
  const written = await writtenIn(c, workspace);
  if (written instanceof Response) return written;
  if (written.revision !== undefined && written.revision !== draft.revision) return draftChanged();
  const base = written.base ?? draft.base;
  const authors = [...new Set([...(JSON.parse(draft.authors) as string[]), written.by])];
  const next: StoredDraft = {
    ...draft,
    base,
    ...checkedParts(written.document, base),
    authors: JSON.stringify(authors),
    note: written.note ?? draft.note,
    revision: draft.revision + 1,
    updated_at: Date.now(),
  };
  return (await updateDraft(c.env, workspace, next)) ? Response.json(publishedDraft(next)) : draftChanged();
}

/** `DELETE /v1/policy/drafts/:id` */
export async function removeDraft(c: AppContext): Promise<Response> {
  const found = await draftAsked(c);
  if (found instanceof Response) return found;
  await deleteDraft(c.env, found.workspace, found.draft.id);
  return Response.json({ id: found.draft.id, deleted: true });
}

/** `GET /v1/policy/drafts/:id/diff?against=`: the version in force unless another one is named. */
export async function diffDraft(c: AppContext): Promise<Response> {
  const found = await draftAsked(c);
  if (found instanceof Response) return found;
  const against = await versionAsked(c, found.workspace, c.req.query("against"));
  if (against instanceof Response) return against;
  const shape = shapeOf(found.draft);
  if (!shape.ok)
    return invalid(shape.mistakes, { detail: "What is not a policy cannot be compared with one; mend these first." });
  return Response.json({
    against: against.version,
    draft: found.draft.id,
    changes: diffOf(policyIn(against), shape.policy),
  });
}

/** `GET /v1/policy/drafts/:id/checklist` */
export async function checkDraft(c: AppContext): Promise<Response> {
  const found = await draftAsked(c);
  if (found instanceof Response) return found;
  return Response.json({ plays: checklistOf(JSON.parse(found.draft.document)), mistakes: mistakesIn(found.draft) });
}

function shapeOf(draft: StoredDraft): Checked<Policy> {
  return readPolicyShape(JSON.parse(draft.document), draft.base + 1);
}

const activation = z.strictObject({
  by: saidBy,
  note: note.default(""),
  /** The content that was looked at; absent: whatever stands there now. */
  digest: z.string().max(64).optional(),
  /** The version in force is another one than the draft was written from: put both changes together where they touch different things. */
  rebase: z.boolean().default(false),
});

/** `POST /v1/policy/drafts/:id/activate` */
export async function activateDraft(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const given = await readDocument(c);
  if (given instanceof Response) return given;
  const body = activation.safeParse(given.value);
  if (!body.success) return invalid(listedMistakes(body.error));
  const by = body.data.by.toLowerCase();
  const id = c.req.param("id") ?? "";
  const draft = await draftOf(c.env, who.workspace, id);
  if (draft === null) return activatedBefore(c, who.workspace, id, by);
  if (body.data.digest !== undefined && body.data.digest !== draft.digest) return draftChanged();
  const active = await activeVersion(c.env, who.workspace);
  if (active === null) return problem(404, { code: "no_policy" });
  const from = policyIn(active);
  const authors = JSON.parse(draft.authors) as string[];
  if (from.changes.four_eyes && authors.some((author) => author.toLowerCase() === by))
    return problem(409, {
      code: "four_eyes",
      detail: `Somebody else must activate this: ${by} has written at it, and this workspace wants four eyes.`,
    });
  const next = await contentOf(c, who.workspace, draft, active, body.data.rebase);
  if (next instanceof Response) return next;
  const checked = checkPolicy(next, active.version + 1);
  if (!checked.ok) return invalid(checked.mistakes);
  const refused =
    (await outletMissing(c, who.workspace, checked.policy)) ??
    (await backtestMissing(c, who.workspace, from, checked.policy));
  if (refused !== null) return refused;
  const done = await putInForce(c.env, who.workspace, {
    policy: checked.policy,
    from,
    authors,
    activatedBy: by,
    note: body.data.note === "" ? draft.note : body.data.note,
    draft,
  });
  if (!done) return overtaken();
  return Response.json({ version: checked.policy.version, changes: diffOf(from, checked.policy) });
}

/** Asking again, after an answer that was lost, is answered in the same way. */
async function activatedBefore(c: AppContext, workspace: string, id: string, by: string): Promise<Response> {
  const version = await versionOfDraft(c.env, workspace, id);
  if (version === null || version.activated_by !== by) return noSuchDraft(version);
  const before = await versionNumbered(c.env, workspace, version.version - 1);
  const changes = before === null ? [] : diffOf(policyIn(before), policyIn(version));
  return Response.json({ version: version.version, changes });
}

interface StaleDetails extends ProblemDetails {
  /** What was changed since the draft was begun, and would be undone. */
  readonly overwritten: readonly Change[];
}

/** What would come into force: the draft, or the draft's changes on top of what is in force by now. */
async function contentOf(
  c: AppContext,
  workspace: string,
  draft: StoredDraft,
  active: StoredVersion,
  rebase: boolean,
): Promise<Record<string, unknown> | Response> {
  const document = JSON.parse(draft.document) as Record<string, unknown>;
  if (draft.base === active.version) return document;
  const shape = shapeOf(draft);
  if (!shape.ok) return invalid(shape.mistakes);
  const stored = await versionNumbered(c.env, workspace, draft.base);
  if (stored === null) return problem(404, { code: "no_such_version" });
  const base = policyIn(stored);
  const now = policyIn(active);
  const result = rebased(base, shape.policy, now);
  if (rebase && "document" in result) return result.document;
  // What a rebase would keep is not lost by the draft's doing; without one all of it is.
  const lost = diffOf(base, now).filter(
    ({ path }) => !rebase || ("conflicts" in result && result.conflicts.some((at) => isWithin(path, at))),
  );
  const details: StaleDetails = {
    code: rebase ? "rebase_conflict" : "draft_stale",
    detail: rebase
      ? `Version ${active.version} changed the same things since version ${draft.base}: write the draft anew from it.`
      : `The draft was written from version ${draft.base}, and version ${active.version} is in force: these changes would be undone. Activate with rebase: true to keep both.`,
    overwritten: lost,
  };
  return problem(409, details);
}

/** Whether one of the two paths leads to the other. */
function isWithin(path: readonly string[], other: readonly string[]): boolean {
  return path.every((name, index) => index >= other.length || name === other[index]);
}

async function draftAsked(
  c: AppContext,
): Promise<{ readonly workspace: string; readonly draft: StoredDraft } | Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const id = c.req.param("id") ?? "";
  const draft = await draftOf(c.env, who.workspace, id);
  if (draft !== null) return { workspace: who.workspace, draft };
  return noSuchDraft(await versionOfDraft(c.env, who.workspace, id));
}

function noSuchDraft(became: StoredVersion | null): Response {
  if (became === null) return problem(404, { code: "no_such_draft", detail: "There is no draft of this id." });
  return problem(404, { code: "draft_activated", detail: `This draft became version ${became.version}.` });
}

function draftChanged(): Response {
  return problem(409, { code: "draft_changed", detail: "Somebody has saved this draft since; read it again." });
}
