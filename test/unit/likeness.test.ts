import { describe, expect, it } from "vitest";
import { candidatePairs } from "../../src/resolve/likeness/block.ts";
import { compare, type FieldKind, levels, prepare } from "../../src/resolve/likeness/compare.ts";
import { type LikelyPair, likelyDuplicates, mayMerge } from "../../src/resolve/likeness/duplicates.ts";
import { termFrequencies } from "../../src/resolve/likeness/frequency.ts";
import { consistentGroups, likelyPairs } from "../../src/resolve/likeness/groups.ts";
import { learnMatches, usualMatches } from "../../src/resolve/likeness/model.ts";
import { areNicknames } from "../../src/resolve/likeness/nicknames.ts";
import { sequence } from "../../src/resolve/likeness/sample.ts";
import {
  bitCount,
  characterMask,
  editDistance,
  jaro,
  jaroWinkler,
  withinOneEdit,
  wordOverlap,
} from "../../src/resolve/likeness/similarity.ts";
import { type Field, type LikenessRecord, tableOf } from "../../src/resolve/likeness/table.ts";
import { contacts } from "../eval/corruptor.ts";

describe("string similarities", () => {
  // Winkler 1990/1994, table of the U.S. Census Bureau's string comparator.
  it.each([
    ["MARTHA", "MARHTA", 0.944, 0.961],
    ["DWAYNE", "DUANE", 0.822, 0.84],
    ["DIXON", "DICKSONX", 0.767, 0.813],
    ["SHACKLEFORD", "SHACKELFORD", 0.97, 0.982],
    ["NICHLESON", "NICHULSON", 0.926, 0.956],
    ["JONES", "JOHNSON", 0.79, 0.832],
    ["MASSEY", "MASSIE", 0.889, 0.933],
    ["ABROMS", "ABRAMS", 0.889, 0.922],
  ])("Jaro and Jaro–Winkler of %s and %s are as published", (a, b, base, winkler) => {
    expect(jaro(a, b)).toBeCloseTo(base, 2);
    expect(jaroWinkler(a, b)).toBeCloseTo(winkler, 2);
    expect(jaro(a, b)).toBe(jaro(b, a));
  });

  it("texts without a letter in common are not alike at all", () => {
    expect(jaroWinkler("abc", "xyz")).toBe(0);
    expect(jaro("", "abc")).toBe(0);
  });

  it.each([
    ["kitten", "sitting", 3],
    ["saturday", "sunday", 3],
    ["ca", "ac", 1],
    ["ca", "abc", 3], // 2 without the restriction of optimal string alignment
    ["smith", "smiht", 1],
    ["", "abc", 3],
  ])("edit distance of %s and %s is %i", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
    expect(editDistance(a, b, 1)).toBe(Math.min(2, distance));
  });

  it("one edit, the limited distance and the mask agree with the full distance (20,000 random pairs)", () => {
    const next = sequence(5);
    const text = (): string =>
      Array.from({ length: Math.floor(next() * 7) }, () => "abc1"[Math.floor(next() * 4)]).join("");
    for (let round = 0; round < 20_000; round++) {
      const [a, b] = [text(), text()];
      const distance = editDistance(a, b);
      expect(withinOneEdit(a, b)).toBe(distance <= 1);
      expect(editDistance(a, b, 2)).toBe(Math.min(3, distance));
      expect(bitCount(characterMask(a) ^ characterMask(b))).toBeLessThanOrEqual(2 * distance);
    }
  });

  it("word overlap counts a word with one typo, not a short word with one", () => {
    expect(wordOverlap(["main", "street"], ["main", "stret"])).toBe(1);
    expect(wordOverlap(["the", "mill"], ["she", "mill"])).toBeCloseTo(1 / 3);
    expect(wordOverlap([], ["a"])).toBe(0);
  });

  it("nicknames relate names on one line only", () => {
    expect(areNicknames("bob", "robert")).toBe(true);
    expect(areNicknames("alexander", "alex")).toBe(true);
    expect(areNicknames("alexander", "alexandra")).toBe(false);
    expect(areNicknames("bob", "william")).toBe(false);
    expect(areNicknames("bob", "bob")).toBe(false);
  });
});

