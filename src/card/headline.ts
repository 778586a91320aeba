/**
 * One sentence: why this person, why now. The newest signal that weighs comes first, then what they did most beside it this
 * week, both in the policy's words. Pure.
 */
import { kindRuleOf, type Policy } from "../decide/policy.ts";
import type { Reason } from "../model.ts";
import { youngerThan } from "../resolve/counts.ts";
import type { KindCount, LeadFold } from "../resolve/lead.ts";
import { ago, capital, times } from "./words.ts";

const dayMs = 86_400_000;
/** What happened within this is news. */
const newsMs = 7 * dayMs;
/** Of the strongest kind's points, so much makes another kind strong as well. */
const strongShare = 0.4;

/** `reasons`: of the score, most points first. */
export function headlineOf(policy: Policy, lead: LeadFold, reasons: readonly Reason[], now: number): string {
  const kinds = strongestFirst(policy, lead, reasons);
  if (lead.consent?.value === false) return `Asked ${ago(lead.consent.at, now)} not to be contacted.`;
  const recent = kinds.filter(({ item }) => now - item.last_at < newsMs);
  const [first] = recent.length > 0 ? newestStrong(recent) : kinds;
  if (first === undefined) {
    return lead.first === null
      ? "Nothing is known yet."
      : `Known since ${ago(lead.first.at, now)}; nothing points at interest yet.`.replace("since just now", "just now");
  }
  const [second] = recent.filter(({ name }) => name !== first.name);
  const parts = [`${first.words} ${ago(first.item.last_at, now)}`];
  if (second !== undefined) {
    const week = withinWeek(second.item, now);
    parts.push(
      week > 1 ? `${second.words} ${times(week)} this week` : `${second.words} ${ago(second.item.last_at, now)}`,
    );
  }
  return `${capital(parts.join(" and "))}.`;
}

interface Kind {
  readonly name: string;
  readonly words: string;
  readonly intent: number;
  readonly item: KindCount;
}

function strongestFirst(policy: Policy, lead: LeadFold, reasons: readonly Reason[]): readonly Kind[] {
  return reasons.flatMap(({ code }) => {
    const name = code.startsWith("intent:") ? code.slice("intent:".length) : "";
    const item = Object.hasOwn(lead.kinds, name) ? lead.kinds[name] : undefined;
    if (item === undefined) return [];
    const { words, intent } = kindRuleOf(policy, name);
    return [{ name, words, intent, item }];
  });
}

/** Of those that weigh about as much as the heaviest, the newest first: a demo request of today before one of last week. */
function newestStrong(kinds: readonly Kind[]): readonly Kind[] {
  const most = Math.max(...kinds.map(({ intent }) => intent));
  return kinds
    .filter(({ intent }) => intent >= most * strongShare)
    .sort((a, b) => b.item.last_at - a.item.last_at || b.intent - a.intent || (a.name < b.name ? -1 : 1));
}

function withinWeek(item: KindCount, now: number): number {
  const { times } = youngerThan(item.days, Math.floor((now - newsMs) / dayMs));
  return times.reduce((sum, count) => sum + count, 0);
}
