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
import { bringsNews, withRecordsOwed } from "../act/showing.ts";
import { type Answer, decide } from "../decide/decide.ts";
import { companyOf } from "../decide/facts.ts";
import { looksAtCompanies } from "../decide/level.ts";
import { kindRuleOf, type Policy } from "../decide/policy.ts";
import type { Env } from "../env.ts";
import { projectionOf } from "../ledger/rows.ts";
import { guardMs, hopsMax, queueDelayMs } from "../limits.ts";
import type { Signal } from "../model.ts";
import { isFinal, mayBeErased } from "../resolve/erase.ts";
import { withFieldQuestions } from "../resolve/field-questions.ts";
import type { HeardTask } from "../resolve/hearing.ts";
import type { LeadFold } from "../resolve/lead.ts";
import {
  type Alias,
  applyAnswer,
  applyEntry,
  followUpFacts,
  type LogEntry,
  type Node,
  type Parting,
  type Root,
  type Target,
} from "../resolve/node.ts";
import {
  decisionDue,
  isDoubted,
  nextDueAt,
  openActions,
  reassigned,
  unassigned,
  unreleased,
} from "../resolve/obligations.ts";
import { unknownRecords } from "../resolve/records.ts";
import { sameFact } from "../resolve/same-fact.ts";
import { pendingRecords } from "../resolve/shown.ts";
import { leavesAt, targetsOf } from "../resolve/targets.ts";
import { type Workspace, type WorkspaceFacts, workspaceById } from "../workspace.ts";
import { Acting, type ConfirmAnswer, type HeardAnswer, type SettleCall } from "./acting.ts";
import { type AnswerAnswer, type AnswerCall, Answering } from "./answering.ts";
import { type EraseAnswer, type EraseCall, Erasing, type SwallowCall } from "./erasing.ts";
import { IdentityStore } from "./identity-store.ts";
import {
  type AbsorbAnswer,
  type AbsorbCall,
  type ClaimAnswer,
  type ClaimCall,
  type GatherCall,
  type JoinAnswer,
  type JoinCall,
  Linking,
  rootOf,
} from "./linking.ts";
import { companyStub, identityStub, projectorStub } from "./names.ts";
import { NodeState } from "./node-state.ts";
import { policyOf } from "./policy-cache.ts";
import { recordPerson } from "./recording.ts";
import { isRecordKey, Showing } from "./showing.ts";
import { type Choice, type ChoiceAnswer, type SplitAnswer, type SplitCall, Splitting } from "./splitting.ts";
import { Work } from "./work.ts";

export interface ReceiveCall {
  /** The name this object was called by. */
  readonly self: string;
  /** JSON of the `Signal`: it is stored as it is, and a string crosses an object call for next to nothing. */
  readonly signal: string;
  /** Nodes of the signal's identifiers, in their order. */
  readonly nodes: readonly string[];
  /** Nodes that answered `moved` on the way here. */
  readonly via: readonly string[];
  readonly workspace: WorkspaceFacts;
}

/** `policy_needed`: this isolate has not seen that version of the policy yet; to be called again with its text. */
export type ReceiveAnswer =
  | { readonly arm: "policy_needed" }
  | { readonly arm: "applied" }
  | { readonly arm: "duplicate" }
  /** It tells of a person who was erased, from before that. */
  | { readonly arm: "swallowed" }
  /** The key is known with another body: refused, and recorded by the caller. */
  | { readonly arm: "conflict" }
  | { readonly arm: "moved"; readonly to: string }
  | { readonly arm: "busy" };

export interface IdentityView {
  readonly root: Root;
  readonly log: readonly LogEntry[];
}

