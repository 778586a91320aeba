import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/crypto.ts";
import { type Difference, Pairing } from "../../src/decide/backtest/compare.ts";
import { loadsOf, type Turn, Turns } from "../../src/decide/backtest/load.ts";
import { addTally, latencyOf, newTally } from "../../src/decide/backtest/tally.ts";
import { type Options, Replay } from "../../src/decide/backtest.ts";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import type { Policy } from "../../src/decide/policy.ts";
import type { JournalEntry } from "../../src/ledger/rows.ts";
import type { Decision, Signal } from "../../src/model.ts";
import { lifeOf } from "../bench/histories.ts";
import { Identities } from "../identities.ts";
import { pick, seeded, signal } from "../signals.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = 20_000 * day + 8 * hour;
const policy = defaultPolicy(["sam@example.com", "kim@example.com"]);

const entry = (lead: string, part: Partial<Signal> & { readonly id: string; readonly at: number }): JournalEntry => ({
  type: "signal",
  lead,
  signal: signal({ occurred_at: part.at, received_at: part.at, ...part }),
});

interface Told {
  readonly decisions: readonly Decision[];
  readonly turns: readonly Turn[];
  readonly differences: readonly Difference[];
  readonly replay: Replay;
}

/** Everything that is told of the first policy, and of the differences. */
function replayed(policies: readonly Policy[], entries: readonly JournalEntry[], options: Options = {}) {
  const decisions: Decision[] = [];
  const turns: Turn[] = [];
  const differences: Difference[] = [];
  const replay = new Replay(policies, {
    decided: (side, _lead, { decision }) => side === 0 && decisions.push(decision),
    turn: (side, turn) => side === 0 && turns.push(turn),
    found: (difference) => differences.push(difference),
    ...options,
  });
  for (const one of entries) replay.feed(one);
  const tallies = replay.finish();
  return { decisions, turns, differences, replay, tallies } satisfies Told & { tallies: unknown };
}

