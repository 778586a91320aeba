/** Whose leads and contacts are, by the real Salesforce connector against the twin: in one request, and one more for their companies. */
import { beforeEach, describe, expect, it } from "vitest";
import type { CrmPerson, CrmSession } from "../../connectors/contract.ts";
import { salesforce } from "../../connectors/salesforce/crm.ts";
import { sessionNow, twin } from "./salesforce-fixture.ts";

let session: CrmSession;

beforeEach(() => {
  session = sessionNow({ crmUser: twin.org.integrationUserId });
});

const [ana, ben] = ["005000000000002AAA", "005000000000003AAA"];
const person = (name: string, part: Partial<CrmPerson> = {}): CrmPerson => ({
  lead: `acme/${name}`,
  email: `${name}@example.com`,
  ...part,
});
const contact = (name: string, values: Record<string, string> = {}) =>
  twin.org.put("Contact", { LastName: name, Email: `${name}@example.com`, ...values });
const lead = (name: string, values: Record<string, string> = {}) =>
  twin.org.put("Lead", { LastName: name, Company: "Example", Email: `${name}@example.com`, ...values });

async function ask(...people: CrmPerson[]) {
  twin.org.journal.clear();
  const answer = await salesforce.recordOwners(session, people);
  expect(twin.org.entries().length).toBeLessThanOrEqual(salesforce.manifest.owned.requestsMax);
  return answer.ok ? answer.value : answer.failure;
}

describe("the owner of a record", () => {
  it("is read for many at once, of contacts before leads", async () => {
    lead("ann", { OwnerId: ana });
    contact("bea", { OwnerId: ben });
    lead("bea", { OwnerId: ana });
    const known = lead("cleo", { OwnerId: ben });
    const people = [person("ann"), person("bea"), { lead: "acme/c", knownId: known }, person("dan")];
    expect(await ask(...people)).toEqual([{ record: ana }, { record: ben }, { record: ben }, {}]);
    expect(twin.org.entries()).toHaveLength(1);
  });

  it("is asked of the company as well, where a contact has one", async () => {
    const company = twin.org.put("Account", { Name: "Example", OwnerId: ana });
    contact("ann", { OwnerId: ben, AccountId: company });
    expect(await ask(person("ann"))).toEqual([{ record: ben, account: ana }]);
  });

  it("is that of the contact which a lead became, and of the record that won a merge", async () => {
    const converted = lead("ann", { OwnerId: ana });
    const made = twin.org.convert(converted);
    if (made === null) throw new Error("not converted");
    twin.org.edit(made, { OwnerId: ben });
    const [winner, loser] = [contact("bea", { OwnerId: ana }), contact("bea", { OwnerId: ben })];
    twin.org.merge(winner, [loser]);
    expect(await ask(person("ann", { knownId: converted }), person("bea", { knownId: loser }))).toMatchObject([
      { record: ben },
      { record: ana },
    ]);
  });

  it("is nobody of a lead that Baton's own user made and nobody has given on", async () => {
    const made = await salesforce.execute(session, [
      {
        type: "create_task",
        key: "fu_1-aa",
        person: person("ann", { lastName: "Ann", company: "Example" }),
        task: { subject: "Call", body: "", dueAt: Date.now(), priority: "high", type: "call" },
      },
    ]);
    const [outcome] = made;
    const personId = outcome?.arm === "done" ? outcome.personId : "";
    expect(await ask(person("ann"))).toEqual([{}]);
    twin.org.edit(personId, { OwnerId: ben });
    expect(await ask(person("ann"))).toEqual([{ record: ben }]);
  });
});

describe("what Salesforce cannot say", () => {
  it("is a failure, and never nobody", async () => {
    session = { ...session, accessToken: "none" };
    expect(await ask(person("ann"))).toMatchObject({ arm: "expired" });
  });
});
