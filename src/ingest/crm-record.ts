/**
 * A CRM's word about one of its own records: it names an id that only the account object knows, from the receipts of the tasks it
 * has made. Whoever such a task was for is tied to that id first, by a signal of their own, so that what the CRM says reaches them;
 * an order to erase goes to them at once, and leaves no signal behind: the ledger's list of erasures says that it was given.
 */
import type { SignalDraft } from "../../connectors/contract.ts";
import { digest } from "../crypto.ts";
import type { Env } from "../env.ts";
import { hopsMax } from "../limits.ts";
import { errorName, log } from "../log.ts";
import type { CrmName, Identifier, Signal } from "../model.ts";
import type { Erasable, EraseCall } from "../objects/erasing.ts";
import type { IdentityView } from "../objects/identity.ts";
import { accountStub, askIdentity, identityStub, nodesOf } from "../objects/names.ts";
import { emailOf } from "../resolve/lead.ts";
import type { Root } from "../resolve/node.ts";
import type { ConfiguredEmitter } from "../workspace.ts";
import { deliver } from "./deliver.ts";

/** `goes_on`: the signal itself is to be handed on; `unreachable`: nothing is lost, the sender must try again. */
export type CrmRecord = "goes_on" | "erased" | "unreachable";

export async function crmRecord(
  env: Env,
  emitter: ConfiguredEmitter,
  record: NonNullable<SignalDraft["record"]>,
  signal: Signal,
  erases: boolean,
): Promise<CrmRecord> {
  // Every edit would be a question to the account: an id that was tied once stays tied.
  if (signal.kind === "identified" && !erases) return "goes_on";
  try {
    for (const id of record.ids) {
      const nodes = await behind(env, emitter, record.crm, id);
      if (erases) await eraseAll(env, [...nodes, ...nodesOf(emitter.workspace.nameKey, signal)], emitter.name, signal);
      else if (!(await tieAll(env, emitter, nodes, id, signal))) return "unreachable";
    }
    return erases ? "erased" : "goes_on";
  } catch (error) {
    log("warn", "ingest.crm_record", { emitter: emitter.name, error: errorName(error) });
    return "unreachable";
  }
}

async function behind(env: Env, { facts }: ConfiguredEmitter, crm: CrmName, id: string): Promise<readonly string[]> {
  const accounts = facts.targets.filter((target) => target.crm === crm);
  const found = await Promise.all(accounts.map(({ account }) => accountStub(env, account).whose({ person: id })));
  return [...new Set(found.flat())];
}

async function tieAll(
  env: Env,
  { workspace, facts }: ConfiguredEmitter,
  nodes: readonly string[],
  id: string,
  signal: Signal,
): Promise<boolean> {
  for (const node of nodes) {
    const root = await rootAt(env, node);
    const address = root === null ? undefined : emailOf(root.lead);
    const tie = address === undefined ? null : tieOf(signal, id, address);
    if (tie !== null && (await deliver(env, workspace, facts, tie)) === null) return false;
  }
  return true;
}

async function rootAt(env: Env, node: string): Promise<Root | null> {
  let name = node;
  for (let hops = 0; hops < hopsMax; hops++) {
    const stub: unknown = identityStub(env, name);
    const seen = await (stub as { read(): Promise<IdentityView | { readonly moved: string } | null> }).read();
    if (seen === null) return null;
    if (!("moved" in seen)) return seen.root;
    name = seen.moved;
  }
  throw new Error("too many moves");
}

/** The same however often it is made: the key is of both names. */
function tieOf(signal: Signal, recordId: string, address: string): Signal | null {
  const first = signal.identifiers.find(({ value }) => value === recordId);
  if (first === undefined) return null;
  const identifiers: Identifier[] = [first, { type: "email", value: address }];
  const id = `crm-record:${digest(first.type, first.value, address)}`;
  const { consent: _none, ...rest } = signal;
  return {
    ...rest,
    id,
    idempotency_key: `${signal.emitter}:${id}`,
    kind: "aliased",
    identifiers,
    traits: {},
    account: {},
    attribution: {},
    properties: {},
  };
}

async function eraseAll(env: Env, nodes: readonly string[], by: string, { occurred_at }: Signal): Promise<void> {
  const call: EraseCall = { by, at: Date.now() };
  for (const node of new Set(nodes)) {
    const root = await rootAt(env, node);
    if (root === null) continue;
    // Sent again, and whoever is there now came after they were erased: the order was not about them.
    if (occurred_at < Math.max(root.erased_at ?? 0, root.erased_nodes[node] ?? 0, root.erased_nodes[root.name] ?? 0))
      continue;
    await askIdentity(env, root.name, (stub: Erasable) => stub.erase(call));
  }
}
