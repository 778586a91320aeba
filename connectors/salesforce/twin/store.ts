/** The org's rows, deleted ones included, with indexes on what is looked up by value, and an undo log for all-or-none. */
import type { ObjectName, Value, Values } from "./fields.ts";
import { keyName } from "./fields.ts";
import { idOf, prefixes, withCheck } from "./ids.ts";

export interface Stored {
  readonly id: string;
  readonly object: ObjectName;
  values: Values;
  /** When it was made, on the store's own counter, and by which request: what decides a race for a key. */
  readonly madeAt: number;
  readonly madeBy: number;
}

const indexed: Readonly<Partial<Record<ObjectName, readonly string[]>>> = {
  Task: [keyName, "WhoId"],
  Lead: [keyName, "Email"],
  Contact: ["Email"],
};

export class Store {
  readonly #tables = new Map<ObjectName, Map<string, Stored>>();
  readonly #indexes = new Map<string, Map<string, Set<Stored>>>();
  #undo: (() => void)[] | null = null;
  #numbers = 0;
  /** Counts every row that was made. */
  made = 0;

  table(object: ObjectName): Map<string, Stored> {
    const table = this.#tables.get(object) ?? new Map<string, Stored>();
    this.#tables.set(object, table);
    return table;
  }

  /** By id, with 15 or 18 characters. */
  get(id: string): Stored | undefined {
    const full = withCheck(id);
    const object = (Object.keys(prefixes) as ObjectName[]).find((name) => full.startsWith(prefixes[name]));
    return object === undefined ? undefined : this.table(object).get(full);
  }

  /** Null where the field has no index: then the table has to be read through. */
  find(object: ObjectName, field: string, value: string): ReadonlySet<Stored> | null {
    if (indexed[object]?.includes(field) !== true) {
      return null;
    }
    return this.#indexes.get(`${object}.${field}`)?.get(fold(field, value)) ?? new Set();
  }

  add(object: ObjectName, values: Values, madeBy: number): Stored {
    this.#numbers += 1;
    this.made += 1;
    const id = idOf(object, this.#numbers);
    const row: Stored = { id, object, values: { Id: id, ...values }, madeAt: this.made, madeBy };
    this.table(object).set(id, row);
    this.#enter(row);
    this.#undo?.push(() => {
      this.#leave(row);
      this.table(object).delete(id);
    });
    return row;
  }

  change(row: Stored, values: Values): void {
    const before = row.values;
    this.#leave(row);
    row.values = { ...before, ...values };
    this.#enter(row);
    this.#undo?.push(() => {
      this.#leave(row);
      row.values = before;
      this.#enter(row);
    });
  }

  /** Runs `work`; where it says false, nothing of it has happened. */
  allOrNone(work: () => boolean): boolean {
    const outer = this.#undo;
    const undo: (() => void)[] = [];
    this.#undo = undo;
    const kept = work();
    this.#undo = outer;
    if (kept) {
      outer?.push(...undo);
    } else {
      for (const step of undo.reverse()) {
        step();
      }
    }
    return kept;
  }

  /** What another request did: it stays, also where the request it happened in is undone. */
  outside<T>(work: () => T): T {
    const undo = this.#undo;
    this.#undo = null;
    const result = work();
    this.#undo = undo;
    return result;
  }

  #enter(row: Stored): void {
    for (const [field, value] of entries(row)) {
      const name = `${row.object}.${field}`;
      const index = this.#indexes.get(name) ?? new Map<string, Set<Stored>>();
      this.#indexes.set(name, index);
      const set = index.get(fold(field, value)) ?? new Set<Stored>();
      index.set(fold(field, value), set.add(row));
    }
  }

  #leave(row: Stored): void {
    for (const [field, value] of entries(row)) {
      this.#indexes.get(`${row.object}.${field}`)?.get(fold(field, value))?.delete(row);
    }
  }
}

function entries(row: Stored): [string, string][] {
  return (indexed[row.object] ?? []).flatMap((field) => {
    const value: Value | undefined = row.values[field];
    return typeof value === "string" ? [[field, value]] : [];
  });
}

/** E-mail addresses are compared without case; our key is case sensitive. */
function fold(field: string, value: string): string {
  return field === "Email" ? value.toLowerCase() : value;
}
