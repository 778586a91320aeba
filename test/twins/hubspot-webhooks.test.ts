/** The twin's webhooks and card requests: signed, repeated, shuffled, late (CRM-FACTS §1.7, §1.8, §1.9). */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hubspotWebhooks } from "../../connectors/hubspot/emitter/emitter.ts";
import { verifyV3 } from "../../connectors/hubspot/signature.ts";
import { type HubspotTwin, startHubspotTwin } from "../../connectors/hubspot/twin/server.ts";

let twin: HubspotTwin;
let token = "";

beforeAll(async () => {
  twin = await startHubspotTwin();
});
afterAll(() => twin.close());
beforeEach(async () => {
  await admin("reset", {});
  token = twin.grant().accessToken;
});

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes, taken apart by the assertions.
type Loose = any;

async function call(method: string, path: string, body?: unknown, bearer = token) {
  const answer = await fetch(twin.url + path, {
    method,
    headers: { Authorization: `Bearer ${bearer}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: (text === "" ? null : JSON.parse(text)) as Loose };
}

async function admin(path: string, body: unknown): Promise<Loose> {
  const answer = await fetch(`${twin.url}/admin/${path}`, { method: "POST", body: JSON.stringify(body) });
  return answer.json();
}

describe("webhooks and the card", () => {
  let receiver: Server;
  let target = "";
  let got: { headers: Record<string, string>; body: string; url: string; method: string }[] = [];
  let answers: number[] = [];

  beforeEach(async () => {
    got = [];
    answers = [];
    receiver = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        got.push({
          headers: request.headers as Record<string, string>,
          body,
          url: request.url ?? "",
          method: request.method ?? "",
        });
        response.writeHead(answers.shift() ?? 200, { "Content-Type": "application/json" }).end("{}");
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
    target = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/in/hook?x=1`;
    await admin("webhooks", { target });
  });
  afterEach(async () => {
    await admin("webhooks", { target: null });
    receiver.closeAllConnections();
    await new Promise((resolve) => receiver.close(resolve));
  });

  const check = (one: (typeof got)[number] | undefined, now = Date.now()) =>
    verifyV3(
      [twin.account.clientSecret],
      {
        method: one?.method ?? "",
        uri: new URL(one?.url ?? "", target).toString(),
        body: one?.body ?? "",
        timestamp: one?.headers["x-hubspot-request-timestamp"] ?? "",
        signature: one?.headers["x-hubspot-signature-v3"] ?? "",
      },
      now,
    );

  it("tells of contacts, signed, with whose change it was; never of tasks", async () => {
    const { id } = await admin("contact", { email: "eve@example.com" });
    await call("PATCH", `/crm/objects/2026-09/contacts/${id}`, { properties: { firstname: "Eve" } });
    await call("POST", "/crm/objects/2026-09/tasks", { properties: { hs_timestamp: "1767225600000" } });
    await twin.flushWebhooks();
    expect(got).toHaveLength(1);
    expect(check(got[0]).ok).toBe(true);
    const events = JSON.parse(got[0]?.body ?? "[]") as Loose[];
    expect(events.map((event) => [event.subscriptionType, event.propertyName, event.changeSource])).toEqual([
      ["contact.propertyChange", "email", "CRM_UI"],
      ["contact.creation", undefined, "CRM_UI"],
      ["contact.propertyChange", "firstname", "INTEGRATION"],
    ]);
    expect(events[2]).toMatchObject({
      portalId: 4501,
      appId: 77,
      sourceId: "77",
      objectId: Number(id),
      attemptNumber: 0,
      propertyValue: "Eve",
    });
  });

  it("tells of a merge with all its ids", async () => {
    const a = await admin("contact", { email: "a@example.com" });
    const b = await admin("contact", { email: "b@example.com" });
    const { id } = await admin("merge", { primary: a.id, merged: b.id });
    await twin.flushWebhooks();
    const events = got.flatMap((one) => JSON.parse(one.body) as Loose[]);
    expect(events.find((event) => event.subscriptionType === "contact.merge")).toMatchObject({
      primaryObjectId: Number(a.id),
      mergedObjectIds: [Number(b.id)],
      newObjectId: Number(id),
    });
  });

  it("what it says of contacts, Baton hears: a merge, an edit, a deletion", async () => {
    const a = await admin("contact", { email: "a@example.com" });
    const b = await admin("contact", { email: "b@example.com" });
    const { id } = await admin("merge", { primary: a.id, merged: b.id });
    await admin(`contact/${id}/edit`, { phone: "+49 30 1234567" });
    await admin(`contact/${id}/delete`, {});
    await twin.flushWebhooks();
    const heard = got.map((one) => {
      const delivery = {
        method: one.method,
        url: new URL(one.url, target).toString(),
        headers: one.headers,
        body: new TextEncoder().encode(one.body),
        receivedAt: Date.now(),
      };
      expect(hubspotWebhooks.verify(delivery, [twin.account.clientSecret], Date.now()).ok).toBe(true);
      const result = hubspotWebhooks.translate(delivery, { portal_id: String(twin.account.portalId) });
      if (!result.ok) throw new Error(result.failure.reason);
      return result.value;
    });
    expect(heard.flatMap((one) => one.quarantined ?? [])).toEqual([]);
    const drafts = heard.flatMap((one) => one.drafts);
    const of = (kind: string) => drafts.filter((draft) => draft.kind === kind);
    expect(of("crm_records_merged").map((draft) => draft.identifiers.map((item) => item.value))).toEqual([
      [a.id, b.id, id],
    ]);
    expect(of("crm_records_merged")[0]?.properties?.survivor).toBe(id);
    expect(of("identified").map((draft) => draft.traits)).toContainEqual({ phone: "+49 30 1234567" });
    expect(of("customer_deleted").map((draft) => draft.record)).toEqual([{ crm: "hubspot", ids: [id] }]);
    expect(drafts).toHaveLength(of("crm_records_merged").length + of("identified").length + 1);
  });

  it("sends the whole batch again until it is taken, counting the attempts", async () => {
    answers = [503, 500, 200];
    await admin("contact", { email: "eve@example.com" });
    await twin.flushWebhooks();
    const attempts = got.map((one) =>
      (JSON.parse(one.body) as Loose[]).map((event) => [event.eventId, event.attemptNumber]),
    );
    expect(attempts.map((one) => one.map(([, attempt]) => attempt))).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
    expect(new Set(attempts.map((one) => JSON.stringify(one.map(([eventId]) => eventId)))).size).toBe(1);
  });

  it("repeats, shuffles, and signs as if long ago, when told to", async () => {
    twin.setFaults({ webhookRepeat: true, webhookReorder: true, webhookAgeMs: 301_000, seed: 5 });
    for (let index = 0; index < 6; index++) await admin("contact", { email: `p${index}@example.com` });
    await twin.flushWebhooks();
    expect(got.length % 2).toBe(0);
    expect(got[0]?.body).toBe(got[1]?.body);
    const ids = got.flatMap((one) => (JSON.parse(one.body) as Loose[]).map((event) => event.eventId as number));
    expect(ids).not.toEqual([...ids].sort((one, other) => one - other));
    expect(check(got[0])).toMatchObject({ ok: false, failure: { reason: "timestamp_too_old" } });
    expect(check(got[0], Date.now() - 301_000).ok).toBe(true);
  });

  it("the card adds who asks, signs it, and sends it twice after a failure or when told to", async () => {
    const answered = await twin.card({ url: target, body: { done: true }, userId: 2, twice: true });
    expect(answered.map((answer) => answer.status)).toEqual([200, 200]);
    expect(got[0]?.body).toBe(got[1]?.body);
    const query = new URL(got[0]?.url ?? "", target).searchParams;
    expect(Object.fromEntries(query)).toEqual({
      x: "1",
      userId: "2",
      portalId: "4501",
      userEmail: "seller@example.com",
      appId: "77",
    });
    expect(check(got[0]).ok).toBe(true);
    answers = [502];
    expect((await twin.card({ url: target, body: {} })).map((answer) => answer.status)).toEqual([502, 200]);
    expect(await twin.card({ url: target, body: {} })).toHaveLength(1);
    await twin.card({ url: target, body: {}, secret: "forged" });
    expect(check(got.at(-1))).toMatchObject({ ok: false });
  });
});
