/**
 * How open tasks of ours stand. Up to a thousand are named in one request; with more of them, what has changed since the last look
 * is asked for (CRM-FACTS §2.7), which costs one request however many there are. Deleted and archived rows are read too.
 */
import { fail, ok, type Result } from "../../src/failure.ts";
import type { ChangedAsk, CrmSession, TaskSeen } from "../contract.ts";
import { type Fields, text } from "./answers.ts";
import { Conversation } from "./client.ts";
import type { Failed } from "./errors.ts";
import { sameId } from "./people.ts";
import { readAll } from "./read.ts";
import { soql } from "./requests.ts";
import { plain } from "./shape.ts";

/** Ids of one query, and queries of one composite (CRM-FACTS §2.1). */
const idsPerQuery = 200;
const queriesMax = 5;
/** Named in one request. */
export const changedNamedMax = idsPerQuery * queriesMax;
/** One request, and the further pages of a busy minute (2,000 rows each). */
export const changedRequestsMax = 6;

export async function changedTasks(
  session: CrmSession,
  { tasks, since }: ChangedAsk,
): Promise<Result<readonly (TaskSeen | null)[], Failed>> {
  if (tasks.length > changedNamedMax && since === null) {
    return fail({ arm: "refused", reason: "too_many_tasks" });
  }
  const conversation = new Conversation(session, changedRequestsMax);
  const found = await readAll(conversation, queriesFor(tasks, since));
  if (!found.ok) {
    return found;
  }
  const rows = new Map([...found.value.values()].flat().map((row) => [nameOf(row.Id), row]));
  return ok(
    tasks.map((id) => {
      const row = rows.get(nameOf(id));
      if (row !== undefined) {
        return seen(row);
      }
      // Asked for everything, it is not even among the deleted ones.
      return since === null ? { arm: "deleted" } : null;
    }),
  );
}

function queriesFor(tasks: readonly string[], since: number | null): Readonly<Record<string, string>> {
  const after = since === null ? null : new Date(since).toISOString();
  if (tasks.length > changedNamedMax && after !== null) {
    return { changed: soql.tasksChanged(after) };
  }
  const queries: Record<string, string> = {};
  for (let start = 0; start < tasks.length; start += idsPerQuery) {
    queries[`named${start}`] = soql.tasksSeen(tasks.slice(start, start + idsPerQuery), after);
  }
  return queries;
}

/** The first fifteen characters say it; the other three only help where case is lost. */
function nameOf(id: unknown): string {
  return typeof id === "string" ? id.slice(0, 15) : "";
}

function seen(row: Fields): TaskSeen | null {
  if (row.IsDeleted === true) {
    return { arm: "deleted" };
  }
  const modifiedAt = Date.parse(String(row.LastModifiedDate));
  if (typeof row.IsClosed !== "boolean" || !Number.isFinite(modifiedAt)) {
    return null;
  }
  if (row.IsClosed) {
    const completedAt = Date.parse(String(row.CompletedDateTime));
    return { arm: "completed", at: Number.isFinite(completedAt) ? completedAt : modifiedAt };
  }
  const owner = text(row.OwnerId) ?? "";
  return {
    arm: "open",
    shape: {
      subject: plain(row.Subject),
      due: text(row.ActivityDate) ?? "",
      priority: text(row.Priority) ?? "",
      owner,
    },
    modifiedAt,
    ...(sameId(owner, String(row.CreatedById)) ? { ownerIsMaker: true } : {}),
  };
}
