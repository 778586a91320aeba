/**
 * What holds now: the value of a field under its rule, and what each CRM holds as far as is known. Worked out of the facts each
 * time, never stored. Pure.
 */
import { digest } from "../../crypto.ts";
import { type FieldOwnership, type FieldPolicy, mayWrite, ownershipOf, rankOfValue } from "./policy.ts";
import { spelled } from "./spelling.ts";
import type { FieldHistory, FieldState, Observation, Seen, Wrote } from "./state.ts";

/** A value of the engine's own, worked out of the lead. */
export interface OwnValue {
  readonly value: string;
  /** Epoch ms: since when the facts say so (the signal that gave it), not when it was worked out: that would outdo any person. */
  readonly at: number;
  /** Key of that signal. */
  readonly key: string;
}

/** Beside the facts, what every question about them needs. */
export interface FieldView {
  readonly policy: FieldPolicy;
  /** By field. */
  readonly own: Readonly<Record<string, OwnValue>>;
  /** System → address of its owner, for reports. */
  readonly owners: Readonly<Record<string, string>>;
}

/** A value and where it came from. */
export interface Change {
  readonly value: string;
  readonly actor: Observation["actor"];
  readonly system: string;
  readonly account?: string;
  readonly by?: string;
  /** It is not known that it was a person; it is treated as if. */
  readonly unsure?: true;
  readonly at: number;
  readonly key: string;
}

/** `version` names the change: the same value said anew is another version. */
export interface FieldVersion extends Change {
  readonly version: string;
}

export interface Current {
  readonly winner: FieldVersion;
  /** Under `ask`: differing values, the winner first, until a person has chosen. Empty otherwise. */
  readonly contested: readonly FieldVersion[];
}

/** What one CRM account holds in one field. */
export interface Held {
  readonly value: string;
  readonly by: Observation["actor"];
  readonly at: number;
  /** Of the change or of our write that put it there. */
  readonly key: string;
  /** What we meant to write, where we wrote it: the CRM may keep another spelling of it, or less. */
  readonly meant?: string;
}

/** The system under whose name a person's answer to a question is kept. */
export const answerSystem = "baton/answer";

export function currentOf(state: FieldState, view: FieldView, field: string): Current | undefined {
  const ownership = ownershipOf(view.policy, field);
  if (ownership === undefined) return undefined;
  const changes = changesOf(state, field, ownership);
  const own = Object.hasOwn(view.own, field) ? view.own[field] : undefined;
  if (own !== undefined)
    changes.push({ value: own.value, at: own.at, key: own.key, system: "engine", actor: "engine" });
  return ruled(ownership, changes);
}

/** What holds of all that was said of a field: a person's word, and that of whoever may write it. */
export function ruled(ownership: FieldOwnership, changes: readonly Change[]): Current | undefined {
  const counting = changes.filter(({ actor, system }) => actor === "person" || mayWrite(ownership, system));
  return byRule(ownership, counting.sort(newestFirst));
}

function byRule(ownership: FieldOwnership, newest: readonly Change[]): Current | undefined {
  const person = newest.find(({ actor }) => actor === "person");
  const since = newest.filter(
    (item) => item.actor !== "person" && (person === undefined || newestFirst(item, person) < 0),
  );
  switch (ownership.rule) {
    case "newest_wins":
      return uncontested(newest[0]);
    case "owner_wins": {
      const engine = since.find(({ actor }) => actor === "engine");
      return uncontested((ownership.owner === "engine" ? engine : undefined) ?? person ?? newest[0]);
    }
    case "highest_wins":
      return uncontested(highest(ownership, person === undefined ? since : [...since, person]));
    case "ask":
      return agreed(ownership, person, since);
  }
}

function uncontested(winner: Change | undefined): Current | undefined {
  return winner === undefined ? undefined : { winner: named(winner), contested: [] };
}

/** The newest of the highest ones. */
function highest(ownership: FieldOwnership, newest: readonly Change[]): Change | undefined {
  let best: { item: Change; rank: number } | undefined;
  for (const item of newest) {
    const rank = rankOfValue(ownership, item.value) ?? 0;
    if (best === undefined || rank > best.rank) best = { item, rank };
  }
  return best?.item;
}

/** Until somebody has chosen: what a person typed, else what was there first. */
function agreed({ kind }: FieldOwnership, person: Change | undefined, since: readonly Change[]): Current | undefined {
  const latest = since.filter(
    (item, index) =>
      since.findIndex(({ system, account }) => system === item.system && account === item.account) === index,
  );
  const standing = person ?? latest.at(-1);
  if (standing === undefined) return undefined;
  const text = spelled(kind, standing.value);
  const others = latest.filter(({ value }) => spelled(kind, value) !== text);
  const winner = named(standing);
  return { winner, contested: others.length === 0 ? [] : [winner, ...others.map(named)] };
}

