/** The engine as it runs on the laptop: the same classes and routes, with a meter around their storage. */

import type { Env, OverflowMessage } from "../env.ts";
import { AccountObject as Account } from "../objects/account.ts";
import { CompanyObject as Company } from "../objects/company.ts";
import { IdentityObject as Identity } from "../objects/identity.ts";
import { ProjectorObject as Projector } from "../objects/projector.ts";
import { TeamObject as Team } from "../objects/team.ts";
import engine from "../worker.ts";
import { meter, meteredEnv, meteredState } from "./meter.ts";

export class IdentityObject extends Identity {
  constructor(ctx: DurableObjectState, env: Env) {
    super(meteredState(ctx, "identity"), meteredEnv(env));
  }
}

export class AccountObject extends Account {
  constructor(ctx: DurableObjectState, env: Env) {
    super(meteredState(ctx, "account"), meteredEnv(env));
  }
}

export class ProjectorObject extends Projector {
  constructor(ctx: DurableObjectState, env: Env) {
    super(meteredState(ctx, "projector"), meteredEnv(env));
  }
}

export class TeamObject extends Team {
  constructor(ctx: DurableObjectState, env: Env) {
    super(meteredState(ctx, "team"), meteredEnv(env));
  }
}

export class CompanyObject extends Company {
  constructor(ctx: DurableObjectState, env: Env) {
    super(meteredState(ctx, "company"), meteredEnv(env));
  }
}

export default {
  ...engine,
  fetch: (request: Request, env: Env, ctx: ExecutionContext) => {
    if (new URL(request.url).pathname === "/local/meter") return Response.json(meter);
    return engine.fetch(request, meteredEnv(env), ctx);
  },
} satisfies ExportedHandler<Env, OverflowMessage>;
