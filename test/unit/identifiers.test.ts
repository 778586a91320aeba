/**
 * Which identifiers count, by the `identity` section of the policy. The addresses at real providers are nobody's we know; the
 * rules under test name those domains.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { SignalDraft } from "../../connectors/contract.ts";
import { defaultIdentityPolicy, type IdentityPolicy } from "../../src/decide/identity-policy.ts";
import type { Identifier } from "../../src/model.ts";
import { emailOf, leadOf } from "../../src/resolve/lead.ts";
import { canonicalMailbox } from "../../src/translate/mailbox.ts";
import { normaliseEmail } from "../../src/translate/normalise.ts";
import { toSignal } from "../../src/translate/signal.ts";
import { pick, seeded } from "../signals.ts";

const shared = fileURLToPath(new URL("../../../shared/fixtures/", import.meta.url).href);
const here = existsSync(shared);
const note = here ? "" : " (skipped: ../shared/fixtures is absent)";
const text = (path: string): string => (here ? readFileSync(`${shared}${path}`, "utf8") : "");

const origin = { workspace: "acme", emitter: "forms", receivedAt: 1_800_000_000_000 };
const user: Identifier = { type: "user_id", value: "u-1" };
const mail = (value: string): Identifier => ({ type: "email", value });
const policy = (part: Partial<IdentityPolicy> = {}): IdentityPolicy => ({ ...defaultIdentityPolicy, ...part });

function made(part: Partial<SignalDraft>, by: IdentityPolicy = policy()) {
  return toSignal({ id: "e1", kind: "form_submitted", identifiers: [], ...part }, origin, by);
}

function accepted(part: Partial<SignalDraft>, by?: IdentityPolicy) {
  const result = made(part, by);
  if (!result.ok) throw new Error(`not accepted: ${JSON.stringify(result.failure)}`);
  return result.value;
}

/** `type:value` of what counts. */
const counted = (identifiers: readonly Identifier[], by?: IdentityPolicy): string[] =>
  accepted({ identifiers }, by).identifiers.map(({ type, value }) => `${type}:${value}`);

function refusal(part: Partial<SignalDraft>, by?: IdentityPolicy) {
  const result = made(part, by);
  if (result.ok) throw new Error("accepted");
  return result.failure;
}

/* ------------------------------------------------------------------------------------------------ one mailbox */

describe("One mailbox is one identifier", () => {
  it.each([
    ["a.d.a.l@gmail.com", "adal@gmail.com", "Gmail ignores dots"],
    ["adal+demo@gmail.com", "adal@gmail.com", "Gmail ignores plus tags"],
    ["adal+a+b.c@gmail.com", "adal@gmail.com", "from the first plus sign on"],
    ["Ada.L+x@GoogleMail.com", "adal@gmail.com", "googlemail.com is gmail.com"],
    ["ada.+x@gmail.com", "ada@gmail.com", "a dot before the tag"],
    ["ada.l+x@fastmail.com", "ada.l@fastmail.com", "Fastmail ignores plus tags, and no dots"],
    ["ada.l+x@fastmail.fm", "ada.l@fastmail.fm", "under both of its documented domains, which stay two"],
    ["ada.l+x@proton.me", "ada.l@proton.me", "Proton ignores plus tags"],
    ["ada.l+x@protonmail.com", "ada.l@protonmail.com", "and its domains stay four"],
    ["ada.l+x@protonmail.ch", "ada.l@protonmail.ch", "and its domains stay four"],
    ["ada.l+x@pm.me", "ada.l@pm.me", "and its domains stay four"],
  ])("%s is %s: %s", (given, expected) => {
    expect(counted([mail(given)])).toEqual([`email:${expected}`]);
  });

  it.each([
    ["ada.l@example.com", "a company's dots are part of the name"],
    ["ada+l@example.com", "a company's plus tag may be another person"],
    ["ada.l+x@mail.gmail.com", "not the provider's domain, but below it"],
    ["ada.l+x@notgmail.com", "a domain that ends alike"],
    ["ada.l+x@gmail.com.example.com", "a domain that begins alike"],
    ["ada.l+x@gmail.co", "a slip of the pen is another domain"],
    ["ada.l+x@outlook.com", "no page of Microsoft's about consumers was found"],
    ["ada.l+x@icloud.com", "no page of Apple's was found"],
    ["ada-x@yahoo.com", "Yahoo's tags are made by hand"],
    ["x@ada.fastmail.com", "an address below the domain is left alone"],
    ["+x@gmail.com", "nothing would be left"],
    ["+x@googlemail.com", "nothing would be left, so the domain stays too"],
    ["ada.+x@proton.me", "what would be left is no address"],
  ])("%s stays as it is: %s", (given) => {
    expect(counted([mail(given)])).toEqual([`email:${given}`]);
  });

  it("also when it comes in two spellings", () => {
    expect(counted([mail("ada.l@gmail.com"), mail("adal+x@googlemail.com")])).toEqual(["email:adal@gmail.com"]);
    expect(counted([mail("ada.l@example.com"), mail("adal@example.com")])).toHaveLength(2);
  });

  it("unless the policy says that spellings are people", () => {
    expect(counted([mail("ada.l+x@gmail.com")], policy({ provider_rules: false }))).toEqual([
      "email:ada.l+x@gmail.com",
    ]);
  });

  it("and what stands for a placeholder is one", () => {
    expect(refusal({ identifiers: [mail("t.e.s.t+1@gmail.com")] }).reason).toBe("no_identifier");
    expect(counted([mail("t.e.s.t+1@gmail.com")], policy({ provider_rules: false }))).toHaveLength(1);
  });

  it("but of e-mail only: a user id that looks like an address is the product's own", () => {
    expect(counted([{ type: "user_id", value: "ada.l@gmail.com" }])).toEqual(["user_id:ada.l@gmail.com"]);
  });
});

