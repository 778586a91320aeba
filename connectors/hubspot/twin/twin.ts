/** Everything one running twin consists of; the handlers take it as their first argument. */
import { type Answer, invalid } from "./answers.ts";
import type { FaultBox } from "./faults.ts";
import type { Journal } from "./journal.ts";
import type { Limits } from "./limits.ts";
import type { Tokens } from "./oauth.ts";
import type { Schemas } from "./schemas.ts";
import type { Sequences } from "./sequences.ts";
import type { Shapes } from "./shapes.ts";
import type { Source, Store } from "./store.ts";
import type { Webhooks } from "./webhooks.ts";

export interface Owner {
  readonly id: string;
  readonly userId: number;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly archived: boolean;
}

export interface Account {
  readonly portalId: number;
  readonly appId: number;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly timeZone: string;
  owners: readonly Owner[];
}

export interface Twin {
  readonly account: Account;
  readonly now: () => number;
  readonly faults: FaultBox;
  readonly schemas: Schemas;
  readonly store: Store;
  readonly tokens: Tokens;
  readonly limits: Limits;
  readonly journal: Journal;
  readonly shapes: Shapes;
  readonly webhooks: Webhooks;
  readonly sequences: Sequences;
  /** Where our app's card lives, e.g. `http://127.0.0.1:8787/card/hubspot`; null where the twin runs alone. */
  readonly cardUrl: string | null;
  /** `host:port`, once it listens. */
  address: string;
}

/** One request to the API, taken apart. */
export interface Call {
  readonly twin: Twin;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly at: number;
  /** Rows of a batch that a fault makes fail, with the category they fail with. */
  readonly failRows: { readonly rows: ReadonlySet<number>; readonly category: string; readonly code?: string } | null;
}

export type Handler = (call: Call) => Answer;

/** A write of our app, as webhooks show it. The exact values for an app are UNSURE (CRM-FACTS §1.7). */
export function appSource(twin: Twin): Source {
  return { changeSource: "INTEGRATION", sourceId: String(twin.account.appId) };
}

export function personSource(userId: number): Source {
  return { changeSource: "CRM_UI", sourceId: `userId:${userId}` };
}

export function fields(body: unknown): Record<string, unknown> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw invalid("Invalid input JSON");
  return body as Record<string, unknown>;
}

/** The rows of a batch. */
export function inputs(body: unknown, max: number): Record<string, unknown>[] {
  const rows = fields(body).inputs;
  if (!Array.isArray(rows)) throw invalid("Invalid input JSON: inputs are required");
  if (rows.length === 0) throw invalid("The batch has no inputs");
  if (rows.length > max) throw invalid(`Batch size of ${rows.length} exceeds the maximum of ${max}`);
  return rows.map(fields);
}

export function param(call: Call, name: string): string {
  const value = call.params[name];
  if (value === undefined) throw new Error(`no such parameter: ${name}`);
  return value;
}
