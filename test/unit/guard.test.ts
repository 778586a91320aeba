import { describe, expect, it } from "vitest";
import { defaultIdentityPolicy, type IdentityPolicy } from "../../src/decide/identity-policy.ts";
import type { Identifier } from "../../src/model.ts";
import { type Authority, guard, isRoleAccount, type Profile, profileOf } from "../../src/resolve/guard.ts";
import { emptyLead, foldSignal } from "../../src/resolve/lead.ts";
import { signal } from "../signals.ts";
import { ada, anonymous, apartFrom, email, hubspotContact, phone, rootOf, saidApart, userId } from "../states.ts";

const rules = defaultIdentityPolicy;

/** Somebody of whom these values are known. */
function somebody(values: Profile["values"] = {}, part: Partial<Profile> = {}): Profile {
  return { nodes: ["acme/a"], kept_apart: [], values, ...part };
}
const other = (values: Profile["values"] = {}, part: Partial<Profile> = {}): Profile =>
  somebody(values, { nodes: ["acme/b"], ...part });

const many = (count: number, of: string) => Array.from({ length: count }, (_, index) => `${of}${index}`);
const members = (count: number, of: string): Partial<Profile> => ({ nodes: many(count, `acme/${of}`) });

/** What the guard says, which is the same whoever asks. */
function asked(a: Profile, b: Profile, over: Identifier, authority?: Authority, policy: IdentityPolicy = rules) {
  const answer = guard(a, b, over, policy, authority);
  expect(guard(b, a, over, policy, authority)).toBe(answer);
  return answer;
}

const adas = somebody({ email: ["ada@example.com"] });
const bobs = other({ email: ["bob@example.com"] });

describe("limits", () => {
  it("two of whom nothing is known may be one", () => {
    expect(asked(somebody(), other(), anonymous("x"))).toBeNull();
  });

  it.each([
    ["user_id", 1],
    ["email", 10],
    ["phone", 5],
    ["hubspot_contact_id", 1],
    ["salesforce_contact_id", 1],
    ["salesforce_lead_id", 1],
  ])("a person has at most so many %s: %i", (type, limit) => {
    const own = many(limit, "x");
    expect(asked(somebody({ [type]: own }), other(), ada)).toBeNull();
    expect(asked(somebody({ [type]: own }), other({ [type]: own.slice(0, 1) }), ada)).toBeNull();
    expect(asked(somebody({ [type]: own }), other({ [type]: ["y"] }), ada)).toBe(`too_many:${type}`);
  });

  it("two may bring together as many as one may have", () => {
    const five = somebody({ email: many(5, "a") });
    expect(asked(five, other({ email: many(5, "b") }), userId("u-1"))).toBeNull();
    expect(asked(five, other({ email: many(6, "b") }), userId("u-1"))).toBe("too_many:email");
  });

  it("a type without a limit may have any number", () => {
    const [mine, theirs] = [many(30, "x"), many(30, "y")];
    expect(asked(somebody({ customer_id: mine }), other({ customer_id: theirs }), ada)).toBeNull();
  });

  it("are those of the policy", () => {
    const strict = { ...rules, limits: { customer_id: 2 } };
    const [two, three] = [somebody({ customer_id: ["1", "2"] }), other({ customer_id: ["3"], user_id: ["u-2"] })];
    expect(asked(two, three, ada, undefined, strict)).toBe("too_many:customer_id");
    const users = [somebody({ user_id: ["u-1"] }), other({ user_id: ["u-2"] })] as const;
    expect(asked(...users, ada, undefined, strict)).toBeNull();
    expect(asked(...users, ada)).toBe("too_many:user_id");
  });

  it("do not stand in the way of one who brings nothing new to somebody above them already", () => {
    const above = somebody({ user_id: ["1", "2"] });
    expect(asked(above, other({ user_id: ["2"] }), ada)).toBeNull();
    expect(asked(above, other(), ada)).toBeNull();
    expect(asked(above, other({ user_id: ["3"] }), ada)).toBe("too_many:user_id");
    expect(asked(above, other({ user_id: ["2", "3"] }), ada)).toBe("too_many:user_id");
  });

  it("allow 50 identifiers altogether, and no more", () => {
    expect(asked(somebody({}, members(30, "a")), other({}, members(20, "b")), ada)).toBeNull();
    expect(asked(somebody({}, members(30, "a")), other({}, members(21, "b")), ada)).toBe("too_many_members");
    const few = { ...rules, members_max: 4 };
    expect(asked(somebody({}, members(2, "a")), other({}, members(2, "b")), ada, undefined, few)).toBeNull();
    expect(asked(somebody({}, members(3, "a")), other({}, members(2, "b")), ada, undefined, few)).toBe(
      "too_many_members",
    );
  });
});