export class IdentityObject extends DurableObject<Env> {
  readonly #store: IdentityStore;
  readonly #state: NodeState;
  readonly #linking: Linking;
  readonly #splitting: Splitting;
  readonly #erasing: Erasing;
  readonly #acting: Acting;
  readonly #showing: Showing;
  readonly #answering: Answering;
  /** Signals not decided on yet that this incarnation took in: a copy of what the log holds. */
  readonly #recent = new Map<string, Signal>();
  #alarmAt: number | null | undefined = undefined;
  readonly #work: Work;
  #inAlarm = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new IdentityStore(ctx.storage);
    this.#state = new NodeState(this.#store);
    const around = {
      env,
      state: this.#state,
      policyOf: async (workspace: string) => (await this.#workspace(workspace)).policy,
      // Also for what its own work seals while an alarm runs: that one may be a repetition, which nobody runs again.
      arm: (at: number) => this.#arm(at, "call"),
      pump: () => this.#pump("call"),
    };
    this.#linking = new Linking(around);
    this.#splitting = new Splitting(around, this.#linking);
    this.#erasing = new Erasing({
      env,
      state: this.#state,
      workspace: (id) => this.#workspace(id),
      arrived: () => this.#linking.arrived(),
      armAt: (at) => this.#arm(at, "call"),
      pump: () => this.#pump("call"),
    });
    this.#acting = new Acting({
      env,
      state: this.#state,
      policyOf: async (workspace) => (await this.#workspace(workspace)).policy,
      pump: () => this.#pump("call"),
    });
    this.#showing = new Showing({ env, state: this.#state, pump: () => this.#pump("call") });
    this.#answering = new Answering(this.#state, () => this.#pump("call"));
    this.#work = new Work(
      (work) => ctx.waitUntil(work),
      () => this.#pump(),
    );
  }

  /* ------------------------------------------------------------------------------------------ the door */

  async receive(call: ReceiveCall): Promise<ReceiveAnswer> {
    if (this.#alarmAt === undefined) this.#alarmAt = await this.ctx.storage.getAlarm();
    // It was here before, and came back: where this node points, nobody knows it.
    if (call.via.includes(call.self)) await this.#linking.free(call.self);
    const node = this.#state.load();
    if (node.role === "alias") {
      if (isSwallowed(node, call)) return { arm: "swallowed" };
      if (node.acknowledged) return { arm: "moved", to: node.parent };
      await this.#linking.transfer();
      const after = this.#state.load();
      return after.role === "alias" && after.acknowledged ? { arm: "moved", to: after.parent } : { arm: "busy" };
    }
    const parting = node.role === "root" ? partingOf(node, call) : undefined;
    if (parting !== undefined) {
      await this.#splitting.part(parting);
      return { arm: "moved", to: parting.to };
    }
    if (isMisled(node, call)) {
      const [first = call.self] = call.nodes;
      const way = node.role === "root" && call.via.includes(first) ? await this.#linking.leadsHere(first) : null;
      if (way === null) return { arm: "moved", to: first };
      if (this.#state.load() !== node) return { arm: "busy" };
      if (happenedBefore(call, way.erased_at)) return { arm: "swallowed" };
    }
    const signal = JSON.parse(call.signal) as Signal;
    const root = rootOf(node, call.self, signal.workspace);
    if (isErased(root, call, signal)) return { arm: "swallowed" };
    // Somebody comes while the person they were is being erased: to be sent again when that is done.
    if (root.erase !== undefined) return { arm: "busy" };
    const now = Date.now();
    const policy = policyOf(call.workspace.policyVersion, call.workspace.id, call.workspace.policyJson);
    if (policy === null) return { arm: "policy_needed" };
    const tier = policy.tiers[kindRuleOf(policy, signal.kind).tier];
    // Somebody who could not be reached until now may have become reachable: no reason to let that wait.
    const windowMs = root.undecided.some((item) => item.waiting) || saysNo(signal) ? 0 : tier.window_ms;
    const draft: LogEntry = {
      seq: root.seq + 1,
      root: root.name,
      signal,
      node_of: call.nodes,
      ...(now - signal.received_at > queueDelayMs ? { applied_at: now } : {}),
      undecided: { key: signal.idempotency_key, decide_at: now + windowMs, waiting: false },
    };
    const { entry, next } = this.#decidedAtOnce(root, draft, policy, call.workspace.targets, now);
    if (!this.#state.append(entry, call.signal, next)) {
      this.#pump("call");
      const known = this.#store.entry(signal.idempotency_key);
      return { arm: known === null || sameFact(known.signal, signal) ? "duplicate" : "conflict" };
    }
    if (entry.answer === undefined) this.#recent.set(signal.idempotency_key, signal);
    if (entry.answer !== undefined || bringsNews(policy, root.lead, next.lead)) this.#state.projectDue = true;
    this.#compress(next, call);
    this.#pump("call");
    return { arm: "applied" };
  }

  /** With every identifier linked, an urgent signal is decided in the turn that takes it in; else the links come first (§6.2). */
  #decidedAtOnce(
    root: Root,
    draft: LogEntry,
    policy: Policy,
    targets: readonly Target[],
    now: number,
  ): { readonly entry: LogEntry; readonly next: Root } {
    const applied = applyEntry(root, draft);
    const mustAsk = applied.links.length > 0 || looksAtCompanies(policy);
    if ((draft.undecided?.decide_at ?? now) > now || mustAsk) return { entry: draft, next: applied };
    const answer = decide({
      policy,
      lead: applied.lead,
      leadId: applied.name,
      followUps: followUpFacts(applied),
      approvals: applied.approvals,
      signals: [...this.#undecidedSignals(applied, draft.signal), draft.signal],
      now,
    });
    const entry: LogEntry = { ...draft, answer, targets: targetsOf(policy, answer.followUp, targets) };
    return { entry, next: applyEntry(root, entry) };
  }

  /** What the card, the API and the console show; null where nothing is known. Follows no move: the caller does. */
  read(): IdentityView | { readonly moved: string } | null {
    const node = this.#state.load();
    if (node.role === "alias") return { moved: node.parent };
    if (node.role !== "root") return null;
    return { root: node, log: this.#store.latest(100) };
  }

  /* ------------------------------------------------------------------------------ link, merge and split (§6.2) */

  claim(call: ClaimCall): Promise<ClaimAnswer> {
    return this.#linking.claim(call);
  }

  gather(call: GatherCall): Promise<void> {
    return this.#linking.gather(call);
  }

  requestLink(call: JoinCall): Promise<JoinAnswer> {
    return this.#linking.requestLink(call);
  }

  absorb(call: AbsorbCall): Promise<AbsorbAnswer> {
    return this.#linking.absorb(call);
  }

  restore(call: {
    readonly id: string;
    readonly root: Root;
    readonly entries: readonly LogEntry[];
    readonly last: boolean;
  }): Promise<void> {
    return this.#splitting.restore(call);
  }

  repoint(call: { readonly to: string; readonly epoch: number }): Promise<void> {
    return this.#splitting.repoint(call);
  }

  choose(call: Choice): ChoiceAnswer {
    return this.#splitting.choose(call);
  }

  split(call: SplitCall): Promise<SplitAnswer> {
    return this.#splitting.split(call);
  }

  /* ------------------------------------------------------------------------------------------ erase (§6.7) */

  erase(call: EraseCall): EraseAnswer {
    return this.#erasing.order(call);
  }

  swallow(call: SwallowCall): Promise<void> {
    return this.#erasing.swallow(call);
  }

  /** Nodes on a long way here learn the short one; a favour to the next signal, so it is neither stored nor tried again. */
  #compress(root: Root, call: ReceiveCall): void {
    // A version that a crash could take back must not be told as an epoch.
    if (this.#state.unsaved) return;
    for (const node of call.via.slice(0, -1)) {
      // Signals also come by remembered places, which a split may have made somebody else's.
      if (node > root.name && root.members.includes(node))
        this.#work.start(`compress ${node}`, () =>
          identityStub(this.env, node).repoint({ to: root.name, epoch: root.version }),
        );
    }
  }

  /* -------------------------------------------------------------------------------------- decide and act */

  async #decideDue(): Promise<void> {
    const first = this.#state.root();
    if (first === null) return;
    const { policy, targets } = await this.#workspace(first.workspace);
    const company = await this.#companyOf(policy);
    const root = this.#state.root();
    if (root === null || !decisionDue(root, Date.now())) return;
    const signals = this.#undecidedSignals(root);
    if (signals.length === 0) return;
    const answer: Answer = decide({
      policy,
      lead: root.lead,
      leadId: root.name,
      followUps: followUpFacts(root),
      approvals: root.approvals,
      signals,
      now: Date.now(),
      ...(company === undefined ? {} : { company }),
    });
    const next = applyAnswer(root, answer, targetsOf(policy, answer.followUp, targets), company);
    for (const key of answer.decision.signals) this.#recent.delete(key);
    this.#state.projectDue = true;
    // What leaves or is withdrawn must be on disk before; a decision that leads to nothing is saved with the rest.
    if (answer.followUp === undefined && answer.decision.withdrawn === undefined) return this.#state.change(next);
    this.#state.save(next);
  }

  /** What others at the company did, where the policy looks at that; this lead's own counts are left there. */
  async #companyOf(policy: Policy): Promise<LeadFold["kinds"] | undefined> {
    const root = this.#state.root();
    if (root === null || !looksAtCompanies(policy)) return undefined;
    const domain = companyOf(policy, root.lead);
    if (root.company !== undefined && root.company !== domain)
      await companyStub(this.env, root.workspace, root.company).forget({ leads: [root.name] });
    if (domain === undefined) return undefined;
    if (root.company !== domain) this.#state.change({ ...root, company: domain });
    return companyStub(this.env, root.workspace, domain).note({
      lead: root.name,
      merged: root.members,
      kinds: root.lead.kinds,
      at: Date.now(),
    });
  }

  confirm(call: { readonly key: string }): Promise<ConfirmAnswer> {
    return this.#acting.confirm(call);
  }

  answer(call: AnswerCall): AnswerAnswer {
    return this.#answering.answer(call);
  }

  undoFields(call: { readonly version: number }): AnswerAnswer {
    return this.#answering.undoFields(call);
  }

  overdue(): AnswerAnswer {
    return this.#answering.overdue();
  }

  settle(call: SettleCall): { readonly moved: string | null } {
    if (isRecordKey(call.key)) return this.#showing.settle(call);
    return this.#acting.settle(call);
  }

  heard(call: HeardTask): Promise<HeardAnswer> {
    return this.#acting.heard(call);
  }

  /* -------------------------------------------------------------------------------------- obligations */

  /**
   * Works until nothing is due. While it runs its own work sets no further alarm: should the object die, the platform runs this
   * one again; and each setting is a billed row.
   */
  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    this.#inAlarm = true;
    try {
      const node = this.#state.load();
      if (node.role === "erased" && node.until <= Date.now()) this.#state.saveErased(null);
      if (node.role === "alias" && !node.acknowledged) this.#work.start("transfer", () => this.#linking.transfer());
      if (this.#state.isAheadOfLedger) this.#state.projectDue = true;
      this.#pump();
      await this.#work.settled();
      // What this very work changed last is shown as well: no later alarm need come.
      for (let rounds = 0; rounds < hopsMax && this.#state.isAheadOfLedger && !this.#state.projectDue; rounds++) {
        this.#state.projectDue = true;
        this.#pump();
        await this.#work.settled();
      }
    } finally {
      this.#inAlarm = false;
    }
    const after = this.#state.load();
    if (after.role === "root") this.#armFor(after, Date.now());
    else if (after.role === "erased") this.#arm(after.until);
    // Sealed, and the parent did not answer: an alarm that throws is given up after six times, so it asks again by itself.
    else if (after.role === "alias" && !after.acknowledged) this.#arm(Date.now() + guardMs);
  }

  /**
   * Starts every obligation that is due and not under way, then arms the alarm for the rest. Safe to call at any time. What a
   * `call` brings is kept by an alarm of its own also while one runs: that one may be a repetition, which nobody runs again.
   */
  #pump(why: "call" | "work" = "work"): void {
    const root = this.#state.root();
    if (root === null) return;
    const now = Date.now();
    for (const parting of root.partings) this.#work.start(`part ${parting.id}`, () => this.#splitting.part(parting));
    // Nobody becomes part of another one while a part of it leaves.
    if (root.partings.length === 0)
      for (const link of root.links)
        if (!isDoubted(root, link)) this.#work.start(`link ${link.node}`, () => this.#linking.makeLink(link));
    if (mayBeErased(root)) this.#work.start("erase", () => this.#erasing.erase());
    const [doubt] = root.doubts;
    if (doubt !== undefined && root.partings.length === 0 && root.links.every((link) => isDoubted(root, link)))
      this.#work.start("doubt", () => this.#splitting.settleDoubt(doubt));
    if (decisionDue(root, now)) this.#work.start("decide", () => this.#decideDue());
    for (const { id } of unassigned(root)) this.#work.start(`assign ${id}`, () => this.#acting.assign(id));
    for (const { id } of reassigned(root)) this.#work.start(`reassign ${id}`, () => this.#acting.reassign(id));
    for (const { id } of unreleased(root)) this.#work.start(`release ${id}`, () => this.#acting.release(id));
    for (const { action } of unknownRecords(root))
      this.#work.start(`record ${action.key}`, () =>
        recordPerson(this.#state, (id) => this.#workspace(id), action.key),
      );
    for (const { followUp, action } of openActions(root)) {
      if (leavesAt(followUp, action) <= now)
        this.#work.start(`act ${action.key}`, () => this.#acting.act(followUp, action));
    }
    for (const record of pendingRecords(root))
      if (record.retry_at <= now) this.#work.start(`show ${record.key}`, () => this.#showing.show(record.key));
    if (this.#work.idle) {
      if (this.#state.projectDue) this.#work.start("project", () => this.#project());
      else if (this.#state.unsaved) this.#state.save(root);
    }
    this.#armFor(root, now, why);
  }

  /** Saves what lies in memory, shows it to the ledger, and remembers (in memory) what the ledger confirmed. */
  async #project(): Promise<void> {
    const first = this.#state.root();
    if (first === null) return;
    const { policy, shard, targets } = await this.#workspace(first.workspace);
    const before = this.#state.root();
    if (before === null) return;
    const root = withFieldQuestions(withRecordsOwed(before, policy, targets, Date.now()), policy, Date.now());
    // Shown first, so that what came of it is saved in the same row as everything else.
    if (root !== before) return this.#state.change(root);
    this.#state.projectDue = false;
    // It shows nobody any more, whatever was confirmed since.
    if (isFinal(root)) return;
    // Only what is on disk is shown: a version the ledger has seen must never be taken back by a crash (G8).
    if (this.#state.unsaved) this.#state.save(root);
    const signals = this.#store.signalsAfter(root.projected.seq);
    const { life } = this.#state;
    try {
      await projectorStub(this.env, shard, root.name).project(projectionOf(root, signals, policy, Date.now()));
    } catch (error) {
      this.#state.projectDue = true;
      throw error;
    }
    const after = this.#state.root();
    // Merged, and a root again by a split meanwhile: its rows are others under the same numbers.
    if (after === null || this.#state.life !== life) return;
    const { decisions, gone, closed } = after.unprojected;
    const shown = new Set<object>([
      ...root.unprojected.decisions,
      ...root.unprojected.gone,
      ...root.unprojected.closed,
    ]);
    const isNews = (item: object) => !shown.has(item);
    this.#state.know({
      ...after,
      projected: { version: root.version, seq: root.seq },
      unprojected: {
        decisions: decisions.filter(isNews),
        gone: gone.filter(isNews),
        closed: closed.filter(isNews),
      },
    });
  }

  #armFor(root: Root, now: number, why: "call" | "work" = "work"): void {
    const owed =
      this.#state.projectDue || this.#state.unsaved || !this.#work.idle ? now + guardMs : Number.POSITIVE_INFINITY;
    const at = Math.min(owed, nextDueAt(root, now));
    if (at !== Number.POSITIVE_INFINITY) this.#arm(at, why);
  }

  /** Arms the alarm unless one stands that is early enough: each arming is a billed row. */
  #arm(at: number, why: "call" | "work" = "work"): void {
    if (
      (this.#inAlarm && why === "work") ||
      (this.#alarmAt !== null && this.#alarmAt !== undefined && this.#alarmAt <= at)
    )
      return;
    this.#alarmAt = at;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(at));
  }

  /* -------------------------------------------------------------------------------------- state */

  /** Throws when there is no such workspace (any more): the obligation stays, and is left to the alarm like any failure. */
  async #workspace(id: string): Promise<Workspace> {
    const found = await workspaceById(this.env, id, Date.now(), (work) => this.ctx.waitUntil(work));
    if (found === null) throw new Error("no such workspace");
    return found.workspace;
  }

  /** From memory where this incarnation took them in, else from the log. */
  #undecidedSignals(root: Root, without?: Signal): readonly Signal[] {
    const keys = root.undecided.map(({ key }) => key).filter((key) => key !== without?.idempotency_key);
    const recent = keys.map((key) => this.#recent.get(key)).filter((signal) => signal !== undefined);
    return recent.length === keys.length ? recent : this.#store.signals(keys);
  }
}

