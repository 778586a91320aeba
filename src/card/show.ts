/** The card for whoever asks: the person is read from their own object, without a search; only who stands around them is read from the ledger. */
import { viewOf } from "../api/read.ts";
import { nodeName } from "../crypto.ts";
import { companyOf } from "../decide/facts.ts";
import type { Env } from "../env.ts";
import { ledgerOf } from "../ledger/shards.ts";
import { errorName, log as logged } from "../log.ts";
import type { IdentityView } from "../objects/identity.ts";
import type { Root } from "../resolve/node.ts";
import type { Caller } from "./caller.ts";
import { cardOf, emptyCard, type Neighbour } from "./card.ts";
import type { Card } from "./document.ts";
import { type Around, around, type Company, peopleAt } from "./neighbours.ts";

export async function showRecord(env: Env, caller: Caller): Promise<Card> {
  const { record, viewer } = caller;
  if (record.of === "person") {
    const view = await viewOf(env, nodeOf(caller, record.identifier));
    return view === null ? emptyCard(viewer, nothingYet, Date.now()) : showLead(env, caller, view);
  }
  if (record.domain === undefined && record.name === undefined)
    return emptyCard(viewer, "Baton knows companies by their web domain, and this record has none.", Date.now());
  const { workspace, connection } = caller;
  const people = await peopleAt(ledgerOf(env, workspace.shard), workspace.id, connection.crm, record);
  // The ledger shows what was; who was merged or erased since is told by their own object.
  for (const { lead } of people) {
    const view = await viewOf(env, lead);
    if (view === null || !isSomebody(view)) continue;
    return showLead(env, caller, view, people);
  }
  return emptyCard(viewer, "No tool has said anything of anybody at this company yet.", Date.now());
}

const nothingYet = "No tool has said anything of this person yet.";

export async function showLead(
  env: Env,
  caller: Caller,
  view: IdentityView,
  people?: readonly Neighbour[],
): Promise<Card> {
  const { connection, policy, viewer, colleagues } = caller;
  const { root, log } = view;
  if (!isSomebody(view)) return emptyCard(viewer, nothingYet, Date.now());
  const domain = companyOf(policy, root.lead);
  const company = people === undefined && domain !== undefined ? { domain, name: undefined } : null;
  const { duplicates, related } = await neighboursOf(env, caller, root, company);
  const names = [root.name, ...root.members];
  return cardOf({
    root,
    log,
    policy,
    now: Date.now(),
    viewer,
    crm: connection.crm,
    recordUrl: connection.recordUrl,
    duplicates,
    related: people === undefined ? related : people.filter(({ lead }) => !names.includes(lead)),
    colleagues,
  });
}

/** Nobody, where the ledger does not answer: the person is known without it. */
async function neighboursOf(
  env: Env,
  { workspace, connection }: Caller,
  root: Root,
  company: Company | null,
): Promise<Around> {
  try {
    return await around(ledgerOf(env, workspace.shard), workspace.id, connection.crm, root, company);
  } catch (error) {
    logged("warn", "card.alone", { error: errorName(error) });
    return { duplicates: [], related: [] };
  }
}

/** Whether this workspace knows anything of the record: of two workspaces with one CRM account, that one is meant. */
export async function knows(env: Env, caller: Caller): Promise<boolean> {
  if (caller.record.of !== "person") return true;
  const view = await viewOf(env, nodeOf(caller, caller.record.identifier));
  return view !== null && isSomebody(view);
}

/** Nobody is shown while they are being erased; a record that was split off alone is nobody yet. */
function isSomebody({ root }: IdentityView): boolean {
  return root.erase === undefined && (root.lead.first !== null || root.follow_ups.length > 0);
}

function nodeOf({ workspace }: Caller, { type, value }: { readonly type: string; readonly value: string }): string {
  return nodeName(workspace.nameKey, workspace.id, type, value);
}
