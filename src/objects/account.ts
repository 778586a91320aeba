/**
 * One CRM account: its tokens, its API budget, and the ledger that gives every action one external effect (DESIGN §6.3–6.4).
 *
 * Identities submit actions and wait a little for the receipt; what takes longer is written down here, and the identity is
 * called back. Actions that wait are sent in batches; the hot tier goes first and keeps a share of the budget.
 */
import { DurableObject } from "cloudflare:workers";
import type {
  Command,
  Crm,
  CrmApp,
  CrmOwner,
  CrmSession,
  Grant,
  Installation,
  Outcome,
  Resolution,
  Send,
  World,
} from "../../connectors/contract.ts";
import { crmOf } from "../../connectors/index.ts";
import { backoffMs } from "../act/backoff.ts";
import { type Budget, correct, gatherMs, giveBack, newBudget, reserve, spend } from "../act/budget.ts";
import { deriveKey, seal, unseal } from "../crypto.ts";
import type { Env } from "../env.ts";
import { unreachable } from "../failure.ts";
import { crmApp } from "../install/crm-app.ts";
import {
  attemptsMax,
  crmDeadlineMs,
  hopsMax,
  inFlightMax,
  ownersTtlMs,
  queueLoadMax,
  refreshAtShare,
  settleReadsMs,
  submitWaitMs,
} from "../limits.ts";
import { errorName, log } from "../log.ts";
import type { CrmName, Receipt } from "../model.ts";
import { type AccountFacts, AccountStore, type Action } from "./account-store.ts";
import { identityStub } from "./names.ts";

export interface SubmitCall {
  readonly command: Command;
  readonly holder: string;
  /** Identity that asks; told of the outcome if it does not wait for it. */
  readonly node: string;
  readonly workspace: string;
  readonly hot: boolean;
}

export type SubmitAnswer =
  | { readonly arm: "done"; readonly receipt: Receipt }
  | { readonly arm: "cancelled" }
  | { readonly arm: "parked"; readonly problem: string }
  | { readonly arm: "pending"; readonly retryAfterMs: number };

export type CancelAnswer =
  | { readonly arm: "cancelled" }
  | { readonly arm: "in_flight" }
  | { readonly arm: "done"; readonly receipt: Receipt };

export interface AttachCall {
  readonly name: string;
  readonly workspace: string;
  readonly crm: CrmName;
  readonly grant: Grant;
  readonly settleReadsMs?: readonly number[];
}

interface Item {
  action: Action;
  /** False while the action lies only in memory, waiting for its turn with the asker still on the line. */
  saved: boolean;
  busy: boolean;
  waiters: ((answer: SubmitAnswer) => void)[];
}

/** How long an identity leaves an action alone that this object has taken over; it asks again then, in case a call back was lost. */
const takenOverMs = 120_000;

/** A person waits for the answer of the consent page meanwhile. */
const installAttemptsMax = 8;

