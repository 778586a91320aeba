/**
 * What somebody else's write leads to: it is taken, or dropped as an echo of ours, or not taken and reported to both owners, or put
 * before a person. Pure.
 */
import { digest } from "../../crypto.ts";
import { answerSystem, type Change, changesOf, currentOf, type FieldVersion, type FieldView } from "./current.ts";
import { type FieldOwnership, mayWrite, ownershipOf, rankOfValue } from "./policy.ts";
import { spelled } from "./spelling.ts";
import { type FieldState, type Observation, toldName, withSeen } from "./state.ts";

/** A write by somebody who does not own the field, for the owner of the field and the owner of the writer. */
export interface Report {
  /** One per field, system and day. */
  readonly key: string;
  readonly field: string;
  readonly system: string;
  /** Epoch day of the write. */
  readonly day: number;
  readonly change: Change;
  /** True for a person's write: it stays all the same. */
  readonly stays: boolean;
  /** Addresses of those of the two who are known. */
  readonly to: readonly string[];
  readonly text: string;
}

/** Values between which a person has to choose. */
export interface Conflict {
  /** Of exactly these versions: when another one comes, the question is another one and this one is overtaken. */
  readonly id: string;
  readonly field: string;
  readonly versions: readonly FieldVersion[];
  readonly to: string;
  readonly text: string;
  readonly ways_out: readonly Way[];
}

export type Way = { readonly keep: string } | { readonly value: string };

export type Effect =
  /** The workspace does not look at this field, or a system had no value for it, or it is older than what is kept. */
  | { readonly type: "none"; readonly reason: "unlisted" | "empty" | "older" }
  | { readonly type: "echo" }
  | { readonly type: "accepted"; readonly wins: boolean }
  | { readonly type: "conflict"; readonly conflict: Conflict }
  /** Not taken; where a person wrote it, `accepted` and to be reported all the same (`reportsOf`). */
  | { readonly type: "rejected" };

/** The state after it, and what it means. A repeated observation leaves the state as it is and means the same again. */
export function observe(
  state: FieldState,
  observation: Observation,
  view: FieldView,
): { readonly state: FieldState; readonly effect: Effect } {
  const { field, value, actor } = observation;
  const ownership = ownershipOf(view.policy, field);
  if (ownership === undefined) return { state, effect: { type: "none", reason: "unlisted" } };
  // Tools send what they do not know as nothing; only a person clears a field.
  if (actor === "system" && value.trim() === "") return { state, effect: { type: "none", reason: "empty" } };
  const next = withSeen(state, observation, rankOfValue(ownership, value));
  return { state: next, effect: effectOf(next, observation, ownership, view) };
}

function effectOf(
  state: FieldState,
  { field, system, value, at, key }: Observation,
  ownership: FieldOwnership,
  view: FieldView,
): Effect {
  const isThis = (item: { readonly key: string; readonly at: number; readonly value: string }) =>
    item.key === key && item.at === at && item.value === value;
  const kept = Object.values(state.fields[field]?.seen ?? {}).flat();
  if (!kept.some(isThis)) return { type: "none", reason: "older" };
  const change = changesOf(state, field, ownership).find(isThis);
  if (change === undefined) return { type: "echo" };
  if (change.actor === "system" && !mayWrite(ownership, system)) return { type: "rejected" };
  const current = currentOf(state, view, field);
  const conflict = current?.contested.some(isThis) ? conflictOf(state, view, field) : undefined;
  if (conflict !== undefined) return { type: "conflict", conflict };
  return { type: "accepted", wins: current !== undefined && isThis(current.winner) };
}

/** What the owners have not been told yet; `told` when they have. */
export function reportsOf(state: FieldState, view: FieldView): readonly Report[] {
  const reports = new Map<string, Report>();
  for (const field of Object.keys(state.fields)) {
    const ownership = ownershipOf(view.policy, field);
    if (ownership === undefined) continue;
    const changes = changesOf(state, field, ownership).sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
    for (const change of changes) {
      if (isOwners(ownership, change)) continue;
      const report = reportOf(view, ownership, field, change);
      const name = toldName(field, change.system);
      const toldDay = Object.hasOwn(state.told, name) ? (state.told[name] ?? -1) : -1;
      if (report.day > toldDay && !reports.has(report.key)) reports.set(report.key, report);
    }
  }
  return [...reports.values()];
}

/** Whether whoever did it may. People may type into every field that is not the engine's own, and answer what they are asked. */
function isOwners(ownership: FieldOwnership, { actor, system }: Change): boolean {
  if (mayWrite(ownership, system)) return true;
  return actor === "person" && (ownership.owner !== "engine" || system === answerSystem);
}

function reportOf(view: FieldView, ownership: FieldOwnership, field: string, change: Change): Report {
  const { system, actor, at } = change;
  const day = Math.floor(at / 86_400_000);
  const stays = actor === "person";
  const owner = Object.hasOwn(view.owners, system) ? view.owners[system] : undefined;
  const who = stays ? `A person in ${system}` : system;
  return {
    key: `fr_${digest(field, system, String(day))}`,
    field,
    system,
    day,
    change,
    stays,
    to: [...new Set([ownership.steward, owner].filter((address) => address !== undefined))],
    text: `${who} wrote ${field}, which ${ownedBy(ownership)}. ${stays ? "The value stays until the field changes again." : "The value was not taken."}`,
  };
}

function ownedBy({ owner, writers }: FieldOwnership): string {
  if (owner === "engine") return "is the engine's own";
  return writers.length === 0 ? "only people write" : `only people and ${writers.join(", ")} write`;
}

/** What waits for a person's word, by field. */
export function conflictsOf(state: FieldState, view: FieldView): readonly Conflict[] {
  return Object.keys(view.policy)
    .sort()
    .flatMap((field) => conflictOf(state, view, field) ?? []);
}

function conflictOf(state: FieldState, view: FieldView, field: string): Conflict | undefined {
  const steward = ownershipOf(view.policy, field)?.steward;
  const versions = currentOf(state, view, field)?.contested ?? [];
  if (versions.length === 0 || steward === undefined) return undefined;
  return {
    id: `fc_${digest(field, ...versions.map(({ version }) => version).sort())}`,
    field,
    versions,
    to: steward,
    text: `Two systems disagree about ${field}: choose one value, or give another.`,
    ways_out: [...versions.map(({ version }) => ({ keep: version })), { value: "" }],
  };
}

/**
 * The person's word as an observation: newer than everything they were shown, whatever the clocks said. `undefined` where the
 * version they chose is not among those.
 */
export function settle(conflict: Conflict, way: Way, by: string, at: number): Observation | undefined {
  const value = "value" in way ? way.value : conflict.versions.find(({ version }) => version === way.keep)?.value;
  if (value === undefined) return undefined;
  return {
    field: conflict.field,
    value,
    system: answerSystem,
    actor: "person",
    at: Math.max(at, ...conflict.versions.map((item) => item.at)),
    key: `${conflict.id}:${digest(by, spelled("text", value))}`,
    by,
  };
}
