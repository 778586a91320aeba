/** Who of a team could take a follow-up, whose turn it is, and the proof of it on a few random workspaces. */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { eligible, type Needs } from "../../src/decide/assign.ts";
import { type Member, memberOf } from "../../src/decide/policy/people.ts";
import { newRota, type Rota, take, taken } from "../../src/decide/rota.ts";
import type { Presence } from "../../src/decide/time/presence.ts";
import { checkWindows } from "../prove/assign-windows.ts";

const member = (name: string, part: Partial<Member> = {}): Member => ({ ...memberOf(`${name}@example.com`), ...part });
const anybody: Needs = { skills: [], territory: null };
const here: Presence = { present: true };
const away: Presence = { present: false, why: "away", until: 9_000 };
const asleep: Presence = { present: false, why: "outside_hours", until: 5_000 };

/** Those who are not named are there. */
function ask(members: readonly Member[], needs: Partial<Needs>, presences: Record<string, Presence> = {}) {
  const { candidates, excluded } = eligible(
    members,
    { ...anybody, ...needs },
    (one) => presences[nameOf(one.address)] ?? here,
  );
  return {
    candidates: candidates.map(({ address }) => nameOf(address)),
    excluded: Object.fromEntries(excluded.map(({ address, why }) => [nameOf(address), why])),
  };
}

function nameOf(address: string): string {
  return address.split("@")[0] ?? "";
}

describe("who could take it", () => {
  it("is everybody who is there, with weight and cap", () => {
    const { candidates, excluded } = eligible(
      [member("ann", { weight: 2, cap: 5 }), member("bob")],
      anybody,
      () => here,
    );
    expect(candidates).toEqual([
      { address: "ann@example.com", weight: 2, cap: 5 },
      { address: "bob@example.com", weight: 1, cap: null },
    ]);
    expect(excluded).toEqual([]);
  });

  it("is not who is away, and it says until when", () => {
    const { candidates, excluded } = eligible([member("ann"), member("bob")], anybody, ({ address }) =>
      address.startsWith("ann") ? away : here,
    );
    expect(candidates.map(({ address }) => address)).toEqual(["bob@example.com"]);
    expect(excluded).toEqual([{ address: "ann@example.com", why: "away", until: 9_000 }]);
  });

  it("does not say until when where nobody knows", () => {
    const { excluded } = eligible([member("ann")], anybody, () => ({ present: false, why: "away", until: null }));
    expect(excluded).toEqual([{ address: "ann@example.com", why: "away" }]);
  });

  it("is not who is outside their hours, while somebody else is in", () => {
    expect(ask([member("ann"), member("bob")], {}, { ann: asleep })).toEqual({
      candidates: ["bob"],
      excluded: { ann: "outside_hours" },
    });
  });

  it("at night is everybody who will be back in the morning, and nobody who is away", () => {
    expect(ask([member("ann"), member("bob"), member("cleo")], {}, { ann: asleep, bob: away, cleo: asleep })).toEqual({
      candidates: ["ann", "cleo"],
      excluded: { bob: "away" },
    });
  });

  it("has every skill that is needed; that never gives way", () => {
    const members = [member("ann", { skills: ["german"] }), member("bob", { skills: ["german", "security"] })];
    expect(ask(members, { skills: ["german", "security"] })).toEqual({
      candidates: ["bob"],
      excluded: { ann: "skill" },
    });
    expect(ask(members, { skills: ["french"] })).toEqual({ candidates: [], excluded: { ann: "skill", bob: "skill" } });
  });

  it("is away first of all, whatever else speaks against them: only then nobody gives them more at a company they have", () => {
    const members = [
      member("ann", { skills: ["german"] }),
      member("bob", { territories: ["uk"], skills: ["french"] }),
      member("cleo", { skills: ["french"] }),
    ];
    expect(ask(members, { skills: ["french"], territory: "dach" }, { ann: away, bob: away })).toEqual({
      candidates: ["cleo"],
      excluded: { ann: "away", bob: "away" },
    });
    expect(ask(members, { skills: ["french"], territory: "dach" }, { ann: asleep }).excluded).toEqual({
      ann: "skill",
      bob: "territory",
    });
  });

  const territorial = [
    member("dora", { territories: ["dach"] }),
    member("nick", { territories: ["nordics", "uk"] }),
    member("gina"),
  ];

  it("works the lead's territory", () => {
    expect(ask(territorial, { territory: "dach" })).toEqual({
      candidates: ["dora"],
      excluded: { nick: "territory", gina: "territory" },
    });
  });

  it("is everybody where the lead's territory is not known", () => {
    expect(ask(territorial, { territory: null }).candidates).toEqual(["dora", "nick", "gina"]);
  });

  it("has no territory of their own where nobody works the lead's, or all who do are away", () => {
    expect(ask(territorial, { territory: "iberia" }).candidates).toEqual(["gina"]);
    expect(ask(territorial, { territory: "dach" }, { dora: away })).toEqual({
      candidates: ["gina"],
      excluded: { dora: "away", nick: "territory" },
    });
  });

  it("is the territory's own people in the morning rather than others at night", () => {
    expect(ask(territorial, { territory: "dach" }, { dora: asleep }).candidates).toEqual(["dora"]);
  });

  it("is nobody where all have another territory", () => {
    expect(ask(territorial.slice(0, 2), { territory: "iberia" })).toEqual({
      candidates: [],
      excluded: { dora: "territory", nick: "territory" },
    });
  });
});

