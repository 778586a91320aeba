import { describe, expect, it } from "vitest";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import { type LeadRow, projectionOf } from "../../src/ledger/rows.ts";
import type { Decision } from "../../src/model.ts";
import { emptyLead, foldSignal } from "../../src/resolve/lead.ts";
import { applyAnswer, type FollowUpRecord, inputsOf, newRoot, type Root } from "../../src/resolve/node.ts";
import { signal } from "../signals.ts";
import { apartFrom, saidApart, unprojected } from "../states.ts";

const day = 86_400_000;
const now = 20_000 * day + 3_600_000;
const policy = defaultPolicy(["sam@example.com"]);
const asked = signal({
  id: "1",
  occurred_at: now - 60_000,
  received_at: now - 50_000,
  traits: { first_name: "Ada", last_name: "Lovelace" },
});

const person = (part: Partial<Root> = {}): Root => ({
  ...newRoot("acme/1", "acme"),
  version: 5,
  lead: foldSignal(emptyLead, asked),
  ...part,
});

const followUp = (part: Partial<FollowUpRecord> = {}): FollowUpRecord => ({
  id: "fu_1",
  play: "speed to lead",
  state: "open",
  holder: "kim@example.com",
  priority: "high",
  policy_version: 1,
  revision: 0,
  created_at: now - 40_000,
  due_at: now + 900_000,
  tier: "seconds",
  trigger: "forms:1",
  accepted_at: now - 50_000,
  reasons: [],
  actions: [
    {
      key: "fu_1-aa",
      crm: "hubspot",
      account: "acme/hubspot/1",
      state: "pending",
      retry_at: 0,
      attempts: 0,
      revision: 0,
    },
  ],
  ...part,
});

const decision = (part: Partial<Decision> = {}): Decision => ({
  id: "de_1",
  outcome: "held",
  at: now,
  policy_version: 1,
  signals: ["forms:1"],
  tier: "seconds",
  play: "speed to lead",
  level: "task",
  score: { fit: 0, intent: 60, total: 60 },
  reasons: [{ code: "hold:consent", text: "This person asked not to be contacted." }],
  ...part,
});

/** With what it was made of. */
const made = (of: Decision) => ({ decision: of, inputs: inputsOf(person()) });

const exceptionsOf = (root: Root) => projectionOf(root, [], policy, now).exceptions;

describe("the row of a lead", () => {
  it("shows the canonical attributes, of the state that the version names", () => {
    const [row] = projectionOf(person(), [], policy, now).leads;
    expect({ ...row, document: undefined }).toEqual({
      id: "acme/1",
      version: 5,
      email: "ada@example.com",
      name: "Ada Lovelace",
      lifecycle_state: "sales_ready",
      lead_score: 60,
      source: "forms",
      last_event_timestamp: now - 60_000,
      idempotency_key: "forms:1",
      active_day: 20_000,
      merged_into: null,
      document: undefined,
    });
  });

  it("holds the reasons of the score, each with its signal", () => {
    const [row] = projectionOf(person(), [], policy, now).leads;
    const { score } = JSON.parse(row?.document ?? "{}") as { score: { reasons: unknown } };
    expect(score.reasons).toEqual([
      { code: "intent:demo_requested", text: "asked for a demo", points: 60, signal: "forms:1" },
    ]);
  });

  it("of a merged one says where to look, and keeps nothing personal", () => {
    const merged = person({ unprojected: unprojected({ gone: [{ name: "acme/2", version: 9 }] }) });
    const [, gone] = projectionOf(merged, [], policy, now).leads;
    const expected: LeadRow = {
      id: "acme/2",
      version: 9,
      email: null,
      name: "merged",
      lifecycle_state: "merged",
      lead_score: 0,
      source: "",
      last_event_timestamp: 0,
      idempotency_key: "",
      active_day: 0,
      merged_into: "acme/1",
      document: "{}",
    };
    expect(gone).toEqual(expected);
  });
});

describe("what happened", () => {
  it("goes to the journal: the signals the ledger has not seen, then the decisions, under the lead", () => {
    const root = person({ unprojected: unprojected({ decisions: [made(decision())] }) });
    const { journal } = projectionOf(root, [JSON.stringify(asked)], policy, now);
    expect(journal.map((line) => JSON.parse(line))).toEqual([
      { type: "signal", lead: "acme/1", signal: asked },
      { type: "decision", lead: "acme/1", ...made(decision()) },
    ]);
    expect(projectionOf(person(), [], policy, now).journal).toEqual([]);
  });
});

describe("the row of a follow-up", () => {
  it("names holder, tier and deadline, and moves with the version of its lead", () => {
    const [row] = projectionOf(person({ follow_ups: [followUp()] }), [], policy, now).follow_ups;
    expect(row).toMatchObject({
      id: "fu_1",
      version: 5,
      lead: "acme/1",
      play: "speed to lead",
      state: "open",
      holder: "kim@example.com",
      tier: "seconds",
      created_at: now - 40_000,
      due_at: now + 900_000,
    });
  });
});

