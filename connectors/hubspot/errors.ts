/**
 * CRM-FACTS §1.5 as code: an answer that is no success → what happens next. Pure.
 *
 * Nothing in a `Refusal` holds personal data: HubSpot's messages quote e-mail addresses and values, so only codes,
 * property names, scopes and the correlation id are taken from them, each checked against the shape of such a word.
 */
import type { Outcome } from "../contract.ts";

export type Mishap = Exclude<Outcome, { arm: "done" }>;

/** `once`: a lost answer is `unknown`. `repeatable`: reading, or a write that may be repeated: then it is `deferred`. */
export type Effect = "once" | "repeatable";

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  /** Parsed JSON, or null where it was none. */
  readonly body: unknown;
}

export interface Refusal {
  readonly outcome: Mishap;
  /** 0 when nothing was answered or sent. */
  readonly status: number;
  readonly codes: readonly string[];
  readonly properties: readonly string[];
  /** From a clash of e-mail addresses: "Existing ID: 123" (CRM-FACTS §1.3). */
  readonly existingId: string | null;
}

const dayMs = 86_400_000;

export function judge(answer: Answer, effect: Effect): Refusal {
  const facts = read(answer.body);
  return {
    outcome: outcomeOf(answer, facts, effect),
    status: answer.status,
    codes: facts.codes,
    properties: facts.properties,
    existingId: facts.existingId,
  };
}

/** One row's error inside a 207. It has a category instead of a status (CRM-FACTS §1.4). */
export function judgeRow(error: unknown, effect: Effect): Refusal {
  const category = text(record(error).category);
  const status = (category !== null && rowStatuses[category]) || 500;
  return judge({ status, retryAfter: null, body: error }, effect);
}

/** No answer came, or one nobody could read. */
export function lost(effect: Effect, reason = "connection_lost"): Refusal {
  return plain(effect === "once" ? { arm: "unknown", reason } : passing(reason, 2_000));
}

/** Held back by ourselves: certainly not sent. */
export function withheld(reason: string): Refusal {
  return plain(passing(reason, 1_000));
}

/** True where one bad row may have made HubSpot refuse all the others of its batch. */
export function mayBeOneRow(refusal: Refusal): boolean {
  return [400, 404, 409, 422].includes(refusal.status);
}

function outcomeOf(answer: Answer, facts: Facts, effect: Effect): Mishap {
  const { status } = answer;
  const waitMs = retryAfterMs(answer.retryAfter);
  if (status === 401) return { arm: "expired" };
  if (status === 403) {
    const scopes = facts.scopes.length > 0 || facts.category === "MISSING_SCOPES";
    return blocked(scopes ? "missing_scopes" : "forbidden", facts);
  }
  if (status === 409 || facts.codes.includes("CONFLICTING_UNIQUE_VALUE")) {
    return effect === "once" ? { arm: "unknown", reason: "conflict" } : passing("conflict", 1_000);
  }
  if (status === 423) return passing("locked", Math.max(waitMs ?? 0, 2_000));
  if (status === 429) return rateLimited(facts.policy, waitMs);
  if (status === 477) return { ...passing("data_centre_move", waitMs ?? 300_000), scope: "account" };
  if (status >= 400 && status < 500 && status !== 408) {
    return { arm: "refused", reason: word(facts, status), detail: detail(facts, status) };
  }
  if (effect === "once") return { arm: "unknown", reason: `status_${status}` };
  return passing(`status_${status}`, Math.max(waitMs ?? 0, status === 522 ? 60_000 : status === 500 ? 1_000 : 5_000));
}

/** Always for the whole account: the budget is per installed account. `Retry-After` is used if there, never needed. */
function rateLimited(policy: string | null, waitMs: number | null): Mishap {
  const known: Record<string, number> = { TEN_SECONDLY_ROLLING: 10_000, SECONDLY: 1_000, DAILY: 3_600_000 };
  const reason =
    policy === null || known[policy] === undefined ? "rate_limited" : `rate_limited_${policy.toLowerCase()}`;
  return { ...passing(reason, waitMs ?? known[policy ?? ""] ?? 10_000), scope: "account" };
}

interface Facts {
  readonly category: string | null;
  readonly policy: string | null;
  readonly codes: readonly string[];
  readonly properties: readonly string[];
  readonly scopes: readonly string[];
  readonly correlation: string | null;
  readonly existingId: string | null;
}

