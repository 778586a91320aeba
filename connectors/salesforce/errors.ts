/**
 * Pure. The table of CRM-FACTS §2.2: what an answer that is not a success means for us. Reasons and details hold error
 * codes and field names only, for a message may quote what a customer typed.
 */
import type { Outcome } from "../contract.ts";
import type { Answer, CrmError } from "./answers.ts";
import { type Droppable, names } from "./requests.ts";

/** Everything `execute` may say except `done`. */
export type Failed = Exclude<Outcome, { arm: "done" }>;

/** What the client was doing decides what silence means: only a task write may not simply be repeated. */
export type Doing = "read" | "lead" | "task";

export type Verdict =
  /** Someone else made the same key at the same moment: look, and send the upsert again where nothing is found. */
  | { readonly next: "again" }
  /** The person was merged, converted or deleted: find where they are now. */
  | { readonly next: "trace" }
  /** The org does not take this field's value: leave it out. */
  | { readonly next: "without"; readonly field: Droppable }
  /** A duplicate rule knows this person already. */
  | { readonly next: "use"; readonly id: string }
  | { readonly next: "end"; readonly outcome: Failed };

export const delaysMs = { brief: 1_000, retry: 5_000, unavailable: 30_000, limit: 15 * 60_000 } as const;

/** Some 401s are not about age and would be answered the same after a refresh (jsforce keeps this list too, 3.10.26). */
const notExpiry = ["Connected app is not attached to Agent", "not valid for use with the REST API"];

/** Judges one error of one row, part or request. `key` seeds the jitter, for chance has no place in pure code. */
export function judge(error: CrmError, doing: Doing, key: string): Verdict {
  if (isLock(error)) {
    return end({
      arm: "deferred",
      retryAfterMs: delaysMs.brief + jitterMs(key),
      scope: "action",
      reason: "row_locked",
    });
  }
  switch (error.code) {
    case "INVALID_SESSION_ID":
    case "INVALID_AUTH_HEADER":
      return end(
        notExpiry.some((words) => error.message.includes(words))
          ? { arm: "blocked", reason: "session_not_accepted" }
          : { arm: "expired" },
      );
    case "REQUEST_LIMIT_EXCEEDED":
      // "ConcurrentRequests …" is about this moment, "TotalRequests …" about the rolling day.
      return end(
        account("request_limit", error.message.startsWith("Concurrent") ? delaysMs.unavailable : delaysMs.limit),
      );
    case "API_CURRENTLY_DISABLED":
      return end(account("api_currently_disabled", delaysMs.limit));
    case "SERVER_UNAVAILABLE":
    case "QUERY_TIMEOUT":
      return end(
        doing === "task" ? { arm: "unknown", reason: code(error) } : account(code(error), delaysMs.unavailable),
      );
    case "UNKNOWN_EXCEPTION":
      return end(doing === "task" ? { arm: "unknown", reason: code(error) } : deferred(code(error), delaysMs.retry));
    case "PROCESSING_HALTED":
    case "ALL_OR_NONE_OPERATION_ROLLED_BACK":
      return end(deferred("rolled_back", delaysMs.brief));
    case "API_DISABLED_FOR_ORG":
    case "STORAGE_LIMIT_EXCEEDED":
      return end({ arm: "blocked", reason: code(error) });
    case "DUPLICATE_VALUE":
      return isOurKey(error) ? { next: "again" } : refusal(error);
    case "DUPLICATES_DETECTED":
      return error.match === undefined ? refusal(error) : { next: "use", id: error.match };
    case "ENTITY_IS_DELETED":
    case "CANNOT_UPDATE_CONVERTED_LEAD":
      return { next: "trace" };
    case "INVALID_CROSS_REFERENCE_KEY":
    case "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY":
      return error.fields.includes("OwnerId") ? { next: "without", field: "OwnerId" } : { next: "trace" };
    case "INACTIVE_OWNER_OR_USER":
      // The integration user becomes the owner: the follow-up exists and Baton's own routing can move it.
      return { next: "without", field: "OwnerId" };
    case "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST":
      return droppable(error, ["Status", "Priority", "TaskSubtype"]) ?? refusal(error);
    case "INVALID_FIELD_FOR_INSERT_UPDATE":
      // `TaskSubtype` can be set at creation only: the task is there already.
      return droppable(error, ["TaskSubtype"]) ?? end(blocked("field_access_missing", error));
    case "INVALID_FIELD":
    case "INVALID_TYPE":
      return end(blocked(isOurKey(error) ? "package_missing" : "field_access_missing", error));
    case "NOT_FOUND":
      // "Provided external ID field does not exist or is not accessible": what an upsert says when the package is gone.
      return error.message.includes("external ID field") && doing !== "read"
        ? end(blocked("package_missing", error))
        : refusal(error);
    default:
      return refusal(error);
  }
}

