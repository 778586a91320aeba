/** What the follow-up becomes of what a person does to its task in a CRM. */
import { describe, expect, it } from "vitest";
import type { CrmTask, TaskSeen, TaskShape } from "../../connectors/contract.ts";
import { heardFields } from "../../src/act/task-seen.ts";
import { type HeardTask, heard } from "../../src/resolve/hearing.ts";
import type { ActionRecord, FollowUpRecord, Root } from "../../src/resolve/node.ts";
import { openActions, reassigned, unreleased } from "../../src/resolve/obligations.ts";
import { recordOf, rootOf } from "../states.ts";

const now = 80_000;
const written: CrmTask = { subject: "Call Ada", body: "", dueAt: 99_000, priority: "high", type: "call", ownerId: "1" };
const ours: TaskShape = { subject: "Call Ada", due: "99000", priority: "HIGH", owner: "1" };

const inCrm = (crm: "hubspot" | "salesforce", part: Partial<ActionRecord> = {}): ActionRecord => ({
  key: `fu_1-${crm}`,
  crm,
  account: `acme/${crm}/1`,
  state: "done",
  retry_at: 0,
  attempts: 1,
  revision: 0,
  written,
  ...part,
});

const withOne = (part: Partial<FollowUpRecord> = {}) =>
  rootOf("acme/r", {
    follow_ups: [recordOf({ assigned_by: "turn", actions: [inCrm("hubspot"), inCrm("salesforce")], ...part })],
  });

const openAs = (change: Partial<TaskShape>, modifiedAt = 70_000): TaskSeen => ({
  arm: "open",
  shape: { ...ours, ...change },
  modifiedAt,
});

function told(root: Root, seen: TaskSeen, part: Partial<HeardTask> & { readonly ours?: TaskShape } = {}) {
  const { ours: stands = ours, ...rest } = part;
  const dueAt = seen.arm === "open" && seen.shape.due !== "" ? Number(seen.shape.due) : null;
  const knows = (address: string) => address !== "baton@example.com";
  return heard(
    root,
    { key: "fu_1-hubspot", updated: null, seen, changed: heardFields, ...rest },
    { written, ours: stands, dueAt, knows, now },
  );
}

function became(...given: Parameters<typeof told>): Root {
  const answer = told(...given);
  if (answer.arm !== "ok") throw new Error(answer.arm);
  return answer.root;
}

const one = (root: Root) => root.follow_ups[0];

describe("a task that somebody has completed", () => {
  it("is a follow-up that is done, at the time of the completion, and the other CRM's task is to be closed", () => {
    const root = became(withOne(), { arm: "completed", at: 40_000 });
    expect(one(root)).toMatchObject({
      state: "done",
      outcome: "completed",
      closed_at: 40_000,
      closed_because: "completed in hubspot",
    });
    expect(openActions(root).map(({ action }) => action.crm)).toEqual(["salesforce"]);
    expect(unreleased(root)).toHaveLength(1);
  });

  it("with a clock that is wrong is done no earlier than the follow-up began and no later than now", () => {
    expect(one(became(withOne(), { arm: "completed", at: 3 }))?.closed_at).toBe(9_000);
    expect(one(became(withOne(), { arm: "completed", at: 900_000 }))?.closed_at).toBe(now);
  });

  it("told again changes nothing", () => {
    const root = became(withOne(), { arm: "completed", at: 40_000 });
    expect(became(root, { arm: "completed", at: 40_000 })).toBe(root);
  });

  it("of a follow-up that is closed already is nothing more to close", () => {
    const closed = withOne({ state: "cancelled", closed_because: "unsubscribed", closed_at: 20_000 });
    const root = became(closed, { arm: "completed", at: 40_000 });
    expect(one(root)).toMatchObject({ state: "cancelled", closed_because: "unsubscribed", closed_at: 20_000 });
    expect(openActions(root).map(({ action }) => action.crm)).toEqual(["salesforce"]);
  });
});

it("a task that somebody has deleted withdraws its follow-up, and says so", () => {
  const root = became(withOne(), { arm: "deleted" });
  expect(one(root)).toMatchObject({
    state: "cancelled",
    closed_because: "somebody deleted its task in hubspot",
    closed_at: now,
  });
  expect(openActions(root).map(({ action }) => action.crm)).toEqual(["salesforce"]);
});

