/**
 * The platform as the product sees it: objects behind stubs, alarms, Workers, D1, R2 and the queue, with the faults that the
 * platform documents. Calls may be late, overtaken, lost before or after they ran, or run twice; an object's memory may go
 * at any turn; alarms run at least once, maybe late, and are tried again six times when they throw.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { Env, OverflowMessage } from "../../src/env.ts";
import { clone } from "./clone.ts";
import { Disk, type Read, rowsOf, sameList } from "./disk.ts";
import { Actor, type Engine } from "./engine.ts";

export type ObjectClass = new (ctx: DurableObjectState, env: Env) => object;

interface Incoming {
  readonly fail: () => void;
}

const alarmRetriesMax = 6;
const lostMessage = "Network connection lost.";

export class Host {
  readonly platform: Platform;
  readonly className: string;
  readonly name: string;
  readonly disk = new Disk();
  actor: Actor | null = null;
  /** Until then nobody reaches it; what it does by itself goes on. */
  unreachableUntil = 0;
  #instance: object | null = null;
  readonly #calls = new Set<Incoming>();
  #running: { readonly changes: number } | null = null;

  constructor(platform: Platform, className: string, name: string) {
    this.platform = platform;
    this.className = className;
    this.name = name;
    const { engine } = platform;
    this.disk.onSqlError = (error) => engine.fail("SQL", `${this.label}: ${String(error)}`);
    this.disk.onCommit = ({ alarm, keys }) => {
      if (alarm && this.disk.alarm !== null) this.#scheduleAlarm(this.disk.alarm, 0);
      if (keys.length > 0) platform.onState(this);
    };
    this.disk.onInsert = (query, bindings) => platform.onInsert(this, query, bindings);
  }

  get label(): string {
    return this.platform.label(this.name);
  }

  get idle(): boolean {
    return this.actor !== null && this.actor.pending === 0 && this.#calls.size === 0 && this.#running === null;
  }

  deliver(method: string, args: readonly unknown[], reply: (ok: boolean, value: unknown) => void): void {
    const { engine } = this.platform;
    this.platform.onCall(this, method, args);
    const actor = this.#live();
    const incoming: Incoming = { fail: () => reply(false, lostMessage) };
    this.#calls.add(incoming);
    engine.at(engine.now, actor, `${this.label}.${method}`, () => {
      const settle = (ok: boolean, value: unknown) => {
        // Sent with the turn's commit: until then a crash still makes the caller see an error.
        engine.send(() => {
          this.#calls.delete(incoming);
          reply(ok, value);
        });
      };
      this.#invoke(actor, method, args).then(
        (value) => {
          this.platform.onAnswer(method, args, value);
          try {
            settle(true, clone(value));
          } catch (error) {
            engine.fail("RPC", `${this.label}.${method} answers what cannot be cloned: ${String(error)}`);
          }
        },
        (error: unknown) => {
          engine.say(() => `${this.label}.${method} threw ${String(error)}`);
          settle(false, error instanceof Error ? error.message : String(error));
        },
      );
    });
  }

  evict(): void {
    if (this.actor !== null) this.platform.engine.kill(this.actor);
  }

  #live(): Actor {
    this.actor ??= new Actor(this.label, this.disk, () => this.#died());
    return this.actor;
  }

  async #invoke(actor: Actor, method: string, args: readonly unknown[]): Promise<unknown> {
    this.#instance ??= new (this.platform.classOf(this.className))(this.#context(actor), this.platform.newEnv());
    const found: unknown = Reflect.get(this.#instance, method);
    if (typeof found !== "function") throw new TypeError(`The RPC receiver does not implement "${method}"`);
    return Reflect.apply(found, this.#instance, args);
  }

  #died(): void {
    const { engine } = this.platform;
    this.actor = null;
    this.#instance = null;
    this.#running = null;
    const calls = [...this.#calls];
    this.#calls.clear();
    for (const call of calls) call.fail();
    if (this.disk.alarm !== null) this.#scheduleAlarm(this.disk.alarm, 0, engine.between(100, 3_000));
  }

  /* ---- alarms */

  #scheduleAlarm(at: number, retries: number, delayMs = 0): void {
    const { engine } = this.platform;
    const late = engine.strikes("alarm_late", () => this.label) ? engine.between(1_000, 60_000) : engine.between(0, 20);
    const time = Math.max(at, engine.now) + delayMs + late;
    engine.at(time, null, `alarm of ${this.label}`, () => this.#fire(at, retries, false));
  }

  #fire(at: number, retries: number, again: boolean): void {
    const { engine } = this.platform;
    if (!again && this.disk.alarm !== at) return;
    if (this.#running !== null) {
      engine.after(50, null, `alarm of ${this.label}`, () => this.#fire(at, retries, again));
      return;
    }
    const running = { changes: this.disk.alarmChanges };
    this.#running = running;
    const actor = this.#live();
    engine.at(engine.now, actor, `${this.label}.alarm`, () => {
      engine.say(() => `${this.label}.alarm`);
      this.#invoke(actor, "alarm", []).then(
        () => {
          if (!again && this.disk.alarmChanges === running.changes) this.disk.setAlarm(null);
          engine.send(() => {
            this.#running = null;
            if (engine.strikes("alarm_doubled", () => this.label))
              engine.after(engine.between(0, 5_000), null, "alarm again", () => this.#fire(at, 0, true));
          });
        },
        (error: unknown) => {
          engine.say(() => `${this.label}.alarm threw ${String(error)} (retries ${retries})`);
          const unchanged = !again && this.disk.alarmChanges === running.changes;
          const lost = unchanged && retries >= alarmRetriesMax;
          if (lost) this.disk.setAlarm(null);
          engine.send(() => {
            this.#running = null;
            if (lost) engine.say(() => `!! alarm of ${this.label} is given up`);
            else if (unchanged) this.#scheduleAlarm(at, retries + 1, 2_000 * 2 ** retries);
          });
        },
      );
    });
  }

  /* ---- what the object holds of the platform */

  #context(actor: Actor): DurableObjectState {
    const id = {
      name: this.name,
      toString: () => this.name,
      equals: (other: { name?: string }) => other.name === this.name,
    };
    const context = {
      id,
      storage: this.#storage(actor),
      waitUntil: (work: Promise<unknown>) => void Promise.resolve(work).catch(() => {}),
      blockConcurrencyWhile: <T>(work: () => Promise<T>) => work(),
    };
    return context as unknown as DurableObjectState;
  }

  #storage(actor: Actor): DurableObjectStorage {
    const { engine } = this.platform;
    const { disk } = this;
    const fence = () => {
      if (!actor.alive || engine.current !== actor)
        throw new Error("a dead or foreign incarnation reached for storage");
    };
    const storage = {
      sql: {
        exec: (query: string, ...bindings: unknown[]) => {
          fence();
          const { rows, written } = disk.query(query, bindings);
          return new Cursor(rows, written);
        },
      },
      kv: {
        get: (key: string) => {
          fence();
          return clone(disk.kv.get(key));
        },
        put: (key: string, value: unknown) => {
          fence();
          disk.put(key, value);
        },
        delete: (key: string) => {
          fence();
          return disk.remove(key);
        },
      },
      transactionSync: <T>(work: () => T): T => {
        fence();
        return disk.transaction(work);
      },
      getAlarm: async () => {
        fence();
        return this.#running !== null && disk.alarmChanges === this.#running.changes ? null : disk.alarm;
      },
      setAlarm: async (at: number | Date) => {
        fence();
        disk.setAlarm(Number(at));
      },
      deleteAlarm: async () => {
        fence();
        disk.setAlarm(null);
      },
    };
    return storage as unknown as DurableObjectStorage;
  }
}