export class AccountObject extends DurableObject<Env> {
  readonly #store: AccountStore;
  #facts: AccountFacts | null;
  readonly #items = new Map<string, Item>();
  #loaded = false;
  #inFlight = 0;
  #pausedUntil = 0;
  /** When actions of each kind last left; see `gatherMs`. */
  #leftAt = { hot: 0, rest: 0 };
  #budget: Budget | null = null;
  #grant: Grant | null = null;
  #refresh: Promise<boolean> | null = null;
  #owners: { readonly at: number; readonly ids: ReadonlyMap<string, string> } | null = null;
  #timer: { readonly at: number; readonly id: ReturnType<typeof setTimeout> } | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new AccountStore(ctx.storage);
    this.#facts = this.#store.facts();
  }

  /* ------------------------------------------------------------------------------------ what identities ask */

  async submit(call: SubmitCall): Promise<SubmitAnswer> {
    if (this.#facts === null) return { arm: "pending", retryAfterMs: takenOverMs };
    this.#load();
    const { key } = call.command;
    let item = this.#items.get(key);
    if (item === undefined) {
      const known = this.#store.action(key);
      if (known !== null) {
        const settled = settledAnswer(known);
        if (settled !== null) return settled;
      }
      const action = known ?? newAction(call);
      item = { action, saved: known !== null, busy: false, waiters: [] };
      this.#items.set(key, item);
    }
    const waiting = item;
    const answer = new Promise<SubmitAnswer>((resolve) => {
      const timer = setTimeout(() => resolve(this.#takeOver(waiting)), submitWaitMs);
      waiting.waiters.push((settled) => {
        clearTimeout(timer);
        resolve(settled);
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
    if (item?.busy === true || action?.state === "intent") return { arm: "in_flight" };
    if (action?.state !== "cancelled") {
      const command: Command = { type: "close_task", key: call.key, taskId: "", note: "" };
      const known = action ?? newAction({ command, holder: "", node: "", workspace: "", hot: false });
      this.#finish({ ...known, state: "cancelled" }, { arm: "cancelled" });
    }
    return { arm: "cancelled" };
  }

  /* ------------------------------------------------------------------------------------ connect */

  /** Stores the grant, creates the fields in the CRM, finds out the exactly-once world. May be repeated: reconnects lose nothing. */
  async attach(
    call: AttachCall,
  ): Promise<
    { readonly ok: true; readonly installation: Installation } | { readonly ok: false; readonly reason: string }
  > {
    this.#grant = call.grant;
    const crm = crmOf(call.crm);
    this.#budget ??= newBudget(crm.manifest.budget);
    const send = (request: Request) => this.#send(crm, request);
    let installed = await crm.install(sessionOf(call.grant, "unique_property", send));
    for (let attempt = 1; attempt < installAttemptsMax && !installed.ok && isPassing(installed.failure); attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 200 * attempt));
      installed = await crm.install(sessionOf(call.grant, "unique_property", send));
    }
    if (!installed.ok)
      return { ok: false, reason: "reason" in installed.failure ? installed.failure.reason : installed.failure.arm };
    const { name, workspace } = call;
    this.#saveFacts({
      name,
      workspace,
      crm: call.crm,
      crmAccount: call.grant.crmAccount,
      installation: installed.value,
      grant: await this.#sealed(workspace, name, call.grant),
      grantedAt: Date.now(),
      refreshing: false,
      status: "connected",
      problem: null,
      settleReadsMs: call.settleReadsMs ?? settleReadsMs,
    });
    await this.#readOwners(crm, sessionOf(call.grant, installed.value.world, send));
    this.#load();
    this.#pump();
    return { ok: true, installation: installed.value };
  }

  status(): {
    readonly facts: Omit<AccountFacts, "grant"> | null;
    readonly waiting: number;
    readonly inFlight: number;
  } {
    this.#load();
    if (this.#facts === null) return { facts: null, waiting: 0, inFlight: 0 };
    const { grant: _sealed, ...facts } = this.#facts;
    return { facts, waiting: this.#items.size, inFlight: this.#inFlight };
  }

  override async alarm(): Promise<void> {
    this.#load();
    this.#pump();
  }

  /* ------------------------------------------------------------------------------------ the queue */

  #load(): void {
    if (this.#loaded) return;
    this.#loaded = true;
    for (const action of this.#store.unfinished(queueLoadMax)) {
      this.#items.set(action.key, { action, saved: true, busy: false, waiters: [] });
    }
  }

  /** Starts whatever may start now, and sets a timer for the rest. */
  #pump(): void {
    const facts = this.#facts;
    if (facts === null || facts.status !== "connected") return;
    const crm = crmOf(facts.crm);
    const now = Date.now();
    if (this.#pausedUntil > now) return this.#wakeAt(this.#pausedUntil);
    this.#budget ??= newBudget(crm.manifest.budget);
    let nextAt = Number.POSITIVE_INFINITY;
    for (const phase of this.#phases(facts, now)) {
      nextAt = Math.min(nextAt, phase.nextAt);
      const gathersUntil = (phase.hot ? this.#leftAt.hot : this.#leftAt.rest) + gatherMs(this.#budget, phase.hot, now);
      if (phase.work === "execute" && phase.ready.length > 0 && gathersUntil > now) {
        nextAt = Math.min(nextAt, gathersUntil);
        continue;
      }
      for (let at = 0; at < phase.ready.length; at += crm.manifest.batchMax) {
        if (this.#inFlight >= inFlightMax) return;
        const batch = phase.ready.slice(at, at + crm.manifest.batchMax);
        const commands = batch.map((item) => item.action.command);
        const cost = crm.cost(commands, facts.installation.world);
        const reserved = reserve(this.#budget, cost, phase.hot, now);
        if (!reserved.ok) {
          nextAt = Math.min(nextAt, now + reserved.waitMs);
          break;
        }
        this.#budget = reserved.budget;
        if (phase.work === "execute")
          this.#leftAt = phase.hot ? { ...this.#leftAt, hot: now } : { ...this.#leftAt, rest: now };
        this.#start(crm, facts, phase.work, batch, cost);
      }
    }
    if (nextAt !== Number.POSITIVE_INFINITY) this.#wakeAt(nextAt);
  }

  /** What is ready, by what must happen to it, most urgent first. */
  #phases(facts: AccountFacts, now: number) {
    const phases = [
      {
        work: "execute" as const,
        hot: true,
        type: "create_task",
        ready: [] as Item[],
        nextAt: Number.POSITIVE_INFINITY,
      },
      {
        work: "resolve" as const,
        hot: true,
        type: "create_task",
        ready: [] as Item[],
        nextAt: Number.POSITIVE_INFINITY,
      },
      {
        work: "execute" as const,
        hot: false,
        type: "create_task",
        ready: [] as Item[],
        nextAt: Number.POSITIVE_INFINITY,
      },
      {
        work: "execute" as const,
        hot: false,
        type: "close_task",
        ready: [] as Item[],
        nextAt: Number.POSITIVE_INFINITY,
      },
    ];
    for (const item of this.#items.values()) {
      if (item.busy) continue;
      const { action } = item;
      const work = action.state === "intent" ? "resolve" : "execute";
      const hot = work === "resolve" || (action.hot && action.command.type === "create_task");
      const phase = phases.find((one) => one.work === work && one.hot === hot && one.type === action.command.type);
      const at = action.state === "intent" ? Math.max(action.notBefore, firstReadAt(action, facts)) : action.notBefore;
      if (at <= now) phase?.ready.push(item);
      else if (phase !== undefined) phase.nextAt = Math.min(phase.nextAt, at);
    }
    return phases;
  }

  #start(crm: Crm, facts: AccountFacts, work: "execute" | "resolve", batch: readonly Item[], cost: number): void {
    this.#inFlight++;
    let unspent = cost;
    const send = (request: Request): Promise<Response> => {
      if (crm.counts(request)) unspent = Math.max(0, unspent - 1);
      return this.#send(crm, request);
    };
    for (const item of batch) item.busy = true;
    const run = async () => {
      try {
        if (work === "execute") await this.#execute(crm, facts, batch, send);
        else await this.#resolve(crm, facts, batch, send);
      } catch (error) {
        // A bug or a broken dependency: what was sent stays `intent` and is looked up, the rest waits a little.
        log("error", "account.work", { work, error: errorName(error) });
        for (const item of batch)
          item.action = {
            ...item.action,
            notBefore: Date.now() + backoffMs(item.action.key, item.action.attempts + 1),
          };
      } finally {
        this.#inFlight--;
        if (this.#budget !== null) this.#budget = giveBack(this.#budget, unspent);
        for (const item of batch) item.busy = false;
      }
      this.#pump();
    };
    this.ctx.waitUntil(run());
  }

  async #execute(crm: Crm, facts: AccountFacts, batch: readonly Item[], send: Send): Promise<void> {
    const session = await this.#openSession(crm, facts, send);
    if (session === null) return this.#putOff(batch, 5_000);
    const owners = await this.#ownerIds(crm, session);
    if (owners === null) return this.#putOff(batch, 2_000);
    const allowed = await this.#confirmed(batch);
    if (allowed.length === 0) return;
    const now = Date.now();
    for (const item of allowed) {
      item.action = {
        ...item.action,
        state: "intent",
        attempts: item.action.attempts + 1,
        attemptAt: now,
        emptyReads: 0,
        lookups: 0,
        notBefore: 0,
      };
      item.saved = true;
    }
    this.#store.save(allowed.map((item) => item.action));
    const commands = allowed.map((item) => withOwner(item.action, owners));
    const outcomes = await crm.execute(session, commands);
    const changed: Action[] = [];
    for (const [index, item] of allowed.entries()) {
      const outcome: Outcome = outcomes[index] ?? { arm: "unknown", reason: "no_outcome" };
      const next = this.#judge(facts, item.action, outcome);
      if (next !== item.action) changed.push(next);
      item.action = next;
    }
    this.#store.save(changed);
    if (outcomes.some((outcome) => outcome.arm === "expired")) await this.#refreshUsed(crm, session);
    for (const item of allowed) this.#tell(item);
  }

  async #resolve(crm: Crm, facts: AccountFacts, batch: readonly Item[], send: Send): Promise<void> {
    const session = await this.#openSession(crm, facts, send);
    if (session === null) return this.#putOff(batch, 5_000);
    const resolutions = await crm.resolve(
      session,
      batch.map((item) => item.action.command),
    );
    const changed: Action[] = [];
    for (const [index, item] of batch.entries()) {
      const next = this.#conclude(
        facts,
        item.action,
        resolutions[index] ?? { arm: "unknown", reason: "no_resolution" },
      );
      // An empty read is remembered in memory only: after a restart the reads begin again, which is slower and safe.
      if (next.state !== "intent") changed.push(next);
      item.action = next;
    }
    this.#store.save(changed);
    if (resolutions.some((resolution) => resolution.arm === "expired")) await this.#refreshUsed(crm, session);
    for (const item of batch) this.#tell(item);
  }

  /** What an outcome makes of an action. */
  #judge(facts: AccountFacts, action: Action, outcome: Outcome): Action {
    const now = Date.now();
    switch (outcome.arm) {
      case "done":
        return {
          ...action,
          state: "done",
          receipt: { crm: facts.crm, task_id: outcome.taskId, person_id: outcome.personId, at: now },
        };
      case "refused":
        log("warn", "action.refused", { crm: facts.crm, reason: outcome.reason, detail: outcome.detail });
        return { ...action, state: "parked", problem: outcome.reason };
      case "unknown":
        // Closing is safe to repeat; making is looked up first.
        if (action.command.type === "close_task")
          return { ...action, state: "pending", notBefore: now + backoffMs(action.key, action.attempts) };
        return { ...action, notBefore: now + 250 };
      case "deferred":
        if (outcome.scope === "account") this.#pausedUntil = Math.max(this.#pausedUntil, now + outcome.retryAfterMs);
        if (action.attempts >= attemptsMax) return { ...action, state: "parked", problem: `gave_up_${outcome.reason}` };
        return {
          ...action,
          state: "pending",
          notBefore: now + Math.max(outcome.retryAfterMs, backoffMs(action.key, action.attempts) / 4),
        };
      case "blocked":
        this.#block(outcome.reason);
        return { ...action, state: "pending", notBefore: now };
      case "expired":
        // Once at once, with the new token; a CRM that accepts that one neither is not asked in a circle.
        if (action.attempts >= attemptsMax) return { ...action, state: "parked", problem: "gave_up_expired" };
        return {
          ...action,
          state: "pending",
          notBefore: action.attempts === 1 ? now : now + backoffMs(action.key, action.attempts),
        };
      default:
        return unreachable(outcome);
    }
  }

  /** What a look-up by key makes of an action whose outcome is unknown. A failed look-up leaves it unknown. */
  #conclude(facts: AccountFacts, action: Action, resolution: Resolution): Action {
    const now = Date.now();
    if (resolution.arm === "found") {
      return {
        ...action,
        state: "done",
        receipt: { crm: facts.crm, task_id: resolution.taskId, person_id: resolution.personId, at: now },
      };
    }
    if (resolution.arm === "absent") {
      if (facts.installation.world !== "marker") return { ...action, state: "pending", notBefore: now };
      const emptyReads = action.emptyReads + 1;
      if (emptyReads >= facts.settleReadsMs.length) return { ...action, state: "pending", emptyReads, notBefore: now };
      return { ...action, emptyReads, notBefore: action.attemptAt + (facts.settleReadsMs[emptyReads] ?? 0) };
    }
    if (resolution.arm === "deferred" && resolution.scope === "account")
      this.#pausedUntil = Math.max(this.#pausedUntil, now + resolution.retryAfterMs);
    if (resolution.arm === "blocked") this.#block(resolution.reason);
    if (resolution.arm === "refused") return { ...action, state: "parked", problem: `lookup_${resolution.reason}` };
    // Some look-ups can never succeed (the person is gone, where no key exists): after many a person must look.
    const lookups = action.lookups + 1;
    if (lookups >= attemptsMax)
      return {
        ...action,
        state: "parked",
        problem: `lookup_${"reason" in resolution ? resolution.reason : resolution.arm}`,
      };
    const delayMs = resolution.arm === "deferred" ? resolution.retryAfterMs : resolution.arm === "expired" ? 0 : 1_000;
    return { ...action, lookups, notBefore: now + Math.max(delayMs, backoffMs(action.key, lookups) / 4) };
  }

  /** Actions that waited on their own are asked about again before they leave: consent may have gone meanwhile (G11). */
  async #confirmed(batch: readonly Item[]): Promise<Item[]> {
    const answers = await Promise.all(
      batch.map((item) =>
        item.waiters.length > 0 || item.action.command.type !== "create_task" ? "go" : this.#ask(item),
      ),
    );
    const allowed: Item[] = [];
    for (const [index, item] of batch.entries()) {
      if (answers[index] === "go") allowed.push(item);
      else if (answers[index] === "stop") this.#finish({ ...item.action, state: "cancelled" }, { arm: "cancelled" });
      else this.#putOff([item], 5_000);
    }
    return allowed;
  }

  async #ask(item: Item): Promise<"go" | "stop" | "later"> {
    let node = item.action.node;
    for (let hops = 0; hops < hopsMax; hops++) {
      try {
        const answer = await identityStub(this.env, node).confirm({ key: item.action.key });
        if (answer.arm !== "moved") return answer.arm;
        node = answer.to;
      } catch {
        return "later";
      }
    }
    return "later";
  }

  #putOff(batch: readonly Item[], delayMs: number): void {
    for (const item of batch) item.action = { ...item.action, notBefore: Date.now() + delayMs };
  }

  /** The asker stops waiting: from here on the action is this object's own obligation, on disk and behind an alarm. */
  #takeOver(item: Item): SubmitAnswer {
    const settled = settledAnswer(item.action);
    if (settled !== null) return settled;
    item.waiters = [];
    if (!item.saved) {
      this.#store.save([item.action]);
      item.saved = true;
    }
    this.ctx.waitUntil(
      this.ctx.storage.setAlarm(Math.max(Date.now() + 5_000, item.action.notBefore, this.#pausedUntil)),
    );
    return { arm: "pending", retryAfterMs: takenOverMs };
  }

  /** Answers those who wait, or calls the identity back, once an action is settled. */
  #tell(item: Item): void {
    const answer = settledAnswer(item.action);
    if (answer === null) return;
    this.#items.delete(item.action.key);
    const { waiters } = item;
    item.waiters = [];
    for (const waiter of waiters) waiter(answer);
    if (waiters.length === 0 && answer.arm !== "cancelled") this.ctx.waitUntil(this.#callBack(item.action, answer));
  }

  async #callBack(action: Action, answer: SubmitAnswer): Promise<void> {
    if (answer.arm !== "done" && answer.arm !== "parked") return;
    const outcome = answer.arm === "done" ? { receipt: answer.receipt } : { problem: answer.problem };
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

  #finish(action: Action, answer: SubmitAnswer): void {
    this.#store.save([action]);
    const item = this.#items.get(action.key);
    this.#items.delete(action.key);
    for (const waiter of item?.waiters ?? []) waiter(answer);
  }

  /** A timer while this object lives; behind actions that were taken over stands an alarm as well. */
  #wakeAt(at: number): void {
    if (this.#timer !== null && this.#timer.at <= at && this.#timer.at > Date.now()) return;
    if (this.#timer !== null) clearTimeout(this.#timer.id);
    const id = setTimeout(
      () => {
        this.#timer = null;
        this.#pump();
      },
      Math.max(1, at - Date.now()),
    );
    this.#timer = { at, id };
    const orphans = [...this.#items.values()].some((item) => item.saved && item.waiters.length === 0);
    if (orphans) this.ctx.waitUntil(this.ctx.storage.setAlarm(at + 1_000));
  }

  /* ------------------------------------------------------------------------------------ tokens and owners */

  async #openSession(crm: Crm, facts: AccountFacts, send: Send): Promise<CrmSession | null> {
    this.#grant ??= JSON.parse(await unseal(this.#key(facts.workspace), facts.name, facts.grant)) as Grant;
    const { expiresAt } = this.#grant;
    const now = Date.now();
    if (expiresAt !== null) {
      if (expiresAt <= now + 5_000) {
        if (!(await this.#refreshGrant(crm))) return null;
      } else if (now >= facts.grantedAt + (expiresAt - facts.grantedAt) * refreshAtShare) {
        // Half its life is over: the old one still serves while the new one comes.
        this.ctx.waitUntil(this.#refreshGrant(crm));
      }
    }
    return this.#grant === null ? null : sessionOf(this.#grant, facts.installation.world, send);
  }

  /** The one way out: counts what the vendor counts, and believes the vendor's own count where it is higher. */
  async #send(crm: Crm, request: Request): Promise<Response> {
    if (this.#budget !== null && crm.counts(request)) this.#budget = spend(this.#budget, Date.now());
    const response = await fetch(request, { signal: AbortSignal.timeout(crmDeadlineMs), redirect: "manual" });
    const said = crm.remaining(response.headers);
    if (said !== null && this.#budget !== null) this.#budget = correct(this.#budget, said.left, said.of, Date.now());
    return response;
  }

  /** One at a time; the new pair is on disk before anything uses it. False when there is no usable token now. */
  #refreshGrant(crm: Crm): Promise<boolean> {
    this.#refresh ??= this.#refreshOnce(crm).finally(() => {
      this.#refresh = null;
    });
    return this.#refresh;
  }

  /** The CRM did not accept the token of this session: refreshed unless somebody who was faster already did. */
  async #refreshUsed(crm: Crm, session: CrmSession): Promise<void> {
    if (this.#grant?.accessToken === session.accessToken) await this.#refreshGrant(crm);
  }

  async #refreshOnce(crm: Crm): Promise<boolean> {
    const facts = this.#facts;
    if (facts === null || this.#grant === null) return false;
    this.#saveFacts({ ...facts, refreshing: true });
    const app: CrmApp = crmApp(this.env, facts.crm);
    const answer = await crm.refresh(app, this.#grant, {
      send: (request) => this.#send(crm, request),
      now: Date.now(),
    });
    if (answer.ok) {
      const sealed = await this.#sealed(facts.workspace, facts.name, answer.value);
      this.#saveFacts({ ...facts, grant: sealed, grantedAt: Date.now(), refreshing: false });
      // The write above is flushed before this object's next request leaves: the output gate sees to it.
      this.#grant = answer.value;
      return true;
    }
    this.#saveFacts({ ...facts, refreshing: false });
    log("warn", "account.refresh", { crm: facts.crm, arm: answer.failure.arm, reason: answer.failure.reason });
    if (answer.failure.arm === "revoked") this.#block("connect_again");
    else this.#pausedUntil = Math.max(this.#pausedUntil, Date.now() + 5_000);
    return false;
  }

  #block(reason: string): void {
    if (this.#facts !== null) this.#saveFacts({ ...this.#facts, status: "blocked", problem: reason });
    log("error", "account.blocked", { reason });
  }

  #saveFacts(facts: AccountFacts): void {
    this.#store.saveFacts(facts);
    this.#facts = facts;
  }

  async #ownerIds(crm: Crm, session: CrmSession): Promise<ReadonlyMap<string, string> | null> {
    if (this.#owners === null) await this.#readOwners(crm, session);
    else if (Date.now() - this.#owners.at > ownersTtlMs) this.ctx.waitUntil(this.#readOwners(crm, session));
    return this.#owners?.ids ?? null;
  }

  async #readOwners(crm: Crm, session: CrmSession): Promise<void> {
    const answer = await crm.owners(session);
    if (answer.ok)
      this.#owners = {
        at: Date.now(),
        ids: new Map(answer.value.map((owner: CrmOwner) => [owner.email.toLowerCase(), owner.id])),
      };
    else if (answer.failure.arm === "expired") await this.#refreshUsed(crm, session);
  }

  #key(workspace: string): Uint8Array {
    return deriveKey(this.env.BATON_MASTER_KEY, "grants", workspace);
  }

  #sealed(workspace: string, name: string, grant: Grant): Promise<string> {
    return seal(this.#key(workspace), name, JSON.stringify(grant));
  }
}

