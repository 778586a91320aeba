/** What conditions ask of facts, and what may be asked. */
import { describe, expect, it } from "vitest";
import {
  type Condition,
  conditionSchema,
  type Fact,
  holds,
  isFact,
  likeOf,
  passes,
  readOf,
  type Test,
} from "../../src/decide/policy/condition.ts";

describe("a test of one fact", () => {
  const cases: readonly (readonly [string, Test, Fact, boolean])[] = [
    ["is one of several, without case", { is: ["DE", "FR"] }, "fr", true],
    ["is none of several", { is: ["DE", "FR"] }, "IT", false],
    ["is a number written as text", { is: 5 }, "5", true],
    ["is a truth written as text", { is: true }, "TRUE", true],
    ["is not what it is", { is_not: "DE" }, "de", false],
    ["is not what it is not", { is_not: ["DE", "FR"] }, "IT", true],
    ["is not, when nothing is known", { is_not: "DE" }, undefined, true],
    ["is, when nothing is known", { is: "DE" }, undefined, false],
    ["contains, without case", { contains: "VP" }, "Senior vp Sales", true],
    ["contains none of several", { contains: ["cto", "ceo"] }, "Senior VP Sales", false],
    ["starts with", { starts_with: "+49" }, "+4930123", true],
    ["starts with something else", { starts_with: "+49" }, "0049", false],
    ["ends with", { ends_with: [".edu", ".ac.uk"] }, "ox.ac.uk", true],
    ["ends with something else", { ends_with: ".edu" }, "edu.example.com", false],
    ["looks like", { like: "*head*of*" }, "Head of Growth", true],
    ["does not look like", { like: ["cto", "ceo"] }, "cto office", false],
    ["at least, just", { at_least: 50 }, 50, true],
    ["at least, not quite", { at_least: 50 }, 49.9, false],
    ["at least, as text", { at_least: 50 }, "51", true],
    ["at least, of a word", { at_least: 0 }, "many", false],
    ["at least, of empty text", { at_least: 0 }, " ", false],
    ["at least, of a truth", { at_least: 0 }, true, false],
    ["between", { at_least: 10, at_most: 20 }, 15, true],
    ["above", { at_least: 10, at_most: 20 }, 21, false],
    ["known", { known: true }, "", true],
    ["known, and it is not", { known: true }, undefined, false],
    ["not known", { known: false }, undefined, true],
    ["not known, and it is", { known: false }, 0, false],
    ["known and not this", { known: true, is_not: "DE" }, undefined, false],
    ["several things at once, one of which fails", { starts_with: "a", ends_with: "z" }, "abc", false],
  ];
  it.each(cases)("%s", (_what, asked, fact, expected) => {
    expect(passes(asked, fact)).toBe(expected);
  });
});

describe("a condition", () => {
  const facts: Record<string, Fact> = { "lead.country": "DE", "score.total": 40 };
  const hold = (condition: Condition) => holds(condition, (name) => readOf(facts[name]));
  const de: Condition = { "lead.country": { is: "de" } };
  const fr: Condition = { "lead.country": { is: "fr" } };

  it("holds when all of its tests do", () => {
    expect(hold({ "lead.country": { is: "DE" }, "score.total": { at_least: 40 } })).toBe(true);
    expect(hold({ "lead.country": { is: "DE" }, "score.total": { at_least: 41 } })).toBe(false);
  });

  it("nests: one of, all of, none of", () => {
    expect([hold({ any_of: [fr, de] }), hold({ any_of: [fr, fr] })]).toEqual([true, false]);
    expect([hold({ all_of: [de, de] }), hold({ all_of: [de, fr] })]).toEqual([true, false]);
    expect([hold({ none_of: [fr, fr] }), hold({ none_of: [fr, de] })]).toEqual([true, false]);
    expect(hold({ ...de, none_of: [{ all_of: [de, { any_of: [fr] }] }] })).toBe(true);
  });
});

