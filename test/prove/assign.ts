/**
 * Whose turn it is, on random teams: the real team object over SQLite, with absences, pool edits, caps, owners, companies, hand-overs,
 * repeated calls, restarts and forgetting. A second one is told the same with every list reversed, is never restarted and
 * forgets nothing: both must always say the same. What is promised is checked on every window of what happened.
 * `node test/prove/assign.ts --cases 20000 --seed 1 [--json]`; a case is one workspace of 40 to 400 events.
 */
import { registerHooks } from "node:module";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { parseArgs } from "node:util";
import type { Env } from "../../src/env.ts";
import type { AssignAnswer, AssignCall, TeamObject } from "../../src/objects/team.ts";
import { pick, seeded } from "../signals.ts";
import { checkWindows, type GivenTurn } from "./assign-windows.ts";

registerHooks({
  resolve: (name, context, next) =>
    name === "cloudflare:workers"
      ? { url: import.meta.resolve("../sim/durable-object.ts"), shortCircuit: true }
      : next(name, context),
});
const { TeamObject: RealTeam } = await import("../../src/objects/team.ts");

const dayMs = 86_400_000;
let now = Date.UTC(2027, 0, 1);
Date.now = () => now;

/* ---------------------------------------------------------------------------------------- the object and its disk */

class Disk {
  readonly #db = new DatabaseSync(":memory:");
  readonly #statements = new Map<string, StatementSync>();
  alarm: number | null = null;

  readonly storage = {
    sql: {
      exec: (query: string, ...values: SQLInputValue[]) => {
        let statement = this.#statements.get(query);
        if (statement === undefined) {
          statement = this.#db.prepare(query);
          this.#statements.set(query, statement);
        }
        const rows = statement.all(...values);
        return { toArray: () => rows };
      },
    },
    getAlarm: async () => this.alarm,
    setAlarm: async (at: number) => {
      this.alarm = at;
    },
  };

  wipe(): void {
    this.alarm = null;
    this.#db.exec("DROP TABLE IF EXISTS assigned");
    this.#statements.clear();
  }

  start(): TeamObject {
    return new RealTeam({ storage: this.storage } as unknown as DurableObjectState, {} as Env);
  }
}

const disks = { real: new Disk(), twin: new Disk() };

/* ---------------------------------------------------------------------------------------- one workspace */

interface Person {
  readonly address: string;
  weight: number;
  cap: number | null;
  present: boolean;
  isMember: boolean;
  readonly isSpecialist: boolean;
}

interface Known {
  readonly follow_up: string;
  holder: string;
  readonly company: string | undefined;
  isOpen: boolean;
  closedAt: number;
}

interface Counted {
  assignments: number;
  turns: number;
  repeats: number;
  restarts: number;
  nobody: number;
}

