/**
 * An execution of "Hand to Baton": what a workflow says that a contact did becomes a signal about that contact. Pure.
 *
 * HubSpot sends an execution again when it was not answered, with the same `callbackId`: that is the id of the signal.
 */
import { fail, ok, quarantined, type Result } from "../../../src/failure.ts";
import { isRecord, parseObject, textOf } from "../../body.ts";
import type { Delivery, EmitterSettings, Translation } from "../../contract.ts";
import { draftOf, identifier, one, skip } from "../../draft.ts";
import { executionSchema } from "./schema.ts";

export function translate(delivery: Delivery, settings: EmitterSettings): Result<Translation> {
  const body = parseObject(delivery.body);
  if (!body.ok) return body;
  const portal = textOf(settings.portal_id);
  const origin = isRecord(body.value.origin) ? textOf(body.value.origin.portalId) : undefined;
  // Ids of contacts count within one account: the same number is somebody else in another.
  if (portal !== undefined && origin !== portal) return ok(skip("other_portal"));
  const parsed = executionSchema.safeParse(body.value);
  // Names of members of the schema, never their values: this reason is logged.
  if (!parsed.success) return fail(quarantined(`bad_${parsed.error.issues[0]?.path.map(String).join("_")}`));
  const { callbackId, object, context, inputFields } = parsed.data;
  const workflow = textOf(context?.workflowId);
  const { kind, reason, happened_at } = inputFields;
  const draft = draftOf({
    id: `workflow:${callbackId}`,
    kind,
    occurredAt: happened_at ?? undefined,
    identifiers: [identifier("hubspot_contact_id", object.objectId)],
    properties: {
      event: "Hand to Baton",
      ...(reason == null ? {} : { reason }),
      ...(workflow === undefined ? {} : { workflow }),
    },
  });
  return ok(one(draft));
}
