/**
 * Fields in two and three CRMs at once, in random schedules (`fields-world.ts`): the newest person's value stands everywhere, no
 * change is echoed more than once, everything comes to rest, and no order of arrival makes a difference.
 * `node test/prove/fields.ts --cases 20000 --seed 1 [--json]`
 */
import { parseArgs } from "node:util";
import { canonicalJson } from "../../src/crypto.ts";
import { observe } from "../../src/decide/fields/observe.ts";
import { ownershipOf, rankOfValue } from "../../src/decide/fields/policy.ts";
import { spelled } from "../../src/decide/fields/spelling.ts";
import { emptyFields, type FieldState, joinFields, told, written } from "../../src/decide/fields/state.ts";
import { provokedPerDayMax } from "../../src/decide/fields/writes.ts";
import { pick, seeded } from "../signals.ts";
import {
  type Fact,
  hour,
  midnight,
  type Plan,
  randomPlan,
  type Typed,
  World,
  worldFields,
  worldPolicy,
} from "./fields-world.ts";

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly bound: string | null;
  readonly ok: boolean;
}

export interface Proof {
  readonly ok: boolean;
  readonly figures: readonly Figure[];
  /** The first few, in words; each names its seed. */
  readonly failures: readonly string[];
}

/** Many times what any schedule needs. */
const stepsMax = 6_000;
const settings: readonly [Plan["crms"], ...Plan["crms"][]] = [
  ["hubspot", "hubspot"],
  ["hubspot", "salesforce"],
  ["hubspot", "hubspot", "salesforce"],
];

/** Every fifth case is a quarrel between automations. */
export function proveFields(options: { readonly cases: number; readonly seed: number }): Proof {
  const failures: string[] = [];
  const count = {
    human: 0,
    sent: 0,
    restored: 0,
    observations: 0,
    fights: 0,
    overwritten: 0,
    echoes: 0,
    endless: 0,
    order: 0,
    compared: 0,
    unseen: 0,
  };
  for (let index = 0; index < options.cases; index++) {
    const seed = options.seed * 1_000_003 + index;
    const fail = (kind: "overwritten" | "echoes" | "endless" | "order", text: string) => {
      count[kind]++;
      if (failures.length < 10) failures.push(`seed ${seed}: ${text}`);
    };
    const random = seeded(seed);
    const crms = pick(random, settings);
    const quarrels = index % 5 === 4;
    const plan = quarrels ? quarrelPlan(random, crms) : randomPlan(seed, crms);
    const world = new World(plan, seed + 1);
    if (!world.run(stepsMax)) fail("endless", "does not come to rest");
    count.human += world.typed.length;
    count.sent += world.sent.length;
    count.restored += world.sent.filter(({ restores }) => restores).length;
    count.observations += world.facts.length;
    count.fights += world.fights.length;
    count.unseen += world.unseen;
    if (world.blind > 0) fail("overwritten", "a value that nobody was told of was overwritten");
    for (const text of wrongIn(world)) fail("overwritten", text);
    for (const text of echoesIn(world, plan)) fail("echoes", text);
    if (index % 4 === 0 && !orderIsNothing(world, random))
      fail("order", "another order of the same facts ends elsewhere");
    if (index % 4 === 1 && !quarrels && !crms.includes("salesforce")) {
      const other = new World(plan, seed + 2);
      other.run(stepsMax);
      for (const field of worldFields.filter((name) => typedIn(other, name) === typedIn(world, name))) {
        count.compared++;
        const [late, early] = [valuesOf(other, field), valuesOf(world, field)];
        if (late !== early) fail("order", `late events end in another ${field}: ${early} / ${late}`);
      }
    }
  }
  const none = (name: string, value: number): Figure => ({ name, value, unit: "", bound: "= 0", ok: value === 0 });
  const told = (name: string, value: number, unit: string): Figure => ({ name, value, unit, bound: null, ok: true });
  const figures = [
    none("newest values not standing in a CRM that carries them", count.overwritten),
    none("changes echoed more than once", count.echoes),
    none("schedules that never came to rest", count.endless),
    none("orders of arrival that made a difference", count.order),
    told("schedules", options.cases, ""),
    told("values typed", count.human, ""),
    told("facts folded", count.observations, ""),
    told("writes of the engine", count.sent, ""),
    told("values put back after a race or an automation", count.restored, ""),
    told("fields compared under other delays", count.compared, ""),
    told("values typed away and back unseen (not expected to stand)", count.unseen, ""),
    told("quarrels stopped and shown to a person", count.fights, ""),
  ];
  return { ok: figures.every(({ ok }) => ok), figures, failures };
}

