/** A seeded bug that patches nothing proves nothing: each still finds the code that it changes. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { patched, pathOf } from "./hooks.ts";
import { mutants } from "./mutant-list.ts";

describe("the seeded bugs", () => {
  it("are told apart by their names", () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  it.each(mutants.map((mutant) => [mutant.name, mutant.patches] as const))("change the real code: %s", (_, patches) => {
    for (const patch of patches) {
      const source = readFileSync(pathOf(patch.file), "utf8");
      expect(patched(source, patch)).not.toBe(source);
    }
  });
});
