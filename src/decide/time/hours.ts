/**
 * Opening hours on the line of instants: something is open at an instant when the clock on the wall there shows a date and a
 * time that lie within its hours. Nothing else is said about clocks that are put forward or back, and everything follows: a
 * time that is skipped does not open, hours that begin in the gap begin where it ends, hours that occur twice count twice in
 * real time, and a local date that never was (Apia, 30 December 2011) is not open at all. Pure.
 */
import { dateOf, dayMs, offsetAt } from "./zone.ts";

/** "HH:MM" on the day, the second one up to "24:00" and not included. */
export type Times = readonly (readonly [string, string])[];

export const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Week = { readonly [day in (typeof weekdays)[number]]?: Times | undefined };

/**
 * A calendar of the policy, or what was derived from one for a person. Never changed after it was first used: what a day
 * opens is remembered by the object.
 */
export interface OpeningHours {
  readonly zone: string;
  readonly week: Week;
  readonly holidays: readonly string[];
  readonly special: Readonly<Record<string, Times>>;
  /** First and last dates that are closed whatever else is said: somebody is away. */
  readonly closed?: readonly { readonly from: string; readonly to: string }[];
}

/** UTC, epoch ms; `end` is not included. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

/** No calendar at all: around the clock. */
export const alwaysOpen: OpeningHours = {
  zone: "UTC",
  week: Object.fromEntries(weekdays.map((day) => [day, [["00:00", "24:00"]]])),
  holidays: [],
  special: {},
};

interface Known {
  readonly holidays: ReadonlySet<string>;
  /** What opens on a day of UTC; see `openOn`. */
  readonly days: Map<number, readonly Interval[]>;
}

/** Three years of a calendar, about 200 KB. When it is full it starts again. */
const daysMax = 1_100;

/**
 * The one state of this folder. It holds results of a pure function under its arguments, so it can change how long an answer
 * takes, never the answer; it goes when the policy goes.
 */
const known = new WeakMap<OpeningHours, Known>();

/** What is open within one UTC day (counted from 1970-01-01), in order; intervals may touch. Nothing outside the range of dates. */
export function openOn(hours: OpeningHours, day: number): readonly Interval[] {
  let memo = known.get(hours);
  if (memo === undefined) {
    memo = { holidays: new Set(hours.holidays), days: new Map() };
    known.set(hours, memo);
  }
  let found = memo.days.get(day);
  if (found === undefined) {
    found = workOut(hours, memo.holidays, day);
    if (memo.days.size >= daysMax) memo.days.clear();
    memo.days.set(day, found);
  }
  return found;
}

const nothing: readonly Interval[] = [];
/** Years 1–9999, in which a date has ten characters. */
const firstDay = -719_162;
const lastDay = 2_932_896;

function workOut(hours: OpeningHours, holidays: ReadonlySet<string>, day: number): readonly Interval[] {
  if (!(day > firstDay && day < lastDay)) return nothing;
  const start = day * dayMs;
  const end = start + dayMs;
  const before = offsetAt(hours.zone, start);
  const after = offsetAt(hours.zone, end);
  const found: Interval[] = [];
  if (before === after) {
    add(found, hours, holidays, start, end, before);
  } else {
    const change = changeBetween(hours.zone, start, end, before);
    add(found, hours, holidays, start, change, before);
    add(found, hours, holidays, change, end, after);
  }
  return found.length === 0 ? nothing : found;
}

/** The first second at which the offset is no longer what it was at `start`. Clocks change at most once in a day. */
function changeBetween(zone: string, start: number, end: number, before: number): number {
  let same = start / 1_000;
  let other = end / 1_000;
  while (other - same > 1) {
    const middle = Math.floor((same + other) / 2);
    if (offsetAt(zone, middle * 1_000) === before) same = middle;
    else other = middle;
  }
  return other * 1_000;
}

/** Adds what opens from `start` to `end`, a stretch in which the offset stays: there, local time is plain arithmetic. */
function add(
  found: Interval[],
  hours: OpeningHours,
  holidays: ReadonlySet<string>,
  start: number,
  end: number,
  offset: number,
): void {
  for (let day = Math.floor((start + offset) / dayMs); day * dayMs < end + offset; day++) {
    const midnight = day * dayMs - offset;
    for (const [from, to] of timesOn(hours, holidays, day)) {
      const opens = Math.max(start, midnight + msOf(from));
      const closes = Math.min(end, midnight + msOf(to));
      if (opens < closes) found.push({ start: opens, end: closes });
    }
  }
}

const closedDay: Times = [];

/** What the document says about a local date. */
function timesOn(hours: OpeningHours, holidays: ReadonlySet<string>, day: number): Times {
  const date = dateOf(day);
  if (hours.closed?.some(({ from, to }) => from <= date && date <= to)) return closedDay;
  const special = Object.hasOwn(hours.special, date) ? hours.special[date] : undefined;
  if (special !== undefined) return special;
  if (holidays.has(date)) return closedDay;
  const name = weekdayOf(day);
  return hours.week[name] ?? closedDay;
}

/** 1970-01-01 was a Thursday. */
export function weekdayOf(day: number): (typeof weekdays)[number] {
  return weekdays[(((day + 3) % 7) + 7) % 7] ?? "mon";
}

function msOf(time: string): number {
  return (Number(time.slice(0, 2)) * 60 + Number(time.slice(3))) * 60_000;
}
