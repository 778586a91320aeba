/** Queries, whole: what is on a further page is read too, for a row that was not read would count as absent. */
import { fail, ok, type Result } from "../../src/failure.ts";
import { type Answer, type Fields, readErrors, readParts, readQuery } from "./answers.ts";
import type { Conversation } from "./client.ts";
import { type Failed, settle } from "./errors.ts";
import { look, names, query } from "./requests.ts";

/** 2,000 rows a page. */
const pagesMax = 20;

/**
 * Several queries in one request, deleted and archived rows included. One that fails fails all, for nothing may seem
 * absent, unless the caller can do without it.
 */
export async function readAll(
  conversation: Conversation,
  queries: Readonly<Record<string, string>>,
  canDoWithout: (name: string, failure: Failed) => boolean = () => false,
): Promise<Result<ReadonlyMap<string, readonly Fields[]>, Failed>> {
  const answer = await conversation.ask(look(queries));
  const parts = answer.arm === "answered" ? readParts(answer.body) : null;
  if (answer.arm !== "answered" || parts === null) {
    return fail(settle(answer, "read", ""));
  }
  const found = new Map<string, readonly Fields[]>();
  for (const name of Object.keys(queries)) {
    const part = parts.get(name);
    const rows = await rest(conversation, part === undefined ? answer : asAnswer(part));
    if (!rows.ok && !canDoWithout(name, rows.failure)) {
      return rows;
    }
    found.set(name, rows.ok ? rows.value : []);
  }
  return ok(found);
}

/** One query over live rows. */
export async function readQueryRows(
  conversation: Conversation,
  soql: string,
): Promise<Result<readonly Fields[], Failed>> {
  return rest(conversation, await conversation.ask(query(soql)));
}

/** The task with this key; a living one before a deleted one. */
export function taskOf(key: string, rows: readonly Fields[]): Fields | undefined {
  const mine = rows.filter((row) => row[names.taskKey] === key);
  return mine.find((row) => row.IsDeleted !== true) ?? mine[0];
}

async function rest(conversation: Conversation, first: Answer): Promise<Result<readonly Fields[], Failed>> {
  const rows: Fields[] = [];
  let answer = first;
  for (let page = 0; page < pagesMax; page++) {
    const read = answer.arm === "answered" ? readQuery(answer.body) : null;
    if (read === null) {
      return fail(settle(answer, "read", ""));
    }
    rows.push(...read.records);
    if (read.next === null) {
      return ok(rows);
    }
    answer = await conversation.ask({ method: "GET", path: read.next });
  }
  return fail({ arm: "refused", reason: "too_many_rows" });
}

function asAnswer(part: { readonly status: number; readonly body: unknown }): Answer {
  return part.status >= 200 && part.status < 300
    ? { arm: "answered", status: part.status, body: part.body }
    : { arm: "failed", status: part.status, errors: readErrors(part.body), retryAfterMs: null };
}
