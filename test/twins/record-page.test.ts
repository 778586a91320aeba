/** The record pages of both twins: what the CRM knows, and Baton's card as a seller sees it and presses its buttons. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyV3 } from "../../connectors/hubspot/signature.ts";
import { type HubspotTwin, startHubspotTwin } from "../../connectors/hubspot/twin/server.ts";
import { type SalesforceTwin, startSalesforceTwin } from "../../connectors/salesforce/twin/server.ts";
import type { Card, Press, Pressed } from "../../src/card/document.ts";

const at = "2026-11-23T09:00:00.000Z";
const card: Card = {
  state: "ready",
  lead: {
    lead: "acme/1",
    name: "Ada <Lovelace>",
    email: "ada@example.com",
    job_title: null,
    record_url: null,
    company: "Northwind",
    lifecycle_state: "sales_ready",
  },
  why: {
    headline: "Asked for a demo 5 minutes ago.",
    score: { total: 60, fit: 10, intent: 50 },
    level: "task",
    points: [{ text: "asked for a demo", points: 60, at }],
  },
  follow_up: {
    id: "fu_1",
    title: "speed to lead",
    state: "open",
    holder: "ben@example.com",
    priority: "high",
    due_at: at,
    sla: { state: "running", due_at: at, left_ms: 600_000 },
    reasons: ["asked for a demo"],
  },
  timeline: [{ id: "s1", at, what: "asked for a demo", source: "website" }],
  earlier: 0,
  duplicates: [],
  related: [],
  buttons: [
    { choice: "reached", label: "Reached", needs: "nothing", possible: true, why_not: null },
    { choice: "snooze", label: "Snooze", needs: "until", possible: true, why_not: null },
    { choice: "claim", label: "Claim", needs: "nothing", possible: false, why_not: "It is yours already." },
  ],
  colleagues: [],
  links: [],
  viewer: "ben@example.com",
  made_at: at,
};

interface Heard {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Baton's door, as far as a page sees it. */
let door: Server;
let doorUrl: string;
let heard: Heard[] = [];
let hubspot: HubspotTwin;
let salesforce: SalesforceTwin;
let contact: string;
let lead: string;

beforeAll(async () => {
  door = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const url = new URL(request.url ?? "/", doorUrl);
    heard.push({ method: request.method ?? "", url, body, headers: request.headers });
    const viewer = url.searchParams.get("userEmail") ?? url.searchParams.get("user");
    const refusal = { title: "Forbidden", status: 403, code: "not_a_colleague", detail: "You are no seller here." };
    const pressed: Pressed = { status: "ok", text: "Noted: reached.", card };
    response.writeHead(viewer === "ben@example.com" ? 200 : 403, { "content-type": "application/json" });
    response.end(JSON.stringify(viewer !== "ben@example.com" ? refusal : request.method === "POST" ? pressed : card));
  });
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
  doorUrl = `http://127.0.0.1:${(door.address() as AddressInfo).port}`;
  hubspot = await startHubspotTwin({ cardUrl: `${doorUrl}/card/hubspot` });
  salesforce = await startSalesforceTwin();
  const made = await fetch(`${hubspot.url}/admin/contact`, {
    method: "POST",
    body: JSON.stringify({ email: "ada@example.com", firstname: "Ada" }),
  });
  contact = ((await made.json()) as { id: string }).id;
  lead = salesforce.org.put("Lead", { LastName: "Lovelace", Company: "Northwind", Email: "ada@example.com" });
});

afterAll(async () => {
  await hubspot.close();
  await salesforce.close();
  await new Promise((resolve) => door.close(resolve));
});

const contactUrl = (viewer: string) =>
  `${hubspot.url}/contacts/${hubspot.account.portalId}/record/0-1/${contact}?viewer=${viewer}`;
