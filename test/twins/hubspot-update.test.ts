/** `update_task` by the real HubSpot client against the twin: what is new reaches the open task, what a person changed stays (G9). */
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { Command, CrmSession, CrmTask } from "../../connectors/contract.ts";
import { hubspot } from "../../connectors/hubspot/crm.ts";
import { textOf } from "../../connectors/hubspot/stored.ts";
import { admin, create, done, dueAt, one, requests, reset, sessionIn, twin, worlds } from "./hubspot-fixture.ts";

beforeEach(reset);
afterAll(() => twin.close());

type Update = Extract<Command, { type: "update_task" }>;

const before: CrmTask = {
  subject: "Call eve",
  body: 'Asked for 1 < 2 & "more"\n\nReach: eve@example.com',
  dueAt,
  priority: "medium",
  type: "call",
  ownerId: "9001",
};
const task: CrmTask = {
  subject: "Call eve (Example)",
  body: "Asked for a demo\n• pricing page",
  dueAt: dueAt - 3_600_000,
  priority: "high",
  type: "call",
  ownerId: "9002",
};

function update(taskId: string, part: Partial<Update> = {}): Update {
  return { type: "update_task", key: `act-${taskId}-u1`, taskId, task, before, ...part };
}

/** A task as we made it. */
async function made(session: CrmSession, name = "eve"): Promise<string> {
  return done(await one(session, create(name, {}, before))).taskId;
}

function there(taskId: string) {
  const found = twin.state().tasks.find((item) => item.id === taskId);
  if (found === undefined) throw new Error("no such task");
  return found;
}

const written = {
  subject: "Call eve (Example)",
  body: "Asked for a demo<br>• pricing page",
  priority: "HIGH",
  owner: "9002",
  dueAt: dueAt - 3_600_000,
  status: "NOT_STARTED",
};

const updated = (taskId: string, kept: readonly string[] = []) => ({
  arm: "done",
  taskId,
  personId: "",
  created: false,
  kept,
});

describe("an open task", () => {
  for (const world of worlds) {
    it(`${world}: is brought up to date in one read and one write`, async () => {
      const session = await sessionIn(world);
      const taskId = await made(session);
      requests.length = 0;
      expect(await one(session, update(taskId))).toEqual(updated(taskId));
      const mark = world === "marker" ? "<br><br>[baton:act-eve]" : "";
      expect(there(taskId)).toMatchObject({ ...written, body: `${written.body}${mark}`, type: "CALL" });
      expect(requests.map((request) => new URL(request.url).pathname)).toEqual([
        "/crm/objects/2026-09/tasks/batch/read",
        "/crm/objects/2026-09/tasks/batch/update",
      ]);
    });
  }

  it.each([false, true])(
    "is the same task after two updates, whether HubSpot rewrites values (%s) or not",
    async (rewritesTasks) => {
      const session = await sessionIn("marker", { rewritesTasks });
      const taskId = await made(session);
      expect(await one(session, update(taskId))).toEqual(updated(taskId));
      const next = { ...task, body: `${task.body}\n• came back`, ownerId: "9001" };
      expect(await one(session, update(taskId, { before: task, task: next }))).toEqual(updated(taskId));
      expect(textOf(there(taskId).body)).toBe("Asked for a demo\n• pricing page\n• came back");
      expect(there(taskId)).toMatchObject({ owner: "9001", marker: "act-eve", dueAt: dueAt - 3_600_000 });
    },
  );

  it("gets only what is new written, and nothing at all when there is nothing new", async () => {
    const session = await sessionIn("unique_property");
    const taskId = await made(session);
    requests.length = 0;
    expect(await one(session, update(taskId, { task: { ...before, priority: "high" } }))).toEqual(updated(taskId));
    const sent = (await requests[1]?.json()) as { inputs: { properties: object }[] };
    expect(sent.inputs[0]?.properties).toEqual({ hs_task_priority: "HIGH" });
    requests.length = 0;
    expect(await one(session, update(taskId, { task: { ...before, priority: "high" } }))).toEqual(updated(taskId));
    expect(requests).toHaveLength(1);
  });

  it("keeps its owner when the new holder is unknown in HubSpot, and says so", async () => {
    const session = await sessionIn("unique_property");
    const taskId = await made(session);
    const { ownerId: _owner, ...unowned } = task;
    expect(await one(session, update(taskId, { task: unowned }))).toEqual(updated(taskId, ["owner"]));
    expect(there(taskId)).toMatchObject({ ...written, owner: "9001" });
  });

  it("that was nobody's gets its owner", async () => {
    const session = await sessionIn("unique_property");
    const { ownerId: _owner, ...unowned } = before;
    const { taskId } = done(await one(session, create("eve", {}, unowned)));
    expect(await one(session, update(taskId, { before: unowned }))).toEqual(updated(taskId));
    expect(there(taskId).owner).toBe("9002");
  });
});

