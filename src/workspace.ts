/**
 * What the hot path needs to know of a workspace and of an emitter. The truth lies in the control database; an isolate keeps
 * a bounded copy for `configTtlMs`, so that nothing on the hot path waits for D1 except an isolate's first request. After
 * that time the stale copy is served once more while a fresh one is fetched behind the answer.
 */
import type { EmitterSettings } from "../connectors/contract.ts";
import { deriveKey, unseal } from "./crypto.ts";
import { type Policy, policyShape } from "./decide/policy.ts";
import type { Env } from "./env.ts";
import { configEntriesMax, configTtlMs } from "./limits.ts";
import type { CrmName, OutletType } from "./model.ts";
import type { Target } from "./resolve/node.ts";

export interface Workspace {
  readonly id: string;
  readonly policy: Policy;
  readonly targets: readonly Target[];
  /** Ledger shard that holds this workspace's rows. */
  readonly shard: number;
  /** Key for node names; derived, never stored. */
  readonly nameKey: Uint8Array;
}

/** What travels with a signal to its identity object, so that the object never has to ask. */
export interface WorkspaceFacts {
  readonly id: string;
  readonly policyVersion: number;
  /** JSON, or empty where the receiver is hoped to have this version already. */
  readonly policyJson: string;
  readonly targets: readonly Target[];
}

export interface ConfiguredEmitter {
  readonly key: string;
  readonly name: string;
  readonly vendor: string;
  /** Address of who answers for this tool. */
  readonly owner: string;
  readonly settings: EmitterSettings;
  readonly secrets: readonly string[];
  readonly workspace: Workspace;
  readonly facts: WorkspaceFacts;
}

interface Cached<T> {
  readonly value: Promise<T | null>;
  /** Epoch ms until which the copy is simply used; for as long again it is served once more while a fresh one is read. */
  readonly until: number;
}

interface Caches {
  readonly emitters: Map<string, Cached<ConfiguredEmitter>>;
  readonly workspaces: Map<string, Cached<{ workspace: Workspace; facts: WorkspaceFacts }>>;
}

/** Keyed by the environment, so that two Workers in one isolate never share; holds configuration only, never state. */
const cachesOf = new WeakMap<object, Caches>();

export function emitterByKey(
  env: Env,
  key: string,
  now: number,
  later: (work: Promise<unknown>) => void,
): Promise<ConfiguredEmitter | null> {
  return cached(caches(env).emitters, key, now, later, () => readEmitter(env, key, now, later));
}

export function workspaceById(
  env: Env,
  id: string,
  now: number,
  later: (work: Promise<unknown>) => void,
): Promise<{ workspace: Workspace; facts: WorkspaceFacts } | null> {
  return cached(caches(env).workspaces, id, now, later, () => readWorkspace(env, id));
}

/** After a change through the API of this very isolate, so that its own next request sees it. */
export function forgetConfig(env: Env): void {
  cachesOf.delete(env.CONTROL);
}

function caches(env: Env): Caches {
  let found = cachesOf.get(env.CONTROL);
  if (found === undefined) {
    found = { emitters: new Map(), workspaces: new Map() };
    cachesOf.set(env.CONTROL, found);
  }
  return found;
}

async function cached<T>(
  map: Map<string, Cached<T>>,
  key: string,
  now: number,
  later: (work: Promise<unknown>) => void,
  read: () => Promise<T | null>,
): Promise<T | null> {
  const known = map.get(key);
  if (known !== undefined && known.until > now) return known.value;
  const fresh = read();
  if (map.size >= configEntriesMax) map.delete(map.keys().next().value ?? "");
  if (known !== undefined && known.until + configTtlMs > now) {
    // Serve the stale copy now; a failed refresh leaves it in place for the next request to try again.
    map.set(key, { value: known.value, until: now + configTtlMs });
    const replaced = fresh
      .then((value) => map.set(key, { value: Promise.resolve(value), until: now + configTtlMs }))
      .catch(() => map.delete(key));
    later(replaced);
    return known.value;
  }
  map.set(key, { value: fresh, until: now + configTtlMs });
  try {
    const value = await fresh;
    // An unknown key is not remembered: otherwise a new emitter would be refused, and strangers could fill the map.
    if (value === null) map.delete(key);
    return value;
  } catch (error) {
    map.delete(key);
    throw error;
  }
}

async function readEmitter(
  env: Env,
  key: string,
  now: number,
  later: (work: Promise<unknown>) => void,
): Promise<ConfiguredEmitter | null> {
  const row = await env.CONTROL.prepare(
    "SELECT workspace, name, vendor, owner, settings, secrets FROM emitters WHERE key = ? AND disabled = 0",
  )
    .bind(key)
    .first<{ workspace: string; name: string; vendor: string; owner: string; settings: string; secrets: string }>();
  if (row === null) return null;
  const found = await workspaceById(env, row.workspace, now, later);
  if (found === null) return null;
  const secretKey = deriveKey(env.BATON_MASTER_KEY, "emitter-secrets", row.workspace);
  const secrets = JSON.parse(await unseal(secretKey, key, row.secrets)) as string[];
  return {
    key,
    name: row.name,
    vendor: row.vendor,
    owner: row.owner,
    settings: JSON.parse(row.settings) as EmitterSettings,
    secrets,
    workspace: found.workspace,
    facts: found.facts,
  };
}

async function readWorkspace(env: Env, id: string): Promise<{ workspace: Workspace; facts: WorkspaceFacts } | null> {
  const [policyRows, accountRows, outletRows] = await env.CONTROL.batch([
    env.CONTROL.prepare(
      "SELECT w.shard, p.version, p.document FROM workspaces w JOIN policies p ON p.workspace = w.id AND p.version = w.policy_version WHERE w.id = ?",
    ).bind(id),
    env.CONTROL.prepare(
      "SELECT crm, object FROM crm_accounts WHERE workspace = ? AND status = 'connected' ORDER BY object",
    ).bind(id),
    env.CONTROL.prepare(
      "SELECT name, type, object, anonymous FROM outlets WHERE workspace = ? AND problem IS NULL ORDER BY name",
    ).bind(id),
  ]);
  const row = policyRows?.results[0] as { shard: number; version: number; document: string } | undefined;
  if (row === undefined) return null;
  const crms = (accountRows?.results ?? []) as { crm: CrmName; object: string }[];
  const outlets = (outletRows?.results ?? []) as {
    name: string;
    type: OutletType;
    object: string;
    anonymous: number;
  }[];
  const targets: readonly Target[] = [
    ...crms.map(({ crm, object }) => ({ crm, account: object })),
    ...outlets.map(({ name, type, object, anonymous }) => ({
      crm: type,
      account: object,
      outlet: name,
      ...(anonymous === 1 ? { anonymous: true as const } : {}),
    })),
  ];
  // Checked as a whole when it came into force; here only what it left out is filled in.
  const policy = policyShape.parse(JSON.parse(row.document));
  return {
    workspace: {
      id,
      policy,
      targets,
      shard: row.shard,
      nameKey: deriveKey(env.BATON_MASTER_KEY, "names", id),
    },
    facts: { id, policyVersion: row.version, policyJson: JSON.stringify(policy), targets },
  };
}
