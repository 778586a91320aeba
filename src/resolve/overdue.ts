/**
 * A follow-up that is open after what it promised is a question for somebody: once, until it is closed, given to somebody else, or
 * the question is dismissed. The sweeper (`ledger/overdue.ts`) finds it, so that nothing is spent on those that are closed in time. Pure.
 */
import type { FollowUpRecord, Root } from "./node.ts";

/** Null where no promise was broken but those that are known. */
export function raiseOverdue(root: Root, now: number): Root | null {
  const follow_ups = root.follow_ups.map((item): FollowUpRecord => {
    const { state, holder, promised_at, overdue } = item;
    if (state !== "open" || promised_at === undefined || promised_at >= now || overdue !== undefined) return item;
    return { ...item, overdue: { since: promised_at, holder } };
  });
  const isSame = follow_ups.every((item, index) => item === root.follow_ups[index]);
  return isSame ? null : { ...root, version: root.version + 1, follow_ups };
}

/** Id of the exception that this follow-up is late. */
export function overdueQuestion(followUp: string): string {
  return `ex_${followUp}-overdue`;
}
