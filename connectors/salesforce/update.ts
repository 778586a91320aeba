/**
 * Brings open tasks up to date: reads them, then writes per task only the fields that still hold what we wrote last. A write
 * of collections takes no condition, so an edit between the two is lost; the status is never written, so a task that is
 * completed in that moment stays completed.
 *
 * What the org does not take (an owner who has left, our word for a priority) is left out, as when a task is made.
 */
import { ok } from "../../src/failure.ts";
import type { CrmSession, Outcome, TaskField } from "../contract.ts";
import { type CrmError, type Fields, text } from "./answers.ts";
import { Conversation } from "./client.ts";
import { type UpdateTask, updateCost } from "./cost.ts";
import { delaysMs, judge, refuse } from "./errors.ts";
import { sameId } from "./people.ts";
import { readAll } from "./read.ts";
import { soql } from "./requests.ts";
import { updateTasks, type Written } from "./rows.ts";
import { plain, type Sent, written } from "./shape.ts";

interface Job {
  readonly command: UpdateTask;
  readonly personId: string;
  readonly values: Record<string, string | boolean>;
  readonly kept: TaskField[];
  outcome: Outcome | null;
}

/** The write, and one more for each of the two fields that an org may not take. */
const roundsMax = 3;

export async function updateOpenTasks(
  session: CrmSession,
  commands: readonly UpdateTask[],
): Promise<readonly Outcome[]> {
  const conversation = new Conversation(session, updateCost(commands));
  const ids = [...new Set(commands.map((command) => command.taskId))].filter((id) => id !== "");
  const found = ids.length === 0 ? ok(new Map()) : await readAll(conversation, { tasks: soql.tasksToUpdate(ids) });
  if (!found.ok) {
    return commands.map(() => found.failure);
  }
  const rows = found.value.get("tasks") ?? [];
  const jobs = commands.map((command, index) =>
    // One record stands once in a request: the second has its turn later, over what the first wrote.
    commands.findIndex((other) => sameId(other.taskId, command.taskId)) === index
      ? plan(command, rows)
      : ended(command, "", { arm: "deferred", retryAfterMs: delaysMs.brief, scope: "action", reason: "same_task" }),
  );
  for (let round = 0; round < roundsMax; round++) {
    const open = jobs.filter((job) => job.outcome === null);
    const written = await updateTasks(
      conversation,
      open.map((job) => ({ id: job.command.taskId, values: job.values })),
    );
    for (const [index, job] of open.entries()) {
      take(job, written[index]);
    }
  }
  return jobs.map((job) => job.outcome ?? exhausted);
}

function plan(command: UpdateTask, rows: readonly Fields[]): Job {
  const row = rows.find((candidate) => typeof candidate.Id === "string" && sameId(candidate.Id, command.taskId));
  const personId = text(row?.WhoId) ?? "";
  if (row === undefined || row.IsDeleted === true) {
    return ended(command, personId, left(command, personId, "deleted"));
  }
  if (row.IsClosed === true) {
    return ended(command, personId, left(command, personId, "completed"));
  }
  const [before, wanted] = [written(command.before), written(command.task)];
  const job: Job = { command, personId, values: {}, kept: [], outcome: null };
  for (const { field, name, same } of parts) {
    const [present, last, next] = [row[name], before[name], wanted[name]];
    const isOurs = same(present, last) || (field === "owner" && fellToUs(row, last));
    if (next === undefined ? last === undefined && isOurs : same(present, next)) {
      continue;
    }
    if (next === undefined || !isOurs) {
      job.kept.push(field);
      continue;
    }
    job.values[name] = next;
  }
  moveReminder(job, row, before, wanted);
  return settle(job);
}

/** A reminder that a person moved or took away stays as it is; it is none of the fields. */
function moveReminder(job: Job, row: Fields, before: Sent, wanted: Sent): void {
  const isOurs = row.IsReminderSet === true && sameInstant(row.ReminderDateTime, before.ReminderDateTime);
  if (
    isOurs &&
    !job.kept.includes("due") &&
    wanted.ReminderDateTime !== undefined &&
    !sameInstant(row.ReminderDateTime, wanted.ReminderDateTime)
  ) {
    job.values.ReminderDateTime = wanted.ReminderDateTime;
  }
}

function take(job: Job, row: Written | undefined): void {
  const { command, personId } = job;
  if (row === undefined || row.arm === "failed") {
    job.outcome = row?.outcome ?? { arm: "unknown", reason: "answer_unreadable" };
  } else if (row.arm === "saved") {
    job.outcome = updated(job);
  } else if (row.error.code === "ENTITY_IS_DELETED" || row.error.code === "NOT_FOUND") {
    job.outcome = left(command, personId, "deleted");
  } else {
    refused(job, row.error);
  }
}

function refused(job: Job, error: CrmError): void {
  const verdict = judge(error, "task", job.command.key);
  const part = verdict.next === "without" ? parts.find(({ name }) => name === verdict.field) : undefined;
  if (part === undefined || job.values[part.name] === undefined) {
    job.outcome = verdict.next === "end" ? verdict.outcome : refuse(error);
    return;
  }
  delete job.values[part.name];
  job.kept.push(part.field);
  settle(job);
}

/** Where nothing is to be written it is done. */
function settle(job: Job): Job {
  if (Object.keys(job.values).length === 0) {
    job.outcome = updated(job);
  }
  return job;
}

function ended(command: UpdateTask, personId: string, outcome: Outcome): Job {
  return { command, personId, values: {}, kept: [], outcome };
}

function updated({ command, personId, kept }: Job): Outcome {
  return { arm: "done", taskId: command.taskId, personId, created: false, kept };
}

function left(command: UpdateTask, personId: string, gone: "completed" | "deleted"): Outcome {
  return { arm: "done", taskId: command.taskId, personId, created: false, gone };
}

/* ------------------------------------------------------------------------------------------- comparison */

interface Part {
  readonly field: TaskField;
  readonly name: string;
  readonly same: (present: unknown, ours: string | undefined) => boolean;
}

const sameText = (present: unknown, ours: string | undefined): boolean => plain(present) === plain(ours);

/** How each field is compared: Salesforce gives line breaks, spaces at ends and short ids back in its own way. */
const parts: readonly Part[] = [
  { field: "subject", name: "Subject", same: sameText },
  { field: "body", name: "Description", same: sameText },
  { field: "due", name: "ActivityDate", same: sameText },
  { field: "priority", name: "Priority", same: sameText },
  {
    field: "owner",
    name: "OwnerId",
    same: (present, ours) => typeof present === "string" && ours !== undefined && sameId(present, ours),
  },
];

/**
 * An owner whom we did not name, or whom Salesforce did not take, made the task its maker's. That is nobody's edit as long as
 * nobody else has touched the task.
 */
function fellToUs(row: Fields, last: string | undefined): boolean {
  return row.OwnerId === row.CreatedById && (last === undefined || row.LastModifiedById === row.CreatedById);
}

/** Salesforce keeps no parts of a second. */
function sameInstant(one: unknown, other: unknown): boolean {
  return Math.abs(Date.parse(String(one)) - Date.parse(String(other))) <= 1_000;
}

const exhausted: Outcome = {
  arm: "deferred",
  retryAfterMs: delaysMs.unavailable,
  scope: "action",
  reason: "repairs_exhausted",
};
