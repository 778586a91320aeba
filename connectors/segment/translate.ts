/**
 * Segment's tracking API and everything that speaks it: one message, or a batch. Pure.
 *
 * One message fails alone: in a batch it goes to `quarantined` and the others live.
 */
import { digest } from "../../src/crypto.ts";
import { fail, ok, quarantined, type Result, refused } from "../../src/failure.ts";
import { normaliseInstant } from "../../src/translate/normalise.ts";
import { isRecord, type JsonRecord, parseBody, textOf } from "../body.ts";
import type { Delivery, EmitterSettings, QuarantinedEvent, SignalDraft, Skipped, Translation } from "../contract.ts";
import { one, skip } from "../draft.ts";
import { draftOfMessage } from "./message.ts";
import { type Message, messageSchema, modernise } from "./schema.ts";

/** segment-docs, http-api "Max request size": 32 KB a message, 500 KB a batch; 2,500 events a batch (EMITTERS §3). */
const messageBytesMax = 32 * 1024;
const batchBytesMax = 500 * 1024;
const batchEventsMax = 2_500;
/** What Segment forwards to a webhook has grown by what Segment added to it. */
const forwardedBytesMax = 2 * messageBytesMax;

type Reading =
  | { readonly arm: "draft"; readonly draft: SignalDraft }
  | { readonly arm: "skipped"; readonly reason: string }
  | { readonly arm: "quarantined"; readonly reason: string };

export function translate(delivery: Delivery, settings: EmitterSettings): Result<Translation> {
  if (delivery.body.byteLength > batchBytesMax) {
    return fail(refused("batch_too_large", "A batch may have 500 KB."));
  }
  const body = parseBody(delivery.body);
  if (!body.ok) return body;
  // The webhook action of Segment sends a bare list.
  if (Array.isArray(body.value)) return translateBatch({}, body.value, delivery, settings, false);
  if (!isRecord(body.value)) return fail(quarantined("not_an_object", "The body is neither an object nor a list."));
  const method = methodOf(delivery.url);
  if (Array.isArray(body.value.batch))
    return translateBatch(body.value, body.value.batch, delivery, settings, method === "import");
  if (method === "batch" || method === "import")
    return fail(quarantined("batch_missing", "A batch call needs a list named batch."));

  const forwarded = body.value.receivedAt !== undefined || body.value.received_at !== undefined;
  if (delivery.body.byteLength > (forwarded ? forwardedBytesMax : messageBytesMax)) {
    return fail(refused("message_too_large", "One message may have 32 KB."));
  }
  const reading = read(
    body.value,
    { type: method, receivedAt: delivery.receivedAt, sentAt: undefined, asIs: false },
    settings,
  );
  if (reading.arm === "draft") return ok(one(reading.draft));
  return reading.arm === "skipped" ? ok(skip(reading.reason)) : fail(quarantined(reading.reason));
}

function translateBatch(
  body: JsonRecord,
  batch: readonly unknown[],
  delivery: Delivery,
  settings: EmitterSettings,
  asIs: boolean,
): Result<Translation> {
  if (batch.length > batchEventsMax) return fail(refused("too_many_events", "A batch may have 2,500 events."));
  const drafts: SignalDraft[] = [];
  const skipped: Skipped[] = [];
  const kept: QuarantinedEvent[] = [];
  const sentAt = body.sentAt ?? body.sent_at;
  const mayBeTooLarge = delivery.body.byteLength > messageBytesMax;
  for (const [index, item] of batch.entries()) {
    const reading: Reading =
      mayBeTooLarge && isTooLarge(item)
        ? { arm: "quarantined", reason: "message_too_large" }
        : read(
            withContext(item, body.context),
            { type: undefined, receivedAt: delivery.receivedAt, sentAt, asIs },
            settings,
          );
    if (reading.arm === "draft") drafts.push(reading.draft);
    else if (reading.arm === "skipped") skipped.push({ index, reason: reading.reason });
    else kept.push({ index, reason: reading.reason });
  }
  return ok({ drafts, skipped, ...(kept.length === 0 ? {} : { quarantined: kept }) });
}