class World {
  readonly #random: () => number;
  readonly #people: Person[];
  readonly #known = new Map<string, Known>();
  readonly #turns = new Map<string, GivenTurn[]>([
    ["sales", []],
    ["success", []],
  ]);
  readonly #newWeight: () => number;
  /** How often something about the people changes between two events. */
  readonly #unrest: number;
  #real: TeamObject;
  readonly #twin: TeamObject;
  #number = 0;
  readonly errors: string[] = [];
  readonly counted: Counted = { assignments: 0, turns: 0, repeats: 0, restarts: 0, nobody: 0 };

  constructor(seed: number) {
    this.#random = seeded(Math.imul(seed, 2_654_435_761));
    const any = this.#random;
    const weightOf = pick(any, [
      () => 1,
      () => 3,
      () => pick(any, [1, 2]),
      () => pick(any, [100, 50, 75]),
      () => this.#whole(1, 101),
    ]);
    this.#newWeight = weightOf;
    this.#unrest = pick(any, [0, 0.02, 0.2, 0.6]);
    const capOf = pick(any, [() => null, () => pick(any, [null, 1, 2, 5, 20])]);
    this.#people = Array.from({ length: this.#whole(1, 12) }, (_, index) => ({
      address: `${pick(any, ["ann", "Bob", "cleo"])}${index}@example.com`,
      weight: weightOf(),
      cap: capOf(),
      present: any() < 0.9,
      isMember: any() < 0.8,
      isSpecialist: any() < 0.5,
    }));
    for (const disk of Object.values(disks)) disk.wipe();
    this.#real = disks.real.start();
    this.#twin = disks.twin.start();
  }

  async live(): Promise<void> {
    const events = pick(this.#random, [40, 80, 400]);
    while (this.#number < events && this.errors.length === 0) {
      now += this.#whole(1, 3_600_000);
      if (this.#chance(this.#unrest)) this.#change();
      const kind = this.#random();
      if (kind < 0.6) this.#assign();
      else if (kind < 0.75) await this.#close();
      else if (kind < 0.85) this.#repeat();
      else if (kind < 0.9) this.#handOver();
      else if (kind < 0.95) this.#restart();
      else if (kind < 0.96) await this.#forget();
    }
  }

  windows() {
    return [...this.#turns.values()].map(checkWindows);
  }

  /* ---- what happens to the people */

  #change(): void {
    const person = this.#one(this.#people);
    if (person === undefined) return;
    const kind = this.#random();
    if (kind < 0.5) person.present = !person.present;
    else if (kind < 0.8) person.isMember = !person.isMember;
    else person.weight = this.#newWeight();
  }

  /* ---- what is asked */

  #assign(): void {
    const calls = Array.from({ length: this.#chance(0.1) ? 3 : 1 }, () => this.#call());
    for (const call of calls) {
      const expected = this.#expected(call);
      const said = this.#ask(call);
      this.counted.assignments++;
      if (said.arm === "nobody") {
        this.counted.nobody++;
        this.#require(expected.nobody === said.why, `${call.follow_up}: nobody, ${said.why}`);
        continue;
      }
      const { holder, why } = said;
      const isTurn = why === "turn" || why === "only_one";
      this.#require(expected.holders.includes(holder), `${call.follow_up}: ${holder} cannot have it (${why})`);
      this.#require(isTurn === expected.isTurn, `${call.follow_up}: ${why}`);
      this.#known.set(call.follow_up, {
        follow_up: call.follow_up,
        holder,
        company: call.company,
        isOpen: true,
        closedAt: 0,
      });
      if (!isTurn) continue;
      this.counted.turns++;
      const free = call.candidates.filter(({ address }) => expected.holders.includes(address));
      const weights = new Map(free.map(({ address, weight }) => [address.toLowerCase(), weight]));
      this.#turns.get(call.team)?.push({ weights, holder: holder.toLowerCase() });
    }
  }

  #call(): AssignCall {
    const any = this.#random;
    const needsSpecialist = this.#chance(0.3);
    const inTeam = this.#people.filter(({ isMember, present }) => isMember && present);
    const able = inTeam.filter(({ isSpecialist }) => isSpecialist || !needsSpecialist);
    const respelled = this.#chance(0.1);
    const candidates = this.#shuffled(able).map(({ address, weight, cap }) => ({
      address: respelled ? address.toUpperCase() : address,
      weight,
      cap,
    }));
    const preferred = this.#chance(0.1) ? this.#one(this.#people)?.address : undefined;
    return {
      follow_up: `fu_${this.#number++}`,
      team: pick(any, ["sales", "sales", "sales", "success"]),
      play: "call",
      candidates,
      known_members: this.#people.filter(({ isMember }) => isMember).map(({ address }) => address),
      one_rep_per_company: this.#chance(0.5),
      at: now,
      ...(this.#chance(0.3) ? { company: pick(any, ["a.example.com", "b.example.com", "c.example.com"]) } : {}),
      ...(preferred === undefined ? {} : { preferred: { address: preferred, why: "record_owner" } }),
    };
  }

  /** Who may have it, by the rules alone: the slow way, from all that is known. */
  #expected(call: AssignCall): { holders: readonly string[]; isTurn: boolean; nobody?: string } {
    if (call.preferred !== undefined) return { holders: [call.preferred.address], isTurn: false };
    const open = [...this.#known.values()].filter(({ isOpen }) => isOpen);
    const members = call.known_members.map((address) => address.toLowerCase());
    const colleague = open.find(
      ({ company, holder }) => company === call.company && members.includes(holder.toLowerCase()),
    );
    if (call.one_rep_per_company && call.company !== undefined && colleague !== undefined)
      return { holders: [colleague.holder], isTurn: false };
    const free = call.candidates.filter(({ address, cap }) => {
      const has = open.filter(({ holder }) => holder.toLowerCase() === address.toLowerCase()).length;
      return cap === null || has < cap;
    });
    if (free.length > 0) return { holders: free.map(({ address }) => address), isTurn: true };
    return { holders: [], isTurn: true, nobody: call.candidates.length === 0 ? "no_candidates" : "all_at_cap" };
  }

  /** The same follow-up again, in a call that says something else, several times at once. */
  #repeat(): void {
    const known = this.#one([...this.#known.values()]);
    if (known === undefined) return;
    const call = { ...this.#call(), follow_up: known.follow_up };
    this.#number--;
    for (let time = 0; time < 2; time++) {
      const said = this.#ask(call);
      this.counted.repeats++;
      this.#require(
        said.arm === "assigned" && said.holder === known.holder,
        `${known.follow_up}: ${JSON.stringify(said)}, not ${known.holder}`,
      );
    }
  }

  #ask(call: AssignCall): AssignAnswer {
    const said = this.#real.assign(call);
    const twin = this.#twin.assign({ ...call, candidates: call.candidates.toReversed() });
    const isSame =
      said.arm === twin.arm && (said.arm === "nobody" || twin.arm === "nobody" || said.holder === twin.holder);
    this.#require(isSame, `${call.follow_up}: ${JSON.stringify(said)}, the twin says ${JSON.stringify(twin)}`);
    return said;
  }

  async #close(): Promise<void> {
    const known = this.#one([...this.#known.values()]);
    // Now and then one that nobody had, and one that is closed already.
    const follow_up = known?.follow_up ?? "fu_unknown";
    await this.#real.release({ follow_up });
    await this.#twin.release({ follow_up });
    if (known?.isOpen !== true) return;
    known.isOpen = false;
    known.closedAt = now;
  }

  #handOver(): void {
    const known = this.#one([...this.#known.values()]);
    const to = this.#one(this.#people)?.address;
    if (known === undefined || to === undefined) return;
    const by = this.#chance(0.5) ? "person" : "engine";
    const isLate = this.#chance(0.1);
    const call = { follow_up: known.follow_up, to, by, at: isLate ? 0 : now } as const;
    this.#real.reassign(call);
    this.#twin.reassign(call);
    if (known.isOpen && !isLate) known.holder = to;
  }

  #restart(): void {
    this.counted.restarts++;
    this.#real = disks.real.start();
  }

  /** Weeks go by; what was closed long ago is forgotten, and nobody asks for it any more. */
  async #forget(): Promise<void> {
    now += this.#whole(1, 60) * dayMs;
    for (let time = 0; time < 2; time++) await this.#real.alarm();
    for (const [follow_up, { isOpen, closedAt }] of this.#known)
      if (!isOpen && closedAt < now - 35 * dayMs) this.#known.delete(follow_up);
  }

  /* ---- chance */

  #require(holds: boolean, text: string): void {
    if (!holds) this.errors.push(text);
  }

  #chance(of: number): boolean {
    return this.#random() < of;
  }

  #whole(from: number, to: number): number {
    return Math.floor(from + this.#random() * (to - from));
  }

  #one<T>(items: readonly T[]): T | undefined {
    return items[this.#whole(0, items.length)];
  }

  #shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, at: this.#random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item);
  }
}

