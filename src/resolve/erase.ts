/**
 * How a person is erased (DESIGN §6.7, G14): nothing is decided or linked any more, open follow-ups are withdrawn, and when
 * their tasks are closed the state becomes a nameless tombstone that swallows late signals. Pure.
 */
import { closedQuestions } from "./field-questions.ts";
import type { FollowUpRecord, Root, Tombstone } from "./node.ts";
import { openActions, unreleased } from "./obligations.ts";

/** Senders try again for days, queues hold for weeks: as long as keys are kept at least (DESIGN §6.1). */
export const tombstoneMs = 35 * 86_400_000;

export interface ErasureOrder {
  /** Derived from the request, so that whoever hears of it twice knows. */
  readonly id: string;
  /** Epoch ms: what happened before goes. */
  readonly at: number;
  /** Address of the person who ordered it. */
  readonly by: string;
}

/** Also for what arrives while it is under way: it belongs to the same person and goes along. */
export function toBeErased(root: Root, order: ErasureOrder): Root {
  const follow_ups = root.follow_ups.map(({ assign: _nobodyAnyMore, ...item }): FollowUpRecord => {
    if (item.state !== "open") return item;
    return { ...item, state: "cancelled", closed_because: "the person was erased", closed_at: order.at };
  });
  return {
    ...root,
    version: root.version + 1,
    links: [],
    doubts: [],
    apart: [],
    undecided: [],
    // Nobody is asked about them any more: the ledger may still show the questions, of whoever they were of before.
    held: root.held.map((item) => ({ ...item, state: "closed", reasons: [], signals: [] })),
    ...closedQuestions(root, root.version + 1),
    said: {},
    follow_ups,
    unprojected: {
      ...root.unprojected,
      closed: [...root.unprojected.closed, ...root.apart.filter(({ state }) => state === "open")],
    },
    erase: {
      id: order.id,
      // What came before the order was heard goes as well, and stays gone when it is sent again, whatever its clock says.
      at: Math.max(order.at, (root.lead.last?.at ?? 0) + 1),
      by: order.by,
      owed: [...(root.erase?.owed ?? []), ...root.links.map((link) => link.node)],
    },
  };
}

/** Whether nothing is left to be withdrawn. */
export function mayBeErased(root: Root): boolean {
  return (
    root.erase !== undefined && root.partings.length === 0 && openActions(root).length + unreleased(root).length === 0
  );
}

/** A person of whom nothing is left but the nodes: see `erase.final`. */
export type Final = Root & { readonly erase: { readonly final: number } };

export function isFinal(root: Root): root is Final {
  return root.erase?.final !== undefined;
}

export function tombstoneOf(order: Pick<ErasureOrder, "at">, epoch: number): Tombstone {
  return { role: "erased", erased_at: order.at, until: order.at + tombstoneMs, epoch };
}

/** Names under which the ledger may know this person. */
export function leadsOf(root: Root): readonly string[] {
  return [root.name, ...root.members];
}
