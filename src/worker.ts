/** Entry of the Worker: requests, the overflow queue, the cron; exports the Durable Objects. No logic. */

import type { Env, OverflowMessage } from "./env.ts";
import { drain } from "./ingest/drain.ts";
import { archive } from "./ledger/archive.ts";
import { findLikely } from "./ledger/likely.ts";
import { app } from "./routes.ts";

export { AccountObject } from "./objects/account.ts";
export { IdentityObject } from "./objects/identity.ts";
export { ProjectorObject } from "./objects/projector.ts";

export default {
  fetch: app.fetch,
  queue: (batch, env, ctx) => drain(batch, env, ctx),
  scheduled: ({ scheduledTime }, env, ctx) => ctx.waitUntil(archive(env).finally(() => findLikely(env, scheduledTime))),
} satisfies ExportedHandler<Env, OverflowMessage>;
