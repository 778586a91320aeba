/**
 * The words of DESIGN §2 as types. Everything here is plain data: it crosses object calls, lies in SQLite, D1 and R2,
 * and is what the pure folders (`translate`, `resolve`, `decide`) take and give. Documents that are stored or published
 * use snake_case, as the API does.
 *
 * Instants are epoch milliseconds (UTC) everywhere inside; the API turns them into ISO 8601 at the door.
 */

/** One way to name a person. `value` is normalised (see `translate/normalise.ts`) before it gets here. */
export interface Identifier {
  readonly type: string;
  readonly value: string;
}

/** What a person is told about the company a signal came from. */
export interface AccountRef {
  readonly domain?: string;
  readonly name?: string;
}

export interface Attribution {
  readonly utm_source?: string;
  readonly utm_medium?: string;
  readonly utm_campaign?: string;
  readonly utm_term?: string;
  readonly utm_content?: string;
  readonly referrer?: string;
  readonly landing_page?: string;
}

/** Consent as the emitter states it; `false` suppresses every follow-up (G11). */
export interface Consent {
  readonly follow_up: boolean;
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** A verified, normalised fact about a person. */
export interface Signal {
  /** The vendor's event id, or `content:<sha256>` where the vendor has none. */
  readonly id: string;
  /** `<emitter>:<id>`; a signal is applied at most once per key (G2). */
  readonly idempotency_key: string;
  readonly workspace: string;
  /** Name of the emitter inside the workspace, e.g. `marketing-forms`. */
  readonly emitter: string;
  readonly kind: string;
  readonly occurred_at: number;
  readonly received_at: number;
  /** Strongest first. Never empty: a fact about nobody is refused at the door. */
  readonly identifiers: readonly Identifier[];
  readonly traits: Readonly<Record<string, string>>;
  readonly account: AccountRef;
  readonly attribution: Attribution;
  readonly consent?: Consent;
  readonly properties: JsonObject;
  readonly schema_version: 1;
}

export type Tier = "seconds" | "minutes" | "hours";

/** A value of a lead with where it came from; conflicts are settled by (at, source, key), never by arrival. */
export interface FieldValue {
  readonly value: string;
  readonly source: string;
  readonly at: number;
  readonly key: string;
}

export type LifecycleState =
  | "unknown"
  | "subscriber"
  | "lead"
  | "engaged"
  | "trial"
  | "sales_ready"
  | "customer"
  | "churned";

/** One reason in words with the points it gave; `signal` names the signal it came from. */
export interface Reason {
  readonly code: string;
  readonly text: string;
  readonly points?: number;
  readonly signal?: string;
}

export type FollowUpState = "open" | "done" | "cancelled" | "parked";

/** A promise to contact a lead. At most one open per lead (or per lead and play, by policy). */
export interface FollowUp {
  readonly id: string;
  readonly play: string;
  readonly state: FollowUpState;
  readonly holder: string;
  readonly created_at: number;
  readonly due_at: number;
  readonly tier: Tier;
  /** The signal that caused it, and the instant Baton accepted that signal: the start of the latency clock. */
  readonly trigger: string;
  readonly accepted_at: number;
  readonly reasons: readonly Reason[];
}

export type DecisionOutcome =
  /** A follow-up leaves. */
  | "follow_up"
  /** An open follow-up already covers this; the signal is noted on it. */
  | "noted"
  /** The policy asks for nothing yet. */
  | "none"
  /** A follow-up would leave, but something that must come first is missing (no way to reach the person). */
  | "waiting"
  /** Consent, suppression or a hold forbids it. */
  | "held";

/** What the policy said for some signals of one lead, and why. Always recorded, also when it leads to nothing. */
export interface Decision {
  readonly id: string;
  readonly outcome: DecisionOutcome;
  readonly at: number;
  readonly policy_version: number;
  /** Keys of the signals it was made for, in fold order. */
  readonly signals: readonly string[];
  readonly tier: Tier;
  readonly play?: string;
  readonly follow_up?: string;
  readonly score: Score;
  readonly reasons: readonly Reason[];
}

export interface Score {
  readonly fit: number;
  readonly intent: number;
  readonly total: number;
}

export type CrmName = "hubspot" | "salesforce";

/** The CRM's confirmed answer to an action. */
export interface Receipt {
  readonly crm: CrmName;
  readonly task_id: string;
  readonly person_id: string;
  readonly at: number;
}
