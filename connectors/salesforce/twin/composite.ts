/**
 * Several requests in one: `composite` (at most 25 parts, five of them queries or collections, references between them) and
 * sObject collections (at most 200 rows, always 200, one result per row).
 */
import { isObjectName, type ObjectName } from "./fields.ts";
import type { Body, Call, Change } from "./records.ts";
import { type Asked, type Desk, failed, notAllowed, notFound, ok, type Reply } from "./reply.ts";
import { rowError } from "./rules.ts";
import { check, requests } from "./shapes.ts";

interface Part {
  readonly method: string;
  readonly url: string;
  readonly referenceId: string;
  readonly body?: unknown;
}

interface PartResult {
  readonly body: unknown;
  readonly httpHeaders: Readonly<Record<string, string>>;
  readonly httpStatusCode: number;
  readonly referenceId: string;
}

type Serve = (desk: Desk, asked: Asked, call: Call) => Reply;

export function compositeReply(desk: Desk, asked: Asked, call: Call, serve: Serve): Reply {
  if (asked.method !== "POST") {
    return notAllowed();
  }
  const wrong = check(requests.composite, asked.body);
  if (wrong !== null) {
    return failed(rowError("JSON_PARSER_ERROR", wrong), "composite");
  }
  const { allOrNone = false, compositeRequest: parts } = asked.body as {
    allOrNone?: boolean;
    compositeRequest: readonly Part[];
  };
  const heavy = parts.filter(({ url }) => /\/v[\d.]+\/(?:query|queryAll|composite\/sobjects)\b/.test(url));
  if (heavy.length > 5) {
    return failed(rowError("LIMIT_EXCEEDED", "Limit of 5 collection or query operations exceeded."), "composite");
  }
  if (new Set(parts.map(({ referenceId }) => referenceId)).size < parts.length) {
    return failed(rowError("INVALID_INPUT", "The referenceId values of a request must differ."), "composite");
  }
  const results: PartResult[] = [];
  const kept = desk.records.store.allOrNone(() => {
    for (const part of parts) {
      const result = runPart(desk, part, results, call, serve);
      results.push(result);
      if (allOrNone && result.httpStatusCode >= 400) {
        return false;
      }
    }
    return true;
  });
  const answered = kept ? results : rolledBack(parts, results);
  return ok("composite", { compositeResponse: answered }, "composite");
}

function runPart(desk: Desk, part: Part, before: readonly PartResult[], call: Call, serve: Serve): PartResult {
  const refer = new References(before);
  const url = refer.text(part.url);
  const body = refer.deep(part.body);
  if (refer.missing !== null) {
    return halted(
      part,
      `Invalid reference specified. No value for ${refer.missing} found in ${refer.missing.split(/[.[]/)[0] ?? ""}`,
    );
  }
  const address = new URL(String(url), "http://part");
  const path = /^\/services\/data\/v68\.0(\/.*|)$/.exec(address.pathname)?.[1];
  if (path === undefined || path === "/composite") {
    return result(part, notFound());
  }
  const reply = serve(desk, { method: part.method, path, query: address.searchParams, body }, call);
  desk.inspect(reply, body, address.searchParams, `composite part ${part.method} ${address.pathname}`);
  return result(part, reply);
}

function result(part: Part, reply: Reply): PartResult {
  const location = reply.status === 201 ? { Location: part.url } : {};
  return {
    body: reply.body ?? null,
    httpHeaders: location,
    httpStatusCode: reply.status,
    referenceId: part.referenceId,
  };
}

function halted(part: Part, message: string): PartResult {
  return {
    body: [{ errorCode: "PROCESSING_HALTED", message }],
    httpHeaders: {},
    httpStatusCode: 400,
    referenceId: part.referenceId,
  };
}

/** The part that failed keeps its error; all others say that they were rolled back. */
function rolledBack(parts: readonly Part[], results: readonly PartResult[]): readonly PartResult[] {
  return parts.map((part) => {
    const own = results.find(({ referenceId }) => referenceId === part.referenceId);
    const message = "The transaction was rolled back since another operation in the same transaction failed.";
    return own !== undefined && own.httpStatusCode >= 400 ? own : halted(part, message);
  });
}

/** `@{ref.id}`, `@{ref[0].id}`, `@{ref.records[0].Id}`. A value that is null becomes null (v52 and later). */
class References {
  readonly #before: readonly PartResult[];
  missing: string | null = null;

  constructor(before: readonly PartResult[]) {
    this.#before = before;
  }

  text(source: string): unknown {
    const whole = /^@\{([^}]*)\}$/.exec(source);
    if (whole?.[1] !== undefined) {
      return this.#find(whole[1]);
    }
    return source.replaceAll(/@\{([^}]*)\}/g, (_, path: string) => String(this.#find(path)));
  }

