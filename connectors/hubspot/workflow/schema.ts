/**
 * One execution of our workflow action, as HubSpot posts it (custom-action-reference; the fields are those of
 * `../app/src/app/workflow-actions`). A field that nobody filled in is absent, null or empty; a date property is epoch ms as text.
 */
import * as z from "zod";
import { contactId, instant } from "../emitter/schema.ts";
import { manifest } from "./manifest.ts";

/** Null, too, where nobody filled it in. */
function perhaps<Field extends z.ZodType>(field: Field) {
  return z.union([z.literal("").transform(() => null), field]).nullish();
}

export const executionSchema = z.object({
  /** One per execution, the same in every repetition; says account and enrolment. */
  callbackId: z.string().min(1).max(200),
  object: z.object({ objectId: contactId, objectType: z.literal("CONTACT") }),
  context: z.object({ workflowId: z.union([z.number(), z.string()]).optional() }).optional(),
  inputFields: z.object({
    kind: z.enum(manifest.kinds),
    reason: perhaps(z.string().max(2_000)),
    happened_at: perhaps(instant),
  }),
});
