/** What the core knows of a play's sequence: who is put into one, when, and that an enrolment is no task. */
import { describe, expect, it } from "vitest";
import type { Command } from "../../connectors/contract.ts";
import {
  type Circumstances,
  conclude,
  inDoubt,
  intend,
  judge,
  newAction,
  settled,
  stepAt,
} from "../../src/act/exactly-once.ts";
import { enrol } from "../../src/act/outbox.ts";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import { holdOf } from "../../src/decide/hold.ts";
import { type Policy, policySchema } from "../../src/decide/policy.ts";
import { projectionOf } from "../../src/ledger/rows.ts";
import type { Receipt } from "../../src/model.ts";
import { bare } from "../../src/objects/account-store.ts";
import { emptyLead, foldSignal } from "../../src/resolve/lead.ts";
import {
  type ActionRecord,
  actionKey,
  applyAnswer,
  type FollowUpRecord,
  type Root,
  type Target,
} from "../../src/resolve/node.ts";
import { nextDueAt, openActions, workOn } from "../../src/resolve/obligations.ts";
import { isStep, leavesAt, targetsOf } from "../../src/resolve/targets.ts";
import { signal } from "../signals.ts";
import { decisionOf, followUpOf, recordOf, rootOf } from "../states.ts";

const base = defaultPolicy(["sam@example.com"]);

function withSequence(sequence: unknown): unknown {
  return { ...base, plays: { ...base.plays, "speed to lead": { ...base.plays["speed to lead"], sequence } } };
}

const policy = policySchema.parse(
  withSequence({ hubspot: { sequence: "7001" }, salesforce: { sequence: "Inbound", sender: "kim@example.com" } }),
) as Policy;
const hubspot: Target = { crm: "hubspot", account: "acme/hubspot/1" };
const step: Target = { ...hubspot, step: "sequence" };
const receipt: Receipt = { crm: "hubspot", task_id: "700", person_id: "501", at: 9_500 };

const task = (part: Partial<ActionRecord> = {}): ActionRecord => ({
  ...hubspot,
  key: "fu_1-aa",
  state: "done",
  retry_at: 0,
  attempts: 0,
  revision: 0,
  ...(part.state === undefined || part.state === "done" ? { receipt, recorded: true as const } : {}),
  ...part,
});
const enrolment = (part: Partial<ActionRecord> = {}): ActionRecord => ({
  ...step,
  key: "fu_1-bb",
  state: "pending",
  retry_at: 9_000,
  attempts: 0,
  revision: 0,
  ...part,
});
const withActions = (actions: readonly ActionRecord[], part: Partial<FollowUpRecord> = {}): Root =>
  rootOf("acme/r", { follow_ups: [recordOf({ assigned_by: "turn", actions, ...part })] });

describe("the policy", () => {
  const refusals = (sequence: unknown) => {
    const answer = policySchema.safeParse(withSequence(sequence));
    return answer.success ? [] : answer.error.issues.map(({ path }) => path.join("."));
  };

  it("takes a HubSpot sequence by its id, a Salesforce cadence by name or id, and a sender for each", () => {
    expect(refusals({ hubspot: { sequence: "7001" } })).toEqual([]);
    expect(refusals({ salesforce: { sequence: "Inbound leads", sender: "kim@example.com" } })).toEqual([]);
  });

  it.each([
    ["one that names no CRM", {}, "plays.speed to lead.sequence"],
    [
      "a HubSpot sequence that is no id",
      { hubspot: { sequence: "Inbound" } },
      "plays.speed to lead.sequence.hubspot.sequence",
    ],
    [
      "a sender who is no address",
      { hubspot: { sequence: "1", sender: "kim" } },
      "plays.speed to lead.sequence.hubspot.sender",
    ],
    [
      "a CRM that there is not",
      { hubspot: { sequence: "1" }, pipedrive: { sequence: "1" } },
      "plays.speed to lead.sequence",
    ],
  ])("refuses %s", (_what, sequence, path) => {
    expect(refusals(sequence)).toEqual([path]);
  });
});