describe("The address to write to", () => {
  it("keeps the spelling of the trait", () => {
    const signal = accepted({ traits: { email: "Ada.L+demo@gmail.com" } });
    expect(signal.identifiers).toEqual([mail("adal@gmail.com")]);
    expect(signal.traits).toEqual({ email: "ada.l+demo@gmail.com" });
    expect(emailOf(leadOf(signal))).toBe("ada.l+demo@gmail.com");
  });

  it("keeps the spelling of the identifier, where no trait tells the address", () => {
    const signal = accepted({ identifiers: [mail("Ada.L@gmail.com")], traits: { company: "Acme" } });
    expect(signal.traits).toEqual({ company: "Acme", email: "ada.l@gmail.com" });
    expect(emailOf(leadOf(signal))).toBe("ada.l@gmail.com");
  });

  it("is the trait's where both tell one", () => {
    const signal = accepted({ identifiers: [mail("ada.l@gmail.com")], traits: { email: "ada@example.com" } });
    expect(signal.traits.email).toBe("ada@example.com");
  });

  it("is the first that counts, where one of several changed its spelling", () => {
    expect(accepted({ identifiers: [mail("ada@example.com"), mail("a.l@gmail.com")] }).traits.email).toBe(
      "ada@example.com",
    );
    expect(accepted({ identifiers: [mail("a@mailinator.com"), mail("a.l@gmail.com")] }).traits.email).toBe(
      "a.l@gmail.com",
    );
  });

  it("is no new trait where the identifier already spells it", () => {
    expect(accepted({ identifiers: [mail("Ada@example.com")] }).traits).toEqual({});
    expect(accepted({ identifiers: [mail("adal@gmail.com")] }).traits).toEqual({});
  });
});

describe("Of any addresses,", () => {
  const random = seeded(7);
  const part = () => Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(random, ["a", "b", "+", "1"]));
  const local = () => [part(), ...(random() < 0.6 ? [part()] : [])].map((chars) => chars.join("")).join(".");
  const providers = ["gmail.com", "googlemail.com", "fastmail.com", "proton.me", "pm.me"] as const;
  const companies = ["example.com", "gmail.example.com", "fastmail.com.example.org", "xn--bcher-kva.example"] as const;

  it("a canonical one is its own canonical one, and an address still", () => {
    let changed = 0;
    for (let i = 0; i < 5_000; i++) {
      const given = `${local()}@${pick(random, [...providers, ...companies])}`;
      expect(normaliseEmail(given)).toBe(given);
      const once = canonicalMailbox(given);
      expect(canonicalMailbox(once), given).toBe(once);
      expect(normaliseEmail(once), given).toBe(once);
      if (once !== given) changed++;
    }
    expect(changed).toBeGreaterThan(1_000);
  });

  it("two different ones at companies never become one", () => {
    const given = new Set(Array.from({ length: 5_000 }, () => `${local()}@${pick(random, companies)}`));
    expect(given.size).toBeGreaterThan(1_000);
    expect(new Set([...given].map(canonicalMailbox)).size).toBe(given.size);
  });

  it("two at providers become one only if letters and digits before the plus sign agree", () => {
    const bare = (email: string) => email.replace(/[+@].*$/, "").replaceAll(".", "");
    for (let i = 0; i < 5_000; i++) {
      const [a, b] = [`${local()}@${pick(random, providers)}`, `${local()}@${pick(random, providers)}`];
      if (canonicalMailbox(a) === canonicalMailbox(b)) expect(bare(a), `${a} and ${b}`).toBe(bare(b));
    }
  });
});

