/**
 * How one state becomes two again (G7): a link is cut, and both people are rebuilt from the log as if they had never met.
 * A signal goes with its strongest identifier, a follow-up with the signal that triggered it. What was decided while they
 * were taken for one is decided again for each. Pure.
 */
import { digest } from "../crypto.ts";
import type { IdentityPolicy } from "../decide/identity-policy.ts";
import type { Identifier } from "../model.ts";
import { guard, profileOf } from "./guard.ts";
import { emptyLead, foldSignal } from "./lead.ts";
import { absorbedOn } from "./merge.ts";
import {
  type ActionRecord,
  type Apart,
  authorityOf,
  type FollowUpRecord,
  type Held,
  type LinkTodo,
  type LogEntry,
  moved as movedOn,
  newRoot,
  type Parting,
  type Root,
  type Undecided,
} from "./node.ts";
import { reach, spans, type Tie, tieId, undecidedSince } from "./ties.ts";

/** When it is, and how far back a decision may lie that was made for both. */
export interface SplitTime {
  /** Epoch ms. */
  readonly at: number;
  /** Signals that happened longer ago cause no follow-up any more, so they are not decided again. */
  readonly decideSince: number;
  /** The longest that a signal may wait for its decision: one that came so long before the merge was decided after it. */
  readonly undecidedMs: number;
}

export interface SplitChoice extends SplitTime {
  /** Id of the tie, or the name of the root that was merged over it. */
  readonly tie: string;
  /** Address of the person who says so. */
  readonly by: string;
}

export interface Parted {
  readonly stays: Root;
  readonly parting: Parting;
  /** Keys of the log rows that leave. */
  readonly leaving: readonly string[];
}

export type Split =
  | ({ readonly arm: "split" } & Parted)
  | { readonly arm: "no_such_link" }
  /** Merges or another split are under way: to be asked again in a moment. */
  | { readonly arm: "busy" };

export function findTie(root: Root, wanted: string): Tie | undefined {
  return root.ties.findLast((tie) => tieId(tie) === wanted || tie.loser === wanted);
}

/** `entries` is the whole log of the root. A person says that those on both sides of the tie are two. */
export function split(root: Root, entries: readonly LogEntry[], choice: SplitChoice): Split {
  const nodes = [root.name, ...root.members];
  const moving = entries.some((entry) => !nodes.includes(entry.node_of[0] ?? root.name));
  if (root.erase !== undefined) return { arm: "no_such_link" };
  const owes = root.links.length + root.partings.length + root.doubts.length > 0;
  if (moving || owes || !spans(root.ties, nodes)) return { arm: "busy" };
  const tie = findTie(root, choice.tie);
  if (tie === undefined) return { arm: "no_such_link" };
  const staying = reach(root.ties, root.name, tie);
  const said = (stranger: Stranger, other: string): Apart => ({
    ...stranger,
    other,
    reason: "split",
    at: choice.at,
    state: "kept_apart",
    settled_by: choice.by,
    settled_at: choice.at,
  });
  return { arm: "split", ...part(root, entries, tie, staying, choice, said) };
}

/**
 * Somebody who was taken in over this tie goes on as a person of their own. `reason` is the guard's, and then a person looks
 * at it; null where the node at the other end has left meanwhile, and the link to wherever that is now is owed. Null where
 * there is nothing to part: both hang together otherwise, or the tie was cut already.
 */
export function partAgain(
  root: Root,
  entries: readonly LogEntry[],
  tie: Tie,
  when: SplitTime,
  reason: string | null,
): Parted | null {
  const sides = sidesOf(root, tie);
  if (sides === null) return null;
  const refused = (stranger: Stranger, other: string): Apart => ({
    ...stranger,
    other,
    reason: reason ?? "",
    at: when.at,
    ...(reason === "kept_apart" ? { state: "kept_apart", settled_at: 0 } : { state: "open" }),
  });
  return part(root, entries, tie, sides.staying, when, reason === null ? owedSince(when.at, tie, entries) : refused);
}

/**
 * Whoever came over this tie may have met nobody of this person: the one at its other end left while they were on the way, and
 * came back with them only. They go on as a person of their own, the tie and its doubt among them, and owe the links that their
 * signals name. Null where they hang together with the root.
 */
