/**
 * A webhook as an outlet. `webhook-id` is the action's key: the same however often it is sent, so repeating is harmless to whoever keeps
 * ids, and whatever is not a 2xx is repeated. At least once on the wire.
 */
import { ok } from "../../src/failure.ts";
import type { Command, CrmSession, Destination, Outcome, Resolution, TaskCommand } from "../contract.ts";
import { isOfTask, notTold, retryAfterMs, silent } from "../outlet.ts";
import { hmacBase64 } from "../signature.ts";
import { manifest } from "./manifest.ts";

export const webhook: Destination = {
  ...silent,
  manifest,
  // Nothing to prepare: a test message shows whether somebody listens.
  install: async () => ok({ world: "unique_property", timeZone: null, recordUrl: { person: "", task: "" } }),
  execute: (session, commands) => Promise.all(commands.map((command) => deliver(session, command))),
  // Nobody can be asked: it is sent again. What is over by now is taken as told, so that its closing follows.
  resolve: async (_session, commands, attempt) =>
    commands.map(
      ({ key }): Resolution =>
        attempt?.cancelling === true ? { arm: "found", taskId: key, personId: "" } : { arm: "absent" },
    ),
};

async function deliver({ apiUrl, accessToken, send }: CrmSession, command: Command): Promise<Outcome> {
  if (!isOfTask(command)) return notTold;
  const { key } = command;
  const body = JSON.stringify(eventOf(command));
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signed = accessToken
    .split(" ")
    .map(
      (secret) => `v1,${hmacBase64("sha256", Buffer.from(secret.slice(6), "base64"), `${key}.${timestamp}.${body}`)}`,
    );
  const headers = {
    "content-type": "application/json",
    "webhook-id": key,
    "webhook-timestamp": timestamp,
    "webhook-signature": signed.join(" "),
  };
  const deferred = { arm: "deferred", scope: "action" } as const;
  try {
    const response = await send(new Request(apiUrl, { method: "POST", headers, body }));
    // What it says beside the status is never read.
    await response.body?.cancel();
    if (response.ok) return { arm: "done", taskId: key, personId: "", created: true };
    if (response.status === 410) return { arm: "blocked", reason: "gone" };
    const scope = response.status === 429 ? "account" : "action";
    return { ...deferred, scope, retryAfterMs: retryAfterMs(response.headers), reason: `http_${response.status}` };
  } catch {
    return { ...deferred, retryAfterMs: 0, reason: "no_answer" };
  }
}

const events = { create_task: "opened", update_task: "updated", close_task: "closed" } as const;

function eventOf(command: TaskCommand) {
  const { told, type } = command;
  if (told === undefined) return { type: "outlet.test", timestamp: new Date().toISOString(), data: {} };
  const { at, subject: _inTheTask, ...facts } = told;
  const timestamp = new Date(at).toISOString();
  if (type === "close_task") return { type: "follow_up.closed", timestamp, data: { ...facts, note: command.note } };
  const { dueAt, ownerId: _ofCrms, ...task } = command.task;
  const data = { ...facts, task: { ...task, due_at: new Date(dueAt).toISOString() } };
  return { type: `follow_up.${events[type]}`, timestamp, data };
}
