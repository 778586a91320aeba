/** The card that a seller sees on a CRM's record: who may see it, and what it says. */
import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { handOver } from "../../src/ingest/deliver.ts";
import { accountName } from "../../src/objects/names.ts";
import { forgetConfig, workspaceById } from "../../src/workspace.ts";
import { asked, buttonOf, cardOf, hubspot, keyOf, numbered, salesforce } from "./card-fixture.ts";
import { connect, email, eventually, fresh, openWorkspace, personOf, send, type TestWorkspace } from "./fixture.ts";
import { RecordingCrm } from "./recording-crm.ts";

const org = "00D5e000001AbcdEAC";
/** Whatever account it keeps, and as whichever vendor. */
const crm = numbered(new RecordingCrm());
let acme: TestWorkspace;
let connection = "";

beforeAll(async () => {
  // HubSpot's portal ids are numbers; the fixture connects one that is called `portal`.
  // Kim answers for nothing of it, so that every follow-up is Sam's; and whatever happens is in the ledger at once.
  acme = await openWorkspace("acme", {
    crm,
    policy: (policy) => ({
      ...policy,
      tiers: { ...policy.tiers, hours: { ...policy.tiers.hours, window_ms: 0 } },
      roles: { revenue_operations: { holder: "sam@example.com", deputy: "kim@example.com" } },
    }),
  });
  await connect("acme", crm, "salesforce");
  const found = await workspaceById(env, "acme", Date.now(), () => undefined);
  if (found !== null) acme = { ...acme, ...found };
  connection = accountName("acme", "salesforce", "portal");
  await env.CONTROL.prepare("UPDATE crm_accounts SET crm_account = ? WHERE object = ?").bind(org, connection).run();
  await env.CONTROL.prepare("UPDATE crm_accounts SET record_urls = ? WHERE object = ?")
    .bind('{"person":"https://app.example.com/contacts/{person}"}', acme.account)
    .run();
});

describe("the door of HubSpot's card", () => {
  it("opens for what HubSpot signed, and says which workspace answers", async () => {
    const { status, headers } = await hubspot({ record: "1" });
    expect([status, headers.get("baton-workspace")]).toEqual([200, "acme"]);
  });

  it.each([
    ["signed with another secret", { secret: "another" }],
    ["signed for another record", { signedFor: "https://baton.example.com/card/hubspot/record?objectId=2" }],
    ["signed more than five minutes ago", { ageMs: 301_000 }],
    ["signed five minutes ahead", { ageMs: -301_000 }],
  ])("stays shut for what was %s", async (_what, forged) => {
    const { status, body } = await hubspot({ record: "1", ...forged });
    expect([status, body.code]).toEqual([401, "unproven"]);
    expect(body.detail).toBe("HubSpot's signature is missing, wrong or older than five minutes. Reload the record.");
  });

  it("stays shut without a signature", async () => {
    const answer = await exports.default.fetch(
      "https://baton.example.com/card/hubspot/record?portalId=portal&objectId=1",
    );
    expect(answer.status).toBe(401);
  });

  it("says so where the account is not connected", async () => {
    const { status, body } = await hubspot({ record: "1", portal: "4711" });
    expect([status, body.code, body.detail]).toEqual([
      404,
      "not_connected",
      "This HubSpot account is not connected to Baton.",
    ]);
  });

  it("is shut to whom HubSpot does not know as a user, and to whom the policy does not name", async () => {
    const stranger = await hubspot({ record: "1", user: "mallory@example.com" });
    expect([stranger.status, stranger.body.code]).toEqual([403, "not_a_colleague"]);
    expect(stranger.body.detail).toContain("HubSpot does not tell Baton of a user with your address");
    const policy = await openWorkspace("narrow", { crm });
    await env.CONTROL.prepare("UPDATE crm_accounts SET crm_account = '77' WHERE object = ?").bind(policy.account).run();
    const unnamed = await hubspot({ record: "1", portal: "77", user: "kim@example.com" });
    expect([unnamed.status, unnamed.body.code]).toEqual([403, "not_a_colleague"]);
    expect(unnamed.body.detail).toContain("Ask revenue operations to add you to a team");
    expect((await hubspot({ record: "1", portal: "77" })).status).toBe(200);
  });

  it("knows its users however their address is written", async () => {
    expect((await hubspot({ record: "1", user: "SAM@Example.com" })).body.viewer).toBe("sam@example.com");
  });

  it("says what it is not a card for", async () => {
    const { status, body } = await hubspot({ record: "1", object: "0-3" });
    expect([status, body.code, body.detail]).toEqual([
      422,
      "unknown_record",
      "There is a card for people and companies only.",
    ]);
  });
});

