/**
 * The Fellegi–Sunter model of one workspace (1969): how often each level of agreement is seen in each field among pairs that
 * are one person (m) and pairs that are not (u), and how many matching pairs there are. u comes from strangers
 * (`strangers.ts`); m and the number of matches from expectation–maximisation over the candidate pairs, with no labels.
 *
 * The prior is over *all* pairs of the workspace, not over the candidates: blocking takes pairs because they agree, so the
 * share of matches among candidates says nothing about u, and a model that mixes the two is confident and wrong. Pairs
 * outside the candidates count as strangers. Pure.
 */
import { different, type FieldKind, isName, levelCount, silent } from "./compare.ts";
import type { Pairs } from "./sample.ts";

export interface Matches {
  /** Per column and level, the share among pairs that are one person. */
  readonly m: readonly Float64Array[];
  /** Per column, the bound of the share of `different`; see `renamedMax`. */
  readonly differentMax: readonly number[];
  /** Expected number of matching pairs in the workspace. */
  readonly expected: number;
  readonly iterations: number;
}

/**
 * What people usually do to their own data before any is seen, in order of `levels`, worth `priorPairs` pairs: mostly keep
 * it, sometimes mistype it. Keeps a workspace with three duplicates from learning that nobody ever mistypes.
 */
const usual = [0.8, 0.02, 0.08, 0.04, 0.01, 0.05];
const priorPairs = 20;
/**
 * Of matches, the share whose given name differs altogether, at most; the same for the family name. What EM finds must be
 * people: any other group of pairs that agree for a common reason, firms with like names for one, differs in names.
 */
const renamedMax = 0.2;
const iterationsMax = 60;

/** Before any pair is seen: one record in ten has a duplicate. EM forgets this at once where there is evidence. */
export function usualMatches(kinds: readonly FieldKind[], size: number): Matches {
  const m = kinds.map(() => Float64Array.from(usual));
  return { m, differentMax: kinds.map((kind) => (isName(kind) ? renamedMax : 1)), expected: size / 10, iterations: 0 };
}

/**
 * Natural logarithm of the odds of a match, pair by pair; `logChances` as `Strangers.logChances` gives them, row by row.
 */
export function logOdds(matches: Matches, allPairs: number, pairs: Pairs, logChances: Float64Array): Float64Array {
  const width = matches.m.length;
  const logs = matches.m.map((shares) => shares.map(Math.log));
  const prior = priorLogOdds(matches, allPairs);
  return Float64Array.from(pairs.a, (_, at) => {
    let odds = prior;
    for (let cell = at * width, column = 0; column < width; cell++, column++) {
      const level = pairs.levels[cell] ?? silent;
      if (level !== silent) odds += (logs[column]?.[level] ?? 0) - (logChances[cell] ?? 0);
    }
    return odds;
  });
}

export function priorLogOdds(matches: Matches, allPairs: number): number {
  return Math.log(matches.expected / Math.max(1, allPairs - matches.expected));
}

export function probabilityOf(odds: number): number {
  return 1 / (1 + Math.exp(-odds));
}

/** EM from a start, until the expected number of matches moves by less than one in ten thousand. */
export function learnMatches(start: Matches, allPairs: number, candidates: Pairs, logChances: Float64Array): Matches {
  let matches = start;
  for (let iterations = 1; iterations <= iterationsMax; iterations++) {
    const next = step(matches, allPairs, candidates, logChances);
    const settled = Math.abs(next.expected - matches.expected) < 1e-4 * matches.expected;
    matches = { ...next, iterations };
    if (settled) break;
  }
  return matches;
}

function step(matches: Matches, allPairs: number, candidates: Pairs, logChances: Float64Array): Matches {
  const width = matches.m.length;
  const counts = matches.m.map(() => Float64Array.from(usual, (share) => share * priorPairs));
  let expected = 0;
  for (const [at, odds] of logOdds(matches, allPairs, candidates, logChances).entries()) {
    const probability = probabilityOf(odds);
    expected += probability;
    if (probability < 1e-6) continue;
    for (let column = 0; column < width; column++) {
      const level = candidates.levels[at * width + column] ?? silent;
      const row = counts[column];
      if (level < levelCount && row !== undefined) row[level] = (row[level] ?? 0) + probability;
    }
  }
  const m = counts.map((row, column) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const differing = (row[different] ?? 0) / total;
    const bounded = Math.min(differing, matches.differentMax[column] ?? 1);
    return row.map((count, level) =>
      level === different ? bounded : ((count / total) * (1 - bounded)) / (1 - differing),
    );
  });
  // Half a pair is the least that can be expected: with none, no later evidence could ever be enough.
  return { ...matches, m, expected: Math.max(0.5, expected) };
}