describe("a task that was given to somebody else", () => {
  const given = () => became(withOne(), openAs({ owner: "2" }), { holder: "kim@example.com" });

  it("is a follow-up that they hold; the team is told, and only the other CRM is", () => {
    const root = given();
    expect(one(root)).toMatchObject({ holder: "kim@example.com", assigned_by: "person", revision: 1 });
    expect(reassigned(root)).toHaveLength(1);
    expect(openActions(root).map(({ action }) => action.crm)).toEqual(["salesforce"]);
  });

  it("is what stands there from then on: the same told again, or our own echo, changes nothing", () => {
    const root = given();
    const stands = { ...ours, owner: "2" };
    expect(one(root)?.actions[0]?.written).toMatchObject({ ownerId: "2" });
    expect(became(root, openAs({ owner: "2" }), { ours: stands, holder: "kim@example.com" })).toBe(root);
  });

  it("to somebody whom the CRM does not name stays with whom it was, and counts as touched", () => {
    const root = became(withOne(), openAs({ owner: "9" }));
    expect(one(root)).toMatchObject({
      holder: "sam@example.com",
      touched: "somebody changed its task in hubspot (owner)",
    });
    expect(openActions(root)).toEqual([]);
  });

  it("by the CRM itself, to the user we act as, was given to nobody; a seller whose user that is may take it", () => {
    const seen = { ...openAs({ owner: "8" }), ownerIsMaker: true as const };
    const root = withOne();
    expect(became(root, seen, { holder: "baton@example.com" })).toBe(root);
    expect(one(became(root, seen, { holder: "kim@example.com" }))?.holder).toBe("kim@example.com");
  });

  it("before somebody gave it to another one elsewhere is theirs all the same, and is shown so", () => {
    const root = withOne({ holder: "lee@example.com", theirs: { owner: 75_000 } });
    const late = became(root, openAs({ owner: "2" }, 70_000), { holder: "kim@example.com" });
    expect(one(late)?.holder).toBe("lee@example.com");
    expect(openActions(late).map(({ action }) => [action.crm, action.written?.ownerId])).toContainEqual([
      "hubspot",
      "2",
    ]);
  });
});

describe("a task that was edited", () => {
  it("with another due date moves the follow-up, never its promise, and the other CRM is told", () => {
    const root = became(withOne({ promised_at: 60_000 }), openAs({ due: "200000" }));
    expect(one(root)).toMatchObject({ due_at: 200_000, promised_at: 60_000, revision: 1 });
    expect(openActions(root).map(({ action }) => action.crm)).toEqual(["salesforce"]);
    expect(one(root)?.actions[0]?.written?.dueAt).toBe(200_000);
  });

  it("with another subject or priority is left as it is: nothing is written, and no policy takes it back", () => {
    const root = became(withOne(), openAs({ subject: "Ring Ada", priority: "LOW" }));
    expect(one(root)).toMatchObject({
      priority: "high",
      touched: "somebody changed its task in hubspot (subject, priority)",
    });
    expect(one(root)?.actions[0]?.written).toEqual(written);
    expect(openActions(root)).toEqual([]);
  });

  it("without a due date keeps the one of the follow-up", () => {
    expect(one(became(withOne(), openAs({ due: "" })))).toMatchObject({ due_at: 99_000 });
  });

  it("while it was to be taken back stays", () => {
    const root = became(withOne({ undo: { because: "undone" } }), openAs({ subject: "Ring Ada" }));
    expect(Object.keys(one(root) ?? {})).not.toContain("undo");
  });

  it("says nothing where only that differs which was ours before, in words that are not known here any more", () => {
    const root = withOne();
    const seen = openAs({ subject: "Call Ada (Example Ltd)", due: "200000" });
    expect(became(root, seen, { changed: [] })).toBe(root);
    expect(one(became(root, seen, { changed: ["due"] }))).toMatchObject({
      due_at: 200_000,
      touched: "somebody changed its task in hubspot (due date)",
    });
  });

  it("as we wrote it says nothing", () => {
    const root = withOne();
    expect(became(root, openAs({}))).toBe(root);
  });
});

describe("what may be our own doing is told again later", () => {
  const seen = openAs({ owner: "2" });
  const kim = { holder: "kim@example.com" };

  it("while an update is owed, after another update than is known here, and when the task is not known yet", () => {
    expect(told(withOne({ revision: 1 }), seen, kim)).toEqual({ arm: "later" });
    expect(told(withOne(), seen, { ...kim, updated: 1 })).toEqual({ arm: "later" });
    const behind = withOne({ revision: 1, actions: [inCrm("hubspot", { revision: 1, updated: 1 })] });
    expect(told(behind, seen, kim)).toEqual({ arm: "later" });
    expect(told(behind, seen, { ...kim, updated: 1 }).arm).toBe("ok");
    expect(told(withOne({ actions: [inCrm("hubspot", { state: "pending" })] }), seen, kim)).toEqual({ arm: "later" });
    expect(told(withOne(), seen, { ...kim, key: "fu_2-hubspot" })).toEqual({ arm: "later" });
  });

  it("while it is being closed, or its person erased", () => {
    expect(told(withOne({ state: "cancelled" }), seen, kim)).toEqual({ arm: "later" });
    const leaving: Root = { ...withOne(), erase: { id: "er_1", at: 1, by: "ops@example.com", owed: [] } };
    expect(told(leaving, { arm: "deleted" })).toEqual({ arm: "later" });
  });

  it("a completion or a deletion is nobody's but a person's, whatever is owed", () => {
    expect(one(became(withOne({ revision: 3 }), { arm: "completed", at: 40_000 }))?.state).toBe("done");
  });
});
