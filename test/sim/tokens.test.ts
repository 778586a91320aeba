/** Some hundred refreshes on every run of the tests; `npm run prove -- crm` goes through 10,000. */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

function prove(...options: readonly string[]): Readonly<Record<string, number>> {
  const done = spawnSync("node_modules/.bin/node", ["test/prove/tokens.ts", "--json", ...options], {
    encoding: "utf8",
  });
  return (JSON.parse(done.stdout) as { readonly figures: Readonly<Record<string, number>> }).figures;
}

describe("a refresh token that is used up by each refresh", () => {
  it("is never sent again, nor beside another one, whatever breaks; people connect again where it was lost", () => {
    const { violations, refreshes, connected_again } = prove("--cases", "600");
    expect(violations).toBe(0);
    expect(refreshes).toBeGreaterThanOrEqual(600);
    expect(connected_again).toBeGreaterThan(20);
  }, 120_000);

  it("would be sent again if nobody had marked that a refresh left", () => {
    expect(prove("--cases", "60", "--mutant", "a refresh leaves without a mark").violations).toBeGreaterThan(0);
  }, 120_000);
});
