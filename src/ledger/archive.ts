/** The cron's run over all ledger shards: journal chunks become history segments. */
import type { Env } from "../env.ts";
import { errorName, log } from "../log.ts";
import { eraseFromHistory } from "./erasures.ts";
import { archiveJournal } from "./history.ts";
import { ledgerOf } from "./shards.ts";

export async function archive(env: Env): Promise<void> {
  const shards = await env.CONTROL.prepare("SELECT DISTINCT shard FROM workspaces").all<{ shard: number }>();
  for (const { shard } of shards.results) {
    try {
      const done = await archiveJournal(ledgerOf(env, shard), env.HISTORY, Date.now());
      log("info", "history.archived", { shard, ...done });
      const erased = await eraseFromHistory(ledgerOf(env, shard), env.HISTORY, Date.now());
      if (erased > 0) log("info", "history.erased", { shard, rows: erased });
    } catch (error) {
      log("error", "history.archive", { shard, error: errorName(error) });
    }
  }
}
