/**
 * One person (or one identifier of one): serialises everything about it. A thin shell: it loads the node, asks the pure
 * core (`resolve`, `decide`, `act`), commits in one turn, and then works off what the state obliges it to do.
 *
 * Rules kept here (DESIGN §6): every method may run twice and is idempotent by key; no lock crosses a call: after each
 * await the state is read again and re-validated; obligations are in the state, never only in a variable; the alarm is
 * armed before the answer leaves and behind every piece of work, so that a crash at any await only delays.
 *
 * What lies only in memory between commits is what can be asked for again: links just made (the alias answers `moved`),
 * receipts (the account object answers again), what the ledger confirmed (projecting twice changes nothing).
 */
import { DurableObject } from "cloudflare:workers";
import { closeTask, createTask } from "../act/outbox.ts";
import { leadLink } from "../api/lead-link.ts";
import { type Answer, decide } from "../decide/decide.ts";
import { holdOf } from "../decide/hold.ts";
import { kindRuleOf, type Policy } from "../decide/policy.ts";
import type { Env } from "../env.ts";
import { projectionOf } from "../ledger/rows.ts";
import { absorbEntriesMax, guardMs, hopsMax, membersMax } from "../limits.ts";
import type { Identifier, Receipt, Signal } from "../model.ts";
import {
  type ActionRecord,
  absorb,
  applyAnswer,
  applyEntry,
  type CrmTarget,
  cancelFollowUp,
  type FollowUpRecord,
  followUpFacts,
  guard,
  keepApart,
  type LinkTodo,
  type LogEntry,
  linkDone,
  type Node,
  newRoot,
  type Root,
  recordReceipt,
  type Strong,
  setAction,
  strongOf,
} from "../resolve/node.ts";
import { decisionDue, findAction, nextDueAt, openActions } from "../resolve/obligations.ts";
import { sameFact } from "../resolve/same-fact.ts";
import { type Workspace, type WorkspaceFacts, workspaceById } from "../workspace.ts";
import { IdentityStore } from "./identity-store.ts";
import { accountStub, identityStub, projectorStub } from "./names.ts";
import { policyOf } from "./policy-cache.ts";
import { Work } from "./work.ts";

export interface ReceiveCall {
  /** The name this object was called by. */
  readonly self: string;
  /** JSON of the `Signal`: it is stored as it is, and a string crosses an object call for next to nothing. */
  readonly signal: string;
  /** Nodes of the signal's identifiers, in their order. */
  readonly nodes: readonly string[];
  readonly workspace: WorkspaceFacts;
}

/** `policy_needed`: this isolate has not seen that version of the policy yet; to be called again with its text. */
export type ReceiveAnswer =
  | { readonly arm: "policy_needed" }
  | { readonly arm: "applied" }
  | { readonly arm: "duplicate" }
  /** The key is known with another body: refused, and recorded by the caller. */
  | { readonly arm: "conflict" }
  | { readonly arm: "moved"; readonly to: string }
  | { readonly arm: "busy" };

export type ClaimAnswer =
  | { readonly arm: "claimed" }
  | { readonly arm: "moved"; readonly to: string }
  | { readonly arm: "root"; readonly strong: Strong };

export type JoinAnswer =
  | { readonly arm: "joined" }
  | { readonly arm: "moved"; readonly to: string }
  | { readonly arm: "apart"; readonly reason: string };

export interface IdentityView {
  readonly root: Root;
  readonly log: readonly LogEntry[];
}

