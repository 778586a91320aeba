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

/** What contact may be for; `follow_up` of a consent stands for all of them. */
export type Purpose = "call" | "email" | "sequence";

/** Consent as the emitter states it; `follow_up: false` suppresses every follow-up, a purpose only its own (G11). */
export interface Consent {
  readonly follow_up?: boolean | undefined;
  readonly purposes?: { readonly [P in Purpose]?: boolean | undefined } | undefined;
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
  /** The CRM whose word it is: told by a signal about a record there. */
  readonly crm?: CrmName;
  readonly at: number;
  readonly key: string;
  /** What others have told of it last, each once, newest first: where the policy lets another word hold than the newest (`fields/said.ts`). */
  readonly others?: readonly FieldValue[];
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
export type Priority = "low" | "medium" | "high";
/** Rungs of the policy's ladder; see `escalation`. */
export type Level = "none" | "watch" | "card" | "task" | "urgent";

/** A promise to contact a lead. At most one open per lead (or per lead and play, by policy). */
export interface FollowUp {
  readonly id: string;
  readonly play: string;
  readonly state: FollowUpState;
  /** Who has to act; until the team object has said whose turn it is, the first of those who could. */
  readonly holder: string;
  /** Ways to find the holder, in the order in which they are tried; absent once somebody was found. */
  readonly assign?: readonly Assignment[];
  readonly priority: Priority;
  readonly created_at: number;
  readonly due_at: number;
  /**
   * The promise of its tier (SLA): the last instant at which a first contact keeps it. The holder's `due_at` may be put off, this may
   * not. Absent where that is more than 400 days away, which nothing breaks.
   */
  readonly promised_at?: number;
  readonly tier: Tier;
  readonly policy_version: number;
  /** Address of somebody who is told because it is urgent. */
  readonly tell?: string;
  /** How often it was enriched since it was opened; what a CRM shows of it carries this number. */
  readonly revision: number;
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
  | "held"
  /** A follow-up would leave if the play were live for this lead. */
  | "shadow";

/** One way to find the holder of a follow-up: a play, its team, and who of it could. */
export interface Assignment {
  readonly play: string;
  readonly team: string;
  readonly due_at: number;
  readonly priority: Priority;
  readonly candidates: readonly Candidate[];
  /** Who could not, and why. */
  readonly excluded: readonly { readonly address: string; readonly why: string; readonly until?: number }[];
  /** Whom the record or the company belongs to, where that is somebody who is there. */
  readonly preferred?: { readonly address: string; readonly why: "record_owner" | "account_owner" | "approver" };
}

export interface Candidate {
  readonly address: string;
  readonly weight: number;
  readonly cap: number | null;
}

/** What a decision changes about the follow-up that is open already. */
export interface Enrichment {
  readonly follow_up: string;
  readonly priority: Priority;
  readonly due_at: number;
  /** Present where a more urgent signal has a shorter promise. */
  readonly promised_at?: number;
  readonly reasons: readonly Reason[];
  readonly tell?: string;
}

/** What the policy said for some signals of one lead, and why. Always recorded, also when it leads to nothing. */
export interface Decision {
  readonly id: string;
  readonly outcome: DecisionOutcome;
  readonly at: number;
  readonly policy_version: number;
  /** Keys of the signals it was made for, in fold order. */
  readonly signals: readonly string[];
  readonly tier: Tier;
  readonly level: Level;
  readonly route?: string;
  readonly play?: string;
  readonly follow_up?: string;
  /** Present where a follow-up leaves, or would: who could take it, and who could not. */
  readonly assign?: readonly Assignment[];
  /** Until when the follow-up that leaves promises a first contact. */
  readonly promised_at?: number;
  /** Present where the open follow-up became more urgent or better informed. */
  readonly enrichment?: Enrichment;
  /** Follow-ups that were open, of a person who has said no since. */
  readonly withdrawn?: readonly { readonly follow_up: string; readonly because: string }[];
  readonly score: Score;
  readonly reasons: readonly Reason[];
}

export interface Score {
  readonly fit: number;
  readonly intent: number;
  readonly total: number;
}

export type CrmName = "hubspot" | "salesforce";

/** Ways by which people, and programs, are told of a follow-up beside its tasks. */
export type OutletType = "slack" | "webhook";

/** Where actions go. What is stored and named `crm` holds it: outlets came later, and what stood there stayed. */
export type TargetName = CrmName | OutletType;

/** The confirmed answer to an action: the CRM's, or the outlet's. */
export interface Receipt {
  readonly crm: TargetName;
  /** Of an outlet: its name for the message. */
  readonly task_id: string;
  /** Empty where nobody was found or made: of outlets, and of closings. */
  readonly person_id: string;
  /** CRM id of the owner the task was made with; absent where the CRM does not know the holder. */
  readonly owner_id?: string;
  readonly at: number;
}
