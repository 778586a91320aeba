/** `write_record` by the real HubSpot client against the twin: our own properties follow the lead, and nothing of a person's is touched (G9). */
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { CrmSession, RecordCommand, RecordValues } from "../../connectors/contract.ts";
import { hubspot } from "../../connectors/hubspot/crm.ts";
import { ownProperties } from "../../connectors/hubspot/record-properties.ts";
import { recordPropertiesCount } from "../../connectors/hubspot/requests.ts";
import { startHubspotTwin } from "../../connectors/hubspot/twin/server.ts";
import { admin, one, requests, reset, send, sessionIn, twin } from "./hubspot-fixture.ts";

beforeEach(reset);
afterAll(() => twin.close());

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
  baton_lead_id: "lead_eve",
  baton_score: "74",
  baton_level: "task",
  baton_lifecycle_state: "sales_ready",
  baton_source: "marketing-forms",
  baton_last_event_at: String(eventAt),
  baton_last_event_key: "marketing-forms:ev_1",
  baton_reason: "asked for a demo",
};

function write(personId: string, of: RecordValues = values): RecordCommand {
  return { type: "write_record", key: `fr_${personId}`, personId, values: of, at: eventAt };
}

async function contact(name = "eve"): Promise<string> {
  const made = await admin("contact", { email: `${name}@example.com`, firstname: "Eve", jobtitle: "Head of Sales" });
  return String(made.id);
}

const propertiesOf = (id: string) => twin.state().contacts.find((one) => one.id === id)?.properties ?? {};
const paths = () => requests.map((request) => `${request.method} ${new URL(request.url).pathname}`);
const written = (personId: string, left: readonly string[] = []) => ({
  arm: "done",
  taskId: "",
  personId,
  created: false,
  left,
});

describe("a contact's record", () => {
  it("shows the canonical attributes after one read and one write, and keeps all that people typed", async () => {
    const session = await sessionIn("unique_property");
    const id = await contact();
    expect(await one(session, write(id))).toEqual(written(id));
    expect(propertiesOf(id)).toMatchObject({ ...shown, firstname: "Eve", jobtitle: "Head of Sales" });
    expect(paths()).toEqual([
      "POST /crm/objects/2026-09/contacts/batch/read",
      "POST /crm/objects/2026-09/contacts/batch/update",
    ]);
    expect(Object.keys(await sentProperties(1)).sort()).toEqual(Object.keys(shown).sort());
  });

  it.each([false, true])(
    "is written once for one set of values, whether HubSpot rewrites instants (%s) or not",
    async (rewritesTasks) => {
      const session = await sessionIn("unique_property", { rewritesTasks });
      const id = await contact();
      await one(session, write(id));
      requests.length = 0;
      expect(await one(session, write(id))).toEqual(written(id));
      expect(paths()).toEqual(["POST /crm/objects/2026-09/contacts/batch/read"]);
    },
  );

  it("gets only what is new written", async () => {
    const session = await sessionIn("unique_property");
    const id = await contact();
    await one(session, write(id));
    requests.length = 0;
    await one(session, write(id, { ...values, lead_score: { value: "80", ours: ["74"] } }));
    expect(await sentProperties(1)).toEqual({ baton_score: "80" });
  });

  it("leaves what a person has typed over ours, says so, and writes the rest", async () => {
    const session = await sessionIn("unique_property");
    const id = await contact();
    await one(session, write(id));
    await admin(`contact/${id}/edit`, { baton_reason: "Knows us from the fair" });
    const next: RecordValues = {
      follow_up_reason: { value: "came back", ours: ["asked for a demo"] },
      lead_level: { value: "urgent", ours: ["task"] },
    };
    expect(await one(session, write(id, next))).toEqual(written(id, ["follow_up_reason"]));
    expect(propertiesOf(id)).toMatchObject({ baton_reason: "Knows us from the fair", baton_level: "urgent" });
  });

  it("has what is empty of a shared field filled in, what we wrote kept up, and what anybody else wrote left", async () => {
    const session = await sessionIn("unique_property");
    const id = await contact();
    const shared = (website: string, ...ours: string[]): RecordValues => ({
      website: { value: website, ours: ["", ...ours] },
      job_title: { value: "Chief of Sales", ours: [""] },
    });
    expect(await one(session, write(id, shared("example.com")))).toEqual(written(id, ["job_title"]));
    expect(propertiesOf(id)).toMatchObject({ website: "example.com", jobtitle: "Head of Sales" });
    await one(session, write(id, shared("www.example.com", "example.com")));
    expect(propertiesOf(id).website).toBe("www.example.com");
    await admin(`contact/${id}/edit`, { website: "eve.example.com" });
    const later = await one(session, write(id, shared("example.com", "www.example.com")));
    expect(later).toEqual(written(id, ["website", "job_title"]));
    expect(propertiesOf(id).website).toBe("eve.example.com");
  });

  it("is emptied where nothing is to be shown any more", async () => {
    const session = await sessionIn("unique_property");
    const id = await contact();
    await one(session, write(id));
    await one(session, write(id, { follow_up_reason: { value: "" } }));
    expect(propertiesOf(id).baton_reason ?? "").toBe("");
    expect(propertiesOf(id).baton_score).toBe("74");
  });

  it("is followed to where it was merged", async () => {
    const session = await sessionIn("unique_property");
    const [kept, gone] = [await contact("kept"), await contact("gone")];
    const { id } = await admin("merge", { primary: kept, merged: gone });
    expect(await one(session, write(gone))).toEqual(written(String(id)));
    expect(propertiesOf(String(id))).toMatchObject(shown);
  });

  it("that was deleted is refused, and its batch goes on", async () => {
    const session = await sessionIn("unique_property");
    const [gone, kept] = [await contact("gone"), await contact("kept")];
    await admin(`contact/${gone}/delete`, {});
    const outcomes = await hubspot.execute(session, [write(gone), write(kept)]);
    expect(outcomes).toEqual([expect.objectContaining({ arm: "refused", reason: "person_gone" }), written(kept)]);
  });

  it("of two writes in one batch takes the first, and the second later", async () => {
    const session = await sessionIn("unique_property");
    const id = await contact();
    const again = { ...write(id, { lead_score: { value: "9" } }), key: "fr_again" };
    const outcomes = await hubspot.execute(session, [write(id), again]);
    expect(outcomes).toEqual([written(id), expect.objectContaining({ arm: "deferred", reason: "same_record" })]);
    expect(propertiesOf(id).baton_score).toBe("74");
  });
});

