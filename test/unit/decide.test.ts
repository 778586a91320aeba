import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/crypto.ts";
import { decide, type FollowUpFact, type Question, waitingAfter } from "../../src/decide/decide.ts";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import { type Policy, policySchema } from "../../src/decide/policy.ts";
import type { Signal } from "../../src/model.ts";
import { emptyLead, foldSignal } from "../../src/resolve/lead.ts";
import { signal } from "../signals.ts";

const day = 86_400_000;
const now = 20_000 * day + 12 * 3_600_000;
const policy = defaultPolicy(["sam@example.com", "kim@example.com"]);

function ask(signals: readonly Signal[], part: Partial<Question> = {}) {
  return decide({
    policy,
    lead: signals.reduce(foldSignal, emptyLead),
    leadId: "acme/1",
    followUps: [],
    signals,
    now,
    ...part,
  });
}

const recent = (part: Partial<Signal> & { readonly id: string }) =>
  signal({ occurred_at: now - 1_000, received_at: now - 500, ...part });

describe("the default policy", () => {
  it("passes its own schema", () => {
    expect(policySchema.safeParse(policy).success).toBe(true);
  });

  it("turns a demo request into a follow-up of the hot tier, due 15 minutes after it was accepted", () => {
    const { decision, followUp } = ask([recent({ id: "1", kind: "demo_requested" })]);
    expect(decision.outcome).toBe("follow_up");
    expect(followUp?.tier).toBe("seconds");
    expect(followUp?.play).toBe("speed to lead");
    expect(followUp?.due_at).toBe(now - 500 + 15 * 60_000);
    expect(["sam@example.com", "kim@example.com"]).toContain(followUp?.holder);
    expect(followUp?.reasons[0]?.text).toBe("asked for a demo (route “asked for us”)");
  });

  it("turns a trial into a follow-up of the minutes tier", () => {
    const { decision, followUp } = ask([recent({ id: "1", kind: "trial_started" })]);
    expect(decision.outcome).toBe("follow_up");
    expect(followUp?.tier).toBe("minutes");
  });

  it("lets product usage only move the score", () => {
    const { decision, followUp } = ask([recent({ id: "1", kind: "product_used" })]);
    expect(decision.outcome).toBe("none");
    expect(decision.score.intent).toBe(2);
    expect(followUp).toBeUndefined();
  });

  it("follows up sustained product interest: enough signals, on enough days, with enough points", () => {
    const used = Array.from({ length: 12 }, (_, index) =>
      recent({
        id: `${index}`,
        kind: index % 2 === 0 ? "pricing_viewed" : "invite_sent",
        occurred_at: now - (index % 3) * day - 1_000,
      }),
    );
    expect(ask(used).decision.play).toBe("product interest");
    expect(ask(used).decision.outcome).toBe("follow_up");
  });

  it("takes no route that is about interest for a kind that is only recorded: who unsubscribes after all that asks for nothing", () => {
    const used = Array.from({ length: 12 }, (_, index) =>
      recent({
        id: `${index}`,
        kind: index % 2 === 0 ? "pricing_viewed" : "invite_sent",
        occurred_at: now - (index % 3) * day - 1_000,
      }),
    );
    const last = recent({ id: "no", kind: "unsubscribed", consent: { follow_up: false } });
    const lead = [...used, last].reduce(foldSignal, emptyLead);
    expect(ask([last], { lead }).decision.outcome).toBe("none");
    // Together with what shows interest, it is that which is held.
    expect(ask([...used.slice(0, 1), last], { lead }).decision).toMatchObject({ outcome: "held" });
  });

  it("does not follow up a burst within one day, however many signals it has", () => {
    const used = Array.from({ length: 50 }, (_, index) => recent({ id: `${index}`, kind: "product_used" }));
    expect(ask(used).decision.outcome).toBe("none");
  });

  it("ignores a demo request that is older than a week: a backfill makes no calls", () => {
    expect(ask([recent({ id: "1", occurred_at: now - 8 * day })]).decision.outcome).toBe("none");
  });
});

