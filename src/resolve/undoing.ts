/**
 * Taking a follow-up back whose task stands in a CRM: the task is looked at first, by an update that brings nothing new, and what a
 * person has changed there is left to them (G9). Pure.
 */
import type { TaskField } from "../../connectors/contract.ts";
import { cancelFollowUp, changeFollowUp, type Root } from "./node.ts";
import { findAction } from "./obligations.ts";
import { isTask } from "./targets.ts";

/** The task of this action was looked at: `kept` are the fields that a person has changed, null where it could not be read. */
export function lookedAt(root: Root, key: string, kept: readonly TaskField[] | null, now: number): Root {
  const found = findAction(root, key);
  if (found === null) return root;
  const { followUp, action } = found;
  const { id, undo, state, revision, actions, assigned_by } = followUp;
  // Nobody works on a message.
  if (undo === undefined || state !== "open" || !isTask(action)) return root;
  // Somebody has taken it up while that was asked.
  if (followUp.touched !== undefined || assigned_by === "person")
    return changeFollowUp(root, id, ({ undo: _leftToThem, ...item }) => item);
  if (kept === null || (kept.length > 0 && action.unworded === undefined)) {
    const touched =
      kept === null
        ? `its task in ${action.crm} could not be looked at`
        : `somebody changed its task in ${action.crm} (${kept.join(", ")})`;
    return changeFollowUp(root, id, ({ undo: _leftToThem, ...item }) => ({ ...item, touched }));
  }
  const isSeen = actions.every((item) => item.state !== "done" || item.revision >= revision || !isTask(item));
  return isSeen ? cancelFollowUp(root, id, undo.because, now) : root;
}