class Cursor {
  readonly rowsWritten: number;
  readonly #rows: Record<string, unknown>[];

  constructor(rows: Record<string, unknown>[], written: number) {
    this.#rows = rows;
    this.rowsWritten = written;
  }

  get rowsRead(): number {
    return this.#rows.length;
  }

  toArray(): Record<string, unknown>[] {
    return this.#rows;
  }

  one(): Record<string, unknown> | undefined {
    return this.#rows[0];
  }

  [Symbol.iterator](): Iterator<Record<string, unknown>> {
    return this.#rows[Symbol.iterator]();
  }
}

export class Platform {
  readonly engine: Engine;
  readonly hosts = new Map<string, Host>();
  readonly labels = new Map<string, string>();
  readonly #classes: Readonly<Record<string, ObjectClass>>;
  readonly #control: Database;
  readonly ledger: Database;
  readonly bucket = new Map<string, string>();
  readonly queue: Overflow;
  onState: (host: Host) => void = () => {};
  onInsert: (host: Host, query: string, bindings: readonly unknown[]) => void = () => {};
  onLedger: () => void = () => {};
  onAnswer: (method: string, args: readonly unknown[], value: unknown) => void = () => {};
  onCall: (host: Host, method: string, args: readonly unknown[]) => void = () => {};
  #workers = 0;

