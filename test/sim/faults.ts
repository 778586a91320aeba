/** The faults of one schedule: how likely each kind is, until when, and a way to leave single ones out (for shrinking). */
export const faultKinds = [
  "call_lost_before",
  "call_lost_after",
  "call_doubled",
  "call_slow",
  "crash_before_commit",
  "crash_before_send",
  "crash_after_turn",
  "crash_any",
  "evict",
  "d1_lost_before",
  "d1_lost_after",
  "d1_slow",
  "alarm_late",
  "alarm_doubled",
  "queue_refuses",
  "queue_doubled",
  "queue_late",
  "hints_forgotten",
  "crm_lost_before",
  "crm_lost_after",
  "crm_late",
  "crm_slow",
  "crm_defers",
  "crm_pauses",
  "crm_expired",
  "crm_refuses",
  "outage",
] as const;

export type FaultKind = (typeof faultKinds)[number];
export type FaultPlan = Readonly<Partial<Record<FaultKind, number>>>;

export class Faults {
  readonly plan: FaultPlan;
  readonly #random: () => number;
  readonly #spared: ReadonlySet<number>;
  #count = 0;
  over = false;

  constructor(plan: FaultPlan, random: () => number, spared: ReadonlySet<number>) {
    this.plan = plan;
    this.#random = random;
    this.#spared = spared;
  }

  /** Number of faults so far, spared ones included. */
  get count(): number {
    return this.#count;
  }

  strikes(kind: FaultKind): boolean {
    const chance = this.plan[kind];
    if (chance === undefined || this.over || this.#random() >= chance) return false;
    return !this.#spared.has(this.#count++);
  }
}
