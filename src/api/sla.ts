/** Whether a follow-up keeps what it promised, as the API shows it. Pure. */
import type { Policy } from "../decide/policy.ts";
import { type Promising, promiseOf } from "../decide/promise.ts";
import { instantOf } from "./instants.ts";

export interface Sla {
  readonly state: "running" | "met" | "breached";
  /** ISO 8601: the last instant at which a first contact keeps it. */
  readonly due_at: string;
  /** On the policy's clock; what is left is negative when more was used than allowed. */
  readonly elapsed_ms: number;
  readonly left_ms: number;
}

/** Null where nothing is promised (any more). */
export function slaOf(policy: Policy, item: Promising, now: number): Sla | null {
  const promise = promiseOf(policy, item, now);
  if (promise === null || promise.dueAt === null) return null;
  const { state, dueAt, elapsedMs, leftMs } = promise;
  return { state, due_at: instantOf(dueAt), elapsed_ms: elapsedMs, left_ms: leftMs };
}
