/**
 * Our own signal document. Strict: an unknown member is a mistake of the sender's that nobody would notice otherwise
 * ("identifers"), so it is refused by name. Names and paths may be told; values never.
 */
import * as z from "zod";
import { kindPattern } from "../../src/limits.ts";
import { isRecord, type JsonRecord } from "../body.ts";

const record = z.custom<JsonRecord>(isRecord, "expected an object");
const text = z.string().max(320);
/** Ids come as numbers too; digits beyond 2^53 have been kept as text (body.ts). */
const id = z.union([text, z.number()]);
const short = z.string().max(500).optional();

export const signalSchema = z.strictObject({
  id: z.union([z.string().min(1).max(1_000), z.number()]).optional(),
  kind: z.string().regex(kindPattern, "expected a word like demo_requested"),
  occurred_at: z.union([z.string(), z.number()]).optional(),
  identifiers: z
    .array(z.strictObject({ type: z.string().max(40), value: id }))
    .max(50)
    .optional(),
  email: text.optional(),
  user_id: id.optional(),
  anonymous_id: id.optional(),
  phone: text.optional(),
  traits: record.optional(),
  account: z.strictObject({ domain: short, name: short }).optional(),
  attribution: record.optional(),
  consent: z
    .strictObject({
      follow_up: z.boolean().optional(),
      /** For one way of contact only; `follow_up` is about all of them. */
      purposes: z.strictObject({ call: z.boolean(), email: z.boolean(), sequence: z.boolean() }).partial().optional(),
    })
    .refine(
      (given) => given.follow_up !== undefined || Object.keys(given.purposes ?? {}).length > 0,
      "Consent to what?",
    )
    .optional(),
  properties: record.optional(),
});

export type SignalDocument = z.output<typeof signalSchema>;

/** Required attributes of CloudEvents 1.0; extensions are kept. */
export const cloudEventSchema = z.looseObject({
  specversion: z.literal("1.0"),
  id: z.string().min(1),
  source: z.string().min(1),
  type: z.string().min(1).max(300),
  time: z.string().nullish(),
  subject: z.string().nullish(),
});

export type CloudEvent = z.output<typeof cloudEventSchema>;
