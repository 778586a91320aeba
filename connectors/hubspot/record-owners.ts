/**
 * Whose the contact is: the owner that HubSpot shows on it. Read by id, and by e-mail address where no id is known or the one that is known
 * does not answer any more (merged, deleted); never by search. The owner of the contact's company is not read: that takes a scope which an
 * account need not grant.
 */
import { fail, ok, type Result } from "../../src/failure.ts";
import type { CrmPerson, RecordOwners } from "../contract.ts";
import type { HubspotClient, ObjectResult } from "./client.ts";
import type { Mishap } from "./errors.ts";
import { emailsOf } from "./people.ts";
import { emailKey, objectTypes } from "./requests.ts";

export async function recordOwners(
  client: HubspotClient,
  people: readonly CrmPerson[],
): Promise<Result<readonly RecordOwners[], Mishap>> {
  const ids = people.flatMap(({ knownId }) => knownId ?? []);
  const known = await read(client, ids);
  if (!known.ok) return known;
  const byId = new Map(known.value.map((contact) => [contact.id, contact]));
  const isFound = ({ knownId }: CrmPerson) => knownId !== undefined && byId.has(knownId);
  const emails = people.filter((person) => !isFound(person)).map(({ email }) => emailKey(email ?? ""));
  const named = await read(
    client,
    emails.filter((email) => email !== ""),
    "email",
  );
  if (!named.ok) return named;
  const byEmail = new Map(named.value.flatMap((contact) => emailsOf(contact).map((email) => [email, contact])));
  return ok(people.map(({ knownId = "", email = "" }) => ownerOf(byId.get(knownId) ?? byEmail.get(emailKey(email)))));
}

async function read(
  client: HubspotClient,
  ids: readonly string[],
  idProperty?: "email",
): Promise<Result<readonly ObjectResult[], Mishap>> {
  if (ids.length === 0) return ok([]);
  const reply = await client.readObjects(objectTypes.contacts, {
    ids: [...new Set(ids)],
    properties: ["email", "hs_additional_emails", "hubspot_owner_id"],
    ...(idProperty === undefined ? {} : { idProperty }),
  });
  return reply.ok ? ok(reply.value.results) : fail(reply.failure.outcome);
}

function ownerOf(contact: ObjectResult | undefined): RecordOwners {
  const owner = contact?.properties.hubspot_owner_id ?? "";
  return owner === "" ? {} : { record: owner };
}
