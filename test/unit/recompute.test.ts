/** Decisions made again from history; 100,000 histories under two versions of Node are `node test/prove/recompute.ts`. */
import { describe, expect, it } from "vitest";
import type { Inputs } from "../../src/resolve/node.ts";
import { recompute } from "../prove/recompute.ts";
import { policyDocuments } from "../prove/recompute-policies.ts";

const documents = policyDocuments();
const outcomes = ["follow_up", "held", "none", "noted", "shadow", "waiting"];

describe("decisions made again from history", () => {
  const all = recompute({ cases: 300, seed: 1, documents });

  it("are the same bytes, whatever their outcome", () => {
    expect(all.wrong).toEqual([]);
    expect(all.mismatches).toBe(0);
    expect(all.decisions).toBeGreaterThan(1_000);
    expect(Object.keys(all.outcomes).sort()).toEqual(outcomes);
  });

  it("have one digest for one seed, and another for another", () => {
    const some = { cases: 20, seed: 1, documents };
    expect(recompute(some).digest).toBe(recompute(some).digest);
    expect(recompute({ ...some, seed: 2 }).digest).not.toBe(recompute(some).digest);
  });

  const losses: readonly (readonly [string, (inputs: Inputs) => Inputs])[] = [
    ["earlier follow-ups", (inputs) => ({ ...inputs, follow_ups: [] })],
    ["what people approved", (inputs) => ({ ...inputs, approvals: [] })],
    ["what others at the company did", ({ company: _lost, ...inputs }) => inputs],
    ["consent to single purposes", (inputs) => ({ ...inputs, lead: { ...inputs.lead, purposes: {} } })],
    ["what is known of the person", (inputs) => ({ ...inputs, lead: { ...inputs.lead, fields: {} } })],
  ];
  it.each(losses)("do not come out the same where history has lost %s", (_what, kept) => {
    const { mismatches, wrong } = recompute({ cases: 150, seed: 1, documents }, kept);
    expect(mismatches).toBeGreaterThan(0);
    expect(wrong[0]).toMatch(/^case \d+, decision \d+: .* came out as /);
  });

  it("do not come out the same under a policy that was changed behind history's back", () => {
    const changed = documents.map((text) => text.replaceAll('"intent":2,', '"intent":3,'));
    const before = recompute({ cases: 20, seed: 1, documents });
    expect(recompute({ cases: 20, seed: 1, documents: changed }).digest).not.toBe(before.digest);
  });
});
