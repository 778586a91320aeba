/** Undo: what of the follow-ups that a version of the policy made can be withdrawn, and what a person has touched and keeps. Pure. */
import type { FollowUpState } from "../model.ts";

/** A follow-up as the ledger shows it. */
export interface Made {
  readonly id: string;
  readonly lead: string;
  readonly play: string;
  readonly state: FollowUpState;
  readonly holder: string;
  readonly policy_version: number;
  readonly assigned_by?: string;
  /** What a person has done with it, in words. */
  readonly touched?: string;
  readonly actions: readonly {
    /** Absent where it told an outlet. */
    readonly crm?: string;
    readonly state: "pending" | "done" | "cancelled" | "parked";
  }[];
}

export type Undoing = {
  readonly follow_up: string;
  readonly lead: string;
  readonly play: string;
  readonly holder: string;
} & (
  | {
      readonly arm: "withdraw";
      /** CRMs in which a task stands and is closed, unless somebody has touched it there by then. */
      readonly close_tasks: readonly string[];
    }
  /** Somebody works on it: that is no longer only the policy's doing. */
  | { readonly arm: "left"; readonly because: string }
  /** Closed already. */
  | { readonly arm: "nothing"; readonly because: string }
);

export function undoOf(followUps: readonly Made[], version: number): readonly Undoing[] {
  return followUps.flatMap((item): Undoing[] => {
    if (item.policy_version !== version) return [];
    const { id, lead, play, holder, state, actions } = item;
    const base = { follow_up: id, lead, play, holder };
    if (state !== "open" && state !== "parked") return [{ ...base, arm: "nothing", because: `it is ${state} already` }];
    const touched = touchOf(item);
    if (touched !== null) return [{ ...base, arm: "left", because: touched }];
    const close_tasks = actions.flatMap(({ crm, state: of }) => (of === "done" && crm !== undefined ? [crm] : []));
    return [{ ...base, arm: "withdraw", close_tasks }];
  });
}

/** What a person has done with it, as far as the ledger knows; null = nothing. Its tasks are looked at before they are closed. */
function touchOf({ assigned_by, touched }: Made): string | null {
  if (touched !== undefined) return touched;
  if (assigned_by === "approver") return "a person approved it, and said whose it is";
  return assigned_by === "person" ? "a person gave it to its holder" : null;
}
