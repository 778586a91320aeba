import { describe, expect, it } from "vitest";
import { decide, type FollowUpFact } from "../../src/decide/decide.ts";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import { type Policy, policySchema } from "../../src/decide/policy.ts";
import { decidesMax, smallestChanges } from "../../src/decide/why/smallest-change.ts";
import { why } from "../../src/decide/why.ts";
import type { Signal } from "../../src/model.ts";
import { emptyLead, foldSignal } from "../../src/resolve/lead.ts";
import type { Inputs } from "../../src/resolve/node.ts";
import { signal } from "../signals.ts";

const day = 86_400_000;
/** Friday, 4 October 2024, noon. */
const now = 20_000 * day + 12 * 3_600_000;
const base = defaultPolicy(["sam@example.com", "kim@example.com"]);
const policyWith = (change: Partial<Policy>): Policy => policySchema.parse({ ...base, ...change });

const recent = (part: Partial<Signal> & { readonly id: string }) =>
  signal({ occurred_at: now - 1_000, received_at: now - 500, ...part });

/** Decides, and asks why. */
function ask(signals: readonly Signal[], part: { policy?: Policy; followUps?: readonly FollowUpFact[] } = {}) {
  const policy = part.policy ?? base;
  const inputs: Inputs = {
    lead_id: "acme/1",
    lead: signals.reduce(foldSignal, emptyLead),
    follow_ups: part.followUps ?? [],
    approvals: [],
  };
  const { decision } = decide({
    policy,
    lead: inputs.lead,
    leadId: inputs.lead_id,
    followUps: inputs.follow_ups,
    signals,
    now,
  });
  return { decision, told: why(policy, decision, inputs, signals), inputs, policy };
}

const earlier: FollowUpFact = {
  id: "fu_1",
  play: "speed to lead",
  state: "open",
  created_at: now - day,
  due_at: now - day,
  priority: "high",
  reasons: [],
  revision: 10,
};

