/**
 * The only file that sends to HubSpot. Tasks and contacts go through the generated parts of `@hubspot/api-client` for
 * objects: its request factories and response processors, never its `Client`, which retries by itself and is 4.7 MB
 * (STACK). The few other requests are our own, in the vendor's shapes, for each generated part costs the Worker 4 to 10 KB
 * compressed. Importing this file evaluates what is left of it, so callers do it lazily.
 *
 * Promises: every request goes through `session.send`, is counted against the allowance first, and comes back as a value:
 * an answer or a `Refusal`. Not even `ApiException` is thrown, for its message embeds body and headers (personal data).
 */
import type * as associations from "@hubspot/api-client/lib/codegen/crm/associations/v4/index.js";
import {
  BatchApiRequestFactory,
  BatchApiResponseProcessor,
} from "@hubspot/api-client/lib/codegen/crm/objects/apis/BatchApi.js";
import { createConfiguration } from "@hubspot/api-client/lib/codegen/crm/objects/configuration.js";
import { type RequestContext, ResponseContext } from "@hubspot/api-client/lib/codegen/crm/objects/http/http.js";
import type * as objects from "@hubspot/api-client/lib/codegen/crm/objects/index.js";
import { ServerConfiguration } from "@hubspot/api-client/lib/codegen/crm/objects/servers.js";
import type * as owners from "@hubspot/api-client/lib/codegen/crm/owners/index.js";
import type * as properties from "@hubspot/api-client/lib/codegen/crm/properties/index.js";
import { fail, ok, type Result } from "../../src/failure.ts";
import type { Grant, Send } from "../contract.ts";
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

export interface Enrolment {
  readonly id: string;
  readonly sequenceId: string;
  /** Epoch ms; not a number where HubSpot does not say. */
  readonly enrolledAt: number;
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
  const configuration = createConfiguration({
    baseServer: new ServerConfiguration(session.apiUrl, {}),
    authMethods: { oauth2: { accessToken: session.accessToken } },
  });
  const batch = new BatchApiRequestFactory(configuration);

  /** What a factory asked for, sent, and its answer in the shape the processors read. */
  async function sent(asked: Promise<RequestContext>): Promise<ResponseContext> {
    const context = await asked;
    const body = context.getBody();
    const { status, contentType, text } = await transmit(session, {
      url: context.getUrl(),
      method: context.getHttpMethod(),
      headers: context.getHeaders(),
      ...(typeof body === "string" ? { body } : {}),
    });
    const headers = { "content-type": contentType };
    return new ResponseContext(status, headers, { text: async () => text, binary: async () => Buffer.from(text) });
  }

