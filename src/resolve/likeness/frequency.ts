/**
 * How common a value is among different people. Agreement on "smith" is worth less than on "smythe" (Newcombe 1959, Winkler
 * 2000): two strangers share a value as often as it is common. Records that are duplicates would count one person twice and
 * make rare values look common, so a value is counted once per group of records already believed to be one person. Pure.
 */
import type { Column } from "./table.ts";

/** Chance that a stranger carries each value of the column, by value number. */
export function termFrequencies(column: Column, groupOf: Int32Array): Float64Array {
  const counts = new Float64Array(column.values.length);
  const seen = new Set<number>();
  let total = 0;
  for (let record = 0; record < column.of.length; record++) {
    const value = column.of[record] ?? -1;
    const carrier = (groupOf[record] ?? record) * column.values.length + value;
    if (value < 0 || seen.has(carrier)) continue;
    seen.add(carrier);
    counts[value] = (counts[value] ?? 0) + 1;
    total++;
  }
  const discount = absoluteDiscount(counts);
  return counts.map((count) => (count === 0 ? 0 : (count - discount) / Math.max(1, total)));
}

/**
 * A sample overstates what it has seen: half of the surnames seen once in 5,000 people would not come again in the next
 * 5,000. Absolute discounting (Ney, Essen & Kneser 1994) takes d = n1 / (n1 + 2 n2) off every count, n1 and n2 being the
 * number of values seen once and twice. For a customer number d is nearly 1: a stranger practically never has the same.
 */
function absoluteDiscount(counts: Float64Array): number {
  let once = 0;
  let twice = 0;
  for (const count of counts) {
    if (count === 1) once++;
    else if (count === 2) twice++;
  }
  return once / (once + 2 * twice + 1);
}
