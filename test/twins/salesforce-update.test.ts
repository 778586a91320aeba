/** `update_task` of the Salesforce connector against the twin: what is new reaches the open task, what a person changed stays (G9). */
import { beforeEach, describe, expect, it } from "vitest";
import type { Command, CrmSession, CrmTask, Outcome } from "../../connectors/contract.ts";
import { salesforce } from "../../connectors/salesforce/crm.ts";
import { sessionNow, twin } from "./salesforce-fixture.ts";

type Update = Extract<Command, { type: "update_task" }>;

let session: CrmSession;

beforeEach(() => {
  session = sessionNow();
});

const [ana, ben, cleo] = ["005000000000002AAA", "005000000000003AAA", "005000000000004AAA"] as const;
const gone = "005000000000005AAA";

const before: CrmTask = {
  subject: "Call Eve",
  body: "Asked for a demo. \n\nReach: eve@example.com",
  dueAt: Date.UTC(2026, 10, 24, 9, 30, 0, 250),
  priority: "medium",
  type: "call",
  ownerId: ana,
};
const task: CrmTask = {
  subject: "Call Eve (Example)",
  body: "Asked for a demo.\nLooked at the prices.",
  dueAt: Date.UTC(2026, 10, 23, 15, 0),
  priority: "high",
  type: "call",
  ownerId: ben,
};
const written = {
  Subject: "Call Eve (Example)",
  Description: "Asked for a demo.\nLooked at the prices.",
  ActivityDate: "2026-11-23",
  ReminderDateTime: "2026-11-23T15:00:00.000+0000",
  Priority: "High",
  OwnerId: ben,
  Status: "Not Started",
};

function update(taskId: string, part: Partial<Update> = {}): Update {
  return { type: "update_task", key: `fu-${taskId}-u1`, taskId, task, before, ...part };
}

let people = 0;

/** Tasks as we made them. */
async function made(count = 1, of: CrmTask = before): Promise<string[]> {
  const commands = Array.from({ length: count }, (): Command => {
    people++;
    const person = { lead: `lead_${people}`, email: `p${people}@example.com`, lastName: "P", company: "E" };
    return { type: "create_task", key: `fu:${people}`, person, task: of };
  });
  const outcomes = await salesforce.execute(session, commands);
  const ids = outcomes.map((outcome) => (outcome.arm === "done" ? outcome.taskId : ""));
  twin.org.journal.clear();
  return ids;
}

async function one(of: CrmTask = before): Promise<string> {
  const [taskId] = await made(1, of);
  return taskId ?? "";
}

async function run(command: Command): Promise<Outcome> {
  const [outcome] = await salesforce.execute(session, [command]);
  return outcome ?? { arm: "unknown", reason: "no outcome" };
}

const asked = () =>
  twin.org.entries().map(({ method, path }) => `${method} ${path.replace("/services/data/v68.0", "")}`);
const updated = (taskId: string, kept: readonly string[] = []) => ({
  arm: "done",
  taskId,
  personId: twin.org.tasks().find(({ id }) => id === taskId)?.who ?? "",
  created: false,
  kept,
});

