/**
 * The durable part of one object: SQLite in memory, the key-value store, the alarm. What one turn writes commits or is lost
 * as a whole; a throw inside `transactionSync` undoes what was written in it.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { clone } from "./clone.ts";

interface Base {
  readonly db: DatabaseSync;
  readonly statements: Map<string, StatementSync>;
}

/** Databases are used again by later schedules: opening one costs more than emptying it. */
const spare: Base[] = [];

export class Disk {
  readonly kv = new Map<string, unknown>();
  alarm: number | null = null;
  /** Counts changes of the alarm, so that a handler can see whether a new one was set while it ran. */
  alarmChanges = 0;
  /** Told after each commit that changed something. */
  onCommit: (changed: { readonly alarm: boolean; readonly keys: readonly string[] }) => void = () => {};
  /** Told when SQLite refuses a statement: always a bug of ours. */
  onSqlError: (error: unknown) => void = () => {};
  onInsert: (query: string, bindings: readonly unknown[]) => void = () => {};
  #base: Base | null = null;
  #open = false;
  #undo: (() => void)[] = [];
  #changedKeys: string[] = [];
  #alarmBefore: number | null = null;
  #depth = 0;

  query(
    query: string,
    bindings: readonly unknown[],
  ): { readonly rows: Record<string, unknown>[]; readonly written: number } {
    const base = this.#load();
    const reads = query.startsWith("SELECT");
    if (!reads) this.#begin();
    try {
      let statement = base.statements.get(query);
      if (statement === undefined) {
        statement = base.db.prepare(query);
        base.statements.set(query, statement);
      }
      if (reads) return { rows: statement.all(...(bindings as SQLInputValue[])), written: 0 };
      const written = /^(?:INSERT|UPDATE|DELETE)/.test(query)
        ? Number(statement.run(...(bindings as SQLInputValue[])).changes)
        : statement.all(...(bindings as SQLInputValue[])).length;
      if (written > 0) this.onInsert(query, bindings);
      return { rows: [], written };
    } catch (error) {
      this.onSqlError(error);
      throw error;
    }
  }

  put(key: string, value: unknown): void {
    this.#begin();
    const known = this.kv.get(key);
    const had = this.kv.has(key);
    this.#undo.push(() => (had ? this.kv.set(key, known) : this.kv.delete(key)));
    this.#changedKeys.push(key);
    this.kv.set(key, clone(value));
  }

  remove(key: string): boolean {
    this.#begin();
    const known = this.kv.get(key);
    const had = this.kv.delete(key);
    if (had) this.#undo.push(() => this.kv.set(key, known));
    this.#changedKeys.push(key);
    return had;
  }

  setAlarm(at: number | null): void {
    this.#begin();
    const known = this.alarm;
    this.#undo.push(() => {
      this.alarm = known;
    });
    this.alarm = at;
    this.alarmChanges++;
  }

  transaction<T>(work: () => T): T {
    this.#begin();
    const mark = this.#undo.length;
    const name = `s${this.#depth++}`;
    this.#base?.db.exec(`SAVEPOINT ${name}`);
    try {
      const value = work();
      this.#base?.db.exec(`RELEASE ${name}`);
      return value;
    } catch (error) {
      this.#base?.db.exec(`ROLLBACK TO ${name}; RELEASE ${name}`);
      this.#undoTo(mark);
      throw error;
    } finally {
      this.#depth--;
    }
  }

  commit(): void {
    if (!this.#open) return;
    this.#base?.db.exec("COMMIT");
    const alarm = this.alarm !== this.#alarmBefore;
    const keys = this.#changedKeys;
    this.#close();
    this.onCommit({ alarm, keys });
  }

  rollback(): void {
    if (!this.#open) return;
    this.#base?.db.exec("ROLLBACK");
    this.#undoTo(0);
    this.#close();
  }

  /** Gives the database back; the disk is not used afterwards. */
  release(): void {
    this.rollback();
    if (this.#base === null) return;
    const { db } = this.#base;
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all() as { name: string }[];
    for (const { name } of tables) db.exec(`DROP TABLE ${name}`);
    spare.push(this.#base);
    this.#base = null;
  }

  #load(): Base {
    if (this.#base === null) {
      this.#base = spare.pop() ?? { db: new DatabaseSync(":memory:"), statements: new Map() };
      if (this.#open) this.#base.db.exec("BEGIN");
    }
    return this.#base;
  }

  #begin(): void {
    if (this.#open) return;
    // Opened before the first write, so that a transaction begun on the key-value store alone covers SQL as well.
    this.#load().db.exec("BEGIN");
    this.#open = true;
    this.#alarmBefore = this.alarm;
  }

  #undoTo(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()?.();
  }

  #close(): void {
    this.#open = false;
    this.#undo = [];
    this.#changedKeys = [];
  }
}
