/**
 * Identity as a whole, on random lives: which order does not matter, which merge can be undone, and what a person said
 * stays said. Seeded, so that a failure is the same tomorrow; the message names the case.
 */
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/crypto.ts";
import type { Identifier, Signal } from "../../src/model.ts";
import { emptyLead, foldSignal } from "../../src/resolve/lead.ts";
import type { Root } from "../../src/resolve/node.ts";
import { findTie } from "../../src/resolve/split.ts";
import { spans, tieId } from "../../src/resolve/ties.ts";
import { rankOf } from "../../src/translate/normalise.ts";
import { type Call, Identities, salesPolicy } from "../identities.ts";
import { pick, randomSignal, seeded, signal } from "../signals.ts";
import { anonymous, email, hubspotContact, phone, userId } from "../states.ts";

type Random = () => number;

const below = (random: Random, bound: number) => Math.floor(random() * bound);
const shuffled = <T>(random: Random, items: readonly T[]): T[] => {
  const all = [...items];
  for (let last = all.length - 1; last > 0; last--) {
    const other = below(random, last + 1);
    [all[last], all[other]] = [all[other] as T, all[last] as T];
  }
  return all;
};
const textOf = ({ type, value }: Identifier) => `${type}:${value}`;
const folded = (signals: readonly Signal[]) => signals.reduce(foldSignal, emptyLead);
const strongestFirst = (identifiers: readonly Identifier[]) =>
  [...new Set(identifiers)].sort((a, b) => rankOf(a.type) - rankOf(b.type) || (textOf(a) < textOf(b) ? -1 : 1));

/** Names of nodes, whose order chance says, as the HMAC does. */
class Names {
  readonly #random: Random;
  readonly #names = new Map<string, string>();

  constructor(random: Random) {
    this.#random = random;
  }

  of(identifier: Identifier): string {
    const text = textOf(identifier);
    const known = this.#names.get(text) ?? `acme/${this.#random().toString(36).slice(2, 8)}/${text}`;
    this.#names.set(text, known);
    return known;
  }

  call(signal: Signal): Call {
    return { signal, nodes: signal.identifiers.map((item) => this.of(item)) as [string, ...string[]] };
  }
}

