/**
 * Everything that can be made to go wrong, as switches (CRM-FACTS §4). All are off at first. Chance is seeded, so that a
 * run can be repeated; the same requests in the same order meet the same faults.
 */

export interface Faults {
  /** Which exactly-once world the account is (CRM-FACTS §1.3). */
  world: "unique_property" | "builtin_unique" | "marker";
  /**
   * How a world without our unique property shows it: when it is created, when it is used, for want of a scope, or not at
   * all: `ignore` takes the property and the upsert, and makes a new task each time.
   */
  uniqueRefusal: "create" | "upsert" | "scope" | "ignore";
  seed: number;
  /** Share of API requests answered 500 before anything is done. */
  errorRate: number;
  /** Share of API requests that are carried out and whose connection is then broken without an answer. */
  lostRate: number;
  /** Share of API requests whose connection is broken before anything is done. */
  dropRate: number;
  /** Share of rows of batch writes that fail in a 207 (needs trace ids), with this category. Such a row is not written. */
  rowErrorRate: number;
  rowErrorCategory: string;
  latencyMs: number;
  /** 110 requests in 10 s and 5 searches a second, for real (CRM-FACTS §1.5). */
  enforceLimits: boolean;
  limitRequests: number;
  limitWindowMs: number;
  searchesPerSecond: number;
  /** 429 answers carry Retry-After, which HubSpot does not document. */
  retryAfter: boolean;
  /** Refuses whole batches for one bad row although the rows carry trace ids. */
  wholeBatchErrors: boolean;
  /** Refusals hold nothing but a message: all else is optional (CRM-FACTS §1.5). */
  bareErrors: boolean;
  /** Answers leave `objectWriteTraceId` out of results. */
  hideTraceIds: boolean;
  searchLagMs: number;
  associationLagMs: number;
  /** Batch reads still show what a record was before its last change for so long. Nobody says that it happens; nobody says that it cannot. */
  readLagMs: number;
  /** A customer's validation rule (CRM-FACTS §1.1). `conditional` makes it apply to tasks of priority HIGH only. */
  requiredProperty: { objectType: "contacts" | "tasks"; property: string; conditional?: boolean } | null;
  /** Whether the key of a deleted task may be used again. UNSURE what HubSpot does. */
  archivedKey: "free" | "held";
  /** Whether a batch read follows a merged id. Seen both ways. */
  mergedInBatchRead: boolean;
  /** Values are kept in other words than they were written in: due dates and other instants in ISO, bodies as the editor's HTML. */
  rewritesTasks: boolean;
  /** What is answered of a contact that is in no sequence, whether one that has ended is still shown, and how late a new one is. UNSURE, all three. */
  notEnrolled: "404" | "empty";
  showsEndedEnrolments: boolean;
  enrolmentLagMs: number;
  /** The sender has no seat of the hub that sequences belong to; or no inbox of theirs is connected. */
  noSequenceSeat: boolean;
  senderNotConnected: boolean;
  /** Every refresh is refused with BAD_REFRESH_TOKEN. */
  refreshRefused: boolean;
  /** The token answer names account and scopes. "Maybe", says CRM-FACTS §1.6. */
  accountInToken: boolean;
  /** The consent page needs no click. */
  autoConsent: boolean;
  /** A request or an answer that does not have the published shape is answered 500 instead of only being counted. */
  strictShapes: boolean;
  webhookRepeat: boolean;
  webhookReorder: boolean;
  /** Webhooks are signed as if sent that long ago. */
  webhookAgeMs: number;
  /** Faults that strike next, each where it matches, in order. */
  script: ScriptedFault[];
}

/** One fault for the next `times` requests that match, after letting `skip` of them pass. */
export interface ScriptedFault {
  method?: string;
  /** Part of the path as sent, e.g. `tasks/batch/upsert`. */
  path?: string;
  times?: number;
  skip?: number;
  /**
   * `status`: that answer (before anything is done, or after when `commit`); `drop`: broken before, `lose`: after;
   * `rows`: those rows of the batch fail; `silent`: those rows are carried out and left out of the answer; `garble`: carried
   * out and answered with broken JSON; `pending`: carried out and answered with status PENDING and no results.
   */
  kind: "status" | "drop" | "lose" | "rows" | "silent" | "garble" | "pending";
  status?: number;
  commit?: boolean;
  policyName?: "DAILY" | "TEN_SECONDLY_ROLLING" | "SECONDLY";
  retryAfter?: number;
  category?: string;
  code?: string;
  /** A page instead of JSON, as gateways answer. */
  html?: boolean;
  noContentType?: boolean;
  rows?: number[];
  /** Waits this long before the answer. */
  delayMs?: number;
}

export const noFaults: Readonly<Faults> = {
  world: "unique_property",
  uniqueRefusal: "create",
  seed: 1,
  errorRate: 0,
  lostRate: 0,
  dropRate: 0,
  rowErrorRate: 0,
  rowErrorCategory: "INTERNAL_ERROR",
  latencyMs: 0,
  enforceLimits: false,
  limitRequests: 110,
  limitWindowMs: 10_000,
  searchesPerSecond: 5,
  retryAfter: false,
  wholeBatchErrors: false,
  bareErrors: false,
  hideTraceIds: false,
  searchLagMs: 0,
  associationLagMs: 0,
  readLagMs: 0,
  requiredProperty: null,
  archivedKey: "free",
  mergedInBatchRead: false,
  rewritesTasks: false,
  notEnrolled: "404",
  showsEndedEnrolments: false,
  enrolmentLagMs: 0,
  noSequenceSeat: false,
  senderNotConnected: false,
  refreshRefused: false,
  accountInToken: true,
  autoConsent: false,
  strictShapes: false,
  webhookRepeat: false,
  webhookReorder: false,
  webhookAgeMs: 0,
  script: [],
};

export class FaultBox {
  current: Faults;
  #state: number;

  constructor(initial: Partial<Faults> = {}) {
    this.current = { ...structuredClone(noFaults), ...structuredClone(initial) };
    this.#state = this.current.seed;
  }

  /** Sets some switches; the others stay. An unknown name or a value of the wrong kind is refused. */
  set(change: Partial<Faults>): void {
    for (const [name, value] of Object.entries(change)) {
      if (!(name in noFaults)) throw new TypeError(`no such fault: ${name}`);
      const usual = noFaults[name as keyof Faults];
      if (usual !== null && typeof value !== typeof usual) throw new TypeError(`${name} must be a ${typeof usual}`);
    }
    this.current = { ...this.current, ...structuredClone(change) };
    if (change.seed !== undefined) this.#state = change.seed;
  }

  reset(initial: Partial<Faults> = {}): void {
    this.current = { ...structuredClone(noFaults), ...structuredClone(initial) };
    this.#state = this.current.seed;
  }

  /** Mulberry32. Only drawn when a rate is set, so that switching one off does not shift the others. */
  strikes(rate: number): boolean {
    return rate > 0 && this.chance() < rate;
  }

  chance(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** The scripted fault for this request, used up by it. */
  next(method: string, path: string): ScriptedFault | null {
    for (const [index, fault] of this.current.script.entries()) {
      if (fault.method !== undefined && fault.method !== method) continue;
      if (fault.path !== undefined && !path.includes(fault.path)) continue;
      if ((fault.skip ?? 0) > 0) {
        fault.skip = (fault.skip ?? 0) - 1;
        continue;
      }
      const left = (fault.times ?? 1) - 1;
      if (left > 0) fault.times = left;
      else this.current.script.splice(index, 1);
      return { ...fault };
    }
    return null;
  }
}
