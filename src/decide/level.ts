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
import { type Counts, joined } from "../resolve/counts.ts";
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
  const { first, points } = past.own;
  const today = Math.floor(now / dayMs);
  const fade = 0.5 ** (1 / policy.scoring.half_life_days);
  const ladder = levels.map((name) => policy.escalation[name]);
  let rung = -1;
  let episodeSince: number | null = null;
  let intent = 0;
  for (let day = Math.min(first, today); day <= today; day++) {
    let total = score.total;
    if (day < today) {
      intent = intent * fade + (points[day - first] ?? 0);
      total = Math.max(0, Math.round(intent) + score.fit);
    }
    // Most days change nothing.
    if (total < (ladder[rung]?.leave ?? total) || total >= (ladder[rung + 1]?.enter ?? Number.POSITIVE_INFINITY))
      rung = climb(past, ladder, rung, total, day);
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

/** Signals with points, day by day from the first one on, also of days on which there were none. */
interface Tally {
  /** Epoch day; infinity where there are none. */
  readonly first: number;
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

function climb(past: Past, ladder: readonly Rung[], from: number, total: number, day: number): number {
  let rung = from;
  while (rung >= 0 && total < (ladder[rung]?.leave ?? 0)) rung--;
  for (let next = ladder[rung + 1]; next !== undefined; next = ladder[rung + 1]) {
    if (total < next.enter || (next.sustained !== undefined && !isSustained(past, next.sustained, day))) break;
    rung++;
  }
  return rung;
}

type Rung = Policy["escalation"]["watch"];

function tallyOf(policy: Policy, all: readonly LeadFold["kinds"][]): Tally {
  const counted: { readonly days: Counts; readonly intent: number; readonly cap: number }[] = [];
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const kinds of all) {
    for (const name in kinds) {
      const { intent, daily_cap } = kindRuleOf(policy, name);
      const days = kinds[name]?.days;
      if (intent === 0 || days === undefined || days.at.length === 0) continue;
      counted.push({ days, intent, cap: daily_cap });
      first = Math.min(first, days.at[0] ?? first);
      last = Math.max(last, days.at.at(-1) ?? last);
    }
  }
  if (counted.length === 0) return { first, points: [], counts: [] };
  const points = new Array<number>(last - first + 1).fill(0);
  const counts = points.slice();
  for (const { days, intent, cap } of counted) {
    for (let index = 0; index < days.at.length; index++) {
      const day = (days.at[index] ?? 0) - first;
      const count = days.times[index] ?? 0;
      points[day] = (points[day] ?? 0) + Math.min(count, cap) * intent;
      counts[day] = (counts[day] ?? 0) + count;
    }
  }
  return { first, points, counts };
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
  const { first, counts } = byAccount ? past.all : past.own;
  const oldest = Math.max(first, day - (wanted.within_days ?? 0) + 1);
  let different = 0;
  let signals = 0;
  for (let on = oldest; on <= day; on++) {
    const count = counts[on - first] ?? 0;
    if (count === 0) continue;
    different++;
    signals += count;
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
  let all: Counts = { at: [], times: [] };
  for (const [, { recent }] of counted) all = joined(all, recent);
  const steps = Math.ceil((minutes * 60_000) / burstStepMs);
  const fresh = Math.floor(now / burstStepMs) - burstStepsMax;
  return all.at.some((start, index) => {
    if (start < fresh) return false;
    let sum = 0;
    for (let at = index; (all.at[at] ?? Number.POSITIVE_INFINITY) < start + steps; at++) sum += all.times[at] ?? 0;
    return sum >= signals;
  });
}

/** Whether this policy looks at what a company does together. */
export function looksAtCompanies(policy: Policy): boolean {
  const rungs = levels.map((name) => policy.escalation[name].sustained);
  return [...rungs, ...policy.routes.map(({ when }) => when.sustained)].some((item) => item?.by === "account");
}

const burstStepsMax = 36;
