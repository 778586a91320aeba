/**
 * One random history of a person, by the product's own functions as its object calls them (`objects/identity.ts`): signals are taken in and
 * decided at their tier's time, people say what they say, somebody else turns out to be the same person, the policy changes.
 */
import { canonicalJson } from "../../src/crypto.ts";
import { type Answer, decide } from "../../src/decide/decide.ts";
import { looksAtCompanies } from "../../src/decide/level.ts";
import { kindRuleOf, type Policy } from "../../src/decide/policy.ts";
import { projectionOf } from "../../src/ledger/rows.ts";
import { linkWaitMs } from "../../src/limits.ts";
import type { DecisionOutcome, Identifier, Signal } from "../../src/model.ts";
import { settleException, tellFollowUp, type Way, type Word } from "../../src/resolve/answers.ts";
import { joinKinds, type LeadFold } from "../../src/resolve/lead.ts";
import { absorb, linkDone } from "../../src/resolve/merge.ts";
import {
  applyAnswer,
  applyEntry,
  assigned,
  followUpFacts,
  type LogEntry,
  newRoot,
  type Root,
  recordReceipt,
  setAction,
} from "../../src/resolve/node.ts";
import { decisionDue } from "../../src/resolve/obligations.ts";
import { heeded } from "../../src/resolve/refusals.ts";
import { members } from "../bench/histories.ts";
import { pick, seeded, signal } from "../signals.ts";
import { zones } from "./recompute-policies.ts";

export interface History {
  /** As the ledger's journal holds it: JSON of one `JournalEntry` each. */
  readonly journal: readonly string[];
  /** What was decided, in the order of the journal's decisions. */
  readonly made: readonly { readonly outcome: DecisionOutcome; readonly bytes: string }[];
}

