/** Who is told of a follow-up, and when: CRMs always and first, outlets where the play names them. Pure. */
import type { Policy } from "../decide/policy.ts";
import { notifyWaitMs } from "../limits.ts";
import type { CrmName, FollowUp, TargetName } from "../model.ts";
import type { ActionRecord, FollowUpRecord, Target } from "./node.ts";

export function isCrm(name: TargetName): name is CrmName {
  return name === "hubspot" || name === "salesforce";
}

/** Whether a task comes of it: of an outlet a message does, of a step an enrolment. */
export function isTask({ crm, step }: Pick<Target, "crm" | "step">): boolean {
  return isCrm(crm) && step === undefined;
}

/** Every CRM, its step where the play has one there, and each outlet that the play names, or one of those that may take its place when it is known who holds it. */
export function targetsOf(
  policy: Policy,
  followUp: Pick<FollowUp, "play" | "assign"> | undefined,
  targets: readonly Target[],
): readonly Target[] {
  const plays = followUp === undefined ? [] : [followUp, ...(followUp.assign ?? [])].map(({ play }) => play);
  const named = targets.filter((target) => isCrm(target.crm) || plays.some((play) => isTold(policy, play, target)));
  const steps = targets.flatMap(({ crm, account }) => {
    const target = { crm, account, step: "sequence" } as const;
    return plays.some((play) => isStep(policy, play, target)) ? [target] : [];
  });
  return [...named, ...steps];
}

/** Whether the play puts people into a sequence there. */
export function isStep(policy: Policy, play: string, { crm }: Pick<Target, "crm">): boolean {
  return isCrm(crm) && policy.plays[play]?.sequence?.[crm] !== undefined;
}

export function isTold(policy: Policy, play: string, { outlet = "" }: Target): boolean {
  return policy.plays[play]?.notify?.includes(outlet) === true;
}

/**
 * Epoch ms from which an action may leave. An outlet tells of a follow-up when its tasks stand, so that it can name them; where a
 * CRM takes long, it tells without.
 */
export function leavesAt({ state, created_at, actions }: FollowUpRecord, action: ActionRecord): number {
  if (state !== "open" || action.state !== "pending") return action.retry_at;
  // What is done with a record waits for the task that finds it: when that stands, everything is looked at again.
  const task = actions.find((other) => isTask(other) && other.account === action.account);
  const hasRecord = task?.state !== "pending" && task?.state !== "parked";
  if (action.step !== undefined) return hasRecord ? action.retry_at : Number.POSITIVE_INFINITY;
  const waits = !isCrm(action.crm) && actions.some((other) => isTask(other) && other.state === "pending");
  return waits ? Math.max(action.retry_at, created_at + notifyWaitMs) : action.retry_at;
}
