/**
 * Hands a signal to its identity object and follows moves. `true` means durable: the object committed, or, where it could not
 * be reached, the queue took it (DESIGN §3).
 */
import type { Env } from "../env.ts";
import { hintEntriesMax, hopsMax } from "../limits.ts";
import { errorName, log } from "../log.ts";
import type { Signal } from "../model.ts";
import type { ReceiveAnswer, ReceiveCall } from "../objects/identity.ts";
import { identityStub, isOverloaded, nodesOf } from "../objects/names.ts";
import type { Workspace, WorkspaceFacts } from "../workspace.ts";

/** `swallowed`: it told of somebody who was erased, from before that. */
export type Delivered = "applied" | "duplicate" | "swallowed" | "conflict" | "queued";

/** Node -> where it last said its root is. Only tried first, never trusted; bounded. */
const hints = new Map<string, string>();

export async function deliver(
  env: Env,
  workspace: Workspace,
  facts: WorkspaceFacts,
  signal: Signal,
): Promise<Delivered | null> {
  try {
    return await handOver(env, workspace, facts, signal);
  } catch (error) {
    log("warn", "ingest.object_unreachable", {
      workspace: workspace.id,
      error: errorName(error),
      overloaded: isOverloaded(error),
    });
  }
  try {
    await env.OVERFLOW.send({ signal });
    return "queued";
  } catch (error) {
    log("error", "ingest.queue_unreachable", { workspace: workspace.id, error: errorName(error) });
    return null;
  }
}

/** Throws when the object could not be reached. Also used by the queue's consumer, which tries again by itself. */
export async function handOver(
  env: Env,
  workspace: Workspace,
  facts: WorkspaceFacts,
  signal: Signal,
): Promise<Delivered> {
  const nodes = nodesOf(workspace.nameKey, signal);
  const first = nodes[0];
  if (first === undefined) throw new Error("a signal without identifiers got past the door");
  const json = JSON.stringify(signal);
  let target = hints.get(first) ?? first;
  const via: string[] = [];
  // The policy's text travels only to an isolate that does not have this version yet.
  let sentFacts = { ...facts, policyJson: "" };
  for (let hops = 0; hops < hopsMax; hops++) {
    const answer = await receiveAt(env, target, {
      signal: json,
      nodes,
      via,
      workspace: sentFacts,
    });
    if (answer.arm === "policy_needed") {
      sentFacts = facts;
      continue;
    }
    if (answer.arm === "moved") {
      via.push(target);
      target = answer.to;
      if (hints.size >= hintEntriesMax) hints.delete(hints.keys().next().value ?? "");
      hints.set(first, target);
      continue;
    }
    if (answer.arm === "busy") throw new Error("the identity is moving and its new place does not answer");
    return answer.arm;
  }
  throw new Error("too many moves");
}

/** One retry with a new stub: a stub is broken after some errors, and an object may just have been moved or reset. */
async function receiveAt(env: Env, target: string, call: Omit<ReceiveCall, "self">): Promise<ReceiveAnswer> {
  try {
    return await identityStub(env, target).receive({ self: target, ...call });
  } catch (error) {
    if (isOverloaded(error)) throw error;
    return await identityStub(env, target).receive({ self: target, ...call });
  }
}
