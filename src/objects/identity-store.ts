/**
 * Storage of one identity object: the node's snapshot in one key, and a log with one row per signal behind it (the signal's
 * JSON as it arrived, and beside it what was decided with it). Everything is synchronous, so that a load or a commit is one turn.
 *
 * Rows written (each is billed): a signal costs one log row; the snapshot is written when something else than a signal
 * changed, or when the tail grew long. A wake-up reads the snapshot and replays the tail.
 */
import { tailEntriesMax } from "../limits.ts";
import type { Signal } from "../model.ts";
import {
  type Alias,
  applyEntry,
  type LogEntry,
  type Node,
  newRoot,
  type Root,
  type Tombstone,
} from "../resolve/node.ts";

export class IdentityStore {
  readonly #storage: DurableObjectStorage;
  #hasLog = false;
  #savedSeq = 0;
  /** A tombstone lies where the snapshot does: a log behind it would never be read. */
  #isErased = false;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  load(): Node {
    const saved = this.#storage.kv.get<Node>("node");
    this.#isErased = saved?.role === "erased";
    if (saved?.role === "erased" || (saved?.role === "alias" && saved.acknowledged)) {
      this.#hasLog = false;
      return saved;
    }
    this.#hasLog = this.#storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'log'").toArray().length > 0;
    // Sealed and not yet acknowledged: its log still has to travel, also after a crash.
    if (saved !== undefined && saved.role !== "root") return saved;
    if (!this.#hasLog) return saved ?? { role: "unused" };
    this.#savedSeq = saved?.seq ?? 0;
    const tail = this.#entries("WHERE seq > ? ORDER BY seq", this.#savedSeq);
    const first = tail[0];
    if (saved === undefined && first === undefined) return { role: "unused" };
    const start = saved ?? newRoot(first?.root ?? "", first?.signal.workspace ?? "");
    return tail.reduce<Root>(applyEntry, start);
  }

