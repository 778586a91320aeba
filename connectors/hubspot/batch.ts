/**
 * What became of each row of a batch. A 2xx is no receipt until its body names the row: a row with neither a result nor
 * an error is `silent`, and whoever asked decides what that means (STYLE; CRM-FACTS §1.4).
 *
 * One bad row can make HubSpot refuse the whole batch, so a refused batch is halved until the bad row stands alone: about
 * 2·log2(n) requests for one bad row instead of n. When the allowance is used up, the rest is `deferred`: never sent.
 */
import { fail, ok, type Result } from "../../src/failure.ts";
import type { BatchAnswer, ObjectResult, Reply } from "./client.ts";
import { type Effect, judgeRow, lost, type Mishap, mayBeOneRow, type Refusal } from "./errors.ts";

/** A row on its way. `trace` is sent as `objectWriteTraceId`: it only matches answers to rows, it is no idempotency key. */
export interface Row {
  readonly trace: string;
  readonly properties: Readonly<Record<string, string>>;
  /** Knows the row's own record when an answer carries no trace id. */
  readonly recognise?: (result: ObjectResult) => boolean;
}

export type Fate<T> = Result<T, Refusal>;

/** Sends rows and says per row what came of it, in order. */
export async function sendRows<R extends Row>(
  rows: readonly R[],
  effect: Effect,
  send: (rows: readonly R[]) => Reply<BatchAnswer>,
): Promise<Fate<ObjectResult>[]> {
  return divide(rows, send, (sent, answer) => settle(sent, answer, effect));
}

/** The halving itself, for any kind of row and answer. What stops the account stops it too: the rest is not sent. */
export async function divide<R, A, T>(
  rows: readonly R[],
  send: (rows: readonly R[]) => Reply<A>,
  read: (rows: readonly R[], answer: A) => Fate<T>[],
): Promise<Fate<T>[]> {
  if (rows.length === 0) return [];
  const reply = await send(rows);
  if (reply.ok) return read(rows, reply.value);
  const refusal = reply.failure;
  if (rows.length === 1 || !mayBeOneRow(refusal) || concernsAll(rows, refusal)) return rows.map(() => fail(refusal));
  const middle = rows.length >> 1;
  const first = await divide(rows.slice(0, middle), send, read);
  const stop = first.find((fate) => !fate.ok && stopsAll(fate.failure.outcome));
  const rest = rows.slice(middle);
  return [...first, ...(stop === undefined ? await divide(rest, send, read) : rest.map(() => stop))];
}

function stopsAll(outcome: Mishap): boolean {
  if (outcome.arm === "deferred") return outcome.scope === "account";
  return outcome.arm === "expired" || outcome.arm === "blocked";
}

function settle(rows: readonly Row[], answer: BatchAnswer, effect: Effect): Fate<ObjectResult>[] {
  return rows.map((row) => {
    const result =
      answer.results.find((one) => one.objectWriteTraceId === row.trace) ??
      answer.results.find((one) => one.objectWriteTraceId === undefined && row.recognise?.(one) === true) ??
      (rows.length === 1 && answer.errors.length === 0 ? answer.results[0] : undefined);
    if (result !== undefined) return ok(result);
    const error =
      answer.errors.find((one) => mentions(one, row.trace)) ?? (rows.length === 1 ? answer.errors[0] : undefined);
    return fail(error === undefined ? lost(effect, "row_without_answer") : judgeRow(error, effect));
  });
}

/** True when an error's context names one of `ids`, under whatever key. */
export function mentions(error: unknown, ...ids: readonly string[]): boolean {
  const context = (error as { context?: unknown } | null)?.context;
  if (typeof context !== "object" || context === null) return false;
  return Object.values(context).some((value) => Array.isArray(value) && value.some((id) => ids.includes(String(id))));
}

/** A customer's rule asks for a property that no row carries (CRM-FACTS §1.1): halving would only repeat the refusal. */
function concernsAll(rows: readonly unknown[], refusal: Refusal): boolean {
  if (!refusal.codes.includes("MISSING_REQUIRED_PROPERTY") || refusal.properties.length === 0) return false;
  return rows.every((row) => {
    const properties = (row as Partial<Row>).properties ?? {};
    return !refusal.properties.some((name) => name in properties);
  });
}
