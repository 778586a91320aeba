/** How well pairs with probabilities fit the truth. */
import { type Likeness, likelyDuplicates, mayMerge } from "../../src/resolve/likeness/duplicates.ts";
import type { Dataset } from "./datasets.ts";

/** The one threshold of every data set: likelier than not. */
export const threshold = 0.5;
/** Policy's default bar for merging without a person. */
export const automaticBar = 0.999;

export interface Score {
  readonly name: string;
  readonly records: number;
  readonly truePairs: number;
  /** The model's own estimate of `truePairs`. */
  readonly expectedPairs: number;
  readonly f1: number;
  readonly precision: number;
  readonly recall: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly automatic: number;
  readonly automaticFalse: number;
  readonly automaticPrecision: number;
  /** F1 at the threshold that the labels would choose: what calibration could still win. */
  readonly bestF1: number;
  /** Mean of |stated probability - share that is true| over the pairs, in ten bins: 0 is perfectly calibrated. */
  readonly calibrationError: number;
  readonly seconds: number;
}

export function scoreOf(dataset: Dataset): Score {
  const started = performance.now();
  const found = likelyDuplicates(dataset.records, dataset.fields, { probabilityMin: 0.01 });
  return score(dataset, found, (performance.now() - started) / 1000);
}

function score(dataset: Dataset, { pairs, model }: Likeness, seconds: number): Score {
  const entityOf = new Map(dataset.records.map((record, at) => [record.id, dataset.entities[at]]));
  const judged = pairs.map((pair) => ({ pair, same: entityOf.get(pair.a) === entityOf.get(pair.b) }));
  const sizes = new Map<string, number>();
  for (const entity of dataset.entities) sizes.set(entity, (sizes.get(entity) ?? 0) + 1);
  const truePairs = [...sizes.values()].reduce((sum, size) => sum + (size * (size - 1)) / 2, 0);

  const above = judged.filter(({ pair }) => pair.probability >= threshold);
  const hits = above.filter(({ same }) => same).length;
  const automatic = judged.filter(({ pair }) => mayMerge(pair, automaticBar));
  const automaticFalse = automatic.filter(({ same }) => !same).length;
  let bestF1 = 0;
  let hitsSoFar = 0;
  for (const [at, { same }] of judged.entries()) {
    if (same) hitsSoFar++;
    bestF1 = Math.max(bestF1, share(2 * hitsSoFar, at + 1 + truePairs));
  }
  return {
    name: dataset.name,
    records: dataset.records.length,
    truePairs,
    expectedPairs: model.matches,
    f1: share(2 * hits, above.length + truePairs),
    precision: share(hits, above.length),
    recall: share(hits, truePairs),
    falsePositives: above.length - hits,
    falseNegatives: truePairs - hits,
    automatic: automatic.length,
    automaticFalse,
    automaticPrecision: share(automatic.length - automaticFalse, automatic.length),
    bestF1,
    calibrationError: calibrationError(judged.map(({ pair, same }) => ({ stated: pair.probability, same }))),
    seconds,
  };
}

/** Expected calibration error (Naeini et al. 2015). */
function calibrationError(judged: readonly { readonly stated: number; readonly same: boolean }[]): number {
  const bins = Array.from({ length: 10 }, () => ({ stated: 0, same: 0 }));
  for (const { stated, same } of judged) {
    const bin = bins[Math.min(9, Math.floor(stated * 10))];
    if (bin === undefined) continue;
    bin.stated += stated;
    bin.same += Number(same);
  }
  return share(
    bins.reduce((sum, bin) => sum + Math.abs(bin.stated - bin.same), 0),
    judged.length,
    0,
  );
}

/** Nothing asked and nothing answered is no mistake. */
function share(part: number, whole: number, empty = 1): number {
  return whole === 0 ? empty : part / whole;
}