describe("what a person changed", () => {
  const edits: readonly [string, Record<string, string>, Record<string, unknown>][] = [
    ["subject", { hs_task_subject: "My words" }, { subject: "My words" }],
    ["body", { hs_task_body: "Asked for <b>more</b>" }, { body: "Asked for <b>more</b>" }],
    ["due", { hs_timestamp: String(dueAt + 86_400_000) }, { dueAt: dueAt + 86_400_000 }],
    ["priority", { hs_task_priority: "LOW" }, { priority: "LOW" }],
    ["owner", { hubspot_owner_id: "9003" }, { owner: "9003" }],
  ];
  it.each(edits)("%s stays, and the rest is written", async (field, edit, stays) => {
    const session = await sessionIn("unique_property");
    const taskId = await made(session);
    await admin(`task/${taskId}/edit`, edit);
    expect(await one(session, update(taskId))).toEqual(updated(taskId, [field]));
    expect(there(taskId)).toMatchObject({ ...written, ...stays });
    // It stays theirs with the next update as well.
    const next = { ...task, subject: "Again", body: "Again", dueAt, priority: "medium", ownerId: "9001" } as const;
    expect(await one(session, update(taskId, { before: task, task: next }))).toEqual(updated(taskId, [field]));
    expect(there(taskId)).toMatchObject(stays);
  });

  it("below our marker stays too, and so does formatting alone", async () => {
    const session = await sessionIn("marker");
    const taskId = await made(session);
    const ours = there(taskId).body;
    for (const body of [`${ours}<br>Left a voicemail`, ours.replace("Reach", "<strong>Reach</strong>")]) {
      await admin(`task/${taskId}/edit`, { hs_task_body: body });
      expect(await one(session, update(taskId, { task: { ...before, body: "New" } }))).toEqual(
        updated(taskId, ["body"]),
      );
      expect(there(taskId).body).toBe(body);
    }
  });

  it("counts as ours where it is what we want to write anyway", async () => {
    const session = await sessionIn("unique_property");
    const taskId = await made(session);
    await admin(`task/${taskId}/edit`, { hs_task_priority: "HIGH" });
    expect(await one(session, update(taskId))).toEqual(updated(taskId));
  });

  it("in the moment between reading and writing does not stop the write, and a completion in it is not undone", async () => {
    const session = await sessionIn("unique_property");
    const taskId = await made(session);
    let sent = 0;
    const racing: CrmSession = {
      ...session,
      send: async (request) => {
        sent++;
        if (sent === 2) await admin(`task/${taskId}/complete`, {});
        return session.send(request);
      },
    };
    expect(await one(racing, update(taskId))).toEqual(updated(taskId));
    expect(there(taskId)).toMatchObject({ status: "COMPLETED", priority: "HIGH" });
    expect(await one(session, update(taskId))).toMatchObject({ arm: "done", gone: "completed" });
  });
});

