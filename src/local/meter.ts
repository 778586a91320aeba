/**
 * Counts rows written, as the bill does: SQLite rows in objects (indexes included), each `setAlarm`, and D1's own count. For
 * the laptop, the bench and the tests only; the Worker that is deployed carries none of this.
 */
export interface MeterReading {
  /** Rows written by objects of each class. */
  readonly objects: Readonly<Record<string, number>>;
  readonly alarms: number;
  readonly d1: number;
  readonly r2_puts: number;
  readonly crm_requests: number;
}

/** One per isolate, which locally is the whole engine. */
export const meter = { objects: {} as Record<string, number>, alarms: 0, d1: 0, r2_puts: 0, crm_requests: 0 };

function wrote(kind: string, rows: number): void {
  meter.objects[kind] = (meter.objects[kind] ?? 0) + rows;
}

/** Puts the meter into an object's storage. The platform insists on its own objects, so their methods are replaced in place. */
export function meteredState(ctx: DurableObjectState, kind: string): DurableObjectState {
  const { storage } = ctx;
  const exec = storage.sql.exec.bind(storage.sql);
  replace(storage.sql, "exec", (query: string, ...bindings: unknown[]) => {
    const cursor = exec(query, ...bindings);
    wrote(kind, cursor.rowsWritten);
    return cursor;
  });
  const put = storage.kv.put.bind(storage.kv);
  replace(storage.kv, "put", (key: string, value: unknown) => {
    wrote(kind, 1);
    put(key, value);
  });
  const setAlarm = storage.setAlarm.bind(storage);
  replace(storage, "setAlarm", (at: number) => {
    meter.alarms++;
    return setAlarm(at);
  });
  return ctx;
}

function replace(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value });
}

export function meteredEnv<E extends { CONTROL: D1Database; LEDGER_0: D1Database; HISTORY: R2Bucket }>(env: E): E {
  const known = wrapped.get(env.CONTROL) as E | undefined;
  if (known !== undefined) return known;
  const made = overlay(env, {
    CONTROL: meteredD1(env.CONTROL),
    LEDGER_0: meteredD1(env.LEDGER_0),
    HISTORY: meteredR2(env.HISTORY),
  });
  wrapped.set(env.CONTROL, made);
  return made;
}

const wrapped = new WeakMap<object, object>();
const rawStatements = new WeakMap<object, D1PreparedStatement>();

function meteredD1(database: D1Database): D1Database {
  const count = <T extends D1Result>(result: T): T => {
    meter.d1 += result.meta.rows_written;
    return result;
  };
  const statement = (raw: D1PreparedStatement): D1PreparedStatement => {
    const made: D1PreparedStatement = overlay(raw, {
      bind: (...values: unknown[]) => statement(raw.bind(...values)),
      run: async () => count(await raw.run()),
      all: async () => count(await raw.all()),
    });
    rawStatements.set(made, raw);
    return made;
  };
  return overlay(database, {
    prepare: (query: string) => statement(database.prepare(query)),
    batch: async (statements: D1PreparedStatement[]) => {
      const results = await database.batch(statements.map((item) => rawStatements.get(item) ?? item));
      return results.map(count);
    },
  });
}

function meteredR2(bucket: R2Bucket): R2Bucket {
  return overlay(bucket, {
    put: (key: string, value: string) => {
      meter.r2_puts++;
      return bucket.put(key, value);
    },
  });
}

/** The object with some members replaced; methods keep their own `this`, which native objects insist on. */
function overlay<T extends object>(target: T, members: object): T {
  return new Proxy(target, {
    get(_target, name) {
      if (Object.hasOwn(members, name)) return Reflect.get(members, name);
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
