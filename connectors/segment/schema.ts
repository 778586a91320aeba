/**
 * One message of the Segment spec, in camelCase or in the older snake_case (fixtures `hull-ingest.*`). Only what we read is
 * checked, and no stricter than the real clients are: ids come as numbers, empty maps come as `[]` from PHP.
 */
import * as z from "zod";
import type { JsonRecord } from "../body.ts";

const id = z.union([z.string(), z.number()]).nullish();
const when = z.union([z.string(), z.number()]).nullish();
const bag = z
  .custom<JsonRecord>(
    (value) => value === null || (typeof value === "object" && (!Array.isArray(value) || value.length === 0)),
    "expected an object",
  )
  .optional();

export const messageSchema = z.object({
  type: z.enum(["identify", "track", "page", "screen", "group", "alias", "delete"]),
  messageId: id,
  userId: id,
  anonymousId: id,
  previousId: id,
  groupId: id,
  event: z.union([z.string(), z.number()]).nullish(),
  name: z.union([z.string(), z.number()]).nullish(),
  category: z.union([z.string(), z.number()]).nullish(),
  email: z.unknown().optional(),
  traits: bag,
  properties: bag,
  context: bag,
  timestamp: when,
  originalTimestamp: when,
  sentAt: when,
  receivedAt: when,
});

export type Message = z.output<typeof messageSchema>;

/** Old and new spelling of every member that has two. */
const spellings = [
  ["messageId", "message_id"],
  ["userId", "user_id"],
  ["anonymousId", "anonymous_id"],
  ["previousId", "previous_id"],
  ["groupId", "group_id"],
  ["originalTimestamp", "original_timestamp"],
  ["sentAt", "sent_at"],
  ["receivedAt", "received_at"],
] as const;

/** The message in today's spelling. `type` was once called `action` (segment-docs, spec/b2b-saas). */
export function modernise(raw: JsonRecord, type: string | undefined): JsonRecord {
  const modern: Record<string, unknown> = { ...raw, type: raw.type ?? type ?? raw.action };
  for (const [now, then] of spellings) modern[now] ??= raw[then];
  return modern;
}
