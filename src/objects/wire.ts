/**
 * The way out of one account: what may still be sent, with which token, and whom the CRM knows (DESIGN §6.4). One refresh at a time; what
 * the vendor counts is counted here, and nothing is sent past it.
 */
import type { Crm, CrmOwner, CrmSession, Destination, Send } from "../../connectors/contract.ts";
import { type Budget, correct, gatherMs, giveBack, newBudget, reserve, spend } from "../act/budget.ts";
import type { Env } from "../env.ts";
import { crmApp } from "../install/crm-app.ts";
import { leave } from "../install/egress.ts";
import { inFlightMax, ownersTtlMs, silentAfter } from "../limits.ts";
import { hasGrant, sessionOf } from "./account-rules.ts";
import type { AccountFacts, AccountStore, KnownOwners } from "./account-store.ts";
import type { GrantKeeper } from "./grant-keeper.ts";

/** What it needs of the object that it belongs to. */
export interface Surroundings {
  readonly env: Env;
  readonly store: AccountStore;
  readonly grants: GrantKeeper;
  facts(): AccountFacts | null;
  later(work: Promise<unknown>): void;
  /** Somebody has to connect again. */
  block(reason: string): void;
  /** A CRM that was silent has answered. */
  answered(): void;
  /** Room was made. */
  done(): void;
}

/** A piece of work that has begun: it sends through this, and gives back what it did not use. */
export interface Piece {
  readonly send: Send;
  end(): void;
}

export class Wire {
  /** Nothing leaves before then. */
  pausedUntil = 0;
  /** Users of the CRM account, as this incarnation has read them. */
  owners: KnownOwners | null = null;
  /** Pieces of work under way. */
  inFlight = 0;
  /** Requests in a row that nobody answered. */
  #unheard = 0;
  #budget: Budget | null = null;
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  pause(until: number): void {
    this.pausedUntil = Math.max(this.pausedUntil, until);
  }

  /** A CRM that is silent is asked with one action after the other. */
  get isSilent(): boolean {
    return this.#unheard >= silentAfter;
  }

  get isFull(): boolean {
    return this.inFlight >= (this.isSilent ? 1 : inFlightMax);
  }

  gatherMs(crm: Destination, hot: boolean, now: number): number {
    return gatherMs(this.#budgetOf(crm), hot, now);
  }

  /** Takes so many requests from the budget: 0, or how long to wait before asking again. */
  reserve(crm: Destination, cost: number, hot: boolean, now: number): number {
    const reserved = reserve(this.#budgetOf(crm), cost, hot, now);
    if (!reserved.ok) return reserved.waitMs;
    this.#budget = reserved.budget;
    return 0;
  }

  /** What was reserved for it is `cost`. */
  begin(crm: Destination, cost: number): Piece {
    this.inFlight++;
    let unspent = cost;
    return {
      send: (request) => {
        if (crm.counts(request)) unspent = Math.max(0, unspent - 1);
        return this.send(crm, request);
      },
      end: () => {
        this.inFlight--;
        this.#budget = giveBack(this.#budgetOf(crm), unspent);
      },
    };
  }

  /** Work of that cost, if there is room for it: false where not. Only `hot` work takes from what is reserved for the hot tier. */
  async spend(crm: Crm, cost: number, work: (send: Send) => Promise<void>, hot = false): Promise<boolean> {
    if (this.isFull || this.reserve(crm, cost, hot, Date.now()) > 0) return false;
    const { send, end } = this.begin(crm, cost);
    try {
      await work(send);
    } finally {
      end();
      this.#around.done();
    }
    return true;
  }

  /** The one way out: counts what the vendor counts, and believes the vendor's own count where it is higher. */
  async send(crm: Destination, request: Request): Promise<Response> {
    if (crm.counts(request)) this.#budget = spend(this.#budgetOf(crm), Date.now());
    const response = await this.#heardOf(leave(this.#around.env, crm.manifest.crm, request));
    const said = crm.remaining(response.headers);
    if (said !== null) this.#budget = correct(this.#budgetOf(crm), said.left, said.of, Date.now());
    return response;
  }

  /** Null when there is no usable token now. */
  async session(crm: Destination, facts: AccountFacts, send: Send): Promise<CrmSession | null> {
    const { grants, later } = this.#around;
    const due = grants.refreshDue(facts, await grants.current(facts), Date.now());
    if (due === "now" && !(await this.refresh(crm))) return null;
    if (due === "soon") later(this.refresh(crm));
    return sessionOf(await grants.current(this.#around.facts() ?? facts), facts.installation.world, send);
  }

  /** False when there is no usable token now. */
  async refresh(crm: Destination): Promise<boolean> {
    const { env, grants, block } = this.#around;
    const answer = hasGrant(crm)
      ? await grants.refresh(crm, crmApp(env, crm.manifest.crm), (request) => this.send(crm, request))
      : "revoked";
    if (answer === "revoked") block("connect_again");
    if (answer === "lost") block("connect_again: the answer to a refresh was lost, and the token before is used up");
    if (answer === "later") this.pause(Date.now() + 5_000);
    return answer === "fresh";
  }

  /** The CRM did not accept the token of this session: refreshed, unless somebody who was faster already did. */
  async refreshUsed(crm: Destination, session: CrmSession): Promise<void> {
    const facts = this.#around.facts();
    if (facts === null) return;
    const { accessToken } = await this.#around.grants.current(facts);
    if (accessToken === session.accessToken) await this.refresh(crm);
  }

  /** CRM ids by address, in lower case; null where they could not be read. */
  async ownerIds(crm: Destination, session: CrmSession): Promise<ReadonlyMap<string, string> | null> {
    if (this.owners === null) await this.readOwners(crm, session);
    else if (Date.now() - this.owners.at > ownersTtlMs) this.#around.later(this.readOwners(crm, session));
    return this.owners?.ids ?? null;
  }

  async readOwners(crm: Destination, session: CrmSession): Promise<void> {
    const answer = await crm.owners(session);
    if (answer.ok) {
      const ids = new Map(answer.value.map((owner: CrmOwner) => [owner.email.toLowerCase(), owner.id]));
      this.owners = { at: Date.now(), ids };
      this.#around.store.keepOwners(this.owners, ownersTtlMs);
    } else if (answer.failure.arm === "expired") await this.refreshUsed(crm, session);
  }

  #budgetOf(crm: Destination): Budget {
    this.#budget ??= newBudget(crm.manifest.budget);
    return this.#budget;
  }

  /** Counts requests in a row that were not answered, or by somebody who could not. */
  async #heardOf(sent: Promise<Response>): Promise<Response> {
    const response = await sent.catch((error: unknown) => {
      this.#unheard++;
      throw error;
    });
    if (response.status >= 500) this.#unheard++;
    else {
      const wasSilent = this.isSilent;
      this.#unheard = 0;
      if (wasSilent) this.#around.answered();
    }
    return response;
  }
}
