import { describe, expect, it } from "vitest";
import { cardKey, isCardKey } from "../../../src/card/card-key.ts";
import { recordOf } from "../../../src/card/record.ts";

describe("the record that a card stands on", () => {
  it.each([
    ["hubspot", "0-1", "501", { of: "person", identifier: { type: "hubspot_contact_id", value: "501" } }],
    [
      "salesforce",
      "Lead",
      "00Q5e000001abcd",
      { of: "person", identifier: { type: "salesforce_lead_id", value: "00Q5e000001abcdEAA" } },
    ],
    [
      "salesforce",
      "Contact",
      "0035e000001abcdAAA",
      { of: "person", identifier: { type: "salesforce_contact_id", value: "0035e000001abcdAAA" } },
    ],
    ["hubspot", "0-2", "77", { of: "company", domain: undefined, name: undefined }],
  ] as const)("of %s, %s %s, is known by its identifier", (crm, object, id, record) => {
    expect(recordOf(crm, object, id, {})).toEqual(record);
  });

  it.each([
    ["hubspot", "0-3", "1"],
    ["hubspot", "0-1", "abc"],
    ["salesforce", "Opportunity", "0065e000001abcd"],
    ["salesforce", "Lead", "short"],
    ["salesforce", "constructor", "00Q5e000001abcd"],
  ] as const)("is none where it is no person and no company: %s %s %s", (crm, object, id) => {
    expect(recordOf(crm, object, id, {})).toBeUndefined();
  });

  it.each([
    ["https://www.Example.com/about?x=1", "example.com"],
    ["example.co.uk", "example.co.uk"],
    ["  shop.example.com:8080 ", "shop.example.com"],
    ["localhost", undefined],
    ["not a domain", undefined],
  ])("has its company's domain out of %s", (domain, expected) => {
    expect(recordOf("hubspot", "0-2", "77", { domain })).toEqual({ of: "company", domain: expected, name: undefined });
  });
});

describe("the key of a Salesforce card", () => {
  const of = (generation: number, connection = "acme/salesforce/1", workspace = "acme") =>
    cardKey("master", workspace, connection, generation);

  it("is another for each generation, connection, workspace and deployment", () => {
    const keys = [
      of(1),
      of(2),
      of(1, "acme/salesforce/2"),
      of(1, "acme/salesforce/1", "rival"),
      cardKey("other", "acme", "acme/salesforce/1", 1),
    ];
    expect(new Set(keys).size).toBe(5);
    expect(of(1)).toBe(of(1));
  });

  it("serves, and the one before for a day after it was rotated; nothing else does", () => {
    const now = 100 * 86_400_000;
    const serves = (key: string, rotated_at: number) =>
      isCardKey("master", "acme", "acme/salesforce/1", { generation: 3, rotated_at }, key, now);
    expect([of(3), of(2), of(1), of(4), ""].map((key) => serves(key, now - 1_000))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(serves(of(2), now - 86_400_000)).toBe(false);
    expect(isCardKey("master", "acme", "acme/salesforce/1", { generation: 1, rotated_at: 0 }, of(0), 5)).toBe(false);
  });
});
