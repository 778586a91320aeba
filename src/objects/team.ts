/**
 * The teams of one workspace: whose turn it is, who has how many open follow-ups, and who works which company. Only follow-ups come
 * here, never plain signals. Every call is idempotent by follow-up: the same one always has the same holder, whatever the pool is
 * by then and however often and at once it is asked, until somebody gives it to somebody else.
 *
 * `assign` and `reassign` have no await in them, so that nothing can come in between: a row is written, then memory follows it.
 */
import { DurableObject } from "cloudflare:workers";
import { newRota, personKey, type Rota, type Turn, take, taken } from "../decide/rota.ts";
import type { Env } from "../env.ts";
import { teamKeepMs, teamPruneMax } from "../limits.ts";
import type { Assignment, Candidate } from "../model.ts";
import { type Assigned, TeamStore } from "./team-store.ts";

export interface AssignCall {
  readonly follow_up: string;
  readonly team: string;
  /** Answered with: whoever asks for several plays in turn hears which one it was, also when they ask again. */
  readonly play: string;
  /** Whoever could take it now (`decide/assign.ts`); caps are looked at here. */
  readonly candidates: readonly Candidate[];
  /** Takes it whatever their cap is, and it is not a turn. The caller has seen to it that they are there. */
  readonly preferred?: NonNullable<Assignment["preferred"]>;
  /** Domain of the lead's company. */
  readonly company?: string;
  /** Whoever has an open follow-up at the company takes this one too, whatever their cap is, if they are one of `known_members`. */
  readonly one_rep_per_company: boolean;
  /** Addresses of the team who are not away; they need not be in. */
  readonly known_members: readonly string[];
  readonly at: number;
}

export type AssignAnswer =
  | {
      readonly arm: "assigned";
      readonly holder: string;
      readonly why: string;
      /** Empty where somebody was given it without being asked. */
      readonly play: string;
      /** Who could have had the turn but for their cap. */
      readonly at_cap: readonly string[];
    }
  | { readonly arm: "nobody"; readonly why: "no_candidates" | "all_at_cap" | "closed" };

export interface ReassignCall {
  readonly follow_up: string;
  readonly to: string;
  readonly by: "person" | "engine";
  /** When it was given; an older word than the last one changes nothing. */
  readonly at: number;
}

type Choice =
  | {
      readonly arm: "found";
      readonly holder: string;
      readonly why: string;
      readonly at_cap?: readonly string[];
      readonly taken?: { readonly rota: Rota; readonly turn: Turn };
    }
  | { readonly arm: "nobody"; readonly why: "no_candidates" | "all_at_cap" };

/** What the rows say, so that an assignment reads one row only. */
interface Memory {
  readonly rotas: Map<string, Rota>;
  /** Open follow-ups by `personKey`. */
  readonly open: Map<string, number>;
  /** Holders of open follow-ups by company, the first one first. */
  readonly companies: Map<string, Map<string, string>>;
  event: number;
}

const dayMs = 86_400_000;

export class TeamObject extends DurableObject<Env> {
  #store: TeamStore | null = null;
  #memory: Memory | null = null;
  #armed: Promise<void> | null = null;

  assign(call: AssignCall): AssignAnswer {
    const { store, memory } = this.#load();
    const known = store.of(call.follow_up);
    if (known !== null) return answerOf(known);
    const event = memory.event + 1;
    const choice = choose(call, memory, event);
    if (choice.arm === "nobody") return choice;
    const { holder, why, at_cap = [] } = choice;
    const row: Assigned = {
      follow_up: call.follow_up,
      team: call.team,
      play: call.play,
      holder,
      why,
      at_cap: at_cap.length === 0 ? null : JSON.stringify(at_cap),
      event,
      taker: choice.taken?.turn.person ?? null,
      begin: choice.taken?.turn.begin ?? null,
      company: call.company ?? null,
      held_since: call.at,
      released_at: null,
    };
    store.add(row);
    memory.event = event;
    if (choice.taken !== undefined) memory.rotas.set(call.team, choice.taken.rota);
    hold(memory, row);
    return answerOf(row);
  }

  /**
   * The follow-up is closed: its holder has room for another one. What is known of it stays for as long as it may be asked again.
   * One that was never heard of leaves a mark, so that an `assign` that arrives later takes nobody's room.
   */
  async release(call: { readonly follow_up: string }): Promise<void> {
    const { store, memory } = this.#load();
    const known = store.of(call.follow_up);
    const now = Date.now();
    if (known === null) store.add({ ...unasked(call.follow_up, ++memory.event, now), released_at: now });
    else if (known.released_at === null) {
      store.release(call.follow_up, now);
      letGo(memory, known);
    }
    this.#armed ??= this.#arm();
    await this.#armed;
  }

