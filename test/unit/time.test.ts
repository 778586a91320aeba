/** Business time. Expected instants are worked out by hand from the published changes of clocks; times of day in names are local. */
import { describe, expect, it } from "vitest";
import {
  addBusinessMs,
  businessMsBetween,
  dueAt,
  isOpen,
  nextOpenAt,
  openIntervals,
} from "../../src/decide/time/calendar.ts";
import { callTime } from "../../src/decide/time/call.ts";
import { type Promised, slaState } from "../../src/decide/time/clock.ts";
import { isPresent, presenceOf, presentHours } from "../../src/decide/time/presence.ts";
import {
  type Calendar,
  calendarSchema,
  callWindowSchema,
  type MemberTime,
  memberTimeSchema,
} from "../../src/decide/time/schema.ts";
import { isZone, zoneOf } from "../../src/decide/time/zone.ts";
import { proveCalendar, zones } from "../prove/calendar.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const at = (iso: string) => Date.parse(iso);
const iso = (instant: number | null) =>
  instant === null ? null : new Date(instant).toISOString().replace(":00.000Z", "Z");
const spans = (calendar: Calendar, from: string, to: string) =>
  openIntervals(calendar, at(from), at(to)).map(({ start, end }) => `${iso(start)} ${iso(end)}`);

type Times = [string, string][];
const nineToFive: Times = [["09:00", "17:00"]];
const monToFri = (times: Times) => ({ mon: times, tue: times, wed: times, thu: times, fri: times });

function calendar(part: Partial<Calendar> = {}): Calendar {
  return calendarSchema.parse({ zone: "Europe/Berlin", week: monToFri(nineToFive), ...part });
}

function refusal(schema: { safeParse(value: unknown): unknown }, value: unknown): string {
  const parsed = schema.safeParse(value) as {
    success: boolean;
    error?: { issues: { path: PropertyKey[]; message: string }[] };
  };
  expect(parsed.success).toBe(false);
  return parsed.error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join(" | ") ?? "";
}

describe("a calendar of the policy", () => {
  const week = monToFri(nineToFive);

  it("is a zone and a week; holidays and special days are optional", () => {
    expect(calendarSchema.parse({ zone: "Asia/Kathmandu", week: { sun: nineToFive } })).toEqual({
      zone: "Asia/Kathmandu",
      week: { sun: nineToFive },
      holidays: [],
      special: {},
    });
  });

  it("may be open until midnight, have breaks, and intervals that touch", () => {
    const times: Times = [
      ["00:00", "12:00"],
      ["12:00", "13:30"],
      ["14:00", "24:00"],
    ];
    expect(calendarSchema.safeParse({ zone: "UTC", week: { mon: times } }).success).toBe(true);
  });

  it.each(["Mars/Olympus", "Berlin", "+02:00", "", "Europe/Berlin ", "CEST", "../etc/passwd", `E${"x".repeat(60)}`])(
    "is refused in the zone %j",
    (zone) => {
      expect(refusal(calendarSchema, { zone, week })).toBe(
        'zone: This is not a time zone of the IANA list, such as "Europe/Berlin".',
      );
    },
  );

  it("is refused when times overlap, stand in the wrong order, or end before they begin", () => {
    const of = (mon: Times) => refusal(calendarSchema, { zone: "UTC", week: { mon } });
    expect(
      of([
        ["09:00", "12:00"],
        ["11:59", "17:00"],
      ]),
    ).toBe("week.mon.1: 11:59 to 17:00 overlaps 09:00 to 12:00, or stands before it.");
    expect(
      of([
        ["13:00", "17:00"],
        ["09:00", "12:00"],
      ]),
    ).toBe("week.mon.1: 09:00 to 12:00 overlaps 13:00 to 17:00, or stands before it.");
    expect(of([["17:00", "09:00"]])).toBe("week.mon.0: 17:00 is not before 09:00.");
    expect(of([["09:00", "09:00"]])).toBe("week.mon.0: 09:00 is not before 09:00.");
    expect(of([["9:00", "17:00"]])).toBe('week.mon.0.0: A time is written "HH:MM", from "00:00" to "23:59".');
    expect(of([["24:00", "24:00"]])).toContain("week.mon.0.0: A time is written");
    expect(of([["09:00", "24:01"]])).toBe('week.mon.0.1: A time is written "HH:MM", up to "24:00".');
  });

  it("is refused when nothing ever opens", () => {
    const words = "week: A week needs a day on which something is open.";
    expect(refusal(calendarSchema, { zone: "UTC", week: {} })).toBe(words);
    expect(refusal(calendarSchema, { zone: "UTC", week: { mon: [], sun: [] } })).toBe(words);
  });

  it("is refused with more intervals or dates than anybody needs, and with fields that nobody knows", () => {
    const many: Times = Array.from({ length: 7 }, (_, index) => [`0${index}:00`, `0${index}:30`]);
    expect(refusal(calendarSchema, { zone: "UTC", week: { mon: many } })).toContain("week.mon:");
    const dates = Array.from({ length: 401 }, (_, index) => new Date(index * day).toISOString().slice(0, 10));
    expect(refusal(calendarSchema, { zone: "UTC", week, holidays: dates })).toContain("holidays:");
    const special = Object.fromEntries(dates.map((date) => [date, []]));
    expect(refusal(calendarSchema, { zone: "UTC", week, special })).toBe("special: At most 400 special days.");
    expect(refusal(calendarSchema, { zone: "UTC", week: { ...week, monday: nineToFive } })).toContain("monday");
  });

  it("is refused when a holiday or a special day is not a date of the calendar", () => {
    const holiday = (date: string) => refusal(calendarSchema, { zone: "UTC", week, holidays: [date] });
    expect(holiday("2026-02-29")).toBe("holidays.0: There is no such day in the calendar.");
    expect(holiday("2026-13-01")).toBe("holidays.0: There is no such day in the calendar.");
    expect(holiday("24.12.2026")).toBe('holidays.0: A date is written "YYYY-MM-DD".');
    expect(refusal(calendarSchema, { zone: "UTC", week, special: { "2026-02-30": [] } })).toBe(
      'special.2026-02-30: A special day is named by a date of the calendar, "YYYY-MM-DD".',
    );
    expect(calendarSchema.safeParse({ zone: "UTC", week, holidays: ["2028-02-29"] }).success).toBe(true);
  });
});