describe("levels of agreement", () => {
  it.each<[FieldKind, string, string, string]>([
    ["given_name", "José", "jose", "exact"],
    ["given_name", "Bob", "Robert", "nickname"],
    ["given_name", "Roberto", "Robreto", "close"],
    ["given_name", "J.", "Joshua", "similar"],
    ["given_name", "Anna", "Peter", "different"],
    ["family_name", "O'Brien", "OBrien", "exact"],
    ["family_name", "Mac Donald", "MacDonald", "close"],
    ["family_name", "Bob", "Robert", "different"],
    ["text", "1 Main Street", "1 Mian Street", "close"],
    ["text", "Acme Trading Ltd", "Acme Trading", "similar"],
    ["text", "Acme Trading Ltd", "Zenith Foods Ltd", "different"],
    ["code", "2119", "2191", "close"],
    ["code", "2119", "2084", "different"],
    ["code", "1804974", "1804795", "similar"],
    ["date", "1971-06-24", "1971 06 24", "exact"],
    ["date", "1971-06-24", "1971-05-24", "close"],
    ["date", "1971-03-04", "1971-04-03", "close"],
    ["date", "1971-06-24", "1971-06-11", "similar"],
    ["date", "1971-06-24", "1988-11-03", "different"],
    ["email", "Ann.Lee@Example.com", "ann.lee@example.com", "exact"],
    ["email", "ann.lee@example.com", "ann.lee@exmaple.com", "close"],
    ["email", "ann.lee@example.com", "ann.lee@other.example", "similar"],
    ["email", "ann.lee@example.com", "bob.ray@example.com", "different"],
    ["phone", "+49 30 1234567", "030 1234567", "close"],
    ["phone", "030 1234567", "030 7654321", "different"],
    ["domain", "example.com", "exmple.com", "close"],
    ["domain", "example.com", "example.org", "different"],
    ["category", "nsw", "vic", "different"],
  ])("%s: %s and %s are %s", (kind, a, b, level) => {
    const [left, right] = [prepare(kind, a), prepare(kind, b)];
    if (left === null || right === null) throw new Error("both are values");
    expect(levels[compare(kind, left, right)]).toBe(level);
    expect(levels[compare(kind, right, left)]).toBe(level);
  });

  it("a placeholder is a missing value, a real one is not", () => {
    for (const empty of ["", "  ", "N/A", "unknown", null, undefined]) expect(prepare("text", empty)).toBeNull();
    expect(prepare("text", "Unknown Pleasures Ltd")).not.toBeNull();
  });

  const names: readonly Field[] = [
    { name: "given", kind: "given_name" },
    { name: "family", kind: "family_name", swapsWith: "given" },
  ];
  const levelsOf = (a: readonly [string | null, string | null], b: readonly [string | null, string | null]) => {
    const record = (id: string, [given, family]: readonly [string | null, string | null]) => ({
      id,
      values: { given, family },
    });
    const into = new Uint8Array(2);
    tableOf([record("a", a), record("b", b)], names).levelsOf(0, 1, into, 0);
    return [...into].map((level) => levels[level] ?? "silent");
  };

  it("exchanged names are one swap, told once", () => {
    expect(levelsOf(["isla", "hall"], ["hall", "isla"])).toEqual(["silent", "swapped"]);
    expect(levelsOf(["isla", "hall"], ["hall", "ilsa"])).toEqual(["silent", "swapped"]);
    expect(levelsOf(["isla", null], ["hall", "isla"])).toEqual(["silent", "swapped"]);
  });

  it("half a swap is none", () => {
    expect(levelsOf(["isla", "hall"], ["hall", "peters"])).toEqual(["different", "different"]);
    expect(levelsOf(["isla", "hall"], ["isla", "peters"])).toEqual(["exact", "different"]);
    expect(levelsOf([null, null], ["hall", "isla"])).toEqual(["silent", "silent"]);
  });
});

