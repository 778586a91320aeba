/**
 * What two different people have in common (u). Three corrections to one number per level:
 * - an exact agreement is as likely as its value is common (`frequency.ts`);
 * - a near agreement is likelier the commoner the rarer of both values is: "smiht" is a typo of "smith", "smit" another name;
 * - fields depend on each other: strangers who share a telephone share their firm and its street, too. Fields are taken from
 *   the most telling to the least, and with chance `copied` a field agrees only because an earlier one did.
 * Pure.
 */
import { close, different, exact, levelCount, silent, similar, swapped } from "./compare.ts";
import { termFrequencies } from "./frequency.ts";
import type { Pairs } from "./sample.ts";
import type { Table } from "./table.ts";

export interface Samples {
  readonly random: Pairs;
  /** Per column, pairs that share its value. */
  readonly sharing: readonly Pairs[];
}

export interface Strangers {
  /** Per column and level, the share among random pairs of different people. */
  readonly u: readonly Float64Array[];
  /** Writes the chance of the pair's level, per field, among strangers; 1 where a field is silent. */
  readonly chances: (pairs: Pairs, at: number, into: Float64Array) => void;
}

/** Chance of a match for a pair of a sample; 0 before anything is known. */
export type Belief = (pairs: Pairs, at: number) => number;

export function learnStrangers(table: Table, groupOf: Int32Array, samples: Samples, belief: Belief | null): Strangers {
  const { columns } = table;
  const width = columns.length;
  const frequency = columns.map((column) => termFrequencies(column, groupOf));
  const rarer = (column: number, a: number, b: number): number => {
    const of = columns[column]?.of;
    const shares = frequency[column];
    return Math.max(rarest, Math.min(shares?.[of?.[a] ?? -1] ?? 0, shares?.[of?.[b] ?? -1] ?? 0));
  };

  const u = columns.map(() => new Float64Array(levelCount).fill(0.5));
  const seen = columns.map(() => new Float64Array(levelCount));
  const inverse = columns.map(() => new Float64Array(levelCount));
  const { random } = samples;
  for (let at = 0; at < random.a.length; at++) {
    const [a = 0, b = 0] = [random.a[at], random.b[at]];
    if (groupOf[a] === groupOf[b]) continue;
    for (let column = 0; column < width; column++) {
      const level = random.levels[at * width + column] ?? silent;
      if (level === silent) continue;
      add(u[column], level, 1);
      if (level === exact || level >= swapped) continue;
      add(seen[column], level, 1);
      add(inverse[column], level, 1 / rarer(column, a, b));
    }
  }
  for (const [column, shares] of u.entries()) {
    normalise(shares);
    shares[exact] = (frequency[column] ?? []).reduce((sum, share) => sum + share * share, rarest);
  }

  const order = columns.map((_, column) => column).sort((x, y) => (u[x]?.[exact] ?? 0) - (u[y]?.[exact] ?? 0) || x - y);
  const alone = (pairs: Pairs, at: number, column: number, level: number): number => {
    const [a = 0, b = 0] = [pairs.a[at], pairs.b[at]];
    const base = u[column]?.[level] ?? 1;
    if (level === exact) return frequency[column]?.[columns[column]?.of[a] ?? -1] ?? base;
    if (level === swapped) return crosswise(column, a, b);
    const sightings = seen[column]?.[level] ?? 0;
    if (level === different || sightings < sightingsMin) return base;
    return (base * rarer(column, a, b) * (inverse[column]?.[level] ?? 0)) / sightings;
  };
  const crosswise = (column: number, a: number, b: number): number => {
    const partner = columns[column]?.partner ?? -1;
    const [here, there] = [columns[column]?.of, columns[partner]?.of];
    const one = (within: number, x: number, y: number): number => {
      if (x < 0 || y < 0) return 1;
      return x === y ? frequency[within]?.[x] || rarest : (u[within]?.[exact] ?? 0) + (u[within]?.[close] ?? 0);
    };
    return one(column, here?.[a] ?? -1, there?.[b] ?? -1) * one(partner, here?.[b] ?? -1, there?.[a] ?? -1);
  };

  const copies = order.map((column, place) =>
    order.slice(0, belief === null ? 0 : place).map((earlier) => copiedShares(width, column, earlier, samples, u, groupOf, belief)),
  );
  return {
    u,
    chances(pairs, at, into) {
      for (const [place, column] of order.entries()) {
        const level = pairs.levels[at * width + column] ?? silent;
        if (level === silent) {
          into[column] = 1;
          continue;
        }
        let chance = alone(pairs, at, column, level);
        let strongest = 0;
        for (let before = 0; before < place; before++) {
          const earlier = pairs.levels[at * width + (order[before] ?? 0)] ?? silent;
          const table = earlier <= close ? 0 : earlier === similar ? 1 : -1;
          const copied = table < 0 ? undefined : copies[place]?.[before]?.[table];
          if (copied === undefined || copied.total <= strongest) continue;
          strongest = copied.total;
          chance = (copied.shares[level] ?? 0) + (1 - copied.total) * alone(pairs, at, column, level);
        }
        into[column] = Math.min(1, Math.max(rarest, chance));
      }
    },
  };
}

/** Below this no share of strangers can be told from none: fewer than one pair in a workspace of a million people. */
const rarest = 1e-9;
/** Near agreements seen by chance before their frequency by value is believed. */
const sightingsMin = 20;
/** Strangers that share a field, seen besides what they share, before half of the surplus is believed. */
const shrinkage = 50;

interface Copied {
  /** Per level, the chance that the field agrees so only because the earlier one does. */
  readonly shares: Float64Array;
  readonly total: number;
}

/** For pairs with the earlier field equal, and for those with it similar: what the later field agrees in beyond chance. */
function copiedShares(
  width: number,
  column: number,
  earlier: number,
  samples: Samples,
  u: readonly Float64Array[],
  groupOf: Int32Array,
  belief: Belief,
): readonly Copied[] {
  const equal = samples.sharing[earlier];
  return [
    equal === undefined ? nothingCopied : surplus(equal, (level) => level === exact),
    surplus(samples.random, (level) => level === similar),
  ];

  function surplus(pairs: Pairs, agrees: (level: number) => boolean): Copied {
    const counts = new Float64Array(levelCount);
    let total = 0;
    for (let at = 0; at < pairs.a.length; at++) {
      const level = pairs.levels[at * width + column] ?? silent;
      if (level === silent || !agrees(pairs.levels[at * width + earlier] ?? silent)) continue;
      const weight = 1 - belief(pairs, at);
      add(counts, level, weight);
      total += weight;
    }
    const shares = counts.map((count, level) => {
      if (level >= swapped) return 0;
      const expected = (u[column]?.[level] ?? 0) * total;
      // Two standard deviations of a Poisson count: a surplus below that is chance.
      const beyond = count - expected - 2 * Math.sqrt(expected + 1);
      return Math.max(0, beyond) / (total + shrinkage);
    });
    return { shares, total: shares.reduce((sum, share) => sum + share, 0) };
  }
}

const nothingCopied: Copied = { shares: new Float64Array(levelCount), total: 0 };

function add(counts: Float64Array | undefined, at: number, amount: number): void {
  if (counts !== undefined) counts[at] = (counts[at] ?? 0) + amount;
}

function normalise(shares: Float64Array): void {
  const total = shares.reduce((sum, share) => sum + share, 0);
  for (const [at, share] of shares.entries()) shares[at] = share / total;
}
