import { describe, expect, it } from "vitest";
import { withoutForeign } from "../../src/decide/fields/entrance.ts";
import { fieldPolicySchema } from "../../src/decide/fields/policy.ts";
import { signal } from "../signals.ts";

const policy = fieldPolicySchema.parse({
  company: { owner: "human", writers: ["forms"], rule: "owner_wins" },
  lead_score: { owner: "engine", kind: "number", writers: ["engine"], rule: "owner_wins" },
});
const traits = { company: "Example", lead_score: "90", job_title: "CTO" };

describe("what a tool says of a field", () => {
  it("is taken where it may write it, and where nobody owns it", () => {
    const given = signal({ id: "1", emitter: "forms", traits: { company: "Example", job_title: "CTO" } });
    expect(withoutForeign(policy, given)).toEqual({ signal: given, foreign: [] });
  });

  it("is kept with the signal and not taken where others write it", () => {
    const { signal: own, foreign } = withoutForeign(policy, signal({ id: "1", emitter: "product", traits }));
    expect(foreign).toEqual(["company", "lead_score"]);
    expect(own.traits).toEqual({ job_title: "CTO" });
    expect(own.properties).toEqual({ not_taken: { company: "Example", lead_score: "90" } });
  });

  it("is never taken for a field of the engine", () => {
    expect(withoutForeign(policy, signal({ id: "1", emitter: "forms", traits })).foreign).toEqual(["lead_score"]);
  });
});