/** Gives turns, one after the other, and says who had them. */
class Team {
  rota: Rota = newRota;
  #event = 0;

  give(times: number, weights: Record<string, number>): string[] {
    const candidates = Object.entries(weights).map(([address, weight]) => ({ address, weight }));
    return Array.from({ length: times }, () => {
      const event = ++this.#event;
      const found = take(this.rota, { follow_up: `fu_${event}`, event, candidates });
      this.rota = found?.rota ?? this.rota;
      return found?.holder ?? "nobody";
    });
  }
}

const countsOf = (holders: readonly string[]) =>
  Object.fromEntries([...new Set(holders)].sort().map((one) => [one, holders.filter((item) => item === one).length]));

describe("whose turn it is", () => {
  it("goes round among equals", () => {
    const holders = new Team().give(9, { ann: 1, bob: 1, cleo: 1 });
    expect(holders.slice(0, 3).toSorted()).toEqual(["ann", "bob", "cleo"]);
    expect(holders.slice(3, 6)).toEqual(holders.slice(0, 3));
    expect(holders.slice(6)).toEqual(holders.slice(0, 3));
  });

  it("is nobody's where nobody could take it, and nothing has happened then", () => {
    expect(take(newRota, { follow_up: "fu_1", event: 1, candidates: [] })).toBeNull();
  });

  it("begins with whom the follow-up's hash says, not with whom a list does", () => {
    const [forth, back] = [
      ["ann", "bob", "cleo"],
      ["cleo", "bob", "ann"],
    ].map((order) =>
      Array.from({ length: 30 }, (_, number) => {
        const candidates = order.map((address) => ({ address, weight: 1 }));
        return take(newRota, { follow_up: `fu_${number}`, event: 1, candidates })?.holder ?? "";
      }),
    );
    expect(forth).toEqual(back);
    expect(Object.keys(countsOf(forth ?? []))).toEqual(["ann", "bob", "cleo"]);
  });

  it("follows weights", () => {
    expect(countsOf(new Team().give(120, { ann: 3, bob: 2, cleo: 1 }))).toEqual({ ann: 60, bob: 40, cleo: 20 });
  });

  it("of somebody who was away comes once, and then in the same order as the others'", () => {
    const team = new Team();
    team.give(3, { ann: 1, bob: 1, cleo: 1 });
    expect(countsOf(team.give(100, { ann: 1, bob: 1 }))).toEqual({ ann: 50, bob: 50 });
    const back = team.give(6, { ann: 1, bob: 1, cleo: 1 });
    expect(back[0]).toBe("cleo");
    expect(countsOf(back)).toEqual({ ann: 2, bob: 2, cleo: 2 });
    expect(back.slice(1, 3)).not.toContain("cleo");
  });

  it("of a newcomer comes once, and then in the same order as the others'", () => {
    const team = new Team();
    team.give(100, { ann: 1, bob: 1 });
    const joined = team.give(6, { ann: 1, bob: 1, cleo: 1 });
    expect(joined.indexOf("cleo")).toBe(0);
    expect(joined.lastIndexOf("cleo")).toBe(3);
  });

  it("is not changed by leaving the team and coming back, nor by writing an address in capitals", () => {
    const team = new Team();
    const [first = "", second = ""] = team.give(2, { ann: 1, bob: 1 });
    expect(team.give(1, { ann: 1, bob: 1 })).toEqual([first]);
    // Whoever was just served leaves and is back, spelled otherwise: it is still the other one's turn.
    expect(team.give(1, { [first.toUpperCase()]: 1, [second]: 1 })).toEqual([second]);
  });

  it("is as an equal's from the moment on in which weights are equal", () => {
    const raised = new Team();
    expect(raised.give(2, { ann: 1, bob: 10 }).toSorted()).toEqual(["ann", "bob"]);
    expect(countsOf(raised.give(4, { ann: 10, bob: 10 }))).toEqual({ ann: 2, bob: 2 });
    const lowered = new Team();
    lowered.give(12, { ann: 10, bob: 1 });
    expect(countsOf(lowered.give(4, { ann: 1, bob: 1 }))).toEqual({ ann: 2, bob: 2 });
  });

  it("does not depend on others who come and go", () => {
    const team = new Team();
    const holders = Array.from({ length: 60 }, (_, number) =>
      team.give(1, {
        ann: 1,
        bob: 1,
        ...(number % 3 === 0 ? { cleo: 5 } : {}),
        ...(number % 4 === 0 ? { dora: 1 } : {}),
      }),
    ).flat();
    const two = holders.filter((one) => one === "ann" || one === "bob");
    expect(two.slice(1).every((one, index) => one !== two[index])).toBe(true);
    expect(two.length).toBeGreaterThan(20);
  });

  it("is the same after all turns were told again in any order, and after only each one's last one was", () => {
    const turns = [
      { person: "ann", begin: 0, event: 1 },
      { person: "bob", begin: 0, event: 2 },
      { person: "ann", begin: 1, event: 3 },
    ];
    const whole = turns.reduce(taken, newRota);
    expect(whole).toEqual({ time: 1, last: { ann: { begin: 1, event: 3 }, bob: { begin: 0, event: 2 } } });
    expect(turns.toReversed().reduce(taken, newRota)).toEqual(whole);
    expect(turns.slice(1).reduce(taken, newRota)).toEqual(whole);
  });
});

