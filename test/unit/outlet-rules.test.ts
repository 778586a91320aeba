/** What the core knows of outlets: who is told, when, and that a message is no task. */
import { describe, expect, it } from "vitest";
import type { Command } from "../../connectors/contract.ts";
import { intend, judge, newAction } from "../../src/act/exactly-once.ts";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import { type Policy, policySchema } from "../../src/decide/policy.ts";
import { undoOf } from "../../src/decide/undo.ts";
import { projectionOf } from "../../src/ledger/rows.ts";
import { notifyWaitMs } from "../../src/limits.ts";
import { type Answered, settleException, tellFollowUp } from "../../src/resolve/answers.ts";
import type { ActionRecord, FollowUpRecord, Root, Target } from "../../src/resolve/node.ts";
import { peopleOf } from "../../src/resolve/node.ts";
import { nextDueAt } from "../../src/resolve/obligations.ts";
import { leavesAt, targetsOf } from "../../src/resolve/targets.ts";
import { lookedAt } from "../../src/resolve/undoing.ts";
import { recordOf, rootOf } from "../states.ts";

const base = defaultPolicy(["sam@example.com"]);
const call = base.plays["speed to lead"] as Policy["plays"][string];
const welcome = base.plays["trial welcome"] as Policy["plays"][string];
const policy: Policy = {
  ...base,
  plays: {
    ...base.plays,
    "speed to lead": { ...call, notify: ["sales"] },
    "trial welcome": { ...welcome, notify: ["warehouse"] },
  },
};
const hubspot: Target = { crm: "hubspot", account: "acme/hubspot/1" };
const sales: Target = { crm: "slack", account: "acme/slack/sales", outlet: "sales" };
const warehouse: Target = { crm: "webhook", account: "acme/webhook/warehouse", outlet: "warehouse" };
const all = [hubspot, sales, warehouse];

const task = (part: Partial<ActionRecord> = {}): ActionRecord => ({
  ...hubspot,
  key: "fu_1-aa",
  state: "done",
  retry_at: 0,
  attempts: 0,
  revision: 0,
  ...part,
});
const message = (part: Partial<ActionRecord> = {}): ActionRecord => ({ ...task(), ...sales, key: "fu_1-bb", ...part });
const withOne = (actions: readonly ActionRecord[], part: Partial<FollowUpRecord> = {}): Root =>
  rootOf("acme/r", { follow_ups: [recordOf({ assigned_by: "turn", created_at: 1_000, actions, ...part })] });
const rae = { by: "rae@example.com", at: 50_000 };

function ok(answered: Answered): Root {
  if (answered.arm !== "ok") throw new Error(answered.arm);
  return answered.root;
}

describe("who is told", () => {
  const told = (play: string, ways: readonly string[] = []) =>
    targetsOf(policy, { play, assign: ways.map((way) => ({ play: way }) as never) }, all);

  it("is every CRM, and the outlets that the play names", () => {
    expect(told("speed to lead")).toEqual([hubspot, sales]);
    expect(told("trial welcome")).toEqual([hubspot, warehouse]);
    expect(targetsOf(base, { play: "speed to lead" }, all)).toEqual([hubspot]);
  });

  it("may be whom the play names that takes over when nobody is there, until that is known", () => {
    expect(told("speed to lead", ["speed to lead", "trial welcome"])).toEqual(all);
  });

  it("is nobody but the CRMs where nothing leaves", () => {
    expect(targetsOf(policy, undefined, all)).toEqual([hubspot]);
  });
});

describe("when an outlet is told", () => {
  const due = (actions: readonly ActionRecord[], part: Partial<FollowUpRecord> = {}) => {
    const [item] = withOne(actions, part).follow_ups;
    return leavesAt(item as FollowUpRecord, actions.at(-1) as ActionRecord);
  };
  const waiting = message({ state: "pending" });

  it("is when the tasks of the follow-up stand, or were refused, and after a while without them", () => {
    expect(due([task({ state: "pending" }), waiting])).toBe(1_000 + notifyWaitMs);
    for (const state of ["done", "parked", "cancelled"] as const) expect(due([task({ state }), waiting])).toBe(0);
    expect(due([task({ state: "pending" }), task({ state: "done", key: "fu_1-cc" }), waiting])).toBe(
      1_000 + notifyWaitMs,
    );
    expect(due([waiting])).toBe(0);
  });

  it("is at once where it is to be withdrawn, and never keeps a task waiting", () => {
    expect(due([task({ state: "pending" }), waiting], { state: "cancelled" })).toBe(0);
    expect(due([waiting, task({ state: "pending", retry_at: 7 })])).toBe(7);
  });

  it("is what the alarm is set for", () => {
    const late = withOne([task({ state: "pending", retry_at: 900_000 }), waiting]);
    expect(nextDueAt(late, 2_000)).toBe(1_000 + notifyWaitMs);
  });
});

