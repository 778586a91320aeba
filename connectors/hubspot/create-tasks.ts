/**
 * `create_task`: person, task, link, in that order; one outcome per command.
 *
 * Exactly once rests on three things. Before the task write everything may be repeated, so a failure there is `deferred`
 * and never `unknown`. The task write is one request by key (or with a marker), sent at most once per row; only it can be
 * `unknown`. After it the task exists, so a link that fails is `unknown` too: `resolveTasks` finds the task and ties it.
 *
 * The caller runs this only for keys it believes absent: an upsert by key writes all properties, and would otherwise
 * reset what a person has changed on the task meanwhile. An upsert that answers `new: false` is `done`, not created.
 */
import { fail } from "../../src/failure.ts";
import type { Command, Outcome, World } from "../contract.ts";
import { attach, type Tied } from "./attach.ts";
import { type Fate, type Row, sendRows } from "./batch.ts";
import type { HubspotClient, ObjectResult } from "./client.ts";
import { lost, type Mishap, mayBeOneRow, withheld } from "./errors.ts";
import { findPeople, relocate, relocationRequests } from "./people.ts";
import { keyProperty, marker, objectTypes, taskProperties, taskToContact, withMarker } from "./requests.ts";

export type CreateTask = Extract<Command, { type: "create_task" }>;

export async function createTasks(
  client: HubspotClient,
  world: World,
  commands: readonly CreateTask[],
): Promise<Outcome[]> {
  // Two rows for one record refuse the whole batch (CRM-FACTS §1.3).
  const distinct = [...new Map(commands.map((command) => [command.key, command])).values()];
  const outcomes = new Map<string, Outcome>();
  const people = await findPeople(
    client,
    distinct.map((command) => command.person),
  );
  const rows: TaskRow[] = [];
  for (const [index, command] of distinct.entries()) {
    const person = people[index];
    if (person?.ok === true) rows.push(taskRow(command, world, person.value, index));
    else outcomes.set(command.key, person?.failure ?? unanswered);
  }
  const written = await write(client, world, rows);
  const tied = await tie(client, world, written);
  for (const one of written) outcomes.set(one.row.command.key, await conclude(client, one, tied.get(one.row)));
  return commands.map((command) => outcomes.get(command.key) ?? unanswered);
}

interface TaskRow extends Row {
  readonly command: CreateTask;
  readonly personId: string;
}

interface Written {
  readonly row: TaskRow;
  readonly fate: Fate<ObjectResult>;
}

async function write(client: HubspotClient, world: World, rows: readonly TaskRow[]): Promise<Written[]> {
  const fates = await sendRows(rows, "once", (sent) => sendTasks(client, world, sent));
  const written = rows.map((row, index) => ({ row, fate: fates[index] ?? fail(silence) }));
  if (world !== "marker") return written;

  // Here the link is part of the row, so a merged or deleted contact refuses it: once more, at the person's new id.
  const moved: TaskRow[] = [];
  const final = new Map(written.map((one) => [one.row.command.key, one]));
  for (const { row, fate } of written) {
    if (fate.ok || fate.failure.outcome.arm !== "refused" || !mayBeOneRow(fate.failure)) continue;
    if (row.command.person.knownId === undefined) continue;
    const where = client.has(relocationRequests)
      ? await relocate(client, row.command.person, row.personId)
      : { arm: "mishap" as const, outcome: withheld("request_allowance").outcome };
    if (where.arm === "at" && where.id !== row.personId) moved.push({ ...row, personId: where.id });
    if (where.arm === "mishap")
      final.set(row.command.key, { row, fate: fail({ ...fate.failure, outcome: where.outcome }) });
  }
  const again = await sendRows(moved, "once", (sent) => sendTasks(client, world, sent));
  for (const [index, row] of moved.entries()) final.set(row.command.key, { row, fate: again[index] ?? fail(silence) });
  return [...final.values()];
}

function sendTasks(client: HubspotClient, world: World, rows: readonly TaskRow[]) {
  const idProperty = keyProperty(world);
  if (idProperty === null) {
    const inputs = rows.map((row) => ({
      properties: { ...row.properties },
      associations: [association(row.personId)],
      objectWriteTraceId: row.trace,
    }));
    return client.createObjects(objectTypes.tasks, inputs, "once");
  }
  const inputs = rows.map((row) => ({
    id: row.command.key,
    idProperty,
    properties: { ...row.properties },
    objectWriteTraceId: row.trace,
  }));
  return client.upsertObjects(objectTypes.tasks, inputs, "once");
}

/** In the marker world the row carried its link, and a row is written whole or not at all. */
async function tie(client: HubspotClient, world: World, written: readonly Written[]): Promise<Map<TaskRow, Tied>> {
  const there = written.flatMap(({ row, fate }) => (fate.ok ? [{ row, taskId: fate.value.id }] : []));
  if (world === "marker") return new Map(there.map(({ row }) => [row, { arm: "tied", personId: row.personId }]));
  const ties = there.map(({ row, taskId }) => ({ taskId, personId: row.personId, person: row.command.person }));
  const answers = await attach(client, ties);
  return new Map(there.map((one, index) => [one.row, answers[index] ?? { arm: "mishap", outcome: unanswered }]));
}

async function conclude(client: HubspotClient, { fate }: Written, tied: Tied | undefined): Promise<Outcome> {
  if (!fate.ok) return fate.failure.outcome;
  if (tied?.arm === "tied") {
    return { arm: "done", taskId: fate.value.id, personId: tied.personId, created: fate.value._new ?? true };
  }
  return tied?.arm === "gone" ? discard(client, fate.value.id) : { arm: "unknown", reason: "association" };
}

/** A task about nobody helps nobody: taken away again, so that `refused` is true. */
export async function discard(client: HubspotClient, taskId: string): Promise<Mishap> {
  const reply = await client.archiveObjects(objectTypes.tasks, [taskId]);
  if (!reply.ok) return { arm: "unknown", reason: "association" };
  return { arm: "refused", reason: "person_gone", detail: "The contact was deleted in HubSpot." };
}

function taskRow(command: CreateTask, world: World, personId: string, index: number): TaskRow {
  const properties = taskProperties(command.task);
  const idProperty = keyProperty(world);
  const recognise = (result: ObjectResult) =>
    idProperty === null
      ? (result.properties.hs_task_body ?? "").includes(marker(command.key))
      : result.properties[idProperty] === command.key;
  return {
    trace: `task-${index}`,
    properties: idProperty === null ? withMarker(properties, command.key) : properties,
    recognise,
    command,
    personId,
  };
}

function association(personId: string) {
  const type = { associationCategory: "HUBSPOT_DEFINED" as never, associationTypeId: taskToContact };
  return { to: { id: personId }, types: [type] };
}

const unanswered: Mishap = { arm: "deferred", retryAfterMs: 1_000, scope: "action", reason: "not_reached" };
const silence = lost("once", "row_without_answer");
