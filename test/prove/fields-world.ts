/**
 * Two or three CRMs, people who type into them, tools that write where they may not, and the engine between them: in virtual
 * time, by seeded chance. Change events arrive late, twice and in any order; CRMs spell values their own way.
 *
 * HubSpot tells of every change who made it, and has no conditional write: the window between reading and writing is open.
 * Salesforce is polled: it tells who touched the record last, in whole seconds, and refuses a write when the record was changed
 * since it was read.
 */
import type { FieldView, OwnValue } from "../../src/decide/fields/current.ts";
import { conflictsOf, observe, reportsOf, settle } from "../../src/decide/fields/observe.ts";
import { fieldPolicySchema } from "../../src/decide/fields/policy.ts";
import {
  emptyFields,
  type FieldReceipt,
  type FieldState,
  type Observation,
  told,
  written,
} from "../../src/decide/fields/state.ts";
import {
  type FieldTarget,
  type FieldWrite,
  type Fight,
  fightsOf,
  isKnown,
  writesOwed,
} from "../../src/decide/fields/writes.ts";
import { pick, seeded } from "../signals.ts";

const second = 1_000;
const minute = 60_000;
export const hour = 3_600_000;
/** 2026-11-23T00:00:00Z. */
export const midnight = 1_795_392_000_000;

const steward = "steward@example.com";
const carried = { owner: "shared", steward, rule: "newest_wins", write_to: ["hubspot", "salesforce"] };
const engines = { owner: "engine", steward, writers: ["engine"], write_to: ["hubspot", "salesforce"] };
export const worldPolicy = fieldPolicySchema.parse({
  website: { ...carried, kind: "url", writers: ["forms"] },
  billing_email: { ...carried, kind: "email", writers: [] },
  seats: { ...carried, kind: "number", writers: ["forms"] },
  nickname: { ...carried, writers: ["forms"], rule: "ask" },
  time_zone: { ...carried, writers: ["*"] },
  lead_score: { ...engines, kind: "number", rule: "owner_wins", deadband: 5 },
  lifecycle_state: {
    ...engines,
    kind: "choice",
    rule: "highest_wins",
    order: ["lead", "engaged", "trial", "customer"],
  },
  first_name: { owner: "human", steward, writers: ["*"], rule: "owner_wins" },
});
export const worldFields = Object.keys(worldPolicy);

interface Cell {
  readonly value: string;
  readonly at: number;
  readonly actor: Observation["actor"];
  readonly key: string;
}

/** One record in one CRM account. */
export class Crm implements FieldTarget {
  readonly crm: FieldTarget["crm"];
  readonly account: string;
  readonly cells = new Map<string, Cell>();
  /** Second of the last change that the poller saw (Salesforce). */
  polled = 0;
  /** What was there when somebody looked last: a poll, a read or our own write (Salesforce). */
  readonly looked = new Map<string, string>();
  /** Instant at which the last poll that was told of arrives: a poller reads in order, and hands on in order. */
  arrives = 0;
  #changes = 0;
  /** Second of the last change to the record, and who made it. */
  modified = 0;
  #modifiedBy: Observation["actor"] = "person";

  constructor(crm: FieldTarget["crm"], account: string) {
    this.crm = crm;
    this.account = account;
  }

  /** What this CRM keeps of a value. */
  spells(field: string, value: string): string {
    const text = value.trim();
    if (field === "billing_email") return text.toLowerCase();
    if (this.crm === "hubspot") return field === "website" ? text.replace(/\/$/, "") : text;
    if (field === "seats" || field === "lead_score") return text === "" ? "" : String(Math.round(Number(text)));
    if (field === "nickname") return text.slice(0, 6);
    return text;
  }

  get(field: string): string {
    return this.cells.get(field)?.value ?? "";
  }

  /** Null where nothing changes by it: a CRM tells of no change then. */
  set(field: string, value: string, actor: Observation["actor"], now: number): Cell | null {
    const kept = this.spells(field, value);
    if (kept === this.get(field)) return null;
    const cell = { value: kept, at: now, actor, key: `${this.account}:${field}:${++this.#changes}` };
    this.cells.set(field, cell);
    this.modified = Math.floor(now / second);
    this.#modifiedBy = actor;
    return cell;
  }

  /** What this CRM can say of the field as it stands. */
  says(field: string): Observation | null {
    const cell = this.cells.get(field);
    if (cell === undefined) return null;
    const { value, actor, at, key } = cell;
    const base = { field, value, system: this.crm, account: this.account };
    if (this.crm === "hubspot") return { ...base, actor, at, key };
    return {
      ...base,
      actor: this.#modifiedBy,
      attribution: "record",
      at: this.modified * second + 999,
      key: `${this.account}:${field}:${this.modified}:${value}`,
    };
  }
}