describe("a decision", () => {
  const open: FollowUpFact = {
    id: "fu_1",
    play: "speed to lead",
    state: "open",
    created_at: now - day,
    due_at: now + day,
    priority: "high",
    reasons: [],
    revision: 0,
  };

  it("notes a second request on the follow-up that is open, whatever its play", () => {
    expect(ask([recent({ id: "1", kind: "trial_started" })], { followUps: [open] }).decision).toMatchObject({
      outcome: "noted",
      follow_up: "fu_1",
    });
  });

  it("opens a second one for another play where the policy says one per play", () => {
    const perPlay: Policy = { ...policy, one_open_per: "play" };
    expect(
      ask([recent({ id: "1", kind: "trial_started" })], { followUps: [open], policy: perPlay }).decision.outcome,
    ).toBe("follow_up");
  });

  it("leaves a person alone for a while after a follow-up of the same play was done", () => {
    const done: FollowUpFact = { ...open, state: "done" };
    expect(ask([recent({ id: "1" })], { followUps: [done] }).decision.outcome).toBe("none");
    const longAgo: FollowUpFact = { ...done, created_at: now - 8 * day };
    expect(ask([recent({ id: "1" })], { followUps: [longAgo] }).decision.outcome).toBe("follow_up");
  });

  it("does not count a cancelled follow-up as a contact", () => {
    expect(ask([recent({ id: "1" })], { followUps: [{ ...open, state: "cancelled" }] }).decision.outcome).toBe(
      "follow_up",
    );
  });

  it("is held when the person asked not to be contacted", () => {
    const { decision, followUp } = ask([recent({ id: "1", consent: { follow_up: false } })]);
    expect(decision.outcome).toBe("held");
    expect(decision.reasons[0]?.code).toBe("hold:consent");
    expect(followUp).toBeUndefined();
  });

  it("is held for accounts that are handled by hand", () => {
    const manual: Policy = { ...policy, manual_domains: ["example.com"] };
    expect(ask([recent({ id: "1" })], { policy: manual }).decision.reasons[0]?.code).toBe("hold:manual");
  });

  it("waits while there is no way to reach the person", () => {
    const anonymous = recent({ id: "1", identifiers: [{ type: "anonymous_id", value: "a1" }] });
    expect(ask([anonymous]).decision.outcome).toBe("waiting");
  });

  it("asks again about the newest 25 signals of somebody unknown, and about the one that asked for a follow-up", () => {
    const unknown = { identifiers: [{ type: "anonymous_id", value: "a1" }] };
    const demo = recent({ id: "demo", occurred_at: now - 500_000, ...unknown });
    const views = Array.from({ length: 150 }, (_, at) =>
      recent({ id: `view ${at}`, kind: "page_viewed", occurred_at: now - 400_000 + at, ...unknown }),
    );
    const { decision } = ask([demo, ...views]);
    expect(decision.outcome).toBe("waiting");
    const waiting = [...waitingAfter(decision)];
    expect(waiting).toHaveLength(26);
    expect(waiting.slice(0, 2)).toEqual(["forms:demo", "forms:view 125"]);
    expect(waiting.at(-1)).toBe("forms:view 149");
  });

  it("asks about nothing again once it is made", () => {
    expect([...waitingAfter(ask([recent({ id: "1" })]).decision)]).toEqual([]);
  });

  it("names the signals it was made for, in the order of their events", () => {
    const late = recent({ id: "b", occurred_at: now - 5_000 });
    const early = recent({ id: "a", occurred_at: now - 9_000 });
    expect(ask([late, early]).decision.signals).toEqual(["forms:a", "forms:b"]);
  });

  it("has the same bytes whenever it is made again from the same facts (G10)", () => {
    const signals = [recent({ id: "1" }), recent({ id: "2", kind: "pricing_viewed" })];
    expect(canonicalJson(ask(signals))).toBe(canonicalJson(ask([...signals].reverse())));
  });

  it("gives every point of intent a reason that names the signal it came from", () => {
    const { decision } = ask([recent({ id: "1" }), recent({ id: "2", kind: "pricing_viewed" })]);
    const points = decision.reasons.filter((reason) => reason.points !== undefined);
    expect(points.map(({ code, points: given, signal: from }) => [code, given, from])).toEqual([
      ["intent:demo_requested", 60, "forms:1"],
      ["intent:pricing_viewed", 6, "forms:2"],
    ]);
    expect(decision.score.total).toBe(66);
  });
});

describe("a policy", () => {
  const refusals: readonly [string, (given: Policy) => unknown, string][] = [
    ["an unknown field", (given) => ({ ...given, colour: "red" }), ""],
    [
      "a route to a play that does not exist",
      (given) => ({ ...given, routes: [{ ...given.routes[0], play: "nothing" }] }),
      "routes.0.play",
    ],
    [
      "a play of a team that does not exist",
      (given) => ({ ...given, teams: { others: { members: ["sam@example.com"] } } }),
      "plays.speed to lead.team",
    ],
    [
      "a route without a condition",
      (given) => ({ ...given, routes: [{ name: "all", when: {}, play: "speed to lead" }] }),
      "routes.0.when",
    ],
    [
      "negative points",
      (given) => ({ ...given, kinds: { demo_requested: { ...given.other_kinds, intent: -1 } } }),
      "kinds.demo_requested.intent",
    ],
    ["an empty team", (given) => ({ ...given, teams: { sales: { members: [] } } }), "teams.sales.members"],
    ["501 routes", (given) => ({ ...given, routes: Array.from({ length: 501 }, () => given.routes[0]) }), "routes"],
  ];
  it.each(refusals)("is refused with %s, naming the path", (_what, change, path) => {
    const parsed = policySchema.safeParse(change(policy));
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues.map((issue) => issue.path.join("."))).toContain(path);
  });
});
