/** Whether a member of a team is there, and if not, why and until when. Pure. */
import { isOpen, nextOpenAt } from "./calendar.ts";
import { alwaysOpen, type OpeningHours, type Times, type Week, weekdayOf } from "./hours.ts";
import type { MemberTime } from "./schema.ts";
import { dayMs, localDate } from "./zone.ts";

/** The calendars of a policy, and the name of the one that the member's team keeps. */
export interface TeamTime {
  readonly calendars: Readonly<Record<string, OpeningHours>>;
  readonly calendar?: string | undefined;
}

export type Presence =
  | { readonly present: true }
  | {
      readonly present: false;
      /** `away` is by date: somebody on leave is away at night as well. */
      readonly why: "away" | "outside_hours";
      /** When the member is there again, after leave and the hours; null when not within 400 days. */
      readonly until: number | null;
      /** Who takes over, from the first entry of `away` that covers the day and names somebody. */
      readonly handOverTo?: string;
    };

export function presenceOf(member: MemberTime, team: TeamTime, at: number): Presence {
  const { hours, workedDates } = timeOf(member, team);
  if (isOpen(hours, at)) return { present: true };
  const until = nextOpenAt(hours, at);
  if (isOpen(workedDates, at)) return { present: false, why: "outside_hours", until };
  const today = localDate(hours.zone, at);
  const stand = member.away.find(({ from, to, hand_over_to }) => hand_over_to && from <= today && today <= to);
  return { present: false, why: "away", until, ...(stand?.hand_over_to && { handOverTo: stand.hand_over_to }) };
}

export function isPresent(member: MemberTime, team: TeamTime, at: number): boolean {
  return isOpen(presentHours(member, team), at);
}

/**
 * The hours in which a member is there, leave taken out: what every function on calendars takes. A team without a calendar is
 * open around the clock; a name that is not known means the team's.
 */
export function presentHours(member: MemberTime, team: TeamTime): OpeningHours {
  return timeOf(member, team).hours;
}

interface Derived {
  readonly base: OpeningHours;
  readonly hours: OpeningHours;
  /** Around the clock on every date on which the member is not away. */
  readonly workedDates: OpeningHours;
}

/** As in `hours.ts`: results of a pure function under its arguments. `base` is compared, for it is not part of the key. */
const derived = new WeakMap<MemberTime, Derived>();

function timeOf(member: MemberTime, team: TeamTime): Derived {
  const base = named(team, member.calendar) ?? named(team, team.calendar) ?? alwaysOpen;
  const memo = derived.get(member);
  if (memo?.base === base) return memo;
  const made = derive(member, base);
  derived.set(member, made);
  return made;
}

function derive(member: MemberTime, base: OpeningHours): Derived {
  const { zone = base.zone, week, away: closed } = member;
  const workedDates = closed.length === 0 ? alwaysOpen : { ...alwaysOpen, zone, closed };
  if (member.zone === undefined && week === undefined && closed.length === 0) return { base, hours: base, workedDates };
  const special = week === undefined ? base.special : narrowed(base.special, week);
  return { base, hours: { zone, week: week ?? base.week, holidays: base.holidays, special, closed }, workedDates };
}

function named(team: TeamTime, name: string | undefined): OpeningHours | undefined {
  return name !== undefined && Object.hasOwn(team.calendars, name) ? team.calendars[name] : undefined;
}

/** A day on which the office opens specially makes nobody work outside their own week. */
function narrowed(special: OpeningHours["special"], week: Week): OpeningHours["special"] {
  return Object.fromEntries(
    Object.entries(special).map(([date, times]) => {
      const own = week[weekdayOf(Date.parse(`${date}T00:00:00Z`) / dayMs)] ?? [];
      return [date, both(times, own)];
    }),
  );
}

function both(some: Times, others: Times): Times {
  return some.flatMap(([from, to]) =>
    others
      .map(([start, end]) => [from > start ? from : start, to < end ? to : end] as const)
      .filter(([opens, closes]) => opens < closes),
  );
}