  constructor(
    engine: Engine,
    parts: {
      readonly classes: Readonly<Record<string, ObjectClass>>;
      readonly control: Database;
      readonly ledger: Database;
      readonly drain: (batch: MessageBatch<OverflowMessage>, env: Env, ctx: ExecutionContext) => Promise<void>;
    },
  ) {
    this.engine = engine;
    this.#classes = parts.classes;
    this.#control = parts.control;
    this.ledger = parts.ledger;
    this.queue = new Overflow(this, parts.drain);
  }

  classOf(name: string): ObjectClass {
    const found = this.#classes[name];
    if (found === undefined) throw new Error(`no class ${name}`);
    return found;
  }

  label(name: string): string {
    return this.labels.get(name) ?? name;
  }

  host(className: string, name: string): Host {
    const key = `${className} ${name}`;
    let host = this.hosts.get(key);
    if (host === undefined) {
      host = new Host(this, className, name);
      this.hosts.set(key, host);
    }
    return host;
  }

  hostsOf(className: string): Host[] {
    return [...this.hosts.values()].filter((host) => host.className === className);
  }

  /** Each incarnation has its own bindings, as if each lived in an isolate of its own: no cache is shared. */
  newEnv(): Env {
    const namespace = (className: string) => ({
      idFromName: (name: string) => ({ name }),
      get: (id: { name: string }) => this.#stub(className, id.name),
    });
    const env = {
      CONTROL: this.#d1(this.#control, "control"),
      LEDGER_0: this.#d1(this.ledger, "ledger"),
      HISTORY: this.#r2(),
      OVERFLOW: { send: (body: OverflowMessage) => this.queue.send(body) },
      IDENTITY: namespace("identity"),
      ACCOUNT: namespace("account"),
      PROJECTOR: namespace("projector"),
      TEAM: namespace("team"),
      COMPANY: namespace("company"),
      PUBLIC_URL: "https://baton.example.com",
      HUBSPOT_LOGIN_URL: "https://hubspot.example.com",
      HUBSPOT_API_URL: "https://hubspot.example.com",
      SALESFORCE_LOGIN_URL: "https://salesforce.example.com",
      BATON_MASTER_KEY: "simulated-master-key",
      BATON_ADMIN_TOKEN: "simulated-admin-token",
    };
    return env as unknown as Env;
  }

  /** Runs a Worker once. `ended` hears nothing when the run dies. */
  spawn<T>(
    name: string,
    work: (env: Env, ctx: ExecutionContext) => Promise<T>,
    ended: (result: { readonly ok: true; readonly value: T } | { readonly ok: false }) => void,
    died: () => void,
  ): void {
    const actor = new Actor(`${name}~${++this.#workers}`, null, () => {
      this.engine.say(() => `${name} died`);
      died();
    });
    const ctx = { waitUntil: (later: Promise<unknown>) => void Promise.resolve(later).catch(() => {}) };
    this.engine.at(this.engine.now, actor, name, () => {
      work(this.newEnv(), ctx as unknown as ExecutionContext).then(
        (value) => this.engine.send(() => ended({ ok: true, value })),
        () => this.engine.send(() => ended({ ok: false })),
      );
    });
  }

  /** Something asked of the world by the actor whose turn it is. `go` runs when the turn has committed. */
  ask<T>(
    go: (
      answer: (delayMs: number, settle: () => void) => void,
      ok: (value: T) => void,
      no: (error: Error) => void,
    ) => void,
  ): Promise<T> {
    const { engine } = this;
    const actor = engine.current;
    if (actor === null) throw new Error("asked outside of a turn");
    actor.pending++;
    return new Promise<T>((resolve, reject) => {
      engine.send(() =>
        go(
          (delayMs, settle) => {
            actor.pending--;
            engine.after(delayMs, actor, `answer to ${actor.name}`, settle);
          },
          resolve,
          reject,
        ),
      );
    });
  }

  hop(): number {
    const { engine } = this;
    return engine.strikes("call_slow", () => "") ? engine.between(100, 3_000) : engine.between(0, 12);
  }