/** Bytes of an answer: the decision, and the follow-up that left with it. */
export function bytesOf({ decision, followUp }: Answer): string {
  return canonicalJson({ decision, followUp });
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const firstInstant = Date.UTC(2024, 0, 1);
const lastInstant = Date.UTC(2027, 11, 31);
const eventsMax = 20;
const targets = [
  { crm: "hubspot", account: "acme/hubspot/1" },
  { crm: "salesforce", account: "acme/salesforce/1" },
] as const;

export function historyOf(seed: number, policies: readonly [Policy, ...Policy[]]): History {
  const life = new Life(seeded(seed), policies);
  life.run();
  return { journal: life.journal, made: life.made };
}

/** One or two people, and what became of each signal. */
class Life implements History {
  readonly journal: string[] = [];
  readonly made: { outcome: DecisionOutcome; bytes: string }[] = [];
  readonly #random: () => number;
  readonly #policies: readonly [Policy, ...Policy[]];
  readonly #log = new Map<string, Signal>();
  readonly #unjournalled: Signal[] = [];
  #policy: Policy;
  #now: number;
  /** The smaller name wins when two become one. */
  #roots: readonly [Root, ...Root[]];

  constructor(random: () => number, policies: readonly [Policy, ...Policy[]]) {
    this.#random = random;
    this.#policies = policies;
    this.#policy = this.#anyPolicy();
    this.#now = firstInstant + Math.floor(random() * (lastInstant - firstInstant));
    const lead = newRoot(`acme/${this.#whole(1e9).toString(36)}`, "acme");
    this.#roots = random() < 0.25 ? [lead, newRoot(`${lead.name}x`, "acme")] : [lead];
  }

  run(): void {
    const events = 2 + this.#whole(eventsMax - 2);
    for (let event = 0; event < events; event++) {
      this.#pass(pick(this.#random, [1_000, 20 * minute, 5 * hour, 3 * day]));
      const what = this.#random();
      const at = this.#whole(this.#roots.length);
      if (what < 0.6) this.#receive(at);
      else if (what < 0.95) this.#say(at);
      else if (what < 0.97) this.#policy = this.#anyPolicy();
      else this.#merge();
    }
    if (this.#roots.length > 1 && this.#random() < 0.7) this.#merge();
    this.#pass(2 * day);
  }

  /** Rather one of the first: the last ones differ in their time zones only. */
  #anyPolicy(): Policy {
    const at = Math.floor(this.#random() * this.#random() * this.#policies.length);
    return this.#policies[at] ?? this.#policies[0];
  }

  /** Time goes by, and what becomes due is decided then. */
  #pass(most: number): void {
    const until = this.#now + 1 + this.#whole(most);
    for (const at of this.#roots.keys()) {
      for (;;) {
        const due = Math.max(this.#now, Math.min(...this.#dueTimes(at)));
        if (due > until || !decisionDue(this.#root(at), due)) break;
        this.#decide(at, due);
      }
    }
    this.#now = until;
  }

  #dueTimes(at: number): readonly number[] {
    const wait = this.#root(at).links.length === 0 ? 0 : linkWaitMs;
    return this.#root(at).undecided.flatMap((item) => (item.waiting ? [] : [item.decide_at + wait]));
  }

  #receive(at: number): void {
    const root = this.#root(at);
    const taken = randomSignal(this.#random, String(this.#log.size), this.#now);
    this.#log.set(taken.idempotency_key, taken);
    this.#unjournalled.push(taken);
    const window = this.#policy.tiers[kindRuleOf(this.#policy, taken.kind).tier].window_ms;
    const draft: LogEntry = {
      seq: root.seq + 1,
      root: root.name,
      signal: taken,
      // The root's own node, and another that is to be linked.
      node_of: taken.identifiers.map((item, index) => (index === 0 ? root.name : `${root.name}/${item.type}`)),
      undecided: {
        key: taken.idempotency_key,
        decide_at: this.#now + (root.undecided.some((item) => item.waiting) ? 0 : window),
        waiting: false,
      },
    };
    const applied = applyEntry(root, draft);
    const atOnce = applied.links.length === 0 && !looksAtCompanies(this.#policy);
    if (!atOnce || (draft.undecided?.decide_at ?? 0) > this.#now) {
      const linked = this.#random() < 0.8 ? applied.links : [];
      const next = linked.reduce((joined, { node }) => linkDone(joined, node, this.#now), applied);
      this.#set(at, next);
      return;
    }
    const answer = decide(this.#question(applied, this.#now));
    this.#record(at, applyEntry(root, { ...draft, answer, targets }), answer);
  }

  #decide(at: number, now: number): void {
    const root = this.#root(at);
    const company = looksAtCompanies(this.#policy) && this.#random() < 0.8 ? this.#colleagues(now) : undefined;
    const answer = decide({ ...this.#question(root, now), ...(company === undefined ? {} : { company }) });
    this.#record(at, applyAnswer(root, answer, targets, company), answer);
  }

  #question(root: Root, now: number) {
    return {
      policy: this.#policy,
      lead: root.lead,
      leadId: root.name,
      followUps: followUpFacts(root),
      approvals: root.approvals,
      signals: root.undecided.flatMap(({ key }) => this.#log.get(key) ?? []),
      now,
    };
  }

  /** Into the journal, as the ledger gets it. */
  #record(at: number, root: Root, answer: Answer): void {
    const fresh = this.#unjournalled.splice(0).map((item) => JSON.stringify(item));
    this.journal.push(...projectionOf(root, fresh, this.#policy, answer.decision.at).journal);
    this.made.push({ outcome: answer.decision.outcome, bytes: bytesOf(answer) });
    this.#set(at, { ...root, unprojected: { ...root.unprojected, decisions: [] } });
  }

  /** What others at the company did, as its object adds it up. */
  #colleagues(now: number): LeadFold["kinds"] {
    let all: LeadFold["kinds"] = {};
    for (let other = this.#whole(3); other > 0; other--) {
      const at = now - this.#whole(10 * day);
      const kind = pick(this.#random, kinds);
      const one = { count: 2, first_at: at, last_at: at, last_key: `c:${other}` };
      const twice = (number: number) => ({ at: [Math.floor(number)], times: [2] });
      all = joinKinds(all, { [kind]: { ...one, days: twice(at / day), recent: twice(at / (10 * minute)) } }, now);
    }
    return all;
  }

  /** Somebody of ours, or a CRM, says something about what is open. */
  #say(at: number): void {
    const root = this.#root(at);
    const speaker = { by: pick(this.#random, people), at: this.#now };
    const choices: (() => Root)[] = [];
    const answered = (said: ReturnType<typeof tellFollowUp>) => (said.arm === "ok" ? said.root : root);
    for (const { id, state } of root.held)
      if (state === "open") choices.push(() => answered(settleException(root, id, this.#way(), speaker, targets)));
    for (const { id, state, assign = [], actions } of root.follow_ups) {
      if (state !== "open") continue;
      choices.push(() => answered(tellFollowUp(root, id, this.#word(), speaker)));
      for (const { play, due_at, priority, candidates, preferred } of assign) {
        const holder = preferred?.address ?? candidates[0]?.address;
        if (holder !== undefined)
          choices.push(() => assigned(root, id, { holder, why: "turn", play, due_at, priority }));
      }
      for (const { key, crm, state: stands } of actions) {
        const receipt = { crm, task_id: `t${key}`, person_id: `p${root.name}`, at: this.#now };
        if (stands === "pending") choices.push(() => recordReceipt(root, key, receipt));
        if (stands === "pending") choices.push(() => setAction(root, key, (item) => ({ ...item, state: "parked" })));
        if (stands === "parked")
          choices.push(() => answered(settleException(root, `ex_${key}`, { choice: "retry" }, speaker, targets)));
      }
    }
    this.#set(at, choices[this.#whole(choices.length)]?.() ?? root);
  }

  #way(): Way {
    const edit = {
      ...(this.#random() < 0.5 ? { holder: pick(this.#random, people) } : {}),
      ...(this.#random() < 0.5 ? { priority: pick(this.#random, ["low", "medium", "high"] as const) } : {}),
      ...(this.#random() < 0.5 ? { due_at: this.#now + this.#whole(3 * day) } : {}),
    };
    return pick<Way>(this.#random, [
      { choice: "approve" },
      { choice: "approve", edit },
      { choice: "approve", edit },
      { choice: "dismiss", reason: "not ours" },
    ]);
  }

  #word(): Word {
    return pick<Word>(this.#random, [
      { choice: "done", outcome: "replied" },
      { choice: "done", outcome: "converted" },
      { choice: "dismiss", reason: "a competitor" },
      { choice: "reassign", to: pick(this.#random, people) },
      { choice: "snooze", until: this.#now + 1 + this.#whole(day) },
    ]);
  }

  /** The two turn out to be one. */
  #merge(): void {
    const [winner, loser] = this.#roots;
    if (loser === undefined) return;
    const theirs = [...this.#log.values()].filter((item) => this.#belongs.get(item.idempotency_key) === loser.name);
    this.#roots = [heeded(absorb(winner, loser, theirs, this.#policy.one_open_per), this.#policy, this.#now)];
  }

  /** Whose log a signal stands in. */
  readonly #belongs = new Map<string, string>();

  #root(at: number): Root {
    return this.#roots[at] ?? this.#roots[0];
  }

  #set(at: number, root: Root): void {
    for (const { key } of root.undecided) if (!this.#belongs.has(key)) this.#belongs.set(key, root.name);
    const [first, second] = this.#roots;
    if (at === 0) this.#roots = second === undefined ? [root] : [root, second];
    else this.#roots = [first, root];
  }

  #whole(below: number): number {
    return Math.floor(this.#random() * below);
  }
}

const people = members as [string, ...string[]];

/** `constructor` is a kind as good as any: nothing may take it for something else. */
const kinds: [string, ...string[]] = [
  "demo_requested",
  "contact_requested",
  "trial_started",
  "trial_ending",
  "signed_up",
  "quote_accepted",
  "subscription_cancelled",
  "payment_failed",
  "form_submitted",
  "pricing_viewed",
  "pricing_viewed",
  "product_used",
  "product_used",
  "product_used",
  "page_viewed",
  "invite_sent",
  "crm_records_merged",
  "never_heard_of",
  "constructor",
];

const names: readonly [readonly Identifier[], ...(readonly Identifier[])[]] = [
  [{ type: "email", value: "ada@north.example.com" }],
  [{ type: "email", value: "ada@gmail.com" }],
  [
    { type: "user_id", value: "u1" },
    { type: "email", value: "ada@big.example.com" },
  ],
  [
    { type: "hubspot_contact_id", value: "501" },
    { type: "email", value: "zoë.łukasz@example.com" },
  ],
  [
    { type: "salesforce_lead_id", value: "00Q1" },
    { type: "salesforce_contact_id", value: "0031" },
  ],
  [
    { type: "anonymous_id", value: "a1" },
    { type: "gclid", value: "g1" },
  ],
  [{ type: "anonymous_id", value: "a2" }],
  [{ type: "user_id", value: "u1" }],
  [{ type: "phone", value: "+4930123456" }],
];

/** Values that are hard on somebody: names in other alphabets, half characters, numbers with a rest, zones that are none. */
function randomSignal(random: () => number, id: string, now: number): Signal {
  const some = <Value>(share: number, value: Value): Value | Record<string, never> => (random() < share ? value : {});
  const late = pick(random, [0, 0, 0, 2_000, 90 * minute, 2 * day, 20 * day, 200 * day, -minute]);
  const yes = random() < 0.6;
  return signal({
    id,
    emitter: pick(random, ["forms", "product", "website", "crm"]),
    idempotency_key: `x:${id}`,
    kind: pick(random, kinds),
    occurred_at: now - Math.floor(random() * late),
    received_at: now,
    identifiers: pick(random, names),
    traits: {
      ...some(0.2, { company: pick(random, ["Northwind", "Ünïted GmbH", "İstanbul AŞ", "株式会社"]) }),
      ...some(0.2, { job_title: pick(random, ["VP Sales", "CEO", "Student", "Chief 🛰 Officer", "half \ud83d"]) }),
      ...some(0.4, { country: pick(random, ["DE", "de", "Germany", "FR", "GB", "US", "JP"]) }),
      ...some(0.3, { time_zone: pick(random, [...zones, "Mars/Olympus", " Europe/Berlin ", "+02:00"] as const) }),
      ...some(0.1, { email: pick(random, ["ada@example.com", "ada@mailinator.com", "ada@big.example.com"]) }),
      ...some(0.2, { owner: pick(random, people), account_owner: pick(random, people) }),
      ...some(0.2, { first_name: "Ada" }),
    },
    account: some(0.2, { domain: pick(random, ["north.example.com", "big.example.com"]), name: "North" }),
    attribution: some(0.2, { utm_source: pick(random, ["news", "partner-3"]), landing_page: "/pricing" }),
    ...some(0.12, {
      consent: pick<NonNullable<Signal["consent"]>>(random, [
        { follow_up: yes },
        { purposes: { call: yes } },
        { purposes: { email: !yes, call: yes } },
        { follow_up: yes, purposes: { call: !yes } },
      ]),
    }),
    properties: {
      path: pick(random, ["/pricing", "/pricing/7", "/docs"]),
      seats: pick(random, [0.1 + 0.2, 49, 50, -0, 1e21, 5e-324]),
      ...some(0.1, { survivor: "501", nested: { list: [1, null, "two"] } }),
    },
  });
}