describe("a replay of history", () => {
  it("under the policy it was made with gives the recorded decisions, byte by byte (60 random people)", () => {
    const random = seeded(41);
    let compared = 0;
    for (let person = 0; person < 60; person++) {
      const signals = lifeOf(random, `p${person}`, 5 + Math.floor(random() * 60), 1 + random() * 30);
      const people = new Identities({ decides: true, policy });
      const node = `acme/${person}`;
      for (const one of signals) {
        decideUntil(people, node, one.received_at);
        people.now = one.received_at;
        // One identifier each: what happens when people turn out to be one is told below.
        people.receive({ signal: { ...one, identifiers: one.identifiers.slice(-1) }, nodes: [node] });
        people.work();
      }
      decideUntil(people, node, Number.POSITIVE_INFINITY);
      const root = people.rootOf(node);
      const entries = people.signalsOf(root).map((one): JournalEntry => ({ type: "signal", lead: node, signal: one }));
      // Nobody closes anything there.
      const { decisions } = replayed([policy], entries, { closings: () => null });
      expect(canonicalJson(decisions)).toBe(canonicalJson(root.unprojected.decisions.map((item) => item.decision)));
      compared += decisions.length;
    }
    expect(compared).toBeGreaterThan(500);
  });

  /** The alarms of an object: each decision at its time. */
  function decideUntil(people: Identities, node: string, until: number): void {
    for (;;) {
      const undecided = people.roots.find((root) => root.name === node)?.undecided ?? [];
      const due = Math.min(...undecided.filter((item) => !item.waiting).map((item) => item.decide_at));
      if (due > until || due === Number.POSITIVE_INFINITY) return;
      people.now = due;
      people.work();
    }
  }

  it("lets signals gather for their tier's window, and decides once on all of them", () => {
    const { decisions } = replayed(
      [policy],
      [
        entry("acme/1", { id: "1", kind: "page_viewed", at: start }),
        entry("acme/1", { id: "2", kind: "pricing_viewed", at: start + 10 * minute }),
        entry("acme/1", { id: "3", kind: "page_viewed", at: start + 61 * minute }),
      ],
    );
    expect(decisions.map(({ at, signals }) => [at, signals])).toEqual([
      [start + hour, ["forms:1", "forms:2"]],
      [start + 121 * minute, ["forms:3"]],
    ]);
  });

  it("decides everything that has gathered when an urgent signal comes", () => {
    const { decisions } = replayed(
      [policy],
      [
        entry("acme/1", { id: "1", kind: "page_viewed", at: start }),
        entry("acme/1", { id: "2", kind: "demo_requested", at: start + minute }),
      ],
    );
    expect(decisions.map(({ at, outcome, signals }) => [at, outcome, signals])).toEqual([
      [start + minute, "follow_up", ["forms:1", "forms:2"]],
    ]);
  });

  it("asks again when somebody who could not be reached has told an address", () => {
    const anonymous = [{ type: "anonymous_id", value: "a1" }];
    const { decisions } = replayed(
      [policy],
      [
        entry("acme/1", { id: "1", at: start, identifiers: anonymous }),
        entry("acme/1", { id: "2", kind: "identified", at: start + day }),
      ],
    );
    expect(decisions.map(({ at, outcome, signals }) => [at, outcome, signals])).toEqual([
      [start, "waiting", ["forms:1"]],
      [start + day, "follow_up", ["forms:1", "forms:2"]],
    ]);
  });

  const twice = [
    entry("acme/1", { id: "1", at: start }),
    entry("acme/1", { id: "2", kind: "contact_requested", at: start + 8 * day }),
  ];

  it("takes a follow-up that was never made as done after the time that its play gives, or after a given one", () => {
    expect(replayed([policy], twice).decisions.map(({ outcome }) => outcome)).toEqual(["follow_up", "follow_up"]);
    const slow = replayed([policy], twice, { handlingMs: 9 * day });
    expect(slow.decisions.map(({ outcome }) => outcome)).toEqual(["follow_up", "noted"]);
    const never = replayed([policy], twice, { handlingMs: 2 * day });
    expect(never.decisions[1]?.reasons[0]?.code).toBe("cooling_down");
  });

  it("takes a follow-up that really was made as closed when it really was", () => {
    const [made] = replayed([policy], twice).turns;
    const closed = (state: "done" | "cancelled", at: number) =>
      replayed([policy], twice, { closings: (id) => (id === made?.follow_up ? { state, at } : undefined) });
    expect(closed("done", start + 7 * day).decisions[1]?.reasons[0]?.code).toBe("cooling_down");
    expect(closed("cancelled", start + 7 * day).decisions[1]?.outcome).toBe("follow_up");
    expect(replayed([policy], twice, { closings: () => null }).decisions[1]?.outcome).toBe("noted");
  });

  it("gives a signal to whomever it belongs to in the end", () => {
    const entries = [entry("acme/b", { id: "1", at: start }), entry("acme/a", { id: "2", at: start + minute })];
    const apart = replayed([policy], entries);
    expect(apart.decisions.map(({ outcome }) => outcome)).toEqual(["follow_up", "follow_up"]);
    const one = replayed([policy], entries, { leadOf: () => "acme/a" });
    expect(one.decisions.map(({ outcome }) => outcome)).toEqual(["follow_up", "noted"]);
  });

  it("decides what lies before the range, and neither counts nor tells it", () => {
    const { decisions, replay, tallies } = replayed([policy], twice, { from: start + day, to: start + 9 * day });
    expect(decisions.map(({ signals }) => signals)).toEqual([["forms:2"]]);
    expect([replay.signals, tallies[0]?.decisions]).toEqual([1, 1]);
  });

  it("withdraws the follow-up of somebody who says no", () => {
    const { decisions } = replayed(
      [policy],
      [
        entry("acme/1", { id: "1", at: start }),
        entry("acme/1", { id: "2", kind: "contact_requested", at: start + minute, consent: { follow_up: false } }),
        entry("acme/1", { id: "3", at: start + 2 * minute, consent: { follow_up: true } }),
      ],
    );
    expect(decisions.map(({ outcome }) => outcome)).toEqual(["follow_up", "held", "follow_up"]);
    expect(decisions[1]?.withdrawn).toHaveLength(1);
  });

  it("counts what others at the company did, where the policy looks at that", () => {
    const together: Policy = {
      ...policy,
      routes: [
        ...policy.routes,
        {
          name: "the company stirs",
          when: { sustained: { signals: 4, days: 2, within_days: 7, by: "account" }, max_age_ms: day },
          play: "product interest",
        },
      ],
    };
    const view = (person: string, id: string, at: number) =>
      entry(`acme/${person}`, {
        id,
        kind: "pricing_viewed",
        at,
        identifiers: [{ type: "email", value: `${person}@company.example.com` }],
      });
    const entries = [
      view("a", "1", start),
      view("a", "2", start + day),
      view("b", "3", start + day),
      view("b", "4", start + day + minute),
    ];
    expect(replayed([policy], entries).decisions.map(({ outcome }) => outcome)).not.toContain("follow_up");
    expect(replayed([together], entries).decisions.map(({ play }) => play)).toContain("product interest");
  });
});

