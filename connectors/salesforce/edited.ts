/**
 * What people, and other programs, have typed into the fields of leads and contacts that Baton has marked with its own id. Read from the
 * org's field history (Object Reference, `LeadHistory` and `ContactHistory`, checked 2026-11): each row names the field, its new value, when
 * it was and who did it, so nothing has to be compared and our own writes are left out by their author. Only fields count whose history the
 * org tracks; an org without it, or without our package, tells nothing. Pure.
 */
import { digest } from "../../src/crypto.ts";
import { normaliseIdentifier } from "../../src/translate/normalise.ts";
import type { SignalDraft } from "../contract.ts";
import { draftOf, identifier } from "../draft.ts";
import { type Fields, text } from "./answers.ts";
import { type MergedObject, objects } from "./emitter/schema.ts";
import { sameId } from "./people.ts";

/** Fields of Lead and Contact that a lead of ours keeps, as it calls them. */
export const editedFields: Readonly<Record<string, string>> = {
  Email: "email",
  FirstName: "first_name",
  LastName: "last_name",
  Phone: "phone",
  Company: "company",
  Title: "job_title",
  Website: "website",
};

/** `us`: the id of the user whose writes are ours. */
export function edited(object: MergedObject, row: Fields, us: string): readonly SignalDraft[] {
  const { identifier: type, prefix } = objects[object];
  const [id, author, value] = [text(row.Id), text(row.CreatedById), text(row.NewValue)?.trim()];
  const trait = editedFields[String(row.Field)];
  const record = normaliseIdentifier({ type, value: String(row[`${object}Id`]) })?.value;
  // What somebody takes away in Salesforce is no reason to forget what others told us.
  if (id === null || author === null || value === undefined || value === "" || trait === undefined) return [];
  if (sameId(author, us) || record?.startsWith(prefix) !== true) return [];
  const draft = draftOf({
    id: `edited:${digest(id)}`,
    kind: "identified",
    occurredAt: Date.parse(String(row.CreatedDate)),
    identifiers: [identifier(type, record), trait === "email" ? identifier("email", value) : undefined],
    traits: { [trait]: value },
    properties: { event: "field_changed", object, field: row.Field, changed_by: author },
  });
  return [draft];
}
