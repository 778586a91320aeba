/** Consumer of the overflow queue: signals whose identity object could not be reached when they came. */
import type { Env, OverflowMessage } from "../env.ts";
import { errorName, log } from "../log.ts";
import { workspaceById } from "../workspace.ts";
import { handOver } from "./deliver.ts";
import { keepQuarantined, keyConflict } from "./quarantine.ts";

/** Each message stands for itself: one that fails is tried again by the queue, and ends in the dead letter queue, never lost. */
export async function drain(batch: MessageBatch<OverflowMessage>, env: Env, ctx: ExecutionContext): Promise<void> {
  await Promise.all(
    batch.messages.map(async (message) => {
      const { signal } = message.body;
      try {
        const found = await workspaceById(env, signal.workspace, Date.now(), (work) => ctx.waitUntil(work));
        if (found === null) throw new Error("no such workspace");
        const delivered = await handOver(env, found.workspace, found.facts, signal);
        if (delivered === "conflict") {
          const place = { workspace: signal.workspace, shard: found.workspace.shard, emitter: signal.emitter };
          await keepQuarantined(env, place, JSON.stringify(signal), keyConflict, Date.now());
        }
        message.ack();
      } catch (error) {
        log("warn", "overflow.retry", { attempt: message.attempts, error: errorName(error) });
        message.retry({ delaySeconds: Math.min(600, 2 ** message.attempts) });
      }
    }),
  );
}
