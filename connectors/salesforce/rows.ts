/**
 * Writes of many rows, judged row by row. A request that is refused as a whole is halved until the row that spoils it
 * stands alone, so that one bad row cannot hold the others up.
 */
import { type Answer, readRows, readSaved, type Saved } from "./answers.ts";
import type { Conversation } from "./client.ts";
import { type Doing, type Failed, judge, settle } from "./errors.ts";
import {
  type CrmRequest,
  type Person,
  type Row,
  rowsMax,
  type Target,
  updateMany,
  updatePeople,
  upsertMany,
  upsertOne,
  type Values,
} from "./requests.ts";

/** `rejected` belongs to the row alone, `failed` to the request it travelled in. */
export type Written = Saved | { readonly arm: "failed"; readonly outcome: Failed };

export function upsertRows(
  conversation: Conversation,
  target: Target,
  rows: readonly Row[],
): Promise<readonly Written[]> {
  const request = (part: readonly Row[]): CrmRequest => {
    const [only, ...others] = part;
    return only !== undefined && others.length === 0 ? upsertOne(target, only) : upsertMany(target, part);
  };
  return write(conversation, rows, target === "Task" ? "task" : "lead", request);
}

export function updateTasks(
  conversation: Conversation,
  rows: readonly { readonly id: string; readonly values: Values }[],
): Promise<readonly Written[]> {
  return write(conversation, rows, "task", (part) => updateMany("Task", part));
}

export function updateRecords(
  conversation: Conversation,
  rows: readonly { readonly type: Person; readonly id: string; readonly values: Values }[],
): Promise<readonly Written[]> {
  return write(conversation, rows, "lead", updatePeople);
}

async function write<R>(
  conversation: Conversation,
  rows: readonly R[],
  doing: Doing,
  request: (part: readonly R[]) => CrmRequest,
): Promise<readonly Written[]> {
  if (rows.length === 0) {
    return [];
  }
  const half = Math.ceil(rows.length / 2);
  if (rows.length <= rowsMax) {
    const answer = await conversation.ask(request(rows));
    const read = readWritten(answer, rows.length);
    if (read !== null) {
      return read;
    }
    if (rows.length === 1 || !isRefusedWhole(answer, doing)) {
      const outcome = settle(answer, doing, "");
      return rows.map(() => ({ arm: "failed", outcome }));
    }
  }
  const first = await write(conversation, rows.slice(0, half), doing, request);
  return [...first, ...(await write(conversation, rows.slice(half), doing, request))];
}

/** An array for collections, one result for a single row; a single row's error comes as the answer's own. */
function readWritten(answer: Answer, count: number): readonly Saved[] | null {
  if (answer.arm === "answered") {
    const single = count === 1 ? readSaved(answer.body) : null;
    return single === null ? readRows(answer.body, count) : [single];
  }
  const [error] =
    answer.arm === "failed" && answer.status >= 400 && answer.status < 500 && answer.status !== 401
      ? answer.errors
      : [];
  return error !== undefined && count === 1 ? [{ arm: "rejected", error }] : null;
}

/** A refusal that smaller requests may escape: not one of the account, nor an answer that was lost. */
function isRefusedWhole(answer: Answer, doing: Doing): boolean {
  if (answer.arm !== "failed" || answer.status < 400 || answer.status >= 500) {
    return false;
  }
  const [error] = answer.errors;
  if (error === undefined) {
    return settle(answer, doing, "").arm === "refused";
  }
  const verdict = judge(error, doing, "");
  return verdict.next !== "end" || verdict.outcome.arm === "refused";
}
