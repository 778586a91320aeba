import { describe, expect, it } from "vitest";
import type { SignalDraft } from "../../connectors/contract.ts";
import { canonicalJson } from "../../src/crypto.ts";
import { defaultIdentityPolicy } from "../../src/decide/identity-policy.ts";
import type { Identifier, Signal } from "../../src/model.ts";
import { emptyLead, foldSignal } from "../../src/resolve/lead.ts";
import { toSignal } from "../../src/translate/signal.ts";
import { signal } from "../signals.ts";

const now = 1_800_000_000_000;
const origin = { workspace: "acme", emitter: "forms", receivedAt: now };
const ada: Identifier = { type: "email", value: "ada@example.com" };

const draft = (part: Partial<SignalDraft> = {}): SignalDraft => ({
  id: "e1",
  kind: "demo_requested",
  identifiers: [ada],
  ...part,
});

function accepted(part: Partial<SignalDraft> = {}): Signal {
  const made = toSignal(draft(part), origin, defaultIdentityPolicy);
  if (!made.ok) throw new Error(`not accepted: ${JSON.stringify(made.failure)}`);
  return made.value;
}

function kept(part: Partial<SignalDraft>) {
  const made = toSignal(draft(part), origin, defaultIdentityPolicy);
  return made.ok ? "accepted" : [made.failure.arm, "reason" in made.failure ? made.failure.reason : ""];
}

describe("a draft becomes a signal", () => {
  it("with everything a lead needs, and the key of emitter and event", () => {
    expect(
      accepted({ occurredAt: now - 5_000, traits: { firstName: " Ada " }, properties: { page: "/pricing" } }),
    ).toEqual({
      id: "e1",
      idempotency_key: "forms:e1",
      workspace: "acme",
      emitter: "forms",
      kind: "demo_requested",
      occurred_at: now - 5_000,
      received_at: now,
      identifiers: [ada],
      traits: { first_name: "Ada" },
      account: {},
      attribution: {},
      properties: { page: "/pricing" },
      schema_version: 1,
    });
  });

  it("of another emitter has another key, though the event's id is the same", () => {
    const other = toSignal(draft(), { ...origin, emitter: "billing" }, defaultIdentityPolicy);
    expect(other.ok && other.value.idempotency_key).toBe("billing:e1");
  });
});

describe("is kept where a person sees it, and never refused,", () => {
  it.each([
    ["when the kind is no word", { kind: "Demo Requested" }, "bad_kind"],
    ["when nothing names a person", { identifiers: [] }, "no_identifier"],
    ["when only placeholders do", { identifiers: [{ type: "user_id", value: "undefined" }] }, "no_identifier"],
    ["when its properties are over 32,000 characters", { properties: { text: "x".repeat(32_000) } }, "too_large"],
  ])("%s", (_what, part, reason) => {
    expect(kept(part)).toEqual(["quarantined", reason]);
  });

  it("but not when the properties just fit", () => {
    expect(kept({ properties: { t: "x".repeat(32_000 - '{"t":""}'.length) } })).toBe("accepted");
  });

  it("and is accepted when the e-mail address stands only among the traits", () => {
    expect(accepted({ identifiers: [], traits: { Email: "Ada@Example.com" } }).identifiers).toEqual([ada]);
  });
});

