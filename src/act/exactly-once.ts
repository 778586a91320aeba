/**
 * One external effect per action (DESIGN §6.3), as a pure state machine:
 * `pending → intent → done | cancelled | parked`. The intent is on disk before the request leaves; an unknown outcome stays
 * an intent and is looked up by key before anything is tried again. Pure: the clock is an argument.
 */
import type {
  Command,
  CrmPerson,
  CrmTask,
  Outcome,
  RecordField,
  Resolution,
  TaskField,
  World,
} from "../../connectors/contract.ts";
import { canonicalJson, digest } from "../crypto.ts";
import { unreachable } from "../failure.ts";
import { attemptsMax } from "../limits.ts";
import type { Receipt, TargetName } from "../model.ts";
import { isCrm } from "../resolve/targets.ts";
import { backoffMs } from "./backoff.ts";

export type ActionState = "pending" | "intent" | "done" | "cancelled" | "parked";

export interface Action {
  readonly key: string;
  readonly state: ActionState;
  readonly hot: boolean;
  /** Identity that is told of the outcome. */
  readonly node: string;
  /** See `ActionRecord.moves`: a call from whoever had it earlier may come late. */
  readonly moves?: number;
  readonly command: Command;
  /** E-mail address of the holder; becomes the CRM's owner id when it leaves. */
  readonly holder: string;
  readonly attempts: number;
  readonly notBefore: number;
  /** When the last request left whose outcome is unknown. */
  readonly attemptAt: number;
  /** Reads by key since then that found nothing. */
  readonly emptyReads: number;
  /** Look-ups since then that could not say. */
  readonly lookups: number;
  readonly receipt: Receipt | null;
  /** What became of an update. It is no receipt: those are of the task's making. */
  readonly update?: TaskUpdate;
  /** No task comes of it, and nobody listens to it. */
  readonly step?: "sequence";
  /** What became of a record: its fields that were left as they are. */
  readonly left?: readonly RecordField[];
  readonly problem: string | null;
  /** How often a person had it tried again. */
  readonly again?: number;
  /** Digest of what its task says in the CRM as far as we know: what we wrote, or what a person made of it since. */
  readonly seen?: string;
  /** Digest of the words in which its task was made (`digestOfWords`); they themselves name somebody, and are not kept. */
  readonly words?: string;
  /** Present when its task was heard to be completed or deleted: nobody listens to it any more. */
  readonly over?: true;
  /** Present when it was cancelled after an attempt: the next look-up decides whether there is a task to close. */
  readonly cancelling?: true;
}

/** What an update found and did. */
export interface TaskUpdate {
  /** Fields that were left: a person has changed them since we wrote them, or the CRM does not take our value. */
  readonly kept: readonly TaskField[];
  /** No open task any more: nothing was changed. */
  readonly gone?: "completed" | "deleted";
  /** CRM id of the owner that we wrote last, now or earlier. */
  readonly ownerId?: string;
}

/** What is true of the account that an action leaves through. */
export interface Circumstances {
  readonly crm: TargetName;
  readonly world: World;
  /** Reads after an attempt, all empty, before a plain create may be tried again where no server key exists. */
  readonly settleReadsMs: readonly number[];
  readonly now: number;
}

/** The action's next state, and what the answer means for the whole account. */
export interface Verdict {
  readonly action: Action;
  readonly pauseUntil?: number;
  readonly blocked?: string;
}

export type Settled =
  | { readonly arm: "done"; readonly receipt: Receipt; readonly words?: string }
  | { readonly arm: "updated"; readonly update: TaskUpdate }
  | { readonly arm: "shown"; readonly left: readonly RecordField[] }
  | { readonly arm: "cancelled" }
  | { readonly arm: "parked"; readonly problem: string };

export function newAction(
  ask: Pick<Action, "command" | "holder" | "node" | "moves" | "hot">,
  state: ActionState = "pending",
): Action {
  const { command, holder, node, moves = 0, hot } = ask;
  const place = moves === 0 ? { node } : { node, moves };
  const counts = { attempts: 0, notBefore: 0, attemptAt: 0, emptyReads: 0, lookups: 0 };
  const step = command.type === "enrol" ? { step: "sequence" as const } : {};
  return { key: command.key, state, hot, ...place, command, holder, ...counts, receipt: null, problem: null, ...step };
}

