/**
 * A published limit ("110 requests in any 10 seconds") as counts in time slots. Pure: the budget is data and the clock an
 * argument.
 *
 * The engine stops at `budgetShare` of the limit in any window, however the window is laid, and the last `hotReserveShare`
 * of that may only be taken for the hot tier, so that a backlog can never make a demo request wait (G15). A token bucket
 * would let a full burst and a full refill through within one window; counting slots does not.
 *
 * Work reserves the most it may send before it begins, spends as it sends, and gives back the rest: what is reserved counts
 * as if it were sent now.
 */
import { budgetShare, hotReserveShare } from "../limits.ts";

/** A window is this many slots; one more is counted, because the oldest is only partly outside. */
const slotsPerWindow = 20;

export interface Budget {
  readonly limit: number;
  readonly slotMs: number;
  /** Requests that may still be sent by work that has begun. */
  readonly reserved: number;
  /** Slot number (epoch ms / slotMs) and requests sent in it; oldest first. */
  readonly slots: readonly { readonly slot: number; readonly sent: number }[];
}

export type Reserved = { readonly ok: true; readonly budget: Budget } | { readonly ok: false; readonly waitMs: number };

export function newBudget(published: { readonly requests: number; readonly windowMs: number }): Budget {
  return {
    limit: Math.floor(published.requests * budgetShare),
    slotMs: published.windowMs / slotsPerWindow,
    reserved: 0,
    slots: [],
  };
}

/** The budget with `cost` requests reserved, or how long to wait before asking again. */
export function reserve(budget: Budget, cost: number, hot: boolean, now: number): Reserved {
  const fresh = current(budget, now);
  const allowed = hot ? fresh.limit : Math.floor(fresh.limit * (1 - hotReserveShare));
  // Work that could never fit runs alone, in an empty window.
  let left = allowed - fresh.reserved - sum(fresh);
  if (left >= cost || (fresh.reserved === 0 && fresh.slots.length === 0)) {
    return { ok: true, budget: { ...fresh, reserved: fresh.reserved + cost } };
  }
  for (const item of fresh.slots) {
    left += item.sent;
    if (left >= cost) return { ok: false, waitMs: Math.max(1, (item.slot + slotsPerWindow + 1) * fresh.slotMs - now) };
  }
  // Only what is reserved stands in the way: it is given back when its work ends, which asks again by itself.
  return { ok: false, waitMs: fresh.slotMs };
}

/**
 * How long to let actions gather before the next ones leave: nothing while there is room, more as the window fills, so that
 * a rush travels in batches instead of using the budget up one by one. The hot tier waits less and later.
 */
export function gatherMs(budget: Budget, hot: boolean, now: number): number {
  const fresh = current(budget, now);
  const load = (fresh.reserved + sum(fresh)) / fresh.limit;
  if (hot) return load < 0.5 ? 0 : 500;
  return load < 0.25 ? 0 : load < 0.5 ? 1_000 : 2_000;
}

/** One request leaves. */
export function spend(budget: Budget, now: number): Budget {
  return add({ ...current(budget, now), reserved: Math.max(0, budget.reserved - 1) }, 1, now);
}

/** Work has ended without sending all it had reserved. */
export function giveBack(budget: Budget, unspent: number): Budget {
  return { ...budget, reserved: Math.max(0, budget.reserved - unspent) };
}

/**
 * The vendor's own count wins where it is higher than ours: other apps may share the limit. So does the limit that it names, for what is
 * published is that of the smallest account of its kind, or not even that (a developer's org has 15,000 a day).
 */
export function correct(budget: Budget, left: number, of: number, now: number): Budget {
  const limit = of > 0 ? Math.floor(of * budgetShare) : budget.limit;
  const fresh = { ...current(budget, now), limit };
  const unseen = of - left - sum(fresh);
  return unseen > 0 ? add(fresh, unseen, now) : fresh;
}

function current(budget: Budget, now: number): Budget {
  const oldest = Math.floor(now / budget.slotMs) - slotsPerWindow;
  return { ...budget, slots: budget.slots.filter((item) => item.slot >= oldest) };
}

function add(budget: Budget, sent: number, now: number): Budget {
  const slot = Math.floor(now / budget.slotMs);
  const last = budget.slots.at(-1);
  const slots =
    last?.slot === slot
      ? [...budget.slots.slice(0, -1), { slot, sent: last.sent + sent }]
      : [...budget.slots, { slot, sent }];
  return { ...budget, slots };
}

function sum(budget: Budget): number {
  return budget.slots.reduce((total, item) => total + item.sent, 0);
}
