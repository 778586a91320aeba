/**
 * Likely duplicates: pairs of records of one workspace that share no hard identifier and are one person all the same. Each
 * pair carries a calibrated probability (of 100 pairs at 0.9, about 90 are right) and the weights it is made of; what
 * happens to it is for policy to say, and for a person below its bar. Pure and deterministic.
 */
import { candidatePairs } from "./block.ts";
import { different, isName, type Level, levels, silent } from "./compare.ts";
import type { Samples } from "./dependence.ts";
import { consistentGroups, type Edge, likelyPairs } from "./groups.ts";
import { learnMatches, logOdds, type Matches, priorLogOdds, probabilityOf, usualMatches } from "./model.ts";
import { comparePairs, type Pairs, randomPairs, sharingPairs } from "./sample.ts";
import { learnStrangers, type Strangers } from "./strangers.ts";
import { type Field, type LikenessRecord, type Table, tableOf } from "./table.ts";

export interface Options {
  /** Pairs below it are not returned. */
  readonly probabilityMin: number;
  /** Candidate pairs per record and records per block; see `block.ts`. They bound time and memory, not what a match is. */
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
const rounds = 4;
/** Odds of 9 : 1 before a group is believed while the model is still being learned. */
const learningOdds = Math.log(9);

export function likelyDuplicates(
  unordered: readonly LikenessRecord[],
  fields: readonly Field[],
  options: Partial<Options> = {},
): Likeness {
  const { probabilityMin, pairsPerRecord, blockSize } = { ...defaults, ...options };
  // By id: the order in which records arrive must not decide what the samples hold.
  const records = unordered.toSorted((x, y) => byText(x.id, y.id));
  const table = tableOf(records, fields);
  const candidates = comparePairs(table, pairsOfKeys(candidatePairs(table, { pairsPerRecord, blockSize }), table.size));
  const judge = learn(table, candidates);
  const edges = edgesOf(candidates, judge.odds(candidates));
  const oddsOf = (a: number, b: number): number => judge.odds(comparePairs(table, [[a, b]]))[0] ?? 0;
  const grouping = consistentGroups(table.size, edges, 0, oddsOf);
  const prior = priorLogOdds(judge.matches, allPairsOf(table)) / Math.LN2;
  const idOf = (at: number): string => records[at]?.id ?? "";
  const pairs = likelyPairs(edges, grouping, table.size, oddsOf)
    .filter((pair) => pair.probability >= probabilityMin)
    .map(({ a, b, probability, own, through }) => ({
      a: idOf(a),
      b: idOf(b),
      probability,
      own,
      through: through === null ? null : idOf(through),
      prior,
      weights: judge.weights(comparePairs(table, [[a, b]])),
    }))
    .sort((x, y) => y.probability - x.probability || y.own - x.own || byText(x.a, y.a) || byText(x.b, y.b));
  return { pairs, model: modelOf(table, candidates.a.length, judge) };
}

/** True when policy's bar lets the pair be merged without a person: sure by its own fields, and not against its group. */
export function mayMerge(pair: LikelyPair, bar: number): boolean {
  return pair.own >= bar && pair.probability >= bar;
}

interface Judge {
  readonly strangers: Strangers;
  readonly matches: Matches;
  /** Natural logarithm of the odds of a match, pair by pair. */
  readonly odds: (pairs: Pairs) => Float64Array;
  /** Of the first pair. */
  readonly weights: (pairs: Pairs) => FieldWeight[];
}

function learn(table: Table, candidates: Pairs): Judge {
  const random = randomPairs(table);
  const sharing = table.columns.map((column) => sharingPairs(table, column));
  const seeded = (pairs: Pairs) => ({ pairs, strangerWeights: surelyStrangers(table, pairs) });
  let samples: Samples = { random: seeded(random), sharing: sharing.map(seeded) };
  // Every round starts afresh: a group of pairs once taken for matches by mistake must not find itself again.
  const start = usualMatches(
    table.columns.map(({ field }) => field.kind),
    table.size,
  );
  let groupOf: Int32Array = Int32Array.from({ length: table.size }, (_, record) => record);
  for (let round = 1; ; round++) {
    const strangers = learnStrangers(table, groupOf, samples);
    const logChances = strangers.logChances(candidates);
    const matches = learnMatches(start, allPairsOf(table), candidates, logChances);
    const judge = judgeWith(table, matches, strangers);
    if (round === rounds) return judge;
    const weighted = (pairs: Pairs) => ({
      pairs,
      strangerWeights: judge.odds(pairs).map((odds) => 1 - probabilityOf(odds)),
    });
    samples = { random: weighted(random), sharing: sharing.map(weighted) };
    const edges = edgesOf(candidates, logOdds(matches, allPairsOf(table), candidates, logChances));
    const oddsOf = (a: number, b: number): number => judge.odds(comparePairs(table, [[a, b]]))[0] ?? 0;
    groupOf = consistentGroups(table.size, edges, learningOdds, oddsOf).groupOf;
  }
}

/**
 * Where learning starts: pairs with a different given or family name are two people. Without a start EM explains the
 * commonest agreement it sees, and in a workspace of firms that is colleagues: company, domain and street agree, names do
 * not, and "match" would come to mean "same firm". Some matches have a different name, too: among pairs that share a
 * customer number nearly all are matches, among those that share a domain hardly any. With at most `eitherRenamed` of matches and
 * practically all strangers differing in name, the share of strangers among the pairs follows from the share that differs.
 * Of records without names nothing is assumed.
 */
function surelyStrangers(table: Table, pairs: Pairs): Float64Array {
  const width = table.columns.length;
  const names = [...table.columns.entries()].filter(([, { field }]) => isName(field.kind)).map(([column]) => column);
  const differ = Float64Array.from(pairs.a, (_, at) =>
    names.some((column) => pairs.levels[at * width + column] === different) ? 1 : 0,
  );
  const share = differ.reduce((sum, one) => sum + one, 0) / Math.max(1, differ.length);
  const strangers = Math.max(0, (share - eitherRenamed) / (1 - eitherRenamed));
  return differ.map((one) => (share === 0 ? 0 : (one * strangers) / share));
}

/** Of matches, the share that may differ in one name or the other; `renamedMax` bounds each, and both at once are rare. */
const eitherRenamed = 0.3;

function judgeWith(table: Table, matches: Matches, strangers: Strangers): Judge {
  return {
    strangers,
    matches,
    odds: (pairs) => logOdds(matches, allPairsOf(table), pairs, strangers.logChances(pairs)),
    weights(pairs) {
      const logChances = strangers.logChances(pairs);
      return table.columns.flatMap(({ field }, column) => {
        const position = pairs.levels[column] ?? silent;
        const level = levels[position];
        if (level === undefined) return [];
        const weight = (Math.log(matches.m[column]?.[position] ?? 1) - (logChances[column] ?? 0)) / Math.LN2;
        return [{ field: field.name, level, weight }];
      });
    },
  };
}

function edgesOf(pairs: Pairs, odds: Float64Array): Edge[] {
  return Array.from(pairs.a, (a, at) => ({ a, b: pairs.b[at] ?? 0, odds: odds[at] ?? 0 }));
}

function* pairsOfKeys(keys: Float64Array, size: number): Generator<readonly [number, number]> {
  for (const key of keys) yield [Math.floor(key / size), key % size];
}

function allPairsOf({ size }: Table): number {
  return (size * (size - 1)) / 2;
}

function modelOf(table: Table, candidates: number, { matches, strangers }: Judge): LikenessModel {
  return {
    records: table.size,
    candidates,
    matches: matches.expected,
    fields: table.columns.map(({ field }, column) => ({
      field: field.name,
      levels: levels.map((level, at) => ({
        level,
        m: matches.m[column]?.[at] ?? 0,
        u: strangers.u[column]?.[at] ?? 0,
      })),
    })),
  };
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
