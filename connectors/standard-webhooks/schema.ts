/** The envelope of the specification (spec/standard-webhooks.md, "Payload structure"). `data` is the sender's own. */
import * as z from "zod";
import { isRecord, type JsonRecord } from "../body.ts";

export const eventSchema = z.object({
  type: z.string().min(1).max(300),
  timestamp: z.union([z.string(), z.number()]).nullish(),
  data: z.custom<JsonRecord>(isRecord, "expected an object"),
});
