/**
 * What two different people have in common (u). Three corrections to one number per level:
 * - an exact agreement is as likely as its value is common (`frequency.ts`);
 * - a near agreement is as likely as the rarer of both values is common: "smiht" is a typo of "smith", "smyth" another name;
 * - fields depend on each other (`dependence.ts`): exact agreements are taken first, the most telling of them first of
 *   all, and each field is judged given the ones before it.
 * Pure.
 */
import { close, different, exact, levelCount, silent, swapped } from "./compare.ts";
import { dependenceOf, type Samples } from "./dependence.ts";
import { termFrequencies } from "./frequency.ts";
import type { Pairs } from "./sample.ts";
import type { Table } from "./table.ts";

export interface Strangers {
  /** Per column and level, the share among random pairs of different people. */
  readonly u: readonly Float64Array[];
  /** Natural logarithm of the chance of each pair's level among strangers, one row of fields per pair; 0 where one is silent. */
  readonly logChances: (pairs: Pairs) => Float64Array;
}

/** Below this a share of strangers cannot be told from none: one pair in a workspace of 45,000 people. */
const rarest = 1e-9;
/** Near agreements seen by chance before their frequency by value is believed. */
const sightingsMin = 20;

export function learnStrangers(table: Table, groupOf: Int32Array, samples: Samples): Strangers {
  const { columns } = table;
  const width = columns.length;
  const frequency = columns.map((column) => termFrequencies(column, groupOf));
  const { u, scale } = marginals(table, groupOf, samples.random.pairs, frequency);
  const telling = columns.map((_, column) => column).sort((x, y) => cellOf(u, x, exact) - cellOf(u, y, exact) || x - y);
  const ties = columns.map((_, column) =>
    columns.map((_, earlier) => (earlier === column ? null : dependenceOf(column, earlier, samples, u))),
  );

  /** Chance of the level when the other fields say nothing about it. */
  function alone(pairs: Pairs, at: number, column: number, level: number): number {
    const [a = 0, b = 0] = [pairs.a[at], pairs.b[at]];
    const base = cellOf(u, column, level);
    if (level === different) return base;
    if (level === exact) return cellOf(frequency, column, columns[column]?.of[a] ?? -1);
    if (level === swapped) return crosswise(column, a, b);
    return base * (cellOf(scale, column, level) * rarer(table, frequency, column, a, b) || 1);
  }

  function crosswise(column: number, a: number, b: number): number {
    const partner = columns[column]?.partner ?? -1;
    const [here, there] = [columns[column]?.of, columns[partner]?.of];
    const agreed = (within: number, x: number, y: number): number => {
      if (x < 0 || y < 0) return 1;
      return x === y ? cellOf(frequency, within, x) || rarest : cellOf(u, within, exact) + cellOf(u, within, close);
    };
    return agreed(column, here?.[a] ?? -1, there?.[b] ?? -1) * agreed(partner, here?.[b] ?? -1, there?.[a] ?? -1);
  }

  function logChances(pairs: Pairs): Float64Array {
    const logs = new Float64Array(pairs.a.length * width);
    const levelOf = new Uint8Array(width);
    for (let at = 0; at < pairs.a.length; at++) {
      for (let column = 0; column < width; column++) levelOf[column] = pairs.levels[at * width + column] ?? silent;
      // What strangers who agree exactly share besides has been seen often, after a near agreement seldom: exact ones come first.
      const order = [...telling.filter((c) => levelOf[c] === exact), ...telling.filter((c) => levelOf[c] !== exact)];
      for (const [place, column] of order.entries()) {
        const level = levelOf[column] ?? silent;
        if (level === silent) continue;
        const byChance = alone(pairs, at, column, level);
        // One earlier field explains a later one, the one that does so best: a tree of dependences (Chow & Liu 1968), chosen
        // per pair. Never less than alone: that a field differs where strangers share it is no evidence for one person.
        let chance = byChance;
        for (let before = 0; before < place; before++) {
          const earlier = order[before] ?? 0;
          const tie = ties[column]?.[earlier]?.(levelOf[earlier] ?? silent);
          if (tie !== undefined) chance = Math.max(chance, (tie.shares[level] ?? 0) + (1 - tie.total) * byChance);
        }
        logs[at * width + column] = Math.log(Math.min(1, Math.max(rarest, chance)));
      }
    }
    return logs;
  }
  return { u, logChances };
}

/**
 * u per column and level from random pairs of different groups. `scale` turns the frequency of the rarer value of a near
 * pair into a factor on u: a typo has one right and one wrong spelling, so among matches the pair (x, y) is seen in proportion
 * to the commoner, among strangers to the product; the factor keeps the average of 1/chance over strangers as it was.
 */
function marginals(
  table: Table,
  groupOf: Int32Array,
  random: Pairs,
  frequency: readonly Float64Array[],
): { u: Float64Array[]; scale: Float64Array[] } {
  const width = table.columns.length;
  const counts = table.columns.map(() => new Float64Array(levelCount));
  const inverse = table.columns.map(() => new Float64Array(levelCount));
  for (let at = 0; at < random.a.length; at++) {
    const [a = 0, b = 0] = [random.a[at], random.b[at]];
    if (groupOf[a] === groupOf[b]) continue;
    for (let column = 0; column < width; column++) {
      const level = random.levels[at * width + column] ?? silent;
      const [count, sum] = [counts[column], inverse[column]];
      if (level === silent || count === undefined || sum === undefined) continue;
      count[level] = (count[level] ?? 0) + 1;
      if (level !== exact && level < swapped)
        sum[level] = (sum[level] ?? 0) + 1 / rarer(table, frequency, column, a, b);
    }
  }
  const u = counts.map((row, column) => {
    // Half a pair more per level (Jeffreys' prior): a level not seen in the sample is rare, not impossible.
    const total = row.reduce((sum, count) => sum + count + 0.5, 0);
    const shares = row.map((count) => (count + 0.5) / total);
    shares[exact] = (frequency[column] ?? new Float64Array()).reduce((sum, share) => sum + share * share, rarest);
    return shares;
  });
  const scale = counts.map((row, column) =>
    row.map((count, level) => (count < sightingsMin ? 0 : cellOf(inverse, column, level) / count)),
  );
  return { u, scale };
}

function rarer(table: Table, frequency: readonly Float64Array[], column: number, a: number, b: number): number {
  const of = table.columns[column]?.of;
  return Math.max(rarest, Math.min(cellOf(frequency, column, of?.[a] ?? -1), cellOf(frequency, column, of?.[b] ?? -1)));
}

function cellOf(rows: readonly Float64Array[], row: number, at: number): number {
  return rows[row]?.[at] ?? 0;
}
