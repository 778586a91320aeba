/**
 * The contracts a vendor can fulfil: `Emitter` (it sends signals), `Crm` (follow-ups leave into it as tasks), and `Destination` alone
 * (an outlet: it is told of follow-ups).
 * A vendor is one folder and one line in `index.ts`.
 */
import type { Result } from "../src/failure.ts";
import type {
  AccountRef,
  Attribution,
  Consent,
  CrmName,
  FollowUpState,
  Identifier,
  JsonObject,
  LifecycleState,
  TargetName,
} from "../src/model.ts";

/* ------------------------------------------------------------------------------------------------ emitters */

/** Raw bytes as received, not trusted yet. Header names are lower case. */
export interface Delivery {
  readonly method: string;
  /** The whole public address with its query, as received: some vendors sign it. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Epoch ms. */
  readonly receivedAt: number;
}

/** One field that an app owner fills in when adding the emitter. */
export interface SettingField {
  readonly name: string;
  readonly label: string;
  readonly help: string;
  readonly required: boolean;
  readonly sensitive: boolean;
}

/** Data about a connector; panels, docs and checks are made from it. */
export interface EmitterManifest {
  readonly vendor: string;
  readonly label: string;
  readonly homepage: string;
  /** How a delivery proves itself, in words, with the source of the fact. */
  readonly authentication: string;
  /** True when the address itself (the emitter key in the URL) is the only proof, e.g. Segment's write key. */
  readonly keyIsProof: boolean;
  /** Date on which the vendor facts in this folder were last checked, ISO 8601. */
  readonly checked: string;
  readonly settings: readonly SettingField[];
  /** Kinds this connector can produce by itself (settings may map to others). */
  readonly kinds: readonly string[];
}

/** Settings of one configured emitter, as stored; keys are `SettingField.name`. Sensitive ones are in `secrets`, not here. */
export type EmitterSettings = Readonly<Record<string, JsonObject | string | undefined>>;

/**
 * What a connector makes of one event. `core` normalises it into a `Signal` afterwards (`translate/signal.ts`), so
 * identifiers and traits are given as the vendor wrote them.
 */
export interface SignalDraft {
  /** The vendor's event id. Absent where the vendor has none: the core then derives a content key. Never from chance. */
  readonly id?: string;
  readonly kind: string;
  /** Epoch ms of the event itself; absent when the vendor does not say (the arrival time is then used). */
  readonly occurredAt?: number;
  readonly identifiers: readonly Identifier[];
  readonly traits?: Readonly<Record<string, unknown>>;
  readonly account?: AccountRef;
  readonly attribution?: Attribution;
  readonly consent?: Consent;
  readonly properties?: Readonly<Record<string, unknown>>;
  /** The CRM's own records that it is about: whoever we made a task for under one of these ids is that person. */
  readonly record?: { readonly crm: CrmName; readonly ids: readonly string[] };
  /** An order to erase that person, where the vendor itself has signed it. */
  readonly erases?: true;
}

/** An event that was understood and rightly leads to no signal (a ping, a test lead). Counted, never silent. */
export interface Skipped {
  readonly index: number;
  readonly reason: string;
}

/** An event inside an otherwise good delivery that we do not understand: kept where a person sees it, never lost (G1). */
export interface QuarantinedEvent {
  readonly index: number;
  readonly reason: string;
}

export interface Translation {
  readonly drafts: readonly SignalDraft[];
  readonly skipped: readonly Skipped[];
  /** Absent when there are none. A delivery that holds just one event fails as a whole instead. */
  readonly quarantined?: readonly QuarantinedEvent[];
}

export interface Emitter {
  readonly manifest: EmitterManifest;
  /**
   * Pure. Verifies the raw bytes against any of `secrets` (several while one rotates). `now` is epoch ms. No secret, or
   * an empty one, is a refusal, unless `manifest.keyIsProof`. The reason is for the log only; the sender is not told.
   */
  verify(delivery: Delivery, secrets: readonly string[], now: number): Result<true>;
  /**
   * Pure. Parsed and schema-checked inside. `refused` = broken bytes (400); `quarantined` = verified, but no shape we
   * know: the vendor gets 2xx and the delivery is kept (EMITTERS §1).
   */
  translate(delivery: Delivery, settings: EmitterSettings): Result<Translation>;
}

