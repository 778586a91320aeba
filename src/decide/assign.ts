/** Who holds a follow-up. Pure: the same lead always gets the same person while the team is the same (rendezvous hashing). */
import { digest } from "../crypto.ts";

/** The member with the highest hash for this lead; empty when the team is empty, which the policy schema forbids. */
export function assign(members: readonly string[], leadId: string): string {
  let best = "";
  let bestHash = "";
  for (const member of members) {
    const hash = digest(leadId, member);
    if (hash > bestHash) {
      best = member;
      bestHash = hash;
    }
  }
  return best;
}