/**
 * What a request means that gave no readable success. `answered` is here too: a 2xx whose body nobody understands is an
 * answer that was lost.
 */
export function settle(answer: Answer, doing: Doing, key: string): Failed {
  switch (answer.arm) {
    case "spent":
      return deferred("requests_spent", delaysMs.brief);
    case "silent":
      return judgeSilence(answer.reason, doing);
    case "answered":
      return judgeSilence("answer_unreadable", doing);
    case "failed": {
      const [error] = answer.errors;
      if (error === undefined || answer.status >= 500) {
        return judgeStatus(answer.status, answer.retryAfterMs, doing);
      }
      const verdict = judge(error, doing, key);
      return verdict.next === "end" ? verdict.outcome : refuse(error);
    }
  }
}

/** A request that failed as a whole, and not with an error that belongs to one row of it. */
function judgeStatus(status: number, retryAfterMs: number | null, doing: Doing): Failed {
  if (status === 401) {
    return { arm: "expired" };
  }
  if (status >= 500) {
    // Also the HTML pages of a maintenance. A task write may have been carried out before its server failed.
    return doing === "task"
      ? { arm: "unknown", reason: `http_${status}` }
      : { ...deferred(`http_${status}`, retryAfterMs ?? delaysMs.retry), scope: status === 503 ? "account" : "action" };
  }
  switch (status) {
    case 300:
      // "If several match": the External ID is not unique.
      return { arm: "blocked", reason: "key_not_unique" };
    case 400:
    case 413:
    case 414:
    case 431:
      return { arm: "refused", reason: `http_${status}` };
    case 420:
      return { arm: "blocked", reason: "org_not_available" };
    case 429:
      return account("http_429", retryAfterMs ?? delaysMs.limit);
    default:
      // No error code: a proxy, a login page or a moved domain answered, and it is not about this command.
      return account(`http_${status}`, retryAfterMs ?? delaysMs.unavailable);
  }
}

function judgeSilence(reason: string, doing: Doing): Failed {
  return doing === "task" ? { arm: "unknown", reason } : deferred(reason, delaysMs.retry);
}

export function refuse(error: CrmError): Failed {
  return { arm: "refused", reason: code(error), ...detail(error) };
}

/** UNABLE_TO_LOCK_ROW may hide in the message of another code, a trigger's for example. */
function isLock(error: CrmError): boolean {
  return (
    error.code === "UNABLE_TO_LOCK_ROW" || /UNABLE_TO_LOCK_ROW|unable to obtain exclusive access/.test(error.message)
  );
}

/** The message names the field, "duplicate value found: Baton_Key__c duplicates value on record with id: …", or says `<unknown>`. */
function isOurKey(error: CrmError): boolean {
  return (
    error.message.includes(names.taskKey) ||
    error.message.includes(names.leadKey) ||
    error.message.includes("<unknown>")
  );
}

function droppable(error: CrmError, fields: readonly Droppable[]): Verdict | null {
  const named = fields.find((field) => error.fields.includes(field) || error.message.includes(field));
  return named === undefined || error.fields.some((field) => field !== named)
    ? null
    : { next: "without", field: named };
}

function refusal(error: CrmError): Verdict {
  return end(refuse(error));
}

function end(outcome: Failed): Verdict {
  return { next: "end", outcome };
}

function deferred(reason: string, retryAfterMs: number): Extract<Failed, { arm: "deferred" }> {
  return { arm: "deferred", retryAfterMs, scope: "action", reason };
}

function account(reason: string, retryAfterMs: number): Failed {
  return { arm: "deferred", retryAfterMs, scope: "account", reason };
}

function blocked(reason: string, error: CrmError): Failed {
  return { arm: "blocked", reason, ...detail(error) };
}

/** A code is the vendor's constant; anything else is not repeated. */
function code(error: CrmError): string {
  return /^[A-Z][A-Z0-9_]{2,80}$/.test(error.code) ? error.code.toLowerCase() : "unrecognised";
}

function detail(error: CrmError): { readonly detail?: string } {
  const fields = error.fields.filter((field) => /^[A-Za-z][A-Za-z0-9_.]{0,80}$/.test(field));
  return fields.length === 0 ? {} : { detail: `fields: ${fields.join(", ")}` };
}

/** 0 to 4 s, the same for the same key. */
function jitterMs(key: string): number {
  let hash = 2_166_136_261;
  for (let index = 0; index < key.length; index++) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 16_777_619);
  }
  return (hash >>> 0) % 4_000;
}
