/** Finds conditions that can never hold, as far as single facts tell; what it cannot see it lets pass. Pure. */
import { canonicalJson } from "../../crypto.ts";
import { type Condition, passes, type Test } from "./condition.ts";

/** What is left to spend on looking, in comparisons. Once it is used up everything passes: no document makes the check slow. */
export interface Work {
  left: number;
}

/** Facts that only ever have one of these values, in lower case. */
export type Vocabulary = ReadonlyMap<string, ReadonlySet<string>>;

/** A sentence, or null. */
export function contradictionIn(condition: Condition, vocabulary: Vocabulary, work: Work): string | null {
  return within(condition, new Map(), vocabulary, work);
}

/** `above`: what the conditions around this one ask of each fact. They hold by themselves. */
function within(
  condition: Condition,
  above: ReadonlyMap<string, readonly Test[]>,
  vocabulary: Vocabulary,
  work: Work,
): string | null {
  const here = new Map<string, Test[]>();
  const choices: (readonly Condition[])[] = [];
  const nones: Condition[] = [];
  const gather = (item: Condition): void => {
    for (const [name, value] of Object.entries(item)) {
      if (value === undefined) continue;
      if (name === "all_of") for (const inner of value as readonly Condition[]) gather(inner);
      else if (name === "any_of") choices.push(value as readonly Condition[]);
      else if (name === "none_of") nones.push(...(value as readonly Condition[]));
      else {
        const asked = here.get(name) ?? [];
        asked.push(value as Test);
        here.set(name, asked);
      }
    }
  };
  gather(condition);
  const all = new Map<string, readonly Test[]>(above);
  for (const [fact, asked] of here) {
    const together = [...(above.get(fact) ?? []), ...asked];
    all.set(fact, together);
    const found = impossible(fact, together, vocabulary, work);
    if (found !== null) return found;
  }
  const forbidden = forbiddenOf(nones, all);
  if (forbidden !== null) return forbidden;
  for (const branches of choices) {
    const reasons = branches.map((branch) => within(branch, all, vocabulary, work));
    if (reasons.every((reason) => reason !== null)) return reasons[0] ?? null;
  }
  return null;
}

/** What must not hold, and is just what is asked. */
function forbiddenOf(nones: readonly Condition[], asked: ReadonlyMap<string, readonly Test[]>): string | null {
  if (nones.length === 0) return null;
  const known = new Set([...asked].flatMap(([name, tests]) => tests.map((test) => `${name} ${canonicalJson(test)}`)));
  const none = nones.find((item) =>
    Object.entries(item).every(([name, value]) => known.has(`${name} ${canonicalJson(value)}`)),
  );
  return none === undefined ? null : `it asks for ${Object.keys(none).join(", ")} and forbids the same.`;
}

function impossible(fact: string, asked: readonly Test[], vocabulary: Vocabulary, work: Work): string | null {
  const unknown = asked.some((test) => test.known === false);
  if (
    unknown &&
    asked.some((test) => Object.keys(test).some((key) => key !== "known" && key !== "is_not") || test.known === true)
  )
    return `${fact} is asked to be unknown and compared as well.`;
  const floor = Math.max(...asked.map((test) => test.at_least ?? Number.NEGATIVE_INFINITY));
  const ceiling = Math.min(...asked.map((test) => test.at_most ?? Number.POSITIVE_INFINITY));
  if (floor > ceiling) return `${fact} cannot be at least ${floor} and at most ${ceiling}.`;
  const lists = asked.flatMap(({ is }) => (is === undefined ? [] : [listOf(is)]));
  const [first, ...others] = lists.sort((a, b) => a.length - b.length);
  if (first === undefined) return null;
  const words = vocabulary.get(fact);
  let possible = words === undefined ? first : first.filter((value) => words.has(lower(value)));
  if (words !== undefined && possible.length === 0)
    return `${fact} is never ${first.slice(0, 3).join(" or ")}; there is ${[...words].slice(0, 12).join(", ") || "none"}.`;
  for (const list of others) {
    work.left -= list.length;
    if (work.left < 0) return null;
    const values = new Set(list.map(lower));
    possible = possible.filter((value) => values.has(lower(value)));
  }
  for (const { is: _done, ...rest } of asked) {
    work.left -= possible.length * sizeOf(rest);
    if (work.left < 0) return null;
    possible = possible.filter((value) => passes(rest, value));
  }
  return possible.length > 0 ? null : `no value of ${fact} passes all that is asked of it.`;
}

/** About so many comparisons does a test take; looking for a pattern costs as much as a hundred of them. */
export function sizeOf({ is, is_not, contains, starts_with, ends_with, like }: Test): number {
  const many = (value: unknown) => (value === undefined ? 0 : Array.isArray(value) ? value.length : 1);
  return 1 + many(is) + many(is_not) + many(contains) + many(starts_with) + many(ends_with) + 100 * many(like);
}

function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

function lower(value: string | number | boolean): string {
  return String(value).toLowerCase();
}