describe("an answer that is lost", () => {
  it("is deferred, and a repetition finds the values there and writes nothing", async () => {
    const session = await sessionIn("unique_property");
    const id = await contact();
    twin.setFaults({ script: [{ path: "contacts/batch/update", kind: "lose" }] });
    expect(await one(session, write(id))).toMatchObject({ arm: "deferred", scope: "action" });
    requests.length = 0;
    expect(await one(session, write(id))).toEqual(written(id));
    expect(requests).toHaveLength(1);
  });
});

describe("the properties", () => {
  it("are made when the account is connected: eight, named as ours, and none of them unique", async () => {
    const fresh = await startHubspotTwin();
    try {
      await hubspot.install(on(fresh, fresh.grant().accessToken));
      const answer = await fetch(`${fresh.url}/crm/properties/2026-03/contacts`, {
        headers: { authorization: `Bearer ${fresh.grant().accessToken}` },
      });
      const { results } = (await answer.json()) as { results: { name: string; hasUniqueValue: boolean }[] };
      const ours = results.filter(({ name }) => name.startsWith("baton_"));
      expect(ours.map(({ name }) => name).sort()).toEqual(Object.keys(shown).sort());
      expect(ours.some(({ hasUniqueValue }) => hasUniqueValue)).toBe(false);
      expect(fresh.state().shapes.violations).toBe(0);
    } finally {
      await fresh.close();
    }
  });

  it("are made at the first write where the account was connected before there were any", async () => {
    const fresh = await startHubspotTwin();
    try {
      const session = on(fresh, fresh.grant().accessToken);
      const made = await fetch(`${fresh.url}/admin/contact`, { method: "POST", body: '{"email":"eve@example.com"}' });
      const { id } = (await made.json()) as { id: string };
      const sent: Request[] = [];
      const counted: CrmSession = { ...session, send: keep };
      function keep(request: Request) {
        sent.push(request.clone());
        return fetch(request);
      }
      expect(await one(counted, write(id))).toEqual(written(id));
      expect(sent.length).toBeLessThanOrEqual(hubspot.cost([write(id)], "unique_property"));
      expect(fresh.state().contacts[0]?.properties).toMatchObject(shown);
    } finally {
      await fresh.close();
    }
  });

  it("cannot be made without the schema scope: the write is refused, nothing is blocked, and tasks go on", async () => {
    const fresh = await startHubspotTwin();
    try {
      const scopes = ["oauth", "crm.objects.contacts.read", "crm.objects.contacts.write", "crm.objects.owners.read"];
      const session = on(fresh, fresh.grant(scopes).accessToken);
      expect(await hubspot.install(session)).toMatchObject({ ok: true });
      const made = await fetch(`${fresh.url}/admin/contact`, { method: "POST", body: '{"email":"eve@example.com"}' });
      const { id } = (await made.json()) as { id: string };
      expect(await one(session, write(id))).toMatchObject({ arm: "refused", reason: "property_doesnt_exist" });
    } finally {
      await fresh.close();
    }
  });

  it("are as many as the budget counts with", () => {
    expect(Object.keys(ownProperties)).toHaveLength(recordPropertiesCount);
  });
});

function on(of: { readonly url: string }, accessToken: string): CrmSession {
  return { accessToken, apiUrl: of.url, world: "unique_property", send };
}

async function sentProperties(index: number): Promise<Record<string, string>> {
  const body = (await requests[index]?.json()) as { inputs: { properties: Record<string, string> }[] };
  return body.inputs[0]?.properties ?? {};
}