  /** The stored entry of a key, or null: a signal is applied at most once per key (G2). */
  entry(key: string): LogEntry | null {
    if (!this.#hasLog) return null;
    return this.#entries("WHERE key = ?", key)[0] ?? null;
  }

  signals(keys: readonly string[]): readonly Signal[] {
    if (keys.length === 0 || !this.#hasLog) return [];
    return this.#entries("WHERE key IN (SELECT value FROM json_each(?))", JSON.stringify(keys)).map(
      (entry) => entry.signal,
    );
  }

  entriesAfter(seq: number): readonly LogEntry[] {
    return this.#hasLog ? this.#entries("WHERE seq > ? ORDER BY seq", seq) : [];
  }

  /** Signals after a row, as the JSON they are stored in: on their way to the journal nobody needs to look inside. */
  signalsAfter(seq: number): readonly string[] {
    if (!this.#hasLog) return [];
    const rows = this.#storage.sql.exec<{ signal: string }>("SELECT signal FROM log WHERE seq > ? ORDER BY seq", seq);
    return rows.toArray().map((row) => row.signal);
  }

  keys(): readonly string[] {
    if (!this.#hasLog) return [];
    return this.#storage.sql
      .exec<{ key: string }>("SELECT key FROM log ORDER BY seq")
      .toArray()
      .map((row) => row.key);
  }

  latest(count: number): readonly LogEntry[] {
    return this.#hasLog ? this.#entries("ORDER BY seq DESC LIMIT ?", count) : [];
  }

  /**
   * Commits one log row, and the snapshot `root` (which includes it) when the caller wants that, the tail grew long or somebody
   * new comes after an erasure. False, and nothing written, when the key is known. Throws whole or not at all.
   */
  append(entry: LogEntry, signalJson: string, root: Root, withSnapshot: boolean): boolean {
    this.#ensureLog();
    if (!withSnapshot && !this.#isErased && entry.seq - this.#savedSeq < tailEntriesMax)
      return this.#insert(entry, signalJson);
    const fresh = this.#storage.transactionSync(() => {
      if (!this.#insert(entry, signalJson)) return false;
      this.#put(root);
      return true;
    });
    if (fresh) {
      this.#savedSeq = entry.seq;
      this.#isErased = false;
    }
    return fresh;
  }

  /** Commits a snapshot together with log rows that came from elsewhere (a merge). */
  save(root: Root, entries: readonly LogEntry[] = []): void {
    if (entries.length > 0) this.#ensureLog();
    this.#storage.transactionSync(() => {
      for (const entry of entries) this.#insert(entry, JSON.stringify(entry.signal));
      this.#put(root);
    });
    this.#savedSeq = root.seq;
    this.#isErased = false;
  }

  /** Log rows that come before the state they belong to: nobody looks at them until `save` brings that. */
  stage(entries: readonly LogEntry[]): void {
    this.#ensureLog();
    this.#storage.transactionSync(() => {
      for (const entry of entries) this.#insert(entry, JSON.stringify(entry.signal));
    });
  }

  /** Commits a split: the snapshot of who stays (with its parting), and the rows that leave, put aside until they arrived. */
  saveSplit(root: Root, leaving: readonly string[]): void {
    this.#ensureLog();
    this.#storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS parted (key TEXT PRIMARY KEY, seq INTEGER NOT NULL, signal TEXT NOT NULL, entry TEXT NOT NULL) WITHOUT ROWID",
    );
    const keys = JSON.stringify(leaving);
    this.#storage.transactionSync(() => {
      this.#storage.sql.exec(
        "INSERT INTO parted SELECT * FROM log WHERE key IN (SELECT value FROM json_each(?))",
        keys,
      );
      this.#storage.sql.exec("DELETE FROM log WHERE key IN (SELECT value FROM json_each(?))", keys);
      this.#put(root);
    });
    this.#savedSeq = root.seq;
  }

  /** Rows that left with a split and have not arrived yet. */
  parted(): readonly LogEntry[] {
    return this.#storage.sql
      .exec<{ signal: string; entry: string }>("SELECT signal, entry FROM parted ORDER BY seq")
      .toArray()
      .map(entryOf);
  }

  /** Commits that what was split off has arrived. */
  saveParted(root: Root): void {
    this.#storage.transactionSync(() => {
      this.#storage.sql.exec("DELETE FROM parted");
      this.#put(root);
    });
    this.#savedSeq = root.seq;
  }

  /** Commits that nothing is left here but a tombstone, or nothing at all. */
  saveErased(node: Tombstone | null): void {
    this.#storage.transactionSync(() => {
      if (node === null) this.#storage.kv.delete("node");
      else this.#storage.kv.put("node", node);
      this.#storage.sql.exec("DROP TABLE IF EXISTS log");
      this.#storage.sql.exec("DROP TABLE IF EXISTS parted");
    });
    this.#hasLog = false;
    this.#savedSeq = 0;
    this.#isErased = node !== null;
  }

  /** Commits an alias. Its own log is dropped only when the parent has acknowledged the state. */
  saveAlias(node: Alias): void {
    this.#storage.transactionSync(() => {
      this.#storage.kv.put("node", node);
      if (node.acknowledged && this.#hasLog) this.#storage.sql.exec("DROP TABLE log");
    });
    if (node.acknowledged) this.#hasLog = false;
    this.#isErased = false;
  }

  #put(root: Root): void {
    this.#storage.kv.put("node", root);
  }

  /** One statement is atomic by itself. Its key may be known: then it writes nothing. */
  #insert(entry: LogEntry, signalJson: string): boolean {
    const { signal, ...rest } = entry;
    const written = this.#storage.sql.exec(
      "INSERT INTO log VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
      signal.idempotency_key,
      entry.seq,
      signalJson,
      JSON.stringify(rest),
    );
    return written.rowsWritten > 0;
  }

  /** Stands before any transaction, so that a rollback cannot take the table away from under `#hasLog`. */
  #ensureLog(): void {
    if (this.#hasLog) return;
    this.#storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS log (key TEXT PRIMARY KEY, seq INTEGER NOT NULL, signal TEXT NOT NULL, entry TEXT NOT NULL) WITHOUT ROWID",
    );
    this.#hasLog = true;
  }

  #entries(rest: string, binding: string | number): LogEntry[] {
    return this.#storage.sql
      .exec<{ signal: string; entry: string }>(`SELECT signal, entry FROM log ${rest}`, binding)
      .toArray()
      .map(entryOf);
  }
}

function entryOf(row: { readonly signal: string; readonly entry: string }): LogEntry {
  return { ...(JSON.parse(row.entry) as Omit<LogEntry, "signal">), signal: JSON.parse(row.signal) as Signal };
}
