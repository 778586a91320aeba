/** HubSpot's answers that are no success, in the published form (CRM-FACTS §1.5), and the thrown form of them. */
import { randomUUID } from "node:crypto";

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** A page for people. */
  readonly html?: string;
}

export interface ErrorPart {
  readonly message: string;
  readonly code?: string;
  readonly in?: string;
  readonly context?: Readonly<Record<string, readonly string[]>>;
}

/** A refusal on its way out: whole, or as one row of a 207. */
export class ApiError extends Error {
  readonly status: number;
  readonly category: string;
  readonly parts: readonly ErrorPart[];
  readonly subCategory: string | undefined;
  readonly context: Readonly<Record<string, readonly string[]>>;

  constructor(
    status: number,
    category: string,
    message: string,
    more: {
      parts?: readonly ErrorPart[];
      subCategory?: string;
      context?: Readonly<Record<string, readonly string[]>>;
    } = {},
  ) {
    super(message);
    this.status = status;
    this.category = category;
    this.parts = more.parts ?? [];
    this.subCategory = more.subCategory;
    this.context = more.context ?? {};
  }

  toAnswer(): Answer {
    return {
      status: this.status,
      body: {
        status: "error",
        message: this.message,
        correlationId: randomUUID(),
        category: this.category,
        ...(this.subCategory === undefined ? {} : { subCategory: this.subCategory }),
        ...(this.parts.length === 0 ? {} : { errors: this.parts }),
        ...(Object.keys(this.context).length === 0 ? {} : { context: this.context }),
      },
    };
  }

  /** One error of a 207; `context` names the row. */
  toRow(context: Readonly<Record<string, readonly string[]>>): Record<string, unknown> {
    return {
      status: "error",
      category: this.category,
      message: this.message,
      context: { ...this.context, ...context },
      errors: this.parts,
      links: {},
      ...(this.subCategory === undefined ? {} : { subCategory: this.subCategory }),
    };
  }
}

export function invalid(message: string, parts: readonly ErrorPart[] = []): ApiError {
  return new ApiError(400, "VALIDATION_ERROR", message, { parts });
}

/** As live accounts answer: the reasons stand as JSON inside the message, values included. */
export function invalidProperty(name: string, code: string, message: string): ApiError {
  const reason = JSON.stringify([{ isValid: false, message, error: code, name }]);
  return invalid(`Property values were not valid: ${reason}`, [{ message, code, context: { propertyName: [name] } }]);
}

export function notFound(what: string): ApiError {
  return new ApiError(404, "OBJECT_NOT_FOUND", what);
}

export function rateLimited(policyName: string, retryAfterSeconds: number | null): Answer {
  const words: Record<string, string> = {
    DAILY: "You have reached your daily limit.",
    TEN_SECONDLY_ROLLING: "You have reached your ten_secondly_rolling limit.",
    SECONDLY: "You have reached your secondly limit.",
  };
  return {
    status: 429,
    body: {
      status: "error",
      message: words[policyName] ?? "You have reached your limit.",
      errorType: "RATE_LIMIT",
      correlationId: randomUUID(),
      policyName,
      requestId: randomUUID(),
    },
    headers: retryAfterSeconds === null ? {} : { "Retry-After": String(retryAfterSeconds) },
  };
}

export function batchAnswer(status: number, startedAt: number, results: unknown[], errors: unknown[] = []): Answer {
  const at = new Date(startedAt).toISOString();
  return {
    status: errors.length > 0 ? 207 : status,
    body: {
      status: "COMPLETE",
      results,
      ...(errors.length > 0 ? { numErrors: errors.length, errors } : {}),
      startedAt: at,
      completedAt: at,
    },
  };
}
