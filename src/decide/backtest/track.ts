/**
 * One lead under one policy, as its object has it (`objects/identity.ts`): signals gather for their tier's window, then all of them are
 * decided at once; what waits for a way to reach the person is decided again with the next signal; follow-ups are opened,
 * enriched, withdrawn and closed. Pure: a track changes itself and nothing else.
 */
import { countDaysMax } from "../../limits.ts";
import type { Decision, FollowUp, Signal } from "../../model.ts";
import type { LeadFold } from "../../resolve/lead.ts";
import { type Answer, decide, type FollowUpFact, waitingAfter } from "../decide.ts";
import type { Approval } from "../hold.ts";
import { kindRuleOf, type Policy } from "../policy.ts";

/** How a follow-up was closed, or null where it is open to this day. */
export type Closing = { readonly state: "done" | "cancelled"; readonly at: number } | null;

/** What became of follow-ups that really were made, by id; undefined of one that was not. */
export type Closings = (id: string) => Closing | undefined;

export interface World {
  readonly closings: Closings;
  /** A follow-up that was never made is taken to be done after so long; null = as long as its play gives for it. */
  readonly handlingMs: number | null;
}

export interface Decided {
  readonly decision: Decision;
  /** Of the trigger, or of the last signal it was made for. */
  readonly kind: string;
  readonly followUp: FollowUp | undefined;
  readonly closedAt: number | null;
  /** Another follow-up of the same play was open. */
  readonly twice: boolean;
}

interface Gathered {
  readonly signal: Signal;
  readonly decide_at: number;
  waiting: boolean;
}

interface Opened {
  fact: FollowUpFact;
  closing: Closing;
}

const reasonsMax = 40;
const countDaysMs = countDaysMax * 86_400_000;

export class Track {
  /** Epoch ms at which it is decided next, or infinity. */
  dueAt = Number.POSITIVE_INFINITY;
  followUps = 0;
  readonly #policy: Policy;
  readonly #world: World;
  #gathered: Gathered[] = [];
  #opened: Opened[] = [];

  constructor(policy: Policy, world: World) {
    this.#policy = policy;
    this.#world = world;
  }

  /** The signal is applied at `now`; true: it is to be decided at once. */
  receive(signal: Signal, now: number): boolean {
    const window = this.#policy.tiers[kindRuleOf(this.#policy, signal.kind).tier].window_ms;
    // Somebody who could not be reached until now may have become reachable: no reason to let that wait.
    const at = now + (this.#gathered.some((item) => item.waiting) ? 0 : window);
    this.#gathered.push({ signal, decide_at: at, waiting: false });
    this.dueAt = Math.min(this.dueAt, at);
    return at <= now;
  }

  /** Decides on everything that has gathered. */
  decide(
    leadId: string,
    lead: LeadFold,
    now: number,
    approvals: readonly Approval[],
    company: LeadFold["kinds"] | undefined,
  ): Decided {
    this.#close(now);
    const signals = this.#gathered.map((item) => item.signal);
    const answer: Answer = decide({
      policy: this.#policy,
      lead,
      leadId,
      followUps: this.#opened.map((item) => item.fact),
      approvals,
      signals,
      now,
      ...(company === undefined ? {} : { company }),
    });
    const { decision, followUp } = answer;
    if (approvals.length === 0) this.#forget(now);
    const waiting = waitingAfter(decision);
    this.#gathered = this.#gathered.filter(({ signal }) => waiting.has(signal.idempotency_key));
    for (const item of this.#gathered) item.waiting = true;
    this.dueAt = Number.POSITIVE_INFINITY;
    this.#enrich(decision);
    const trigger = followUp?.trigger ?? decision.reasons[0]?.signal;
    const kind = (signals.find((signal) => signal.idempotency_key === trigger) ?? signals.at(-1))?.kind ?? "";
    if (followUp === undefined) return { decision, kind, followUp, closedAt: null, twice: false };
    const twice = this.#opened.some(({ fact }) => fact.state === "open" && fact.play === followUp.play);
    const closing = this.#closingOf(followUp);
    this.#opened.push({ fact: factOf(followUp), closing });
    this.followUps++;
    return { decision, kind, followUp, closedAt: closing?.at ?? null, twice };
  }

  #closingOf({ id, play, created_at }: FollowUp): Closing {
    const real = this.#world.closings(id);
    if (real !== undefined) return real;
    return { state: "done", at: created_at + (this.#world.handlingMs ?? this.#policy.plays[play]?.due_in_ms ?? 0) };
  }

  #close(now: number): void {
    for (const item of this.#opened) {
      const { fact, closing } = item;
      if (fact.state !== "open" || closing === null || closing.at > now) continue;
      item.fact = { ...fact, state: closing.state, closed_at: closing.at, reasons: [] };
    }
  }

  /** What no decision asks for any more: no episode is older than the counts of the lead, and no longer is its play cooling down. */
  #forget(now: number): void {
    const isOld = ({ fact: { play, state, created_at, closed_at } }: Opened) =>
      state !== "open" &&
      created_at < now - countDaysMs &&
      (closed_at ?? created_at) < now - (this.#policy.plays[play]?.cool_down_ms ?? 0);
    if (this.#opened.some(isOld)) this.#opened = this.#opened.filter((item) => !isOld(item));
  }

  #enrich({ enrichment, withdrawn, at }: Decision): void {
    if (enrichment === undefined && withdrawn === undefined) return;
    for (const item of this.#opened) {
      if (item.fact.id === enrichment?.follow_up) {
        const { priority, due_at, promised_at, reasons } = enrichment;
        const all = [...reasons, ...item.fact.reasons].slice(0, reasonsMax);
        item.fact = {
          ...item.fact,
          priority,
          due_at,
          ...(promised_at === undefined ? {} : { promised_at }),
          reasons: all,
          revision: item.fact.revision + 1,
        };
      }
      if (withdrawn?.some(({ follow_up }) => follow_up === item.fact.id) && item.fact.state === "open")
        item.fact = { ...item.fact, state: "cancelled", closed_at: at, reasons: [] };
    }
  }
}

function factOf(followUp: FollowUp): FollowUpFact {
  const { id, play, state, created_at, due_at, promised_at, priority, reasons, revision } = followUp;
  const promised = promised_at === undefined ? {} : { promised_at };
  return { id, play, state, created_at, due_at, ...promised, priority, reasons, revision };
}
