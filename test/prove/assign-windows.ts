/** What is promised of a team's turns (`src/decide/rota.ts`), checked on every window of the events that happened. */

/** One turn: who could have it, with the weights of that moment, and who had it. */
export interface GivenTurn {
  readonly weights: ReadonlyMap<string, number>;
  readonly holder: string;
}

export interface Windows {
  readonly errors: readonly string[];
  /** Largest difference between two equals who were both eligible throughout, over all windows. */
  readonly spread: number;
  /** Largest share of the bound that a count used up: of two people of different weights, and against one's share of a constant set. */
  readonly ofPairBound: number;
  readonly ofShareBound: number;
  /** Times at which somebody who was not eligible at the event before was eligible again beside an equal. */
  readonly returns: number;
}

const rounding = 1e-9;

export function checkWindows(turns: readonly GivenTurn[]): Windows {
  const errors: string[] = [];
  const people = [...new Set(turns.flatMap(({ weights }) => [...weights.keys()]))].sort();
  let [spread, ofPairBound, ofShareBound, returns] = [0, 0, 0, 0];
  for (const [at, one] of people.entries()) {
    for (const other of people.slice(at + 1)) {
      const both = (turn: GivenTurn) => turn.weights.has(one) && turn.weights.has(other);
      const sameWeights = (a: GivenTurn, b: GivenTurn) =>
        a.weights.get(one) === b.weights.get(one) && a.weights.get(other) === b.weights.get(other);
      for (const { from, run } of runsOf(turns, both, sameWeights)) {
        const a = run[0]?.weights.get(one) ?? 1;
        const b = run[0]?.weights.get(other) ?? 1;
        // Every window lies between two prefixes, so the widest one is the range of the prefixes' sums.
        const widest = rangeOf(run, ({ holder }) => (holder === one ? 1 / a : holder === other ? -1 / b : 0));
        const bound = a === b ? 1 / a : 1 / a + 1 / b;
        if (a === b) spread = Math.max(spread, Math.round(widest * a));
        else ofPairBound = Math.max(ofPairBound, widest / bound);
        if (a === b && from > 0) returns++;
        if (widest > bound + rounding)
          errors.push(`${one} (${a}) and ${other} (${b}) are ${widest} apart in the turns after ${from}`);
      }
    }
  }
  const sameSet = (a: GivenTurn, b: GivenTurn) =>
    a.weights.size === b.weights.size && [...a.weights].every(([person, weight]) => b.weights.get(person) === weight);
  for (const { from, run } of runsOf(turns, () => true, sameSet)) {
    const weights = run[0]?.weights ?? new Map<string, number>();
    const sum = [...weights.values()].reduce((all, weight) => all + weight, 0);
    for (const [person, weight] of weights) {
      const share = weight / sum;
      const widest = rangeOf(run, ({ holder }) => (holder === person ? 1 : 0) - share);
      const bound = weights.size === 1 ? 0 : 1 + share * (weights.size - 2);
      if (bound > 0) ofShareBound = Math.max(ofShareBound, widest / bound);
      if (widest > bound + rounding) errors.push(`${person} is ${widest} off their share in the turns after ${from}`);
    }
  }
  return { errors, spread, ofPairBound, ofShareBound, returns };
}

/** The longest stretches of consecutive turns that all count and do not differ. */
function runsOf(
  turns: readonly GivenTurn[],
  counts: (turn: GivenTurn) => boolean,
  goesOn: (before: GivenTurn, turn: GivenTurn) => boolean,
): { readonly from: number; readonly run: readonly GivenTurn[] }[] {
  const runs: { from: number; run: GivenTurn[] }[] = [];
  let current: GivenTurn[] | null = null;
  for (const [from, turn] of turns.entries()) {
    if (!counts(turn)) {
      current = null;
      continue;
    }
    const before = current?.at(-1);
    if (current !== null && before !== undefined && goesOn(before, turn)) current.push(turn);
    else {
      current = [turn];
      runs.push({ from, run: current });
    }
  }
  return runs;
}

function rangeOf(run: readonly GivenTurn[], step: (turn: GivenTurn) => number): number {
  let [sum, least, most] = [0, 0, 0];
  for (const turn of run) {
    sum += step(turn);
    least = Math.min(least, sum);
    most = Math.max(most, sum);
  }
  return most - least;
}
