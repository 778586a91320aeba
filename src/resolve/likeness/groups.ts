/**
 * Which records are one person, taken together. Pairs are judged one by one, yet "a is b, b is c, a is not c" cannot all be
 * true. Groups grow from the surest pair downwards, and two join only when the evidence between all their members, on
 * average, is for it (average linkage): one record halfway between two people then cannot chain them into one. Pure.
 */
import { probabilityOf } from "./model.ts";

export interface Edge {
  readonly a: number;
  readonly b: number;
  /** Natural logarithm of the odds of a match, by the pair's own evidence. */
  readonly odds: number;
}

export interface Grouping {
  /** The smallest member of each record's group, by record. */
  readonly groupOf: Int32Array;
  readonly groups: readonly (readonly number[])[];
  /** For an edge between two groups that were kept apart: the chance of a match by the evidence between the whole groups. */
  readonly apart: ReadonlyMap<number, number>;
}

/** A person with more records than this is a shared inbox or a test account; the identity objects stop there, too. */
const groupMax = 50;
/** One pair's odds count for so much at most: an average is no average when one certainty outweighs ten doubts. */
const oddsMax = 10;

/** Groups over the edges with at least `oddsMin`; `oddsOf` judges pairs that were no candidates. */
export function consistentGroups(
  size: number,
  edges: readonly Edge[],
  oddsMin: number,
  oddsOf: (a: number, b: number) => number,
): Grouping {
  const groupOf = Int32Array.from({ length: size }, (_, record) => record);
  const members = new Map<number, number[]>();
  const apart = new Map<number, number>();
  const known = new Map(edges.map((edge) => [edge.a * size + edge.b, edge.odds]));
  const membersOf = (group: number): number[] => members.get(group) ?? [group];
  const clipped = (a: number, b: number): number => {
    const [left, right] = a < b ? [a, b] : [b, a];
    const key = left * size + right;
    const odds = known.get(key) ?? oddsOf(left, right);
    known.set(key, odds);
    return Math.max(-oddsMax, Math.min(oddsMax, odds));
  };
  const strong = edges
    .filter((edge) => edge.odds >= oddsMin)
    .toSorted((x, y) => y.odds - x.odds || x.a - y.a || x.b - y.b);
  for (const edge of strong) {
    const [one, two] = [groupOf[edge.a] ?? edge.a, groupOf[edge.b] ?? edge.b];
    if (one === two) continue;
    const [left, right] = [membersOf(one), membersOf(two)];
    const fits = left.length + right.length <= groupMax;
    let sum = 0;
    if (fits) for (const a of left) for (const b of right) sum += clipped(a, b);
    const mean = sum / (left.length * right.length);
    if (!fits || mean <= 0) {
      apart.set(edge.a * size + edge.b, fits ? probabilityOf(Math.min(mean, edge.odds)) : 0);
      continue;
    }
    const kept = Math.min(one, two);
    const joined = [...left, ...right].sort((x, y) => x - y);
    members.delete(Math.max(one, two));
    members.set(kept, joined);
    for (const record of joined) groupOf[record] = kept;
  }
  return { groupOf, groups: [...members.values()].filter((group) => group.length > 1), apart };
}

export interface GroupedPair {
  readonly a: number;
  readonly b: number;
  readonly probability: number;
  readonly own: number;
  /** The record through which the pair is likelier than by itself. */
  readonly through: number | null;
}

/**
 * All pairs with the chance that holds once the groups are known. Within a group a pair is at least as likely as the best way
 * over a third record, P(a = c) · P(c = b): two bad copies of one good record need not resemble each other. Pairs within a
 * group that blocking never saw are added; a pair whose groups were kept apart falls to what speaks for joining them.
 */
export function likelyPairs(
  edges: readonly Edge[],
  { groups, groupOf, apart }: Grouping,
  size: number,
  oddsOf: (a: number, b: number) => number,
): GroupedPair[] {
  const own = new Map(edges.map(({ a, b, odds }) => [a * size + b, probabilityOf(odds)]));
  const found: GroupedPair[] = [];
  for (const { a, b } of edges) {
    if (groupOf[a] === groupOf[b]) continue;
    const alone = own.get(a * size + b) ?? 0;
    found.push({ a, b, probability: Math.min(alone, apart.get(a * size + b) ?? 1), own: alone, through: null });
  }
  for (const group of groups) {
    const between = (a: number, b: number): number => {
      const [left, right] = a < b ? [a, b] : [b, a];
      const key = left * size + right;
      const known = own.get(key) ?? probabilityOf(oddsOf(left, right));
      own.set(key, known);
      return known;
    };
    for (const [i, a] of group.entries()) {
      for (const b of group.slice(i + 1)) {
        const alone = between(a, b);
        let probability = alone;
        let through: number | null = null;
        for (const c of group) {
          if (c === a || c === b) continue;
          const detour = between(a, c) * between(c, b);
          if (detour > probability) [probability, through] = [detour, c];
        }
        found.push({ a, b, probability, own: alone, through });
      }
    }
  }
  return found;
}
