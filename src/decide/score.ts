/** Fit and intent of a lead, with a reason for every point. Pure; counts are integers, so equal histories give equal scores. */
import { countDaysMax } from "../limits.ts";
import type { Reason, Score } from "../model.ts";
import type { LeadFold } from "../resolve/lead.ts";
import { domainOf, factsOf } from "./facts.ts";
import { holds } from "./policy/condition.ts";
import { kindRuleOf, type Policy } from "./policy.ts";

export function scoreOf(
  policy: Policy,
  lead: LeadFold,
  now: number,
): { readonly score: Score; readonly reasons: readonly Reason[] } {
  const reasons: Reason[] = [...fitReasons(policy, lead)];
  const fit = sum(reasons);
  const left = fading(policy.scoring.half_life_days, now);
  const intentReasons: Reason[] = [];
  for (const name in lead.kinds) {
    const item = lead.kinds[name];
    const rule = kindRuleOf(policy, name);
    if (item === undefined || rule.intent === 0) continue;
    let points = 0;
    const { at, times } = item.days;
    for (let index = 0; index < at.length; index++)
      points += Math.min(times[index] ?? 0, rule.daily_cap) * rule.intent * left(at[index] ?? 0);
    const rounded = Math.round(points);
    if (rounded > 0) {
      const often = item.count === 1 ? "" : ` (${item.count} times)`;
      intentReasons.push({
        code: `intent:${name}`,
        text: `${rule.words}${often}`,
        points: rounded,
        signal: item.last_key,
      });
    }
  }
  intentReasons.sort((a, b) => (b.points ?? 0) - (a.points ?? 0) || (a.code < b.code ? -1 : 1));
  const intent = sum(intentReasons);
  return { score: { fit, intent, total: Math.max(0, fit + intent) }, reasons: [...intentReasons, ...reasons] };
}

function fitReasons(policy: Policy, lead: LeadFold): readonly Reason[] {
  const { company_known, job_title_known, free_mail, disposable_mail, rules } = policy.scoring.fit;
  const reasons: Reason[] = [];
  const company = lead.fields.company;
  const account = lead.account;
  if (company !== undefined)
    reasons.push({ code: "fit:company", text: "the company is known", points: company_known, signal: company.key });
  else if (account !== null)
    reasons.push({ code: "fit:company", text: "the company is known", points: company_known, signal: account.key });
  const title = lead.fields.job_title;
  if (title !== undefined)
    reasons.push({ code: "fit:job_title", text: "the job title is known", points: job_title_known, signal: title.key });
  const domain = domainOf(lead);
  if (domain !== undefined && policy.scoring.free_mail_domains.includes(domain)) {
    reasons.push({ code: "fit:free_mail", text: "writes from a free mailbox", points: free_mail });
  }
  if (domain !== undefined && policy.identity.disposable_domains.includes(domain)) {
    reasons.push({ code: "fit:disposable_mail", text: "writes from a throw-away mailbox", points: disposable_mail });
  }
  if (rules.length > 0) {
    const factOf = factsOf({ policy, lead });
    for (const rule of rules)
      if (holds(rule.when, factOf)) reasons.push({ code: `fit:${rule.name}`, text: rule.words, points: rule.points });
  }
  return reasons.filter((reason) => reason.points !== 0);
}

function sum(reasons: readonly Reason[]): number {
  return reasons.reduce((total, reason) => total + (reason.points ?? 0), 0);
}

/** As in `time/hours.ts`: results of a pure function under its argument. What whole days leave of a point, by half-life. */
const fadedByDays = new Map<number, readonly number[]>();

function fadedOver(halfLifeDays: number): readonly number[] {
  let shares = fadedByDays.get(halfLifeDays);
  if (shares === undefined) {
    shares = Array.from({ length: countDaysMax + 1 }, (_, days) => 0.5 ** (days / halfLifeDays));
    if (fadedByDays.size >= halfLivesMax) fadedByDays.clear();
    fadedByDays.set(halfLifeDays, shares);
  }
  return shares;
}

const halfLivesMax = 64;

/** What is left of a point of that epoch day: half after so many days, counted from the day's end. */
function fading(halfLifeDays: number, now: number): (day: number) => number {
  const today = Math.floor(now / 86_400_000);
  const sinceMidnight = 0.5 ** ((now / 86_400_000 - today) / halfLifeDays);
  const whole = fadedOver(halfLifeDays);
  return (day) => {
    // What is to come has not faded, and what was today has not either.
    if (day >= today) return 1;
    const days = today - day - 1;
    return sinceMidnight * (whole[days] ?? 0.5 ** (days / halfLifeDays));
  };
}