/** One or both CRMs have an automation that answers every write of ours with its own value; it may, or may not. */
function quarrelPlan(random: () => number, crms: Plan["crms"]): Plan {
  const both = random() < 0.5;
  const website = {
    ...worldPolicy.website,
    writers: random() < 0.5 ? ["hubspot", "salesforce"] : [],
  } as (typeof worldPolicy)[string];
  const quarrel = (crm: number) => ({ crm, field: "website", value: `bot${crm}.example.com` });
  return {
    crms,
    edits: [
      { at: midnight + Math.floor(random() * hour), crm: 0, field: "website", value: "w.example.com", who: "person" },
    ],
    own: [],
    quarrels: both ? [quarrel(0), quarrel(1)] : [quarrel(1)],
    view: { policy: { ...worldPolicy, website } },
  };
}

/** What should stand, worked out from everything that was typed, against what stands. */
function wrongIn(world: World): string[] {
  const { policy } = world.view;
  const wrong: string[] = [];
  const stopped = new Set(world.fights.map(({ field }) => field));
  for (const field of worldFields) {
    const ownership = ownershipOf(policy, field);
    if (ownership === undefined || ownership.owner === "human" || stopped.has(field)) continue;
    const mayStand = expected(world, field);
    if (mayStand.length === 0) continue;
    for (const crm of world.crms) {
      const stands = spelled(ownership.kind, crm.get(field));
      const fits = mayStand.some(({ value, byEngine }) => {
        const wanted = spelled(ownership.kind, crm.spells(field, value));
        return stands === wanted || (byEngine && Math.abs(Number(stands) - Number(wanted)) < (ownership.deadband ?? 0));
      });
      if (!fits) wrong.push(`${field} in ${crm.account} is “${crm.get(field)}”, not “${mayStand[0]?.value}”`);
    }
  }
  return wrong;
}

/** More than one where a clock of seconds cannot say which was the newest. */
function expected(world: World, field: string): readonly { readonly value: string; readonly byEngine: boolean }[] {
  const ownership = ownershipOf(world.view.policy, field);
  const own = world.view.own[field];
  const typed = world.typed.filter((item) => item.field === field);
  const people = latest(typed.filter(({ who }) => who === "person"));
  const plain = (items: readonly Typed[]) => items.map(({ value }) => ({ value, byEngine: false }));
  if (ownership === undefined || world.view.policy !== worldPolicy) return [];
  if (ownership.owner === "engine") {
    if (own === undefined) return plain(people);
    const isNewer = people.every(({ at }) => own.at > at);
    const isHigher = people.every(
      ({ value }) => (rankOfValue(ownership, own.value) ?? 0) >= (rankOfValue(ownership, value) ?? 0),
    );
    return isNewer && (ownership.rule === "owner_wins" || isHigher)
      ? [{ value: own.value, byEngine: true }]
      : plain(people);
  }
  if (ownership.rule === "ask" && people.length > 0) return plain(people);
  return plain(latest(typed));
}

function latest(items: readonly Typed[]): readonly Typed[] {
  const at = Math.max(...items.map((item) => item.at));
  return items.filter((item) => item.at === at);
}

/**
 * Every value that somebody typed goes once into each other CRM, and is put right at most once. A CRM that dates only its records
 * may date one change twice (read after something else on the record was changed, and an earlier look arrives later): then at
 * most once in each of the others.
 */
