/** Fields of which tools say different things, where the policy's rule is to ask somebody. */
import { describe, expect, it } from "vitest";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import type { FieldOwnership } from "../../src/decide/fields/policy.ts";
import type { Policy } from "../../src/decide/policy.ts";
import { projectionOf } from "../../src/ledger/rows.ts";
import type { Signal } from "../../src/model.ts";
import { settleException } from "../../src/resolve/answers.ts";
import { toBeErased } from "../../src/resolve/erase.ts";
import { closedQuestions, joinQuestions, questionsOf, withFieldQuestions } from "../../src/resolve/field-questions.ts";
import { emptyLead, foldSignal } from "../../src/resolve/lead.ts";
import type { Root } from "../../src/resolve/node.ts";
import { signal } from "../signals.ts";
import { rootOf } from "../states.ts";

const steward = "kim@example.com";
const asks: FieldOwnership = {
  owner: "shared",
  steward,
  kind: "text",
  writers: ["forms", "billing"],
  rule: "ask",
  write_to: ["hubspot"],
};
const standard = defaultPolicy(["sam@example.com"]);
const policyOf = (field: Partial<FieldOwnership> = {}): Policy => ({
  ...standard,
  fields: { ...standard.fields, company: { ...asks, ...field } },
});

function says(emitter: string, company: string, at: number, part: Partial<Signal> = {}): Signal {
  return signal({ id: `${at}`, emitter, occurred_at: at, kind: "identified", traits: { company }, ...part });
}
const inCrm = { identifiers: [{ type: "hubspot_contact_id", value: "501" }] };
const form = says("forms", "Analytical Engines", 1_000);
const bill = says("billing", "Difference Engines", 2_000);
const person = (signals: readonly Signal[], part: Partial<Root> = {}) =>
  rootOf("acme/ada", { version: 5, lead: signals.reduce(foldSignal, emptyLead), ...part });
const looked = (root: Root, policy = policyOf(), now = 9_000) => withFieldQuestions(root, policy, now);
const open = (root: Root) =>
  questionsOf(root)
    .filter(({ closed_in }) => closed_in === undefined)
    .map(({ field, options }) => [field, ...options.map(({ system, value }) => `${system}: ${value}`)]);
const told = (root: Root, ...signals: readonly Signal[]): Root => ({
  ...root,
  lead: signals.reduce(foldSignal, root.lead),
});

describe("a field of which two tools say different things", () => {
  it("is put before its steward, what was there first at the top", () => {
    const root = looked(person([form, bill]));
    expect(open(root)).toEqual([["company", "forms: Analytical Engines", "billing: Difference Engines"]]);
    expect(questionsOf(root)).toMatchObject([{ steward, raised_at: 9_000 }]);
    expect(root.version).toBe(6);
    expect(looked(root)).toBe(root);
  });

  it("is one exception of the steward's in the ledger, with the values and where they come from", () => {
    const root = looked(person([form, bill]));
    const [row] = projectionOf(root, [], policyOf(), 9_000).exceptions;
    expect(row).toMatchObject({ reason: "field_conflict", owner: steward, state: "open", lead: "acme/ada" });
    expect(JSON.parse(row?.document ?? "")).toMatchObject({
      field: "company",
      options: [
        { system: "forms", value: "Analytical Engines", at: 1_000 },
        { system: "billing", value: "Difference Engines", at: 2_000 },
      ],
    });
  });

  it("is not asked about where they mean the same, where one of them may not write it, or under another rule", () => {
    expect(looked(person([form, says("billing", " Analytical  Engines", 2_000)]))).toMatchObject({ version: 5 });
    expect(open(looked(person([form, bill]), policyOf({ writers: ["forms"] })))).toEqual([]);
    expect(open(looked(person([form, bill]), policyOf({ rule: "newest_wins" })))).toEqual([]);
    expect(open(looked(person([form])))).toEqual([]);
  });

  it("stands as a person in a CRM wrote it, and a tool that says something else later is a question", () => {
    const typed = says("crm", "Engines Ltd", 3_000, inCrm);
    expect(open(looked(person([form, bill, typed])))).toEqual([]);
    const later = says("forms", "Analytical Engines Inc", 4_000);
    expect(open(looked(person([form, bill, typed, later])))).toEqual([
      ["company", "hubspot: Engines Ltd", "forms: Analytical Engines Inc"],
    ]);
  });

  it("is asked about anew when another value comes, and the old question is overtaken", () => {
    const first = looked(person([form, bill]));
    const next = looked(told(first, says("billing", "Bills Ltd", 3_000)));
    expect(open(next)).toEqual([["company", "forms: Analytical Engines", "billing: Bills Ltd"]]);
    const states = projectionOf(next, [], policyOf(), 9_000).exceptions.map(({ state }) => state);
    expect(states).toEqual(["closed", "open"]);
    const [old, asked] = questionsOf(next);
    expect(old?.id).not.toBe(asked?.id);
    // Once the ledger shows it closed, it is forgotten.
    const shown: Root = { ...next, projected: { version: next.version, seq: 0 } };
    expect(questionsOf(looked(told(shown, says("billing", "More Bills", 4_000)))).map(({ id }) => id)).not.toContain(
      old?.id,
    );
  });

  it("is settled by the answer, a word newer than all others, until something newer is said", () => {
    const root = looked(person([form, bill]));
    const answer = says("baton/answer", "Engines & Co", 2_500);
    const answered = looked(told(root, answer));
    expect(open(answered)).toEqual([]);
    expect(open(looked(told(answered, says("forms", "Others Ltd", 3_000))))).toEqual([
      ["company", "baton/answer: Engines & Co", "forms: Others Ltd"],
    ]);
  });
});

