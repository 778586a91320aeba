/** `changed` by the real HubSpot client against the twin: how tasks of ours stand, and what an answer that is missing must not mean. */
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { CrmSession, CrmTask } from "../../connectors/contract.ts";
import { hubspot } from "../../connectors/hubspot/crm.ts";
import { admin, create, done, dueAt, one, requests, reset, sessionIn, twin } from "./hubspot-fixture.ts";

beforeEach(reset);
afterAll(() => twin.close());

const task: CrmTask = { subject: "Call eve", body: "Why", dueAt, priority: "high", type: "call", ownerId: "9001" };

async function made(session: CrmSession, name: string, of: CrmTask = task): Promise<string> {
  return done(await one(session, create(name, {}, of))).taskId;
}

async function seen(session: CrmSession, ...tasks: string[]) {
  const answer = await hubspot.changed(session, { tasks, since: null });
  if (!answer.ok) throw new Error(JSON.stringify(answer.failure));
  return answer.value;
}

describe("a task that nobody has touched", () => {
  it.each([false, true])(
    "has the shape that was written, whether HubSpot rewrites values (%s) or not",
    async (rewritesTasks) => {
      const session = await sessionIn("unique_property", { rewritesTasks });
      const odd: CrmTask = { ...task, subject: "Call <Eve> & co", dueAt: dueAt + 7, priority: "medium" };
      const id = await made(session, "eve", odd);
      const [state] = await seen(session, id);
      expect(state).toMatchObject({ arm: "open", shape: hubspot.shape(odd) });
      const due = String(dueAt / 1_000);
      expect(hubspot.shape(odd)).toMatchObject({ due, priority: "MEDIUM", owner: "9001" });
      expect(hubspot.shape({ ...odd, subject: "Call Eve & co" }).subject).toBe("Call Eve & co");
    },
  );

  it("is read in one request with ninety-nine others", async () => {
    const session = await sessionIn("unique_property");
    const ids = [];
    for (let index = 0; index < 100; index++) ids.push(await made(session, `p${index}`));
    requests.length = 0;
    expect((await seen(session, ...ids)).filter((state) => state?.arm === "open")).toHaveLength(100);
    expect(requests.map(({ url }) => new URL(url).pathname)).toEqual(["/crm/objects/2026-09/tasks/batch/read"]);
  });
});

describe("what a person did", () => {
  it("is told: completed with its time, deleted, edited in each field, given to somebody else", async () => {
    const session = await sessionIn("unique_property");
    const [completed, deleted, edited] = [await made(session, "a"), await made(session, "b"), await made(session, "c")];
    const from = Date.now();
    await admin(`task/${completed}/complete`, {});
    const until = Date.now();
    await admin(`task/${deleted}/delete`, {});
    await admin(`task/${edited}/edit`, {
      hs_task_subject: "Ring Eve",
      hs_timestamp: String(dueAt + 86_400_000),
      hs_task_priority: "LOW",
      hubspot_owner_id: "9002",
    });
    const [first, second, third] = await seen(session, completed, deleted, edited);
    expect(first?.arm).toBe("completed");
    const at = first?.arm === "completed" ? first.at : 0;
    expect(at).toBeGreaterThanOrEqual(from);
    expect(at).toBeLessThanOrEqual(until + 1);
    expect(second).toEqual({ arm: "deleted" });
    expect(third).toMatchObject({
      arm: "open",
      shape: { subject: "Ring Eve", due: String(dueAt / 1_000 + 86_400), priority: "LOW", owner: "9002" },
    });
    expect(hubspot.dueAt(String(dueAt / 1_000 + 86_400), dueAt)).toBe(dueAt + 86_400_000);
  });

  it("an owner or a due date that was taken away is empty, and says no instant", async () => {
    const session = await sessionIn("unique_property");
    const id = await made(session, "eve");
    await admin(`task/${id}/edit`, { hubspot_owner_id: "" });
    expect(await seen(session, id)).toMatchObject([{ shape: { owner: "" } }]);
    expect(hubspot.dueAt("", dueAt)).toBeNull();
  });

  it("a task that HubSpot never heard of, or forgot, counts as deleted", async () => {
    const session = await sessionIn("unique_property");
    expect(await seen(session, "999999999")).toEqual([{ arm: "deleted" }]);
  });
});

describe("an answer that does not say is never taken for deleted", () => {
  it("a row that is left out of a 200, or fails in a 207, is null; the others are told", async () => {
    const session = await sessionIn("unique_property");
    const ids = [await made(session, "a"), await made(session, "b")];
    for (const kind of ["silent", "rows"] as const) {
      twin.setFaults({ script: [{ path: "tasks/batch/read", kind, rows: [0] }] });
      const states = await seen(session, ...ids);
      expect(states.map((state) => state?.arm ?? null)).toEqual([null, "open"]);
    }
  });

  it("a look among the deleted that fails leaves it open whether it was deleted", async () => {
    const session = await sessionIn("unique_property");
    const ids = [await made(session, "a"), await made(session, "b")];
    await admin(`task/${ids[0]}/delete`, {});
    twin.setFaults({ script: [{ path: "tasks/batch/read", kind: "status", status: 502, html: true, skip: 1 }] });
    expect((await seen(session, ...ids)).map((state) => state?.arm ?? null)).toEqual([null, "open"]);
    expect((await seen(session, ...ids)).map((state) => state?.arm ?? null)).toEqual(["deleted", "open"]);
  });

  it.each([
    ["429", { kind: "status", status: 429, policyName: "TEN_SECONDLY_ROLLING" }, { arm: "deferred", scope: "account" }],
    ["401", { kind: "status", status: 401 }, { arm: "expired" }],
    ["403", { kind: "status", status: 403, category: "MISSING_SCOPES" }, { arm: "blocked" }],
    ["a page instead of JSON", { kind: "status", status: 503, html: true }, { arm: "deferred" }],
    ["a broken connection", { kind: "drop" }, { arm: "deferred" }],
  ] as const)("%s is a failure of the whole look", async (_name, fault, expected) => {
    const session = await sessionIn("unique_property");
    const id = await made(session, "eve");
    twin.setFaults({ script: [{ path: "tasks/batch/read", ...fault }] });
    const answer = await hubspot.changed(session, { tasks: [id], since: null });
    expect(answer).toMatchObject({ ok: false, failure: expected });
  });

  it("keeps to what it may send", async () => {
    const session = await sessionIn("unique_property", { errorRate: 0.5, dropRate: 0.2 });
    requests.length = 0;
    await hubspot.changed(session, {
      tasks: Array.from({ length: 100 }, (_, index) => String(index + 1)),
      since: null,
    });
    expect(requests.length).toBeLessThanOrEqual(hubspot.manifest.hears.requestsMax);
  });

  it("a replica that lags shows the version before with its own time", async () => {
    const session = await sessionIn("unique_property");
    const id = await made(session, "eve");
    const [before] = await seen(session, id);
    await admin(`task/${id}/edit`, { hubspot_owner_id: "9002" });
    twin.setFaults({ readLagMs: 60_000 });
    expect(await seen(session, id)).toEqual([before]);
  });
});
