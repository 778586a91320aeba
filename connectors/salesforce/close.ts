/**
 * Completes tasks that are no longer needed. A task that a person completed or deleted already is done and left as it is;
 * the note goes below what stands in the description, never over it.
 */
import type { CrmSession, Outcome } from "../contract.ts";
import { type Fields, text } from "./answers.ts";
import { Conversation } from "./client.ts";
import { type CloseTask, closeCost } from "./cost.ts";
import { judge, refuse } from "./errors.ts";
import { sameId } from "./people.ts";
import { readAll } from "./read.ts";
import { soql } from "./requests.ts";
import { updateTasks, type Written } from "./rows.ts";
import { clip } from "./soql.ts";

export async function closeTasks(session: CrmSession, commands: readonly CloseTask[]): Promise<readonly Outcome[]> {
  const conversation = new Conversation(session, closeCost(commands));
  const tasksById = soql.tasksById(commands.map((command) => command.taskId));
  const found = await readAll(
    conversation,
    { tasks: tasksById, statuses: soql.taskStatuses },
    (name) => name === "statuses",
  );
  if (!found.ok) {
    return commands.map(() => found.failure);
  }
  const tasks = found.value.get("tasks") ?? [];
  const closed = closedStatus(found.value.get("statuses") ?? []);
  const rowOf = (command: CloseTask): Fields | undefined =>
    tasks.find((row) => typeof row.Id === "string" && sameId(row.Id, command.taskId));
  const open = commands.filter(
    (command, index) =>
      isOpen(rowOf(command)) && commands.findIndex((other) => sameId(other.taskId, command.taskId)) === index,
  );
  const rows = open.map((command) => ({
    id: command.taskId,
    values: { Status: closed, ...noted(text(rowOf(command)?.Description) ?? "", command.note) },
  }));
  const written = await updateTasks(conversation, rows);
  return commands.map((command) => {
    const index = open.findIndex((other) => sameId(other.taskId, command.taskId));
    const personId = text(rowOf(command)?.WhoId) ?? "";
    return index < 0 ? done(command.taskId, personId) : outcomeOf(command, personId, written[index]);
  });
}

/** What became of a closing whose answer was lost: a task that is gone or no longer open is what was asked for. */
export function isOpen(row: Fields | undefined): boolean {
  return row !== undefined && row.IsDeleted !== true && row.IsClosed !== true;
}

function outcomeOf(command: CloseTask, personId: string, row: Written | undefined): Outcome {
  if (row === undefined || row.arm === "failed") {
    return row?.outcome ?? { arm: "unknown", reason: "answer_unreadable" };
  }
  if (row.arm === "saved" || row.error.code === "ENTITY_IS_DELETED" || row.error.code === "NOT_FOUND") {
    return done(command.taskId, personId);
  }
  const verdict = judge(row.error, "task", command.key);
  return verdict.next === "end" ? verdict.outcome : refuse(row.error);
}

function done(taskId: string, personId: string): Outcome {
  return { arm: "done", taskId, personId, created: false };
}

/** The org's own word for it: "Completed" where it has one, else its first closed status. */
function closedStatus(statuses: readonly Fields[]): string {
  const closed = statuses.filter((row) => row.IsClosed === true).map((row) => text(row.ApiName));
  return closed.includes("Completed") ? "Completed" : (closed.find((name) => name !== null) ?? "Completed");
}

/** Written only where there is something to add, so that it cannot undo an edit of this moment. */
function noted(before: string, note: string): { readonly Description?: string } {
  if (note === "" || before.includes(note)) {
    return {};
  }
  return { Description: clip(before === "" ? note : `${before}\n\n${note}`, 32_000) };
}
