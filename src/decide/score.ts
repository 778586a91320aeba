/** Fit and intent of a lead, with a reason for every point. Pure; counts are integers, so equal histories give equal scores. */
import type { Reason, Score } from "../model.ts";
import { emailOf, type LeadFold } from "../resolve/lead.ts";
import { kindRuleOf, type Policy } from "./policy.ts";

export function scoreOf(
  policy: Policy,
  lead: LeadFold,
  now: number,
): { readonly score: Score; readonly reasons: readonly Reason[] } {
  const reasons: Reason[] = [...fitReasons(policy, lead)];
  const fit = sum(reasons);
  const today = now / 86_400_000;
  const intentReasons: Reason[] = [];
  for (const name of Object.keys(lead.kinds).sort()) {
    const item = lead.kinds[name];
    const rule = kindRuleOf(policy, name);
    if (item === undefined || rule.intent === 0) continue;
    let points = 0;
    for (const day of Object.keys(item.days).sort()) {
      const age = Math.max(0, today - Number(day) - 1);
      points +=
        Math.min(item.days[day] ?? 0, rule.daily_cap) * rule.intent * 0.5 ** (age / policy.scoring.half_life_days);
    }
    const rounded = Math.round(points);
    if (rounded > 0) {
      const times = item.count === 1 ? "" : ` (${item.count} times)`;
      intentReasons.push({
        code: `intent:${name}`,
        text: `${rule.words}${times}`,
        points: rounded,
        signal: item.last_key,
      });
    }
  }
  intentReasons.sort((a, b) => (b.points ?? 0) - (a.points ?? 0) || (a.code < b.code ? -1 : 1));
  const intent = sum(intentReasons);
  return { score: { fit, intent, total: Math.max(0, fit + intent) }, reasons: [...intentReasons, ...reasons] };
}

/** Signals that give points, and the different days they fell on, within the last `withinDays`. */
export function sustainedIntent(
  policy: Policy,
  lead: LeadFold,
  now: number,
  withinDays: number,
): { readonly signals: number; readonly days: number } {
  const oldest = Math.floor(now / 86_400_000) - withinDays;
  const days = new Set<string>();
  let signals = 0;
  for (const [name, item] of Object.entries(lead.kinds)) {
    if (kindRuleOf(policy, name).intent === 0) continue;
    for (const [day, count] of Object.entries(item.days)) {
      if (Number(day) <= oldest) continue;
      days.add(day);
      signals += count;
    }
  }
  return { signals, days: days.size };
}

function fitReasons(policy: Policy, lead: LeadFold): readonly Reason[] {
  const { company_known, job_title_known, free_mail } = policy.scoring.fit;
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
  const domain = emailOf(lead)?.split("@")[1];
  if (domain !== undefined && policy.scoring.free_mail_domains.includes(domain)) {
    reasons.push({ code: "fit:free_mail", text: "writes from a free mailbox", points: free_mail });
  }
  return reasons.filter((reason) => reason.points !== 0);
}

function sum(reasons: readonly Reason[]): number {
  return reasons.reduce((total, reason) => total + (reason.points ?? 0), 0);
}
