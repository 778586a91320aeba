/**
 * Links and merges between identity objects (DESIGN §6.2): the calls, and what each commits. Pure rules lie in `resolve`
 * (`guard merge`). Every method may run twice, at any time, on whatever the node has become since.
 */

import { digest } from "../crypto.ts";
import type { Policy } from "../decide/policy.ts";
import type { Env } from "../env.ts";
import { absorbEntriesMax, guardMs, hopsMax } from "../limits.ts";
import type { Identifier } from "../model.ts";
import { isFinal, toBeErased, tombstoneMs, tombstoneOf } from "../resolve/erase.ts";
import { type Authority, guard, type Profile, profileOf } from "../resolve/guard.ts";
import { emptyLead, foldSignal } from "../resolve/lead.ts";
import { absorb, hasAbsorbed, keepApart, linked, tieOf } from "../resolve/merge.ts";
import {
  type Alias,
  applyEntry,
  type Doubt,
  type LinkTodo,
  type LogEntry,
  type Memory,
  type Node,
  newRoot,
  type Remembered,
  type Root,
} from "../resolve/node.ts";
import { unlinked } from "../resolve/records.ts";
import { heeded } from "../resolve/refusals.ts";
import { type Tie, tied } from "../resolve/ties.ts";
import { identityStub } from "./names.ts";
import type { NodeState } from "./node-state.ts";

export interface ClaimCall {
  readonly by: string;
  /** The node that the caller asks about: this one, or one that led here. */
  readonly node: string;
  /** The caller wants no further identifier. */
  readonly full: boolean;
  /** The way from here has led to nobody who knows this node: it looks again itself, and is free if that is so. */
  readonly astray?: true;
  /**
   * The caller knows that an erased person was here, up to this version. Who does not is told, and asks again: a claim from while that
   * person lived may come late, and whoever sent it may have become part of them since.
   */
  readonly after?: number;
  /**
   * Where an erased person was when the caller began: its version, on disk. A pointer made for it is younger than anything that was ordered
   * of that person's nodes, and a late order does not take it along.
   */
  readonly version?: number;
}

export type ClaimAnswer =
  | ({ readonly arm: "claimed" } & Partial<Remembered>)
  /** Nobody's yet, and the caller wants no further identifier; or a root that does not know the node. */
  | { readonly arm: "unused" }
  | ({ readonly arm: "erased" } & Remembered)
  | ({ readonly arm: "moved"; readonly to: string } & Partial<Remembered>)
  | { readonly arm: "root"; readonly profile: Profile; readonly erased_at?: number };

export type JoinAnswer =
  | { readonly arm: "joined" }
  | { readonly arm: "moved"; readonly to: string }
  | { readonly arm: "apart"; readonly reason: string };

export interface JoinCall {
  readonly to: string;
  readonly over: Identifier;
  readonly profile: Profile;
  readonly authority: Authority;
  readonly tie: Tie;
  /** Of whoever was erased where `to` began. */
  readonly erased_at?: number;
}

export interface AbsorbCall {
  readonly self: string;
  readonly loser: Root;
  /** When whoever was joined had last been erased, 0 if never; unknown to who was sent on. */
  readonly joins?: number;
  readonly entries: readonly LogEntry[];
  readonly first: boolean;
  readonly last: boolean;
}

export interface GatherCall {
  readonly node: string;
  readonly to: string;
  readonly epoch: number;
  /** The person's nodes. */
  readonly within: readonly string[];
}

export type AbsorbAnswer =
  /** `version`: of the receiver's state, as it lies on disk with all of this in it; a later call about it has a higher one. */
  | { readonly arm: "ok"; readonly version: number }
  | { readonly arm: "moved"; readonly to: string }
  /** The person whom the caller was becoming part of was erased meanwhile, at that instant: the caller goes as well. */
  | { readonly arm: "erased"; readonly at: number };

/** What linking needs of the object it belongs to. */
export interface Surroundings {
  readonly env: Env;
  readonly state: NodeState;
  policyOf(workspace: string): Promise<Policy>;
  arm(at: number): void;
  pump(): void;
}

