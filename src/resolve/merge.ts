/**
 * How two people become one state (DESIGN §6.2): links that are made or refused, what the winner takes in, and which
 * follow-ups stay. Pure.
 */
import type { Approval } from "../decide/hold.ts";
import type { Signal } from "../model.ts";
import { joinQuestions } from "./field-questions.ts";
import { type Authority, weightOf } from "./guard.ts";
import { emptyLead, foldSignal, joinLeads } from "./lead.ts";
import {
  type ActionRecord,
  type Apart,
  type Doubt,
  type FollowUpRecord,
  type Held,
  type LinkTodo,
  moved,
  type Remembered,
  type Root,
  type Said,
} from "./node.ts";
import { joinRecords } from "./shown.ts";
import { joinTies, type Tie, tied, undecidedSince } from "./ties.ts";

export function tieOf(link: LinkTodo, at: number, loser?: string): Tie {
  const { from, node, identifier, by, authority } = link;
  return { a: from, b: node, over: identifier, by, authority, at, ...(loser === undefined ? {} : { loser }) };
}

/** The node of this link is now part of this person. */
export function linkDone(root: Root, node: string, at: number): Root {
  // After a merge, two may have owed the same one.
  const made = root.links.filter((item) => item.node === node);
  if (made.length === 0) return root;
  return {
    ...root,
    version: root.version + 1,
    links: root.links.filter((item) => item.node !== node),
    members: node === root.name || root.members.includes(node) ? root.members : [...root.members, node].sort(),
    ties: made.reduce((ties, link) => tied(ties, undecidedSince(tieOf(link, at), arrivals(root))), root.ties),
  };
}

/**
 * The link is made, where the node that is linked may remember an erased person: rows of the ledger only move forward, also if it becomes
 * a person of its own one day. With two here whom somebody keeps apart, it is looked into whether it holds them together: it was made on the
 * word of who came to be here in a race.
 */
export function linked(root: Root, todo: LinkTodo, remembered: Partial<Remembered>, at: number): Root {
  const { node } = todo;
  const done = linkDone(root, node, at);
  const made = isDivided(done) ? { ...done, doubts: [...done.doubts, { tie: tieOf(todo, at) }] } : done;
  const { erased_at, epoch } = remembered;
  if (erased_at === undefined || epoch === undefined) return made;
  return {
    ...made,
    erased_nodes: { ...made.erased_nodes, [node]: erased_at },
    version: Math.max(made.version, epoch) + 1,
  };
}

/** Whether somebody who is kept apart from this person is here all the same (see `Doubt`). */
function isDivided({ name, members, apart }: Pick<Root, "name" | "members" | "apart">): boolean {
  return apart.some(({ state, node }) => state === "kept_apart" && (node === name || members.includes(node)));
}

/**
 * The link would have joined two people: it is dropped and remembered for a person to look at, unless one has said
 * already that they are two.
 */
export function keepApart(root: Root, node: string, other: string, reason: string, at: number): Root {
  const link = root.links.find((item) => item.node === node);
  if (link === undefined) return root;
  const { from, identifier, by } = link;
  const fact = { from, node, identifier, other, reason, by, at };
  const apart: Apart =
    reason === "kept_apart" ? { ...fact, state: "kept_apart", settled_at: 0 } : { ...fact, state: "open" };
  return {
    ...root,
    version: root.version + 1,
    links: root.links.filter((item) => item.node !== node),
    apart: root.apart.some((item) => item.node === node) ? root.apart : [...root.apart, apart],
  };
}

/** A person says that the two are one: the link is owed again, and no limit stands in its way. */
export function choseMerge(root: Root, node: string, by: string, at: number): Root {
  const conflict = root.apart.find((item) => item.node === node);
  if (conflict === undefined) return root;
  const { from, identifier } = conflict;
  const link: LinkTodo = { node, identifier, since: at, from, by, authority: { type: "person", at } };
  return {
    ...root,
    version: root.version + 1,
    apart: root.apart.filter((item) => item !== conflict),
    links: [...root.links.filter((item) => item.node !== node), link],
    unprojected: {
      ...root.unprojected,
      closed: [...root.unprojected.closed, { ...conflict, settled_by: by.replace(/^person:/, ""), settled_at: at }],
    },
  };
}

