/**
 * Conditions of routes, holds, fit and territories: plain data, never code. Tests look at one fact each; all of a condition's tests
 * must hold, and `any_of`, `all_of`, `none_of` nest further ones. There are no regular expressions: `like` knows `*` only, so
 * that no document can make a decision slow. Pure.
 */
import * as z from "zod";

const text = z.string().min(1).max(200);
const scalar = z.union([text, z.number(), z.boolean()]);
const oneOrMore = z.union([scalar, z.array(scalar).min(1).max(500)]);
const texts = z.union([text, z.array(text).min(1).max(100)]);

/** What is asked of one fact. Text is compared without case. A fact that is not known passes `known: false` and `is_not` only. */
export const testSchema = z
  .strictObject({
    is: oneOrMore,
    is_not: oneOrMore,
    contains: texts,
    starts_with: texts,
    ends_with: texts,
    /** `*` stands for any run of characters. */
    like: texts,
    at_least: z.number(),
    at_most: z.number(),
    known: z.boolean(),
  })
  .partial()
  .refine(
    (given) => Object.keys(given).length > 0,
    "A test needs something to compare with: is, at_least, contains, …",
  );

export type Test = z.infer<typeof testSchema>;

/** Keys are facts (see `factNames`); all must hold. */
export interface Condition {
  readonly any_of?: readonly Condition[] | undefined;
  readonly all_of?: readonly Condition[] | undefined;
  readonly none_of?: readonly Condition[] | undefined;
  readonly [fact: string]: Test | readonly Condition[] | undefined;
}

/** Facts that a condition may look at; `signal.properties.<name>` besides. */
export const factNames = [
  "signal.kind",
  "signal.emitter",
  "signal.utm_source",
  "signal.utm_medium",
  "signal.utm_campaign",
  "signal.utm_term",
  "signal.utm_content",
  "signal.referrer",
  "signal.landing_page",
  "lead.email",
  "lead.email_domain",
  "lead.free_mail",
  "lead.first_name",
  "lead.last_name",
  "lead.phone",
  "lead.company",
  "lead.job_title",
  "lead.country",
  "lead.time_zone",
  "lead.website",
  "lead.owner",
  "lead.lifecycle",
  "lead.source",
  "lead.region",
  "account.domain",
  "account.name",
  "score.fit",
  "score.intent",
  "score.total",
  "level",
] as const;
export type FactName = (typeof factNames)[number];

/** Names of facts that a signal brings itself. */
export const propertyFact = /^signal\.properties\.[A-Za-z0-9_.-]{1,60}$/;

export function isFact(name: string): boolean {
  return (factNames as readonly string[]).includes(name) || propertyFact.test(name);
}

const operators = new Set(Object.keys(testSchema.shape));
const nested = ["any_of", "all_of", "none_of"] as const;

/** Tests in one condition, all nested ones counted: bounded, as it is evaluated for every decision. */
export const testsMax = 200;
export const depthMax = 4;

/**
 * Checked by hand, not by a recursive schema: every mistake gets its path and a sentence, and nothing recurses deeper than
 * `depthMax` whatever a document holds.
 */
export const conditionSchema = z.custom<Condition>().superRefine((given, context) => {
  let tests = 0;
  const refuse = (message: string, path: readonly (string | number)[]) =>
    context.addIssue({ code: "custom", path: [...path], message });
  const visit = (item: unknown, path: readonly (string | number)[], depth: number): void => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) {
      refuse('A condition is an object of facts, such as {"lead.country": {"is": "DE"}}.', path);
      return;
    }
    if (depth > depthMax) {
      refuse(`Conditions nest at most ${depthMax} deep.`, path);
      return;
    }
    const entries = Object.entries(item);
    if (entries.length === 0) refuse("An empty condition would always hold; leave it out instead.", path);
    for (const [name, value] of entries) {
      const here = [...path, name];
      if ((nested as readonly string[]).includes(name)) {
        if (!Array.isArray(value) || value.length === 0) refuse(`"${name}" takes a list of conditions.`, here);
        else if (value.length > testsMax) refuse(`At most ${testsMax} conditions in a list.`, here);
        else for (const [index, inner] of value.entries()) visit(inner, [...here, index], depth + 1);
        continue;
      }
      // Said once: a condition of a million tests gets one mistake, not a million.
      if (++tests > testsMax) {
        if (tests === testsMax + 1) refuse(`A condition has at most ${testsMax} tests.`, path);
        return;
      }
      if (!isFact(name)) {
        refuse(`There is no fact named "${name}".`, here);
        continue;
      }
      if (typeof value === "object" && value !== null && ("regex" in value || "matches" in value)) {
        refuse('Regular expressions are not taken; use "like" with * for any text.', here);
        continue;
      }
      const unknown =
        typeof value === "object" && value !== null ? Object.keys(value).find((key) => !operators.has(key)) : undefined;
      if (unknown !== undefined) {
        refuse(`There is no comparison named "${unknown}"; there are ${[...operators].join(", ")}.`, here);
        continue;
      }
      const parsed = testSchema.safeParse(value);
      if (parsed.success) continue;
      for (const issue of parsed.error.issues)
        refuse(issue.message, [...here, ...issue.path.map((part) => (typeof part === "symbol" ? "" : part))]);
    }
  };
  visit(given, [], 1);
});

export type Fact = string | number | boolean | undefined;

