import { describe, expect, it } from "vitest";
import type { Command, Outcome, Resolution, World } from "../../connectors/contract.ts";
import {
  type Action,
  type Circumstances,
  conclude,
  digestOfWords,
  inDoubt,
  intend,
  judge,
  newAction,
  settled,
  stepAt,
  writtenAfter,
} from "../../src/act/exactly-once.ts";
import { phasesOf } from "../../src/act/queue.ts";
import { bare } from "../../src/objects/account-store.ts";

const make: Command = {
  type: "create_task",
  key: "fu_1-aa",
  person: { lead: "acme/1", email: "ada@example.com" },
  task: { subject: "Call Ada", body: "", dueAt: 0, priority: "high", type: "call" },
};
const close: Command = { type: "close_task", key: "fu_1-aa-close", taskId: "7", note: "" };
const { task: written } = make;
const wanted = { ...written, subject: "Call Ada now", body: "Pricing page", dueAt: -1, ownerId: "kim" };
const update: Command = {
  type: "update_task",
  key: "fu_1-aa-u1",
  taskId: "7",
  task: wanted,
  before: { ...written, ownerId: "sam" },
};
const show: Command = {
  type: "write_record",
  key: "fr_1",
  personId: "3",
  values: { follow_up_reason: { value: "asked for a demo" } },
  at: 1,
};
const action = (command: Command = make, hot = true): Action =>
  newAction({ command, holder: "sam@example.com", node: "acme/1", hot });
const in_ = (world: World, now = 10_000): Circumstances => ({
  crm: "hubspot",
  world,
  settleReadsMs: [60_000, 600_000],
  now,
});
const sent = intend(action(), 9_000);

describe("what was refused", () => {
  const refusal: Outcome = { arm: "refused", reason: "validation" };

  it("with the only request that left has made nothing: nobody need look, and nothing of the person is kept", () => {
    const { action: parked } = judge(sent, refusal, in_("marker"));
    expect(inDoubt(parked)).toBe(false);
    expect(JSON.stringify(bare(parked))).not.toContain("example.com");
  });

  it("or withdrawn, and is wanted again, is in doubt again as soon as it leaves", () => {
    const withdrawn: Action = { ...sent, state: "pending", cancelling: true };
    expect(inDoubt(withdrawn)).toBe(false);
    expect(inDoubt(intend(withdrawn, 9_500))).toBe(true);
  });

  it("after a request whose answer was lost may stand all the same, and can be looked up", () => {
    const again = intend({ ...sent, state: "pending" }, 9_500);
    const { action: parked } = judge(again, refusal, in_("marker"));
    expect(inDoubt(parked)).toBe(true);
    expect(bare(parked).command).toEqual(make);
  });
});

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

describe("an update", () => {
  const sentUpdate = intend(action(update), 9_000);
  const done = { arm: "done", taskId: "7", personId: "3", created: false } as const;
  const settledBy = (outcome: Outcome) => settled(judge(sentUpdate, outcome, in_("marker")).action);

  it("is settled with what it left and the owner it wrote, and has no receipt: those are of the task's making", () => {
    expect(settledBy({ ...done, kept: ["subject"] })).toEqual({
      arm: "updated",
      update: { kept: ["subject"], ownerId: "kim" },
    });
    expect(judge(sentUpdate, done, in_("marker")).action.receipt).toBeNull();
  });

  it("names the owner of before where it did not write one", () => {
    expect(settledBy({ ...done, kept: ["owner"] })).toMatchObject({ update: { ownerId: "sam" } });
    expect(settledBy({ ...done, gone: "completed" })).toEqual({
      arm: "updated",
      update: { kept: [], gone: "completed", ownerId: "sam" },
    });
  });

  it("is sent again after a while when nobody knows, in every world, however often", () => {
    for (const world of ["unique_property", "marker"] as const) {
      const { action: next } = judge(
        { ...sentUpdate, attempts: 500 },
        { arm: "unknown", reason: "timeout" },
        in_(world),
      );
      expect(next.state).toBe("pending");
      expect(next.notBefore).toBeGreaterThan(10_000);
      expect(stepAt(sentUpdate, in_(world))).toBe(0);
    }
  });

  it("that is refused is a person's to look at", () => {
    expect(settledBy({ arm: "refused", reason: "validation" })).toEqual({ arm: "parked", problem: "validation" });
  });

  it("leaves on the task what the next one may overwrite: what it wrote, and what it left as it was before", () => {
    const before = { ...written, ownerId: "sam" };
    expect(writtenAfter(before, wanted, { kept: [], ownerId: "kim" })).toEqual(wanted);
    expect(writtenAfter(before, wanted, { kept: ["subject", "due", "owner"], ownerId: "sam" })).toEqual({
      ...wanted,
      subject: "Call Ada",
      dueAt: 0,
      ownerId: "sam",
    });
    expect(writtenAfter(before, wanted, { kept: [], gone: "deleted", ownerId: "sam" })).toEqual(before);
    expect(writtenAfter(written, wanted, { kept: ["body", "priority"] })).toEqual({
      subject: "Call Ada now",
      body: "",
      dueAt: -1,
      priority: "high",
      type: "call",
    });
  });
});

