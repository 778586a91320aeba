/**
 * The promise of a follow-up (SLA): somebody makes a first contact within the tier's `sla_ms` of the moment at which Baton accepted
 * the signal. When it is broken is decided with the follow-up and kept on it; whether it was kept is worked out when somebody asks. Pure.
 */
import type { FollowUp, Tier } from "../model.ts";
import type { Play, Policy } from "./policy.ts";
import { businessMsBetween, dueAt } from "./time/calendar.ts";
import { type SlaState, slaState } from "./time/clock.ts";
import type { OpeningHours } from "./time/hours.ts";

/** The last instant at which the promise is kept; null when that is more than 400 days away. */
export function promisedAt(policy: Policy, play: Play | undefined, tier: Tier, acceptedAt: number): number | null {
  return dueAt(calendarOf(policy, play), acceptedAt, policy.tiers[tier].sla_ms);
}

/** What of a follow-up says whether its promise is kept. */
export type Promising = Pick<FollowUp, "play" | "state" | "accepted_at" | "promised_at"> & {
  readonly closed_at?: number | undefined;
};

/**
 * A first contact stops the clock: somebody has said what came of it, or its task was completed in the CRM. The instant that was
 * promised holds whatever the policy says by now; only the time used and left is counted on its clock. Null where nothing was
 * promised, and where it was cancelled in time: nobody waits for it any more.
 */
export function promiseOf(policy: Policy, item: Promising, now: number): SlaState | null {
  const { play, state, accepted_at, promised_at, closed_at } = item;
  if (promised_at === undefined) return null;
  const stoppedAt = state === "done" || state === "cancelled" ? closed_at : undefined;
  if (state === "cancelled" && (stoppedAt === undefined || stoppedAt <= promised_at)) return null;
  const allowedMs = promised_at - accepted_at;
  const onTheWall = slaState({ startedAt: accepted_at, stoppedAt, allowedMs, clock: "wall", calendar: null }, now);
  const calendar = calendarOf(policy, policy.plays[play]);
  if (calendar === null) return onTheWall;
  const end = accepted_at + onTheWall.elapsedMs;
  return {
    ...onTheWall,
    elapsedMs: businessMsBetween(calendar, accepted_at, end),
    leftMs: businessMsBetween(calendar, end, promised_at),
  };
}

/** Whose open hours the promise counts; null = all time. */
function calendarOf(policy: Policy, play: Play | undefined): OpeningHours | null {
  if (policy.sla_clock === "wall" || play?.calendar === undefined) return null;
  return policy.calendars[play.calendar] ?? null;
}
