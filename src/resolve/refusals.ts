/** Somebody's no reaches every follow-up of theirs, also where a merge or a split has brought the two together. Pure. */
import { refusalOf } from "../decide/hold.ts";
import type { Policy } from "../decide/policy.ts";
import { cancelFollowUp, type Root } from "./node.ts";

/** Without the open follow-ups that the person does not want. */
export function heeded(root: Root, policy: Policy, at: number): Root {
  let next = root;
  for (const { id, play, state } of root.follow_ups) {
    const refusal = state === "open" ? refusalOf(root.lead, policy.plays[play]) : null;
    if (refusal !== null) next = cancelFollowUp(next, id, refusal.text, at);
  }
  return next;
}

/** Both sides of a split. */
export function heededApart(stays: Root, policy: Policy, at: number): Root {
  const partings = stays.partings.map((parting) => ({ ...parting, root: heeded(parting.root, policy, at) }));
  return heeded({ ...stays, partings }, policy, at);
}
