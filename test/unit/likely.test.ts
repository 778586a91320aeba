/** Which leads are compared, by what, and what needs no asking. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { inTurn, stretchOf } from "../../src/ledger/likely.ts";
import { cronEveryMs, likelyEveryMs } from "../../src/limits.ts";
import { likelyDuplicates } from "../../src/resolve/likeness/duplicates.ts";
import { isComparable, type LeadText, leadLikenessFields, recordOf } from "../../src/resolve/likeness/records.ts";
import { proposalId, proposalIds, standingOf } from "../../src/resolve/likeness/standing.ts";
import { type Apart, newRoot, type Root } from "../../src/resolve/node.ts";
import { strangers } from "../strangers.ts";

const rules = { roleAccounts: new Set(["info", "sales"]), freeMail: new Set(["gmail.com"]) };

function lead(part: Partial<LeadText>): LeadText {
  const nothing = { email: null, first_name: null, last_name: null, company: null, account_name: null };
  const more = { account_domain: null, website: null, phone: null, job_title: null, country: null };
  return { id: "acme/1", ...nothing, ...more, ...part };
}

const valuesOf = (part: Partial<LeadText>) => recordOf(lead(part), rules).values;

describe("what of a lead is compared", () => {
  it.each<[string, Partial<LeadText>, string | null]>([
    [
      "the account's domain before any other",
      { account_domain: "acme.example.com", email: "a@b.example.com" },
      "acme.example.com",
    ],
    ["the website's host without www and path", { website: "https://www.acme.example.com/de?x=1" }, "acme.example.com"],
    ["the address's domain where nothing else is known", { email: "Ada@Acme.example.com" }, "acme.example.com"],
    ["no domain of a free mailbox", { email: "ada@gmail.com" }, null],
    ["no domain of a website that is none", { website: "localhost" }, null],
  ])("the firm's domain: %s", (_, part, domain) => {
    expect(valuesOf(part).domain).toBe(domain);
  });

  it.each<[string, string | null]>([
    ["blue.otter@example.com", "blue.otter"],
    ["Otter7+news@example.com", "otter7"],
    ["info@example.com", null],
    ["sales+de@example.com", null],
    ["ada@example.com", null],
    ["ada.lovelace@example.com", null],
    ["lovelace-ada@example.com", null],
    ["alovelace@example.com", null],
    ["a.lovelace2@example.com", null],
    ["al@example.com", null],
  ])(
    "the mailbox of %s of Ada Lovelace is %s: never an inbox of many, never what the names say already",
    (email, mailbox) => {
      expect(valuesOf({ email, first_name: "Ada", last_name: "Lovelace" }).mailbox).toBe(mailbox);
    },
  );

  it("the names are read from the mailbox where nobody gave them, and only from two plain words", () => {
    expect(valuesOf({ email: "ada.lovelace@example.com" })).toMatchObject({
      first_name: "ada",
      last_name: "lovelace",
      mailbox: null,
    });
    expect(valuesOf({ email: "otter77@example.com" })).toMatchObject({ first_name: null, mailbox: "otter77" });
    expect(valuesOf({ email: "ada.lovelace@example.com", first_name: "Grace" })).toMatchObject({
      first_name: "Grace",
      last_name: null,
    });
  });

  it("the company is the one a person gave, else the account's", () => {
    expect(valuesOf({ company: "Acme", account_name: "Acme Inc" }).company).toBe("Acme");
    expect(valuesOf({ account_name: "Acme Inc" }).company).toBe("Acme Inc");
  });

  it("a lead of whom only the firm is known is like every colleague, and is left out", () => {
    const comparable = (part: Partial<LeadText>) => isComparable(recordOf(lead(part), rules));
    expect(comparable({ email: "info@acme.example.com", company: "Acme" })).toBe(false);
    expect(comparable({ first_name: "Ada", company: "Acme" })).toBe(false);
    expect(comparable({ last_name: "Lovelace" })).toBe(true);
    expect(comparable({ email: "otter77@example.com" })).toBe(true);
  });
});

describe("pairs of leads", () => {
  const probabilityOf = (one: Partial<LeadText>, other: Partial<LeadText>): number => {
    const pair = [lead({ ...one, id: "one" }), lead({ ...other, id: "two" })];
    const records = [...strangers(300), ...pair].map((item) => recordOf(item, rules));
    const { pairs } = likelyDuplicates(records, leadLikenessFields, { probabilityMin: 0 });
    return pairs.find(({ a, b }) => a === "one" && b === "two")?.probability ?? 0;
  };
  const robert = {
    first_name: "Robert",
    last_name: "Lindqvist",
    company: "Maple Works",
    email: "robert.lindqvist@maple.example.com",
  };

  it("a nickname at the same firm is likely", () => {
    const bob = {
      first_name: "Bob",
      last_name: "Lindqvist",
      company: "Maple Works Ltd",
      email: "bob77@maple.example.com",
    };
    expect(probabilityOf(robert, bob)).toBeGreaterThan(0.9);
  });

  it("namesakes at different firms are not, nor with mailboxes that spell their name", () => {
    const other = { ...robert, company: "Oak Works", email: "robert.lindqvist@oak.example.com" };
    expect(probabilityOf(robert, other)).toBeLessThan(0.3);
  });

  it("colleagues are not", () => {
    const other = { ...robert, first_name: "Hanna", last_name: "Moser", email: "hanna.moser@maple.example.com" };
    expect(probabilityOf(robert, other)).toBeLessThan(0.05);
  });
});

describe("what identity knows of two", () => {
  const person = (name: string, part: Partial<Root> = {}): Root => ({ ...newRoot(name, "acme"), ...part });
  const refusal = (node: string, state: Apart["state"]): Apart => ({
    from: "acme/a",
    node,
    identifier: { type: "phone", value: "+4930123456" },
    other: node,
    reason: "shared_phone",
    by: "signal",
    at: 1,
    state,
    ...(state === "kept_apart" ? { settled_by: "sam@example.com" } : {}),
  });

  it("two of whom nothing is known are asked about", () => {
    expect(standingOf(person("acme/a"), person("acme/b"))).toEqual({ arm: "unknown" });
  });

  it("a refused link is known whichever of the two has it, and when it names a member", () => {
    const b = person("acme/b", { members: ["acme/m"] });
    const a = person("acme/a", { apart: [refusal("acme/m", "open")] });
    expect(standingOf(a, b)).toEqual({ arm: "apart", state: "open", by: null });
    expect(standingOf(b, a)).toEqual({ arm: "apart", state: "open", by: null });
    expect(standingOf(person("acme/a", { apart: [refusal("acme/x", "open")] }), b)).toEqual({ arm: "unknown" });
  });

  it("a person's word counts more than a question that is open", () => {
    const a = person("acme/a", { apart: [refusal("acme/m", "open"), refusal("acme/b", "kept_apart")] });
    expect(standingOf(a, person("acme/b", { members: ["acme/m"] }))).toEqual({
      arm: "apart",
      state: "kept_apart",
      by: "sam@example.com",
    });
  });

  it("two who share an identifier are linked by it, and nobody is asked", () => {
    const { lead: empty } = person("acme/a");
    const known = { ...empty, identifiers: { "user_id:7": { type: "user_id", value: "7", first_at: 1 } } };
    expect(standingOf(person("acme/a", { lead: known }), person("acme/b", { lead: known }))).toEqual({
      arm: "linking",
    });
    expect(standingOf(person("acme/a", { lead: known }), person("acme/b"))).toEqual({ arm: "unknown" });
  });

  it("a proposal has one id whoever is named first, and is found again under every name the two had", () => {
    expect(proposalId("acme/b", "acme/a")).toBe(proposalId("acme/a", "acme/b"));
    expect(proposalId("acme/a", "acme/c")).not.toBe(proposalId("acme/a", "acme/b"));
    const ids = proposalIds(person("acme/a", { absorbed: { "acme/x": 4 } }), person("acme/b"));
    expect(ids).toEqual([proposalId("acme/a", "acme/b"), proposalId("acme/x", "acme/b")]);
  });
});

describe("whose turn it is", () => {
  const workspaces = Array.from({ length: 200 }, (_, at) => `w${at}`);
  const hour = (start: number) =>
    Array.from({ length: likelyEveryMs / cronEveryMs }, (_, run) => inTurn(workspaces, start + run * cronEveryMs));

  it("every workspace once an hour, in an order that changes with the hour", () => {
    const [first, second] = [hour(0), hour(likelyEveryMs)];
    expect(first.flat().sort()).toEqual([...workspaces].sort());
    expect(second.map((run) => [...run].sort())).toEqual(first.map((run) => [...run].sort()));
    expect(second).not.toEqual(first);
  });

  it("the cron runs as often as the turns assume", () => {
    expect(readFileSync("wrangler.toml", "utf8")).toContain(`crons = ["*/${cronEveryMs / 60_000} * * * *"]`);
  });

  it("a long list is gone through part by part, and begins again", () => {
    const list = [1, 2, 3, 4, 5];
    expect([0, 1, 2, 3].map((turn) => stretchOf(list, turn, 2))).toEqual([[1, 2], [3, 4], [5], [1, 2]]);
    expect(stretchOf([], 7, 2)).toEqual([]);
  });
});
