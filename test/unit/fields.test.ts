/** Who may write what, which value holds, and what the engine owes to the CRMs. All people are example.com people. */
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/crypto.ts";
import { currentOf, type FieldView } from "../../src/decide/fields/current.ts";
import { conflictsOf, observe, reportsOf, settle } from "../../src/decide/fields/observe.ts";
import { defaultFieldPolicy, fieldPolicySchema, ownershipTable } from "../../src/decide/fields/policy.ts";
import { spelled } from "../../src/decide/fields/spelling.ts";
import {
  emptyFields,
  type FieldState,
  joinFields,
  type Observation,
  told,
  written,
} from "../../src/decide/fields/state.ts";
import { type FieldTarget, type FieldWrite, fightsOf, writesOwed } from "../../src/decide/fields/writes.ts";

const day = 86_400_000;
const noon = 20_000 * day + day / 2;
const steward = "steward@example.com";
const both = ["hubspot", "salesforce"];
const policy = fieldPolicySchema.parse({
  website: { owner: "shared", steward, kind: "url", writers: ["forms"], rule: "newest_wins", write_to: both },
  nickname: { owner: "shared", steward, writers: ["forms", "product"], rule: "ask", write_to: both },
  lead_score: {
    owner: "engine",
    steward,
    kind: "number",
    writers: ["engine"],
    rule: "owner_wins",
    write_to: both,
    deadband: 5,
  },
  stage: {
    owner: "engine",
    steward,
    kind: "choice",
    writers: ["billing"],
    rule: "highest_wins",
    order: ["lead", "trial", "customer"],
    write_to: ["hubspot"],
  },
  first_name: { owner: "human", steward, writers: ["forms"], rule: "owner_wins" },
});
const view: FieldView = { policy, own: {}, owners: { zapier: "zoe@example.com", hubspot: "hugo@example.com" } };
const hubspot: FieldTarget = { crm: "hubspot", account: "portal-1" };
const salesforce: FieldTarget = { crm: "salesforce", account: "org-1" };
const targets = [hubspot, salesforce];

const said = (part: Partial<Observation> & { readonly value: string }): Observation => ({
  field: "website",
  system: "forms",
  actor: "system",
  at: noon,
  key: `${part.system ?? "forms"}:${part.value}:${part.at ?? noon}`,
  ...part,
});
const inHubspot = { system: "hubspot", account: "portal-1", actor: "person" } as const;
const inSalesforce = { system: "salesforce", account: "org-1", actor: "person", attribution: "record" } as const;
const knowing = (...facts: readonly Observation[]) =>
  facts.reduce((state, fact) => observe(state, fact, view).state, emptyFields);
const value = (state: FieldState, field = "website", own: FieldView["own"] = {}) =>
  currentOf(state, { ...view, own }, field)?.winner.value;
const owed = (state: FieldState, own: FieldView["own"] = {}, now = noon) =>
  writesOwed(state, { ...view, own }, targets, now);
const shown = (writes: readonly FieldWrite[]) => writes.map((item) => `${item.field}=${item.value} → ${item.account}`);
const confirmed = (state: FieldState, write: FieldWrite | undefined, at: number, stored?: string): FieldState => {
  if (write === undefined) throw new Error("nothing is owed");
  const { key, field, account, value: text, version, provoked } = write;
  return written(state, {
    key,
    field,
    account,
    value: text,
    version,
    provoked,
    at,
    ...(stored === undefined ? {} : { stored }),
  });
};

