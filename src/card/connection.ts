/** The CRM account that a card is shown in: which workspaces are connected to it, and with which key of Salesforce's card. */
import type { Env } from "../env.ts";
import type { CrmName } from "../model.ts";
import { firstGeneration, type Generation } from "./card-key.ts";

export interface Connection extends Generation {
  /** Name of the account object. */
  readonly object: string;
  readonly workspace: string;
  readonly crm: CrmName;
  readonly connected: boolean;
  /** Page of a person's record, with `{person}`. */
  readonly recordUrl: string | null;
}

interface Row {
  readonly object: string;
  readonly workspace: string;
  readonly crm: CrmName;
  readonly status: string;
  readonly record_urls: string;
  readonly generation: number | null;
  readonly rotated_at: number | null;
}

/** `accounts`: spellings of one account's id. The latest connected first: where two workspaces have one, that is the one in use. */
export async function connectionsTo(
  env: Env,
  crm: CrmName,
  accounts: readonly string[],
): Promise<readonly Connection[]> {
  const rows = await env.CONTROL.prepare(
    `SELECT a.object, a.workspace, a.crm, a.status, a.record_urls, k.generation, k.rotated_at
     FROM crm_accounts a LEFT JOIN card_keys k ON k.object = a.object
     WHERE a.crm = ?1 AND a.crm_account IN (SELECT value FROM json_each(?2)) ORDER BY a.connected_at DESC, a.object LIMIT 20`,
  )
    .bind(crm, JSON.stringify(accounts))
    .all<Row>();
  return rows.results.map(connectionOf);
}

/** One of this workspace; null where it has none of this name. */
export async function connectionNamed(env: Env, workspace: string, object: string): Promise<Connection | null> {
  const row = await env.CONTROL.prepare(
    `SELECT a.object, a.workspace, a.crm, a.status, a.record_urls, k.generation, k.rotated_at
     FROM crm_accounts a LEFT JOIN card_keys k ON k.object = a.object WHERE a.workspace = ?1 AND a.object = ?2`,
  )
    .bind(workspace, object)
    .first<Row>();
  return row === null ? null : connectionOf(row);
}

/** The next generation; of two who ask at once each gets one, and both of those serve for a day. */
export async function rotateKey(env: Env, object: string, now: number): Promise<Generation> {
  const row = await env.CONTROL.prepare(
    `INSERT INTO card_keys VALUES (?1, ?2, ?3)
     ON CONFLICT (object) DO UPDATE SET generation = generation + 1, rotated_at = excluded.rotated_at RETURNING generation, rotated_at`,
  )
    .bind(object, firstGeneration.generation + 1, now)
    .first<Generation>();
  return row ?? firstGeneration;
}

function connectionOf({ object, workspace, crm, status, record_urls, generation, rotated_at }: Row): Connection {
  const urls = JSON.parse(record_urls) as { readonly person?: string };
  return {
    object,
    workspace,
    crm,
    connected: status === "connected",
    recordUrl: urls.person ?? null,
    generation: generation ?? firstGeneration.generation,
    rotated_at: rotated_at ?? firstGeneration.rotated_at,
  };
}
