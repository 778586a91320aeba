/** One schedule's people, signals and faults, drawn from its seed. */
import type { World } from "../../connectors/contract.ts";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import type { FieldOwnership } from "../../src/decide/fields/policy.ts";
import { defaultIdentityPolicy } from "../../src/decide/identity-policy.ts";
import type { Policy } from "../../src/decide/policy.ts";
import type { CrmName, Identifier, Signal } from "../../src/model.ts";
import { toSignal } from "../../src/translate/signal.ts";
import { pick, seeded } from "../signals.ts";
import { type FaultKind, type FaultPlan, faultKinds } from "./faults.ts";

export const workspaceId = "sim";
export const startedAt = Date.UTC(2026, 10, 2, 10);
const day = 86_400_000;

export interface Sending {
  /** Milliseconds after the start. */
  readonly at: number;
  readonly signal: Signal;
  /** The sender tries again until it hears that the signal was accepted. */
  readonly persistent: boolean;
}

/** `split` undoes a link; `settle_*` answers a refused link; `merge` joins any two; `erase` is a person's right. */
export type Word = "split" | "settle_merge" | "settle_apart" | "merge" | "erase";

/** What a holder, or whoever watches, says of a follow-up; `sweep`: the sweeper looks for what is late; `retry`: of what was refused. */
export type Say = "done" | "dismiss" | "reassign" | "snooze" | "undo" | "retry" | "sweep";

/** What somebody does to a task in the CRM. */
export type Deed = "completed" | "deleted" | "given" | "postponed" | "renamed" | "lowered";

export interface Target {
  readonly crm: CrmName;
  readonly world: World;
}

export interface Scenario {
  readonly seed: number;
  readonly policy: Policy;
  readonly targets: readonly Target[];
  readonly sendings: readonly Sending[];
  /** Milliseconds after the start at which somebody in the CRM deletes or completes a task, if there is one. */
  readonly touches: readonly { readonly at: number; readonly to: "deleted" | "completed" }[];
  /** Milliseconds after the start at which a person says something about who is who, if there is anything to say. */
  readonly words: readonly {
    readonly at: number;
    readonly says: Word;
    /** Somebody known by this; else whoever is there. */
    readonly of?: Identifier;
  }[];
  /** Milliseconds after the start at which somebody says something about a follow-up, if there is one. */
  readonly sayings: readonly { readonly at: number; readonly says: Say }[];
  /** Milliseconds after the start at which somebody does something to a task in a CRM, if there is an open one. */
  readonly deeds: readonly { readonly at: number; readonly does: Deed }[];
  readonly plan: FaultPlan;
  readonly faultsEndAt: number;
}

export function policies(): readonly Policy[] {
  const base = defaultPolicy(["sam@example.com", "kim@example.com"]);
  const asks: FieldOwnership = {
    owner: "shared",
    steward: "kim@example.com",
    kind: "text",
    writers: ["*"],
    rule: "ask",
    write_to: ["hubspot", "salesforce"],
  };
  const lead: Policy = { ...base, version: 1, one_open_per: "lead" };
  const play: Policy = {
    ...base,
    version: 2,
    one_open_per: "play",
    // Of three tools that say different things.
    fields: { ...base.fields, company: asks },
    tiers: { ...base.tiers, minutes: { window_ms: 0, sla_ms: 3_600_000 }, hours: { window_ms: 5_000, sla_ms: day } },
  };
  return [lead, play];
}

const [policyPerLead, policyPerPlay] = policies() as [Policy, Policy];