describe("a receipt", () => {
  it("names the owner the task was made with, also when only a look-up found the task", () => {
    const owned = intend(action({ ...make, task: { ...written, ownerId: "sam" } } as Command), 9_000);
    const said = { taskId: "7", personId: "3" };
    for (const { action: next } of [
      judge(owned, { arm: "done", created: true, ...said }, in_("marker")),
      conclude(owned, { arm: "found", ...said }, in_("marker")),
    ])
      expect(next.receipt).toEqual({ crm: "hubspot", task_id: "7", person_id: "3", owner_id: "sam", at: 10_000 });
  });
});

describe("an action whose outcome is unknown", () => {
  it("is done when its key is found, also when a person deleted the task since", () => {
    const verdict = conclude(sent, { arm: "found", taskId: "7", personId: "" }, in_("unique_property"));
    expect(settled(verdict.action)).toEqual({
      arm: "done",
      words: digestOfWords(written),
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

describe("what a record is to show", () => {
  const showing = intend(action(show, false), 9_000);

  it("is done with what was left, and nothing of what it said is kept", () => {
    const done: Outcome = { arm: "done", taskId: "", personId: "3", created: false, left: ["lead_score"] };
    const { action: shown } = judge(showing, done, in_("marker"));
    expect(settled(shown)).toEqual({ arm: "shown", left: ["lead_score"] });
    expect(JSON.stringify(bare(shown))).not.toContain("demo");
  });

  it("is simply written again where nobody knows, and is never in doubt", () => {
    const { action: again } = judge(showing, { arm: "unknown", reason: "timeout" }, in_("marker"));
    expect(again.state).toBe("pending");
    expect(inDoubt(again)).toBe(false);
  });
});

describe("the queue of an account", () => {
  const item = (given: Action) => ({ action: given });

  it("makes hot tasks first, then looks up what is unknown, updates hot ones, then does the rest, closes, and shows on records last", () => {
    const items = [
      item(action(show, false)),
      item(action(close)),
      item(action(update, false)),
      item(action(make, false)),
      item(action(update)),
      item(sent),
      item(action()),
    ];
    const phases = phasesOf(items, in_("unique_property"));
    expect(phases.map((phase) => [phase.work, phase.type, phase.ready.length])).toEqual([
      ["execute", "create_task", 1],
      ["resolve", "create_task", 1],
      ["execute", "update_task", 1],
      ["execute", "create_task", 1],
      ["execute", "update_task", 1],
      ["execute", "close_task", 1],
      ["resolve", "enrol", 0],
      ["execute", "enrol", 0],
      ["execute", "write_record", 1],
    ]);
    expect(phases.map((phase) => phase.hot)).toEqual([true, true, true, ...Array(6).fill(false)]);
  });

  it("sends a closing or an update whose outcome is unknown again instead of looking it up", () => {
    const phases = phasesOf([item(intend(action(close), 1)), item(intend(action(update), 1))], in_("marker"));
    expect(phases.map((phase) => phase.ready.length)).toEqual([0, 0, 1, 0, 0, 1, 0, 0, 0]);
  });

  it("says when the next one will be ready", () => {
    const later = { ...action(), notBefore: 12_345 };
    const phases = phasesOf([item(later)], in_("unique_property"));
    expect([phases[0]?.ready.length, phases[0]?.nextAt]).toEqual([0, 12_345]);
  });
});
