/**
 * A merge as HubSpot's webhooks tell it (CRM-FACTS §1.7, §3). Ids are numbers, and text where JavaScript cannot hold them;
 * what comes out is spelt as identifiers are. `newObjectId` stands where the merge minted a new record.
 */
import * as z from "zod";
import { identifiersMax } from "../../../src/limits.ts";
import { normaliseIdentifier, normaliseInstant } from "../../../src/translate/normalise.ts";

export const contactId = z.union([z.number(), z.string()]).transform((given, context) => {
  const id = normaliseIdentifier({ type: "hubspot_contact_id", value: String(given) });
  if (id !== undefined) return id.value;
  context.addIssue({ code: "custom", message: "expected the id of a contact" });
  return z.NEVER;
});

export const instant = z.union([z.number(), z.string()]).transform((given, context) => {
  const at = normaliseInstant(given);
  if (at !== undefined) return at;
  context.addIssue({ code: "custom", message: "expected epoch milliseconds" });
  return z.NEVER;
});

const word = z
  .union([z.number(), z.string()])
  .transform((given) => String(given).slice(0, 200))
  .optional();

/** Anything else that became of one contact. */
export const changeSchema = z.object({
  objectId: contactId,
  occurredAt: instant,
  appId: word,
  changeSource: word,
  sourceId: word,
  propertyName: z.string().max(100).optional(),
  propertyValue: z.string().max(65_536).optional(),
  isSensitive: z.boolean().optional(),
});
export type ChangeEvent = z.infer<typeof changeSchema>;

export const mergeSchema = z.object({
  primaryObjectId: contactId,
  // With the other two no more than one signal may name: the survivor must not be the one that is left out.
  mergedObjectIds: z
    .array(contactId)
    .min(1)
    .max(identifiersMax - 2),
  newObjectId: contactId.nullish(),
  occurredAt: instant,
});
