import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/crypto.ts";
import { decide, type FollowUpFact, type Question } from "../../src/decide/decide.ts";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import type { Play } from "../../src/decide/policy/plays.ts";
import { type Policy, policySchema } from "../../src/decide/policy.ts";
import { type Promising, promiseOf } from "../../src/decide/promise.ts";
import type { Signal } from "../../src/model.ts";
import { emptyLead, foldSignal } from "../../src/resolve/lead.ts";
import { applyAnswer, followUpFacts } from "../../src/resolve/node.ts";
import { signal } from "../signals.ts";
import { decisionOf, followUpOf, recordOf, rootOf } from "../states.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
/** A Monday, noon in Berlin. */
const now = Date.UTC(2026, 10, 23, 11);
const base = defaultPolicy(["sam@example.com", "kim@example.com"]);
const calendars: Policy["calendars"] = {
  office: {
    zone: "Europe/Berlin",
    week: { mon: [["09:00", "17:00"]], tue: [["09:00", "17:00"]] },
    holidays: [],
    special: {},
  },
};

/** The play of demo requests with changes, and the rest as given; it passes its own door. */
function policyWith(part: Partial<Policy>, play: Partial<Play> = {}): Policy {
  const plays = { ...base.plays, "speed to lead": { ...base.plays["speed to lead"], ...play } };
  return policySchema.parse({ ...base, calendars, ...part, plays });
}

const business = policyWith({ sla_clock: "business" }, { calendar: "office" });