/** Whose it is, as far as is known: the identity to which it moved last. What is still to be made is for that one's person. */
export function heldBy(
  action: Action,
  { node, moves = 0, command }: Pick<Action, "node" | "moves"> & Partial<Pick<Action, "command">>,
): Action {
  if (moves <= (action.moves ?? 0)) return action;
  const mine = { ...action, node, moves };
  return command?.type === "create_task" ? madeFor(mine, command.person) : mine;
}

/** What is to be made is for whom its identity says now; what may have been made is looked for where it was tried. */
export function madeFor(action: Action, person: CrmPerson): Action {
  const { command, state } = action;
  if (command.type !== "create_task" || state !== "pending") return action;
  return { ...action, command: { ...command, person } };
}

/** The action as it must be on disk before its request leaves. */
export function intend({ cancelling: _wantedAgain, ...action }: Action, now: number): Action {
  return {
    ...action,
    state: "intent",
    attempts: action.attempts + 1,
    attemptAt: now,
    emptyReads: 0,
    lookups: 0,
    notBefore: 0,
  };
}

export function settled(action: Action): Settled | null {
  if (action.state === "done" && action.left !== undefined) return { arm: "shown", left: action.left };
  if (action.state === "done" && action.update !== undefined) return { arm: "updated", update: action.update };
  if (action.state === "done" && action.receipt !== null) {
    const { receipt, words } = action;
    return { arm: "done", receipt, ...(words === undefined ? {} : { words }) };
  }
  if (action.state === "cancelled") return { arm: "cancelled" };
  if (action.state === "parked") return { arm: "parked", problem: action.problem ?? "refused" };
  return null;
}

/** Closing, updating and showing may be repeated; making must be looked up first. */
export function mustBeLookedUp(action: Action): boolean {
  return action.state === "intent" && hasOneEffect(action);
}

/** A task that is made, and a person who is put into a sequence: doing it twice is one too many. */
function hasOneEffect({ command }: Pick<Action, "command">): boolean {
  return command.type === "create_task" || command.type === "enrol";
}

/** Whether one empty read leaves it open: what was done may show up late. Of sequences neither vendor says how soon they show it. */
function settlesSlowly({ command }: Pick<Action, "command">, world: World): boolean {
  return world === "marker" || command.type === "enrol";
}

/** The earliest time for an action's next step. Without a server key the first look waits until the CRM shows what it did. */
export function stepAt(action: Action, { world, settleReadsMs }: Omit<Circumstances, "now" | "crm">): number {
  if (!mustBeLookedUp(action) || !settlesSlowly(action, world)) return action.notBefore;
  return Math.max(action.notBefore, action.attemptAt + (settleReadsMs[action.emptyReads] ?? 0));
}

/** A request may have left whose answer nobody saw: an empty look-up says nothing of one that is still on its way. */
export function inDoubt(action: Action): boolean {
  return hasOneEffect(action) && action.attempts > 0 && action.cancelling !== true;
}

/** What the CRM's answer makes of an action that was sent. */
export function judge(action: Action, outcome: Outcome, { crm, now }: Circumstances): Verdict {
  switch (outcome.arm) {
    case "done":
      return { action: done(action, outcome, crm, now) };
    case "refused":
      return { action: parked(action, outcome.reason) };
    case "unknown":
      if (hasOneEffect(action)) return { action: { ...action, notBefore: now + 250 } };
      return { action: { ...action, state: "pending", notBefore: now + backoffMs(action.key, action.attempts) } };
    case "deferred": {
      const pause = outcome.scope === "account" ? { pauseUntil: now + outcome.retryAfterMs } : {};
      if (action.attempts >= attemptsMax) {
        return { action: { ...action, state: "parked", problem: `gave_up_${outcome.reason}` }, ...pause };
      }
      const delayMs = Math.max(outcome.retryAfterMs, backoffMs(action.key, action.attempts));
      return { action: { ...action, state: "pending", notBefore: now + delayMs }, ...pause };
    }
    case "blocked":
      // An outlet that stopped gets nothing new: only what failed can tell somebody of it.
      if (!isCrm(crm)) return { action: parked(action, outcome.reason), blocked: outcome.reason };
      return { action: { ...action, state: "pending", notBefore: now }, blocked: outcome.reason };
    case "expired": {
      if (action.attempts >= attemptsMax) return { action: { ...action, state: "parked", problem: "gave_up_expired" } };
      // Once at once, with the new token; a CRM that accepts that one neither is not asked in a circle.
      const delayMs = action.attempts === 1 ? 0 : backoffMs(action.key, action.attempts);
      return { action: { ...action, state: "pending", notBefore: now + delayMs } };
    }
    default:
      return unreachable(outcome);
  }
}

