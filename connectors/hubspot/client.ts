/**
 * The only file that sends to HubSpot. It uses the generated parts of `@hubspot/api-client` and never its `Client`,
 * which retries by itself and is 4.7 MB (STACK). Importing this file evaluates those parts, so callers do it lazily.
 *
 * Promises: every request goes through `session.send`, is counted against the allowance first, and comes back as a value:
 * an answer or a `Refusal`. Not even `ApiException` is thrown, for its message embeds body and headers (personal data).
 */
import * as associations from "@hubspot/api-client/lib/codegen/crm/associations/v4/index.js";
import * as objects from "@hubspot/api-client/lib/codegen/crm/objects/index.js";
import * as owners from "@hubspot/api-client/lib/codegen/crm/owners/index.js";
import * as properties from "@hubspot/api-client/lib/codegen/crm/properties/index.js";
import { fail, ok, type Result } from "../../src/failure.ts";
import type { Send } from "../contract.ts";
import { type Effect, judge, lost, type Refusal, withheld } from "./errors.ts";
import { sentPath } from "./requests.ts";

export type Reply<T> = Promise<Result<T, Refusal>>;

/** What a session may still send. One that is used up makes further requests `deferred`, never lost. */
export interface Allowance {
  take(): boolean;
  /** Whether that many are left: asked before a chain of requests that is of no use unless it can be finished. */
  has(requests: number): boolean;
}

export function allow(requests: number): Allowance {
  let left = requests;
  return { take: () => left-- > 0, has: (wanted) => left >= wanted };
}

export interface ObjectResult {
  readonly id: string;
  readonly properties: Readonly<Record<string, string | null>>;
  readonly objectWriteTraceId?: string;
  /** Upserts only. */
  readonly _new?: boolean;
}

/** Of a batch, whole or mixed (207). `complete` is false when HubSpot has not finished: then what is missing is unclear. */
export interface BatchAnswer {
  readonly results: readonly ObjectResult[];
  readonly errors: readonly unknown[];
  readonly complete: boolean;
}

export interface ReadAsk {
  readonly ids: readonly string[];
  readonly idProperty?: string;
  readonly properties: readonly string[];
  readonly archived?: boolean;
}

export interface Link {
  readonly from: string;
  readonly to: string;
}

export interface AssociationAnswer {
  readonly links: readonly Link[];
  /** Records whose links go on, with the cursor. */
  readonly more: readonly { readonly id: string; readonly after: string }[];
  readonly errors: readonly unknown[];
  readonly complete: boolean;
}

export type HubspotClient = ReturnType<typeof openClient>;

export function openClient(session: { accessToken: string; apiUrl: string; send: Send }, allowance: Allowance) {
  const transport = { send: (request: Outgoing) => transmit(session, request) };
  const authMethods = { oauth2: { accessToken: session.accessToken } };
  const objectsOptions = objects.createConfiguration({
    baseServer: new objects.ServerConfiguration(session.apiUrl, {}),
    authMethods,
    httpApi: objects.wrapHttpLibrary(transport),
  });
  const batch = new objects.BatchApi(objectsOptions);
  const basic = new objects.BasicApi(objectsOptions);
  const linkOptions = associations.createConfiguration({
    baseServer: new associations.ServerConfiguration(session.apiUrl, {}),
    authMethods,
    httpApi: associations.wrapHttpLibrary(transport),
  });
  const links = new associations.BatchApi(linkOptions);
  const linksOfOne = new associations.BasicApi(linkOptions);
  const propertyOptions = properties.createConfiguration({
    baseServer: new properties.ServerConfiguration(session.apiUrl, {}),
    authMethods,
    httpApi: properties.wrapHttpLibrary(transport),
  });
  const core = new properties.CoreApi(propertyOptions);
  const groups = new properties.GroupsApi(propertyOptions);
  const people = new owners.OwnersApi(
    owners.createConfiguration({
      baseServer: new owners.ServerConfiguration(session.apiUrl, {}),
      authMethods,
      httpApi: owners.wrapHttpLibrary(transport),
    }),
  );

  async function attempt<T>(effect: Effect, run: () => Promise<T>): Reply<T> {
    if (!allowance.take()) return fail(withheld("request_allowance"));
    try {
      return ok(await run());
    } catch (error) {
      if (error instanceof RefusedAnswer) {
        return fail(judge({ status: error.status, retryAfter: error.retryAfter, body: error.body }, effect));
      }
      return fail(lost(effect, error instanceof SyntaxError ? "unreadable_answer" : "connection_lost"));
    }
  }

  return {
    has: allowance.has,

    createObjects: (type: string, inputs: objects.SimplePublicObjectBatchInputForCreate[], effect: Effect) =>
      attempt(effect, async () => batchAnswer(await batch.create(type, { inputs }))),

    upsertObjects: (type: string, inputs: objects.SimplePublicObjectBatchInputUpsert[], effect: Effect) =>
      attempt(effect, async () => batchAnswer(await batch.upsert(type, { inputs }))),

    updateObjects: (type: string, inputs: objects.SimplePublicObjectBatchInput[]) =>
      attempt("repeatable", async () => batchAnswer(await batch.update(type, { inputs }))),

    readObjects: (type: string, ask: ReadAsk) =>
      attempt("repeatable", async () =>
        batchAnswer(
          await batch.read(
            type,
            {
              inputs: ask.ids.map((id) => ({ id })),
              properties: [...ask.properties],
              propertiesWithHistory: [],
              ...(ask.idProperty === undefined ? {} : { idProperty: ask.idProperty }),
            },
            ask.archived ?? false,
          ),
        ),
      ),

    archiveObjects: (type: string, ids: readonly string[]) =>
      attempt("repeatable", () => batch.archive(type, { inputs: ids.map((id) => ({ id })) })),

    /** A merged record answers under another id (CRM-FACTS §3). */
    getObject: (type: string, id: string, names: readonly string[], archived = false) =>
      attempt("repeatable", () => basic.getById(type, id, [...names], undefined, undefined, archived)),

    associate: (from: string, to: string, pairs: readonly Link[]) =>
      attempt("repeatable", async () => {
        const inputs = pairs.map((pair) => ({ _from: { id: pair.from }, to: { id: pair.to } }));
        const answer = await links.createDefault(from, to, { inputs });
        const results = answer.results ?? [];
        return {
          links: results.map((result) => ({ from: result._from.id, to: result.to.id })),
          more: [],
          errors: answer.errors ?? [],
          complete: answer.status === "COMPLETE",
        } satisfies AssociationAnswer;
      }),

    readAssociations: (from: string, to: string, inputs: readonly { id: string; after?: string }[]) =>
      attempt("repeatable", async () => {
        const answer = await links.getPage(from, to, { inputs: [...inputs] });
        const results = answer.results ?? [];
        return {
          links: results.flatMap((one) => one.to.map((end) => ({ from: one._from.id, to: String(end.toObjectId) }))),
          more: results.flatMap((one) => {
            const after = one.paging?.next?.after;
            return after === undefined ? [] : [{ id: one._from.id, after }];
          }),
          errors: "errors" in answer ? (answer.errors ?? []) : [],
          complete: answer.status === "COMPLETE",
        } satisfies AssociationAnswer;
      }),

    /** One record's links; without any it says so with an empty list, where the batch leaves a doubt. */
    listAssociations: (from: string, id: string, to: string, after?: string) =>
      attempt("repeatable", async () => {
        const answer = await linksOfOne.getPage(from, id, to, after, listPageMax);
        return { ends: answer.results.map((end) => String(end.toObjectId)), after: answer.paging?.next?.after };
      }),

    getProperty: (type: string, name: string) => attempt("repeatable", () => core.getByName(type, name)),

    createProperty: (type: string, property: properties.PropertyCreate) =>
      attempt("repeatable", () => core.create(type, property)),

    createGroup: (type: string, group: properties.PropertyGroupCreate) =>
      attempt("repeatable", () => groups.create(type, group)),

    ownersPage: (after: string | undefined) =>
      attempt("repeatable", () => people.getPage(undefined, after, 100, false)),

    /** Not in the vendor's client: its own request. */
    accountInfo: () =>
      attempt("repeatable", async () => {
        const answer = await transmit(session, {
          getUrl: () => `${session.apiUrl}/account-info/v3/details`,
          getHttpMethod: () => "GET",
          getHeaders: () => ({ Authorization: `Bearer ${session.accessToken}`, Accept: "application/json" }),
          getBody: () => undefined,
        });
        return JSON.parse(await answer.body.text()) as unknown;
      }),
  };
}

