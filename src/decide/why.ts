/**
 * Why a decision is what it is: made again from what it was made of (G10), and told step by step. Everything here is worked out from the
 * policy of its version, the inputs and the signals that history keeps; nothing is remembered for the purpose. Pure.
 */
import { canonicalJson } from "../crypto.ts";
import type { Assignment, Decision, Level, Reason, Score, Signal } from "../model.ts";
import { emailOf } from "../resolve/lead.ts";
import type { Inputs } from "../resolve/node.ts";
import { decide, type Question } from "./decide.ts";
import { factsOf } from "./facts.ts";
import { approvalFor, holdOf } from "./hold.ts";
import { pastOf, standingIn } from "./level.ts";
import { kindRuleOf, type Policy } from "./policy.ts";
import { situationOf } from "./route.ts";
import { scoreOf } from "./score.ts";
import { type Asked, askedOf, type RouteStep, routePath } from "./why/route-path.ts";
import { type Change, smallestChanges } from "./why/smallest-change.ts";

export interface Why {
  /** Whether deciding again gives the same bytes. */
  readonly recomputed: boolean;
  readonly policy_version: number;
  /** In words, the shortest way through all of it. */
  readonly words: readonly string[];
  readonly path: readonly RouteStep[];
  readonly inputs: {
    readonly signals: readonly Pick<Signal, "idempotency_key" | "kind" | "emitter" | "occurred_at" | "received_at">[];
    readonly fields: Readonly<
      Record<string, { readonly value: string; readonly source: string; readonly key: string }>
    >;
    /** Signals so far, by kind. */
    readonly counts: Readonly<Record<string, number>>;
    readonly follow_ups: Inputs["follow_ups"];
    readonly consent: boolean | null;
    readonly purposes: Readonly<Record<string, boolean>>;
    readonly approvals: Inputs["approvals"];
    /** Whether what others at the company did was looked at. */
    readonly company: boolean;
  };
  readonly score: Score;
  /** Every point with the signal it came from. */
  readonly points: readonly Reason[];
  readonly level: { readonly level: Level; readonly since: number | null };
  readonly holds: readonly Hold[];
  /** Who could take it and who could not; empty where no follow-up was to leave. */
  readonly assign: readonly Assignment[];
  readonly changes: readonly Change[];
}

export interface Hold {
  readonly code: string;
  readonly text: string;
  readonly stands: boolean;
  readonly approved_by?: string;
  readonly tests: Asked | null;
}

/** `policy`: of the decision's version. `signals`: those it names, in any order. */
export function why(policy: Policy, decision: Decision, inputs: Inputs, signals: readonly Signal[]): Why {
  const { lead, company } = inputs;
  const now = decision.at;
  const question: Question = {
    policy,
    lead,
    leadId: inputs.lead_id,
    followUps: inputs.follow_ups,
    signals,
    now,
    approvals: inputs.approvals,
    ...(company === undefined ? {} : { company }),
  };
  const again = decide(question).decision;
  const { score, reasons } = scoreOf(policy, lead, now);
  const past = pastOf(policy, lead, now, company);
  const standing = standingIn(past, score);
  const inOrder = decision.signals.flatMap((key) => signals.find((item) => item.idempotency_key === key) ?? []);
  const path = routePath(policy, situationOf(policy, lead, score, standing, past), inOrder);
  const { changes } = smallestChanges(question, again);
  const told = {
    recomputed: canonicalJson(again) === canonicalJson(decision),
    policy_version: policy.version,
    path,
    inputs: {
      signals: inOrder.map(({ idempotency_key, kind, emitter, occurred_at, received_at }) => ({
        idempotency_key,
        kind,
        emitter,
        occurred_at,
        received_at,
      })),
      fields: Object.fromEntries(
        Object.entries(lead.fields).map(([name, { value, source, key }]) => [name, { value, source, key }]),
      ),
      counts: Object.fromEntries(Object.entries(lead.kinds).map(([kind, item]) => [kind, item.count])),
      follow_ups: inputs.follow_ups,
      consent: lead.consent?.value ?? null,
      purposes: Object.fromEntries(Object.entries(lead.purposes).map(([name, item]) => [name, item.value])),
      approvals: inputs.approvals,
      company: company !== undefined,
    },
    score,
    points: reasons,
    level: { level: standing.level, since: standing.episodeSince },
    holds: holdsOf(question, decision),
    assign: decision.assign ?? [],
    changes,
  };
  return { ...told, words: wordsOf(decision, told, policy) };
}

