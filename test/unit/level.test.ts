import { describe, expect, it } from "vitest";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import { standingOf } from "../../src/decide/level.ts";
import type { Policy } from "../../src/decide/policy.ts";
import { scoreOf } from "../../src/decide/score.ts";
import type { Signal } from "../../src/model.ts";
import { emptyLead, foldSignal } from "../../src/resolve/lead.ts";
import { seeded, signal } from "../signals.ts";

const day = 86_400_000;
/** The last moment of a day: every day before it has faded by a whole one. */
const now = 20_001 * day - 1;
const base = defaultPolicy(["sam@example.com"]);

/** 10 points a signal, halved each day: numbers that can be followed by hand. */
const policy: Policy = {
  ...base,
  kinds: { used: { tier: "hours", intent: 10, daily_cap: 100, words: "used it" } },
  scoring: { ...base.scoring, half_life_days: 1 },
  escalation: {
    watch: { enter: 10, leave: 5 },
    card: { enter: 25, leave: 15 },
    task: { enter: 40, leave: 20 },
    urgent: { enter: 80, leave: 50, sustained: { signals: 9, days: 2, within_days: 3 } },
    urgent_due_in_ms: 3_600_000,
  },
};

let number = 0;
const used = (daysAgo: number, count = 1): Signal[] =>
  Array.from({ length: count }, () => {
    number++;
    return signal({
      id: `u${number}`,
      kind: "used",
      identifiers: [{ type: "user_id", value: "u1" }],
      occurred_at: now - daysAgo * day,
    });
  });

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = seeded(seed);
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

function standing(signals: readonly Signal[], at = now, under = policy) {
  const lead = signals.reduce(foldSignal, emptyLead);
  return standingOf(under, lead, scoreOf(under, lead, at).score, at);
}

describe("a lead climbs", () => {
  it("not at all without points", () => expect(standing([])).toEqual({ level: "none", episodeSince: null }));

  it.each([
    [1, "watch"],
    [2, "watch"],
    [3, "card"],
    [4, "task"],
  ] as const)("with %i signals of ten points today to %s", (count, level) =>
    expect(standing(used(0, count)).level).toBe(level),
  );

  it("not to a rung whose sustained interest is missing: nine signals in one day are no two days", () => {
    expect(standing(used(0, 9)).level).toBe("task");
  });

  it("to that rung with the same points on two days", () => {
    // Yesterday's 60 points are 30 today, and 60 of today: 90.
    expect(standing([...used(1, 6), ...used(0, 6)]).level).toBe("urgent");
  });
});

describe("a lead climbs down", () => {
  it("only below the lower mark: what took 40 points to reach is kept with 20", () => {
    // 80 points two days ago: 40 yesterday, 20 today.
    expect(standing(used(2, 8)).level).toBe("task");
    expect(standing(used(0, 2)).level).toBe("watch");
  });

  it("below it by as many rungs as the points ask for", () => {
    // 80 points four days ago are 5 today: below `watch`'s lower mark would be 4.
    expect(standing(used(4, 8)).level).toBe("watch");
    expect(standing(used(5, 8)).level).toBe("none");
  });

  it("and has begun a new episode when it is up again", () => {
    const first = standing(used(2, 8));
    expect(first.episodeSince).toBe(20_000 * day - 2 * day);
    const again = standing([...used(9, 8), ...used(0, 4)]);
    expect(again).toEqual({ level: "task", episodeSince: 20_000 * day });
  });

  it("while nothing happens at all: time alone is enough", () => {
    const signals = used(0, 8);
    expect([0, 2, 3, 4, 5].map((days) => standing(signals, now + days * day).level)).toEqual([
      "task",
      "task",
      "watch",
      "watch",
      "none",
    ]);
  });
});

describe("the level", () => {
  it("is the same in whatever order the signals arrived", () => {
    const signals = [...used(6, 3), ...used(2, 5), ...used(1, 2), ...used(0, 1)];
    const expected = standing(signals);
    for (let seed = 1; seed <= 20; seed++) expect(standing(shuffled(signals, seed))).toEqual(expected);
  });

  it("counts a burst while it is fresh, and not one that is spread over the day", () => {
    const bursty: Policy = {
      ...policy,
      escalation: {
        ...policy.escalation,
        task: { enter: 40, leave: 20, sustained: { signals: 4, days: 1, within_minutes: 30 } },
      },
    };
    const at = (minutesAgo: number) => ({ ...(used(0)[0] as Signal), occurred_at: now - minutesAgo * 60_000 });
    expect(standing([5, 10, 15, 20].map(at), now, bursty).level).toBe("task");
    expect(standing([5, 70, 140, 210].map(at), now, bursty).level).toBe("card");
  });

  it("may ask what the whole company does", () => {
    const together: Policy = {
      ...policy,
      escalation: {
        ...policy.escalation,
        urgent: { enter: 80, leave: 50, sustained: { signals: 12, days: 2, within_days: 3, by: "account" } },
      },
    };
    const own = used(0, 9).reduce(foldSignal, emptyLead);
    const score = scoreOf(together, own, now).score;
    expect(standingOf(together, own, score, now).level).toBe("task");
    const colleagues = used(1, 3).reduce(foldSignal, emptyLead).kinds;
    expect(standingOf(together, own, score, now, colleagues).level).toBe("urgent");
  });
});