describe("the state of people", () => {
  /** What one person uses, such that none of their signals contradicts another one: whoever meets whom first, all of it is one. */
  function somebody(random: Random, tag: string): { all: Identifier[]; bonds: Identifier[][]; records: Identifier[] } {
    const emails = Array.from({ length: below(random, 4) }, (_, index) => email(`${tag}${index}@example.com`));
    const user = random() < 0.5 ? [userId(tag)] : [];
    const records = random() < 0.25 ? [hubspotContact(`${tag}1`), hubspotContact(`${tag}2`)] : [];
    const weak = [anonymous(`${tag}1`), anonymous(`${tag}2`), phone(`+${tag}`), email(`info@${tag}.example.com`)];
    const all = [...emails, ...user, ...records, ...weak.filter(() => random() < 0.6)];
    // Addresses of their own that only a device would join are two people's; so something stronger joins them as well.
    const [hub] = [...user, ...emails];
    const bonds = hub === undefined ? [] : emails.flatMap((item) => (item === hub ? [] : [[hub, item]]));
    return { all: all.length > 0 ? all : [anonymous(tag)], bonds, records };
  }

  function history(random: Random, tag: string): Signal[] {
    const signals: Signal[] = [];
    const say = (identifiers: readonly Identifier[], part: Partial<Signal> = {}) =>
      signals.push({
        ...randomSignal(random, `${tag}${signals.length}`),
        identifiers: strongestFirst(identifiers),
        ...part,
      });
    for (let person = 0; person < 1 + below(random, 2); person++) {
      const { all, bonds, records } = somebody(random, `${tag}p${person}n`);
      for (const bond of bonds) say(bond);
      // The limit of one record in a CRM holds, unless the CRM says that it merged two.
      if (records.length > 0)
        say(records, { kind: "crm_records_merged", properties: { survivor: records[1]?.value ?? "" } });
      for (let count = 1 + below(random, 3); count > 0; count--)
        say(Array.from({ length: 1 + below(random, 3) }, () => all[below(random, all.length)] as Identifier));
    }
    return signals;
  }

  /** Who is one with whom, by nothing but who was named together. */
  function peopleIn(calls: readonly Call[]): { nodes: string; lead: string }[] {
    const groups: { nodes: Set<string>; signals: Signal[] }[] = [];
    for (const { signal, nodes } of calls) {
      const met = groups.filter((group) => nodes.some((node) => group.nodes.has(node)));
      const one = { nodes: new Set([...nodes, ...met.flatMap((group) => [...group.nodes])]), signals: [signal] };
      for (const group of met) {
        one.signals.push(...group.signals);
        groups.splice(groups.indexOf(group), 1);
      }
      groups.push(one);
    }
    return groups.map(({ nodes, signals }) => ({
      nodes: [...nodes].sort().join(" "),
      lead: canonicalJson(folded(signals)),
    }));
  }

  it("is the same to the byte in whatever order signals arrive, and however often, and links are made (100,000 cases)", () => {
    const random = seeded(101);
    const byNodes = (a: { nodes: string }, b: { nodes: string }) => (a.nodes < b.nodes ? -1 : 1);
    let merges = 0;
    let refusals = 0;
    for (let life = 0; life < 10_000; life++) {
      const names = new Names(random);
      const calls = history(random, `${life}s`).map((signal) => names.call(signal));
      const expected = JSON.stringify(peopleIn(calls).sort(byNodes));
      for (let order = 0; order < 10; order++) {
        const arriving = shuffled(random, [...calls, ...calls.filter(() => random() < 0.2)]);
        const identities = new Identities({ decides: false });
        const fresh = new Set<Call>();
        for (const call of arriving) {
          const answer = identities.receive(call);
          if (answer !== (fresh.has(call) ? "duplicate" : "applied")) throw new Error(`life ${life}: ${answer}`);
          fresh.add(call);
          if (random() < 0.5) identities.workOnce(random);
        }
        identities.work();
        const roots = identities.roots;
        const people = roots.map((root) => ({
          nodes: [root.name, ...root.members].sort().join(" "),
          lead: canonicalJson(root.lead),
        }));
        if (JSON.stringify(people.sort(byNodes)) !== expected) {
          // Slower, and it says what differs.
          expect(people, `life ${life}, order ${order}`).toEqual(JSON.parse(expected));
        }
        for (const root of roots) {
          if (!spans(root.ties, [root.name, ...root.members]) || root.ties.length !== root.members.length)
            throw new Error(`life ${life}: a cut would mean nothing`);
          merges += Object.keys(root.absorbed).length;
          refusals += root.unprojected.closed.length;
          if (root.apart.length > 0) throw new Error(`life ${life}: a question was left open that has its answer`);
        }
      }
    }
    // So that the cases are not about nothing.
    expect(merges).toBeGreaterThan(50_000);
    expect(refusals).toBeGreaterThan(500);
  }, 120_000);
});

/** Sustained interest looks back on all that was taken for one: a follow-up that comes of it stands also after a split. */
const pairPolicy = {
  ...salesPolicy,
  routes: salesPolicy.routes.filter(({ when }) => when.sustained === undefined),
};

/**
 * Two worlds with the same signals at the same time. In one, people are taken for one and later told apart again. In the
 * other, somebody had said before that they are two, so that they never met: it shows what must be true after the split.
 */
class Worlds {
  readonly real: Identities;
  readonly apart: Identities;
  readonly random: Random;
  readonly #names: Names;
  readonly #tag: string;
  #count = 0;

  constructor(random: Random, tag: string, decides: boolean) {
    const options = { decides, policy: pairPolicy };
    this.real = new Identities(options);
    this.apart = new Identities(options);
    this.random = random;
    this.#names = new Names(random);
    this.#tag = tag;
    this.pass(86_400_000 * 100);
  }

  pass(ms: number): void {
    for (const world of [this.real, this.apart]) {
      world.now += ms;
      world.work();
    }
  }

  nodeOf(identifier: Identifier): string {
    return this.#names.of(identifier);
  }

