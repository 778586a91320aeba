import { describe, expect, it } from "vitest";
import { nextAttemptAt } from "../../../src/card/next-attempt.ts";
import { actorOf, actorsOf } from "../../../src/card/people.ts";
import { defaultPolicy } from "../../../src/decide/default-policy.ts";
import type { Policy } from "../../../src/decide/policy.ts";

const base = defaultPolicy(["sam@example.com", "kim@example.com"]);
const item = { play: "speed to lead", holder: "sam@example.com" };
const monday = (hour: number, minute = 0) => Date.UTC(2026, 10, 23, hour, minute);
const hours: Policy["calendars"][string] = {
  zone: "Europe/Berlin",
  week: Object.fromEntries(["mon", "tue", "wed", "thu", "fri"].map((day) => [day, [["09:00", "17:00"]]])),
  holidays: ["2026-11-24"],
  special: {},
};

describe("whoever did not answer is tried again", () => {
  it("at the same time on the next weekday, where nobody named any hours", () => {
    expect(nextAttemptAt(base, item, monday(14, 5) + 30_000)).toBe(monday(14, 5) + 86_400_000);
    const friday = Date.UTC(2026, 10, 27, 14, 5);
    expect(nextAttemptAt(base, item, friday)).toBe(Date.UTC(2026, 10, 30, 14, 5));
  });

  it("when the team opens on the next day that is open, in its zone", () => {
    const policy: Policy = {
      ...base,
      calendars: { berlin: hours },
      teams: { sales: { members: base.teams.sales?.members ?? [], calendar: "berlin" } },
    };
    // Tuesday is a holiday; 09:00 in Berlin is 08:00 UTC in November.
    expect(nextAttemptAt(policy, item, monday(10))).toBe(Date.UTC(2026, 10, 25, 8));
    // Half past eleven at night in Berlin is still Monday there, and half past midnight is Tuesday.
    expect(nextAttemptAt(policy, item, monday(22, 30))).toBe(Date.UTC(2026, 10, 25, 8));
  });

  it("not while the holder is away", () => {
    const sam = { ...base.teams.sales?.members[0], away: [{ from: "2026-11-25", to: "2026-11-26" }] };
    const policy: Policy = {
      ...base,
      calendars: { berlin: hours },
      teams: { sales: { members: [sam as never], calendar: "berlin" } },
    };
    expect(nextAttemptAt(policy, item, monday(10))).toBe(Date.UTC(2026, 10, 27, 8));
  });
});

describe("who may act", () => {
  const policy: Policy = {
    ...base,
    teams: { sales: { members: base.teams.sales?.members ?? [], manager: "Lee@example.com" } },
    roles: { ops: { holder: null, deputy: "pat@example.com" } },
  };

  it("is on a team, manages one, has a role, or answers for a play; each once", () => {
    expect(actorsOf(policy)).toEqual(["sam@example.com", "kim@example.com", "Lee@example.com", "pat@example.com"]);
  });

  it("is found however the address is written, and nobody else is", () => {
    expect(actorOf(policy, "LEE@example.com")).toBe("Lee@example.com");
    expect(actorOf(policy, "mallory@example.com")).toBeUndefined();
    expect(actorOf(policy, "")).toBeUndefined();
  });
});