describe("a task that is open no more", () => {
  it("is not touched, and the outcome says what became of it", async () => {
    const session = await sessionIn("unique_property");
    const ids = [await made(session, "a"), await made(session, "b"), await made(session, "c")] as const;
    await admin(`task/${ids[0]}/complete`, {});
    await admin(`task/${ids[1]}/delete`, {});
    requests.length = 0;
    const outcomes = await hubspot.execute(
      session,
      [...ids.slice(0, 2), "99999", ""].map((id) => update(id)),
    );
    const gone = (taskId: string, how: string) => ({ arm: "done", taskId, personId: "", created: false, gone: how });
    expect(outcomes).toEqual([
      gone(ids[0], "completed"),
      gone(ids[1], "deleted"),
      gone("99999", "deleted"),
      gone("", "deleted"),
    ]);
    expect(there(ids[0])).toMatchObject({ subject: "Call eve", priority: "MEDIUM" });
    expect(requests).toHaveLength(1);
  });

  it("because it was deleted between reading and writing is told as deleted", async () => {
    const session = await sessionIn("unique_property");
    const taskId = await made(session);
    twin.setFaults({ script: [{ path: "tasks/batch/update", kind: "rows", rows: [0], category: "OBJECT_NOT_FOUND" }] });
    expect(await one(session, update(taskId))).toMatchObject({ arm: "done", gone: "deleted" });
  });
});

