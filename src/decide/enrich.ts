/** What new signals change about the follow-up that is open already: its reasons grow, it becomes more urgent, never less. Pure. */
import type { Enrichment, Level, Priority, Reason } from "../model.ts";
import type { LeadFold } from "../resolve/lead.ts";
import type { FollowUpFact, Match } from "./decide.ts";
import { dueOf } from "./due.ts";
import { kindRuleOf, type Policy } from "./policy.ts";
import { promisedAt } from "./promise.ts";

/** One more in the CRM each time, so bounded: what comes later is in the card and in the history. */
const revisionsMax = 10;
const ranks: readonly Priority[] = ["low", "medium", "high"];

/** Null where nothing would be new to whoever holds it. */
export function enrichmentOf(
  policy: Policy,
  lead: LeadFold,
  item: FollowUpFact,
  { play, trigger }: Match,
  routed: Reason,
  level: Level,
  now: number,
): Enrichment | null {
  if (item.revision >= revisionsMax) return null;
  const isNews = !item.reasons.some(({ code, text }) => code === routed.code && text === routed.text);
  const wanted: Priority = level === "urgent" ? "high" : play.priority;
  const priority = ranks.indexOf(wanted) > ranks.indexOf(item.priority) ? wanted : item.priority;
  // What is due already is not due again; and whoever has put it off is not overruled by more of the same.
  const isMore = isNews || priority !== item.priority || level === "urgent";
  const due_at =
    item.due_at <= now || !isMore
      ? item.due_at
      : Math.min(item.due_at, dueOf(policy, play, lead, trigger.received_at, level, now));
  const promised_at = isMore ? earlierPromise(policy, item, play, trigger) : null;
  if (!isNews && priority === item.priority && due_at === item.due_at && promised_at === null) return null;
  const tell = level === "urgent" ? policy.teams[play.team]?.manager : undefined;
  return {
    follow_up: item.id,
    priority,
    due_at,
    ...(promised_at === null ? {} : { promised_at }),
    reasons: isNews ? [routed] : [],
    ...(tell === undefined ? {} : { tell }),
  };
}

/** What somebody who asks more urgently is promised, where that is earlier than what they were promised before. */
function earlierPromise(
  policy: Policy,
  { promised_at }: FollowUpFact,
  play: Match["play"],
  { kind, received_at }: Match["trigger"],
): number | null {
  const promised = promisedAt(policy, play, kindRuleOf(policy, kind).tier, received_at);
  return promised !== null && promised < (promised_at ?? Number.POSITIVE_INFINITY) ? promised : null;
}
