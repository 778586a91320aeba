/**
 * Working time in the policy document: calendars, and when a member of a team is there. Checked here at the door; everything
 * behind trusts it. Pure.
 */
import * as z from "zod";
import { isDate, isZone } from "./zone.ts";

const intervalsMax = 6;
const datesMax = 400;
const awayMax = 100;

const zone = z
  .string()
  .max(64)
  .refine(isZone, { error: 'This is not a time zone of the IANA list, such as "Europe/Berlin".' });

const date = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, { error: 'A date is written "YYYY-MM-DD".', abort: true })
  .refine(isDate, { error: "There is no such day in the calendar." });

const opens = z
  .string()
  .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, { error: 'A time is written "HH:MM", from "00:00" to "23:59".', abort: true });
const closes = z
  .string()
  .regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, { error: 'A time is written "HH:MM", up to "24:00".', abort: true });

/** Opening times of a day, in order. `[["09:00", "12:30"], ["13:30", "18:00"]]`; no interval means closed. */
const intervals = z
  .array(z.tuple([opens, closes]))
  .max(intervalsMax)
  .superRefine((list, context) => {
    for (const [index, [from, to]] of list.entries()) {
      const before = list[index - 1];
      if (from >= to) {
        context.addIssue({ code: "custom", path: [index], message: `${from} is not before ${to}.` });
      } else if (before !== undefined && from < before[1]) {
        const message = `${from} to ${to} overlaps ${before[0]} to ${before[1]}, or stands before it.`;
        context.addIssue({ code: "custom", path: [index], message });
      }
    }
  });

/** A day that is not named is closed. */
const week = z
  .strictObject({
    mon: intervals.optional(),
    tue: intervals.optional(),
    wed: intervals.optional(),
    thu: intervals.optional(),
    fri: intervals.optional(),
    sat: intervals.optional(),
    sun: intervals.optional(),
  })
  .refine((days) => Object.values(days).some((list) => list !== undefined && list.length > 0), {
    error: "A week needs a day on which something is open.",
  });

export const calendarSchema = z.strictObject({
  /** Where the times and dates below are read from the clock. */
  zone,
  week,
  /** Closed, whatever the week says. */
  holidays: z.array(date).max(datesMax).default([]),
  /** Replaces the times of a day; wins over `holidays`. `[]` is closed. */
  special: z
    .record(date, intervals, {
      error: (issue) =>
        issue.code === "invalid_key" ? 'A special day is named by a date of the calendar, "YYYY-MM-DD".' : undefined,
    })
    .refine((days) => Object.keys(days).length <= datesMax, { error: `At most ${datesMax} special days.` })
    .default({}),
});

const away = z
  .strictObject({
    from: date,
    /** The last day away. */
    to: date,
    /** Who takes over meanwhile. */
    hand_over_to: z.email().optional(),
  })
  .refine(({ from, to }) => from <= to, { error: "The last day away is before the first.", path: ["to"] });

export const memberTimeSchema = z.strictObject({
  /** Name of a calendar; the team's when absent. */
  calendar: z.string().min(1).max(80).optional(),
  /** Where the member lives: the same times, read from the clocks there. */
  zone: zone.optional(),
  /** Part-time: replaces the calendar's week. Its holidays stay; on its special days both must be open. */
  week: week.optional(),
  /** Whole days, in the member's zone. */
  away: z.array(away).max(awayMax).default([]),
});

/** When a lead may be called, by the clocks where the lead is, Monday to Friday. */
export const callWindowSchema = z
  .strictObject({ from: opens, to: closes })
  .refine(({ from, to }) => from < to, { error: "The window ends before it begins.", path: ["to"] });

export type Calendar = z.infer<typeof calendarSchema>;
export type MemberTime = z.infer<typeof memberTimeSchema>;
export type CallWindow = z.infer<typeof callWindowSchema>;
