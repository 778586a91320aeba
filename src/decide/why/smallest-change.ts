/**
 * The smallest change that would have changed a decision: single changes of what it was made of, each tried by really deciding again. What
 * came first to a reader's mind stands first: points, signals, consent, address, earlier follow-ups, time, and the policy last. Pure.
 */
import type { Decision, Signal } from "../../model.ts";
import { emptyLead, foldSignal, type LeadFold } from "../../resolve/lead.ts";
import { type Answer, decide, type Question } from "../decide.ts";
import { levels } from "../policy/scoring.ts";
import { kindRuleOf, type Policy } from "../policy.ts";
import { nextOpenAt } from "../time/calendar.ts";

export interface Change {
  readonly what:
    | "score"
    | "signal"
    | "day"
    | "consent"
    | "address"
    | "open_follow_up"
    | "cool_down"
    | "calendar"
    | "policy";
  /** A sentence: "With 4 more points (44 in all), …". */
  readonly text: string;
  readonly outcome: Decision["outcome"];
  readonly play: string | null;
  /** Epoch ms from which it would be decided so, where time is the change. */
  readonly at?: number;
  /** Points more or fewer, or the value of the policy. */
  readonly by?: number;
}

/** Decisions made at most to find them; changes told at most. */
export const decidesMax = 200;
export const changesMax = 6;
const pointsMax = 1_000;
const dayMs = 86_400_000;

/** `tries`: decisions made to find them. */
export function smallestChanges(
  question: Question,
  decision: Decision,
): { readonly changes: readonly Change[]; readonly tries: number } {
  const search = new Search(question, decision);
  for (const look of [points, signals, moreDays, consent, address, earlier, time, ofPolicy]) {
    if (search.isOver) break;
    look(search);
  }
  return { changes: search.found, tries: search.tries };
}

class Search {
  readonly question: Question;
  readonly decision: Decision;
  readonly found: Change[] = [];
  tries = 0;

  constructor(question: Question, decision: Decision) {
    this.question = question;
    this.decision = decision;
  }

  get isOver(): boolean {
    return this.tries >= decidesMax || this.found.length >= changesMax;
  }

  /** What it would have been, if that is something else; null where it is the same, or enough was tried. */
  ask(part: Partial<Question>): Decision | null {
    if (this.tries >= decidesMax) return null;
    this.tries++;
    const { decision }: Answer = decide({ ...this.question, ...part });
    const isSame =
      decision.outcome === this.decision.outcome &&
      decision.play === this.decision.play &&
      decision.reasons[0]?.code === this.decision.reasons[0]?.code;
    return isSame ? null : decision;
  }

  /** Tells the change if it changes anything. */
  try(what: Change["what"], condition: string, part: Partial<Question>, more: Pick<Change, "at" | "by"> = {}): boolean {
    if (this.isOver) return false;
    const other = this.ask(part);
    if (other !== null) this.tell(what, condition, other, more);
    return other !== null;
  }

  tell(what: Change["what"], condition: string, other: Decision, more: Pick<Change, "at" | "by"> = {}): void {
    const text = `${condition}, ${wordsOf(other)}`;
    this.found.push({ what, text, outcome: other.outcome, play: other.play ?? null, ...more });
  }
}

function wordsOf({ outcome, play, reasons }: Decision): string {
  const why = reasons[0]?.text ?? "";
  switch (outcome) {
    case "follow_up":
      return `a follow-up “${play}” would have left.`;
    case "shadow":
      return `“${play}” would have been noted as a shadow.`;
    case "noted":
      return "the open follow-up would have been told of it.";
    case "held":
      return `it would have been held: ${why}`;
    case "waiting":
      return `it would have waited: ${why}`;
    case "none":
      return `nothing would have followed: ${why}`;
  }
}

