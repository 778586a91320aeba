/**
 * A batch of HubSpot's webhooks: merges of contacts become signals, everything else is not heard yet. Pure.
 *
 * HubSpot repeats whole batches, and its event ids are neither unique nor promised to stay (CRM-FACTS §1.7), so the id of a
 * signal is made of what happened to whom and when. Nothing that changes between attempts gets into a draft.
 */
import { digest } from "../../../src/crypto.ts";
import { fail, ok, quarantined, type Result } from "../../../src/failure.ts";
import { firstText, isRecord, type JsonRecord, parseBody, textOf } from "../../body.ts";
import type { Delivery, EmitterSettings, QuarantinedEvent, SignalDraft, Skipped, Translation } from "../../contract.ts";
import { draftOf, identifier } from "../../draft.ts";
import { mergeSchema } from "./schema.ts";

/** CRM-FACTS §1.7: an array of up to 100. */
const batchEventsMax = 100;
const contacts = "0-1";

type Reading =
  | { readonly arm: "draft"; readonly draft: SignalDraft }
  | { readonly arm: "skipped"; readonly reason: string }
  | { readonly arm: "quarantined"; readonly reason: string };

export function translate(delivery: Delivery, settings: EmitterSettings): Result<Translation> {
  const body = parseBody(delivery.body);
  if (!body.ok) return body;
  if (!Array.isArray(body.value)) return fail(quarantined("unknown_shape", "Expected a list of events."));
  // Kept rather than refused: HubSpot would send the same batch again for a day, and then never.
  if (body.value.length > batchEventsMax)
    return fail(quarantined("too_many_events", `A batch may have ${batchEventsMax} events.`));
  const drafts: SignalDraft[] = [];
  const skipped: Skipped[] = [];
  const kept: QuarantinedEvent[] = [];
  for (const [index, item] of body.value.entries()) {
    const reading = read(item, textOf(settings.portal_id));
    if (reading.arm === "draft") drafts.push(reading.draft);
    else if (reading.arm === "skipped") skipped.push({ index, reason: reading.reason });
    else kept.push({ index, reason: reading.reason });
  }
  return ok({ drafts, skipped, ...(kept.length === 0 ? {} : { quarantined: kept }) });
}

function read(item: unknown, portal: string | undefined): Reading {
  if (!isRecord(item)) return { arm: "quarantined", reason: "event_not_an_object" };
  // The documentation names it `eventType`, deliveries `subscriptionType` (EMITTERS §6).
  const type = firstText(item, "subscriptionType", "eventType");
  if (type === undefined) return { arm: "quarantined", reason: "bad_subscriptionType" };
  // Ids of contacts count within one account: the same number is somebody else in another.
  if (portal !== undefined && textOf(item.portalId) !== portal) return { arm: "skipped", reason: "other_portal" };
  if (type === "contact.merge") return readMerge(type, item);
  if (type !== "object.merge") return { arm: "skipped", reason: "not_heard_yet" };
  const objectType = textOf(item.objectTypeId);
  if (objectType === undefined) return { arm: "quarantined", reason: "bad_objectTypeId" };
  return objectType === contacts ? readMerge(type, item) : { arm: "skipped", reason: "not_heard_yet" };
}

function readMerge(type: string, item: JsonRecord): Reading {
  const parsed = mergeSchema.safeParse(item);
  // Names of members of the schema, never their values: this reason is logged.
  if (!parsed.success) return { arm: "quarantined", reason: `bad_${String(parsed.error.issues[0]?.path[0])}` };
  const { primaryObjectId, mergedObjectIds, newObjectId, occurredAt } = parsed.data;
  const survivor = newObjectId ?? primaryObjectId;
  const ids = [...new Set([primaryObjectId, ...mergedObjectIds, survivor])];
  if (ids.length < 2) return { arm: "quarantined", reason: "merges_nothing" };
  const draft = draftOf({
    id: `merge:${digest(type, textOf(item.portalId) ?? "", survivor, ...[...ids].sort(), String(occurredAt))}`,
    kind: "crm_records_merged",
    occurredAt,
    identifiers: ids.map((id) => identifier("hubspot_contact_id", id)),
    properties: { event: type, survivor },
  });
  return { arm: "draft", draft };
}