describe("an open task", () => {
  it("is brought up to date in one read and one write", async () => {
    const taskId = await one();
    expect(await run(update(taskId))).toEqual(updated(taskId));
    expect(twin.org.get(taskId)).toMatchObject({ ...written, TaskSubtype: "Call" });
    expect(asked()).toEqual(["POST /composite", "PATCH /composite/sobjects"]);
  });

  it("is the same task after two updates, also where Salesforce rewrites values", async () => {
    twin.org.setFaults({ rewritesValues: true });
    const taskId = await one();
    expect(await run(update(taskId))).toEqual(updated(taskId));
    const next = { ...task, body: `${task.body}\nCame back.`, ownerId: ana.slice(0, 15) };
    expect(await run(update(taskId, { before: task, task: next }))).toEqual(updated(taskId));
    const last = { ...next, subject: "Call now" };
    expect(await run(update(taskId, { before: next, task: last }))).toEqual(updated(taskId));
    expect(twin.org.get(taskId)).toMatchObject({
      Subject: "Call now",
      Description: "Asked for a demo.\r\nLooked at the prices.\r\nCame back.",
      ReminderDateTime: "2026-11-23T15:00:00.000+0000",
    });
  });

  it("is not written where there is nothing new", async () => {
    const taskId = await one();
    expect(await run(update(taskId, { task: before }))).toEqual(updated(taskId));
    expect(asked()).toEqual(["POST /composite"]);
  });

  it("due earlier on the same day is reminded of earlier", async () => {
    const taskId = await one();
    const earlier = { ...before, dueAt: Date.UTC(2026, 10, 24, 7, 0) };
    expect(await run(update(taskId, { task: earlier }))).toEqual(updated(taskId));
    expect(twin.org.get(taskId)).toMatchObject({
      ActivityDate: "2026-11-24",
      ReminderDateTime: "2026-11-24T07:00:00.000+0000",
    });
  });

  it("keeps its owner when the new holder is unknown in Salesforce, and says so", async () => {
    const taskId = await one();
    const { ownerId: _owner, ...unowned } = task;
    expect(await run(update(taskId, { task: unowned }))).toEqual(updated(taskId, ["owner"]));
    expect(twin.org.get(taskId)).toMatchObject({ ...written, OwnerId: ana });
  });

  it("that fell to the integration user, for its owner was unknown or had left, is given to its new owner", async () => {
    const { ownerId: _owner, ...unowned } = before;
    for (const first of [unowned, { ...before, ownerId: gone }]) {
      const taskId = await one(first);
      expect(twin.org.get(taskId)?.OwnerId).toBe(twin.org.integrationUserId);
      expect(await run(update(taskId, { before: first }))).toEqual(updated(taskId));
      expect(twin.org.get(taskId)?.OwnerId).toBe(ben);
    }
  });

  it("whose owner cannot be told from a person's choice keeps it", async () => {
    const first = { ...before, ownerId: gone };
    const taskId = await one(first);
    twin.org.edit(taskId, { Subject: "Mine" });
    expect(await run(update(taskId, { before: first }))).toEqual(updated(taskId, ["subject", "owner"]));
    expect(twin.org.get(taskId)?.OwnerId).toBe(twin.org.integrationUserId);
  });
});

describe("what a person changed", () => {
  const edits: readonly [string, Record<string, string>][] = [
    ["subject", { Subject: "My words" }],
    ["body", { Description: `${before.body}\nLeft a voicemail` }],
    ["due", { ActivityDate: "2026-12-01" }],
    ["priority", { Priority: "Low" }],
    ["owner", { OwnerId: cleo }],
  ];
  it.each(edits)("%s stays, and the rest is written", async (field, edit) => {
    const taskId = await one();
    twin.org.edit(taskId, edit);
    expect(await run(update(taskId))).toEqual(updated(taskId, [field]));
    const reminder = field === "due" ? { ReminderDateTime: "2026-11-24T09:30:00.250+0000" } : {};
    expect(twin.org.get(taskId)).toMatchObject({ ...written, ...reminder, ...edit });
    // It stays theirs with the next update as well.
    const next = { ...before, subject: "Again", body: "Again", dueAt: Date.UTC(2026, 10, 20) };
    expect(await run(update(taskId, { before: task, task: next }))).toEqual(updated(taskId, [field]));
    expect(twin.org.get(taskId)).toMatchObject(edit);
  });

  it.each([{ ReminderDateTime: "2026-11-24T08:00:00.000+0000" }, { IsReminderSet: false, ReminderDateTime: null }])(
    "of the reminder stays, while the due date moves on: %o",
    async (edit) => {
      const taskId = await one();
      twin.org.edit(taskId, edit);
      expect(await run(update(taskId))).toEqual(updated(taskId));
      expect(twin.org.get(taskId)).toMatchObject({ ...written, ...edit });
    },
  );

  it("counts as ours where it is what we want to write anyway", async () => {
    const taskId = await one();
    twin.org.edit(taskId, { Priority: "High" });
    expect(await run(update(taskId))).toEqual(updated(taskId));
  });

  it("in the moment between reading and writing: a completion is not undone, a deletion is told", async () => {
    const [first = "", second = ""] = await made(2);
    const racing = (change: () => void): CrmSession => {
      let sent = 0;
      return {
        ...session,
        send: (request) => {
          sent++;
          if (sent === 2) change();
          return fetch(request);
        },
      };
    };
    const completed = await salesforce.execute(
      racing(() => twin.org.completeTask(first)),
      [update(first)],
    );
    expect(completed).toEqual([updated(first)]);
    expect(twin.org.get(first)).toMatchObject({ Status: "Completed", Priority: "High" });
    const deleted = await salesforce.execute(
      racing(() => twin.org.remove(second)),
      [update(second)],
    );
    expect(deleted).toMatchObject([{ arm: "done", gone: "deleted" }]);
  });
});