/** The fewest points, more or less, that change it: a change that holds at `n` and not at `n − 1`. */
function points(search: Search): void {
  const { total } = search.decision.score;
  for (const sign of [1, -1]) {
    const other = (by: number) => search.ask({ policy: withPoints(search.question.policy, sign * by) });
    let high = 1;
    let found: Decision | null = null;
    let low = 0;
    while (high <= pointsMax) {
      found = other(high);
      if (found !== null) break;
      low = high;
      high *= 2;
    }
    if (found === null) continue;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      const there = other(middle);
      if (there === null) low = middle;
      else {
        high = middle;
        found = there;
      }
    }
    const by = sign * high;
    const words = `With ${high} ${high === 1 ? "point" : "points"} ${sign > 0 ? "more" : "fewer"} (${Math.max(0, total + by)} in all)`;
    search.tell("score", words, found, { by });
  }
}

/** Points of fit, so that they have not faded and count on earlier days too, as any other fact of the person would. */
function withPoints(policy: Policy, points: number): Policy {
  const rule = { name: "what if", when: { level: { known: false } }, points, words: "what if" };
  const { fit } = policy.scoring;
  return { ...policy, scoring: { ...policy.scoring, fit: { ...fit, rules: [...fit.rules, rule] } } };
}

/** One more signal of a kind that the policy asks for or gives points for. */
function signals(search: Search): void {
  const { policy, now } = search.question;
  const named = new Set(policy.routes.flatMap(({ when }) => when.kinds ?? []));
  const kinds = Object.keys(policy.kinds)
    .filter((kind) => named.has(kind) || kindRuleOf(policy, kind).intent > 0)
    .sort((a, b) => kindRuleOf(policy, a).intent - kindRuleOf(policy, b).intent || (a < b ? -1 : 1))
    .slice(0, 30);
  let told = 0;
  for (const kind of kinds) {
    if (told >= 2) return;
    const one = imagined(search.question, kind, now);
    const part = { lead: foldSignal(search.question.lead, one), signals: [...search.question.signals, one] };
    if (search.try("signal", `With one more signal “${kind}” (${kindRuleOf(policy, kind).words})`, part)) told++;
  }
}

/** The same interest on one day more: of the kind that came most often, on the last day on which nothing came. */
function moreDays(search: Search): void {
  const { policy, lead, now, signals: decided } = search.question;
  const kinds = Object.entries(lead.kinds).filter(([kind]) => kindRuleOf(policy, kind).intent > 0);
  const [kind] = [...kinds].sort(([, a], [, b]) => b.count - a.count)[0] ?? [];
  if (kind === undefined) return;
  const active = new Set(kinds.flatMap(([, item]) => item.days.at));
  const today = Math.floor(now / dayMs);
  let day = today - 1;
  while (active.has(day)) day--;
  const one = imagined(search.question, kind, day * dayMs + dayMs / 2);
  const on = new Date(day * dayMs).toISOString().slice(0, 10);
  search.try("day", `With “${kind}” on one more day (${on})`, { lead: foldSignal(lead, one), signals: decided });
}

function imagined({ signals, lead }: Question, kind: string, at: number): Signal {
  const like = signals[0];
  return {
    id: "what-if",
    idempotency_key: "what-if",
    workspace: like?.workspace ?? "",
    emitter: like?.emitter ?? lead.last?.source ?? "",
    kind,
    occurred_at: at,
    received_at: at,
    identifiers: [],
    traits: {},
    account: {},
    attribution: {},
    properties: {},
    schema_version: 1,
  };
}

function consent(search: Search): void {
  const { lead, now } = search.question;
  const said = (value: boolean): LeadFold => ({
    ...lead,
    consent: { at: now, source: "what-if", key: "what-if", value },
    purposes: emptyLead.purposes,
  });
  if (search.decision.outcome === "held")
    search.try("consent", "With this person's yes to being contacted", { lead: said(true) });
  if (lead.consent?.value !== false)
    search.try("consent", "Had this person asked not to be contacted", { lead: said(false) });
}

