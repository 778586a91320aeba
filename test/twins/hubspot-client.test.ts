/** The real HubSpot client against the twin, over HTTP: exactly one task per key in all three worlds, whatever goes wrong.
 * Expected values are written by hand from CRM-FACTS §1. */
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { Command } from "../../connectors/contract.ts";
import { hubspot } from "../../connectors/hubspot/crm.ts";
import type { Faults } from "../../connectors/hubspot/twin/faults.ts";
import {
  admin,
  create,
  done,
  drive,
  dueAt,
  expectExactlyOnce,
  many,
  one,
  requests,
  reset,
  resolveOne,
  sessionIn,
  twin,
  worlds,
} from "./hubspot-fixture.ts";

beforeEach(reset);
afterAll(() => twin.close());

describe("exactly one task per key, through failures", () => {
  for (const world of worlds) {
    it(`${world}: 10 % refused by 500 and 5 % answered by nobody still end in one task and one contact each`, async () => {
      const session = await sessionIn(world, { errorRate: 0.1, lostRate: 0.05, seed: 7 });
      const commands = many(600);
      await drive(session, commands, 20);
      expectExactlyOnce(commands, world);
      const state = twin.state();
      expect(state.contacts).toHaveLength(600);
      expect(state.shapes).toMatchObject({ violations: 0, first: [] });
      expect(twin.journal().some((entry) => entry.fault === "lose" && entry.committed)).toBe(true);
      expect(twin.journal().some((entry) => entry.fault === "error_rate")).toBe(true);
      expect(twin.journal().some((entry) => entry.path.includes("/search"))).toBe(false);
    });

    it(`${world}: one command at a time, with rows failing, connections dropping and no trace ids, as well`, async () => {
      const faults = { dropRate: 0.05, lostRate: 0.1, rowErrorRate: 0.1, hideTraceIds: true, seed: 11 };
      const session = await sessionIn(world, faults);
      const commands = many(80);
      await drive(session, commands, 7);
      expectExactlyOnce(commands, world);
    });

    it(`${world}: batches of 100 in a storm keep to their cost`, async () => {
      const session = await sessionIn(world, { errorRate: 0.2, lostRate: 0.1, wholeBatchErrors: true, seed: 3 });
      const commands = many(300);
      await drive(session, commands, 100);
      expectExactlyOnce(commands, world);
    });
  }

  for (const world of worlds) {
    it(`${world}: six batches at once about the same new people make each of them once`, async () => {
      const session = await sessionIn(world, { lostRate: 0.1, latencyMs: 2, seed: 21 });
      const commands = Array.from({ length: 120 }, (_, index) =>
        create(`t${index}`, { email: `p${index % 20}@example.com` }),
      );
      const parts = Array.from({ length: 6 }, (_, part) => commands.filter((_, index) => index % 6 === part));
      await Promise.all(parts.map((part) => drive(session, part, 20)));
      expectExactlyOnce(commands, world);
      expect(twin.state().contacts).toHaveLength(20);
    });

    it(`${world}: forty people who were all deleted or merged in the meantime are still done in the end`, async () => {
      const session = await sessionIn(world);
      const commands: Command[] = [];
      for (let index = 0; index < 40; index += 2) {
        const [a, b] = [
          await admin("contact", { email: `p${index}@example.com` }),
          await admin("contact", { email: `p${index + 1}@example.com` }),
        ];
        commands.push(
          create(`p${index}`, { knownId: String(a.id) }),
          create(`p${index + 1}`, { knownId: String(b.id) }),
        );
        if (index % 4 === 0) await admin("merge", { primary: a.id, merged: b.id });
        else for (const one of [a, b]) await admin(`contact/${one.id}/delete`, {});
      }
      await drive(session, commands, 40);
      expectExactlyOnce(commands, world);
    });
  }
});

