/** Routes and plays: what asks for a follow-up, and what the follow-up is. Pure. */
import * as z from "zod";
import { kindPattern } from "../../limits.ts";
import { callWindowSchema } from "../time/schema.ts";
import { conditionSchema } from "./condition.ts";
import { levels, sustained } from "./scoring.ts";

const name = z.string().min(1).max(80);
const words = z.string().min(1).max(200);
const durationMs = z
  .int()
  .min(0)
  .max(366 * 86_400_000);

export const route = z.strictObject({
  name,
  when: z.strictObject({
    /** One of these kinds is among the signals being decided. */
    kinds: z.array(z.string().regex(kindPattern)).min(1).max(50).optional(),
    /** The score has reached this. */
    score_at_least: z.int().min(0).max(10_000).optional(),
    /** The lead has climbed to this level (see `escalation`), and no follow-up of this episode was made yet. */
    level_at_least: z.enum(levels).optional(),
    sustained: sustained.optional(),
    /** Name of one of `calendars`, which must be open (or closed) at the moment of deciding. */
    open: name.optional(),
    closed: name.optional(),
    where: conditionSchema.optional(),
    /** Triggers older than this lead to nothing: a backfill makes no calls about last year. */
    max_age_ms: durationMs.default(7 * 86_400_000),
  }),
  play: name,
});
export type Route = z.infer<typeof route>;

/** What a play must name before it may go live (PLAYBOOK). Its triggers are its routes; its audit trail is the history of decisions. */
export const goLive = z.strictObject({
  source_systems: z.array(name).min(1).max(50),
  destination_system: z.array(z.enum(["hubspot", "salesforce"])).min(1),
  owner: z.email(),
  /** Takes the follow-up where nobody else can. */
  fallback_owner: z.email(),
  /** Role that gets the play's exceptions. */
  exception_route: name,
  /** Where and how often somebody looks at it: "weekly with the SDR managers". */
  review_path: words,
  qa_checkpoint: words,
  /** Field of the CRM, or of a report, that shows its result. */
  reporting_field: words,
});
export type GoLive = z.infer<typeof goLive>;

/** By which plays call an outlet. */
export const outletName = z.string().regex(/^[a-z][a-z0-9-]{1,39}$/);

/** What else is done in each CRM once the play's task stands there. */
const sequenceStep = z
  .strictObject({
    /** A HubSpot sequence by its id. */
    hubspot: z.strictObject({ sequence: z.string().regex(/^\d{1,20}$/), sender: z.email().optional() }).optional(),
    /** A Salesforce cadence by its id, or its name. */
    salesforce: z.strictObject({ sequence: words, sender: z.email().optional() }).optional(),
  })
  .refine(
    (step) => step.hubspot !== undefined || step.salesforce !== undefined,
    "Name a sequence of at least one CRM.",
  );

export const play = z.strictObject({
  /** `draft`: its routes are passed over. `shadow`: decided and recorded, nothing is written. */
  status: z.enum(["draft", "shadow", "live"]).default("live"),
  /** Percent of leads for which it is live; for the others it is a shadow. */
  live_percent: z.int().min(0).max(100).default(100),
  type: z.enum(["call", "email", "todo"]),
  priority: z.enum(["low", "medium", "high"]),
  /** Due so long after Baton accepted the signal; in open hours where `calendar` names some. */
  due_in_ms: durationMs,
  calendar: name.optional(),
  /** For calls: not before and not after these hours where the lead lives, on weekdays. */
  call_window: callWindowSchema.optional(),
  subject: words,
  team: name,
  /** Only members who have all of these. */
  skills: z.array(name).max(10).default([]),
  /** Only members of the lead's territory. */
  by_territory: z.boolean().default(false),
  /** After a follow-up of this play was closed, no new one for so long. */
  cool_down_ms: durationMs,
  /** Play that is tried instead where this one finds nobody to take it. */
  fallback: name.optional(),
  /** Outlets that are told, by name: a Slack channel, a webhook. Nobody else is. */
  notify: z.array(outletName).max(5).optional(),
  /** Sequence or cadence that the person is put into, in the holder's name or the `sender`'s. */
  sequence: sequenceStep.optional(),
  go_live: goLive.optional(),
});
export type Play = z.infer<typeof play>;
