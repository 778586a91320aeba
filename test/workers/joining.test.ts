/** Records that became one in Salesforce, where its package tells nothing: looked for, heard at once when it says so, once each. */
import { abortAllDurableObjects, runDurableObjectAlarm } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { JoinedRecords, SignalDraft } from "../../connectors/contract.ts";
import { crms } from "../../connectors/index.ts";
import { envelope, isAcknowledged } from "../../connectors/salesforce/twin/outbound.ts";
import type { Policy } from "../../src/decide/policy.ts";
import { fail, ok, type Result } from "../../src/failure.ts";
import type { Identifier } from "../../src/model.ts";
import { accountName, accountStub } from "../../src/objects/names.ts";
import { forgetConfig } from "../../src/workspace.ts";
import { api, eventually, letPass, openWorkspace, personOf, send, type TestWorkspace } from "./fixture.ts";
import { grant, RecordingCrm } from "./recording-crm.ts";

afterEach(() => {
  vi.useRealTimers();
});

const organization = "00D5g000004XyzAEAS";
const lead: Identifier = { type: "salesforce_lead_id", value: "00Qak00000AbCdEEAV" };
const contact: Identifier = { type: "salesforce_contact_id", value: "003ak00000IiFInAAN" };
const minute = 60_000;

function converted(occurredAt: number): SignalDraft {
  return {
    id: "converted:1",
    kind: "crm_lead_converted",
    occurredAt,
    identifiers: [contact, lead],
    properties: { event: "lead_converted" },
  };
}

/** Somebody has typed it into the lead. */
function typed(id: string, website: string): SignalDraft {
  return {
    id: `edited:${id}`,
    kind: "identified",
    occurredAt: Date.now() - minute,
    identifiers: [lead],
    traits: { website },
    properties: { event: "field_changed" },
  };
}

/** Salesforce, and what it has to tell. */
class Org extends RecordingCrm {
  readonly asked: number[] = [];
  tells: JoinedRecords = { drafts: [], through: null };
  fails = 0;

  async joined(_session: unknown, since: number): Promise<Result<JoinedRecords, { arm: "unknown"; reason: string }>> {
    this.asked.push(since);
    if (this.fails-- > 0) return fail({ arm: "unknown", reason: "timeout" });
    return ok(this.tells);
  }
}

async function open(id: string, setting: Parameters<typeof openWorkspace>[1] = {}) {
  const of = await openWorkspace(id, setting);
  const crm = new Org();
  crm.keeps.add(`https://${id}.example.com`);
  Object.assign(crms, { salesforce: crm });
  const account = accountName(id, "salesforce", organization);
  await accountStub(env, account).attach({
    name: account,
    workspace: id,
    crm: "salesforce",
    grant: { ...grant, apiUrl: `https://${id}.example.com`, crmAccount: organization },
  });
  await env.CONTROL.prepare("INSERT INTO crm_accounts VALUES (?, ?, 'salesforce', ?, 'connected', ?, '{}', 0)")
    .bind(account, id, organization, crm.world)
    .run();
  const emitter = await api<{ key: string }>("POST", "/v1/emitters", of.apiKey, {
    name: "salesforce",
    vendor: "salesforce",
    owner: "crm@example.com",
    secrets: ["0123456789abcdef0123456789abcdef"],
  });
  forgetConfig(env);
  await looked(crm, 1);
  return { of, crm, account, door: `https://baton.example.com/in/${emitter.key}/outbound-message` };
}

const looked = (crm: Org, times: number) =>
  eventually(
    () => crm.asked.length,
    (count) => count >= times,
  );

/** The next look is due. */
async function look(account: string): Promise<void> {
  letPass(6 * minute);
  await runDurableObjectAlarm(accountStub(env, account));
}

function tell(door: string, xml = envelope(organization, [{ id: "04l1", object: "Lead", record: lead.value }])) {
  return exports.default.fetch(door, { method: "POST", headers: { "content-type": "text/xml" }, body: xml });
}

/** Two who are one for Salesforce, and whom nothing else joins. */
async function twoPeople(of: TestWorkspace): Promise<void> {
  await send(of, { id: "l", kind: "form_submitted", identifiers: [lead] });
  await send(of, { id: "c", kind: "form_submitted", identifiers: [contact] });
  expect((await personOf(of, lead)).root.name).not.toBe((await personOf(of, contact)).root.name);
}

const become = (of: TestWorkspace) =>
  eventually(
    async () => [(await personOf(of, lead)).root.name, (await personOf(of, contact)).root.name],
    ([one, other]) => one === other,
  );

