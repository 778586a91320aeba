/** What changed between two policies, in words; conditions and times in words. */
import { describe, expect, it } from "vitest";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import type { Condition } from "../../src/decide/policy/condition.ts";
import { diffOf, rebased } from "../../src/decide/policy/diff.ts";
import { digestOf } from "../../src/decide/policy/digest.ts";
import { memberOf } from "../../src/decide/policy/people.ts";
import { wordsOf, wordsOfRoute, wordsOfTime } from "../../src/decide/policy/words.ts";
import type { Policy } from "../../src/decide/policy.ts";

const base = defaultPolicy(["sam@example.com", "kim@example.com"]);
const dayMs = 86_400_000;
const [asked, trial, interest] = base.routes as [Policy["routes"][0], Policy["routes"][0], Policy["routes"][0]];
const texts = (after: object, before: object = base) => diffOf(before, after).map(({ text }) => text);
const withPlay = (part: object) => ({
  ...base,
  plays: { ...base.plays, "speed to lead": { ...base.plays["speed to lead"], ...part } },
});

describe("a difference", () => {
  it("between equal policies is nothing, whatever their versions and the order of their members", () => {
    expect(diffOf(base, { ...base, version: 9 })).toEqual([]);
    expect(diffOf(base, Object.fromEntries(Object.entries(base).reverse()))).toEqual([]);
  });

  const { trial_ending, ...fewer } = base.kinds;
  const sentences: readonly (readonly [string, object, string])[] = [
    ["times", withPlay({ due_in_ms: 600_000 }), "Play “speed to lead”: now due in 10 minutes (was 15 minutes)"],
    [
      "rests",
      withPlay({ cool_down_ms: 36 * 3_600_000 }),
      "Play “speed to lead”: now rests after a follow-up for 1 day 12 hours (was 7 days)",
    ],
    [
      "points",
      { ...base, kinds: { ...base.kinds, demo_requested: { ...base.kinds.demo_requested, intent: 50 } } },
      "Kind demo_requested: 60 → 50 points",
    ],
    ["kinds that are new", { ...base, kinds: { ...base.kinds, coughed: trial_ending } }, "Kind coughed: added"],
    ["kinds that are gone", { ...base, kinds: fewer }, "Kind trial_ending: removed"],
    [
      "a route's kinds",
      {
        ...base,
        routes: [{ ...asked, when: { ...asked.when, kinds: ["demo_requested", "signed_up"] } }, trial, interest],
      },
      "Route “asked for us”: kinds added “signed_up”; removed “contact_requested”",
    ],
    [
      "a condition that is new",
      {
        ...base,
        routes: [{ ...asked, when: { ...asked.when, where: { "lead.country": { is: "DE" } } } }, trial, interest],
      },
      "Route “asked for us”: condition set to country is “DE”",
    ],
    ["a route that is gone", { ...base, routes: [asked, interest] }, "Route “trial begins”: removed"],
    [
      "a route's play",
      { ...base, routes: [{ ...asked, play: "trial welcome" }, trial, interest] },
      "Route “asked for us”: play now “trial welcome” (was “speed to lead”)",
    ],
    [
      "members that are new",
      {
        ...base,
        teams: {
          sales: { ...base.teams.sales, members: [...(base.teams.sales?.members ?? []), memberOf("lee@example.com")] },
        },
      },
      "Team “sales”, member lee@example.com: added",
    ],
    [
      "members that are gone",
      { ...base, teams: { sales: { ...base.teams.sales, members: [memberOf("sam@example.com")] } } },
      "Team “sales”, member kim@example.com: removed",
    ],
    [
      "what a member may take",
      {
        ...base,
        teams: {
          sales: {
            ...base.teams.sales,
            members: [{ ...memberOf("sam@example.com"), cap: 20 }, memberOf("kim@example.com")],
          },
        },
      },
      "Team “sales”, member sam@example.com: cap now 20 (was none)",
    ],
    [
      "a vacant role",
      { ...base, roles: { revenue_operations: { holder: null, deputy: "kim@example.com" } } },
      "Role “revenue_operations”: holder now none (was “sam@example.com”)",
    ],
    [
      "levels",
      { ...base, escalation: { ...base.escalation, task: { ...base.escalation.task, enter: 45 } } },
      "Level “task”: enter now 45 (was 40)",
    ],
    [
      "what sustained means",
      {
        ...base,
        escalation: {
          ...base.escalation,
          task: { ...base.escalation.task, sustained: { signals: 5, days: 1, within_minutes: 30 } },
        },
      },
      "Level “task”: sustained now 5 signals within 30 minutes (was 8 signals on 2 days within 7 days)",
    ],
    [
      "urgent follow-ups",
      { ...base, escalation: { ...base.escalation, urgent_due_in_ms: 3_600_000 } },
      "Urgent follow-ups: now due in 1 hour (was 2 hours)",
    ],
    [
      "switches",
      { ...base, changes: { ...base.changes, four_eyes: true } },
      "Changing this policy: four eyes now on (was off)",
    ],
    [
      "long lists",
      { ...base, manual_domains: Array.from({ length: 12 }, (_, index) => `d${index}.example.com`) },
      "Policy: manual domains added “d0.example.com”, “d1.example.com”, “d2.example.com”, “d3.example.com”, “d4.example.com”, “d5.example.com”, “d6.example.com”, “d7.example.com” and 4 more",
    ],
    ["the rest of the document", { ...base, sla_clock: "business" }, "Policy: sla clock now “business” (was “wall”)"],
  ];
  it.each(sentences)("says in a sentence: %s", (_what, after, sentence) => {
    expect(texts(after)).toEqual([sentence]);
  });

  it("holds each change as data", () => {
    expect(diffOf(base, withPlay({ due_in_ms: 600_000, calendar: "office" }))).toEqual([
      {
        path: ["plays", "speed to lead", "due_in_ms"],
        before: 900_000,
        after: 600_000,
        text: "Play “speed to lead”: now due in 10 minutes (was 15 minutes)",
      },
      {
        path: ["plays", "speed to lead", "calendar"],
        after: "office",
        text: "Play “speed to lead”: calendar set to “office”",
      },
    ]);
  });

  it("says that a route moved, and only of the one that did", () => {
    expect(diffOf(base, { ...base, routes: [interest, asked, trial] })).toEqual([
      {
        path: ["routes", "sustained product interest"],
        before: 3,
        after: 1,
        text: "Route “sustained product interest”: moved up, now above “asked for us”",
      },
    ]);
    expect(texts({ ...base, routes: [trial, interest, asked] })).toEqual([
      "Route “asked for us”: moved down, now below “sustained product interest”",
    ]);
    const fresh = { ...asked, name: "new" };
    expect(texts({ ...base, routes: [fresh, asked, trial, interest] })).toEqual(["Route “new”: added"]);
    expect(texts({ ...base, routes: [asked, interest] })).toEqual(["Route “trial begins”: removed"]);
  });

  it("takes a play that is named like something every object has for what it is", () => {
    const named = { ...base, plays: { ...base.plays, toString: base.plays["speed to lead"] } };
    expect(texts(named)).toEqual(["Play “toString”: added"]);
    expect(texts(base, named)).toEqual(["Play “toString”: removed"]);
  });

  it("compares lists whose items have no names of their own as a whole", () => {
    const twice = { ...base, routes: [asked, asked] };
    expect(diffOf(twice, base).map(({ path }) => path)).toEqual([["routes"]]);
  });

  it("of the largest policies takes less than a second", () => {
    const many = (tag: number) => ({
      ...base,
      routes: Array.from({ length: 500 }, (_, index) => ({
        ...asked,
        name: `r${(index * 7 * tag) % 500}`,
        when: { ...asked.when, score_at_least: index },
      })),
      manual_domains: Array.from({ length: 5_000 }, (_, index) => `d${index * tag}.example.com`),
    });
    const started = performance.now();
    expect(diffOf(many(1), many(3)).length).toBeGreaterThan(500);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe("a rebase", () => {
  const mine = withPlay({ due_in_ms: 600_000 }) as Policy;

  it("puts what I changed on top of what others changed", () => {
    const theirs = { ...base, version: 2, one_open_per: "play" };
    expect(rebased(base, mine, theirs)).toEqual({
      document: { ...(({ version: _version, ...rest }) => rest)(mine), one_open_per: "play" },
    });
  });

  it("keeps what others added and takes away what I took away", () => {
    const { page_viewed: _gone, ...fewer } = base.kinds;
    const result = rebased(
      base,
      { ...base, kinds: fewer },
      { ...base, kinds: { ...base.kinds, coughed: base.other_kinds } },
    );
    expect(Object.keys((result as { document: Policy }).document.kinds)).toEqual([...Object.keys(fewer), "coughed"]);
  });

  it("agrees where both changed the same thing in the same way, and refuses where they did not", () => {
    expect(rebased(base, mine, { ...mine, version: 2 })).toHaveProperty("document");
    expect(rebased(base, mine, withPlay({ due_in_ms: 1 }))).toEqual({
      conflicts: [["plays", "speed to lead", "due_in_ms"]],
    });
    expect(rebased(base, { ...base, routes: [asked] }, { ...base, routes: [trial, asked, interest] })).toEqual({
      conflicts: [["routes"]],
    });
  });
});

describe("the name of a content", () => {
  it("is the same in every version, and another one for another content", () => {
    expect(digestOf({ ...base, version: 7 })).toBe(digestOf(base));
    expect(digestOf({ ...base, one_open_per: "play" })).not.toBe(digestOf(base));
  });
});

describe("words", () => {
  it.each([
    [0, "no time"],
    [1, "1 millisecond"],
    [1_500, "1 second 500 milliseconds"],
    [60_000, "1 minute"],
    [5_400_000, "1 hour 30 minutes"],
    [dayMs, "1 day"],
    [7 * dayMs + 3_600_000, "7 days 1 hour"],
  ])("of %i milliseconds: %s", (ms, words) => {
    expect(wordsOfTime(ms)).toBe(words);
  });

  it.each<[Condition, string]>([
    [{ "lead.country": { is: ["DE", "FR"] } }, "country is “DE” or “FR”"],
    [{ "signal.kind": { is_not: ["a", "b"] } }, "kind is not “a” nor “b”"],
    [{ "score.total": { at_least: 40, at_most: 80 } }, "score is at least 40 and is at most 80"],
    [{ "lead.owner": { known: false } }, "owner is not known"],
    [
      { "signal.properties.plan_size": { is: 5 }, "lead.job_title": { like: "*head*" } },
      "property “plan_size” is 5 and job title looks like “*head*”",
    ],
    [
      { any_of: [{ level: { is: "task" } }, { "account.domain": { ends_with: ".edu" } }] },
      "((level is “task”) or (company's domain ends with “.edu”))",
    ],
    [{ all_of: [{ level: { is: "task" } }] }, "(level is “task”)"],
    [
      {
        "lead.email": { contains: "x", starts_with: "a" },
        none_of: [{ level: { is: "card" } }, { level: { is: "none" } }],
      },
      "email contains “x” and starts with “a” and none of (level is “card”), (level is “none”)",
    ],
  ])("of %j: %s", (condition, words) => {
    expect(wordsOf(condition)).toBe(words);
  });

  it("of everything that a route asks", () => {
    const when = {
      score_at_least: 40,
      level_at_least: "task" as const,
      sustained: { signals: 3, days: 2, within_days: 7 },
      open: "office",
      closed: "holidays",
      where: { "lead.country": { is: "DE" } },
      max_age_ms: dayMs,
    };
    expect(wordsOfRoute({ name: "x", when, play: "y" })).toBe(
      "the score is at least 40; the lead has climbed to “task”; 3 signals on 2 days within 7 days; “office” is open; “holidays” is closed; country is “DE”; the signal is at most 1 day old",
    );
  });
});