  #stub(className: string, name: string): object {
    return new Proxy(
      {},
      {
        get: (_target, method) =>
          typeof method !== "string" || method === "then"
            ? undefined
            : (...args: unknown[]) => this.#call(className, name, method, clone(args)),
      },
    );
  }

  #call(className: string, name: string, method: string, args: readonly unknown[]): Promise<unknown> {
    const { engine } = this;
    const from = engine.current?.name ?? "";
    return this.ask<unknown>((answer, resolve, reject) => {
      const what = () => `${from} → ${this.label(name)}.${method}`;
      const lost = () => answer(engine.between(0, 2_000), () => reject(new Error(lostMessage)));
      if (engine.strikes("call_lost_before", what)) return lost();
      const losesAnswer = engine.strikes("call_lost_after", what);
      engine.after(this.hop(), null, method, () => {
        engine.say(() => `${what()}(${brief(args)})`);
        if (this.host(className, name).unreachableUntil > engine.now && !engine.faults.over) return lost();
        this.host(className, name).deliver(method, args, (ok, value) => {
          engine.say(() => `${this.label(name)}.${method} = ${ok ? brief(value) : `error ${String(value)}`}`);
          if (losesAnswer) return lost();
          answer(this.hop(), () => (ok ? resolve(value) : reject(new Error(String(value)))));
        });
      });
      if (engine.strikes("call_doubled", what))
        engine.after(engine.between(0, 4_000), null, method, () =>
          this.host(className, name).deliver(method, clone(args), () => {}),
        );
    });
  }

  /* ---- D1 */

  #d1(database: Database, name: "control" | "ledger"): D1Database {
    const execute = (statements: readonly Bound[]): Promise<{ results: unknown[] }[]> =>
      this.ask((answer, resolve, reject) => {
        const { engine } = this;
        const fail = () =>
          answer(engine.between(1, 1_000), () => reject(new Error("D1_ERROR: storage operation exceeded timeout")));
        if (engine.strikes("d1_lost_before", () => name)) return fail();
        const losesAnswer = engine.strikes("d1_lost_after", () => name);
        const slow = engine.strikes("d1_slow", () => name);
        engine.after(slow ? engine.between(500, 5_000) : engine.between(1, 10), null, "d1", () => {
          const results = database.batch(statements);
          if (name === "ledger") {
            engine.say(() => "ledger written");
            this.onLedger();
          }
          if (losesAnswer) return fail();
          answer(this.hop(), () => resolve(clone(results)));
        });
      });
    const prepare = (sql: string, bindings: readonly unknown[] = []): object => ({
      sql,
      bindings,
      bind: (...values: unknown[]) => prepare(sql, values),
      first: async () => (await execute([{ sql, bindings }]))[0]?.results[0] ?? null,
      all: async () => (await execute([{ sql, bindings }]))[0],
      run: async () => (await execute([{ sql, bindings }]))[0],
    });
    return { prepare, batch: (statements: readonly Bound[]) => execute(statements) } as unknown as D1Database;
  }

  /* ---- R2 */

  #r2(): R2Bucket {
    const bucket = {
      put: (key: string, text: string) =>
        this.ask<void>((answer, resolve) => {
          this.bucket.set(key, text);
          answer(this.hop(), resolve);
        }),
      get: (key: string) =>
        this.ask<{ text(): Promise<string> } | null>((answer, resolve) => {
          const text = this.bucket.get(key);
          answer(this.hop(), () => resolve(text === undefined ? null : { text: async () => text }));
        }),
      list: ({ prefix, startAfter = "" }: { prefix: string; startAfter?: string }) =>
        this.ask((answer, resolve) => {
          const keys = [...this.bucket.keys()].filter((key) => key.startsWith(prefix) && key > startAfter).sort();
          answer(this.hop(), () => resolve({ objects: keys.map((key) => ({ key })), truncated: false }));
        }),
    };
    return bucket as unknown as R2Bucket;
  }
}

interface Bound {
  readonly sql: string;
  readonly bindings: readonly unknown[];
}

interface Statement {
  readonly run: StatementSync;
  /** The table it writes to; null: it reads. */
  readonly writes: string | null;
  readonly columns: readonly string[];
}

/** One D1 database; lives as long as the process and is emptied between schedules. */
export class Database {
  readonly db = new DatabaseSync(":memory:");
  readonly #statements = new Map<string, Statement>();
  /** What was read since the last write: the same question has the same answer. */
  readonly #read = new Map<Statement, Read>();
  readonly #changed = new Set<string>();
  readonly #begin = this.db.prepare("BEGIN");
  readonly #commit = this.db.prepare("COMMIT");
  readonly #rollback = this.db.prepare("ROLLBACK");

  constructor(migrations: readonly string[]) {
    for (const sql of migrations) this.db.exec(sql);
  }

  batch(statements: readonly Bound[]): { results: unknown[]; success: true; meta: object }[] {
    const work = () =>
      statements.map(({ sql, bindings }) => ({ results: this.all(sql, bindings), success: true as const, meta: {} }));
    // One statement is atomic by itself, and reads need not be.
    if (statements.length === 1 || statements.every(({ sql }) => sql.startsWith("SELECT"))) return work();
    this.#begin.run();
    try {
      const results = work();
      this.#commit.run();
      return results;
    } catch (error) {
      this.#rollback.run();
      this.#read.clear();
      throw error;
    }
  }

