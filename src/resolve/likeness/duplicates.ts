/**
 * Likely duplicates: pairs of records of one workspace that share no hard identifier and are one person all the same. Each
 * pair carries a calibrated probability (of 100 pairs at 0.9, about 90 are right) and the weights it is made of; what
 * happens to it is for policy to say, and for a person below its bar. Pure and deterministic.
 */
import { candidatePairs } from "./block.ts";
import { type Level, levels, silent } from "./compare.ts";
import { consistentGroups } from "./groups.ts";
import { learnMatches, logOdds, type Matches, priorLogOdds, probabilityOf, usualMatches } from "./model.ts";
import { comparePairs, type Pairs, randomPairs, sharingPairs } from "./sample.ts";
import { type Belief, learnStrangers, type Strangers } from "./strangers.ts";
import { type Field, type LikenessRecord, type Table, tableOf } from "./table.ts";

export interface Options {
  /** Pairs below it are not returned. */
  readonly probabilityMin: number;
  readonly pairsPerRecord: number;
  readonly blockSize: number;
}

export const defaults: Options = { probabilityMin: 0.1, pairsPerRecord: 30, blockSize: 60 };

export interface FieldWeight {
  readonly field: string;
  readonly level: Level;
  /** Evidence in bits (logarithm to base 2): +1 doubles the odds of one person, -1 halves them. */
  readonly weight: number;
}

export interface LikelyPair {
  /** Ids of the records, the smaller first. */
  readonly a: string;
  readonly b: string;
  /** Chance that both are one person, taking the other records of the group into account. */
  readonly probability: number;
  /** The same by this pair's own fields alone. Automatic merges ask for both: nobody is merged only through a third record. */
  readonly own: number;
  /** Ids of a record that both match, where that is the better evidence. */
  readonly through: string | null;
  /** Bits before any field is looked at: how rare a match is among all pairs. */
  readonly prior: number;
  readonly weights: readonly FieldWeight[];
}

export interface LikenessModel {
  readonly records: number;
  readonly candidates: number;
  /** Expected number of matching pairs. */
  readonly matches: number;
  readonly fields: readonly {
    readonly field: string;
    /** Per level, its share among pairs that are one person and among strangers. */
    readonly levels: readonly { readonly level: Level; readonly m: number; readonly u: number }[];
  }[];
}

export interface Likeness {
  /** Most probable first; equal ones by id. */
  readonly pairs: readonly LikelyPair[];
  readonly model: LikenessModel;
}

/** Each round counts a person once where the last one counted records, so that values of duplicates do not look common. */
const rounds = 3;
/** Odds of 9 : 1 before a group is believed while the model is still being learned. */
const learningOdds = Math.log(9);

export function likelyDuplicates(
  unordered: readonly LikenessRecord[],
  fields: readonly Field[],
  options: Partial<Options> = {},
): Likeness {
  const { probabilityMin, pairsPerRecord, blockSize } = { ...defaults, ...options };
  // By id: the order in which records arrive must not decide what the samples hold.
  const records = unordered.toSorted((x, y) => (x.id < y.id ? -1 : x.id > y.id ? 1 : 0));
  const table = tableOf(records, fields);
  const allPairs = (table.size * (table.size - 1)) / 2;
  const keys = candidatePairs(table, { pairsPerRecord, blockSize });
  const candidates = comparePairs(table, pairsOfKeys(keys, table.size));
  const samples = { random: randomPairs(table), sharing: table.columns.map((column) => sharingPairs(table, column)) };

  let groupOf = Int32Array.from({ length: table.size }, (_, record) => record);
  let matches = usualMatches(fields.length, table.size);
  let belief: Belief | null = null;
  let judge = judgeWith(table, allPairs, matches, learnStrangers(table, groupOf, samples, belief));
  for (let round = 0; round < rounds; round++) {
    const strangers = learnStrangers(table, groupOf, samples, belief);
    matches = learnMatches(matches, allPairs, candidates, strangers);
    judge = judgeWith(table, allPairs, matches, strangers);
    const { odds } = judge;
    belief = (pairs, at) => probabilityOf(odds(pairs, at));
    if (round < rounds - 1)
      groupOf = consistentGroups(table.size, edgesOf(candidates, odds), learningOdds, judge.oddsOf).groupOf;
  }
  const edges = edgesOf(candidates, judge.odds);
  const grouping = consistentGroups(table.size, edges, 0, judge.oddsOf);
  return {
    pairs: [],
    model: modelOf(fields, table.size, candidates.a.length, matches, judge.strangers),
    // @ts-expect-error experiment
    raw: { edges, grouping, judge, table, records, candidates, matches },
  };
}

interface Judge {
  readonly strangers: Strangers;
  readonly odds: Belief;
  readonly oddsOf: (a: number, b: number) => number;
}

function judgeWith(table: Table, allPairs: number, matches: Matches, strangers: Strangers): Judge {
  const chances = new Float64Array(table.columns.length);
  const odds: Belief = (pairs, at) => {
    strangers.chances(pairs, at, chances);
    return logOdds(matches, allPairs, pairs, at, chances);
  };
  return { strangers, odds, oddsOf: (a, b) => odds(comparePairs(table, [[a, b]]), 0) };
}

function* pairsOfKeys(keys: Float64Array, size: number): Generator<readonly [number, number]> {
  for (const key of keys) yield [Math.floor(key / size), key % size];
}

function edgesOf(pairs: Pairs, odds: Belief): { a: number; b: number; odds: number }[] {
  return Array.from(pairs.a, (a, at) => ({ a, b: pairs.b[at] ?? 0, odds: odds(pairs, at) }));
}

function modelOf(
  fields: readonly Field[],
  records: number,
  candidates: number,
  matches: Matches,
  strangers: Strangers,
): LikenessModel {
  return {
    records,
    candidates,
    matches: matches.expected,
    fields: fields.map((field, column) => ({
      field: field.name,
      levels: levels.map((level, at) => ({
        level,
        m: matches.m[column]?.[at] ?? 0,
        u: strangers.u[column]?.[at] ?? 0,
      })),
    })),
  };
}
