/**
 * What a Flow, Apex or poller tells us of records that became one (CRM-FACTS §3). The shape is ours; docs/emitters.md has it.
 *
 * An id must belong to the object that it is said to be of: its first three characters tell (00Q, 003, 001). A Flow with two
 * fields mixed up would otherwise be believed like everything a CRM says of its own records, beyond all limits. What comes
 * out is spelt as identifiers are, in 18 characters.
 */
import * as z from "zod";
import { identifiersMax } from "../../../src/limits.ts";
import { normaliseIdentifier, normaliseInstant } from "../../../src/translate/normalise.ts";

export const objects = {
  Lead: { identifier: "salesforce_lead_id", prefix: "00Q" },
  Contact: { identifier: "salesforce_contact_id", prefix: "003" },
} as const;
export type MergedObject = keyof typeof objects;

const idOf = (type: string, prefix: string) =>
  z.string().transform((given, context) => {
    const id = normaliseIdentifier({ type, value: given });
    if (id?.value.startsWith(prefix)) return id.value;
    context.addIssue({ code: "custom", message: `expected an id of ${prefix}` });
    return z.NEVER;
  });

const leadId = idOf(objects.Lead.identifier, objects.Lead.prefix);
const contactId = idOf(objects.Contact.identifier, objects.Contact.prefix);

const instant = z.union([z.number(), z.string()]).transform((given, context) => {
  const at = normaliseInstant(given);
  if (at !== undefined) return at;
  context.addIssue({ code: "custom", message: "expected ISO 8601 or epoch milliseconds" });
  return z.NEVER;
});

export const convertedSchema = z.object({
  lead_id: leadId,
  contact_id: contactId,
  // Says nothing about who the person is, so it never becomes an identifier.
  account_id: idOf("salesforce_account_id", "001").nullish(),
  occurred_at: instant,
});

const mergedOf = (id: typeof leadId) =>
  z.object({
    master_record_id: id,
    // With the master no more than one signal may name. Salesforce merges three records at a time.
    merged_ids: z
      .array(id)
      .min(1)
      .max(identifiersMax - 1),
    occurred_at: instant,
  });

export const mergedSchemas = { Lead: mergedOf(leadId), Contact: mergedOf(contactId) } as const;