  all(sql: string, bindings: readonly unknown[] = []): unknown[] {
    const statement = this.#statement(sql);
    if (statement.writes !== null) {
      this.#read.clear();
      const { changes } = statement.run.run(...(bindings as SQLInputValue[]));
      if (changes > 0) this.#changed.add(statement.writes);
      return [];
    }
    let known = this.#read.get(statement);
    if (known === undefined || !sameList(known.bindings, bindings)) {
      known = { bindings, values: statement.run.all(...(bindings as SQLInputValue[])) as unknown as unknown[][] };
      this.#read.set(statement, known);
    }
    return rowsOf(statement.columns, known.values);
  }

  /** True when rows of a table were written since the last time it was asked for. */
  hasChanged(table: string): boolean {
    return this.#changed.delete(table);
  }

  #statement(sql: string): Statement {
    let known = this.#statements.get(sql);
    if (known === undefined) {
      const writes = /^(?:INSERT (?:OR \w+ )?INTO|UPDATE|DELETE FROM) (\w+)/.exec(sql)?.[1] ?? null;
      if (sql.includes("RETURNING") || (writes === null && !sql.startsWith("SELECT")))
        throw new Error(`the simulator does not know this kind of statement: ${sql}`);
      const run = this.db.prepare(sql);
      run.setReturnArrays(true);
      known = { run, writes, columns: run.columns().map(({ name }) => name) };
      this.#statements.set(sql, known);
    }
    return known;
  }

  empty(): void {
    const tables = this.all("SELECT name FROM sqlite_master WHERE type = 'table'") as { name: string }[];
    for (const { name } of tables) this.all(`DELETE FROM ${name}`);
  }
}

/** The overflow queue: at least once, in any order; a message that is not acknowledged comes again. */
class Overflow {
  readonly #platform: Platform;
  readonly #drain: (batch: MessageBatch<OverflowMessage>, env: Env, ctx: ExecutionContext) => Promise<void>;

  constructor(
    platform: Platform,
    drain: (batch: MessageBatch<OverflowMessage>, env: Env, ctx: ExecutionContext) => Promise<void>,
  ) {
    this.#platform = platform;
    this.#drain = drain;
  }

  send(body: OverflowMessage): Promise<void> {
    const { engine } = this.#platform;
    const kept = clone(body);
    return this.#platform.ask<void>((answer, resolve, reject) => {
      const refuses = engine.strikes("queue_refuses", () => "");
      if (refuses && engine.random() < 0.5) return answer(5, () => reject(new Error("Queue sendBatch failed")));
      engine.say(() => `queue takes ${body.signal.id}`);
      this.#later(kept, 1);
      if (engine.strikes("queue_doubled", () => body.signal.id)) this.#later(kept, 1);
      answer(5, refuses ? () => reject(new Error("Queue sendBatch failed")) : resolve);
    });
  }

  #later(body: OverflowMessage, attempts: number, delayMs = 0): void {
    const { engine } = this.#platform;
    const late = engine.strikes("queue_late", () => "") ? engine.between(1_000, 120_000) : engine.between(0, 1_000);
    engine.after(delayMs + late, null, "queue", () => this.#consume(body, attempts));
  }

  #consume(body: OverflowMessage, attempts: number): void {
    const { engine } = this.#platform;
    let verdict: "ack" | number | null = null;
    const again = () => this.#later(body, attempts + 1, 30_000);
    const message = {
      id: body.signal.id,
      body: clone(body),
      attempts,
      // The first word counts.
      ack: () => {
        verdict ??= "ack";
      },
      retry: (options?: { delaySeconds?: number }) => {
        verdict ??= options?.delaySeconds ?? 0;
      },
    };
    const batch = { queue: "baton-overflow", messages: [message] } as unknown as MessageBatch<OverflowMessage>;
    engine.say(() => `queue gives ${body.signal.id} (attempt ${attempts})`);
    this.#platform.spawn(
      "drain",
      (env, ctx) => this.#drain(batch, env, ctx),
      (result) => {
        if (!result.ok) return again();
        if (typeof verdict === "number") this.#later(body, attempts + 1, verdict * 1_000);
      },
      again,
    );
  }
}

function brief(value: unknown): string {
  const text = JSON.stringify(value, (key, item: unknown) => {
    if (key === "policyJson" || key === "lead" || key === "leads" || key === "task" || key === "workspace")
      return undefined;
    if (typeof item === "object" && item !== null && "idempotency_key" in item) return item.idempotency_key;
    return item;
  });
  return text === undefined ? "" : text.length > 240 ? `${text.slice(0, 240)}…` : text;
}