describe("an org that is looked at", () => {
  it("is read when it is connected, and a conversion that is found makes one person of two", async () => {
    const { of, crm, account } = await open("looked-at");
    await twoPeople(of);
    crm.tells = { drafts: [converted(Date.now() - minute)], through: null };
    await look(account);
    await become(of);
    const { log } = await personOf(of, lead);
    const told = log.find(({ signal }) => signal.kind === "crm_lead_converted");
    expect(told?.signal).toMatchObject({ emitter: "salesforce", idempotency_key: "salesforce:converted:1" });
  });

  it("tells the same fact once, though its windows overlap and its clock says otherwise the second time", async () => {
    const { of, crm, account } = await open("overlap");
    crm.tells = { drafts: [converted(Date.now() - minute)], through: null };
    await look(account);
    crm.tells = { drafts: [converted(Date.now())], through: null };
    await look(account);
    await looked(crm, 3);
    const { log } = await personOf(of, contact);
    expect(log.filter(({ signal }) => signal.kind === "crm_lead_converted")).toHaveLength(1);
    expect(crm.asked[2]).toBeGreaterThan(crm.asked[1] ?? 0);
  });

  it("tells what was typed into a record: from then on it is the person's, by Salesforce's word", async () => {
    const { of, crm, account } = await open("typed");
    await send(of, { id: "l", kind: "form_submitted", identifiers: [lead], traits: { website: "form.example.com" } });
    letPass(2 * minute);
    crm.tells = { drafts: [typed("1", "theirs.example.com")], through: null };
    await look(account);
    await look(account);
    const { root, log } = await personOf(of, lead);
    expect(root.lead.fields.website).toMatchObject({
      value: "theirs.example.com",
      source: "salesforce",
      crm: "salesforce",
    });
    expect(log.filter(({ signal }) => signal.kind === "identified")).toHaveLength(1);
  });

  it("tells of a field that the policy lets others write too: it is kept with the signal, not taken, and reported", async () => {
    const policy = (known: Policy): Policy => {
      const website = known.fields.website;
      if (website === undefined) throw new Error("no such field");
      return { ...known, fields: { ...known.fields, website: { ...website, writers: ["engine", "forms"] } } };
    };
    const { of, crm, account } = await open("typed-foreign", { policy });
    crm.tells = { drafts: [typed("1", "theirs.example.com")], through: null };
    await look(account);
    const { root, log } = await personOf(of, lead);
    expect(root.lead.fields).not.toHaveProperty("website");
    expect(log[0]?.signal.properties).toMatchObject({ not_taken: { website: "theirs.example.com" } });
    const rows = await eventually(
      async () =>
        (
          await env.LEDGER_0.prepare("SELECT document FROM exceptions WHERE workspace = ? AND reason = 'field_report'")
            .bind(of.id)
            .all<{ document: string }>()
        ).results,
      ({ length }) => length === 1,
    );
    expect(JSON.parse(rows[0]?.document ?? "")).toMatchObject({ emitter: "salesforce", cause: "website" });
  });

  it("is read again from the same instant after a look that failed, and from where it was after a crash", async () => {
    const { of, crm, account } = await open("failing");
    crm.tells = { drafts: [converted(Date.now() - minute)], through: null };
    crm.fails = 1;
    await look(account);
    await look(account);
    await looked(crm, 3);
    expect(crm.asked[2]).toBe(crm.asked[1]);
    expect((await personOf(of, contact)).root.lead.kinds).toHaveProperty("crm_lead_converted");
    await abortAllDurableObjects();
    await look(account);
    await looked(crm, 4);
    expect(crm.asked[3]).toBeGreaterThan(crm.asked[2] ?? 0);
  });

  it("that has more to tell than one look takes is read on from there", async () => {
    const { crm, account } = await open("more");
    const through = Date.now() - minute;
    crm.tells = { drafts: [converted(through)], through };
    await look(account);
    crm.tells = { drafts: [], through: null };
    await look(account);
    await looked(crm, 3);
    expect(crm.asked[2]).toBe(through);
  });
});

describe("an Outbound Message", () => {
  it("is acknowledged, and makes its organisation be looked at at once; nothing else of it is believed", async () => {
    const { of, crm, account, door } = await open("outbound");
    await twoPeople(of);
    crm.tells = { drafts: [converted(Date.now() - minute)], through: null };
    letPass(minute);
    const answer = await tell(door);
    expect(answer.headers.get("content-type")).toContain("text/xml");
    expect(await isAcknowledged(answer)).toBe(true);
    await runDurableObjectAlarm(accountStub(env, account));
    await become(of);
    expect(crm.asked).toHaveLength(2);
  });

  it("that comes again and again is acknowledged each time, and looked at once", async () => {
    const { crm, account, door } = await open("again");
    letPass(minute);
    for (let times = 0; times < 3; times++) expect(await isAcknowledged(await tell(door))).toBe(true);
    await runDurableObjectAlarm(accountStub(env, account));
    expect(await isAcknowledged(await tell(door))).toBe(true);
    await runDurableObjectAlarm(accountStub(env, account));
    expect(crm.asked).toHaveLength(2);
  });

  it("of another organisation, under a wrong key, or at the key of another tool is refused, and nobody is looked at", async () => {
    const { of, crm, door } = await open("forged");
    const foreign = envelope("00D5g000009ZzzzEAC", [{ id: "04l1", object: "Lead", record: lead.value }]);
    expect((await tell(door, foreign)).status).toBe(401);
    expect((await tell(door.replace("/in/", "/in/x"))).status).toBe(401);
    const other = await api<{ key: string }>("POST", "/v1/emitters", of.apiKey, {
      name: "forms",
      vendor: "typeform",
      owner: "crm@example.com",
      secrets: ["0123456789abcdef0123456789abcdef"],
    });
    expect((await tell(`https://baton.example.com/in/${other.key}/outbound-message`)).status).toBe(401);
    expect(crm.asked).toHaveLength(1);
  });

  it("that is none is refused with a reason, and not acknowledged", async () => {
    const { door } = await open("broken");
    const answer = await tell(door, "<html>down for maintenance</html>");
    expect(answer.status).toBe(400);
    expect(await answer.clone().json()).toMatchObject({ code: "not_an_outbound_message" });
    expect(await isAcknowledged(answer)).toBe(false);
  });
});
