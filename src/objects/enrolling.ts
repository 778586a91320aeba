/**
 * The step of a play after its task: the person is put into a sequence or cadence, once (`docs/exactly-once.md`). What is owed lies in the
 * root's state, and after each call that state is read again. May run twice.
 */
import { enrol } from "../act/outbox.ts";
import { holdOf } from "../decide/hold.ts";
import type { Policy } from "../decide/policy.ts";
import { type ActionRecord, cancelFollowUp, type Root, recordReceipt, setAction } from "../resolve/node.ts";
import { findAction, type OpenAction } from "../resolve/obligations.ts";
import { isStep } from "../resolve/targets.ts";
import type { Surroundings } from "./acting.ts";
import { accountStub } from "./names.ts";

export async function enrolPerson(
  { env, state }: Surroundings,
  policy: Policy,
  { followUp, action }: OpenAction,
): Promise<void> {
  const before = state.root();
  if (before === null) return;
  const { key } = action;
  const set = (root: Root, change: Partial<ActionRecord>) =>
    state.change(setAction(root, key, (item) => ({ ...item, ...change })));
  // Asked again at the moment of sending: what forbids the follow-up ends it, what forbids sequences only this (G11).
  if (holdOf(policy, before.lead, policy.plays[followUp.play], Date.now(), before.approvals) !== null)
    return state.save(cancelFollowUp(before, followUp.id, "consent or a hold forbids it", Date.now()));
  const command =
    isKeptOut(policy, before) || !isStep(policy, followUp.play, action)
      ? null
      : enrol(policy, before, followUp, action);
  const account = accountStub(env, action.account);
  // Another play was taken in the end, there is no record, or it is forbidden: withdrawn, for one may be under way all the same.
  const answer =
    command === null
      ? await account.cancel({ key })
      : await account.submit({
          command,
          holder: command.sender,
          node: before.name,
          moves: action.moves ?? 0,
          hot: false,
          again: action.again ?? 0,
        });
  const root = state.root();
  if (root === null || findAction(root, key)?.action.state !== "pending") return;
  state.projectDue = true;
  switch (answer.arm) {
    case "done":
      return state.change(recordReceipt(root, key, answer.receipt));
    case "parked":
      return set(root, { state: "parked", problem: answer.problem });
    case "cancelled":
      return set(root, { state: "cancelled" });
    case "in_flight":
      return set(root, { retry_at: Date.now() + withdrawalMs });
    case "pending":
      return set(root, { attempts: action.attempts + 1, retry_at: Date.now() + answer.retryAfterMs });
    case "updated":
    case "worded":
    case "shown":
      throw new Error("not an answer to an enrolment");
  }
}

/** Whether this person may not be put into any sequence. */
export function isKeptOut(policy: Policy, root: Root): boolean {
  return holdOf(policy, root.lead, { type: "sequence" }, Date.now(), root.approvals) !== null;
}

/** From one question whether it could be withdrawn to the next. */
const withdrawalMs = 60_000;