describe("the door of Salesforce's card", () => {
  const record = "00Q5e000001abcd";

  it("opens for the key of the connection, with the organisation's id in either length", async () => {
    const { card_key } = await keyOf(acme, connection);
    expect(card_key).toMatch(/^ck_[0-9a-f]{32}$/);
    for (const spelt of [org, org.slice(0, 15)])
      expect((await salesforce({ key: card_key, org: spelt, record })).body.state).toBe("empty");
  });

  it("stays shut for another key, another organisation, and without a key", async () => {
    const { card_key } = await keyOf(acme, connection);
    for (const asking of [
      { key: "ck_00000000000000000000000000000000", org, record },
      { key: card_key, org: "00D5e000001ZZZZ", record },
      { key: "", org, record },
    ]) {
      const { status, body } = await salesforce(asking);
      expect([status, body.code]).toEqual([401, "unproven"]);
      expect(body.detail).toContain("Named Credential");
    }
  });

  it("is shut to a user whom Salesforce does not know", async () => {
    const { card_key } = await keyOf(acme, connection);
    const { status, body } = await salesforce({ key: card_key, org, record, user: "mallory@example.com" });
    expect([status, body.code]).toEqual([403, "not_a_colleague"]);
  });

  it("says which record is missing, once the key is proven", async () => {
    const { card_key } = await keyOf(acme, connection);
    expect((await salesforce({ key: card_key, org, record: "" })).body.code).toBe("invalid");
    expect((await salesforce({ key: card_key, org, record: "not-an-id" })).body.code).toBe("unknown_record");
  });

  it("takes a new key when it was rotated, and the one before for a day", async () => {
    const before = await keyOf(acme, connection);
    const after = await keyOf(acme, connection, true);
    expect(after.generation).toBe(before.generation + 1);
    expect(after.card_key).not.toBe(before.card_key);
    for (const { card_key } of [before, after])
      expect((await salesforce({ key: card_key, org, record })).status).toBe(200);
    await env.CONTROL.prepare("UPDATE card_keys SET rotated_at = rotated_at - 86400001 WHERE object = ?")
      .bind(connection)
      .run();
    expect((await salesforce({ key: before.card_key, org, record })).status).toBe(401);
    expect((await salesforce({ key: after.card_key, org, record })).status).toBe(200);
  });

  it("keeps no key anywhere", async () => {
    const { card_key } = await keyOf(acme, connection);
    const rows = await env.CONTROL.prepare("SELECT * FROM card_keys").all();
    expect(JSON.stringify(rows.results)).not.toContain(card_key.slice(3));
  });

  it("has no key for HubSpot, and none for a connection of somebody else", async () => {
    await expect(keyOf(acme, acme.account)).rejects.toThrow("HubSpot signs what its card sends");
    await expect(keyOf(acme, "rival/salesforce/portal")).rejects.toThrow("404");
  });
});

describe("a record of which no tool has said anything", () => {
  it("has an empty card, and nothing is wrong", async () => {
    const { status, body } = await hubspot({ record: "31" });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      state: "empty",
      text: "No tool has said anything of this person yet.",
      viewer: "sam@example.com",
    });
  });
});

describe("a record of somebody who asked for a demo", () => {
  it("says who, why, what is promised, what happened and what can be done", async () => {
    const now = Date.now();
    const address = email("ada.101@example.com");
    const at = (minutes: number) => now - minutes * 60_000;
    for (const [index, minutes] of [90, 80, 70].entries())
      await handOver(
        env,
        acme.workspace,
        acme.facts,
        fresh(acme, {
          id: `pricing-${index}`,
          identifiers: [address],
          kind: "pricing_viewed",
          occurred_at: at(minutes),
        }),
      );
    const { lead } = await asked(acme, "101", { id: "demo-101", occurred_at: at(12), account: { name: "Analytical" } });
    const card = await cardOf("101");
    expect(card.lead).toEqual({
      lead,
      name: "Ada Lovelace",
      email: "ada.101@example.com",
      job_title: "CTO",
      record_url: "https://app.example.com/contacts/101",
      company: "Analytical",
      lifecycle_state: "sales_ready",
    });
    expect(card.why.headline).toBe("Asked for a demo 12 minutes ago and looked at the pricing three times this week.");
    expect(card.why.points.map(({ text, points }) => [text, points])).toEqual([
      ["Asked for a demo", 60],
      ["Looked at the pricing (3 times)", 18],
      ["The company is known", 10],
      ["The job title is known", 5],
    ]);
    expect(card.why.score).toEqual({ total: 93, fit: 15, intent: 78 });
    expect(card.follow_up).toMatchObject({
      title: "Call Ada Lovelace (Analytical): asked for a demo",
      state: "open",
      holder: "sam@example.com",
      priority: "high",
      sla: { state: "running" },
    });
    const told = card.timeline.map(({ what, source }) => [what, source]);
    expect(told.slice(0, 2).sort()).toEqual([
      ["Task in HubSpot: speed to lead", "baton"],
      ["Task in Salesforce: speed to lead", "baton"],
    ]);
    expect(told.slice(2)).toEqual([
      ["Follow-up “speed to lead” for sam@example.com: asked for a demo", "baton"],
      ["Asked for a demo", "forms"],
      ["Looked at the pricing", "forms"],
      ["Looked at the pricing", "forms"],
      ["Looked at the pricing", "forms"],
    ]);
    expect(card.earlier).toBe(0);
    expect(card.buttons.filter(({ possible }) => possible).map(({ choice }) => choice)).toEqual([
      "reached",
      "no_answer",
      "replied",
      "converted",
      "snooze",
      "not_a_fit",
      "wrong_person",
      "hand_over",
    ]);
    expect(buttonOf(card, "claim")?.why_not).toBe("It is yours already.");
    expect(card.colleagues).toEqual([{ email: "kim@example.com", name: "Kim" }]);
    expect(card.links).toEqual([]);
    expect(card.viewer).toBe("sam@example.com");
  });

  it("is reached by Salesforce's record of the same person", async () => {
    const address = "ada.00Q5e000001aaaa@example.com";
    await send(acme, {
      id: "demo-sf",
      identifiers: [email(address)],
      kind: "demo_requested",
      traits: { email: address },
    });
    await eventually(
      () => personOf(acme, email(address)),
      ({ root }) => root.members.length > 0 && root.links.length === 0,
    );
    const { card_key } = await keyOf(acme, connection);
    const { body } = await salesforce({ key: card_key, org, record: "00Q5e000001aaaaEAA" });
    expect([body.state, body.lead.email]).toEqual(["ready", address]);
    expect(body.timeline.map(({ what }: { what: string }) => what)).toContain("Task in Salesforce: speed to lead");
  });
});

