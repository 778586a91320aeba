/** A workspace inside workerd, and the ways in which a test looks at it. People are example.com persons. */
import { applyD1Migrations } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { vi } from "vitest";
import { crms } from "../../connectors/index.ts";
import { nodeName } from "../../src/crypto.ts";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import type { Policy } from "../../src/decide/policy.ts";
import { type Delivered, handOver } from "../../src/ingest/deliver.ts";
import type { CrmName, Identifier, Signal } from "../../src/model.ts";
import type { IdentityView } from "../../src/objects/identity.ts";
import { accountName, accountStub, identityStub } from "../../src/objects/names.ts";
import { forgetConfig, type Workspace, type WorkspaceFacts, workspaceById } from "../../src/workspace.ts";
import { signal } from "../signals.ts";
import { grant, type RecordingCrm } from "./recording-crm.ts";

export interface TestWorkspace {
  readonly id: string;
  readonly apiKey: string;
  readonly workspace: Workspace;
  readonly facts: WorkspaceFacts;
  /** Name of its CRM account's object. */
  readonly account: string;
}

export interface Setting {
  /** None: the workspace has no CRM yet. */
  readonly crm?: RecordingCrm;
  readonly policy?: (policy: Policy) => Policy;
}

/** Set up as a customer does: through the API; only the consent page of the CRM is skipped. */
export async function openWorkspace(id: string, setting: Setting = {}): Promise<TestWorkspace> {
  await migrate();
  const made = await api<{ api_key: string }>("POST", "/v1/workspaces", "test-admin-token", {
    id,
    name: id,
    sales_team: ["sam@example.com"],
  });
  if (setting.policy !== undefined) {
    const next = setting.policy({ ...defaultPolicy(["sam@example.com"]), version: 2 });
    await api("PUT", "/v1/policy", made.api_key, next);
  }
  const account = accountName(id, "hubspot", "portal");
  if (setting.crm !== undefined) await connect(id, setting.crm);
  forgetConfig(env);
  const found = await workspaceById(env, id, Date.now(), () => undefined);
  if (found === null) throw new Error(`no workspace ${id}`);
  return { id, apiKey: made.api_key, account, ...found };
}

async function migrate(): Promise<void> {
  await applyD1Migrations(env.CONTROL, env.CONTROL_MIGRATIONS);
  await applyD1Migrations(env.LEDGER_0, env.LEDGER_MIGRATIONS);
}

/** From here on the CRM is what the whole Worker knows as HubSpot. */
export async function connect(id: string, crm: RecordingCrm, as: CrmName = "hubspot"): Promise<void> {
  await migrate();
  Object.assign(crms, { [as]: crm });
  const apiUrl = `https://${id}.example.com`;
  crm.keeps.add(apiUrl);
  const name = accountName(id, as, "portal");
  const attached = await accountStub(env, name).attach({
    name,
    workspace: id,
    crm: as,
    grant: { ...grant, apiUrl },
    settleReadsMs: [50, 100],
  });
  if (!attached.ok) throw new Error(attached.reason);
  await env.CONTROL.prepare("INSERT OR IGNORE INTO crm_accounts VALUES (?, ?, ?, 'portal', 'connected', ?, '{}', 0)")
    .bind(name, id, as, crm.world)
    .run();
  forgetConfig(env);
}

export async function api<T>(method: string, path: string, key: string, body?: unknown): Promise<T> {
  const answer = await exports.default.fetch(`https://baton.example.com${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

export interface Answered {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what these tests are about
  readonly body: any;
}

/** Asks the API of the workspace, and takes refusals as well. */
export async function ask(of: TestWorkspace, method: string, path: string, body?: unknown): Promise<Answered> {
  const answer = await exports.default.fetch(`https://baton.example.com${path}`, {
    method,
    headers: { authorization: `Bearer ${of.apiKey}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}

export const answer = (of: TestWorkspace, exception: string, body: unknown) =>
  ask(of, "POST", `/v1/exceptions/${encodeURIComponent(exception)}`, body);

export const tell = (of: TestWorkspace, followUp: string, body: unknown) =>
  ask(of, "POST", `/v1/follow-ups/${encodeURIComponent(followUp)}`, body);

/** The first exception of this person that the API shows so. */
export async function exceptionOf(
  of: TestWorkspace,
  identifier: Identifier,
  reason: string,
  state: "open" | "closed" = "open",
): Promise<Answered["body"]> {
  const { root } = await personOf(of, identifier);
  return eventually(
    async () => {
      const { body } = await ask(of, "GET", `/v1/exceptions?state=${state}&limit=200`);
      return body.items.find((item: Answered["body"]) => item.lead === root.name && item.reason === reason);
    },
    (found) => found !== undefined,
  );
}

/** A signal of this workspace that happened and arrived just now. */
export function fresh(of: TestWorkspace, part: Partial<Signal> & { readonly id: string }): Signal {
  const now = Date.now();
  return signal({ workspace: of.id, occurred_at: now, received_at: now, ...part });
}

/** Hands a signal over as the door does. */
export function send(of: TestWorkspace, part: Partial<Signal> & { readonly id: string }): Promise<Delivered> {
  return handOver(env, of.workspace, of.facts, fresh(of, part));
}

export const email = (value: string): Identifier => ({ type: "email", value });
export const userId = (value: string): Identifier => ({ type: "user_id", value });
export const anonymous = (value: string): Identifier => ({ type: "anonymous_id", value });

export function nodeOf(of: TestWorkspace, { type, value }: Identifier): string {
  return nodeName(of.workspace.nameKey, of.id, type, value);
}

/** So many addresses, in the order of their nodes' names: in a merge the earlier one wins. */
export function addressesByName(of: TestWorkspace, count: number, tag: string): string[] {
  return Array.from({ length: count }, (_, index) => `${tag}${index}@example.com`).sort((a, b) =>
    nodeOf(of, email(a)) < nodeOf(of, email(b)) ? -1 : 1,
  );
}

export type Seen = IdentityView | { readonly moved: string } | null;

/** What the object of this name says of itself. */
export function look(name: string): Promise<Seen> {
  // The generated stub type of a whole state is too deep for the compiler.
  return (identityStub(env, name) as unknown as { read(): Promise<Seen> }).read();
}

/** The person behind an identifier, wherever it lives now. */
export async function personOf(of: TestWorkspace, identifier: Identifier): Promise<IdentityView> {
  let name = nodeOf(of, identifier);
  for (let hops = 0; hops < 40; hops++) {
    const seen = await look(name);
    if (seen === null) throw new Error("nobody is known there");
    if (!("moved" in seen)) return seen;
    name = seen.moved;
  }
  throw new Error("moves without end");
}

/** Asks until `holds` is true of the answer; what objects do behind an answer takes a few turns. */
export async function eventually<T>(read: () => T | Promise<T>, holds: (value: T) => boolean, ms = 5_000): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (performance.now() > end) throw new Error(`still not after ${ms} ms: ${JSON.stringify(value)?.slice(0, 900)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Time enough for whatever is under way to come to rest. */
export function rest(ms = 400): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Moves the clock that objects see; alarms keep the real one and are fired by hand. */
export function letPass(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
}