/** All but `message` is optional in HubSpot's errors. */
function read(body: unknown): Facts {
  const top = record(body);
  const message = text(top.message) ?? "";
  const parts = [top, ...list(top.errors).map(record), ...embedded(message)];
  const codes = new Set<string>();
  const properties = new Set<string>();
  const scopes = new Set<string>();
  for (const part of parts) {
    const context = record(part.context);
    for (const code of [part.code, part.error]) add(codes, code, /^[A-Z][A-Z0-9_]{2,63}$/);
    for (const name of [part.name, ...list(context.propertyName), ...list(context.properties)])
      add(properties, name, propertyName);
    for (const scope of [...list(context.requiredGranularScopes), ...list(context.missingScopes)])
      add(scopes, scope, /^[a-z][a-z0-9._-]{1,99}$/);
    const named = /Property "([a-z][a-z0-9_]*)" does not exist/.exec(text(part.message) ?? "");
    if (named === null) continue;
    codes.add("PROPERTY_DOESNT_EXIST");
    add(properties, named[1], propertyName);
  }
  if (/update\/upsert by non-unique/.test(message)) codes.add("NON_UNIQUE_ID_PROPERTY");
  const category = text(top.category);
  const correlation = text(top.correlationId);
  return {
    category: category !== null && /^[A-Z_]{3,64}$/.test(category) ? category : null,
    policy: text(top.policyName),
    codes: [...codes],
    properties: [...properties],
    scopes: [...scopes],
    correlation: correlation !== null && /^[\w-]{1,64}$/.test(correlation) ? correlation : null,
    existingId: /Existing ID: (\d+)/.exec(message)?.[1] ?? null,
  };
}

/** `Property values were not valid: [{"isValid":false,"error":"INVALID_EMAIL","name":"email",…}]` */
function embedded(message: string): Record<string, unknown>[] {
  const start = message.indexOf("[{");
  if (start < 0) return [];
  try {
    return list(JSON.parse(message.slice(start))).map(record);
  } catch {
    return [];
  }
}

function word(facts: Facts, status: number): string {
  return (facts.codes[0] ?? facts.category ?? `status_${status}`).toLowerCase();
}

function detail(facts: Facts, status: number): string {
  const said = [`HubSpot answered ${status}`, facts.category, ...facts.codes].filter((part) => part !== null).join(" ");
  const about = facts.properties.length > 0 ? `; properties: ${facts.properties.slice(0, 10).join(", ")}` : "";
  return `${said}${about}${facts.correlation === null ? "" : `; correlation ${facts.correlation}`}`;
}

function blocked(reason: string, facts: Facts): Mishap {
  const scopes = facts.scopes.length > 0 ? `; scopes: ${facts.scopes.join(", ")}` : "";
  return { arm: "blocked", reason, detail: `${detail(facts, 403)}${scopes}` };
}

function passing(reason: string, waitMs: number): Extract<Mishap, { arm: "deferred" }> {
  return { arm: "deferred", retryAfterMs: waitMs, scope: "action", reason };
}

function plain(outcome: Mishap): Refusal {
  return { outcome, status: 0, codes: [], properties: [], existingId: null };
}

/** Seconds; a date or nonsense counts as not there. At most a day (CRM-FACTS §1.5, 477). */
function retryAfterMs(header: string | null): number | null {
  if (header === null || !/^\d+$/.test(header.trim())) return null;
  return Math.min(Math.max(Number(header) * 1_000, 1_000), dayMs);
}

/** Rows name a category; it stands for this status. Anything else is treated as a failure of the server. */
const rowStatuses: Readonly<Record<string, number>> = {
  VALIDATION_ERROR: 400,
  INVALID_AUTHENTICATION: 401,
  MISSING_SCOPES: 403,
  OBJECT_NOT_FOUND: 404,
  OBJECT_ALREADY_EXISTS: 409,
  CONFLICT: 409,
  RATE_LIMITS: 429,
};

const propertyName = /^[a-z][a-z0-9_]{0,99}$/;

function add(set: Set<string>, value: unknown, shape: RegExp): void {
  if (typeof value === "string" && shape.test(value)) set.add(value);
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
