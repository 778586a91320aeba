/** Sets a workspace up through the engine's own API, as a person would, and walks through the OAuth consent of its CRMs. */
import type { CrmName } from "../model.ts";

export interface EmitterPlan {
  readonly name: string;
  readonly vendor: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly secrets?: readonly string[];
}

export interface SeededEmitter {
  readonly key: string;
  readonly url: string;
}

export interface Seeded {
  readonly id: string;
  readonly apiKey: string;
  readonly emitters: Readonly<Record<string, SeededEmitter>>;
}

export interface SeedPlan {
  readonly id: string;
  readonly salesTeam: readonly string[];
  readonly emitters: readonly EmitterPlan[];
  readonly crms: readonly CrmName[];
  /** Changes the default policy before anything happens; gets and gives the document. */
  readonly policy?: (document: Record<string, unknown>) => Record<string, unknown>;
}

export async function seedWorkspace(engineUrl: string, adminToken: string, plan: SeedPlan): Promise<Seeded> {
  const made = await call<{ api_key: string }>(engineUrl, "POST", "/v1/workspaces", adminToken, {
    id: plan.id,
    name: plan.id,
    sales_team: plan.salesTeam,
  });
  if (plan.policy !== undefined) {
    const document = await call<Record<string, unknown>>(engineUrl, "GET", "/v1/policy", made.api_key);
    await call(engineUrl, "PUT", "/v1/policy", made.api_key, { ...plan.policy(document), version: 2 });
  }
  const emitters: Record<string, SeededEmitter> = {};
  for (const emitter of plan.emitters) {
    emitters[emitter.name] = await call<SeededEmitter>(engineUrl, "POST", "/v1/emitters", made.api_key, {
      owner: "owner@example.com",
      settings: {},
      secrets: [],
      ...emitter,
    });
  }
  for (const crm of plan.crms) await connectCrm(engineUrl, made.api_key, crm);
  return { id: plan.id, apiKey: made.api_key, emitters };
}

/** Follows the redirects of the consent by hand, as a browser would. Throws with the page's words when it does not end well. */
export async function connectCrm(engineUrl: string, apiKey: string, crm: CrmName): Promise<void> {
  const { url } = await call<{ url: string }>(engineUrl, "POST", "/v1/connections", apiKey, { crm });
  let next = url;
  for (let steps = 0; steps < 10; steps++) {
    const answer = await fetch(next, { redirect: "manual" });
    const location = answer.headers.get("location");
    if (answer.status >= 300 && answer.status < 400 && location !== null) {
      next = new URL(location, next).toString();
      continue;
    }
    if (!answer.ok) throw new Error(`${crm} could not be connected: ${answer.status} ${await answer.text()}`);
    return;
  }
  throw new Error(`${crm} could not be connected: too many redirects`);
}

/** What the administrator of the Salesforce organisation would put into the Named Credential of the card. */
export async function salesforceCardKey(engineUrl: string, apiKey: string): Promise<string> {
  const { items } = await call<{ items: readonly { readonly id: string; readonly crm: string }[] }>(
    engineUrl,
    "GET",
    "/v1/connections",
    apiKey,
  );
  const connection = items.find(({ crm }) => crm === "salesforce");
  if (connection === undefined) throw new Error("salesforce is not connected");
  const path = `/v1/connections/${encodeURIComponent(connection.id)}/card-key`;
  return (await call<{ card_key: string }>(engineUrl, "POST", path, apiKey, {})).card_key;
}

export async function call<T>(
  engineUrl: string,
  method: string,
  path: string,
  token: string,
  body?: unknown,
): Promise<T> {
  const answer = await fetch(`${engineUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}
