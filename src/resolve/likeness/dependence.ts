/**
 * Fields that strangers share together. Two people of one firm have its domain, its street and its switchboard in common;
 * counted as three coincidences they would look like one person. Each pair of fields gets the share of strangers in whom the
 * later field agrees only because the earlier one does ("copied"), learned from pairs that share the earlier field, each
 * weighted by the chance that it is no match. Pure.
 */
import { close, exact, levelCount, silent, similar, swapped } from "./compare.ts";
import type { Pairs } from "./sample.ts";

/** Sample pairs, each with the chance that it is two people. */
export interface WeightedPairs {
  readonly pairs: Pairs;
  readonly strangerWeights: Float64Array;
}

export interface Samples {
  readonly random: WeightedPairs;
  /** Per column, pairs that share its value. */
  readonly sharing: readonly WeightedPairs[];
}

export interface Copied {
  /** Per level, the chance that the field agrees so only because the earlier one does. */
  readonly shares: Float64Array;
  readonly total: number;
}

/**
 * A surplus is half believed at so many strangers, and at this share of all pairs that share the earlier field: where nearly
 * all of them are matches, the few that look like strangers are mostly matches not recognised.
 */
const shrinkagePairs = 50;
const shrinkageShare = 0.1;

const nothing: Copied = { shares: new Float64Array(levelCount), total: 0 };

/** What `column` copies from `earlier`, by the level of the latter: well agreed, or similar. */
export type Dependence = (earlierLevel: number) => Copied;

export function dependenceOf(
  column: number,
  earlier: number,
  samples: Samples,
  u: readonly Float64Array[],
): Dependence {
  const equal = samples.sharing[earlier];
  const whenEqual = equal === undefined ? nothing : surplus(equal, column, earlier, exact, u);
  const whenClose = surplus(samples.random, column, earlier, close, u);
  const whenSimilar = surplus(samples.random, column, earlier, similar, u);
  return (level) => {
    if (level === exact) return whenEqual;
    return level <= close ? whenClose : level === similar ? whenSimilar : nothing;
  };
}

function surplus(
  { pairs, strangerWeights }: WeightedPairs,
  column: number,
  earlier: number,
  earlierLevel: number,
  u: readonly Float64Array[],
): Copied {
  const width = u.length;
  const counts = new Float64Array(levelCount);
  let seen = 0;
  let total = 0;
  for (let at = 0; at < pairs.a.length; at++) {
    const level = pairs.levels[at * width + column] ?? silent;
    if (level === silent || pairs.levels[at * width + earlier] !== earlierLevel) continue;
    const weight = strangerWeights[at] ?? 0;
    counts[level] = (counts[level] ?? 0) + weight;
    total += weight;
    seen++;
  }
  const shares = counts.map((count, level) => {
    if (level >= swapped) return 0;
    const expected = (u[column]?.[level] ?? 0) * total;
    // Two standard deviations of a Poisson count, one more in it: a surplus below that is chance.
    return (
      Math.max(0, count - expected - 2 * Math.sqrt(expected + 1)) / (total + shrinkagePairs + shrinkageShare * seen)
    );
  });
  return { shares, total: shares.reduce((sum, share) => sum + share, 0) };
}