describe("what people pass on", () => {
  const passedOn = "anonymous_id gclid gbraid wbraid dclid fbclid li_fat_id msclkid ttclid twclid".split(" ");

  it.each(passedOn)("%s does not join two who have addresses of their own", (type) => {
    expect(asked(adas, bobs, { type, value: "x" })).toBe("shared_device");
  });

  it("a phone does not either, and is called what it is", () => {
    expect(asked(adas, bobs, phone("+442071234567"))).toBe("shared_phone");
  });

  it.each([userId("u-1"), email("eve@example.com"), hubspotContact("51")])("but %o joins them", (over) => {
    expect(asked(adas, bobs, over)).toBeNull();
  });

  it("joins whoever has no address of their own", () => {
    expect(asked(adas, other({ user_id: ["u-1"] }), anonymous("x"))).toBeNull();
    expect(asked(somebody(), other(), anonymous("x"))).toBeNull();
  });

  it("joins two who have one address in common", () => {
    expect(asked(adas, other({ email: ["bob@example.com", "ada@example.com"] }), anonymous("x"))).toBeNull();
  });

  it("is what the policy says it is", () => {
    const none = { ...rules, passed_on: ["badge"] };
    expect(asked(adas, bobs, anonymous("x"), undefined, none)).toBeNull();
    expect(asked(adas, bobs, { type: "badge", value: "7" }, undefined, none)).toBe("shared_device");
  });
});

describe("a shared inbox", () => {
  it.each(["info@example.com", "sales@example.com", "support+eu@example.com", "hr+ada@example.com"])(
    "%s joins two who have addresses of their own no more than a switchboard",
    (inbox) => {
      expect(asked(adas, bobs, email(inbox))).toBe("shared_inbox");
    },
  );

  it.each(["ada+info@example.com", "information@example.com", "ada@info.example.com"])("is not %s", (address) => {
    expect(asked(adas, bobs, email(address))).toBeNull();
    expect(isRoleAccount(address, rules)).toBe(false);
  });

  it("is nobody's own address: it keeps no two apart that share a device", () => {
    const front = somebody({ email: ["info@example.com", "sales+x@example.com"] });
    expect(asked(front, bobs, anonymous("x"))).toBeNull();
    expect(asked(front, bobs, email("info@example.com"))).toBeNull();
  });

  it("that two have in common is not an address in common", () => {
    const [one, two] = [
      somebody({ email: ["ada@example.com", "info@example.com"] }),
      other({ email: ["bob@example.com", "info@example.com"] }),
    ];
    expect(asked(one, two, anonymous("x"))).toBe("shared_device");
  });

  it("is what the policy says it is", () => {
    const desk = { ...rules, role_accounts: ["front-desk"] };
    expect(asked(adas, bobs, email("front-desk+2@example.com"), undefined, desk)).toBe("shared_inbox");
    expect(asked(adas, bobs, email("info@example.com"), undefined, desk)).toBeNull();
  });
});

describe("a CRM that says two of its records are one", () => {
  const crm: Authority = { type: "crm" };
  const [one, two] = [somebody({ hubspot_contact_id: ["51"] }), other({ hubspot_contact_id: ["52"] })];

  it("outweighs limits, and what people share", () => {
    expect(asked(one, two, hubspotContact("52"))).toBe("too_many:hubspot_contact_id");
    expect(asked(one, two, hubspotContact("52"), crm)).toBeNull();
    expect(asked(adas, bobs, anonymous("x"), crm)).toBeNull();
  });

  it("does not outweigh the bound on members", () => {
    expect(asked(somebody({}, members(30, "a")), other({}, members(21, "b")), ada, crm)).toBe("too_many_members");
  });

  it("does not outweigh a person who said that they are two", () => {
    const said = { ...one, kept_apart: [{ node: "acme/b", at: 500 }] };
    expect(asked(said, two, hubspotContact("52"), crm)).toBe("kept_apart");
  });
});

