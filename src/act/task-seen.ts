/**
 * What a task of ours is known to say in a CRM, as a digest for each field: stored beside an action, so it names nobody. Who listens
 * compares with it: a field is news where it says neither what we wrote nor what was told last. Pure.
 */
import type { Crm, TaskField, TaskShape } from "../../connectors/contract.ts";
import { digest } from "../crypto.ts";
import type { Action } from "./exactly-once.ts";

/** The fields of a `TaskShape`: those that somebody is heard of. */
export type HeardField = keyof TaskShape & TaskField;
export const heardFields = ["subject", "due", "priority", "owner"] as const satisfies readonly HeardField[];

/** No task's digest: all that it says is to be told. */
export const untold = "?";

export function digestOf(shape: TaskShape): string {
  return heardFields.map((field) => digest(shape[field]).slice(0, 8)).join(".");
}

/**
 * What is known while somebody is being told of these fields. Should the answer be lost, what was told of them before is no measure any
 * more: it may stand there again, and is news then.
 */
export function beingTold(seen: string | undefined, changed: readonly HeardField[]): string {
  const known = partsOf(seen);
  return heardFields.map((field, at) => (changed.includes(field) ? untold : (known[at] ?? untold))).join(".");
}

/** Fields that say none of what is known; all of them where nothing is. */
export function newsIn(shape: TaskShape, known: readonly (string | undefined)[]): readonly HeardField[] {
  const [now, before] = [partsOf(digestOf(shape)), known.map(partsOf)];
  return heardFields.filter((_, at) => before.every((parts) => parts[at] !== now[at]));
}

/**
 * The action with what its task says now. `before` is what was known until then: what an update left stands there still, be it a
 * person's word, which is told, or our own in words that whoever asked did not know any more. Of an update that was refused in the end it
 * is what may stand there as well: an earlier attempt may have got through, and a crash may have taken that there was one.
 */
export function withSeen(crm: Crm | null, action: Action, before: () => string | undefined): Action {
  const { state, command, update } = action;
  const mayStand = state === "done" || (state === "parked" && command.type === "update_task");
  if (crm === null || !mayStand || (command.type !== "create_task" && command.type !== "update_task")) return action;
  const wanted = digestOf(crm.shape(command.task));
  const kept = update?.kept ?? [];
  if (!kept.some((field) => field !== "body")) return { ...action, seen: wanted };
  const [ours, earlier] = [partsOf(wanted), partsOf(before())];
  const seen = heardFields.map((field, at) => (kept.includes(field) ? (earlier[at] ?? untold) : (ours[at] ?? untold)));
  return { ...action, seen: seen.join(".") };
}

function partsOf(seen: string | undefined): readonly string[] {
  return seen?.split(".") ?? [];
}
