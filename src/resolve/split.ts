/**
 * How one state becomes two again (G7): a link is cut, and both people are rebuilt from the log as if they had never met.
 * A signal goes with its strongest identifier, a follow-up with the signal that triggered it. What was decided while they
 * were taken for one is decided again for each. Pure.
 */
import { digest } from "../crypto.ts";
import { emptyLead, foldSignal } from "./lead.ts";
import { absorbedOn } from "./merge.ts";
import type { Apart, FollowUpRecord, LogEntry, Parting, Root, Undecided } from "./node.ts";
import { newRoot } from "./node.ts";
import { reach, spans, type Tie, tieId } from "./ties.ts";

export interface SplitChoice {
  readonly tie: string;
  /** Address of the person who says so. */
  readonly by: string;
  /** Epoch ms. */
  readonly at: number;
  /** Signals that happened longer ago cause no follow-up any more, so they are not decided again. */
  readonly decideSince: number;
}

export type Split =
  | {
      readonly arm: "split";
      readonly stays: Root;
      readonly parting: Parting;
      /** Keys of the log rows that leave. */
      readonly leaving: readonly string[];
    }
  | { readonly arm: "no_such_link" }
  /** Merges or another split are under way: to be asked again in a moment. */
  | { readonly arm: "busy" };

/** The tie of this id, or the one over which the root of that name was merged. */
export function findTie(root: Root, wanted: string): Tie | undefined {
  return root.ties.find((tie) => tieId(tie) === wanted || tie.loser === wanted);
}

/** `entries` is the whole log of the root. */
export function split(root: Root, entries: readonly LogEntry[], choice: SplitChoice): Split {
  const nodes = [root.name, ...root.members];
  if (root.links.length > 0 || root.partings.length > 0 || !spans(root.ties, nodes)) return { arm: "busy" };
  const tie = findTie(root, choice.tie);
  if (tie === undefined) return { arm: "no_such_link" };

  const staying = reach(root.ties, root.name, tie);
  const away = nodes.filter((node) => !staying.has(node)).sort();
  const to = away[0] ?? "";
  const leaves = new Set(away);
  const goes = (entry: LogEntry) => leaves.has(entry.node_of[0] ?? root.name);
  const version = root.version + 1;
  const moved = new Set(entries.filter(goes).map((entry) => entry.signal.idempotency_key));
  const again = decidedTogether(root, entries, tie, choice.decideSince);

  const side = (name: string, nodesOf: ReadonlySet<string>, own: (key: string) => boolean): Root => {
    const mine = entries.filter((entry) => own(entry.signal.idempotency_key));
    return {
      ...newRoot(name, root.workspace),
      version,
      lead: mine.map((entry) => entry.signal).reduce(foldSignal, emptyLead),
      members: nodes.filter((node) => node !== name && nodesOf.has(node)).sort(),
      ties: root.ties.filter((item) => item !== tie && nodesOf.has(item.a)),
      apart: apartOf(root, mine, nodesOf, name === root.name ? to : root.name, tie, choice),
      undecided: undecidedOf(root, mine, again, own, choice.at),
      follow_ups: root.follow_ups.filter((item) => own(item.trigger)).map((item) => submittedAgain(item, choice.at)),
      absorbed: root.absorbed,
    };
  };
  const stays: Root = {
    ...side(root.name, staying, (key) => !moved.has(key)),
    seq: root.seq,
    projected: root.projected,
    unprojected: {
      decisions: root.unprojected.decisions,
      gone: root.unprojected.gone.filter(({ name }) => !leaves.has(name)),
      closed: root.unprojected.closed,
    },
    ...(root.restored === undefined ? {} : { restored: root.restored }),
    ...(root.erased_at === undefined ? {} : { erased_at: root.erased_at }),
  };
  const left: Root = {
    ...side(to, leaves, (key) => moved.has(key)),
    seq: moved.size,
    unprojected: {
      decisions: [],
      closed: [],
      // Whoever was merged on that side is part of the new root now, and its row in the ledger says so.
      gone: absorbedOn(root, away).flatMap((name) => (name === to ? [] : [{ name, version }])),
    },
  };
  const parting: Parting = { id: `sp_${digest(tieId(tie), String(version))}`, to, root: left };
  return { arm: "split", stays: { ...stays, partings: [parting] }, parting, leaving: [...moved] };
}

/**
 * Signals on which a decision was made for both, and triggers of follow-ups that were closed because both were taken for
 * one: each side decides on its own ones again.
 */
function decidedTogether(root: Root, entries: readonly LogEntry[], tie: Tie, since: number): ReadonlySet<string> {
  const closed = new Set(root.follow_ups.filter((item) => item.closed_for !== undefined).map((item) => item.trigger));
  return new Set(
    entries
      .map((entry) => entry.signal)
      .filter((signal) => signal.occurred_at >= since)
      .filter((signal) => signal.received_at >= tie.at || closed.has(signal.idempotency_key))
      .map((signal) => signal.idempotency_key),
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

/** What is still under way is asked for again at once: the CRM's account object then tells the right person of it. */
function submittedAgain(followUp: FollowUpRecord, at: number): FollowUpRecord {
  const actions = followUp.actions.map((action) =>
    action.state === "pending" ? { ...action, retry_at: Math.min(action.retry_at, at) } : action,
  );
  return { ...followUp, actions };
}

/** What this side knows of strangers, the other side included: every identifier of it that its own signals name. */
function apartOf(
  root: Root,
  mine: readonly LogEntry[],
  nodesOf: ReadonlySet<string>,
  other: string,
  tie: Tie,
  { by, at }: SplitChoice,
): readonly Apart[] {
  const kept = root.apart.filter((item) => nodesOf.has(item.from));
  const [near, far] = nodesOf.has(tie.a) ? [tie.a, tie.b] : [tie.b, tie.a];
  const said = { other, reason: "split", at, state: "kept_apart", settled_by: by, settled_at: at } as const;
  const found = new Map<string, Apart>();
  for (const { signal, node_of } of mine) {
    for (const [index, identifier] of signal.identifiers.entries()) {
      const node = node_of[index];
      if (node === undefined || nodesOf.has(node) || kept.some((item) => item.node === node)) continue;
      found.set(node, { ...said, from: node_of[0] ?? near, node, identifier, by: signal.idempotency_key });
    }
  }
  // Also where none of this side's own signals names the other one.
  if (!found.has(far))
    found.set(far, { ...said, from: near, node: far, identifier: { type: tie.type, value: "" }, by: tie.by });
  return [...kept, ...found.values()];
}
