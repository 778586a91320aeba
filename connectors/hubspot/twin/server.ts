/**
 * The HubSpot twin as a server: API, OAuth, a page for people, and `/admin`. State is in memory and one request is one
 * turn, so what it says is what it did. Facts it follows: CRM-FACTS §1 and §4; where they say UNSURE there is a switch.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { serveAdmin, stateOf, type TwinState } from "./admin.ts";
import { type Answer, ApiError, invalid } from "./answers.ts";
import { serveApi } from "./api.ts";
import { type CardAnswer, type CardRequest, sendCardRequest } from "./card.ts";
import { FaultBox, type Faults } from "./faults.ts";
import { Journal, type JournalEntry } from "./journal.ts";
import { Limits } from "./limits.ts";
import { Tokens, type TwinGrant } from "./oauth.ts";
import { overview, taskPage } from "./page.ts";
import { contactPage } from "./record.ts";
import { canonical } from "./routes.ts";
import { Schemas } from "./schemas.ts";
import { Sequences } from "./sequences.ts";
import { Shapes } from "./shapes.ts";
import { Store } from "./store.ts";
import type { Account, Owner, Twin } from "./twin.ts";
import { Webhooks } from "./webhooks.ts";

export interface TwinOptions {
  /** 0 takes any free port. */
  readonly port?: number;
  readonly host?: string;
  readonly portalId?: number;
  readonly appId?: number;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly timeZone?: string;
  readonly owners?: readonly Owner[];
  readonly faults?: Partial<Faults>;
  /** Where webhooks go; none are sent without it. */
  readonly webhookTarget?: string;
  /** Where our app's card lives, without a slash at its end; record pages show none without it. */
  readonly cardUrl?: string;
  readonly now?: () => number;
}

export interface HubspotTwin {
  readonly url: string;
  readonly port: number;
  readonly account: Account;
  /** The same as `GET /admin/state`, without the way over HTTP. */
  state(): TwinState;
  journal(since?: number): readonly JournalEntry[];
  setFaults(change: Partial<Faults>): void;
  /** A grant without a browser. */
  grant(scopes?: readonly string[]): TwinGrant;
  card(request: CardRequest): Promise<CardAnswer[]>;
  flushWebhooks(): Promise<void>;
  close(): Promise<void>;
}

