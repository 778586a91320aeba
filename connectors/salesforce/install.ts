/**
 * Finds out whether an org is ready: our two External ID fields must be there and usable, and the exactly-once world is
 * proved rather than believed, by upserting a throw-away task twice (made, then changed) and deleting it.
 */
import { fail, ok, type Result } from "../../src/failure.ts";
import type { CrmOwner, CrmSession, Installation } from "../contract.ts";
import { type Fields, isFields, readSaved, text } from "./answers.ts";
import { Conversation } from "./client.ts";
import { type Failed, settle } from "./errors.ts";
import { readQueryRows } from "./read.ts";
import { deleteTask, describe, keyField, soql, type Target, upsertOne } from "./requests.ts";

const requestsMax = 10;
/** 2,000 users a page. */
const ownerRequestsMax = 20;

export async function probe(session: CrmSession): Promise<Result<Installation, Failed>> {
  const conversation = new Conversation(session, requestsMax);
  for (const target of ["Task", "Lead"] as const) {
    const failure = await checkField(conversation, target);
    if (failure !== null) {
      return fail(failure);
    }
  }
  const failure = await proveWorld(conversation);
  if (failure !== null) {
    return fail(failure);
  }
  const organization = await readQueryRows(conversation, soql.organization);
  if (!organization.ok) {
    return organization;
  }
  return ok({
    world: "unique_property",
    timeZone: text(organization.value[0]?.TimeZoneSidKey),
    // `/{id}` leads to the record in whichever interface the org uses, for a lead as for a contact.
    recordUrl: { person: `${session.apiUrl}/{person}`, task: `${session.apiUrl}/{task}` },
  });
}

export async function activeOwners(session: CrmSession): Promise<Result<readonly CrmOwner[], Failed>> {
  const users = await readQueryRows(new Conversation(session, ownerRequestsMax), soql.owners);
  if (!users.ok) {
    return users;
  }
  return ok(
    users.value.flatMap((user) => {
      const id = text(user.Id);
      const email = text(user.Email);
      return id === null || email === null ? [] : [{ id, email: email.toLowerCase() }];
    }),
  );
}

async function checkField(conversation: Conversation, target: Target): Promise<Failed | null> {
  const answer = await conversation.ask(describe(target));
  const fields =
    answer.arm === "answered" && isFields(answer.body) && Array.isArray(answer.body.fields)
      ? answer.body.fields.filter(isFields)
      : null;
  if (fields === null) {
    return settle(answer, "read", "");
  }
  const name = keyField(target);
  const detail = `${target}.${name}`;
  const field: Fields | undefined = fields.find((candidate) => candidate.name === name);
  if (field === undefined) {
    return { arm: "blocked", reason: "package_missing", detail };
  }
  if (field.externalId !== true || field.unique !== true || field.idLookup !== true) {
    return { arm: "blocked", reason: "key_not_unique", detail };
  }
  return field.createable === true && field.updateable === true
    ? null
    : { arm: "blocked", reason: "field_access_missing", detail };
}

/** The key is new each time: what a deleted task still holding a key does to an upsert is not documented. */
async function proveWorld(conversation: Conversation): Promise<Failed | null> {
  const values = {
    Subject: "Baton checks that this org is ready",
    Description: "Made and deleted by Baton during its installation. If it is still here, it can be deleted.",
    ActivityDate: new Date().toISOString().slice(0, 10),
  };
  const row = { key: `baton-probe-${crypto.randomUUID()}`, values };
  const seen: (boolean | null)[] = [];
  let failure: Failed | null = null;
  for (let attempt = 0; attempt < 2 && failure === null; attempt++) {
    const answer = await conversation.ask(upsertOne("Task", row));
    const saved = answer.arm === "answered" ? readSaved(answer.body) : null;
    seen.push(saved?.arm === "saved" ? saved.created : null);
    failure = saved?.arm === "saved" ? null : settle(answer, "lead", row.key);
  }
  const removed = await conversation.ask(deleteTask(row.key));
  if (failure !== null) {
    return failure;
  }
  if (seen[0] !== true || seen[1] !== false) {
    return { arm: "blocked", reason: "key_not_unique" };
  }
  return removed.arm === "answered" ? null : settle(removed, "lead", row.key);
}
