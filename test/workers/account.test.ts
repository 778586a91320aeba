/** One CRM account in the runtime it lives in: every action has one external effect (DESIGN §6.3), whatever breaks. */
import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Command, CrmTask } from "../../connectors/contract.ts";
import { AccountObject, type SubmitCall } from "../../src/objects/account.ts";
import { AccountStore } from "../../src/objects/account-store.ts";
import { accountName, accountStub, identityStub } from "../../src/objects/names.ts";
import { peopleOf } from "../../src/resolve/node.ts";
import {
  connect,
  email,
  eventually,
  nodeOf,
  openWorkspace,
  personOf,
  rest,
  send,
  type TestWorkspace,
} from "./fixture.ts";
import { RecordingCrm } from "./recording-crm.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const nameOf = (id: string) => accountName(id, "hubspot", "portal");

/** An account of its own for each test, connected to a CRM that keeps what it was asked. */
async function openAccount(id: string, change: (crm: RecordingCrm) => void = () => undefined) {
  const crm = new RecordingCrm();
  change(crm);
  await connect(id, crm);
  const stub = () => accountStub(env, nameOf(id));
  return { crm, stub, submit: (key: string, part: Partial<SubmitCall> = {}) => stub().submit(task(id, key, part)) };
}

function task(workspace: string, key: string, part: Partial<SubmitCall> = {}): SubmitCall {
  const command: Command = {
    type: "create_task",
    key,
    person: { lead: "lead-1", email: "ada@example.com" },
    task: { subject: `Call ${key}`, body: "", dueAt: 0, priority: "high", type: "call" },
  };
  return { command, holder: "sam@example.com", node: `${workspace}/nobody`, hot: true, ...part };
}

/** An asker that nobody listens to any more. */
function unheard(answer: Promise<unknown>): void {
  answer.catch(() => undefined);
}

function stateOnDisk(id: string, key: string): Promise<unknown> {
  return runInDurableObject(
    accountStub(env, nameOf(id)),
    (_object, state) => state.storage.sql.exec("SELECT state FROM actions WHERE key = ?", key).toArray()[0]?.state,
  );
}

/** Writes an action as one that was taken over before the object was evicted. */
async function leaveOnDisk(id: string, key: string, state: "pending" | "intent", node: string): Promise<void> {
  await runInDurableObject(accountStub(env, nameOf(id)), (_object, { storage }) => {
    const { command, holder, hot } = task(id, key);
    const counters = {
      attempts: 0,
      notBefore: 0,
      attemptAt: 0,
      emptyReads: 0,
      lookups: 0,
      receipt: null,
      problem: null,
    };
    const body = JSON.stringify({ command, holder, hot, node, ...counters });
    storage.sql.exec("INSERT INTO actions VALUES (?, ?, ?)", key, state, body);
    return storage.setAlarm(Date.now() + 60_000);
  });
  await abortAllDurableObjects();
}

describe("an action", () => {
  it("becomes one task of its holder's, and its receipt names task and person", async () => {
    const { crm, submit } = await openAccount("a1");
    const answer = await submit("k");
    expect(answer).toMatchObject({
      arm: "done",
      receipt: { crm: "hubspot", task_id: "task-1", person_id: "person-1" },
    });
    expect(crm.tasks).toEqual([
      { key: "k", taskId: "task-1", subject: "Call k", ownerId: "owner-sam", dueAt: 0, priority: "high", open: true },
    ]);
  });

  it("of an unknown holder has no owner: a task that somebody sees is better than none", async () => {
    const { crm, submit } = await openAccount("a2");
    await submit("k", { holder: "left@example.com" });
    expect(crm.tasks.map((one) => one.ownerId)).toEqual([undefined]);
  });

  it("is sent once, however often and at once it is asked for, also after a power cut", async () => {
    const { crm, submit } = await openAccount("a3");
    const answers = await Promise.all([submit("k"), submit("k"), submit("k")]);
    await abortAllDurableObjects();
    answers.push(await submit("k"));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(crm.sent).toHaveLength(1);
  });

  it("is written down as an intent before it leaves", async () => {
    const { crm, submit } = await openAccount("a4", (one) => {
      one.holds = true;
    });
    const answer = submit("k");
    await eventually(
      () => crm.sent.length,
      (count) => count === 1,
    );
    expect(await stateOnDisk("a4", "k")).toBe("intent");
    crm.holds = false;
    expect((await answer).arm).toBe("done");
    expect(await stateOnDisk("a4", "k")).toBe("done");
  });
});