/** By event time; of the same instant a person's first, then the engine's. Never by arrival. */
function newestFirst(a: Change, b: Change): number {
  if (a.at !== b.at) return b.at - a.at;
  if (a.actor !== b.actor) return actorRank[b.actor] - actorRank[a.actor];
  const [left, right] = [`${a.system}|${a.key}|${a.value}`, `${b.system}|${b.key}|${b.value}`];
  return left < right ? 1 : left > right ? -1 : 0;
}

const actorRank = { system: 0, engine: 1, person: 2 } as const;

function named(change: Change): FieldVersion {
  const { value, system, account, at, key } = change;
  return { ...change, version: `fv_${digest(value, String(at), system, account ?? "", key)}` };
}

/** Everything that somebody else has changed, anywhere, whether they may or not; our own writes and their echoes left out. */
export function changesOf(state: FieldState, field: string, ownership: FieldOwnership): Change[] {
  const history = Object.hasOwn(state.fields, field) ? state.fields[field] : undefined;
  if (history === undefined) return [];
  const changes: Change[] = [];
  const accounts = new Set<string>();
  for (const item of Object.values(history.seen).flat()) {
    if (item.account !== undefined) accounts.add(item.account);
    else if (item.actor !== "engine") changes.push(changeOf(item, item.actor));
  }
  for (const account of accounts) changes.push(...lifeAt(history, account, ownership).changes);
  return changes;
}

/** `until`: epoch ms, for what it held then. */
export function heldAt(
  state: FieldState,
  field: string,
  ownership: FieldOwnership,
  account: string,
  until = Number.POSITIVE_INFINITY,
): Held | undefined {
  const history = Object.hasOwn(state.fields, field) ? state.fields[field] : undefined;
  return history === undefined ? undefined : lifeAt(history, account, ownership, until).held;
}

type Moment = { readonly at: number; readonly key: string } & ({ readonly wrote: Wrote } | { readonly seen: Seen });

/** What happened to the field in one account, one thing after another: who really changed it, and what it holds in the end. */
function lifeAt(
  history: FieldHistory,
  account: string,
  { kind }: FieldOwnership,
  until = Number.POSITIVE_INFINITY,
): { readonly changes: readonly Change[]; readonly held: Held | undefined } {
  const wrote = Object.hasOwn(history.wrote, account) ? (history.wrote[account] ?? []) : [];
  const moments: Moment[] = wrote.map((item) => ({ at: item.at, key: item.key, wrote: item }));
  for (const items of Object.values(history.seen))
    for (const item of items) if (item.account === account) moments.push({ at: item.at, key: item.key, seen: item });
  moments.sort((a, b) => a.at - b.at || tieRank(a) - tieRank(b) || (a.key < b.key ? -1 : 1));

  const changes: Change[] = [];
  let held: Held | undefined;
  let lastWrote: Wrote | undefined;
  for (const moment of moments) {
    if (moment.at > until) break;
    if ("wrote" in moment) {
      lastWrote = moment.wrote;
      held = {
        value: lastWrote.stored ?? lastWrote.value,
        by: "engine",
        at: moment.at,
        key: moment.key,
        meant: lastWrote.value,
      };
      continue;
    }
    const { seen } = moment;
    const unsure = seen.attribution === "record";
    // Told again because something else on the record was changed.
    if (unsure && held !== undefined && spelled(kind, held.value) === spelled(kind, seen.value)) continue;
    if (seen.actor === "engine" && !unsure) {
      const { key = seen.key, value: meant } = lastWrote ?? {};
      held = { value: seen.value, by: "engine", at: seen.at, key, ...(meant === undefined ? {} : { meant }) };
      continue;
    }
    // Who touched the record last need not have touched this field: in doubt it was a person before them.
    const actor = unsure ? "person" : seen.actor;
    changes.push({ ...changeOf(seen, actor), ...(unsure && seen.actor !== "person" ? { unsure } : {}) });
    held = { value: seen.value, by: actor, at: seen.at, key: seen.key };
  }
  return { changes, held };
}

/**
 * Of the same ms ours is taken for the later one: what a person typed is then written once more, which harms nobody. Where the
 * clock shows seconds ours is the earlier one: we do not write within the second of a change (`writes.ts`).
 */
function tieRank(moment: Moment): number {
  if ("wrote" in moment || moment.seen.actor === "engine") return 1;
  return moment.seen.attribution === "record" ? 2 : 0;
}

function changeOf({ value, system, account, by, at, key }: Seen, actor: Change["actor"]): Change {
  return {
    value,
    actor,
    system,
    ...(account === undefined ? {} : { account }),
    ...(by === undefined ? {} : { by }),
    at,
    key,
  };
}
