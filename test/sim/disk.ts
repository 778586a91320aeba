/**
 * The durable part of one object: SQLite in memory, the key-value store, the alarm. What one turn writes commits or is lost
 * as a whole; a throw inside `transactionSync` undoes what was written in it.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { clone } from "./clone.ts";

/**
 * A database with the statements it was asked before: preparing one costs more than running it, and so does making a table.
 * So databases are used again by later schedules, and one that an object makes its first table in has that table already.
 */
class Base {
  readonly #db = new DatabaseSync(":memory:");
  readonly #statements = new Map<string, Statement>();
  /** How its one table was made; empty where it has none. */
  readonly #made: string;
  /** A further table was made, or this one dropped. */
  #altered = false;

  constructor(made: string) {
    this.#made = made;
    if (made !== "") this.#db.exec(made);
  }

  statement(query: string): Statement {
    let known = this.#statements.get(query);
    if (known === undefined) {
      const run = this.#db.prepare(query);
      run.setReturnArrays(true);
      known = { run, kind: kindOf(query), columns: run.columns().map(({ name }) => name) };
      this.#statements.set(query, known);
    }
    if (known.kind === "defines" && query !== this.#made) this.#altered = true;
    return known;
  }

  exec(query: string): void {
    this.statement(query).run.run();
  }

  giveBack(): void {
    const tables = "SELECT name FROM sqlite_master WHERE type = 'table'";
    const names = this.statement(tables).run.all() as unknown as [string][];
    for (const [name] of names) this.exec(`DELETE FROM ${name}`);
    if (this.#altered) {
      for (const [name] of names) this.#db.exec(`DROP TABLE ${name}`);
      this.#db.exec(this.#made);
      this.#altered = false;
    }
    const spare = spares.get(this.#made);
    if (spare === undefined) spares.set(this.#made, [this]);
    else spare.push(this);
  }
}

const spares = new Map<string, Base[]>();

/** What an object sees that has not written anything. */
const blank = new Base("");

interface Statement {
  readonly run: StatementSync;
  readonly kind: "reads" | "writes" | "defines" | "begins";
  readonly columns: readonly string[];
}

function kindOf(query: string): Statement["kind"] {
  if (query.startsWith("SELECT")) return "reads";
  if (/^(?:INSERT|UPDATE|DELETE)/.test(query)) return "writes";
  return /^(?:BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)/.test(query) ? "begins" : "defines";
}

export interface Read {
  readonly bindings: readonly unknown[];
  readonly values: readonly (readonly unknown[])[];
}

/** Fresh rows for each reader. Much faster than those `node:sqlite` makes, which are dictionaries. */
export function rowsOf(columns: readonly string[], values: readonly (readonly unknown[])[]): Record<string, unknown>[] {
  return values.map((items) => {
    const row: Record<string, unknown> = {};
    for (let index = 0; index < columns.length; index++) row[columns[index] ?? ""] = items[index];
    return row;
  });
}

export function sameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}

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
  #base = blank;
  #open = false;
  /** SQL takes part in the turn from its first write on: most turns write to the key-value store alone. */
  #sqlOpen = false;
  #undo: (() => void)[] = [];
  #changedKeys: string[] = [];
  #alarmBefore: number | null = null;
  #depth = 0;
  /** How many of the open transactions SQL knows of. */
  #sqlDepth = 0;
  /** What was read since the last write: the same question has the same answer. */
  readonly #read = new Map<string, Read>();

  query(
    query: string,
    bindings: readonly unknown[],
  ): { readonly rows: Record<string, unknown>[]; readonly written: number } {
    try {
      if (this.#base === blank && !query.startsWith("SELECT")) this.#leaveBlank(query);
      const statement = this.#base.statement(query);
      const { run, kind } = statement;
      if (kind === "reads") return { rows: this.#rows(query, statement, bindings), written: 0 };
      this.#read.clear();
      this.#beginSql();
      const { changes } = run.run(...(bindings as SQLInputValue[]));
      if (kind === "defines") return { rows: [], written: 0 };
      const written = Number(changes);
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
    const depth = this.#depth++;
    try {
      const value = work();
      if (this.#sqlDepth > depth) this.#base.exec(`RELEASE s${depth}`);
      return value;
    } catch (error) {
      this.#read.clear();
      if (this.#sqlDepth > depth) {
        this.#base.exec(`ROLLBACK TO s${depth}`);
        this.#base.exec(`RELEASE s${depth}`);
      }
      this.#undoTo(mark);
      throw error;
    } finally {
      this.#depth = depth;
      this.#sqlDepth = Math.min(this.#sqlDepth, depth);
    }
  }

  commit(): void {
    if (!this.#open) return;
    if (this.#sqlOpen) this.#base.exec("COMMIT");
    const alarm = this.alarm !== this.#alarmBefore;
    const keys = this.#changedKeys;
    this.#close();
    this.onCommit({ alarm, keys });
  }

  rollback(): void {
    if (!this.#open) return;
    this.#read.clear();
    if (this.#sqlOpen) this.#base.exec("ROLLBACK");
    this.#sqlOpen = false;
    this.#undoTo(0);
    this.#close();
  }

  /** Gives the database back; the disk is not used afterwards. */
  release(): void {
    this.rollback();
    if (this.#base !== blank) this.#base.giveBack();
    this.#base = blank;
  }

  #rows(query: string, { run, columns }: Statement, bindings: readonly unknown[]): Record<string, unknown>[] {
    let known = this.#read.get(query);
    if (known === undefined || !sameList(known.bindings, bindings)) {
      known = { bindings, values: run.all(...(bindings as SQLInputValue[])) as unknown as unknown[][] };
      this.#read.set(query, known);
    }
    return rowsOf(columns, known.values);
  }

  /** The first statement that writes makes a table: the object moves to a database that has it, and back without a commit. */
  #leaveBlank(query: string): void {
    const made = query.startsWith("CREATE TABLE IF NOT EXISTS") ? query : "";
    this.#begin();
    const base = spares.get(made)?.pop() ?? new Base(made);
    this.#base = base;
    this.#undo.push(() => {
      if (this.#sqlOpen) base.exec("ROLLBACK");
      this.#sqlOpen = false;
      this.#sqlDepth = 0;
      base.giveBack();
      this.#base = blank;
    });
  }

  #begin(): void {
    if (this.#open) return;
    this.#open = true;
    this.#alarmBefore = this.alarm;
  }

  /** Also opens the transactions that were begun on the key-value store alone, so that they cover SQL as well. */
  #beginSql(): void {
    this.#begin();
    if (!this.#sqlOpen) this.#base.exec("BEGIN");
    this.#sqlOpen = true;
    while (this.#sqlDepth < this.#depth) this.#base.exec(`SAVEPOINT s${this.#sqlDepth++}`);
  }

  #undoTo(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()?.();
  }

  #close(): void {
    this.#open = false;
    this.#sqlOpen = false;
    this.#undo = [];
    this.#changedKeys = [];
  }
}