/* ---------------------------------------------------------------------------------------- the proof */

export interface AssignFigures extends Counted {
  readonly cases: number;
  readonly errors: number;
  /** Largest difference between two equals over all windows in which both were eligible throughout. */
  readonly spread: number;
  readonly of_pair_bound: number;
  readonly of_share_bound: number;
  readonly returns: number;
  readonly seconds: number;
}

export async function proveAssign({ cases, seed }: { readonly cases: number; readonly seed: number }): Promise<{
  readonly figures: AssignFigures;
  readonly wrong: readonly string[];
}> {
  const started = performance.now();
  const sum: Counted = { assignments: 0, turns: 0, repeats: 0, restarts: 0, nobody: 0 };
  const wrong: string[] = [];
  let [errors, spread, ofPair, ofShare, returns] = [0, 0, 0, 0, 0];
  for (let number = 0; number < cases; number++) {
    const world = new World(seed * 1_000_003 + number);
    await world.live();
    const windows = world.windows();
    for (const name of Object.keys(sum) as (keyof Counted)[]) sum[name] += world.counted[name];
    spread = Math.max(spread, ...windows.map((one) => one.spread));
    ofPair = Math.max(ofPair, ...windows.map((one) => one.ofPairBound));
    ofShare = Math.max(ofShare, ...windows.map((one) => one.ofShareBound));
    returns += windows.reduce((all, one) => all + one.returns, 0);
    const found = [...world.errors, ...windows.flatMap((one) => one.errors)];
    errors += found.length;
    if (wrong.length < 5) wrong.push(...found.slice(0, 2).map((text) => `case ${number}: ${text}`));
  }
  const seconds = Math.round(performance.now() - started) / 1_000;
  const share = (value: number) => Math.round(value * 1_000) / 1_000;
  return {
    figures: {
      cases,
      errors,
      spread,
      of_pair_bound: share(ofPair),
      of_share_bound: share(ofShare),
      returns,
      ...sum,
      seconds,
    },
    wrong,
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      cases: { type: "string", default: "20000" },
      seed: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
    },
  });
  const { figures, wrong } = await proveAssign({ cases: Number(values.cases), seed: Number(values.seed) });
  const ok = figures.errors === 0;
  if (values.json) console.log(JSON.stringify({ ok, figures, wrong }));
  else {
    for (const one of wrong) console.log(one);
    for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(16)} ${value}`);
  }
  process.exitCode = ok ? 0 : 1;
}
