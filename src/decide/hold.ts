/**
 * Reasons for which no follow-up may leave, whatever the routes say (G11). Asked when deciding and again when sending. Nobody
 * lifts a hold of consent; the others wait for somebody to approve. Pure.
 */
import type { Priority, Purpose, Reason } from "../model.ts";
import { emailOf, type LeadFold } from "../resolve/lead.ts";
import { factsOf, regionOf } from "./facts.ts";
import { holds } from "./policy/condition.ts";
import type { Play } from "./policy/plays.ts";
import { kindRuleOf, type Policy } from "./policy.ts";

const dayMs = 86_400_000;

/** Somebody has approved what a hold had stopped. */
export interface Approval {
  /** Code of the hold. */
  readonly code: string;
  /** Address. */
  readonly by: string;
  readonly at: number;
  /** Epoch ms until which it counts. */
  readonly until: number;
  /** What the approver changed about the follow-up. */
  readonly edit?: {
    readonly holder?: string | undefined;
    readonly priority?: Priority | undefined;
    readonly due_at?: number | undefined;
  };
}

/** What is to leave: a play's task, or the sequence that the person is put into. */
export interface Contacting {
  readonly type: Play["type"] | "sequence";
}

/** What a play of this type is for, in words of consent; a to-do contacts nobody by itself. */
function purposeOf(play: Contacting | undefined): Purpose | undefined {
  return play === undefined || play.type === "todo" ? undefined : play.type;
}

export function holdOf(
  policy: Policy,
  lead: LeadFold,
  play: Contacting | undefined,
  now: number,
  approvals: readonly Approval[] = [],
): Reason | null {
  const consent = consentHold(policy, lead, play, now);
  if (consent !== null) return consent;
  const manual = manualHold(policy, lead);
  return manual === null || approvalOf(manual, approvals, now) !== undefined ? null : manual;
}

/** The latest approval that lifts what would hold this lead; undefined where nothing does, or nobody has. */
export function approvalFor(
  policy: Policy,
  lead: LeadFold,
  now: number,
  approvals: readonly Approval[] = [],
): Approval | undefined {
  if (approvals.length === 0) return undefined;
  const manual = manualHold(policy, lead);
  return manual === null ? undefined : approvalOf(manual, approvals, now);
}

function approvalOf(hold: Reason, approvals: readonly Approval[], now: number): Approval | undefined {
  return approvals.findLast(({ code, until }) => code === hold.code && until > now);
}

/** Somebody's own no, to everything or to what this play is for. What is under way is withdrawn for it, not only kept back. */
export function refusalOf(lead: LeadFold, play: Contacting | undefined): Reason | null {
  const purpose = purposeOf(play);
  const { consent } = lead;
  if (consent !== null && !consent.value)
    return { code: "hold:consent", text: "This person asked not to be contacted.", signal: consent.key };
  const own = purpose === undefined ? undefined : lead.purposes[purpose];
  if (own !== undefined && !own.value)
    return {
      code: `hold:consent:${purpose}`,
      text: `This person asked not to be contacted by ${purpose}.`,
      signal: own.key,
    };
  return null;
}

/** Whether a hold of this code is lifted by the person's own yes, and by nothing else. */
export function isForConsent(code: string): boolean {
  return code === "hold:consent" || code.startsWith("hold:consent:") || code === noConsent;
}

const noConsent = "hold:no_consent";

/** A no weighs more than anything; where the region asks for a yes, silence is a no. */
function consentHold(policy: Policy, lead: LeadFold, play: Contacting | undefined, now: number): Reason | null {
  const refusal = refusalOf(lead, play);
  if (refusal !== null) return refusal;
  const { consent } = lead;
  const purpose = purposeOf(play);
  const own = purpose === undefined ? undefined : lead.purposes[purpose];
  if (consent?.value === true || own?.value === true) return null;
  const region = regionOf(policy, lead);
  const rule = region ?? policy.holds.consent.elsewhere;
  if (rule.rule === "opt_out") return null;
  const askedAt = Math.max(
    Number.NEGATIVE_INFINITY,
    ...Object.entries(lead.kinds).flatMap(([kind, { last_at }]) =>
      kindRuleOf(policy, kind).asks === true ? [last_at] : [],
    ),
  );
  if (now - askedAt <= rule.asking_counts_days * dayMs) return null;
  return {
    code: noConsent,
    text: `${region === undefined ? "Here" : `In ${region.name}`} nobody is contacted without a yes, and there is none.`,
  };
}

function manualHold(policy: Policy, lead: LeadFold): Reason | null {
  const domain = emailOf(lead)?.split("@")[1] ?? lead.account?.value.domain;
  if (domain !== undefined && policy.manual_domains.includes(domain))
    return { code: "hold:manual", text: `The account ${domain} is handled by hand.` };
  if (policy.holds.manual.length === 0) return null;
  const factOf = factsOf({ policy, lead });
  const rule = policy.holds.manual.find((item) => holds(item.when, factOf));
  return rule === undefined ? null : { code: `hold:${rule.name}`, text: rule.words };
}