/* ---------------------------------------------------------------------------------------------------- CRMs */

/** Our registration with the CRM vendor, from the Worker's configuration. */
export interface CrmApp {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
  /** Where people log in, e.g. `https://app.hubspot.com` or `https://login.salesforce.com`. No trailing slash. */
  readonly loginUrl: string;
  /** Where the API is until the grant says otherwise, e.g. `https://api.hubapi.com`. */
  readonly apiUrl: string;
}

/**
 * The one way out: sends a request, gives the answer, rejects on a broken connection or when the deadline passes.
 * The account object counts the request against the API budget here and may route it through a relay.
 */
export type Send = (request: Request) => Promise<Response>;

/** What a customer granted us. Sealed before it is stored. */
export interface Grant {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Epoch ms, or null where the vendor does not say (Salesforce): then a 401 tells. */
  readonly expiresAt: number | null;
  readonly apiUrl: string;
  /** HubSpot portal id, Salesforce organisation id. */
  readonly crmAccount: string;
  /** The user in whose name we write, where the CRM says it (Salesforce). */
  readonly crmUser?: string;
  readonly scopes: readonly string[];
  /** Where it was granted, if not at the deployment's own login host: it is refreshed and revoked there. */
  readonly loginUrl?: string;
}

/**
 * - `revoked`: the customer left or withdrew; park everything and ask a person.
 * - `misconfigured`: our client id, secret or redirect is wrong; never drop a token for it.
 * - `unknown`: the vendor answered that it could not; the old token serves.
 * - `lost`: no answer came, or none that could be read; the old token may be used up.
 */
export type GrantFailure = {
  readonly arm: "revoked" | "misconfigured" | "unknown" | "lost";
  readonly reason: string;
};

/**
 * Which of the exactly-once worlds the account lives in (CRM-FACTS §1.3), found out by the probe at install.
 * - `unique_property`: our own unique property on tasks; upsert by it. Salesforce's External ID is this world too.
 * - `builtin_unique`: upsert by HubSpot's `hs_unique_id`.
 * - `marker`: no server key; a marker in the body, and unknown outcomes are read back through associations.
 */
export type World = "unique_property" | "builtin_unique" | "marker";

export interface Installation {
  readonly world: World;
  readonly timeZone: string | null;
  /** Pages for people: `${recordUrl}` with `{person}` or `{task}` replaced by the id. */
  readonly recordUrl: { readonly person: string; readonly task: string };
}

export interface CrmOwner {
  /** The id that goes into the task's owner field. */
  readonly id: string;
  readonly email: string;
}

/** One authorised conversation with one CRM account, or one outlet. */
export interface CrmSession {
  readonly accessToken: string;
  readonly apiUrl: string;
  readonly world: World;
  readonly send: Send;
  /** `Grant.crmAccount`: a Slack channel's id. */
  readonly crmAccount?: string;
  /** `Grant.crmUser`: what this user did is our own doing. */
  readonly crmUser?: string;
}

export interface CrmPerson {
  /** Stable external id of the lead in Baton. */
  readonly lead: string;
  /** CRM id when Baton already knows it: then nothing is looked up. */
  readonly knownId?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly company?: string;
  readonly jobTitle?: string;
  readonly lifecycle?: LifecycleState;
}

export interface CrmTask {
  readonly subject: string;
  /** Plain text with line breaks; the client escapes it for its CRM. */
  readonly body: string;
  /** Epoch ms. */
  readonly dueAt: number;
  readonly priority: "low" | "medium" | "high";
  readonly type: "call" | "email" | "todo";
  /** CRM owner id, already looked up from the e-mail address. */
  readonly ownerId?: string;
}

/** What an outlet tells beside the task: facts that a program wants by name. */
export interface Told {
  /** Epoch ms of what is told. */
  readonly at: number;
  readonly follow_up: string;
  readonly lead: string;
  readonly play: string;
  readonly state: FollowUpState;
  /** Who has to act, and who is told because it is urgent: e-mail addresses. */
  readonly holder: string;
  readonly tell?: string;
  /** The lead's page. */
  readonly link: string;
  /** The tasks that stand by now. */
  readonly tasks: readonly { readonly crm: TargetName; readonly task_id: string }[];
  /** Of one that was done: what the message said. What was withdrawn says nothing of the person any more. */
  readonly subject?: string;
}