describe("working time", () => {
  // 2026-11-16 is a Monday; Berlin is one hour ahead of UTC.
  const office = calendar();

  it("opens at the first moment and is closed at the last", () => {
    expect(isOpen(office, at("2026-11-16T08:00:00Z"))).toBe(true);
    expect(isOpen(office, at("2026-11-16T08:00:00Z") - 1)).toBe(false);
    expect(isOpen(office, at("2026-11-16T16:00:00Z") - 1)).toBe(true);
    expect(isOpen(office, at("2026-11-16T16:00:00Z"))).toBe(false);
  });

  it("goes on the next working morning: Friday 16:00 and two hours is Monday 10:00", () => {
    expect(iso(addBusinessMs(office, at("2026-11-20T15:00:00Z"), 2 * hour))).toBe("2026-11-23T09:00Z");
  });

  it("ends in the evening, not the next morning, when the day is just enough", () => {
    expect(iso(addBusinessMs(office, at("2026-11-16T08:00:00Z"), 8 * hour))).toBe("2026-11-16T16:00Z");
    expect(iso(addBusinessMs(office, at("2026-11-16T08:00:00Z"), 8 * hour + 1))).toBe("2026-11-17T08:00:00.001Z");
  });

  it("counts from the next opening when asked at night; no time at all leads to that opening", () => {
    expect(iso(addBusinessMs(office, at("2026-11-21T12:00:00Z"), hour))).toBe("2026-11-23T09:00Z");
    expect(iso(addBusinessMs(office, at("2026-11-21T12:00:00Z"), 0))).toBe("2026-11-23T08:00Z");
    expect(iso(nextOpenAt(office, at("2026-11-21T12:00:00Z")))).toBe("2026-11-23T08:00Z");
    expect(iso(nextOpenAt(office, at("2026-11-16T09:30:00Z")))).toBe("2026-11-16T09:30Z");
  });

  it("between two instants is what was open; backwards it is negative", () => {
    const [friday, monday] = [at("2026-11-20T15:00:00Z"), at("2026-11-23T09:00:00Z")];
    expect(businessMsBetween(office, friday, monday)).toBe(2 * hour);
    expect(businessMsBetween(office, monday, friday)).toBe(-2 * hour);
    expect(businessMsBetween(office, friday, friday)).toBe(0);
  });

  it("without a calendar is the time on the wall", () => {
    expect(dueAt(null, 1_000, 500)).toBe(1_500);
    expect(iso(dueAt(office, at("2026-11-20T15:00:00Z"), 2 * hour))).toBe("2026-11-23T09:00Z");
  });

  it("does not end at midnight when the next day begins there", () => {
    const nights = calendar({ week: { fri: [["22:00", "24:00"]], sat: [["00:00", "06:00"]] } });
    expect(spans(nights, "2026-11-20T00:00:00Z", "2026-11-22T00:00:00Z")).toEqual([
      "2026-11-20T21:00Z 2026-11-21T05:00Z",
    ]);
    expect(isOpen(nights, at("2026-11-20T23:00:00Z"))).toBe(true);
  });

  it("joins across the midnight of UTC, at which nothing happens in Auckland", () => {
    // 13:00 there.
    const office = calendar({ zone: "Pacific/Auckland" });
    expect(spans(office, "2026-11-16T18:00:00Z", "2026-11-17T12:00:00Z")).toEqual([
      "2026-11-16T20:00Z 2026-11-17T04:00Z",
    ]);
  });

  it("is not counted on a holiday, and differently on a special day, which wins over the holiday", () => {
    const december = calendar({
      holidays: ["2026-12-24", "2026-12-25"],
      special: { "2026-12-24": [["09:00", "12:00"]], "2026-12-27": [["10:00", "14:00"]], "2026-12-28": [] },
    });
    expect(spans(december, "2026-12-23T12:00:00Z", "2026-12-30T00:00:00Z")).toEqual([
      "2026-12-23T12:00Z 2026-12-23T16:00Z",
      "2026-12-24T08:00Z 2026-12-24T11:00Z",
      "2026-12-27T09:00Z 2026-12-27T13:00Z",
      "2026-12-29T08:00Z 2026-12-29T16:00Z",
    ]);
  });

  it("is never found beyond 400 days", () => {
    const from = at("2026-01-01T00:00:00Z");
    const mondays = (lastDayAway: string) =>
      memberHours(
        { away: [{ from: "2020-01-01", to: lastDayAway }], zone: "UTC" },
        calendar({ week: { mon: nineToFive } }),
      );
    // 2027-02-01 is the Monday 396 days later; the next one is 403 days away.
    expect(iso(nextOpenAt(mondays("2027-01-31"), from))).toBe("2027-02-01T09:00Z");
    expect(nextOpenAt(mondays("2027-02-01"), from)).toBeNull();
    // From 4 January 09:00 it is 400 days to the hour.
    expect(iso(nextOpenAt(mondays("2027-02-01"), at("2026-01-04T09:00:00Z")))).toBe("2027-02-08T09:00Z");
    expect(nextOpenAt(mondays("2027-02-01"), at("2026-01-04T09:00:00Z") - 1)).toBeNull();
    expect(addBusinessMs(calendar(), from, 400 * day)).toBeNull();
    expect(dueAt(calendar(), from, 400 * day)).toBeNull();
  });

  it("of many years is the sum of the years, although only three are remembered", () => {
    const years = Array.from({ length: 6 }, (_, index) => at(`${2021 + index}-01-01T00:00:00Z`));
    const parts = years.slice(1).map((end, index) => businessMsBetween(office, years[index] ?? 0, end));
    expect(parts.reduce((sum, part) => sum + part, 0)).toBe(businessMsBetween(office, years[0] ?? 0, years[5] ?? 0));
    // 2021 had 261 days from Monday to Friday.
    expect(parts[0]).toBe(261 * 8 * hour);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 8.64e15, -8.64e15])(
    "is not found at %d, and nothing is thrown",
    (never) => {
      expect(isOpen(office, never)).toBe(false);
      expect(nextOpenAt(office, never)).toBeNull();
      expect(openIntervals(office, never, never)).toEqual([]);
      expect(businessMsBetween(office, never, never)).toBeCloseTo(0);
    },
  );
});

