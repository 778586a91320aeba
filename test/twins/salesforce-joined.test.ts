/** What became of leads and contacts, read from the Salesforce twin: conversions and merges as the signals that the package's outbox sends. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CrmSession, Send, SignalDraft } from "../../connectors/contract.ts";
import { salesforce } from "../../connectors/salesforce/crm.ts";
import { translate } from "../../connectors/salesforce/emitter/translate.ts";
import { type SalesforceTwin, startSalesforceTwin } from "../../connectors/salesforce/twin/server.ts";

let twin: SalesforceTwin;
let session: CrmSession;
let now = Date.UTC(2026, 10, 23, 9);
const send: Send = (request) => fetch(request);

beforeAll(async () => {
  twin = await startSalesforceTwin({ now: () => now });
});

beforeEach(() => {
  now = Date.UTC(2026, 10, 23, 9);
  session = { accessToken: twin.org.grant().accessToken, apiUrl: twin.url, world: "unique_property", send };
});

afterEach(() => {
  expect(twin.org.state(true).violations.first).toEqual([]);
  twin.org.reset();
});

afterAll(() => twin.close());

const lead = () => twin.org.put("Lead", { LastName: "Example", Company: "Example", Status: "Open - Not Contacted" });
const contact = () => twin.org.put("Contact", { LastName: "Example" });

async function joined(
  since: number,
): Promise<{ readonly drafts: readonly SignalDraft[]; readonly through: number | null }> {
  twin.org.journal.clear();
  const found = await salesforce.joined?.(session, since);
  if (found?.ok !== true) throw new Error(`not read: ${found?.failure.arm}`);
  return found.value;
}

const aMinuteAgo = () => now - 60_000;

describe("a look at what became one", () => {
  it("tells a conversion as the package does, in two requests: one may ask five questions", async () => {
    const id = lead();
    const became = twin.org.convert(id) ?? "";
    const { drafts, through } = await joined(aMinuteAgo());
    expect(drafts).toEqual([
      {
        id: expect.stringMatching(/^converted:/),
        kind: "crm_lead_converted",
        occurredAt: now,
        identifiers: [
          { type: "salesforce_contact_id", value: became },
          { type: "salesforce_lead_id", value: id },
        ],
        properties: { event: "lead_converted" },
      },
    ]);
    expect(through).toBeNull();
    expect(twin.org.entries().map(({ method }) => method)).toEqual(["POST", "POST"]);
    const body = { type: "lead_converted", lead_id: id, contact_id: became, occurred_at: now };
    const url = "https://in.example.com/in/key";
    const delivery = {
      method: "POST",
      url,
      headers: {},
      body: new TextEncoder().encode(JSON.stringify(body)),
      receivedAt: now,
    };
    const told = translate(delivery, {});
    const { id: _ofItsOwn, ...same } = (told.ok ? told.value.drafts[0] : undefined) ?? ({} as SignalDraft);
    expect(drafts[0]).toMatchObject(same);
  });

  it("tells a merge of leads and of contacts, each record that went with the one that stays", async () => {
    const [kept, one, other] = [contact(), contact(), contact()];
    const [keptLead, goneLead] = [lead(), lead()];
    twin.org.merge(kept, [one, other]);
    twin.org.merge(keptLead, [goneLead]);
    const { drafts } = await joined(aMinuteAgo());
    expect(drafts.map(({ kind }) => kind)).toEqual(Array(3).fill("crm_records_merged"));
    expect(
      drafts.map(({ identifiers, properties }) => [identifiers.map(({ value }) => value), properties?.survivor]),
    ).toEqual([
      [[keptLead, goneLead], keptLead],
      [[kept, one], kept],
      [[kept, other], kept],
    ]);
  });

  it("says nothing of records that were only deleted, edited or made, nor of what happened before", async () => {
    const [gone, edited] = [contact(), lead()];
    const early = lead();
    twin.org.convert(early);
    now += 3_600_000;
    twin.org.remove(gone);
    twin.org.edit(edited, { Title: "CTO" });
    expect((await joined(aMinuteAgo())).drafts).toEqual([]);
  });

  it("tells the same fact under the same id, however often and whenever it is read", async () => {
    const id = lead();
    const became = twin.org.convert(id) ?? "";
    const first = await joined(aMinuteAgo());
    now += 3_600_000;
    twin.org.edit(id, { Description: "touched again" });
    const again = await joined(aMinuteAgo());
    expect(again.drafts.map((draft) => draft.id)).toEqual(first.drafts.map((draft) => draft.id));
    expect(again.drafts[0]?.identifiers[0]?.value).toBe(became);
  });

  it("takes 500 of each at a time, and says up to when everything is told", async () => {
    for (let count = 0; count < 501; count++) {
      now += 1_000;
      twin.org.convert(lead());
    }
    const start = now - 600_000;
    const first = await joined(start);
    expect(first.drafts).toHaveLength(500);
    expect(first.through).toBe(now - 1_000);
    const rest = await joined(first.through ?? 0);
    expect(rest).toMatchObject({ through: null });
    expect(rest.drafts).toHaveLength(1);
  });

  it("that fails tells nothing, and never that there was nothing", async () => {
    twin.org.convert(lead());
    twin.org.setFaults({ requests: [{ kind: "html_503", times: 1 }] });
    expect(await salesforce.joined?.(session, aMinuteAgo())).toMatchObject({ ok: false, failure: { arm: "deferred" } });
    twin.org.setFaults({ requests: [{ kind: "expire", times: 1 }] });
    expect(await salesforce.joined?.(session, aMinuteAgo())).toMatchObject({ ok: false, failure: { arm: "expired" } });
  });
});

describe("a record that somebody deletes", () => {
  const marked = (object: "Lead" | "Contact") =>
    twin.org.put(object, {
      LastName: "Example",
      Baton_Lead_Id__c: "acme/1",
      ...(object === "Lead" ? { Company: "Example" } : {}),
    });

  it("is a signal that forbids follow-ups, once a deletion, where it is one of ours and no merge's loser", async () => {
    const [id, other, loser] = [marked("Lead"), marked("Contact"), marked("Lead")];
    const winner = marked("Lead");
    twin.org.remove(id);
    twin.org.remove(other);
    twin.org.merge(winner, [loser]);
    twin.org.remove(lead());
    const { drafts } = await joined(aMinuteAgo());
    const gone = drafts.filter(({ kind }) => kind === "customer_deleted");
    expect(gone).toEqual([
      {
        id: expect.stringMatching(/^deleted:/),
        kind: "customer_deleted",
        occurredAt: now,
        identifiers: [{ type: "salesforce_lead_id", value: id }],
        consent: { follow_up: false },
        properties: { event: "record_deleted", object: "Lead" },
      },
      expect.objectContaining({ identifiers: [{ type: "salesforce_contact_id", value: other }] }),
    ]);
    expect(drafts.map(({ kind }) => kind).sort()).toEqual([
      "crm_records_merged",
      "customer_deleted",
      "customer_deleted",
    ]);
    expect(await joined(aMinuteAgo())).toEqual({ drafts, through: null });
  });

  it("and is restored and deleted again is another one", async () => {
    const id = marked("Lead");
    twin.org.remove(id);
    const first = (await joined(aMinuteAgo())).drafts[0]?.id;
    twin.org.undelete(id);
    expect((await joined(aMinuteAgo())).drafts).toEqual([]);
    now += 5_000;
    twin.org.remove(id);
    expect((await joined(aMinuteAgo())).drafts[0]?.id).not.toBe(first);
  });
});

describe("what somebody types into a record", () => {
  const marked = () =>
    twin.org.put("Lead", { LastName: "Example", Company: "Example", Baton_Lead_Id__c: "acme/1", Phone: "+49 30 1" });
  const us = () => ({ ...session, crmUser: twin.org.integrationUserId });
  const edits = async (by: CrmSession, since = aMinuteAgo()) => {
    session = by;
    return (await joined(since)).drafts;
  };

  it("is a signal for each field, with its value and the time and author of the edit", async () => {
    const id = marked();
    now += 1_000;
    twin.org.edit(id, { Website: "theirs.example.com", Title: "CTO", Status: "Working - Contacted" });
    const drafts = await edits(us());
    expect(drafts.map(({ traits }) => traits)).toEqual([{ job_title: "CTO" }, { website: "theirs.example.com" }]);
    expect(drafts[1]).toEqual({
      id: expect.stringMatching(/^edited:/),
      kind: "identified",
      occurredAt: now,
      identifiers: [{ type: "salesforce_lead_id", value: id }],
      traits: { website: "theirs.example.com" },
      properties: {
        event: "field_changed",
        object: "Lead",
        field: "Website",
        changed_by: expect.stringMatching(/^005/),
      },
    });
    expect(twin.org.entries()).toHaveLength(2);
    expect(await edits(us())).toEqual(drafts);
    expect(await edits(us(), now)).toEqual([]);
  });

  it("is heard of contacts too, and an address is one that they can be found by", async () => {
    const id = twin.org.put("Contact", { LastName: "Example", Baton_Lead_Id__c: "acme/1" });
    twin.org.edit(id, { Email: "kim@example.com" });
    const [draft] = await edits(us());
    expect(draft?.traits).toEqual({ email: "kim@example.com" });
    expect(draft?.identifiers).toEqual([
      { type: "salesforce_contact_id", value: id },
      { type: "email", value: "kim@example.com" },
    ]);
  });

  it("is nothing where we wrote it, where it was emptied, or where the record is none of ours", async () => {
    const id = marked();
    twin.org.records.edit(id, { Website: "ours.example.com" }, twin.org.arrive());
    twin.org.edit(id, { Phone: null });
    twin.org.edit(lead(), { Website: "theirs.example.com" });
    expect(await edits(us())).toEqual([]);
  });

  it("is nothing where the org keeps no history of the field, has no package, or does not say who we are", async () => {
    const id = marked();
    twin.org.setFaults({ trackedFields: ["Title"] });
    twin.org.edit(id, { Website: "theirs.example.com" });
    expect(await edits(us())).toEqual([]);
    twin.org.edit(id, { Title: "CTO" });
    twin.org.setFaults({ packageMissing: true });
    twin.org.convert(lead());
    expect((await edits(us())).map(({ kind }) => kind)).toEqual(["crm_lead_converted"]);
    twin.org.setFaults({ packageMissing: false });
    const { crmUser: _nobody, ...nameless } = us();
    expect((await edits(nameless)).map(({ kind }) => kind)).toEqual(["crm_lead_converted"]);
    expect((await edits(us())).map(({ kind }) => kind)).toEqual(["crm_lead_converted", "identified"]);
  });

  it("is read in parts where there is more than one look takes", async () => {
    const id = marked();
    const start = now;
    for (let edit = 0; edit < 501; edit++) {
      now += 1_000;
      twin.org.edit(id, { Website: `w${edit}.example.com` });
    }
    session = us();
    const first = await joined(start);
    expect(first.drafts).toHaveLength(500);
    expect(first.through).toBe(start + 500_000);
    expect((await joined(start + 500_000)).drafts.map(({ traits }) => traits?.website)).toEqual(["w500.example.com"]);
  });
});