  /** Something that happened in the last two days and is told now. */
  say(identifiers: readonly Identifier[]): void {
    this.pass(1 + below(this.random, 1_800_000));
    const { now } = this.real;
    const { consent: _decidesForBoth, ...told } = randomSignal(this.random, `${this.#tag}-${this.#count++}`);
    const call = this.#names.call({
      ...told,
      identifiers: strongestFirst(identifiers),
      occurred_at: now - below(this.random, 2 * 86_400_000),
      received_at: now,
    });
    for (const world of [this.real, this.apart]) {
      world.receive(call);
      world.work();
    }
  }

  areOne(a: Identifier, b: Identifier): boolean {
    return this.real.rootOf(this.nodeOf(a)) === this.real.rootOf(this.nodeOf(b));
  }

  /** By a signal that names both; where the guard refuses that, by a person's word. Gives the link that joined them. */
  merge(one: Person, other: Person): string {
    const [a, b] = [this.nodeOf(one.main), this.nodeOf(other.main)];
    const before = new Set([a, b].flatMap((node) => this.real.rootOf(node).ties.map(tieId)));
    if (this.random() < 0.7) this.say([one.any(this.random), other.any(this.random)]);
    if (!this.areOne(one.main, other.main)) {
      this.pass(1);
      this.real.choose(a, "merge", b);
      this.real.work();
    }
    const tie = this.real.rootOf(a).ties.find((item) => !before.has(tieId(item)));
    if (tie === undefined || !this.areOne(one.main, other.main)) throw new Error("they were not merged");
    return this.random() < 0.5 ? tieId(tie) : (tie.loser ?? "");
  }

  holds({ main }: Person, tie: string): boolean {
    return findTie(this.real.rootOf(this.nodeOf(main)), tie) !== undefined;
  }

  split(person: Person, tie: string): void {
    this.pass(1 + below(this.random, 3_600_000));
    expect(this.real.split(this.nodeOf(person.main), tie)).toBe("split");
    this.real.work();
  }

  /** Whoever was split is as if they had never met. */
  compare(people: readonly Person[], label: string): void {
    // Whatever may wait is decided.
    this.pass(7_200_000);
    for (const { main } of people) {
      const [is, ought] = [this.real, this.apart].map((world) => world.rootOf(this.nodeOf(main))) as [Root, Root];
      const [own, due] = [this.real.signalsOf(is), this.apart.signalsOf(ought)].map((signals) => signals.map(keyOf));
      same(is.lead, ought.lead, label);
      same(nodesOf(is), nodesOf(ought), label);
      same(own?.sort(), due?.sort(), label);
      same(is.links, [], label);
      if (is.follow_ups.some((item) => own?.includes(item.trigger) !== true)) throw new Error(`${label}: not theirs`);
      const [open, needed] = [openOf(is), openOf(ought)];
      // One more only where it was made while they were one: there is a task, and it is theirs.
      if (open !== needed) same([open, needed, is.undecided], [1, 0, []], label);
    }
  }
}

const keyOf = (signal: Signal) => signal.idempotency_key;
const openOf = (root: Root) => root.follow_ups.filter((item) => item.state === "open").length;

/** Byte by byte; the slower comparison then says what differs. */
function same(is: unknown, ought: unknown, label: string): void {
  if (canonicalJson(is) !== canonicalJson(ought)) expect(is, label).toEqual(ought);
}

const nodesOf = (root: Root) => [root.name, ...root.members].sort();

/** Somebody with identifiers of their own, who comes upon more of them. */
class Person {
  readonly main: Identifier;
  readonly #own: Identifier[];
  readonly #later: Identifier[];

  constructor(random: Random, tag: string) {
    const all = [
      ...[userId(tag)].filter(() => random() < 0.4),
      ...[email(`${tag}@example.com`)].filter(() => random() < 0.85),
      ...[phone(`+${tag}`), anonymous(`${tag}1`), anonymous(`${tag}2`)].filter(() => random() < 0.4),
    ];
    this.#own = all.length > 0 ? all : [anonymous(tag)];
    this.main = this.#own[below(random, this.#own.length)] as Identifier;
    this.#later = [anonymous(`${tag}3`), { type: "customer_id", value: tag }, phone(`+${tag}7`)];
  }

  get all(): readonly Identifier[] {
    return this.#own;
  }

