/**
 * What is different between two policies: each change as data and as a sentence. Lists of named things (routes, members) are
 * compared by name, so that a route that moved is a route that moved. Pure.
 */
import { canonicalJson } from "../../crypto.ts";
import { type Said, sentenceOf } from "./sentences.ts";

export interface Change {
  /** Names from the document's root; members of named lists stand under their names. */
  readonly path: readonly string[];
  /** Absent where there was nothing. */
  readonly before?: unknown;
  readonly after?: unknown;
  readonly text: string;
}

/** Both are documents that passed their shape; their `version` is not looked at. */
export function diffOf(before: object, after: object): readonly Change[] {
  const changes: Change[] = [];
  const note = (said: Said) => changes.push({ ...pick(said), text: sentenceOf(said) });
  const compare = (path: readonly string[], old: unknown, young: unknown): void => {
    if (old === undefined || young === undefined || isWhole(path) || !comparable(old, young)) {
      if (!same(old, young)) note({ path, before: old, after: young });
      return;
    }
    if (isPlain(old) && isPlain(young)) {
      for (const name of namesOf(old, young)) compare([...path, name], memberOf(old, name), memberOf(young, name));
      return;
    }
    const olds = keyed(old as readonly unknown[]);
    const youngs = keyed(young as readonly unknown[]);
    if (olds === null || youngs === null) {
      if (!same(old, young)) note({ path, before: old, after: young });
      return;
    }
    for (const [name, item] of olds) compare([...path, name], item, youngs.get(name));
    for (const [name, item] of youngs) if (!olds.has(name)) compare([...path, name], undefined, item);
    if (inOrder.has(path.join(".")))
      for (const move of movesOf([...olds.keys()], [...youngs.keys()])) note({ ...move, path: [...path, move.name] });
  };
  const strip = ({ version: _version, ...rest }: Named) => rest;
  compare([], strip(before as Named), strip(after as Named));
  return changes;
}

/** Three-way: what `mine` changed since `base`, put into `theirs`. The paths at which both changed something are refused. */
export function rebased(
  base: object,
  mine: object,
  theirs: object,
): { readonly document: Record<string, unknown> } | { readonly conflicts: readonly (readonly string[])[] } {
  const conflicts: (readonly string[])[] = [];
  const merge = (path: readonly string[], from: unknown, one: unknown, other: unknown): unknown => {
    if (same(from, one)) return other;
    if (same(from, other) || same(one, other)) return one;
    if (isPlain(from) && isPlain(one) && isPlain(other)) {
      const names = [...new Set([...namesOf(one, other), ...Object.keys(from)])];
      return Object.fromEntries(
        names.flatMap((name) => {
          const value = merge([...path, name], memberOf(from, name), memberOf(one, name), memberOf(other, name));
          return value === undefined ? [] : [[name, value]];
        }),
      );
    }
    conflicts.push(path);
    return other;
  };
  const strip = ({ version: _version, ...rest }: Named) => rest;
  const document = merge([], strip(base as Named), strip(mine as Named), strip(theirs as Named)) as Named;
  return conflicts.length > 0 ? { conflicts } : { document };
}

type Named = Record<string, unknown>;

function pick({ path, before, after }: Said): Pick<Change, "path" | "before" | "after"> {
  return { path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}

/** Lists in which an earlier item goes before a later one. */
const inOrder = new Set(["routes", "territories", "holds.consent.regions"]);

/** Conditions and the like are read as one thing. */
const wholes = new Set(["where", "when", "sustained", "call_window", "week"]);

function isWhole(path: readonly string[]): boolean {
  // A route's own `when` is a list of conditions that are read one by one.
  return wholes.has(path.at(-1) ?? "") && !(path.length === 3 && path[0] === "routes");
}

function comparable(a: unknown, b: unknown): boolean {
  return Array.isArray(a) ? Array.isArray(b) : isPlain(a) && isPlain(b);
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Its own only: a play may be named "toString". */
function memberOf(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Named)[name] : undefined;
}

function namesOf(a: object, b: object): readonly string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])];
}

function same(a: unknown, b: unknown): boolean {
  return a === b || canonicalJson(a) === canonicalJson(b);
}

/** By `name` or `address`; null where items have none, or two have the same. */
function keyed(items: readonly unknown[]): ReadonlyMap<string, unknown> | null {
  const found = new Map<string, unknown>();
  for (const item of items) {
    const name = isPlain(item) ? ((item as Named).name ?? (item as Named).address) : undefined;
    if (typeof name !== "string" || found.has(name)) return null;
    found.set(name, item);
  }
  return found;
}

interface Move {
  readonly name: string;
  /** Places, from 1. */
  readonly before: number;
  readonly after: number;
  readonly moved: { readonly up: boolean; readonly beside: string };
}

/** The fewest items whose moving explains the new order: all that are not in the longest run that kept its order. */
function movesOf(olds: readonly string[], youngs: readonly string[]): readonly Move[] {
  const oldPlace = new Map(olds.map((name, index) => [name, index]));
  const newPlace = new Map(youngs.map((name, index) => [name, index]));
  const common = youngs.filter((name) => oldPlace.has(name));
  const places = common.map((name) => oldPlace.get(name) ?? 0);
  const kept = longestRun(places);
  return common.flatMap((name, index) => {
    if (kept.has(index)) return [];
    const was = oldPlace.get(name) ?? 0;
    const up = common.some((other, at) => at > index && kept.has(at) && (oldPlace.get(other) ?? 0) < was);
    const at = newPlace.get(name) ?? 0;
    const beside = youngs[up ? at + 1 : at - 1] ?? "";
    return [{ name, before: was + 1, after: at + 1, moved: { up, beside } }];
  });
}

/** Indexes of a longest rising run; the lists here have at most 500 items. */
function longestRun(places: readonly number[]): ReadonlySet<number> {
  const length: number[] = [];
  const before: number[] = [];
  let best = -1;
  for (const [index, place] of places.entries()) {
    length[index] = 1;
    before[index] = -1;
    for (let at = 0; at < index; at++) {
      if ((places[at] ?? 0) >= place || (length[at] ?? 0) < (length[index] ?? 0)) continue;
      length[index] = (length[at] ?? 0) + 1;
      before[index] = at;
    }
    if (best < 0 || (length[index] ?? 0) > (length[best] ?? 0)) best = index;
  }
  const run = new Set<number>();
  for (let at = best; at >= 0; at = before[at] ?? -1) run.add(at);
  return run;
}