function memberHours(member: MemberTime, office: Calendar) {
  return presentHours(member, { calendars: { office }, calendar: "office" });
}

describe("clocks that are put forward and back", () => {
  const sundays = (zone: string, from: string, to: string) => calendar({ zone, week: { sun: [[from, to]] } });

  it("make a Sunday of 23 and one of 25 hours in New York", () => {
    const open = sundays("America/New_York", "00:00", "24:00");
    expect(spans(open, "2026-03-07T00:00:00Z", "2026-03-10T00:00:00Z")).toEqual([
      "2026-03-08T05:00Z 2026-03-09T04:00Z",
    ]);
    expect(spans(open, "2026-10-31T00:00:00Z", "2026-11-03T00:00:00Z")).toEqual([
      "2026-11-01T04:00Z 2026-11-02T05:00Z",
    ]);
  });

  it("keep nine o'clock at nine o'clock: Friday 16:00 and two hours is Monday 10:00 also over the change", () => {
    const office = calendar({ zone: "America/New_York" });
    expect(iso(addBusinessMs(office, at("2026-03-06T21:00:00Z"), 2 * hour))).toBe("2026-03-09T14:00Z");
    expect(iso(addBusinessMs(office, at("2026-10-30T20:00:00Z"), 2 * hour))).toBe("2026-11-02T15:00Z");
  });

  it("open at the end of the gap what would have opened in it", () => {
    // 02:00 became 03:00, 07:00 UTC.
    const open = sundays("America/New_York", "02:30", "04:00");
    expect(spans(open, "2026-03-08T00:00:00Z", "2026-03-09T00:00:00Z")).toEqual([
      "2026-03-08T07:00Z 2026-03-08T08:00Z",
    ]);
  });

  it("close at the start of the gap what would have closed in it, and leave out what lay within", () => {
    const until = sundays("America/New_York", "01:00", "02:30");
    expect(spans(until, "2026-03-08T00:00:00Z", "2026-03-09T00:00:00Z")).toEqual([
      "2026-03-08T06:00Z 2026-03-08T07:00Z",
    ]);
    const within = sundays("America/New_York", "02:10", "02:50");
    expect(spans(within, "2026-03-08T00:00:00Z", "2026-03-09T00:00:00Z")).toEqual([]);
    expect(iso(nextOpenAt(within, at("2026-03-08T00:00:00Z")))).toBe("2026-03-15T06:10Z");
  });

  it("let the hour that comes twice count as the two hours that pass", () => {
    const hours = sundays("America/New_York", "00:00", "03:00");
    expect(businessMsBetween(hours, at("2026-11-01T00:00:00Z"), at("2026-11-02T00:00:00Z"))).toBe(4 * hour);
    const twice = sundays("America/New_York", "01:00", "02:00");
    expect(spans(twice, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z")).toEqual([
      "2026-11-01T05:00Z 2026-11-01T07:00Z",
    ]);
  });

  it("open a quarter past one twice, for the clock shows it twice", () => {
    const twice = sundays("America/New_York", "01:15", "01:45");
    expect(spans(twice, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z")).toEqual([
      "2026-11-01T05:15Z 2026-11-01T05:45Z",
      "2026-11-01T06:15Z 2026-11-01T06:45Z",
    ]);
  });

  it("move by half an hour on Lord Howe", () => {
    const open = sundays("Australia/Lord_Howe", "01:00", "03:00");
    expect(spans(open, "2026-04-04T00:00:00Z", "2026-04-05T00:00:00Z")).toEqual([
      "2026-04-04T14:00Z 2026-04-04T16:30Z",
    ]);
    expect(spans(open, "2026-10-03T00:00:00Z", "2026-10-04T00:00:00Z")).toEqual([
      "2026-10-03T14:30Z 2026-10-03T16:00Z",
    ]);
  });

  it("left out a whole Friday in Apia: Thursday 16:00 and two hours was Monday 10:00", () => {
    const office = calendar({ zone: "Pacific/Apia" });
    expect(iso(addBusinessMs(office, at("2011-12-30T02:00:00Z"), 2 * hour))).toBe("2012-01-01T20:00Z");
    const friday = calendar({ zone: "Pacific/Apia", week: { fri: [["00:00", "24:00"]] } });
    expect(spans(friday, "2011-12-27T00:00:00Z", "2012-01-02T00:00:00Z")).toEqual([]);
  });

  it("stay a quarter to the hour in Kathmandu", () => {
    const office = calendar({ zone: "Asia/Kathmandu" });
    expect(iso(nextOpenAt(office, at("2026-11-16T00:00:00Z")))).toBe("2026-11-16T03:15Z");
  });

  it("begin a day at one o'clock where midnight is skipped: São Paulo 2018, Beirut, Cairo", () => {
    const saoPaulo = sundays("America/Sao_Paulo", "00:00", "02:00");
    expect(spans(saoPaulo, "2018-11-03T12:00:00Z", "2018-11-05T00:00:00Z")).toEqual([
      "2018-11-04T03:00Z 2018-11-04T04:00Z",
    ]);
    const beirut = sundays("Asia/Beirut", "00:15", "00:45");
    expect(iso(nextOpenAt(beirut, at("2026-03-28T00:00:00Z")))).toBe("2026-04-04T21:15Z");
    const cairo = calendar({ zone: "Africa/Cairo", week: { fri: [["00:30", "03:00"]] } });
    expect(spans(cairo, "2026-04-23T12:00:00Z", "2026-04-24T12:00:00Z")).toEqual([
      "2026-04-23T22:00Z 2026-04-24T00:00Z",
    ]);
  });

  it("show the hour before midnight twice in São Paulo, and Sunday begins after the second one", () => {
    // At 24:00 on 17 February 2018 (02:00 UTC on the 18th) it became 23:00 again.
    const saturday = calendar({ zone: "America/Sao_Paulo", week: { sat: [["22:00", "24:00"]] } });
    expect(spans(saturday, "2018-02-17T12:00:00Z", "2018-02-19T00:00:00Z")).toEqual([
      "2018-02-18T00:00Z 2018-02-18T03:00Z",
    ]);
    const sunday = calendar({ zone: "America/Sao_Paulo", week: { sun: [["00:00", "01:00"]] } });
    expect(iso(nextOpenAt(sunday, at("2018-02-17T12:00:00Z")))).toBe("2018-02-18T03:00Z");
  });
});