  any(random: Random): Identifier {
    return this.#own[below(random, this.#own.length)] as Identifier;
  }

  some(random: Random): Identifier[] {
    return Array.from({ length: 1 + below(random, 2) }, () => this.any(random));
  }

  /** Names that nobody had seen before, beside a known one. */
  more(random: Random): Identifier[] {
    const fresh = this.#later.splice(0, 1);
    const known = this.any(random);
    this.#own.push(...fresh);
    return [known, ...fresh];
  }
}

/** Every third life has decisions and follow-ups in it: they take most of the time. */
function meet(random: Random, life: number, count: number): { worlds: Worlds; people: Person[] } {
  const tag = `${life}x`;
  const worlds = new Worlds(random, tag, life % 3 === 0);
  const people = Array.from({ length: count }, (_, index) => new Person(random, `${tag}p${index}n`));
  for (const person of people) worlds.say(person.all);
  for (let more = below(random, 4); more > 0; more--) live(worlds, people);
  for (const [index, one] of people.entries()) {
    for (const other of people.slice(index + 1))
      worlds.apart.choose(worlds.nodeOf(one.main), "keep_apart", worlds.apart.rootOf(worlds.nodeOf(other.main)).name);
  }
  return { worlds, people };
}

/** Something of one of them happens. */
function live(worlds: Worlds, people: readonly Person[]): void {
  const { random } = worlds;
  const person = people[below(random, people.length)] as Person;
  worlds.say(random() < 0.3 ? person.more(random) : person.some(random));
}

/** A signal that names two of them, and maybe something new: it is the one's whose identifier is the strongest. */
function confuse(worlds: Worlds, people: readonly Person[]): void {
  const { random } = worlds;
  worlds.say(
    shuffled(random, people)
      .slice(0, 2)
      .flatMap((person) => person.some(random)),
  );
}

function several(random: Random, bound: number, happens: () => void): void {
  for (let more = below(random, bound); more > 0; more--) happens();
}

describe("a merge that is undone", () => {
  it("leaves both as if it had never happened, whatever was said of either meanwhile (7,000 cases)", () => {
    const random = seeded(202);
    for (let life = 0; life < 7_000; life++) {
      const { worlds, people } = meet(random, life, 2);
      const [one, other] = people as [Person, Person];
      const tie = worlds.merge(one, other);
      several(random, 4, () => (random() < 0.3 ? confuse(worlds, people) : live(worlds, people)));
      worlds.split(one, tie);
      if (worlds.areOne(one.main, other.main)) throw new Error(`life ${life}: still one`);
      several(random, 3, () => live(worlds, people));
      worlds.compare(people, `life ${life}`);
    }
  }, 120_000);

  it("leaves each as if none had happened, of three who were merged and split in any order (3,000 cases)", () => {
    const random = seeded(203);
    for (let life = 0; life < 3_000; life++) {
      const { worlds, people } = meet(random, life, 3);
      const [a, b, c] = shuffled(random, people) as [Person, Person, Person];
      const ties = [worlds.merge(a, b)];
      several(random, 3, () => live(worlds, people));
      ties.push(worlds.merge(pick(random, [a, b]), c));
      several(random, 3, () => (random() < 0.3 ? confuse(worlds, people) : live(worlds, people)));
      for (const tie of shuffled(random, ties)) {
        worlds.split([a, b, c].find((person) => worlds.holds(person, tie)) as Person, tie);
        several(random, 2, () => live(worlds, people));
      }
      worlds.compare(people, `life ${life}`);
    }
  }, 120_000);

  it("leaves nobody without an answer whose request had waited for a way to reach them, however long", () => {
    const [ann, bob] = [userId("ann"), email("bob@example.com")];
    const names = new Names(seeded(207));
    const identities = new Identities({ decides: true });
    const hour = 3_600_000;
    const say = (at: number, id: string, kind: string, ...identifiers: Identifier[]) => {
      identities.now = at;
      identities.receive(names.call(signal({ id, kind, identifiers, occurred_at: at, received_at: at })));
      identities.work();
    };
    const openAt = (identifier: Identifier) =>
      identities.rootOf(names.of(identifier)).follow_ups.filter((item) => item.state === "open").length;
    say(hour, "1", "demo_requested", ann);
    say(2 * hour, "2", "demo_requested", bob);
    // Ann has no address; hers is Bob's for a while, and his follow-up covers what she asked for.
    say(8 * hour, "3", "page_viewed", ann, bob);
    identities.now = 9 * hour;
    identities.work();
    expect([openAt(ann), openAt(bob)]).toEqual([1, 1]);
    const [tie] = identities.rootOf(names.of(ann)).ties;
    identities.now = 10 * hour;
    expect(identities.split(names.of(bob), tie === undefined ? "" : tieId(tie))).toBe("split");
    identities.work();
    expect(openAt(bob)).toBe(1);
    // Known by her signal, though it links nobody: her answer can go there (or wait for an address of her own).
    const { undecided } = identities.rootOf(names.of(ann));
    expect(openAt(ann) + undecided.filter((item) => item.waiting && item.key === "forms:1").length).toBe(1);
  });
});

