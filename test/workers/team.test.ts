/** The team object in the runtime it lives in: the same follow-up has the same person, and an assignment costs one row. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { teamStub } from "../../src/objects/names.ts";
import type { AssignAnswer, AssignCall, TeamObject } from "../../src/objects/team.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const day = 86_400_000;
const addressOf = (name: string) => `${name}@example.com`;

/** The team of one workspace; Ann, Bob and Cleo take turns unless a test says otherwise. */
function teamOf(workspace: string) {
  const stub = () => teamStub(env, workspace);
  const everybody = ["ann", "bob", "cleo"];
  return {
    stub,
    assign: (
      follow_up: string,
      part: Partial<AssignCall> & { readonly who?: readonly string[]; readonly cap?: number } = {},
    ) => {
      const { who = everybody, cap = null, ...rest } = part;
      return stub().assign({
        follow_up,
        team: "sales",
        play: "call",
        candidates: who.map((name) => ({ address: addressOf(name), weight: 1, cap })),
        known_members: who.map(addressOf),
        one_rep_per_company: false,
        at: 1_000,
        ...rest,
      }) as Promise<AssignAnswer>;
    },
    restart: () => evictDurableObject(stub()),
  };
}

function holderOf(answer: AssignAnswer): string {
  return answer.arm === "assigned" ? (answer.holder.split("@")[0] ?? "") : answer.why;
}

/** Rows that calls write, as they are billed; without what making the table costs once. */
async function rowsWritten(workspace: string, work: (team: TeamObject) => unknown): Promise<number> {
  return runInDurableObject(teamStub(env, workspace), async (team: TeamObject, { storage }) => {
    const { sql } = storage;
    const exec = sql.exec.bind(sql);
    let written = 0;
    const spied = vi.spyOn(sql, "exec").mockImplementation((query: string, ...values: unknown[]) => {
      const cursor = exec(query, ...values);
      written += cursor.rowsWritten;
      return cursor;
    });
    await work(team);
    spied.mockRestore();
    return written;
  });
}

describe("a follow-up", () => {
  it("has one person, however often and at once it is asked for", async () => {
    const { assign } = teamOf("team-once");
    const answers = await Promise.all(Array.from({ length: 20 }, () => assign("fu_1")));
    expect(new Set(answers.map(holderOf)).size).toBe(1);
    const next = await Promise.all([assign("fu_2"), assign("fu_3")]);
    expect(new Set([...answers, ...next].map(holderOf)).size).toBe(3);
  });

  it("keeps its person whatever the second call says, also after a restart and after it was closed", async () => {
    const { stub, assign, restart } = teamOf("team-again");
    const first = await assign("fu_1", { who: ["ann"] });
    expect(first).toEqual({ arm: "assigned", holder: "ann@example.com", why: "only_one", play: "call", at_cap: [] });
    expect(
      await assign("fu_1", {
        who: ["bob"],
        play: "email",
        preferred: { address: "cleo@example.com", why: "record_owner" },
      }),
    ).toEqual(first);
    await restart();
    expect(await assign("fu_1", { who: [] })).toEqual(first);
    await stub().release({ follow_up: "fu_1" });
    await restart();
    expect(await assign("fu_1", { who: ["bob"] })).toEqual(first);
  });

  it("that was closed before anybody had it takes nobody's room when it is asked for late", async () => {
    const { stub, assign } = teamOf("team-late");
    await stub().release({ follow_up: "fu_1" });
    expect(await assign("fu_1", { who: ["ann"], cap: 1 })).toEqual({ arm: "nobody", why: "closed" });
    expect(holderOf(await assign("fu_2", { who: ["ann"], cap: 1 }))).toBe("ann");
  });
});

