/** What outlets have in common: nobody owns a message, each travels alone, and nothing is said of a budget. */
import { ok } from "../src/failure.ts";
import type { Destination, Outcome } from "./contract.ts";

export type Mishap = Exclude<Outcome, { arm: "done" }>;

export const silent = {
  owners: async () => ok([]),
  cost: (commands) => commands.length,
  counts: () => true,
  remaining: () => null,
} satisfies Partial<Destination>;

/** Longer than an hour nobody makes us wait. */
const mostMs = 3_600_000;

/** 0 where nothing is said that we understand. */
export function retryAfterMs(headers: Headers): number {
  return Math.min(mostMs, Number(headers.get("retry-after")) * 1000 || 0);
}
