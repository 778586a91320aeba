/** Conditions, times and routes in words, for people who read a policy and do not write it. Pure. */
import type { KindRule } from "../policy.ts";
import type { Condition, Test } from "./condition.ts";
import type { Route } from "./plays.ts";
import type { Sustained } from "./scoring.ts";

/** 900000 is "15 minutes", 5400000 "1 hour 30 minutes", 0 "no time". */
export function wordsOfTime(ms: number): string {
  const units = [
    ["day", 86_400_000],
    ["hour", 3_600_000],
    ["minute", 60_000],
    ["second", 1_000],
    ["millisecond", 1],
  ] as const;
  let left = ms;
  const parts: string[] = [];
  for (const [unit, size] of units) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(counted(count, unit));
  }
  return parts.length === 0 ? "no time" : parts.join(" ");
}

export function counted(count: number, thing: string): string {
  return count === 1 ? `1 ${thing}` : `${count} ${thing}s`;
}

/** `country is “DE” or “FR” and (score is at least 40)`: all of it must hold. */
export function wordsOf(condition: Condition): string {
  return Object.entries(condition)
    .flatMap(([name, value]) => {
      if (value === undefined) return [];
      if (!Array.isArray(value)) return [`${wordsOfFact(name)} ${wordsOfTest(value as Test)}`];
      const inner = (value as readonly Condition[]).map((item) => `(${wordsOf(item)})`);
      if (name === "none_of") return [`none of ${inner.join(", ")}`];
      return [inner.length === 1 ? (inner[0] ?? "") : `(${inner.join(name === "any_of" ? " or " : " and ")})`];
    })
    .join(" and ");
}

/** Everything that a route asks besides its kinds; empty where it asks nothing else. */
export function wordsOfRoute({ when }: Route): string {
  const { score_at_least, level_at_least, sustained, open, closed, where, max_age_ms } = when;
  return [
    ...(score_at_least === undefined ? [] : [`the score is at least ${score_at_least}`]),
    ...(level_at_least === undefined ? [] : [`the lead has climbed to “${level_at_least}”`]),
    ...(sustained === undefined ? [] : [wordsOfSustained(sustained)]),
    ...(open === undefined ? [] : [`“${open}” is open`]),
    ...(closed === undefined ? [] : [`“${closed}” is closed`]),
    ...(where === undefined ? [] : [wordsOf(where)]),
    `the signal is at most ${wordsOfTime(max_age_ms)} old`,
  ].join("; ");
}

export function wordsOfSustained({ signals, days, within_days, within_minutes }: Sustained): string {
  const many = counted(signals, "signal");
  if (within_minutes !== undefined) return `${many} within ${counted(within_minutes, "minute")}`;
  return `${many} on ${counted(days, "day")} within ${counted(within_days ?? days, "day")}`;
}

/** What a kind does that no route names. */
export function wordsOfUnrouted({ fact, intent }: KindRule): string {
  return fact === true || intent === 0 ? "only recorded" : `only moves the score, by ${counted(intent, "point")}`;
}

const factWords: Readonly<Record<string, string>> = {
  "signal.kind": "kind",
  "signal.emitter": "sent by",
  "lead.email_domain": "e-mail domain",
  "lead.free_mail": "free mailbox",
  "account.domain": "company's domain",
  "account.name": "company's name",
  "score.total": "score",
  "score.fit": "points for fit",
  "score.intent": "points for intent",
};

function wordsOfFact(name: string): string {
  if (name.startsWith("signal.properties.")) return `property “${name.slice("signal.properties.".length)}”`;
  return factWords[name] ?? name.replace(/^(?:signal|lead)\./, "").replaceAll("_", " ");
}

function wordsOfTest(test: Test): string {
  const { is, is_not, contains, starts_with, ends_with, like, at_least, at_most, known } = test;
  return [
    ...(is === undefined ? [] : [`is ${oneOf(is, "or")}`]),
    ...(is_not === undefined ? [] : [`is not ${oneOf(is_not, "nor")}`]),
    ...(contains === undefined ? [] : [`contains ${oneOf(contains, "or")}`]),
    ...(starts_with === undefined ? [] : [`starts with ${oneOf(starts_with, "or")}`]),
    ...(ends_with === undefined ? [] : [`ends with ${oneOf(ends_with, "or")}`]),
    ...(like === undefined ? [] : [`looks like ${oneOf(like, "or")}`]),
    ...(at_least === undefined ? [] : [`is at least ${at_least}`]),
    ...(at_most === undefined ? [] : [`is at most ${at_most}`]),
    ...(known === undefined ? [] : [known ? "is known" : "is not known"]),
  ].join(" and ");
}

type Scalar = string | number | boolean;

function oneOf(value: Scalar | readonly Scalar[], joint: string): string {
  const values = Array.isArray(value) ? (value as readonly Scalar[]) : [value as Scalar];
  return values.map((item) => (typeof item === "string" ? `“${item}”` : String(item))).join(` ${joint} `);
}
