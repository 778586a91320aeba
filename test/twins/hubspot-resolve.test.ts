/** After `unknown`: found, absent, or not yet known, in all three worlds (CRM-FACTS §1.3). */
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { hubspot } from "../../connectors/hubspot/crm.ts";
import {
  admin,
  create,
  done,
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

describe("resolve, after unknown", () => {
  for (const world of worlds) {
    const write = world === "marker" ? "tasks/batch/create" : "tasks/batch/upsert";

    it(`${world}: finds what was done and lost, with its person, and leaves a person's edit alone`, async () => {
      const session = await sessionIn(world);
      twin.setFaults({ script: [{ path: write, kind: "lose" }] });
      expect(await one(session, create("eve"))).toMatchObject({ arm: "unknown" });
      const [task] = twin.state().tasks;
      await admin(`task/${task?.id}/edit`, { hs_task_subject: "Edited by Ada" });
      const contactId = twin.state().contacts[0]?.id;
      expect(await resolveOne(session, create("eve"))).toEqual({ arm: "found", taskId: task?.id, personId: contactId });
      expect(twin.state().tasks).toMatchObject([{ subject: "Edited by Ada", contacts: [contactId] }]);
    });

    it(`${world}: says absent of what was never done, then it is made once`, async () => {
      const session = await sessionIn(world);
      twin.setFaults({ script: [{ path: write, kind: "drop" }] });
      expect(await one(session, create("eve"))).toMatchObject({ arm: "unknown" });
      expect(await resolveOne(session, create("eve"))).toEqual({ arm: "absent" });
      done(await one(session, create("eve")));
      expect(twin.state().tasks).toHaveLength(1);
    });

    it(`${world}: says absent when not even the person was sent`, async () => {
      const session = await sessionIn(world);
      expect(await resolveOne(session, create("eve"))).toEqual({ arm: "absent" });
    });

    it(`${world}: a look-up that fails is never absent`, async () => {
      const session = await sessionIn(world);
      const reads = world === "marker" ? ["contacts/batch/read", "contacts/tasks/batch/read"] : ["tasks/batch/read"];
      for (const path of reads) {
        for (const fault of [
          { kind: "status", status: 503 },
          { kind: "status", status: 429 },
          { kind: "drop" },
          { kind: "lose" },
          { kind: "garble" },
          { kind: "pending" },
          { kind: "rows", rows: [0], category: "INTERNAL_ERROR" },
        ] as const) {
          const { rows, ...rest } = { rows: undefined, ...fault };
          // Links that a batch leaves in doubt are asked for alone: that must fail too.
          const alone = { path: "/associations/tasks", kind: "status", status: 503 } as const;
          twin.setFaults({
            script: [{ path, ...rest, ...(rows === undefined ? {} : { rows: [...rows] }) }, { ...alone }],
          });
          const resolution = await resolveOne(session, create("eve"));
          // A contact read that says nothing is made good by the create that follows: only then may it be absent.
          if (path === "contacts/batch/read" && resolution?.arm === "absent") continue;
          expect(resolution).toMatchObject({ arm: "deferred" });
        }
      }
      twin.setFaults({ script: [{ path: reads[0] ?? "", kind: "status", status: 401 }] });
      expect(await resolveOne(session, create("eve"))).toEqual({ arm: "expired" });
    });

    it(`${world}: answers a hundred at once, found and absent mixed, in order`, async () => {
      const session = await sessionIn(world);
      const commands = many(100);
      await hubspot.execute(
        session,
        commands.filter((_, index) => index % 2 === 0),
      );
      requests.length = 0;
      const resolutions = await hubspot.resolve(session, commands);
      expect(resolutions.map((resolution) => resolution.arm)).toEqual(
        commands.map((_, index) => (index % 2 === 0 ? "found" : "absent")),
      );
      expect(requests.length).toBeLessThanOrEqual(7);
    });

    it(`${world}: follows a person who was merged in between`, async () => {
      const session = await sessionIn(world);
      const eve = await admin("contact", { email: "eve@example.com" });
      const twice = await admin("contact", { email: "eve.two@example.com" });
      const command = create("eve", { knownId: String(eve.id) });
      twin.setFaults({ script: [{ path: write, kind: "lose" }] });
      expect(await one(session, command)).toMatchObject({ arm: "unknown" });
      const merged = await admin("merge", { primary: eve.id, merged: twice.id });
      expect(await resolveOne(session, command)).toMatchObject({ arm: "found", personId: merged.id });
      expect(twin.state().tasks).toHaveLength(1);
      expect(twin.state().tasks[0]?.contacts).toEqual([merged.id]);
    });

    it(`${world}: a closing has nothing to look up`, async () => {
      const session = await sessionIn(world);
      expect(await resolveOne(session, { type: "close_task", key: "c", taskId: "1", note: "" })).toEqual({
        arm: "absent",
      });
    });
  }

  for (const world of ["unique_property", "builtin_unique"] as const) {
    it(`${world}: a task that a person already deleted happened`, async () => {
      const session = await sessionIn(world);
      twin.setFaults({ script: [{ path: "tasks/batch/upsert", kind: "lose" }] });
      await one(session, create("eve"));
      const id = twin.state().tasks[0]?.id;
      await admin(`task/${id}/delete`, {});
      expect(await resolveOne(session, create("eve"))).toMatchObject({ arm: "found", taskId: id });
      twin.setFaults({ script: [{ path: "tasks/batch/read", skip: 1, kind: "status", status: 500 }] });
      expect(await resolveOne(session, create("eve"))).toMatchObject({ arm: "deferred" });
    });

    it(`${world}: a task without its link is unknown, and found only once it has it`, async () => {
      const session = await sessionIn(world);
      twin.setFaults({ script: [{ path: "associate/default", times: 2, kind: "status", status: 503 }] });
      expect(await one(session, create("eve"))).toEqual({ arm: "unknown", reason: "association" });
      twin.setFaults({ script: [{ path: "associate/default", times: 2, kind: "status", status: 503 }] });
      expect(await resolveOne(session, create("eve"))).toMatchObject({ arm: "deferred" });
      expect(twin.state().tasks[0]?.contacts).toEqual([]);
      const resolution = await resolveOne(session, create("eve"));
      expect(resolution).toMatchObject({ arm: "found" });
      expect(twin.state().tasks[0]?.contacts).toEqual([twin.state().contacts[0]?.id]);
    });

    it(`${world}: a link that fails once is put right in place`, async () => {
      const session = await sessionIn(world);
      twin.setFaults({ script: [{ path: "associate/default", kind: "lose" }] });
      done(await one(session, create("eve")));
      twin.setFaults({ script: [{ path: "associate/default", kind: "rows", rows: [0] }] });
      done(await one(session, create("kim")));
      expect(twin.state().tasks.map((task) => task.contacts.length)).toEqual([1, 1]);
    });
  }

  it("marker: leaves it open when the person was deleted, for the task may hang on the deleted record", async () => {
    const session = await sessionIn("marker");
    twin.setFaults({ script: [{ path: "tasks/batch/create", kind: "lose" }] });
    await one(session, create("eve"));
    await admin(`contact/${twin.state().contacts[0]?.id}/delete`, {});
    expect(await resolveOne(session, create("eve"))).toEqual({ arm: "unknown", reason: "person_gone" });
  });

  it("marker: a link that shows up late hides the task; that is why the caller asks twice", async () => {
    const session = await sessionIn("marker");
    twin.setFaults({ associationLagMs: 150, script: [{ path: "tasks/batch/create", kind: "lose" }] });
    await one(session, create("eve"));
    expect(await resolveOne(session, create("eve"))).toEqual({ arm: "absent" });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await resolveOne(session, create("eve"))).toMatchObject({ arm: "found" });
  });

  it("marker: a task whose body was not shown may be the one, so nothing is absent", async () => {
    const session = await sessionIn("marker");
    done(await one(session, create("eve")));
    const other = create("other", { email: "eve@example.com" });
    for (const kind of ["silent", "rows"] as const) {
      twin.setFaults({ script: [{ path: "objects/2026-09/tasks/batch/read", kind }] });
      expect(await resolveOne(session, other)).toMatchObject({ arm: "deferred" });
    }
    expect(await resolveOne(session, other)).toEqual({ arm: "absent" });
  });

  it("marker: a person whose links were not shown is asked for alone before anything is absent", async () => {
    const session = await sessionIn("marker");
    done(await one(session, create("eve")));
    const path = "contacts/tasks/batch/read";
    for (const kind of ["silent", "pending"] as const) {
      twin.setFaults({ script: [{ path, kind }] });
      expect(await resolveOne(session, create("eve"))).toMatchObject({ arm: "found" });
      twin.setFaults({
        script: [
          { path, kind },
          { path: "/associations/tasks", kind: "status", status: 503 },
        ],
      });
      expect(await resolveOne(session, create("eve"))).toMatchObject({ arm: "deferred" });
    }
  });
});