describe("an unknown outcome", () => {
  it("is looked up by key, and what is found is the receipt: nothing is sent again", async () => {
    const { crm, submit } = await openAccount("u1", (one) => one.scripts.push("lost_after"));
    expect(await submit("k")).toMatchObject({ arm: "done", receipt: { task_id: "task-1" } });
    expect(crm.lookedUp).toEqual(["k"]);
    expect(crm.sent).toHaveLength(1);
  });

  it("is looked up by key, and what is absent is sent again", async () => {
    const { crm, submit } = await openAccount("u2", (one) => one.scripts.push("lost_before"));
    expect((await submit("k")).arm).toBe("done");
    expect(crm.lookedUp).toEqual(["k"]);
    expect(crm.sent).toHaveLength(2);
    expect(crm.tasks).toHaveLength(1);
  });

  it("stays unknown while the look-up fails: a failed look-up is never an absent task", async () => {
    const { crm, submit } = await openAccount("u3", (one) => {
      one.scripts.push("lost_after");
      one.lookups.push({ arm: "unknown", reason: "connection" });
    });
    expect((await submit("k")).arm).toBe("done");
    expect(crm.lookedUp).toEqual(["k", "k"]);
    expect(crm.sent).toHaveLength(1);
  });

  it("of a power cut while the CRM worked is looked up before anything is sent", async () => {
    const { crm, submit } = await openAccount("u4");
    await leaveOnDisk("u4", "k", "intent", "u4/nobody");
    crm.tasks.push({ key: "k", taskId: "task-made-before", subject: "", ownerId: undefined, open: true });
    expect(await submit("k")).toMatchObject({ arm: "done", receipt: { task_id: "task-made-before" } });
    expect(crm.sent).toEqual([]);
  });

  it("needs two empty reads before it is sent again, where the CRM knows no key of ours", async () => {
    const { crm, submit } = await openAccount("u5", (one) => {
      one.world = "marker";
      one.scripts.push("lost_before");
    });
    expect((await submit("k")).arm).toBe("done");
    expect(crm.lookedUp).toEqual(["k", "k"]);
    expect(crm.sent).toHaveLength(2);
  });

  it("is settled by the second read when the CRM was slow to show the task", async () => {
    const { crm, submit } = await openAccount("u6", (one) => {
      one.world = "marker";
      one.scripts.push("lost_after");
      one.lookups.push({ arm: "absent" });
    });
    expect((await submit("k")).arm).toBe("done");
    expect(crm.lookedUp).toEqual(["k", "k"]);
    expect(crm.sent).toHaveLength(1);
  });

  it("of closing a task is simply repeated: closing twice is closing once", async () => {
    const { crm, submit } = await openAccount("u7", (one) => one.scripts.push("lost_after"));
    const command: Command = { type: "close_task", key: "k-close", taskId: "task-9", note: "no longer needed" };
    expect((await submit("k-close", { command })).arm).toBe("done");
    expect(crm.sent).toHaveLength(2);
    expect(crm.lookedUp).toEqual([]);
  });
});