describe("turns", () => {
  it("of many follow-ups at once are spread evenly, with restarts in between", async () => {
    const { assign, restart } = teamOf("team-spread");
    const holders: string[] = [];
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(Array.from({ length: 7 }, (_, index) => assign(`fu_${round}_${index}`)));
      holders.push(...answers.map(holderOf));
      await restart();
    }
    const counts = ["ann", "bob", "cleo"].map((name) => holders.filter((one) => one === name).length);
    expect(counts.toSorted()).toEqual([11, 12, 12]);
  });

  it("of one team are not those of another", async () => {
    const { assign } = teamOf("team-two");
    const first = holderOf(await assign("fu_1", { who: ["ann", "bob"] }));
    const other = first === "ann" ? "bob" : "ann";
    await assign("fu_2", { team: "success", who: [other] });
    expect(holderOf(await assign("fu_3", { who: ["ann", "bob"] }))).toBe(other);
  });

  it("are not taken by an owner's follow-up, which is theirs even at their cap, and counts for it", async () => {
    const { assign } = teamOf("team-owner");
    const owned = (id: string) =>
      assign(id, { who: ["ann", "bob"], cap: 2, preferred: { address: "ann@example.com", why: "account_owner" } });
    const answers = [await owned("fu_1"), await owned("fu_2"), await owned("fu_3")];
    expect(answers.map(holderOf)).toEqual(["ann", "ann", "ann"]);
    expect(answers[0]).toMatchObject({ why: "account_owner" });
    expect(await assign("fu_4", { who: ["ann", "bob"], cap: 3 })).toMatchObject({
      holder: "bob@example.com",
      why: "only_one",
      at_cap: ["ann@example.com"],
    });
    // Neither had a turn before Bob: it is Ann's.
    expect(holderOf(await assign("fu_5", { who: ["ann", "bob"] }))).toBe("ann");
  });
});

describe("caps", () => {
  it("hold over all teams and restarts, and closing one makes room", async () => {
    const { stub, assign, restart } = teamOf("team-caps");
    await assign("fu_1", { who: ["ann"], cap: 2 });
    await assign("fu_2", { who: ["ann"], cap: 2, team: "success" });
    await restart();
    expect(await assign("fu_3", { who: ["ann"], cap: 2 })).toEqual({ arm: "nobody", why: "all_at_cap" });
    await stub().release({ follow_up: "fu_2" });
    await stub().release({ follow_up: "fu_2" });
    expect(holderOf(await assign("fu_3", { who: ["ann"], cap: 2 }))).toBe("ann");
    expect(holderOf(await assign("fu_4", { who: ["ann"], cap: 2 }))).toBe("all_at_cap");
  });

  it("say that there is nobody where there is no candidate", async () => {
    expect(await teamOf("team-none").assign("fu_1", { who: [] })).toEqual({ arm: "nobody", why: "no_candidates" });
  });

  it("go with a follow-up that is handed over, and the turn stays with whoever had it", async () => {
    const { stub, assign, restart } = teamOf("team-hand");
    const first = holderOf(await assign("fu_1", { who: ["ann", "bob"], cap: 1 }));
    const other = first === "ann" ? "bob" : "ann";
    await stub().reassign({ follow_up: "fu_1", to: addressOf(other), by: "person", at: 2_000 });
    await stub().reassign({ follow_up: "fu_1", to: addressOf("cleo"), by: "engine", at: 1_500 });
    await restart();
    expect(await assign("fu_1")).toMatchObject({ holder: addressOf(other), why: "reassigned" });
    // `first` has room again, `other` has none.
    expect(await assign("fu_2", { who: ["ann", "bob"], cap: 1 })).toMatchObject({
      holder: addressOf(first),
      at_cap: [addressOf(other)],
    });
    // And `first` has had two turns, `other` none.
    expect(holderOf(await assign("fu_3", { who: ["ann", "bob"] }))).toBe(other);
  });

  it("count what somebody was given that nobody could be found for", async () => {
    const { stub, assign } = teamOf("team-given");
    await assign("fu_1", { who: [] });
    await stub().reassign({ follow_up: "fu_1", to: "ann@example.com", by: "engine", at: 2_000 });
    expect(await assign("fu_1")).toMatchObject({ holder: "ann@example.com", why: "handed_over" });
    expect(holderOf(await assign("fu_2", { who: ["ann"], cap: 1 }))).toBe("all_at_cap");
  });
});

