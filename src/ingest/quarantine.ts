/**
 * Keeps what was verified and not understood: the body sealed in R2, a row in the ledger where the operator sees it. The
 * vendor gets 2xx, because a refusal would make some of them stop sending (EMITTERS §1).
 */
import { deriveKey, digest, seal } from "../crypto.ts";
import type { Env } from "../env.ts";
import { type Failure, quarantined } from "../failure.ts";
import { ledgerOf } from "../ledger/shards.ts";

export interface Place {
  readonly workspace: string;
  /** Ledger shard of the workspace. */
  readonly shard: number;
  /** Name of the emitter. */
  readonly emitter: string;
}

export const keyConflict = quarantined("key_conflict", "This key is known with another body.");

/** The id comes from the content, so a delivery that is repeated lies there once. Throws when it cannot be kept. */
export async function keepQuarantined(
  env: Env,
  place: Place,
  body: string,
  failure: Failure,
  now: number,
): Promise<void> {
  const { workspace, shard, emitter } = place;
  const id = `qu_${digest(emitter, failure.reason, body)}`;
  const object = `quarantine/${workspace}/${id}`;
  await env.HISTORY.put(object, await seal(deriveKey(env.BATON_MASTER_KEY, "quarantine", workspace), id, body));
  await ledgerOf(env, shard)
    .prepare("INSERT OR IGNORE INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?)")
    .bind(workspace, id, emitter, failure.reason, failure.detail ?? "", now, object)
    .run();
}