/** A person says that the two are two, for ever. */
export function choseApart(root: Root, node: string, by: string, at: number): Root {
  if (!root.apart.some((item) => item.node === node)) return root;
  const apart = root.apart.map(
    (item): Apart => (item.node === node ? { ...item, state: "kept_apart", settled_by: by, settled_at: at } : item),
  );
  return { ...root, version: root.version + 1, apart };
}

/**
 * Takes in the state of a root that lost. `fresh` are the loser's log entries whose keys the receiver does not have.
 * Afterwards at most one follow-up is open per scope: the earliest stays, the others are cancelled (G4).
 */
export function absorb(
  root: Root,
  loser: Root,
  fresh: readonly Signal[],
  onePer: "lead" | "play",
  inDoubt: readonly Doubt[] = [],
): Root {
  const lead = fresh.length === 0 ? root.lead : joinLeads(root.lead, fresh.reduce(foldSignal, emptyLead));
  const members = new Set([...root.members, ...loser.members, loser.name]);
  members.delete(root.name);
  const known = [...root.apart, ...loser.apart];
  const isSettled = (node: string) => known.some((item) => item.node === node && item.state === "kept_apart");
  const links = [...root.links, ...loser.links]
    .sort(byAuthority)
    .filter(
      (link, index, all) =>
        link.node !== root.name &&
        !members.has(link.node) &&
        all.findIndex((item) => item.node === link.node && item.from === link.from) === index,
    );
  // A stranger to one of them may be none to both: those whose link is owed are asked again, the rest stays known once,
  // and a person's word stays whatever is owed.
  const isHere = (node: string) => node === root.name || members.has(node);
  const joining = loser.ties.findLast((tie) => tie.loser === loser.name);
  const saidAt = personAt(joining?.authority);
  const apart = known.filter((item, index) =>
    item.state === "kept_apart"
      ? // Here all the same: by a newer word of a person, or by a race that is looked into (see `Doubt`).
        !(isHere(item.node) && saidAt > (item.settled_at ?? 0)) &&
        known.findIndex(
          (other) => other.node === item.node && other.from === item.from && other.state === "kept_apart",
        ) === index
      : !isHere(item.node) &&
        !isSettled(item.node) &&
        !links.some((link) => link.node === item.node) &&
        known.findIndex((other) => other.node === item.node) === index,
  );
  // What waited on either side is decided for all of them: for both ends of every tie, however old that is.
  const theirs = joinTies(root.ties, loser.ties).map((tie) =>
    undecidedSince(tie, [...arrivals(root), ...arrivals(loser)]),
  );
  // A link whose node is here already is made, and may be the only one that holds its other end.
  const ties = [...root.links, ...loser.links]
    .filter(({ node }) => isHere(node))
    .reduce<readonly Tie[]>((known, link) => tied(known, tieOf(link, link.since)), theirs);
  // The other links that their coming has made may be what holds together who must not be one.
  const more = isDivided({ name: root.name, members: [...members], apart }) ? ties.slice(theirs.length) : [];
  const merged: Root = {
    ...root,
    version: Math.max(root.version, loser.version) + 1,
    lead,
    members: [...members].sort(),
    ties,
    links,
    apart,
    // Who could not be reached may be reachable now: everything that waits is decided again.
    undecided: [
      ...root.undecided,
      ...loser.undecided.filter((item) => !root.undecided.some((own) => own.key === item.key)),
    ].map((item) => ({
      ...item,
      waiting: false,
    })),
    follow_ups: joinFollowUps(root.follow_ups, loser.follow_ups),
    ...joinRecords(root, loser),
    ...joinQuestions(root, loser, Math.max(root.version, loser.version) + 1),
    held: joinHeld(root.held, loser.held),
    approvals: joinApprovals(root.approvals, loser.approvals),
    said: joinSaid(root.said, loser.said),
    erased_nodes: { ...root.erased_nodes, ...loser.erased_nodes },
    doubts: [...root.doubts, ...loser.doubts, ...inDoubt, ...more.map((tie) => ({ tie }))],
    absorbed: joinAbsorbed(root.absorbed, { ...loser.absorbed, [loser.name]: loser.version }),
    unprojected: {
      decisions: [...root.unprojected.decisions, ...loser.unprojected.decisions],
      gone: [...root.unprojected.gone, ...loser.unprojected.gone, { name: loser.name, version: loser.version + 1 }],
      closed: [
        ...root.unprojected.closed,
        ...loser.unprojected.closed,
        // Also those that somebody has answered: the ledger may not have heard of it yet.
        ...known.filter((item) => !apart.includes(item)),
      ],
    },
  };
  return reconcile(merged, onePer);
}

