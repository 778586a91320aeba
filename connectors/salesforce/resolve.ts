/**
 * What became of commands whose answer was lost. Reads the primary store by key, deleted and archived tasks included: a
 * task a person already threw away was made, and must not be made again. A look-up that fails never says "absent".
 */
import type { Command, CrmSession, Resolution } from "../contract.ts";
import { type Fields, text } from "./answers.ts";
import { Conversation } from "./client.ts";
import { isOpen } from "./close.ts";
import { sameId } from "./people.ts";
import { readAll, taskOf } from "./read.ts";
import { crmKey, soql } from "./requests.ts";

/** One request; the rest would be further pages. */
const requestsMax = 5;

export async function resolveCommands(
  session: CrmSession,
  commands: readonly Command[],
): Promise<readonly Resolution[]> {
  const keys = commands.flatMap((command) => (command.type === "create_task" ? [crmKey(command.key)] : []));
  const ids = commands.flatMap((command) => (command.type === "close_task" ? [command.taskId] : []));
  const found = await readAll(new Conversation(session, requestsMax), {
    ...(keys.length === 0 ? {} : { keyed: soql.tasksByKey(keys) }),
    ...(ids.length === 0 ? {} : { closed: soql.tasksById(ids) }),
  });
  if (!found.ok) {
    return commands.map(() => found.failure);
  }
  const keyed = found.value.get("keyed") ?? [];
  const closed = found.value.get("closed") ?? [];
  return commands.map((command): Resolution => {
    if (command.type === "create_task") {
      return foundTask(taskOf(crmKey(command.key), keyed));
    }
    // It is absolute, and repeating it is harmless: nothing to look up.
    if (command.type === "update_task" || command.type === "write_record") {
      return { arm: "absent" };
    }
    if (command.type === "enrol") {
      throw new Error("a batch holds commands of one type");
    }
    const row = closed.find((candidate) => typeof candidate.Id === "string" && sameId(candidate.Id, command.taskId));
    return isOpen(row) ? { arm: "absent" } : { arm: "found", taskId: command.taskId, personId: text(row?.WhoId) ?? "" };
  });
}

function foundTask(row: Fields | undefined): Resolution {
  return row === undefined
    ? { arm: "absent" }
    : { arm: "found", taskId: text(row.Id) ?? "", personId: text(row.WhoId) ?? "" };
}
