import { describe, expect, it } from "vitest";
import { answerableFor } from "../../src/decide/answerable.ts";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import { memberOf } from "../../src/decide/policy/people.ts";
import type { Policy } from "../../src/decide/policy.ts";

const hour = 3_600_000;
const raised = Date.UTC(2026, 10, 23, 9);
const base = defaultPolicy(["sam@example.com", "kim@example.com"]);
const policy: Policy = {
  ...base,
  roles: {
    desk: { holder: "dana@example.com", deputy: "eli@example.com" },
    lead: { holder: null, deputy: "fay@example.com" },
    head: { holder: "gus@example.com", deputy: null },
  },
  exceptions: { held: { owner: "desk", due_in_ms: 4 * hour, escalate_to: ["lead", "head"] } },
};

const at = (hours: number, part: Parameters<typeof answerableFor>[4] = {}, under = policy) =>
  answerableFor(under, "held", raised, raised + hours * hour, part);

describe("an exception", () => {
  it("is its owner's until its deadline, and everybody can see who is next", () => {
    expect(at(0)).toEqual({
      owner: "dana@example.com",
      due_at: raised + 4 * hour,
      next: "fay@example.com",
      climbed: 0,
    });
    expect(at(3.9).owner).toBe("dana@example.com");
  });

  it("climbs along the roles, each with the same time", () => {
    expect(at(4)).toEqual({ owner: "fay@example.com", due_at: raised + 8 * hour, next: "gus@example.com", climbed: 1 });
    expect(at(8)).toEqual({ owner: "gus@example.com", due_at: raised + 12 * hour, next: null, climbed: 2 });
  });

  it("stays with whoever stands on top", () => expect(at(500)).toMatchObject({ owner: "gus@example.com", next: null }));

  it("of a vacant role is its deputy's at once", () => expect(at(4).owner).toBe("fay@example.com"));

  it("of somebody on leave is the deputy's", () => {
    const away = [{ from: "2026-11-20", to: "2026-11-27" }];
    const sales = { members: [{ ...memberOf("dana@example.com"), away }] };
    expect(at(0, {}, { ...policy, teams: { sales } }).owner).toBe("eli@example.com");
    const later = {
      ...policy,
      teams: {
        sales: { members: [{ ...memberOf("dana@example.com"), away: [{ from: "2026-12-01", to: "2026-12-02" }] }] },
      },
    };
    expect(at(0, {}, later).owner).toBe("dana@example.com");
  });

  const taken = (by: string, hours: number) => ({ taken: { by: `${by}@example.com`, at: raised + hours * hour } });

  it("that somebody has taken is theirs from that moment on, for as long as anybody's, and climbs from there", () => {
    expect(at(3, taken("hal", 3))).toEqual({
      owner: "hal@example.com",
      due_at: raised + 7 * hour,
      next: "dana@example.com",
      climbed: 0,
    });
    expect(at(6.9, taken("hal", 3)).owner).toBe("hal@example.com");
    expect(at(7, taken("hal", 3))).toMatchObject({ owner: "dana@example.com", due_at: raised + 11 * hour, climbed: 1 });
    expect(at(15, taken("hal", 3))).toMatchObject({ owner: "gus@example.com", next: null, climbed: 3 });
  });

  it("that somebody takes after it has climbed is theirs as well, and goes back to whoever had it then", () => {
    expect(at(5, taken("hal", 5))).toMatchObject({
      owner: "hal@example.com",
      due_at: raised + 9 * hour,
      next: "fay@example.com",
    });
    expect(at(9, taken("hal", 5)).owner).toBe("fay@example.com");
    expect(at(300, taken("hal", 300))).toMatchObject({ owner: "hal@example.com", next: "gus@example.com" });
  });

  it("that one of those takes who are asked anyway climbs to those above them", () => {
    expect(at(1, taken("dana", 1))).toMatchObject({ owner: "dana@example.com", next: "fay@example.com" });
    expect(at(5, taken("dana", 5))).toMatchObject({ owner: "dana@example.com", next: "fay@example.com" });
    expect(at(1, taken("fay", 1))).toMatchObject({ owner: "fay@example.com", next: "gus@example.com" });
    expect(at(1, taken("gus", 1))).toMatchObject({ owner: "gus@example.com", next: null });
    expect(at(99, taken("gus", 1)).owner).toBe("gus@example.com");
  });

  it("of which the policy says nothing is the holder's for a day, then revenue operations'", () => {
    const silent: Policy = {
      ...policy,
      exceptions: {},
      roles: { revenue_operations: { holder: "ria@example.com", deputy: null } },
    };
    const holder = "kim@example.com";
    expect(at(0, { holder }, silent)).toMatchObject({
      owner: holder,
      due_at: raised + 24 * hour,
      next: "ria@example.com",
    });
    expect(at(24, { holder }, silent).owner).toBe("ria@example.com");
    expect(at(0, {}, silent).owner).toBe("ria@example.com");
  });

  it("has an owner even where there are no roles at all", () => {
    const bare: Policy = {
      ...policy,
      exceptions: {},
      roles: {},
      teams: { sales: { members: [memberOf("sam@example.com")] } },
    };
    expect(at(0, {}, bare).owner).toBe("sam@example.com");
  });
});