export function partLoose(root: Root, entries: readonly LogEntry[], tie: Tie, when: SplitTime): Parted | null {
  const nodes = [root.name, ...root.members];
  const start = nodes.includes(tie.a) ? tie.a : tie.b;
  const away = reach(root.ties, start);
  if (!nodes.includes(start) || away.has(root.name)) return null;
  const staying = new Set(nodes.filter((node) => !away.has(node)));
  return part(root, entries, tie, staying, when, owedSince(when.at, tie, entries));
}

/**
 * The node at the other end of this tie has left, and whoever came over it hangs together with the root otherwise: those whom they met
 * here may have hung on that node alone. They go on as a person of their own. Null where everybody hangs together.
 */
export function partStranded(root: Root, entries: readonly LogEntry[], tie: Tie, when: SplitTime): Parted | null {
  const nodes = [root.name, ...root.members];
  const held = reach(root.ties, root.name, tie);
  const [start] = nodes.filter((node) => !held.has(node)).sort();
  if (start === undefined) return null;
  const away = reach(root.ties, start, tie);
  const staying = new Set(nodes.filter((node) => !away.has(node)));
  return part(root, entries, tie, staying, when, owedSince(when.at, tie, entries));
}

function owedSince(since: number, tie: Tie, entries: readonly LogEntry[]): (stranger: Stranger) => LinkTodo {
  return (stranger) => {
    const known = entries.find(({ signal }) => signal.idempotency_key === stranger.by);
    const bySignal =
      known === undefined || stranger.by === tie.by ? null : authorityOf(known.signal, stranger.identifier);
    return { ...stranger, since, authority: bySignal ?? tie.authority };
  };
}

/** What the guard would say today of those on both sides of a tie. */
export function doubtOf(root: Root, entries: readonly LogEntry[], tie: Tie, rules: IdentityPolicy): string | null {
  const sides = sidesOf(root, tie);
  if (sides === null) return null;
  const profile = (nodesOf: ReadonlySet<string>) => {
    const own = entries.filter(({ node_of: [first = root.name] }) => nodesOf.has(first));
    return profileOf({
      ...root,
      name: [...nodesOf][0] ?? root.name,
      members: [...nodesOf].slice(1),
      apart: root.apart.filter((item) => nodesOf.has(item.from)),
      lead: own.map((entry) => entry.signal).reduce(foldSignal, emptyLead),
    });
  };
  return guard(profile(sides.staying), profile(sides.away), tie.over, rules, tie.authority);
}

function sidesOf(
  root: Root,
  tie: Tie,
): { readonly staying: ReadonlySet<string>; readonly away: ReadonlySet<string> } | null {
  const known = root.ties.find((item) => tieId(item) === tieId(tie));
  if (known === undefined) return null;
  const nodes = new Set([root.name, ...root.members]);
  const own = [known.a, known.b].filter((node) => nodes.has(node));
  const near = own.find((node) => !reach(root.ties, node, known).has(root.name));
  if (near === undefined) return null;
  const beyond = reach(root.ties, near, known);
  const away = new Set([...nodes].filter((node) => beyond.has(node)));
  return { away, staying: new Set([...nodes].filter((node) => !away.has(node))) };
}

/**
 * The tie is cut, unless both its ends are on one side. `between`: what is kept of each identifier that one side's signals name
 * and the other side has.
 */