  deep(value: unknown): unknown {
    if (typeof value === "string") {
      return this.text(value);
    }
    if (Array.isArray(value)) {
      return value.map((item) => this.deep(item));
    }
    return typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, this.deep(item)]))
      : value;
  }

  #find(path: string): unknown {
    const [reference, ...steps] = path.split(/[.[\]]+/).filter((step) => step !== "");
    const part = this.#before.find(
      ({ referenceId, httpStatusCode }) => referenceId === reference && httpStatusCode < 300,
    );
    let value: unknown = part?.body;
    for (const step of steps) {
      value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[step] : undefined;
    }
    if (value === undefined) {
      this.missing ??= path;
    }
    return value;
  }
}

/* -------------------------------------------------------------------------------------------- collections */

const rowsMax = 200;

export function collectionReply(desk: Desk, asked: Asked, [object, field]: readonly string[], call: Call): Reply {
  if (asked.method === "DELETE" && object === undefined) {
    const ids = (asked.query.get("ids") ?? "").split(",");
    return {
      ...ok(
        "rows",
        ids.map((id) => rowOf(removal(desk, id, call), false)),
      ),
      queryNames: ["ids", "allOrNone"],
    };
  }
  const isUpsert = object !== undefined && field !== undefined && asked.method === "PATCH";
  if (!isUpsert && (object !== undefined || (asked.method !== "POST" && asked.method !== "PATCH"))) {
    return notFound();
  }
  const wrong = check(requests.collection, asked.body);
  if (wrong !== null) {
    const many = (asked.body as { records?: unknown[] } | null)?.records?.length ?? 0;
    const error =
      many > rowsMax
        ? rowError("LIMIT_EXCEEDED", `record limit reached. cannot submit more than ${rowsMax} records into this call`)
        : rowError("JSON_PARSER_ERROR", wrong);
    return failed(error, "collection");
  }
  const { allOrNone = false, records } = asked.body as {
    allOrNone?: boolean;
    records: readonly (Body & { attributes: { type: string } })[];
  };
  const changes: Change[] = [];
  const kept = desk.records.store.allOrNone(() => {
    for (const { attributes, ...body } of records) {
      changes.push(changeRow(desk, asked.method, isUpsert ? { object, field } : null, attributes.type, body, call));
    }
    return !allOrNone || changes.every((change) => change.ok);
  });
  const undone: Change = {
    ok: false,
    error: rowError(
      "ALL_OR_NONE_OPERATION_ROLLED_BACK",
      "Record rolled back because not all records were valid and the request was using AllOrNone header",
    ),
  };
  return ok(
    "rows",
    changes.map((change) => rowOf(kept || !change.ok ? change : undone, isUpsert)),
    "collection",
  );
}

function changeRow(
  desk: Desk,
  method: string,
  upsert: { object: string; field: string } | null,
  type: string,
  body: Body,
  call: Call,
): Change {
  if (!isObjectName(type) || (upsert !== null && upsert.object !== type)) {
    return { ok: false, error: rowError("INVALID_TYPE", `sObject type '${type}' is not supported.`) };
  }
  if (upsert !== null) {
    return upsertRow(desk, type, upsert.field, body, call);
  }
  if (method === "POST") {
    return desk.records.create(type, body, call);
  }
  const { id, Id, ...values } = body;
  return desk.records.update(type, String(id ?? Id ?? ""), values, call);
}

function upsertRow(desk: Desk, object: ObjectName, field: string, body: Body, call: Call): Change {
  const { [field]: key, ...values } = body;
  return typeof key === "string" && key !== ""
    ? desk.records.upsert(object, field, key, values, call, false)
    : { ok: false, error: rowError("MISSING_ARGUMENT", `${field} not specified`, [field]) };
}

function removal(desk: Desk, id: string, call: Call): Change {
  const row = desk.records.store.get(id);
  const error =
    row === undefined
      ? rowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
      : desk.records.remove(row.object, id, call);
  return error === null ? { ok: true, id: row?.id ?? id, created: false } : { ok: false, error };
}

/** Errors of rows are named `statusCode` (CRM-FACTS §2.1). */
function rowOf(change: Change, isUpsert: boolean): object {
  if (change.ok) {
    return { id: change.id, success: true, errors: [], ...(isUpsert ? { created: change.created } : {}) };
  }
  const error =
    "error" in change ? change.error : rowError("DUPLICATE_EXTERNAL_ID", "more than one record found for external id");
  const duplicate = error.duplicateResult === undefined ? {} : { duplicateResult: error.duplicateResult };
  return {
    success: false,
    errors: [{ statusCode: error.code, message: error.message, fields: error.fields, ...duplicate }],
  };
}