export async function startHubspotTwin(options: TwinOptions = {}): Promise<HubspotTwin> {
  const twin = build(options);
  const server = createServer((request, response) => {
    handle(twin, request, response).catch((error: unknown) => {
      // A client that goes away while it sends is no fault of ours.
      if (!(error instanceof Error && "code" in error && error.code === "ECONNRESET"))
        console.error("hubspot twin:", error);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  // Kept-alive connections of thousands of requests: a short life would break some between two requests.
  server.keepAliveTimeout = 60_000;
  const host = options.host ?? "127.0.0.1";
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  twin.address = `${host}:${port}`;
  return {
    url: `http://${twin.address}`,
    port,
    account: twin.account,
    state: () => stateOf(twin),
    journal: (since = 0) => twin.journal.since(since),
    setFaults: (change) => twin.faults.set(change),
    grant: (scopes) => twin.tokens.issue(scopes),
    card: (request) => sendCardRequest(twin, request),
    flushWebhooks: () => twin.webhooks.flush(),
    close: () =>
      new Promise((resolve) => {
        twin.webhooks.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The twin without a server: `serveApi` asks it. */
export function build(options: TwinOptions): Twin {
  const now = options.now ?? Date.now;
  const faults = new FaultBox(options.faults);
  const schemas = new Schemas(() => faults.current);
  const account: Account = {
    portalId: options.portalId ?? 4501,
    appId: options.appId ?? 77,
    clientId: options.clientId ?? "baton-hubspot-client",
    clientSecret: options.clientSecret ?? "baton-hubspot-secret",
    timeZone: options.timeZone ?? "Europe/Berlin",
    owners: options.owners ?? defaultOwners,
  };
  const webhooks = new Webhooks(account, faults, now);
  webhooks.aim(options.webhookTarget ?? null);
  return {
    account,
    now,
    faults,
    schemas,
    store: new Store(
      schemas,
      () => faults.current,
      now,
      (change) => webhooks.add(change),
    ),
    tokens: new Tokens(account, () => faults.current, now),
    limits: new Limits(),
    journal: new Journal(),
    shapes: new Shapes(),
    webhooks,
    sequences: new Sequences(),
    cardUrl: options.cardUrl ?? null,
    address: "",
  };
}

async function handle(twin: Twin, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://twin");
  const method = request.method ?? "GET";
  const text = await readAll(request);
  if (/^\/(crm|account-info|appinstalls|automation)\//.test(url.pathname)) {
    const { latencyMs } = twin.faults.current;
    if (latencyMs > 0) await sleep(latencyMs);
    const authorization = request.headers.authorization;
    const one = serveApi(twin, { method, path: url.pathname, query: url.searchParams, authorization, text });
    note(twin, request, url, one.answer?.status ?? 0, one.fault, one.committed, one.rows);
    if (one.delayMs > 0) await sleep(one.delayMs);
    if (one.answer === null) request.socket.destroy();
    else send(response, one.answer);
    return;
  }
  try {
    const answer = await others(twin, method, url, text);
    if (url.pathname.startsWith("/oauth")) note(twin, request, url, answer?.status ?? 0, null, true, null);
    if (answer === null) request.socket.destroy();
    else send(response, answer);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    send(response, error.toAnswer());
  }
}

async function others(twin: Twin, method: string, url: URL, text: string): Promise<Answer | null> {
  const path = canonical(url.pathname);
  const form = new URLSearchParams(text);
  if (path === "/oauth/authorize") return twin.tokens.authorize(url.searchParams);
  if (method === "POST" && path === "/oauth/token") return tokenWithFaults(twin, url.pathname, form);
  if (method === "POST" && (path === "/oauth/token/introspect" || path === "/oauth/introspect"))
    return twin.tokens.introspect(form);
  if (method === "POST" && path === "/oauth/token/revoke") return twin.tokens.revoke(form);
  const token = /^\/oauth\/access-tokens\/(.+)$/.exec(path ?? "")?.[1];
  if (method === "GET" && token !== undefined) return twin.tokens.describe(decodeURIComponent(token));
  if (url.pathname.startsWith("/admin/")) {
    return serveAdmin(twin, method, url.pathname, url.searchParams, parseAsk(text));
  }
  if (method === "GET" && url.pathname === "/") return { status: 200, html: overview(twin) };
  const record = /^\/(contacts|tasks)\/\d+\/(?:record\/0-1|view\/all\/task)\/(\d+)/.exec(url.pathname);
  const found = record === null ? undefined : twin.store.followed(record[1] as "contacts" | "tasks", record[2] ?? "");
  if (found === undefined) return { status: 404, html: "Nothing here." };
  if (found.type === "contacts") return contactPage(twin, found, { method, url, form });
  return { status: 200, html: taskPage(twin, found) };
}

function parseAsk(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw invalid("Invalid input JSON");
  }
}

/** A refresh is an ambiguous write too: it can be refused, dropped, or done and lost. */
function tokenWithFaults(twin: Twin, path: string, form: URLSearchParams): Answer | null {
  const scripted = twin.faults.next("POST", path);
  if (scripted?.kind === "drop") return null;
  if (scripted?.kind === "status") {
    const message = scripted.code ?? "refused by a fault";
    const category = scripted.category ?? "INTERNAL_ERROR";
    return {
      status: scripted.status ?? 500,
      body: { status: scripted.code ?? "error", message, category, error: scripted.category ?? "server_error" },
    };
  }
  const answer = twin.tokens.token(form);
  if (answer.status === 200) twin.shapes.check("answer", ["oauth", "TokenResponseIF"], answer.body, path, twin.now());
  return scripted?.kind === "lose" ? null : answer;
}

function note(
  twin: Twin,
  request: IncomingMessage,
  url: URL,
  status: number,
  fault: string | null,
  committed: boolean,
  rows: number | null,
): void {
  const baton = Object.entries(request.headers).filter(([name]) => name.startsWith("x-baton-"));
  twin.journal.add({
    at: twin.now(),
    method: request.method ?? "GET",
    path: url.pathname + (url.pathname.startsWith("/oauth") ? "" : url.search),
    status,
    fault,
    committed,
    rows,
    baton: Object.fromEntries(baton.map(([name, value]) => [name, String(value)])),
  });
}

function send(response: ServerResponse, answer: Answer): void {
  const type = answer.html === undefined ? "application/json;charset=utf-8" : "text/html;charset=utf-8";
  const headers: Record<string, string> = { "Content-Type": type, ...answer.headers };
  if (headers["Content-Type"] === "") delete headers["Content-Type"];
  response.writeHead(answer.status, headers);
  response.end(answer.status === 204 ? undefined : (answer.html ?? JSON.stringify(answer.body ?? {})));
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const defaultOwners: readonly Owner[] = [
  { id: "9001", userId: 1, email: "ada@example.com", firstName: "Ada", lastName: "Seller", archived: false },
  { id: "9002", userId: 2, email: "ben@example.com", firstName: "Ben", lastName: "Seller", archived: false },
  { id: "9003", userId: 3, email: "cyd@example.com", firstName: "Cyd", lastName: "Lead", archived: false },
  { id: "9004", userId: 4, email: "dan@example.com", firstName: "Dan", lastName: "Gone", archived: true },
];
