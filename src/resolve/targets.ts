/** Who is told of a follow-up, and when: CRMs always and first, outlets where the play names them. Pure. */
import type { Policy } from "../decide/policy.ts";
import { notifyWaitMs } from "../limits.ts";
import type { CrmName, FollowUp, TargetName } from "../model.ts";
import type { ActionRecord, FollowUpRecord, Target } from "./node.ts";

export function isCrm(name: TargetName): name is CrmName {
  return name === "hubspot" || name === "salesforce";
}

/** Every CRM, and each outlet that the play names, or one of those that may take its place when it is known who holds it. */
export function targetsOf(
  policy: Policy,
  followUp: Pick<FollowUp, "play" | "assign"> | undefined,
  targets: readonly Target[],
): readonly Target[] {
  const plays = followUp === undefined ? [] : [followUp, ...(followUp.assign ?? [])].map(({ play }) => play);
  return targets.filter((target) => isCrm(target.crm) || plays.some((play) => isTold(policy, play, target)));
}

export function isTold(policy: Policy, play: string, { outlet = "" }: Target): boolean {
  return policy.plays[play]?.notify?.includes(outlet) === true;
}

/**
 * Epoch ms from which an action may leave. An outlet tells of a follow-up when its tasks stand, so that it can name them; where a
 * CRM takes long, it tells without.
 */
export function leavesAt({ state, created_at, actions }: FollowUpRecord, action: ActionRecord): number {
  const waits =
    state === "open" &&
    action.state === "pending" &&
    !isCrm(action.crm) &&
    actions.some((other) => isCrm(other.crm) && other.state === "pending");
  return waits ? Math.max(action.retry_at, created_at + notifyWaitMs) : action.retry_at;
}
