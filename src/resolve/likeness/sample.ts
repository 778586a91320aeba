/**
 * Pairs of records drawn to learn what strangers have in common: from all pairs, and from the pairs that share a value of one
 * field. A fixed sequence draws them, so the same records always give the same model. Pure.
 */
import type { Column, Table } from "./table.ts";

/** Pairs, and their levels of agreement field by field. */
export interface Pairs {
  readonly a: Int32Array;
  readonly b: Int32Array;
  /** `a.length` rows of one level per column. */
  readonly levels: Uint8Array;
}

/** Pairs for u: enough to see what one stranger in ten thousand shares, few enough to take less time than the candidates. */
const randomPairsMax = 150_000;
/** Pairs per field for what strangers who share it share besides. */
const sharingPairsMax = 4_000;

export function comparePairs(table: Table, pairs: Iterable<readonly [number, number]>): Pairs {
  const list = [...pairs];
  const width = table.columns.length;
  const a = new Int32Array(list.length);
  const b = new Int32Array(list.length);
  const levels = new Uint8Array(list.length * width);
  for (const [at, [left, right]] of list.entries()) {
    a[at] = left;
    b[at] = right;
    table.levelsOf(left, right, levels, at * width);
  }
  return { a, b, levels };
}

/** All pairs of a small table, a uniform sample of a large one. */
export function randomPairs(table: Table): Pairs {
  const { size } = table;
  const all = (size * (size - 1)) / 2;
  return comparePairs(table, all <= randomPairsMax ? everyPair(size) : drawn(size));
}

function* everyPair(size: number): Generator<readonly [number, number]> {
  for (let a = 0; a < size; a++) for (let b = a + 1; b < size; b++) yield [a, b];
}

function* drawn(size: number): Generator<readonly [number, number]> {
  const next = sequence(1);
  for (let i = 0; i < randomPairsMax; i++) {
    const a = Math.floor(next() * size);
    const b = Math.floor(next() * (size - 1));
    yield b >= a ? [a, b + 1] : [b, a];
  }
}

/** Pairs that have the same value of the column, each such pair with the same chance. */
export function sharingPairs(table: Table, column: Column): Pairs {
  const blocks = new Map<number, number[]>();
  for (const [record, value] of column.of.entries()) {
    if (value < 0) continue;
    const block = blocks.get(value);
    if (block === undefined) blocks.set(value, [record]);
    else block.push(record);
  }
  const shared = [...blocks.values()].filter((block) => block.length > 1);
  const ends: number[] = [];
  let total = 0;
  for (const block of shared) {
    total += (block.length * (block.length - 1)) / 2;
    ends.push(total);
  }
  const next = sequence(2);
  const count = Math.min(sharingPairsMax, total);
  const found: (readonly [number, number])[] = [];
  for (let i = 0, at = 0; i < count; i++) {
    // Systematic sampling: evenly spaced positions in the list of all such pairs, so that a large block cannot crowd out the rest.
    const position = ((i + next()) * total) / count;
    while (at < shared.length - 1 && (ends[at] ?? 0) <= position) at++;
    const block = shared[at] ?? [];
    const x = Math.floor(next() * block.length);
    const y = Math.floor(next() * (block.length - 1));
    const [left = 0, right = 0] = [block[x], block[y >= x ? y + 1 : y]];
    found.push(left < right ? [left, right] : [right, left]);
  }
  return comparePairs(table, found);
}

/** Mulberry32: a short, well-spread sequence of numbers in [0, 1); chance is not needed here, only an even spread. */
export function sequence(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