/** Not later than this they came: at the earliest instant at which they could have been decided. */
function arrivals(root: Root): readonly number[] {
  return root.undecided.map((item) => item.decide_at);
}

function byAuthority(a: LinkTodo, b: LinkTodo): number {
  return weightOf(a.authority) - weightOf(b.authority);
}

function personAt(authority: Authority | undefined): number {
  return authority?.type === "person" ? authority.at : 0;
}

/** Whether this state of that root is in already, as told by itself or by another one that had taken it in. */
export function hasAbsorbed(root: Root, loser: Pick<Root, "name" | "version">): boolean {
  return (root.absorbed[loser.name] ?? -1) >= loser.version;
}

function joinAbsorbed(a: Root["absorbed"], b: Root["absorbed"]): Root["absorbed"] {
  const joined: Record<string, number> = { ...a };
  for (const [name, version] of Object.entries(b)) joined[name] = Math.max(joined[name] ?? -1, version);
  return joined;
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
      const ahead = actionRank[known.state] - actionRank[action.state] || known.revision - action.revision;
      return ahead > 0 ? known : action;
    });
    // Asked on one side is asked: its question is to be closed with it.
    const overdue = item.overdue ?? other.overdue;
    const asked = overdue === undefined ? {} : { overdue };
    return { ...(stageOf(other) > stageOf(item) ? other : item), ...asked, actions };
  };
  return [...own.map(further), ...theirs.filter((item) => !own.some(({ id }) => id === item.id)).map(moved)];
}

/** How far a follow-up has come: closed after open, with a holder after without, and each enrichment further. */
function stageOf({ state, assign, released, revision }: FollowUpRecord): number {
  return (
    (state === "open" ? 0 : 4_000) + (released === true ? 2_000 : 0) + (assign === undefined ? 1_000 : 0) + revision
  );
}

/** What was answered on one side is answered. */
function joinHeld(own: readonly Held[], theirs: readonly Held[]): readonly Held[] {
  const later = own.map((item) => theirs.find(({ id, state }) => id === item.id && state === "closed") ?? item);
  return [...later, ...theirs.filter((item) => !own.some(({ id }) => id === item.id))];
}

function joinSaid(own: Root["said"], theirs: Root["said"]): Root["said"] {
  const joined: Record<string, Said> = { ...own };
  for (const [id, said] of Object.entries(theirs)) {
    const known = joined[id];
    if (known === undefined || said.at > known.at) joined[id] = said;
  }
  return joined;
}

function joinApprovals(own: Root["approvals"], theirs: Root["approvals"]): Root["approvals"] {
  const isKnown = (item: Approval) => own.some(({ code, at }) => code === item.code && at === item.at);
  return [...own, ...theirs.filter((item) => !isKnown(item))];
}

const actionRank: Readonly<Record<ActionRecord["state"], number>> = { pending: 0, done: 1, parked: 1, cancelled: 2 };

/** Of several open follow-ups of one scope the earliest stays, the others are cancelled. */
export function reconcile(root: Root, onePer: "lead" | "play"): Root {
  const open = root.follow_ups
    .filter((item) => item.state === "open")
    .sort((a, b) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1));
  const kept = new Map<string, string>();
  const losers = new Map<string, string>();
  for (const item of open) {
    const scope = onePer === "lead" ? "lead" : item.play;
    const stays = kept.get(scope);
    if (stays === undefined) kept.set(scope, item.id);
    else losers.set(item.id, stays);
  }
  if (losers.size === 0) return root;
  const follow_ups = root.follow_ups.map((item): FollowUpRecord => {
    const closed_for = losers.get(item.id);
    if (closed_for === undefined) return item;
    const { assign: _nobodyAnyMore, ...rest } = item;
    return { ...rest, state: "cancelled", closed_because: "the same person was already being followed up", closed_for };
  });
  return { ...root, follow_ups };
}

/** Roots that were taken in and whose nodes are among these. */
export function absorbedOn(root: Root, nodes: readonly string[]): readonly string[] {
  return Object.keys(root.absorbed).filter((name) => nodes.includes(name));
}
