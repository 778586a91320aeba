/** Versions and drafts of policies in the control database. A version never changes; which one is in force moves by compare-and-set. */
import { canonicalJson } from "../crypto.ts";
import { diffOf } from "../decide/policy/diff.ts";
import { type Policy, policyShape } from "../decide/policy.ts";
import type { Env } from "../env.ts";
import { forgetConfig } from "../workspace.ts";
import type { ListedMistake } from "./policy-body.ts";

export interface StoredVersion {
  readonly version: number;
  readonly document: string;
  readonly author: string;
  /** JSON. */
  readonly authors: string;
  readonly activated_by: string;
  readonly note: string;
  readonly draft: string | null;
  readonly restores: number | null;
  /** JSON. */
  readonly summary: string;
  /** Epoch ms at which it came into force. */
  readonly created_at: number;
}

export interface StoredDraft {
  readonly id: string;
  readonly base: number;
  readonly document: string;
  /** JSON. */
  readonly authors: string;
  readonly note: string;
  readonly revision: number;
  readonly digest: string;
  /** JSON. */
  readonly mistakes: string;
  readonly created_at: number;
  readonly updated_at: number;
}

const versionColumns =
  "p.version, p.document, p.author, p.authors, p.activated_by, p.note, p.draft, p.restores, p.summary, p.created_at";

/** What is in force. */
export function activeVersion(env: Env, workspace: string): Promise<StoredVersion | null> {
  return env.CONTROL.prepare(
    `SELECT ${versionColumns} FROM workspaces w JOIN policies p ON p.workspace = w.id AND p.version = w.policy_version WHERE w.id = ?`,
  )
    .bind(workspace)
    .first<StoredVersion>();
}

export function versionNumbered(env: Env, workspace: string, version: number): Promise<StoredVersion | null> {
  return env.CONTROL.prepare(`SELECT ${versionColumns} FROM policies p WHERE p.workspace = ? AND p.version = ?`)
    .bind(workspace, version)
    .first<StoredVersion>();
}

/** The version that a draft became, where it did. */
export function versionOfDraft(env: Env, workspace: string, draft: string): Promise<StoredVersion | null> {
  return env.CONTROL.prepare(`SELECT ${versionColumns} FROM policies p WHERE p.workspace = ? AND p.draft = ?`)
    .bind(workspace, draft)
    .first<StoredVersion>();
}

/** The newest first, below `before`. Without their documents. */
export async function versionsBelow(
  env: Env,
  workspace: string,
  before: number,
  limit: number,
): Promise<readonly StoredVersion[]> {
  const rows = await env.CONTROL.prepare(
    `SELECT ${versionColumns.replace("p.document", "'' AS document")} FROM policies p WHERE p.workspace = ? AND p.version < ? ORDER BY p.version DESC LIMIT ?`,
  )
    .bind(workspace, before, limit)
    .all<StoredVersion>();
  return rows.results;
}

/** A stored version was checked when it was stored; only what it left out since then is filled in. */
export function policyIn({ document }: Pick<StoredVersion, "document">): Policy {
  return policyShape.parse(JSON.parse(document));
}

export interface NewVersion {
  /** Its `version` follows that of `from`. */
  readonly policy: Policy;
  readonly from: Policy;
  readonly authors: readonly string[];
  readonly activatedBy: string;
  readonly note: string;
  readonly restores?: number;
  /** Comes into force only if nobody has saved it since. */
  readonly draft?: StoredDraft;
}