describe("one person per company", () => {
  const company = { company: "acme.example.com", one_rep_per_company: true };

  it("gives a further follow-up to whoever has an open one there, at their cap and outside their hours", async () => {
    const { assign, restart } = teamOf("team-company");
    const first = holderOf(await assign("fu_1", { ...company, cap: 1 }));
    await restart();
    const others = ["ann", "bob", "cleo"].filter((name) => name !== first);
    const known_members = ["ann", "bob", "cleo"].map(addressOf);
    expect(await assign("fu_2", { ...company, who: others, known_members, cap: 1 })).toMatchObject({
      holder: addressOf(first),
      why: "company",
    });
    expect(await assign("fu_3", { ...company, company: "other.example.com", cap: 1 })).toMatchObject({ why: "turn" });
  });

  it("gives it to the next in turn where that one is gone, has closed theirs, or policy does not ask for it", async () => {
    const { stub, assign } = teamOf("team-company-over");
    await assign("fu_1", { ...company, who: ["ann"] });
    expect(holderOf(await assign("fu_2", { ...company, who: ["bob"] }))).toBe("bob");
    expect(
      holderOf(await assign("fu_3", { company: "acme.example.com", one_rep_per_company: false, who: ["cleo"] })),
    ).toBe("cleo");
    for (const follow_up of ["fu_1", "fu_2", "fu_3"]) await stub().release({ follow_up });
    expect(await assign("fu_4", { ...company })).toMatchObject({ why: "turn" });
  });

  it("does not overrule the owner", async () => {
    const { assign } = teamOf("team-company-owner");
    await assign("fu_1", { ...company, who: ["ann"] });
    const preferred = { address: "bob@example.com", why: "record_owner" } as const;
    expect(await assign("fu_2", { ...company, preferred })).toMatchObject({
      holder: "bob@example.com",
      why: "record_owner",
    });
  });
});

describe("what is stored", () => {
  const call = (follow_up: string): AssignCall => ({
    follow_up,
    team: "sales",
    play: "call",
    candidates: [{ address: "ann@example.com", weight: 1, cap: null }],
    known_members: ["ann@example.com"],
    one_rep_per_company: true,
    company: "acme.example.com",
    at: 1_000,
  });

  it("costs one row per assignment, one per hand-over, one per closing, and none when it is asked again", async () => {
    await teamOf("team-rows").assign("fu_0");
    const count = (work: (team: TeamObject) => unknown) => rowsWritten("team-rows", work);
    expect(await count((team) => team.assign(call("fu_1")))).toBe(1);
    expect(await count((team) => team.assign(call("fu_1")))).toBe(0);
    const given = { follow_up: "fu_1", to: "bob@example.com", by: "person", at: 2_000 } as const;
    expect(await count((team) => team.reassign(given))).toBe(1);
    expect(await count((team) => team.reassign(given))).toBe(0);
    expect(await count((team) => team.release({ follow_up: "fu_1" }))).toBe(1);
    expect(await count((team) => team.release({ follow_up: "fu_1" }))).toBe(0);
  });

  it("has one alarm however much is closed, and none before anything is", async () => {
    const { assign } = teamOf("team-alarm");
    for (const id of ["fu_1", "fu_2", "fu_3"]) await assign(id);
    await runInDurableObject(teamStub(env, "team-alarm"), async (team: TeamObject, { storage }) => {
      expect(await storage.getAlarm()).toBeNull();
      const set = vi.spyOn(storage, "setAlarm");
      await Promise.all(["fu_1", "fu_2", "fu_3"].map((follow_up) => team.release({ follow_up })));
      expect(set).toHaveBeenCalledTimes(1);
      expect(await storage.getAlarm()).toBeGreaterThan(Date.now() + 35 * day);
    });
  });

  it("is forgotten 35 days after it was closed, but for where the rota stands and what is open", async () => {
    const { stub, assign, restart } = teamOf("team-forget");
    const holders: string[] = [];
    for (let number = 1; number <= 5; number++)
      holders.push(holderOf(await assign(`fu_${number}`, { who: ["ann", "bob"] })));
    for (const number of [1, 2, 4, 5]) await stub().release({ follow_up: `fu_${number}` });
    const left = () =>
      runInDurableObject(stub(), (_team, { storage }) =>
        storage.sql
          .exec("SELECT follow_up FROM assigned ORDER BY follow_up")
          .toArray()
          .map((row) => row.follow_up),
      );
    const begin = Date.now();
    vi.spyOn(Date, "now").mockReturnValue(begin + 34 * day);
    await runDurableObjectAlarm(stub());
    expect(await left()).toEqual(["fu_1", "fu_2", "fu_3", "fu_4", "fu_5"]);
    vi.spyOn(Date, "now").mockReturnValue(begin + 36 * day);
    await runDurableObjectAlarm(stub());
    await runDurableObjectAlarm(stub());
    // 3 is open; 4 and 5 are the last turns of the two.
    expect(await left()).toEqual(["fu_3", "fu_4", "fu_5"]);
    await restart();
    expect(holderOf(await assign("fu_6", { who: ["ann", "bob"] }))).toBe(holders[3]);
  });
});
