/**
 * One API request from start to end: who asks, may it pass, what goes wrong before, the work, what goes wrong after.
 * The work itself is one synchronous turn, so faults strike before or after it and never in between.
 */
import { type Answer, ApiError, invalid, rateLimited } from "./answers.ts";
import type { ScriptedFault } from "./faults.ts";
import { canonical, findRoute, type Route } from "./routes.ts";
import { missingScopes } from "./schemas.ts";
import type { Call, Twin } from "./twin.ts";

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly text: string;
}

/** What leaves: an answer, or null for a broken connection. */
export interface Departure {
  readonly answer: Answer | null;
  readonly fault: string | null;
  readonly committed: boolean;
  readonly delayMs: number;
  readonly rows: number | null;
}

export function serveApi(twin: Twin, request: ApiRequest): Departure {
  const at = twin.now();
  const faults = twin.faults.current;
  const path = canonical(request.path);
  const found = path === null ? null : findRoute(request.method, path);
  if (found === null) return plain(new ApiError(404, "OBJECT_NOT_FOUND", "No such resource").toAnswer());
  const { route, params } = found;
  const scripted = twin.faults.next(request.method, request.path);
  if (scripted?.kind === "drop" || twin.faults.strikes(faults.dropRate)) return broken("drop", false, null);
  if (scripted?.kind === "status" && scripted.commit !== true) {
    return { ...plain(scriptedAnswer(scripted)), fault: `script:${scripted.status}`, delayMs: scripted.delayMs ?? 0 };
  }
  const barred = admit(twin, request, route);
  if (barred !== null) return plain(barred);
  const limited = twin.limits.take(route.budget, faults, at);
  const headers = twin.limits.headers(route.budget, faults, at);
  if (limited !== null) return { ...plain(withHeaders(limited, headers)), fault: "limit" };
  if (twin.faults.strikes(faults.errorRate)) {
    return { ...plain(withHeaders(internal(), headers)), fault: "error_rate" };
  }
  const body = parse(request.text);
  const answer = work(twin, request, route, {
    twin,
    params,
    query: request.query,
    body,
    at,
    failRows: failing(scripted),
  });
  const rows = countRows(body);
  if (scripted?.kind === "lose" || twin.faults.strikes(faults.lostRate)) return broken("lose", true, rows);
  const spoiled = scripted === null ? answer : spoil(answer, scripted);
  const fault = scripted === null ? null : `script:${scripted.kind}`;
  return { answer: withHeaders(spoiled, headers), fault, committed: true, delayMs: scripted?.delayMs ?? 0, rows };
}

function admit(twin: Twin, request: ApiRequest, route: Route): Answer | null {
  const scopes = twin.tokens.scopesOf(request.authorization);
  if (scopes === null) {
    const message = "The OAuth token used to make this call is invalid or has expired.";
    return new ApiError(401, "INVALID_AUTHENTICATION", message, {
      subCategory: "OAuthTokenError.EXPIRED_ACCESS_TOKEN",
    }).toAnswer();
  }
  return scopes.includes(route.scope) ? null : missingScopes([route.scope]).toAnswer();
}

function work(twin: Twin, request: ApiRequest, route: Route, call: Call): Answer {
  const where = `${request.method} ${route.pattern}`;
  try {
    if (request.text !== "" && call.body === undefined) throw invalid("Invalid input JSON");
    const { strictShapes } = twin.faults.current;
    if (
      route.request !== null &&
      !twin.shapes.check("request", route.request, call.body, where, call.at) &&
      strictShapes
    ) {
      return internal("The request does not have the published shape; see /admin/state");
    }
    const answer = route.handler(call);
    const shape = route.answers[answer.status];
    if (shape !== undefined && !twin.shapes.check("answer", shape, answer.body, where, call.at) && strictShapes) {
      return internal("The twin's answer does not have the published shape; see /admin/state");
    }
    return answer;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (twin.faults.current.bareErrors) return { status: error.status, body: { message: error.message } };
    const answer = error.toAnswer();
    twin.shapes.check("answer", ["crm/objects", "ModelError"], answer.body, where, call.at);
    return answer;
  }
}

function failing(scripted: ScriptedFault | null): Call["failRows"] {
  if (scripted?.kind !== "rows") return null;
  const code = scripted.code === undefined ? {} : { code: scripted.code };
  return { rows: new Set(scripted.rows ?? [0]), category: scripted.category ?? "VALIDATION_ERROR", ...code };
}

function scriptedAnswer(fault: ScriptedFault): Answer {
  const status = fault.status ?? 500;
  if (status === 429) return rateLimited(fault.policyName ?? "TEN_SECONDLY_ROLLING", fault.retryAfter ?? null);
  const headers = fault.retryAfter === undefined ? {} : { "Retry-After": String(fault.retryAfter) };
  if (fault.html === true) return { status, headers, html: `<html><body><h1>${status}</h1></body></html>` };
  const usual: Record<number, string> = {
    401: "INVALID_AUTHENTICATION",
    404: "OBJECT_NOT_FOUND",
    409: "CONFLICT",
    423: "LOCKED",
  };
  const category = fault.category ?? usual[status] ?? (status < 500 ? "VALIDATION_ERROR" : "INTERNAL_ERROR");
  const parts = fault.code === undefined ? [] : [{ message: "refused by a fault", code: fault.code }];
  const answer =
    status === 403
      ? missingScopes(["crm.objects.contacts.write"])
      : new ApiError(status, category, "refused by a fault", { parts });
  return { ...answer.toAnswer(), headers: fault.noContentType === true ? { ...headers, "Content-Type": "" } : headers };
}

/** The work is done; only the answer suffers. */
function spoil(answer: Answer, fault: ScriptedFault): Answer {
  const body = (answer.body ?? {}) as { results?: unknown[] };
  switch (fault.kind) {
    case "status":
      return scriptedAnswer(fault);
    case "silent": {
      const rows = new Set(fault.rows ?? [0]);
      return { ...answer, body: { ...body, results: (body.results ?? []).filter((_, index) => !rows.has(index)) } };
    }
    case "pending":
      return { ...answer, body: { ...body, status: "PENDING", results: [] } };
    case "garble":
      return {
        status: answer.status,
        headers: { "Content-Type": "application/json" },
        html: '{"status":"COMPLETE","results":[{"id":',
      };
    default:
      return answer;
  }
}

function internal(message = "internal error"): Answer {
  return new ApiError(500, "INTERNAL_ERROR", message).toAnswer();
}

function plain(answer: Answer): Departure {
  return { answer, fault: null, committed: false, delayMs: 0, rows: null };
}

function broken(fault: string, committed: boolean, rows: number | null): Departure {
  return { answer: null, fault, committed, delayMs: 0, rows };
}

function withHeaders(answer: Answer, headers: Record<string, string>): Answer {
  return { ...answer, headers: { ...headers, ...answer.headers } };
}

function parse(text: string): unknown {
  try {
    return text === "" ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

function countRows(body: unknown): number | null {
  const rows = (body as { inputs?: unknown } | undefined)?.inputs;
  return Array.isArray(rows) ? rows.length : null;
}
