/**
 * The decision: a pure function of (policy, lead, its follow-ups, the signals to decide on, now). That is what makes
 * explanation, backtest and simulation possible (G10).
 */
import { digest } from "../crypto.ts";
import { waitingSignalsMax } from "../limits.ts";
import type {
  Assignment,
  Decision,
  DecisionOutcome,
  FollowUp,
  Level,
  Priority,
  Reason,
  Signal,
  Tier,
} from "../model.ts";
import { emailOf, identifierValues, type LeadFold } from "../resolve/lead.ts";
import { assignmentsOf } from "./candidates.ts";
import { enrichmentOf } from "./enrich.ts";
import { type Approval, approvalFor, holdOf, refusalOf } from "./hold.ts";
import { pastOf, type Standing, standingIn } from "./level.ts";
import { kindRuleOf, type Play, type Policy, type Route } from "./policy.ts";
import { promisedAt } from "./promise.ts";
import { matchOf, situationOf } from "./route.ts";
import { scoreOf } from "./score.ts";

export interface Question {
  readonly policy: Policy;
  readonly lead: LeadFold;
  /** Stable id of the lead; used to say for whom a play is live. */
  readonly leadId: string;
  readonly followUps: readonly FollowUpFact[];
  /** The signals not yet decided on, any order. Never empty. */
  readonly signals: readonly Signal[];
  readonly now: number;
  /** What people have approved of this lead's holds. */
  readonly approvals?: readonly Approval[];
  /** What others at the lead's company did, where the policy looks at companies. */
  readonly company?: LeadFold["kinds"];
}

/** What a decision needs to know of an earlier follow-up. */
export interface FollowUpFact {
  readonly id: string;
  readonly play: string;
  readonly state: FollowUp["state"];
  readonly created_at: number;
  /** When it was closed; absent while it is open. */
  readonly closed_at?: number;
  readonly due_at: number;
  /** Of an open one; see `FollowUp`. */
  readonly promised_at?: number;
  readonly priority: Priority;
  readonly reasons: readonly Reason[];
  readonly revision: number;
}

export interface Answer {
  readonly decision: Decision;
  /** Present when the outcome is `follow_up`. */
  readonly followUp?: FollowUp;
}

export function decide(question: Question): Answer {
  const { policy, lead, followUps, now } = question;
  const signals = inOrder(question.signals);
  const keys = signals.map((signal) => signal.idempotency_key);
  const { score, reasons } = scoreOf(policy, lead, now);
  const past = pastOf(policy, lead, now, question.company);
  const standing = standingIn(past, score);
  const match = matchOf(situationOf(policy, lead, score, standing, past), signals);
  const base = {
    id: decisionId(now, keys),
    at: now,
    policy_version: policy.version,
    signals: keys,
    level: standing.level,
    score,
    ...withdrawals(question),
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
  const rule = kindRuleOf(policy, trigger.kind);
  const because = (code: string, text: string): Reason => ({ code, text, signal: trigger.idempotency_key });
  const routed = because(`route:${route.name}`, `${rule.words} (route “${route.name}”)`);
  const way = { route: route.name, play: route.play };

  const hold = holdOf(policy, lead, play, now, question.approvals);
  if (hold !== null) return answer("held", rule.tier, hold, way);

  const covered = coveredBy(question, match, standing);
  if (covered !== null) {
    const { outcome, item, code, text } = covered;
    const enrichment =
      outcome === "noted" ? enrichmentOf(policy, lead, item, match, routed, standing.level, now) : null;
    const extra = { ...way, follow_up: item.id, ...(enrichment === null ? {} : { enrichment }) };
    return answer(outcome, rule.tier, because(code, text.replace("{what}", rule.words)), extra);
  }
  if (!reachable(lead)) {
    const text = "Nobody can be contacted yet: no e-mail address or CRM record is known.";
    return answer("waiting", rule.tier, because("no_address", text), way);
  }
  const approval = approvalFor(policy, lead, now, question.approvals);
  // What the approver wants is for the follow-up that was held, not for those that come after it.
  const isSpent = followUps.some((item) => item.created_at >= (approval?.at ?? 0));
  const edit = isSpent ? undefined : approval?.edit;
  const assign = edited(assignmentsOf(policy, lead, route.play, trigger, standing.level, now), edit);
  if (isShadow(play, route.play, question.leadId)) {
    const why = because("shadow", `${rule.words}; “${route.play}” is not live for this lead (route “${route.name}”)`);
    return answer("shadow", rule.tier, why, { ...way, assign });
  }
  const followUp = followUpOf(question, match, assign, [routed, ...reasons], standing.level);
  const extra = { ...way, follow_up: followUp.id, assign, ...promiseOn(followUp) };
  return { ...answer("follow_up", rule.tier, routed, extra), followUp };
}

function inOrder(signals: readonly Signal[]): readonly Signal[] {
  if (signals.length === 1) return signals;
  return signals.toSorted((a, b) => a.occurred_at - b.occurred_at || (a.idempotency_key < b.idempotency_key ? -1 : 1));
}

/**
 * As in `time/hours.ts`: the result of a pure function under its arguments, here the last one. A backtest asks for each twice, as both
 * of its policies decide on the same signals at the same instant.
 */
let lastId: { readonly now: number; readonly keys: readonly string[]; readonly id: string } | undefined;

/** With the instant: the same signals may be decided on again, when somebody became reachable. */
function decisionId(now: number, keys: readonly string[]): string {
  if (lastId?.now !== now || !sameKeys(lastId.keys, keys))
    lastId = { now, keys, id: `de_${digest(String(now), ...keys)}` };
  return lastId.id;
}

export function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((key, at) => key === b[at]);
}

