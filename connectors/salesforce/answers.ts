/**
 * Pure. Reads answers. A 2xx is not a receipt until its body says so: each reader gives null for a body it does not
 * understand, and its caller then treats the answer as lost. Composite subresults name an error `errorCode`, collections
 * name it `statusCode` (CRM-FACTS §2.1, §2.2).
 */

export interface CrmError {
  readonly code: string;
  readonly message: string;
  readonly fields: readonly string[];
  /** The record a duplicate rule found. */
  readonly match?: string;
}

/** What became of one request. */
export type Answer =
  | { readonly arm: "answered"; readonly status: number; readonly body: unknown }
  /** An answer that is not a success; `errors` is empty where the body was no JSON, for example a maintenance page. */
  | {
      readonly arm: "failed";
      readonly status: number;
      readonly errors: readonly CrmError[];
      readonly retryAfterMs: number | null;
    }
  /** Sent, and no whole answer came. */
  | { readonly arm: "silent"; readonly reason: string }
  /** Not sent: the requests this conversation may cost are used up. */
  | { readonly arm: "spent" };

/** What became of one row or part: saved, or rejected with the reason. */
export type Saved =
  | { readonly arm: "saved"; readonly id: string; readonly created: boolean }
  | { readonly arm: "rejected"; readonly error: CrmError };

export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** `{id, success, errors, created}` of one record. */
export function readSaved(body: unknown): Saved | null {
  if (!isFields(body)) {
    return null;
  }
  const id = text(body.id);
  if (body.success === true && id !== null) {
    return { arm: "saved", id, created: body.created === true };
  }
  const [error] = readErrors(body.errors);
  return body.success === false && error !== undefined ? { arm: "rejected", error } : null;
}

/** The ordered array of a collections request; null unless there is one readable result for each row. */
export function readRows(body: unknown, count: number): readonly Saved[] | null {
  if (!Array.isArray(body) || body.length !== count) {
    return null;
  }
  const rows = body.map(readSaved);
  return rows.every((row) => row !== null) ? rows : null;
}

/** The parts of a composite by their reference id. */
export function readParts(
  body: unknown,
): ReadonlyMap<string, { readonly status: number; readonly body: unknown }> | null {
  const parts = isFields(body) ? body.compositeResponse : null;
  if (!Array.isArray(parts)) {
    return null;
  }
  const read = new Map<string, { status: number; body: unknown }>();
  for (const part of parts) {
    const reference = isFields(part) ? text(part.referenceId) : null;
    if (!isFields(part) || reference === null || typeof part.httpStatusCode !== "number") {
      return null;
    }
    read.set(reference, { status: part.httpStatusCode, body: part.body });
  }
  return read;
}

/** One write among the parts of a composite. */
export function readPart(part: { readonly status: number; readonly body: unknown } | undefined): Saved | null {
  if (part === undefined) {
    return null;
  }
  if (part.status >= 200 && part.status < 300) {
    return readSaved(part.body);
  }
  const [error] = readErrors(part.body);
  return error === undefined ? null : { arm: "rejected", error };
}

export function readQuery(body: unknown): { readonly records: readonly Fields[]; readonly next: string | null } | null {
  if (!isFields(body) || typeof body.done !== "boolean" || !Array.isArray(body.records)) {
    return null;
  }
  const next = text(body.nextRecordsUrl);
  const records = body.records;
  return records.every(isFields) && body.done === (next === null) ? { records, next } : null;
}

/** Errors as an array of `{message, errorCode | statusCode, fields?}`; one alone is read too, for jsforce unwraps it. */
export function readErrors(body: unknown): readonly CrmError[] {
  const list = Array.isArray(body) ? body : [body];
  return list.flatMap((item) => {
    const code = isFields(item) ? (text(item.errorCode) ?? text(item.statusCode)) : null;
    if (!isFields(item) || code === null) {
      return [];
    }
    const fields = Array.isArray(item.fields) ? item.fields.filter((field) => typeof field === "string") : [];
    const match = readMatch(item.duplicateResult);
    return [{ code, message: text(item.message) ?? "", fields, ...(match === null ? {} : { match }) }];
  });
}

/** `duplicateResult.matchResults[].matchRecords[].record.Id`; a Contact is preferred to a Lead. */
function readMatch(result: unknown): string | null {
  const within = (value: unknown, name: string): readonly unknown[] => {
    const list = isFields(value) ? value[name] : null;
    return Array.isArray(list) ? list : [];
  };
  const ids = within(result, "matchResults")
    .flatMap((found) => within(found, "matchRecords"))
    .map((found) => (isFields(found) && isFields(found.record) ? text(found.record.Id) : null))
    .filter((id) => id !== null);
  return ids.find((id) => id.startsWith("003")) ?? ids.find((id) => id.startsWith("00Q")) ?? null;
}