describe.skipIf(!here)(`Foreign lists of domains${note}:`, () => {
  const free = here ? (JSON.parse(text("domains/free-email-domains.json")) as string[]) : [];

  it("of thousands of free mail providers, those whose pages were read have rules and no other", () => {
    const ruled = free.filter((domain) => canonicalMailbox(`ada.l+x@${domain}`) !== `ada.l+x@${domain}`);
    expect(free.length).toBeGreaterThan(4_000);
    expect(ruled.sort()).toEqual([
      "fastmail.com",
      "fastmail.fm",
      "gmail.com",
      "googlemail.com",
      "pm.me",
      "proton.me",
      "protonmail.ch",
      "protonmail.com",
    ]);
  });

  it("a policy may hold a public list of throw-away domains whole; a thousand signals take no time then", () => {
    const domains = text("domains/disposable_email_blocklist.conf").trim().split("\n");
    expect(domains.length).toBeGreaterThan(8_000);
    const by = policy({ disposable_domains: domains });
    const kept = domains.filter((domain) => made({ identifiers: [mail(`ada@${domain}`)] }, by).ok);
    expect(kept).toEqual([]);
    const begin = performance.now();
    for (let i = 0; i < 1_000; i++) expect(counted([mail(`ada${i}@example.com`)], by)).toHaveLength(1);
    expect(performance.now() - begin).toBeLessThan(1_000);
  });

  it("shared inboxes are identifiers here: what may be joined over them is not the door's business", () => {
    const roles = here ? (JSON.parse(text("domains/role-accounts.json")) as string[]) : [];
    const valid = roles.map((role) => `${role}@example.com`).filter((email) => normaliseEmail(email) === email);
    expect(valid.length).toBeGreaterThan(900);
    for (const email of valid) expect(counted([mail(email)])).toEqual([`email:${email}`]);
  });
});

/* ------------------------------------------------------------------------------------------- throw-away domains */

describe("An address at a throw-away domain", () => {
  it.each([
    ["ada@mailinator.com", "the domain"],
    ["Ada@MAILINATOR.com", "in any case"],
    ["ada@eu.mailinator.com", "a domain below it"],
    ["ada@a.b.mailinator.com", "further below"],
  ])("%s names nobody: %s", (value) => {
    expect(counted([mail(value), user])).toEqual(["user_id:u-1"]);
    expect(counted([mail(value), user], policy({ disposable_domains: [] }))).toHaveLength(2);
  });

  it.each([
    ["ada@notmailinator.com", "a domain that ends alike"],
    ["ada@mailinator.com.example.com", "a domain that begins alike"],
    ["mailinator.com@example.com", "the local part"],
    ["ada@example.com", "another"],
  ])("%s is none: %s", (value) => {
    expect(counted([mail(value)])).toEqual([`email:${value}`]);
  });

  it("is kept as a trait, whether it came as one or as an identifier", () => {
    expect(accepted({ identifiers: [user], traits: { Email: "Ada@mailinator.com" } }).traits).toEqual({
      email: "ada@mailinator.com",
    });
    expect(accepted({ identifiers: [user, mail("Ada@mailinator.com")] }).traits).toEqual({
      email: "ada@mailinator.com",
    });
  });

  it("does not take the place of an address that counts", () => {
    const signal = accepted({ identifiers: [mail("ada@mailinator.com"), mail("ada@example.com")] });
    expect(signal.traits).toEqual({});
    expect(emailOf(leadOf(signal))).toBe("ada@example.com");
  });

  it("is known however the list is written", () => {
    const by = policy({ disposable_domains: [" Throw-Away.EXAMPLE ", "bücher.example"] });
    expect(counted([mail("ada@throw-away.example"), mail("ada@xn--bcher-kva.example"), user], by)).toEqual([
      "user_id:u-1",
    ]);
  });

  it("never is every address: a top-level domain on the list means nothing", () => {
    expect(counted([mail("ada@example.com")], policy({ disposable_domains: ["com", ".com"] }))).toHaveLength(1);
  });

  it("is found at either of the domains of one mailbox", () => {
    for (const domain of ["gmail.com", "googlemail.com"]) {
      const by = policy({ disposable_domains: [domain] });
      expect(counted([mail("ada@googlemail.com"), user], by)).toEqual(["user_id:u-1"]);
    }
  });
});

