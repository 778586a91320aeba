/**
 * `update_task`: reads the tasks, then writes per task only the properties that still hold what we wrote last. HubSpot has no
 * conditional write, so an edit between the read and the write is lost; the status is never written, so a task that is
 * completed in that moment stays completed.
 *
 * Reading and writing may be repeated, so it is never `unknown`: a repetition finds the wanted values and writes nothing.
 */
import { fail, ok } from "../../src/failure.ts";
import type { Command, CrmTask, Outcome, TaskField } from "../contract.ts";
import { divide, type Fate, mentions, sendRows } from "./batch.ts";
import type { BatchAnswer, HubspotClient, ObjectResult } from "./client.ts";
import { judgeRow, lost, type Mishap, withheld } from "./errors.ts";
import { objectTypes, taskProperties } from "./requests.ts";
import { instantOf, markerIn, textOf } from "./stored.ts";

export type UpdateTask = Extract<Command, { type: "update_task" }>;

export async function updateTasks(client: HubspotClient, commands: readonly UpdateTask[]): Promise<Outcome[]> {
  // Two rows for one record refuse the whole batch (CRM-FACTS §1.3): the second has its turn later, over what the first wrote.
  const distinct = [...Map.groupBy(commands, (command) => command.taskId).values()].flatMap(([first]) => first ?? []);
  const outcomes = new Map<UpdateTask, Outcome>();
  const ids = distinct.map((command) => command.taskId).filter((id) => id !== "");
  const found = await divide(
    ids,
    (some) => client.readObjects(objectTypes.tasks, { ids: some, properties: propertiesRead }),
    (some, answer) => some.map((id) => rowOf(id, answer)),
  );
  const rows: UpdateRow[] = [];
  for (const command of distinct) {
    const fate = command.taskId === "" ? gone : (found[ids.indexOf(command.taskId)] ?? fail(notReached));
    const planned = plan(command, fate, rows.length);
    if ("arm" in planned) outcomes.set(command, planned);
    else rows.push(planned);
  }
  const fates = await sendRows(rows, "repeatable", (sent) =>
    client.updateObjects(
      objectTypes.tasks,
      sent.map((row) => ({ id: row.id, properties: { ...row.properties }, objectWriteTraceId: row.trace })),
    ),
  );
  for (const [index, row] of rows.entries()) outcomes.set(row.command, concluded(row, fates[index]));
  return commands.map((command) => outcomes.get(command) ?? sameTask);
}

interface UpdateRow {
  readonly command: UpdateTask;
  readonly id: string;
  readonly trace: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly kept: readonly TaskField[];
  readonly recognise: (result: ObjectResult) => boolean;
}

function rowOf(id: string, answer: BatchAnswer): Fate<ObjectResult> {
  const row = answer.results.find((result) => result.id === id);
  if (row !== undefined) return ok(row);
  const error = answer.errors.find((one) => mentions(one, id));
  return fail(error === undefined ? lost("repeatable", "unclear_answer") : judgeRow(error, "repeatable"));
}

/** What is to be written, or the outcome where nothing is. */
function plan(command: UpdateTask, fate: Fate<ObjectResult>, index: number): UpdateRow | Outcome {
  const { taskId } = command;
  if (!fate.ok) return fate.failure.status === 404 ? left(taskId, "deleted") : fate.failure.outcome;
  const present = fate.value.properties;
  if (present.hs_task_status === "COMPLETED") return left(taskId, "completed");
  const [before, wanted] = [ours(command.before), ours(command.task)];
  const properties: Record<string, string> = {};
  const kept: TaskField[] = [];
  for (const { field, property, same } of parts) {
    const [value, last, next] = [present[property] ?? "", before[property] ?? "", wanted[property] ?? ""];
    if (same(value, next)) continue;
    // An owner whom HubSpot does not know cannot be written; nobody is worse than the one it has.
    if (next === "" || !same(value, last)) kept.push(field);
    else properties[property] = field === "body" ? next + markerIn(value) : next;
  }
  if (Object.keys(properties).length === 0) return updated(taskId, kept);
  return { command, id: taskId, trace: `update-${index}`, properties, kept, recognise: ({ id }) => id === taskId };
}

function concluded(row: UpdateRow, fate: Fate<ObjectResult> | undefined): Outcome {
  if (fate === undefined) return notReached.outcome;
  if (fate.ok) return updated(row.id, row.kept);
  return fate.failure.status === 404 ? left(row.id, "deleted") : fate.failure.outcome;
}

function updated(taskId: string, kept: readonly TaskField[]): Outcome {
  return { arm: "done", taskId, personId: "", created: false, kept };
}

function left(taskId: string, how: "completed" | "deleted"): Outcome {
  return { arm: "done", taskId, personId: "", created: false, gone: how };
}

interface Part {
  readonly field: TaskField;
  readonly property: string;
  readonly same: (present: string, ours: string) => boolean;
}

/** How each field is compared: HubSpot gives some values back in other words than they were written in (`stored.ts`). */
const parts: readonly Part[] = [
  { field: "subject", property: "hs_task_subject", same: (one, other) => textOf(one) === textOf(other) },
  { field: "body", property: "hs_task_body", same: (one, other) => textOf(one) === textOf(other) },
  { field: "due", property: "hs_timestamp", same: (one, other) => Math.abs(instantOf(one) - instantOf(other)) < 1_000 },
  { field: "priority", property: "hs_task_priority", same: (one, other) => one.toUpperCase() === other },
  { field: "owner", property: "hubspot_owner_id", same: (one, other) => one === other },
];

const propertiesRead = ["hs_task_status", ...parts.map((part) => part.property)];

function ours(task: CrmTask): Readonly<Record<string, string | undefined>> {
  return taskProperties(task);
}

const notReached = withheld("not_reached");
const gone: Fate<ObjectResult> = fail({ ...notReached, status: 404 });
const sameTask: Mishap = withheld("same_task").outcome;