/** Puts a version in force, if the one before it still is. False: somebody was faster, and nothing is changed. */
export async function putInForce(env: Env, workspace: string, made: NewVersion): Promise<boolean> {
  const { policy, draft } = made;
  const before = policy.version - 1;
  const changes = diffOf(made.from, policy);
  const summary = JSON.stringify({
    changes: changes.length,
    sentences: changes.slice(0, sentencesMax).map(({ text }) => text),
  });
  const unchanged = "EXISTS (SELECT 1 FROM policy_drafts WHERE workspace = ? AND id = ? AND revision = ?)";
  const [inserted] = await env.CONTROL.batch([
    env.CONTROL.prepare(
      `INSERT OR IGNORE INTO policies (workspace, version, document, author, created_at, authors, activated_by, note, draft, restores, summary)
       SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
       WHERE EXISTS (SELECT 1 FROM workspaces WHERE id = ? AND policy_version = ?)${draft === undefined ? "" : ` AND ${unchanged}`}`,
    ).bind(
      workspace,
      policy.version,
      canonicalJson(policy),
      made.authors[0] ?? made.activatedBy,
      Date.now(),
      JSON.stringify(made.authors),
      made.activatedBy,
      made.note,
      draft?.id ?? null,
      made.restores ?? null,
      summary,
      workspace,
      before,
      ...(draft === undefined ? [] : [workspace, draft.id, draft.revision]),
    ),
    env.CONTROL.prepare(
      "UPDATE workspaces SET policy_version = ?1 WHERE id = ?2 AND policy_version = ?3 AND EXISTS (SELECT 1 FROM policies WHERE workspace = ?2 AND version = ?1)",
    ).bind(policy.version, workspace, before),
    env.CONTROL.prepare(
      "DELETE FROM policy_drafts WHERE workspace = ?1 AND id = ?2 AND EXISTS (SELECT 1 FROM policies WHERE workspace = ?1 AND version = ?3 AND draft = ?2)",
    ).bind(workspace, draft?.id ?? "", policy.version),
  ]);
  if (inserted?.meta.changes === 0) return false;
  forgetConfig(env);
  return true;
}

/** Sentences of the difference that a version keeps about itself. */
const sentencesMax = 12;

export function draftOf(env: Env, workspace: string, id: string): Promise<StoredDraft | null> {
  return env.CONTROL.prepare("SELECT * FROM policy_drafts WHERE workspace = ? AND id = ?")
    .bind(workspace, id)
    .first<StoredDraft>();
}

/** Without their documents, the latest first. */
export async function draftsOf(env: Env, workspace: string): Promise<readonly StoredDraft[]> {
  const rows = await env.CONTROL.prepare(
    "SELECT id, base, '' AS document, authors, note, revision, digest, mistakes, created_at, updated_at FROM policy_drafts WHERE workspace = ? ORDER BY updated_at DESC, id",
  )
    .bind(workspace)
    .all<StoredDraft>();
  return rows.results;
}

/** False: there are too many already. */
export async function insertDraft(env: Env, workspace: string, draft: StoredDraft, most: number): Promise<boolean> {
  const { meta } = await env.CONTROL.prepare(
    `INSERT INTO policy_drafts (workspace, id, base, document, authors, note, revision, digest, mistakes, created_at, updated_at)
     SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE (SELECT COUNT(*) FROM policy_drafts WHERE workspace = ?) < ?`,
  )
    .bind(
      workspace,
      draft.id,
      draft.base,
      draft.document,
      draft.authors,
      draft.note,
      draft.revision,
      draft.digest,
      draft.mistakes,
      draft.created_at,
      draft.updated_at,
      workspace,
      most,
    )
    .run();
  return meta.changes > 0;
}

/** Saves the next revision. False: somebody saved or activated it meanwhile. */
export async function updateDraft(env: Env, workspace: string, draft: StoredDraft): Promise<boolean> {
  const { meta } = await env.CONTROL.prepare(
    "UPDATE policy_drafts SET base = ?, document = ?, authors = ?, note = ?, revision = ?, digest = ?, mistakes = ?, updated_at = ? WHERE workspace = ? AND id = ? AND revision = ?",
  )
    .bind(
      draft.base,
      draft.document,
      draft.authors,
      draft.note,
      draft.revision,
      draft.digest,
      draft.mistakes,
      draft.updated_at,
      workspace,
      draft.id,
      draft.revision - 1,
    )
    .run();
  return meta.changes > 0;
}

export async function deleteDraft(env: Env, workspace: string, id: string): Promise<boolean> {
  const { meta } = await env.CONTROL.prepare("DELETE FROM policy_drafts WHERE workspace = ? AND id = ?")
    .bind(workspace, id)
    .run();
  return meta.changes > 0;
}

/** Whether a backtest of exactly this content has finished. */
export async function wasBacktested(env: Env, workspace: string, digest: string): Promise<boolean> {
  const row = await env.CONTROL.prepare(
    "SELECT 1 FROM policy_backtests WHERE workspace = ? AND digest = ? AND finished_at IS NOT NULL LIMIT 1",
  )
    .bind(workspace, digest)
    .first();
  return row !== null;
}

export function mistakesIn({ mistakes }: StoredDraft): readonly ListedMistake[] {
  return JSON.parse(mistakes) as ListedMistake[];
}