describe("the check of windows", () => {
  const turn = (holder: string, weights: Record<string, number>) => ({
    holder,
    weights: new Map(Object.entries(weights)),
  });
  const equal = { ann: 1, bob: 1 };

  it("finds two turns in a row of one of two equals, in the middle of fair ones", () => {
    const turns = ["ann", "bob", "bob", "ann", "bob"].map((holder) => turn(holder, equal));
    expect(checkWindows(turns)).toMatchObject({ spread: 2 });
    expect(checkWindows(turns).errors).not.toEqual([]);
  });

  it("accepts them where the other one was not there in between", () => {
    const turns = [
      turn("ann", equal),
      turn("bob", equal),
      turn("bob", { bob: 1 }),
      turn("bob", equal),
      turn("ann", equal),
    ];
    expect(checkWindows(turns)).toMatchObject({ errors: [], spread: 1, returns: 1 });
  });

  it("finds that a weight is not followed", () => {
    const turns = Array.from({ length: 12 }, (_, number) => turn(number % 2 === 0 ? "ann" : "bob", { ann: 3, bob: 1 }));
    expect(checkWindows(turns).errors).not.toEqual([]);
  });
});

describe("the team object, on random workspaces", () => {
  it("keeps what is promised in every window, through restarts, repeated calls, edits and absences", () => {
    const program = ["test/prove/assign.ts", "--cases", "60", "--seed", "7", "--json"];
    const done = spawnSync("node_modules/.bin/node", program, { encoding: "utf8" });
    const said = JSON.parse(done.stdout) as { figures: Record<string, number>; wrong: string[] };
    expect(said.wrong).toEqual([]);
    expect(said.figures).toMatchObject({ cases: 60, errors: 0, spread: 1 });
    // It was worth asking: people came back beside equals, calls were repeated, and objects restarted.
    expect(said.figures.returns).toBeGreaterThan(1_000);
    expect(said.figures.repeats).toBeGreaterThan(1_000);
    expect(said.figures.restarts).toBeGreaterThan(300);
  });
});
