/** What people do to our tasks in a CRM is heard, and the follow-up moves accordingly; everything in the runtime it lives in. */
import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { IdentityObject } from "../../src/objects/identity.ts";
import { accountName, accountStub, teamStub } from "../../src/objects/names.ts";
import type { FollowUpRecord } from "../../src/resolve/node.ts";
import { workspaceById } from "../../src/workspace.ts";
import {
  connect,
  email,
  eventually,
  letPass,
  openWorkspace,
  personOf,
  send,
  type TestWorkspace,
  tell,
} from "./fixture.ts";
import { type RecordedTask, RecordingCrm } from "./recording-crm.ts";

let hubspot: RecordingCrm;
let salesforce: RecordingCrm;

beforeEach(() => {
  hubspot = new RecordingCrm();
  salesforce = new RecordingCrm();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const ada = email("ada@example.com");

async function open(id: string, crms: "one" | "both" = "one"): Promise<TestWorkspace> {
  const opened = await openWorkspace(id, { crm: hubspot });
  if (crms === "one") return opened;
  await connect(id, salesforce, "salesforce");
  const found = await workspaceById(env, id, Date.now(), () => undefined);
  if (found === null) throw new Error("no workspace");
  return { ...opened, ...found };
}

async function followUpOf(of: TestWorkspace, holds: (item: FollowUpRecord) => boolean = () => true) {
  const { root } = await eventually(
    () => personOf(of, ada),
    ({ root: { follow_ups } }) => follow_ups.some(holds),
  );
  const item = root.follow_ups.find(holds);
  if (item === undefined) throw new Error("no follow-up");
  return item;
}

/** Somebody has asked for a demo, and everybody's task stands. */
async function asked(of: TestWorkspace, accounts = 1): Promise<FollowUpRecord> {
  await send(of, { id: "s1", kind: "demo_requested", identifiers: [ada] });
  return followUpOf(of, ({ actions }) => actions.length === accounts && actions.every(({ state }) => state === "done"));
}

const account = (of: TestWorkspace, crm: "hubspot" | "salesforce" = "hubspot") =>
  accountStub(env, accountName(of.id, crm, "portal"));

/** Somebody gives it to somebody by the API, as soon as that shows it. */
async function given(of: TestWorkspace, id: string, to: string): Promise<void> {
  const said = { choice: "reassign", to, by: "rae@example.com" };
  await eventually(
    () => tell(of, id, said),
    ({ status }) => status === 200,
  );
}

/** Time passes, and the account's alarm goes off. */
async function seconds(of: TestWorkspace, count: number, crm: "hubspot" | "salesforce" = "hubspot"): Promise<void> {
  letPass(count * 1_000);
  await runDurableObjectAlarm(account(of, crm));
}

const minute = (of: TestWorkspace, crm?: "hubspot" | "salesforce") => seconds(of, 60, crm);

function only(crm: RecordingCrm): RecordedTask {
  const [task] = crm.tasks;
  if (task === undefined || crm.tasks.length > 1) throw new Error(`${crm.tasks.length} tasks`);
  return task;
}

const rows = (of: TestWorkspace) =>
  runInDurableObject(account(of), (_object, { storage }) =>
    storage.sql
      .exec<{ key: string; state: string }>("SELECT key, state FROM actions ORDER BY key")
      .toArray()
      .map(({ key, state }) => `${key} ${state}`),
  );

describe("a task that a person completes", () => {
  it("is heard within a minute: done at the time of the completion, and the other CRM's task is closed", async () => {
    const acme = await open("h1", "both");
    await asked(acme, 2);
    const completedAt = Date.now();
    only(hubspot).completedAt = completedAt;
    await minute(acme);
    const item = await followUpOf(acme, ({ state }) => state === "done");
    expect(item).toMatchObject({
      outcome: "completed",
      closed_at: completedAt,
      closed_because: "completed in hubspot",
    });
    await eventually(
      () => only(salesforce).open,
      (isOpen) => !isOpen,
    );
    expect(hubspot.sent.map(({ type }) => type)).toEqual(["create_task"]);
  });

  it("is told once, and listened to no more, also after a power cut", async () => {
    const acme = await open("h2");
    const { actions } = await asked(acme);
    only(hubspot).completedAt = Date.now();
    await minute(acme);
    expect(await rows(acme)).toEqual([`${actions[0]?.key} closed`]);
    const heard = vi.spyOn(IdentityObject.prototype, "heard");
    await minute(acme);
    await abortAllDurableObjects();
    await runInDurableObject(account(acme), (object) => (object as unknown as { alarm(): Promise<void> }).alarm());
    expect(heard).not.toHaveBeenCalled();
    expect(hubspot.looks).toHaveLength(1);
  });

  it("is told again until its identity has it on disk", async () => {
    const acme = await open("h3");
    const { actions } = await asked(acme);
    only(hubspot).completedAt = Date.now();
    const heard = vi.spyOn(IdentityObject.prototype, "heard").mockRejectedValueOnce(new Error("not reachable"));
    await minute(acme);
    expect(await rows(acme)).toEqual([`${actions[0]?.key} done`]);
    await abortAllDurableObjects();
    await minute(acme);
    expect(heard.mock.calls.length).toBeGreaterThanOrEqual(2);
    expect((await followUpOf(acme)).state).toBe("done");
  });
});

it("a task that a person deletes withdraws the follow-up and closes the other CRM's task", async () => {
  const acme = await open("h4", "both");
  await asked(acme, 2);
  hubspot.tasks.length = 0;
  await minute(acme);
  const item = await followUpOf(acme, ({ state }) => state === "cancelled");
  expect(item.closed_because).toBe("somebody deleted its task in hubspot");
  await eventually(
    () => only(salesforce).open,
    (isOpen) => !isOpen,
  );
});

describe("a task that a person gives to somebody else", () => {
  it("is theirs here, in their team, and in the other CRM; and that echo is nobody's word", async () => {
    const acme = await open("h5", "both");
    const { id } = await asked(acme, 2);
    only(hubspot).ownerId = "owner-kim";
    await minute(acme);
    await followUpOf(acme, ({ holder, reassigned }) => holder === "kim@example.com" && reassigned === undefined);
    await eventually(
      () => only(salesforce).ownerId,
      (owner) => owner === "owner-kim",
    );
    const team = await runInDurableObject(teamStub(env, acme.id), (_object, { storage }) =>
      storage.sql.exec<{ holder: string }>("SELECT holder FROM assigned WHERE follow_up = ?", id).toArray(),
    );
    expect(team).toEqual([{ holder: "kim@example.com" }]);
    const settled = await followUpOf(acme);
    const heard = vi.spyOn(IdentityObject.prototype, "heard");
    await minute(acme, "salesforce");
    await minute(acme);
    expect(heard).not.toHaveBeenCalled();
    expect((await followUpOf(acme)).revision).toBe(settled.revision);
    // One echo: the other CRM was told once, and nothing came back.
    expect(hubspot.sent.map(({ type }) => type)).toEqual(["create_task"]);
    expect(salesforce.sent.map(({ type }) => type)).toEqual(["create_task", "update_task"]);
  });

  it("and whom somebody then chooses by the API stands in both", async () => {
    const acme = await open("h6");
    const { id } = await asked(acme);
    only(hubspot).ownerId = "owner-kim";
    await minute(acme);
    await followUpOf(acme, ({ holder }) => holder === "kim@example.com");
    await given(acme, id, "sam@example.com");
    await eventually(
      () => only(hubspot).ownerId,
      (owner) => owner === "owner-sam",
    );
  });
});

it("a due date that a person moves moves the follow-up and the other CRM's task, and never its promise", async () => {
  const acme = await open("h7", "both");
  const before = await asked(acme, 2);
  const dueAt = before.due_at + 86_400_000;
  only(hubspot).dueAt = dueAt;
  await minute(acme);
  const item = await followUpOf(acme, ({ due_at }) => due_at === dueAt);
  expect(item.promised_at).toBe(before.promised_at);
  await eventually(
    () => salesforce.sent.at(-1),
    (command) => command?.type === "update_task" && command.task.dueAt === dueAt,
  );
  expect(only(hubspot).dueAt).toBe(dueAt);
});

describe("what is our own doing is not taken for a person's", () => {
  it("a task that nobody has touched is read and nobody is told, also after a power cut", async () => {
    const acme = await open("h8");
    await asked(acme);
    await abortAllDurableObjects();
    const heard = vi.spyOn(IdentityObject.prototype, "heard");
    await minute(acme);
    expect(hubspot.looks).toEqual([["task-1"]]);
    expect(heard).not.toHaveBeenCalled();
  });

  it("a look that was answered before an update of ours came through says nothing", async () => {
    const acme = await open("h9");
    const { id } = await asked(acme);
    hubspot.holdsLooks = true;
    const look = minute(acme);
    await eventually(
      () => hubspot.looks.length,
      (count) => count === 1,
    );
    // Read with the old owner; before the answer comes, somebody chooses another one, and the CRM has it.
    await given(acme, id, "kim@example.com");
    await eventually(
      () => only(hubspot).ownerId,
      (owner) => owner === "owner-kim",
    );
    hubspot.holdsLooks = false;
    await look;
    expect((await followUpOf(acme)).holder).toBe("kim@example.com");
    await minute(acme);
    expect((await followUpOf(acme)).holder).toBe("kim@example.com");
    expect(only(hubspot).ownerId).toBe("owner-kim");
  });

  it("a version from before our own write is not believed while it may still be read", async () => {
    const acme = await open("h10");
    await asked(acme);
    const task = only(hubspot);
    task.subject = "As it was before";
    task.modifiedAt = Date.now() - 3_600_000;
    const heard = vi.spyOn(IdentityObject.prototype, "heard");
    letPass(51_000);
    await runDurableObjectAlarm(account(acme));
    expect(heard).not.toHaveBeenCalled();
    await minute(acme);
    expect(heard).toHaveBeenCalledTimes(1);
  });
});

describe("a look", () => {
  it("that fails, or leaves a task out, is nobody's deletion; the next one tells", async () => {
    const acme = await open("h11");
    await asked(acme);
    hubspot.tasks.length = 0;
    hubspot.lookFails.push({ arm: "deferred", retryAfterMs: 1_000, scope: "action", reason: "status_503" });
    hubspot.unanswered.add("task-1");
    await minute(acme);
    await minute(acme);
    expect((await followUpOf(acme)).state).toBe("open");
    hubspot.unanswered.clear();
    await minute(acme);
    expect((await followUpOf(acme)).state).toBe("cancelled");
  });

  it("that fails is repeated a moment later, not at the next time", async () => {
    const acme = await open("h22");
    await asked(acme);
    only(hubspot).completedAt = Date.now();
    hubspot.lookFails.push({ arm: "deferred", retryAfterMs: 1_000, scope: "action", reason: "status_503" });
    await minute(acme);
    expect((await followUpOf(acme)).state).toBe("open");
    await seconds(acme, 5);
    expect((await followUpOf(acme)).state).toBe("done");
  });

  it("that cannot tell of one task for long holds up no other task's minute", async () => {
    const acme = await open("h23");
    const { id, actions } = await asked(acme);
    const untold = actions[0]?.key;
    await send(acme, { id: "s2", kind: "demo_requested", identifiers: [email("bob@example.com")] });
    await eventually(
      () => hubspot.tasks.length,
      (count) => count === 2,
    );
    const told = IdentityObject.prototype.heard;
    const heard = vi.spyOn(IdentityObject.prototype, "heard").mockImplementation(function (this: IdentityObject, call) {
      return call.key === untold ? Promise.resolve({ arm: "later" }) : told.call(this, call);
    });
    for (const task of hubspot.tasks) if (task.key === untold) task.completedAt = Date.now();
    await seconds(acme, 51);
    expect(heard).toHaveBeenCalledTimes(1);
    for (const task of hubspot.tasks) task.completedAt = Date.now();
    for (let at = 0; at < 50; at += 5) await seconds(acme, 5);
    expect(heard.mock.calls.filter(([{ key }]) => key !== untold)).toHaveLength(1);
    expect((await followUpOf(acme)).id).toBe(id);
    expect((await followUpOf(acme)).state).toBe("open");
    heard.mockRestore();
    await minute(acme);
    expect((await followUpOf(acme)).state).toBe("done");
  });

  it("that is due is not put off by a task that is made at that very moment", async () => {
    const acme = await open("h24");
    await asked(acme);
    only(hubspot).completedAt = Date.now();
    letPass(51_000);
    await send(acme, { id: "s2", kind: "demo_requested", identifiers: [email("bob@example.com")] });
    await eventually(
      () => hubspot.tasks.length,
      (count) => count === 2,
    );
    await seconds(acme, 0);
    expect((await followUpOf(acme)).state).toBe("done");
  });

  it("goes on when a task that nobody was to hear of is somebody else's from now on", async () => {
    const acme = await open("h25");
    const { actions } = await asked(acme);
    const key = actions[0]?.key ?? "";
    const heard = vi.spyOn(IdentityObject.prototype, "heard").mockResolvedValue({ arm: "unknown" });
    hubspot.tasks.length = 0;
    await minute(acme);
    await minute(acme);
    const alarm = () => runInDurableObject(account(acme), (_object, { storage }) => storage.getAlarm());
    expect(await rows(acme)).toEqual([`${key} closed`]);
    expect(await alarm()).toBeNull();
    await account(acme).own({ key, node: actions[0]?.account ?? "", moves: 1 });
    expect(await alarm()).not.toBeNull();
    expect(heard).toHaveBeenCalledTimes(1);
    await minute(acme);
    expect(heard).toHaveBeenCalledTimes(2);
  });

  it("with a token that is not accepted refreshes it, and goes on the next time", async () => {
    const acme = await open("h12");
    await asked(acme);
    only(hubspot).completedAt = Date.now();
    hubspot.lookFails.push({ arm: "expired" });
    await minute(acme);
    expect(hubspot.refreshed).toBe(1);
    await minute(acme);
    expect((await followUpOf(acme)).state).toBe("done");
  });

  it("goes over all open tasks, a batch at a time, and over nothing where nothing is open", async () => {
    const acme = await open("h13");
    await minute(acme);
    expect(hubspot.looks).toEqual([]);
    for (let index = 0; index < 5; index++)
      await send(acme, { id: `p${index}`, kind: "demo_requested", identifiers: [email(`p${index}@example.com`)] });
    await eventually(
      () => hubspot.tasks.length,
      (count) => count === 5,
    );
    await minute(acme);
    expect(hubspot.looks.map((tasks) => tasks.length)).toEqual([2, 2, 1]);
    expect(new Set(hubspot.looks.flat()).size).toBe(5);
  });

  it("writes no row for a task that nobody touches, but for the alarm", async () => {
    const acme = await open("h14");
    await asked(acme);
    const before = await rows(acme);
    const alarm = () => runInDurableObject(account(acme), (_object, { storage }) => storage.getAlarm());
    expect(await alarm()).not.toBeNull();
    await minute(acme);
    expect(await rows(acme)).toEqual(before);
    expect(await alarm()).not.toBeNull();
  });
});
