/** A small rush and a small outage on every run of the tests; `npm run prove -- crm` has the large ones. */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

function prove(program: string, ...options: readonly string[]): Readonly<Record<string, number>> {
  const done = spawnSync("node_modules/.bin/node", [`test/prove/${program}.ts`, "--json", ...options], {
    encoding: "utf8",
  });
  return (JSON.parse(done.stdout) as { readonly figures: Readonly<Record<string, number>> }).figures;
}

describe("a backlog", () => {
  it("stays below 95 % of the published limit in every window, and the hot tier does not feel it", () => {
    const { share_of_limit_percent, refused_by_limit, hot_p95_ratio, not_done, doubled_tasks } = prove(
      "limits",
      "--cases",
      "1000",
    );
    expect([refused_by_limit, not_done, doubled_tasks]).toEqual([0, 0, 0]);
    expect(share_of_limit_percent).toBeGreaterThan(10);
    expect(share_of_limit_percent).toBeLessThanOrEqual(95);
    expect(hot_p95_ratio).toBeLessThanOrEqual(2);
  }, 120_000);
});

describe("six hours without the CRM", () => {
  it("lose nothing, double nothing, and the hot tier goes first when it is back", () => {
    const { waited, lost, doubled_tasks, overtook_hot } = prove("outage", "--cases", "150");
    expect(waited).toBeGreaterThan(50);
    expect([lost, doubled_tasks, overtook_hot]).toEqual([0, 0, 0]);
  }, 120_000);
});

describe("twenty minutes without the CRM", () => {
  it("are over when they are over: nobody waits on for having failed so often", () => {
    const { lost, doubled_tasks, hot_after_s } = prove("outage", "--cases", "300", "--hours", "0.33");
    expect([lost, doubled_tasks]).toEqual([0, 0]);
    // A request that left before its end waits for its deadline, 20 s.
    expect(hot_after_s).toBeLessThan(45);
  }, 120_000);
});