describe("a person's word", () => {
  const sayAt = (at: number): Authority => ({ type: "person", at });
  const said = somebody({ email: ["ada@example.com"] }, { kept_apart: [{ node: "acme/b2", at: 500 }] });
  const two = other({}, { nodes: ["acme/b", "acme/b2"] });

  it("that they are two holds against every signal, over whatever identifier, whichever of them it was said to", () => {
    for (const over of [userId("u-1"), email("eve@example.com"), anonymous("x")])
      expect(asked(said, two, over)).toBe("kept_apart");
  });

  it("that they are two says nothing of anybody else", () => {
    expect(asked(said, other({}, { nodes: ["acme/c"] }), ada)).toBeNull();
  });

  it("that they are one holds where it is newer, and not where it is as old or older", () => {
    expect(asked(said, two, ada, sayAt(501))).toBeNull();
    expect(asked(said, two, ada, sayAt(500))).toBe("kept_apart");
    expect(asked(said, two, ada, sayAt(499))).toBe("kept_apart");
  });

  it("is compared with the newest of the opposite, whichever of the two it was said to", () => {
    const again = { ...two, kept_apart: [{ node: "acme/a", at: 900 }] };
    expect(asked(said, again, ada, sayAt(800))).toBe("kept_apart");
    expect(asked(said, again, ada, sayAt(901))).toBeNull();
  });

  it("outweighs limits, what people share, and the policy's bound on members", () => {
    const [one, other2] = [somebody({ user_id: ["1"] }), other({ user_id: ["2"] })];
    expect(asked(one, other2, ada, sayAt(1))).toBeNull();
    expect(asked(adas, bobs, anonymous("x"), sayAt(1))).toBeNull();
    expect(asked(somebody({}, members(100, "a")), other({}, members(100, "b")), ada, sayAt(1))).toBeNull();
  });

  it("does not outweigh what one object can hold: 200 identifiers", () => {
    expect(asked(somebody({}, members(101, "a")), other({}, members(100, "b")), ada, sayAt(1))).toBe(
      "too_many_members",
    );
  });
});

describe("what a root tells of itself", () => {
  const lead = foldSignal(
    emptyLead,
    signal({ id: "1", identifiers: [userId("u-1"), ada, email("al@example.com"), phone("+442071234567")] }),
  );

  it("is its nodes and its values by type", () => {
    expect(profileOf(rootOf("acme/r", { members: ["acme/s"], lead }))).toEqual({
      nodes: ["acme/r", "acme/s"],
      kept_apart: [],
      values: { user_id: ["u-1"], email: ["ada@example.com", "al@example.com"], phone: ["+442071234567"] },
    });
  });

  it("is not what a refused link named: that belongs to somebody else", () => {
    const apart = [apartFrom("acme/x", { identifier: ada }), saidApart("acme/y", 500, { identifier: userId("u-1") })];
    const { values, kept_apart } = profileOf(rootOf("acme/r", { lead, apart }));
    expect(values).toEqual({ email: ["al@example.com"], phone: ["+442071234567"] });
    expect(kept_apart).toEqual([{ node: "acme/y", at: 500 }]);
  });

  it("is not a CRM record that was merged into another one", () => {
    const merged = signal({
      id: "2",
      kind: "crm_records_merged",
      identifiers: [hubspotContact("51"), hubspotContact("52")],
      properties: { survivor: "52" },
    });
    const { values } = profileOf(rootOf("acme/r", { lead: foldSignal(emptyLead, merged) }));
    expect(values).toEqual({ hubspot_contact_id: ["52"] });
  });

  it("is bounded: a hundred values of a type", () => {
    const identifiers = many(120, "a").map(anonymous);
    const { values } = profileOf(rootOf("acme/r", { lead: foldSignal(emptyLead, signal({ id: "3", identifiers })) }));
    expect(values.anonymous_id).toHaveLength(100);
  });

  it("is told whatever a sender calls its identifiers", () => {
    const identifiers = [{ type: "constructor", value: "7" }];
    const { values } = profileOf(rootOf("acme/r", { lead: foldSignal(emptyLead, signal({ id: "4", identifiers })) }));
    expect(values.constructor).toEqual(["7"]);
    const limited = { ...rules, limits: { constructor: 1 } };
    expect(asked(somebody({ constructor: ["7"] }), other(), ada, undefined, limited)).toBeNull();
  });
});
