/** When somebody who did not answer is tried again: the next business day. Pure. */
import type { Policy } from "../decide/policy.ts";
import { openIntervals } from "../decide/time/calendar.ts";
import type { OpeningHours } from "../decide/time/hours.ts";
import { presentHours } from "../decide/time/presence.ts";
import { dayMs, localDate } from "../decide/time/zone.ts";
import type { FollowUpRecord } from "../resolve/node.ts";

/** Longer than any run of holidays; whoever is away for longer is not whom it waits for. */
const aheadMs = 21 * dayMs;

/**
 * When the holder's hours open on a later date, or those of the play. Where nobody named any, or they never close: the same time on
 * the next weekday, to the minute.
 */
export function nextAttemptAt(policy: Policy, item: Pick<FollowUpRecord, "play" | "holder">, now: number): number {
  const hours = hoursOf(policy, item);
  if (hours !== null) {
    const today = localDate(hours.zone, now);
    const next = openIntervals(hours, now, now + aheadMs).find(({ start }) => localDate(hours.zone, start) > today);
    if (next !== undefined) return next.start;
  }
  let at = Math.floor(now / 60_000) * 60_000 + dayMs;
  while (isWeekend(at)) at += dayMs;
  return at;
}

function isWeekend(at: number): boolean {
  const day = new Date(at).getUTCDay();
  return day === 0 || day === 6;
}

function hoursOf(policy: Policy, { play, holder }: Pick<FollowUpRecord, "play" | "holder">): OpeningHours | null {
  const rule = Object.hasOwn(policy.plays, play) ? policy.plays[play] : undefined;
  const team = rule === undefined ? undefined : policy.teams[rule.team];
  const member = team?.members.find(({ address }) => address === holder);
  const calendar = team?.calendar ?? rule?.calendar;
  if (member !== undefined && (member.calendar ?? member.week ?? calendar) !== undefined)
    return presentHours(member, { calendars: policy.calendars, calendar });
  return calendar === undefined ? null : (policy.calendars[calendar] ?? null);
}