function address(search: Search): void {
  const { lead, now } = search.question;
  if (search.decision.outcome === "waiting") {
    const value = `someone@${lead.account?.value.domain ?? "example.com"}`;
    const email = { value, at: now, source: "what-if", key: "what-if" };
    search.try("address", "With an e-mail address", { lead: { ...lead, fields: { ...lead.fields, email } } });
  }
}

/** Without what stands in the way: an open follow-up, or one that was closed a short while ago. */
function earlier(search: Search): void {
  const { followUps, policy } = search.question;
  const open = followUps.filter(({ state }) => state === "open");
  const rest = followUps.filter(({ state }) => state !== "open");
  if (open.length > 0) search.try("open_follow_up", "Without the follow-up that is open", { followUps: rest });
  if (search.decision.reasons[0]?.code !== "cooling_down") return;
  const by = followUps.find(({ id }) => id === search.decision.follow_up);
  const play = policy.plays[by?.play ?? ""];
  if (by === undefined || play === undefined) return;
  const at = (by.closed_at ?? by.created_at) + play.cool_down_ms;
  search.try("cool_down", `After the time in which “${by.play}” is not repeated`, { now: at }, { at });
}

/** At the next opening (or closing) of a calendar that a route asks for. */
function time(search: Search): void {
  const { policy, now } = search.question;
  const names = new Set(policy.routes.flatMap(({ when }) => [when.open ?? [], when.closed ?? []].flat()));
  for (const name of [...names].slice(0, 10)) {
    const calendar = policy.calendars[name];
    const opens = calendar === undefined ? null : nextOpenAt(calendar, now);
    if (opens !== null && opens > now) search.try("calendar", `Once “${name}” is open`, { now: opens }, { at: opens });
  }
}

/** One number or word of the policy: the one that stood nearest. */
function ofPolicy(search: Search): void {
  const { policy } = search.question;
  const { score, level } = search.decision;
  const change = (text: string, changed: Partial<Policy>, by?: number) =>
    search.try("policy", text, { policy: { ...policy, ...changed } }, by === undefined ? {} : { by });
  for (const [index, route] of policy.routes.entries()) {
    const { score_at_least } = route.when;
    if (score_at_least === undefined || search.isOver) continue;
    const by = score.total < score_at_least ? score.total : score.total + 1;
    const changed = { ...route, when: { ...route.when, score_at_least: by } };
    change(
      `With score_at_least ${by} in the route “${route.name}”`,
      { routes: policy.routes.with(index, changed) },
      by,
    );
  }
  const next = levels[level === "none" ? 0 : levels.indexOf(level) + 1];
  if (next !== undefined && score.total < policy.escalation[next].enter) {
    const rung = {
      ...policy.escalation[next],
      enter: score.total,
      leave: Math.min(score.total, policy.escalation[next].leave),
    };
    change(
      `With ${score.total} points enough for “${next}”`,
      { escalation: { ...policy.escalation, [next]: rung } },
      score.total,
    );
  }
  if (next !== undefined && policy.escalation[next].sustained !== undefined) {
    const { sustained: _asked, ...rung } = policy.escalation[next];
    change(`Did “${next}” not ask for sustained interest`, { escalation: { ...policy.escalation, [next]: rung } });
  }
  const play = policy.plays[search.decision.play ?? ""];
  const name = search.decision.play ?? "";
  if (play === undefined) return;
  if (search.decision.outcome === "shadow")
    change(`Were “${name}” live for everybody`, {
      plays: { ...policy.plays, [name]: { ...play, status: "live", live_percent: 100 } },
    });
  if (search.decision.outcome === "noted" && policy.one_open_per === "lead")
    change("With one open follow-up per play, not per lead", { one_open_per: "play" });
  const manual = search.decision.reasons[0]?.code;
  if (search.decision.outcome === "held" && manual !== undefined && !manual.startsWith("hold:consent"))
    change("Without the holds of the policy", {
      manual_domains: [],
      holds: { ...policy.holds, manual: [] },
    });
}
