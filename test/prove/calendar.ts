/**
 * Business time against a slow walk over the minutes (`minutes.ts`): random calendars, people and promises in forty zones, with
 * half of the questions asked around a change of clocks.
 * `node test/prove/calendar.ts --cases 100000 --seed 1 [--json]`
 */
import { isDeepStrictEqual, parseArgs } from "node:util";
import {
  addBusinessMs,
  businessMsBetween,
  dueAt,
  isOpen,
  nextOpenAt,
  openIntervals,
} from "../../src/decide/time/calendar.ts";
import { callTime } from "../../src/decide/time/call.ts";
import { slaState } from "../../src/decide/time/clock.ts";
import { isPresent, presenceOf, presentHours } from "../../src/decide/time/presence.ts";
import {
  type Calendar,
  type CallWindow,
  calendarSchema,
  callWindowSchema,
  type MemberTime,
  memberTimeSchema,
} from "../../src/decide/time/schema.ts";
import { seeded } from "../signals.ts";
import {
  clockOf,
  dateShown,
  fullMinute,
  minuteMs,
  type Times,
  type Walk,
  walkedIntervals,
  walkedMs,
  walkOf,
  walkOn,
  walkToOpen,
} from "./minutes.ts";

/** Half hours, three quarters, changes at midnight, twice a year, for Ramadan, by half an hour or two hours, or none any more. */
export const zones: readonly string[] = [
  "UTC",
  "Africa/Cairo",
  "Africa/Casablanca",
  "Africa/Johannesburg",
  "Africa/Windhoek",
  "America/Adak",
  "America/Argentina/Buenos_Aires",
  "America/Asuncion",
  "America/Bogota",
  "America/Caracas",
  "America/Chicago",
  "America/Havana",
  "America/Los_Angeles",
  "America/Mexico_City",
  "America/New_York",
  "America/Nuuk",
  "America/Phoenix",
  "America/Santiago",
  "America/Sao_Paulo",
  "America/Scoresbysund",
  "America/St_Johns",
  "Antarctica/Troll",
  "Asia/Amman",
  "Asia/Beirut",
  "Asia/Gaza",
  "Asia/Kathmandu",
  "Asia/Kolkata",
  "Asia/Pyongyang",
  "Asia/Tehran",
  "Asia/Tokyo",
  "Australia/Eucla",
  "Australia/Lord_Howe",
  "Australia/Sydney",
  "Europe/Berlin",
  "Europe/Dublin",
  "Europe/Istanbul",
  "Europe/London",
  "Europe/Moscow",
  "Pacific/Apia",
  "Pacific/Auckland",
  "Pacific/Chatham",
  "Pacific/Kiritimati",
];

const dayMs = 86_400_000;
const firstInstant = Date.UTC(2005, 0, 1);
const lastInstant = Date.UTC(2035, 0, 1);
const horizonMs = 400 * dayMs;
const questionsPerWorld = 5;

