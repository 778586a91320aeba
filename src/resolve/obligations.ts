/** What a root still owes: decisions, actions, links; and when the next of it is due. Pure. */
import { guardMs, linkWaitMs } from "../limits.ts";
import type { ActionRecord, FollowUpRecord, LinkTodo, Root } from "./node.ts";
import { unknownRecords } from "./records.ts";
import { pendingRecords } from "./shown.ts";
import { leavesAt } from "./targets.ts";
import { tieId } from "./ties.ts";

export interface OpenAction {
  readonly followUp: FollowUpRecord;
  readonly action: ActionRecord;
}

/**
 * Actions that must still reach the CRM: those that make a task, those that bring it up to date, and those that close one whose
 * follow-up was cancelled. Nothing leaves before it is known who holds it.
 */
export function openActions(root: Root): OpenAction[] {
  const open: OpenAction[] = [];
  for (const followUp of root.follow_ups) {
    if (followUp.assign !== undefined) continue;
    for (const action of followUp.actions) {
      if (action.state === "pending" || workOn(followUp, action) !== null) open.push({ followUp, action });
    }
  }
  return open;
}

/** What a task that stands in the CRM still needs. */
export function workOn(followUp: FollowUpRecord, action: ActionRecord): "close" | "update" | "announce" | null {
  // Nobody is taken out of a sequence again, and what runs there is the CRM's.
  if (action.state !== "done" || action.step !== undefined) return null;
  // Done as the CRM tells needs nothing; done as somebody says elsewhere is to be seen there as well.
  if (followUp.state === "cancelled" || (followUp.state === "done" && followUp.outcome !== undefined)) return "close";
  if (followUp.state !== "open") return null;
  if (action.unannounced === true) return "announce";
  return action.revision < followUp.revision ? "update" : null;
}

/** Open follow-ups of which it is still to be asked whose turn it is. */
export function unassigned(root: Root): readonly FollowUpRecord[] {
  return root.follow_ups.filter((item) => item.state === "open" && item.assign !== undefined);
}

/** Follow-ups that somebody gave to somebody else, of which the team object does not know yet. */
export function reassigned(root: Root): readonly FollowUpRecord[] {
  return root.follow_ups.filter((item) => item.state === "open" && item.reassigned === true);
}

/** Closed follow-ups that their holder's team still counts as open. */
export function unreleased(root: Root): readonly FollowUpRecord[] {
  return root.follow_ups.filter((item) => item.state !== "open" && item.released !== true);
}

export function findAction(root: Root, key: string): OpenAction | null {
  for (const followUp of root.follow_ups) {
    for (const action of followUp.actions) if (action.key === key) return { followUp, action };
  }
  return null;
}

/** The link over which somebody came who may not belong here: it is made when that is known, by whoever owes it then. */
export function isDoubted(root: Root, link: LinkTodo): boolean {
  const id = tieId({ a: link.from, b: link.node });
  return root.doubts.some((doubt) => tieId(doubt.tie) === id);
}

/** A decision is due when its tier's time has come and its links are made, or have had their time. */
export function decisionDue(root: Root, now: number): boolean {
  const due = root.undecided.filter((item) => !item.waiting && item.decide_at <= now);
  if (due.length === 0) return false;
  return root.links.length === 0 || due.some((item) => item.decide_at + linkWaitMs <= now);
}

/**
 * When the object must look again at the latest, or infinity. What is due already is being worked on; should that fail, it is
 * tried again after `guardMs`, so that a broken dependency is not hammered.
 */
export function nextDueAt(root: Root, now: number): number {
  let at = Number.POSITIVE_INFINITY;
  const deciding = root.undecided.filter((item) => !item.waiting);
  for (const item of deciding) at = Math.min(at, item.decide_at > now ? item.decide_at : now + guardMs);
  for (const { followUp, action } of openActions(root)) {
    const due = leavesAt(followUp, action);
    at = Math.min(at, due > now ? due : now + guardMs);
  }
  if (unassigned(root).length + unreleased(root).length + reassigned(root).length > 0) at = Math.min(at, now + guardMs);
  for (const { retry_at } of pendingRecords(root)) at = Math.min(at, retry_at > now ? retry_at : now + guardMs);
  if (unknownRecords(root).length > 0) at = Math.min(at, now + guardMs);
  if (root.erase !== undefined || root.partings.length + root.doubts.length > 0) at = Math.min(at, now + guardMs);
  if (root.links.length > 0) at = Math.min(at, now + (deciding.length > 0 ? linkWaitMs : guardMs));
  return at;
}
