/** typeform.com/developers/webhooks/example-payload. Answers hold no question text: they are joined by field id. */
import * as z from "zod";
import { isRecord, type JsonRecord } from "../body.ts";

const record = z.custom<JsonRecord>(isRecord, "expected an object");

export const deliverySchema = z.object({
  event_type: z.string(),
  form_response: z.object({
    form_id: z.string().min(1),
    token: z.string().min(1),
    submitted_at: z.string().nullish(),
    hidden: record.nullish(),
    calculated: record.nullish(),
    definition: z.object({ title: z.string().nullish(), fields: z.array(record).nullish() }).nullish(),
    answers: z
      .array(z.looseObject({ type: z.string(), field: z.object({ id: z.string(), ref: z.string().nullish() }) }))
      .nullish(),
  }),
});

export type FormResponse = z.output<typeof deliverySchema>["form_response"];
export type Answer = NonNullable<FormResponse["answers"]>[number];
