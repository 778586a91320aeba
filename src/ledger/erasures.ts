/**
 * Erasing a person from the ledger and from history (DESIGN §6.7, G14). Rows become nameless ones that keep their ids and
 * carry a higher version, so that a projection which is still on its way cannot bring anybody back; history is rewritten
 * segment by segment, and whatever is archived later leaves the erased out.
 */
import { digest } from "../crypto.ts";
import type { JournalEntry, Projection } from "./rows.ts";

export interface Erasure {
  readonly id: string;
  readonly workspace: string;
  /** Ids that the person had as a lead. */
  readonly leads: readonly string[];
  /** Keys of the person's signals, and what is left of their identifiers (`erasedIdentifier`). */
  readonly keys: readonly string[];
  readonly by: string;
}

/** Keys in one row: far below the 2 MB that D1 takes. */
const keysPerRow = 5_000;

/** What the ledger shows of the person now, with nothing of the person in it. `leads` may hold ids without a row. */
export function nameless(shown: Projection, leads: readonly string[], version: number): Projection {
  return {
    workspace: shown.workspace,
    leads: leads.map((id) => ({
      id,
      version,
      email: null,
      name: "erased",
      lifecycle_state: "erased",
      lead_score: 0,
      source: "",
      last_event_timestamp: 0,
      idempotency_key: "",
      active_day: 0,
      merged_into: "",
      document: "{}",
    })),
    follow_ups: shown.follow_ups.map((row) => ({ ...row, version, document: "{}" })),
    exceptions: shown.exceptions.map((row) => ({ ...row, version, state: "closed" as const, document: "{}" })),
    journal: [],
  };
}

export function erasureStatements(ledger: D1Database, erasure: Erasure, version: number): D1PreparedStatement[] {
  const { id, workspace, keys, by } = erasure;
  const leads = JSON.stringify(erasure.leads);
  const rows: D1PreparedStatement[] = [];
  for (let at = 0; at === 0 || at < keys.length; at += keysPerRow) {
    const insert = ledger.prepare(
      "INSERT INTO erasures VALUES (?, ?, ?, ?, 0) ON CONFLICT (workspace, id) DO UPDATE SET keys = excluded.keys, history_done_at = 0",
    );
    rows.push(insert.bind(workspace, `${id}.${at / keysPerRow}`, JSON.stringify(keys.slice(at, at + keysPerRow)), by));
  }
  return [
    ...rows,
    // Rows that no state of the object names any more. Their version stays: one may have gone on with a split, and is shown anew from there.
    ledger
      .prepare(
        "UPDATE exceptions SET document = '{}', state = 'closed' WHERE workspace = ? AND lead IN (SELECT value FROM json_each(?)) AND version < ?",
      )
      .bind(workspace, leads, version),
  ];
}

/** Keys of the signals of everybody who was erased in a workspace. Read where history is read or written. */
export async function erasedKeys(ledger: D1Database, workspace: string): Promise<ReadonlySet<string>> {
  const rows = await ledger
    .prepare("SELECT keys FROM erasures WHERE workspace = ?")
    .bind(workspace)
    .all<{ keys: string }>();
  return new Set(rows.results.flatMap((row) => JSON.parse(row.keys) as string[]));
}

/** How an identifier of somebody who was erased stands among the keys: it names nobody, and is known again where it occurs. */
export function erasedIdentifier(name: string): string {
  return `#${digest("erased", name)}`;
}

/**
 * What is left of an entry when those who were erased are left out; null where nothing is. Decisions stay: they hold ids and reasons, and
 * no person. What they were made of goes, also where somebody else was taken for the same person then.
 */
export function withoutErased(entry: JournalEntry, keys: ReadonlySet<string>): JournalEntry | null {
  if (entry.type === "signal") return keys.has(entry.signal.idempotency_key) ? null : entry;
  if (keys.size === 0 || entry.inputs === undefined) return entry;
  const isTold =
    entry.decision.signals.some((key) => keys.has(key)) ||
    Object.keys(entry.inputs.lead.identifiers).some((name) => keys.has(erasedIdentifier(name)));
  if (!isTold) return entry;
  const { inputs: _ofThePerson, ...rest } = entry;
  return rest;
}

/**
 * Rewrites the history segments of workspaces with erasures that are still to be done. May be repeated at any point: a
 * segment is written whole under its own name.
 */
export async function eraseFromHistory(ledger: D1Database, history: R2Bucket, now: number): Promise<number> {
  const open = await ledger
    .prepare("SELECT workspace, id FROM erasures WHERE history_done_at = 0 LIMIT 1000")
    .all<{ workspace: string; id: string }>();
  for (const [workspace, rows] of Map.groupBy(open.results, (row) => row.workspace)) {
    const keys = await erasedKeys(ledger, workspace);
    for await (const name of segmentsOf(history, workspace)) await rewrite(history, name, keys);
    await ledger
      .prepare("UPDATE erasures SET history_done_at = ? WHERE workspace = ? AND id IN (SELECT value FROM json_each(?))")
      .bind(now, workspace, JSON.stringify(rows.map(({ id }) => id)))
      .run();
  }
  return open.results.length;
}

async function rewrite(history: R2Bucket, name: string, keys: ReadonlySet<string>): Promise<void> {
  const text = (await (await history.get(name))?.text()) ?? "";
  const lines = text.split("\n").filter((line) => line !== "");
  let changed = false;
  const kept = lines.flatMap((line) => {
    const entry = JSON.parse(line) as JournalEntry;
    const left = withoutErased(entry, keys);
    if (left === entry) return [`${line}\n`];
    changed = true;
    return left === null ? [] : [`${JSON.stringify(left)}\n`];
  });
  if (changed) await history.put(name, kept.join(""));
}

/** Names of all history segments of a workspace, oldest first. */
export async function* segmentsOf(history: R2Bucket, workspace: string, startAfter?: string): AsyncGenerator<string> {
  let cursor: string | undefined;
  do {
    const page = await history.list({
      prefix: `history/${workspace}/`,
      ...(startAfter === undefined ? {} : { startAfter }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const object of page.objects) yield object.key;
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
}