describe("which value holds", () => {
  it("is the newest by event time, whichever arrives first", () => {
    const older = said({ value: "old.example.com", at: noon });
    const newer = said({ value: "new.example.com", at: noon + 1, system: "forms", key: "b" });
    expect(value(knowing(older, newer))).toBe("new.example.com");
    expect(value(knowing(newer, older))).toBe("new.example.com");
  });

  it("is a person's where both have the same instant", () => {
    const tool = said({ value: "tool.example.com" });
    const person = said({ value: "person.example.com", ...inHubspot });
    expect(value(knowing(tool, person))).toBe("person.example.com");
  });

  it("is what people typed in a field that people own, however new a tool's value is", () => {
    const person = said({ field: "first_name", value: "Ada", ...inHubspot });
    const tool = said({ field: "first_name", value: "ADA L", at: noon + 1 });
    expect(value(knowing(person, tool), "first_name")).toBe("Ada");
    expect(value(knowing(tool), "first_name")).toBe("ADA L");
  });

  it("is the engine's own in its own fields, until a person types a newer one", () => {
    const own = { lead_score: { value: "40", at: noon, key: "s1" } };
    const person = (at: number) => said({ field: "lead_score", value: "90", at, ...inHubspot });
    expect(value(knowing(person(noon - 1)), "lead_score", own)).toBe("40");
    expect(value(knowing(person(noon + 1)), "lead_score", own)).toBe("90");
  });

  it("is the highest since a person last spoke, and no older one", () => {
    const bill = (text: string, at: number) => said({ field: "stage", value: text, system: "billing", at });
    const person = said({ field: "stage", value: "lead", at: noon + 10, ...inHubspot });
    expect(value(knowing(bill("customer", noon), bill("trial", noon + 5)), "stage")).toBe("customer");
    expect(value(knowing(bill("customer", noon), person), "stage")).toBe("lead");
    expect(
      value(knowing(bill("trial", noon + 20), bill("lead", noon + 30), person, bill("customer", noon)), "stage"),
    ).toBe("trial");
  });

  it("is empty where a person cleared the field, and not where a tool knows nothing", () => {
    const known = said({ value: "a.example.com" });
    expect(value(knowing(known, said({ value: " ", at: noon + 1 })))).toBe("a.example.com");
    expect(value(knowing(known, said({ value: "", at: noon + 1, ...inHubspot })))).toBe("");
  });
});

describe("a write by somebody who may not", () => {
  const zapier = said({ value: "spam.example.com", system: "zapier" });

  it("is not taken, and both owners are told once a day", () => {
    const { state, effect } = observe(emptyFields, zapier, view);
    expect(effect).toEqual({ type: "rejected" });
    expect(value(state)).toBeUndefined();
    const [report, ...more] = reportsOf(state, view);
    expect(more).toEqual([]);
    expect(report).toMatchObject({
      system: "zapier",
      day: 20_000,
      to: [steward, "zoe@example.com"],
      stays: false,
      text: "zapier wrote website, which only people and forms write. The value was not taken.",
    });
    const later = observe(state, { ...zapier, at: noon + 1, key: "again" }, view).state;
    expect(reportsOf(later, view).map(({ key }) => key)).toEqual([report?.key]);
    if (report === undefined) throw new Error("nothing to tell");
    expect(reportsOf(told(later, report), view)).toEqual([]);
    const tomorrow = observe(told(later, report), { ...zapier, at: noon + day, key: "tomorrow" }, view).state;
    expect(reportsOf(tomorrow, view).map((item) => item.day)).toEqual([20_001]);
  });

  it("stays all the same where it is a person's, and is reported", () => {
    const state = knowing(said({ field: "lead_score", value: "90", ...inHubspot }));
    expect(value(state, "lead_score")).toBe("90");
    expect(reportsOf(state, view)).toMatchObject([
      {
        stays: true,
        to: [steward, "hugo@example.com"],
        text: "A person in hubspot wrote lead_score, which is the engine's own. The value stays until the field changes again.",
      },
    ]);
  });

  it("is nothing to report where whoever did it may", () => {
    expect(
      reportsOf(knowing(said({ value: "a.example.com" }), said({ value: "b.example.com", ...inHubspot })), view),
    ).toEqual([]);
  });

  it("is put right in the CRM, three times a day, and then a person is asked to look", () => {
    let state = knowing(said({ value: "w.example.com", ...inHubspot }));
    state = confirmed(state, owed(state)[0], noon + 1_000);
    for (let round = 1; round <= 3; round++) {
      const at = noon + round * 3_600_000;
      state = observe(state, said({ value: `bot${round}.example.com`, ...inHubspot, actor: "system", at }), view).state;
      const [write] = owed(state, {}, at);
      expect(write).toMatchObject({ value: "w.example.com", account: "portal-1", restores: true, provoked: true });
      state = confirmed(state, write, at + 1_000);
    }
    const at = noon + 4 * 3_600_000;
    state = observe(state, said({ value: "bot4.example.com", ...inHubspot, actor: "system", at }), view).state;
    expect(owed(state, {}, at)).toEqual([]);
    expect(fightsOf(state, view, targets, at)).toMatchObject([
      {
        field: "website",
        account: "portal-1",
        held: { value: "bot4.example.com" },
        until: noon + 3_600_000 + 1_000 + day,
        to: [steward, "hugo@example.com"],
      },
    ]);
    expect(shown(owed(state, {}, noon + 2 * day))).toEqual(["website=w.example.com → portal-1"]);
  });
});

