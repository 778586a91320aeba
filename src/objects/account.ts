/**
 * One CRM account: its tokens, its API budget, and the ledger that gives every action one external effect (DESIGN §6.3–6.4).
 *
 * Identities submit actions and wait a little for the receipt; what takes longer is written down here, and the identity is
 * called back. Actions that wait are sent in batches; the hot tier goes first and keeps a share of the budget. What an answer
 * means is decided in `act/exactly-once.ts`; here it is sent, stored and told.
 */
import { DurableObject } from "cloudflare:workers";
import type {
  Command,
  Crm,
  CrmPerson,
  CrmSession,
  CrmTask,
  Destination,
  Grant,
  Installation,
  Outcome,
  Send,
} from "../../connectors/contract.ts";
import { crmOf, destinationOf } from "../../connectors/index.ts";
import { reopened, wordsOf } from "../act/again.ts";
import { backoffMs } from "../act/backoff.ts";
import {
  type Action,
  type Circumstances,
  conclude,
  heldBy,
  inDoubt,
  intend,
  judge,
  madeFor,
  mustBeLookedUp,
  newAction,
  type Settled,
  settled,
  type Verdict,
} from "../act/exactly-once.ts";
import { phasesOf } from "../act/queue.ts";
import { withSeen } from "../act/task-seen.ts";
import type { OwnersSaid } from "../decide/candidates.ts";
import type { Env } from "../env.ts";
import { crmApp } from "../install/crm-app.ts";
import {
  hopsMax,
  joinEveryMs,
  ownersTtlMs,
  queueLoadMax,
  quietMs,
  settleReadsMs,
  submitWaitMs,
  takenOverMs,
} from "../limits.ts";
import { errorName, log } from "../log.ts";
import type { Receipt, TargetName } from "../model.ts";
import { isCrm } from "../resolve/targets.ts";
import {
  circumstancesOf,
  endOf,
  hasGrant,
  isPassing,
  leftBehind,
  lost,
  mustBeConfirmed,
  outcomeOf,
  sessionOf,
  withOwner,
} from "./account-rules.ts";
import { type AccountFacts, AccountStore } from "./account-store.ts";
import type { CrmReader } from "./crm-reader.ts";
import { GrantKeeper } from "./grant-keeper.ts";
import { Joining } from "./joining.ts";
import { Listening, type OwnCall } from "./listening.ts";
import { identityStub } from "./names.ts";
import { type RecordOwnersCall, RecordOwnersReader } from "./record-owners.ts";
import { isOlder, ShownOrder } from "./shown-order.ts";
import { reportTyped, typedOver } from "./typed-over.ts";
import { Wire } from "./wire.ts";

export interface SubmitCall {
  readonly command: Command;
  /** E-mail address of whom the task is for; decides `task.ownerId`. What `before` says of the owner is the asker's: `Receipt.owner_id`. */
  readonly holder: string;
  /** Identity that asks; told of the outcome if it does not wait for it. */
  readonly node: string;
  readonly hot: boolean;
  /** How often it went from one identity to another by now. */
  readonly moves?: number;
  /** How often a person had it tried again after it was refused in the end. */
  readonly again?: number;
}

export type SubmitAnswer =
  | Settled
  | { readonly arm: "pending"; readonly retryAfterMs: number }
  /** An earlier attempt may have made its task in these words: whoever tries it again is to know them, and asks with them. */
  | { readonly arm: "worded"; readonly task: CrmTask };

export type CancelAnswer =
  | { readonly arm: "cancelled" }
  | { readonly arm: "in_flight" }
  | { readonly arm: "done"; readonly receipt: Receipt };

export interface AttachCall {
  readonly name: string;
  readonly workspace: string;
  readonly crm: TargetName;
  readonly grant: Grant;
  /** Epoch ms at which it was granted: what comes late, or again, changes nothing. Now, where it is not said. */
  readonly at?: number;
  readonly settleReadsMs?: readonly number[];
}

interface Item {
  action: Action;
  /** False while the action lies only in memory, waiting for its turn with the asker still on the line. */
  saved: boolean;
  busy: boolean;
  waiters: ((answer: SubmitAnswer) => void)[];
}

/** A person waits for the answer of the consent page meanwhile. */
const installAttemptsMax = 8;

/** Somebody who is not known is asked about again after this at the earliest: a new colleague sees the card within a minute. */
const newUserMs = 60_000;

/** An attempt may still take effect for so long after it left: HubSpot itself gives up at 100 s (524). */
const doubtMs = 120_000;

