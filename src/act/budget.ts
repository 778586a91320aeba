/**
 * A published limit ("110 requests in any 10 seconds") as counts in time slots. Pure: the budget is data and the clock an
 * argument.
 *
 * The engine stops at `budgetShare` of the limit in any window, however the window is laid, and the last `hotReserveShare`
 * of that may only be taken for the hot tier, so that a backlog can never make a demo request wait (G15). A token bucket
 * would let a full burst and a full refill through within one window; counting slots does not.
 */
import { budgetShare, hotReserveShare } from "../limits.ts";

/** A window is this many slots; one more is counted, because the oldest is only partly outside. */
const slotsPerWindow = 20;

export interface Budget {
  readonly limit: number;
  readonly slotMs: number;
  /** Slot number (epoch ms / slotMs) and requests taken in it; oldest first, only those that still count. */
  readonly slots: readonly { readonly slot: number; readonly taken: number }[];
}

export type Taken = { readonly ok: true; readonly budget: Budget } | { readonly ok: false; readonly waitMs: number };

export function newBudget(published: { readonly requests: number; readonly windowMs: number }): Budget {
  return { limit: Math.floor(published.requests * budgetShare), slotMs: published.windowMs / slotsPerWindow, slots: [] };
}

/** The budget with `cost` requests taken, or how long to wait. A cost above the whole limit waits for an empty window. */
export function take(budget: Budget, cost: number, hot: boolean, now: number): Taken {
  const slot = Math.floor(now / budget.slotMs);
  const slots = budget.slots.filter((item) => item.slot >= slot - slotsPerWindow);
  const allowed = hot ? budget.limit : Math.floor(budget.limit * (1 - hotReserveShare));
  let left = allowed - used(slots);
  if (left >= cost || slots.length === 0) {
    const last = slots.at(-1);
    const next = last?.slot === slot ? [...slots.slice(0, -1), { slot, taken: last.taken + cost }] : [...slots, { slot, taken: cost }];
    return { ok: true, budget: { ...budget, slots: next } };
  }
  for (const item of slots) {
    left += item.taken;
    if (left >= cost || item === slots.at(-1)) return { ok: false, waitMs: (item.slot + slotsPerWindow + 1) * budget.slotMs - now };
  }
  return { ok: false, waitMs: budget.slotMs };
}

/** The vendor's own count wins where it is higher than ours: other apps may share the limit. */
export function correct(budget: Budget, left: number, of: number, now: number): Budget {
  const unseen = of - left - used(budget.slots);
  if (unseen <= 0) return budget;
  const slot = Math.floor(now / budget.slotMs);
  const last = budget.slots.at(-1);
  const slots = last?.slot === slot ? [...budget.slots.slice(0, -1), { slot, taken: last.taken + unseen }] : [...budget.slots, { slot, taken: unseen }];
  return { ...budget, slots };
}

function used(slots: Budget["slots"]): number {
  return slots.reduce((sum, item) => sum + item.taken, 0);
}