describe("what goes wrong", () => {
  for (const path of ["tasks/batch/read", "tasks/batch/update"]) {
    it(`${path}: a lost answer is deferred, never unknown, and a repetition changes nothing more`, async () => {
      const session = await sessionIn("unique_property");
      const faults = [
        { kind: "lose" },
        { kind: "drop" },
        { kind: "garble" },
        { kind: "pending" },
        { kind: "status", status: 524, commit: true },
        { kind: "status", status: 423 },
      ] as const;
      for (const [index, fault] of faults.entries()) {
        const taskId = await made(session, `eve${index}`);
        twin.setFaults({ script: [{ path, ...fault }] });
        expect(await one(session, update(taskId))).toMatchObject({ arm: "deferred", scope: "action" });
        // An update that was carried out all the same is not taken for a person's edit.
        expect(await one(session, update(taskId))).toEqual(updated(taskId));
        expect(there(taskId)).toMatchObject(written);
      }
    });

    it(`${path}: limits and scopes stop the account`, async () => {
      const session = await sessionIn("unique_property");
      const taskId = await made(session);
      const said = async (status: number) => {
        twin.setFaults({ script: [{ path, kind: "status", status, policyName: "TEN_SECONDLY_ROLLING" }] });
        return one(session, update(taskId));
      };
      expect(await said(429)).toMatchObject({ arm: "deferred", scope: "account", retryAfterMs: 10_000 });
      expect(await said(403)).toMatchObject({ arm: "blocked" });
      expect(await said(401)).toEqual({ arm: "expired" });
    });
  }

  it("in one row of a batch is that row's alone", async () => {
    const session = await sessionIn("unique_property");
    const ids: string[] = [];
    for (const name of ["a", "b", "c", "d"]) ids.push(await made(session, name));
    const commands = ids.map((id) => update(id));
    commands[1] = update(ids[1] ?? "", { task: { ...task, ownerId: "404" } });
    for (const wholeBatchErrors of [false, true]) {
      twin.setFaults({ wholeBatchErrors });
      requests.length = 0;
      const outcomes = await hubspot.execute(session, commands);
      expect(outcomes.map((outcome) => outcome.arm)).toEqual(["done", "refused", "done", "done"]);
      expect(outcomes[1]).toMatchObject({ reason: "invalid_owner_id" });
      expect(requests.length).toBeLessThanOrEqual(hubspot.cost(commands, "unique_property"));
    }
    expect(ids.map((id) => there(id).priority)).toEqual(["HIGH", "MEDIUM", "HIGH", "HIGH"]);
    twin.setFaults({ wholeBatchErrors: false, script: [{ path: "tasks/batch/update", kind: "silent", rows: [0] }] });
    const silent = await hubspot.execute(
      session,
      ids.map((id) => update(id, { before: task, task: before })),
    );
    expect(silent.map((outcome) => outcome.arm)).toEqual(["deferred", "done", "done", "done"]);
  });

  it("of a customer's rule is refused with the property it asks for", async () => {
    const session = await sessionIn("unique_property");
    const taskId = await made(session);
    twin.setFaults({ requiredProperty: { objectType: "tasks", property: "hs_task_reminders", conditional: true } });
    expect(await one(session, update(taskId))).toMatchObject({
      arm: "refused",
      reason: "missing_conditional_required_property",
    });
    expect(there(taskId).priority).toBe("MEDIUM");
  });

  it("a batch of a hundred takes two requests, and in a storm ends with every task up to date", async () => {
    const session = await sessionIn("builtin_unique");
    const made = await hubspot.execute(
      session,
      Array.from({ length: 100 }, (_, n) => create(`p${n}`, {}, before)),
    );
    const commands = made.map((outcome) => update(done(outcome).taskId));
    await admin(`task/${commands[7]?.taskId}/edit`, { hs_task_subject: "Mine" });
    requests.length = 0;
    twin.setFaults({ errorRate: 0.2, lostRate: 0.2, rowErrorRate: 0.1, hideTraceIds: true, seed: 5 });
    const kept = new Map<string, readonly string[]>();
    let open = commands;
    for (let turn = 0; turn < 50 && open.length > 0; turn++) {
      const outcomes = await hubspot.execute(session, open);
      for (const [index, outcome] of outcomes.entries())
        if (outcome.arm === "done") kept.set(open[index]?.taskId ?? "", outcome.kept ?? []);
        else expect(outcome.arm).toBe("deferred");
      open = open.filter((_, index) => outcomes[index]?.arm !== "done");
    }
    expect(kept.size).toBe(100);
    expect([...kept.values()].filter((fields) => fields.length > 0)).toEqual([["subject"]]);
    const subjects = twin.state().tasks.map(({ subject, priority }) => `${subject} ${priority}`);
    expect(subjects.filter((text) => text === "Call eve (Example) HIGH")).toHaveLength(99);
    expect(subjects).toContain("Mine HIGH");
    expect(twin.state().shapes).toMatchObject({ violations: 0 });
    twin.setFaults({ errorRate: 0, lostRate: 0, rowErrorRate: 0 });
    requests.length = 0;
    await hubspot.execute(
      session,
      commands.map((command) => ({ ...command, before: task, task: before })),
    );
    expect(requests).toHaveLength(2);
  });

  it("the second update of one task in a batch waits for its turn", async () => {
    const session = await sessionIn("unique_property");
    const taskId = await made(session);
    const outcomes = await hubspot.execute(session, [update(taskId), update(taskId)]);
    expect(outcomes).toEqual([
      updated(taskId),
      { arm: "deferred", retryAfterMs: 1_000, scope: "action", reason: "same_task" },
    ]);
  });
});

describe("bodies as HubSpot keeps them", () => {
  it("are compared by their words", () => {
    const ours = "Who: Eve &#38; co<br><br>&#60;Reach&#62;: eve@example.com";
    const theirs =
      '<div style="" dir="auto"><p style="margin:0;">Who: Eve &amp; co</p><p>&nbsp;</p><p>&lt;Reach&gt;:&nbsp; eve@example.com</p></div>';
    expect(textOf(theirs)).toBe(textOf(ours));
    expect(textOf(ours)).toBe("Who: Eve & co\n<Reach>: eve@example.com");
    expect(textOf(`${ours}<br><br>[baton:act-1]`)).toBe(textOf(ours));
  });

  it("differ in every word, in order, and in what a person formatted", () => {
    const ours = "call Eve<br>today";
    for (const theirs of [
      "call Eve",
      "today<br>call Eve",
      "call <b>Eve</b><br>today",
      "call Eve<br>[baton:x]<br>today",
    ])
      expect(textOf(theirs)).not.toBe(textOf(ours));
    expect(textOf("&#60;b&#62;Eve")).not.toBe(textOf("<b>Eve"));
  });
});
