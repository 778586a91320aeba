/** Who may call the API: the administrator of the deployment, or the holder of a workspace's key. */
import { digest, sameText } from "../crypto.ts";
import { problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";

/** A workspace key is `bt_<workspace>_<random>`; only its hash is stored. */
export function hashApiKey(key: string): string {
  return digest("api-key", key);
}

/** The workspace whose key was sent, or the answer to give. */
export async function workspaceOf(
  c: AppContext,
): Promise<{ readonly workspace: string; readonly shard: number } | Response> {
  const key = bearerOf(c);
  const workspace = /^bt_([a-z0-9-]{2,40})_[A-Za-z0-9_-]{20,}$/.exec(key)?.[1];
  if (workspace === undefined) return problem(401, { code: "unauthorised" });
  const row = await c.env.CONTROL.prepare("SELECT api_key_hash, shard FROM workspaces WHERE id = ?")
    .bind(workspace)
    .first<{ api_key_hash: string; shard: number }>();
  if (row === null || !sameText(row.api_key_hash, hashApiKey(key))) return problem(401, { code: "unauthorised" });
  return { workspace, shard: row.shard };
}

export function isAdmin(c: AppContext): boolean {
  const token = c.env.BATON_ADMIN_TOKEN;
  return token !== undefined && token !== "" && sameText(bearerOf(c), token);
}

function bearerOf(c: AppContext): string {
  const [scheme, value] = (c.req.header("authorization") ?? "").split(" ", 2);
  return scheme?.toLowerCase() === "bearer" ? (value ?? "") : "";
}
