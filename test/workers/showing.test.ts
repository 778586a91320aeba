/** What records show of a lead, in the runtime it lives in: the newest alone is sent, whatever breaks, and no task waits for it. */
import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { RecordCommand } from "../../connectors/contract.ts";
import type { AccountObject } from "../../src/objects/account.ts";
import { accountStub, identityStub } from "../../src/objects/names.ts";
import { recordsOf } from "../../src/resolve/shown.ts";
import { ask, email, eventually, openWorkspace, personOf, rest, send, type TestWorkspace } from "./fixture.ts";
import { RecordingCrm } from "./recording-crm.ts";

afterEach(() => {
  vi.useRealTimers();
});

async function open(id: string) {
  const crm = new RecordingCrm();
  const of = await openWorkspace(id, { crm });
  return { crm, of };
}

const ada = email("ada@example.com");
const state = async (of: TestWorkspace) => recordsOf((await personOf(of, ada)).root)[0]?.state;
const until = (of: TestWorkspace, wanted: string) =>
  eventually(
    () => state(of),
    (seen) => seen === wanted,
  );
const valuesOf = (command: RecordCommand | undefined) =>
  Object.fromEntries(Object.entries(command?.values ?? {}).map(([field, { value }]) => [field, value]));

/** Found out just now, in this order. */
function show(personId: string, order: number, reason: string, node: string) {
  const command: RecordCommand = {
    type: "write_record",
    key: `fr_${personId}_${order}`,
    personId,
    values: { follow_up_reason: { value: reason } },
    at: Date.now() + order,
  };
  return { command, holder: "", node, hot: false };
}

