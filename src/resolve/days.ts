/** Counts by day as rows of numbers. Pure. */

/** Epoch days in ascending order, and beside each the signals on it. */
export interface Days {
  readonly days: readonly number[];
  readonly counts: readonly number[];
}

type Counts = Readonly<Record<string, number>>;

/**
 * As in `decide/time/hours.ts`: results of a pure function under its argument. A signal changes one kind of its lead; the counts of the
 * others are the same objects as before, and need not be read again.
 */
const known = new WeakMap<Counts, Days>();

export function daysOf(item: { readonly days: Counts }): Days {
  let found = known.get(item.days);
  if (found === undefined) {
    // Numbers as keys come in ascending order.
    const names = Object.keys(item.days);
    found = { days: names.map(Number), counts: Object.values(item.days) };
    known.set(item.days, found);
  }
  return found;
}

/** `after` is `before` and one more signal on this day: what is known of one is soon known of the other. */
export function oneMore(before: Counts, after: Counts, day: number): void {
  const rows = known.get(before);
  if (rows === undefined) return;
  const last = rows.days.length - 1;
  const newest = rows.days[last];
  // Late signals are rare, and read anew.
  if (newest === undefined || newest > day) return;
  const counts = rows.counts.slice();
  if (newest === day) counts[last] = (counts[last] ?? 0) + 1;
  else counts.push(1);
  known.set(after, { days: newest === day ? rows.days : [...rows.days, day], counts });
}
