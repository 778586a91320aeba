/**
 * One decision in history, with the signals it was made for. Segments are named by day and by the instant of their first chunk, so an instant
 * leads to the segment; what is still in the journal is found by the database itself.
 */
import type { Decision, Signal } from "../model.ts";
import type { Inputs } from "../resolve/node.ts";
import { erasedKeys, segmentsOf } from "./erasures.ts";
import type { JournalEntry } from "./rows.ts";

/** Segments read for one question: each is a call, of which a request may make 1,000. */
export const segmentsMax = 400;
const dayMs = 86_400_000;
/** Without an instant, so many days are looked through, the newest first. */
const daysBack = 7;

export type Found =
  | {
      readonly arm: "found";
      readonly lead: string;
      readonly decision: Decision;
      readonly inputs: Inputs;
      readonly signals: readonly Signal[];
    }
  | { readonly arm: "unknown" }
  /** It told of somebody who was erased. */
  | { readonly arm: "erased" }
  /** The decision is there, and what it was made of is not (any more). */
  | { readonly arm: "gone"; readonly decision: Decision };

export interface Place {
  readonly ledger: D1Database;
  readonly history: R2Bucket;
  readonly workspace: string;
}

/** `at`: when it was made, if that is known. `now`: the end of the time that is looked through. */
export async function findDecision(place: Place, id: string, at: number | null, now: number): Promise<Found> {
  const names = await segmentNames(place, (at ?? now - daysBack * dayMs) - dayMs, at === null ? now : at + 2 * dayMs);
  const reading = new Reading(place, names);
  // Chunks are journalled after they were decided: by the segment that was begun last before it, or a later one.
  const first =
    at === null
      ? 0
      : Math.max(
          0,
          names.findLastIndex((name) => beganAt(name) <= at),
        );
  const inOrder =
    at === null
      ? names.map((_name, index) => names.length - 1 - index)
      : names.map((_name, index) => index).slice(first);
  const ofDecision = (entry: JournalEntry): boolean => entry.type === "decision" && entry.decision.id === id;
  const spot = (await reading.inJournal(id, ofDecision)) ?? (await reading.inSegments(id, inOrder, ofDecision));
  if (spot === null || spot.entry.type !== "decision") return { arm: "unknown" };
  const { lead, decision, inputs } = spot.entry;
  const erased = await erasedKeys(place.ledger, place.workspace);
  if (decision.signals.some((key) => erased.has(key))) return { arm: "erased" };
  if (inputs === undefined) return { arm: "gone", decision };
  const signals = await reading.signals(decision.signals, spot.segment);
  return signals === null ? { arm: "gone", decision } : { arm: "found", lead, decision, inputs, signals };
}

interface Spot {
  readonly entry: JournalEntry;
  /** Index of the segment; null in the journal. */
  readonly segment: number | null;
}

class Reading {
  readonly #place: Place;
  readonly #names: readonly string[];
  #read = 0;

  constructor(place: Place, names: readonly string[]) {
    this.#place = place;
    this.#names = names;
  }

  async inJournal(text: string, wanted: (entry: JournalEntry) => boolean): Promise<Spot | null> {
    const rows = await this.#place.ledger
      .prepare("SELECT entries FROM journal WHERE workspace = ? AND instr(entries, ?) > 0 LIMIT 5")
      .bind(this.#place.workspace, JSON.stringify(text))
      .all<{ entries: string }>();
    for (const { entries } of rows.results) {
      const entry = (JSON.parse(entries) as JournalEntry[]).find(wanted);
      if (entry !== undefined) return { entry, segment: null };
    }
    return null;
  }

  async inSegments(
    text: string,
    order: readonly number[],
    wanted: (entry: JournalEntry) => boolean,
  ): Promise<Spot | null> {
    const quoted = JSON.stringify(text);
    for (const segment of order) {
      for (const line of await this.#lines(segment)) {
        if (!line.includes(quoted)) continue;
        const entry = JSON.parse(line) as JournalEntry;
        if (wanted(entry)) return { entry, segment };
      }
    }
    return null;
  }

  /** A signal is journalled with the first decision on it or before. Null where one of them is not found. */
  async signals(keys: readonly string[], segment: number | null): Promise<readonly Signal[] | null> {
    const found = new Map<string, Signal>();
    const missing = new Set(keys);
    const take = (entry: JournalEntry) => {
      if (entry.type !== "signal" || !missing.delete(entry.signal.idempotency_key)) return;
      found.set(entry.signal.idempotency_key, entry.signal);
    };
    if (segment === null) {
      for (const key of keys) {
        const isIt = (entry: JournalEntry) => entry.type === "signal" && entry.signal.idempotency_key === key;
        const spot = await this.inJournal(key, isIt);
        if (spot !== null) take(spot.entry);
      }
    }
    for (let index = segment ?? this.#names.length - 1; index >= 0 && missing.size > 0; index--) {
      for (const line of await this.#lines(index)) {
        if (!line.startsWith('{"type":"signal"')) continue;
        for (const key of missing) if (line.includes(JSON.stringify(key))) take(JSON.parse(line) as JournalEntry);
      }
    }
    return missing.size > 0 ? null : keys.flatMap((key) => found.get(key) ?? []);
  }

  async #lines(index: number): Promise<readonly string[]> {
    const name = this.#names[index];
    if (name === undefined || this.#read >= segmentsMax) return [];
    this.#read++;
    return ((await (await this.#place.history.get(name))?.text()) ?? "").split("\n");
  }
}

/** Names of the segments that were begun in this time, oldest first. */
export async function segmentNames({ history, workspace }: Place, from: number, to: number): Promise<string[]> {
  const names: string[] = [];
  const startAfter = `history/${workspace}/${dayOf(from)}`;
  for await (const name of segmentsOf(history, workspace, startAfter)) {
    if (beganAt(name) > to) break;
    names.push(name);
  }
  return names;
}

/** The instant in a segment's name: that of its first chunk (`objects/projector.ts`). */
export function beganAt(name: string): number {
  return Number.parseInt(name.split("/").at(-1)?.split(".")[0] ?? "", 36);
}

function dayOf(at: number): string {
  return new Date(Math.max(0, at)).toISOString().slice(0, 10);
}