export class AccountObject extends DurableObject<Env> {
  readonly #store: AccountStore;
  readonly #grants: GrantKeeper;
  #facts: AccountFacts | null;
  readonly #items = new Map<string, Item>();
  #loaded = false;
  /** True while the disk may hold unfinished actions that are not in `#items`. */
  #more = false;
  /** When actions of each kind last left; see `gatherMs`. */
  #leftAt = { hot: 0, rest: 0 };
  readonly #wire: Wire;
  readonly #listening: Listening;
  readonly #shown = new ShownOrder();
  readonly #joining: Joining;
  readonly #recordOwners: RecordOwnersReader;
  /** When the alarm stands; undefined until this incarnation has asked. */
  #alarmAt: number | null | undefined = undefined;
  /** When the next look is due; null where none is, undefined until this incarnation knows: the next alarm looks then. */
  #hearAt: number | null | undefined = undefined;
  #timer: { readonly at: number; readonly id: ReturnType<typeof setTimeout> } | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new AccountStore(ctx.storage);
    this.#facts = this.#store.facts();
    this.#grants = new GrantKeeper({
      masterKey: env.BATON_MASTER_KEY,
      facts: () => this.#facts,
      save: (facts) => this.#saveFacts(facts),
    });
    this.#wire = new Wire({
      env,
      store: this.#store,
      grants: this.#grants,
      facts: () => this.#facts,
      later: (work) => this.ctx.waitUntil(work),
      block: (reason) => this.#block(reason),
      answered: () => this.#hurry(),
      done: () => this.#pump(),
    });
    const reader: CrmReader = {
      later: (work) => this.ctx.waitUntil(work),
      spend: (crm, cost, work, hot) => this.#wire.spend(crm, cost, work, hot),
      gatherMs: (crm) => this.#wire.gatherMs(crm, false, Date.now()),
      session: (crm, facts, send) => this.#wire.session(crm, facts, send),
      owners: (crm, session) => this.#wire.ownerIds(crm, session),
      failed: (crm, session, failure) => this.#lookFailed(crm, session, failure),
    };
    this.#joining = new Joining({ ...reader, env, store: this.#store });
    this.#recordOwners = new RecordOwnersReader(reader);
    this.#listening = new Listening({ ...reader, env, store: this.#store, underWay: () => this.#items.keys() });
  }

  /* ------------------------------------------------------------------------------------ what identities ask */

  async submit(call: SubmitCall): Promise<SubmitAnswer> {
    if (this.#facts === null) return { arm: "pending", retryAfterMs: takenOverMs };
    const ended = endOf(this.#facts);
    if (ended !== null) return ended;
    if (this.#alarmAt === undefined) await this.#knowAlarm();
    this.#load();
    const { key } = call.command;
    if (call.command.type === "write_record") {
      const waiting = [...this.#items.values()].map(({ action }) => action.command);
      if (!this.#shown.isNewest(call.command, waiting)) return { arm: "cancelled" };
      if (this.#shown.isStale(call.command)) return { arm: "pending", retryAfterMs: 0 };
    }
    let item = this.#items.get(key);
    if (item === undefined) {
      const stored = this.#store.action(key);
      const worded = wordsOf(stored, call);
      if (worded !== null) return { arm: "worded", task: worded };
      const opened = reopened(stored, call);
      const known = opened === null ? null : heldBy(opened, call);
      const answer = known === null ? null : settled(known);
      // After a split another identity may ask for what was made already: it is the one to be told of it.
      if (known?.state === "done" && known !== stored) this.own({ key, node: call.node, moves: call.moves ?? 0 });
      if (answer !== null) return answer;
      item = { action: known ?? newAction(call), saved: known !== null, busy: false, waiters: [] };
      this.#items.set(key, item);
    }
    // After a merge or a split another identity answers for it.
    item.action = heldBy(item.action, call);
    const waiting = item;
    const answer = new Promise<SubmitAnswer>((resolve) => {
      const timer = setTimeout(() => resolve(this.#takeOver(waiting)), submitWaitMs);
      waiting.waiters.push((final) => {
        clearTimeout(timer);
        resolve(final);
      });
    });
    this.#pump();
    return answer;
  }

  /** An unknown key leaves a tombstone, so that a submit that arrives later does nothing. */
  cancel(call: { readonly key: string }): CancelAnswer {
    this.#load();
    const item = this.#items.get(call.key);
    const action = item?.action ?? this.#store.action(call.key);
    if (action?.state === "done" && action.receipt !== null) return { arm: "done", receipt: action.receipt };
    if (action?.update !== undefined) return { arm: "cancelled" };
    // Through an outlet that stopped nothing can be looked up.
    if (action !== null && item?.busy !== true && this.#facts !== null && endOf(this.#facts) !== null) {
      this.#cancelled(action);
      return { arm: "cancelled" };
    }
    if (item?.busy === true || action?.state === "intent") {
      // After a crash nobody else may come to resolve it: who cancels does not submit again.
      this.#pump();
      return { arm: "in_flight" };
    }
    // Also one that was refused in the end: an earlier attempt may have made a task all the same.
    if ((action?.state === "pending" || action?.state === "parked") && inDoubt(action)) {
      this.#lookUpLater(action);
      this.#pump();
      return { arm: "in_flight" };
    }
    if (action?.state !== "cancelled") {
      const command: Command = { type: "close_task", key: call.key, taskId: "", note: "" };
      this.#cancelled(action ?? newAction({ command, holder: "", node: "", hot: false }));
    }
    return { arm: "cancelled" };
  }

  /**
   * Nothing of these is to be done any more: what is stored of them names nobody, nor does what names these addresses and numbers.
   * Throws while one is under way: to be asked again.
   */
  forget(call: { readonly keys: readonly string[]; readonly values?: readonly string[] }): void {
    this.#load();
    const forgotten: Action[] = [];
    const waiting = [...this.#items.keys()];
    for (const key of new Set(
      call.keys.flatMap((item) => [
        item,
        `${item}-close`,
        ...this.#store.updatesOf(item),
        ...waiting.filter((other) => other.startsWith(`${item}-u`)),
      ]),
    )) {
      const item = this.#items.get(key);
      if (item?.busy === true) throw new Error("an action is under way");
      const known = item?.action ?? this.#store.action(key);
      if (known !== null && known.state !== "done") forgotten.push({ ...known, state: "cancelled" });
    }
    // Whoever has it now may have it tried again, in words of their own.
    const nameless = this.#store.parkedWith(call.values ?? []).map((action): Action => ({ ...action, attempts: 0 }));
    this.#store.save([...nameless.filter(({ key }) => !call.keys.includes(key)), ...forgotten]);
    this.#listening.forget(call.keys);
    for (const action of forgotten) this.#cancelWaiting(action);
  }

  /** Identities, as far as known here, for whom tasks were made under this id of a person. Reads every row: for rare questions. */
  whose(call: { readonly person: string }): readonly string[] {
    return this.#store.nodesOf(call.person);
  }

  /** Addresses of whoever owns this person's records in the CRM; null where it cannot say so in time, or is not asked now. */
  async recordOwners(call: RecordOwnersCall): Promise<OwnersSaid | null> {
    const [facts, crm] = [this.#facts, this.#heard()];
    if (facts?.status !== "connected" || crm === null) return null;
    if (this.#wire.isSilent || this.#wire.pausedUntil > Date.now()) return null;
    return this.#recordOwners.ask(crm, facts, call);
  }

  /** The task of this action is of this identity's from now on. */
  own(call: OwnCall): void {
    if (this.#listening.own(call)) this.#listen();
  }

  /* ------------------------------------------------------------------------------------ connect */

  /** Prepares the CRM, finds out its exactly-once world, stores the grant. May be repeated: a reconnect loses nothing. */
  async attach(
    call: AttachCall,
  ): Promise<
    { readonly ok: true; readonly installation: Installation } | { readonly ok: false; readonly reason: string }
  > {
    const crm = destinationOf(call.crm);
    const send = (request: Request) => this.#wire.send(crm, request);
    let installed = await crm.install(sessionOf(call.grant, "unique_property", send));
    for (let attempt = 1; attempt < installAttemptsMax && !installed.ok && isPassing(installed.failure); attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 200 * attempt));
      installed = await crm.install(sessionOf(call.grant, "unique_property", send));
    }
    if (!installed.ok)
      return { ok: false, reason: "reason" in installed.failure ? installed.failure.reason : installed.failure.arm };
    const { name, workspace } = call;
    const grant = await this.#grants.seal(workspace, name, call.grant);
    const at = call.at ?? Date.now();
    const before = this.#facts?.status;
    // Its tokens may have been used since.
    if (call.at !== undefined && (this.#facts?.attachedAt ?? 0) >= at)
      return { ok: true, installation: installed.value };
    this.#saveFacts({
      name,
      workspace,
      crm: call.crm,
      crmAccount: call.grant.crmAccount,
      installation: installed.value,
      grant,
      grantedAt: Date.now(),
      attachedAt: at,
      refreshing: false,
      refreshLeftAt: this.#facts?.refreshLeftAt ?? 0,
      status: "connected",
      problem: null,
      settleReadsMs: call.settleReadsMs ?? settleReadsMs,
    });
    this.#grants.forget();
    // What the CRM asked for before it was disconnected, or blocked, is long over.
    if (before !== "connected") this.#wire.pausedUntil = 0;
    this.#store.saveHeardSince(null);
    this.#load();
    // What waited, and what people did to open tasks meanwhile; behind an alarm before anything else can fail.
    if (this.#listening.isOpen) this.#listen();
    this.#arm(Math.max(this.#joining.nextAt(this.#heard()), Date.now()));
    await this.#wire.readOwners(crm, sessionOf(call.grant, installed.value.world, send));
    this.#pump();
    return { ok: true, installation: installed.value };
  }

  /**
   * Addresses of the users of this CRM account, in lower case. What was read last serves, also while the CRM is away; for somebody who
   * is not among them it is read again, at most once in `newUserMs`. Null where it was never read.
   */
  async users(call: { readonly looksFor: string }): Promise<readonly string[] | null> {
    const facts = this.#facts;
    if (facts === null || facts.status !== "connected") return null;
    // Maybe of an earlier incarnation: objects leave memory after seconds.
    const known = this.#wire.owners ?? this.#store.owners();
    const age = known === null ? Number.POSITIVE_INFINITY : Date.now() - known.at;
    const isKnown = known?.ids.has(call.looksFor.toLowerCase()) === true;
    const crm = destinationOf(facts.crm);
    if (!isKnown && age > newUserMs) await this.#readUsers(crm, facts);
    else if (age > ownersTtlMs) this.ctx.waitUntil(this.#readUsers(crm, facts));
    const ids = this.#wire.owners?.ids ?? known?.ids;
    return ids === undefined ? null : [...ids.keys()];
  }

  async #readUsers(crm: Destination, facts: AccountFacts): Promise<void> {
    try {
      const session = await this.#wire.session(crm, facts, (request) => this.#wire.send(crm, request));
      if (session !== null) await this.#wire.readOwners(crm, session);
    } catch (error) {
      // Whoever asks is told by what was read before.
      log("info", "account.users", { account: facts.name, error: errorName(error) });
    }
  }

  /** Says something through an outlet once, for somebody who watches whether it arrives: nothing is kept or repeated. */
  async tryOut(command: Command): Promise<Outcome> {
    if (this.#facts === null) return { arm: "refused", reason: "not_connected" };
    const destination = destinationOf(this.#facts.crm);
    const send = (request: Request) => this.#wire.send(destination, request);
    const session = await this.#wire.session(destination, this.#facts, send);
    return (session && (await destination.execute(session, [command]))[0]) ?? lost;
  }

  /** The outlet is taken away: what waits is cancelled, its token forgotten. It may be attached again. */
  remove(): void {
    this.#load();
    if (this.#facts !== null) this.#saveFacts({ ...this.#facts, status: "removed", grant: "" });
    this.#grants.forget();
    for (let rest = this.#store.unfinished(queueLoadMax); rest.length > 0; rest = this.#store.unfinished(queueLoadMax))
      this.#store.save(rest.map((action) => ({ ...action, state: "cancelled" })));
    for (const { action, busy } of this.#items.values())
      if (!busy) this.#cancelWaiting({ ...action, state: "cancelled" });
  }

  /** Refreshes tokens that have not been for a week, so that those of a quiet account do not end. True where it did so. */
  async keep(): Promise<boolean> {
    const facts = this.#facts;
    if (facts === null || facts.status !== "connected" || Date.now() < facts.grantedAt + quietMs) return false;
    const crm = destinationOf(facts.crm);
    return hasGrant(crm) && this.#wire.refresh(crm);
  }

  /**
   * The connection ends: nothing leaves any more, what waits becomes a question for a person, the CRM is asked to end our install, and
   * the tokens are forgotten. `revoked` is false where the CRM did not confirm. May be repeated; connecting again goes on from here.
   */
  async disconnect(): Promise<{ readonly revoked: boolean }> {
    this.#load();
    const { grant = "", crm = null } = this.#facts ?? {};
    if (this.#facts === null || grant === "" || crm === null || !isCrm(crm)) return { revoked: true };
    this.#saveFacts({ ...this.#facts, status: "removed", problem: null });
    const send = (request: Request) => this.#wire.send(crmOf(crm), request);
    const revoked = await this.#grants.revoke(crmOf(crm), crmApp(this.env, crm), send);
    const after = this.#facts;
    // Connected again while the CRM was asked.
    if (after === null || after.status !== "removed") return { revoked: false };
    this.#saveFacts({ ...after, grant: "", refreshing: false });
    this.#grants.forget();
    for (const item of [...this.#items.values()].filter(({ busy }) => !busy)) {
      item.action = leftBehind(item.action, crm);
      if (settled(item.action) !== null) this.#store.save([item.action]);
      this.#tell(item);
    }
    // Beyond what was in memory; whoever asks for those hears the same by `endOf`.
    for (
      let rest = this.#store.unfinished(queueLoadMax).map((action) => leftBehind(action, crm));
      rest.some(settled);
    ) {
      this.#store.save(rest);
      rest = this.#store.unfinished(queueLoadMax).map((action) => leftBehind(action, crm));
    }
    return { revoked };
  }

  status(): {
    readonly facts: Omit<AccountFacts, "grant"> | null;
    readonly waiting: number;
    readonly inFlight: number;
  } {
    this.#load();
    if (this.#facts === null) return { facts: null, waiting: 0, inFlight: 0 };
    const { grant: _sealed, ...facts } = this.#facts;
    return { facts, waiting: this.#items.size, inFlight: this.#wire.inFlight };
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    this.#load();
    this.#pump();
    // The one that stood behind them has just gone off.
    if (this.#hasOrphans()) this.#arm((this.#timer?.at ?? Date.now()) + 1_000);
    await this.#hear();
    await this.#join();
  }

  /** The CRM says that records may have become one: looked at now, behind an alarm. May come as often as it likes. */
  async somethingHappened(): Promise<void> {
    if (this.#alarmAt === undefined) await this.#knowAlarm();
    const at = this.#joining.hurry();
    if (this.#alarmAt !== null && this.#alarmAt !== undefined && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    await this.ctx.storage.setAlarm(at);
  }

  /* ------------------------------------------------------------------------------------ what people do there */

  /** One look at the records that became one, if it is time; the next one is behind an alarm before. */
  async #join(): Promise<void> {
    const [facts, crm] = [this.#facts, this.#heard()];
    if (facts?.status !== "connected" || crm?.joined === undefined) return;
    this.#arm(Math.max(this.#joining.nextAt(crm), Date.now() + joinEveryMs));
    if (this.#wire.pausedUntil <= Date.now()) await this.#joining.look(crm, facts);
    this.#arm(Math.max(this.#joining.nextAt(crm), this.#wire.pausedUntil, Date.now()));
  }

  /** One look at the open tasks, if it is time; the next one is behind an alarm before this one begins. */
  async #hear(): Promise<void> {
    const [facts, crm] = [this.#facts, this.#heard()];
    if (facts === null || crm === null || facts.status !== "connected" || !this.#listening.isOpen) {
      this.#hearAt = null;
      return;
    }
    const now = Date.now();
    const due = this.#hearAt ?? now;
    if (due > now) return this.#arm(due);
    const isPaused = this.#wire.pausedUntil > now;
    const latest = isPaused ? this.#wire.pausedUntil : now + crm.manifest.hears.everyMs;
    this.#hearBy(latest);
    if (isPaused) return;
    const next = await this.#listening.hear(crm, facts);
    this.#hearBy(Math.max(Math.min(latest, next), Date.now()));
  }

  #hearBy(at: number): void {
    this.#hearAt = at;
    this.#arm(at);
  }

  /** Behind whatever was made now stands a look at what becomes of it. One that is due, perhaps overdue, is not put off by it. */
  #listen(): void {
    const crm = this.#heard();
    if (crm === null) return;
    const at = Date.now() + crm.manifest.hears.everyMs;
    if (this.#hearAt === null) this.#hearAt = at;
    this.#arm(this.#hearAt ?? at);
  }

  /** The CRM that is listened to; null for an outlet, where nobody completes anything. */
  #heard(): Crm | null {
    const name = this.#facts?.crm;
    return name !== undefined && isCrm(name) ? crmOf(name) : null;
  }

  async #lookFailed(crm: Crm, session: CrmSession, failure: Exclude<Outcome, { arm: "done" }>): Promise<void> {
    if (failure.arm === "expired") return this.#wire.refreshUsed(crm, session);
    if (failure.arm === "blocked") return this.#block(failure.reason);
    log("info", "account.hearing", { account: this.#facts?.name, reason: failure.reason });
    if (failure.arm === "deferred" && failure.scope === "account") this.#wire.pause(Date.now() + failure.retryAfterMs);
  }

  /** The earliest that is wanted stands: each setting is a billed row. */
  #arm(at: number): void {
    if (!Number.isFinite(at)) return;
    if (this.#alarmAt === undefined) this.ctx.waitUntil(this.#knowAlarm().then(() => this.#arm(at)));
    else if (this.#alarmAt === null || this.#alarmAt > at) {
      this.#alarmAt = at;
      this.ctx.waitUntil(this.ctx.storage.setAlarm(at));
    }
  }

  async #knowAlarm(): Promise<void> {
    const at = await this.ctx.storage.getAlarm();
    if (this.#alarmAt === undefined) this.#alarmAt = at;
  }

  #hasOrphans(): boolean {
    return [...this.#items.values()].some((item) => item.saved && item.waiters.length === 0);
  }

  /* ------------------------------------------------------------------------------------ the queue */

  #load(): void {
    if (this.#loaded) return;
    this.#loaded = true;
    this.#more = true;
    this.#loadMore();
  }

  /** Unfinished actions from disk, a bounded number at a time. */
  #loadMore(): void {
    if (!this.#more) return;
    const actions = this.#store.unfinished(queueLoadMax);
    this.#more = actions.length === queueLoadMax;
    for (const action of actions) {
      if (!this.#items.has(action.key)) this.#items.set(action.key, { action, saved: true, busy: false, waiters: [] });
    }
  }

  /** Starts whatever may start now, and sets a timer for the rest. */
  #pump(): void {
    const facts = this.#facts;
    if (facts === null || facts.status !== "connected") return;
    const crm = destinationOf(facts.crm);
    const now = Date.now();
    if (this.#wire.pausedUntil > now) {
      this.#wakeAt(this.#wire.pausedUntil);
      return;
    }
    let nextAt = Number.POSITIVE_INFINITY;
    if (this.#items.size === 0) this.#loadMore();
    const idle = this.#idle();
    for (const phase of phasesOf(idle, circumstancesOf(facts, now))) {
      nextAt = Math.min(nextAt, phase.nextAt);
      const gathersUntil =
        (phase.hot ? this.#leftAt.hot : this.#leftAt.rest) + this.#wire.gatherMs(crm, phase.hot, now);
      if (phase.work === "execute" && phase.ready.length > 0 && gathersUntil > now) {
        nextAt = Math.min(nextAt, gathersUntil);
        continue;
      }
      // A CRM that is silent is asked with one action after the other, the hot tier's first.
      const batchMax = this.#wire.isSilent ? 1 : crm.manifest.batchMax;
      for (let at = 0; at < phase.ready.length; at += batchMax) {
        if (this.#wire.isFull) return;
        const batch = phase.ready.slice(at, at + batchMax);
        const cost = crm.cost(
          batch.map((item) => item.action.command),
          facts.installation.world,
        );
        const waitMs = this.#wire.reserve(crm, cost, phase.hot, now);
        if (waitMs > 0) {
          nextAt = Math.min(nextAt, now + waitMs);
          break;
        }
        if (phase.work === "execute")
          this.#leftAt = phase.hot ? { ...this.#leftAt, hot: now } : { ...this.#leftAt, rest: now };
        this.#start(crm, facts, phase.work, batch, cost);
      }
    }
    if (nextAt !== Number.POSITIVE_INFINITY) this.#wakeAt(nextAt);
  }

  /**
   * What may start. Of a record one write is under way at a time, so that the later one comes last; what something newer has made needless is
   * dropped as soon as it is not under way any more, however it came to wait again.
   */
  #idle(): readonly Item[] {
    const items = [...this.#items.values()];
    const shows = items.flatMap(({ action: { command }, busy }) =>
      command.type === "write_record" ? [{ command, busy }] : [],
    );
    return items.filter(({ action, busy }) => {
      const { command } = action;
      if (busy || command.type !== "write_record") return !busy;
      if (shows.some((other) => isOlder(command, other.command))) {
        this.#cancelled(action);
        return false;
      }
      return !shows.some((other) => other.busy && other.command.personId === command.personId);
    });
  }

  #start(
    crm: Destination,
    facts: AccountFacts,
    work: "execute" | "resolve",
    batch: readonly Item[],
    cost: number,
  ): void {
    const { send, end } = this.#wire.begin(crm, cost);
    for (const item of batch) item.busy = true;
    const run = async () => {
      try {
        if (work === "execute") await this.#execute(crm, facts, batch, send);
        else await this.#resolve(crm, facts, batch, send);
      } catch (error) {
        // A bug or a broken dependency: what was sent stays `intent` and is looked up, the rest waits a little.
        log("error", "account.work", { account: facts.name, work, error: errorName(error) });
        for (const item of batch) this.#putOff([item], backoffMs(item.action.key, item.action.attempts + 1));
      } finally {
        end();
        for (const item of batch) item.busy = false;
      }
      this.#pump();
    };
    this.ctx.waitUntil(run());
  }

  async #execute(crm: Destination, facts: AccountFacts, batch: readonly Item[], send: Send): Promise<void> {
    const session = await this.#wire.session(crm, facts, send);
    if (session === null) {
      this.#putOff(batch, 5_000);
      return;
    }
    const owners = await this.#wire.ownerIds(crm, session);
    if (owners === null) {
      this.#putOff(batch, 2_000);
      return;
    }
    const allowed = await this.#confirmed(batch);
    if (allowed.length === 0) return;
    const now = Date.now();
    for (const item of allowed) item.action = intend(withOwner(item.action, owners), now);
    // What may be repeated needs no trace before it leaves: its asker, or the row of an action that was taken over, repeats it.
    const once = allowed.filter((item) => mustBeLookedUp(item.action));
    for (const item of once) item.saved = true;
    this.#store.save(once.map((item) => item.action));
    const outcomes = await crm.execute(
      session,
      allowed.map((item) => item.action.command),
    );
    this.#take(facts, allowed, (item, index, present) => judge(item.action, outcomes[index] ?? lost, present));
    if (outcomes.some((outcome) => outcome.arm === "expired")) await this.#wire.refreshUsed(crm, session);
  }

  async #resolve(crm: Destination, facts: AccountFacts, batch: readonly Item[], send: Send): Promise<void> {
    const session = await this.#wire.session(crm, facts, send);
    if (session === null) {
      this.#putOff(batch, 5_000);
      return;
    }
    const resolutions = await crm.resolve(
      session,
      batch.map((item) => item.action.command),
      {
        at: Math.min(...batch.map((item) => item.action.attemptAt)),
        cancelling: batch.every((item) => item.action.cancelling === true),
      },
    );
    this.#take(facts, batch, (item, index, present) => conclude(item.action, resolutions[index] ?? lost, present));
    if (resolutions.some((resolution) => resolution.arm === "expired")) await this.#wire.refreshUsed(crm, session);
  }

  /** Stores what answers made of actions, does what they mean for the account, and tells those who wait. */
  #take(
    facts: AccountFacts,
    batch: readonly Item[],
    verdictOn: (item: Item, index: number, present: Circumstances) => Verdict,
  ): void {
    const present = circumstancesOf(facts, Date.now());
    const changed: Action[] = [];
    for (const [index, item] of batch.entries()) {
      const { action: judged, pauseUntil, blocked } = verdictOn(item, index, present);
      const next = withSeen(this.#heard(), judged, () => this.#listening.seenOf(judged.key));
      // Taken away meanwhile: nothing is repeated.
      const isLeft = this.#facts?.status === "removed" && settled(next) === null;
      const action: Action = isLeft ? leftBehind(next, facts.crm) : next;
      // An empty or failed look-up is remembered in memory only: after a restart they begin again, which is slower and safe.
      // What no disk knows yet stays so until it is over, or its asker stops waiting.
      // Nor is a record's: whoever asks again writes what is there already, which is nothing.
      const isKept = settled(action) !== null && action.command.type !== "write_record";
      if (action.state !== item.action.state && (item.saved || isKept)) changed.push(action);
      if (action.state === "parked") log("warn", "action.parked", { account: facts.name, problem: action.problem });
      item.action = action;
      if (pauseUntil !== undefined) this.#wire.pause(pauseUntil);
      if (blocked !== undefined) this.#block(blocked);
    }
    this.#store.save(changed);
    for (const { action } of batch) if (action.left !== undefined) this.#shown.remember(action.command);
    const typed = batch.flatMap(({ action: { command, left = [] } }) =>
      command.type === "write_record" ? typedOver(command, left) : [],
    );
    const later = (work: Promise<unknown>) => this.ctx.waitUntil(work);
    if (typed.length > 0) later(reportTyped(this.env, facts, [...new Set(typed)], later));
    if (this.#heard() !== null) for (const action of changed) this.#listening.settled(action);
    if (changed.some(({ state, receipt }) => state === "done" && receipt !== null)) this.#listen();
    for (const item of batch) this.#tell(item);
  }

  /** Actions that waited on their own are asked about again before they leave: consent may have gone meanwhile (G11). */
  async #confirmed(batch: readonly Item[]): Promise<Item[]> {
    const answers = await Promise.all(
      batch.map((item) => (item.waiters.length > 0 || !mustBeConfirmed(item.action) ? go : this.#ask(item))),
    );
    const allowed: Item[] = [];
    for (const [index, item] of batch.entries()) {
      const { arm, moves = 0, person }: Confirmed = answers[index] ?? { arm: "later" };
      if (arm === "go") {
        if (person !== undefined && moves > (item.action.moves ?? 0)) item.action = madeFor(item.action, person);
        allowed.push(item);
      } else if (arm === "stop") {
        if (!inDoubt(item.action)) this.#cancelled(item.action);
        else this.#lookUpLater(item.action);
      } else this.#putOff([item], 5_000);
    }
    return allowed;
  }

  async #ask(item: Item): Promise<Confirmed> {
    let node = item.action.node;
    for (let hops = 0; hops < hopsMax; hops++) {
      try {
        const answer = await identityStub(this.env, node).confirm({ key: item.action.key });
        if (answer.arm !== "moved") return answer;
        node = answer.to;
      } catch {
        return { arm: "later" };
      }
    }
    return { arm: "later" };
  }

  #putOff(batch: readonly Item[], delayMs: number): void {
    for (const item of batch) item.action = { ...item.action, notBefore: Date.now() + delayMs };
  }

  /** The asker stops waiting: from here on the action is this object's own obligation, on disk and behind an alarm. */
  #takeOver(item: Item): SubmitAnswer {
    const answer = settled(item.action);
    if (answer !== null) return answer;
    item.waiters = [];
    if (!item.saved) {
      this.#store.save([item.action]);
      item.saved = true;
    }
    this.#arm(Math.max(Date.now() + 5_000, item.action.notBefore, this.#wire.pausedUntil));
    return { arm: "pending", retryAfterMs: takenOverMs };
  }

  /** Cancelled after an attempt: looked up once more when that can no longer take effect, for its task would have to be closed. */
  #lookUpLater(action: Action): void {
    const doubted: Action = { ...action, state: "intent", cancelling: true, notBefore: action.attemptAt + doubtMs };
    this.#store.save([doubted]);
    const item = this.#items.get(action.key);
    if (item === undefined) this.#items.set(action.key, { action: doubted, saved: true, busy: false, waiters: [] });
    else item.action = doubted;
  }

  #cancelled(action: Action): void {
    const final: Action = { ...action, state: "cancelled" };
    const isKept = action.command.type !== "write_record" || this.#items.get(action.key)?.saved === true;
    if (isKept) this.#store.save([final]);
    this.#cancelWaiting(final);
  }

  #cancelWaiting(final: Action): void {
    const item = this.#items.get(final.key);
    if (item === undefined) return;
    item.action = final;
    this.#tell(item);
  }

  /** Answers those who wait, or calls the identity back, once an action is settled. */
  #tell(item: Item): void {
    const answer = settled(item.action);
    if (answer === null) return;
    this.#items.delete(item.action.key);
    const { waiters } = item;
    item.waiters = [];
    for (const waiter of waiters) waiter(answer);
    if (waiters.length === 0 && answer.arm !== "cancelled") this.ctx.waitUntil(this.#callBack(item.action, answer));
  }

  async #callBack(action: Action, answer: Exclude<Settled, { arm: "cancelled" }>): Promise<void> {
    const outcome = outcomeOf(action, answer);
    let node = action.node;
    try {
      for (let hops = 0; hops < hopsMax; hops++) {
        const { moved } = await identityStub(this.env, node).settle({ key: action.key, outcome });
        if (moved === null) return;
        node = moved;
      }
    } catch (error) {
      // The identity asks again by itself after `takenOverMs`.
      log("info", "account.call_back", { error: errorName(error) });
    }
  }

  /** A timer while this object lives; behind actions that were taken over stands an alarm as well. */
  #wakeAt(at: number): void {
    if (this.#timer !== null && this.#timer.at <= at && this.#timer.at > Date.now()) return;
    if (this.#timer !== null) clearTimeout(this.#timer.id);
    const wake = () => {
      this.#timer = null;
      this.#pump();
    };
    this.#timer = { at, id: setTimeout(wake, Math.max(1, at - Date.now())) };
    if (this.#hasOrphans()) this.#arm(at + 1_000);
  }

  /** A CRM that was silent answers: nobody waits any longer for having failed, everything goes in its order, the hot tier first. */
  #hurry(): void {
    const now = Date.now();
    for (const item of this.#items.values())
      if (!item.busy && item.action.cancelling !== true && item.action.notBefore > now)
        item.action = { ...item.action, notBefore: now };
  }

  #block(reason: string): void {
    if (this.#facts !== null) {
      this.#saveFacts({ ...this.#facts, status: "blocked", problem: reason });
      const { crm, name } = this.#facts;
      // So that nothing new comes here. What comes all the same is parked.
      if (!isCrm(crm))
        this.ctx.waitUntil(
          this.env.CONTROL.prepare("UPDATE outlets SET problem = ? WHERE object = ?").bind(reason, name).run(),
        );
    }
    log("error", "account.blocked", { account: this.#facts?.name, reason });
  }

  #saveFacts(facts: AccountFacts): void {
    this.#store.saveFacts(facts);
    this.#facts = facts;
  }
}

interface Confirmed {
  readonly arm: "go" | "stop" | "later";
  readonly moves?: number;
  readonly person?: CrmPerson;
}

const go: Confirmed = { arm: "go" };