describe("two policies over the same history", () => {
  const deaf: Policy = { ...policy, version: 2, routes: policy.routes.filter(({ name }) => name !== "trial begins") };
  const entries = [
    entry("acme/1", { id: "1", kind: "demo_requested", at: start }),
    entry("acme/2", { id: "2", kind: "trial_started", at: start + hour }),
  ];

  it("differ where they decide differently, and nowhere else: the version alone is no difference", () => {
    expect(replayed([policy, { ...policy, version: 2 }], entries).differences).toEqual([]);
    const { differences } = replayed([policy, deaf], entries);
    expect(differences).toHaveLength(1);
    expect(differences[0]).toMatchObject({
      lead: "acme/2",
      signal: "forms:2",
      baseline: { outcome: "follow_up", play: "trial welcome" },
      draft: { outcome: "none" },
    });
    expect(differences[0]?.what).toEqual(["outcome", "play", "route", "due", "candidates", "reasons"]);
  });

  it("are laid side by side by signal where they decide at different times", () => {
    const slower: Policy = {
      ...policy,
      tiers: { ...policy.tiers, seconds: { ...policy.tiers.seconds, window_ms: 5 * minute } },
    };
    const both = [
      entry("acme/1", { id: "1", at: start }),
      entry("acme/1", { id: "2", kind: "contact_requested", at: start + minute }),
    ];
    const { differences } = replayed([policy, slower], both);
    expect(differences.map(({ signal: key, baseline, draft }) => [key, baseline?.outcome, draft?.outcome])).toEqual([
      ["forms:1", "follow_up", "follow_up"],
      ["forms:2", "noted", "follow_up"],
    ]);
    expect(differences[0]?.what).toContain("when");
  });

  it("tell of a decision that only one of them made twice", () => {
    const anonymous = [{ type: "anonymous_id", value: "a1" }];
    const { differences } = replayed(
      [policy, { ...policy, routes: policy.routes.filter(({ name }) => name !== "asked for us") }],
      [
        entry("acme/1", { id: "1", at: start, identifiers: anonymous }),
        entry("acme/1", { id: "2", kind: "identified", at: start + day }),
      ],
    );
    expect(differences.map(({ signal: key, baseline, draft }) => [key, baseline?.outcome, draft?.outcome])).toEqual([
      ["forms:1", "waiting", "none"],
      ["forms:2", "follow_up", "none"],
    ]);
  });

  it("are waited for over 50 signals of a lead; what has met nobody by then is told without, and once", () => {
    const [made] = replayed([policy], entries).decisions;
    if (made === undefined) throw new Error("nothing was decided");
    const told: Difference[] = [];
    const pairing = new Pairing("acme/1", (difference) => told.push(difference));
    for (let at = 0; at < 50; at++) pairing.one(0, { ...made, signals: [`forms:${at}`] });
    expect(told).toEqual([]);
    pairing.one(0, { ...made, signals: ["forms:50"] });
    expect(told.map(({ signal: key, draft }) => [key, draft])).toEqual([["forms:0", null]]);
    // It was for the first one too, which nobody waits with any more: it has met one of the other side all the same.
    pairing.one(1, { ...made, signals: ["forms:1", "forms:0"] });
    pairing.finish();
    expect(told).toHaveLength(51);
    expect(told[1]).toMatchObject({ signal: "forms:1", what: ["signals"] });
  });
});