/**
 * One write. `key` is the idempotency key: the same key never has two external effects (G3). `told` is there for outlets, for which
 * a task is a message: posted, brought up to date, marked as done or withdrawn.
 */
export type Command = TaskCommand | RecordCommand | EnrolCommand;

export type TaskCommand = { readonly told?: Told } & (
  | { readonly type: "create_task"; readonly key: string; readonly person: CrmPerson; readonly task: CrmTask }
  | { readonly type: "close_task"; readonly key: string; readonly taskId: string; readonly note: string }
  | {
      /**
       * The open task is to say what `task` says, field by field (`TaskField`; its type stays). A field is written only
       * where the CRM still holds what we wrote last, `before`: what a person changed since stays theirs (G9). A task that
       * is completed or gone is not touched. May be repeated.
       */
      readonly type: "update_task";
      readonly key: string;
      readonly taskId: string;
      readonly task: CrmTask;
      readonly before: CrmTask;
    }
);

/**
 * The person's record is to show these values in our own fields (`RecordField`). What the CRM holds already is not written; where it
 * holds what is in none of `ours`, a person has typed it, and it is left. May be repeated: the last one that is sent wins. For CRMs only.
 */
export interface RecordCommand {
  readonly type: "write_record";
  readonly key: string;
  /** The record's id. One that was merged or converted is followed. */
  readonly personId: string;
  readonly values: RecordValues;
  /** Epoch ms at which the values were found out: what was found out earlier never goes after it. */
  readonly at: number;
}

/**
 * The person is put into a sequence (HubSpot) or cadence (Salesforce), once. Whoever is in it already, since `since` or still, counts as
 * put into it. For CRMs only.
 */
export interface EnrolCommand {
  readonly type: "enrol";
  readonly key: string;
  /** The record's id. */
  readonly personId: string;
  /** HubSpot: the sequence's id. Salesforce: the cadence's id, or its name. */
  readonly sequence: string;
  /** E-mail address of the colleague in whose name it runs. */
  readonly sender: string;
  /** CRM owner id of the sender, looked up from the address; absent where the CRM does not know them. */
  readonly ownerId?: string;
  /** Epoch ms of the follow-up's opening: an enrolment since then is ours, or as good as ours. */
  readonly since: number;
}

/** What a CRM's record of a person shows of ours: the canonical attributes of a lead, its level, and why it was followed up. */
export const ownFields = [
  "baton_lead_id",
  "lead_score",
  "lead_level",
  "lifecycle_state",
  "lead_source",
  "last_event_timestamp",
  "idempotency_key",
  "follow_up_reason",
] as const;
/**
 * Fields of the CRM's own that a policy may share with Baton. Baton fills in what is empty and keeps up what it wrote; what anybody else put
 * there stays, and nothing is ever emptied.
 */
export const carriedFields = ["first_name", "last_name", "phone", "company", "job_title", "website"] as const;
export type OwnField = (typeof ownFields)[number];
export type CarriedField = (typeof carriedFields)[number];
export const recordFields = [...ownFields, ...carriedFields] as const;
export type RecordField = OwnField | CarriedField;

export interface RecordValue {
  /** A number or an instant (epoch ms) in decimal digits, a word, or text; empty: nothing. The connector spells it for its CRM. */
  readonly value: string;
  /** What we may have written there before. Absent: whatever stands there is overwritten. */
  readonly ours?: readonly string[];
}
export type RecordValues = Readonly<Partial<Record<RecordField, RecordValue>>>;

/** What of a task is ours to keep up to date. */
export type TaskField = "subject" | "body" | "due" | "priority" | "owner";

/**
 * What became of a command.
 * - `done`: the CRM confirmed it in the body, not just by a 2xx.
 * - `deferred`: certainly not done; again after `retryAfterMs`. `scope: "account"` stops the whole account meanwhile.
 * - `unknown`: sent, and nobody knows; must be resolved by key before it is tried again. Closing and updating are repeated.
 * - `refused`: certainly not done and never will be like this; a person must look.
 * - `blocked`: the whole install is paused until a person acts (scope missing, app uninstalled, API disabled).
 * - `expired`: the access token is not accepted; refresh once and replay.
 */