describe("create_task", () => {
  for (const world of worlds) {
    it(`${world}: writes person, task and link as HubSpot wants them`, async () => {
      const session = await sessionIn(world);
      const person = { firstName: "Eve", lastName: "Lead", company: "Example & Co", lifecycle: "sales_ready" } as const;
      const command = create("eve", person, { ownerId: "9001", body: '1 < 2 & "so"\nsecond line' });
      const outcome = done(await one(session, command));
      expect(outcome.created).toBe(true);
      const { tasks, contacts } = twin.state();
      const body = "1 &#60; 2 &#38; &#34;so&#34;<br>second line";
      expect(tasks).toHaveLength(1);
      expect(tasks[0]).toMatchObject({
        id: outcome.taskId,
        key: world === "marker" ? null : "act-eve",
        subject: "Call eve",
        body: world === "marker" ? `${body}<br><br>[baton:act-eve]` : body,
        status: "NOT_STARTED",
        priority: "HIGH",
        type: "CALL",
        owner: "9001",
        dueAt,
        contacts: [outcome.personId],
      });
      expect(contacts[0]).toMatchObject({
        id: outcome.personId,
        properties: {
          email: "eve@example.com",
          firstname: "Eve",
          lastname: "Lead",
          company: "Example & Co",
          lifecyclestage: "salesqualifiedlead",
        },
      });
    });

    it(`${world}: one request less is looked up for a person whose id is known`, async () => {
      const session = await sessionIn(world);
      const { id } = await admin("contact", { email: "eve@example.com" });
      done(await one(session, create("eve", { knownId: String(id) })));
      expect(requests).toHaveLength(world === "marker" ? 1 : 2);
      expect(twin.state().tasks[0]?.contacts).toEqual([id]);
    });

    it(`${world}: the same key twice in one batch is one task`, async () => {
      const session = await sessionIn(world);
      const outcomes = await hubspot.execute(session, [create("eve"), create("eve"), create("kim")]);
      expect(outcomes.map((outcome) => done(outcome).taskId)).toHaveLength(3);
      expect(twin.state().tasks).toHaveLength(2);
    });

    it(`${world}: several tasks for one address make one contact`, async () => {
      const session = await sessionIn(world);
      const commands = ["a", "b", "c"].map((name) =>
        create(name, { email: name === "b" ? " EVE@example.com" : "eve@example.com" }),
      );
      const outcomes = await hubspot.execute(session, commands);
      expect(new Set(outcomes.map((outcome) => done(outcome).personId)).size).toBe(1);
      expect(twin.state().contacts).toHaveLength(1);
      expect(twin.state().tasks).toHaveLength(3);
    });

    it(`${world}: a merged person is followed to the new id`, async () => {
      const session = await sessionIn(world);
      const eve = await admin("contact", { email: "eve@example.com" });
      const twice = await admin("contact", { email: "eve.two@example.com" });
      const merged = await admin("merge", { primary: eve.id, merged: twice.id });
      const outcome = done(await one(session, create("eve", { knownId: String(eve.id) })));
      expect(outcome.personId).toBe(merged.id);
      expect(twin.state().tasks[0]?.contacts).toEqual([merged.id]);
      // The address that became a further one still leads to the survivor.
      const other = done(await one(session, create("two", { email: "eve.two@example.com" })));
      expect(other.personId).toBe(merged.id);
    });

    it(`${world}: a deleted person is found by e-mail or made again`, async () => {
      const session = await sessionIn(world);
      const { id } = await admin("contact", { email: "eve@example.com" });
      await admin(`contact/${id}/delete`, {});
      const outcome = done(await one(session, create("eve", { knownId: String(id) })));
      expect(outcome.personId).not.toBe(id);
      expect(twin.state().tasks[0]?.contacts).toEqual([outcome.personId]);
    });

    it(`${world}: a deleted person without an address is refused, and no task about nobody stays`, async () => {
      const session = await sessionIn(world);
      const { id } = await admin("contact", { firstname: "Eve" });
      await admin(`contact/${id}/delete`, {});
      const command = create("eve", { knownId: String(id) });
      if (command.type === "create_task") delete (command.person as { email?: string }).email;
      expect(await one(session, command)).toMatchObject({ arm: "refused" });
      expect(twin.state().tasks.filter((task) => !task.archived)).toEqual([]);
    });

    it(`${world}: one bad row does not poison the other 99, even when the whole batch is refused`, async () => {
      const session = await sessionIn(world, { wholeBatchErrors: true });
      const commands = many(100);
      commands[41] = create("p41", {}, { ownerId: "404" });
      const outcomes = await hubspot.execute(session, commands);
      expect(outcomes[41]).toMatchObject({ arm: "refused", reason: "invalid_owner_id" });
      expect(outcomes.filter((outcome) => outcome.arm === "done")).toHaveLength(99);
      expect(requests.length).toBeLessThanOrEqual(hubspot.cost(commands, world));
      expect(twin.state().tasks).toHaveLength(99);
    });

    it(`${world}: a 207 is judged row by row`, async () => {
      const session = await sessionIn(world);
      const path = world === "marker" ? "tasks/batch/create" : "tasks/batch/upsert";
      const outcomesWith = async (prefix: string, fault: Partial<Faults["script"][number]>) => {
        twin.setFaults({ script: [{ path, kind: "rows", rows: [1], ...fault }] });
        return hubspot.execute(
          session,
          ["a", "b", "c"].map((name) => create(prefix + name)),
        );
      };
      expect(await outcomesWith("v", { category: "VALIDATION_ERROR" })).toMatchObject([
        { arm: "done" },
        { arm: "refused" },
        { arm: "done" },
      ]);
      expect(await outcomesWith("r", { category: "RATE_LIMITS" })).toMatchObject([
        { arm: "done" },
        { arm: "deferred" },
        { arm: "done" },
      ]);
      expect(await outcomesWith("c", { category: "CONFLICT" })).toMatchObject([
        { arm: "done" },
        { arm: "unknown" },
        { arm: "done" },
      ]);
      expect(await outcomesWith("i", { category: "NEVER_HEARD_OF" })).toMatchObject([
        { arm: "done" },
        { arm: "unknown" },
        { arm: "done" },
      ]);
      // Carried out, but left out of the answer: only the key can tell.
      const silent = await outcomesWith("s", { kind: "silent" });
      expect(silent).toMatchObject([{ arm: "done" }, { arm: "unknown" }, { arm: "done" }]);
      expect(await resolveOne(session, create("sb"))).toMatchObject({ arm: "found" });
    });
  }

  it("does not call a task about nobody refused before it is taken away again", async () => {
    const session = await sessionIn("unique_property");
    const { id } = await admin("contact", { firstname: "Eve" });
    await admin(`contact/${id}/delete`, {});
    const command = create("eve", { knownId: String(id) });
    if (command.type === "create_task") delete (command.person as { email?: string }).email;
    twin.setFaults({ script: [{ path: "tasks/batch/archive", kind: "status", status: 503 }] });
    expect(await one(session, command)).toEqual({ arm: "unknown", reason: "association" });
    const [resolution] = await hubspot.resolve(session, [command]);
    expect(resolution).toMatchObject({ arm: "refused", reason: "person_gone" });
    expect(twin.state().tasks.filter((task) => !task.archived)).toEqual([]);
  });

  it("never writes to a contact that exists", async () => {
    const session = await sessionIn("unique_property");
    const { id } = await admin("contact", {
      email: "eve@example.com",
      firstname: "Evelyn",
      lifecyclestage: "customer",
    });
    const before = twin.state().contacts[0];
    done(await one(session, create("eve", { firstName: "Eve", company: "Other", lifecycle: "lead" })));
    const after = twin.state().contacts[0];
    expect(after).toMatchObject({ id, properties: { firstname: "Evelyn", lifecyclestage: "customer" } });
    expect(after?.updatedAt).toBe(before?.updatedAt);
  });

  it("takes the contact that a clash names, when somebody else made it since we looked", async () => {
    const session = await sessionIn("unique_property");
    const { id } = await admin("contact", { email: "eve@example.com" });
    for (const wholeBatchErrors of [false, true]) {
      twin.setFaults({ wholeBatchErrors, script: [{ path: "contacts/batch/read", kind: "silent" }] });
      const outcome = done(await one(session, create(`eve-${wholeBatchErrors}`, { email: "eve@example.com" })));
      expect(outcome.personId).toBe(id);
    }
    expect(twin.state().contacts).toHaveLength(1);
  });

  it("drops a nicety that the account does not take, not the follow-up", async () => {
    const session = await sessionIn("unique_property", { wholeBatchErrors: true });
    const phone = "1".repeat(70_000);
    const outcomes = await hubspot.execute(session, [create("eve", { phone }), create("kim", { firstName: "Kim" })]);
    expect(outcomes.map((outcome) => outcome.arm)).toEqual(["done", "done"]);
    const [eve, kim] = ["eve", "kim"].map((name) =>
      twin.state().contacts.find((one) => one.email === `${name}@example.com`),
    );
    expect(eve?.properties.phone).toBeUndefined();
    expect(kim?.properties.firstname).toBe("Kim");
  });

  it("refuses a person without an address and one with a broken address, and does the others", async () => {
    const session = await sessionIn("unique_property", { wholeBatchErrors: true });
    const nobody = create("nobody", { phone: "+4912345" });
    if (nobody.type === "create_task") delete (nobody.person as { email?: string }).email;
    const outcomes = await hubspot.execute(session, [nobody, create("bad", { email: "no address" }), create("eve")]);
    expect(outcomes).toMatchObject([
      { arm: "refused", reason: "person_without_email" },
      { arm: "refused", reason: "invalid_email" },
      { arm: "done" },
    ]);
    expect(JSON.stringify(outcomes)).not.toContain("no address");
  });

  it("gives each task of a customer's rule to a person, in few requests, and works again without the rule", async () => {
    const session = await sessionIn("unique_property", {
      wholeBatchErrors: true,
      requiredProperty: { objectType: "tasks", property: "hs_task_reminders" },
    });
    const commands = many(40);
    const outcomes = await hubspot.execute(session, commands);
    expect(new Set(outcomes.map((outcome) => outcome.arm))).toEqual(new Set(["refused"]));
    expect(outcomes[0]).toMatchObject({ reason: "missing_required_property" });
    expect((outcomes[0] as { detail: string }).detail).toContain("properties: hs_task_reminders");
    expect(requests.length).toBeLessThanOrEqual(3);
    twin.setFaults({ requiredProperty: { objectType: "tasks", property: "hs_task_reminders", conditional: true } });
    expect(await one(session, create("p0"))).toMatchObject({ reason: "missing_conditional_required_property" });
    twin.setFaults({ requiredProperty: null });
    expect(await one(session, create("p0"))).toMatchObject({ arm: "done" });
  });

  it("says done, not created, when the key was there already", async () => {
    const session = await sessionIn("unique_property");
    const first = done(await one(session, create("eve")));
    const second = done(await one(session, create("eve")));
    expect(second).toEqual({ ...first, created: false });
  });

  it("stays on the paths of the table, with no search", async () => {
    const session = await sessionIn("unique_property");
    await hubspot.execute(session, many(3));
    expect(requests.map((request) => new URL(request.url).pathname)).toEqual([
      "/crm/objects/2026-09/contacts/batch/read",
      "/crm/objects/2026-09/contacts/batch/create",
      "/crm/objects/2026-09/tasks/batch/upsert",
      "/crm/associations/2026-03/tasks/contacts/batch/associate/default",
    ]);
  });
});

