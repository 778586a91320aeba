/** One request and its answer: reading, writing, what strikes it, what is checked about it, and what is written down. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type RequestFault, strikeRequest } from "./faults.ts";
import type { Org } from "./org.ts";
import type { Reply } from "./reply.ts";
import { type AnswerShape, answers, check, requests, type tokenForms } from "./shapes.ts";

const bodyBytesMax = 50_000_000;

export class Exchange {
  readonly org: Org;
  /** How the twin names itself. */
  readonly base: string;
  readonly url: URL;
  readonly method: string;
  readonly contentType: string;
  fault: RequestFault["kind"] | null = null;
  rows = 0;
  tasks = 0;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #at: number;

  constructor(org: Org, base: string, request: IncomingMessage, response: ServerResponse) {
    this.org = org;
    this.base = base;
    this.url = new URL(request.url ?? "/", base);
    this.method = request.method ?? "GET";
    this.contentType = request.headers["content-type"] ?? "";
    this.#request = request;
    this.#response = response;
    this.#at = org.options.now();
  }

  get bearer(): string {
    const header = /^Bearer (.+)$/.exec(this.#request.headers.authorization ?? "");
    return header?.[1] ?? this.url.searchParams.get("oauth_token") ?? "";
  }

  get identityUrl(): string {
    return `${this.base}/id/${this.org.organizationId}/${this.org.integrationUserId}`;
  }

  async readBody(): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of this.#request) {
      bytes += (chunk as Buffer).length;
      if (bytes > bodyBytesMax) {
        throw new Error("body too large");
      }
      chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks).toString("utf8");
  }

  /* ------------------------------------------------------------------------------------------- faults */

  /** Draws the fault of this request and answers at once where it leaves nothing done; says whether it did. */
  strike(body: string, withRates: boolean): boolean {
    const incoming = { method: this.method, path: this.url.pathname + this.url.search, body, rows: this.rows };
    this.fault = strikeRequest(this.org.faults, withRates ? this.org.chance : null, incoming);
    switch (this.fault) {
      case "error_500": {
        const message = "An unexpected error occurred. Please include this ErrorId if you contact support: 1-2 (3)";
        this.json(500, [{ errorCode: "UNKNOWN_EXCEPTION", message }], "errors");
        return true;
      }
      case "json_503":
        this.json(
          503,
          [{ errorCode: "SERVER_UNAVAILABLE", message: "The server is temporarily unavailable" }],
          "errors",
        );
        return true;
      case "html_503":
      case "html_200":
        this.html(this.fault === "html_503" ? 503 : 200, "<h1>We are down for maintenance.</h1>");
        return true;
      case "drop_before":
        this.#record(0);
        this.#request.socket.destroy();
        return true;
      case "silent_before":
        this.#record(0);
        return true;
      default:
        return false;
    }
  }

  /* ------------------------------------------------------------------------------------------ answers */

  json(status: number, body: unknown, shape: AnswerShape): void {
    this.#demand("answer", answers[shape], body, shape);
    if (this.fault === "drop_after" || this.fault === "silent_after") {
      this.#record(0);
      if (this.fault === "drop_after") {
        this.#request.socket.destroy();
      }
      return;
    }
    this.#record(status);
    const { apiUsed, apiLimit } = this.org.faults;
    const usage = `api-usage=${apiUsed}/${apiLimit}`;
    this.write(
      status,
      { "content-type": "application/json;charset=UTF-8", "sforce-limit-info": usage },
      body === undefined ? "" : JSON.stringify(body),
    );
  }

  html(status: number, inner: string): void {
    this.#record(status);
    this.write(status, { "content-type": "text/html;charset=UTF-8" }, `<html><body>${inner}</body></html>`);
  }

  redirect(location: string): void {
    this.#record(302);
    this.write(302, { location }, "");
  }

  /** Not written down: what is no part of Salesforce. */
  write(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    this.#response.writeHead(status, headers);
    this.#response.end(body);
  }

  /* ------------------------------------------------------------------------------------------- checks */

  /** The request behind `reply` against its published shape; a part of a composite is checked like a request. */
  inspect(reply: Reply, body: unknown, query: URLSearchParams, where: string): void {
    this.#demand("request", requests[reply.expects], body, `${where} (${reply.expects})`);
    const names = [...query.keys()].filter((name) => reply.queryNames?.includes(name) !== true);
    if (names.length > 0) {
      this.org.journal.violate({ side: "request", where, what: `unknown query parameters: ${names.join(", ")}` });
    }
    if (body !== undefined && !/^application\/json(?:;|$)/.test(this.contentType)) {
      this.org.journal.violate({ side: "request", where, what: "the body is not declared as JSON" });
    }
  }

  inspectAnswer(reply: Reply, where: string): void {
    this.#demand("answer", answers[reply.shape], reply.body, where);
  }

  inspectForm(shape: typeof tokenForms, form: URLSearchParams): void {
    this.#demand("request", shape, Object.fromEntries(form), "token form");
  }

  #demand(side: "request" | "answer", shape: Parameters<typeof check>[0], body: unknown, name: string): void {
    const what = check(shape, body);
    if (what !== null) {
      this.org.journal.violate({ side, where: `${this.method} ${this.url.pathname}: ${name}`, what });
    }
  }

  #record(status: number): void {
    let path = this.url.pathname + this.url.search;
    try {
      path = decodeURIComponent(path.replaceAll("+", " "));
    } catch {
      // An address that cannot be decoded is kept as it came.
    }
    const { method, fault, rows, tasks } = this;
    this.org.journal.add({ at: this.#at, method, path: path.slice(0, 500), status, fault, rows, tasks });
  }
}

/** Undefined where there is no body or no JSON. */
export function parse(body: string): unknown {
  if (body === "") {
    return undefined;
  }
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

export function delay(ms: number): Promise<void> | undefined {
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : undefined;
}
