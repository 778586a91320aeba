/**
 * The state of one identity object and its transitions, as pure functions. The object (`objects/identity.ts`) loads a
 * node, calls these, commits, and does the calls that they ask for.
 *
 * A node belongs to one identifier. It is unused, or the *root* of a person (holds the state), or an *alias* that points
 * to another node (DESIGN §6.1–6.2). Stored shape: the snapshot of this type in the object's `node` key, and behind it the
 * tail of the log, one row per signal applied since.
 */
import { digest } from "../crypto.ts";
import type { Answer, FollowUpFact } from "../decide/decide.ts";
import type { CrmName, Decision, FollowUp, Identifier, Receipt, Signal } from "../model.ts";
import { emptyLead, foldSignal, identifierValues, joinLeads, type LeadFold } from "./lead.ts";

export type Node =
  | { readonly role: "unused" }
  /** `acknowledged: false` = sealed: this root lost a merge and its state (`sealed`) is on its way to the parent. */
  | { readonly role: "alias"; readonly parent: string; readonly acknowledged: true }
  | { readonly role: "alias"; readonly parent: string; readonly acknowledged: false; readonly sealed: Root }
  | Root;

/** A CRM account that the workspace's follow-ups go to. */
export interface CrmTarget {
  readonly crm: CrmName;
  /** Name of the account object. */
  readonly account: string;
}

/** One write that carries a follow-up into one CRM account. */
export interface ActionRecord extends CrmTarget {
  readonly key: string;
  readonly state: "pending" | "done" | "cancelled" | "parked";
  readonly retry_at: number;
  readonly attempts: number;
  readonly receipt?: Receipt;
  readonly problem?: string;
}

export interface FollowUpRecord extends FollowUp {
  readonly actions: readonly ActionRecord[];
  /** Why it was cancelled, when it was. */
  readonly closed_because?: string;
}

/** A signal that was applied and not decided on yet. */
export interface Undecided {
  readonly key: string;
  /** Epoch ms at which its tier is decided. */
  readonly decide_at: number;
  /** True while the decision waits for a way to reach the person. */
  readonly waiting: boolean;
}

export interface LinkTodo {
  readonly node: string;
  readonly identifier: Identifier;
  readonly since: number;
}

/** A link that would have joined two people, and was not made: a person has to look (DESIGN §6.2 guard). */
export interface Apart {
  readonly node: string;
  readonly identifier: Identifier;
  readonly other: string;
  readonly reason: string;
  readonly at: number;
}

export interface Root {
  readonly role: "root";
  readonly name: string;
  readonly workspace: string;
  readonly version: number;
  /** Number of the last log row that this state includes. */
  readonly seq: number;
  readonly lead: LeadFold;
  /** Nodes that are part of this person, the root's own not counted. */
  readonly members: readonly string[];
  readonly links: readonly LinkTodo[];
  readonly apart: readonly Apart[];
  readonly undecided: readonly Undecided[];
  readonly follow_ups: readonly FollowUpRecord[];
  /** Ids of the person in each CRM, learned from receipts. */
  readonly people: Readonly<Partial<Record<CrmName, string>>>;
  /** Names of roots whose state this one has taken in. */
  readonly absorbed: readonly string[];
  /** Decisions and tombstones the ledger has not confirmed yet. */
  readonly unprojected: {
    readonly decisions: readonly Decision[];
    readonly gone: readonly { name: string; version: number }[];
  };
  /** What the ledger has confirmed. */
  readonly projected: { readonly version: number; readonly seq: number };
}

/** One row of the log: a signal, and what was decided in the same turn (if it was). */
export interface LogEntry {
  readonly seq: number;
  readonly signal: Signal;
  readonly node_of: readonly string[];
  readonly undecided?: Undecided;
  readonly answer?: Answer;
  readonly targets?: readonly CrmTarget[];
  /** Name of the root that wrote the row: the first rows of a node stand before any snapshot. */
  readonly root: string;
}

export function newRoot(name: string, workspace: string): Root {
  return {
    role: "root",
    name,
    workspace,
    version: 0,
    seq: 0,
    lead: emptyLead,
    members: [],
    links: [],
    apart: [],
    undecided: [],
    follow_ups: [],
    people: {},
    absorbed: [],
    unprojected: { decisions: [], gone: [] },
    projected: { version: 0, seq: 0 },
  };
}

