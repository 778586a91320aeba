/**
 * After `unknown`: did the task come to be? `absent` only on a definite answer; a failed look-up is `deferred`.
 *
 * With a server key one read by key settles it, and one more among the archived ones: a task that a person has already
 * deleted happened (CRM-FACTS §1.3). `found` is only said of a task that is tied to its person, so this ties it if need be.
 */
import { fail, ok, type Result } from "../../src/failure.ts";
import type { Resolution } from "../contract.ts";
import { attach } from "./attach.ts";
import { mentions } from "./batch.ts";
import type { HubspotClient } from "./client.ts";
import { type CreateTask, discard } from "./create-tasks.ts";
import { lost, type Mishap } from "./errors.ts";
import { findPeople } from "./people.ts";
import { objectTypes } from "./requests.ts";

export async function resolveByKey(
  client: HubspotClient,
  idProperty: string,
  commands: readonly CreateTask[],
): Promise<Map<string, Resolution>> {
  const answers = new Map<string, Resolution>();
  const live = await lookUp(client, idProperty, commands, false);
  const present: FoundTask[] = [];
  const missing: CreateTask[] = [];
  for (const command of commands) {
    const taskId = live.ok ? live.value.ids.get(command.key) : undefined;
    if (!live.ok) answers.set(command.key, live.failure);
    else if (taskId !== undefined) present.push({ command, taskId });
    else if (live.value.unclear(command.key)) answers.set(command.key, unclear);
    else missing.push(command);
  }
  for (const [key, answer] of await amongArchived(client, idProperty, missing)) answers.set(key, answer);
  for (const [key, answer] of await ensureTied(client, present)) answers.set(key, answer);
  return answers;
}

export interface FoundTask {
  readonly command: CreateTask;
  readonly taskId: string;
}

async function amongArchived(client: HubspotClient, idProperty: string, commands: readonly CreateTask[]) {
  const answers = new Map<string, Resolution>();
  if (commands.length === 0) return answers;
  const archived = await lookUp(client, idProperty, commands, true);
  for (const { key, person } of commands) {
    if (!archived.ok) answers.set(key, archived.failure);
    else if (archived.value.ids.has(key))
      answers.set(key, { arm: "found", taskId: archived.value.ids.get(key) ?? "", personId: person.knownId ?? "" });
    else answers.set(key, archived.value.unclear(key) ? unclear : { arm: "absent" });
  }
  return answers;
}

interface LookUp {
  readonly ids: ReadonlyMap<string, string>;
  /** True where the answer does not settle the key: neither there nor definitely not. */
  unclear(key: string): boolean;
}

async function lookUp(
  client: HubspotClient,
  idProperty: string,
  commands: readonly CreateTask[],
  archived: boolean,
): Promise<Result<LookUp, Mishap>> {
  const keys = commands.map((command) => command.key);
  const reply = await client.readObjects(objectTypes.tasks, {
    ids: keys,
    idProperty,
    properties: [idProperty],
    archived,
  });
  if (!reply.ok) return fail(reply.failure.outcome);
  const { results, errors, complete } = reply.value;
  const ids = new Map(results.map((result) => [result.properties[idProperty] ?? "", result.id]));
  // A record without its key cannot be told apart from the one we miss: then nothing is definite.
  const nameless = results.some((result) => typeof result.properties[idProperty] !== "string");
  const others = errors.filter((error) => categoryOf(error) !== "OBJECT_NOT_FOUND");
  return ok({
    ids,
    unclear: (key) =>
      !complete ||
      nameless ||
      (others.length > 0 && !errors.some((error) => !others.includes(error) && mentions(error, key))),
  });
}

