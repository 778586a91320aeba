/** HubSpot's word about a contact that Baton made a task for: it reaches the person whose task that is. */
import { exports } from "cloudflare:workers";
import { createHmac } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { Identifier } from "../../src/model.ts";
import { api, email, eventually, look, nodeOf, openWorkspace, personOf, send, type TestWorkspace } from "./fixture.ts";
import { RecordingCrm } from "./recording-crm.ts";

const crm = new RecordingCrm();
const clientSecret = "hubspot-client-secret";
let acme: TestWorkspace;
let url = "";

beforeAll(async () => {
  // The number in an address is HubSpot's id of whom it names.
  crm.recordOf = (command) =>
    command.type === "create_task" ? (/\d+/.exec(command.person.email ?? "")?.[0] ?? "") : "";
  acme = await openWorkspace("crm-record", { crm });
  const emitter = {
    name: "hubspot",
    vendor: "hubspot",
    owner: "crm@example.com",
    secrets: [clientSecret],
    settings: {},
  };
  url = (await api<{ url: string }>("POST", "/v1/emitters", acme.apiKey, emitter)).url;
});

const contact = (value: string): Identifier => ({ type: "hubspot_contact_id", value });

async function hubspot(part: Readonly<Record<string, unknown>>) {
  const event = { eventId: 7, subscriptionId: 60, portalId: 33, appId: 77, occurredAt: Date.now(), attemptNumber: 0 };
  const body = JSON.stringify([{ ...event, ...part }]);
  const at = Date.now();
  const signature = createHmac("sha256", clientSecret).update(`POST${url}${body}${at}`).digest("base64");
  const headers = { "x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": String(at) };
  const answer = await exports.default.fetch(url, { method: "POST", headers, body });
  return { status: answer.status, body: await answer.json() };
}

/** Asks for a demo, and their task stands. */
async function asked(id: number): Promise<Identifier> {
  const who = email(`p${id}@example.com`);
  await send(acme, { id: `d${id}`, kind: "demo_requested", identifiers: [who] });
  await eventually(
    () => personOf(acme, who),
    ({ root }) => root.follow_ups[0]?.actions[0]?.state === "done",
  );
  return who;
}

describe("a contact that HubSpot", () => {
  it("deletes is the person whose task Baton made for it: their follow-up is withdrawn, and none leaves any more", async () => {
    const who = await asked(501);
    expect(await hubspot({ subscriptionType: "contact.deletion", objectId: 501 })).toMatchObject({
      status: 202,
      body: { accepted: 1 },
    });
    const { root } = await eventually(
      () => personOf(acme, who),
      ({ root: seen }) => seen.follow_ups[0]?.state === "cancelled",
    );
    expect(root.lead.consent?.value).toBe(false);
    expect((await personOf(acme, contact("501"))).root.name).toBe(root.name);
  });

  it("deletes for privacy is erased, with the task; sent again it erases nobody who came since", async () => {
    const who = await asked(502);
    const event = { subscriptionType: "contact.privacyDeletion", objectId: 502, occurredAt: Date.now() - 1_000 };
    expect((await hubspot(event)).status).toBe(202);
    await eventually(
      () => look(nodeOf(acme, who)),
      (seen) => seen === null,
    );
    expect(crm.tasks.filter(({ subject }) => subject.includes("p502")).map(({ open }) => open)).toEqual([false]);
    await send(acme, { id: "back", kind: "demo_requested", identifiers: [who] });
    expect((await hubspot(event)).status).toBe(202);
    expect((await personOf(acme, who)).root.follow_ups).toHaveLength(1);
  });

  it("deletes for privacy, and whom nobody knows, is nobody's loss", async () => {
    expect(await hubspot({ subscriptionType: "contact.privacyDeletion", objectId: 999 })).toMatchObject({
      status: 202,
    });
  });

  it("merges is one person with whoever the tasks were for", async () => {
    const [one, other] = [await asked(503), await asked(504)];
    const merge = { primaryObjectId: 503, mergedObjectIds: [504], newObjectId: 505, objectId: 505 };
    expect((await hubspot({ subscriptionType: "contact.merge", ...merge })).status).toBe(202);
    await eventually(
      async () => [(await personOf(acme, one)).root.name, (await personOf(acme, other)).root.name],
      ([first, second]) => first === second,
    );
  });

  it("edits keeps what was typed as a fact about them", async () => {
    const change = { subscriptionType: "contact.propertyChange", objectId: 506, propertyName: "email" };
    await hubspot({ ...change, propertyValue: "p506@example.com" });
    await hubspot({ ...change, propertyName: "phone", propertyValue: "+49 30 1234567" });
    await eventually(
      () => personOf(acme, email("p506@example.com")),
      ({ root }) => root.lead.fields.phone?.value === "+49301234567",
    );
  });
});
