/** When to call a lead: while the office is open, and at a polite hour where the lead is. Pure. */
import { nextOpenAt } from "./calendar.ts";
import { alwaysOpen, type OpeningHours } from "./hours.ts";
import type { CallWindow } from "./schema.ts";
import { dayMs, zoneLengthMax, zoneOf } from "./zone.ts";

const callDaysMax = 14;
/** More openings than this do not fit into fourteen days: six a day, seen from both sides. */
const stepsMax = 200;

/**
 * The first instant from `at` on at which the office is open and it is within the window, Monday to Friday, by the clocks in
 * `leadZone`: the lead's `time_zone` trait as it came. Where that is no zone, the office alone decides. Null when there is no
 * such instant within 14 days.
 */
export function callTime(
  leadZone: string | null | undefined,
  office: OpeningHours | null,
  at: number,
  window: CallWindow,
): number | null {
  const last = at + callDaysMax * dayMs;
  const there = leadHours(leadZone, window) ?? alwaysOpen;
  let time = at;
  for (let step = 0; step < stepsMax; step++) {
    const here = nextOpenAt(office ?? alwaysOpen, time);
    if (here === null || here > last) return null;
    const both = nextOpenAt(there, here);
    if (both === null) return null;
    if (both === here) return here;
    time = both;
  }
  return null;
}

/** There are about 600 names of zones, and any number of texts that are none. */
const textsMax = 1_000;
/** As in `hours.ts`: results of a pure function under its arguments. To learn that a text is no zone costs 50 µs. */
const polite = new WeakMap<CallWindow, Map<string, OpeningHours | null>>();

function leadHours(text: string | null | undefined, window: CallWindow): OpeningHours | null {
  if (text === null || text === undefined || text.length > zoneLengthMax) return null;
  let memo = polite.get(window);
  if (memo === undefined) {
    memo = new Map();
    polite.set(window, memo);
  }
  const found = memo.get(text);
  if (found !== undefined) return found;
  const zone = zoneOf(text);
  const times = [[window.from, window.to]] as const;
  const week = { mon: times, tue: times, wed: times, thu: times, fri: times };
  const hours = zone === null ? null : { zone, week, holidays: [], special: {} };
  if (memo.size >= textsMax) memo.clear();
  memo.set(text, hours);
  return hours;
}