describe("a message is no task:", () => {
  it("it says nothing of who the person is in a CRM", () => {
    const receipt = { crm: "slack", task_id: "1.1", person_id: "51", at: 1 } as const;
    expect(peopleOf(withOne([message({ receipt })]))).toEqual({});
  });

  it("a follow-up that is only told of still has no CRM", () => {
    const bare = withOne([message({ state: "pending" })]);
    const questions = projectionOf(bare, [], policy, 2_000).exceptions.map(({ reason }) => reason);
    expect(questions).toEqual(["no_crm_connected"]);
    const carried = ok(settleException(bare, "ex_fu_1", { choice: "retry" }, rae, all));
    expect(carried.follow_ups[0]?.actions.map(({ crm }) => crm)).toEqual(["slack", "hubspot"]);
    expect(settleException(bare, "ex_fu_1", { choice: "retry" }, rae, [sales]).arm).toBe("refused");
  });

  it("one that was refused is a question of its own, and to dismiss it leaves the follow-up", () => {
    const root = withOne([task({ state: "pending" }), message({ state: "parked", problem: "msg_too_long" })]);
    const [row] = projectionOf(root, [], policy, 2_000).exceptions;
    expect(row).toMatchObject({ id: "ex_fu_1-bb", reason: "outlet_refused" });
    expect(JSON.parse(row?.document ?? "")).toMatchObject({ outlet: "sales", problem: "msg_too_long" });
    const next = ok(settleException(root, "ex_fu_1-bb", { choice: "dismiss", reason: "fine" }, rae, all));
    expect(next.follow_ups[0]).toMatchObject({ state: "open" });
  });

  it("what a CRM refused is dismissed with its follow-up although a message stands", () => {
    const root = withOne([task({ state: "parked", problem: "bad_email" }), message()]);
    const next = ok(settleException(root, "ex_fu_1-aa", { choice: "dismiss", reason: "no such person" }, rae, all));
    expect(next.follow_ups[0]).toMatchObject({ state: "cancelled" });
  });

  it("taking a follow-up back looks at its tasks alone", () => {
    const undo = (root: Root) => ok(tellFollowUp(root, "fu_1", { choice: "undo", reason: "undone" }, rae));
    expect(undo(withOne([task({ state: "pending" }), message()])).follow_ups[0]?.state).toBe("cancelled");
    const asked = undo(withOne([task(), message()]));
    expect(asked.follow_ups[0]).toMatchObject({ state: "open", revision: 1 });
    expect(lookedAt(asked, "fu_1-bb", null, 60_000)).toBe(asked);
    const seen = {
      ...asked,
      follow_ups: asked.follow_ups.map((item) => ({ ...item, actions: [task({ revision: 1 }), message()] })),
    };
    expect(lookedAt(seen, "fu_1-aa", [], 60_000).follow_ups[0]?.state).toBe("cancelled");
  });

  it("the ledger shows it by the outlet's name, and undoing a policy lists it with no CRM", () => {
    const [row] = projectionOf(withOne([task(), message()]), [], policy, 2_000).follow_ups;
    const { actions } = JSON.parse(row?.document ?? "");
    expect(actions).toMatchObject([{ crm: "hubspot" }, { type: "slack", outlet: "sales" }]);
    expect(actions[1]).not.toHaveProperty("crm");
    const made = {
      id: "fu_1",
      lead: "acme/r",
      play: "p",
      state: "open",
      holder: "h",
      policy_version: 3,
      actions,
    } as const;
    expect(undoOf([made], 3)).toMatchObject([{ arm: "withdraw", close_tasks: ["hubspot"] }]);
  });
});

describe("an outlet that says no for good", () => {
  const command: Command = {
    type: "create_task",
    key: "fu_1-bb",
    person: { lead: "acme/r" },
    task: { subject: "s", body: "", dueAt: 0, priority: "high", type: "call" },
  };
  const sent = intend(newAction({ command, holder: "sam@example.com", node: "acme/r", hot: true }), 5);
  const around = { world: "marker", settleReadsMs: [60_000, 600_000], now: 10 } as const;

  it("stops, and what met it is for a person; a CRM that stopped keeps it for later", () => {
    const gone = { arm: "blocked", reason: "gone" } as const;
    expect(judge(sent, gone, { ...around, crm: "webhook" })).toMatchObject({
      action: { state: "parked", problem: "gone", attempts: 0 },
      blocked: "gone",
    });
    expect(judge(sent, gone, { ...around, crm: "hubspot" })).toMatchObject({
      action: { state: "pending", problem: null },
      blocked: "gone",
    });
  });

  it("is still looked up when it is tried again, where an earlier attempt may have arrived", () => {
    const twice = intend(sent, 7);
    const { action } = judge(twice, { arm: "blocked", reason: "token_revoked" }, { ...around, crm: "slack" });
    expect(action).toMatchObject({ state: "parked", attempts: 2 });
  });
});

describe("a play that names outlets", () => {
  const issues = (notify: unknown) =>
    policySchema
      .safeParse({ ...base, plays: { ...base.plays, "speed to lead": { ...call, notify } } })
      .error?.issues.map(({ path }) => path.join("."));

  it.each([[["sales"]], [["sales", "data-warehouse-2"]], [[]], [undefined]])("is taken with %j", (notify) =>
    expect(issues(notify)).toBeUndefined(),
  );

  it.each([
    [["Sales Room"], "plays.speed to lead.notify.0"],
    [["sales", ""], "plays.speed to lead.notify.1"],
    ["sales", "plays.speed to lead.notify"],
    [["a1", "a2", "a3", "a4", "a5", "a6"], "plays.speed to lead.notify"],
  ])("is refused with %j", (notify, path) => expect(issues(notify)).toEqual([path]));

  it("is what it was where it names none: nothing is filled in", () => {
    const parsed = policySchema.parse(base);
    expect(Object.keys(parsed.plays["speed to lead"] ?? {})).not.toContain("notify");
  });
});
