/**
 * The policy document: what revenue operations decides, as data. Checked here at the door, its parts by the files in `policy/`,
 * what the parts mean to each other by `policy/check.ts`; everything behind may trust it. Pure.
 */
import * as z from "zod";
import { fieldPolicySchema } from "./fields/policy.ts";
import { defaultIdentityPolicy, identityPolicySchema } from "./identity-policy.ts";
import { mistakesOf } from "./policy/check.ts";
import { defaultHolds, holds } from "./policy/holds.ts";
import { duty, exceptionReasons, exceptionRule, name, role, team, territory } from "./policy/people.ts";
import { play, route } from "./policy/plays.ts";
import { defaultEscalation, escalation, type KindRule, kind, kindRule, scoring } from "./policy/scoring.ts";
import { calendarSchema } from "./time/schema.ts";

const durationMs = z
  .int()
  .min(0)
  .max(366 * 86_400_000);

const tierRule = z.strictObject({ window_ms: durationMs, sla_ms: durationMs });

/** The shape alone; `policySchema` is the whole check. Published as JSON Schema. */
export const policyShape = z.strictObject({
  version: z.int().min(1),
  tiers: z.strictObject({ seconds: tierRule, minutes: tierRule, hours: tierRule }),
  kinds: z.record(kind, kindRule),
  /** For every kind that is not listed: no kind is ever without a rule. */
  other_kinds: kindRule,
  scoring,
  escalation: escalation.default(defaultEscalation),
  routes: z.array(route).min(1).max(500),
  plays: z.record(name, play),
  /** What the tiers' `sla_ms` count: all time, or the open hours of the play's calendar. */
  sla_clock: z.enum(["wall", "business"]).default("wall"),
  calendars: z.record(name, calendarSchema).default({}),
  teams: z.record(name, team),
  territories: z.array(territory).max(200).default([]),
  /** `lead`: one open follow-up per person, whatever the play; `play`: one per person and play. */
  one_open_per: z.enum(["lead", "play"]),
  /** Whoever has an open follow-up at a company gets the next one there too: never two reps at one company. */
  one_rep_per_company: z.boolean().default(false),
  /** People at these domains are handled by hand: the decision is held. */
  manual_domains: z.array(z.string().min(3).max(100)).max(5_000),
  holds: holds.default(defaultHolds),
  fields: fieldPolicySchema.default({}),
  roles: z.record(name, role).default({}),
  /** Who answers for what. `ready_for_follow_up`, the mark that only this engine sets, is one of the duties. */
  raci: z.record(name, duty).default({}),
  exceptions: z.partialRecord(z.enum(exceptionReasons), exceptionRule).default({}),
  /** How this document may change. */
  changes: z
    .strictObject({
      /** A second person activates what the first one wrote. */
      four_eyes: z.boolean(),
      /** No activation without a backtest of that very draft. */
      backtest_required: z.boolean(),
    })
    .default({ four_eyes: false, backtest_required: false }),
  /** Who is one person. */
  identity: identityPolicySchema.default(defaultIdentityPolicy),
});

export const policySchema = policyShape.superRefine((policy, context) => {
  // What is out of bounds or malformed is never looked at more closely: the meaning of a broken document is nothing.
  if (context.issues.length > 0) return;
  for (const { path, message } of mistakesOf(policy)) context.addIssue({ code: "custom", path: [...path], message });
});

export type Policy = z.infer<typeof policyShape>;
export type { Play, Route } from "./policy/plays.ts";
export type { KindRule } from "./policy/scoring.ts";

export function kindRuleOf(policy: Policy, kindName: string): KindRule {
  return Object.hasOwn(policy.kinds, kindName) ? (policy.kinds[kindName] ?? policy.other_kinds) : policy.other_kinds;
}