export type Fact =
  | { readonly observation: Observation }
  | { readonly receipt: FieldReceipt }
  | { readonly told: { readonly field: string; readonly system: string; readonly day: number } };

export interface Plan {
  readonly crms: readonly ("hubspot" | "salesforce")[];
  readonly edits: readonly {
    readonly at: number;
    readonly crm: number;
    readonly field: string;
    readonly value: string;
    /** `tool`: an automation inside the CRM that may not. `forms`: an emitter that may. */
    readonly who: "person" | "tool" | "forms";
  }[];
  readonly own: readonly (OwnValue & { readonly field: string })[];
  /** Answers every write of the engine in this account and field with its own value. */
  readonly quarrels: readonly { readonly crm: number; readonly field: string; readonly value: string }[];
  readonly view?: Partial<FieldView>;
}

/** What somebody typed, and when the CRM first said so. */
export interface Typed {
  readonly field: string;
  readonly value: string;
  readonly account: string;
  readonly who: "person" | "forms" | "tool";
  readonly at: number;
}

export class World {
  readonly crms: readonly Crm[];
  readonly facts: Fact[] = [];
  readonly typed: Typed[] = [];
  readonly sent: (FieldWrite & { readonly at: number })[] = [];
  /** A person's value was overwritten that nobody had told the engine of, and nobody will. */
  blind = 0;
  /** Values typed away and back between two looks: no one can tell. */
  unseen = 0;
  steps = 0;
  state: FieldState = emptyFields;
  now = midnight;
  readonly #own: Record<string, OwnValue> = {};
  readonly #plan: Plan;
  readonly #random: () => number;
  readonly #queue: { at: number; order: number; run: () => void }[] = [];
  readonly #busy = new Set<string>();
  readonly #waiting = new Map<string, readonly Observation[]>();
  readonly #reported = new Set<string>();
  #order = 0;

