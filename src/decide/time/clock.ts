/** The clock of a promise (SLA): how much of the time allowed is used up, and whether it was kept. Pure. */
import { businessMsBetween, dueAt } from "./calendar.ts";
import type { OpeningHours } from "./hours.ts";

export interface Promised {
  readonly startedAt: number;
  /** When what was promised was done. Later than `now`, it has not happened yet. */
  readonly stoppedAt?: number | undefined;
  readonly allowedMs: number;
  /** `business` counts open time of the calendar; without a calendar both are the same. */
  readonly clock: "wall" | "business";
  readonly calendar: OpeningHours | null;
}

export interface SlaState {
  /** On the promise's clock. */
  readonly elapsedMs: number;
  /** What is left of the time allowed; negative when more was used. */
  readonly leftMs: number;
  /** The last instant at which it is kept; null when that is more than 400 days after the start, and then nothing breaks it. */
  readonly dueAt: number | null;
  /** `dueAt` once it has passed without being kept, else null. */
  readonly breachedAt: number | null;
  readonly state: "running" | "met" | "breached";
}

/**
 * Kept means: done at `dueAt` or before. Eight working hours from nine in the morning end at five; done at eight in the evening
 * is too late, though the clock of the promise did not move meanwhile.
 */
export function slaState(promise: Promised, now: number): SlaState {
  const { startedAt, stoppedAt, allowedMs } = promise;
  const calendar = promise.clock === "wall" ? null : promise.calendar;
  const stopped = stoppedAt !== undefined && stoppedAt <= now;
  const end = Math.max(startedAt, stopped ? stoppedAt : now);
  const elapsedMs = calendar === null ? end - startedAt : businessMsBetween(calendar, startedAt, end);
  const due = dueAt(calendar, startedAt, allowedMs);
  const late = due !== null && end > due;
  return {
    elapsedMs,
    leftMs: allowedMs - elapsedMs,
    dueAt: due,
    breachedAt: late ? due : null,
    state: late ? "breached" : stopped ? "met" : "running",
  };
}