/** A fact that was read: its value, and in the words in which it is compared, which many tests want. */
export interface Read {
  readonly value: Fact;
  readonly words: string;
}

export function readOf(value: Fact): Read {
  return { value, words: value === undefined ? "" : String(value).toLowerCase() };
}

type FactOf = (name: string) => Read;
type Check = (fact: Read) => boolean;

/** Whether the condition holds. `factOf` gives a fact's value, undefined where it is not known. */
export function holds(condition: Condition, factOf: FactOf): boolean {
  return readied(condition).check(factOf);
}

export interface Readied {
  readonly check: (factOf: FactOf) => boolean;
  /** Whether the answer may be another one for another signal of the same lead. */
  readonly ofSignal: boolean;
}

/**
 * As in `time/hours.ts`: results of a pure function under its argument, here conditions made ready to be asked. Policies have hundreds
 * of them and are asked for every signal; they never change, and what was made of them goes when they go.
 */
const ready = new WeakMap<Condition, Readied>();

export function readied(condition: Condition): Readied {
  let found = ready.get(condition);
  if (found === undefined) {
    found = { check: checkOf(condition), ofSignal: namesSignal(condition) };
    ready.set(condition, found);
  }
  return found;
}

function namesSignal(condition: Condition): boolean {
  return Object.entries(condition).some(([name, item]) =>
    name === "any_of" || name === "all_of" || name === "none_of"
      ? (item as readonly Condition[]).some(namesSignal)
      : name.startsWith("signal."),
  );
}

function checkOf(condition: Condition): (factOf: FactOf) => boolean {
  const parts = Object.entries(condition).flatMap(([name, item]): ((factOf: FactOf) => boolean)[] => {
    if (item === undefined) return [];
    if (name === "any_of" || name === "all_of" || name === "none_of") {
      const inner = (item as readonly Condition[]).map(checkOf);
      if (name === "any_of") return [(factOf) => inner.some((check) => check(factOf))];
      if (name === "all_of") return [(factOf) => inner.every((check) => check(factOf))];
      return [(factOf) => !inner.some((check) => check(factOf))];
    }
    const check = testOf(item as Test);
    return [(factOf) => check(factOf(name))];
  });
  const [first, second] = parts;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  return (factOf) => {
    for (const part of parts) if (!part(factOf)) return false;
    return true;
  };
}

/** Whether one fact passes one test. */
export function passes(asked: Test, fact: Fact): boolean {
  return testOf(asked)(readOf(fact));
}

function testOf(asked: Test): Check {
  const { known, is, is_not, contains, starts_with, ends_with, like, at_least, at_most } = asked;
  const checks: Check[] = [];
  if (is !== undefined) checks.push(isOneOf(list(is)));
  if (at_least !== undefined) checks.push(({ value }) => numberOf(value) >= at_least);
  if (at_most !== undefined) checks.push(({ value }) => numberOf(value) <= at_most);
  const inWords = (texts: string | readonly string[], fitOf: (wanted: string) => (words: string) => boolean) => {
    const tests = list(texts).map((text) => fitOf(text.toLowerCase()));
    const [only] = tests;
    if (only !== undefined && tests.length === 1) checks.push(({ words }) => only(words));
    else checks.push(({ words }) => tests.some((passes) => passes(words)));
  };
  if (contains !== undefined) inWords(contains, (text) => (words) => words.includes(text));
  if (starts_with !== undefined) inWords(starts_with, (text) => (words) => words.startsWith(text));
  if (ends_with !== undefined) inWords(ends_with, (text) => (words) => words.endsWith(text));
  if (like !== undefined) inWords(like, likeOf);
  // Of what is not known only `known` and `is_not` can be said.
  const passesUnknown = known !== true && checks.length === 0;
  if (is_not !== undefined) {
    const isForbidden = isOneOf(list(is_not));
    checks.push((fact) => !isForbidden(fact));
  }
  if (known === false) return ({ value }) => value === undefined && passesUnknown;
  const [first, second] = checks;
  if (first !== undefined && second === undefined)
    return (fact) => (fact.value === undefined ? passesUnknown : first(fact));
  return (fact) => {
    if (fact.value === undefined) return passesUnknown;
    for (const check of checks) if (!check(fact)) return false;
    return true;
  };
}

/** Compared as text and without case. */
function isOneOf(values: readonly (string | number | boolean)[]): Check {
  const all = values.map((value) => String(value).toLowerCase());
  const [only] = all;
  if (all.length === 1) return ({ words }) => words === only;
  const wanted = new Set(all);
  return ({ words }) => wanted.has(words);
}

function list<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

/** Not a number compares false with everything. */
function numberOf(fact: Fact): number {
  return typeof fact === "number" ? fact : typeof fact === "string" && fact.trim() !== "" ? Number(fact) : Number.NaN;
}

/** `*` matches any run. What stands between the stars is looked for from left to right and never again, so nothing is tried twice. */
export function likeOf(pattern: string): (words: string) => boolean {
  const [first = "", ...parts] = pattern.split("*");
  const last = parts.pop();
  if (last === undefined) return (words) => words === pattern;
  return (words) => {
    if (words.length < first.length + last.length || !words.startsWith(first) || !words.endsWith(last)) return false;
    const end = words.length - last.length;
    let at = first.length;
    for (const part of parts) {
      const found = words.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}