export function scenarioOf(seed: number): Scenario {
  const random = seeded(Math.imul(seed, 2_654_435_761) ^ 0x5eed);
  for (let i = 0; i < 3; i++) random();
  const between = (from: number, to: number) => Math.floor(from + random() * (to - from));
  const people = Array.from({ length: between(1, 5) }, (_, index) => identifiersOf(random, index));
  const shared = random() < 0.2;
  const spreadMs = pick(random, [20, 400, 5_000, 90_000, 2 * 3_600_000]);
  const emails = pick(random, [1, 0.7]);
  const wanted = between(3, 13);
  const sendings: Sending[] = [];
  for (let number = 1; number <= wanted; number++) {
    const person = pick(random, people as [Identifier[], ...Identifier[][]]);
    const given: Identifier[] = [];
    for (let count = between(1, 4); count > 0; count--) {
      const from = shared && random() < 0.15 ? pick(random, people as [Identifier[], ...Identifier[][]]) : person;
      const item = pick(random, from as [Identifier, ...Identifier[]]);
      if (item.type !== "email" || random() < emails) given.push(item);
    }
    if (given.length === 0) given.push(pick(random, person as [Identifier, ...Identifier[]]));
    const kind = kindOf(random());
    const at = random() < 0.4 ? 0 : between(0, spreadMs);
    const made = toSignal(
      {
        id: `s${number}`,
        kind: kind === "resubscribed" ? "form_submitted" : kind,
        occurredAt: startedAt - pick(random, [0, 0, 1_000, day, 2 * day, 3 * day]) - between(0, 3),
        identifiers: given,
        traits: random() < 0.3 ? { company: pick(random, ["A", "B"]) } : {},
        ...(random() < 0.2 ? { account: { domain: pick(random, ["example.com", "example.org"]) } } : {}),
        ...(kind === "unsubscribed" ? { consent: { follow_up: false } } : {}),
        ...(kind === "resubscribed" ? { consent: { follow_up: true } } : {}),
      },
      { workspace: workspaceId, emitter: pick(random, ["forms", "product", "billing"]), receivedAt: startedAt + at },
      defaultIdentityPolicy,
    );
    if (!made.ok) throw new Error(`the scenario made no signal: ${JSON.stringify(made.failure)}`);
    sendings.push({ at, signal: made.value, persistent: random() < 0.9 });
    if (random() < 0.3)
      sendings.push({ at: at + pick(random, [0, 3, 500, 30_000]), signal: made.value, persistent: true });
  }
  const targets = pick<readonly Target[]>(random, [
    [{ crm: "hubspot", world: "unique_property" }],
    [{ crm: "hubspot", world: "marker" }],
    [
      { crm: "hubspot", world: "unique_property" },
      { crm: "salesforce", world: "unique_property" },
    ],
    [
      { crm: "hubspot", world: "marker" },
      { crm: "salesforce", world: "unique_property" },
    ],
  ]);
  const touches = Array.from({ length: random() < 0.3 ? between(1, 3) : 0 }, () => ({
    at: between(0, spreadMs + 60_000),
    to: pick<"deleted" | "completed">(random, ["deleted", "completed"]),
  }));
  const talk = random() < 0.4;
  const words: Scenario["words"][number][] = Array.from({ length: talk ? between(1, 5) : 0 }, () => ({
    at: between(0, spreadMs + 60_000),
    says: pick<Word>(random, ["split", "split", "split", "settle_merge", "settle_apart", "merge", "erase"]),
  }));
  const policy = random() < 0.7 ? policyPerLead : policyPerPlay;
  const plan = planOf(random);
  const faultsEndAt = spreadMs + pick(random, [5_000, 60_000, 300_000]);
  // Drawn last, so that everybody else is who they were.
  if (random() < 0.15)
    sendings.push(...waverer(random, pick(random, people as [Identifier[], ...Identifier[][]]), spreadMs));
  const eager = random() < 0.15 ? insister(random, pick(random, people as [Identifier[], ...Identifier[][]])) : [];
  sendings.push(...eager);
  // Done already, by whoever sees the task before all that.
  const [first] = eager;
  if (first !== undefined && random() < 0.3) touches.push({ at: first.at + between(60_500, 61_000), to: "completed" });
  const isOver = eager.length === 0 ? 0 : Math.max(...eager.map(({ at }) => at)) + 5_000;
  const sayings = Array.from({ length: random() < 0.35 ? between(1, 5) : 0 }, () => ({
    at: between(100, spreadMs + 60_000),
    says: pick<Say>(random, [
      "done",
      "dismiss",
      "reassign",
      "reassign",
      "snooze",
      "undo",
      "undo",
      "retry",
      "sweep",
      "sweep",
    ]),
  }));
  const deeds = Array.from({ length: random() < 0.4 ? between(1, 7) : 0 }, () => ({
    at: between(100, spreadMs + pick(random, [30_000, 120_000, 600_000])),
    does: pick<Deed>(random, ["completed", "deleted", "given", "given", "given", "postponed", "renamed", "lowered"]),
  }));
  if (random() < 0.08) {
    const leaving = leaver(random, pick(random, people as [Identifier[], ...Identifier[][]]), spreadMs);
    sendings.push(...leaving.sendings);
    words.push(...leaving.words);
  }
  const scenario = { seed, words, policy, targets, sendings, touches, sayings, deeds, plan };
  return { ...scenario, faultsEndAt: Math.max(faultsEndAt, isOver) };
}

/** Somebody who asks for a demo, wants to hear nothing while that is on its way, and changes their mind again. */
function waverer(random: () => number, person: readonly Identifier[], spreadMs: number): Sending[] {
  const between = (from: number, to: number) => Math.floor(from + random() * (to - from));
  let at = between(0, spreadMs);
  return ["demo_requested", "unsubscribed", "form_submitted"].map((kind, index) => {
    if (index > 0) at += pick(random, [5, 50, 700, 4_000]) + between(0, 20);
    return sent(`w${index}`, kind, at, person.slice(0, 1), {
      ...(index === 1 ? { consent: { follow_up: false } } : {}),
      ...(index === 2 ? { consent: { follow_up: true } } : {}),
    });
  });
}

/**
 * Somebody who asks to be erased while what they did before is still being linked and followed up, and who goes on: with what
 * happened before, which is theirs, and as somebody new at the very same nodes.
 */
