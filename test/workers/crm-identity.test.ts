/** What CRMs say of their own records: merges and conversions come in by the door, and make one person of several ids. */

import { exports } from "cloudflare:workers";
import { createHmac } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { Identifier } from "../../src/model.ts";
import { api, email, eventually, openWorkspace, personOf, rest, send, type TestWorkspace } from "./fixture.ts";
import { RecordingCrm } from "./recording-crm.ts";

const crm = new RecordingCrm();
const clientSecret = "hubspot-client-secret";
const bearer = "0123456789abcdef0123456789abcdef";
let acme: TestWorkspace;
let hubspotUrl = "";
let salesforceUrl = "";

beforeAll(async () => {
  acme = await openWorkspace("crm-identity", { crm });
  const add = async (vendor: string, secret: string, settings = {}) => {
    const emitter = { name: vendor, vendor, owner: "crm@example.com", secrets: [secret], settings };
    return (await api<{ url: string }>("POST", "/v1/emitters", acme.apiKey, emitter)).url;
  };
  hubspotUrl = await add("hubspot", clientSecret, { portal_id: "33" });
  salesforceUrl = await add("salesforce", bearer);
});

const contact = (value: string): Identifier => ({ type: "hubspot_contact_id", value });

type Tally = Readonly<Record<"accepted" | "duplicates" | "conflicts" | "skipped" | "quarantined", number>>;
const tally = (part: Partial<Tally>): Tally => ({
  accepted: 0,
  duplicates: 0,
  conflicts: 0,
  skipped: 0,
  quarantined: 0,
  ...part,
});

async function post(url: string, body: string, headers: Record<string, string>) {
  const answer = await exports.default.fetch(url, { method: "POST", headers, body });
  return { status: answer.status, body: (await answer.json()) as Tally };
}

function hubspot(events: readonly object[], signedAt = Date.now(), secret = clientSecret) {
  const body = JSON.stringify(events);
  const signature = createHmac("sha256", secret).update(`POST${hubspotUrl}${body}${signedAt}`).digest("base64");
  return post(hubspotUrl, body, {
    "x-hubspot-signature-v3": signature,
    "x-hubspot-request-timestamp": String(signedAt),
  });
}

function salesforce(body: unknown) {
  return post(salesforceUrl, JSON.stringify(body), { authorization: `Bearer ${bearer}` });
}

const happenedAt = Date.now() - 60_000;

function merge(primary: number, merged: number, minted: number) {
  return {
    eventId: 7,
    subscriptionId: 60,
    portalId: 33,
    occurredAt: happenedAt,
    subscriptionType: "contact.merge",
    attemptNumber: 0,
    objectId: primary,
    primaryObjectId: primary,
    mergedObjectIds: [merged],
    newObjectId: minted,
  };
}

const atRest = (identifier: Identifier) =>
  eventually(
    () => personOf(acme, identifier),
    ({ root }) =>
      root.links.length === 0 &&
      root.follow_ups.every((item) => item.actions.every((action) => action.state !== "pending")),
  );

/** The one person behind all of them, or a throw. */
async function onePerson(...identifiers: readonly [Identifier, ...Identifier[]]) {
  const [first] = identifiers;
  await eventually(
    async () => new Set(await Promise.all(identifiers.map(async (one) => (await atRest(one)).root.name))).size,
    (people) => people === 1,
  );
  return (await atRest(first)).root;
}

/** Two people, each known by a HubSpot contact's id. */
async function twoContacts(tag: string, one: string, other: string) {
  await send(acme, { id: `${tag}-a`, identifiers: [contact(one)], kind: "page_viewed", traits: { company: "First" } });
  await send(acme, { id: `${tag}-b`, identifiers: [contact(other)], kind: "pricing_viewed" });
  const [a, b] = [await atRest(contact(one)), await atRest(contact(other))];
  expect(a.root.name).not.toBe(b.root.name);
}

