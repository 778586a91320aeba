/**
 * Failures answer one question: what happens next? Expected ones are values, bugs are throws.
 *
 * | arm           | next                                             |
 * |---------------|--------------------------------------------------|
 * | `refused`     | answer briefly, never retry                      |
 * | `quarantined` | acknowledge, keep sealed, tell the operator      |
 * | `deferred`    | retry after a bounded delay                      |
 * | `unknown`     | look up by idempotency key, then decide          |
 * | `blocked`     | pause this install, ask a person                 |
 *
 * `reason` is a stable, machine-readable word and `detail` a sentence for an operator. Neither ever holds a secret,
 * a token or a personal field: both are logged and both may reach D1.
 */
export type Failure =
  | { readonly arm: "refused"; readonly reason: string; readonly detail?: string }
  | { readonly arm: "quarantined"; readonly reason: string; readonly detail?: string }
  | { readonly arm: "deferred"; readonly reason: string; readonly retryAfterMs: number; readonly detail?: string }
  | { readonly arm: "unknown"; readonly reason: string; readonly detail?: string }
  | { readonly arm: "blocked"; readonly reason: string; readonly detail?: string };

export type Result<T, F = Failure> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: F };

export function ok<T>(value: T): Result<T, never> {
  return { ok: true, value };
}

export function fail<F>(failure: F): Result<never, F> {
  return { ok: false, failure };
}

export function refused(reason: string, detail?: string): Failure {
  return detail === undefined ? { arm: "refused", reason } : { arm: "refused", reason, detail };
}

export function quarantined(reason: string, detail?: string): Failure {
  return detail === undefined ? { arm: "quarantined", reason } : { arm: "quarantined", reason, detail };
}

/** Reached only when a closed union grew an arm that a switch does not handle: a bug, so it throws. */
export function unreachable(value: never): never {
  throw new Error(`unhandled case: ${JSON.stringify(value)}`);
}
