/**
 * Keeps what was verified and not understood: the body sealed in R2, a row in the ledger where the operator sees it. The
 * vendor gets 2xx, because a refusal would make some of them stop sending (EMITTERS §1).
 */
import { deriveKey, digest, seal } from "../crypto.ts";
import type { Env } from "../env.ts";
import type { Failure } from "../failure.ts";
import { ledgerOf } from "../ledger/shards.ts";
import type { ConfiguredEmitter } from "../workspace.ts";

/** The id comes from the content, so a delivery that is repeated lies there once. Throws when it cannot be kept. */
export async function keepQuarantined(
  env: Env,
  emitter: ConfiguredEmitter,
  body: string,
  failure: Failure,
  now: number,
): Promise<void> {
  const workspace = emitter.workspace.id;
  const id = `qu_${digest(emitter.key, failure.reason, body)}`;
  const place = `quarantine/${workspace}/${id}`;
  await env.HISTORY.put(place, await seal(deriveKey(env.BATON_MASTER_KEY, "quarantine", workspace), id, body));
  await ledgerOf(env, emitter.workspace.shard)
    .prepare("INSERT OR IGNORE INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?)")
    .bind(workspace, id, emitter.name, failure.reason, failure.detail ?? "", now, place)
    .run();
}
