/** A connection that ends: from our side, or because the CRM's tokens are gone. Nothing is lost with it. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { AccountStore } from "../../src/objects/account-store.ts";
import { accountStub } from "../../src/objects/names.ts";
import { workspaceById } from "../../src/workspace.ts";
import {
  answer,
  ask,
  connect,
  email,
  eventually,
  exceptionOf,
  openWorkspace,
  personOf,
  send,
  type TestWorkspace,
} from "./fixture.ts";
import { RecordingCrm } from "./recording-crm.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const remove = (of: TestWorkspace) => ask(of, "DELETE", `/v1/connections/${encodeURIComponent(of.account)}`);
const factsOf = (of: TestWorkspace) =>
  runInDurableObject(accountStub(env, of.account), (_object, { storage }) => new AccountStore(storage).facts());

async function withTask(id: string, crm: RecordingCrm, address: string) {
  const of = await openWorkspace(id, { crm });
  await send(of, { id: "1", kind: "demo_requested", identifiers: [email(address)] });
  await eventually(
    () => crm.tasks.length,
    (count) => count === 1,
  );
  return of;
}

describe("a connection that is removed", () => {
  it("has no tokens any more, here nor in the CRM; and once more changes nothing", async () => {
    const crm = new RecordingCrm();
    const of = await openWorkspace("bye1", { crm });
    expect(await remove(of)).toEqual({ status: 200, body: { id: of.account, status: "removed", revoked: true } });
    expect(crm.revokedTokens).toHaveLength(1);
    expect(await factsOf(of)).toMatchObject({ status: "removed", grant: "" });
    expect(await remove(of)).toEqual({ status: 200, body: { id: of.account, status: "removed", revoked: true } });
    expect(crm.revokedTokens).toHaveLength(1);
  });

  it("is gone here also where the CRM does not confirm, and says so", async () => {
    const crm = new RecordingCrm();
    crm.confirmsRevocation = false;
    const of = await openWorkspace("bye2", { crm });
    expect((await remove(of)).body.revoked).toBe(false);
    expect(await factsOf(of)).toMatchObject({ status: "removed", grant: "" });
  });

  it("is nobody else's to remove", async () => {
    const of = await openWorkspace("bye3", { crm: new RecordingCrm() });
    const other = await openWorkspace("bye4");
    const path = `/v1/connections/${encodeURIComponent(of.account)}`;
    expect((await ask(other, "DELETE", path)).status).toBe(404);
    expect((await ask({ ...of, apiKey: "bk_wrong" }, "DELETE", path)).status).toBe(401);
    expect((await factsOf(of))?.status).toBe("connected");
  });

  it("leaves what had not been sent to a person, who has it tried again when the CRM is back, once", async () => {
    const crm = new RecordingCrm();
    const of = await openWorkspace("bye5", { crm });
    crm.scripts = [{ arm: "deferred", scope: "account", retryAfterMs: 600_000, reason: "busy" }];
    await send(of, { id: "1", kind: "demo_requested", identifiers: [email("ada@example.com")] });
    await eventually(
      () => crm.sent.length,
      (count) => count === 1,
    );
    await remove(of);
    const question = await exceptionOf(of, email("ada@example.com"), "crm_refused");
    expect(question.problem).toBe("disconnected");
    expect(crm.tasks).toHaveLength(0);
    await connect(of.id, crm);
    expect((await answer(of, question.id, { by: "sam@example.com", choice: "retry" })).status).toBe(200);
    await eventually(
      () => crm.tasks.length,
      (count) => count === 1,
    );
    const { root } = await personOf(of, email("ada@example.com"));
    expect(root.follow_ups).toHaveLength(1);
  });

  it("gets nothing of what happens later: that is a question for a person as well", async () => {
    const crm = new RecordingCrm();
    const of = await withTask("bye6", crm, "bob@example.com");
    await remove(of);
    const before = crm.sent.length;
    const found = await workspaceById(env, of.id, Date.now(), () => undefined);
    await send({ ...of, ...found }, { id: "2", kind: "demo_requested", identifiers: [email("eve@example.com")] });
    expect(await exceptionOf(of, email("eve@example.com"), "no_crm_connected")).toMatchObject({ state: "open" });
    expect(crm.sent).toHaveLength(before);
  });
});

describe("a connection that the CRM ended", () => {
  it("says so where connections are listed, and goes on when somebody connects again", async () => {
    const crm = new RecordingCrm();
    const of = await openWorkspace("gone1", { crm });
    crm.refreshFails = { arm: "revoked", reason: "invalid_grant" };
    crm.expired.add("token-1");
    await send(of, { id: "1", kind: "demo_requested", identifiers: [email("ada@example.com")] });
    const listed = async () => (await ask(of, "GET", "/v1/connections")).body.items[0];
    expect(await eventually(listed, ({ status }) => status === "blocked")).toMatchObject({ problem: "connect_again" });
    expect(crm.tasks).toHaveLength(0);
    crm.refreshFails = null;
    crm.expired.clear();
    await connect(of.id, crm);
    expect(await listed()).toMatchObject({ status: "connected", problem: null });
    await eventually(
      () => crm.tasks.length,
      (count) => count === 1,
    );
  });
});