describe("what the engine owes", () => {
  it("is nothing in a field that people own", () => {
    expect(owed(knowing(said({ field: "first_name", value: "Ada", ...inHubspot })))).toEqual([]);
  });

  it("is nothing there even where a policy that was never checked asks for it", () => {
    const unchecked = { ...policy, first_name: { ...policy.first_name, write_to: both } } as FieldView["policy"];
    const state = knowing(said({ field: "first_name", value: "Ada", ...inHubspot }));
    expect(writesOwed(state, { ...view, policy: unchecked }, targets, noon)).toEqual([]);
  });

  it("is nothing after the tenth write, because the latest ones are remembered", () => {
    let state = emptyFields;
    for (let round = 1; round <= 10; round++) {
      const at = noon + round * 3_600_000;
      const own = { lead_score: { value: String(round * 10), at, key: `s${round}` } };
      expect(owed(state, own, at)).toHaveLength(2);
      for (const write of owed(state, own, at)) state = confirmed(state, write, at + 1_000);
      expect(owed(state, own, at + 2_000)).toEqual([]);
    }
  });

  it("is its own value in every CRM, and again only when it moved by enough", () => {
    const own = (text: string, at: number) => ({ lead_score: { value: text, at, key: `s${at}` } });
    let state = emptyFields;
    expect(shown(owed(state, own("40", noon)))).toEqual(["lead_score=40 → portal-1", "lead_score=40 → org-1"]);
    for (const write of owed(state, own("40", noon))) state = confirmed(state, write, noon + 1_000);
    expect(owed(state, own("44", noon + 2_000))).toEqual([]);
    expect(shown(owed(state, own("45", noon + 2_000)))).toEqual(["lead_score=45 → portal-1", "lead_score=45 → org-1"]);
  });

  it("is what a person changed in one CRM, once, in the other; our own echo leads to nothing", () => {
    let state = knowing(said({ value: "https://New.example.com/", ...inHubspot }));
    const [write, ...more] = owed(state);
    expect(more).toEqual([]);
    expect(write).toMatchObject({
      account: "org-1",
      value: "https://New.example.com/",
      expected: null,
      restores: false,
    });
    state = confirmed(state, write, noon + 1_999, "new.example.com");
    expect(owed(state)).toEqual([]);
    const echo = said({ value: "new.example.com", ...inSalesforce, actor: "engine", at: noon + 1_999 });
    expect(observe(state, echo, view).effect).toEqual({ type: "echo" });
    // Salesforce names whoever touched the record last.
    const somebodyElse = said({ value: "new.example.com", ...inSalesforce, at: noon + 60_000 });
    expect(observe(state, somebodyElse, view).effect).toEqual({ type: "echo" });
    expect(owed(observe(state, somebodyElse, view).state)).toEqual([]);
  });

  it("has one name for one write, however often it is asked for, and another one for another value", () => {
    const first = owed(knowing(said({ value: "a.example.com" })));
    expect(owed(knowing(said({ value: "a.example.com" }))).map(({ key }) => key)).toEqual(first.map(({ key }) => key));
    const second = owed(knowing(said({ value: "a.example.com" }), said({ value: "b.example.com", at: noon + 1 })));
    expect(new Set([...first, ...second].map(({ key }) => key)).size).toBe(4);
  });

  it("is a person's value once where our write landed on it in a race", () => {
    let state = knowing(said({ value: "form.example.com" }));
    const [write] = owed(state);
    state = confirmed(state, write, noon + 2_000);
    state = observe(state, said({ value: "mine.example.com", ...inHubspot, at: noon + 1_000 }), view).state;
    const back = owed(state).find(({ account }) => account === "portal-1");
    expect(back).toMatchObject({
      value: "mine.example.com",
      expected: "form.example.com",
      restores: true,
      provoked: false,
    });
    state = confirmed(state, back, noon + 3_000);
    const echo = said({ value: "mine.example.com", ...inHubspot, actor: "engine", at: noon + 3_000 });
    expect(shown(owed(observe(state, echo, view).state))).toEqual(["website=mine.example.com → org-1"]);
  });

  it("takes a value that our own later write to the record hides for a person's", () => {
    let state = knowing(said({ value: "form.example.com" }));
    state = confirmed(state, owed(state)[1], noon + 999, "form.example.com");
    const hidden = said({ value: "typed.example.com", ...inSalesforce, actor: "engine", at: noon + 9_999 });
    state = observe(state, hidden, view).state;
    expect(value(state)).toBe("typed.example.com");
  });

  it("is nothing more after a burst of writes that nobody types", () => {
    let state = emptyFields;
    for (let round = 0; round < 8; round++) {
      const at = noon + round * 10_000;
      state = observe(state, said({ value: `v${round}.example.com`, ...inHubspot, at }), view).state;
      state = confirmed(state, owed(state, {}, at)[0], at + 1_000);
    }
    const at = noon + 90_000;
    state = observe(state, said({ value: "v9.example.com", ...inHubspot, at }), view).state;
    expect(owed(state, {}, at)).toEqual([]);
    expect(shown(owed(state, {}, noon + 1_000 + 600_000))).toEqual(["website=v9.example.com → org-1"]);
  });
});

