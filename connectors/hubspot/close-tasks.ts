/**
 * `close_task`: status COMPLETED and nothing else. Subject and body stay as the seller left them, so `note` is not
 * written: HubSpot has no conditional write, and appending to a body we have not just read would undo an edit (G9).
 *
 * Closing may be repeated, so it is never `unknown`. A task a person deleted is as closed as can be: `done`.
 */
import type { Command, Outcome } from "../contract.ts";
import { sendRows } from "./batch.ts";
import type { HubspotClient } from "./client.ts";
import { objectTypes } from "./requests.ts";

export type CloseTask = Extract<Command, { type: "close_task" }>;

export async function closeTasks(client: HubspotClient, commands: readonly CloseTask[]): Promise<Outcome[]> {
  const ids = [...new Set(commands.map((command) => command.taskId))];
  const rows = ids.map((id, index) => ({
    id,
    trace: `close-${index}`,
    properties: { hs_task_status: "COMPLETED" },
    recognise: (result: { id: string }) => result.id === id,
  }));
  const fates = await sendRows(rows, "repeatable", (sent) =>
    client.updateObjects(
      objectTypes.tasks,
      sent.map((row) => ({ id: row.id, properties: row.properties, objectWriteTraceId: row.trace })),
    ),
  );
  const outcomes = new Map<string, Outcome>();
  for (const [index, row] of rows.entries()) {
    const fate = fates[index];
    if (fate === undefined) continue;
    const closed = fate.ok || fate.failure.status === 404;
    outcomes.set(row.id, closed ? done(row.id) : fate.failure.outcome);
  }
  return commands.map((command) => outcomes.get(command.taskId) ?? notReached);
}

function done(taskId: string): Outcome {
  return { arm: "done", taskId, personId: "", created: false };
}

const notReached: Outcome = { arm: "deferred", retryAfterMs: 1_000, scope: "action", reason: "not_reached" };