function leaver(
  random: () => number,
  person: readonly Identifier[],
  spreadMs: number,
): { readonly sendings: readonly Sending[]; readonly words: Scenario["words"] } {
  const between = (from: number, to: number) => Math.floor(from + random() * (to - from));
  const leavesAt = between(200, spreadMs + 20_000);
  const of = pick(random, person as [Identifier, ...Identifier[]]);
  const again = random() < 0.4;
  const sendings = Array.from({ length: between(3, 8) }, (_, index) => {
    const at = Math.max(0, leavesAt + between(-1_500, pick(random, [200, 3_000, 40_000])));
    const first = pick(random, person as [Identifier, ...Identifier[]]);
    const second = pick(random, person as [Identifier, ...Identifier[]]);
    const kind = pick(random, ["demo_requested", "page_viewed", "product_used", "trial_started"]);
    const happenedAt = random() < 0.3 ? Math.min(at, leavesAt) - between(1, 5_000) : at;
    return sent(`l${index}`, kind, at, first === second ? [first] : [first, second], {
      occurredAt: startedAt + happenedAt,
    });
  });
  const words = [leavesAt, ...(again ? [leavesAt + between(100, 60_000)] : [])];
  return { sendings, words: words.map((at) => ({ at, says: "erase", of })) };
}

/** Somebody who asks for more while what they asked for before is still being brought up to date in the CRM. */
function insister(random: () => number, person: readonly Identifier[]): Sending[] {
  let at = pick(random, [0, 300, 20_000]);
  // A trial is decided when its minute is over; what names somebody new, when that is linked: the next one meets what lies only in memory.
  const pauses = [0, 61_000, pick(random, [50, 200, 700, 2_000]), pick(random, [5, 200, 2_000])];
  return ["trial_started", "demo_requested", "contact_requested", "quote_accepted"].map((kind, index) => {
    at += pauses[index] ?? 0;
    return sent(`i${index}`, kind, at, index === 1 ? person : person.slice(0, 1), {});
  });
}

function sent(
  id: string,
  kind: string,
  at: number,
  person: readonly Identifier[],
  part: Pick<Signal, "consent"> & { readonly occurredAt?: number },
): Sending {
  const made = toSignal(
    { id, kind, occurredAt: startedAt + at, identifiers: [...person], traits: {}, ...part },
    { workspace: workspaceId, emitter: "forms", receivedAt: startedAt + at },
    defaultIdentityPolicy,
  );
  if (!made.ok) throw new Error(`the scenario made no signal: ${JSON.stringify(made.failure)}`);
  return { at, signal: made.value, persistent: true };
}

function identifiersOf(random: () => number, person: number): Identifier[] {
  const all: Identifier[] = [];
  const add = (type: string, most: number) => {
    for (let i = 0; i < Math.round(random() * most); i++)
      all.push({ type, value: type === "email" ? `p${person}.${i}@example.com` : `${type}-${person}-${i}` });
  };
  all.push({ type: "email", value: `p${person}.main@example.com` });
  add("user_id", 1);
  add("email", 2);
  add("anonymous_id", 3);
  add("stripe_customer_id", 1);
  return all;
}

function kindOf(chance: number): string {
  if (chance < 0.35) return "demo_requested";
  if (chance < 0.5) return "trial_started";
  if (chance < 0.68) return "product_used";
  if (chance < 0.85) return "page_viewed";
  return chance < 0.95 ? "unsubscribed" : "resubscribed";
}

/** How often each kind strikes where the plan is heavy; crashes count per turn, and a schedule has hundreds. */
const heavy: Readonly<Record<FaultKind, number>> = {
  call_lost_before: 0.2,
  call_lost_after: 0.2,
  call_doubled: 0.3,
  call_slow: 0.4,
  crash_before_commit: 0.06,
  crash_before_send: 0.06,
  crash_after_turn: 0.06,
  crash_any: 0.5,
  evict: 0.6,
  d1_lost_before: 0.3,
  d1_lost_after: 0.3,
  d1_slow: 0.3,
  alarm_late: 0.4,
  alarm_doubled: 0.3,
  queue_refuses: 0.3,
  queue_doubled: 0.4,
  queue_late: 0.4,
  hints_forgotten: 0.3,
  crm_lost_before: 0.3,
  crm_lost_after: 0.35,
  crm_late: 0.3,
  crm_slow: 0.3,
  crm_defers: 0.3,
  crm_pauses: 0.15,
  crm_expired: 0.1,
  crm_refuses: 0.05,
  outage: 0.3,
};

function planOf(random: () => number): FaultPlan {
  const level = pick(random, [0, 0.1, 0.3, 1, 1]);
  const share = pick(random, [0.15, 0.4, 1]);
  const plan: Partial<Record<FaultKind, number>> = {};
  for (const kind of faultKinds) if (level > 0 && random() < share) plan[kind] = heavy[kind] * level;
  return plan;
}
