/** A request to `/services/data`: what may stop it, the race for a key, and what the REST API makes of it. */
import { delay, type Exchange, parse } from "./exchange.ts";
import { type Desk, failed, notFound, ok, type Reply } from "./reply.ts";
import { serve } from "./rest.ts";
import { rowError } from "./rules.ts";

const uriBytesMax = 16_384;

export async function serveData(exchange: Exchange, body: string): Promise<void> {
  const { org, url, method } = exchange;
  await delay(org.faults.latencyMs);
  const parsed = parse(body);
  exchange.rows = countRows(parsed, body);
  exchange.tasks = countTasks(parsed);
  if (exchange.strike(body, true)) {
    return;
  }
  const refusal = refuse(exchange, parsed, body);
  if (refusal !== null) {
    return exchange.json(refusal.status, refusal.body, refusal.shape);
  }
  org.faults.apiUsed += 1;
  const call = org.arrive();
  await delay(org.faults.raceWindowMs);
  const desk: Desk = {
    records: org.records,
    faults: org.faults,
    locators: org.locators,
    pageSize: org.options.pageSize,
    identityUrl: exchange.identityUrl,
    inspect(reply, part, query, where) {
      exchange.inspect(reply, part, query, where);
      exchange.inspectAnswer(reply, where);
    },
  };
  const path = /^\/services\/data\/v68\.0(\/.*|)$/.exec(url.pathname)?.[1];
  const reply =
    path === undefined ? versions(url) : serve(desk, { method, path, query: url.searchParams, body: parsed }, call);
  exchange.inspect(reply, parsed, url.searchParams, `${method} ${url.pathname}`);
  exchange.json(reply.status, reply.body, reply.shape);
}

function versions(url: URL): Reply {
  const isRoot = url.pathname.replace(/\/$/, "") === "/services/data";
  return isRoot ? ok("versions", [{ label: "Winter '27", url: "/services/data/v68.0", version: "68.0" }]) : notFound();
}

/** What stops a request before it reaches the org's data. */
function refuse(exchange: Exchange, parsed: unknown, body: string): Reply | null {
  const { faults, sessions } = exchange.org;
  const { fault, bearer } = exchange;
  if (exchange.url.pathname.length + exchange.url.search.length > uriBytesMax) {
    return failed(rowError("URI_TOO_LONG", "URI Too Long", [], 414));
  }
  if (fault === "expire") {
    sessions.expire(bearer);
  }
  if (fault === "session_refused") {
    return failed(rowError("INVALID_SESSION_ID", "This session is not valid for use with the REST API", [], 401));
  }
  if (!sessions.accepts(bearer)) {
    return failed(rowError("INVALID_SESSION_ID", "Session expired or invalid", [], 401));
  }
  if (fault === "request_limit" || faults.apiUsed >= faults.apiLimit) {
    return failed(rowError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", [], 403));
  }
  if (fault === "concurrent_limit") {
    const message = "ConcurrentRequests (Concurrent API Requests) Limit exceeded.";
    return failed(rowError("REQUEST_LIMIT_EXCEEDED", message, [], 403));
  }
  if (fault === "api_disabled") {
    return failed(rowError("API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner", [], 403));
  }
  const isBroken = fault === "refused_whole" || (body !== "" && parsed === undefined);
  return isBroken ? failed(rowError("JSON_PARSER_ERROR", "Unexpected character at [line:1, column:1]")) : null;
}

/** Rows of a collections request that say they are tasks. */
function countTasks(parsed: unknown): number {
  const isTask = (row: unknown) => (row as { attributes?: { type?: unknown } } | null)?.attributes?.type === "Task";
  const { records } = (parsed ?? {}) as { records?: unknown };
  return Array.isArray(records) ? records.filter(isTask).length : 0;
}

/** Rows of a collections request, parts of a composite, else 1 or 0. */
function countRows(parsed: unknown, body: string): number {
  if (typeof parsed !== "object" || parsed === null) {
    return body === "" ? 0 : 1;
  }
  const list = "records" in parsed ? parsed.records : "compositeRequest" in parsed ? parsed.compositeRequest : [parsed];
  return Array.isArray(list) ? list.length : 1;
}
