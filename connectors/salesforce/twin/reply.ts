/** What the REST API is asked and what it answers, as data. */
import type { Faults } from "./faults.ts";
import type { Found } from "./query.ts";
import type { Records } from "./records.ts";
import { type RowError, rowError } from "./rules.ts";
import type { AnswerShape, RequestShape } from "./shapes.ts";

export interface Asked {
  readonly method: string;
  /** Below the version, without the query: `/sobjects/Task/…`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly shape: AnswerShape;
  /** What the request should have looked like. */
  readonly expects: RequestShape;
  readonly queryNames?: readonly string[];
}

export interface Desk {
  readonly records: Records;
  readonly faults: Faults;
  readonly locators: Map<string, Found>;
  readonly pageSize: number;
  readonly identityUrl: string;
  /** Checks a part of a composite, and what it is answered, against the published shapes. */
  inspect(reply: Reply, body: unknown, query: URLSearchParams, where: string): void;
}

export function ok(shape: AnswerShape, body: unknown, expects: RequestShape = "none"): Reply {
  return { status: 200, body, shape, expects };
}

export function failed(error: RowError, expects: RequestShape = "none"): Reply {
  const duplicate = error.duplicateResult === undefined ? {} : { duplicateResult: error.duplicateResult };
  const fields = error.code === "NOT_FOUND" || error.code === "INVALID_SESSION_ID" ? {} : { fields: error.fields };
  return {
    status: error.status,
    body: [{ message: error.message, errorCode: error.code, ...fields, ...duplicate }],
    shape: "errors",
    expects,
  };
}

export function notFound(): Reply {
  return failed(rowError("NOT_FOUND", "The requested resource does not exist", [], 404));
}

export function notAllowed(): Reply {
  return failed(
    rowError("METHOD_NOT_ALLOWED", "HTTP Method not allowed. Allowed are HEAD,GET,POST,PATCH,DELETE", [], 405),
  );
}
