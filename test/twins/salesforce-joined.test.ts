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
  it("tells a conversion as the package does, in one request", async () => {
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
    expect(twin.org.entries().map(({ method }) => method)).toEqual(["POST"]);
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
