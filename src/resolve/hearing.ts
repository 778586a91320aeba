/**
 * What a person did to a task of ours in a CRM, and what the follow-up becomes of it: completed is done, deleted is withdrawn, given
 * to somebody else is theirs, a moved due date moves the follow-up (never the promise), anything else stays as they left it (G9). Pure.
 *
 * A task says something of a person only where it cannot be our own doing: after the same write of ours that this state knows, and
 * while none is owed. Saying the same twice changes nothing.
 */
import type { CrmTask, TaskSeen, TaskShape } from "../../connectors/contract.ts";
import { type HeardField, heardFields } from "../act/task-seen.ts";
import { tellFollowUp } from "./answers.ts";
import {
  type ActionRecord,
  cancelFollowUp,
  changeFollowUp,
  type FollowUpRecord,
  type Root,
  revised,
  setAction,
} from "./node.ts";
import { findAction } from "./obligations.ts";

export interface HeardTask {
  /** Of the action that made the task. */
  readonly key: string;
  /** Revision of the last update of it that came through; null where there was none. */
  readonly updated: number | null;
  readonly seen: TaskSeen;
  /** What of an open one is neither what we wrote nor what was told before; the rest is nobody's news, whatever is known here. */
  readonly changed: readonly HeardField[];
  /** Address of its owner, where the CRM says whose it is. */
  readonly holder?: string;
}

/** What the pure part cannot know by itself. */
export interface Around {
  /** What we wrote there last, and as that stands there when nobody has touched it. */
  readonly written: CrmTask;
  readonly ours: TaskShape;
  /** Epoch ms that its due date means; null where it has none. */
  readonly dueAt: number | null;
  /** Whether this address is somebody of the sales teams. */
  readonly knows: (address: string) => boolean;
  readonly now: number;
}

export type Heard =
  /** The same root where nothing is new. */
  | { readonly arm: "ok"; readonly root: Root }
  /** It may be our own doing that is still under way: to be told again. */
  | { readonly arm: "later" };

export function heard(root: Root, told: HeardTask, around: Around): Heard {
  const found = findAction(root, told.key);
  if (found === null || root.erase !== undefined) return { arm: "later" };
  const { followUp, action } = found;
  const { seen } = told;
  if (action.state === "pending") return { arm: "later" };
  if (action.state !== "done") return { arm: "ok", root };
  if (seen.arm !== "open") return { arm: "ok", root: ended(root, told.key, seen, around.now) };
  const isOurs = (action.updated ?? null) === told.updated && action.revision >= followUp.revision;
  if (followUp.state !== "open" || !isOurs) return { arm: "later" };
  return { arm: "ok", root: edited(root, followUp, action, { ...told, seen }, around) };
}

/** Its task is no more: somebody has completed it, which says that they made contact, or has deleted it. */
export function ended(root: Root, key: string, seen: Exclude<TaskSeen, { arm: "open" }>, now: number): Root {
  const found = findAction(root, key);
  if (found === null) return root;
  const settled = setAction(root, key, (action) => ({ ...action, state: "cancelled" }));
  const { id, state, created_at } = found.followUp;
  if (state !== "open") return settled;
  const { crm } = found.action;
  if (seen.arm === "deleted") return cancelFollowUp(settled, id, `somebody deleted its task in ${crm}`, now);
  return changeFollowUp(settled, id, ({ assign: _nobodyAnyMore, ...item }) => ({
    ...item,
    state: "done",
    outcome: "completed",
    // The promise counts to the contact, not to when we heard of it; a clock that is wrong cannot put it outside of the follow-up.
    closed_at: Math.min(now, Math.max(seen.at, created_at)),
    closed_because: `completed in ${crm}`,
  }));
}

function edited(
  root: Root,
  followUp: FollowUpRecord,
  action: ActionRecord,
  { key, seen, changed, holder }: HeardTask & { readonly seen: Extract<TaskSeen, { arm: "open" }> },
  { written, ours, dueAt, knows, now }: Around,
): Root {
  const { shape, modifiedAt, ownerIsMaker } = seen;
  // Whom the CRM put there by itself, nobody has chosen.
  const isDefault = ownerIsMaker === true && (holder === undefined || !knows(holder));
  const fields = heardFields.filter(
    (field) => changed.includes(field) && shape[field] !== ours[field] && !(field === "owner" && isDefault),
  );
  if (fields.length === 0) return root;
  const { id } = followUp;
  const { crm } = action;
  const theirs: { owner?: number; due?: number } = { ...followUp.theirs };
  const shown: { ownerId?: string; dueAt?: number } = {};
  let next = root;
  let isNewest = true;
  /** False for an older word than the one that somebody said elsewhere since: that one is shown here as well. */
  const takes = (field: "owner" | "due"): boolean => {
    const isNewer = (theirs[field] ?? Number.NEGATIVE_INFINITY) <= modifiedAt;
    if (isNewer) theirs[field] = modifiedAt;
    else isNewest = false;
    return isNewer;
  };
  if (fields.includes("owner") && holder !== undefined) {
    shown.ownerId = shape.owner;
    if (takes("owner")) next = reassigned(next, id, holder, { by: crm, at: now });
  }
  if (fields.includes("due") && dueAt !== null) {
    shown.dueAt = dueAt;
    if (takes("due")) next = changeFollowUp(next, id, (item) => revised(item, { due_at: dueAt }));
  }
  const touched = followUp.touched ?? `somebody changed its task in ${crm} (${fields.map(named).join(", ")})`;
  next = changeFollowUp(next, id, ({ undo: _leftToThem, ...item }) => {
    const said = { ...item, touched, theirs };
    return isNewest ? said : revised(said, {});
  });
  const revision = next.follow_ups.find((item) => item.id === id)?.revision ?? followUp.revision;
  return setAction(next, key, (item) => ({
    ...item,
    // It says so already: only the other CRM is to be told.
    ...(isNewest ? { revision } : {}),
    written: { ...written, ...shown },
  }));
}

function reassigned(root: Root, id: string, to: string, speaker: { readonly by: string; readonly at: number }): Root {
  const answered = tellFollowUp(root, id, { choice: "reassign", to }, speaker);
  return answered.arm === "ok" ? answered.root : root;
}

function named(field: HeardField): string {
  return field === "due" ? "due date" : field;
}
