/**
 * The native API: one signal document, a list or NDJSON of them, or CloudEvents 1.0 (structured, batch, binary). Pure.
 *
 * A document of our own that is wrong is `refused` with the place of the mistake: its sender reads the answer. A CloudEvent
 * is a vendor's delivery and is `quarantined` instead, as every verified shape we do not know.
 */
import { type Failure, fail, ok, type Result, refused } from "../../src/failure.ts";
import { ndjsonBytesMax, ndjsonLinesMax } from "../../src/limits.ts";
import { normaliseInstant } from "../../src/translate/normalise.ts";
import { arrivalOfFields } from "../attribution.ts";
import { isRecord, type JsonRecord, parseBody, parseText, recordOf, textOf } from "../body.ts";
import type { Delivery, EmitterSettings, QuarantinedEvent, SignalDraft, Translation } from "../contract.ts";
import { draftOf, identifier, one } from "../draft.ts";
import { spokenKind } from "../kinds.ts";
import { binaryEvent, draftOfCloudEvent, isCloudEvent } from "./cloudevents.ts";
import { signalSchema } from "./schema.ts";

export function translate(delivery: Delivery, settings: EmitterSettings): Result<Translation> {
  const mediaType = (delivery.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (delivery.headers["ce-specversion"] !== undefined && !mediaType.startsWith("application/cloudevents")) {
    const event = binaryEvent(delivery, mediaType);
    return event.ok ? single(draftOfCloudEvent(event.value, settings)) : event;
  }
  if (mediaType === "application/x-ndjson" || mediaType === "application/jsonl")
    return translateLines(delivery.body, settings);
  const body = parseBody(delivery.body);
  if (!body.ok) return body;
  return Array.isArray(body.value) ? ok(listOf(body.value, settings)) : single(draftOfItem(body.value, settings));
}

function single(draft: Result<SignalDraft>): Result<Translation> {
  return draft.ok ? ok(one(draft.value)) : draft;
}

function draftOfItem(item: unknown, settings: EmitterSettings): Result<SignalDraft> {
  if (!isRecord(item)) return fail(refused("invalid_signal", "Expected an object."));
  return isCloudEvent(item) ? draftOfCloudEvent(item, settings) : draftOfDocument(item);
}

function listOf(items: readonly unknown[], settings: EmitterSettings): Translation {
  return gather(items.map((item) => draftOfItem(item, settings)));
}

function translateLines(body: Uint8Array, settings: EmitterSettings): Result<Translation> {
  if (body.byteLength > ndjsonBytesMax)
    return fail(refused("body_too_large", `A file may have ${ndjsonBytesMax} bytes.`));
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    return fail(refused("body_not_utf8", "The body is not UTF-8."));
  }
  const lines = text.split(/\r?\n/);
  if (lines.length > ndjsonLinesMax + 1)
    return fail(refused("too_many_lines", `A file may have ${ndjsonLinesMax} lines.`));
  // Empty lines keep their number, so that `index` is the line that a person looks at.
  return ok(
    gather(
      lines.map((line) => {
        if (line.trim() === "") return undefined;
        const parsed = parseText(line);
        return parsed.ok ? draftOfItem(parsed.value, settings) : parsed;
      }),
    ),
  );
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

function gather(results: readonly (Result<SignalDraft> | undefined)[]): Translation {
  const drafts: SignalDraft[] = [];
  const kept: QuarantinedEvent[] = [];
  for (const [index, result] of results.entries()) {
    if (result === undefined) continue;
    if (result.ok) drafts.push(result.value);
    else kept.push({ index, reason: reasonOf(result.failure) });
  }
  return { drafts, skipped: [], ...(kept.length === 0 ? {} : { quarantined: kept }) };
}

/** The mistake in a document of ours goes with the word, so that its sender can find it; a vendor's needs the word only. */
function reasonOf(failure: Failure): string {
  return failure.arm === "refused" && failure.detail !== undefined
    ? `${failure.reason}: ${failure.detail}`
    : failure.reason;
}

export function draftOfDocument(document: JsonRecord): Result<SignalDraft> {
  // "Demo Requested" and the like are meant well; a word that is no common name stays the customer's own.
  const known = typeof document.kind === "string" ? spokenKind(document.kind) : undefined;
  const parsed = signalSchema.safeParse(known === undefined ? document : { ...document, kind: known });
  if (!parsed.success) return fail(refused("invalid_signal", placeOf(parsed.error.issues[0])));
  const signal = parsed.data;
  const occurredAt = normaliseInstant(signal.occurred_at);
  if (signal.occurred_at !== undefined && occurredAt === undefined) {
    return fail(refused("invalid_signal", "occurred_at: expected ISO 8601 or epoch milliseconds"));
  }
  const arrival = arrivalOfFields(recordOf(signal.attribution));
  const draft = draftOf({
    id: textOf(signal.id),
    kind: signal.kind,
    occurredAt,
    identifiers: [
      ...(signal.identifiers ?? []).map((item) => identifier(item.type, textOf(item.value))),
      identifier("user_id", textOf(signal.user_id)),
      identifier("email", textOf(signal.email)),
      identifier("phone", textOf(signal.phone)),
      identifier("anonymous_id", textOf(signal.anonymous_id)),
      ...arrival.identifiers,
    ],
    ...(signal.traits === undefined ? {} : { traits: signal.traits }),
    account: {
      ...(signal.account?.name === undefined ? {} : { name: signal.account.name }),
      ...(signal.account?.domain === undefined ? {} : { domain: signal.account.domain }),
    },
    attribution: arrival.attribution,
    consent: signal.consent,
    ...(signal.properties === undefined ? {} : { properties: signal.properties }),
  });
  if (draft.identifiers.length > 0) return ok(draft);
  return fail(refused("names_nobody", "identifiers, email, user_id, anonymous_id or phone is needed"));
}

interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[] | undefined;
}

/** `identifiers.0.type: …`. Unknown members are named only when they are short words: a name could be an address, too. */
function placeOf(issue: Issue | undefined): string {
  if (issue === undefined) return "unknown shape";
  if (issue.code === "unrecognized_keys") {
    const names = (issue.keys ?? []).filter((name) => /^[A-Za-z_]{1,40}$/.test(name)).slice(0, 5);
    return names.length === 0 ? "unknown members" : `unknown members: ${names.join(", ")}`;
  }
  return `${issue.path.map(String).join(".")}: ${issue.message}`;
}
