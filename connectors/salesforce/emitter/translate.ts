/**
 * `lead_converted` and `records_merged`, one or a list. Pure.
 *
 * The sender has no event ids, and a poller reads the same rows again where its windows overlap (CRM-FACTS §2.7), so the id
 * of a signal is made of all that it says.
 */
import { digest } from "../../../src/crypto.ts";
import { fail, ok, quarantined, type Result } from "../../../src/failure.ts";
import { isRecord, type JsonRecord, parseBody, textOf } from "../../body.ts";
import type { Delivery, EmitterSettings, QuarantinedEvent, SignalDraft, Translation } from "../../contract.ts";
import { draftOf, identifier, one } from "../../draft.ts";
import { convertedSchema, type MergedObject, mergedSchemas, objects } from "./schema.ts";

/** As many rows as a trigger or a scheduled Flow takes in one go. */
const eventsMax = 200;

/** A reason is a word for the log: names of members, never their values. */
type Reading = Result<SignalDraft, string>;

export function translate(delivery: Delivery, _settings: EmitterSettings): Result<Translation> {
  const body = parseBody(delivery.body);
  if (!body.ok) return body;
  if (!Array.isArray(body.value)) {
    const reading = read(body.value);
    return reading.ok ? ok(one(reading.value)) : fail(quarantined(reading.failure));
  }
  // Kept rather than refused: a Flow does not send a second time.
  if (body.value.length > eventsMax)
    return fail(quarantined("too_many_events", `A list may have ${eventsMax} events.`));
  const drafts: SignalDraft[] = [];
  const kept: QuarantinedEvent[] = [];
  for (const [index, item] of body.value.entries()) {
    const reading = read(item);
    if (reading.ok) drafts.push(reading.value);
    else kept.push({ index, reason: reading.failure });
  }
  return ok({ drafts, skipped: [], ...(kept.length === 0 ? {} : { quarantined: kept }) });
}

function read(item: unknown): Reading {
  if (!isRecord(item)) return fail("event_not_an_object");
  switch (textOf(item.type)) {
    case undefined:
      return fail("bad_type");
    case "lead_converted":
      return converted(item);
    case "records_merged":
      return merged(item);
    default:
      return fail("unknown_event_type");
  }
}

function converted(item: JsonRecord): Reading {
  const parsed = convertedSchema.safeParse(item);
  if (!parsed.success) return fail(badMember(parsed.error.issues[0]));
  const { lead_id, contact_id, account_id, occurred_at } = parsed.data;
  return ok(
    draftOf({
      id: `converted:${digest(lead_id, contact_id, account_id ?? "", String(occurred_at))}`,
      kind: "crm_lead_converted",
      occurredAt: occurred_at,
      identifiers: [identifier(objects.Contact.identifier, contact_id), identifier(objects.Lead.identifier, lead_id)],
      properties: { event: "lead_converted", ...(account_id == null ? {} : { account_id }) },
    }),
  );
}

function merged(item: JsonRecord): Reading {
  const object = textOf(item.object);
  if (!isMergedObject(object)) return fail("bad_object");
  const parsed = mergedSchemas[object].safeParse(item);
  if (!parsed.success) return fail(badMember(parsed.error.issues[0]));
  const { master_record_id, merged_ids, occurred_at } = parsed.data;
  const ids = [...new Set([master_record_id, ...merged_ids])];
  if (ids.length < 2) return fail("merges_nothing");
  return ok(
    draftOf({
      id: `merged:${digest(master_record_id, ...[...ids].sort(), String(occurred_at))}`,
      kind: "crm_records_merged",
      occurredAt: occurred_at,
      identifiers: ids.map((id) => identifier(objects[object].identifier, id)),
      properties: { event: "records_merged", object, survivor: master_record_id },
    }),
  );
}

function isMergedObject(text: string | undefined): text is MergedObject {
  return text !== undefined && Object.hasOwn(objects, text);
}

function badMember(issue: { readonly path: readonly PropertyKey[] } | undefined): string {
  return `bad_${String(issue?.path[0])}`;
}
