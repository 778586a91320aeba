import { describe, expect, it } from "vitest";
import { isFinal, toBeErased } from "../../src/resolve/erase.ts";
import { emptyLead, foldSignal } from "../../src/resolve/lead.ts";
import { signal } from "../signals.ts";
import { email, rootOf } from "../states.ts";

const order = { id: "er_1", at: 50_000, by: "sam@example.com" };
const seen = (at: number) =>
  rootOf("acme/1", {
    lead: foldSignal(emptyLead, signal({ id: "last", occurred_at: at, identifiers: [email("ann@example.com")] })),
  });

describe("an order to erase", () => {
  it("counts from when it was given", () => {
    expect(toBeErased(seen(40_000), order).erase?.at).toBe(50_000);
    expect(toBeErased(rootOf("acme/1"), order).erase?.at).toBe(50_000);
  });

  it("also takes what came before it was heard, so that the same signal is not somebody new's when it comes again", () => {
    expect(toBeErased(seen(60_000), order).erase?.at).toBe(60_001);
  });

  it("goes on counting when somebody arrives meanwhile", () => {
    const erasing = toBeErased(seen(60_000), order);
    expect(erasing.erase && toBeErased({ ...erasing, lead: seen(70_000).lead }, erasing.erase).erase?.at).toBe(70_001);
    expect(erasing.erase && toBeErased(erasing, erasing.erase).erase?.at).toBe(60_001);
  });
});

describe("a person of whom nothing is left but the nodes", () => {
  it("is known by the version from which whoever comes to a free node goes on", () => {
    const erasing = toBeErased(seen(1), order);
    expect(isFinal(erasing)).toBe(false);
    expect(isFinal({ ...erasing, erase: { ...order, owed: [], final: 7 } })).toBe(true);
    expect(isFinal(seen(1))).toBe(false);
  });
});
