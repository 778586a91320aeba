/** A few hundred schedules on every run of the tests; `npm run sim` runs as many as one wants. */
import { spawn } from "node:child_process";
import { describe, expect, it } from "vitest";

interface Answer {
  readonly ok: boolean;
  readonly figures: readonly { readonly name: string; readonly value: number }[];
  readonly failures: readonly { readonly seed: number; readonly guarantee: string; readonly text: string }[];
}

function simulate(options: readonly string[], mutant?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn("node_modules/.bin/node", ["test/sim/main.ts", "--json", "--no-shrink", ...options], {
      env: { ...process.env, ...(mutant === undefined ? {} : { BATON_SIM_MUTANT: mutant }) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let out = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    child.on("error", reject);
    child.on("close", () => {
      try {
        resolve(JSON.parse(out) as Answer);
      } catch (error) {
        reject(error);
      }
    });
  });
}

describe("the real objects on a simulated platform with faults", () => {
  it("keep every guarantee in 5,000 schedules", async () => {
    const answer = await simulate(["--schedules", "5000", "--seed", "1", "--jobs", "2"]);
    expect(answer.failures).toEqual([]);
    expect(answer.figures.find((figure) => figure.name === "schedules")?.value).toBe(5000);
    expect(answer.figures.find((figure) => figure.name === "merges")?.value).toBeGreaterThan(2_000);
  }, 240_000);

  it("would not keep them if a merge did not carry the follow-ups along", async () => {
    const answer = await simulate(["--schedules", "300"], "follow-ups stay behind");
    expect(answer.failures).toHaveLength(1);
  }, 60_000);
});