export interface Proof {
  readonly cases: number;
  readonly zones: number;
  readonly errors: number;
  /** Cases asked from two days before a change of the calendar's clocks to one day after it. */
  readonly acrossChanges: number;
  readonly byQuestion: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export interface Wrong {
  readonly question: string;
  readonly at: string;
  readonly world: unknown;
  readonly said: unknown;
  readonly walked: unknown;
}

/** Asks so many questions; the first few wrong answers are kept whole. */
export function proveCalendar({ cases, seed }: { readonly cases: number; readonly seed: number }): {
  readonly figures: Proof;
  readonly wrong: readonly Wrong[];
} {
  const started = performance.now();
  const random = new Random(seed);
  const wrong: Wrong[] = [];
  const byQuestion: Record<string, number> = {};
  const used = new Set<string>();
  let errors = 0;
  let acrossChanges = 0;
  let world = worldOf(random);
  for (let number = 0; number < cases; number++) {
    if (number % questionsPerWorld === 0) world = worldOf(random);
    for (const zone of [world.calendar.zone, world.member.zone, world.leadZone]) {
      if (zone !== undefined && zones.includes(zone)) used.add(zone);
    }
    const [name, question] = random.one(questions);
    byQuestion[name] = (byQuestion[name] ?? 0) + 1;
    const at = momentOf(random, world);
    const asked = question(world, at, random);
    const clock = clockOf(world.calendar.zone);
    const [from, to] = [fullMinute(at) - dayMs, fullMinute(at) + 2 * dayMs];
    if (clock.aheadOfUtc(from) !== clock.aheadOfUtc(to)) acrossChanges++;
    if (isDeepStrictEqual(asked.said, asked.walked)) continue;
    errors++;
    if (wrong.length < 5) wrong.push({ question: name, at: new Date(at).toISOString(), world, ...asked });
  }
  const seconds = Math.round(performance.now() - started) / 1_000;
  return { figures: { cases, zones: used.size, errors, acrossChanges, byQuestion, seconds }, wrong };
}

interface World {
  readonly near: number;
  readonly calendar: Calendar;
  readonly member: MemberTime;
  readonly leadZone: string | undefined;
  readonly window: CallWindow;
  readonly openWalk: Walk;
  readonly memberWalk: Walk;
}

interface Asked {
  readonly said: unknown;
  readonly walked: unknown;
}
type Question = (world: World, at: number, random: Random) => Asked;

const questions: readonly (readonly [string, Question])[] = [
  ["is open", ({ calendar, openWalk }, at) => ({ said: isOpen(calendar, at), walked: openWalk(fullMinute(at)) })],
  [
    "next open",
    ({ calendar, openWalk }, at) => ({
      said: nextOpenAt(calendar, at),
      walked: walkToOpen(openWalk, at, at + horizonMs),
    }),
  ],
  [
    "add",
    ({ calendar, openWalk }, at, random) => {
      const ms = durationOf(random, openWalk, at);
      return { said: addBusinessMs(calendar, at, ms), walked: walkOn(openWalk, at, ms, at + horizonMs) };
    },
  ],
  [
    "between",
    ({ calendar, openWalk }, at, random) => {
      const to = at + random.whole(0, 10 * dayMs);
      const walked = walkedMs(openWalk, at, to);
      return random.chance(0.5)
        ? { said: businessMsBetween(calendar, at, to), walked }
        : { said: 0 - businessMsBetween(calendar, to, at), walked };
    },
  ],
  [
    "intervals",
    ({ calendar, openWalk }, at, random) => {
      const to = at + random.whole(0, 5 * dayMs);
      return { said: openIntervals(calendar, at, to), walked: walkedIntervals(openWalk, at, to) };
    },
  ],
  [
    "presence",
    ({ member, calendar, memberWalk }, at, random) => {
      const team = teamOf(member, calendar);
      const said = { is: isPresent(member, team, at), of: presenceOf(member, team, at) };
      if (memberWalk(fullMinute(at))) return { said, walked: { is: true, of: { present: true } } };
      const until = walkToOpen(memberWalk, at, at + horizonMs);
      const today = dateShown(member.zone ?? calendar.zone, at);
      const leave = member.away.filter(({ from, to }) => today >= from && today <= to);
      const stand = leave.map(({ hand_over_to }) => hand_over_to).filter((name) => name !== undefined);
      const why = leave.length > 0 ? "away" : "outside_hours";
      const handOver = stand[0] === undefined ? {} : { handOverTo: stand[0] };
      return { said, walked: { is: false, of: { present: false, why, until, ...handOver } }, random };
    },
  ],
  [
    "present time",
    ({ member, calendar, memberWalk }, at, random) => {
      const hours = presentHours(member, teamOf(member, calendar));
      const ms = durationOf(random, memberWalk, at);
      return { said: addBusinessMs(hours, at, ms), walked: walkOn(memberWalk, at, ms, at + horizonMs) };
    },
  ],
  [
    "call",
    ({ calendar, openWalk, leadZone, window }, at) => {
      const last = at + 14 * dayMs;
      const known = leadZone !== undefined && zones.includes(leadZone);
      const times: Times = [[window.from, window.to]];
      const week = { mon: times, tue: times, wed: times, thu: times, fri: times };
      const there = known ? walkOf({ zone: leadZone, week, holidays: [], special: {} }) : () => true;
      const both: Walk = (minute) => openWalk(minute) && there(minute);
      return { said: callTime(leadZone, calendar, at, window), walked: walkToOpen(both, at, last) };
    },
  ],
  [
    "promise",
    ({ calendar, openWalk }, startedAt, random) => {
      const now = startedAt + random.whole(-dayMs, 8 * dayMs);
      const stoppedAt = random.chance(0.5) ? startedAt + random.whole(0, 8 * dayMs) : undefined;
      const clock = random.chance(0.7) ? "business" : "wall";
      const allowedMs = durationOf(random, openWalk, startedAt);
      const said = slaState({ startedAt, stoppedAt, allowedMs, clock, calendar }, now);
      const done = stoppedAt !== undefined && stoppedAt <= now;
      const end = Math.max(startedAt, done ? stoppedAt : now);
      const business = clock === "business";
      const elapsedMs = business ? walkedMs(openWalk, startedAt, end) : end - startedAt;
      const due = business ? walkOn(openWalk, startedAt, allowedMs, startedAt + horizonMs) : startedAt + allowedMs;
      if (due !== dueAt(business ? calendar : null, startedAt, allowedMs)) return { said: "another due", walked: due };
      const late = due !== null && end > due;
      const state = late ? "breached" : done ? "met" : "running";
      return {
        said,
        walked: { elapsedMs, leftMs: allowedMs - elapsedMs, dueAt: due, breachedAt: late ? due : null, state },
      };
    },
  ],
];

/** The member keeps the team's calendar, or names one; the oracle always walks the same. */
function teamOf(member: MemberTime, calendar: Calendar) {
  if (member.calendar === undefined) return { calendars: { office: calendar }, calendar: "office" };
  return { calendars: { [member.calendar]: calendar, other: everyMinute }, calendar: "other" };
}
const everyMinute: Calendar = calendarSchema.parse({ zone: "Asia/Tokyo", week: { sun: [["00:00", "24:00"]] } });

/** Within two days of where the world is interesting; every third one where something opens or closes, or 1 ms beside. */
function momentOf(random: Random, { near, openWalk, memberWalk }: World): number {
  const at = near + random.whole(-2 * dayMs, 2 * dayMs);
  const kind = random.number();
  if (kind < 0.3) return at;
  if (kind < 0.6) return fullMinute(at);
  const walk = random.chance(0.5) ? openWalk : memberWalk;
  const first = fullMinute(at);
  for (let minute = first; minute < at + 2 * dayMs; minute += minuteMs) {
    if (walk(minute) !== walk(first)) return minute + random.whole(-1, 1);
  }
  return at;
}

/** One in six is as long as what is open until some later instant, so that it often ends just when something closes. */
function durationOf(random: Random, open: Walk, at: number): number {
  const kind = random.number();
  if (kind < 0.08) return 0;
  if (kind < 0.25) return walkedMs(open, at, at + random.whole(0, 2 * dayMs));
  if (kind < 0.5) return random.whole(1, 12 * 60) * minuteMs;
  if (kind < 0.95) return random.whole(1, 16 * 60 * minuteMs);
  return random.whole(1, 400 * 60) * minuteMs;
}

function worldOf(random: Random): World {
  const zone = random.one(zones);
  const memberZone = random.chance(0.4) ? random.one(zones) : undefined;
  const near = instantOf(random, memberZone !== undefined && random.chance(0.3) ? memberZone : zone);
  const calendar = calendarSchema.parse({
    zone,
    week: weekOf(random),
    holidays: Array.from({ length: random.whole(0, 4) }, () => dateNear(random, near)),
    special: Object.fromEntries(
      Array.from({ length: random.whole(0, 4) }, () => [dateNear(random, near), timesOf(random)]),
    ),
  });
  const member = memberTimeSchema.parse({
    ...(random.chance(0.3) ? { calendar: "mine" } : {}),
    ...(memberZone === undefined ? {} : { zone: memberZone }),
    ...(random.chance(0.4) ? { week: weekOf(random) } : {}),
    away: Array.from({ length: random.whole(0, 2) }, () => {
      const from = dateNear(random, near);
      const days = random.chance(0.03) ? random.whole(390, 410) : random.whole(0, 6);
      const to = new Date(Date.parse(from) + days * dayMs).toISOString().slice(0, 10);
      return { from, to, ...(random.chance(0.5) ? { hand_over_to: `${random.one(["kim", "sam"])}@example.com` } : {}) };
    }),
  });
  const leadZone = random.chance(0.8)
    ? random.one(zones)
    : random.one([undefined, "", "Mars/Olympus", "+02:00", "CEST!"]);
  const [from, to] = random.chance(0.6) ? ["09:00", "18:00"] : random.pair();
  const rules = { ...calendar, zone: member.zone ?? zone };
  return {
    near,
    calendar,
    member,
    leadZone,
    window: callWindowSchema.parse({ from, to }),
    openWalk: walkOf(calendar),
    memberWalk: walkOf(rules, member.week, member.away),
  };
}

function weekOf(random: Random): Record<string, Times> {
  const week: Record<string, Times> = {};
  if (random.chance(0.3)) {
    const times = timesOf(random);
    for (const day of ["mon", "tue", "wed", "thu", "fri"]) week[day] = times;
  } else {
    for (const day of ["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
      if (random.chance(0.7)) week[day] = timesOf(random);
  }
  return Object.values(week).some((times) => times.length > 0) ? week : { ...week, wed: [["08:00", "16:30"]] };
}

/** None to three intervals, in order, some of them touching. */
function timesOf(random: Random): Times {
  const kind = random.number();
  if (kind < 0.1) return [["00:00", "24:00"]];
  if (kind < 0.2) return [];
  const [a, b] = random.pair();
  if (kind < 0.6) return [[a, b]];
  const [c, d] = random.pair();
  const edges = [a, b, c, d].sort();
  const [first = a, second = b, third = c, fourth = d] = edges;
  if (first >= second || third >= fourth || third === "24:00") return [[a, b]];
  return [
    [first, second],
    [random.chance(0.2) ? second : third, fourth],
  ];
}

function dateNear(random: Random, near: number): string {
  return new Date(near + random.whole(-8, 12) * dayMs).toISOString().slice(0, 10);
}

/** Half of them within a day and a half of a change of clocks. */
function instantOf(random: Random, zone: string): number {
  const changes = changesOf(zone);
  if (changes.length > 0 && random.chance(0.5)) return random.one(changes) + random.whole(-1.5 * dayMs, 1.5 * dayMs);
  return random.whole(firstInstant, lastInstant);
}

const known = new Map<string, readonly number[]>();
/** The days (UTC) in which the clocks of a zone change, as the wall clock of the oracle shows. */
function changesOf(zone: string): readonly number[] {
  const found = known.get(zone);
  if (found !== undefined) return found;
  const clock = clockOf(zone);
  const changes: number[] = [];
  for (let week = firstInstant; week < lastInstant; week += 7 * dayMs) {
    if (clock.aheadOfUtc(week) === clock.aheadOfUtc(week + 7 * dayMs)) continue;
    for (let at = week; at < week + 7 * dayMs; at += dayMs) {
      if (clock.aheadOfUtc(at) !== clock.aheadOfUtc(at + dayMs)) changes.push(at + dayMs / 2);
    }
  }
  known.set(zone, changes);
  return changes;
}

class Random {
  readonly number: () => number;
  constructor(seed: number) {
    this.number = seeded(seed);
  }
  chance(share: number): boolean {
    return this.number() < share;
  }
  /** Both ends included. */
  whole(from: number, to: number): number {
    return from + Math.floor(this.number() * (to - from + 1));
  }
  one<Item>(list: readonly [Item, ...Item[]] | readonly Item[]): Item {
    return list[this.whole(0, list.length - 1)] as Item;
  }
  /** Two times of a day, the first one earlier; often in the small hours, in which clocks change. */
  pair(): [string, string] {
    const at = () => {
      const kind = this.number();
      if (kind < 0.15) return this.one([0, 1_440]);
      if (kind < 0.45) return this.whole(0, 4 * 12) * 5;
      if (kind < 0.9) return this.whole(0, 96) * 15;
      return this.whole(0, 1_440);
    };
    for (;;) {
      const [a, b] = [at(), at()];
      if (a !== b) return [textOf(Math.min(a, b)), textOf(Math.max(a, b))];
    }
  }
}

function textOf(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      cases: { type: "string", default: "100000" },
      seed: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
    },
  });
  const { figures, wrong } = proveCalendar({ cases: Number(values.cases), seed: Number(values.seed) });
  if (values.json) console.log(JSON.stringify({ ok: figures.errors === 0, figures, wrong }, null, 2));
  else {
    for (const one of wrong) console.log(JSON.stringify(one, null, 2));
    const { cases, zones: places, errors, acrossChanges, seconds } = figures;
    console.log(
      `${cases} cases in ${places} zones, ${acrossChanges} of them beside a change of clocks: ${errors} errors, ${seconds} s`,
    );
  }
  process.exitCode = figures.errors === 0 ? 0 : 1;
}