function echoesIn(world: World, plan: Plan): string[] {
  const wrong: string[] = [];
  if (world.sent.some(({ field }) => field === "first_name")) wrong.push("the engine wrote a field that people own");
  const places = new Map<string, number>();
  for (const { field, account, provoked } of world.sent)
    if (provoked) places.set(`${field} in ${account}`, (places.get(`${field} in ${account}`) ?? 0) + 1);
  for (const [place, writes] of places) {
    if (writes > provokedPerDayMax) wrong.push(`automations caused ${writes} writes of ${place} within a day`);
  }
  if (plan.quarrels.length > 0) return wrong;
  for (const fact of world.facts) {
    if (!("told" in fact)) continue;
    const { field, system } = fact.told;
    const guilty = plan.edits.some(
      (edit) => edit.field === field && plan.crms[edit.crm] === system && edit.who !== "forms",
    );
    if (!guilty) wrong.push(`${system} was reported for ${field}, where nobody but the engine wrote`);
  }
  for (const field of ["website", "billing_email", "seats", "nickname", "time_zone"]) {
    const kind = ownershipOf(world.view.policy, field)?.kind ?? "text";
    const exact = world.crms.filter(({ crm }) => crm !== "salesforce").length;
    const most = exact < world.crms.length ? exact : 1;
    const counts = new Map<string, { sent: number; may: number }>();
    for (const { value, account } of world.typed.filter((item) => item.field === field)) {
      const name = spelled(kind, value);
      const known = counts.get(name)?.may ?? 0;
      counts.set(name, {
        sent: 0,
        may: known + (account === "" ? world.crms.length : world.crms.length - 1) + most,
      });
    }
    for (const { value } of world.sent.filter((item) => item.field === field && !item.provoked)) {
      const item = counts.get(spelled(kind, value)) ?? { sent: 0, may: 0 };
      counts.set(spelled(kind, value), { ...item, sent: item.sent + 1 });
    }
    for (const [value, { sent, may }] of counts)
      if (sent > may) wrong.push(`${field} “${value}” was written ${sent} times, ${may} would do`);
  }
  return wrong;
}

/** The same facts shuffled and doubled, and as two halves that met later. */
function orderIsNothing(world: World, random: () => number): boolean {
  const facts = [...world.facts, ...world.facts.filter(() => random() < 0.3)];
  for (let last = facts.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [facts[last], facts[other]] = [facts[other] as Fact, facts[last] as Fact];
  }
  const fold = (part: readonly Fact[]) => part.reduce((state, fact) => folded(state, fact, world), emptyFields);
  const middle = Math.floor(random() * facts.length);
  const joined = joinFields(fold(facts.slice(middle)), fold(facts.slice(0, middle)));
  const wanted = canonicalJson(world.state);
  return canonicalJson(fold(facts)) === wanted && canonicalJson(joined) === wanted;
}

function folded(state: FieldState, fact: Fact, world: World): FieldState {
  if ("observation" in fact) return observe(state, fact.observation, world.view).state;
  return "receipt" in fact ? written(state, fact.receipt) : told(state, fact.told);
}

/** What all CRMs hold in the end; a score may lie within its deadband. */
function valuesOf(world: World, field: string): string {
  return field === "lead_score" ? "" : JSON.stringify(world.crms.map((crm) => crm.get(field)));
}

/** Typing what stands there already changes nothing and is told to nobody; what stands there depends on when the engine wrote. */
function typedIn(world: World, field: string): string {
  const typed = world.typed.filter((item) => item.field === field).map((item) => [item.at, item.account, item.value]);
  return JSON.stringify(typed);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      cases: { type: "string", default: "20000" },
      seed: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
    },
  });
  const proof = proveFields({ cases: Number(values.cases), seed: Number(values.seed) });
  if (values.json) console.log(JSON.stringify(proof));
  else {
    for (const text of proof.failures) console.log(text);
    for (const { name, value, unit, bound, ok } of proof.figures)
      console.log(`${ok ? "ok    " : "MISSED"} ${name}: ${value}${unit}${bound === null ? "" : ` (${bound})`}`);
  }
  process.exitCode = proof.ok ? 0 : 1;
}