describe("an update", () => {
  const task: CrmTask = { subject: "Call k", body: "", dueAt: 0, priority: "high", type: "call" };
  const update = (revision: number, before: Partial<CrmTask> = {}): Command => ({
    type: "update_task",
    key: `k-u${revision}`,
    taskId: "task-1",
    task: { ...task, subject: `Call k, ${revision}` },
    before: { ...task, ...before },
  });

  /** An account that has made the task, and how many rows it wrote from then on. */
  async function openTask(id: string) {
    const opened = await openAccount(id);
    const receipt = await opened.submit("k");
    opened.crm.sent.length = 0;
    const rows = () =>
      runInDurableObject(opened.stub(), (_object, { storage }) =>
        storage.sql.exec<{ key: string; state: string; body: string }>("SELECT * FROM actions ORDER BY key").toArray(),
      );
    return {
      ...opened,
      receipt,
      rows,
      send: (command: Command, part: Partial<SubmitCall> = {}) => opened.submit(command.key, { command, ...part }),
    };
  }

  it("changes the task, is settled with what it did, and the receipt of the task's making stays", async () => {
    const { crm, receipt, send, submit } = await openTask("n1");
    expect(receipt).toMatchObject({ arm: "done", receipt: { owner_id: "owner-sam" } });
    const answer = await send(update(1, { ownerId: "owner-sam" }));
    expect(answer).toEqual({ arm: "updated", update: { kept: [], ownerId: "owner-sam" } });
    expect(crm.tasks).toMatchObject([{ taskId: "task-1", subject: "Call k, 1", ownerId: "owner-sam" }]);
    expect(await submit("k")).toEqual(receipt);
  });

  it("gives the task to its new holder, unless a person has given it to somebody", async () => {
    const { crm, send } = await openTask("n2");
    expect(await send(update(1, { ownerId: "owner-sam" }), { holder: "kim@example.com" })).toEqual({
      arm: "updated",
      update: { kept: [], ownerId: "owner-kim" },
    });
    for (const task of crm.tasks) task.ownerId = "owner-lee";
    expect(await send(update(2, { ownerId: "owner-kim", subject: "Call k, 1" }))).toEqual({
      arm: "updated",
      update: { kept: ["owner"], ownerId: "owner-kim" },
    });
    expect(crm.tasks).toMatchObject([{ ownerId: "owner-lee" }]);
  });

  it("of a task that a person completed says so", async () => {
    const { crm, send } = await openTask("n3");
    for (const task of crm.tasks) task.open = false;
    expect(await send(update(1))).toMatchObject({ arm: "updated", update: { gone: "completed" } });
  });

  it("that goes through at once writes one row, which names nobody; asked for again it is answered from there", async () => {
    const { crm, send, rows } = await openTask("n4");
    const save = vi.spyOn(AccountStore.prototype, "save");
    const answer = await send(update(1));
    expect(save.mock.calls.flatMap(([actions]) => actions)).toHaveLength(1);
    const [, row] = await rows();
    expect(row).toMatchObject({ key: "k-u1", state: "done" });
    expect(row?.body).not.toMatch(/Call k|sam@example/);
    await abortAllDurableObjects();
    expect(await send(update(1))).toEqual(answer);
    expect(crm.sent).toHaveLength(1);
  });

  it("whose answer was lost is simply repeated, without a look-up", async () => {
    const { crm, send } = await openTask("n5");
    crm.scripts.push("lost_after", "lost_before");
    expect((await send(update(1))).arm).toBe("updated");
    expect(crm.sent).toHaveLength(3);
    expect(crm.lookedUp).toEqual([]);
  });

  it("in whose middle the power goes leaves nothing behind, and is done when it is asked for again", async () => {
    const { crm, send, rows } = await openTask("n6");
    crm.holds = true;
    unheard(send(update(1)));
    await eventually(
      () => crm.sent.length,
      (count) => count === 1,
    );
    await abortAllDurableObjects();
    expect((await rows()).map((row) => row.key)).toEqual(["k"]);
    crm.holds = false;
    expect((await send(update(1))).arm).toBe("updated");
  });

  it("that takes long is the account's own: on disk, behind an alarm, repeated after a power cut", async () => {
    const { crm, send, rows, stub } = await openTask("n7");
    crm.scripts.push(
      ...Array.from(
        { length: 4 },
        () => ({ arm: "deferred", retryAfterMs: 4_000, scope: "action", reason: "locked" }) as const,
      ),
    );
    expect(await send(update(1))).toEqual({ arm: "pending", retryAfterMs: 120_000 });
    expect((await rows())[1]).toMatchObject({ key: "k-u1", state: "pending" });
    expect(await runInDurableObject(stub(), (_object, state) => state.storage.getAlarm())).not.toBeNull();
    await abortAllDurableObjects();
    crm.scripts = [];
    await runDurableObjectAlarm(stub());
    await eventually(
      async () => (await rows())[1]?.state,
      (state) => state === "done",
      9_000,
    );
    expect(await send(update(1))).toMatchObject({ arm: "updated" });
    expect(crm.tasks).toMatchObject([{ subject: "Call k, 1" }]);
  });

  it("waits for its share of the limit, and leaves the last of it to the hot tier", async () => {
    const { crm, send, submit } = await openTask("n8");
    // Of 950 requests the last 190 are for the hot tier.
    crm.costs = ([command]) => (command?.type === "update_task" ? 100 : 700);
    crm.holds = true;
    const answers = [submit("held")];
    await eventually(
      () => crm.sent.length,
      (count) => count === 1,
    );
    answers.push(send(update(1), { hot: false }), send(update(2)));
    await eventually(
      () => crm.sent.length,
      (count) => count === 2,
    );
    await rest(100);
    expect(crm.sent.map(({ key }) => key)).toEqual(["held", "k-u2"]);
    crm.holds = false;
    expect((await Promise.all(answers)).map(({ arm }) => arm)).toEqual(["done", "updated", "updated"]);
    expect(crm.sent.map(({ key }) => key)).toEqual(["held", "k-u2", "k-u1"]);
  });

  it("is no reason to doubt when it is cancelled", async () => {
    const { crm, send, stub } = await openTask("n9");
    crm.scripts.push({ arm: "deferred", retryAfterMs: 60_000, scope: "action", reason: "locked" });
    const waiting = send(update(1));
    await eventually(
      () => crm.sent.length,
      (count) => count === 1,
    );
    await rest(50);
    expect(await stub().cancel({ key: "k-u1" })).toEqual({ arm: "cancelled" });
    expect(await waiting).toEqual({ arm: "cancelled" });
    await send(update(2));
    expect(await stub().cancel({ key: "k-u2" })).toEqual({ arm: "cancelled" });
    expect(await send(update(2))).toMatchObject({ arm: "updated" });
    expect(crm.tasks).toMatchObject([{ subject: "Call k, 2" }]);
  });

  it("is forgotten with its task, whether it waits in memory or on disk", async () => {
    const { crm, send, submit, rows, stub } = await openTask("n10");
    await send(update(1));
    crm.scripts.push({ arm: "refused", reason: "validation" });
    await send(update(2));
    crm.scripts.push({ arm: "deferred", retryAfterMs: 60_000, scope: "action", reason: "locked" });
    const waiting = send(update(3));
    await submit("k-other");
    await rest(50);
    await stub().forget({ keys: ["k"] });
    expect(await waiting).toEqual({ arm: "cancelled" });
    expect((await rows()).map((row) => `${row.key} ${row.state}`)).toEqual([
      "k closed",
      "k-other done",
      "k-u1 done",
      "k-u2 cancelled",
      "k-u3 cancelled",
    ]);
    expect(JSON.stringify(await rows())).not.toMatch(/Call k|sam@example/);
  });
});

