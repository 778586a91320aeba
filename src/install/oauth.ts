/**
 * Connecting a CRM: our API gives a link, the person consents at the CRM, the CRM sends them back here with a code, and the
 * account object takes the grant and prepares the CRM.
 */
import { crmOf } from "../../connectors/index.ts";
import { deriveKey, pkceChallenge, randomToken, seal, unseal } from "../crypto.ts";
import type { Env } from "../env.ts";
import { problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";
import type { CrmName } from "../model.ts";
import { accountName, accountStub } from "../objects/names.ts";
import { forgetConfig } from "../workspace.ts";
import { crmApp } from "./crm-app.ts";
import { leave } from "./egress.ts";

/** A person has so long to consent. */
const stateTtlMs = 15 * 60_000;

/** A link that leads one person through the consent of one CRM. Single use. */
export async function connectLink(
  env: Env,
  workspace: string,
  crm: CrmName,
  now: number,
  loginUrl: string | null,
): Promise<string> {
  const state = randomToken();
  const verifier = randomToken(48);
  const sealed = await seal(deriveKey(env.BATON_MASTER_KEY, "oauth", workspace), state, verifier);
  await env.CONTROL.prepare("INSERT INTO oauth_states VALUES (?, ?, ?, ?, ?, ?)")
    .bind(state, workspace, crm, sealed, now + stateTtlMs, loginUrl)
    .run();
  return `${env.PUBLIC_URL}/oauth/${crm}/install?state=${state}`;
}

/** `GET /oauth/:crm/install?state=…` */
export async function startInstall(c: AppContext): Promise<Response> {
  const flow = await readState(c.env, c.req.query("state") ?? "", crmParam(c), Date.now());
  if (flow === null)
    return problem(400, { code: "unknown_state", detail: "This link was used, or is too old. Ask for a new one." });
  const url = crmOf(flow.crm).authorizeUrl(crmApp(c.env, flow.crm, flow.loginUrl), {
    state: flow.state,
    challenge: pkceChallenge(flow.verifier),
  });
  return c.redirect(url, 302);
}

/** `GET /oauth/:crm/callback?code=…&state=…` */
export async function finishInstall(c: AppContext): Promise<Response> {
  const now = Date.now();
  const flow = await readState(c.env, c.req.query("state") ?? "", crmParam(c), now);
  if (flow === null)
    return problem(400, { code: "unknown_state", detail: "This link was used, or is too old. Ask for a new one." });
  const code = c.req.query("code");
  if (code === undefined)
    return problem(400, { code: "not_granted", detail: `The CRM said: ${c.req.query("error") ?? "nothing"}.` });
  await c.env.CONTROL.prepare("DELETE FROM oauth_states WHERE state = ? OR expires_at < ?").bind(flow.state, now).run();
  const send = (request: Request) => leave(c.env, flow.crm, request);
  const granted = await crmOf(flow.crm).exchange(
    crmApp(c.env, flow.crm, flow.loginUrl),
    { code, verifier: flow.verifier },
    { send, now },
  );
  if (!granted.ok)
    return problem(422, { code: "not_granted", detail: `The CRM did not accept the code: ${granted.failure.reason}.` });
  const name = accountName(flow.workspace, flow.crm, granted.value.crmAccount);
  const connected = await accountStub(c.env, name).attach({
    name,
    workspace: flow.workspace,
    crm: flow.crm,
    grant: { ...granted.value, ...(flow.loginUrl === undefined ? {} : { loginUrl: flow.loginUrl }) },
    at: now,
    ...settleReads(c.env),
  });
  if (!connected.ok)
    return problem(422, {
      code: "not_prepared",
      detail: `The CRM account could not be prepared: ${connected.reason}.`,
    });
  await c.env.CONTROL.prepare(
    `INSERT INTO crm_accounts VALUES (?, ?, ?, ?, 'connected', ?, ?, ?)
     ON CONFLICT (object) DO UPDATE SET status = 'connected', world = excluded.world, record_urls = excluded.record_urls, connected_at = excluded.connected_at`,
  )
    .bind(
      name,
      flow.workspace,
      flow.crm,
      granted.value.crmAccount,
      connected.installation.world,
      JSON.stringify(connected.installation.recordUrl),
      now,
    )
    .run();
  forgetConfig(c.env);
  return c.html(
    `<!doctype html><title>Connected</title><p>Baton is connected to ${flow.crm}. You can close this page.</p>`,
  );
}

export function settleReads(env: Env): { readonly settleReadsMs?: readonly number[] } {
  const delays = (env.CRM_SETTLE_READS_MS ?? "").split(",").map(Number);
  return delays.length >= 2 && delays.every((delay) => delay > 0) ? { settleReadsMs: delays } : {};
}

interface Flow {
  readonly state: string;
  readonly workspace: string;
  readonly crm: CrmName;
  readonly verifier: string;
  readonly loginUrl?: string;
}

async function readState(env: Env, state: string, crm: CrmName | null, now: number): Promise<Flow | null> {
  const row = await env.CONTROL.prepare(
    "SELECT workspace, crm, verifier, login_url FROM oauth_states WHERE state = ? AND expires_at >= ?",
  )
    .bind(state, now)
    .first<{ workspace: string; crm: CrmName; verifier: string; login_url: string | null }>();
  if (row === null || row.crm !== crm) return null;
  const verifier = await unseal(deriveKey(env.BATON_MASTER_KEY, "oauth", row.workspace), state, row.verifier);
  const loginUrl = row.login_url === null ? {} : { loginUrl: row.login_url };
  return { state, workspace: row.workspace, crm: row.crm, verifier, ...loginUrl };
}

function crmParam(c: AppContext): CrmName | null {
  const crm = c.req.param("crm");
  return crm === "hubspot" || crm === "salesforce" ? crm : null;
}