describe("a merge in HubSpot", () => {
  it("makes one person of two, beyond the limit of one id, whose id is the new one and whose old ids still lead there", async () => {
    await twoContacts("m", "1", "2");
    expect(await hubspot([merge(1, 2, 3)])).toEqual({ status: 202, body: tally({ accepted: 1 }) });
    const merged = await onePerson(contact("1"), contact("2"), contact("3"));
    expect(merged.apart).toEqual([]);
    expect(merged.lead.former).toEqual({ "hubspot_contact_id:1": true, "hubspot_contact_id:2": true });
    expect(merged.lead.kinds).toMatchObject({ page_viewed: { count: 1 }, pricing_viewed: { count: 1 } });

    // A tool that has not heard of the merge speaks of the old id.
    await send(acme, { id: "m-demo", identifiers: [contact("2"), email("ada@example.com")] });
    await eventually(
      () => crm.sent.length,
      (count) => count === 1,
    );
    expect(crm.sent).toMatchObject([{ type: "create_task", person: { lead: merged.name, knownId: "3" } }]);
    expect((await atRest(contact("1"))).root.lead.kinds.demo_requested?.count).toBe(1);
  });

  it("changes nothing when it is told again, in another batch, under another event id and attempt", async () => {
    await twoContacts("again", "11", "12");
    await hubspot([merge(11, 12, 13)]);
    const before = await onePerson(contact("11"), contact("12"), contact("13"));
    const others = [
      { ...merge(11, 12, 13), eventId: 8, attemptNumber: 3 },
      { ...merge(11, 12, 13), subscriptionType: "contact.creation" },
      { ...merge(11, 14, 15), portalId: 34 },
    ];
    expect(await hubspot(others)).toEqual({ status: 202, body: tally({ duplicates: 1, skipped: 2 }) });
    await rest(100);
    const after = await onePerson(contact("11"), contact("12"), contact("13"));
    expect([after.version, after.lead, after.members]).toEqual([before.version, before.lead, before.members]);
  });

  it("leads on from a survivor of an earlier one", async () => {
    await twoContacts("chain", "21", "22");
    await hubspot([merge(21, 22, 23)]);
    await onePerson(contact("21"), contact("22"), contact("23"));
    await hubspot([merge(23, 24, 25)]);
    const { lead } = await onePerson(contact("21"), contact("22"), contact("23"), contact("24"), contact("25"));
    expect(Object.keys(lead.former).sort()).toEqual(["21", "22", "23", "24"].map((id) => `hubspot_contact_id:${id}`));
  });

  it("joins nobody when it is not HubSpot's: forged, or signed too long ago", async () => {
    await twoContacts("forged", "31", "32");
    expect((await hubspot([merge(31, 32, 33)], Date.now(), "another secret")).status).toBe(401);
    expect((await hubspot([merge(31, 32, 33)], Date.now() - 301_000)).status).toBe(401);
    await rest(100);
    const [one, other] = [await atRest(contact("31")), await atRest(contact("32"))];
    expect(one.root.name).not.toBe(other.root.name);
    expect(one.root.lead.former).toEqual({});
  });

  it("is kept for a person to see where an id is no id", async () => {
    const { body } = await hubspot([{ ...merge(41, 42, 43), mergedObjectIds: ["forty-two"] }]);
    expect(body).toEqual(tally({ quarantined: 1 }));
    await expect(personOf(acme, contact("41"))).rejects.toThrow("nobody");
  });
});

describe("two ids of one CRM in an ordinary signal", () => {
  it("do not make one person of two: that is put before somebody", async () => {
    await twoContacts("plain", "51", "52");
    await send(acme, { id: "plain-link", identifiers: [contact("51"), contact("52")], kind: "page_viewed" });
    const { root } = await eventually(
      () => personOf(acme, contact("51")),
      (seen) => seen.root.apart.length > 0,
    );
    expect(root.apart).toMatchObject([{ reason: "too_many:hubspot_contact_id", state: "open" }]);
    expect((await atRest(contact("52"))).root.name).not.toBe(root.name);
  });

  it("do so once HubSpot says that it merged them", async () => {
    await twoContacts("later", "61", "62");
    await send(acme, { id: "later-link", identifiers: [contact("61"), contact("62")], kind: "page_viewed" });
    await eventually(
      () => personOf(acme, contact("61")),
      (seen) => seen.root.apart.length > 0,
    );
    await hubspot([merge(61, 62, 61)]);
    const { lead } = await onePerson(contact("61"), contact("62"));
    expect(lead.former).toEqual({ "hubspot_contact_id:62": true });
  });
});

describe("a lead that was converted in Salesforce", () => {
  // As Salesforce spells them: 15 characters, and 18 with a checksum of their case.
  const lead: Identifier = { type: "salesforce_lead_id", value: "00Qak00000AbCdEEAV" };
  const person: Identifier = { type: "salesforce_contact_id", value: "003ak00000IiFInAAN" };
  const converted = {
    type: "lead_converted",
    lead_id: "00Qak00000AbCdE",
    contact_id: "003ak00000IiFIn",
    occurred_at: new Date(happenedAt).toISOString(),
  };

  it("and its contact are one person, told once or twice", async () => {
    await send(acme, { id: "sf-a", identifiers: [lead, email("grace@example.com")], kind: "page_viewed" });
    await send(acme, { id: "sf-b", identifiers: [person, email("grace@work.example.com")], kind: "pricing_viewed" });
    await atRest(lead);
    await atRest(person);
    expect((await salesforce(converted)).body).toEqual(tally({ accepted: 1 }));
    const before = await onePerson(lead, person, email("grace@example.com"), email("grace@work.example.com"));
    expect((await salesforce([converted])).body).toEqual(tally({ duplicates: 1 }));
    await rest(100);
    const after = await onePerson(lead, person);
    expect(after.version).toBe(before.version);
  });

  it("and merged contacts: the master's id stays, in the spelling of eighteen characters", async () => {
    const loser: Identifier = { type: "salesforce_contact_id", value: "003ak00000IiFIoAAN" };
    await send(acme, { id: "sf-c", identifiers: [loser], kind: "page_viewed" });
    const merged = {
      type: "records_merged",
      object: "Contact",
      master_record_id: "003ak00000IiFIn",
      merged_ids: ["003ak00000IiFIo"],
      occurred_at: happenedAt,
    };
    expect((await salesforce(merged)).body).toEqual(tally({ accepted: 1 }));
    const root = await onePerson(loser, person, lead);
    expect(root.lead.former).toEqual({ "salesforce_contact_id:003ak00000IiFIoAAN": true });
  });

  it("is not believed without the secret, nor with fields mixed up", async () => {
    const forged = await post(salesforceUrl, JSON.stringify(converted), { authorization: "Bearer guessed" });
    expect(forged.status).toBe(401);
    const mixed = { ...converted, lead_id: converted.contact_id, contact_id: converted.lead_id };
    expect((await salesforce(mixed)).body).toEqual(tally({ quarantined: 1 }));
  });
});