function isTooLarge(item: unknown): boolean {
  const text = JSON.stringify(item);
  return text.length * 3 > messageBytesMax && Buffer.byteLength(text) > messageBytesMax;
}

/** The batch's context holds for every message; what the message says itself goes before it. */
function withContext(item: unknown, shared: unknown): unknown {
  if (!isRecord(item) || !isRecord(shared)) return item;
  return { ...item, context: isRecord(item.context) ? { ...shared, ...item.context } : shared };
}

interface Envelope {
  readonly type: string | undefined;
  readonly receivedAt: number;
  readonly sentAt: unknown;
  /** Historical import: the time is what the sender says. */
  readonly asIs: boolean;
}

function read(raw: unknown, envelope: Envelope, settings: EmitterSettings): Reading {
  if (!isRecord(raw)) return { arm: "quarantined", reason: "message_not_an_object" };
  const parsed = messageSchema.safeParse(modernise(raw, envelope.type));
  if (!parsed.success) {
    // Names of members of the schema, never their values: this reason is logged.
    const member = parsed.error.issues[0]?.path[0];
    return { arm: "quarantined", reason: `bad_${typeof member === "string" ? member : "message"}` };
  }
  const message = parsed.data;
  if (message.type === "track" && textOf(message.event) === undefined)
    return { arm: "quarantined", reason: "bad_event" };
  const occurredAt = instantOf(message, envelope);
  const draft = draftOfMessage(message, occurredAt, settings);
  if (draft.identifiers.length === 0) {
    return message.type === "group"
      ? { arm: "skipped", reason: "account_without_person" }
      : { arm: "quarantined", reason: "names_nobody" };
  }
  if (draft.id === undefined && occurredAt !== undefined)
    return { arm: "draft", draft: { ...draft, id: contentId(raw) } };
  return { arm: "draft", draft };
}

/**
 * A device's clock may be wrong, but its differences are right: timestamp = receivedAt - (sentAt - originalTimestamp)
 * (segment-docs, spec/common). A message with `receivedAt` has been corrected by whoever forwards it, and a `timestamp`
 * beside an `originalTimestamp` was set on purpose (RudderStack): both are taken as they are.
 */
function instantOf(message: Message, envelope: Envelope): number | undefined {
  const timestamp = normaliseInstant(message.timestamp);
  const original = normaliseInstant(message.originalTimestamp);
  if (
    timestamp !== undefined &&
    (envelope.asIs || original !== undefined || normaliseInstant(message.receivedAt) !== undefined)
  )
    return timestamp;
  const claimed = original ?? timestamp;
  const sentAt = normaliseInstant(message.sentAt) ?? normaliseInstant(envelope.sentAt);
  return claimed === undefined || sentAt === undefined || envelope.asIs
    ? claimed
    : envelope.receivedAt - (sentAt - claimed);
}

/**
 * For a sender without message ids. The corrected time differs from try to try, so the content that never changes is
 * hashed: the message as sent, without the times of sending. Without a time of its own a repeated message could as well be
 * a second event; such a draft gets no id here.
 */
function contentId(raw: JsonRecord): string {
  const { sentAt: _, sent_at: __, receivedAt: ___, received_at: ____, ...content } = raw;
  return `content:${digest(JSON.stringify(content))}`;
}

const methods: Readonly<Record<string, string>> = {
  ...{
    track: "track",
    t: "track",
    identify: "identify",
    i: "identify",
    page: "page",
    p: "page",
    screen: "screen",
    s: "screen",
  },
  ...{ group: "group", g: "group", alias: "alias", a: "alias", batch: "batch", b: "batch", import: "import" },
};

function methodOf(url: string): string | undefined {
  const word = /\/v1\/([a-z]+)\/?(?:[?#]|$)/i.exec(url)?.[1]?.toLowerCase();
  return word !== undefined && Object.hasOwn(methods, word) ? methods[word] : undefined;
}
