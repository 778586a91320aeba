/**
 * The only way out to a CRM or an outlet. Salesforce's calls can be sent through a relay with fixed addresses (CRM-FACTS §2.4;
 * `connectors/salesforce/relay`): the same request, with where it is meant for in a header.
 */
import type { Env } from "../env.ts";
import { crmDeadlineMs } from "../limits.ts";
import type { TargetName } from "../model.ts";

/** Rejects on a broken connection and at the deadline; follows no redirect. */
export function leave(env: Env, to: TargetName, request: Request): Promise<Response> {
  const { SALESFORCE_EGRESS_URL: relay, SALESFORCE_EGRESS_KEY: key = "" } = env;
  const leaving = to === "salesforce" && relay !== undefined ? relayed(request, relay, key) : request;
  return fetch(leaving, { signal: AbortSignal.timeout(crmDeadlineMs), redirect: "manual" });
}

function relayed(request: Request, relay: string, key: string): Request {
  const through = new Request(relay, request);
  through.headers.set("x-baton-target", request.url);
  through.headers.set("x-baton-relay-key", key);
  return through;
}
