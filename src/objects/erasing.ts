/** Erasing a person across objects (DESIGN §6.7). Every method may run twice; the obligation lies in the root's state. */

import { digest } from "../crypto.ts";
import type { Env } from "../env.ts";
import { erasedIdentifier } from "../ledger/erasures.ts";
import { projectionOf } from "../ledger/rows.ts";
import { hopsMax } from "../limits.ts";
import {
  type ErasureOrder,
  type Final,
  isFinal,
  leadsOf,
  mayBeErased,
  toBeErased,
  tombstoneOf,
} from "../resolve/erase.ts";
import { identifierValues } from "../resolve/lead.ts";
import type { Target } from "../resolve/node.ts";
import { recordsOf } from "../resolve/shown.ts";
import type { Workspace } from "../workspace.ts";
import { accountStub, companyStub, identityStub, projectorStub } from "./names.ts";
import type { NodeState } from "./node-state.ts";

export type EraseAnswer =
  | { readonly arm: "under_way" }
  | { readonly arm: "erased" }
  | { readonly arm: "moved"; readonly to: string }
  | { readonly arm: "unknown" };

/** Who is asked to erase. */
export interface Erasable {
  erase(call: EraseCall): Promise<EraseAnswer>;
}

export interface EraseCall {
  readonly by: string;
  /** Epoch ms. */
  readonly at: number;
}

export interface SwallowCall {
  readonly at: number;
  readonly epoch: number;
  /** The person's nodes. One that points elsewhere has become somebody else's since it was asked before, or never was theirs. */
  readonly within: readonly string[];
}

/** What erasing needs of the object it belongs to. */
export interface Surroundings {
  readonly env: Env;
  readonly state: NodeState;
  workspace(id: string): Promise<Workspace>;
  /** Waits until nothing of this node is on its way to another one. */
  arrived(): Promise<void>;
  armAt(at: number): void;
  pump(): void;
}

export class Erasing {
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** The order is on disk when this answers; what it takes is an obligation. */
  order(call: EraseCall): EraseAnswer {
    const { state } = this.#around;
    const node = state.load();
    if (node.role === "alias") return { arm: "moved", to: node.parent };
    if (node.role === "unused") return { arm: "unknown" };
    if (node.role === "erased") return { arm: "erased" };
    if (node.erase === undefined) {
      const order: ErasureOrder = { id: `er_${digest(node.name, String(node.version))}`, at: call.at, by: call.by };
      state.save(toBeErased(node, order));
      state.projectDue = true;
      this.#around.pump();
    }
    return { arm: "under_way" };
  }

  /** This node's person is erased. Refused by a root: it is somebody else's by now. */
  async swallow(call: SwallowCall): Promise<void> {
    const { state } = this.#around;
    await this.#around.arrived();
    const node = state.load();
    if (node.role === "alias" && !node.acknowledged) throw new Error("still on its way: to be asked again");
    // Somebody new may have it by now: whoever asks twice does not erase them. Or it has come since this was asked: then it is
    // asked again, when all that came with it is known.
    if (node.role !== "alias" || node.epoch >= call.epoch) return;
    if (!call.within.includes(node.parent)) return;
    // A split that made this node a root may still be told of once more.
    const memory = node.restored === undefined ? {} : { restored: node.restored };
    const tombstone = { ...tombstoneOf({ at: Math.max(call.at, node.erased_at ?? 0) }, call.epoch), ...memory };
    state.saveErased(tombstone);
    this.#around.armAt(tombstone.until);
  }

  /**
   * From the outside in: who is asked late or twice only finds less. The ledger comes before the nodes, which may be somebody new's at
   * once; the tombstone here comes last.
   */
  async erase(): Promise<void> {
    const { env, state } = this.#around;
    const first = state.root();
    if (first === null || first.erase === undefined || !mayBeErased(first)) return;
    const { policy, shard, targets } = await this.#around.workspace(first.workspace);
    const root = await this.#final(targets);
    if (root === null) return;
    const { id, at, by, owed, final } = root.erase;
    const version = final + 1;
    const within = [root.name, ...root.members];
    await projectorStub(env, shard, root.name).erase({
      shown: projectionOf(root, [], policy, Date.now()),
      erasure: {
        id,
        workspace: root.workspace,
        leads: leadsOf(root),
        keys: [...state.store.keys(), ...Object.keys(root.lead.identifiers).map(erasedIdentifier)],
        by,
      },
      version,
    });
    // Those that may hang on a member first: a member that is free may be somebody new's at once, and what hangs on it too.
    for (const node of [...owed, ...root.members])
      await identityStub(env, node).swallow({ at, epoch: version, within });
    const after = state.root();
    if (after === null || after.erase?.final !== final) return;
    // Whoever was erased here before stays so, by an order that was given later perhaps.
    const tombstone = {
      ...tombstoneOf({ at: Math.max(at, after.erased_at ?? 0) }, version),
      restored: after.restored ?? [],
    };
    state.saveErased(tombstone);
    this.#around.armAt(tombstone.until);
  }

  /**
   * The root as it goes, when everything else that knows of it has let go; null where somebody was taken in or something was confirmed
   * meanwhile: that goes the same way, from the beginning.
   */
  async #final(targets: readonly Target[]): Promise<Final | null> {
    const { env, state } = this.#around;
    const root = state.root();
    if (root === null || root.erase === undefined || !mayBeErased(root)) return null;
    if (isFinal(root)) return root;
    // Of somebody who is on the way here a part of the history may have come: they come first, and go along.
    const nodes = [root.name, ...root.members, ...root.erase.owed];
    const foreign = new Set(state.store.entriesAfter(0).map(({ node_of: [first = root.name] }) => first));
    for (const node of nodes) foreign.delete(node);
    for (const node of foreign) await this.#letArrive(node, root.name);
    if (foreign.size > 0 && state.root()?.version !== root.version) return null;
    // A version that a crash could take back must not be told to anybody.
    if (state.unsaved) state.save(root);
    const actions = [...root.follow_ups.flatMap((item) => item.actions), ...recordsOf(root)];
    // Also where nothing is theirs any more: what went on with a split may still be told in their words.
    const values = ["email", "phone"].flatMap((type) => identifierValues(root.lead, type));
    for (const account of new Set([...actions, ...targets].map((item) => item.account))) {
      const keys = actions.filter((action) => action.account === account).map((action) => action.key);
      await accountStub(env, account).forget({ keys, values });
    }
    if (root.company !== undefined)
      await companyStub(env, root.workspace, root.company).forget({ leads: leadsOf(root) });
    // Nobody may hang on somebody else, who may go first; nor on the one whom this person was split off from, who may still be
    // telling them where they belong.
    const gathering = { to: root.name, epoch: root.version, within: [root.name, ...root.members] };
    for (const node of root.members) await identityStub(env, node).gather({ node, ...gathering });
    const after = state.root();
    if (after === null || after.version !== root.version || after.erase === undefined || !mayBeErased(after))
      return null;
    const version = after.version + 1;
    const final: Final = { ...after, version, erase: { ...after.erase, final: version } };
    state.save(final);
    return final;
  }

  /** Whoever is asked brings what is on its way from there first. Where it has gone elsewhere, it is not waited for. */
  async #letArrive(node: string, here: string): Promise<void> {
    let target = node;
    for (let hops = 0; hops < hopsMax && target !== here; hops++) {
      const answer = await identityStub(this.#around.env, target).claim({ by: here, node, full: true });
      if (answer.arm !== "moved") return;
      target = answer.to;
    }
  }
}