export type Outcome =
  | {
      readonly arm: "done";
      readonly taskId: string;
      readonly personId: string;
      readonly created: boolean;
      /** Of an update: the fields that were left, because a person has changed them or the CRM does not take our value. */
      readonly kept?: readonly TaskField[];
      /** Of an update that found no open task any more, and changed nothing. */
      readonly gone?: "completed" | "deleted";
      /** Of a record: the fields that were left, because a person has typed something there or the CRM has no such field. */
      readonly left?: readonly RecordField[];
    }
  | {
      readonly arm: "deferred";
      readonly retryAfterMs: number;
      readonly scope: "action" | "account";
      readonly reason: string;
    }
  | { readonly arm: "unknown"; readonly reason: string }
  | { readonly arm: "refused"; readonly reason: string; readonly detail?: string }
  | { readonly arm: "blocked"; readonly reason: string; readonly detail?: string }
  | { readonly arm: "expired" };

/** What a look-up by key says. A failed look-up is never `absent`: that is how duplicates are born. */
export type Resolution =
  /** There; also when a person already deleted it (`taskId` may then be empty): the effect happened. */
  | { readonly arm: "found"; readonly taskId: string; readonly personId: string }
  | { readonly arm: "absent" }
  | Exclude<Outcome, { arm: "done" }>;

/**
 * What of a task people may change, in the CRM's own spelling, and yet comparable: two of one CRM that say the same are equal.
 * The body is not in it: who writes it reads it first (`update_task`).
 */
export interface TaskShape {
  readonly subject: string;
  readonly due: string;
  readonly priority: string;
  /** CRM id; empty where nobody owns it. */
  readonly owner: string;
}

/** A task of ours as it stands in the CRM. */
export type TaskSeen =
  | {
      readonly arm: "open";
      readonly shape: TaskShape;
      /** Epoch ms: when anything on it was changed last, by us or by somebody else. */
      readonly modifiedAt: number;
      /** True where its owner is the user we act as: nobody may have chosen that one. */
      readonly ownerIsMaker?: true;
    }
  /** `at`: epoch ms of the completion itself. */
  | { readonly arm: "completed"; readonly at: number }
  /** By a person; also when the recycle bin is empty already. */
  | { readonly arm: "deleted" };

export interface ChangedAsk {
  /** Ids of tasks that we made. */
  readonly tasks: readonly string[];
  /** Epoch ms: what was last changed before need not be told. Null: everything is to be read. */
  readonly since: number | null;
}

export interface JoinedRecords {
  readonly drafts: readonly SignalDraft[];
  /** Epoch ms up to which everything is told, where there is more than one look takes; else null. */
  readonly through: number | null;
}

/** What a look-up may want to know of the attempt whose outcome is unknown. */
export interface Attempt {
  /** Epoch ms at which it left; the earliest of the batch. */
  readonly at: number;
  /** The follow-up is over: what is found is closed, what is absent is not made again. */
  readonly cancelling: boolean;
}

export interface DestinationManifest {
  readonly crm: TargetName;
  /** Commands that fit one request. */
  readonly batchMax: number;
  /** Published budget: `requests` per `windowMs`; the engine stops at 95 % of it. */
  readonly budget: { readonly requests: number; readonly windowMs: number };
}

export interface CrmManifest extends DestinationManifest {
  readonly crm: CrmName;
  readonly label: string;
  /** The vendor's API version, with the page it is described on and the date it was checked; the only place it stands. */
  readonly api: { readonly version: string; readonly page: string; readonly checked: string };
  readonly scopes: readonly { readonly scope: string; readonly reason: string; readonly required: boolean }[];
  /** Each refresh uses up the refresh token it was sent with: one whose answer was lost is never sent again. */
  readonly refreshRotates: boolean;
  /**
   * How open tasks of ours are listened to. `everyMs`: from one look to the next. One call of `changed` takes `tasksMax` tasks, or
   * `sinceTasksMax` where it is asked for changes since an instant, and sends `requestsMax` requests at most.
   */
  readonly hears: {
    readonly everyMs: number;
    readonly tasksMax: number;
    readonly sinceTasksMax: number;
    readonly requestsMax: number;
  };
  /** One call of `recordOwners` takes so many people, and sends so many requests at most. */
  readonly owned: { readonly peopleMax: number; readonly requestsMax: number };
}

