/** Why this person, why now, and what happened: what the card and the page behind a task's link both show. Pure. */
import { subjectOf, whoOf, withoutRoute } from "../act/outbox.ts";
import { slaOf } from "../api/sla.ts";
import { standingOf } from "../decide/level.ts";
import type { Policy } from "../decide/policy.ts";
import { scoreOf } from "../decide/score.ts";
import type { Reason } from "../model.ts";
import type { LeadFold } from "../resolve/lead.ts";
import type { FollowUpRecord, LogEntry, Root } from "../resolve/node.ts";
import type { ReadyCard } from "./document.ts";
import { headlineOf } from "./headline.ts";
import { timelineOf } from "./timeline.ts";
import { capital } from "./words.ts";

export type Story = Pick<ReadyCard, "why" | "follow_up" | "timeline" | "earlier">;

export function storyOf(
  view: { readonly root: Root; readonly log: readonly LogEntry[] },
  policy: Policy,
  now: number,
): Story {
  const { root, log } = view;
  const { lead } = root;
  const { score, reasons } = scoreOf(policy, lead, now);
  const { shown, earlier } = timelineOf(policy, root, log);
  const item = followUpToShow(root);
  return {
    why: {
      headline: headlineOf(policy, lead, reasons, now),
      score: { total: score.total, fit: score.fit, intent: score.intent },
      level: standingOf(policy, lead, score, now).level,
      points: reasons
        .filter(({ points }) => points !== undefined)
        .map((reason) => ({
          text: capital(reason.text),
          points: reason.points ?? 0,
          at: instantOf(whenOf(lead, reason)),
        }))
        .sort((a, b) => b.points - a.points),
    },
    follow_up: item === undefined ? null : shownFollowUp(policy, lead, item, now),
    timeline: shown.map(({ at, ...moment }) => ({ ...moment, at: instantOf(at) })),
    earlier,
  };
}

/** The open one that is due first; else the latest that was. */
export function followUpToShow(root: Root): FollowUpRecord | undefined {
  const open = root.follow_ups.filter(({ state }) => state === "open");
  const [first] = open.sort((a, b) => a.due_at - b.due_at || (a.id < b.id ? -1 : 1));
  return first ?? [...root.follow_ups].sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? 1 : -1))[0];
}

function shownFollowUp(policy: Policy, lead: LeadFold, item: FollowUpRecord, now: number): ReadyCard["follow_up"] {
  const sla = slaOf(policy, item, now);
  const { id, state, holder, priority, reasons } = item;
  return {
    id,
    title: subjectOf(policy.plays[item.play]?.subject ?? "Follow up with {name}", whoOf(lead), item),
    state,
    holder,
    priority,
    due_at: instantOf(item.due_at),
    sla: sla === null ? null : { state: sla.state, due_at: sla.due_at, left_ms: sla.left_ms },
    reasons: [...new Set(reasons.map(({ text }) => capital(withoutRoute(text))))],
  };
}

/** When the lead earned these points last. */
function whenOf(lead: LeadFold, { code, signal }: Reason): number | null {
  const kind = code.startsWith("intent:") ? lead.kinds[code.slice("intent:".length)] : undefined;
  if (kind !== undefined) return kind.last_at;
  const field = Object.values(lead.fields).find((item) => item.key === signal);
  return field?.at ?? (lead.account?.key === signal ? (lead.account?.at ?? null) : null);
}

function instantOf(at: number): string;
function instantOf(at: number | null): string | null;
function instantOf(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
