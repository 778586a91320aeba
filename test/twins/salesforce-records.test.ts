/** `write_record` of the Salesforce connector against the twin: our own fields follow the lead, and nothing of a person's is touched (G9). */
import { beforeEach, describe, expect, it } from "vitest";
import type { CrmSession, Outcome, RecordCommand, RecordValues } from "../../connectors/contract.ts";
import { salesforce } from "../../connectors/salesforce/crm.ts";
import { sessionNow, twin } from "./salesforce-fixture.ts";

let session: CrmSession;

beforeEach(() => {
  session = sessionNow();
});

const eventAt = Date.UTC(2026, 10, 23, 9, 30, 15, 250);

const values: RecordValues = {
  baton_lead_id: { value: "lead_eve" },
  lead_score: { value: "74" },
  lead_level: { value: "task" },
  lifecycle_state: { value: "sales_ready" },
  lead_source: { value: "marketing-forms" },
  last_event_timestamp: { value: String(eventAt) },
  idempotency_key: { value: "marketing-forms:ev_1" },
  follow_up_reason: { value: "asked for a demo" },
};

const shown = {
  Baton_Lead_Id__c: "lead_eve",
  Baton_Score__c: 74,
  Baton_Level__c: "task",
  Baton_Lifecycle_State__c: "sales_ready",
  Baton_Source__c: "marketing-forms",
  Baton_Last_Event_At__c: "2026-11-23T09:30:15.250+0000",
  Baton_Last_Event_Key__c: "marketing-forms:ev_1",
  Baton_Reason__c: "asked for a demo",
};

const person = { LastName: "Example", FirstName: "Eve", Title: "Head of Sales", Description: "Met at the fair" };
const lead = () => twin.org.put("Lead", { ...person, Company: "Example", Status: "Open - Not Contacted" });
const contact = () => twin.org.put("Contact", person);

function write(personId: string, of: RecordValues = values): RecordCommand {
  return { type: "write_record", key: `fr_${personId}`, personId, values: of, at: eventAt };
}

async function run(...commands: RecordCommand[]): Promise<readonly Outcome[]> {
  twin.org.journal.clear();
  return salesforce.execute(session, commands);
}

const asked = () =>
  twin.org.entries().map(({ method, path }) => `${method} ${path.replace("/services/data/v68.0", "")}`);
const written = (personId: string, left: readonly string[] = []) => ({
  arm: "done",
  taskId: "",
  personId,
  created: false,
  left,
});

describe("a lead's and a contact's record", () => {
  it("show the canonical attributes after one read and one write for both, and keep all that people typed", async () => {
    const [one, other] = [lead(), contact()];
    expect(await run(write(one), write(other))).toEqual([written(one), written(other)]);
    for (const id of [one, other]) expect(twin.org.get(id)).toMatchObject({ ...person, ...shown });
    expect(asked()).toEqual(["POST /composite", "PATCH /composite/sobjects"]);
  });

  it.each([false, true])(
    "are written once for one set of values, whether Salesforce rewrites values (%s) or not",
    async (rewritesValues) => {
      twin.org.setFaults({ rewritesValues });
      const id = lead();
      await run(write(id));
      expect(await run(write(id))).toEqual([written(id)]);
      expect(asked()).toEqual(["POST /composite"]);
    },
  );

  it("keep what a person has typed over ours, and the outcome says so", async () => {
    const id = contact();
    await run(write(id));
    twin.org.edit(id, { Baton_Reason__c: "Knows us from the fair" });
    const next: RecordValues = {
      follow_up_reason: { value: "came back", ours: ["asked for a demo"] },
      lead_score: { value: "90", ours: ["74"] },
    };
    expect(await run(write(id, next))).toEqual([written(id, ["follow_up_reason"])]);
    expect(twin.org.get(id)).toMatchObject({ Baton_Reason__c: "Knows us from the fair", Baton_Score__c: 90 });
  });

  it("of Salesforce's own are filled in where they are empty, kept up where they are ours, and left where they are not", async () => {
    const id = lead();
    const shared = (website: string, ...ours: string[]): RecordValues => ({
      website: { value: website, ours: ["", ...ours] },
      job_title: { value: "Chief of Sales", ours: [""] },
    });
    expect(await run(write(id, shared("example.com")))).toEqual([written(id, ["job_title"])]);
    expect(twin.org.get(id)).toMatchObject({ Website: "example.com", Title: "Head of Sales" });
    await run(write(id, shared("www.example.com", "example.com")));
    expect(twin.org.get(id)?.Website).toBe("www.example.com");
    twin.org.edit(id, { Website: "eve.example.com" });
    expect(await run(write(id, shared("example.com", "www.example.com")))).toEqual([
      written(id, ["job_title", "website"]),
    ]);
    expect(twin.org.get(id)?.Website).toBe("eve.example.com");
  });

  it("that a contact does not have are left there", async () => {
    const id = contact();
    const of: RecordValues = {
      website: { value: "example.com", ours: [""] },
      phone: { value: "+4930123456", ours: [""] },
    };
    expect(await run(write(id, of))).toEqual([written(id, ["website"])]);
    expect(twin.org.get(id)?.Phone).toBe("+4930123456");
  });

  it("are emptied where nothing is to be shown any more", async () => {
    const id = contact();
    await run(write(id));
    await run(write(id, { follow_up_reason: { value: "" } }));
    expect(twin.org.get(id)).toMatchObject({ Baton_Reason__c: null, Baton_Score__c: 74 });
  });

  it("cut what is longer than the field, and are not written again for it", async () => {
    const id = contact();
    const long = { follow_up_reason: { value: "x".repeat(300) } };
    await run(write(id, long));
    expect(twin.org.get(id)?.Baton_Reason__c).toBe("x".repeat(255));
    await run(write(id, long));
    expect(asked()).toEqual(["POST /composite"]);
  });
});

