import { describe, expect, it } from "vitest";
import { decide, type FollowUpFact, type Question } from "../../src/decide/decide.ts";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import type { Play } from "../../src/decide/policy/plays.ts";
import { type Policy, policySchema } from "../../src/decide/policy.ts";
import type { Signal } from "../../src/model.ts";
import { emptyLead, foldSignal } from "../../src/resolve/lead.ts";
import { signal } from "../signals.ts";

const hour = 3_600_000;
const day = 24 * hour;
/** A Monday, noon in Berlin. */
const now = Date.UTC(2026, 10, 23, 11);
const base = defaultPolicy(["sam@example.com", "kim@example.com"]);
const office: Policy["calendars"][string] = {
  zone: "Europe/Berlin",
  week: { mon: [["09:00", "17:00"]], tue: [["09:00", "17:00"]] },
  holidays: [],
  special: {},
};

/** The default policy, with changes to the play of demo requests; what a policy is made of here passes its own door. */
function policyWith(play: Partial<Play>, part: Partial<Policy> = {}): Policy {
  const changed = {
    ...base,
    ...part,
    plays: { ...base.plays, ...part.plays, "speed to lead": { ...base.plays["speed to lead"], ...play } },
  };
  const parsed = policySchema.safeParse(changed);
  if (!parsed.success) throw new Error(JSON.stringify(parsed.error.issues));
  return parsed.data;
}

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
  signal({ id: "1", occurred_at: now - 1_000, received_at: now - 500, ...part });
const open = (part: Partial<FollowUpFact> = {}): FollowUpFact => ({
  id: "fu_1",
  play: "speed to lead",
  state: "open",
  created_at: now - hour,
  due_at: now + day,
  priority: "medium",
  reasons: [],
  revision: 0,
  ...part,
});

describe("a play", () => {
  it("that is a draft is passed over", () => {
    expect(ask([demo()], policyWith({ status: "draft" })).decision.outcome).toBe("none");
  });

  it("that is a shadow says what would have left, and lets nothing leave", () => {
    const { decision, followUp } = ask([demo()], policyWith({ status: "shadow" }));
    expect(followUp).toBeUndefined();
    expect(decision).toMatchObject({ outcome: "shadow", play: "speed to lead", route: "asked for us" });
    expect(decision.assign?.[0]?.candidates.map(({ address }) => address)).toEqual([
      "sam@example.com",
      "kim@example.com",
    ]);
  });

  it("that is live for a share of leads is live for the same ones while the share grows", () => {
    const outcomes = (percent: number) =>
      Array.from(
        { length: 200 },
        (_, index) =>
          ask([demo()], policyWith({ live_percent: percent }), { leadId: `acme/${index}` }).decision.outcome,
      );
    const [none, some, more] = [outcomes(0), outcomes(30), outcomes(60)];
    expect(new Set(none)).toEqual(new Set(["shadow"]));
    const live = (of: readonly string[]) => of.filter((outcome) => outcome === "follow_up").length;
    expect(live(some)).toBeGreaterThan(30);
    expect(live(some)).toBeLessThan(90);
    expect(some.every((outcome, index) => outcome === "shadow" || more[index] === "follow_up")).toBe(true);
  });

  it("is due in open hours where it has a calendar", () => {
    const late = Date.UTC(2026, 10, 23, 15, 55);
    const policy = policyWith({ calendar: "office" }, { calendars: { office } });
    const { followUp } = ask([demo({ occurred_at: late, received_at: late })], policy, { now: late });
    // Five minutes until 17:00 in Berlin, and ten from 09:00 on Tuesday.
    expect(followUp?.due_at).toBe(Date.UTC(2026, 10, 24, 8, 10));
  });

  it("that calls people does so at a polite hour where they live", () => {
    const policy = policyWith({ call_window: { from: "09:00", to: "18:00" } });
    const { followUp } = ask([demo({ traits: { time_zone: "America/Los_Angeles" } })], policy);
    // It is three at night there; nine o'clock is 17:00 UTC.
    expect(followUp?.due_at).toBe(Date.UTC(2026, 10, 23, 17, 15));
  });
});