describe("why a decision was made", () => {
  it("is told of the very decision: made again from what history keeps, it has the same bytes", () => {
    const { decision, told, inputs, policy } = ask([recent({ id: "1" })]);
    expect(told.recomputed).toBe(true);
    const forged = { ...decision, score: { ...decision.score, total: 61 } };
    expect(why(policy, forged, inputs, [recent({ id: "1" })]).recomputed).toBe(false);
  });

  it("says under another version of the policy that it is not the same any more", () => {
    const { decision, inputs } = ask([recent({ id: "1" })]);
    expect(why({ ...base, version: 2 }, decision, inputs, [recent({ id: "1" })]).recomputed).toBe(false);
  });

  it("goes past the routes in their order: missed for a reason, taken, and not asked any more", () => {
    const { told } = ask([recent({ id: "1", kind: "trial_started" })]);
    expect(told.path.map(({ route, result, because }) => [route, result, because])).toEqual([
      ["asked for us", "missed", "none of the signals is one of demo_requested, contact_requested"],
      ["trial begins", "taken", null],
      ["sustained product interest", "not_asked", null],
    ]);
  });

  it("shows what a condition asked, what the fact was, and whether it passed", () => {
    const policy = policyWith({
      routes: [
        {
          name: "big in Germany",
          when: {
            kinds: ["form_submitted"],
            where: { "lead.country": { is: "DE" }, "signal.properties.seats": { at_least: 50 } },
            max_age_ms: day,
          },
          play: "speed to lead",
        },
        ...base.routes,
      ],
    });
    const form = recent({ id: "1", kind: "form_submitted", traits: { country: "DE" }, properties: { seats: 12 } });
    const [step] = ask([form], { policy }).told.path;
    expect(step?.because).toBe("its condition does not hold");
    expect(step?.tests).toEqual({
      group: "all_of",
      passed: false,
      of: [
        { fact: "lead.country", value: "DE", asked: { is: "DE" }, passed: true },
        { fact: "signal.properties.seats", value: 12, asked: { at_least: 50 }, passed: false },
      ],
    });
  });

  it("gives every point with the signal it came from, and the level with them", () => {
    const { told } = ask([recent({ id: "1" }), recent({ id: "2", kind: "pricing_viewed" })]);
    expect(told.points.map(({ code, points, signal: key }) => [code, points, key])).toEqual([
      ["intent:demo_requested", 60, "forms:1"],
      ["intent:pricing_viewed", 6, "forms:2"],
    ]);
    expect(told.level.level).toBe("card");
  });

  it("names who could take it, and who not and why", () => {
    const away = { ...base.teams.sales?.members[1], away: [{ from: "2024-10-01", to: "2024-10-10" }] };
    const [sam] = base.teams.sales?.members ?? [];
    const policy = policyWith({ teams: { sales: { members: [sam, away] as never, manager: "sam@example.com" } } });
    const { told } = ask([recent({ id: "1" })], { policy });
    expect(told.assign[0]?.candidates.map(({ address }) => address)).toEqual(["sam@example.com"]);
    expect(told.assign[0]?.excluded).toMatchObject([{ address: "kim@example.com", why: "away" }]);
    expect(told.words.join(" ")).toContain("kim@example.com (away)");
  });

  it("says until when a first contact is promised, where something leaves or is promised sooner, and nothing of it elsewhere", () => {
    const said = (...args: Parameters<typeof ask>) =>
      ask(...args).told.words.filter((words) => words.startsWith("Promised"));
    const promised = `Promised: a first contact by ${new Date(now - 500 + 15 * 60_000).toISOString()}.`;
    expect(said([recent({ id: "1" })])).toEqual([promised]);
    const trial = { ...earlier, revision: 0, promised_at: now + day };
    expect(said([recent({ id: "1" })], { followUps: [trial] })).toEqual([promised]);
    expect(said([recent({ id: "1", kind: "page_viewed" })])).toEqual([]);
  });

  it("lists the holds that were looked at, with those that stand", () => {
    const policy = policyWith({
      holds: {
        ...base.holds,
        manual: [{ name: "key account", when: { "account.domain": { is: "example.com" } }, words: "a key account" }],
      },
    });
    const { decision, told } = ask([recent({ id: "1" })], { policy });
    expect(decision.outcome).toBe("held");
    expect(told.holds.map(({ code, stands }) => [code, stands])).toEqual([
      ["hold:consent", false],
      ["hold:manual", false],
      ["hold:key account", true],
    ]);
  });
});

