/** What happens where tools disagree about a field and the policy's rule is to ask: from the signals to the record in the CRM. */
import { describe, expect, it } from "vitest";
import type { FieldOwnership } from "../../src/decide/fields/policy.ts";
import { questionsOf } from "../../src/resolve/field-questions.ts";
import {
  answer,
  email,
  eventually,
  exceptionOf,
  openWorkspace,
  personOf,
  rest,
  send,
  type TestWorkspace,
} from "./fixture.ts";
import { RecordingCrm } from "./recording-crm.ts";

const asks: FieldOwnership = {
  owner: "shared",
  steward: "kim@example.com",
  kind: "text",
  writers: ["*"],
  rule: "ask",
  write_to: ["hubspot"],
};
const ada = email("ada@example.com");
const sam = { by: "sam@example.com" };

async function open(id: string) {
  const crm = new RecordingCrm();
  const of = await openWorkspace(id, {
    crm,
    policy: (policy) => ({ ...policy, fields: { ...policy.fields, company: asks } }),
  });
  const says = (emitter: string, company: string) =>
    send(of, { id: `${emitter} ${company}`, emitter, kind: "identified", traits: { company } });
  const shows = (company: string) =>
    eventually(
      () => crm.records.at(-1)?.values.company?.value,
      (value) => value === company,
    );
  return { crm, of, says, shows };
}

/** A demo was asked for, and two tools name different companies. */
async function disagree(id: string) {
  const made = await open(id);
  await send(made.of, { id: "1", kind: "demo_requested", traits: { company: "Analytical Engines" } });
  await made.shows("Analytical Engines");
  await made.says("billing", "Difference Engines");
  return { ...made, question: await exceptionOf(made.of, ada, "field_conflict") };
}

const settledSo = (of: TestWorkspace) => exceptionOf(of, ada, "field_conflict", "closed");

describe("two tools that disagree about a field", () => {
  it("make a question for its steward, and what was there first stands in the CRM until it is answered", async () => {
    const { crm, question } = await disagree("asked");
    expect(question).toMatchObject({ reason: "field_conflict", owner: "kim@example.com", state: "open" });
    expect(question).toMatchObject({
      field: "company",
      options: [
        { value: "Analytical Engines", system: "forms" },
        { value: "Difference Engines", system: "billing" },
      ],
    });
    await rest();
    expect(crm.records.at(-1)?.values.company?.value).toBe("Analytical Engines");
  });

  it("are settled by whoever chooses: the value goes to the CRM, and the exception says who and what", async () => {
    const { of, shows, question } = await disagree("chosen");
    const chosen = { ...sam, choice: "choose", value: "Difference Engines" };
    expect(await answer(of, question.id, chosen)).toEqual({ status: 200, body: { status: "ok" } });
    await shows("Difference Engines");
    const closed = await settledSo(of);
    expect(closed).toMatchObject({ id: question.id, state: "closed" });
    expect(closed).toMatchObject({ how: "chosen", note: "Difference Engines", settled_by: sam.by });
    // Pressed twice.
    expect((await answer(of, question.id, chosen)).status).toBe(200);
    const { root } = await personOf(of, ada);
    expect(questionsOf(root).filter(({ closed_in }) => closed_in === undefined)).toEqual([]);
    expect(root.lead.fields.company).toMatchObject({ value: "Difference Engines", source: "baton/answer" });
  });

  it("may be told a value of which none of them had heard; it stands until somebody says something newer", async () => {
    const { of, says, shows, question } = await disagree("another");
    await answer(of, question.id, { ...sam, choice: "choose", value: " Engines & Co " });
    await shows("Engines & Co");
    await settledSo(of);
    await says("forms", "Engines International");
    const next = await exceptionOf(of, ada, "field_conflict");
    expect(next.id).not.toBe(question.id);
    expect(next.options.map(({ value }: { value: string }) => value)).toEqual([
      "Engines & Co",
      "Engines International",
    ]);
  });

  it("refuse an answer that is none, one to what is asked no more, and a choice where there is nothing to choose", async () => {
    const { of, says, question } = await disagree("refused");
    expect((await answer(of, question.id, { ...sam, choice: "choose", value: " " })).status).toBe(422);
    expect((await answer(of, question.id, { ...sam, choice: "approve" })).body.code).toBe("not_possible");
    await says("billing", "Bills Ltd");
    await settledSo(of);
    const late = await answer(of, question.id, { ...sam, choice: "choose", value: "Difference Engines" });
    expect(late).toMatchObject({
      status: 409,
      body: { code: "not_possible", detail: "It is asked no more: something newer was said of this field." },
    });
    expect((await personOf(of, ada)).root.lead.fields.company?.value).toBe("Bills Ltd");
  });
});
