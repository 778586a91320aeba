import { describe, expect, it } from "vitest";
import type { Command, Outcome, Resolution, World } from "../../connectors/contract.ts";
import {
  type Action,
  type Circumstances,
  conclude,
  intend,
  judge,
  newAction,
  settled,
  stepAt,
} from "../../src/act/exactly-once.ts";
import { phasesOf } from "../../src/act/queue.ts";

const make: Command = {
  type: "create_task",
  key: "fu_1-aa",
  person: { lead: "acme/1", email: "ada@example.com" },
  task: { subject: "Call Ada", body: "", dueAt: 0, priority: "high", type: "call" },
};
const close: Command = { type: "close_task", key: "fu_1-aa-close", taskId: "7", note: "" };
const action = (command: Command = make, hot = true): Action =>
  newAction({ command, holder: "sam@example.com", node: "acme/1", hot });
const in_ = (world: World, now = 10_000): Circumstances => ({
  crm: "hubspot",
  world,
  settleReadsMs: [60_000, 600_000],
  now,
});
const sent = intend(action(), 9_000);

describe("an action that was sent", () => {
  const outcomes: readonly [string, Outcome, Partial<Action>][] = [
    [
      "is done when the CRM confirmed it",
      { arm: "done", taskId: "7", personId: "3", created: true },
      { state: "done", receipt: { crm: "hubspot", task_id: "7", person_id: "3", at: 10_000 } },
    ],
    [
      "is parked for a person when the CRM will never take it",
      { arm: "refused", reason: "validation" },
      { state: "parked", problem: "validation" },
    ],
    [
      "stays an intent when nobody knows",
      { arm: "unknown", reason: "timeout" },
      { state: "intent", notBefore: 10_250 },
    ],
    [
      "may be tried again when it certainly was not done",
      { arm: "deferred", retryAfterMs: 2_000, scope: "action", reason: "locked" },
      { state: "pending", notBefore: 12_000 },
    ],
    ["may be tried again with a fresh token", { arm: "expired" }, { state: "pending", notBefore: 10_000 }],
    ["waits where a person must mend the install", { arm: "blocked", reason: "scope_missing" }, { state: "pending" }],
  ];
  it.each(outcomes)("%s", (_title, outcome, expected) => {
    expect(judge(sent, outcome, in_("unique_property")).action).toMatchObject(expected);
  });

  it("stops the whole account when the CRM says so", () => {
    const verdict = judge(
      sent,
      { arm: "deferred", retryAfterMs: 10_000, scope: "account", reason: "rate_limit" },
      in_("marker"),
    );
    expect(verdict.pauseUntil).toBe(20_000);
    expect(
      judge(sent, { arm: "deferred", retryAfterMs: 10_000, scope: "action", reason: "locked" }, in_("marker"))
        .pauseUntil,
    ).toBeUndefined();
  });

  it("is given to a person after eighty definite refusals to do it now", () => {
    const tired: Action = { ...sent, attempts: 80 };
    expect(
      judge(tired, { arm: "deferred", retryAfterMs: 1, scope: "action", reason: "locked" }, in_("marker")).action,
    ).toMatchObject({
      state: "parked",
      problem: "gave_up_locked",
    });
  });

  it("that closes a task may simply be sent again when nobody knows", () => {
    const closing = intend(action(close), 9_000);
    expect(judge(closing, { arm: "unknown", reason: "timeout" }, in_("unique_property")).action.state).toBe("pending");
  });
});

describe("an action whose outcome is unknown", () => {
  it("is done when its key is found, also when a person deleted the task since", () => {
    const verdict = conclude(sent, { arm: "found", taskId: "7", personId: "" }, in_("unique_property"));
    expect(settled(verdict.action)).toEqual({
      arm: "done",
      receipt: { crm: "hubspot", task_id: "7", person_id: "", at: 10_000 },
    });
  });

  it("may be tried again after one definite absence where the CRM keeps the key", () => {
    expect(conclude(sent, { arm: "absent" }, in_("unique_property")).action.state).toBe("pending");
    expect(conclude(sent, { arm: "absent" }, in_("builtin_unique")).action.state).toBe("pending");
  });

  it("needs two absences, a minute and ten minutes after the attempt, where there is only a marker", () => {
    const world = in_("marker");
    expect(stepAt(sent, world)).toBe(69_000);
    const once = conclude(sent, { arm: "absent" }, { ...world, now: 69_000 }).action;
    expect(once.state).toBe("intent");
    expect(stepAt(once, world)).toBe(609_000);
    expect(conclude(once, { arm: "absent" }, { ...world, now: 609_000 }).action.state).toBe("pending");
  });

  const failures: readonly Resolution[] = [
    { arm: "unknown", reason: "timeout" },
    { arm: "deferred", retryAfterMs: 1_000, scope: "action", reason: "locked" },
    { arm: "blocked", reason: "scope_missing" },
    { arm: "expired" },
  ];
  it.each(failures)("stays unknown when the look-up says $arm: a failed look-up is never an absence", (resolution) => {
    expect(conclude(sent, resolution, in_("unique_property")).action).toMatchObject({ state: "intent", lookups: 1 });
  });

  it("is given to a person after eighty look-ups that could not say", () => {
    const tired: Action = { ...sent, lookups: 79 };
    expect(conclude(tired, { arm: "unknown", reason: "person_gone" }, in_("marker")).action).toMatchObject({
      state: "parked",
      problem: "lookup_person_gone",
    });
  });
});

describe("the queue of an account", () => {
  const item = (given: Action) => ({ action: given });

  it("sends the hot tier first, then looks up what is unknown, then the rest, then closes", () => {
    const items = [item(action(close)), item(action(make, false)), item(sent), item(action())];
    const phases = phasesOf(items, in_("unique_property"));
    expect(phases.map((phase) => [phase.work, phase.type, phase.ready.length])).toEqual([
      ["execute", "create_task", 1],
      ["resolve", "create_task", 1],
      ["execute", "create_task", 1],
      ["execute", "close_task", 1],
    ]);
  });

  it("sends a closing whose outcome is unknown again instead of looking it up", () => {
    const phases = phasesOf([item(intend(action(close), 1))], in_("unique_property"));
    expect(phases[3]?.ready.length).toBe(1);
  });

  it("says when the next one will be ready", () => {
    const later = { ...action(), notBefore: 12_345 };
    const phases = phasesOf([item(later)], in_("unique_property"));
    expect([phases[0]?.ready.length, phases[0]?.nextAt]).toEqual([0, 12_345]);
  });
});
