/**
 * A batch of HubSpot's webhooks: what became of contacts (merged, edited, deleted, restored) becomes signals; a deletion for
 * privacy is an order to erase. Everything else is not heard. Pure.
 *
 * Our own writes come back as events (CRM-FACTS §1.7): those that name our app as their source say nothing. How HubSpot spells an app
 * as a source is not published, so both stand in the properties of each signal, where they can be read at first sight.
 *
 * HubSpot repeats whole batches, and its event ids are neither unique nor promised to stay (CRM-FACTS §1.7), so the id of a
 * signal is made of what happened to whom and when. Nothing that changes between attempts gets into a draft.
 */
import { digest } from "../../../src/crypto.ts";
import { fail, ok, quarantined, type Result } from "../../../src/failure.ts";
import { firstText, isRecord, type JsonRecord, parseBody, textOf } from "../../body.ts";
import type { Delivery, EmitterSettings, QuarantinedEvent, SignalDraft, Skipped, Translation } from "../../contract.ts";
import { draftOf, identifier } from "../../draft.ts";
import { type ChangeEvent, changeSchema, mergeSchema } from "./schema.ts";

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
  const [about = "", what = ""] = type.split(".");
  if (!heard.has(what)) return { arm: "skipped", reason: "not_heard_yet" };
  if (about === "object") {
    const objectType = textOf(item.objectTypeId);
    if (objectType === undefined) return { arm: "quarantined", reason: "bad_objectTypeId" };
    if (objectType !== contacts) return { arm: "skipped", reason: "not_heard_yet" };
  } else if (about !== "contact") return { arm: "skipped", reason: "not_heard_yet" };
  return what === "merge" ? readMerge(type, item) : readChange(type, what, item);
}

function readChange(type: string, what: string, item: JsonRecord): Reading {
  const parsed = changeSchema.safeParse(item);
  if (!parsed.success) return { arm: "quarantined", reason: `bad_${String(parsed.error.issues[0]?.path[0])}` };
  const { objectId, occurredAt, appId, changeSource, sourceId } = parsed.data;
  const record = { crm: "hubspot", ids: [objectId] } as const;
  const key = [textOf(item.portalId) ?? "", objectId, String(occurredAt)];
  const source = {
    ...(changeSource === undefined ? {} : { change_source: changeSource }),
    ...(sourceId === undefined ? {} : { source_id: sourceId }),
  };
  if (isOwn(appId, sourceId)) return { arm: "skipped", reason: "own_echo" };
  const base = { occurredAt, identifiers: [identifier("hubspot_contact_id", objectId)] };
  const of = (name: string, parts: Pick<SignalDraft, "kind" | "properties" | "traits">, ...more: string[]): Reading => {
    const properties = { event: type, ...parts.properties, ...source };
    const draft = draftOf({ ...base, ...parts, id: `${name}:${digest(type, ...key, ...more)}`, properties });
    return { arm: "draft", draft: { ...draft, record } };
  };
  switch (what) {
    case "privacyDeletion": {
      const reading = of("erase", { kind: "erasure_requested" });
      return reading.arm === "draft" ? { arm: "draft", draft: { ...reading.draft, erases: true } } : reading;
    }
    case "deletion":
      return of("deleted", { kind: "customer_deleted" });
    case "restore":
      // It says nothing of consent: what was withdrawn stays so until the person says otherwise.
      return of("restored", { kind: "identified" });
    default:
      return readProperty(parsed.data, of);
  }
}

function readProperty(
  { propertyName, propertyValue, isSensitive, objectId }: ChangeEvent,
  of: (name: string, parts: Pick<SignalDraft, "kind" | "properties" | "traits">, ...more: string[]) => Reading,
): Reading {
  if (propertyName === undefined || propertyValue === undefined)
    return { arm: "quarantined", reason: "bad_propertyName" };
  if (isSensitive === true || propertyValue === "REDACTED") return { arm: "skipped", reason: "sensitive" };
  const trait = traits.get(propertyName);
  if (trait === undefined && !facts.has(propertyName)) return { arm: "skipped", reason: "property_not_kept" };
  // What a person takes away in HubSpot is no reason to forget what somebody told us.
  if (propertyValue.trim() === "") return { arm: "skipped", reason: "property_emptied" };
  const parts =
    trait === undefined ? { properties: { [propertyName]: propertyValue } } : { traits: { [trait]: propertyValue } };
  const reading = of("changed", { kind: "identified", ...parts }, propertyName, propertyValue);
  if (propertyName !== "email" || reading.arm !== "draft") return reading;
  const identifiers = [identifier("hubspot_contact_id", objectId), identifier("email", propertyValue)];
  return { arm: "draft", draft: { ...reading.draft, identifiers: identifiers.filter((item) => item !== undefined) } };
}

/** `sourceId` is our app's id, alone or behind a word. */
function isOwn(appId: string | undefined, sourceId: string | undefined): boolean {
  return appId !== undefined && sourceId !== undefined && (sourceId === appId || sourceId.endsWith(`:${appId}`));
}

const heard = new Set(["merge", "propertyChange", "deletion", "privacyDeletion", "restore"]);
/** Properties of contacts that a lead keeps. */
const traits: ReadonlyMap<string, string> = new Map([
  ["email", "email"],
  ["firstname", "first_name"],
  ["lastname", "last_name"],
  ["phone", "phone"],
  ["company", "company"],
  ["jobtitle", "job_title"],
  ["website", "website"],
]);
/** Kept with the signal, for policies to read. */
const facts = new Set(["hubspot_owner_id", "lifecyclestage", "hs_lead_status"]);

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
  return { arm: "draft", draft: { ...draft, record: { crm: "hubspot", ids } } };
}
