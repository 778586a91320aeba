/** Whose contacts are, by the real HubSpot client against the twin: read by id and address, never searched, nothing written. */
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { CrmPerson, CrmSession } from "../../connectors/contract.ts";
import { hubspot } from "../../connectors/hubspot/crm.ts";
import { admin, requests, reset, sessionIn, twin } from "./hubspot-fixture.ts";

beforeEach(reset);
afterAll(() => twin.close());

const [sam, kim] = twin.account.owners.map(({ id }) => id);

async function contact(name: string, owner?: string): Promise<string> {
  const properties = { email: `${name}@example.com`, ...(owner === undefined ? {} : { hubspot_owner_id: owner }) };
  return String((await admin("contact", properties)).id);
}

const person = (name: string, part: Partial<CrmPerson> = {}): CrmPerson => ({
  lead: `acme/${name}`,
  email: `${name}@example.com`,
  ...part,
});

async function ask(session: CrmSession, ...people: CrmPerson[]) {
  const answer = await hubspot.recordOwners(session, people);
  expect(requests.length).toBeLessThanOrEqual(hubspot.manifest.owned.requestsMax);
  return answer;
}

describe("the owner of a contact", () => {
  it("is read for many at once: by address, however it is written, and by id", async () => {
    const session = await sessionIn("unique_property");
    const known = await contact("ann", sam);
    await contact("bea", kim);
    await contact("cleo");
    const people = [
      person("ann", { knownId: known }),
      person("bea", { email: "BEA@example.com" }),
      person("cleo"),
      person("dan"),
    ];
    expect(await ask(session, ...people)).toEqual({ ok: true, value: [{ record: sam }, { record: kim }, {}, {}] });
    expect(requests.map(({ method, url }) => `${method} ${new URL(url).pathname}`)).toEqual([
      "POST /crm/objects/2026-09/contacts/batch/read",
      "POST /crm/objects/2026-09/contacts/batch/read",
    ]);
  });

  it("is that of the contact which has the address now, where the one that was known is gone", async () => {
    const session = await sessionIn("unique_property");
    const gone = await contact("old");
    await admin(`contact/${gone}/delete`, {});
    await contact("ann", kim);
    expect(await ask(session, person("ann", { knownId: gone }))).toEqual({ ok: true, value: [{ record: kim }] });
  });

  it("is nobody where there is neither id nor address: nothing is sent", async () => {
    const session = await sessionIn("unique_property");
    expect(await ask(session, { lead: "acme/x" })).toEqual({ ok: true, value: [{}] });
    expect(requests).toEqual([]);
  });
});

describe("what HubSpot cannot say", () => {
  it("is a failure, and never nobody", async () => {
    const session = await sessionIn("unique_property");
    const answer = await ask({ ...session, accessToken: "none" }, person("ann"));
    expect(answer).toMatchObject({ ok: false, failure: { arm: "expired" } });
  });
});