  /** A request of our own, for a path of the client's release. An answer that is no object cannot be read. */
  async function request<T>(method: "GET" | "POST", released: string, body?: unknown): Promise<OnWire<T>> {
    const { text } = await transmit(session, {
      url: session.apiUrl + released,
      method,
      headers: {
        Authorization: `Bearer ${session.accessToken}`,
        Accept: "application/json",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: unknown = JSON.parse(text);
    if (typeof answer !== "object" || answer === null || Array.isArray(answer)) throw new SyntaxError("not an object");
    return answer as OnWire<T>;
  }

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
      attempt(effect, async () =>
        batchAnswer((await processBatch.createWithHttpInfo(await sent(batch.create(type, { inputs })))).data),
      ),

    upsertObjects: (type: string, inputs: objects.SimplePublicObjectBatchInputUpsert[], effect: Effect) =>
      attempt(effect, async () =>
        batchAnswer((await processBatch.upsertWithHttpInfo(await sent(batch.upsert(type, { inputs })))).data),
      ),

    updateObjects: (type: string, inputs: objects.SimplePublicObjectBatchInput[]) =>
      attempt("repeatable", async () =>
        batchAnswer((await processBatch.updateWithHttpInfo(await sent(batch.update(type, { inputs })))).data),
      ),

    readObjects: (type: string, ask: ReadAsk) =>
      attempt("repeatable", async () => {
        const asked = batch.read(
          type,
          {
            inputs: ask.ids.map((id) => ({ id })),
            properties: [...ask.properties],
            propertiesWithHistory: [],
            ...(ask.idProperty === undefined ? {} : { idProperty: ask.idProperty }),
          },
          ask.archived ?? false,
        );
        return batchAnswer((await processBatch.readWithHttpInfo(await sent(asked))).data);
      }),

    archiveObjects: (type: string, ids: readonly string[]) =>
      attempt("repeatable", async () => {
        await processBatch.archiveWithHttpInfo(await sent(batch.archive(type, { inputs: ids.map((id) => ({ id })) })));
      }),

    /** A merged record answers under another id (CRM-FACTS §3). */
    getObject: (type: string, id: string, names: readonly string[], archived = false) =>
      attempt("repeatable", async () => {
        const { id: answered, properties } = await request<objects.SimplePublicObjectWithAssociations>(
          "GET",
          pathOf`/crm/v3/objects/${type}/${id}` + query({ properties: names.join(","), archived }),
        );
        return { id: answered, properties };
      }),

    associate: (from: string, to: string, pairs: readonly Link[]) =>
      attempt("repeatable", async () => {
        const inputs: OnWire<associations.PublicDefaultAssociationMultiPost>[] = pairs.map((pair) => ({
          from: { id: pair.from },
          to: { id: pair.to },
        }));
        // HubSpot says 207 here too, which the vendor's own code would throw away with the errors in it.
        const answer = await request<associations.BatchResponsePublicDefaultAssociation>(
          "POST",
          pathOf`/crm/v4/associations/${from}/${to}/batch/associate/default`,
          { inputs },
        );
        return {
          links: (answer.results ?? []).map((result) => ({ from: result.from.id, to: result.to.id })),
          more: [],
          errors: answer.errors ?? [],
          complete: answer.status === "COMPLETE",
        } satisfies AssociationAnswer;
      }),

    readAssociations: (
      from: string,
      to: string,
      inputs: readonly OnWire<associations.PublicFetchAssociationsBatchRequest>[],
    ) =>
      attempt("repeatable", async () => {
        const answer = await request<
          | associations.BatchResponsePublicAssociationMultiWithLabel
          | associations.BatchResponsePublicAssociationMultiWithLabelWithErrors
        >("POST", pathOf`/crm/v4/associations/${from}/${to}/batch/read`, { inputs });
        const results = answer.results ?? [];
        return {
          links: results.flatMap((one) => one.to.map((end) => ({ from: one.from.id, to: String(end.toObjectId) }))),
          more: results.flatMap((one) => {
            const after = one.paging?.next?.after;
            return after === undefined ? [] : [{ id: one.from.id, after }];
          }),
          errors: "errors" in answer ? (answer.errors ?? []) : [],
          complete: answer.status === "COMPLETE",
        } satisfies AssociationAnswer;
      }),

    /** One record's links; without any it says so with an empty list, where the batch leaves a doubt. */
    listAssociations: (from: string, id: string, to: string, after?: string) =>
      attempt("repeatable", async () => {
        const answer = await request<associations.CollectionResponseMultiAssociatedObjectWithLabelForwardPaging>(
          "GET",
          pathOf`/crm/v4/objects/${from}/${id}/associations/${to}` + query({ after, limit: listPageMax }),
        );
        return { ends: answer.results.map((end) => String(end.toObjectId)), after: answer.paging?.next?.after };
      }),

    getProperty: (type: string, name: string) =>
      attempt("repeatable", () => request<properties.Property>("GET", pathOf`/crm/v3/properties/${type}/${name}`)),

    createProperty: (type: string, property: OnWire<properties.PropertyCreate>) =>
      attempt("repeatable", () => request<properties.Property>("POST", pathOf`/crm/v3/properties/${type}`, property)),

    createGroup: (type: string, group: OnWire<properties.PropertyGroupCreate>) =>
      attempt("repeatable", () =>
        request<properties.PropertyGroup>("POST", pathOf`/crm/v3/properties/${type}/groups`, group),
      ),

    ownersPage: (after: string | undefined) =>
      attempt("repeatable", async () => {
        const answer = await request<owners.CollectionResponsePublicOwnerForwardPaging>(
          "GET",
          `/crm/v3/owners/${query({ after, limit: ownersPageMax, archived: false })}`,
        );
        return {
          owners: answer.results.flatMap(({ id, email, archived }) => (!archived && email ? [{ id, email }] : [])),
          after: answer.paging?.next?.after,
        };
      }),

    /** The user with this address; null where there is none. Their `userId` is what sequences ask for, not their owner id. */
    userIdOf: (email: string) =>
      attempt("repeatable", async () => {
        const answer = await request<owners.CollectionResponsePublicOwnerForwardPaging>(
          "GET",
          `/crm/v3/owners/${query({ email, archived: false })}`,
        );
        const owner = answer.results.find((one) => one.email?.toLowerCase() === email.toLowerCase() && !one.archived);
        return owner?.userId === undefined ? null : String(owner.userId);
      }),

    /** The contact's enrolment; null where it has none. In no part of the vendor's client, like the next two. */
    enrolmentOf: (contactId: string) =>
      attempt("repeatable", async () => {
        const url = session.apiUrl + pathOf`/automation/v4/sequences/enrollments/contact/${contactId}`;
        const headers = { Authorization: `Bearer ${session.accessToken}`, Accept: "application/json" };
        const { text } = await transmit(session, { url, method: "GET", headers });
        if (text.trim() === "") return null;
        const answer = JSON.parse(text) as { id?: unknown; sequenceId?: unknown; enrolledAt?: unknown } | null;
        if (answer?.id === undefined || answer.sequenceId === undefined) return null;
        return {
          id: String(answer.id),
          sequenceId: String(answer.sequenceId),
          enrolledAt: Date.parse(String(answer.enrolledAt)),
        } satisfies Enrolment;
      }),

    enrolContact: (userId: string, ask: { contactId: string; sequenceId: string; senderEmail: string }) =>
      attempt("once", () =>
        request<{ id?: unknown }>("POST", `/automation/v4/sequences/enrollments${query({ userId })}`, ask),
      ),

    /** In no part of the vendor's client. */
    accountInfo: () => attempt("repeatable", () => request<Record<string, unknown>>("GET", "/account-info/v3/details")),
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

/** Ends our install in this account (CRM-FACTS §1.7); false where that was not confirmed. */
export async function uninstall(send: Send, { accessToken, apiUrl }: Grant): Promise<boolean> {
  try {
    const headers = { Authorization: `Bearer ${accessToken}` };
    const url = `${apiUrl}${sentPath("/appinstalls/v3/external-install")}`;
    return (await send(new Request(url, { method: "DELETE", headers }))).status === 204;
  } catch {
    return false;
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

interface Outgoing {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Incoming {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** Moves the path to the version we use and sends. What is no success is thrown, for `attempt` to judge. */
async function transmit(
  session: { apiUrl: string; send: Send },
  { url: released, ...rest }: Outgoing,
): Promise<Incoming> {
  const url = new URL(released);
  const base = new URL(session.apiUrl).pathname.replace(/\/$/, "");
  url.pathname = base + sentPath(url.pathname.slice(base.length));
  const response = await session.send(new Request(url, rest));
  const text = await response.text();
  if (!response.ok) throw new RefusedAnswer(response.status, response.headers.get("retry-after"), parse(text));
  // An answer without a Content-Type is one the generated code cannot read (STACK).
  return { status: response.status, contentType: response.headers.get("content-type") ?? "application/json", text };
}

/**
 * A generated model as HubSpot writes it in JSON. The generated code renames what is a word of JavaScript (`from` to `_from`),
 * makes instants of text and takes an enumeration's values from an object that we do not load.
 */
type OnWire<T> = T extends Date
  ? string
  : T extends string
    ? `${T}`
    : T extends readonly (infer One)[]
      ? OnWire<One>[]
      : T extends object
        ? { [Key in keyof T as Key extends "_from" ? "from" : Key]: OnWire<T[Key]> }
        : T;

/** A path whose values cannot leave their place in it. */
function pathOf(parts: TemplateStringsArray, ...values: readonly string[]): string {
  return String.raw({ raw: parts }, ...values.map(encodeURIComponent));
}

function query(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return `?${new URLSearchParams(given)}`;
}

const processBatch = new BatchApiResponseProcessor();
const listPageMax = 500;
const ownersPageMax = 100;

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
