/** Two and three CRMs at once in random schedules; the whole number of them is `node test/prove/fields.ts`. */
import { expect, it } from "vitest";
import { proveFields } from "../prove/fields.ts";

it("the newest person's value stands everywhere, nothing is echoed twice, and everything comes to rest", () => {
  const proof = proveFields({ cases: 120, seed: 7 });
  expect(proof.failures).toEqual([]);
  expect(proof.ok).toBe(true);
});
