/**
 * Backtest: what policies would have made of what really happened. The same functions that run in the objects are run over history: signals are
 * folded (`resolve/lead.ts`), gather for their tier's window and are decided (`decide.ts`); several policies at once, for the lead
 * they look at is the same.
 *
 * What is taken from reality: the signals, who turned out to be one person (a signal belongs to the lead it was recorded for last, from
 * the beginning), what became of follow-ups that both make, and what people approved. What is assumed: a follow-up that was never made is
 * done after a given time, decisions do not wait for links, and counts of a company are those of the leads seen here. Pure.
 */

import type { JournalEntry } from "../ledger/rows.ts";
import type { Decision, Signal } from "../model.ts";
import { emptyLead, foldSignal, joinKinds, type LeadFold } from "../resolve/lead.ts";
import { type Difference, Pairing } from "./backtest/compare.ts";
import type { Turn } from "./backtest/load.ts";
import { add, count, newTally, type Tally } from "./backtest/tally.ts";
import { type Closings, type Decided, Track } from "./backtest/track.ts";
import { lastResort } from "./decide.ts";
import { companyOf } from "./facts.ts";
import type { Approval } from "./hold.ts";
import { looksAtCompanies } from "./level.ts";
import type { Policy } from "./policy.ts";

export interface Options {
  /** Epoch ms: decisions before are made, for what follows depends on them, and neither counted nor told. */
  readonly from?: number;
  /** Decisions at or after this instant are not made. */
  readonly to?: number;
  readonly closings?: Closings;
  /** A follow-up that was never made is taken to be done after so long; absent = as long as its play gives for it. */
  readonly handlingMs?: number;
  /** Where a signal or a decision belongs that was recorded for another lead before; absent = to the lead of its entry. */
  readonly leadOf?: (entry: JournalEntry) => string;
  readonly found?: (difference: Difference) => void;
  readonly decided?: (policy: number, lead: string, decided: Decided) => void;
  readonly turn?: (policy: number, turn: Turn) => void;
}

interface Side {
  readonly policy: Policy;
  readonly tally: Tally;
  readonly looksAtCompanies: boolean;
}

interface Life {
  readonly id: string;
  lead: LeadFold;
  /** Instant of the last signal: later ones are never taken in before it. */
  now: number;
  readonly tracks: readonly Track[];
  readonly pairing: Pairing | null;
  approvals: readonly Approval[];
  company: string | undefined;
}

const nobodyElse: LeadFold["kinds"] = {};

/** Memory grows with the number of leads, not of signals. */
export class Replay {
  signals = 0;
  /** What was really decided in the same time. */
  readonly real = newTally();
  readonly #sides: readonly Side[];
  readonly #options: Options;
  readonly #lives = new Map<string, Life>();
  /** By company: what each of its leads did. Empty where no policy asks for it. */
  readonly #companies = new Map<string, Map<string, LeadFold["kinds"]>>();
  readonly #from: number;
  readonly #to: number;

  /** Differences are those between the first two policies: the baseline and the draft. */
  constructor(policies: readonly Policy[], options: Options = {}) {
    this.#sides = policies.map((policy) => ({ policy, tally: newTally(), looksAtCompanies: looksAtCompanies(policy) }));
    this.#options = options;
    this.#from = options.from ?? Number.NEGATIVE_INFINITY;
    this.#to = options.to ?? Number.POSITIVE_INFINITY;
  }

  get leads(): number {
    return this.#lives.size;
  }

  /** In the order of history; of one lead, in the order in which its object took them in. */
  feed(entry: JournalEntry): void {
    const life = this.#lifeOf(this.#options.leadOf?.(entry) ?? entry.lead);
    if (entry.type === "decision") this.#feedDecision(life, entry);
    else this.#feedSignal(life, entry.signal);
  }

  #feedSignal(life: Life, signal: Signal): void {
    const now = Math.max(life.now, signal.received_at);
    this.#decideDue(life, now);
    if (now >= this.#from && now < this.#to) this.signals++;
    life.now = now;
    life.lead = foldSignal(life.lead, signal);
    this.#noteCompany(life);
    const [first, second] = life.tracks;
    const atOnce = life.tracks.map((track) => track.receive(signal, now));
    if (life.pairing !== null && first !== undefined && second !== undefined && atOnce[0] && atOnce[1])
      this.#decideBoth(life, first, second, now);
    else
      for (const [at, track] of life.tracks.entries()) if (atOnce[at] === true) this.#decideOne(life, track, at, now);
  }

