/**
 * How the identifiers of one person hang together: a spanning tree over the person's nodes, one edge for each link that was
 * made, with the signal (or the person) that made it. Every link can be undone by cutting its edge: what hangs on the other
 * side is the other person. Pure.
 */
import { digest } from "../crypto.ts";
import type { Identifier } from "../model.ts";
import type { Authority } from "./guard.ts";

export interface Tie {
  /** Node of the signal's strongest identifier. */
  readonly a: string;
  /** Node that was linked. */
  readonly b: string;
  /** The identifier that linked them: the one of node `b`. */
  readonly over: Identifier;
  /** Key of the signal, or `person:<address>`, that says they are one. */
  readonly by: string;
  readonly authority: Authority;
  /** Epoch ms at which the link was made. */
  readonly at: number;
  /** Where something older was still undecided when the link was made, or is again: since when. It may be decided for both. */
  readonly undecided_since?: number;
  /** Name of the root that became part of the other one, where the link joined two people. */
  readonly loser?: string;
}

/** Public name of a tie, the same whoever computes it. */
export function tieId(tie: Pick<Tie, "a" | "b">): string {
  return `li_${digest(...[tie.a, tie.b].sort())}`;
}

/** Nodes that can be reached from `start`, itself included, without passing `without`. */
export function reach(ties: readonly Tie[], start: string, without?: Tie): ReadonlySet<string> {
  const seen = new Set([start]);
  const todo = [start];
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    for (const tie of ties) {
      if (tie === without) continue;
      const next = tie.a === node ? tie.b : tie.b === node ? tie.a : undefined;
      if (next === undefined || seen.has(next)) continue;
      seen.add(next);
      todo.push(next);
    }
  }
  return seen;
}

/** With this tie too, unless its ends hang together already: what is stored stays a forest, so that every cut means something. */
export function tied(ties: readonly Tie[], tie: Tie): readonly Tie[] {
  return tie.a === tie.b || reach(ties, tie.a).has(tie.b) ? ties : [...ties, tie];
}

/** This tie, over which signals from that instant on may be decided. */
export function undecidedSince(tie: Tie, instants: readonly number[]): Tie {
  const since = Math.min(tie.undecided_since ?? tie.at, ...instants);
  return since < tie.at ? { ...tie, undecided_since: since } : tie;
}

/** Both forests; the first one's ties stand where they overlap. */
export function joinTies(own: readonly Tie[], theirs: readonly Tie[]): readonly Tie[] {
  return theirs.reduce(tied, own);
}

/** Whether everything hangs together: while merges are under way it may not. */
export function spans(ties: readonly Tie[], nodes: readonly string[]): boolean {
  const [first] = nodes;
  if (first === undefined) return true;
  const seen = reach(ties, first);
  return nodes.every((node) => seen.has(node));
}
