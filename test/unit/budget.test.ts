import { describe, expect, it } from "vitest";
import { backoffMs } from "../../src/act/backoff.ts";
import { type Budget, correct, newBudget, take } from "../../src/act/budget.ts";
import { seeded } from "../signals.ts";

const hubspot = { requests: 110, windowMs: 10_000 };

describe("the budget of a CRM account", () => {
  it("stops at 95 % of the limit for the hot tier and keeps a fifth of that from the others", () => {
    let budget: Budget = newBudget(hubspot);
    let cold = 0;
    for (;;) {
      const taken = take(budget, 1, false, 1_000);
      if (!taken.ok) break;
      budget = taken.budget;
      cold++;
    }
    expect(cold).toBe(83);
    let hot = 0;
    for (;;) {
      const taken = take(budget, 1, true, 1_000);
      if (!taken.ok) break;
      budget = taken.budget;
      hot++;
    }
    expect(cold + hot).toBe(104);
  });

  it("says how long to wait, and lets through when that time is over", () => {
    const taken = take(newBudget(hubspot), 104, true, 0);
    const full = taken.ok ? taken.budget : newBudget(hubspot);
    const refused = take(full, 1, true, 2_000);
    expect(refused).toEqual({ ok: false, waitMs: 8_500 });
    expect(take(full, 1, true, 10_500).ok).toBe(true);
  });

  it("lets no window of ten seconds see more than 95 % of the limit, however it is laid (random loads)", () => {
    const random = seeded(3);
    let budget = newBudget(hubspot);
    const sent: number[] = [];
    for (let now = 0; now < 120_000; now += Math.floor(random() * 60)) {
      const taken = take(budget, 1 + Math.floor(random() * 3), random() < 0.3, now);
      if (!taken.ok) continue;
      const before = budget.slots.reduce((sum, slot) => sum + slot.taken, 0);
      budget = taken.budget;
      const after = budget.slots.reduce((sum, slot) => sum + slot.taken, 0);
      for (let count = 0; count < Math.max(1, after - before); count++) sent.push(now);
    }
    expect(sent.length).toBeGreaterThan(500);
    for (const start of sent) expect(sent.filter((at) => at >= start && at < start + 10_000).length).toBeLessThanOrEqual(104);
  });

  it("believes the vendor when others used the same limit", () => {
    const corrected = correct(newBudget(hubspot), 4, 110, 0);
    expect(take(corrected, 1, true, 0).ok).toBe(false);
  });
});

describe("the back-off", () => {
  it("doubles from about a second to about half an hour and is the same for the same key", () => {
    expect(backoffMs("a", 1)).toBe(backoffMs("a", 1));
    for (const attempt of [1, 2, 3, 10, 40]) {
      const base = Math.min(30 * 60_000, 1_000 * 2 ** (attempt - 1));
      expect(backoffMs("key", attempt)).toBeGreaterThanOrEqual(base * 0.75);
      expect(backoffMs("key", attempt)).toBeLessThanOrEqual(base * 1.25);
    }
  });
});
