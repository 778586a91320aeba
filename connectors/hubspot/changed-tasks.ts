/**
 * How open tasks of ours stand: HubSpot has no webhooks for tasks (CRM-FACTS §1.7), so they are read, a hundred in one request. Who
 * is missing is looked for among the deleted ones; only what HubSpot names as not there counts as deleted, never what it leaves out.
 *
 * `hs_task_completion_date` is in no page of the API and in many programs that read it (checked 2026-11-23); on an open task it
 * may hold the due date. Where it is missing the last change stands in: completing is what people do last.
 */
import { fail, ok, type Result } from "../../src/failure.ts";
import type { TaskSeen } from "../contract.ts";
import { divide, type Fate, mentions } from "./batch.ts";
import type { BatchAnswer, HubspotClient, ObjectResult } from "./client.ts";
import { judgeRow, lost, type Mishap } from "./errors.ts";
import { objectTypes } from "./requests.ts";
import { shapeIn } from "./shape.ts";
import { instantOf } from "./stored.ts";

/** The read, the one among deleted tasks, and some for halving a refused batch. */
export const changedRequestsMax = 4;

export async function changedTasks(
  client: HubspotClient,
  ids: readonly string[],
): Promise<Result<readonly (TaskSeen | null)[], Mishap>> {
  const living = await read(client, ids, false);
  const stop = living.find((fate) => !fate.ok && fate.failure.status !== 404);
  if (stop?.ok === false && living.every((fate) => !fate.ok)) return fail(stop.failure.outcome);
  const missing = ids.filter((_, index) => isMissing(living[index]));
  const archived = missing.length === 0 ? [] : await read(client, missing, true);
  return ok(
    ids.map((id, index) => {
      const fate = living[index];
      if (fate?.ok === true) return seen(fate.value.properties);
      const bin = isMissing(fate) ? archived[missing.indexOf(id)] : undefined;
      // Where even the recycle bin has it no more, it was deleted long ago.
      return bin?.ok === true || isMissing(bin) ? { arm: "deleted" } : null;
    }),
  );
}

function read(client: HubspotClient, ids: readonly string[], archived: boolean): Promise<Fate<ObjectResult>[]> {
  return divide(
    ids,
    (some) => client.readObjects(objectTypes.tasks, { ids: some, properties: propertiesRead, archived }),
    (some, answer) => some.map((id) => rowOf(id, answer)),
  );
}

function rowOf(id: string, answer: BatchAnswer): Fate<ObjectResult> {
  const row = answer.results.find((result) => result.id === id);
  if (row !== undefined) return ok(row);
  const error = answer.errors.find((one) => mentions(one, id));
  return fail(error === undefined ? lost("repeatable", "unclear_answer") : judgeRow(error, "repeatable"));
}

function isMissing(fate: Fate<ObjectResult> | undefined): boolean {
  return fate?.ok === false && fate.failure.status === 404;
}

type Properties = Readonly<Record<string, string | null | undefined>>;

/** Null where the answer does not even say its state: then it says nothing. */
function seen(properties: Properties): TaskSeen | null {
  const modifiedAt = instantOf(properties.hs_lastmodifieddate ?? "");
  const status = properties.hs_task_status;
  if (typeof status !== "string" || !Number.isFinite(modifiedAt)) return null;
  if (status !== "COMPLETED") return { arm: "open", shape: shapeIn(properties), modifiedAt };
  const completedAt = instantOf(properties.hs_task_completion_date ?? "");
  return { arm: "completed", at: Number.isFinite(completedAt) ? completedAt : modifiedAt };
}

const propertiesRead = [
  "hs_task_status",
  "hs_task_completion_date",
  "hs_task_subject",
  "hs_timestamp",
  "hs_task_priority",
  "hubspot_owner_id",
  "hs_lastmodifieddate",
];