describe("a member of a team", () => {
  const team = {
    calendars: {
      office: calendar({ holidays: ["2026-12-25"] }),
      late: calendar({ week: { mon: [["12:00", "20:00"]] } }),
    },
    calendar: "office",
  };
  const member = (part: Partial<MemberTime> = {}) => memberTimeSchema.parse(part);

  it("keeps the team's calendar when nothing else is said", () => {
    expect(presentHours(member(), team)).toBe(team.calendars.office);
    expect(presenceOf(member(), team, at("2026-11-16T08:00:00Z"))).toEqual({ present: true });
    expect(presenceOf(member(), team, at("2026-11-20T16:00:00Z"))).toEqual({
      present: false,
      why: "outside_hours",
      until: at("2026-11-23T08:00:00Z"),
    });
  });

  it("may keep another calendar; a name that nobody knows means the team's", () => {
    const evening = at("2026-11-16T18:00:00Z");
    expect(isPresent(member({ calendar: "late" }), team, evening)).toBe(true);
    expect(isPresent(member({ calendar: "constructor" }), team, evening)).toBe(false);
    expect(isPresent(member({ calendar: "gone" }), team, at("2026-11-16T09:00:00Z"))).toBe(true);
  });

  it("is always there when neither the team nor the member has hours", () => {
    expect(isPresent(member(), { calendars: {} }, at("2026-11-15T03:00:00Z"))).toBe(true);
    const leave = member({ away: [{ from: "2026-11-15", to: "2026-11-15" }] });
    expect(presenceOf(leave, { calendars: {} }, at("2026-11-15T03:00:00Z"))).toEqual({
      present: false,
      why: "away",
      until: at("2026-11-16T00:00:00Z"),
    });
  });

  it("reads the same week from the clocks where the member lives, holidays too", () => {
    const abroad = member({ zone: "America/New_York" });
    expect(isPresent(abroad, team, at("2026-11-16T09:00:00Z"))).toBe(false);
    expect(isPresent(abroad, team, at("2026-11-16T21:30:00Z"))).toBe(true);
    // In Berlin the holiday is over by then.
    expect(isPresent(abroad, team, at("2026-12-25T21:30:00Z"))).toBe(false);
  });

  it("may work part-time: own days, the office's holidays", () => {
    const partTime = member({ week: { wed: nineToFive, fri: [["09:00", "13:00"]] } });
    expect(presenceOf(partTime, team, at("2026-11-16T10:00:00Z"))).toEqual({
      present: false,
      why: "outside_hours",
      until: at("2026-11-18T08:00:00Z"),
    });
    expect(isPresent(partTime, team, at("2026-11-20T11:59:00Z"))).toBe(true);
    expect(isPresent(partTime, team, at("2026-11-20T12:00:00Z"))).toBe(false);
    expect(isPresent(partTime, team, at("2026-12-25T10:00:00Z"))).toBe(false);
  });

  it("who works part-time is there on a special day only while both are", () => {
    const office = calendar({ special: { "2026-11-18": [["07:00", "10:00"]], "2026-11-19": [["09:00", "12:00"]] } });
    const hours = memberHours(member({ week: { wed: nineToFive } }), office);
    expect(openIntervals(hours, at("2026-11-18T00:00:00Z"), at("2026-11-20T00:00:00Z"))).toEqual([
      { start: at("2026-11-18T08:00:00Z"), end: at("2026-11-18T09:00:00Z") },
    ]);
  });

  it("is away from the first day to the last, by the clocks where the member lives", () => {
    const away = member({
      zone: "Pacific/Auckland",
      away: [{ from: "2026-11-17", to: "2026-11-18", hand_over_to: "kim@example.com" }],
    });
    // Auckland is 13 hours ahead: the 17th begins there at 11:00 UTC on the 16th, the 18th ends at 11:00 UTC on the 18th.
    const seen = (instant: string) => {
      const presence = presenceOf(away, team, at(instant));
      return presence.present ? "there" : presence.why;
    };
    expect(seen("2026-11-16T03:59:00Z")).toBe("there");
    expect(seen("2026-11-16T10:59:00Z")).toBe("outside_hours");
    expect(seen("2026-11-16T11:00:00Z")).toBe("away");
    expect(seen("2026-11-18T10:59:00Z")).toBe("away");
    expect(seen("2026-11-18T11:00:00Z")).toBe("outside_hours");
    expect(seen("2026-11-18T20:00:00Z")).toBe("there");
  });

  it("who is away says until when, over the weekend and leave that follows on, and who takes over", () => {
    const away = member({
      away: [
        { from: "2026-11-18", to: "2026-11-20", hand_over_to: "kim@example.com" },
        { from: "2026-11-20", to: "2026-11-23", hand_over_to: "sam@example.com" },
      ],
    });
    const back = at("2026-11-24T08:00:00Z");
    const gone = (handOverTo: string) => ({ present: false, why: "away", until: back, handOverTo });
    expect(presenceOf(away, team, at("2026-11-19T10:00:00Z"))).toEqual(gone("kim@example.com"));
    expect(presenceOf(away, team, at("2026-11-20T10:00:00Z"))).toEqual(gone("kim@example.com"));
    expect(presenceOf(away, team, at("2026-11-23T10:00:00Z"))).toEqual(gone("sam@example.com"));
    expect(presenceOf(away, team, at("2026-11-17T20:00:00Z"))).toEqual({
      present: false,
      why: "outside_hours",
      until: back,
    });
  });

  it("who is away for years is not expected back", () => {
    const gone = member({ away: [{ from: "2026-01-01", to: "2030-01-01" }] });
    expect(presenceOf(gone, team, at("2026-11-19T10:00:00Z"))).toEqual({ present: false, why: "away", until: null });
  });

  it("is seen anew when the team's calendar is another one", () => {
    const abroad = member({ zone: "UTC" });
    const noon = at("2026-11-16T18:00:00Z");
    expect(isPresent(abroad, team, noon)).toBe(false);
    expect(isPresent(abroad, { ...team, calendar: "late" }, noon)).toBe(true);
    expect(isPresent(abroad, team, noon)).toBe(false);
  });

  it("is refused with leave that ends before it begins, a wrong zone, an empty week, or a name instead of an address", () => {
    const of = (value: unknown) => refusal(memberTimeSchema, value);
    expect(of({ away: [{ from: "2026-11-18", to: "2026-11-17" }] })).toBe(
      "away.0.to: The last day away is before the first.",
    );
    expect(of({ zone: "Nowhere" })).toContain("zone: This is not a time zone");
    expect(of({ week: {} })).toBe("week: A week needs a day on which something is open.");
    expect(of({ away: [{ from: "2026-11-18", to: "2026-11-18", hand_over_to: "Kim" }] })).toContain(
      "away.0.hand_over_to:",
    );
    expect(of({ away: Array.from({ length: 101 }, () => ({ from: "2026-11-18", to: "2026-11-18" })) })).toContain(
      "away:",
    );
  });
});

