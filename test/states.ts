/** Parts of the state of a person, for tests: each builder fills in what the test at hand does not care about. */
import type { Decision, FollowUp, Identifier, Signal } from "../src/model.ts";
import {
  type Apart,
  type FollowUpRecord,
  type LinkTodo,
  type LogEntry,
  newRoot,
  type Root,
} from "../src/resolve/node.ts";
import type { Tie } from "../src/resolve/ties.ts";

export const email = (value: string): Identifier => ({ type: "email", value });
export const userId = (value: string): Identifier => ({ type: "user_id", value });
export const anonymous = (value: string): Identifier => ({ type: "anonymous_id", value });
export const phone = (value: string): Identifier => ({ type: "phone", value });
export const hubspotContact = (value: string): Identifier => ({ type: "hubspot_contact_id", value });

export const ada = email("ada@example.com");

export function rootOf(name: string, part: Partial<Root> = {}): Root {
  return { ...newRoot(name, "acme"), ...part };
}

/** What the ledger has not confirmed: nothing, but for what is given. */
export function unprojected(part: Partial<Root["unprojected"]> = {}): Root["unprojected"] {
  return { decisions: [], gone: [], closed: [], ...part };
}

export function entryOf(of: Signal, part: Partial<LogEntry> = {}): LogEntry {
  return {
    seq: 1,
    root: "acme/r",
    signal: of,
    node_of: ["acme/r"],
    undecided: { key: of.idempotency_key, decide_at: 5_000, waiting: false },
    ...part,
  };
}

export function linkTo(node: string, part: Partial<LinkTodo> = {}): LinkTodo {
  return { node, identifier: ada, since: 1, from: "acme/r", by: "forms:1", authority: { type: "signal" }, ...part };
}

export function tieBetween(a: string, b: string, part: Partial<Tie> = {}): Tie {
  return { a, b, over: ada, by: "forms:1", authority: { type: "signal" }, at: 1, ...part };
}

export function apartFrom(node: string, part: Partial<Apart> = {}): Apart {
  return {
    node,
    identifier: ada,
    from: "acme/r",
    other: "acme/o",
    reason: "too_many:user_id",
    by: "forms:1",
    at: 1,
    state: "open",
    ...part,
  };
}

/** A person said so, at this instant. */
export function saidApart(node: string, at: number, part: Partial<Apart> = {}): Apart {
  return apartFrom(node, { state: "kept_apart", settled_by: "sam@example.com", settled_at: at, ...part });
}

export function decisionOf(part: Partial<Decision> = {}): Decision {
  return {
    id: "de_1",
    outcome: "none",
    at: 9_000,
    policy_version: 1,
    signals: ["forms:1"],
    tier: "hours",
    level: "none",
    score: { fit: 0, intent: 0, total: 0 },
    reasons: [],
    ...part,
  };
}

export function followUpOf(part: Partial<FollowUp> = {}): FollowUp {
  return {
    id: "fu_1",
    play: "speed to lead",
    state: "open",
    holder: "sam@example.com",
    priority: "high",
    created_at: 9_000,
    due_at: 99_000,
    tier: "seconds",
    policy_version: 1,
    revision: 0,
    trigger: "forms:1",
    accepted_at: 8_000,
    reasons: [],
    ...part,
  };
}

export function recordOf(part: Partial<FollowUpRecord> = {}): FollowUpRecord {
  return { ...followUpOf(), actions: [], ...part };
}