/** A form to the token endpoints. Null when no readable answer came. */
export async function sendForm(
  send: Send,
  apiUrl: string,
  released: string,
  form: URLSearchParams,
): Promise<{ status: number; body: unknown } | null> {
  try {
    const response = await send(
      new Request(`${apiUrl}${sentPath(released)}`, {
        method: "POST",
        headers: { "Content-Type": "application/x-www-form-urlencoded", Accept: "application/json" },
        body: form.toString(),
      }),
    );
    return { status: response.status, body: parse(await response.text()) };
  } catch {
    return null;
  }
}

/** An answer that is no success. It holds HubSpot's body, so it has no message and is never logged. */
class RefusedAnswer extends Error {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: unknown;
  constructor(status: number, retryAfter: string | null, body: unknown) {
    super("HubSpot refused a request");
    this.status = status;
    this.retryAfter = retryAfter;
    this.body = body;
  }
}

/** The part of a generated `RequestContext` that is needed; each generated part has its own class of that name. */
interface Outgoing {
  getUrl(): string;
  getHttpMethod(): string;
  getHeaders(): Record<string, string>;
  getBody(): unknown;
}

/** Moves the path to the version we use, sends, and hands successes on in the shape the generated code reads. */
async function transmit(session: { apiUrl: string; send: Send }, request: Outgoing): Promise<objects.ResponseContext> {
  const url = new URL(request.getUrl());
  const base = new URL(session.apiUrl).pathname.replace(/\/$/, "");
  url.pathname = base + sentPath(url.pathname.slice(base.length));
  const body = request.getBody();
  const response = await session.send(
    new Request(url, {
      method: request.getHttpMethod(),
      headers: request.getHeaders(),
      ...(typeof body === "string" ? { body } : {}),
    }),
  );
  const text = await response.text();
  if (!response.ok) throw new RefusedAnswer(response.status, response.headers.get("retry-after"), parse(text));
  // An answer without a Content-Type is one the generated code cannot read (STACK).
  const headers = { "content-type": response.headers.get("content-type") ?? "application/json" };
  // The generated code knows no 207 for associating, though its model has the errors of one, and would throw it away.
  const mixed = response.status === 207 && url.pathname.endsWith("/associate/default");
  return new objects.ResponseContext(mixed ? 200 : response.status, headers, {
    text: async () => text,
    binary: async () => Buffer.from(text),
  });
}

const listPageMax = 500;

function batchAnswer(answer: { results?: ObjectResult[]; status?: string; errors?: unknown[] }): BatchAnswer {
  return { results: answer.results ?? [], errors: answer.errors ?? [], complete: answer.status === "COMPLETE" };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