describe("an open follow-up", () => {
  it("learns what is new, and becomes more urgent by it", () => {
    const { decision } = ask([demo()], policyWith({}), { followUps: [open()] });
    expect(decision).toMatchObject({
      outcome: "noted",
      enrichment: { follow_up: "fu_1", priority: "high", due_at: now - 500 + 15 * 60_000 },
    });
    expect(decision.enrichment?.reasons.map(({ text }) => text)).toEqual(["asked for a demo (route “asked for us”)"]);
  });

  it("is left alone by what it says already", () => {
    const known = [{ code: "route:asked for us", text: "asked for a demo (route “asked for us”)" }];
    const same = open({ priority: "high", due_at: now + 60_000, reasons: known });
    const { decision } = ask([demo()], policyWith({}), { followUps: [same] });
    expect([decision.outcome, decision.enrichment]).toEqual(["noted", undefined]);
  });

  it("never becomes less urgent", () => {
    const { decision } = ask([demo({ kind: "trial_started" })], policyWith({}), {
      followUps: [open({ priority: "high", due_at: now + 60_000 })],
    });
    expect(decision.enrichment).toMatchObject({ priority: "high", due_at: now + 60_000 });
  });

  it("is changed ten times at most", () => {
    expect(ask([demo()], policyWith({}), { followUps: [open({ revision: 10 })] }).decision.enrichment).toBeUndefined();
  });

  it("is withdrawn when the person says no, whatever the signal was", () => {
    const no = demo({ kind: "unsubscribed", consent: { follow_up: false } });
    expect(ask([no], policyWith({}), { followUps: [open()] }).decision.withdrawn).toEqual([
      { follow_up: "fu_1", because: "This person asked not to be contacted." },
    ]);
  });

  it("stays when the no is to something else", () => {
    const no = demo({ kind: "unsubscribed", consent: { purposes: { email: false } } });
    expect(ask([no], policyWith({}), { followUps: [open()] }).decision.withdrawn).toBeUndefined();
    const calls = demo({ kind: "unsubscribed", consent: { purposes: { call: false } } });
    expect(ask([calls], policyWith({}), { followUps: [open()] }).decision.withdrawn).toHaveLength(1);
  });
});

describe("one noisy product", () => {
  const noise = Array.from({ length: 40 }, (_, index) =>
    signal({
      id: `n${index}`,
      kind: "pricing_viewed",
      occurred_at: now - (index % 4) * day - 1_000,
      received_at: now - 1_000,
    }),
  );
  const done = open({ play: "product interest", state: "done", created_at: now - 2 * hour, closed_at: now - hour });

  it("makes one follow-up", () =>
    expect(ask(noise, policyWith({})).decision).toMatchObject({
      outcome: "follow_up",
      play: "product interest",
      level: "task",
    }));

  it("makes no second one in the same episode, also when the play has no cool-down", () => {
    const policy: Policy = {
      ...base,
      plays: { ...base.plays, "product interest": { ...(base.plays["product interest"] as Play), cool_down_ms: 0 } },
    };
    const { decision } = ask(noise, policy, { followUps: [done] });
    expect([decision.outcome, decision.reasons[0]?.code]).toEqual(["none", "same_episode"]);
  });

  it("makes another one in another episode", () => {
    const policy: Policy = {
      ...base,
      plays: { ...base.plays, "product interest": { ...(base.plays["product interest"] as Play), cool_down_ms: 0 } },
    };
    const before = { ...done, created_at: now - 40 * day, closed_at: now - 39 * day };
    expect(ask(noise, policy, { followUps: [before] }).decision.outcome).toBe("follow_up");
  });
});

describe("consent", () => {
  const europe = (days: number): Policy["holds"] => ({
    ...base.holds,
    consent: {
      regions: [{ name: "the EU", countries: ["DE", "Germany"], rule: "opt_in", asking_counts_days: days }],
      elsewhere: base.holds.consent.elsewhere,
    },
  });
  const german = { traits: { country: "germany" } };

  it("is needed where the region asks for it; asking for us is a yes for a while", () => {
    expect(ask([demo(german)], policyWith({}, { holds: europe(0) })).decision.reasons[0]?.code).toBe("hold:no_consent");
    expect(ask([demo(german)], policyWith({}, { holds: europe(7) })).decision.outcome).toBe("follow_up");
    expect(
      ask([demo({ ...german, consent: { follow_up: true } })], policyWith({}, { holds: europe(0) })).decision.outcome,
    ).toBe("follow_up");
  });

  it("is not needed elsewhere until somebody says no", () => {
    expect(ask([demo()], policyWith({}, { holds: europe(0) })).decision.outcome).toBe("follow_up");
  });

  it("may be given for one purpose and refused for another", () => {
    const mail = demo({ ...german, consent: { purposes: { email: true } } });
    expect(ask([mail], policyWith({ type: "email" }, { holds: europe(0) })).decision.outcome).toBe("follow_up");
    expect(ask([mail], policyWith({ type: "call" }, { holds: europe(0) })).decision.outcome).toBe("held");
  });
});