/** `found`, once the task hangs on a contact. One that a person has moved to another contact is left there. */
async function ensureTied(client: HubspotClient, tasks: readonly FoundTask[]): Promise<Map<string, Resolution>> {
  const answers = new Map<string, Resolution>();
  if (tasks.length === 0) return answers;
  const reply = await readTies(
    client,
    "tasks",
    "contacts",
    tasks.map((task) => task.taskId),
  );
  const loose: FoundTask[] = [];
  for (const task of tasks) {
    if (!reply.ok) answers.set(task.command.key, reply.failure);
    else if (reply.value.unclear(task.taskId)) answers.set(task.command.key, unclear);
    else {
      const people = reply.value.ends.get(task.taskId) ?? [];
      const known = task.command.person.knownId ?? "";
      const personId = people.includes(known) ? known : people[0];
      if (personId === undefined) loose.push(task);
      else answers.set(task.command.key, { arm: "found", taskId: task.taskId, personId });
    }
  }
  for (const [key, answer] of await tieLoose(client, loose)) answers.set(key, answer);
  return answers;
}

async function tieLoose(client: HubspotClient, tasks: readonly FoundTask[]): Promise<Map<string, Resolution>> {
  const answers = new Map<string, Resolution>();
  const people = await findPeople(
    client,
    tasks.map((task) => task.command.person),
  );
  const ready = tasks.flatMap((task, index) => {
    const person = people[index];
    if (person?.ok === true) return [{ task, personId: person.value }];
    answers.set(task.command.key, person?.failure ?? unclear);
    return [];
  });
  const tied = await attach(
    client,
    ready.map(({ task, personId }) => ({ taskId: task.taskId, personId, person: task.command.person })),
  );
  for (const [index, { task }] of ready.entries()) {
    const one = tied[index];
    if (one?.arm === "tied")
      answers.set(task.command.key, { arm: "found", taskId: task.taskId, personId: one.personId });
    else if (one?.arm === "gone") answers.set(task.command.key, await discard(client, task.taskId));
    else answers.set(task.command.key, one === undefined || one.outcome.arm === "refused" ? untied : one.outcome);
  }
  return answers;
}

export interface Ties {
  readonly ends: ReadonlyMap<string, readonly string[]>;
  unclear(id: string): boolean;
}

/**
 * The other ends of records, page by page. A record without links is an error row in the batch's answer, and definite; one
 * that the answer leaves out, or that fails, is asked for alone.
 */
export async function readTies(
  client: HubspotClient,
  from: "contacts" | "tasks",
  to: "contacts" | "tasks",
  ids: readonly string[],
): Promise<Result<Ties, Mishap>> {
  const ends = new Map<string, string[]>();
  const open = new Set<string>();
  let ask: { id: string; after?: string }[] = [...new Set(ids)].map((id) => ({ id }));
  for (let page = 0; ask.length > 0; page++) {
    if (page === pagesMax) return fail(unclear);
    const reply = await client.readAssociations(from, to, ask);
    if (!reply.ok) return fail(reply.failure.outcome);
    const { links, errors, complete, more } = reply.value;
    for (const link of links) ends.set(link.from, [...(ends.get(link.from) ?? []), link.to]);
    for (const { id } of ask) {
      const empty = errors.some((error) => isEmpty(error) && mentions(error, id));
      if (!complete || (!empty && !links.some((link) => link.from === id))) open.add(id);
    }
    ask = [...more];
  }
  for (const id of [...open]) {
    const all = await listTies(client, from, id, to);
    if (all === null) continue;
    ends.set(id, all);
    open.delete(id);
  }
  return ok({ ends, unclear: (id) => open.has(id) });
}

async function listTies(client: HubspotClient, from: string, id: string, to: string): Promise<string[] | null> {
  const all: string[] = [];
  let after: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const reply = await client.listAssociations(from, id, to, after);
    if (!reply.ok) return null;
    all.push(...reply.value.ends);
    after = reply.value.after;
    if (after === undefined) return all;
  }
  return null;
}

/** "No contact is associated with …": OBJECT_NOT_FOUND with this sub-category, in a 207. */
function isEmpty(error: unknown): boolean {
  return String((error as { subCategory?: unknown } | null)?.subCategory ?? "").includes("NO_ASSOCIATIONS_FOUND");
}

function categoryOf(error: unknown): unknown {
  return (error as { category?: unknown } | null)?.category;
}

/** A record with more pages of links than this is for a person to look at. */
const pagesMax = 10;

export const unclear: Mishap = lost("repeatable", "unclear_answer").outcome;
const untied: Mishap = { arm: "deferred", retryAfterMs: 60_000, scope: "action", reason: "association" };