function part(
  root: Root,
  entries: readonly LogEntry[],
  tie: Tie,
  staying: ReadonlySet<string>,
  when: SplitTime,
  between: (stranger: Stranger, other: string) => Apart | LinkTodo,
): Parted {
  const nodes = [root.name, ...root.members];
  const away = nodes.filter((node) => !staying.has(node)).sort();
  // The smallest, so that every pointer still leads to a smaller name.
  const to = away[0] ?? "";
  const leaves = new Set(away);
  const version = root.version + 1;
  const moved = new Set(
    entries.filter((entry) => leaves.has(entry.node_of[0] ?? root.name)).map((entry) => entry.signal.idempotency_key),
  );
  const again = decidedTogether(root, entries, tie, when);
  const leaver = `${to}@${version}`;

  const side = (name: string, nodesOf: ReadonlySet<string>, own: (key: string) => boolean): Root => {
    const mine = entries.filter((entry) => own(entry.signal.idempotency_key));
    const strangers = strangersOf(mine, nodesOf, tie);
    const redecided = mine.flatMap(({ signal }) => (again.has(signal.idempotency_key) ? [signal.received_at] : []));
    // What a person said of both while they were taken for one holds for each.
    const near = [tie.a, tie.b].find((node) => nodesOf.has(node)) ?? name;
    const isCut = (item: Tie) => tieId(item) === tieId(tie) && !(nodesOf.has(item.a) && nodesOf.has(item.b));
    const apart = root.apart.flatMap((item) => {
      if (nodesOf.has(item.from)) return [item];
      const ofBoth = item.state === "kept_apart" && (item.settled_at ?? 0) >= tie.at && !nodesOf.has(item.node);
      return ofBoth ? [{ ...item, from: near }] : [];
    });
    const links = root.links.filter((item) => nodesOf.has(item.from));
    for (const item of strangers) {
      const known = root.apart.find(({ node }) => node === item.node);
      if (apart.some(({ node }) => node === item.node) || links.some(({ node }) => node === item.node)) continue;
      const kept =
        known === undefined ? between(item, name === root.name ? to : root.name) : { ...known, from: item.from };
      if ("state" in kept) apart.push(kept);
      else links.push(kept);
    }
    return {
      ...newRoot(name, root.workspace),
      version,
      lead: mine.map((entry) => entry.signal).reduce(foldSignal, emptyLead),
      members: nodes.filter((node) => node !== name && nodesOf.has(node)).sort(),
      ties: root.ties
        .filter((item) => !isCut(item) && (nodesOf.has(item.a) || nodesOf.has(item.b)))
        .map((item) => undecidedSince(item, redecided)),
      doubts: root.doubts.filter((item) => !isCut(item.tie) && (nodesOf.has(item.tie.a) || nodesOf.has(item.tie.b))),
      apart,
      links,
      undecided: undecidedOf(root, mine, again, own, when.at),
      follow_ups: root.follow_ups
        .filter((item) => own(item.trigger))
        .map((item) => submittedAgain(movedOn(item), when.at)),
      held: root.held.flatMap((item) => heldBy(item, own, name === root.name ? null : leaver)),
      approvals: root.approvals,
      said: name === root.name ? root.said : saidOfParts(root, leaver),
      absorbed: root.absorbed,
      erased_nodes: Object.fromEntries(Object.entries(root.erased_nodes).filter(([node]) => nodesOf.has(node))),
    };
  };
  // Whoever was merged on a side is part of its root now, whatever its row in the ledger says.
  const goneOn = (nodesOf: readonly string[], name: string) =>
    absorbedOn(root, nodesOf).flatMap((lost) => (lost === name ? [] : [{ name: lost, version }]));
  const left: Root = {
    ...side(to, leaves, (key) => moved.has(key)),
    seq: moved.size,
    unprojected: {
      // Also in the record of whoever stays: history keeps each once.
      decisions: root.unprojected.decisions.filter(({ decision }) => decision.signals.some((key) => moved.has(key))),
      closed: [],
      gone: goneOn(away, to),
    },
  };
  const parting: Parting = {
    id: `sp_${digest(tieId(tie), root.name, String(version))}`,
    to,
    root: left,
    staying: nodes.filter((node) => node !== root.name && staying.has(node)),
  };
  const stays: Root = {
    ...side(root.name, staying, (key) => !moved.has(key)),
    seq: root.seq,
    partings: [parting],
    projected: root.projected,
    unprojected: {
      ...root.unprojected,
      gone: [...root.unprojected.gone.filter(({ name }) => !leaves.has(name)), ...goneOn([...staying], root.name)],
    },
    // Looked at again: what only both of them together raised is none any more.
    ...(root.questions === undefined ? {} : { questions: root.questions }),
    ...(root.restored === undefined ? {} : { restored: root.restored }),
    ...(root.erased_at === undefined ? {} : { erased_at: root.erased_at }),
  };
  return { stays, parting, leaving: [...moved] };
}

/**
 * Signals on which a decision was made for both, and triggers of follow-ups that were closed because both were taken for
 * one: each side decides on its own ones again.
 */
