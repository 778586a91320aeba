/**
 * Arithmetic in working time. Instants are epoch ms; durations are ms of real time that passed while open. Every search is
 * bounded by a horizon, so that a calendar that is closed for years costs no more than one that is not. Pure.
 */
import { type Interval, type OpeningHours, openOn } from "./hours.ts";
import { dayMs } from "./zone.ts";

/** How far a search looks ahead. */
export const horizonDays = 400;
const horizonMs = horizonDays * dayMs;
/** A count over a longer span stops here: ten years. */
const countDaysMax = 3_660;

/** What is open from `from` to `to`, in order, touching intervals as one; at most the first 400 days. */
export function openIntervals(hours: OpeningHours, from: number, to: number): Interval[] {
  const end = Math.min(to, from + horizonMs);
  const found: Interval[] = [];
  const first = Math.floor(from / dayMs);
  for (let day = first; day * dayMs < end && day <= first + horizonDays; day++) {
    for (const open of openOn(hours, day)) {
      const opens = Math.max(open.start, from);
      const closes = Math.min(open.end, end);
      if (opens >= closes) continue;
      const last = found.at(-1);
      if (last?.end === opens) found[found.length - 1] = { start: last.start, end: closes };
      else found.push({ start: opens, end: closes });
    }
  }
  return found;
}

export function isOpen(hours: OpeningHours, at: number): boolean {
  for (const open of openOn(hours, Math.floor(at / dayMs))) {
    if (open.start <= at && at < open.end) return true;
  }
  return false;
}

/** `at` itself when open, else the next opening; null when nothing opens within 400 days. */
export function nextOpenAt(hours: OpeningHours, at: number): number | null {
  return addBusinessMs(hours, at, 0);
}

/**
 * The first instant at which `ms` of open time have passed since `at`: the end of a day rather than the next morning. With
 * 0 (or less) the next open instant. Null when that is more than 400 days away.
 */
export function addBusinessMs(hours: OpeningHours, at: number, ms: number): number | null {
  let left = Math.max(0, ms);
  const first = Math.floor(at / dayMs);
  for (let ahead = 0; ahead <= horizonDays; ahead++) {
    for (const open of openOn(hours, first + ahead)) {
      const from = Math.max(open.start, at);
      const length = open.end - from;
      if (length <= 0) continue;
      if (left <= length) return from + left - at <= horizonMs ? from + left : null;
      left -= length;
    }
  }
  return null;
}

/** Open time from `a` to `b`, negative when `b` is earlier. Of a span of more than ten years, the ten after its start. */
export function businessMsBetween(hours: OpeningHours, a: number, b: number): number {
  if (b < a) return -businessMsBetween(hours, b, a);
  let total = 0;
  const first = Math.floor(a / dayMs);
  for (let day = first; day * dayMs < b && day < first + countDaysMax; day++) {
    for (const open of openOn(hours, day)) {
      total += Math.max(0, Math.min(open.end, b) - Math.max(open.start, a));
    }
  }
  return total;
}

/** `ms` after `at` in working time, or on the wall when there is no calendar. Null as in `addBusinessMs`. */
export function dueAt(hours: OpeningHours | null, at: number, ms: number): number | null {
  return hours === null ? at + ms : addBusinessMs(hours, at, ms);
}
