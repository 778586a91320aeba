/** Who does the work, who answers for it, and who hears of what goes wrong: teams, territories, roles, RACI, exceptions. Pure. */
import * as z from "zod";
import { memberTimeSchema } from "../time/schema.ts";
import { conditionSchema } from "./condition.ts";

export const name = z.string().min(1).max(80);
const durationMs = z
  .int()
  .min(0)
  .max(366 * 86_400_000);

const memberShape = z.strictObject({
  ...memberTimeSchema.shape,
  address: z.email(),
  /** Turns relative to the others: 2 gets twice as many follow-ups as 1. */
  weight: z.int().min(1).max(100).default(1),
  /** Open follow-ups that this person has at most; null = no bound. An owner of the record is not bound by it. */
  cap: z.int().min(1).max(10_000).nullable().default(null),
  skills: z.array(name).max(50).default([]),
  /** Names of `territories`; none = any. */
  territories: z.array(name).max(100).default([]),
});
export type Member = z.infer<typeof memberShape>;

/** An address alone is a member without limits, always there. */
export const member = z.union([z.email().transform((address): Member => memberOf(address)), memberShape]);

export function memberOf(address: string): Member {
  return { address, weight: 1, cap: null, skills: [], territories: [], away: [] };
}

export const team = z.strictObject({
  members: z.array(member).min(1).max(500),
  /** Name of one of `calendars`: the hours of whoever has none of their own. */
  calendar: name.optional(),
  /** Told of urgent follow-ups, and takes what nobody else can. */
  manager: z.email().optional(),
});
export type Team = z.infer<typeof team>;

/** First territory, in this order, whose condition holds is the lead's. */
export const territory = z.strictObject({ name, when: conditionSchema });

export const role = z.strictObject({
  holder: z.email().nullable(),
  /** Takes the place of a holder who is away, and of nobody at all within a day. */
  deputy: z.email().nullable().default(null),
});
export type Role = z.infer<typeof role>;

/** Names of `roles`. One is accountable; that is the point. */
export const duty = z.strictObject({
  what: z.string().min(1).max(200),
  responsible: z.array(name).min(1).max(10),
  accountable: name,
  consulted: z.array(name).max(10).default([]),
  informed: z.array(name).max(10).default([]),
});
export type Duty = z.infer<typeof duty>;

/** Why a person must look at something. */
export const exceptionReasons = [
  "held",
  "no_owner",
  "no_crm_connected",
  "crm_refused",
  "outlet_refused",
  "link_conflict",
  "likely_duplicate",
  "field_conflict",
  "field_report",
  "contract_break",
  "not_canonical",
  "overdue",
] as const;
export type ExceptionReason = (typeof exceptionReasons)[number];

export const exceptionRule = z.strictObject({
  /** Role that has to act. */
  owner: name,
  /** From raising it to its deadline. */
  due_in_ms: durationMs,
  /** Roles it climbs to, one after the other, each given `due_in_ms` again. */
  escalate_to: z.array(name).max(5).default([]),
});
export type ExceptionRule = z.infer<typeof exceptionRule>;
