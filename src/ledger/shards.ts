/** Ledger shards: D1 holds 10 GB behind one writer, so workspaces are placed on `LEDGER_n` bindings (DESIGN §8). */
import type { Env } from "../env.ts";

/** Throws when a workspace is placed on a shard that this deployment does not bind: a mistake of ours, never of a user. */
export function ledgerOf(env: Env, shard: number): D1Database {
  const binding = `LEDGER_${shard}`;
  const ledger = (env as unknown as Record<string, unknown>)[binding];
  if (ledger === undefined) throw new Error(`no binding ${binding}`);
  return ledger as D1Database;
}
