/** docs.stripe.com/api/events/object. `data.object` is whatever the event is about and differs between API versions. */
import * as z from "zod";
import { isRecord, type JsonRecord } from "../body.ts";

const record = z.custom<JsonRecord>(isRecord, "expected an object");

export const eventSchema = z.object({
  object: z.literal("event"),
  id: z.string().min(1),
  type: z.string().min(1),
  created: z.number(),
  livemode: z.boolean().nullish(),
  api_version: z.string().nullish(),
  data: z.object({ object: record, previous_attributes: record.nullish() }),
});

export type StripeEvent = z.output<typeof eventSchema>;
