/**
 * String similarities as their authors define them, on UTF-16 code units. Callers hand in normalised text. Pure.
 */

/** Jaro similarity in 0..1 (Jaro 1989, "Advances in record-linkage methodology"). */
export function jaro(a: string, b: string): number {
  if (a === b) return 1;
  if (a.length === 0 || b.length === 0) return 0;
  const window = Math.max(0, Math.floor(Math.max(a.length, b.length) / 2) - 1);
  const takenInB = new Uint8Array(b.length);
  const matchedOfA: number[] = [];
  for (let i = 0; i < a.length; i++) {
    const end = Math.min(b.length, i + window + 1);
    for (let j = Math.max(0, i - window); j < end; j++) {
      if (takenInB[j] === 1 || a.charCodeAt(i) !== b.charCodeAt(j)) continue;
      takenInB[j] = 1;
      matchedOfA.push(a.charCodeAt(i));
      break;
    }
  }
  const matches = matchedOfA.length;
  if (matches === 0) return 0;
  let outOfOrder = 0;
  for (let j = 0, k = 0; j < b.length; j++) {
    if (takenInB[j] === 1 && b.charCodeAt(j) !== matchedOfA[k++]) outOfOrder++;
  }
  return (matches / a.length + matches / b.length + (matches - outOfOrder / 2) / matches) / 3;
}

/** Jaro–Winkler similarity (Winkler 1990): a common prefix of up to four characters adds a tenth of what is missing each. */
export function jaroWinkler(a: string, b: string): number {
  const base = jaro(a, b);
  let prefix = 0;
  while (prefix < 4 && prefix < a.length && prefix < b.length && a[prefix] === b[prefix]) prefix++;
  return base + prefix * 0.1 * (1 - base);
}

/**
 * Optimal string alignment, the restricted Damerau–Levenshtein distance: insertions, deletions, substitutions and swaps of
 * neighbours, no substring edited twice. Gives up at `limit + 1`, because nobody asks how different two names are beyond it.
 */
export function editDistance(a: string, b: string, limit = Number.POSITIVE_INFINITY): number {
  if (a === b) return 0;
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  const width = b.length + 1;
  let before = new Uint16Array(width);
  let above = Uint16Array.from({ length: width }, (_, j) => j);
  let row = new Uint16Array(width);
  for (let i = 1; i <= a.length; i++) {
    row[0] = i;
    let least = i;
    for (let j = 1; j < width; j++) {
      const same = a.charCodeAt(i - 1) === b.charCodeAt(j - 1);
      let cost = Math.min((above[j - 1] ?? 0) + (same ? 0 : 1), (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      const swapped =
        i > 1 && j > 1 && a.charCodeAt(i - 1) === b.charCodeAt(j - 2) && a.charCodeAt(i - 2) === b.charCodeAt(j - 1);
      if (swapped) cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row[j] = cost;
      if (cost < least) least = cost;
    }
    // A swap reaches two rows back, but the row above is at most one cheaper than this one and a swap costs one.
    if (least > limit) return limit + 1;
    [before, above, row] = [above, row, before];
  }
  const distance = above[b.length] ?? 0;
  return distance > limit ? limit + 1 : distance;
}

/** True when one edit or none makes one text the other; as `editDistance(a, b, 1) <= 1`, without a table. */
export function withinOneEdit(a: string, b: string): boolean {
  if (a === b) return true;
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  if (long.length - short.length > 1) return false;
  let at = 0;
  while (at < short.length && short.charCodeAt(at) === long.charCodeAt(at)) at++;
  if (long.length > short.length) return long.slice(at + 1) === short.slice(at);
  if (long.slice(at + 1) === short.slice(at + 1)) return true;
  return long[at] === short[at + 1] && long[at + 1] === short[at] && long.slice(at + 2) === short.slice(at + 2);
}

/**
 * The characters of a text as bits, digits and letters apart. One edit changes at most two bits, so texts whose masks differ
 * in more than twice the limit need no table: nearly all pairs of strangers end here.
 */
export function characterMask(text: string): number {
  let mask = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    mask |= 1 << (code >= 97 && code <= 122 ? code - 97 : 26 + (code % 6));
  }
  return mask;
}

/** Number of bits set (Hacker's Delight, 5-1). */
export function bitCount(mask: number): number {
  let bits = mask - ((mask >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Share of words that both texts have (Jaccard); a word of four letters or more may carry one typo. */
export function wordOverlap(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return 0;
  const left = [...b];
  let shared = 0;
  for (const word of a) {
    const at = left.findIndex((other) => word === other || (word.length > 3 && withinOneEdit(word, other)));
    if (at < 0) continue;
    left.splice(at, 1);
    shared++;
  }
  return shared / (a.length + b.length - shared);
}