function ask(signals: readonly Signal[], policy: Policy, part: Partial<Question> = {}) {
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

const demo = (part: Partial<Signal> = {}) =>
  signal({ id: "1", kind: "demo_requested", occurred_at: now - 1_000, received_at: now - 500, ...part });

/** A trial that is being welcomed: promised within an hour, which is another half hour from now. */
const open = (part: Partial<FollowUpFact> = {}): FollowUpFact => ({
  id: "fu_1",
  play: "trial welcome",
  state: "open",
  created_at: now - 30 * minute,
  due_at: now + day,
  promised_at: now + 30 * minute,
  priority: "medium",
  reasons: [],
  revision: 0,
  ...part,
});

describe("what is promised", () => {
  it("is a first contact within the tier's time of the moment the signal was accepted, however late that is decided", () => {
    const { decision, followUp } = ask([demo()], base, { now: now + hour });
    expect([decision.promised_at, followUp?.promised_at]).toEqual([now - 500 + 15 * minute, now - 500 + 15 * minute]);
    expect(ask([demo({ kind: "trial_started" })], base).decision.promised_at).toBe(now - 500 + hour);
  });

  it("counts the open hours of the play's calendar where the policy says so", () => {
    const late = Date.UTC(2026, 10, 23, 15, 58);
    const { decision } = ask([demo({ occurred_at: late, received_at: late })], business, { now: late });
    // Two minutes until 17:00 in Berlin, and thirteen from 09:00 on Tuesday.
    expect(decision.promised_at).toBe(Date.UTC(2026, 10, 24, 8, 13));
  });

  it("counts all time where the play has no calendar", () => {
    const late = Date.UTC(2026, 10, 23, 15, 58);
    const policy = policyWith({ sla_clock: "business" });
    const { decision } = ask([demo({ occurred_at: late, received_at: late })], policy, { now: late });
    expect(decision.promised_at).toBe(late + 15 * minute);
  });

  it("is nothing where that would be years away", () => {
    const tiers = { ...base.tiers, seconds: { window_ms: 0, sla_ms: 366 * day } };
    const { decision, followUp } = ask([demo()], policyWith({ sla_clock: "business", tiers }, { calendar: "office" }));
    expect(decision.outcome).toBe("follow_up");
    expect(Object.keys(decision)).not.toContain("promised_at");
    expect(Object.keys(followUp ?? {})).not.toContain("promised_at");
  });

  it("is not said of what does not leave", () => {
    expect(ask([demo()], policyWith({}, { status: "shadow" })).decision.promised_at).toBeUndefined();
    expect(ask([demo({ consent: { follow_up: false } })], base).decision.promised_at).toBeUndefined();
  });
});

describe("what was promised already", () => {
  it("becomes earlier by a more urgent signal", () => {
    const { decision } = ask([demo()], base, { followUps: [open()] });
    expect([decision.outcome, decision.enrichment?.promised_at]).toEqual(["noted", now - 500 + 15 * minute]);
  });

  it("never becomes later", () => {
    const soon = open({ promised_at: now + minute });
    const { enrichment } = ask([demo()], base, { followUps: [soon] }).decision;
    expect(enrichment?.reasons).toHaveLength(1);
    expect(enrichment?.promised_at).toBeUndefined();
    const broken = open({ promised_at: now - minute });
    expect(ask([demo()], base, { followUps: [broken] }).decision.enrichment?.promised_at).toBeUndefined();
  });

  it("is kept on the follow-up, and is among what the next decision is made of while that is open", () => {
    const root = rootOf("acme/r", { follow_ups: [recordOf({ promised_at: 90_000 })] });
    const enrichment = {
      follow_up: "fu_1",
      priority: "high",
      due_at: 80_000,
      promised_at: 70_000,
      reasons: [],
    } as const;
    const next = applyAnswer(root, { decision: decisionOf({ outcome: "noted", enrichment }) }, []);
    expect(next.follow_ups[0]).toMatchObject({ due_at: 80_000, promised_at: 70_000 });
    expect(next.unprojected.decisions[0]?.inputs.follow_ups[0]?.promised_at).toBe(90_000);
    expect(followUpFacts(next)[0]?.promised_at).toBe(70_000);
    const done = rootOf("acme/r", { follow_ups: [recordOf({ promised_at: 90_000, state: "done", closed_at: 1 })] });
    expect(Object.keys(followUpFacts(done)[0] ?? {})).not.toContain("promised_at");
  });

  it("stays where an enrichment does not speak of it", () => {
    const root = rootOf("acme/r", { follow_ups: [recordOf({ promised_at: 90_000 })] });
    const enrichment = { follow_up: "fu_1", priority: "high", due_at: 80_000, reasons: [] } as const;
    const next = applyAnswer(root, { decision: decisionOf({ outcome: "noted", enrichment }) }, []);
    expect(next.follow_ups[0]?.promised_at).toBe(90_000);
  });

  it("decided again from what was kept gives the same bytes (G10)", () => {
    const root = rootOf("acme/r", { follow_ups: [recordOf({ ...followUpOf(open()), promised_at: now + hour })] });
    const question = { policy: base, lead: [demo()].reduce(foldSignal, emptyLead), leadId: "acme/r", now };
    const answer = decide({ ...question, signals: [demo()], followUps: followUpFacts(root) });
    const [kept] = applyAnswer(root, answer, []).unprojected.decisions;
    const again = decide({ ...question, signals: [demo()], followUps: kept?.inputs.follow_ups ?? [] });
    expect(answer.decision.enrichment?.promised_at).toBe(now - 500 + 15 * minute);
    expect(canonicalJson(again.decision)).toBe(canonicalJson(kept?.decision));
  });
});

describe("an enrichment", () => {
  it("makes no call due at night where the lead lives", () => {
    const policy = policyWith({}, { call_window: { from: "09:00", to: "18:00" } });
    const asleep = demo({ traits: { time_zone: "America/Los_Angeles" } });
    // It is three at night there; nine o'clock is 17:00 UTC.
    expect(ask([asleep], policy, { followUps: [open()] }).decision.enrichment?.due_at).toBe(
      Date.UTC(2026, 10, 23, 17, 15),
    );
    expect(ask([demo()], policy, { followUps: [open()] }).decision.enrichment?.due_at).toBe(now - 500 + 15 * minute);
  });
});

describe("whether a promise is kept", () => {
  const accepted_at = Date.UTC(2026, 10, 23, 10);
  const promised_at = accepted_at + hour;
  const item: Promising = { play: "speed to lead", state: "open", accepted_at, promised_at };

  it("is open until its last instant", () => {
    expect(promiseOf(base, item, accepted_at + 20 * minute)).toEqual({
      elapsedMs: 20 * minute,
      leftMs: 40 * minute,
      dueAt: promised_at,
      breachedAt: null,
      state: "running",
    });
    expect(promiseOf(base, item, promised_at)?.state).toBe("running");
    expect(promiseOf(base, item, promised_at + 1)).toMatchObject({
      state: "breached",
      breachedAt: promised_at,
      leftMs: -1,
    });
  });

  it("is said by the first contact, and by nothing that comes later", () => {
    const done = { ...item, state: "done", closed_at: accepted_at + 10 * minute } as const;
    expect(promiseOf(base, done, now + day)).toMatchObject({ state: "met", elapsedMs: 10 * minute });
    expect(promiseOf(base, { ...done, closed_at: promised_at }, now + day)?.state).toBe("met");
    expect(promiseOf(base, { ...done, closed_at: promised_at + 1 }, now + day)).toMatchObject({
      state: "breached",
      leftMs: -1,
    });
  });

  it("is nobody's question where it was cancelled in time, or nothing was promised", () => {
    const cancelled = { ...item, state: "cancelled" } as const;
    expect(promiseOf(base, { ...cancelled, closed_at: promised_at }, now + day)).toBeNull();
    expect(promiseOf(base, cancelled, now + day)).toBeNull();
    expect(promiseOf(base, { ...cancelled, closed_at: promised_at + 1 }, now + day)?.state).toBe("breached");
    const { promised_at: _nothing, ...bare } = item;
    expect(promiseOf(base, bare, now + day)).toBeNull();
  });

  it("is counted in open hours on that clock, and broken at the instant that was promised, whatever the policy says now", () => {
    // Monday 16:30 in Berlin; an hour later is 09:30 on Tuesday.
    const evening = {
      ...item,
      accepted_at: Date.UTC(2026, 10, 23, 15, 30),
      promised_at: Date.UTC(2026, 10, 24, 8, 30),
    };
    const atNight = Date.UTC(2026, 10, 23, 22);
    expect(promiseOf(business, evening, atNight)).toMatchObject({
      elapsedMs: 30 * minute,
      leftMs: 30 * minute,
      state: "running",
    });
    expect(promiseOf(business, evening, Date.UTC(2026, 10, 24, 9))).toMatchObject({
      elapsedMs: 90 * minute,
      leftMs: -30 * minute,
      state: "breached",
    });
    expect(promiseOf(base, evening, atNight)).toMatchObject({
      elapsedMs: 6.5 * hour,
      leftMs: 10.5 * hour,
      state: "running",
    });
  });
});