describe("a question", () => {
  const forms = said({ field: "nickname", value: "Al" });
  const product = said({ field: "nickname", value: "Bo", system: "product", at: noon + 1 });

  it("is put to the steward where two systems differ, and meanwhile nothing is written", () => {
    const { state, effect } = observe(knowing(forms), product, view);
    expect(effect).toMatchObject({ type: "conflict", conflict: { field: "nickname", to: steward } });
    expect(conflictsOf(state, view)[0]?.versions.map((item) => item.value)).toEqual(["Al", "Bo"]);
    expect(owed(state)).toEqual([]);
  });

  it("is none where they agree, or where a person has spoken since", () => {
    expect(conflictsOf(knowing(forms, { ...product, value: " Al" }), view)).toEqual([]);
    expect(
      conflictsOf(knowing(forms, product, said({ field: "nickname", value: "Cy", at: noon + 2, ...inHubspot })), view),
    ).toEqual([]);
  });

  it("is settled by keeping one or giving another, and the word is a person's", () => {
    const state = knowing(forms, product);
    const [conflict] = conflictsOf(state, view);
    if (conflict === undefined) throw new Error("nothing was asked");
    const bo = conflict.versions[1]?.version ?? "";
    const kept = settle(conflict, { keep: bo }, steward, noon - 5);
    if (kept === undefined) throw new Error("not settled");
    const next = observe(state, kept, view).state;
    expect(conflictsOf(next, view)).toEqual([]);
    expect(shown(owed(next))).toEqual(["nickname=Bo → portal-1", "nickname=Bo → org-1"]);
    expect(reportsOf(next, view)).toEqual([]);
    expect(settle(conflict, { value: "Di" }, steward, noon + 9)).toMatchObject({
      value: "Di",
      actor: "person",
      by: steward,
    });
    expect(settle(conflict, { keep: "fv_unknown" }, steward, noon)).toBeUndefined();
  });
});

describe("the state", () => {
  const facts = [
    said({ value: "a.example.com" }),
    said({ value: "b.example.com", ...inHubspot, at: noon + 5 }),
    said({ value: "c.example.com", system: "zapier", at: noon + 3 }),
    said({ field: "stage", value: "customer", system: "billing" }),
    said({ field: "stage", value: "lead", system: "billing", at: noon + 4 }),
  ];

  it("is the same bytes in any order, doubled, and joined from halves", () => {
    const wanted = canonicalJson(knowing(...facts));
    expect(canonicalJson(knowing(...facts.toReversed(), ...facts))).toBe(wanted);
    expect(canonicalJson(joinFields(knowing(...facts.slice(2)), knowing(...facts.slice(0, 3))))).toBe(wanted);
    expect(canonicalJson(knowing(...facts.slice(1)))).not.toBe(wanted);
  });

  it("does not grow with the number of changes", () => {
    const many = Array.from({ length: 500 }, (_, index) =>
      said({ value: `v${index}.example.com`, ...inHubspot, at: noon + index }),
    );
    expect(knowing(...many).fields.website?.seen["hubspot|portal-1|person"]).toHaveLength(4);
  });

  it("says that a field is not looked at, and keeps nothing of it", () => {
    const { state, effect } = observe(emptyFields, said({ field: "constructor", value: "x" }), view);
    expect([state, effect]).toEqual([emptyFields, { type: "none", reason: "unlisted" }]);
  });
});