describe("a pattern", () => {
  it.each([
    ["", "", true],
    ["", "*", true],
    ["a", "", false],
    ["abc", "abc", true],
    ["abc", "ab", false],
    ["abc", "a*", true],
    ["abc", "*c", true],
    ["abc", "*b*", true],
    ["abc", "a*c", true],
    ["abc", "*a*b*c*", true],
    ["abc", "*b*a*", false],
    ["aa", "a*a", true],
    ["a", "a*a", false],
    ["abab", "ab*ab", true],
    ["aba", "ab*ba", false],
    ["axbxc", "a*b*c", true],
    ["mississippi", "m*iss*ip*i", true],
    ["mississippi", "m*iss*iss*iss*", false],
    ["a.c", "a?c", false],
    ["a*c", "a*c", true],
    ["abc", "**", true],
  ])("%j like %j: %j", (words, pattern, expected) => {
    expect(likeOf(pattern)(words)).toBe(expected);
  });

  it("says the same as looking at every way of reading it", () => {
    const slow = (words: string, pattern: string): boolean => {
      if (pattern === "") return words === "";
      if (pattern[0] === "*")
        return Array.from({ length: words.length + 1 }, (_, at) => at).some((at) =>
          slow(words.slice(at), pattern.slice(1)),
        );
      return words !== "" && words[0] === pattern[0] && slow(words.slice(1), pattern.slice(1));
    };
    const all = (letters: string, most: number): string[] => {
      let texts = [""];
      for (let length = 0, last = [""]; length < most; length++) {
        last = last.flatMap((text) => [...letters].map((letter) => text + letter));
        texts = [...texts, ...last];
      }
      return texts;
    };
    let wrong = 0;
    for (const words of all("ab", 5))
      for (const pattern of all("ab*", 5)) if (likeOf(pattern)(words) !== slow(words, pattern)) wrong++;
    expect(wrong).toBe(0);
  });

  it("is quick however many stars it has and however long the text is", () => {
    const started = performance.now();
    expect(likeOf(`${"*a".repeat(99)}*b`)("a".repeat(32_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(100);
  });
});

describe("what may be asked", () => {
  const mistakes = (given: unknown) =>
    (conditionSchema.safeParse(given).error?.issues ?? []).map(({ path, message }) => [path.join("/"), message]);
  const nested = (depth: number): unknown =>
    depth === 1 ? { level: { is: "task" } } : { any_of: [nested(depth - 1)] };
  const tests = (count: number) => ({ any_of: Array.from({ length: count }, () => ({ level: { is: "task" } })) });

  it.each([
    ["a fact and a test", { "lead.country": { is: "DE" } }],
    ["a property of a signal", { "signal.properties.plan.seats-2": { at_least: 10 } }],
    ["four levels", nested(4)],
    ["200 tests", { "lead.country": { is: "DE" }, ...tests(199) }],
    ["500 values", { "lead.country": { is: Array.from({ length: 500 }, (_, index) => index) } }],
  ])("%s", (_what, given) => {
    expect(mistakes(given)).toEqual([]);
  });

  it.each([
    ["text", "DE", "", "A condition is an object of facts"],
    ["a list", [], "", "A condition is an object of facts"],
    ["nothing in it", {}, "", "An empty condition would always hold"],
    ["an unknown fact", { "lead.colour": { is: "red" } }, "lead.colour", 'There is no fact named "lead.colour".'],
    ["a fact of every object", { constructor: { is: 1 } }, "constructor", 'There is no fact named "constructor".'],
    ["a property without a name", { "signal.properties.": { is: 1 } }, "signal.properties.", "There is no fact named"],
    ["a regular expression", { "lead.email": { regex: "(a+)+$" } }, "lead.email", "Regular expressions are not taken"],
    ["an unknown comparison", { "lead.email": { equals: "x" } }, "lead.email", 'There is no comparison named "equals"'],
    ["a test of nothing", { "lead.email": {} }, "lead.email", "A test needs something to compare with"],
    ["a test that is no object", { "lead.email": 5 }, "lead.email", "expected object"],
    ["an empty list of values", { "lead.email": { is: [] } }, "lead.email/is", "Too small"],
    ["501 values", { "lead.email": { is: Array.from({ length: 501 }, () => "x") } }, "lead.email/is", "Invalid input"],
    ["a bound that is text", { "score.total": { at_least: "5" } }, "score.total/at_least", "expected number"],
    [
      "a branch that is no list",
      { any_of: { level: { is: "task" } } },
      "any_of",
      '"any_of" takes a list of conditions.',
    ],
    ["no branches", { none_of: [] }, "none_of", '"none_of" takes a list of conditions.'],
    ["five levels", nested(5), "any_of/0/any_of/0/any_of/0/any_of/0", "Conditions nest at most 4 deep."],
    ["201 tests", { "lead.country": { is: "DE" }, ...tests(200) }, "any_of/199", "A condition has at most 200 tests."],
    ["201 branches", tests(201), "any_of", "At most 200 conditions in a list."],
  ])("not %s", (_what, given, path, sentence) => {
    const found = mistakes(given);
    expect(found).toHaveLength(1);
    expect(found[0]?.[0]).toBe(path);
    expect(found[0]?.[1]).toContain(sentence);
  });

  it("says once that there are too many tests, not for each of them", () => {
    const many = { any_of: Array.from({ length: 200 }, () => tests(200)) };
    expect(mistakes(many)).toEqual([["any_of/1/any_of/0", "A condition has at most 200 tests."]]);
  });

  it("knows its facts by name and the properties of signals by their form", () => {
    expect(["level", "signal.properties.a", "signal.properties.a.b"].every(isFact)).toBe(true);
    expect(["", "toString", "signal.properties", `signal.properties.${"x".repeat(61)}`].some(isFact)).toBe(false);
  });
});