describe("the id of an event without one", () => {
  const idOf = (part: Partial<SignalDraft>): string => {
    const { id: _none, ...rest } = draft();
    const made = toSignal({ ...rest, ...part }, origin, defaultIdentityPolicy);
    return made.ok ? made.value.id : "";
  };

  it("comes from its content: the same whenever and in whatever order of fields it arrives", () => {
    const first = idOf({ properties: { a: 1, b: 2 } });
    expect(first).toMatch(/^content:[0-9a-f]{24}$/);
    expect(idOf({ properties: { b: 2, a: 1 } })).toBe(first);
    const later = toSignal(
      { kind: "demo_requested", identifiers: [ada], properties: { a: 1, b: 2 } },
      { ...origin, receivedAt: now + 60_000 },
      defaultIdentityPolicy,
    );
    expect(later.ok && later.value.id).toBe(first);
  });

  it("differs when the content does", () => {
    const ids = [{}, { properties: { a: 1 } }, { properties: { a: 2 } }, { occurredAt: 5 }, { traits: { a: "1" } }].map(
      idOf,
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("is made for an empty id too", () => {
    expect(accepted({ id: "" }).id).toMatch(/^content:/);
  });
});

describe("an id that is too long or broken", () => {
  it("is kept up to 200 characters and replaced by its digest beyond", () => {
    expect(accepted({ id: "x".repeat(200) }).id).toBe("x".repeat(200));
    const long = accepted({ id: "x".repeat(201) }).id;
    expect(long).toMatch(/^long:[0-9a-f]{24}$/);
    expect(accepted({ id: "x".repeat(202) }).id).not.toBe(long);
    expect(accepted({ id: "x".repeat(201) }).id).toBe(long);
  });

  it("is made well-formed: half a character cannot be stored", () => {
    expect(accepted({ id: "a\ud83d" }).id).toBe("a\ufffd");
  });
});

describe("the time of an event", () => {
  it.each([
    ["is its own, however old", now - 400 * 86_400_000, now - 400 * 86_400_000, undefined],
    ["is its own up to ten minutes ahead of our clock", now + 600_000, now + 600_000, undefined],
    ["is the arrival when it lies further ahead, and says by how much", now + 600_001, now, 600_001],
    ["is the arrival when it is before 1970", -1, now, -1 - now],
    ["is the arrival when the vendor does not say", undefined, now, undefined],
  ])("%s", (_what, occurredAt, expected, off) => {
    const made = accepted(occurredAt === undefined ? {} : { occurredAt });
    expect(made.occurred_at).toBe(expected);
    expect(made.properties.clock_off_ms).toBe(off);
  });

  it("is rounded to milliseconds, and that is no clock that is off", () => {
    const made = accepted({ occurredAt: now - 5_000.4 });
    expect(made.occurred_at).toBe(now - 5_000);
    expect(made.properties.clock_off_ms).toBeUndefined();
  });
});

describe("traits", () => {
  it.each([
    ["firstName", "first_name"],
    ["First Name", "first_name"],
    ["given_name", "first_name"],
    ["surname", "last_name"],
    ["family-name", "last_name"],
    ["Company Name", "company"],
    ["organization", "company"],
    ["title", "job_title"],
    ["jobTitle", "job_title"],
    ["timezone", "time_zone"],
    ["loyalty_card", "loyalty_card"],
    ["constructor", "constructor"],
    ["__proto__x", "__proto__x"],
  ])("%s is stored as %s", (given, stored) => {
    expect(Object.entries(accepted({ traits: { [given]: "x" } }).traits)).toEqual([[stored, "x"]]);
  });

  it("give first and last name from a full name, unless one of them is told", () => {
    expect(accepted({ traits: { name: " Ada King  Lovelace " } }).traits).toMatchObject({
      first_name: "Ada",
      last_name: "King Lovelace",
    });
    expect(accepted({ traits: { name: "Ada" } }).traits).toEqual({ name: "Ada", first_name: "Ada" });
    expect(accepted({ traits: { name: "Ada Lovelace", last_name: "King" } }).traits).toEqual({
      name: "Ada Lovelace",
      last_name: "King",
    });
  });

  it("keep numbers, booleans and names of objects as text, and leave the rest out", () => {
    const traits = { seats: 5, paying: true, company: { name: "Acme" }, tags: ["a"], plan: null, empty: "  " };
    expect(accepted({ traits }).traits).toEqual({ seats: "5", paying: "true", company: "Acme" });
  });

  it("keep a phone number in E.164 where it is one, and as it was written where it is not", () => {
    expect(accepted({ traits: { phone: "+1 650 253 0000" } }).traits.phone).toBe("+16502530000");
    expect(accepted({ traits: { phone: " ext. 12 " } }).traits.phone).toBe("ext. 12");
  });

  it("leave an address out that is none", () => {
    expect(accepted({ traits: { email: "not an address" } }).traits).toEqual({});
  });

  it("are at most 40, of at most 500 characters, under names of at most 60", () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`t${index}`, "x"]));
    expect(Object.keys(accepted({ traits: many }).traits)).toHaveLength(40);
    expect(accepted({ traits: { company: "x".repeat(501) } }).traits.company).toHaveLength(500);
    expect(Object.keys(accepted({ traits: { ["n".repeat(61)]: "x" } }).traits)).toEqual(["n".repeat(60)]);
  });

  it.each([
    ["a trait", { traits: { city: "\ud83d" } }],
    ["a phone number", { traits: { phone: "call \ud83d" } }],
    ["a full name", { traits: { name: "Ada\ud83d Lovelace" } }],
    ["the name of a trait", { traits: { "n\ud83d": "x" } }],
    ["a trait that is cut in the middle of a character", { traits: { city: `${"x".repeat(499)}\ud83d\ude00` } }],
    ["a company that is cut in the middle of a character", { account: { name: `${"x".repeat(499)}\ud83d\ude00` } }],
    ["a name that is cut in the middle of a character", { traits: { name: `${"x".repeat(499)}\ud83d\ude00 y` } }],
    ["an attribution", { attribution: { utm_source: "news\ud83d" } }],
  ])("never hold half a character: CRMs and stores refuse the whole record for one in %s", (_where, part) => {
    const { traits, account, attribution } = accepted(part);
    const texts = [...Object.entries(traits).flat(), ...Object.values(account), ...Object.values(attribution)];
    expect(texts.length).toBeGreaterThan(0);
    expect(texts.filter((text) => !text.isWellFormed())).toEqual([]);
  });
});