describe("the time to call a lead", () => {
  const office = calendar({ week: monToFri([["09:00", "18:00"]]) });
  const window = callWindowSchema.parse({ from: "09:00", to: "18:00" });
  const call = (zone: string | null, instant: string) => iso(callTime(zone, office, at(instant), window));

  it("is when it is day in both places: nine in New York, three in Berlin", () => {
    expect(call("America/New_York", "2026-11-16T09:00:00Z")).toBe("2026-11-16T14:00Z");
    expect(call("America/New_York", "2026-11-16T15:30:00Z")).toBe("2026-11-16T15:30Z");
    expect(call("America/New_York", "2026-11-20T17:00:00Z")).toBe("2026-11-23T14:00Z");
  });

  it("is not on a Saturday where the lead is, though the office works then", () => {
    const everyDay = calendar({ week: { ...monToFri(nineToFive), sat: nineToFive, sun: nineToFive } });
    expect(iso(callTime("Europe/London", everyDay, at("2026-11-21T09:00:00Z"), window))).toBe("2026-11-23T09:00Z");
  });

  it("is never when the days do not meet, but for the weeks in which only one of them has changed its clocks", () => {
    expect(call("America/Los_Angeles", "2026-11-16T09:00:00Z")).toBeNull();
    expect(call("America/Los_Angeles", "2026-03-02T10:00:00Z")).toBe("2026-03-09T16:00Z");
  });

  it.each([null, "", "CEST!", "+02:00", "Mars/Olympus", "x".repeat(65)])(
    "is the office's alone when the lead's zone is %j",
    (zone) => {
      expect(call(zone, "2026-11-21T09:00:00Z")).toBe("2026-11-23T08:00Z");
    },
  );

  it("is the lead's alone when the office has no calendar", () => {
    expect(iso(callTime("Asia/Tokyo", null, at("2026-11-21T09:00:00Z"), window))).toBe("2026-11-23T00:00Z");
  });

  it("is not looked for beyond fourteen days", () => {
    const closed = calendar({ holidays: Array.from({ length: 20 }, (_, index) => `2026-11-${String(index + 10)}`) });
    expect(iso(callTime(null, closed, at("2026-11-16T08:00:00Z"), window))).toBe("2026-11-30T08:00Z");
    expect(callTime(null, closed, at("2026-11-16T07:59:59Z"), window)).toBeNull();
    expect(iso(callTime("America/New_York", closed, at("2026-11-16T14:00:00Z"), window))).toBe("2026-11-30T14:00Z");
    expect(callTime("America/New_York", closed, at("2026-11-16T13:59:59Z"), window)).toBeNull();
  });

  it("has a window that begins before it ends", () => {
    expect(refusal(callWindowSchema, { from: "18:00", to: "09:00" })).toBe("to: The window ends before it begins.");
  });
});