/** Whoever does not want to be contacted does not wait for a window to end. */
function saysNo({ consent }: Signal): boolean {
  return consent?.follow_up === false || Object.values(consent?.purposes ?? {}).includes(false);
}

/** An erased person's, from before the erasure; also while that is under way. */
function isErased(root: Root, { nodes: [first = ""] }: ReceiveCall, signal: Signal): boolean {
  const erasedAt = root.erased_nodes[root.members.includes(first) ? first : root.name] ?? 0;
  return signal.occurred_at < Math.max(erasedAt, root.erase?.at ?? 0);
}

/** The part that this signal belongs to, where it was split off and is not gone yet. */
function partingOf(root: Root, { nodes: [first = ""] }: ReceiveCall): Parting | undefined {
  if (root.members.includes(first)) return undefined;
  return root.partings.find(({ to, root: { members } }) => to === first || members.includes(first));
}

/**
 * Sent here before a split or an erasure, by a memory older than one, or by a pointer to nobody: the node of the strongest
 * identifier knows the right place, or finds out that it has none.
 */
function isMisled(node: Node, { self, nodes: [first = ""] }: ReceiveCall): boolean {
  return first !== self && (node.role !== "root" || !node.members.includes(first));
}

/** An alias may know of an erased person when its root does not yet. */
function isSwallowed({ erased_at }: Alias, call: ReceiveCall): boolean {
  return erased_at !== undefined && call.nodes[0] === call.self && happenedBefore(call, erased_at);
}

function happenedBefore({ signal }: ReceiveCall, instant: number): boolean {
  return instant > 0 && (JSON.parse(signal) as Signal).occurred_at < instant;
}