  /**
   * It was given to somebody else, which is nobody's turn: whoever had the turn has had it. Also of a follow-up for which nobody could
   * be found. What is closed stays as it was.
   */
  reassign(call: ReassignCall): void {
    const { store, memory } = this.#load();
    const { follow_up, to: holder, at } = call;
    const why = call.by === "person" ? "reassigned" : "handed_over";
    const known = store.of(follow_up);
    if (known === null) {
      const row: Assigned = { ...unasked(follow_up, ++memory.event, at), holder, why };
      store.add(row);
      hold(memory, row);
      return;
    }
    if (known.released_at !== null || known.holder === holder || at < known.held_since) return;
    store.handOver(follow_up, holder, why, at);
    count(memory, known.holder, -1);
    hold(memory, { ...known, holder });
  }

  override async alarm(): Promise<void> {
    const { store } = this.#load();
    this.#armed = null;
    const now = Date.now();
    store.prune(now - teamKeepMs, teamPruneMax);
    const oldest = store.oldestReleased();
    if (oldest === null) return;
    // Together with what becomes old within the same day: an alarm is a billed row.
    const at = oldest < now - teamKeepMs ? now + 1_000 : oldest + teamKeepMs + dayMs;
    await this.ctx.storage.setAlarm(at);
  }

  async #arm(): Promise<void> {
    try {
      const { storage } = this.ctx;
      if ((await storage.getAlarm()) === null) await storage.setAlarm(Date.now() + teamKeepMs + dayMs);
    } catch (error) {
      this.#armed = null;
      throw error;
    }
  }

  #load(): { readonly store: TeamStore; readonly memory: Memory } {
    this.#store ??= new TeamStore(this.ctx.storage.sql);
    this.#memory ??= memoryOf(this.#store);
    return { store: this.#store, memory: this.#memory };
  }
}

/** The owner, then a colleague's company, then the turn. Only the last one is a turn: the others do not change what it brings. */
function choose(call: AssignCall, memory: Memory, event: number): Choice {
  const { follow_up, preferred, company, candidates } = call;
  if (preferred !== undefined) return { arm: "found", holder: preferred.address, why: preferred.why };
  if (call.one_rep_per_company && company !== undefined) {
    const members = new Set(call.known_members.map(personKey));
    const holders = [...(memory.companies.get(company)?.values() ?? [])];
    const colleague = holders.find((address) => members.has(personKey(address)));
    if (colleague !== undefined) return { arm: "found", holder: colleague, why: "company" };
  }
  if (candidates.length === 0) return { arm: "nobody", why: "no_candidates" };
  const isFree = ({ address, cap }: Candidate) => cap === null || (memory.open.get(personKey(address)) ?? 0) < cap;
  const free = candidates.filter(isFree);
  const found = take(memory.rotas.get(call.team) ?? newRota, { follow_up, event, candidates: free });
  if (found === null) return { arm: "nobody", why: "all_at_cap" };
  const at_cap = candidates.filter((item) => !isFree(item)).map(({ address }) => address);
  return { arm: "found", holder: found.holder, why: free.length === 1 ? "only_one" : "turn", at_cap, taken: found };
}

function answerOf({ holder, why, play, at_cap }: Assigned): AssignAnswer {
  if (holder === "") return { arm: "nobody", why: "closed" };
  return { arm: "assigned", holder, why, play, at_cap: at_cap === null ? [] : (JSON.parse(at_cap) as string[]) };
}

/** A follow-up that came here without having been asked for. */
function unasked(follow_up: string, event: number, at: number): Assigned {
  const nothing = { at_cap: null, taker: null, begin: null, company: null, released_at: null };
  return { follow_up, team: "", play: "", holder: "", why: "", event, held_since: at, ...nothing };
}

/* ---------------------------------------------------------------------------------------- memory */

function memoryOf(store: TeamStore): Memory {
  const memory: Memory = { rotas: new Map(), open: new Map(), companies: new Map(), event: store.lastEvent() };
  for (const { team, taker, event, begin } of store.lastTurns())
    memory.rotas.set(team, taken(memory.rotas.get(team) ?? newRota, { person: taker, begin, event }));
  for (const item of store.open()) hold(memory, item);
  return memory;
}

function hold(
  memory: Memory,
  { follow_up, holder, company }: Pick<Assigned, "follow_up" | "holder" | "company">,
): void {
  count(memory, holder, 1);
  if (company === null) return;
  const there = memory.companies.get(company) ?? new Map<string, string>();
  memory.companies.set(company, there.set(follow_up, holder));
}

function letGo(memory: Memory, { follow_up, holder, company }: Assigned): void {
  count(memory, holder, -1);
  const there = company === null ? undefined : memory.companies.get(company);
  if (company === null || there === undefined) return;
  there.delete(follow_up);
  if (there.size === 0) memory.companies.delete(company);
}

function count(memory: Memory, address: string, by: 1 | -1): void {
  const person = personKey(address);
  const open = (memory.open.get(person) ?? 0) + by;
  if (open > 0) memory.open.set(person, open);
  else memory.open.delete(person);
}