/* ------------------------------------------------------------------------------------------------ blocked values */

describe("A blocked value", () => {
  it.each([
    ["of any type", { type: "loyalty_card", value: "WALK-IN" }],
    ["without case", { type: "user_id", value: "Walk-in" }],
    ["without the blanks around it", { type: "user_id", value: " walk-in " }],
    ["with an accent written in another way", { type: "user_id", value: "Jos\u00e9" }],
    ["as an address", mail("Kiosk@Example.com")],
    ["as another spelling of a mailbox", mail("k.iosk+7@googlemail.com")],
    ["as a phone number in another spelling", { type: "phone", value: "+16502530000" }],
    ["as a record of the CRM, as it was sent", { type: "salesforce_lead_id", value: "00Q5g00000AbCdE" }],
  ])("names nobody %s", (_how, identifier) => {
    const by = policy({
      blocked_values: [
        "walk-in",
        "kiosk@example.com",
        "Ki.osk@gmail.com",
        "+1 (650) 253-0000",
        "00Q5g00000AbCdE",
        "jose\u0301",
      ],
    });
    expect(counted([identifier, { type: "user_id", value: "u-2" }], by)).toEqual(["user_id:u-2"]);
    expect(counted([identifier, { type: "user_id", value: "u-2" }])).toHaveLength(2);
  });

  it.each([
    ["a value that contains it", { type: "user_id", value: "walk-in-7" }],
    ["a part of it", { type: "user_id", value: "walk" }],
    ["the same local part elsewhere", mail("kiosk@example.org")],
    ["a company's address with a plus tag", mail("kiosk+7@example.com")],
  ])("is not %s", (_what, identifier) => {
    const by = policy({ blocked_values: ["walk-in", "kiosk@example.com"] });
    expect(counted([identifier], by)).toHaveLength(1);
  });

  it("stays as a trait when it came as one, and becomes none when it did not", () => {
    const by = policy({ blocked_values: ["kiosk@example.com"] });
    expect(accepted({ identifiers: [user], traits: { email: "kiosk@example.com" } }, by).traits).toEqual({
      email: "kiosk@example.com",
    });
    expect(accepted({ identifiers: [user, mail("kiosk@example.com")] }, by).traits).toEqual({});
  });

  it("means what the policy at hand says, not an earlier one", () => {
    const card = { type: "loyalty_card", value: "7" };
    expect(made({ identifiers: [card] }, policy({ blocked_values: ["7"] })).ok).toBe(false);
    expect(made({ identifiers: [card] }, policy()).ok).toBe(true);
    expect(made({ identifiers: [card] }, policy({ blocked_values: ["7"] })).ok).toBe(false);
  });
});

/* --------------------------------------------------------------------------------------------- when none is left */

describe("When none is left, the operator reads", () => {
  it("that nothing was given", () => {
    expect(refusal({ traits: { company: "Acme" } })).toEqual({
      arm: "quarantined",
      reason: "no_identifier",
      detail: "Nothing in the event names a person.",
    });
  });

  it("what was given and why it does not count, each once and without any of it", () => {
    const identifiers: Identifier[] = [
      { type: "user_id", value: "undefined" },
      { type: "anonymous_id", value: "0000" },
      { type: "loyalty_card", value: "WALK-IN" },
      mail("Ada@Mailinator.com"),
    ];
    const by = policy({ blocked_values: ["walk-in"] });
    expect(refusal({ identifiers, traits: { email: "ada@mailinator.com" } }, by)).toEqual({
      arm: "quarantined",
      reason: "no_identifier",
      detail:
        "Identifiers were given, and none of them counts. Placeholders or impossible values: 2. In the policy's identity.blocked_values: 1. At one of the policy's identity.disposable_domains: 1.",
    });
  });

  it("only the reasons that there were", () => {
    expect(refusal({ traits: { email: "ada@mailinator.com" } }).detail).toBe(
      "Identifiers were given, and none of them counts. At one of the policy's identity.disposable_domains: 1.",
    );
  });
});
