/** `{type, timestamp, data}` → one draft. The id is that of the message: it is the same at every try. Pure. */
import { fail, ok, quarantined, type Result } from "../../src/failure.ts";
import { normaliseInstant } from "../../src/translate/normalise.ts";
import { parseObject, textOf } from "../body.ts";
import type { Delivery, EmitterSettings, Translation } from "../contract.ts";
import { draftOf, one } from "../draft.ts";
import { kindOf } from "../kinds.ts";
import { personIn } from "../person.ts";
import { eventSchema } from "./schema.ts";
import { messageId } from "./verify.ts";

export function translate(delivery: Delivery, settings: EmitterSettings): Result<Translation> {
  const body = parseObject(delivery.body);
  if (!body.ok) return body;
  const parsed = eventSchema.safeParse(body.value);
  if (!parsed.success) return fail(quarantined("unknown_shape", "Expected type, timestamp and an object named data."));
  const event = parsed.data;
  const facts = personIn(event.data, textOf(settings.id_type));
  const draft = draftOf({
    id: messageId(delivery),
    kind: kindOf(event.type, settings, textOf(settings.kind)),
    occurredAt: normaliseInstant(event.timestamp),
    ...facts,
    properties: { ...facts.properties, event: event.type },
  });
  return draft.identifiers.length === 0
    ? fail(quarantined("names_nobody", "Nothing in data names a person."))
    : ok(one(draft));
}