describe("what is handled by hand", () => {
  const key = {
    name: "key account",
    when: { "account.domain": { is: "example.com" } },
    words: "A key account: its manager decides.",
  };
  const policy = policyWith({}, { holds: { ...base.holds, manual: [key] } });
  const approval = { code: "hold:key account", by: "sam@example.com", at: now - 1, until: now + day };

  it("waits for somebody", () => {
    const { decision } = ask([demo()], policy);
    expect([decision.outcome, decision.reasons[0]]).toEqual([
      "held",
      { code: "hold:key account", text: "A key account: its manager decides." },
    ]);
  });

  it("leaves when it was approved, as the approver wants it", () => {
    const edit = { holder: "kim@example.com", priority: "low", due_at: now + 5 * day } as const;
    const { followUp } = ask([demo()], policy, { approvals: [{ ...approval, edit }] });
    expect(followUp).toMatchObject({ priority: "low", due_at: now + 5 * day, holder: "kim@example.com" });
  });

  it("waits again when the approval has run out", () => {
    expect(ask([demo()], policy, { approvals: [{ ...approval, until: now }] }).decision.outcome).toBe("held");
  });
});

describe("who could take it", () => {
  const member = (address: string, part: object = {}) => ({
    address: `${address}@example.com`,
    weight: 1,
    cap: null,
    skills: [],
    territories: [],
    away: [],
    ...part,
  });
  const teamOf = (...members: object[]) => policyWith({}, { teams: { sales: { members } } as Policy["teams"] });
  const addresses = (policy: Policy, part: Partial<Signal> = {}) => ask([demo(part)], policy).decision.assign?.[0];

  it("are those who are there", () => {
    const away = [{ from: "2026-11-20", to: "2026-11-27" }];
    expect(addresses(teamOf(member("ada"), member("bob", { away })))?.candidates).toEqual([
      { address: "ada@example.com", weight: 1, cap: null },
    ]);
    expect(addresses(teamOf(member("ada"), member("bob", { away })))?.excluded).toMatchObject([
      { address: "bob@example.com", why: "away" },
    ]);
  });

  it("is the owner of the record, as the CRM says", () => {
    const crm = {
      identifiers: [
        { type: "hubspot_contact_id", value: "1" },
        { type: "email", value: "ada@example.com" },
      ],
      traits: { owner: "bob@example.com" },
    };
    expect(addresses(teamOf(member("ada"), member("bob")), crm)?.preferred).toEqual({
      address: "bob@example.com",
      why: "record_owner",
    });
    expect(
      addresses(teamOf(member("ada"), member("bob")), { traits: { owner: "bob@example.com" } })?.preferred,
    ).toBeUndefined();
    expect(addresses(teamOf(member("ada")), crm)?.preferred).toBeUndefined();
  });

  it("is whoever stands in for an owner on leave", () => {
    const away = [{ from: "2026-11-20", to: "2026-11-27", hand_over_to: "cid@example.com" }];
    const crm = { identifiers: [{ type: "hubspot_contact_id", value: "1" }], traits: { owner: "bob@example.com" } };
    expect(addresses(teamOf(member("ada"), member("bob", { away }), member("cid")), crm)?.preferred?.address).toBe(
      "cid@example.com",
    );
  });

  it("are asked of the fallback play next", () => {
    const spare: Play = { ...(base.plays["speed to lead"] as Play), due_in_ms: hour, priority: "low" };
    const policy = policyWith({ fallback: "spare" }, { plays: { ...base.plays, spare } });
    expect(addresses(policy)?.play).toBe("speed to lead");
    expect(ask([demo()], policy).decision.assign?.map(({ play, priority }) => [play, priority])).toEqual([
      ["speed to lead", "high"],
      ["spare", "low"],
    ]);
  });
});