describe("people who were split", () => {
  it("stay split whatever signals say, and are one again when somebody says so later (2,000 cases)", () => {
    const random = seeded(204);
    for (let life = 0; life < 2_000; life++) {
      const { worlds, people } = meet(random, life, 2);
      const [one, other] = people as [Person, Person];
      const tie = worlds.merge(one, other);
      several(random, 3, () => live(worlds, people));
      worlds.split(one, tie);
      several(random, 6, () => confuse(worlds, people));
      confuse(worlds, people);
      if (worlds.areOne(one.main, other.main)) throw new Error(`life ${life}: one again`);
      worlds.compare(people, `life ${life}`);

      const [a, b] = [one, other].map(({ main }) => worlds.real.rootOf(worlds.nodeOf(main))) as [Root, Root];
      const all = [...worlds.real.signalsOf(a), ...worlds.real.signalsOf(b)];
      worlds.real.choose(a.name, "merge", pick(random, nodesOf(b) as [string, ...string[]]));
      worlds.real.work();
      const joined = worlds.real.rootOf(a.name);
      same(nodesOf(joined), [...nodesOf(a), ...nodesOf(b)].sort(), `life ${life}`);
      same(joined.lead, folded(all), `life ${life}`);
      expect(openOf(joined)).toBeLessThanOrEqual(1);
    }
  }, 120_000);

  it("from two who were one stay split from both, also when those are split as well (500 cases)", () => {
    const random = seeded(205);
    for (let life = 0; life < 500; life++) {
      const { worlds, people } = meet(random, life, 3);
      const [a, b, c] = shuffled(random, people) as [Person, Person, Person];
      const ties = [worlds.merge(a, b), worlds.merge(pick(random, [a, b]), c)];
      for (const tie of shuffled(random, ties))
        worlds.split([a, b, c].find((person) => worlds.holds(person, tie)) as Person, tie);
      several(random, 4, () => confuse(worlds, people));
      worlds.compare(people, `life ${life}`);
    }
  }, 120_000);

  it("are one by a person's newer word, also where a signal repeats the older one before it is carried out", () => {
    const [ann, bob, device] = [email("ann@example.com"), email("bob@example.com"), anonymous("a-1")];
    const names = new Names(seeded(206));
    const identities = new Identities({ decides: false });
    const say = (id: string, ...identifiers: Identifier[]) =>
      identities.receive(names.call(signal({ id, identifiers })));
    const rootOf = (identifier: Identifier) => identities.rootOf(names.of(identifier)).name;
    say("1", ann, device);
    say("2", bob);
    identities.work();
    identities.now = 100;
    identities.choose(rootOf(ann), "keep_apart", rootOf(bob));
    identities.now = 200;
    identities.choose(rootOf(ann), "merge", rootOf(bob));
    identities.choose(rootOf(bob), "keep_apart", rootOf(ann));
    identities.now = 300;
    identities.choose(rootOf(ann), "merge", rootOf(bob));
    identities.now = 400;
    say("3", bob, device);
    identities.workAt(rootOf(bob));
    expect(rootOf(bob)).not.toBe(rootOf(ann));
    identities.work();
    expect(rootOf(bob)).toBe(rootOf(ann));
  });
});