describe("identifiers", () => {
  it("stand strongest first, each once, in one spelling", () => {
    const identifiers: Identifier[] = [
      { type: "anonymous_id", value: "a-1" },
      { type: "email", value: "ADA@example.com" },
      { type: "gclid", value: "g-1" },
      { type: "user_id", value: "u-1" },
      { type: "email", value: "ada@example.com" },
      { type: "hubspot_contact_id", value: "51" },
    ];
    expect(accepted({ identifiers }).identifiers.map((item) => `${item.type}:${item.value}`)).toEqual([
      "hubspot_contact_id:51",
      "user_id:u-1",
      "email:ada@example.com",
      "gclid:g-1",
      "anonymous_id:a-1",
    ]);
  });

  it("are at most 20, and it is the weakest that are left out", () => {
    const many = Array.from({ length: 30 }, (_, index) => ({ type: "anonymous_id", value: `a-${index}` }));
    const { identifiers } = accepted({ identifiers: [...many, { type: "user_id", value: "u-1" }] });
    expect(identifiers).toHaveLength(20);
    expect(identifiers[0]).toEqual({ type: "user_id", value: "u-1" });
  });

  it("stand in the same order however they were given", () => {
    const identifiers: Identifier[] = ["b", "a", "c"].map((value) => ({ type: "user_id", value: `u-${value}` }));
    expect(canonicalJson(accepted({ identifiers }).identifiers)).toBe(
      canonicalJson(accepted({ identifiers: [...identifiers].reverse() }).identifiers),
    );
  });
});

describe("the account", () => {
  it("has a registrable domain and a trimmed name, or none", () => {
    expect(accepted({ account: { domain: "https://www.acme.example.com/about", name: " Acme " } }).account).toEqual({
      domain: "example.com",
      name: "Acme",
    });
    expect(accepted({ account: { domain: "localhost", name: " " } }).account).toEqual({});
  });
});

describe("a kind", () => {
  it("is counted whatever word it is, also one that every JavaScript object knows", () => {
    const once = signal({ id: "1", kind: "constructor" });
    const twice = signal({ id: "2", kind: "constructor" });
    const lead = [once, twice].reduce(foldSignal, emptyLead);
    expect(Object.entries(lead.kinds).map(([kind, item]) => [kind, item.count])).toEqual([["constructor", 2]]);
  });
});
