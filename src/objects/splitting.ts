/**
 * Splits, doubts and people's word between identity objects (DESIGN §6.2, G7): the calls, and what each commits. Pure rules
 * lie in `resolve` (`split merge`). Every method may run twice, at any time, on whatever the node has become since.
 */

import type { Policy } from "../decide/policy.ts";
import type { Env } from "../env.ts";
import { hopsMax, queueDelayMs } from "../limits.ts";
import { choseApart, choseMerge } from "../resolve/merge.ts";
import type { Doubt, LogEntry, Parting, Root } from "../resolve/node.ts";
import { isDoubted } from "../resolve/obligations.ts";
import { heededApart } from "../resolve/refusals.ts";
import { doubtOf, partAgain, partLoose, partStranded, type SplitTime, split } from "../resolve/split.ts";
import { tieId } from "../resolve/ties.ts";
import { chunksOf, factsOf, knows, type Linking, memoryOf, type Surroundings } from "./linking.ts";
import { identityStub } from "./names.ts";
import type { NodeState } from "./node-state.ts";

/** A person's word on two people: over a refused link (`node`), or any other lead. */
export interface Choice {
  readonly choice: "merge" | "keep_apart";
  /** A node of the other one. */
  readonly node: string;
  /** Address of the person. */
  readonly by: string;
  readonly at: number;
}

export type ChoiceAnswer =
  | { readonly arm: "ok" }
  | { readonly arm: "moved"; readonly to: string }
  | { readonly arm: "unknown" }
  | { readonly arm: "busy" };

export interface SplitCall {
  /** Id of the link, or the lead that was merged. */
  readonly tie: string;
  readonly by: string;
  readonly at: number;
}

export type SplitAnswer =
  | { readonly arm: "split"; readonly stays: string; readonly leaves: string }
  | { readonly arm: "moved"; readonly to: string }
  | { readonly arm: "no_such_link" }
  | { readonly arm: "busy" };

export class Splitting {
  readonly #env: Env;
  readonly #state: NodeState;
  readonly #around: Surroundings;
  readonly #linking: Linking;

  constructor(around: Surroundings, linking: Linking) {
    this.#env = around.env;
    this.#state = around.state;
    this.#around = around;
    this.#linking = linking;
  }

  /* ------------------------------------------------------------------------------------ what others ask */

  /** This node becomes the root of what was split off. Idempotent by the split's id, also when merged again since. */
  async restore(call: {
    readonly id: string;
    readonly root: Root;
    readonly entries: readonly LogEntry[];
    readonly last: boolean;
  }): Promise<void> {
    // Asked before anything is waited for: it may be on its way back already, to whoever asks this.
    if (memoryOf(this.#state.load()).restored?.includes(call.id) === true) return;
    await this.#linking.arrived();
    const node = this.#linking.settled();
    const memory = memoryOf(node);
    if (memory.restored?.includes(call.id) === true) return;
    if (node.role === "root" || node.role === "erased") throw new Error("only an alias can be restored");
    const entries = call.entries.map((entry) => ({ ...factsOf(entry), root: call.root.name }));
    this.#state.store.stage(entries);
    if (!call.last) return;
    const { erased_at } = memory;
    this.#state.save({
      ...call.root,
      restored: [...(memory.restored ?? []), call.id],
      ...(erased_at === undefined ? {} : { erased_at }),
    });
    this.#state.projectDue = true;
    this.#around.pump();
  }

  /** This alias points there from now on, unless it was told something newer. */
  async repoint(call: { readonly to: string; readonly epoch: number }): Promise<void> {
    const known = this.#state.load();
    if (known.role !== "alias" || known.epoch >= call.epoch) return;
    await this.#linking.arrived();
    const node = this.#linking.settled();
    if (node.role !== "alias" || node.epoch >= call.epoch) return;
    this.#state.saveAlias({ ...node, parent: call.to, epoch: call.epoch });
  }

  /* ------------------------------------------------------------------------------------ what people say */

  choose(call: Choice): ChoiceAnswer {
    const node = this.#state.load();
    if (node.role === "alias") return { arm: "moved", to: node.parent };
    if (node.role !== "root") return { arm: "unknown" };
    if (node.partings.length > 0 || node.erase !== undefined) return { arm: "busy" };
    if (call.node === node.name || node.members.includes(call.node))
      return call.choice === "merge" ? { arm: "ok" } : { arm: "unknown" };
    // An older word that comes late changes nothing.
    if (node.apart.some((item) => item.node === call.node && (item.settled_at ?? 0) > call.at)) return { arm: "ok" };
    const by = `person:${call.by}`;
    const known = node.apart.some((item) => item.node === call.node)
      ? node
      : {
          ...node,
          apart: [
            ...node.apart,
            {
              from: node.name,
              node: call.node,
              identifier: { type: "person", value: "" },
              other: call.node,
              reason: "said_by_a_person",
              by,
              at: call.at,
              state: "open" as const,
            },
          ],
        };
    const chosen = call.choice === "merge" ? choseMerge : choseApart;
    this.#state.save(chosen(known, call.node, call.choice === "merge" ? by : call.by, call.at));
    this.#state.projectDue = true;
    this.#around.pump();
    return { arm: "ok" };
  }