describe("an exception", () => {
  it("is raised for nobody when all is well", () => {
    expect(exceptionsOf(person({ follow_ups: [followUp()] }))).toEqual([]);
  });

  it("is raised for a follow-up that no CRM carries, and is its holder's, for a day", () => {
    expect(exceptionsOf(person({ follow_ups: [followUp({ actions: [] })] }))).toEqual([
      {
        id: "ex_fu_1",
        version: 5,
        lead: "acme/1",
        reason: "no_crm_connected",
        owner: "kim@example.com",
        state: "open",
        raised_at: now - 40_000,
        due_at: now - 40_000 + day,
        document: '{"follow_up":"fu_1","play":"speed to lead","next":"sam@example.com","climbed":0}',
      },
    ]);
  });

  it("is closed where the follow-up that no CRM carried is closed", () => {
    const [row] = exceptionsOf(person({ follow_ups: [followUp({ state: "cancelled", actions: [] })] }));
    expect(row).toMatchObject({ id: "ex_fu_1", state: "closed" });
  });

  it("is raised for an action that the CRM refused, with the reason", () => {
    const [action] = followUp().actions;
    const parked = action === undefined ? [] : [{ ...action, state: "parked" as const, problem: "bad_email" }];
    const [row, ...others] = exceptionsOf(person({ follow_ups: [followUp({ actions: parked })] }));
    expect(others).toEqual([]);
    expect(row).toMatchObject({ id: "ex_fu_1-aa", reason: "crm_refused", owner: "kim@example.com", state: "open" });
    expect(JSON.parse(row?.document ?? "")).toEqual({
      follow_up: "fu_1",
      action: "fu_1-aa",
      crm: "hubspot",
      problem: "bad_email",
      next: "sam@example.com",
      climbed: 0,
    });
  });

  it("is raised for two people who were kept apart, with an owner, a day's time, and no identifier's value", () => {
    const identifier = { type: "email", value: "shared@example.com" };
    const [row] = exceptionsOf(person({ apart: [apartFrom("acme/n", { identifier, other: "acme/2", at: now })] }));
    expect(row).toMatchObject({
      reason: "link_conflict",
      owner: "sam@example.com",
      state: "open",
      raised_at: now,
      due_at: now + day,
    });
    expect(JSON.parse(row?.document ?? "")).toEqual({
      identifier_type: "email",
      other: "acme/2",
      node: "acme/n",
      guard: "too_many:user_id",
      by: "forms:1",
      next: null,
      climbed: 0,
    });
    expect(JSON.stringify(row)).not.toContain("shared@example.com");
  });

  it("about two people is one, whichever of them it is seen at, and another for each two", () => {
    const idOf = (from: string, node: string) => exceptionsOf(person({ apart: [apartFrom(node, { from })] }))[0]?.id;
    expect(idOf("acme/1", "acme/2")).toMatch(/^ex_[0-9a-f]{24}$/);
    expect(idOf("acme/1", "acme/2")).toBe(idOf("acme/2", "acme/1"));
    expect(idOf("acme/1", "acme/2")).not.toBe(idOf("acme/1", "acme/3"));
  });

  it("about two people is closed where a person said that they are two, and where they are one by now", () => {
    const [kept] = exceptionsOf(person({ apart: [saidApart("acme/n", now)] }));
    expect(kept).toMatchObject({ reason: "link_conflict", state: "closed" });
    expect(JSON.parse(kept?.document ?? "")).toMatchObject({ settled_by: "sam@example.com", settled_at: now });
    const [merged] = exceptionsOf(person({ unprojected: unprojected({ closed: [apartFrom("acme/n")] }) }));
    expect(merged).toMatchObject({ reason: "link_conflict", state: "closed" });
  });

  it("about two people that was asked again since it was closed is open, and shown once", () => {
    const apart = [apartFrom("acme/n")];
    const rows = exceptionsOf(person({ apart, unprojected: unprojected({ closed: [apartFrom("acme/n")] }) }));
    expect(rows.map((row) => row.state)).toEqual(["open"]);
  });

  it.each(["kept_apart", "split", "said_by_a_person"])("is not raised where nobody has to look: %s", (reason) => {
    expect(exceptionsOf(person({ apart: [saidApart("acme/n", now, { reason })] }))).toEqual([]);
  });

  it.each(["split", "said_by_a_person"])(
    "is closed in the ledger where a person's word took its place (%s)",
    (reason) => {
      const rows = exceptionsOf(
        person({
          apart: [saidApart("acme/n", now, { reason })],
          unprojected: unprojected({ closed: [apartFrom("acme/n")] }),
        }),
      );
      expect(rows).toMatchObject([{ reason: "link_conflict", state: "closed" }]);
    },
  );

  it("is raised for a decision that was held, and not for any other", () => {
    const outcomes = ["none", "noted", "waiting", "follow_up", "held"] as const;
    const root = outcomes.reduce(
      (before, outcome) => applyAnswer(before, { decision: decision({ id: `de_${outcome}`, outcome }) }, []),
      person(),
    );
    const rows = exceptionsOf({ ...root, held: root.held.filter((item) => item.state === "open") });
    expect(rows.map((row) => [row.id, row.reason, row.owner, row.due_at])).toEqual([
      ["ex_de_held", "held", "sam@example.com", now + day],
    ]);
  });
});