describe("a company's record", () => {
  it("shows the person with the open follow-up, and the others there beside them", async () => {
    const at = (name: string) => email(`${name}@globex.example.com`);
    await send(acme, { id: "gx-1", identifiers: [at("one")], kind: "pricing_viewed" });
    await send(acme, { id: "gx-2", identifiers: [at("two.601")], kind: "demo_requested" });
    await eventually(
      () => hubspot({ record: "900", object: "0-2", more: { domain: "https://www.globex.example.com/about" } }),
      ({ body }) => body.state === "ready" && body.follow_up !== null && body.related.length === 1,
    );
    const { body } = await hubspot({ record: "900", object: "0-2", more: { domain: "globex.example.com" } });
    expect(body.lead.email).toBe("two.601@globex.example.com");
    expect(
      body.related.map((item: { email: string; open_follow_up: boolean }) => [item.email, item.open_follow_up]),
    ).toEqual([["one@globex.example.com", false]]);
    const mine = await hubspot({ record: "601" });
    expect(mine.body.related.map((item: { email: string }) => item.email)).toEqual(["one@globex.example.com"]);
  });

  it("is known by its name alone, whatever stands in that", async () => {
    const name = "Müller & Söhne (Berlin) + Co";
    const identifiers = [email("eva@soehne.example.com")];
    await send(acme, { id: "ms-1", identifiers, kind: "demo_requested", traits: { company: name }, account: { name } });
    const shown = await eventually(
      () => hubspot({ record: "902", object: "0-2", more: { name } }),
      ({ body }) => body.state === "ready",
    );
    expect(shown.body.lead.email).toBe("eva@soehne.example.com");
    const both = await hubspot({ record: "902", object: "0-2", more: { domain: "soehne.example.com", name } });
    expect(both.body.lead.email).toBe("eva@soehne.example.com");
  });

  it("says why it is empty where the record tells no domain, and where nobody is known there", async () => {
    const bare = await hubspot({ record: "901", object: "0-2" });
    expect(bare.body.text).toBe("Baton knows companies by their web domain, and this record has none.");
    const unknown = await hubspot({ record: "901", object: "0-2", more: { domain: "nobody.example.com" } });
    expect(unknown.body.text).toBe("No tool has said anything of anybody at this company yet.");
  });
});

describe("one portal that two workspaces are connected to", () => {
  it("is answered by the one that knows the record, else by the latest connected", async () => {
    const [one, two] = [await openWorkspace("portal-one", { crm }), await openWorkspace("portal-two", { crm })];
    for (const [index, { account }] of [one, two].entries())
      await env.CONTROL.prepare("UPDATE crm_accounts SET crm_account = '88', connected_at = ? WHERE object = ?")
        .bind(index + 1, account)
        .run();
    forgetConfig(env);
    await asked(one, "701");
    const known = await hubspot({ record: "701", portal: "88" });
    expect([known.headers.get("baton-workspace"), known.body.state]).toEqual(["portal-one", "ready"]);
    const unknown = await hubspot({ record: "702", portal: "88" });
    expect([unknown.headers.get("baton-workspace"), unknown.body.state]).toEqual(["portal-two", "empty"]);
  });
});