describe("a task that is open no more", () => {
  it("is not touched, and the outcome says what became of it", async () => {
    const [first = "", second = ""] = await made(2);
    twin.org.completeTask(first);
    twin.org.remove(second);
    const ids = [first, second, "00T000000000999AAA", ""];
    const outcomes = await salesforce.execute(
      session,
      ids.map((id) => update(id)),
    );
    expect(outcomes.map((outcome) => (outcome.arm === "done" ? outcome.gone : outcome.arm))).toEqual([
      "completed",
      "deleted",
      "deleted",
      "deleted",
    ]);
    expect(twin.org.get(first)).toMatchObject({ Subject: "Call Eve", Priority: "Normal" });
    expect(asked()).toEqual(["POST /composite"]);
  });

  it("is known by the org's own word for it", async () => {
    twin.org.setFaults({ taskStatuses: ["Offen", "Erledigt"] });
    const taskId = await one();
    twin.org.completeTask(taskId);
    expect(await run(update(taskId))).toMatchObject({ arm: "done", gone: "completed" });
  });
});

describe("what goes wrong", () => {
  it.each(["drop_before", "drop_after", "error_500", "html_503", "html_200"] as const)(
    "%s: unknown when the write was sent, deferred when only the look was; again is all it takes",
    async (kind) => {
      const taskId = await one();
      twin.org.setFaults({ requests: [{ kind, method: "POST", times: 1 }] });
      expect(await run(update(taskId))).toMatchObject({ arm: "deferred" });
      expect(twin.org.get(taskId)?.Subject).toBe("Call Eve");
      twin.org.setFaults({ requests: [{ kind, method: "PATCH", times: 1 }] });
      expect(await run(update(taskId))).toMatchObject({ arm: "unknown" });
      // An update that was carried out all the same is not taken for a person's edit.
      expect(await run(update(taskId))).toEqual(updated(taskId));
      expect(twin.org.get(taskId)).toMatchObject(written);
    },
  );

  it.each([
    ["expire", { arm: "expired" }],
    ["request_limit", { arm: "deferred", scope: "account", reason: "request_limit" }],
    ["api_disabled", { arm: "blocked" }],
  ] as const)("%s concerns the account, whichever request met it", async (kind, expected) => {
    const taskId = await one();
    for (const method of ["POST", "PATCH"]) {
      twin.org.setFaults({ requests: [{ kind, method, times: 1 }] });
      expect(await run(update(taskId))).toMatchObject(expected);
      session = { ...session, accessToken: twin.org.grant().accessToken };
    }
  });

  it("in one row of a batch is that row's alone", async () => {
    const ids = await made(5);
    const named = (n: number, part: Partial<CrmTask> = {}) =>
      update(ids[n] ?? "", { task: { ...task, subject: `row ${n}`, ...part } });
    twin.org.setFaults({
      rows: [
        { kind: "validation", object: "Task", contains: "row 1" },
        { kind: "lock", object: "Task", contains: "row 2" },
        { kind: "trigger", object: "Task", contains: "row 3" },
      ],
    });
    const outcomes = await salesforce.execute(session, [
      named(0),
      named(1),
      named(2),
      named(3),
      named(4, { ownerId: gone }),
    ]);
    expect(outcomes).toMatchObject([
      { arm: "done", kept: [] },
      { arm: "refused", reason: "field_custom_validation_exception", detail: "fields: Description" },
      { arm: "deferred", reason: "row_locked", scope: "action" },
      { arm: "refused", reason: "cannot_insert_update_activate_entity" },
      { arm: "done", kept: ["owner"] },
    ]);
    expect(twin.org.get(ids[1] ?? "")).toMatchObject({ Subject: "Call Eve" });
    expect(twin.org.get(ids[4] ?? "")).toMatchObject({ Subject: "row 4", OwnerId: ana });
  });

  it("of an owner who has left alone is done without a further write", async () => {
    const taskId = await one();
    expect(await run(update(taskId, { task: { ...before, ownerId: gone } }))).toEqual(updated(taskId, ["owner"]));
    expect(asked()).toEqual(["POST /composite", "PATCH /composite/sobjects"]);
  });

  it("as a whole halves the batch until only the bad row is left", async () => {
    const ids = await made(8);
    const commands = ids.map((id, n) => update(id, { task: { ...task, subject: `row ${n}` } }));
    twin.org.setFaults({ requests: [{ kind: "refused_whole", body: "row 5", times: 99 }] });
    const outcomes = await salesforce.execute(session, commands);
    expect(outcomes.map(({ arm }) => arm)).toEqual(["done", "done", "done", "done", "done", "refused", "done", "done"]);
    expect(twin.org.entries().length).toBeLessThanOrEqual(salesforce.cost(commands, "unique_property"));
  });

  it("a batch of 200 takes two requests, and in a storm ends with every task up to date", async () => {
    const ids = await made(200);
    const commands = ids.map((id) => update(id));
    await salesforce.execute(session, commands);
    expect(asked()).toEqual(["POST /composite", "PATCH /composite/sobjects"]);
    twin.org.edit(ids[7] ?? "", { Subject: "Mine" });
    twin.org.setFaults({ errorRate: 0.2, lostRate: 0.3 });
    const next = commands.map((command) => ({ ...command, before: task, task: before }));
    let open: Update[] = next;
    const kept: string[] = [];
    for (let turn = 0; turn < 60 && open.length > 0; turn++) {
      const outcomes = await salesforce.execute(session, open.slice(0, 50));
      for (const outcome of outcomes) {
        if (outcome.arm === "done") kept.push(...(outcome.kept ?? []));
        else expect(["deferred", "unknown"]).toContain(outcome.arm);
      }
      open = [...open.slice(50), ...open.slice(0, 50).filter((_, index) => outcomes[index]?.arm !== "done")];
    }
    expect(open).toEqual([]);
    expect(kept).toEqual(["subject"]);
    expect(ids.filter((id) => twin.org.get(id)?.Subject === "Call Eve")).toHaveLength(199);
  });

  it("the second update of one task in a batch waits for its turn", async () => {
    const taskId = await one();
    expect(await salesforce.execute(session, [update(taskId), update(taskId)])).toMatchObject([
      { arm: "done" },
      { arm: "deferred", reason: "same_task" },
    ]);
  });

  it("a batch of several types is a mistake of the caller", async () => {
    const taskId = await one();
    const closing: Command = { type: "close_task", key: "c", taskId, note: "" };
    await expect(salesforce.execute(session, [update(taskId), closing])).rejects.toThrow("one type");
  });
});