function decidedTogether(root: Root, entries: readonly LogEntry[], tie: Tie, when: SplitTime): ReadonlySet<string> {
  const closed = new Set<string>();
  const acted = new Set<string>();
  for (const item of root.follow_ups) (item.closed_for === undefined ? acted : closed).add(item.trigger);
  const since = (tie.undecided_since ?? tie.at) - when.undecidedMs;
  return new Set(
    entries
      .filter(({ signal }) => signal.occurred_at >= when.decideSince && !acted.has(signal.idempotency_key))
      .filter(
        ({ signal, applied_at = signal.received_at }) => applied_at >= since || closed.has(signal.idempotency_key),
      )
      .map(({ signal }) => signal.idempotency_key),
  );
}

function undecidedOf(
  root: Root,
  mine: readonly LogEntry[],
  again: ReadonlySet<string>,
  own: (key: string) => boolean,
  at: number,
): readonly Undecided[] {
  const waiting = root.undecided.filter((item) => own(item.key)).map((item) => ({ ...item, waiting: false }));
  const known = new Set(waiting.map((item) => item.key));
  const more = mine
    .map((entry) => entry.signal.idempotency_key)
    .filter((key) => again.has(key) && !known.has(key))
    .map((key) => ({ key, decide_at: at, waiting: false }));
  return [...waiting, ...more];
}

/** The question goes with its signals; what stopped signals of both is asked of each, of the one who leaves under a name of its own. */
function heldBy(held: Held, own: (key: string) => boolean, leaver: string | null): Held[] {
  const signals = held.signals.filter(own);
  if (signals.length === 0) return [];
  const isOfBoth = signals.length < held.signals.length;
  return [{ ...held, id: isOfBoth && leaver !== null ? partOf(held.id, leaver) : held.id, signals }];
}

/**
 * Ids of exceptions are unique in a workspace: two people never share one. `leaver` is who leaves and in which version: with another split
 * of the same people the part that left with an earlier one may stay, and keeps its id.
 */
function partOf(id: string, leaver: string): string {
  return `${id.split("~")[0]}~${digest(id, leaver).slice(0, 8)}`;
}

/** What was said of a question is said of its parts. */
function saidOfParts(root: Root, leaver: string): Root["said"] {
  const parts = root.held.flatMap(({ id }) => {
    const said = root.said[id];
    return said === undefined ? [] : [[partOf(id, leaver), said] as const];
  });
  return { ...root.said, ...Object.fromEntries(parts) };
}

/**
 * What is still under way is asked for again at once: the CRM's account object then tells the right person of it. What was refused was
 * worded for both.
 */
function submittedAgain(followUp: FollowUpRecord, at: number): FollowUpRecord {
  const actions = followUp.actions.map((action): ActionRecord => {
    if (action.state === "done") return { ...action, unannounced: true };
    if (action.state === "pending") return { ...action, retry_at: Math.min(action.retry_at, at) };
    if (action.state !== "parked") return action;
    const { written: _ofBoth, ...rest } = action;
    return rest;
  });
  return { ...followUp, actions };
}

interface Stranger {
  readonly from: string;
  readonly node: string;
  readonly identifier: Identifier;
  readonly by: string;
}

/** Nodes that this side's signals name and that are not on it; the far end of the cut tie in any case. */
function strangersOf(mine: readonly LogEntry[], nodesOf: ReadonlySet<string>, tie: Tie): Stranger[] {
  const [near, far] = nodesOf.has(tie.a) ? [tie.a, tie.b] : [tie.b, tie.a];
  const found = new Map<string, Stranger>();
  for (const { signal, node_of } of mine) {
    for (const [index, identifier] of signal.identifiers.entries()) {
      const node = node_of[index];
      if (node === undefined || nodesOf.has(node) || found.has(node)) continue;
      found.set(node, { from: node_of[0] ?? near, node, identifier, by: signal.idempotency_key });
    }
  }
  // The identifier of a tie is the one of its node `b`; the other end's is not known here.
  const identifier = far === tie.b ? tie.over : { type: tie.over.type, value: "" };
  if (nodesOf.has(near) && !nodesOf.has(far) && !found.has(far))
    found.set(far, { from: near, node: far, identifier, by: tie.by });
  return [...found.values()];
}
