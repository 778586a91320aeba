/** What of a task people may change, as HubSpot spells it and yet comparable. Pure. */
import type { CrmTask, TaskShape } from "../contract.ts";
import { taskProperties } from "./requests.ts";
import { instantOf, textOf } from "./stored.ts";

/** What we wrote, as it stands there when nobody has touched it. */
export function shapeOf(task: CrmTask): TaskShape {
  return shapeIn(taskProperties(task));
}

/** Due dates in whole seconds: some answers keep no parts of one. */
export function shapeIn(properties: Readonly<Record<string, string | null | undefined>>): TaskShape {
  const due = instantOf(properties.hs_timestamp ?? "");
  return {
    subject: textOf(properties.hs_task_subject ?? ""),
    due: Number.isFinite(due) ? String(Math.floor(due / 1_000)) : "",
    priority: (properties.hs_task_priority ?? "").toUpperCase(),
    owner: properties.hubspot_owner_id ?? "",
  };
}

export function dueAt(due: string): number | null {
  const at = Number(due) * 1_000;
  return due !== "" && Number.isFinite(at) ? at : null;
}
