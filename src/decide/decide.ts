/**
 * The decision: a pure function of (policy, lead, its follow-ups, the signals to decide on, now). That is what makes
 * explanation, backtest and simulation possible (G10).
 */
import { digest } from "../crypto.ts";
import type { Decision, DecisionOutcome, FollowUp, Reason, Score, Signal, Tier } from "../model.ts";
import { emailOf, identifierValues, type LeadFold } from "../resolve/lead.ts";
import { assign } from "./assign.ts";
import { holdOf } from "./hold.ts";
import { kindRuleOf, type Play, type Policy, type Route } from "./policy.ts";
import { scoreOf, sustainedIntent } from "./score.ts";

export interface Question {
  readonly policy: Policy;
  readonly lead: LeadFold;
  /** Stable id of the lead; used to spread people over a team. */
  readonly leadId: string;
  readonly followUps: readonly FollowUpFact[];
  /** The signals not yet decided on, any order. Never empty. */
  readonly signals: readonly Signal[];
  readonly now: number;
}

/** What a decision needs to know of an earlier follow-up. */
export interface FollowUpFact {
  readonly id: string;
  readonly play: string;
  readonly state: FollowUp["state"];
  readonly created_at: number;
}

export interface Answer {
  readonly decision: Decision;
  /** Present when the outcome is `follow_up`. */
  readonly followUp?: FollowUp;
}

export function decide(question: Question): Answer {
  const { policy, lead, now } = question;
  const signals = [...question.signals].sort(
    (a, b) => a.occurred_at - b.occurred_at || (a.idempotency_key < b.idempotency_key ? -1 : 1),
  );
  const { score, reasons } = scoreOf(policy, lead, now);
  const match = firstMatch(policy, lead, signals, score, now);
  const base = {
    // With the instant: the same signals may be decided on again, when somebody became reachable.
    id: `de_${digest(String(now), ...signals.map((signal) => signal.idempotency_key))}`,
    at: now,
    policy_version: policy.version,
    signals: signals.map((signal) => signal.idempotency_key),
    score,
  };
  const answer = (outcome: DecisionOutcome, tier: Tier, why: Reason, extra: Partial<Decision> = {}): Answer => ({
    decision: { ...base, outcome, tier, reasons: [why, ...reasons], ...extra },
  });

  if (match === null) {
    return answer("none", tierOf(policy, signals), {
      code: "no_route",
      text: "No route of the policy asks for a follow-up yet.",
    });
  }
  const { route, trigger, play } = match;
  const tier = kindRuleOf(policy, trigger.kind).tier;
  const words = kindRuleOf(policy, trigger.kind).words;
  const routed: Reason = {
    code: `route:${route.name}`,
    text: `${words} (route “${route.name}”)`,
    signal: trigger.idempotency_key,
  };

  const hold = holdOf(policy, lead);
  if (hold !== null) return answer("held", tier, hold, { play: route.play });

  const open = question.followUps.find(
    (item) => item.state === "open" && (policy.one_open_per === "lead" || item.play === route.play),
  );
  if (open !== undefined) {
    const why = {
      code: "already_open",
      text: `An open follow-up covers this: ${words}.`,
      signal: trigger.idempotency_key,
    };
    return answer("noted", tier, why, { play: route.play, follow_up: open.id });
  }
  const cooling = question.followUps.find(
    (item) => item.play === route.play && item.state !== "cancelled" && now - item.created_at < play.cool_down_ms,
  );
  if (cooling !== undefined) {
    const why = {
      code: "cooling_down",
      text: `“${route.play}” was followed up a short while ago.`,
      signal: trigger.idempotency_key,
    };
    return answer("none", tier, why, { play: route.play, follow_up: cooling.id });
  }
  if (!reachable(lead)) {
    const why = {
      code: "no_address",
      text: "Nobody can be contacted yet: no e-mail address or CRM record is known.",
      signal: trigger.idempotency_key,
    };
    return answer("waiting", tier, why, { play: route.play });
  }

  const followUp: FollowUp = {
    id: newId(trigger, route.play, question.followUps),
    play: route.play,
    state: "open",
    holder: assign(policy.teams[play.team]?.members ?? [], question.leadId),
    created_at: now,
    due_at: trigger.received_at + play.due_in_ms,
    tier,
    trigger: trigger.idempotency_key,
    accepted_at: trigger.received_at,
    reasons: [routed, ...reasons],
  };
  return { ...answer("follow_up", tier, routed, { play: route.play, follow_up: followUp.id }), followUp };
}

/**
 * Begins with the arrival of its trigger, so that ids sort by time. A signal triggers a second follow-up of the same play only
 * where the first one was closed because two people had been taken for one; that one needs an id of its own.
 */
function newId(trigger: Signal, play: string, known: readonly FollowUpFact[]): string {
  const idOf = (number: number) =>
    `fu_${trigger.received_at.toString(36)}_${digest(play, trigger.idempotency_key, ...(number > 1 ? [String(number)] : []))}`;
  let number = 1;
  while (known.some((item) => item.id === idOf(number))) number++;
  return idOf(number);
}

interface Match {
  readonly route: Route;
  readonly play: Play;
  readonly trigger: Signal;
}

/** The first route, in the policy's order, whose conditions hold; the trigger is the latest signal that is young enough. */
function firstMatch(
  policy: Policy,
  lead: LeadFold,
  signals: readonly Signal[],
  score: Score,
  now: number,
): Match | null {
  for (const route of policy.routes) {
    const { kinds, score_at_least, sustained, max_age_ms } = route.when;
    const trigger = signals.findLast(
      (signal) => now - signal.occurred_at <= max_age_ms && (kinds === undefined || kinds.includes(signal.kind)),
    );
    if (trigger === undefined) continue;
    if (score_at_least !== undefined && score.total < score_at_least) continue;
    if (sustained !== undefined) {
      const seen = sustainedIntent(policy, lead, now, sustained.within_days);
      if (seen.signals < sustained.signals || seen.days < sustained.days) continue;
    }
    const play = policy.plays[route.play];
    if (play !== undefined) return { route, play, trigger };
  }
  return null;
}

function reachable(lead: LeadFold): boolean {
  return (
    emailOf(lead) !== undefined ||
    ["hubspot_contact_id", "salesforce_contact_id", "salesforce_lead_id"].some(
      (type) => identifierValues(lead, type).length > 0,
    )
  );
}

const tierOrder: readonly Tier[] = ["seconds", "minutes", "hours"];

/** The most urgent tier among the signals. */
export function tierOf(policy: Policy, signals: readonly Signal[]): Tier {
  const ranks = signals.map((signal) => tierOrder.indexOf(kindRuleOf(policy, signal.kind).tier));
  return tierOrder[Math.min(...ranks)] ?? "hours";
}