describe("the figures of a replay", () => {
  it("count outcomes by play, kind and day, and how long people waited", () => {
    const { tallies } = replayed(
      [policy],
      [
        entry("acme/1", { id: "1", at: start }),
        entry("acme/2", { id: "2", kind: "trial_started", at: start }),
        entry("acme/3", { id: "3", kind: "page_viewed", at: start + day }),
        entry("acme/4", { id: "4", at: start + day, consent: { follow_up: false } }),
      ],
    );
    expect(tallies[0]).toMatchObject({
      decisions: 4,
      outcomes: { follow_up: 2, none: 1, held: 1 },
      plays: { "speed to lead": { follow_up: 1, held: 1 }, "trial welcome": { follow_up: 1 }, "": { none: 1 } },
      kinds: { demo_requested: { follow_up: 1, held: 1 }, trial_started: { follow_up: 1 }, page_viewed: { none: 1 } },
      days: { "20000": { follow_up: 2 }, "20001": { none: 1, held: 1 } },
      held: { "hold:consent": 1 },
      open_at_once: 0,
      per_lead: { "0": 2, "1": 2 },
    });
    expect(latencyOf(tallies[0] ?? newTally())).toEqual({
      seconds: { follow_ups: 1, median_ms: 0, p95_ms: 0 },
      minutes: { follow_ups: 1, median_ms: minute, p95_ms: minute },
    });
  });

  it("of the parts of a history add up to those of the whole", () => {
    const random = seeded(43);
    const lives = Array.from({ length: 8 }, (_, index) =>
      lifeOf(random, `p${index}`, 30, 20).map(
        (one): JournalEntry => ({ type: "signal", lead: `acme/${index}`, signal: one }),
      ),
    );
    const [whole] = replayed([policy], lives.flat()).tallies;
    const sum = newTally();
    for (const life of lives) {
      const [part] = replayed([policy], life).tallies;
      if (part !== undefined) addTally(sum, part);
    }
    expect(canonicalJson(sum)).toBe(canonicalJson(whole));
  });

  it("do not depend on how the histories of different people are mixed", () => {
    const random = seeded(47);
    const lives = Array.from({ length: 6 }, (_, index) =>
      lifeOf(random, `p${index}`, 25, 15).map(
        (one): JournalEntry => ({ type: "signal", lead: `acme/${index}`, signal: one }),
      ),
    );
    const mixed: JournalEntry[] = [];
    const rest = lives.map((life) => [...life]);
    while (rest.some((life) => life.length > 0)) {
      const next = pick(random, rest as [JournalEntry[], ...JournalEntry[][]]).shift();
      if (next !== undefined) mixed.push(next);
    }
    expect(canonicalJson(replayed([policy], mixed).tallies)).toBe(
      canonicalJson(replayed([policy], lives.flat()).tallies),
    );
  });
});

describe("who would have had what", () => {
  const candidates = ["a", "b"].map((name) => ({ address: `${name}@example.com`, weight: 1, cap: null }));
  const turn = (at: number, part: Partial<Turn> = {}): Turn => ({
    follow_up: `fu_${at}`,
    at,
    closed_at: at + 10,
    ways: [{ team: "sales", candidates }],
    last_resort: "boss@example.com",
    ...part,
  });

  const listed = (turns: readonly Turn[]) => {
    const all = new Turns();
    for (const one of turns) all.add(one);
    return all.list;
  };

  it("is shared in turns, in the order of time and not of arrival", () => {
    const turns = [turn(3), turn(1), turn(4), turn(2)];
    expect(loadsOf(listed(turns))).toEqual({
      people: { "a@example.com": { follow_ups: 2, open_max: 2 }, "b@example.com": { follow_ups: 2, open_max: 2 } },
      nobody: 0,
    });
  });

  it("is bounded by what each may have open, and closing makes room; the last resort takes the rest", () => {
    const [a] = candidates;
    const only = [{ team: "sales", candidates: [{ address: a?.address ?? "", weight: 1, cap: 1 }] }];
    const turns = [turn(1, { ways: only }), turn(2, { ways: only }), turn(11, { ways: only })];
    expect(loadsOf(listed(turns))).toEqual({
      people: { "a@example.com": { follow_ups: 2, open_max: 1 }, "boss@example.com": { follow_ups: 1, open_max: 1 } },
      nobody: 1,
    });
  });

  it("goes to the owner, and to whoever works the company", () => {
    const owned = [
      { team: "sales", candidates, preferred: { address: "b@example.com", why: "record_owner" as const } },
    ];
    const turns = [
      turn(1, { ways: owned, company: "x.example.com" }),
      turn(2, { company: "x.example.com" }),
      turn(3, { company: "x.example.com" }),
    ];
    expect(loadsOf(listed(turns)).people).toEqual({ "b@example.com": { follow_ups: 3, open_max: 3 } });
  });
});
