/**
 * Which pairs are worth comparing. One pass takes all pairs that share one key, or two keys of different fields; hundreds
 * of narrow passes find a duplicate through whatever its typos left intact, and no pass needs to be chosen by hand: the
 * cheapest are taken until the budget of pairs is spent. Pure.
 */
import type { Column, Table } from "./table.ts";

export interface BlockLimits {
  /** Candidate pairs per record, over all passes: bounds time and memory. */
  readonly pairsPerRecord: number;
  /** Records of one block that are compared all with all; in a larger one each meets only its neighbours in sorted order. */
  readonly blockSize: number;
}

/** Candidate pairs as `a * size + b` with a < b, ascending. */
export function candidatePairs(table: Table, limits: BlockLimits): Float64Array {
  const keys = keysOf(table);
  const passes: { readonly blocks: Map<number, number[]>; readonly pairs: number }[] = [];
  const budget = limits.pairsPerRecord * table.size;
  const consider = (left: Key, right: Key | null): void => {
    if (Math.min(left.pairs, right?.pairs ?? left.pairs) === 0) return;
    const blocks = blocksOf(left, right, table.size);
    let pairs = 0;
    for (const block of blocks.values()) pairs += pairsIn(block.length, limits.blockSize);
    if (pairs > 0 && pairs <= budget) passes.push({ blocks, pairs });
  };
  for (const [at, left] of keys.entries()) {
    consider(left, null);
    for (const right of keys.slice(at + 1)) if (right.column !== left.column) consider(left, right);
  }
  passes.sort((one, other) => one.pairs - other.pairs);
  const order = sortedPositions(table);
  const found = new Set<number>();
  for (const pass of passes) {
    if (found.size + pass.pairs > budget) break;
    for (const block of pass.blocks.values()) addPairs(found, block, table.size, limits.blockSize, order);
  }
  return Float64Array.from(found).sort();
}

interface Key {
  readonly column: number;
  /** Key number per record, -1 where there is none. */
  readonly of: Int32Array;
  readonly count: number;
  readonly pairs: number;
}

function keysOf(table: Table): Key[] {
  return table.columns.flatMap((column, at) => {
    const texts: ((record: number) => string | null)[] = [
      (record) => textOf(column, record, (text) => text),
      (record) => textOf(column, record, (text) => (text.length > 4 ? text.slice(0, 4) : null)),
      (record) => textOf(column, record, (text) => (text.length > 4 ? text.slice(-4) : null)),
    ];
    const partner = table.columns[column.partner];
    if (partner !== undefined) texts.push((record) => eitherOrder(column, partner, record));
    return texts.map((text) => keyOf(at, table.size, text));
  });
}

function textOf(column: Column, record: number, cut: (text: string) => string | null): string | null {
  const value = column.values[column.of[record] ?? -1];
  if (value === undefined) return null;
  const [mailbox = ""] = value.text.split("@");
  return cut(column.field.kind === "email" ? mailbox : value.compact);
}

function eitherOrder(column: Column, partner: Column, record: number): string | null {
  const [x, y] = [column.of[record] ?? -1, partner.of[record] ?? -1];
  return x < 0 || y < 0 ? null : `${Math.min(x, y)} ${Math.max(x, y)}`;
}

function keyOf(column: number, size: number, text: (record: number) => string | null): Key {
  const numbers = new Map<string, number>();
  const counts: number[] = [];
  const of = new Int32Array(size).fill(-1);
  for (let record = 0; record < size; record++) {
    const key = text(record);
    if (key === null) continue;
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    counts[number] = (counts[number] ?? 0) + 1;
    of[record] = number;
  }
  return { column, of, count: numbers.size, pairs: counts.reduce((sum, count) => sum + (count * (count - 1)) / 2, 0) };
}

function blocksOf(left: Key, right: Key | null, size: number): Map<number, number[]> {
  const blocks = new Map<number, number[]>();
  for (let record = 0; record < size; record++) {
    const x = left.of[record] ?? -1;
    const y = right === null ? 0 : (right.of[record] ?? -1);
    if (x < 0 || y < 0) continue;
    const key = right === null ? x : x * right.count + y;
    const block = blocks.get(key);
    if (block === undefined) blocks.set(key, [record]);
    else block.push(record);
  }
  for (const [key, block] of blocks) if (block.length < 2) blocks.delete(key);
  return blocks;
}

const neighbours = 8;

function pairsIn(length: number, blockSize: number): number {
  return length <= blockSize ? (length * (length - 1)) / 2 : length * neighbours;
}

function addPairs(found: Set<number>, block: number[], size: number, blockSize: number, order: Int32Array): void {
  const reach = block.length <= blockSize ? block.length : neighbours + 1;
  const members = reach === block.length ? block : block.toSorted((a, b) => (order[a] ?? 0) - (order[b] ?? 0));
  for (let i = 0; i < members.length; i++) {
    for (let j = i + 1; j < Math.min(members.length, i + reach); j++) {
      const [a = 0, b = 0] = [members[i], members[j]];
      found.add(a < b ? a * size + b : b * size + a);
    }
  }
}

/** Position of each record when all are sorted by their whole text: in a block that is too large, likely pairs stand close. */
function sortedPositions(table: Table): Int32Array {
  const texts = Array.from({ length: table.size }, (_, record) =>
    table.columns.map((column) => column.values[column.of[record] ?? -1]?.text ?? "~").join(" "),
  );
  const order = new Int32Array(table.size);
  const sorted = texts.map((_, record) => record);
  sorted.sort((a, b) => byText(texts[a] ?? "", texts[b] ?? "") || a - b);
  for (const [position, record] of sorted.entries()) order[record] = position;
  return order;
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