/** Whose a person's record is: ids of the CRM's users. Absent where it is nobody's, or nobody has chosen that user. */
export interface RecordOwners {
  readonly record?: string;
  /** Of the record of their company. */
  readonly account?: string;
}

/** A CRM: somebody consents to the connection, and its tokens are refreshed. */
export interface Crm extends Destination {
  readonly manifest: CrmManifest;
  /**
   * How tasks of ours stand, in the order of `ask.tasks`: null where it has not changed since, or where the CRM did not say, which is
   * never taken for deleted. May be repeated.
   */
  changed(
    session: CrmSession,
    ask: ChangedAsk,
  ): Promise<Result<readonly (TaskSeen | null)[], Exclude<Outcome, { arm: "done" }>>>;
  /**
   * Whose the records of these people are now, in their order; nobody's for whoever has none, or can be found by a search alone. What has
   * been merged or converted is followed where the person's address leads there. Writes nothing.
   */
  recordOwners(
    session: CrmSession,
    people: readonly CrmPerson[],
  ): Promise<Result<readonly RecordOwners[], Exclude<Outcome, { arm: "done" }>>>;
  /**
   * Records of people that became one since this instant (epoch ms), what others than us have typed into them, and those that were deleted,
   * as signals. May be repeated: the same fact is the same signal. Absent where the CRM tells of it by itself.
   */
  joined?(session: CrmSession, since: number): Promise<Result<JoinedRecords, Exclude<Outcome, { arm: "done" }>>>;
  /** Pure: the shape that a task has when it says this. */
  shape(task: CrmTask): TaskShape;
  /** Pure: the instant that a due date of a shape means, where it stood at `before` (epoch ms); null where it says none. */
  dueAt(due: string, before: number): number | null;
  /** Pure: the address to send a person to. `challenge` is the PKCE S256 challenge. */
  authorizeUrl(app: CrmApp, ask: { readonly state: string; readonly challenge: string }): string;
  exchange(
    app: CrmApp,
    ask: { readonly code: string; readonly verifier: string },
    io: { readonly send: Send; readonly now: number },
  ): Promise<Result<Grant, GrantFailure>>;
  refresh(
    app: CrmApp,
    grant: Grant,
    io: { readonly send: Send; readonly now: number },
  ): Promise<Result<Grant, GrantFailure>>;
  /** Ends our install on the CRM's side. False where it did not confirm; may be repeated, and never throws. */
  revoke(app: CrmApp, grant: Grant, send: Send): Promise<boolean>;
}

/** What actions leave through: what CRMs and outlets have in common. */
export interface Destination {
  readonly manifest: DestinationManifest;
  /** Creates the fields we need and finds out the exactly-once world. Safe to repeat. */
  install(session: CrmSession): Promise<Result<Installation, Exclude<Outcome, { arm: "done" }>>>;
  owners(session: CrmSession): Promise<Result<readonly CrmOwner[], Exclude<Outcome, { arm: "done" }>>>;
  /** How many requests `execute` will send at most for these: the account takes them from its budget first. */
  cost(commands: readonly Command[], world: World): number;
  /** Runs 1 to `batchMax` commands of one type. One outcome per command, in order. Never throws for anything the CRM does. */
  execute(session: CrmSession, commands: readonly Command[]): Promise<readonly Outcome[]>;
  /** Looks the keys of `create_task` commands up, after `unknown`. One resolution per command, in order. */
  resolve(session: CrmSession, commands: readonly Command[], attempt?: Attempt): Promise<readonly Resolution[]>;
  /** Pure: whether the vendor counts this request against the budget of the manifest. */
  counts(request: Request): boolean;
  /** Pure: the budget the vendor says is left, read from an answer's headers; null where it does not say. */
  remaining(headers: Headers): { readonly left: number; readonly of: number } | null;
}