export class Linking {
  readonly #env: Env;
  readonly #state: NodeState;
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#env = around.env;
    this.#state = around.state;
    this.#around = around;
  }

  /* ------------------------------------------------------------------------------------ what others ask */

  /**
   * Asked by the root `by`: an unused node becomes its alias at once, an alias says where it belongs, a root says so. Whose
   * state is on its way says nothing before it has arrived: a root counts as its members only who is wholly there.
   */
  async claim(call: ClaimCall): Promise<ClaimAnswer> {
    if (call.astray === true) await this.free(call.node);
    await this.arrived();
    const node = this.settled();
    const remembered = rememberedOf(node);
    if (node.role === "alias") {
      // Whoever was asked on behalf of this node before may know more of it from now on (see `free`).
      this.#state.know({ ...node });
      return node.parent === call.by
        ? { arm: "claimed", ...remembered }
        : { arm: "moved", to: node.parent, ...remembered };
    }
    if (node.role === "root" && !knows(node, call.node)) {
      if (node.partings.some(({ root }) => knows(root, call.node)))
        throw new Error("this node is changing: to be asked again");
      return { arm: "unused" };
    }
    if (node.role === "root") return { arm: "root", profile: profileOf(node), ...erasureOf(node) };
    if (call.full) return { arm: "unused" };
    if (node.role === "erased" && call.after !== node.epoch)
      return { arm: "erased", erased_at: node.erased_at, epoch: node.epoch };
    const { restored } = memoryOf(node);
    this.#state.saveAlias({
      role: "alias",
      parent: call.by,
      epoch: Math.max(node.role === "erased" ? node.epoch : 0, call.version ?? 0),
      acknowledged: true,
      ...(restored === undefined ? {} : { restored }),
      ...(remembered === null ? {} : { erased_at: remembered.erased_at }),
    });
    return { arm: "claimed", ...remembered };
  }

  /**
   * A pointer binds only as long as who it leads to knows of it. Where nobody does, it is from a claim that nobody came back to
   * (doubled, late, or made by somebody who was erased or kept apart meanwhile), and this node is free again. Whoever learns
   * of the node after having been asked asks for it: that makes the pointer another one, and it stays.
   */
  async free(self: string): Promise<void> {
    const node = this.#state.load();
    if (node.role !== "alias" || !node.acknowledged) return;
    if ((await this.#whoKnows(self, node.parent)) !== null || this.#state.load() !== node) return;
    const { restored, erased_at, epoch } = node;
    if (restored === undefined && erased_at === undefined && epoch === 0) return this.#state.saveErased(null);
    const tombstone = tombstoneOf({ at: erased_at ?? 0 }, epoch);
    const until = Date.now() + tombstoneMs;
    this.#state.saveErased({ ...tombstone, until, ...(restored === undefined ? {} : { restored }) });
    this.#around.arm(until);
  }

  /** The root that this node's pointer leads to, if it knows of it. Throws while a split is bringing the node elsewhere. */
  async #whoKnows(self: string, parent: string): Promise<string | null> {
    let target = parent;
    for (let hops = 0; hops < hopsMax; hops++) {
      const answer = await identityStub(this.#env, target).claim({ by: self, node: self, full: true });
      if (answer.arm === "unused") return null;
      if (answer.arm !== "moved") return target;
      target = answer.to;
    }
    throw new Error("too many moves");
  }

  /** This alias points straight to its root, which is to be erased. It may have become somebody else's since an earlier call. */
  async gather(call: GatherCall): Promise<void> {
    await this.arrived();
    const node = this.settled();
    if (node.role !== "alias" || node.epoch >= call.epoch) return;
    const owner = call.within.includes(node.parent) ? call.to : await this.#whoKnows(call.node, node.parent);
    if (owner !== null && owner !== call.to) return;
    if (this.#state.load() !== node) throw new Error("this node is changing: to be asked again");
    this.#state.saveAlias({ ...node, parent: call.to, epoch: call.epoch });
  }

  /** The smaller root `to` asks this larger one to become part of it. */
  async requestLink(call: JoinCall): Promise<JoinAnswer> {
    const first = this.#state.root();
    const policy = first === null ? null : await this.#around.policyOf(first.workspace);
    await this.arrived();
    const node = this.settled();
    // Since it said that it is a root, its person was erased: it is there to be claimed.
    if (node.role === "unused" || node.role === "erased") throw new Error("nobody is here: to be asked again");
    // Also where it leads to who asks: it may have got there without the node in question.
    if (node.role === "alias") return { arm: "moved", to: node.parent };
    // The node in question may have left with a split since this one said that it is here.
    if (!knows(node, call.tie.b)) return { arm: "moved", to: call.tie.b };
    if (policy === null || node.partings.length > 0 || node.erase !== undefined)
      throw new Error("this node is changing: to be asked again");
    const reason = guard(profileOf(node), call.profile, call.over, policy.identity, call.authority);
    if (reason !== null) return { arm: "apart", reason };
    this.#seal(node, call.to, { ...call.tie, loser: node.name }, call.erased_at);
    await this.transfer();
    this.settled();
    return { arm: "joined" };
  }

  /**
   * Takes in entries of a root that lost, and with the last chunk its state. Idempotent: an entry is applied once per
   * key, a state once per loser and version.
   */
  async absorb(call: AbsorbCall): Promise<AbsorbAnswer> {
    const policy = await this.#around.policyOf(call.loser.workspace);
    const node = this.#state.load();
    const { erased_at } = memoryOf(node);
    // It may have come by way of somebody who is here, who was no part of whoever was erased.
    if (node.role === "root" && hasAbsorbed(node, call.loser)) return this.#tookIn(node, call.loser);
    // Where nobody is, it was on the way to whoever was erased, whenever it set out: they were there until just now.
    const isPast = sealedAt(call.loser) < (erased_at ?? 0) || (call.joins ?? erased_at ?? 0) < (erased_at ?? 0);
    if (erased_at !== undefined && (node.role === "erased" || isPast)) return { arm: "erased", at: erased_at };
    if (node.role === "alias") return { arm: "moved", to: node.parent };
    const before = rootOf(node, call.self, call.loser.workspace);
    if (isFinal(before)) return { arm: "erased", at: before.erase.at };
    // One part leaves at a time, and whoever arrives may have to leave at once.
    if (before.partings.length > 0) throw new Error("this node is changing: to be asked again");
    let root = before;
    const fresh: LogEntry[] = [];
    for (const entry of call.entries) {
      if (this.#state.store.entry(entry.signal.idempotency_key) !== null) continue;
      const own: LogEntry = { ...factsOf(entry), seq: root.seq + 1, root: root.name };
      // What its identifiers are to the loser, links and refusals, comes with its state.
      root = { ...applyEntry(root, own), links: root.links };
      fresh.push(own);
    }
    // Whoever is on the way to a person who is being erased is that person.
    const order = before.erase;
    if (!call.last) this.#state.save(order === undefined ? root : toBeErased(root, order), fresh);
    else {
      const doubts = this.#doubts(call.first ? before : this.#alone(before), call.loser, policy);
      const joined = heeded(absorb(root, call.loser, [], policy.one_open_per, doubts), policy, Date.now());
      this.#state.save(order === undefined ? joined : toBeErased(joined, order), fresh);
    }
    const answer = this.#tookIn(this.#state.root() ?? root, call.loser);
    this.#state.projectDue = true;
    this.#around.pump();
    return answer;
  }

  /** A version that a crash could take back must not be told to anybody; none where the loser has left with a split since. */
  #tookIn(root: Root, loser: Root): AbsorbAnswer {
    if (this.#state.unsaved) this.#state.save(root);
    return { arm: "ok", version: root.members.includes(loser.name) ? root.version : 0 };
  }

  /** Asked once more at the moment of joining: both may have changed since the guard was asked. */
  #doubts(root: Root, loser: Root, { identity }: Policy): readonly Doubt[] {
    const tie = loser.ties.findLast((item) => item.loser === loser.name);
    if (tie === undefined) return [];
    const here = [root.name, ...root.members];
    const theirs = [loser.name, ...loser.members];
    const far = theirs.includes(tie.a) ? tie.b : tie.a;
    const dangles = !here.includes(far);
    const reason = guard(profileOf(root), profileOf(loser), tie.over, identity, tie.authority);
    return dangles || reason !== null ? [{ tie }] : [];
  }

  /** This root without what has come so far of somebody who is being taken in. */
  #alone(root: Root): Root {
    const nodes = new Set([root.name, ...root.members]);
    const own = this.#state.store.entriesAfter(0).filter(({ node_of: [first = ""] }) => nodes.has(first));
    return { ...root, lead: own.map((entry) => entry.signal).reduce(foldSignal, emptyLead) };
  }

  /* ------------------------------------------------------------------------------------ what is owed */

  /** Of somebody who began where an erased person was; a version that a crash could take back is told to nobody. */
  #versionAfterErasure(): Pick<ClaimCall, "version"> {
    const root = this.#state.root();
    if (root === null || root.erased_at === undefined) return {};
    if (this.#state.unsaved) this.#state.save(root);
    return { version: root.version };
  }

  /** Makes the link, or finds out that it is made, or that it must not be. */
  async makeLink(todo: LinkTodo): Promise<void> {
    const first = this.#state.root();
    if (first === null) return;
    // An answer to somebody who has been erased meanwhile says nothing to whoever began here since.
    const { life } = this.#state;
    const { identity } = await this.#around.policyOf(first.workspace);
    const { authority, identifier } = todo;
    let remembered: Partial<Remembered> = {};
    let target = todo.node;
    let astray = false;
    let after: number | undefined;
    for (let hops = 0; hops < hopsMax; hops++) {
      const before = this.#linking(todo, life);
      if (before === null) return;
      // Who was said to be somebody else may lead here all the same: claimed by a part of this person that had not heard it yet.
      const isApart = authority.type !== "person" && isKeptApart(before, todo.node);
      if (target === before.name) {
        const here = todo.node === before.name ? before : await this.#wayLeadsHere(todo, life);
        if (here === null) return;
        if (here !== "elsewhere") return this.#state.change(linked(here, todo, remembered, Date.now()));
        target = todo.node;
        continue;
      }
      const full = isApart || before.members.length + 1 >= identity.members_max;
      // Only the node that is owed is claimed; what its pointer leads to and is nobody's, stays nobody's.
      const elsewhere = target !== todo.node;
      const answer = await identityStub(this.#env, target).claim({
        by: before.name,
        node: todo.node,
        full: full || elsewhere,
        ...(astray && !elsewhere ? { astray } : {}),
        ...(after === undefined ? {} : { after }),
        ...this.#versionAfterErasure(),
      });
      const root = this.#linking(todo, life);
      if (root === null) return;
      const apart = (reason: string, of: Root) =>
        this.#state.change(
          authority.type === "receipt" ? unlinked(of, todo.node) : keepApart(of, todo.node, target, reason, Date.now()),
        );
      if (target === todo.node && (answer.arm === "claimed" || answer.arm === "moved")) remembered = answer;
      if (answer.arm === "claimed" && !elsewhere) return this.#state.change(linked(root, todo, remembered, Date.now()));
      if (answer.arm === "claimed") {
        target = root.name;
        continue;
      }
      if (answer.arm === "unused") {
        if (!elsewhere) return apart("too_many_members", root);
        astray = true;
        target = todo.node;
        continue;
      }
      if (answer.arm === "erased") {
        after = answer.epoch;
        continue;
      }
      if (answer.arm === "moved") {
        target = answer.to;
        continue;
      }
      // Who answered was a root then. Erased since and claimed from here, it is part of this one by now.
      if (root.members.includes(target)) {
        target = todo.node;
        continue;
      }
      const profile = profileOf(root, identifier);
      const reason = guard(profile, answer.profile, identifier, identity, authority);
      if (reason !== null) return apart(reason, root);
      const tie = tieOf(todo, Date.now());
      if (root.name > target) {
        this.#seal(root, target, { ...tie, loser: root.name }, answer.erased_at);
        return this.transfer();
      }
      const joined = await identityStub(this.#env, target).requestLink({
        to: root.name,
        over: identifier,
        profile,
        authority,
        tie,
        ...erasureOf(root),
      });
      const then = this.#linking(todo, life);
      if (then === null) return;
      if (joined.arm === "apart") return apart(joined.reason, then);
      // Whoever owed the node only has not brought it along: the node is asked again.
      const isBrought = joined.arm === "joined" && then.members.includes(todo.node);
      if (isBrought) return this.#state.change(linked(then, todo, remembered, Date.now()));
      target = joined.arm === "joined" ? todo.node : joined.to;
    }
    throw new Error("too many moves");
  }

  /**
   * Whether this node, which is owed and no member yet, leads here still: a split may have taken it away behind whoever came by it. It
   * is asked itself, for it may remember an erased person, whose signals from before `erased_at` (epoch ms) are not this one's. Null where
   * it leads elsewhere.
   */
  async leadsHere(node: string): Promise<{ readonly erased_at: number } | null> {
    const before = this.#state.root();
    if (before === null || !owes(before, node)) return null;
    const answer = await identityStub(this.#env, node).claim({ by: before.name, node, full: true });
    const root = this.#state.root();
    if (root === null || !leadsTo(root, answer)) return null;
    return { erased_at: "erased_at" in answer ? (answer.erased_at ?? 0) : 0 };
  }

  /** The way led here; a split may have taken the node away behind whoever went it. Null where nothing is owed any more. */
  async #wayLeadsHere(todo: LinkTodo, life: number): Promise<Root | "elsewhere" | null> {
    const by = this.#state.root()?.name ?? "";
    const answer = await identityStub(this.#env, todo.node).claim({ by, node: todo.node, full: true });
    const root = this.#linking(todo, life);
    if (root === null) return null;
    return leadsTo(root, answer) ? root : "elsewhere";
  }

  /** Brings the state of this sealed node to its parent, wherever that has moved. */
  async transfer(): Promise<void> {
    for (let hops = 0; hops < hopsMax; hops++) {
      const node = this.#state.load();
      if (node.role !== "alias" || node.acknowledged) return;
      const { parent, sealed, joins } = node;
      let movedTo: string | null = null;
      let { epoch } = node;
      for (const { chunk, first, last } of chunksOf(this.#state.store.entriesAfter(0))) {
        const call = {
          self: parent,
          loser: sealed,
          entries: chunk,
          first,
          last,
          ...(joins === undefined ? {} : { joins }),
        };
        const answer = await identityStub(this.#env, parent).absorb(call);
        if (answer.arm === "erased") return this.#eraseSealed(sealed, answer.at);
        if (answer.arm === "moved") {
          movedTo = answer.to;
          break;
        }
        epoch = Math.max(epoch, answer.version);
        // Another one may have brought it meanwhile, or found that it must go.
        const now = this.#state.load();
        if (now.role !== "alias" || now.acknowledged || now.parent !== parent) return;
      }
      const after = this.#state.load();
      if (after.role !== "alias" || after.acknowledged || after.parent !== parent) continue;
      const { sealed: brought, joins: _ofTheLast, ...pointer } = after;
      this.#state.saveAlias(
        movedTo === null ? { ...pointer, epoch, acknowledged: true } : { ...pointer, sealed: brought, parent: movedTo },
      );
    }
  }

  /** Nobody takes this state any more: it is a root's again, which has to be erased. */
  #eraseSealed(sealed: Root, at: number): void {
    const node = this.#state.load();
    if (node.role !== "alias" || node.acknowledged || node.sealed.version !== sealed.version) return;
    const { restored, erased_at } = node;
    const root: Root = {
      ...sealed,
      ...(restored === undefined ? {} : { restored }),
      ...(erased_at === undefined ? {} : { erased_at }),
    };
    const id = `er_${digest(sealed.name, String(sealed.version))}`;
    this.#state.save(toBeErased(root, { id, at, by: "engine" }));
    this.#state.projectDue = true;
    this.#around.pump();
  }

  /** The only commit point of a merge: from here on this node is an alias whose state is on its way. */
  #seal(root: Root, parent: string, tie: Tie, joins = 0): void {
    const sealed: Root = { ...root, ties: tied(root.ties, tie) };
    const { restored, erased_at, version } = root;
    const alias: Alias = {
      role: "alias",
      parent,
      epoch: version,
      acknowledged: false,
      sealed,
      joins,
      ...(restored === undefined ? {} : { restored }),
      ...(erased_at === undefined ? {} : { erased_at }),
    };
    this.#state.saveAlias(alias);
    this.#around.arm(Date.now() + guardMs);
  }

  /** The root, if it still owes this link and may make it now: nobody becomes part of another one while a part of it leaves. */
  #linking(todo: LinkTodo, life: number): Root | null {
    const root = this.#state.root();
    if (root === null || this.#state.life !== life || !root.links.some((link) => link.node === todo.node)) return null;
    if (root.partings.length > 0) throw new Error("a split is under way: links wait for it");
    return root;
  }

  /** Waits until nothing of this node is on its way. What it has become since is to be read after that, in one turn. */
  async arrived(): Promise<void> {
    const node = this.#state.load();
    if (node.role === "alias" && !node.acknowledged) await this.transfer();
  }

  /** The node, which must have arrived. */
  settled(): Exclude<Node, { acknowledged: false }> {
    const node = this.#state.load();
    if (node.role === "alias" && !node.acknowledged) throw new Error("still on its way: to be asked again");
    return node;
  }
}

