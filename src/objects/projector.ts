/**
 * Gathers projections of many leads into one D1 batch. Holds nothing that matters: a caller keeps its obligation until this
 * object answers, so a crash here only means that it is asked again.
 */
import { DurableObject } from "cloudflare:workers";
import { randomToken } from "../crypto.ts";
import type { Env } from "../env.ts";
import { type Erasure, erasureStatements, nameless } from "../ledger/erasures.ts";
import { projectStatements } from "../ledger/project.ts";
import type { Projection } from "../ledger/rows.ts";
import { ledgerOf } from "../ledger/shards.ts";
import { projectorRowsMax, projectorWindowMs } from "../limits.ts";
import { errorName, log } from "../log.ts";

interface Waiting {
  readonly projection: Projection;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface Count {
  readonly workspace: string;
  readonly emitter: string;
  /** E.g. `accepted`, `duplicate`, `refused:signature`. */
  readonly what: string;
  readonly count: number;
}

/** Counts lie in memory for so long; they are statistics and may lose this much in a crash. */
const countsWindowMs = 5_000;

export class ProjectorObject extends DurableObject<Env> {
  #waiting: Waiting[] = [];
  #flushing: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #counts = new Map<string, Count>();
  #countsTimer: ReturnType<typeof setTimeout> | null = null;

  /** Resolves when the ledger has it. Rejects when it has not; the caller tries again later. */
  project(projection: Projection): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ projection, resolve, reject: (error) => reject(error) });
      if (this.#waiting.length >= projectorRowsMax) this.#flush();
      else this.#timer ??= setTimeout(() => this.#flush(), projectorWindowMs);
    });
  }

  /** Behind whatever is gathered already, which may speak of the same person. Rejects when the ledger did not take it. */
  erase(call: { readonly shown: Projection; readonly erasure: Erasure; readonly version: number }): Promise<void> {
    if (this.#waiting.length > 0) this.#flush();
    const ledger = ledgerOf(this.env, this.#shard());
    const rows = nameless(call.shown, call.erasure.leads, call.version);
    const statements = [
      ...projectStatements(ledger, [rows], "", Date.now()),
      ...erasureStatements(ledger, call.erasure, call.version),
    ];
    return this.#flushing.then(async () => {
      await ledger.batch(statements);
    });
  }

  count(counts: readonly Count[]): void {
    for (const item of counts) {
      const key = `${item.workspace}|${item.emitter}|${item.what}`;
      const known = this.#counts.get(key);
      this.#counts.set(key, known === undefined ? item : { ...known, count: known.count + item.count });
    }
    this.#countsTimer ??= setTimeout(() => this.ctx.waitUntil(this.#flushCounts()), countsWindowMs);
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#flushing = this.#flushing.then(() => this.#write(batch));
    this.ctx.waitUntil(this.#flushing);
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    try {
      const now = Date.now();
      const chunkId = `${now.toString(36)}.${randomToken(6)}`;
      await ledgerOf(this.env, this.#shard()).batch(
        projectStatements(
          ledgerOf(this.env, this.#shard()),
          batch.map((item) => item.projection),
          chunkId,
          now,
        ),
      );
      for (const item of batch) item.resolve();
    } catch (error) {
      log("error", "projector.write", { error: errorName(error), rows: batch.length });
      for (const item of batch) item.reject(new Error("the ledger did not take the batch"));
    }
  }

  async #flushCounts(): Promise<void> {
    this.#countsTimer = null;
    const counts = [...this.#counts.values()];
    this.#counts.clear();
    const day = Math.floor(Date.now() / 86_400_000);
    const ledger = ledgerOf(this.env, this.#shard());
    const statement = ledger.prepare(
      `INSERT INTO counts (workspace, emitter, day, what, count)
       SELECT value ->> '$.workspace', value ->> '$.emitter', ?1, value ->> '$.what', value ->> '$.count' FROM json_each(?2) WHERE true
       ON CONFLICT (workspace, emitter, day, what) DO UPDATE SET count = count + excluded.count`,
    );
    try {
      await statement.bind(day, JSON.stringify(counts)).run();
    } catch (error) {
      log("warn", "projector.counts", { error: errorName(error), lost: counts.length });
    }
  }

  /** The name of a projector is `ledger-<shard>/<lane>`. */
  #shard(): number {
    const match = /^ledger-(\d+)\//.exec(this.ctx.id.name ?? "ledger-0/");
    return Number(match?.[1] ?? 0);
  }
}
