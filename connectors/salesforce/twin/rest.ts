/** The REST API below `/services/data/v68.0`, for one request or for one part of a composite. */

import { assign } from "./cadences.ts";
import { collectionReply, compositeReply } from "./composite.ts";
import { describeObject } from "./describe.ts";
import type { Faults } from "./faults.ts";
import { fieldsOf, isObjectName, type ObjectName, objects } from "./fields.ts";
import { looksLikeId } from "./ids.ts";
import { type Found, runQuery } from "./query.ts";
import type { Body, Call, Change } from "./records.ts";
import { type Asked, type Desk, failed, notAllowed, notFound, ok, type Reply } from "./reply.ts";
import { type RowError, rowError } from "./rules.ts";
import type { Stored } from "./store.ts";

const root = "/services/data/v68.0";

export function serve(desk: Desk, asked: Asked, call: Call): Reply {
  const [head, ...rest] = asked.path.split("/").slice(1).map(decode);
  switch (head) {
    case undefined:
    case "":
      return ok("resources", {
        sobjects: `${root}/sobjects`,
        query: `${root}/query`,
        composite: `${root}/composite`,
        limits: `${root}/limits`,
        identity: desk.identityUrl,
      });
    case "limits":
      return asked.method === "GET" ? ok("limits", limits(desk.faults)) : notAllowed();
    case "query":
    case "queryAll":
      return asked.method === "GET" ? query(desk, head === "queryAll", rest[0], asked.query) : notAllowed();
    case "sobjects":
      return sobjects(desk, asked, rest, call);
    case "composite":
      return rest.length === 0
        ? compositeReply(desk, asked, call, serve)
        : rest[0] === "sobjects"
          ? collectionReply(desk, asked, rest.slice(1), call)
          : notFound();
    case "actions":
      return asked.method === "POST" ? assign(desk, asked, rest.join("/"), call) : notAllowed();
    default:
      return notFound();
  }
}

function sobjects(desk: Desk, asked: Asked, [name, first, second, ...more]: readonly string[], call: Call): Reply {
  if (name === undefined) {
    const described = Object.keys(objects)
      .filter(isObjectName)
      .map((object) => ({ ...describeObject(object, desk.faults.packageMissing), fields: undefined }));
    return ok("sobjects", { encoding: "UTF-8", maxBatchSize: 200, sobjects: JSON.parse(JSON.stringify(described)) });
  }
  const object = Object.keys(objects)
    .filter(isObjectName)
    .find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  if (object === undefined || more.length > 0) {
    return notFound();
  }
  if (first === undefined) {
    return asked.method === "POST"
      ? changed(desk.records.create(object, asBody(asked.body), call), "create")
      : notAllowed();
  }
  if (first === "describe") {
    return asked.method === "GET" ? ok("describe", describeObject(object, desk.faults.packageMissing)) : notAllowed();
  }
  return second === undefined
    ? byId(desk, asked, object, first, call)
    : byKey(desk, asked, object, first, second, call);
}

function byId(desk: Desk, asked: Asked, object: ObjectName, id: string, call: Call): Reply {
  if (!looksLikeId(id)) {
    return failed(
      rowError("NOT_FOUND", `Provided external ID field does not exist or is not accessible: ${id}`, [], 404),
    );
  }
  switch (asked.method) {
    case "GET":
      return read(desk, object, desk.records.store.get(id), asked.query);
    case "PATCH":
      return changed(desk.records.update(object, id, asBody(asked.body), call), "update");
    case "DELETE":
      return removed(desk.records.remove(object, id, call));
    default:
      return notAllowed();
  }
}

function byKey(desk: Desk, asked: Asked, object: ObjectName, field: string, key: string, call: Call): Reply {
  if (asked.method === "PATCH") {
    const updateOnly = asked.query.get("updateOnly") === "true";
    return {
      ...changed(desk.records.upsert(object, field, key, asBody(asked.body), call, updateOnly), "upsert"),
      queryNames: ["updateOnly"],
    };
  }
  const isKey = fieldsOf(object, desk.faults.packageMissing).some(
    (candidate) => candidate.key && candidate.name.toLowerCase() === field.toLowerCase(),
  );
  if (!isKey) {
    return failed(
      rowError("NOT_FOUND", `Provided external ID field does not exist or is not accessible: ${field}`, [], 404),
    );
  }
  const row = desk.records.keyedLive(object, key);
  if (asked.method === "GET") {
    return read(desk, object, row, asked.query);
  }
  return asked.method === "DELETE"
    ? row === undefined
      ? notFound()
      : removed(desk.records.remove(object, row.id, call))
    : notAllowed();
}

function read(desk: Desk, object: ObjectName, row: Stored | undefined, query: URLSearchParams): Reply {
  if (row?.object !== object) {
    return notFound();
  }
  if (row.values.IsDeleted === true) {
    return failed(rowError("ENTITY_IS_DELETED", "entity is deleted", [], 404));
  }
  const names = query.get("fields")?.split(",") ?? fieldsOf(object, desk.faults.packageMissing).map(({ name }) => name);
  const values = Object.fromEntries(names.map((name) => [name, row.values[name] ?? null]));
  return {
    ...ok("record", { attributes: { type: object, url: `${root}/sobjects/${object}/${row.id}` }, ...values }),
    queryNames: ["fields"],
  };
}

function query(desk: Desk, all: boolean, locator: string | undefined, parameters: URLSearchParams): Reply {
  if (locator !== undefined) {
    const [name = "", from] = locator.split("-");
    const known = desk.locators.get(name);
    return known === undefined
      ? failed(rowError("INVALID_QUERY_LOCATOR", "invalid query locator"))
      : page(desk, known, Number(from), name);
  }
  const found = runQuery(desk.records.store, parameters.get("q") ?? "", all, desk.faults);
  return {
    ...("code" in found ? failed(found) : page(desk, found, 0, `01gtwin${desk.locators.size}`)),
    queryNames: ["q"],
  };
}

function page(desk: Desk, found: Found, from: number, name: string): Reply {
  const end = from + desk.pageSize;
  const records = found.records.slice(from, end);
  if (end >= found.records.length) {
    return ok("query", { totalSize: found.total, done: true, records });
  }
  desk.locators.set(name, found);
  return ok("query", { totalSize: found.total, done: false, nextRecordsUrl: `${root}/query/${name}-${end}`, records });
}

function limits(faults: Faults): object {
  const remaining = Math.max(faults.apiLimit - faults.apiUsed, 0);
  return {
    DailyApiRequests: { Max: faults.apiLimit, Remaining: remaining },
    DataStorageMB: { Max: 1_024, Remaining: 1_000 },
  };
}

/** 201 made, 200 changed by key, 204 changed by id, 300 for several. */
function changed(change: Change, how: "create" | "update" | "upsert"): Reply {
  if (!change.ok) {
    const reply =
      "error" in change ? failed(change.error) : { status: 300, body: change.choices, shape: "choices" as const };
    return { ...reply, expects: "values" };
  }
  if (how === "update") {
    return { status: 204, body: undefined, shape: "none", expects: "values" };
  }
  const body = { id: change.id, success: true, errors: [], ...(how === "upsert" ? { created: change.created } : {}) };
  return {
    status: change.created ? 201 : 200,
    body,
    shape: how === "upsert" ? "upserted" : "saved",
    expects: "values",
  };
}

function removed(error: RowError | null): Reply {
  return error === null ? { status: 204, body: undefined, shape: "none", expects: "none" } : failed(error);
}

function asBody(body: unknown): Body {
  return typeof body === "object" && body !== null && !Array.isArray(body) ? (body as Body) : {};
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