const nothing: ReadonlySet<string> = new Set();

/**
 * Of somebody who cannot be reached yet: the signals, by key, that are decided on again with the next one. Who stays unknown for a
 * thousand page views is not to be decided on a thousand signals each time: the newest wait, and the one that led to a follow-up.
 */
export function waitingAfter({ outcome, signals, reasons }: Decision): ReadonlySet<string> {
  if (outcome !== "waiting") return nothing;
  const trigger = reasons[0]?.signal;
  return new Set([...(trigger === undefined ? [] : [trigger]), ...signals.slice(-waitingSignalsMax)]);
}

function promiseOn({ promised_at }: FollowUp): Pick<Decision, "promised_at"> {
  return promised_at === undefined ? {} : { promised_at };
}

/** Open follow-ups of somebody who has said no since. */
function withdrawals({ policy, lead, followUps }: Question): Pick<Decision, "withdrawn"> {
  const withdrawn = followUps.flatMap(({ id, play, state }) => {
    const refusal = state === "open" ? refusalOf(lead, policy.plays[play]) : null;
    return refusal === null ? [] : [{ follow_up: id, because: refusal.text }];
  });
  return withdrawn.length === 0 ? {} : { withdrawn };
}

/** As whoever approved it wants it. */
function edited(assign: readonly Assignment[], edit: Approval["edit"]): readonly Assignment[] {
  if (edit === undefined) return assign;
  const { holder, priority, due_at } = edit;
  return assign.map((way) => ({
    ...way,
    priority: priority ?? way.priority,
    due_at: due_at ?? way.due_at,
    ...(holder === undefined ? {} : { preferred: { address: holder, why: "approver" as const } }),
  }));
}

/** The route that was taken, the signal that did it, and the play. */
export interface Match {
  readonly route: Route;
  readonly play: Play;
  readonly trigger: Signal;
}

interface Covered {
  readonly outcome: "noted" | "none";
  readonly item: FollowUpFact;
  readonly code: string;
  /** `{what}`: what the trigger did. */
  readonly text: string;
}

/** An earlier follow-up that makes a new one needless: it is open, it was closed a short while ago, or it was for this very episode. */
function coveredBy({ policy, followUps, now }: Question, { route, play }: Match, standing: Standing): Covered | null {
  const open = followUps.find(
    (item) => item.state === "open" && (policy.one_open_per === "lead" || item.play === route.play),
  );
  if (open !== undefined)
    return { outcome: "noted", item: open, code: "already_open", text: "An open follow-up covers this: {what}." };
  const earlier = followUps.filter((item) => item.play === route.play && item.state !== "cancelled");
  const cooling = earlier.find((item) => now - (item.closed_at ?? item.created_at) < play.cool_down_ms);
  if (cooling !== undefined)
    return {
      outcome: "none",
      item: cooling,
      code: "cooling_down",
      text: `“${route.play}” was followed up a short while ago.`,
    };
  const { episodeSince } = standing;
  if (route.when.level_at_least === undefined || episodeSince === null) return null;
  const same = earlier.find((item) => item.created_at >= episodeSince);
  if (same === undefined) return null;
  return {
    outcome: "none",
    item: same,
    code: "same_episode",
    text: "Interest has not let up since it was followed up.",
  };
}

function followUpOf(
  { policy, followUps, now }: Question,
  { route, play, trigger }: Match,
  assign: readonly Assignment[],
  reasons: readonly Reason[],
  level: Level,
): FollowUp {
  const first = assign[0];
  const { tier } = kindRuleOf(policy, trigger.kind);
  const promised_at = promisedAt(policy, play, tier, trigger.received_at);
  const manager = level === "urgent" ? policy.teams[first?.team ?? ""]?.manager : undefined;
  return {
    id: newId(trigger, route.play, followUps),
    play: route.play,
    state: "open",
    holder: firstNamed(policy, route.play, assign),
    assign,
    priority: first?.priority ?? "medium",
    created_at: now,
    due_at: first?.due_at ?? now,
    ...(promised_at === null ? {} : { promised_at }),
    tier,
    policy_version: policy.version,
    ...(manager === undefined ? {} : { tell: manager }),
    revision: 0,
    trigger: trigger.idempotency_key,
    accepted_at: trigger.received_at,
    reasons,
  };
}

/** Somebody is named from the first moment (G12), whoever's turn it turns out to be. */
function firstNamed(policy: Policy, play: string, assign: readonly Assignment[]): string {
  for (const { preferred, candidates } of assign) {
    const address = preferred?.address ?? candidates[0]?.address;
    if (address !== undefined) return address;
  }
  return lastResort(policy, play);
}

/** Who takes what nobody of the team can: the play's fallback owner, the team's manager, its first member. */
export function lastResort(policy: Policy, playName: string): string {
  const play = policy.plays[playName];
  const team = policy.teams[play?.team ?? ""];
  return play?.go_live?.fallback_owner ?? team?.manager ?? team?.members[0]?.address ?? "";
}

/** The same leads stay live while the percentage grows. */
function isShadow(play: Play, name: string, leadId: string): boolean {
  if (play.status === "shadow") return true;
  if (play.live_percent >= 100) return false;
  return Number.parseInt(digest("live", name, leadId).slice(0, 8), 36) % 100 >= play.live_percent;
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