describe("the smallest change that would have changed it", () => {
  const told = (of: ReturnType<typeof ask>, what: string) => of.told.changes.filter((change) => change.what === what);

  it("is so many points, and one fewer would not do", () => {
    const scored = policyWith({
      routes: [
        { name: "enough", when: { score_at_least: 20, max_age_ms: day }, play: "speed to lead" },
        ...base.routes,
      ],
    });
    // 6 of intent: 14 are missing.
    const of = ask([recent({ id: "1", kind: "pricing_viewed" })], { policy: scored });
    expect(of.decision.outcome).toBe("none");
    expect(told(of, "score")[0]).toMatchObject({ by: 14, outcome: "follow_up", play: "speed to lead" });
    expect(told(of, "score")[0]?.text).toBe(
      "With 14 points more (20 in all), a follow-up “speed to lead” would have left.",
    );
  });

  it("is fewer points where a score was just enough", () => {
    const scored = policyWith({
      routes: [{ name: "enough", when: { score_at_least: 4, max_age_ms: day }, play: "speed to lead" }, ...base.routes],
    });
    const of = ask([recent({ id: "1", kind: "pricing_viewed" })], { policy: scored });
    expect(of.decision.outcome).toBe("follow_up");
    expect(told(of, "score")[0]).toMatchObject({ by: -3, outcome: "none" });
  });

  it("is a signal of a kind that a route asks for", () => {
    const of = ask([recent({ id: "1", kind: "page_viewed" })]);
    expect(told(of, "signal").map(({ text }) => text)[0]).toBe(
      "With one more signal “trial_started” (started a trial), a follow-up “trial welcome” would have left.",
    );
  });

  it("is one more day of the same interest, where a level asks for days", () => {
    // Eight signals of 8 points are enough; they came on one day, and two are asked for.
    const invites = Array.from({ length: 8 }, (_, index) => recent({ id: `${index}`, kind: "invite_sent" }));
    const generous = policyWith({
      kinds: { ...base.kinds, invite_sent: { ...base.kinds.invite_sent, daily_cap: 10 } } as Policy["kinds"],
    });
    const of = ask(invites, { policy: generous });
    expect(of.decision.outcome).toBe("none");
    expect(told(of, "day")[0]).toMatchObject({ outcome: "follow_up", play: "product interest" });
    expect(told(of, "day")[0]?.text).toContain("on one more day (2024-10-03)");
  });

  it("is this person's yes, where there was a no", () => {
    const of = ask([recent({ id: "1", consent: { follow_up: false } })]);
    expect(told(of, "consent")).toMatchObject([{ outcome: "follow_up" }]);
  });

  it("is an address, where nobody could be reached", () => {
    const of = ask([recent({ id: "1", identifiers: [{ type: "anonymous_id", value: "a1" }] })]);
    expect(of.decision.outcome).toBe("waiting");
    expect(told(of, "address")).toMatchObject([{ outcome: "follow_up" }]);
  });

  it("is the follow-up that is open", () => {
    const of = ask([recent({ id: "1" })], { followUps: [earlier] });
    expect(of.decision.outcome).toBe("noted");
    expect(told(of, "open_follow_up")).toMatchObject([{ outcome: "follow_up" }]);
  });

  it("is the end of the time in which a play is not repeated, and says when that is", () => {
    const done: FollowUpFact = { ...earlier, state: "done", closed_at: now - day };
    // Old by then, but not too old for the route.
    const of = ask([recent({ id: "1" })], { followUps: [done] });
    expect(of.decision.reasons[0]?.code).toBe("cooling_down");
    expect(told(of, "cool_down")).toMatchObject([{ outcome: "follow_up", at: now + 6 * day }]);
  });

  it("is the next opening of the office", () => {
    const office = { zone: "UTC", week: { sat: [["09:00", "17:00"]] }, holidays: [], special: {} };
    const policy = policyWith({
      calendars: { office } as never,
      routes: [
        {
          name: "in the office",
          when: { kinds: ["form_submitted"], open: "office", max_age_ms: 7 * day },
          play: "speed to lead",
        },
        ...base.routes,
      ],
    });
    const of = ask([recent({ id: "1", kind: "form_submitted" })], { policy });
    expect(told(of, "calendar")).toMatchObject([{ outcome: "follow_up", at: Date.UTC(2024, 9, 5, 9) }]);
  });

  it("is looked for in at most 200 tries, however many routes there are", () => {
    const many = policyWith({
      routes: [
        ...Array.from({ length: 300 }, (_, index) => ({
          name: `r${index}`,
          when: { score_at_least: 5_000 + index, where: { "lead.country": { is: `c${index}` } }, max_age_ms: day },
          play: "speed to lead",
        })),
        ...base.routes,
      ],
    });
    const signals = [recent({ id: "1", kind: "payment_failed" })];
    const { decision, inputs } = ask(signals, { policy: many });
    const question = { policy: many, lead: inputs.lead, leadId: "acme/1", followUps: [], signals, now };
    const { changes, tries } = smallestChanges(question, decision);
    expect(tries).toBeLessThanOrEqual(decidesMax);
    expect(tries).toBeGreaterThan(100);
    expect(changes.length).toBeLessThanOrEqual(6);
  });
});
