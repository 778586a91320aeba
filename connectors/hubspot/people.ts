/**
 * The contact a follow-up is about, found without search (search lags and has duplicated, CRM-FACTS §1.3).
 *
 * By e-mail: read the batch by `email` first, create only those that are definitely not there. So an existing contact is
 * never written (G9), a new one gets name and company in the same write, and a repeat of either is harmless: HubSpot keeps
 * e-mail addresses unique and answers a clash with the existing id. An upsert would do it in one request less for new
 * people, but writes to existing ones and needs a second, losable write for the name.
 */
import { fail, ok, type Result } from "../../src/failure.ts";
import type { CrmPerson } from "../contract.ts";
import { sendRows } from "./batch.ts";
import type { HubspotClient, ObjectResult } from "./client.ts";
import { type Mishap, mayBeOneRow, type Refusal } from "./errors.ts";
import { contactProperties, emailKey, objectTypes } from "./requests.ts";

/** The contact's id, or why there is none. Never `unknown`: all of this may be repeated. */
export type Found = Result<string, Mishap>;

/** One answer per person, in order. `knownId` is believed as it is; `relocate` is for when it proves wrong. */
export async function findPeople(client: HubspotClient, people: readonly CrmPerson[]): Promise<Found[]> {
  const byEmail = await ensureByEmail(
    client,
    people.filter((person) => person.knownId === undefined),
  );
  return people.map((person) => {
    if (person.knownId !== undefined) return ok(person.knownId);
    return byEmail.get(emailKey(person.email ?? "")) ?? fail(noAddress);
  });
}

export type Whereabouts =
  | { readonly arm: "at"; readonly id: string }
  /** Deleted, and no e-mail address to find or make the person by. */
  | { readonly arm: "gone" }
  | { readonly arm: "mishap"; readonly outcome: Mishap };

/** What `relocate` may need, and one request to make use of it. */
export const relocationRequests = 4;

/** Where a person is whom HubSpot did not take under `id`: a merged record answers a GET under its new id (§3). */
export async function relocate(client: HubspotClient, person: CrmPerson, id: string): Promise<Whereabouts> {
  const reply = await client.getObject(objectTypes.contacts, id, ["email"]);
  if (reply.ok) return { arm: "at", id: reply.value.id };
  if (reply.failure.status !== 404) return { arm: "mishap", outcome: reply.failure.outcome };
  if (person.email === undefined) return { arm: "gone" };
  const found = (await ensureByEmail(client, [person])).get(emailKey(person.email));
  if (found === undefined) return { arm: "gone" };
  return found.ok ? { arm: "at", id: found.value } : { arm: "mishap", outcome: found.failure };
}

export const noAddress: Mishap = {
  arm: "refused",
  reason: "person_without_email",
  detail: "HubSpot has no other key that keeps a contact from being created twice.",
};

async function ensureByEmail(client: HubspotClient, people: readonly CrmPerson[]): Promise<Map<string, Found>> {
  const wanted = new Map<string, CrmPerson>();
  for (const person of people) {
    if (person.email !== undefined && emailKey(person.email) !== "") wanted.set(emailKey(person.email), person);
  }
  const found = new Map<string, Found>();
  if (wanted.size === 0) return found;

  const reply = await readByEmail(client, [...wanted.keys()]);
  if (!reply.ok) return new Map([...wanted.keys()].map((email) => [email, fail(reply.failure.outcome)]));
  for (const [email, id] of reply.value) found.set(email, ok(id));

  const missing = [...wanted].filter(([email]) => !found.has(email));
  for (const [email, id] of await create(client, missing)) found.set(email, id);
  return found;
}

/** Those that are there. Whoever is missing from a complete answer is definitely not. */
async function readByEmail(
  client: HubspotClient,
  emails: readonly string[],
): Promise<Result<Map<string, string>, Refusal>> {
  const names = ["email", "hs_additional_emails"];
  const reply = await client.readObjects(objectTypes.contacts, { ids: emails, idProperty: "email", properties: names });
  if (!reply.ok) return reply;
  const ids = new Map<string, string>();
  for (const result of reply.value.results) for (const email of emailsOf(result)) ids.set(email, result.id);
  return ok(ids);
}

async function create(client: HubspotClient, people: readonly [string, CrmPerson][]): Promise<Map<string, Found>> {
  const rows = people.map(([email, person], index) => row(email, index, contactProperties(email, person)));
  const fates = await createRows(client, rows);

  // Only the address matters for the follow-up. A stage or phone number the account does not take must not stop it.
  const bare = rows.filter((one, index) => isNicety(fates[index], one.properties));
  const again = await createRows(
    client,
    bare.map((one, index) => row(one.email, index, { email: one.email })),
  );
  const found = new Map<string, Found>();
  for (const [index, fate] of fates.entries()) found.set(rows[index]?.email ?? "", toFound(fate));
  for (const [index, fate] of again.entries()) found.set(bare[index]?.email ?? "", toFound(fate));
  return found;
}

type Fates = Awaited<ReturnType<typeof createRows>>;

function createRows(client: HubspotClient, rows: readonly ReturnType<typeof row>[]) {
  return sendRows(rows, "repeatable", (sent) =>
    client.createObjects(
      objectTypes.contacts,
      sent.map((one) => ({ properties: { ...one.properties }, objectWriteTraceId: one.trace })),
      "repeatable",
    ),
  );
}

function row(email: string, index: number, properties: Record<string, string>) {
  const recognise = (result: ObjectResult) => emailsOf(result).includes(email);
  return { trace: `person-${index}`, email, properties, recognise };
}

function isNicety(fate: Fates[number] | undefined, properties: Readonly<Record<string, string>>): boolean {
  if (fate === undefined || fate.ok || Object.keys(properties).length === 1) return false;
  return fate.failure.status === 400 && mayBeOneRow(fate.failure) && !fate.failure.properties.includes("email");
}

function toFound(fate: Fates[number]): Found {
  if (fate.ok) return ok(fate.value.id);
  // Somebody made the contact since we looked, or it holds the address as a further one.
  if (fate.failure.existingId !== null) return ok(fate.failure.existingId);
  return fail(fate.failure.outcome);
}

/** All addresses of a contact, as they are compared. */
export function emailsOf(result: ObjectResult): string[] {
  const further = (result.properties.hs_additional_emails ?? "").split(";");
  return [result.properties.email ?? "", ...further].filter((email) => email !== "").map(emailKey);
}
