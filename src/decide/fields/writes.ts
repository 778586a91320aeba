/**
 * What the engine owes to the CRMs: values that hold and are not there yet. Pure.
 *
 * Duties of who sends them (DESIGN §6.6): one write on its way per account and field, and until its outcome is known an
 * observation of attribution `record` of that field waits: it may be what became of the write. Read the field first, `observe` what was
 * read unless it `isKnown`, and ask again: only what is still owed is sent, and where the value is there already `written` is all that is left to do.
 * With a conditional header where there is one; where the CRM's clock shows seconds (Salesforce), not within the second of the
 * record's last change. What remains of the window is seen in the next change event, and then a person's value is owed once.
 */
import { digest } from "../../crypto.ts";
import type { CrmName } from "../../model.ts";
import { currentOf, type FieldVersion, type FieldView, type Held, heldAt } from "./current.ts";
import { type FieldOwnership, ownershipOf } from "./policy.ts";
import { numberOf, spelled } from "./spelling.ts";
import { type FieldState, type Observation, type Wrote, wroteIn, wroteMax } from "./state.ts";

/** A CRM account that holds a record of the person. */
export interface FieldTarget {
  readonly crm: CrmName;
  /** Name of the account object. */
  readonly account: string;
}

export interface FieldWrite {
  /** The same write has the same key, whoever works it out: it has one effect (G3). */
  readonly key: string;
  readonly crm: CrmName;
  readonly account: string;
  readonly field: string;
  readonly value: string;
  readonly version: string;
  /** What we last saw there; null: nothing is known of it. */
  readonly expected: string | null;
  /** True where this version stood there before and was overwritten. */
  readonly restores: boolean;
  /** True where an automation of a CRM caused it, or may have: those are counted, for two automations can go on for ever. */
  readonly provoked: boolean;
}

/** Two automations through the engine, or one against the engine, write in turns: it is stopped, and a person has to look. */
export interface Fight {
  readonly id: string;
  readonly field: string;
  readonly account: string;
  /** What should stand there, and what stands there. */
  readonly value: FieldVersion;
  readonly held: Held;
  /** Epoch ms at which the engine writes again. */
  readonly until: number;
  /** Addresses of the field's steward and of the CRM's owner, where they are known. */
  readonly to: readonly string[];
}

const dayMs = 86_400_000;
/** Writes that automations may cause in one field of one account within 24 hours. */
export const provokedPerDayMax = 3;
/** Writes in one field of one account, whoever caused them, and the time in which they may be made: nobody types that fast. */
export const writesInBurstMax = wroteMax;
export const burstMs = 600_000;

/** By field, then in the order of the targets. `now` is epoch ms. */
export function writesOwed(
  state: FieldState,
  view: FieldView,
  targets: readonly FieldTarget[],
  now: number,
): readonly FieldWrite[] {
  return owed(state, view, targets).flatMap((item) => (stoppedUntil(item) <= now ? [item.write] : []));
}

/** Writes that are owed and not made because there were too many. */
export function fightsOf(
  state: FieldState,
  view: FieldView,
  targets: readonly FieldTarget[],
  now: number,
): readonly Fight[] {
  return owed(state, view, targets).flatMap((item) => {
    const until = stoppedUntil(item);
    const { write, winner, held, ownership } = item;
    if (until <= now || held === undefined) return [];
    const { field, account, crm } = write;
    const owner = Object.hasOwn(view.owners, crm) ? view.owners[crm] : undefined;
    const to = [...new Set([ownership.steward, owner].filter((address) => address !== undefined))];
    return [{ id: `ff_${digest(field, account, String(until))}`, field, account, value: winner, held, until, to }];
  });
}

/** Whether we know that it stood there then: there is nothing to observe. */
export function isKnown(state: FieldState, view: FieldView, seen: Observation): boolean {
  const { field, account, value, at } = seen;
  const ownership = ownershipOf(view.policy, field);
  if (ownership === undefined || account === undefined) return false;
  const held = heldAt(state, field, ownership, account, at);
  return spelled(ownership.kind, held?.value ?? "") === spelled(ownership.kind, value);
}

interface Owed {
  readonly write: FieldWrite;
  readonly winner: FieldVersion;
  readonly held: Held | undefined;
  readonly wrote: readonly Wrote[];
  readonly ownership: FieldOwnership;
}

/** Epoch ms before which the write must not be made. */
function stoppedUntil({ write, wrote }: Owed): number {
  const made = wrote.filter(({ key }, index) => wrote.findIndex((other) => other.key === key) === index);
  const provoked = made.filter((item) => item.provoked);
  const burst = made.at(-writesInBurstMax);
  const share = write.provoked ? provoked.at(-provokedPerDayMax) : undefined;
  return Math.max(
    made.length >= writesInBurstMax && burst !== undefined ? burst.at + burstMs : 0,
    provoked.length >= provokedPerDayMax && share !== undefined ? share.at + dayMs : 0,
  );
}

function owed(state: FieldState, view: FieldView, targets: readonly FieldTarget[]): readonly Owed[] {
  return Object.keys(view.policy)
    .sort()
    .flatMap((field) => {
      const ownership = ownershipOf(view.policy, field);
      if (ownership === undefined || ownership.owner === "human") return [];
      const there = targets.filter(({ crm }) => ownership.write_to.includes(crm));
      const current = there.length === 0 ? undefined : currentOf(state, view, field);
      if (current === undefined || current.contested.length > 0) return [];
      return there.flatMap((target) => owedAt(state, field, ownership, current.winner, target) ?? []);
    });
}

function owedAt(
  state: FieldState,
  field: string,
  ownership: FieldOwnership,
  winner: FieldVersion,
  { crm, account }: FieldTarget,
): Owed | undefined {
  const held = heldAt(state, field, ownership, account);
  if (held !== undefined && isThere(ownership, held, winner)) return undefined;
  const wrote = wroteIn(state, field, account);
  const restores = winner.account === account || wrote.some(({ version }) => version === winner.version);
  const write: FieldWrite = {
    // What it answers to is part of the name where it was there before: the same value may be put back twice.
    key: `fw_${digest(field, account, winner.version, restores ? (held?.key ?? "") : "")}`,
    crm,
    account,
    field,
    value: winner.value,
    version: winner.version,
    expected: held?.value ?? null,
    restores,
    provoked:
      (restores && held?.by === "system") ||
      (winner.account !== undefined && (winner.actor === "system" || winner.unsure === true)),
  };
  return { write, winner, held, wrote, ownership };
}

/** Whether the CRM has this value: in some spelling, as what it made of our write, or near enough. */
function isThere({ kind, deadband }: FieldOwnership, held: Held, { value, actor }: FieldVersion): boolean {
  const wanted = spelled(kind, value);
  if (spelled(kind, held.value) === wanted) return true;
  if (held.meant !== undefined && spelled(kind, held.meant) === wanted) return true;
  if (deadband === undefined || actor === "person") return false;
  const [there, now] = [numberOf(held.value), numberOf(value)];
  return there !== undefined && now !== undefined && Math.abs(now - there) < deadband;
}