describe("term frequencies", () => {
  it("count a person once, however many records", () => {
    const values = ["smith", "smith", "smith", "jones", "smythe"];
    const table = tableOf(
      values.map((family, at) => ({ id: String(at), values: { family } })),
      [{ name: "family", kind: "family_name" }],
    );
    const [column] = table.columns;
    if (column === undefined) throw new Error("one column");
    const apart = termFrequencies(column, Int32Array.of(0, 1, 2, 3, 4));
    // Counts 3, 1, 1; two seen once, none twice: discount 2 / (2 + 0 + 1) = 2/3, of a total of 5.
    expect([...apart].map((share) => Number(share.toFixed(4)))).toEqual([0.4667, 0.0667, 0.0667]);
    const together = termFrequencies(column, Int32Array.of(0, 0, 0, 3, 4));
    expect(together[0]).toBe(together[1]);
  });
});

describe("expectation–maximisation", () => {
  it("recovers the m and the number of matches that made the data", () => {
    const next = sequence(9);
    const m = [0.9, 0.7, 0.95, 0.6];
    const u = [0.01, 0.02, 0.005, 0.05];
    const [matchesTrue, strangersTrue] = [800, 60_000];
    const size = matchesTrue + strangersTrue;
    const pairs = { a: new Int32Array(size), b: new Int32Array(size), levels: new Uint8Array(size * 4) };
    const logChances = new Float64Array(size * 4);
    for (let at = 0; at < size; at++) {
      for (let field = 0; field < 4; field++) {
        const agrees = next() < ((at < matchesTrue ? m : u)[field] ?? 0);
        pairs.levels[at * 4 + field] = agrees ? 0 : 5;
        logChances[at * 4 + field] = Math.log(agrees ? (u[field] ?? 0) : 1 - (u[field] ?? 0));
      }
    }
    const learned = learnMatches(usualMatches(["text", "text", "code", "code"], 1_000), size, pairs, logChances);
    expect(learned.expected / matchesTrue).toBeCloseTo(1, 1);
    for (const [field, share] of m.entries()) expect(Math.abs((learned.m[field]?.[0] ?? 0) - share)).toBeLessThan(0.04);
  });

  it("never calls pairs matches that mostly differ in name", () => {
    const size = 1_000;
    const pairs = {
      a: new Int32Array(size),
      b: new Int32Array(size),
      levels: new Uint8Array(size * 2).map((_, at) => (at % 2) * 5),
    };
    const logChances = new Float64Array(size * 2).map((_, at) => (at % 2 === 0 ? -9 : 0));
    const learned = learnMatches(usualMatches(["domain", "given_name"], 100), size, pairs, logChances);
    expect(learned.m[1]?.[5]).toBeLessThanOrEqual(0.2);
  });
});

describe("groups", () => {
  const edge = (a: number, b: number, odds: number) => ({ a, b, odds });

  it("keeps two people apart whom a third record resembles both", () => {
    const { groupOf, apart } = consistentGroups(3, [edge(0, 1, 5), edge(1, 2, 4), edge(0, 2, -9)], 0, () => -9);
    expect([...groupOf]).toEqual([0, 0, 2]);
    expect(apart.get(1 * 3 + 2)).toBeLessThan(0.5);
  });

  it("joins two bad copies of one good record, and says through which", () => {
    const edges = [edge(0, 1, 8), edge(1, 2, 8), edge(0, 2, -2)];
    const grouping = consistentGroups(3, edges, 0, () => -9);
    const pair = likelyPairs(edges, grouping, 3, () => -9).find(({ a, b }) => a === 0 && b === 2);
    expect(pair?.probability).toBeGreaterThan(0.99);
    expect(pair?.own).toBeLessThan(0.2);
    expect(pair?.through).toBe(1);
  });

  it("stops at the size of a shared inbox", () => {
    const edges = Array.from({ length: 79 }, (_, a) => edge(a, a + 1, 9));
    const { groups } = consistentGroups(80, edges, 0, () => 9);
    expect(Math.max(...groups.map((group) => group.length))).toBeLessThanOrEqual(50);
  });
});

