/**
 * CloudEvents 1.0 over HTTP: structured and batch carry the attributes in the JSON, binary in `ce-` headers
 * (cloudevents/bindings/http-protocol-binding.md §3.1). `source` and `id` together name the event. Pure.
 */
import { fail, ok, quarantined, type Result } from "../../src/failure.ts";
import { normaliseInstant } from "../../src/translate/normalise.ts";
import { isRecord, type JsonRecord, parseBody, parseText, textOf } from "../body.ts";
import type { Delivery, EmitterSettings, SignalDraft } from "../contract.ts";
import { draftOf, emailIn, identifier } from "../draft.ts";
import { kindOf } from "../kinds.ts";
import { personIn } from "../person.ts";
import { cloudEventSchema } from "./schema.ts";

export function isCloudEvent(item: JsonRecord): boolean {
  return item.specversion !== undefined && item.source !== undefined && item.type !== undefined;
}

/** The event of a binary-mode request in its structured form. */
export function binaryEvent(delivery: Delivery, mediaType: string): Result<JsonRecord> {
  const event: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(delivery.headers)) {
    if (name.startsWith("ce-") && name !== "ce-data") event[name.slice(3)] = percentDecoded(value);
  }
  if (delivery.body.byteLength === 0) return ok(event);
  if (mediaType !== "" && !isJson(mediaType)) return ok({ ...event, datacontenttype: mediaType, data_base64: "" });
  const data = parseBody(delivery.body);
  return data.ok ? ok({ ...event, data: data.value }) : data;
}

/** Printable ASCII only travels in headers; the rest is percent-encoded UTF-8, and a quoted value loses its quotes. */
function percentDecoded(value: string): string {
  const bare = /^"(.*)"$/s.exec(value)?.[1]?.replaceAll(/\\(.)/g, "$1") ?? value;
  try {
    return decodeURIComponent(bare).toWellFormed();
  } catch {
    return bare;
  }
}

function isJson(mediaType: string): boolean {
  return mediaType === "application/json" || mediaType === "text/json" || mediaType.endsWith("+json");
}

export function draftOfCloudEvent(item: JsonRecord, settings: EmitterSettings): Result<SignalDraft> {
  const parsed = cloudEventSchema.safeParse(item);
  if (!parsed.success) return fail(quarantined("bad_cloudevent", "specversion 1.0, id, source and type are required."));
  const event = parsed.data;
  const data = dataOf(event);
  if (!data.ok) return data;
  const facts = personIn(data.value, textOf(settings.id_type));
  const { kind, occurred_at: occurredAt, ...others } = facts.properties;
  const subject = textOf(event.subject);
  const draft = draftOf({
    // A source is a URI reference: it holds no space, so the two cannot run into each other.
    id: `${event.source} ${event.id}`,
    kind: kindOf(textOf(kind) ?? event.type, settings),
    occurredAt: normaliseInstant(event.time) ?? normaliseInstant(occurredAt),
    ...facts,
    identifiers: [...facts.identifiers, identifier("email", emailIn(subject))],
    properties: { ...others, event: event.type, ...(subject === undefined ? {} : { subject }) },
  });
  return draft.identifiers.length === 0
    ? fail(quarantined("names_nobody", "Nothing in data names a person."))
    : ok(draft);
}

/** `data` is the object itself, or its JSON text under a JSON `datacontenttype`, in plain or in base64. */
function dataOf(event: JsonRecord): Result<JsonRecord> {
  if (event.data_base64 === undefined) {
    if (isRecord(event.data)) return ok(event.data);
    return event.data === undefined || event.data === null ? ok({}) : fail(quarantined("data_not_an_object"));
  }
  const type = textOf(event.datacontenttype)?.split(";")[0]?.trim().toLowerCase() ?? "application/json";
  if (!isJson(type) || typeof event.data_base64 !== "string")
    return fail(quarantined("data_not_json", "Only JSON data can be read."));
  const parsed = parseText(Buffer.from(event.data_base64, "base64").toString("utf8"));
  if (!parsed.ok) return fail(quarantined("data_not_json", "Only JSON data can be read."));
  return isRecord(parsed.value) ? ok(parsed.value) : fail(quarantined("data_not_an_object"));
}
