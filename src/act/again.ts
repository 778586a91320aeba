/** An action that was refused in the end, and that a person wants to be tried again. Pure. */
import type { Command, CrmTask } from "../../connectors/contract.ts";
import { canonicalJson } from "../crypto.ts";
import { type Action, inDoubt } from "./exactly-once.ts";

export interface Again {
  readonly command: Command;
  readonly holder: string;
  /** How often a person has had it tried again by now. */
  readonly again?: number;
}

/** In which words a task may stand that is tried again in others; null where it may not, or they are the same. */
export function wordsOf(action: Action | null, { command, again = 0 }: Again): CrmTask | null {
  if (action === null || action.state !== "parked" || (action.again ?? 0) >= again || !inDoubt(action)) return null;
  if (action.command.type !== "create_task" || command.type !== "create_task") return null;
  const { ownerId: _first, ...earlier } = action.command.task;
  const { ownerId: _now, ...task } = command.task;
  return canonicalJson(earlier) === canonicalJson(task) ? null : earlier;
}

/**
 * What was refused in the end, and a person wants to be tried again, maybe as somebody else's: looked up first, where an attempt may
 * have made its task. Where none can have, nothing of it was kept but its end.
 */
export function reopened(action: Action | null, { command, again = 0, holder }: Again): Action | null {
  if (action === null || action.state !== "parked" || (action.again ?? 0) >= again) return action;
  const isKept = inDoubt(action);
  const state = isKept ? "intent" : "pending";
  return {
    ...action,
    command: isKept ? action.command : command,
    state,
    holder,
    again,
    attempts: 0,
    lookups: 0,
    emptyReads: 0,
    notBefore: 0,
    problem: null,
  };
}