describe("blocking", () => {
  const fields: readonly Field[] = [
    { name: "given", kind: "given_name" },
    { name: "family", kind: "family_name", swapsWith: "given" },
  ];

  it("does not explode when thousands have the same values", () => {
    const records = Array.from({ length: 5_000 }, (_, at) => ({
      id: String(at),
      values: { given: "john", family: "smith" },
    }));
    const pairs = candidatePairs(tableOf(records, fields), { pairsPerRecord: 30, blockSize: 60 });
    expect(pairs.length).toBeGreaterThan(0);
    expect(pairs.length).toBeLessThanOrEqual(30 * 5_000);
  });

  it("finds a typo and a swap, and not what has nothing in common", () => {
    const people: [string, string][] = [
      ["roberta", "wilkinson"],
      ["roberta", "wilkinsen"],
      ["wilkinson", "roberta"],
      ["ann", "lee"],
    ];
    const records = people.map(([given, family], at) => ({ id: String(at), values: { given, family } }));
    const pairs = [...candidatePairs(tableOf(records, fields), { pairsPerRecord: 30, blockSize: 60 })];
    expect(pairs.map((key) => [Math.floor(key / 4), key % 4])).toEqual([
      [0, 1],
      [0, 2],
    ]);
  });
});

describe("likely duplicates", () => {
  const world = contacts({ seed: 21, people: 600, duplicates: 0.3, damage: 0.1 });
  const plain = (pairs: readonly LikelyPair[]) => pairs.map(({ a, b, probability }) => [a, b, probability]);
  const found = likelyDuplicates(world.records, world.fields);

  it("is the same for the same records in any order", () => {
    const shuffled = likelyDuplicates(world.records.toReversed(), world.fields);
    expect(plain(shuffled.pairs)).toEqual(plain(found.pairs));
    expect(JSON.stringify(likelyDuplicates(world.records, world.fields))).toBe(JSON.stringify(found));
  });

  it("explains every pair: prior and weights add up to its own odds", () => {
    expect(found.pairs.length).toBeGreaterThan(100);
    for (const { own, prior, weights } of found.pairs) {
      const bits = weights.reduce((sum, { weight }) => sum + weight, prior);
      expect(1 / (1 + 2 ** -bits)).toBeCloseTo(own, 6);
    }
  });

  it("finds nearly all, and merges no colleague by itself", () => {
    const entityOf = new Map(world.records.map(({ id }, at) => [id, world.entities[at]]));
    const same = ({ a, b }: LikelyPair): boolean => entityOf.get(a) === entityOf.get(b);
    expect(found.pairs.filter((pair) => pair.probability >= 0.5 && same(pair)).length).toBeGreaterThan(150);
    const merged = found.pairs.filter((pair) => mayMerge(pair, 0.999));
    expect(merged.length).toBeGreaterThan(100);
    expect(merged.filter((pair) => !same(pair))).toEqual([]);
  });

  it("merges nothing by itself where nobody is there twice", () => {
    const unique = contacts({ seed: 22, people: 800, duplicates: 0, damage: 0 });
    expect(likelyDuplicates(unique.records, unique.fields).pairs.filter((pair) => mayMerge(pair, 0.999))).toEqual([]);
  });

  it("asks for the pair's own evidence and the group's before a merge without a person", () => {
    const pair: LikelyPair = {
      a: "1",
      b: "2",
      probability: 0.9995,
      own: 0.9995,
      through: null,
      prior: -10,
      weights: [],
    };
    expect(mayMerge(pair, 0.999)).toBe(true);
    expect(mayMerge({ ...pair, own: 0.9 }, 0.999)).toBe(false);
    expect(mayMerge({ ...pair, probability: 0.5 }, 0.999)).toBe(false);
  });

  it("answers for no record, one record and records without any value", () => {
    const none: readonly LikenessRecord[] = [];
    expect(likelyDuplicates(none, world.fields).pairs).toEqual([]);
    expect(likelyDuplicates(world.records.slice(0, 1), world.fields).pairs).toEqual([]);
    const empty = Array.from({ length: 20 }, (_, at) => ({ id: String(at), values: {} }));
    expect(likelyDuplicates(empty, world.fields).pairs).toEqual([]);
  });
});