/** Trouble that may be over in a moment; preparing a CRM is safe to repeat. */
function isPassing(failure: Exclude<Outcome, { arm: "done" }>): boolean {
  return failure.arm === "unknown" || (failure.arm === "deferred" && failure.scope === "action");
}

function sessionOf(grant: Grant, world: World, send: Send): CrmSession {
  return { accessToken: grant.accessToken, apiUrl: grant.apiUrl, world, send };
}

function newAction(call: SubmitCall): Action {
  return {
    key: call.command.key,
    state: "pending",
    hot: call.hot,
    node: call.node,
    command: call.command,
    holder: call.holder,
    attempts: 0,
    notBefore: 0,
    attemptAt: 0,
    emptyReads: 0,
    lookups: 0,
    receipt: null,
    problem: null,
  };
}

function settledAnswer(action: Action): SubmitAnswer | null {
  if (action.state === "done" && action.receipt !== null) return { arm: "done", receipt: action.receipt };
  if (action.state === "cancelled") return { arm: "cancelled" };
  if (action.state === "parked") return { arm: "parked", problem: action.problem ?? "refused" };
  return null;
}

function withOwner(action: Action, owners: ReadonlyMap<string, string>): Command {
  const { command } = action;
  const ownerId = owners.get(action.holder.toLowerCase());
  if (command.type !== "create_task" || ownerId === undefined) return command;
  return { ...command, task: { ...command.task, ownerId } };
}

/** In the world without a server key the first look comes only when the CRM has had time to show what it did. */
function firstReadAt(action: Action, facts: AccountFacts): number {
  return facts.installation.world === "marker" ? action.attemptAt + (facts.settleReadsMs[action.emptyReads] ?? 0) : 0;
}