  constructor(plan: Plan, seed: number) {
    this.#plan = plan;
    this.#random = seeded(seed);
    this.crms = plan.crms.map((crm, index) => new Crm(crm, `${crm}-${index}`));
    for (const edit of plan.edits) this.#later(edit.at - this.now, () => this.#edit(edit));
    for (const { field, ...value } of plan.own)
      this.#later(value.at - this.now, () => {
        this.#own[field] = value;
        this.#engine();
      });
    const end = Math.max(...plan.edits.map(({ at }) => at), ...plan.own.map(({ at }) => at), this.now) + hour;
    for (const crm of this.crms.filter((item) => item.crm === "salesforce")) {
      for (let at = this.now; at < end + 6 * hour; at += this.#within(30 * second, 300 * second))
        this.#later(at - this.now, () => this.#poll(crm));
    }
  }

  get view(): FieldView {
    return {
      policy: worldPolicy,
      own: this.#own,
      owners: { hubspot: "hubspot@example.com", salesforce: "salesforce@example.com" },
      ...this.#plan.view,
    };
  }

  get fights(): readonly Fight[] {
    return fightsOf(this.state, this.view, this.crms, this.now);
  }

  /** Runs until nothing is left to happen. False: it never ends. */
  run(stepsMax: number): boolean {
    for (;;) {
      const next = this.#queue.shift();
      if (next === undefined) {
        if (!this.#answer()) return true;
        continue;
      }
      if (++this.steps > stepsMax) return false;
      this.now = Math.max(this.now, next.at);
      next.run();
    }
  }

  #edit({ crm: index, field, value, who }: Plan["edits"][number]): void {
    if (who === "forms") {
      const observation: Observation = {
        field,
        value,
        system: "forms",
        actor: "system",
        at: this.now,
        key: `forms:${this.now}:${field}`,
      };
      this.typed.push({ field, value, account: "", who, at: this.now });
      this.#tell(observation);
      return;
    }
    const crm = this.crms[index];
    const cell = crm?.set(field, value, who === "person" ? "person" : "system", this.now);
    if (crm !== undefined && cell != null) this.#changed(crm, field, cell);
  }

  /** HubSpot sends an event; Salesforce waits for the poller. */
  #changed(crm: Crm, field: string, cell: Cell): void {
    if (crm.crm === "hubspot") {
      const said = crm.says(field);
      const counts = cell.actor === "person" || (cell.actor === "system" && field === "time_zone");
      const who = cell.actor === "person" ? "person" : "tool";
      if (counts) this.typed.push({ field, value: cell.value, account: crm.account, who, at: cell.at });
      if (said !== null) this.#tell(said);
    }
    if (cell.actor !== "engine") return;
    const index = this.crms.indexOf(crm);
    for (const quarrel of this.#plan.quarrels.filter((item) => item.crm === index && item.field === field))
      this.#later(this.#within(second, minute), () => this.#edit({ at: this.now, ...quarrel, who: "tool" }));
  }

  /** A record that was changed since the last time is told of with all its fields. */
  #poll(crm: Crm): void {
    if (crm.modified === crm.polled) return;
    crm.polled = crm.modified;
    for (const field of worldFields) {
      const said = crm.says(field);
      if (said === null) continue;
      this.#noteTyped(crm, said);
      this.#tell(said);
    }
  }

  /** What Salesforce says first of something a person typed is what counts: it knows no better. */
  #noteTyped(crm: Crm, { field, value, at }: Observation): void {
    const cell = crm.cells.get(field);
    // Of a tool it cannot tell that it was one.
    if (cell === undefined || cell.actor === "engine") return;
    if (crm.crm !== "salesforce" || this.#reported.has(cell.key)) return;
    this.#reported.add(cell.key);
    const before = crm.looked.get(field);
    crm.looked.set(field, value);
    if (before === value) {
      this.unseen++;
      return;
    }
    this.typed.push({ field, value, account: crm.account, who: "person", at });
  }

  /** Late, sometimes very late, sometimes twice; what HubSpot tells, in any order. */
  #tell(observation: Observation): void {
    const crm = this.crms.find(({ account }) => account === observation.account);
    const times = this.#random() < 0.2 ? 2 : 1;
    for (let time = 0; time < times; time++) {
      let delay = this.#random() < 0.1 ? this.#within(minute, hour) : this.#within(20, 20 * second);
      if (crm?.crm === "salesforce") {
        delay = Math.max(delay, crm.arrives - this.now);
        crm.arrives = this.now + delay;
      }
      this.#later(delay, () => this.#arrive(observation));
    }
  }

  /** What may be the outcome of a write waits until that is known. */
  #arrive(observation: Observation): void {
    const { attribution, account, field } = observation;
    const place = `${account}:${field}`;
    if (attribution === "record" && this.#busy.has(place)) {
      this.#waiting.set(place, [...(this.#waiting.get(place) ?? []), observation]);
      return;
    }
    if (attribution !== "record" || !this.#isKnown(observation)) this.#observe(observation);
    this.#engine();
  }

  #isKnown(observation: Observation): boolean {
    return isKnown(this.state, this.view, observation);
  }

  #observe(observation: Observation): void {
    this.facts.push({ observation });
    this.state = observe(this.state, observation, this.view).state;
  }

  #engine(): void {
    for (const report of reportsOf(this.state, this.view)) {
      const { field, system, day } = report;
      this.facts.push({ told: { field, system, day } });
      this.state = told(this.state, report);
    }
    for (const write of writesOwed(this.state, this.view, this.crms, this.now)) {
      const place = `${write.account}:${write.field}`;
      const crm = this.crms.find(({ account }) => account === write.account);
      if (crm === undefined || this.#busy.has(place)) continue;
      this.#busy.add(place);
      this.#later(this.#within(20, 2 * second), () => this.#read(crm, write.field, place));
    }
  }

  #read(crm: Crm, field: string, place: string): void {
    const said = crm.says(field);
    if (said !== null) this.#noteTyped(crm, said);
    if (said !== null && !this.#isKnown(said)) this.#observe(said);
    const write = writesOwed(this.state, this.view, [crm], this.now).find((item) => item.field === field);
    const modified = crm.modified;
    if (write === undefined) {
      this.#free(place, 0);
      return;
    }
    // Not within the second of a change: its time says no more than the second.
    if (crm.crm === "salesforce" && modified * second > this.now - 2 * second) {
      this.#free(place, 2_100);
      return;
    }
    if (crm.get(field) === crm.spells(field, write.value)) {
      const at = crm.crm === "salesforce" ? modified * second + 999 : this.now;
      this.#written({ ...write, stored: crm.get(field), at });
      this.#free(place, 0);
      return;
    }
    this.#later(this.#within(10, 3 * second), () => this.#send(crm, write, place, modified));
  }

  #send(crm: Crm, write: FieldWrite, place: string, modified: number): void {
    // If-Unmodified-Since.
    if (crm.crm === "salesforce" && crm.modified !== modified) {
      this.#free(place, 100);
      return;
    }
    const before = crm.cells.get(write.field);
    if (before?.actor === "person" && crm.crm === "salesforce" && !this.#reported.has(before.key)) this.blind++;
    const cell = crm.set(write.field, write.value, "engine", this.now);
    crm.looked.set(write.field, crm.get(write.field));
    this.sent.push({ ...write, at: this.now });
    if (cell !== null) this.#changed(crm, write.field, cell);
    const said = crm.says(write.field);
    const stored = crm.get(write.field);
    // An answer that was lost is found out by a read, which tells the CRM's time.
    const isLost = this.#random() < 0.1;
    const tells =
      crm.crm === "salesforce" || this.#plan.edits.some(({ who }) => who === "tool") || this.#random() < 0.7;
    const applied = isLost || tells ? said?.at : undefined;
    this.#later(isLost ? this.#within(minute, 10 * minute) : this.#within(10, second), () => {
      // Our clock is not the CRM's.
      const at = applied ?? this.now + this.#within(-500, 500);
      this.#written({ ...write, ...(crm.crm === "salesforce" ? { stored } : {}), at });
      this.#free(place, 0);
    });
  }

  #written({
    key,
    field,
    account,
    value,
    version,
    provoked,
    stored,
    at,
  }: FieldWrite & { stored?: string; at: number }): void {
    const receipt: FieldReceipt = {
      key,
      field,
      account,
      value,
      version,
      provoked,
      at,
      ...(stored === undefined ? {} : { stored }),
    };
    this.facts.push({ receipt });
    this.state = written(this.state, receipt);
  }

  #free(place: string, againMs: number): void {
    this.#busy.delete(place);
    for (const observation of this.#waiting.get(place) ?? [])
      if (!this.#isKnown(observation)) this.#observe(observation);
    this.#waiting.delete(place);
    if (againMs === 0) this.#engine();
    else this.#later(againMs, () => this.#engine());
  }

  /** The steward answers what is asked, when all is quiet. */
  #answer(): boolean {
    const [conflict] = conflictsOf(this.state, this.view);
    const last = conflict?.versions.at(-1);
    if (conflict === undefined || last === undefined) return false;
    const word = settle(conflict, { keep: last.version }, steward, this.now);
    if (word === undefined) return false;
    this.typed.push({ field: word.field, value: word.value, account: "", who: "person", at: word.at });
    this.#observe(word);
    this.#engine();
    return true;
  }

  #within(from: number, to: number): number {
    return from + Math.floor(this.#random() * (to - from));
  }

  #later(ms: number, run: () => void): void {
    const item = { at: this.now + ms, order: this.#order++, run };
    let index = this.#queue.length;
    while (index > 0 && (this.#queue[index - 1]?.at ?? 0) > item.at) index--;
    this.#queue.splice(index, 0, item);
  }
}

/** Edits crowd around a few instants, so that they race with each other and with the engine. */
export function randomPlan(seed: number, crms: Plan["crms"]): Plan {
  const random = seeded(seed);
  const edits: Plan["edits"][number][] = [];
  const moments = Array.from({ length: 4 }, () => midnight + Math.floor(random() * 8 * hour));
  const count = 4 + Math.floor(random() * 14);
  for (let number = 0; number < count; number++) {
    const field = pick(random, [
      "website",
      "website",
      "billing_email",
      "seats",
      "nickname",
      "lead_score",
      "lifecycle_state",
      "first_name",
      "time_zone",
    ]);
    const chance = random();
    const who = chance < 0.75 ? "person" : chance < 0.87 && mayForms.has(field) ? "forms" : "tool";
    const near = pick(random, moments as [number, ...number[]]);
    edits.push({
      at: near + Math.floor(random() * pick(random, [3_000, 30_000, 600_000])) * 2 + (number % 2),
      crm: Math.floor(random() * crms.length),
      field,
      value: valueFor(random, field, number),
      who,
    });
  }
  const own = Array.from({ length: Math.floor(random() * 6) }, (_, number) => {
    const field = pick(random, ["lead_score", "lifecycle_state"]);
    return {
      field,
      value: valueFor(random, field, number),
      at: midnight + Math.floor(random() * 8 * hour),
      key: `signal:${number}`,
    };
  });
  return { crms, edits, own, quarrels: [] };
}

const mayForms: ReadonlySet<string> = new Set(["website", "seats", "nickname", "time_zone"]);

/** No two edits give the same value, so that a write says whose it carries; spelled as people do. */
function valueFor(random: () => number, field: string, number: number): string {
  const space = random() < 0.3 ? " " : "";
  switch (field) {
    case "website":
      return `${pick(random, ["", "https://", "HTTP://"])}W${number}.example.com${pick(random, ["", "/"])}${space}`;
    case "billing_email":
      return `${space}Pay${number}@Example.com`;
    case "seats":
      return `${number * 10 + pick(random, [1, 2, 3])}${pick(random, ["", ".4", ".60"])}`;
    case "lead_score":
      return String(Math.floor(random() * 100));
    case "lifecycle_state":
      return pick(random, ["lead", "engaged", "trial", "customer"]);
    default:
      return `${space}n${number} long name`;
  }
}