describe("the record that a task was made for", () => {
  it("shows the lead as soon as the task stands, and the API says what stands there", async () => {
    const { crm, of } = await open("shown");
    await send(of, { id: "1", kind: "demo_requested" });
    await until(of, "done");
    const { root } = await personOf(of, ada);
    expect(crm.records).toHaveLength(1);
    expect(crm.records[0]?.personId).toBe("person-1");
    expect(valuesOf(crm.records[0])).toMatchObject({
      baton_lead_id: root.name,
      lead_score: "60",
      lifecycle_state: "sales_ready",
      lead_source: "forms",
      idempotency_key: "forms:1",
      follow_up_reason: "asked for a demo",
    });
    const { body } = await ask(of, "GET", `/v1/leads/${encodeURIComponent(root.name)}`);
    expect(body.records).toEqual([
      expect.objectContaining({ crm: "hubspot", person: "person-1", state: "done", stands: valuesOf(crm.records[0]) }),
    ]);
  });

  it("is told at once of a shared field, however long its signal waits to be decided on", async () => {
    const { crm, of } = await open("website");
    await send(of, { id: "1", kind: "demo_requested" });
    await until(of, "done");
    await send(of, { id: "2", kind: "identified", traits: { website: "example.com" } });
    await eventually(
      () => crm.records.length,
      (count) => count === 2,
    );
    expect(valuesOf(crm.records[1])).toMatchObject({ website: "example.com" });
    expect((await personOf(of, ada)).root.undecided).toMatchObject([{ key: "forms:2" }]);
    await send(of, { id: "3", kind: "identified", traits: { website: "example.com" } });
    await rest();
    expect(crm.records).toHaveLength(2);
  });

  it("has a shared field brought back when the version that filled it in is undone", async () => {
    const { crm, of } = await open("undone-fields");
    await send(of, { id: "1", kind: "demo_requested", traits: { website: "example.com" } });
    await until(of, "done");
    const { root } = await personOf(of, ada);
    const { body: policy } = await ask(of, "GET", "/v1/policy");
    const website = { ...policy.fields.website, write_to: [] };
    const next = { ...policy, version: policy.version + 1, fields: { ...policy.fields, website } };
    expect((await ask(of, "PUT", "/v1/policy", next)).status).toBe(200);

    const undo = (part: object) =>
      ask(of, "POST", `/v1/policy/versions/${policy.version}/undo`, { by: "kim@example.com", ...part });
    const field = { lead: root.name, crm: "hubspot", account: of.account, field: "website" };
    const told = await eventually(
      () => undo({ dry_run: true }),
      ({ body }) => body.fields.length > 0,
    );
    expect(told.body).toMatchObject({ fields: [field], next_cursor: null });
    expect(crm.records).toHaveLength(1);
    expect((await undo({})).body).toMatchObject({ fields: [field] });
    const last = await eventually(
      async () => crm.records.find(({ values }) => values.website?.value === ""),
      (found) => found !== undefined,
    );
    expect(last?.values.website).toEqual({ value: "", ours: ["example.com"] });
    await eventually(
      async () => (await undo({ dry_run: true })).body.fields,
      (fields) => fields.length === 0,
    );
  });

  it("is not written again for points, and is for a lifecycle state that changes", async () => {
    const { crm, of } = await open("points");
    await send(of, { id: "1", kind: "demo_requested" });
    await until(of, "done");
    await send(of, { id: "2", kind: "contact_requested" });
    await rest();
    expect(crm.records).toHaveLength(1);
    await send(of, { id: "3", kind: "checkout_completed", consent: { follow_up: true } });
    const { root } = await personOf(of, ada);
    await letDecide(root.name);
    await eventually(
      () => crm.records.length,
      (count) => count === 2,
    );
    expect(valuesOf(crm.records[1])).toMatchObject({ lifecycle_state: "customer" });
  });

  it("costs the account no row where its answer comes at once", async () => {
    const { of } = await open("rows");
    await send(of, { id: "1", kind: "demo_requested" });
    await until(of, "done");
    const keys = await runInDurableObject(accountStub(env, of.account), (_object: AccountObject, { storage }) =>
      storage.sql.exec<{ key: string }>("SELECT key FROM actions").toArray(),
    );
    expect(keys.some(({ key }) => key.startsWith("fr_"))).toBe(false);
    expect(keys).toHaveLength(1);
  });

  it("is written after a crash, though nobody had asked yet", async () => {
    const { crm, of } = await open("crashed");
    crm.holdsRecords = true;
    await send(of, { id: "1", kind: "demo_requested" });
    await eventually(
      () => crm.records.length,
      (count) => count === 1,
    );
    const { root } = await personOf(of, ada);
    await abortAllDurableObjects();
    crm.holdsRecords = false;
    await runDurableObjectAlarm(identityStub(env, root.name));
    await until(of, "done");
    expect(new Set(crm.records.map(({ personId }) => personId))).toEqual(new Set(["person-1"]));
  });

  it("is tried again where the answer was lost, and waits where the CRM says so", async () => {
    const { crm, of } = await open("lost");
    crm.recordScripts = [
      { arm: "unknown", reason: "connection" },
      { arm: "deferred", retryAfterMs: 10, scope: "action", reason: "row_locked" },
    ];
    await send(of, { id: "1", kind: "demo_requested" });
    await until(of, "done");
    expect(crm.records).toHaveLength(3);
    expect(new Set(crm.records.map(({ key }) => key)).size).toBe(1);
  });

  it("that the CRM refuses says why, asks nobody, and keeps no task back", async () => {
    const { crm, of } = await open("refused");
    crm.recordScripts = [{ arm: "refused", reason: "property_doesnt_exist" }];
    await send(of, { id: "1", kind: "demo_requested" });
    await until(of, "refused");
    const { root } = await personOf(of, ada);
    expect(recordsOf(root)[0]?.problem).toBe("property_doesnt_exist");
    expect(crm.tasks).toHaveLength(1);
    const { body } = await ask(of, "GET", "/v1/exceptions?state=open");
    expect(body.items).toEqual([]);
  });

  it("keeps what a person has typed over it until there is something newer to say", async () => {
    const { crm, of } = await open("typed");
    crm.recordScripts = [{ left: ["follow_up_reason"] }];
    await send(of, { id: "1", kind: "demo_requested" });
    await until(of, "done");
    const { root } = await personOf(of, ada);
    expect(recordsOf(root)[0]).toMatchObject({ left: ["follow_up_reason"] });
    expect(recordsOf(root)[0]?.stands).not.toHaveProperty("follow_up_reason");
    await rest();
    expect(crm.records).toHaveLength(1);
  });

  it("that a person has typed over is reported to both sides, where the policy lets nobody there write it", async () => {
    const { crm, of } = await open("typed-over");
    const left = ["follow_up_reason", "website"] as const;
    // Of the first one nothing was ours, so nobody has typed over it.
    crm.recordScripts = [{ left: ["lead_level"] }, { left }];
    await send(of, { id: "1", kind: "demo_requested", traits: { website: "example.com" } });
    await until(of, "done");
    await send(of, { id: "2", kind: "checkout_completed", consent: { follow_up: true } });
    await letDecide((await personOf(of, ada)).root.name);
    const { body } = await eventually(
      () => ask(of, "GET", "/v1/exceptions?state=open"),
      ({ body: { items } }) => Array.isArray(items) && items.length > 0,
    );
    expect(body.items).toEqual([expect.objectContaining({ reason: "field_report", emitter: "hubspot" })]);
    const [item] = body.items as { detail: string }[];
    expect(item?.detail).toContain("Somebody in hubspot has written follow_up_reason");
    expect(crm.records).toHaveLength(2);
  });

  it("shows nothing of somebody who was erased while it waited", async () => {
    const { crm, of } = await open("erased");
    crm.recordScripts = [{ arm: "deferred", retryAfterMs: 60_000, scope: "action", reason: "busy" }];
    await send(of, { id: "1", kind: "demo_requested" });
    await eventually(
      () => crm.records.length,
      (count) => count === 1,
    );
    const { root } = await personOf(of, ada);
    await ask(of, "POST", `/v1/leads/${encodeURIComponent(root.name)}/erase`, { by: "sam@example.com" });
    await eventually(
      () => accountStub(env, of.account).status(),
      ({ waiting }) => waiting === 0,
    );
    expect(crm.records).toHaveLength(1);
  });
});