/** Applies one log row. Replaying the tail over a snapshot gives the state that was committed, without deciding anew. */
export function applyEntry(root: Root, entry: LogEntry): Root {
  const { signal } = entry;
  const links = [...root.links];
  for (const [index, identifier] of signal.identifiers.entries()) {
    const node = entry.node_of[index];
    if (node === undefined || node === root.name || root.members.includes(node)) continue;
    if (links.some((link) => link.node === node) || root.apart.some((item) => item.node === node)) continue;
    links.push({ node, identifier, since: signal.received_at });
  }
  const next: Root = {
    ...root,
    version: root.version + 1,
    seq: entry.seq,
    lead: foldSignal(root.lead, signal),
    links,
    undecided: entry.undecided === undefined ? root.undecided : [...root.undecided, entry.undecided],
  };
  return entry.answer === undefined ? next : applyAnswer(next, entry.answer, entry.targets ?? []);
}

/** Takes a decision in: its signals are decided, its follow-up (if any) opens with one action per CRM. */
export function applyAnswer(root: Root, answer: Answer, targets: readonly CrmTarget[]): Root {
  const { decision, followUp } = answer;
  const decided = new Set(decision.signals);
  const undecided =
    decision.outcome === "waiting"
      ? root.undecided.map((item) => (decided.has(item.key) ? { ...item, waiting: true } : item))
      : root.undecided.filter((item) => !decided.has(item.key));
  const follow_ups =
    followUp === undefined
      ? root.follow_ups
      : [...root.follow_ups, { ...followUp, actions: actionsFor(followUp, targets) }];
  return {
    ...root,
    version: root.version + 1,
    undecided,
    follow_ups,
    unprojected: { ...root.unprojected, decisions: [...root.unprojected.decisions, decision] },
  };
}

function actionsFor(followUp: FollowUp, targets: readonly CrmTarget[]): readonly ActionRecord[] {
  return targets.map(({ crm, account }) => ({
    key: actionKey(followUp.id, account),
    crm,
    account,
    state: "pending",
    retry_at: followUp.created_at,
    attempts: 0,
  }));
}

/** Derived from the cause, so that whoever computes it again gets the same (G3). */
export function actionKey(followUpId: string, account: string): string {
  return `${followUpId}-${digest(account).slice(0, 8)}`;
}

export function followUpFacts(root: Root): readonly FollowUpFact[] {
  return root.follow_ups.map(({ id, play, state, created_at }) => ({ id, play, state, created_at }));
}

export function setAction(root: Root, key: string, change: (action: ActionRecord) => ActionRecord): Root {
  const follow_ups = root.follow_ups.map((item) =>
    item.actions.some((action) => action.key === key)
      ? { ...item, actions: item.actions.map((action) => (action.key === key ? change(action) : action)) }
      : item,
  );
  return { ...root, version: root.version + 1, follow_ups };
}

export function recordReceipt(root: Root, key: string, receipt: Receipt): Root {
  const next = setAction(root, key, (action) => ({ ...action, state: "done", receipt }));
  return receipt.person_id === "" ? next : { ...next, people: { ...next.people, [receipt.crm]: receipt.person_id } };
}

/** The follow-up will not happen; its actions are then withdrawn or, where their task stands, closed. */
export function cancelFollowUp(root: Root, id: string, because: string): Root {
  const follow_ups = root.follow_ups.map((item) =>
    item.id === id ? { ...item, state: "cancelled" as const, closed_because: because } : item,
  );
  return { ...root, version: root.version + 1, follow_ups };
}

/** The node of this link is now part of this person. */
export function linkDone(root: Root, node: string): Root {
  if (!root.links.some((link) => link.node === node)) return root;
  return {
    ...root,
    version: root.version + 1,
    links: root.links.filter((link) => link.node !== node),
    members: root.members.includes(node) ? root.members : [...root.members, node].sort(),
  };
}

/** The link would have joined two people: it is dropped and remembered for a person to look at. */
export function keepApart(root: Root, node: string, other: string, reason: string, at: number): Root {
  const link = root.links.find((item) => item.node === node);
  if (link === undefined) return root;
  return {
    ...root,
    version: root.version + 1,
    links: root.links.filter((item) => item.node !== node),
    apart: [...root.apart, { node, identifier: link.identifier, other, reason, at }],
  };
}

/** What a root tells of itself to another root that wants to join it. */
export interface Strong {
  readonly user_ids: readonly string[];
  readonly emails: readonly string[];
  readonly members: number;
}

export function strongOf(root: Root): Strong {
  return {
    user_ids: identifierValues(root.lead, "user_id"),
    emails: identifierValues(root.lead, "email"),
    members: root.members.length,
  };
}

/** A device or one click: people pass both on. */
const weakTypes = new Set("anonymous_id gclid gbraid wbraid dclid fbclid li_fat_id msclkid ttclid twclid".split(" "));

