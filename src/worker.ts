/** Entry of the Worker: requests, the overflow queue, the cron; exports the Durable Objects. No logic. */

import type { Env, OverflowMessage } from "./env.ts";
import { drain } from "./ingest/drain.ts";
import { keepConnections } from "./install/keep.ts";
import { archive } from "./ledger/archive.ts";
import { runBacktests } from "./ledger/backtests.ts";
import { findLikely } from "./ledger/likely.ts";
import { climbOverdue } from "./ledger/overdue.ts";
import { app } from "./routes.ts";

export { AccountObject } from "./objects/account.ts";
export { CompanyObject } from "./objects/company.ts";
export { IdentityObject } from "./objects/identity.ts";
export { ProjectorObject } from "./objects/projector.ts";
export { TeamObject } from "./objects/team.ts";

export default {
  fetch: app.fetch,
  queue: (batch, env, ctx) => drain(batch, env, ctx),
  scheduled: ({ scheduledTime }, env, ctx) => {
    const later = (work: Promise<unknown>) => ctx.waitUntil(work);
    later(climbOverdue(env, scheduledTime, later));
    later(runBacktests(env, scheduledTime));
    later(keepConnections(env, scheduledTime));
    later(archive(env).finally(() => findLikely(env, scheduledTime)));
  },
} satisfies ExportedHandler<Env, OverflowMessage>;