describe("a record that has gone elsewhere", () => {
  it("is followed to the contact that a lead became", async () => {
    const id = lead();
    const became = twin.org.convert(id) ?? "";
    expect(await run(write(id))).toEqual([written(became)]);
    expect(twin.org.get(became)).toMatchObject(shown);
    expect(twin.org.get(id)?.Baton_Score__c ?? null).toBeNull();
  });

  it("is followed to the winner of a merge", async () => {
    const [kept, gone] = [contact(), contact()];
    twin.org.merge(kept, [gone]);
    expect(await run(write(gone))).toEqual([written(kept)]);
    expect(twin.org.get(kept)).toMatchObject(shown);
  });

  it("is refused where it was deleted, and the others of its batch are written", async () => {
    const [gone, kept] = [contact(), contact()];
    twin.org.remove(gone);
    expect(await run(write(gone), write(kept))).toEqual([{ arm: "refused", reason: "person_gone" }, written(kept)]);
  });

  it("is written once where two ids lead to it", async () => {
    const [kept, gone] = [contact(), contact()];
    twin.org.merge(kept, [gone]);
    const [first, second] = await run(write(kept), write(gone));
    expect(first).toEqual(written(kept));
    expect(second).toMatchObject({ arm: "deferred", reason: "same_record" });
  });
});

describe("an org that cannot take it", () => {
  it("with an older package gets the fields that it has", async () => {
    twin.org.setFaults({ packageMissing: "later" });
    const id = lead();
    const [outcome] = await run(write(id));
    const later = ["lead_level", "lifecycle_state", "lead_source", "last_event_timestamp", "idempotency_key"];
    expect(outcome).toMatchObject({ arm: "done", personId: id, left: expect.arrayContaining(later) });
    const { Baton_Score__c, Baton_Reason__c, Baton_Lead_Id__c } = shown;
    expect(twin.org.get(id)).toMatchObject({ Baton_Score__c, Baton_Reason__c, Baton_Lead_Id__c });
    expect(asked().length).toBeLessThanOrEqual(salesforce.cost([write(id)], "unique_property"));
  });

  it("without the package refuses, and nothing is blocked", async () => {
    twin.org.setFaults({ packageMissing: true });
    expect(await run(write(lead()))).toEqual([{ arm: "refused", reason: "package_missing" }]);
  });

  it("with a rule of its own refuses that row alone", async () => {
    const [one, other] = [contact(), contact()];
    twin.org.setFaults({ rows: [{ kind: "validation", object: "Contact", contains: "not allowed here" }] });
    const refused = write(one, { follow_up_reason: { value: "not allowed here" } });
    const [first, second] = await run(refused, write(other));
    expect(first).toMatchObject({ arm: "refused", reason: "field_custom_validation_exception" });
    expect(second).toEqual(written(other));
  });

  it("with a lock, or an answer that was lost, is asked again, and finds the values there", async () => {
    const id = contact();
    twin.org.setFaults({ rows: [{ kind: "lock", times: 1 }] });
    expect((await run(write(id)))[0]).toMatchObject({ arm: "deferred", reason: "row_locked" });
    twin.org.setFaults({ requests: [{ kind: "drop_after", method: "PATCH", times: 1 }] });
    expect((await run(write(id)))[0]).toMatchObject({ arm: "deferred", scope: "action" });
    expect(await run(write(id))).toEqual([written(id)]);
    expect(asked()).toEqual(["POST /composite"]);
  });
});