/** Why these two must not become one over this identifier, or null. Symmetric in `a` and `b`. */
export function guard(a: Strong, b: Strong, over: Identifier, membersMax: number): string | null {
  if (a.members + b.members + 1 > membersMax) return "too_many_members";
  if (a.user_ids.length > 0 && b.user_ids.length > 0 && !a.user_ids.some((id) => b.user_ids.includes(id)))
    return "two_user_ids";
  if (
    weakTypes.has(over.type) &&
    a.emails.length > 0 &&
    b.emails.length > 0 &&
    !a.emails.some((email) => b.emails.includes(email))
  ) {
    return "shared_device";
  }
  return null;
}

/**
 * Takes in the state of a root that lost. `fresh` are the loser's log entries whose keys the receiver does not have.
 * Afterwards at most one follow-up is open per scope: the earliest stays, the others are cancelled (G4).
 */
export function absorb(root: Root, loser: Root, fresh: readonly Signal[], onePer: "lead" | "play"): Root {
  const lead = fresh.length === 0 ? root.lead : joinLeads(root.lead, fresh.reduce(foldSignal, emptyLead));
  const members = new Set([...root.members, ...loser.members, loser.name]);
  members.delete(root.name);
  const links = [...root.links, ...loser.links].filter(
    (link, index, all) =>
      link.node !== root.name && !members.has(link.node) && all.findIndex((item) => item.node === link.node) === index,
  );
  const merged: Root = {
    ...root,
    version: Math.max(root.version, loser.version) + 1,
    lead,
    members: [...members].sort(),
    links,
    // A stranger to one of them may be none to both: those whose link is owed are asked again, the rest stays known once.
    apart: [...root.apart, ...loser.apart].filter(
      ({ node }, index, all) =>
        node !== root.name &&
        !members.has(node) &&
        !links.some((link) => link.node === node) &&
        all.findIndex((item) => item.node === node) === index,
    ),
    // Who could not be reached may be reachable now: everything that waits is decided again.
    undecided: [
      ...root.undecided,
      ...loser.undecided.filter((item) => !root.undecided.some((own) => own.key === item.key)),
    ].map((item) => ({
      ...item,
      waiting: false,
    })),
    follow_ups: joinFollowUps(root.follow_ups, loser.follow_ups),
    people: { ...loser.people, ...root.people },
    absorbed: [...new Set([...root.absorbed, ...loser.absorbed, loser.name])].sort(),
    unprojected: {
      decisions: [...root.unprojected.decisions, ...loser.unprojected.decisions],
      gone: [...root.unprojected.gone, ...loser.unprojected.gone, { name: loser.name, version: loser.version + 1 }],
    },
  };
  return reconcile(merged, onePer);
}

/**
 * Both may hold one follow-up: a sealed root whose transfer was not acknowledged sends its old state to a third one, before
 * the state of the one that had taken it in arrives there. What went further is true: closed before open, settled before pending.
 */
function joinFollowUps(own: readonly FollowUpRecord[], theirs: readonly FollowUpRecord[]): readonly FollowUpRecord[] {
  const further = (item: FollowUpRecord): FollowUpRecord => {
    const other = theirs.find(({ id }) => id === item.id);
    if (other === undefined) return item;
    const actions = item.actions.map((action) => {
      const known = other.actions.find(({ key }) => key === action.key) ?? action;
      return actionRank[known.state] > actionRank[action.state] ? known : action;
    });
    return { ...(item.state === "open" ? other : item), actions };
  };
  return [...own.map(further), ...theirs.filter((item) => !own.some(({ id }) => id === item.id))];
}

const actionRank: Readonly<Record<ActionRecord["state"], number>> = { pending: 0, done: 1, parked: 1, cancelled: 2 };

/** Of several open follow-ups of one scope the earliest stays, the others are cancelled. */
export function reconcile(root: Root, onePer: "lead" | "play"): Root {
  const open = root.follow_ups
    .filter((item) => item.state === "open")
    .sort((a, b) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1));
  const kept = new Map<string, string>();
  const losers = new Set<string>();
  for (const item of open) {
    const scope = onePer === "lead" ? "lead" : item.play;
    if (kept.has(scope)) losers.add(item.id);
    else kept.set(scope, item.id);
  }
  if (losers.size === 0) return root;
  const follow_ups = root.follow_ups.map((item) =>
    losers.has(item.id)
      ? { ...item, state: "cancelled" as const, closed_because: "the same person was already being followed up" }
      : item,
  );
  return { ...root, follow_ups };
}
