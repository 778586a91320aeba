/**
 * Leads that became contacts, records that became one, what was typed into them (`edited.ts`), and those that were deleted, read from the org
 * (CRM-FACTS §2.7, §3): for orgs whose package tells of none of it, and for what it could not tell. Deleted rows are read too, for a loser of a
 * merge is one that names its master. Rows may commit late, so whoever asks overlaps; what is read twice is the same signal, for its id is
 * made of the records alone, or of what happened to them when.
 */
import { digest } from "../../src/crypto.ts";
import { fail, ok, type Result } from "../../src/failure.ts";
import { normaliseIdentifier } from "../../src/translate/normalise.ts";
import type { CrmSession, JoinedRecords, SignalDraft } from "../contract.ts";
import { draftOf, identifier } from "../draft.ts";
import { type Fields, text } from "./answers.ts";
import { Conversation } from "./client.ts";
import { edited, editedFields } from "./edited.ts";
import { type MergedObject, objects } from "./emitter/schema.ts";
import type { Failed } from "./errors.ts";
import { readAll } from "./read.ts";
import { recordFieldsOf } from "./record-fields.ts";
import { joinedRowsMax, soql } from "./requests.ts";

/** Of a composite's parts five may be queries. */
export const joinedRequestsMax = 2;

export async function joinedRecords(session: CrmSession, since: number): Promise<Result<JoinedRecords, Failed>> {
  const after = new Date(since).toISOString();
  const us = session.crmUser;
  const conversation = new Conversation(session, joinedRequestsMax);
  const became = await readAll(conversation, {
    converted: soql.leadsConverted(after),
    leads: soql.mergedAway("Lead", after),
    contacts: soql.mergedAway("Contact", after),
  });
  if (!became.ok) {
    return fail(became.failure);
  }
  const { name: marked } = recordFieldsOf.baton_lead_id;
  const questions = {
    leadsGone: soql.deleted("Lead", marked, after),
    contactsGone: soql.deleted("Contact", marked, after),
    // Where it is not known who we are, our own writes could not be told from a person's.
    ...(us === undefined ? {} : editsSince(marked, after)),
  };
  // No package, or no history: there is nothing to be heard. What fails otherwise may be there all the same.
  const happened = await readAll(conversation, questions, (_name, { arm }) => arm === "blocked");
  if (!happened.ok) {
    return fail(happened.failure);
  }
  const found = new Map([...became.value, ...happened.value]);
  const rowsOf = (name: string) => found.get(name) ?? [];
  const full = [...found.values()].filter((rows) => rows.length >= joinedRowsMax);
  // Where there are more than one look takes, everything up to the earliest last row is certain.
  const through = Math.min(...full.map((rows) => stampOf(rows.at(-1))));
  return ok({
    drafts: [
      ...rowsOf("converted").flatMap(converted),
      ...rowsOf("leads").flatMap((row) => merged("Lead", row)),
      ...rowsOf("contacts").flatMap((row) => merged("Contact", row)),
      ...rowsOf("leadsGone").flatMap((row) => deleted("Lead", row)),
      ...rowsOf("contactsGone").flatMap((row) => deleted("Contact", row)),
      ...rowsOf("leadEdits").flatMap((row) => edited("Lead", row, us ?? "")),
      ...rowsOf("contactEdits").flatMap((row) => edited("Contact", row, us ?? "")),
    ],
    through: Number.isFinite(through) ? through : null,
  });
}

function editsSince(marked: string, after: string): Readonly<Record<string, string>> {
  const all = Object.keys(editedFields);
  const ofContacts = all.filter((name) => !onlyOnLeads.includes(name));
  return {
    leadEdits: soql.fieldsEdited("Lead", all, marked, after),
    contactEdits: soql.fieldsEdited("Contact", ofContacts, marked, after),
  };
}

const onlyOnLeads: readonly string[] = ["Company", "Website"];

function converted(row: Fields): SignalDraft[] {
  const lead = idOf("Lead", row.Id);
  const contact = idOf("Contact", row.ConvertedContactId);
  const account = text(row.ConvertedAccountId);
  if (lead === undefined || contact === undefined) {
    return [];
  }
  const draft = draftOf({
    id: `converted:${digest(lead, contact)}`,
    kind: "crm_lead_converted",
    occurredAt: stampOf(row),
    identifiers: [identifier(objects.Contact.identifier, contact), identifier(objects.Lead.identifier, lead)],
    properties: { event: "lead_converted", ...(account === null ? {} : { account_id: account }) },
  });
  return [draft];
}

/** One signal for each record that went: they may go at different times, and a merge of three is two of them. */
function merged(object: MergedObject, row: Fields): SignalDraft[] {
  const gone = idOf(object, row.Id);
  const master = idOf(object, row.MasterRecordId);
  if (gone === undefined || master === undefined || gone === master) {
    return [];
  }
  const type = objects[object].identifier;
  const draft = draftOf({
    id: `merged:${digest(master, gone)}`,
    kind: "crm_records_merged",
    occurredAt: stampOf(row),
    identifiers: [identifier(type, master), identifier(type, gone)],
    properties: { event: "records_merged", object, survivor: master },
  });
  return [draft];
}

/** Whoever deletes it means nobody to be called: no follow-up until the person consents again, as with a contact of HubSpot's. */
function deleted(object: MergedObject, row: Fields): SignalDraft[] {
  const gone = idOf(object, row.Id);
  if (gone === undefined) {
    return [];
  }
  const draft = draftOf({
    id: `deleted:${digest(gone, String(stampOf(row)))}`,
    kind: "customer_deleted",
    occurredAt: stampOf(row),
    identifiers: [identifier(objects[object].identifier, gone)],
    properties: { event: "record_deleted", object },
  });
  return [draft];
}

/** As identifiers are spelt, and only where it is an id of that object. */
function idOf(object: MergedObject, given: unknown): string | undefined {
  if (typeof given !== "string") {
    return undefined;
  }
  const { identifier: type, prefix } = objects[object];
  const value = normaliseIdentifier({ type, value: given })?.value;
  return value?.startsWith(prefix) === true ? value : undefined;
}

function stampOf(row: Fields | undefined): number {
  // A row of the history is never changed.
  return Date.parse(String(row?.SystemModstamp ?? row?.CreatedDate));
}