  /** The only commit point of a split: from here on what leaves is an obligation (`Parting`). */
  async split(call: SplitCall): Promise<SplitAnswer> {
    const first = this.#state.root();
    const policy = first === null ? null : await this.#around.policyOf(first.workspace);
    const root = this.#state.load();
    if (root.role === "alias") return { arm: "moved", to: root.parent };
    if (root.role !== "root" || policy === null) return { arm: "no_such_link" };
    const done = split(root, this.#state.store.entriesAfter(0), { ...call, ...timeOf(policy, call.at) });
    if (done.arm !== "split") return { arm: done.arm };
    this.#state.saveSplit(heededApart(done.stays, policy, call.at), done.leaving);
    this.#state.projectDue = true;
    this.#around.pump();
    return { arm: "split", stays: root.name, leaves: done.parting.to };
  }

  /* ------------------------------------------------------------------------------------ what is owed */

  /**
   * Finds out whether somebody who was taken in belongs here. Whoever is asked waits until what is on its way has arrived, so
   * that nobody goes who would come again inside somebody else. Links are made before, so that none is under way.
   */
  async settleDoubt(doubt: Doubt): Promise<void> {
    const first = this.#state.root();
    if (first === null) return;
    const policy = await this.#around.policyOf(first.workspace);
    const { tie } = doubt;
    const isHere = (await this.#isHere(tie.a)) && (await this.#isHere(tie.b));
    const root = this.#state.root();
    if (root === null || root.partings.length > 0 || !root.links.every((link) => isDoubted(root, link))) return;
    const doubts = root.doubts.filter((item) => tieId(item.tie) !== tieId(tie));
    if (doubts.length === root.doubts.length) return;
    const entries = this.#state.store.entriesAfter(0);
    const loose = isHere ? partLoose(root, entries, tie, timeOf(policy, Date.now())) : null;
    if (loose !== null) {
      this.#state.saveSplit(heededApart(loose.stays, policy, Date.now()), loose.leaving);
      this.#state.projectDue = true;
      return;
    }
    const reason = isHere ? doubtOf(root, entries, tie, policy.identity) : null;
    const when = timeOf(policy, Date.now());
    const again = isHere && reason === null ? null : partAgain(root, entries, tie, when, reason);
    const parted = again ?? (isHere ? null : partStranded(root, entries, tie, when));
    if (parted === null) {
      // Held by other links as well: the one that leads elsewhere by now goes.
      const ties = isHere ? root.ties : root.ties.filter((item) => tieId(item) !== tieId(tie));
      return this.#state.save({ ...root, version: root.version + 1, ties, doubts });
    }
    this.#state.saveSplit(heededApart(parted.stays, policy, Date.now()), parted.leaving);
    this.#state.projectDue = true;
  }

  /** Whether this node's person is this root. */
  async #isHere(node: string): Promise<boolean> {
    let target = node;
    for (let hops = 0; hops < hopsMax; hops++) {
      const root = this.#state.root();
      if (root === null) return false;
      if (target === root.name) return knows(root, node);
      const answer = await identityStub(this.#env, target).claim({ by: root.name, node, full: true });
      const after = this.#state.root();
      if (answer.arm === "claimed") return after !== null && after.name === root.name && knows(after, node);
      if (answer.arm !== "moved") return false;
      target = answer.to;
    }
    throw new Error("too many moves");
  }

  /** Brings what was split off to its root, and its aliases after it. */
  async part(parting: Parting): Promise<void> {
    const { id, to, root, staying } = parting;
    const here = this.#owing(id);
    if (here === null) return;
    // First, while everything still leads here: nobody who stays may lead through a node that becomes another person.
    for (const node of staying) await identityStub(this.#env, node).repoint({ to: here.name, epoch: root.version });
    // A later turn may have brought it there meanwhile, and what lies aside now is another one's, or gone with an erasure.
    if (this.#owing(id) === null) return;
    const entries = this.#state.store.parted().map((entry, index) => ({ ...entry, seq: index + 1 }));
    for (const { chunk, last } of chunksOf(entries))
      await identityStub(this.#env, to).restore({ id, root, entries: chunk, last });
    for (const node of root.members) await identityStub(this.#env, node).repoint({ to, epoch: root.version });
    const after = this.#owing(id);
    if (after !== null) this.#state.saveParted({ ...after, partings: after.partings.filter((item) => item.id !== id) });
  }

  /** The root as it is now, while it still owes this parting. */
  #owing(id: string): Root | null {
    const root = this.#state.root();
    return root?.partings.some((item) => item.id === id) === true ? root : null;
  }
}

/** How far back a decision of this policy may lie: beyond its slowest tier, signals may have come by the queue. */
function timeOf(policy: Policy, at: number): SplitTime {
  const { routes, tiers } = policy;
  return {
    at,
    decideSince: at - Math.max(...routes.map((route) => route.when.max_age_ms)),
    undecidedMs: Math.max(...Object.values(tiers).map((tier) => tier.window_ms)) + queueDelayMs,
  };
}