describe("a definite answer", () => {
  it("of refusal parks the action with its reason, and it is not sent again", async () => {
    const { crm, submit } = await openAccount("r1", (one) => one.scripts.push({ arm: "refused", reason: "bad_email" }));
    expect(await submit("k")).toEqual({ arm: "parked", problem: "bad_email" });
    await abortAllDurableObjects();
    expect(await submit("k")).toEqual({ arm: "parked", problem: "bad_email" });
    expect(crm.sent).toHaveLength(1);
  });

  it("of 'not now' is repeated when its time has come, without a look-up", async () => {
    const { crm, submit } = await openAccount("r2", (one) =>
      one.scripts.push({ arm: "deferred", retryAfterMs: 300, scope: "action", reason: "rate" }),
    );
    const begin = performance.now();
    expect((await submit("k")).arm).toBe("done");
    expect(performance.now() - begin).toBeGreaterThan(250);
    expect(crm.lookedUp).toEqual([]);
    expect(crm.sent).toHaveLength(2);
  });

  it("of 'not now' for the whole account holds the others back too", async () => {
    const { crm, submit } = await openAccount("r3", (one) =>
      one.scripts.push({ arm: "deferred", retryAfterMs: 500, scope: "account", reason: "daily" }),
    );
    const first = submit("k1");
    await eventually(
      () => crm.sent.length,
      (count) => count === 1,
    );
    await rest(50);
    const second = submit("k2");
    await rest(200);
    expect(crm.sent).toHaveLength(1);
    expect((await Promise.all([first, second])).map((answer) => answer.arm)).toEqual(["done", "done"]);
  });

  it("that the token is not accepted refreshes it once for all, and everything leaves with the new one", async () => {
    const { crm, submit } = await openAccount("r4", (one) => {
      one.holds = true;
      one.expired.add("token-1");
    });
    const both = [submit("k1"), submit("k2")];
    await eventually(
      () => crm.sent.length,
      (count) => count === 2,
    );
    crm.holds = false;
    const answers = await Promise.all(both);
    expect(answers.map((answer) => answer.arm)).toEqual(["done", "done"]);
    expect(crm.refreshed).toBe(1);
    expect(crm.tokens.slice(0, 2)).toEqual(["token-1", "token-1"]);
    expect(crm.tokens.at(-1)).toBe("token-2");
    expect(crm.tasks).toHaveLength(2);
    await abortAllDurableObjects();
    await submit("k3");
    expect(crm.tokens.at(-1)).toBe("token-2");
  });

  it("that the token is not accepted is not answered with one refresh after the other", async () => {
    const { crm, submit } = await openAccount("r7", (one) => {
      one.scripts = Array.from({ length: 50 }, () => ({ arm: "expired" as const }));
    });
    unheard(submit("k"));
    // The third try comes 375 ms after the second at the earliest.
    await rest(300);
    expect(crm.sent).toHaveLength(2);
    expect(crm.refreshed).toBe(2);
  });

  it("that the grant was withdrawn blocks the account: nothing leaves, and it says what a person must do", async () => {
    const { crm, stub, submit } = await openAccount("r5", (one) => {
      one.scripts.push({ arm: "expired" });
      one.refreshFails = { arm: "revoked", reason: "invalid_grant" };
    });
    unheard(submit("k1"));
    await eventually(
      async () => (await stub().status()).facts?.status,
      (status) => status === "blocked",
    );
    expect((await stub().status()).facts?.problem).toBe("connect_again");
    unheard(submit("k2"));
    await rest(200);
    expect(crm.sent).toHaveLength(1);
  });

  it("that the refresh was lost keeps the account connected: nobody must connect again for a broken line", async () => {
    const { stub, submit } = await openAccount("r6", (one) => {
      one.scripts.push({ arm: "expired" });
      one.refreshFails = { arm: "unknown", reason: "connection" };
    });
    unheard(submit("k1"));
    await rest(200);
    expect((await stub().status()).facts?.status).toBe("connected");
  });
});