describe("the answer to it", () => {
  const asked = looked(person([form, bill]));
  const id = questionsOf(asked)[0]?.id ?? "";
  const speaker = { by: "sam@example.com", at: 10_000 };
  const choose = { choice: "choose", value: "Engines & Co" } as const;
  const settle = (root: Root, way: Parameters<typeof settleException>[2]) =>
    settleException(root, id, way, speaker, []);
  const ok = (answered: ReturnType<typeof settle>): Root => {
    if (answered.arm !== "ok") throw new Error(JSON.stringify(answered));
    return answered.root;
  };

  it("closes it, says who chose what, and changes nothing when it is given twice", () => {
    const chosen = ok(settle(asked, choose));
    expect(open(chosen)).toEqual([]);
    const [row] = projectionOf(chosen, [], policyOf(), 9_000).exceptions;
    expect(row?.state).toBe("closed");
    expect(JSON.parse(row?.document ?? "")).toMatchObject({
      how: "chosen",
      note: "Engines & Co",
      settled_by: "sam@example.com",
    });
    expect(ok(settle(chosen, choose))).toBe(chosen);
  });

  it("is kept with a question that its own signal has closed already", () => {
    const overtaken = looked(told(asked, says("baton/answer", "Engines & Co", 2_500)));
    expect(ok(settle(overtaken, choose)).said[id]?.settled).toMatchObject({ how: "chosen", note: "Engines & Co" });
  });

  it("may be that nobody wants to know: of the same words nobody is asked again", () => {
    const dismissed = ok(settle(asked, { choice: "dismiss", reason: "either will do" }));
    expect(open(looked({ ...dismissed, projected: { version: 99, seq: 0 } }))).toEqual([]);
    expect(settle(dismissed, choose)).toEqual({ arm: "refused", detail: "This is settled already: dismissed." });
  });

  it("may wait with somebody who takes it over; it cannot be approved, retried or given away", () => {
    const taken = ok(settle(asked, { choice: "take", to: "kim@example.com", due_in_ms: 1_000 }));
    expect(taken.said[id]?.taken).toEqual({ by: "kim@example.com", at: 10_000 });
    const detail = "Choose one of the values or give another; or take the question over, or dismiss it.";
    expect(settle(asked, { choice: "approve" })).toEqual({ arm: "refused", detail });
    expect(settle(asked, { choice: "retry" })).toEqual({ arm: "refused", detail });
    expect(settle(asked, { choice: "reassign", to: "kim@example.com" })).toEqual({ arm: "refused", detail });
  });

  it("comes too late where something newer was said, and to dismiss it is nothing any more", () => {
    const overtaken = looked(told(asked, says("billing", "Bills Ltd", 3_000)));
    expect(settle(overtaken, { choice: "dismiss", reason: "no" })).toEqual({
      arm: "refused",
      detail: "It is asked no more: something newer was said of this field.",
    });
  });
});

describe("a question about a field of people who are merged or erased", () => {
  it("is both of theirs until they are looked at as one, and what is closed is shown closed once more", () => {
    const one = looked(person([form, bill]));
    const [question] = questionsOf(one);
    if (question === undefined) throw new Error("none");
    const other = person([], { questions: [{ ...question, id: "ex_2", closed_in: 3 }] });
    expect(joinQuestions(one, other, 20)).toEqual({
      questions: [question, { ...question, id: "ex_2", closed_in: 20 }],
    });
    expect(joinQuestions(person([]), person([]), 20)).toEqual({});
  });

  it("that a late state of one of them brings again is one, and is closed where either of them knows it closed", () => {
    const one = looked(person([form, bill]));
    const [question] = questionsOf(one);
    if (question === undefined) throw new Error("none");
    const closed = person([], { questions: [{ ...question, closed_in: 3 }] });
    expect(joinQuestions(one, one, 20)).toEqual({ questions: [question] });
    expect(joinQuestions(one, closed, 20)).toEqual({ questions: [{ ...question, closed_in: 20 }] });
    expect(joinQuestions(closed, one, 20)).toEqual({ questions: [{ ...question, closed_in: 20 }] });
  });

  it("is nobody's any more after an erasure, and no value stays in it", () => {
    const root = looked(person([form, bill]));
    const erased = toBeErased(root, { id: "er_1", by: steward, at: 9_500 });
    expect(questionsOf(erased)).toEqual([{ ...questionsOf(root)[0], options: [], closed_in: root.version + 1 }]);
    expect(looked(erased)).toBe(erased);
    expect(closedQuestions(person([]), 9)).toEqual({});
  });
});
