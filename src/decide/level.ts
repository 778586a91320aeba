/**
 * Progressive escalation: none → watch → card → task → urgent, and down again. A lead climbs where its score reaches a rung (and
 * its intent is sustained, where the rung asks for that), and climbs down only below the rung's lower mark: noise around one mark
 * does not make it jump.
 *
 * Which rung a lead stands on depends on its past. That past is not stored: it is walked again, day by day, from the counts
 * that the lead's fold keeps anyway. So the level is a function of (policy, lead, now) like everything else: the order in which
 * signals arrive does not change it, and people who are merged or split stand where they would have stood. Pure.
 */
import type { Level } from "../model.ts";
import { daysOf } from "../resolve/days.ts";
import { burstStepMs, type KindCount, type LeadFold } from "../resolve/lead.ts";
import { levels, type Sustained } from "./policy/scoring.ts";
import { kindRuleOf, type Policy } from "./policy.ts";

const dayMs = 86_400_000;

export interface Standing {
  readonly level: Level;
  /** Epoch ms of the day on which the present climb to `task` began, or null below it: an episode of interest. */
  readonly episodeSince: number | null;
}

/** `fit` and `total` are the score at `now`; earlier days take today's fit. */
export function standingOf(
  policy: Policy,
  lead: LeadFold,
  score: { readonly fit: number; readonly total: number },
  now: number,
  company?: LeadFold["kinds"],
): Standing {
  return standingIn(pastOf(policy, lead, now, company), score);
}

export function standingIn(past: Past, score: { readonly fit: number; readonly total: number }): Standing {
  const { policy, now } = past;
  const { days, points } = past.own;
  const today = Math.floor(now / dayMs);
  const fade = 0.5 ** (1 / policy.scoring.half_life_days);
  let rung = -1;
  let episodeSince: number | null = null;
  let intent = 0;
  let at = 0;
  for (let day = Math.min(days[0] ?? today, today); day <= today; day++) {
    let total = score.total;
    if (day < today) {
      intent *= fade;
      if (days[at] === day) intent += points[at++] ?? 0;
      total = Math.max(0, Math.round(intent) + score.fit);
    }
    rung = climb(past, rung, total, day);
    if (rung < taskRung) episodeSince = null;
    else episodeSince ??= day * dayMs;
  }
  return { level: levels[rung] ?? "none", episodeSince };
}

const taskRung = levels.indexOf("task");

/** Whose past is walked. */
export interface Past {
  readonly policy: Policy;
  readonly now: number;
  /** This lead's signals, and those of everybody at the company where the policy asks for it. */
  readonly own: Tally;
  readonly all: Tally;
  readonly kinds: readonly LeadFold["kinds"][];
}

/** Signals with points, by day: three rows side by side, ascending by day. */
interface Tally {
  readonly days: readonly number[];
  readonly points: readonly number[];
  readonly counts: readonly number[];
}

/** `company`: what others at the company did. */
export function pastOf(
  policy: Policy,
  lead: Pick<LeadFold, "kinds">,
  now: number,
  company: LeadFold["kinds"] | undefined,
): Past {
  const own = tallyOf(policy, [lead.kinds]);
  if (company === undefined) return { policy, now, own, all: own, kinds: [lead.kinds] };
  const kinds = [lead.kinds, company];
  return { policy, now, own, all: tallyOf(policy, kinds), kinds };
}

function climb(past: Past, from: number, total: number, day: number): number {
  const { policy } = past;
  let rung = from;
  while (rung >= 0 && total < ladderAt(policy, rung).leave) rung--;
  while (rung + 1 < levels.length) {
    const next = ladderAt(policy, rung + 1);
    if (total < next.enter || (next.sustained !== undefined && !isSustained(past, next.sustained, day))) break;
    rung++;
  }
  return rung;
}

function ladderAt(policy: Policy, rung: number): Policy["escalation"]["watch"] {
  return policy.escalation[levels[rung] ?? "urgent"];
}

function tallyOf(policy: Policy, all: readonly LeadFold["kinds"][]): Tally {
  const byDay = new Map<number, { readonly day: number; points: number; count: number }>();
  for (const kinds of all) {
    for (const name in kinds) {
      const { intent, daily_cap } = kindRuleOf(policy, name);
      const item = kinds[name];
      if (intent === 0 || item === undefined) continue;
      const { days, counts } = daysOf(item);
      for (let at = 0; at < days.length; at++) {
        const day = days[at] ?? 0;
        const count = counts[at] ?? 0;
        const points = Math.min(count, daily_cap) * intent;
        const known = byDay.get(day);
        if (known === undefined) byDay.set(day, { day, points, count });
        else {
          known.points += points;
          known.count += count;
        }
      }
    }
  }
  const rows = [...byDay.values()].sort((a, b) => a.day - b.day);
  return {
    days: rows.map((row) => row.day),
    points: rows.map((row) => row.points),
    counts: rows.map((row) => row.count),
  };
}

/** Whether intent was sustained at the end of that day. A burst is known of the last hours only: it counts while it is fresh. */
export function isSustained(past: Past, wanted: Sustained, day: number): boolean {
  const byAccount = wanted.by === "account";
  if (wanted.within_minutes !== undefined) {
    if (day !== Math.floor(past.now / dayMs)) return false;
    const counted = (byAccount ? past.kinds : past.kinds.slice(0, 1)).flatMap((kinds) =>
      Object.entries(kinds).filter(([name]) => kindRuleOf(past.policy, name).intent !== 0),
    );
    return hasBurst(counted, wanted.signals, wanted.within_minutes, past.now);
  }
  const { days, counts } = byAccount ? past.all : past.own;
  const oldest = day - (wanted.within_days ?? 0);
  let different = 0;
  let signals = 0;
  for (let at = days.length - 1; at >= 0; at--) {
    const on = days[at] ?? 0;
    if (on <= oldest) break;
    if (on > day) continue;
    different++;
    signals += counts[at] ?? 0;
  }
  return signals >= wanted.signals && different >= wanted.days;
}

/** So many signals with points within any such time; in steps of ten minutes, so a window may be up to ten minutes longer. */
function hasBurst(
  counted: readonly (readonly [string, KindCount])[],
  signals: number,
  minutes: number,
  now: number,
): boolean {
  const counts = new Map<number, number>();
  for (const [, { recent }] of counted) {
    for (const at in recent) counts.set(Number(at), (counts.get(Number(at)) ?? 0) + (recent[at] ?? 0));
  }
  const steps = Math.ceil((minutes * 60_000) / burstStepMs);
  const fresh = Math.floor(now / burstStepMs) - burstStepsMax;
  for (const start of counts.keys()) {
    if (start < fresh) continue;
    let sum = 0;
    for (let at = start; at < start + steps; at++) sum += counts.get(at) ?? 0;
    if (sum >= signals) return true;
  }
  return false;
}

/** Whether this policy looks at what a company does together. */
export function looksAtCompanies(policy: Policy): boolean {
  const rungs = levels.map((name) => policy.escalation[name].sustained);
  return [...rungs, ...policy.routes.map(({ when }) => when.sustained)].some((item) => item?.by === "account");
}

const burstStepsMax = 36;