  /** Decides on what is left and adds up. Nothing may be fed afterwards. */
  finish(): readonly Tally[] {
    for (const life of this.#lives.values()) {
      this.#decideDue(life, this.#to - 1);
      life.pairing?.finish();
      for (const [at, { tally }] of this.#sides.entries())
        add(tally.per_lead, String(life.tracks[at]?.followUps ?? 0), 1);
    }
    return this.#sides.map((side) => side.tally);
  }

  #feedDecision(life: Life, { decision, inputs }: Extract<JournalEntry, { type: "decision" }>): void {
    if (inputs !== undefined && inputs.approvals.length > 0) life.approvals = inputs.approvals;
    if (decision.at >= this.#from && decision.at < this.#to) count(this.real, decision, "", null);
  }

  #decideDue(life: Life, until: number): void {
    for (;;) {
      let next: Track | undefined;
      for (const track of life.tracks) if (next === undefined || track.dueAt < next.dueAt) next = track;
      if (next === undefined || next.dueAt > until || next.dueAt >= this.#to) return;
      const [first, second] = life.tracks;
      const at = next.dueAt;
      if (life.pairing !== null && first !== undefined && second?.dueAt === at && first.dueAt === at)
        this.#decideBoth(life, first, second, at);
      else this.#decideOne(life, next, life.tracks.indexOf(next), at);
    }
  }

  #decideBoth(life: Life, first: Track, second: Track, now: number): void {
    const baseline = this.#decide(life, first, 0, now);
    const draft = this.#decide(life, second, 1, now);
    if (now >= this.#from) life.pairing?.both(baseline, draft);
  }

  #decideOne(life: Life, track: Track, side: number, now: number): void {
    const decision = this.#decide(life, track, side, now);
    if (now >= this.#from && (side === 0 || side === 1)) life.pairing?.one(side, decision);
  }

  #decide(life: Life, track: Track, at: number, now: number): Decision {
    const side = this.#sides[at];
    const decided = track.decide(life.id, life.lead, now, life.approvals, this.#others(life, side));
    const { decision, kind, followUp, closedAt, twice } = decided;
    if (now < this.#from || side === undefined) return decision;
    count(side.tally, decision, kind, followUp === undefined ? null : followUp.created_at - followUp.accepted_at);
    if (twice) side.tally.open_at_once++;
    this.#options.decided?.(at, life.id, decided);
    if (followUp !== undefined) this.#options.turn?.(at, turnOf(side.policy, life.lead, decided, closedAt));
    return decision;
  }

  #lifeOf(id: string): Life {
    const known = this.#lives.get(id);
    if (known !== undefined) return known;
    const { found } = this.#options;
    const world = {
      closings: this.#options.closings ?? (() => undefined),
      handlingMs: this.#options.handlingMs ?? null,
    };
    const life: Life = {
      id,
      lead: emptyLead,
      now: Number.NEGATIVE_INFINITY,
      tracks: this.#sides.map(({ policy }) => new Track(policy, world)),
      pairing: found === undefined || this.#sides.length < 2 ? null : new Pairing(id, found),
      approvals: [],
      company: undefined,
    };
    this.#lives.set(id, life);
    return life;
  }

  #noteCompany(life: Life): void {
    const side = this.#sides.find((item) => item.looksAtCompanies);
    if (side === undefined) return;
    const company = companyOf(side.policy, life.lead);
    if (life.company !== undefined && life.company !== company) this.#companies.get(life.company)?.delete(life.id);
    life.company = company;
    if (company === undefined) return;
    const there = this.#companies.get(company) ?? new Map<string, LeadFold["kinds"]>();
    this.#companies.set(company, there.set(life.id, life.lead.kinds));
  }

  #others(life: Life, side: Side | undefined): LeadFold["kinds"] | undefined {
    if (side?.looksAtCompanies !== true || life.company === undefined) return undefined;
    let all = nobodyElse;
    for (const [id, kinds] of this.#companies.get(life.company) ?? [])
      if (id !== life.id) all = joinKinds(all, kinds, life.now);
    return all;
  }
}

function turnOf(policy: Policy, lead: LeadFold, { decision, followUp }: Decided, closedAt: number | null): Turn {
  const company = policy.one_rep_per_company ? companyOf(policy, lead) : undefined;
  return {
    follow_up: followUp?.id ?? "",
    at: decision.at,
    closed_at: closedAt,
    ways: (decision.assign ?? []).map(({ team, candidates, preferred }) => ({
      team,
      candidates,
      ...(preferred === undefined ? {} : { preferred }),
    })),
    last_resort: lastResort(policy, decision.play ?? ""),
    ...(company === undefined ? {} : { company }),
  };
}