describe("two spellings of one value", () => {
  it.each([
    ["number", "5", "5.0", "5.1"],
    ["email", " Ada@Example.com", "ada@example.com", "ada+1@example.com"],
    ["phone", "+1 650-253-0000", "+16502530000", "+16502530001"],
    ["url", "https://Example.com/", "example.com", "example.com/a"],
    ["choice", "Sales Ready", "sales_ready", "sales"],
    ["instant", "2026-11-23T10:00:00.250Z", "2026-11-23T10:00:00Z", "2026-11-23T10:00:01Z"],
    ["text", " Ada  L ", "Ada L", "ada l"],
  ] as const)("of a %s are one: “%s” and “%s”, but not “%s”", (kind, one, same, other) => {
    expect(spelled(kind, one)).toBe(spelled(kind, same));
    expect(spelled(kind, one)).not.toBe(spelled(kind, other));
  });
});

describe("the policy of fields", () => {
  const field = { owner: "shared", steward, writers: ["forms"], rule: "newest_wins" };
  const refusalOf = (part: object) => {
    const answer = fieldPolicySchema.safeParse({ x: { ...field, ...part } });
    return answer.success ? [] : answer.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  };

  it("is accepted as the default says it, and published as a table", () => {
    expect(fieldPolicySchema.safeParse(defaultFieldPolicy(steward)).success).toBe(true);
    const table = ownershipTable(defaultFieldPolicy(steward));
    expect(table).toHaveLength(17);
    expect(table.find((row) => row.field === "lead_score")).toEqual({
      field: "lead_score",
      owner: "engine",
      may_write: ["engine"],
      rule: "The engine's value, unless a person's is newer.",
      steward,
      carried_to: both,
    });
    expect(table.find((row) => row.field === "email")).toMatchObject({
      owner: "human",
      may_write: ["everybody"],
      carried_to: [],
    });
  });

  it.each([
    [{ rule: "ask", steward: undefined }, "x.steward: The rule is to ask, and there is no steward who could be asked."],
    [
      { rule: "highest_wins" },
      "x.order: Only numbers have a highest value by themselves: list the values, lowest first.",
    ],
    [{ order: ["a", "b"] }, "x.order: An order is only looked at where the highest wins."],
    [{ rule: "highest_wins", kind: "choice", order: ["a", "A "] }, "x.order: A value stands twice in the order."],
    [
      { owner: "human", write_to: ["hubspot"] },
      "x.write_to: The engine never writes a field that people own: make it shared, or carry it nowhere.",
    ],
    [{ owner: "human", writers: ["engine"] }, "x.writers: The engine never writes a field that people own."],
    [
      { rule: "owner_wins" },
      "x.rule: A shared field has no owner who could win: choose newest_wins, highest_wins or ask.",
    ],
    [
      { owner: "engine", writers: ["*"] },
      "x.writers: What everybody may write is not the engine's own: make it shared.",
    ],
    [{ writers: ["*", "forms"] }, "x.writers: “*” means everybody already."],
    [{ writers: ["forms", "forms"] }, "x.writers: A system is named twice."],
    [{ write_to: ["hubspot", "hubspot"] }, "x.write_to: A CRM is named twice."],
    [{ deadband: 2 }, "x.deadband: Only a number can move by too little."],
  ])("is refused with the path and a sentence: %j", (part, sentence) => {
    expect(refusalOf(part)).toEqual([sentence]);
  });

  it("is accepted where nothing is wrong, and refuses what it does not know", () => {
    expect(refusalOf({})).toEqual([]);
    expect(refusalOf({ rule: "highest_wins", kind: "number" })).toEqual([]);
    expect(refusalOf({ onwer: "human" })).toHaveLength(1);
    expect(fieldPolicySchema.safeParse({ "Not a name": field }).success).toBe(false);
    const many = Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`f${index}`, field]));
    expect(fieldPolicySchema.safeParse(many).error?.issues[0]?.message).toBe(
      "A workspace has at most 200 fields with an owner.",
    );
  });
});
