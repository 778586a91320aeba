/** A managed package's namespace stands before the names of our own fields, and of no others. */
import { afterEach, expect, it, vi } from "vitest";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

async function built(namespace?: unknown) {
  vi.resetModules();
  if (namespace !== undefined) vi.stubGlobal("SALESFORCE_NAMESPACE", namespace);
  const { recordFieldsOf } = await import("../../connectors/salesforce/record-fields.ts");
  const { names, soql } = await import("../../connectors/salesforce/requests.ts");
  return { recordFieldsOf, names, soql };
}

it("without one the fields are called as in the source", async () => {
  for (const none of [undefined, ""]) {
    const { names, recordFieldsOf } = await built(none);
    expect(names).toEqual({ taskKey: "Baton_Key__c", leadKey: "Baton_Key__c" });
    expect(recordFieldsOf.lead_score.name).toBe("Baton_Score__c");
  }
});

it("with one ours carry it, and Salesforce's do not", async () => {
  const { names, recordFieldsOf, soql } = await built("acme");
  expect(names).toEqual({ taskKey: "acme__Baton_Key__c", leadKey: "acme__Baton_Key__c" });
  expect(recordFieldsOf.lead_score.name).toBe("acme__Baton_Score__c");
  expect(recordFieldsOf.website.name).toBe("Website");
  expect(soql.tasksByKey(["k"])).toContain("WHERE acme__Baton_Key__c IN ('k')");
});

it.each(["9lives", "a__b", "a_", "much_too_long_name", "x'y", 7])(
  "%j is no namespace, and the Worker does not start with it",
  async (namespace) => {
    await expect(built(namespace)).rejects.toThrow("SALESFORCE_NAMESPACE");
  },
);
