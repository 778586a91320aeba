/**
 * Pure. What of a task people may change, as Salesforce spells it and yet comparable: without the line ends and the spaces at ends
 * that Salesforce changes.
 */
import type { CrmTask, TaskShape } from "../contract.ts";
import { taskValues } from "./requests.ts";

export type Sent = Readonly<Record<string, string | undefined>>;

/** What we wrote, as it stands there when nobody has touched it. */
export function shapeOf(task: CrmTask): TaskShape {
  const { Subject, ActivityDate = "", Priority = "", OwnerId = "" } = written(task);
  return { subject: plain(Subject), due: ActivityDate, priority: Priority, owner: OwnerId };
}

/** A date has no time of day: it keeps the one that it had. */
export function dueAt(due: string, before: number): number | null {
  const day = Date.parse(due);
  return /^\d{4}-\d\d-\d\d$/.test(due) && Number.isFinite(day) ? day + (before % 86_400_000) : null;
}

export function written(task: CrmTask): Sent {
  const { Subject, Description, ActivityDate, ReminderDateTime, Priority, OwnerId } = taskValues(task, "", []);
  const all = { Subject, Description, ActivityDate, ReminderDateTime, Priority, OwnerId };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
}

export function plain(value: unknown): string {
  return typeof value === "string" ? value.replaceAll(/[^\S\n]*(?:\r\n|\r|\n)/g, "\n").trim() : "";
}
