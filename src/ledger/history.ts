/**
 * History: every signal and decision, append-only, in R2. The journal (D1) holds what is newer than a few minutes; the cron
 * moves its chunks into one segment per workspace and run.
 *
 * A segment is NDJSON, one `JournalEntry` per line, at `history/<workspace>/<yyyy-mm-dd>/<first chunk id>.ndjson`. The name
 * comes from its first chunk, so a run that is repeated after a crash writes the same object again. An entry may occur twice
 * (a projection that was repeated); readers take the first by (type, key).
 */
import { journalKeepMs } from "../limits.ts";
import { erasedKeys, segmentsOf, withoutErased } from "./erasures.ts";
import type { JournalEntry } from "./rows.ts";

/** Chunks held in memory at a time (a chunk is up to 1 MB), and how many such rounds one run makes. */
const chunksPerRound = 32;
const roundsPerRun = 50;

export async function archiveJournal(
  ledger: D1Database,
  history: R2Bucket,
  now: number,
  keepMs = journalKeepMs,
): Promise<{ readonly chunks: number; readonly segments: number }> {
  let chunks = 0;
  let segments = 0;
  for (let round = 0; round < roundsPerRun; round++) {
    const done = await archiveRound(ledger, history, now - keepMs);
    chunks += done.chunks;
    segments += done.segments;
    if (done.chunks < chunksPerRound) break;
  }
  return { chunks, segments };
}

async function archiveRound(
  ledger: D1Database,
  history: R2Bucket,
  before: number,
): Promise<{ readonly chunks: number; readonly segments: number }> {
  const rows = await ledger
    .prepare("SELECT workspace, id, at, entries FROM journal WHERE at < ? ORDER BY workspace, id LIMIT ?")
    .bind(before, chunksPerRound)
    .all<{ workspace: string; id: string; at: number; entries: string }>();
  const byWorkspace = Map.groupBy(rows.results, (row) => row.workspace);
  for (const [workspace, chunks] of byWorkspace) {
    const first = chunks[0];
    if (first === undefined) continue;
    const day = new Date(first.at).toISOString().slice(0, 10);
    const erased = await erasedKeys(ledger, workspace);
    const lines = chunks
      .flatMap((chunk) => JSON.parse(chunk.entries) as JournalEntry[])
      .flatMap((entry) => withoutErased(entry, erased) ?? [])
      .map((entry) => JSON.stringify(entry));
    await history.put(`history/${workspace}/${day}/${first.id}.ndjson`, `${lines.join("\n")}\n`);
    // Deleted only after the segment is stored: a crash between the two doubles entries and loses none.
    await ledger
      .prepare("DELETE FROM journal WHERE workspace = ? AND id IN (SELECT value FROM json_each(?))")
      .bind(workspace, JSON.stringify(chunks.map((chunk) => chunk.id)))
      .run();
  }
  return { chunks: rows.results.length, segments: byWorkspace.size };
}

/**
 * Every entry of a workspace in history and journal, oldest segment first, each once. `since` (epoch ms) leaves out segments
 * of earlier days.
 */
export async function* readHistory(
  ledger: D1Database,
  history: R2Bucket,
  workspace: string,
  since = 0,
): AsyncGenerator<JournalEntry> {
  const seen = new Set<string>();
  const erased = await erasedKeys(ledger, workspace);
  const fresh = (given: JournalEntry): JournalEntry | null => {
    const entry = withoutErased(given, erased);
    if (entry === null) return null;
    const key = entry.type === "signal" ? `signal ${entry.signal.idempotency_key}` : `decision ${entry.decision.id}`;
    if (seen.has(key)) return null;
    seen.add(key);
    return entry;
  };
  // Names sort by day; `startAfter` is exclusive, and no segment is called like a bare day.
  const startAfter = `history/${workspace}/${new Date(since).toISOString().slice(0, 10)}`;
  for await (const name of segmentsOf(history, workspace, startAfter)) {
    const body = await history.get(name);
    for (const line of (await body?.text())?.split("\n") ?? []) {
      if (line === "") continue;
      const entry = fresh(JSON.parse(line) as JournalEntry);
      if (entry !== null) yield entry;
    }
  }
  const rows = await ledger
    .prepare("SELECT entries FROM journal WHERE workspace = ? ORDER BY id")
    .bind(workspace)
    .all<{ entries: string }>();
  for (const row of rows.results) {
    for (const given of JSON.parse(row.entries) as JournalEntry[]) {
      const entry = fresh(given);
      if (entry !== null) yield entry;
    }
  }
}