/** Whether a pointer of this node that leads to this root is known to it: as a part of it, or as one that is owed. */
export function knows(root: Root, node: string): boolean {
  return node === root.name || root.members.includes(node) || owes(root, node);
}

/** Whether who answered so leads to this root. */
function leadsTo(root: Root, answer: ClaimAnswer): boolean {
  return answer.arm === "claimed" || (answer.arm === "moved" && knows(root, answer.to));
}

/** Also while it is being erased: what it had asked for goes with it. */
export function owes(root: Root, node: string): boolean {
  return root.links.some((link) => link.node === node) || root.erase?.owed.includes(node) === true;
}

function rememberedOf(node: Node): Remembered | null {
  if (node.role !== "alias" && node.role !== "erased") return null;
  return node.erased_at === undefined ? null : { erased_at: node.erased_at, epoch: node.epoch };
}

function isKeptApart({ apart }: Root, node: string): boolean {
  return apart.some((item) => item.node === node && item.state === "kept_apart");
}

export function memoryOf(node: Node): Memory {
  return node.role === "unused" ? {} : node;
}

/** A node that nobody has becomes a root; where an erased person was, it goes on from that one's last version. */
export function rootOf(node: Exclude<Node, Alias>, name: string, workspace: string): Root {
  if (node.role === "root") return node;
  const fresh = newRoot(name, workspace);
  if (node.role === "unused") return fresh;
  const { epoch, restored, erased_at } = node;
  return {
    ...fresh,
    version: epoch,
    erased_nodes: { [name]: erased_at },
    erased_at,
    ...(restored === undefined ? {} : { restored }),
  };
}

/** When it became part of the one that it is on its way to. */
function erasureOf({ erased_at }: Root): Pick<JoinCall, "erased_at"> {
  return erased_at === undefined ? {} : { erased_at };
}

function sealedAt(loser: Root): number {
  return loser.ties.findLast((tie) => tie.loser === loser.name)?.at ?? Number.POSITIVE_INFINITY;
}

/** What stays true of a log row wherever it goes: the decision was made there, and what is owed travels with the state. */
export function factsOf(entry: LogEntry): LogEntry {
  const { answer: _decidedThere, undecided: _goesWithTheState, ...facts } = entry;
  return facts;
}

/** At least one chunk, so that a state without a log arrives as well. */
export function chunksOf(entries: readonly LogEntry[]): {
  readonly chunk: readonly LogEntry[];
  readonly first: boolean;
  readonly last: boolean;
}[] {
  const chunks: { chunk: readonly LogEntry[]; first: boolean; last: boolean }[] = [];
  for (let at = 0; at === 0 || at < entries.length; at += absorbEntriesMax) {
    const chunk = entries.slice(at, at + absorbEntriesMax);
    chunks.push({ chunk, first: at === 0, last: at + absorbEntriesMax >= entries.length });
  }
  return chunks;
}
