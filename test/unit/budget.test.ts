import { describe, expect, it } from "vitest";
import { backoffMs } from "../../src/act/backoff.ts";
import { type Budget, correct, giveBack, newBudget, reserve, spend } from "../../src/act/budget.ts";
import { seeded } from "../signals.ts";

const hubspot = { requests: 110, windowMs: 10_000 };

const at = (slots: readonly { slot: number; sent: number }[]) => slots.reduce((sum, item) => sum + item.sent, 0);

/** Reserves one and sends it at once; null where it must wait. */
function send(budget: Budget, hot: boolean, now: number): Budget | null {
  const reserved = reserve(budget, 1, hot, now);
  return reserved.ok ? spend(reserved.budget, now) : null;
}

describe("the budget of a CRM account", () => {
  it("stops at 95 % of the limit for the hot tier and keeps a fifth of that from the others", () => {
    let budget: Budget = newBudget(hubspot);
    let cold = 0;
    for (let next = send(budget, false, 1_000); next !== null; next = send(budget, false, 1_000)) {
      budget = next;
      cold++;
    }
    expect(cold).toBe(83);
    let hot = 0;
    for (let next = send(budget, true, 1_000); next !== null; next = send(budget, true, 1_000)) {
      budget = next;
      hot++;
    }
    expect(cold + hot).toBe(104);
  });

  it("says how long to wait, and lets through when that time is over", () => {
    let budget = newBudget(hubspot);
    for (let sent = 0; sent < 104; sent++) budget = send(budget, true, 0) ?? budget;
    expect(reserve(budget, 1, true, 2_000)).toEqual({ ok: false, waitMs: 8_500 });
    expect(reserve(budget, 1, true, 10_500).ok).toBe(true);
  });

  it("counts what is reserved as if it were sent, until it is given back", () => {
    const reserved = reserve(newBudget(hubspot), 104, true, 0);
    const full = reserved.ok ? reserved.budget : newBudget(hubspot);
    expect(reserve(full, 1, true, 0).ok).toBe(false);
    expect(reserve(giveBack(spend(full, 0), 103), 103, true, 0).ok).toBe(true);
    expect(reserve(giveBack(spend(full, 0), 103), 104, true, 0).ok).toBe(false);
  });

  it("lets work that could never fit run alone in an empty window, and nothing beside it", () => {
    const reserved = reserve(newBudget(hubspot), 500, false, 0);
    expect(reserved.ok).toBe(true);
    expect(reserved.ok && reserve(reserved.budget, 1, true, 0).ok).toBe(false);
  });

  it("lets no window of ten seconds see more than 95 % of the limit, however it is laid (random loads)", () => {
    const random = seeded(3);
    let budget = newBudget(hubspot);
    const sent: number[] = [];
    let refused = 0;
    for (let now = 0; now < 120_000; now += Math.floor(random() * 60)) {
      const cost = 1 + Math.floor(random() * 6);
      const reserved = reserve(budget, cost, random() < 0.3, now);
      if (!reserved.ok) {
        refused++;
        continue;
      }
      budget = reserved.budget;
      const used = Math.floor(random() * (cost + 1));
      for (let count = 0; count < used; count++) {
        budget = spend(budget, now + count);
        sent.push(now + count);
      }
      budget = giveBack(budget, cost - used);
    }
    expect(sent.length).toBeGreaterThan(500);
    expect(refused).toBeGreaterThan(100);
    for (const start of sent)
      expect(sent.filter((time) => time >= start && time < start + 10_000).length).toBeLessThanOrEqual(104);
  });

  it("believes the vendor when others used the same limit", () => {
    const corrected = correct(newBudget(hubspot), 4, 110, 0);
    expect(at(corrected.slots)).toBe(106);
    expect(reserve(corrected, 1, true, 0).ok).toBe(false);
  });

  it("believes the limit that the vendor names: of a smaller account it takes less, of a larger one there is room", () => {
    const small = correct(newBudget({ requests: 100_000, windowMs: 86_400_000 }), 1_000, 15_000, 0);
    expect(small.limit).toBe(14_250);
    // 14,000 are used, and the last fifth is the hot tier's.
    expect(reserve(small, 250, true, 0).ok).toBe(true);
    expect(reserve(small, 251, true, 0).ok).toBe(false);
    expect(reserve(small, 1, false, 0).ok).toBe(false);
    const large = correct(newBudget({ requests: 100_000, windowMs: 86_400_000 }), 700_000, 1_000_000, 0);
    expect(reserve(large, 1, false, 0).ok).toBe(true);
    expect(correct(small, 0, 0, 0).limit).toBe(14_250);
  });
});

describe("the back-off", () => {
  const bases: readonly [number, number][] = [
    [1, 250],
    [2, 500],
    [3, 1_000],
    [6, 8_000],
    [20, 8_000],
    [22, 32_000],
    [40, 1_800_000],
  ];
  it.each(bases)("before attempt %i waits about %i ms, and is the same for the same key", (attempt, base) => {
    expect(backoffMs("key", attempt)).toBe(backoffMs("key", attempt));
    expect(backoffMs("key", attempt)).toBeGreaterThanOrEqual(base * 0.75);
    expect(backoffMs("key", attempt)).toBeLessThanOrEqual(base * 1.25);
  });
});