export class IdentityObject extends DurableObject<Env> {
  readonly #store: IdentityStore;
  #node: Node | null = null;
  /** Changes of the state that lie only in memory and are saved at the next quiet moment. */
  #unsaved = false;
  /** Signals not decided on yet that this incarnation took in: a copy of what the log holds. */
  readonly #recent = new Map<string, Signal>();
  #projectDue = false;
  #alarmAt: number | null | undefined = undefined;
  readonly #work: Work;
  #inAlarm = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new IdentityStore(ctx.storage);
    this.#work = new Work(
      (work) => ctx.waitUntil(work),
      () => this.#pump(),
    );
  }

  /* ------------------------------------------------------------------------------------------ the door */

  async receive(call: ReceiveCall): Promise<ReceiveAnswer> {
    if (this.#alarmAt === undefined) this.#alarmAt = await this.ctx.storage.getAlarm();
    const node = this.#load();
    if (node.role === "alias") {
      if (node.acknowledged) return { arm: "moved", to: node.parent };
      await this.#transfer();
      const after = this.#load();
      return after.role === "alias" && after.acknowledged ? { arm: "moved", to: after.parent } : { arm: "busy" };
    }
    const signal = JSON.parse(call.signal) as Signal;
    const now = Date.now();
    const policy = policyOf(call.workspace.policyVersion, call.workspace.id, call.workspace.policyJson);
    if (policy === null) return { arm: "policy_needed" };
    const root = node.role === "root" ? node : newRoot(call.self, signal.workspace);
    const tier = policy.tiers[kindRuleOf(policy, signal.kind).tier];
    // Somebody who could not be reached until now may have become reachable: no reason to let that wait.
    const windowMs = root.undecided.some((item) => item.waiting) ? 0 : tier.window_ms;
    const draft: LogEntry = {
      seq: root.seq + 1,
      root: root.name,
      signal,
      node_of: call.nodes,
      undecided: { key: signal.idempotency_key, decide_at: now + windowMs, waiting: false },
    };
    const { entry, next } = this.#decidedAtOnce(root, draft, policy, call.workspace.targets, now);
    if (!this.#store.append(entry, call.signal, next)) {
      this.#pump();
      const known = this.#store.entry(signal.idempotency_key);
      return { arm: known === null || sameFact(known.signal, signal) ? "duplicate" : "conflict" };
    }
    this.#node = next;
    if (entry.answer === undefined) this.#recent.set(signal.idempotency_key, signal);
    else this.#projectDue = true;
    this.#pump();
    return { arm: "applied" };
  }

  /** With every identifier linked, an urgent signal is decided in the turn that takes it in; else the links come first (§6.2). */
  #decidedAtOnce(
    root: Root,
    draft: LogEntry,
    policy: Policy,
    targets: readonly CrmTarget[],
    now: number,
  ): { readonly entry: LogEntry; readonly next: Root } {
    const applied = applyEntry(root, draft);
    if ((draft.undecided?.decide_at ?? now) > now || applied.links.length > 0) return { entry: draft, next: applied };
    const answer = decide({
      policy,
      lead: applied.lead,
      leadId: applied.name,
      followUps: followUpFacts(applied),
      signals: [...this.#undecidedSignals(root), draft.signal],
      now,
    });
    const entry: LogEntry = { ...draft, answer, targets };
    return { entry, next: applyEntry(root, entry) };
  }

  /** What the card, the API and the console show; null where nothing is known. Follows no move: the caller does. */
  read(): IdentityView | { readonly moved: string } | null {
    const node = this.#load();
    if (node.role === "unused") return null;
    if (node.role === "alias") return { moved: node.parent };
    return { root: node, log: this.#store.latest(100) };
  }

  /* ------------------------------------------------------------------------------------ link and merge (§6.2) */

  /** Asked by the root `by`: an unused node becomes its alias at once, an alias says where it belongs, a root says so. */
  claim(call: { readonly by: string }): ClaimAnswer {
    const node = this.#load();
    if (node.role === "alias") return { arm: "moved", to: node.parent };
    if (node.role === "root") return { arm: "root", strong: strongOf(node) };
    const alias: Node = { role: "alias", parent: call.by, acknowledged: true };
    this.#store.saveAlias(alias);
    this.#node = alias;
    return { arm: "claimed" };
  }

  /** The smaller root `to` asks this larger one to become part of it. */
  async requestLink(call: {
    readonly to: string;
    readonly over: Identifier;
    readonly strong: Strong;
  }): Promise<JoinAnswer> {
    const node = this.#load();
    if (node.role === "unused") return { arm: "moved", to: call.to };
    if (node.role === "alias") {
      if (!node.acknowledged) await this.#transfer();
      return node.parent === call.to ? { arm: "joined" } : { arm: "moved", to: node.parent };
    }
    const reason = guard(strongOf(node), call.strong, call.over, membersMax);
    if (reason !== null) return { arm: "apart", reason };
    this.#seal(node, call.to);
    await this.#transfer();
    return { arm: "joined" };
  }

  /**
   * Takes in entries of a root that lost, and with the last chunk its state. Idempotent: an entry is applied once per
   * key, a loser once per name.
   */
  async absorb(call: {
    readonly self: string;
    readonly loser: Root;
    readonly entries: readonly LogEntry[];
    readonly last: boolean;
  }): Promise<{ readonly arm: "ok" } | { readonly arm: "moved"; readonly to: string }> {
    const found = await workspaceById(this.env, call.loser.workspace, Date.now(), (work) => this.ctx.waitUntil(work));
    const node = this.#load();
    if (node.role === "alias") return { arm: "moved", to: node.parent };
    let root = node.role === "root" ? node : newRoot(call.self, call.loser.workspace);
    if (root.absorbed.includes(call.loser.name)) return { arm: "ok" };
    const fresh: LogEntry[] = [];
    for (const entry of call.entries) {
      if (this.#store.entry(entry.signal.idempotency_key) !== null) continue;
      const { answer: _decidedThere, undecided: _goesWithTheState, ...facts } = entry;
      const own: LogEntry = { ...facts, seq: root.seq + 1, root: root.name };
      root = applyEntry(root, own);
      fresh.push(own);
    }
    if (call.last) root = absorb(root, call.loser, [], found?.workspace.policy.one_open_per ?? "lead");
    this.#store.save(root, fresh);
    this.#node = root;
    this.#unsaved = false;
    this.#projectDue = true;
    this.#pump();
    return { arm: "ok" };
  }

  /** Makes the link, or finds out that it is made, or that it must not be. */
  async #makeLink(todo: LinkTodo): Promise<void> {
    let target = todo.node;
    for (let hops = 0; hops < hopsMax; hops++) {
      const before = this.#root();
      if (before === null) return;
      if (target === before.name) return this.#change(linkDone(before, todo.node));
      const answer = await identityStub(this.env, target).claim({ by: before.name });
      const root = this.#root();
      if (root === null || !root.links.some((link) => link.node === todo.node)) return;
      if (answer.arm === "claimed") return this.#change(linkDone(root, todo.node));
      if (answer.arm === "moved") {
        target = answer.to;
        continue;
      }
      const reason = guard(strongOf(root), answer.strong, todo.identifier, membersMax);
      if (reason !== null) return this.#change(keepApart(root, todo.node, target, reason, Date.now()));
      if (root.name > target) {
        this.#seal(root, target);
        return this.#transfer();
      }
      const joined = await identityStub(this.env, target).requestLink({
        to: root.name,
        over: todo.identifier,
        strong: strongOf(root),
      });
      const after = this.#root();
      if (after === null) return;
      if (joined.arm === "apart") return this.#change(keepApart(after, todo.node, target, joined.reason, Date.now()));
      if (joined.arm === "joined") return this.#change(linkDone(after, todo.node));
      target = joined.to;
    }
    throw new Error("too many moves");
  }

  /** The only commit point of a merge: from here on this node is an alias whose state is on its way. */
  #seal(root: Root, parent: string): void {
    const alias: Node = { role: "alias", parent, acknowledged: false, sealed: root };
    this.#store.saveAlias(alias);
    this.#node = alias;
    this.#arm(Date.now() + guardMs);
  }

  async #transfer(): Promise<void> {
    for (let hops = 0; hops < hopsMax; hops++) {
      const node = this.#load();
      if (node.role !== "alias" || node.acknowledged) return;
      const { parent, sealed } = node;
      const entries = this.#store.entriesAfter(0);
      const chunks: LogEntry[][] = [];
      for (let at = 0; at < entries.length; at += absorbEntriesMax)
        chunks.push(entries.slice(at, at + absorbEntriesMax));
      if (chunks.length === 0) chunks.push([]);
      let movedTo: string | null = null;
      for (const [index, chunk] of chunks.entries()) {
        const last = index === chunks.length - 1;
        const answer = await identityStub(this.env, parent).absorb({
          self: parent,
          loser: sealed,
          entries: chunk,
          last,
        });
        if (answer.arm === "moved") {
          movedTo = answer.to;
          break;
        }
      }
      const after = this.#load();
      if (after.role !== "alias" || after.acknowledged || after.parent !== parent) continue;
      const alias: Node =
        movedTo === null
          ? { role: "alias", parent, acknowledged: true }
          : { role: "alias", parent: movedTo, acknowledged: false, sealed };
      this.#store.saveAlias(alias);
      this.#node = alias;
      this.#unsaved = false;
    }
  }

  /* -------------------------------------------------------------------------------------- decide and act */

  async #decideDue(): Promise<void> {
    const first = this.#root();
    if (first === null) return;
    const { policy, targets } = await this.#workspace(first.workspace);
    const root = this.#root();
    if (root === null || !decisionDue(root, Date.now())) return;
    const signals = this.#undecidedSignals(root);
    if (signals.length === 0) return;
    const answer: Answer = decide({
      policy,
      lead: root.lead,
      leadId: root.name,
      followUps: followUpFacts(root),
      signals,
      now: Date.now(),
    });
    const next = applyAnswer(root, answer, targets);
    for (const key of answer.decision.signals) this.#recent.delete(key);
    this.#projectDue = true;
    // A follow-up must be on disk before anything of it leaves; a decision that leads to nothing is saved with the rest.
    if (answer.followUp === undefined) return this.#change(next);
    this.#store.save(next);
    this.#node = next;
    this.#unsaved = false;
  }

  async #act(followUp: FollowUpRecord, action: ActionRecord): Promise<void> {
    const before = this.#root();
    if (before === null) return;
    const account = accountStub(this.env, action.account);
    if (followUp.state === "cancelled" && action.state === "pending") {
      const answer = await account.cancel({ key: action.key });
      const root = this.#root();
      if (root === null) return;
      if (answer.arm === "cancelled")
        return this.#change(setAction(root, action.key, (item) => ({ ...item, state: "cancelled" })));
      if (answer.arm === "done") return this.#change(recordReceipt(root, action.key, answer.receipt));
      return this.#change(setAction(root, action.key, (item) => ({ ...item, retry_at: Date.now() + guardMs })));
    }
    const { policy } = await this.#workspace(before.workspace);
    const now = this.#root();
    if (now === null) return;
    const current = findAction(now, action.key);
    if (current === null) return;
    const closing = current.followUp.state === "cancelled";
    // Settled meanwhile, or cancelled before it had a task: what is due now is started anew by the next look.
    if (current.action.state !== (closing ? "done" : "pending")) return;
    // Asked again at the moment of sending: consent may have gone since the decision (G11).
    if (!closing && holdOf(policy, now.lead) !== null) return this.#cancel(now, followUp.id);
    const outgoing = closing
      ? closeTask(current.followUp, current.action)
      : createTask(policy, now, current.followUp, current.action, this.#link(now));
    const answer = await account.submit({
      ...outgoing,
      node: now.name,
      hot: followUp.tier === "seconds",
    });
    const root = this.#root();
    if (root === null) return;
    this.#projectDue = true;
    switch (answer.arm) {
      case "done":
        if (closing) return this.#change(setAction(root, action.key, (item) => ({ ...item, state: "cancelled" })));
        return this.#change(recordReceipt(root, action.key, answer.receipt));
      case "cancelled":
        return this.#change(setAction(root, action.key, (item) => ({ ...item, state: "cancelled" })));
      case "parked":
        return this.#change(
          setAction(root, action.key, (item) => ({ ...item, state: "parked", problem: answer.problem })),
        );
      case "pending":
        return this.#change(
          setAction(root, action.key, (item) => ({
            ...item,
            attempts: item.attempts + 1,
            retry_at: Date.now() + answer.retryAfterMs,
          })),
        );
    }
  }

  /** Asked by the account object before it sends something that waited: does it still hold? */
  async confirm(call: {
    readonly key: string;
  }): Promise<{ readonly arm: "go" } | { readonly arm: "stop" } | { readonly arm: "moved"; readonly to: string }> {
    const first = this.#load();
    if (first.role === "alias") return { arm: "moved", to: first.parent };
    if (first.role === "unused") return { arm: "stop" };
    const found = await workspaceById(this.env, first.workspace, Date.now(), (work) => this.ctx.waitUntil(work));
    const root = this.#load();
    if (root.role === "alias") return { arm: "moved", to: root.parent };
    const current = root.role === "root" ? findAction(root, call.key) : null;
    // On its way here with a merge, perhaps: "stop" would cancel it for good, a throw makes the account ask again.
    if (root.role !== "root" || current === null || found === null) throw new Error("the action is not known here yet");
    if (current.followUp.state !== "open") return { arm: "stop" };
    if (holdOf(found.workspace.policy, root.lead) === null) return { arm: "go" };
    this.#cancel(root, current.followUp.id);
    this.#pump();
    return { arm: "stop" };
  }

  /** The account object tells how an action that it had taken over came out. May come twice. */
  settle(call: {
    readonly key: string;
    readonly outcome: { readonly receipt: Receipt } | { readonly problem: string };
  }): { readonly moved: string | null } {
    const node = this.#load();
    if (node.role === "alias") return { moved: node.parent };
    if (node.role === "unused") return { moved: null };
    const current = findAction(node, call.key);
    if (current === null || current.action.state === "done") return { moved: null };
    const { outcome } = call;
    this.#change(
      "receipt" in outcome
        ? recordReceipt(node, call.key, outcome.receipt)
        : setAction(node, call.key, (item) => ({ ...item, state: "parked", problem: outcome.problem })),
    );
    this.#projectDue = true;
    this.#pump();
    return { moved: null };
  }

  /* -------------------------------------------------------------------------------------- obligations */

  /**
   * Works until nothing is due. While it runs no further alarm is set: should the object die, the platform runs this one
   * again; and each setting is a billed row.
   */
  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    this.#inAlarm = true;
    try {
      const node = this.#load();
      if (node.role === "alias" && !node.acknowledged) this.#work.start("transfer", () => this.#transfer());
      if (this.#isAheadOfLedger()) this.#projectDue = true;
      this.#pump();
      await this.#work.settled();
      // What this very work changed last is shown as well: no later alarm need come.
      for (let rounds = 0; rounds < hopsMax && this.#isAheadOfLedger() && !this.#projectDue; rounds++) {
        this.#projectDue = true;
        this.#pump();
        await this.#work.settled();
      }
    } finally {
      this.#inAlarm = false;
    }
    const after = this.#load();
    if (after.role === "root") this.#armFor(after, Date.now());
    // Sealed, and the parent did not answer: an alarm that throws is given up after six times, so it asks again by itself.
    else if (after.role === "alias" && !after.acknowledged) this.#arm(Date.now() + guardMs);
  }

  /** Starts every obligation that is due and not under way, then arms the alarm for the rest. Safe to call at any time. */
  #pump(): void {
    const root = this.#root();
    if (root === null) return;
    const now = Date.now();
    for (const link of root.links) this.#work.start(`link ${link.node}`, () => this.#makeLink(link));
    if (decisionDue(root, now)) this.#work.start("decide", () => this.#decideDue());
    for (const { followUp, action } of openActions(root)) {
      if (action.retry_at <= now) this.#work.start(`act ${action.key}`, () => this.#act(followUp, action));
    }
    if (this.#work.idle) {
      if (this.#projectDue) this.#work.start("project", () => this.#project());
      else if (this.#unsaved) this.#save(root);
    }
    this.#armFor(root, now);
  }

  /** Saves what lies in memory, shows it to the ledger, and remembers (in memory) what the ledger confirmed. */
  async #project(): Promise<void> {
    const first = this.#root();
    if (first === null) return;
    const { policy, shard } = await this.#workspace(first.workspace);
    const root = this.#root();
    if (root === null) return;
    this.#projectDue = false;
    // Only what is on disk is shown: a version the ledger has seen must never be taken back by a crash (G8).
    if (this.#unsaved) this.#save(root);
    const signals = this.#store.signalsAfter(root.projected.seq);
    try {
      await projectorStub(this.env, shard, root.name).project(projectionOf(root, signals, policy, Date.now()));
    } catch (error) {
      this.#projectDue = true;
      throw error;
    }
    const after = this.#root();
    if (after === null) return;
    const { decisions, gone } = after.unprojected;
    this.#node = {
      ...after,
      projected: { version: root.version, seq: root.seq },
      unprojected: {
        decisions: decisions.slice(root.unprojected.decisions.length),
        gone: gone.slice(root.unprojected.gone.length),
      },
    };
  }

  #armFor(root: Root, now: number): void {
    const owed = this.#projectDue || this.#unsaved || !this.#work.idle ? now + guardMs : Number.POSITIVE_INFINITY;
    const at = Math.min(owed, nextDueAt(root, now));
    if (at !== Number.POSITIVE_INFINITY) this.#arm(at);
  }

  /** Arms the alarm unless one stands that is early enough: each arming is a billed row. */
  #arm(at: number): void {
    if (this.#inAlarm || (this.#alarmAt !== null && this.#alarmAt !== undefined && this.#alarmAt <= at)) return;
    this.#alarmAt = at;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(at));
  }

  /* -------------------------------------------------------------------------------------- state */

  #link(root: Root): string {
    return leadLink(this.env.PUBLIC_URL, this.env.BATON_MASTER_KEY, root.workspace, root.name);
  }

  /** Throws when there is no such workspace (any more): the obligation stays, and is left to the alarm like any failure. */
  async #workspace(id: string): Promise<Workspace> {
    const found = await workspaceById(this.env, id, Date.now(), (work) => this.ctx.waitUntil(work));
    if (found === null) throw new Error("no such workspace");
    return found.workspace;
  }

  #load(): Node {
    this.#node ??= this.#store.load();
    return this.#node;
  }

  #root(): Root | null {
    const node = this.#load();
    return node.role === "root" ? node : null;
  }

  /** On disk before the account object hears of it, for what is cancelled there never comes back. */
  #cancel(root: Root, id: string): void {
    const next = cancelFollowUp(root, id, "consent or a hold forbids it");
    this.#save(next);
    this.#node = next;
  }

  #isAheadOfLedger(): boolean {
    const root = this.#root();
    return root !== null && root.version > root.projected.version;
  }

  #change(root: Root): void {
    if (this.#node === root) return;
    this.#node = root;
    this.#unsaved = true;
  }

  #save(root: Root): void {
    this.#store.save(root);
    this.#unsaved = false;
  }

  /** From memory where this incarnation took them in, else from the log. */
  #undecidedSignals(root: Root): readonly Signal[] {
    const keys = root.undecided.map((item) => item.key);
    const recent = keys.map((key) => this.#recent.get(key)).filter((signal) => signal !== undefined);
    return recent.length === keys.length ? recent : this.#store.signals(keys);
  }
}