describe("the zone that a lead's trait names", () => {
  it.each(["Europe/Berlin", "America/Argentina/Buenos_Aires", "UTC", "Etc/GMT+5", "Asia/Kolkata", "Asia/Calcutta"])(
    "is %s",
    (name) => {
      expect(zoneOf(name)).toBe(name);
    },
  );

  it("is read without the spaces around it", () => {
    expect(zoneOf(" Europe/Berlin ")).toBe("Europe/Berlin");
  });

  it.each([
    "",
    " ",
    "GMT+2",
    "+02:00",
    "Europe",
    "Europe/",
    "Europe/Atlantis",
    "Europe/Berlin\u0000",
    "[Europe/Berlin]",
    "ß",
  ])("is not known when it says %j", (text) => {
    expect(zoneOf(text)).toBeNull();
    expect(isZone(text)).toBe(false);
  });

  it("is not known when there is none", () => {
    expect(zoneOf(null)).toBeNull();
    expect(zoneOf(undefined)).toBeNull();
  });

  it("may be any that the runtime lists", () => {
    const listed = Intl.supportedValuesOf("timeZone");
    expect(listed.length).toBeGreaterThan(400);
    expect(listed.filter((name) => zoneOf(name) !== name)).toEqual([]);
  });
});

describe("the clock of a promise", () => {
  // Monday 09:00 in Berlin; eight working hours end at 17:00, 16:00 UTC.
  const startedAt = at("2026-11-16T08:00:00Z");
  const promise: Promised = { startedAt, allowedMs: 8 * hour, clock: "business", calendar: calendar() };
  const due = at("2026-11-16T16:00:00Z");

  it("runs while the office is open, and stands still at night", () => {
    expect(slaState({ ...promise, allowedMs: 10 * hour }, at("2026-11-16T20:00:00Z"))).toEqual({
      elapsedMs: 8 * hour,
      leftMs: 2 * hour,
      dueAt: at("2026-11-17T10:00:00Z"),
      breachedAt: null,
      state: "running",
    });
  });

  it("runs through the night on the wall", () => {
    expect(slaState({ ...promise, clock: "wall" }, at("2026-11-16T20:00:00Z"))).toEqual({
      elapsedMs: 12 * hour,
      leftMs: -4 * hour,
      dueAt: due,
      breachedAt: due,
      state: "breached",
    });
    expect(slaState({ ...promise, calendar: null }, at("2026-11-16T20:00:00Z")).elapsedMs).toBe(12 * hour);
  });

  it("is kept at the last moment and broken one later", () => {
    expect(slaState({ ...promise, stoppedAt: due }, at("2026-12-01T00:00:00Z"))).toEqual({
      elapsedMs: 8 * hour,
      leftMs: 0,
      dueAt: due,
      breachedAt: null,
      state: "met",
    });
    expect(slaState({ ...promise, stoppedAt: due + 1 }, at("2026-12-01T00:00:00Z"))).toMatchObject({
      breachedAt: due,
      state: "breached",
    });
    expect(slaState(promise, due).state).toBe("running");
    expect(slaState(promise, due + 1).state).toBe("breached");
  });

  it("is too late in the evening, though no working hour has passed since", () => {
    expect(slaState({ ...promise, stoppedAt: at("2026-11-16T19:00:00Z") }, at("2026-11-17T00:00:00Z"))).toMatchObject({
      leftMs: 0,
      breachedAt: due,
      state: "breached",
    });
  });

  it("does not know yet what was done after now", () => {
    const later = { ...promise, stoppedAt: at("2026-11-16T10:00:00Z") };
    expect(slaState(later, at("2026-11-16T09:00:00Z"))).toMatchObject({ elapsedMs: hour, state: "running" });
    expect(slaState(later, at("2026-11-16T10:00:00Z"))).toMatchObject({ elapsedMs: 2 * hour, state: "met" });
  });

  it("stands at nothing before it started", () => {
    expect(slaState(promise, startedAt - day)).toMatchObject({ elapsedMs: 0, leftMs: 8 * hour, state: "running" });
  });

  it("counts the working time of a late one on", () => {
    expect(slaState(promise, at("2026-11-17T10:00:00Z"))).toMatchObject({ elapsedMs: 10 * hour, leftMs: -2 * hour });
  });
});

describe("random calendars, people and promises", () => {
  it("answer 3,000 questions as a walk over the minutes does", () => {
    const { figures, wrong } = proveCalendar({ cases: 3_000, seed: 7 });
    expect(wrong).toEqual([]);
    expect(figures).toMatchObject({ cases: 3_000, errors: 0 });
    // The questions are worth asking: many stand beside a change of clocks, and every kind and zone occurs.
    expect(figures.acrossChanges).toBeGreaterThan(400);
    expect(figures.zones).toBe(zones.length);
    expect(Object.keys(figures.byQuestion)).toHaveLength(9);
  });
});