const leadUrl = (viewer: string) => `${salesforce.url}/${lead}?viewer=${viewer}`;
const read = async (url: string): Promise<string> => (await fetch(url)).text();
const pressForm = (fields: Readonly<Record<string, string>>) => ({
  method: "POST",
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body: String(new URLSearchParams({ viewer: "ben@example.com", request: "press-0001", lead: "acme/1", ...fields })),
});

describe("a contact's page in HubSpot", () => {
  it("asks for the card with HubSpot's signature over record, user and account", async () => {
    heard = [];
    const page = await read(contactUrl("ben@example.com"));
    expect(page).toContain("Asked for a demo 5 minutes ago.");
    expect(heard.length).toBe(1);
    const { url, headers, method } = heard[0] as Heard;
    expect(Object.fromEntries(url.searchParams)).toEqual({
      objectTypeId: "0-1",
      objectId: contact,
      userId: "2",
      portalId: String(hubspot.account.portalId),
      userEmail: "ben@example.com",
      appId: "77",
    });
    const timestamp = String(headers["x-hubspot-request-timestamp"]);
    const signature = String(headers["x-hubspot-signature-v3"]);
    const signed = { method, uri: url.toString(), body: "", timestamp, signature };
    expect(verifyV3([hubspot.account.clientSecret], signed, Date.now()).ok).toBe(true);
  });

  it("escapes what a person is called", async () => {
    expect(await read(contactUrl("ben@example.com"))).not.toContain("Ada <Lovelace>");
  });

  it("sends what a button says, and shows what was done", async () => {
    heard = [];
    const answer = await fetch(
      contactUrl("ben@example.com"),
      pressForm({ follow_up: "fu_1", choice: "snooze", until: "2026-11-24T09:30" }),
    );
    expect(await answer.text()).toContain("Noted: reached.");
    const press: Press = {
      request: "press-0001",
      lead: "acme/1",
      follow_up: "fu_1",
      choice: "snooze",
      until: "2026-11-24T09:30:00.000Z",
    };
    expect(JSON.parse(heard[0]?.body ?? "")).toEqual(press);
  });

  it("does not send a form that says nothing Baton knows", async () => {
    heard = [];
    const answer = await fetch(contactUrl("ben@example.com"), pressForm({ choice: "shout" }));
    expect(await answer.text()).toContain("Something is missing in this form.");
    expect(heard).toEqual([]);
  });

  it("shows why somebody may not see it", async () => {
    expect(await read(contactUrl("cyd@example.com"))).toContain("You are no seller here.");
  });

  it("offers no button that is not possible", async () => {
    const page = await read(contactUrl("ben@example.com"));
    expect(page).toMatch(/<button disabled title="It is yours already.">Claim<\/button>/);
  });
});

describe("a lead's page in Salesforce", () => {
  it("has no card until it is told where Baton is", async () => {
    expect(await read(leadUrl("ben@example.com"))).toContain("This stand-in runs alone");
  });

  it("asks for the card with the key of the connection, and names organisation, user and record", async () => {
    salesforce.showCard({ url: `${doorUrl}/card/salesforce`, key: "key-of-the-card" });
    heard = [];
    expect(await read(leadUrl("ben@example.com"))).toContain("Asked for a demo 5 minutes ago.");
    expect(heard[0]?.headers.authorization).toBe("Bearer key-of-the-card");
    expect(Object.fromEntries(heard[0]?.url.searchParams ?? [])).toEqual({
      org: salesforce.org.organizationId,
      user: "ben@example.com",
      object: "Lead",
      record: lead,
    });
  });

  it("sends what a button says", async () => {
    heard = [];
    const pressed = await fetch(leadUrl("ben@example.com"), pressForm({ follow_up: "fu_1", choice: "reached" }));
    expect(await pressed.text()).toContain("Noted: reached.");
    expect(heard.map(({ method }) => method)).toEqual(["POST"]);
  });

  it("is not there for somebody who is not", async () => {
    expect((await fetch(`${salesforce.url}/00Q000000000000AAA`)).status).toBe(404);
  });
});