describe("where a play has a sequence", () => {
  it("its follow-up has a task and an enrolment in that CRM, under two keys that stay the same", () => {
    const followUp = followUpOf();
    const targets = targetsOf(policy, followUp, [hubspot]);
    expect(targets).toEqual([hubspot, step]);
    const { follow_ups } = applyAnswer(rootOf("acme/r"), { decision: decisionOf(), followUp }, targets);
    expect(follow_ups[0]?.actions.map(({ key }) => key)).toEqual([
      actionKey("fu_1", hubspot.account),
      actionKey("fu_1", hubspot.account, "sequence"),
    ]);
    expect(new Set(follow_ups[0]?.actions.map(({ key }) => key)).size).toBe(2);
  });

  it("no other play has one, nor a CRM that it does not name", () => {
    expect(targetsOf(policy, followUpOf({ play: "trial welcome" }), [hubspot])).toEqual([hubspot]);
    expect(isStep(base, "speed to lead", hubspot)).toBe(false);
  });

  it("the person is named by the record of the task, and the sender is the holder or whom the policy names", () => {
    const root = withActions([task(), enrolment()]);
    const [followUp] = root.follow_ups as [FollowUpRecord];
    expect(enrol(policy, root, followUp, enrolment())).toEqual({
      type: "enrol",
      key: "fu_1-bb",
      personId: "501",
      sequence: "7001",
      sender: "sam@example.com",
      since: 9_000,
    });
    const contact: Receipt = { ...receipt, crm: "salesforce", person_id: "003000000000001AAA" };
    const there = { crm: "salesforce", account: "acme/salesforce/1" } as const;
    const other = withActions([task({ ...there, receipt: contact }), enrolment(there)]);
    expect(enrol(policy, other, other.follow_ups[0] as FollowUpRecord, enrolment(there))).toMatchObject({
      personId: "003000000000001AAA",
      sender: "kim@example.com",
    });
  });

  it("nobody is named where the task has no record, or the play no sequence any more", () => {
    const root = withActions([task({ state: "cancelled" }), enrolment()]);
    expect(enrol(policy, root, root.follow_ups[0] as FollowUpRecord, enrolment())).toBeNull();
    const stands = withActions([task(), enrolment()]);
    expect(enrol(base, stands, stands.follow_ups[0] as FollowUpRecord, enrolment())).toBeNull();
  });
});

describe("an enrolment", () => {
  const leaves = (of: ActionRecord) =>
    leavesAt(withActions([of, enrolment()]).follow_ups[0] as FollowUpRecord, enrolment());

  it("waits for its task, also for one that was refused, and does not hold up the alarm meanwhile", () => {
    expect(leaves(task())).toBe(9_000);
    expect(leaves(task({ state: "cancelled" }))).toBe(9_000);
    for (const state of ["pending", "parked"] as const) expect(leaves(task({ state }))).toBe(Number.POSITIVE_INFINITY);
    expect(nextDueAt(withActions([task({ state: "parked" }), enrolment()]), 10_000)).toBe(Number.POSITIVE_INFINITY);
  });

  it("that stands is neither brought up to date nor closed: nobody is taken out again", () => {
    const stands = enrolment({ state: "done", receipt });
    for (const state of ["open", "cancelled", "done"] as const) {
      const root = withActions([stands], { state, revision: 3, outcome: "contacted" });
      expect(workOn(root.follow_ups[0] as FollowUpRecord, stands)).toBeNull();
      expect(openActions(root)).toEqual([]);
    }
  });

  it("that was refused is a question that names the step", () => {
    const root = withActions([task(), enrolment({ state: "parked", problem: "already_in_a_sequence" })]);
    const [exception] = projectionOf(root, [], policy, 10_000).exceptions;
    expect(exception).toMatchObject({ reason: "crm_refused", state: "open" });
    expect(JSON.parse(exception?.document ?? "{}")).toMatchObject({
      step: "sequence",
      problem: "already_in_a_sequence",
    });
  });

  it.each([
    ["a no to sequences", { purposes: { sequence: false } }, "hold:consent:sequence"],
    ["a no to everything", { follow_up: false }, "hold:consent"],
  ])("is held by %s", (_what, consent, code) => {
    const lead = foldSignal(emptyLead, signal({ id: "1", consent }));
    expect(holdOf(policy, lead, { type: "sequence" }, 2_000)?.code).toBe(code);
    expect(holdOf(policy, foldSignal(emptyLead, signal({ id: "1" })), { type: "sequence" }, 2_000)).toBeNull();
  });
});

describe("exactly once", () => {
  const command: Command = {
    type: "enrol",
    key: "fu_1-bb",
    personId: "501",
    sequence: "7001",
    sender: "sam@example.com",
    since: 9_000,
  };
  const sent = intend(newAction({ command, holder: "sam@example.com", node: "acme/r", hot: false }), 10_000);
  const at = (now: number): Circumstances => ({
    crm: "hubspot",
    world: "unique_property",
    settleReadsMs: [60_000, 600_000],
    now,
  });

  it("an enrolment of which nobody knows is looked up, twice and ten minutes on, before it is sent again", () => {
    const { action: unknown } = judge(sent, { arm: "unknown", reason: "timeout" }, at(11_000));
    expect(unknown.state).toBe("intent");
    expect(inDoubt(unknown)).toBe(true);
    expect(stepAt(unknown, at(11_000))).toBe(70_000);
    const { action: once } = conclude(unknown, { arm: "absent" }, at(70_000));
    expect(once.state).toBe("intent");
    expect(stepAt(once, at(70_000))).toBe(610_000);
    expect(conclude(once, { arm: "absent" }, at(610_000)).action.state).toBe("pending");
  });

  it("one that is found is done, under the CRM's own id", () => {
    const { action: found } = conclude(sent, { arm: "found", taskId: "880001", personId: "501" }, at(70_000));
    expect(settled(found)).toEqual({
      arm: "done",
      receipt: { crm: "hubspot", task_id: "880001", person_id: "501", at: 70_000 },
    });
    expect(bare(found)).toMatchObject({ step: "sequence", holder: "" });
  });
});