describe("several writes for one record", () => {
  it("that wait are one in the end: the newest", async () => {
    const { crm, of } = await open("newest");
    const account = accountStub(env, of.account);
    crm.recordScripts = [{ arm: "deferred", retryAfterMs: 300, scope: "account", reason: "rate" }];
    const first = account.submit(show("p1", 1, "first", `${of.id}/nobody`));
    await eventually(
      () => crm.records.length,
      (count) => count === 1,
    );
    const second = account.submit(show("p1", 2, "second", `${of.id}/nobody`));
    const third = account.submit(show("p1", 3, "third", `${of.id}/nobody`));
    expect([(await first).arm, (await second).arm, (await third).arm]).toEqual(["cancelled", "cancelled", "shown"]);
    expect(crm.records.map((command) => valuesOf(command).follow_up_reason)).toEqual(["first", "third"]);
  });

  it("are never under way at once, so that the newer one comes last", async () => {
    const { crm, of } = await open("in-turn");
    const account = accountStub(env, of.account);
    crm.holdsRecords = true;
    const first = account.submit(show("p1", 1, "first", `${of.id}/nobody`));
    await eventually(
      () => crm.records.length,
      (count) => count === 1,
    );
    const second = account.submit(show("p1", 2, "second", `${of.id}/nobody`));
    const other = account.submit(show("p2", 2, "somebody else", `${of.id}/nobody`));
    await eventually(
      () => crm.records.length,
      (count) => count === 2,
    );
    expect(crm.records[1]?.personId).toBe("p2");
    crm.holdsRecords = false;
    expect([(await first).arm, (await second).arm, (await other).arm]).toEqual(["shown", "shown", "shown"]);
    expect(crm.records.at(-1)?.key).toBe("fr_p1_2");
  });

  it("that come in the wrong order leave the newer one standing", async () => {
    const { crm, of } = await open("late");
    const account = accountStub(env, of.account);
    crm.recordScripts = [{ arm: "deferred", retryAfterMs: 200, scope: "action", reason: "busy" }];
    const newer = account.submit(show("p1", 900, "newer", `${of.id}/nobody`));
    await eventually(
      () => crm.records.length,
      (count) => count === 1,
    );
    expect((await account.submit(show("p1", 8, "older", `${of.id}/nobody`))).arm).toBe("cancelled");
    expect((await newer).arm).toBe("shown");
    expect(crm.records.map(({ key }) => key)).toEqual(["fr_p1_900", "fr_p1_900"]);
  });

  it("that were long on their way are asked for anew: nobody knows what has been shown since", async () => {
    const { crm, of } = await open("stale");
    const { command, ...rest } = show("p1", 1, "first", `${of.id}/nobody`);
    const late = { ...rest, command: { ...command, at: Date.now() - 60_000 } };
    expect((await accountStub(env, of.account).submit(late)).arm).toBe("pending");
    expect(crm.records).toHaveLength(0);
  });
});

/** What gathers is decided now: the clock is past its window, and its alarm goes off. */
async function letDecide(name: string): Promise<void> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2 * 3_600_000 });
  await runDurableObjectAlarm(identityStub(env, name));
}
