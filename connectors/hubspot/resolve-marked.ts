/**
 * After `unknown` where there is no server key: read the contact's tasks through associations and look for the marker
 * (CRM-FACTS §1.3, step 4). Never by search, which lags.
 *
 * The contact is ensured first: the task was only ever written after its contact, and a merged contact is followed to
 * its new id. One that a person deleted leaves it open: the task may hang on the deleted record, so a person must look.
 * Links may show up late: the caller asks twice, a minute and ten minutes after the attempt, before it creates again.
 * Known gap: a task that was created, lost and deleted by a person within that time is not seen.
 */
import { fail, ok, type Result } from "../../src/failure.ts";
import type { Resolution } from "../contract.ts";
import { mentions } from "./batch.ts";
import type { HubspotClient } from "./client.ts";
import type { CreateTask } from "./create-tasks.ts";
import type { Mishap } from "./errors.ts";
import { type Found, findPeople, noAddress } from "./people.ts";
import { batchRowsMax, emailKey, marker, objectTypes } from "./requests.ts";
import { readTies, unclear } from "./resolve-tasks.ts";

export async function resolveByMarker(
  client: HubspotClient,
  commands: readonly CreateTask[],
): Promise<Map<string, Resolution>> {
  const answers = new Map<string, Resolution>();
  const people = await livePeople(client, commands);
  const ready = commands.flatMap((command, index) => {
    const person = people[index];
    if (person?.ok === true) return [{ command, personId: person.value }];
    answers.set(command.key, person?.failure ?? unclear);
    return [];
  });
  const ties = await readTies(
    client,
    "contacts",
    "tasks",
    ready.map((one) => one.personId),
  );
  const taskIds = ties.ok ? [...new Set([...ties.value.ends.values()].flat())] : [];
  const bodies = await readBodies(client, taskIds);
  for (const { command, personId } of ready) {
    if (!ties.ok) answers.set(command.key, ties.failure);
    else if (!bodies.ok) answers.set(command.key, bodies.failure);
    else if (ties.value.unclear(personId)) answers.set(command.key, unclear);
    else answers.set(command.key, search(command, personId, ties.value.ends.get(personId) ?? [], bodies.value));
  }
  return answers;
}

function search(
  command: CreateTask,
  personId: string,
  taskIds: readonly string[],
  bodies: ReadonlyMap<string, string | null>,
): Resolution {
  const taskId = taskIds.find((id) => bodies.get(id)?.includes(marker(command.key)));
  if (taskId !== undefined) return { arm: "found", taskId, personId };
  return taskIds.some((id) => !bodies.has(id)) ? unclear : { arm: "absent" };
}

/** Each command's contact as it is now: one that is there, or was just made because nobody had it. */
async function livePeople(client: HubspotClient, commands: readonly CreateTask[]): Promise<Found[]> {
  const known = [...new Set(commands.flatMap(({ person }) => person.knownId ?? []))];
  const live = new Set<string>();
  if (known.length > 0) {
    const reply = await client.readObjects(objectTypes.contacts, { ids: known, properties: ["email"] });
    if (!reply.ok) return commands.map(() => fail(reply.failure.outcome));
    for (const result of reply.value.results) live.add(result.id);
  }
  const deleted = await deletedEmails(client, commands);
  if (!deleted.ok) return commands.map(() => fail(deleted.failure));
  const strangers = commands.map(({ person }) => person).filter((person) => person.knownId === undefined);
  const found = await findPeople(
    client,
    strangers.filter((person) => !deleted.value.has(emailKey(person.email ?? ""))),
  );
  let next = 0;
  const answers: Found[] = [];
  for (const { person } of commands) {
    if (person.knownId !== undefined)
      answers.push(live.has(person.knownId) ? ok(person.knownId) : await moved(client, person, person.knownId));
    else if (deleted.value.has(emailKey(person.email ?? ""))) answers.push(fail(personDeleted));
    else answers.push(found[next++] ?? fail(noAddress));
  }
  return answers;
}

/** Not there under its id: merged (a plain GET follows it, §3), deleted, or never there and found by e-mail. */
async function moved(client: HubspotClient, person: CreateTask["person"], id: string): Promise<Found> {
  for (const archived of [false, true]) {
    const reply = await client.getObject(objectTypes.contacts, id, ["email"], archived);
    if (reply.ok) return archived ? fail(personDeleted) : ok(reply.value.id);
    if (reply.failure.status !== 404) return fail(reply.failure.outcome);
  }
  const { knownId: _, ...rest } = person;
  return (await findPeople(client, [rest]))[0] ?? fail(unclear);
}

/** Of the people known by e-mail only: addresses that only a deleted contact has. */
async function deletedEmails(
  client: HubspotClient,
  commands: readonly CreateTask[],
): Promise<Result<Set<string>, Mishap>> {
  const emails = new Set(
    commands.flatMap(({ person }) =>
      person.knownId === undefined && person.email !== undefined ? [emailKey(person.email)] : [],
    ),
  );
  if (emails.size === 0) return ok(new Set());
  const ask = { ids: [...emails], idProperty: "email", properties: ["email"] };
  const live = await client.readObjects(objectTypes.contacts, ask);
  if (!live.ok) return fail(live.failure.outcome);
  for (const result of live.value.results) emails.delete(emailKey(result.properties.email ?? ""));
  if (emails.size === 0) return ok(new Set());
  const archived = await client.readObjects(objectTypes.contacts, { ...ask, ids: [...emails], archived: true });
  if (!archived.ok) return fail(archived.failure.outcome);
  return ok(new Set(archived.value.results.map((result) => emailKey(result.properties.email ?? ""))));
}

/** Bodies by task id; null for a task that was deleted since. */
async function readBodies(
  client: HubspotClient,
  ids: readonly string[],
): Promise<Result<Map<string, string | null>, Mishap>> {
  const bodies = new Map<string, string | null>();
  for (let start = 0; start < ids.length; start += batchRowsMax) {
    const some = ids.slice(start, start + batchRowsMax);
    const reply = await client.readObjects(objectTypes.tasks, { ids: some, properties: ["hs_task_body"] });
    if (!reply.ok) return fail(reply.failure.outcome);
    for (const result of reply.value.results) bodies.set(result.id, result.properties.hs_task_body ?? "");
    for (const id of some) {
      if (!bodies.has(id) && reply.value.errors.some((error) => mentions(error, id))) bodies.set(id, null);
    }
  }
  return ok(bodies);
}

const personDeleted: Mishap = { arm: "unknown", reason: "person_gone" };
