import { describe, expect, it } from "vitest";
import { defaultIdentityPolicy } from "../../src/decide/identity-policy.ts";
import { guard } from "../../src/resolve/guard.ts";
import { applyEntry, type LinkTodo } from "../../src/resolve/node.ts";
import { isUnambiguous, recorded, recordIdentifier, unknownRecords, unlinked } from "../../src/resolve/records.ts";
import { signal } from "../signals.ts";
import { recordOf, rootOf } from "../states.ts";

describe("the record that a receipt names", () => {
  it.each([
    ["hubspot", "501", { type: "hubspot_contact_id", value: "501" }],
    ["salesforce", "00Q5e000001abcd", { type: "salesforce_lead_id", value: "00Q5e000001abcdEAA" }],
    ["salesforce", "0035e000001abcdAAA", { type: "salesforce_contact_id", value: "0035e000001abcdAAA" }],
  ] as const)("of %s, %s, is an identifier of the person", (crm, id, identifier) => {
    expect(recordIdentifier(crm, id)).toEqual(identifier);
  });

  it.each([
    ["hubspot", "not-a-number"],
    ["hubspot", ""],
    ["salesforce", "0015e000001abcd"],
    ["salesforce", "00Q"],
  ] as const)("of %s, %s, is none where it is no record of a person", (crm, id) => {
    expect(recordIdentifier(crm, id)).toBeNull();
  });

  it("of HubSpot says nothing where two of its accounts are connected: the same number is two people", () => {
    const hubspot = (account: string) => ({ crm: "hubspot" as const, account });
    expect(isUnambiguous("hubspot", [hubspot("a")])).toBe(true);
    expect(isUnambiguous("hubspot", [hubspot("a"), hubspot("b")])).toBe(false);
    const salesforce = (account: string) => ({ crm: "salesforce" as const, account });
    expect(isUnambiguous("salesforce", [salesforce("a"), salesforce("b")])).toBe(true);
  });
});

const link: LinkTodo = {
  node: "acme/record",
  identifier: { type: "hubspot_contact_id", value: "501" },
  since: 0,
  from: "acme/a",
  by: "forms:1",
  authority: { type: "receipt" },
};
const withTask = rootOf("acme/a", {
  follow_ups: [
    recordOf({
      actions: [
        {
          key: "ac-1",
          crm: "hubspot",
          account: "acme/hubspot/1",
          state: "done",
          retry_at: 0,
          attempts: 1,
          revision: 0,
          receipt: { crm: "hubspot", task_id: "t-1", person_id: "501", at: 5 },
        },
      ],
    }),
  ],
});

describe("a link to such a record", () => {
  it("is owed once per receipt", () => {
    expect(unknownRecords(withTask).map(({ action }) => action.key)).toEqual(["ac-1"]);
    const known = recorded(withTask, "ac-1", link);
    expect(unknownRecords(known)).toEqual([]);
    expect(known.links).toEqual([link]);
    expect(recorded(known, "ac-1", link).links).toEqual([link]);
  });

  it("is not owed where it is made, was refused, or names nobody", () => {
    expect(recorded({ ...withTask, members: ["acme/record"] }, "ac-1", link).links).toEqual([]);
    const apart = {
      from: "acme/a",
      node: "acme/record",
      identifier: link.identifier,
      other: "acme/b",
      reason: "split",
      by: "forms:1",
      at: 1,
      state: "kept_apart" as const,
    };
    expect(recorded({ ...withTask, apart: [apart] }, "ac-1", link).links).toEqual([]);
    expect(recorded(withTask, "ac-1", null).links).toEqual([]);
  });

  it("gives way to a signal that names the same record, and is dropped without it", () => {
    const owed = recorded(withTask, "ac-1", link);
    const named = applyEntry(owed, {
      seq: 1,
      root: "acme/a",
      signal: signal({ id: "1", identifiers: [{ type: "email", value: "ada@example.com" }, link.identifier] }),
      node_of: ["acme/a", "acme/record"],
    });
    expect(named.links.map(({ authority }) => authority.type)).toEqual(["signal"]);
    expect(unlinked(named, "acme/record").links).toHaveLength(1);
    expect(unlinked(owed, "acme/record").links).toEqual([]);
  });

  it("joins two of whom one has no address, or both have one in common; never two with addresses of their own", () => {
    const rules = defaultIdentityPolicy;
    const who = (name: string, values: Readonly<Record<string, readonly string[]>>) => ({
      nodes: [name],
      kept_apart: [],
      values,
    });
    const said = { type: "receipt" } as const;
    const ada = who("acme/a", { email: ["ada@example.com"] });
    expect(guard(ada, who("acme/b", {}), link.identifier, rules, said)).toBeNull();
    expect(guard(ada, who("acme/b", { email: ["ada@example.com"] }), link.identifier, rules, said)).toBeNull();
    const bob = who("acme/b", { email: ["bob@example.com"] });
    expect(guard(ada, bob, link.identifier, rules, said)).toBe("other_record");
    expect(guard(bob, ada, link.identifier, rules, said)).toBe("other_record");
    const other = who("acme/b", { hubspot_contact_id: ["7"] });
    const owner = who("acme/a", { hubspot_contact_id: ["8"] });
    expect(guard(owner, other, link.identifier, rules, said)).toBe("too_many:hubspot_contact_id");
  });
});
