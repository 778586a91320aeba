/** When a follow-up is due. Pure. */
import type { Level } from "../model.ts";
import type { LeadFold } from "../resolve/lead.ts";
import type { Play, Policy } from "./policy.ts";
import { dueAt } from "./time/calendar.ts";
import { callTime } from "./time/call.ts";

/**
 * From the moment the trigger was accepted, in open hours where the play has a calendar; a call not before the hours in which one
 * calls people where the lead lives. An urgent lead's is due sooner.
 */
export function dueOf(
  policy: Policy,
  play: Play,
  lead: LeadFold,
  acceptedAt: number,
  level: Level,
  now: number,
): number {
  const calendar = play.calendar === undefined ? null : (policy.calendars[play.calendar] ?? null);
  const from =
    play.call_window === undefined
      ? acceptedAt
      : (callTime(lead.fields.time_zone?.value, calendar, acceptedAt, play.call_window) ?? acceptedAt);
  const due = dueAt(calendar, from, play.due_in_ms) ?? from + play.due_in_ms;
  if (level !== "urgent") return due;
  return Math.min(due, dueAt(calendar, Math.max(from, now), policy.escalation.urgent_due_in_ms) ?? due);
}
