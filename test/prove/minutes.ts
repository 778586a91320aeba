/**
 * The oracle of `calendar.ts`: a walk over the minutes, one after another, that asks of each what the clock on the wall shows
 * and looks that up in the document as it was written. It shares nothing with `src/decide/time`: no Temporal, no intervals on
 * the line of instants, no days of UTC. It may be slow and must be obvious.
 *
 * What the clock shows comes from `Intl.DateTimeFormat` and nothing else. To ask it about every minute would take days, so it is
 * asked at every full hour: where the clock is as far from UTC at the end of an hour as at its start, so it is within it; where
 * it is not, every minute of that hour is asked about. (Clocks do not change twice within an hour.)
 */

export const minuteMs = 60_000;
const hourMs = 3_600_000;

export type Times = readonly (readonly [string, string])[];
export interface Rules {
  readonly zone: string;
  readonly week: Readonly<Record<string, Times | undefined>>;
  readonly holidays: readonly string[];
  readonly special: Readonly<Record<string, Times>>;
}

/** What the clock on the wall shows: minutes since 1970-01-01T00:00 there. */
export class WallClock {
  readonly #format: Intl.DateTimeFormat;
  /** How far ahead of UTC, in ms, at full hours. */
  readonly #ahead = new Map<number, number>();
  /** The hour that was walked last, in which the clock did not change. */
  #steady = { hour: Number.NaN, ahead: 0 };

  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
  }

  /** `at` is a full minute. */
  shows(at: number): number {
    return (at + this.aheadOfUtc(at)) / minuteMs;
  }

  aheadOfUtc(at: number): number {
    const hour = Math.floor(at / hourMs) * hourMs;
    if (hour === this.#steady.hour) return this.#steady.ahead;
    const ahead = this.#atHour(hour);
    if (ahead !== this.#atHour(hour + hourMs)) return this.#asked(at);
    this.#steady = { hour, ahead };
    return ahead;
  }

  #atHour(hour: number): number {
    let ahead = this.#ahead.get(hour);
    if (ahead === undefined) {
      ahead = this.#asked(hour);
      this.#ahead.set(hour, ahead);
    }
    return ahead;
  }

  #asked(at: number): number {
    const [month = 0, day = 0, year = 0, hour = 0, minute = 0] =
      this.#format.format(at).match(/\d+/g)?.map(Number) ?? [];
    return Date.UTC(year, month - 1, day, hour, minute) - at;
  }
}

const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const two = (number: number) => String(number).padStart(2, "0");
/** "00:00" to "23:59". */
const times = Array.from({ length: 1_440 }, (_, minute) => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`);

const clocks = new Map<string, WallClock>();
export function clockOf(zone: string): WallClock {
  let clock = clocks.get(zone);
  if (clock === undefined) {
    clock = new WallClock(zone);
    clocks.set(zone, clock);
  }
  return clock;
}

/** Whether something is open during the minute that starts at `at`. */
export type Walk = (at: number) => boolean;

/** Open as the rules say, and, for a part-time member, as the own week says; on dates in `away` not at all. */
export function walkOf(
  rules: Rules,
  ownWeek?: Rules["week"] | undefined,
  away: readonly { readonly from: string; readonly to: string }[] = [],
): Walk {
  const clock = clockOf(rules.zone);
  // The minutes of a date that are open, as the rules say it: written out once for each date that the walk comes by.
  const dates = new Map<number, boolean[]>();
  const minutesOf = (day: number): boolean[] => {
    const midnight = new Date(day * 1_440 * minuteMs);
    const date = midnight.toISOString().slice(0, 10);
    const weekday = weekdays[midnight.getUTCDay()] ?? "";
    return times.map((time) => {
      if (away.some(({ from, to }) => date >= from && date <= to)) return false;
      const within = (hours: Times | undefined) => hours?.some(([from, to]) => time >= from && time < to) ?? false;
      const special = rules.special[date];
      if (special !== undefined) return within(special) && (ownWeek === undefined || within(ownWeek[weekday]));
      if (rules.holidays.includes(date)) return false;
      return within((ownWeek ?? rules.week)[weekday]);
    });
  };
  return (at) => {
    const shown = clock.shows(at);
    const day = Math.floor(shown / 1_440);
    let minutes = dates.get(day);
    if (minutes === undefined) {
      minutes = minutesOf(day);
      dates.set(day, minutes);
    }
    return minutes[shown - day * 1_440] === true;
  };
}

/** The date that the clock on the wall shows. */
export function dateShown(zone: string, at: number): string {
  return new Date(clockOf(zone).shows(fullMinute(at)) * minuteMs).toISOString().slice(0, 10);
}

export const fullMinute = (at: number) => Math.floor(at / minuteMs) * minuteMs;

/** `at` when open, else the start of the next open minute, not later than `last`. */
export function walkToOpen(open: Walk, at: number, last: number): number | null {
  if (open(fullMinute(at))) return at;
  for (let minute = fullMinute(at) + minuteMs; minute <= last; minute += minuteMs) if (open(minute)) return minute;
  return null;
}

/** The instant at which `ms` of open time have passed, not later than `last`. */
export function walkOn(open: Walk, at: number, ms: number, last: number): number | null {
  if (ms === 0) return walkToOpen(open, at, last);
  let left = ms;
  for (let minute = fullMinute(at); minute <= last; minute += minuteMs) {
    if (!open(minute)) continue;
    const from = Math.max(minute, at);
    const here = minute + minuteMs - from;
    if (left <= here) return from + left <= last ? from + left : null;
    left -= here;
  }
  return null;
}

/** Open time from `a` to a later `b`. */
export function walkedMs(open: Walk, a: number, b: number): number {
  let total = 0;
  for (let minute = fullMinute(a); minute < b; minute += minuteMs) {
    if (open(minute)) total += Math.min(minute + minuteMs, b) - Math.max(minute, a);
  }
  return total;
}

/** The stretches that are open from `from` to `to`. */
export function walkedIntervals(open: Walk, from: number, to: number): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  let running: { start: number; end: number } | undefined;
  for (let minute = fullMinute(from); minute < to; minute += minuteMs) {
    if (!open(minute)) {
      running = undefined;
      continue;
    }
    const end = Math.min(minute + minuteMs, to);
    if (running === undefined) {
      running = { start: Math.max(minute, from), end };
      found.push(running);
    } else running.end = end;
  }
  return found;
}