describe("cancelling", () => {
  it("of something never seen leaves a tombstone: a submit that arrives later does nothing", async () => {
    const { crm, stub, submit } = await openAccount("c1");
    expect(await stub().cancel({ key: "k" })).toEqual({ arm: "cancelled" });
    await abortAllDurableObjects();
    expect(await submit("k")).toEqual({ arm: "cancelled" });
    expect(crm.sent).toEqual([]);
  });

  it("of something done says so, with the receipt by which it can be closed", async () => {
    const { stub, submit } = await openAccount("c2");
    await submit("k");
    expect(await stub().cancel({ key: "k" })).toMatchObject({ arm: "done", receipt: { task_id: "task-1" } });
  });

  it("of something under way is refused until its outcome is known", async () => {
    const { crm, stub, submit } = await openAccount("c3", (one) => {
      one.holds = true;
    });
    const answer = submit("k");
    await eventually(
      () => crm.sent.length,
      (count) => count === 1,
    );
    expect(await stub().cancel({ key: "k" })).toEqual({ arm: "in_flight" });
    crm.holds = false;
    await answer;
    expect((await stub().cancel({ key: "k" })).arm).toBe("done");
  });
});

describe("an action that the account took over", () => {
  let acme: TestWorkspace;
  let crm: RecordingCrm;

  /** A follow-up whose action the account has, while its person no longer waits. */
  async function takenOver(id: string, address: string): Promise<string> {
    crm = new RecordingCrm();
    acme = await openWorkspace(id, { crm });
    vi.spyOn(AccountObject.prototype, "submit").mockResolvedValueOnce({ arm: "pending", retryAfterMs: 120_000 });
    await send(acme, { id: "1", identifiers: [email(address)], kind: "demo_requested" });
    const key = (await personOf(acme, email(address))).root.follow_ups[0]?.actions[0]?.key ?? "";
    await rest(100);
    await leaveOnDisk(id, key, "pending", nodeOf(acme, email(address)));
    return key;
  }

  it("leaves by the alarm, and its person is told", async () => {
    const key = await takenOver("t1", "ada@example.com");
    await runDurableObjectAlarm(accountStub(env, nameOf("t1")));
    const { root } = await eventually(
      () => personOf(acme, email("ada@example.com")),
      (seen) => seen.root.follow_ups[0]?.actions[0]?.state === "done",
    );
    expect(root.follow_ups[0]?.actions[0]?.receipt?.task_id).toBe("task-1");
    expect(peopleOf(root)).toEqual({ hubspot: "person-1" });
    expect(crm.tasks.map((one) => one.key)).toEqual([key]);
  });

  it("does not leave when consent went in the meantime (G11)", async () => {
    const key = await takenOver("t2", "bob@example.com");
    await send(acme, {
      id: "2",
      identifiers: [email("bob@example.com")],
      kind: "identified",
      consent: { follow_up: false },
    });
    await runDurableObjectAlarm(accountStub(env, nameOf("t2")));
    await eventually(
      () => stateOnDisk("t2", key),
      (state) => state === "cancelled",
    );
    const { root } = await personOf(acme, email("bob@example.com"));
    expect(root.follow_ups.map((item) => item.state)).toEqual(["cancelled"]);
    expect(crm.sent).toEqual([]);
  });

  it("waits when its person cannot be asked, rather than leave unasked", async () => {
    await takenOver("t3", "cat@example.com");
    await runInDurableObject(identityStub(env, nodeOf(acme, email("cat@example.com"))), (object) => {
      vi.spyOn(Object.getPrototypeOf(object), "confirm").mockRejectedValue(new Error("not reachable"));
    });
    await runDurableObjectAlarm(accountStub(env, nameOf("t3")));
    await rest(200);
    expect(crm.sent).toEqual([]);
  });

  it("leaves as soon as the customer connected again, also when the object had been evicted", async () => {
    const key = await takenOver("t4", "dan@example.com");
    const stub = accountStub(env, nameOf("t4"));
    await runInDurableObject(stub, (_object, { storage }) => {
      const facts = storage.kv.get<object>("facts");
      storage.kv.put("facts", { ...facts, status: "blocked", problem: "connect_again" });
    });
    await abortAllDurableObjects();
    await runDurableObjectAlarm(accountStub(env, nameOf("t4")));
    await rest(100);
    expect(crm.sent).toEqual([]);
    await abortAllDurableObjects();
    await connect("t4", crm);
    await eventually(
      () => crm.tasks.map((one) => one.key),
      (keys) => keys.includes(key),
      2_000,
    );
  });
});

