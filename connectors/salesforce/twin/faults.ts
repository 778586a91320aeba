/** What can be made to go wrong, and when. Chance comes from a seed, so a run can be repeated. */
import type { PackageMissing } from "./fields.ts";

/** Strikes a whole request. `times` counts down; the first that fits strikes. */
export interface RequestFault {
  readonly kind: /** 500 `UNKNOWN_EXCEPTION`, nothing done. */
    | "error_500"
    /** 503 with a maintenance page in HTML, or with `SERVER_UNAVAILABLE`; nothing done. */
    | "html_503"
    | "json_503"
    /** 200 with a page in HTML, as a proxy or a login page gives; nothing done. */
    | "html_200"
    /** The connection breaks before anything is done, or after everything was. */
    | "drop_before"
    | "drop_after"
    /** Never answered; done or not. */
    | "silent_before"
    | "silent_after"
    /** The access token of this request ends now: 401 `INVALID_SESSION_ID`. */
    | "expire"
    /** 401 that no refresh mends. */
    | "session_refused"
    /** 403 `REQUEST_LIMIT_EXCEEDED`, for the day or for this moment. */
    | "request_limit"
    | "concurrent_limit"
    /** 403 `API_DISABLED_FOR_ORG`. */
    | "api_disabled"
    /** 400 for the request as a whole, though only one row may be bad. */
    | "refused_whole";
  /** Part of the path, of the method, or of the body that the request must have. */
  readonly path?: string;
  readonly method?: string;
  readonly body?: string;
  /** Only requests with at least so many rows. */
  readonly rowsMin?: number;
  readonly times: number;
}

/** Strikes one row that is written. Without `times` it stands until it is taken away. */
export interface RowFault {
  readonly kind:
    | "lock"
    /** A lock behind a trigger's code. */
    | "lock_hidden"
    | "trigger"
    | "validation"
    | "readonly"
    | "storage"
    | "unknown_exception"
    /** Another request made the same key a moment before: the record is there, and this row is refused. */
    | "duplicate_value";
  readonly object?: "Task" | "Lead" | "Contact";
  /** Part of the row as JSON. */
  readonly contains?: string;
  readonly times?: number;
}

export interface Faults {
  /** Each answer comes so much later. */
  latencyMs: number;
  /** Time between looking a key up and committing: two upserts within it race, and the second gets DUPLICATE_VALUE. */
  raceWindowMs: number;
  /** Share of data requests answered with 500 before anything is done. */
  errorRate: number;
  /** Share of data requests that are carried out and whose answer is lost. */
  lostRate: number;
  /** Every data request is answered with 503. */
  unavailable: "no" | "html" | "json";
  /** Refreshes come from an address that is not on the allowlist. */
  addressRefused: boolean;
  /** The package is not installed, so nobody can connect: `invalid_client`, "app must be installed into org". */
  appMissing: boolean;
  /** The package's fields are not there: none, or not those of its latest version. */
  packageMissing: PackageMissing;
  /** Sales Engagement is licensed; whether a target that is in the cadence already is refused (UNSURE). */
  salesEngagement: boolean;
  refusesAssignedTargets: boolean;
  /** Leads whose e-mail address a lead or contact has already are blocked: DUPLICATES_DETECTED. */
  duplicateRule: boolean;
  /** A deleted record still holds its unique key (not documented either way, CRM-FACTS §2.1). */
  recycleBinHoldsKey: boolean;
  /** States of a task; a list makes the picklist restricted. The first is the default, the last closed. */
  taskStatuses: readonly string[] | null;
  /** Values are kept in other words than they were written in: line breaks as CRLF, no parts of a second. */
  rewritesValues: boolean;
  /** Fields of Lead and Contact whose history is kept; off in an org until somebody switches it on, field by field. */
  trackedFields: readonly string[];
  /** API requests of the rolling day. */
  apiUsed: number;
  apiLimit: number;
  requests: RequestFault[];
  rows: RowFault[];
}

export function noFaults(): Faults {
  return {
    latencyMs: 0,
    raceWindowMs: 0,
    errorRate: 0,
    lostRate: 0,
    unavailable: "no",
    addressRefused: false,
    appMissing: false,
    packageMissing: false,
    salesEngagement: true,
    refusesAssignedTargets: true,
    duplicateRule: false,
    recycleBinHoldsKey: false,
    taskStatuses: null,
    rewritesValues: false,
    trackedFields: ["Email", "FirstName", "LastName", "Phone", "Company", "Title", "Website"],
    apiUsed: 0,
    apiLimit: 100_000,
    requests: [],
    rows: [],
  };
}

/** The org's words for the states of a task, the default first and the closed one last. */
export function statusesOf(faults: Faults): readonly string[] {
  return faults.taskStatuses ?? ["Not Started", "In Progress", "Waiting on someone else", "Deferred", "Completed"];
}

/** mulberry32: small, fast, and the same numbers for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Incoming {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly rows: number;
}

/** Takes the scripted fault that fits this request, or draws one by rate; without `chance` no rates apply. */
export function strikeRequest(
  faults: Faults,
  chance: (() => number) | null,
  incoming: Incoming,
): RequestFault["kind"] | null {
  const index = faults.requests.findIndex(
    (fault) =>
      (fault.path === undefined || incoming.path.includes(fault.path)) &&
      (fault.method === undefined || fault.method === incoming.method) &&
      (fault.body === undefined || incoming.body.includes(fault.body)) &&
      (fault.rowsMin === undefined || incoming.rows >= fault.rowsMin),
  );
  const scripted = faults.requests[index];
  if (scripted !== undefined) {
    faults.requests.splice(index, 1, ...(scripted.times > 1 ? [{ ...scripted, times: scripted.times - 1 }] : []));
    return scripted.kind;
  }
  if (faults.unavailable !== "no") {
    return faults.unavailable === "html" ? "html_503" : "json_503";
  }
  const drawn = chance !== null && (faults.errorRate > 0 || faults.lostRate > 0) ? chance() : 1;
  if (drawn < faults.errorRate) {
    return "error_500";
  }
  return drawn < faults.errorRate + faults.lostRate ? "drop_after" : null;
}

/** Takes the fault that fits this row. */
export function strikeRow(faults: Faults, object: string, row: object): RowFault["kind"] | null {
  if (faults.rows.length === 0) {
    return null;
  }
  const json = JSON.stringify(row);
  const index = faults.rows.findIndex(
    (fault) =>
      (fault.object === undefined || fault.object === object) &&
      (fault.contains === undefined || json.includes(fault.contains)),
  );
  const fault = faults.rows[index];
  if (fault?.times !== undefined) {
    faults.rows.splice(index, 1, ...(fault.times > 1 ? [{ ...fault, times: fault.times - 1 }] : []));
  }
  return fault?.kind ?? null;
}