describe("close_task", () => {
  const close = (taskId: string): Command => ({
    type: "close_task",
    key: `close-${taskId}`,
    taskId,
    note: "Converted",
  });

  it("completes the task and changes nothing else", async () => {
    const session = await sessionIn("unique_property");
    const { taskId } = done(await one(session, create("eve")));
    await admin(`task/${taskId}/edit`, { hs_task_body: "My notes" });
    expect(await one(session, close(taskId))).toEqual({ arm: "done", taskId, personId: "", created: false });
    expect(twin.state().tasks[0]).toMatchObject({ status: "COMPLETED", body: "My notes", subject: "Call eve" });
  });

  it("counts a task that a person deleted as closed, also among others", async () => {
    const session = await sessionIn("marker");
    const made = (await hubspot.execute(session, many(3))).map((outcome) => done(outcome).taskId);
    await admin(`task/${made[1]}/delete`, {});
    for (const faults of [{}, { wholeBatchErrors: true }]) {
      twin.setFaults(faults);
      const outcomes = await hubspot.execute(session, made.map(close));
      expect(outcomes.map((outcome) => outcome.arm)).toEqual(["done", "done", "done"]);
    }
    expect(twin.state().tasks.map((task) => task.status)).toEqual(["COMPLETED", "NOT_STARTED", "COMPLETED"]);
  });

  it("is deferred, never unknown, for it may be repeated", async () => {
    const session = await sessionIn("unique_property");
    const { taskId } = done(await one(session, create("eve")));
    for (const fault of [{ kind: "lose" }, { kind: "status", status: 500 }, { kind: "status", status: 429 }] as const) {
      twin.setFaults({ script: [{ path: "tasks/batch/update", ...fault }] });
      expect(await one(session, close(taskId))).toMatchObject({ arm: "deferred" });
    }
    expect(await one(session, close(taskId))).toMatchObject({ arm: "done" });
  });
});
