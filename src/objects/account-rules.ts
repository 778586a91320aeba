/** What is true of an account and its actions, and what their answers mean. Pure; `account.ts` keeps and sends them. */
import type { Command, Crm, CrmSession, Destination, Grant, Outcome, Send, World } from "../../connectors/contract.ts";
import { type Action, type Circumstances, type Settled, writtenAfter } from "../act/exactly-once.ts";
import type { TargetName } from "../model.ts";
import { isCrm } from "../resolve/targets.ts";
import type { AccountFacts } from "./account-store.ts";
import type { SettleCall } from "./acting.ts";

/** For an answer that should have been there: nobody knows. */
export const lost: Extract<Outcome, { arm: "unknown" }> = { arm: "unknown", reason: "no_answer_for_this_row" };

/** What is true of this account, for `act/exactly-once.ts`. */
export function circumstancesOf(facts: AccountFacts, now: number): Circumstances {
  return { crm: facts.crm, world: facts.installation.world, settleReadsMs: facts.settleReadsMs, now };
}

/** What a connector needs to send. */
export function sessionOf(grant: Grant, world: World, send: Send): CrmSession {
  const { accessToken, apiUrl, crmAccount, crmUser } = grant;
  return { accessToken, apiUrl, crmAccount, ...(crmUser === undefined ? {} : { crmUser }), world, send };
}

/** What becomes of whatever is asked of an outlet that was taken away, or stopped: somebody hears of it, and tries again. */
export function endOf({ status, crm, problem }: AccountFacts): Settled | null {
  if (status === "removed") return isCrm(crm) ? { arm: "parked", problem: "disconnected" } : { arm: "cancelled" };
  return status === "blocked" && !isCrm(crm) ? { arm: "parked", problem: problem ?? "stopped" } : null;
}

/**
 * What was to leave through a connection that has ended: a message nobody waits for, a task is a question for a person. One of which
 * nobody knows whether it stands, and that was to be taken back, is looked for when the connection is back.
 */
export function leftBehind(action: Action, crm: TargetName): Action {
  if (!isCrm(crm)) return { ...action, state: "cancelled" };
  return action.cancelling === true ? action : { ...action, state: "parked", problem: "disconnected" };
}

/** An outlet has a token that a person gave: nobody but them renews it. */
export function hasGrant(destination: Destination): destination is Crm {
  return isCrm(destination.manifest.crm);
}

/** What an identity is told of an action that it no longer waits for. */
export function outcomeOf({ command }: Action, answer: Exclude<Settled, { arm: "cancelled" }>): SettleCall["outcome"] {
  if (answer.arm === "done") {
    const { receipt, words } = answer;
    return { receipt, ...(words === undefined ? {} : { words }) };
  }
  if (answer.arm === "shown") return { left: answer.left };
  if (answer.arm === "updated" && command.type === "update_task")
    return { updated: writtenAfter(command.before, command.task, answer.update), update: answer.update };
  return { problem: answer.arm === "parked" ? answer.problem : "not_an_update" };
}

/** Trouble that may be over in a moment; preparing a CRM is safe to repeat. */
export function isPassing(failure: Exclude<Outcome, { arm: "done" }>): boolean {
  return failure.arm === "unknown" || (failure.arm === "deferred" && failure.scope === "action");
}

/** What reaches a person, or makes somebody reach them. */
export function mustBeConfirmed({ command: { type } }: Action): boolean {
  return type === "create_task" || type === "enrol";
}

/** Whether it says what a task is to say. */
function hasTask(command: Command): command is Extract<Command, { task: unknown }> {
  return command.type === "create_task" || command.type === "update_task";
}

/** The holder as the CRM numbers people now; the receipt will say it. One whom it does not know owns nothing there. */
export function withOwner(action: Action, owners: ReadonlyMap<string, string>): Action {
  const { command } = action;
  const ownerId = owners.get(action.holder.toLowerCase());
  if (command.type === "enrol") {
    const { ownerId: _before, ...rest } = command;
    return { ...action, command: ownerId === undefined ? rest : { ...rest, ownerId } };
  }
  if (!hasTask(command)) return action;
  const { ownerId: _earlier, ...task } = command.task;
  return { ...action, command: { ...command, task: ownerId === undefined ? task : { ...task, ownerId } } };
}