/** Certainly not done. Where that was the only request that ever left, there is nothing to look up. */
function parked(action: Action, problem: string): Action {
  return { ...action, state: "parked", problem, attempts: action.attempts === 1 ? 0 : action.attempts };
}

/** What a look-up by key makes of an action whose outcome is unknown. A look-up that failed leaves it unknown. */
export function conclude(action: Action, resolution: Resolution, circumstances: Circumstances): Verdict {
  const { crm, world, settleReadsMs, now } = circumstances;
  switch (resolution.arm) {
    case "found":
      return { action: done(action, resolution, crm, now) };
    case "absent": {
      const emptyReads = action.emptyReads + 1;
      const isCertain = !settlesSlowly(action, world) || emptyReads >= settleReadsMs.length;
      return { action: { ...action, emptyReads, notBefore: now, state: isCertain ? "pending" : "intent" } };
    }
    case "refused":
      return { action: { ...action, state: "parked", problem: `lookup_${resolution.reason}` } };
    case "deferred":
    case "unknown":
    case "blocked":
    case "expired": {
      const lookups = action.lookups + 1;
      const reason = resolution.arm === "expired" ? "expired" : resolution.reason;
      const account = {
        ...(resolution.arm === "deferred" && resolution.scope === "account"
          ? { pauseUntil: now + resolution.retryAfterMs }
          : {}),
        ...(resolution.arm === "blocked" ? { blocked: resolution.reason } : {}),
      };
      // Some can never succeed (the person is gone, where no key exists): after many a person must look.
      if (lookups >= attemptsMax)
        return { action: { ...action, state: "parked", problem: `lookup_${reason}` }, ...account };
      const delayMs = Math.max(
        resolution.arm === "deferred" ? resolution.retryAfterMs : 0,
        backoffMs(action.key, lookups),
      );
      return { action: { ...action, lookups, notBefore: now + delayMs }, ...account };
    }
    default:
      return unreachable(resolution);
  }
}

/** What stands on the task of ours after an update: the next update's `before`. */
export function writtenAfter(before: CrmTask, task: CrmTask, { kept, gone, ownerId }: TaskUpdate): CrmTask {
  if (gone !== undefined) return before;
  const of = (field: TaskField) => (kept.includes(field) ? before : task);
  return {
    subject: of("subject").subject,
    body: of("body").body,
    dueAt: of("due").dueAt,
    priority: of("priority").priority,
    type: before.type,
    ...(ownerId === undefined ? {} : { ownerId }),
  };
}

type Done = Pick<Extract<Outcome, { arm: "done" }>, "taskId" | "personId" | "kept" | "gone" | "left">;

function done(
  action: Action,
  { taskId, personId, kept = [], gone, left = [] }: Done,
  crm: TargetName,
  now: number,
): Action {
  const { command } = action;
  if (command.type === "write_record") return { ...action, state: "done", left };
  if (command.type === "update_task") {
    const { ownerId } = gone !== undefined || kept.includes("owner") ? command.before : command.task;
    const update = { kept, ...(gone === undefined ? {} : { gone }), ...(ownerId === undefined ? {} : { ownerId }) };
    return { ...action, state: "done", update };
  }
  const task = command.type === "create_task" ? command.task : undefined;
  const owner = task?.ownerId === undefined ? {} : { owner_id: task.ownerId };
  const words = task === undefined ? {} : { words: digestOfWords(task) };
  return {
    ...action,
    state: "done",
    receipt: { crm, task_id: taskId, person_id: personId, ...owner, at: now },
    ...words,
  };
}

/** Says whether a task was made in the words that somebody has in mind; whose it is in the CRM is none of them. */
export function digestOfWords({ ownerId: _its, ...words }: CrmTask): string {
  return digest(canonicalJson(words)).slice(0, 16);
}