/** What was looked at before a play may contact anybody: consent first, then what is handled by hand. */
function holdsOf(question: Question, { play: name }: Decision): readonly Hold[] {
  const { policy, lead, now, approvals = [] } = question;
  const play = policy.plays[name ?? ""];
  if (play === undefined) return [];
  const factOf = factsOf({ policy, lead });
  const without = { ...policy, manual_domains: [], holds: { ...policy.holds, manual: [] } };
  const consent = holdOf(without, lead, play, now);
  const approval = approvalFor(policy, lead, now, approvals);
  const domain = emailOf(lead)?.split("@")[1] ?? lead.account?.value.domain;
  const byHand = domain !== undefined && policy.manual_domains.includes(domain);
  const lifted = (code: string) => (approval?.code === code ? { approved_by: approval.by } : {});
  return [
    consent === null
      ? { code: "hold:consent", text: "Nothing speaks against contacting this person.", stands: false, tests: null }
      : { code: consent.code, text: consent.text, stands: true, tests: null },
    {
      code: "hold:manual",
      text: byHand ? `The account ${domain} is handled by hand.` : "The account is not one that is handled by hand.",
      stands: byHand && approval?.code !== "hold:manual",
      ...lifted("hold:manual"),
      tests: null,
    },
    ...policy.holds.manual.map((rule) => {
      const tests = askedOf(rule.when, factOf);
      const code = `hold:${rule.name}`;
      return { code, text: rule.words, stands: tests.passed && approval?.code !== code, ...lifted(code), tests };
    }),
  ];
}

function wordsOf(decision: Decision, told: Omit<Why, "words">, policy: Policy): readonly string[] {
  const [first] = decision.reasons;
  const kinds = told.inputs.signals.map(({ kind }) => kindRuleOf(policy, kind).words);
  const counted = told.points.filter(({ points = 0 }) => points !== 0);
  const words = [
    `Decided ${new Date(decision.at).toISOString()} under version ${told.policy_version} of the policy, because this person ${[...new Set(kinds)].join(", ")}.`,
    `${outcomes[decision.outcome]}${first === undefined ? "" : `: ${first.text}`}`,
    `Score ${told.score.total} (fit ${told.score.fit}, intent ${told.score.intent})${counted.length === 0 ? "" : `: ${counted.map(({ text, points }) => `${text} ${points}`).join("; ")}`}. Level: ${told.level.level}.`,
  ];
  const taken = told.path.find(({ result }) => result === "taken");
  words.push(
    taken === undefined
      ? `No route of ${told.path.length} was taken.`
      : `The route “${taken.route}” was taken, to “${taken.play}”.`,
  );
  for (const { play, candidates, excluded, preferred } of told.assign) {
    const out = excluded.map(({ address, why: reason }) => `${address} (${reason.replace("_", " ")})`);
    words.push(
      `“${play}” could go to ${preferred === undefined ? candidates.map(({ address }) => address).join(", ") || "nobody" : `${preferred.address} (${preferred.why.replace("_", " ")})`}${out.length === 0 ? "" : `, not to ${out.join(", ")}`}.`,
    );
  }
  const promised = decision.promised_at ?? decision.enrichment?.promised_at;
  if (promised !== undefined) words.push(`Promised: a first contact by ${new Date(promised).toISOString()}.`);
  const [smallest] = told.changes;
  words.push(smallest === undefined ? "No single change was found that would have changed it." : smallest.text);
  if (!told.recomputed)
    words.push("Deciding again from history did not give the same: what is told here may not be what it was made for.");
  return words;
}

const outcomes: Readonly<Record<Decision["outcome"], string>> = {
  follow_up: "A follow-up left",
  noted: "Noted on the follow-up that is open",
  none: "Nothing followed",
  waiting: "It waits",
  held: "It was held",
  shadow: "It was only recorded",
};
