/**
 * The only file that sends to Salesforce. It uses jsforce's `HttpApi`, the part that signs a request and reads the answer and its
 * errors, and gives each request a transport of its own, so that it leaves through the session's `send`: the account object
 * counts it, relays it and ends it.
 *
 * jsforce's `Connection` and its own transport are never loaded: 20 KB less in the Worker, no hidden retries of GET, PUT and
 * DELETE, no 30-minute time-out, and no `undici` (which a Worker cannot start). `HttpApiError` has neither status nor
 * headers; the transport keeps both. Loaded with `await import()`, so that a Worker's start does not evaluate jsforce.
 */
import { PassThrough } from "node:stream";
import type { Connection } from "jsforce/lib/connection.js";
import { HttpApi } from "jsforce/lib/http-api.js";
import type { Transport } from "jsforce/lib/transport.js";
import type { HttpRequest, HttpRequestOptions, HttpResponse } from "jsforce/lib/types/common.js";
import { StreamPromise } from "jsforce/lib/util/promise.js";
import { crmDeadlineMs } from "../../src/limits.ts";
import type { CrmSession, Send } from "../contract.ts";
import { type Answer, readErrors } from "./answers.ts";
import { type CrmRequest, root } from "./requests.ts";

/** A bounded conversation with one org. Nothing is retried here. */
export class Conversation {
  readonly #apiUrl: string;
  readonly #connection: Connection;
  readonly #send: Send;
  #left: number;

  constructor(session: CrmSession, requestsMax: number) {
    this.#apiUrl = session.apiUrl;
    // All that `HttpApi` needs of a connection (test/unit/stand-ins.test.ts).
    this.#connection = { accessToken: session.accessToken } as Connection;
    this.#send = session.send;
    this.#left = requestsMax;
  }

  async ask(request: CrmRequest): Promise<Answer> {
    if (this.#left === 0) {
      return { arm: "spent" };
    }
    this.#left -= 1;
    const transport = new SessionTransport(this.#send);
    const json =
      request.body === undefined
        ? {}
        : { body: JSON.stringify(request.body), headers: { "content-type": "application/json" } };
    try {
      const url = this.#apiUrl + (request.path.startsWith("/services/") ? request.path : root + request.path);
      const http = new HttpApi(this.#connection, { transport, timeout: crmDeadlineMs });
      const body = await http.request({ method: request.method, url, ...json });
      const status = transport.status ?? 0;
      return status >= 200 && status < 300
        ? { arm: "answered", status, body }
        : { arm: "failed", status, errors: [], retryAfterMs: transport.retryAfterMs };
    } catch (error) {
      if (transport.status === null) {
        return { arm: "silent", reason: error instanceof Deadline ? "deadline_passed" : "connection_broken" };
      }
      // Where the body names no error jsforce makes up `ERROR_HTTP_nnn`; the status says that already.
      const data = error instanceof Error && "data" in error ? error.data : null;
      return {
        arm: "failed",
        status: transport.status,
        errors: readErrors(data).filter(({ code }) => !code.startsWith("ERROR_HTTP_")),
        retryAfterMs: transport.retryAfterMs,
      };
    }
  }
}

/** A form to the token endpoint; jsforce's own OAuth2 would lose the status and the error code. */
export async function sendForm(
  send: Send,
  url: string,
  form: URLSearchParams,
): Promise<{ status: number; body: unknown } | { status: null }> {
  try {
    const headers = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
    const { status, body } = await exchange(
      send,
      url,
      { method: "POST", headers, body: form.toString() },
      crmDeadlineMs,
    );
    return { status, body: parse(body) };
  } catch {
    return { status: null };
  }
}

/** One per request: it remembers the status and the headers jsforce's errors do not carry. */
class SessionTransport implements Pick<Transport, "httpRequest"> {
  status: number | null = null;
  retryAfterMs: number | null = null;
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  httpRequest(request: HttpRequest, options: HttpRequestOptions = {}): StreamPromise<HttpResponse> {
    return StreamPromise.create(() => ({
      stream: new PassThrough(),
      promise: this.#run(request, options.timeout ?? crmDeadlineMs),
    }));
  }

  async #run(request: HttpRequest, timeoutMs: number): Promise<HttpResponse> {
    const headers = new Headers(request.headers);
    headers.delete("content-length");
    const init = {
      method: request.method,
      headers,
      ...(typeof request.body === "string" ? { body: request.body } : {}),
    };
    const { status, headers: answered, body } = await exchange(this.#send, request.url, init, timeoutMs);
    this.retryAfterMs = retryAfterMs(answered.get("retry-after"), Date.now());
    this.status = status;
    return { statusCode: status, headers: Object.fromEntries(answered), body };
  }
}

class Deadline extends Error {}

/** The whole answer within the deadline, or a rejection. A redirect is an answer: a token must not follow one. */
async function exchange(
  send: Send,
  url: string,
  init: RequestInit,
  timeoutMs: number,
): Promise<{ status: number; headers: Headers; body: string }> {
  const abort = new AbortController();
  const work = async (): Promise<{ status: number; headers: Headers; body: string }> => {
    const response = await send(new Request(url, { ...init, redirect: "manual", signal: abort.signal }));
    return { status: response.status, headers: response.headers, body: await response.text() };
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Deadline());
      abort.abort();
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(), deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Seconds or a date; null where there is none. At most a day, so that a wrong header cannot stop an account for ever. */
function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) {
    return null;
  }
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), 86_400_000) : null;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
