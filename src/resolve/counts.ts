/**
 * How many signals fell on which days, or within which ten minutes: two rows of numbers, for every decision walks all of them. What is
 * not changed is not copied. Pure.
 */

export interface Counts {
  /** Numbers of days or of stretches since 1970, ascending, each once. */
  readonly at: readonly number[];
  /** Beside each: how many signals; at least one. */
  readonly times: readonly number[];
}

export function once(at: number): Counts {
  return { at: [at], times: [1] };
}

const none: Counts = { at: [], times: [] };

/** One signal more, most often at the end. */
export function oneMore(counts: Counts, at: number): Counts {
  const last = counts.at.length - 1;
  const newest = counts.at[last] ?? Number.NEGATIVE_INFINITY;
  if (newest > at) return joined(counts, once(at));
  if (newest < at) return { at: [...counts.at, at], times: [...counts.times, 1] };
  return { at: counts.at, times: counts.times.with(last, (counts.times[last] ?? 0) + 1) };
}

export function joined(a: Counts, b: Counts): Counts {
  const at: number[] = [];
  const times: number[] = [];
  let [left, right] = [0, 0];
  while (left < a.at.length || right < b.at.length) {
    const one = a.at[left] ?? Number.POSITIVE_INFINITY;
    const other = b.at[right] ?? Number.POSITIVE_INFINITY;
    at.push(Math.min(one, other));
    times.push((one <= other ? (a.times[left++] ?? 0) : 0) + (other <= one ? (b.times[right++] ?? 0) : 0));
  }
  return { at, times };
}

/** Those that are younger than `oldest`. */
export function youngerThan(counts: Counts, oldest: number): Counts {
  const first = counts.at.findIndex((at) => at > oldest);
  if (first === 0) return counts;
  return first === -1 ? none : { at: counts.at.slice(first), times: counts.times.slice(first) };
}