describe("the account", () => {
  it("lets go of an asker after a while, keeps the action on disk, and has an alarm behind it", async () => {
    const { stub, submit } = await openAccount("o1", (one) =>
      one.scripts.push({ arm: "blocked", reason: "app_uninstalled" }),
    );
    expect(await submit("k")).toEqual({ arm: "pending", retryAfterMs: 120_000 });
    expect(await stateOnDisk("o1", "k")).toBe("pending");
    expect((await stub().status()).facts?.problem).toBe("app_uninstalled");
    const alarmAt = await runInDurableObject(stub(), (_object, state) => state.storage.getAlarm());
    expect(alarmAt).not.toBeNull();
  });

  it("sends the hot tier first when everything waits for a free place", async () => {
    const { crm, submit } = await openAccount("o2", (one) => {
      one.holds = true;
    });
    const held = ["h1", "h2", "h3", "h4", "h5", "h6"];
    const answers = [];
    for (const key of held) {
      answers.push(submit(key));
      await eventually(
        () => crm.sent.length,
        (count) => count === answers.length,
      );
    }
    answers.push(submit("cold", { hot: false }), submit("hot"));
    await rest(100);
    expect(crm.sent.map((command) => command.key)).toEqual(held);
    crm.holds = false;
    await Promise.all(answers);
    const later = crm.sent.map((command) => command.key).filter((key) => key === "hot" || key === "cold");
    expect(later).toEqual(["hot", "cold"]);
  });

  it("stores its tokens sealed and never tells them", async () => {
    const { stub } = await openAccount("o3");
    const stored = await runInDurableObject(stub(), (_object, state) => JSON.stringify(state.storage.kv.get("facts")));
    for (const text of [stored, JSON.stringify(await stub().status())]) {
      expect(text).toContain("connected");
      expect(text).not.toContain("token-1");
      expect(text).not.toContain("refresh-1");
    }
  });

  it("that is not connected keeps nothing and says when to ask again", async () => {
    const stub = accountStub(env, "o4/hubspot/none");
    expect(await stub.submit(task("o4", "k"))).toEqual({ arm: "pending", retryAfterMs: 120_000 });
    expect(await stub.status()).toEqual({ facts: null, waiting: 0, inFlight: 0 });
  });
});
