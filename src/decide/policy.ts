/**
 * The policy document: what revenue operations decides, as data. Checked here at the door; everything behind may trust it.
 * Pure.
 */
import * as z from "zod";
import { kindPattern } from "../limits.ts";
import { defaultIdentityPolicy, identityPolicySchema } from "./identity-policy.ts";

const tier = z.enum(["seconds", "minutes", "hours"]);
const durationMs = z
  .int()
  .min(0)
  .max(366 * 86_400_000);
const kind = z.string().regex(kindPattern);

const kindRule = z.strictObject({
  /** How soon a lead is decided after this kind of signal. */
  tier,
  /** Points of intent per signal, before decay. */
  intent: z.int().min(0).max(1000).default(0),
  /** At most so many signals of this kind count per day: one noisy product does not drown the rest. */
  daily_cap: z.int().min(1).max(1000).default(10),
  /** Moves the lead to this state, if it is a step forward. */
  lifecycle: z.enum(["subscriber", "lead", "engaged", "trial", "sales_ready", "customer", "churned"]).optional(),
  /** What a seller reads: "asked for a demo". */
  words: z.string().min(1).max(120),
});

const route = z.strictObject({
  name: z.string().min(1).max(80),
  when: z.strictObject({
    /** One of these kinds is among the signals being decided. */
    kinds: z.array(kind).min(1).max(50).optional(),
    /** The score has reached this. */
    score_at_least: z.int().min(0).max(10_000).optional(),
    /** Sustained intent: so many signals that give points, on so many different days, within the last `within_days`. */
    sustained: z
      .strictObject({
        signals: z.int().min(1).max(10_000),
        days: z.int().min(1).max(90),
        within_days: z.int().min(1).max(180),
      })
      .optional(),
    /** Triggers older than this lead to nothing: a backfill makes no calls about last year. */
    max_age_ms: durationMs.default(7 * 86_400_000),
  }),
  play: z.string().min(1).max(80),
});

const play = z.strictObject({
  type: z.enum(["call", "email", "todo"]),
  priority: z.enum(["low", "medium", "high"]),
  /** Due so long after Baton accepted the signal. */
  due_in_ms: durationMs,
  subject: z.string().min(1).max(200),
  team: z.string().min(1).max(80),
  /** After a follow-up of this play was closed, no new one for so long. */
  cool_down_ms: durationMs,
});

const team = z.strictObject({
  members: z.array(z.email()).min(1).max(500),
});

export const policySchema = z
  .strictObject({
    version: z.int().min(1),
    tiers: z.strictObject({
      seconds: z.strictObject({ window_ms: durationMs, sla_ms: durationMs }),
      minutes: z.strictObject({ window_ms: durationMs, sla_ms: durationMs }),
      hours: z.strictObject({ window_ms: durationMs, sla_ms: durationMs }),
    }),
    kinds: z.record(kind, kindRule),
    /** For every kind that is not listed: no kind is ever without a rule. */
    other_kinds: kindRule,
    scoring: z.strictObject({
      half_life_days: z.number().positive().max(365),
      fit: z.strictObject({
        company_known: z.int().min(-100).max(100),
        job_title_known: z.int().min(-100).max(100),
        free_mail: z.int().min(-100).max(100),
      }),
      free_mail_domains: z.array(z.string().min(3).max(100)).max(5_000),
    }),
    routes: z.array(route).min(1).max(200),
    plays: z.record(z.string().min(1).max(80), play),
    teams: z.record(z.string().min(1).max(80), team),
    /** `lead`: one open follow-up per person, whatever the play; `play`: one per person and play. */
    one_open_per: z.enum(["lead", "play"]),
    /** People at these domains are handled by hand: the decision is held. */
    manual_domains: z.array(z.string().min(3).max(100)).max(5_000),
    /** Who is one person. Documents from before this section existed mean its defaults. */
    identity: identityPolicySchema.default(defaultIdentityPolicy),
  })
  .superRefine((policy, context) => {
    for (const [index, item] of policy.routes.entries()) {
      if (!(item.play in policy.plays)) {
        context.addIssue({
          code: "custom",
          path: ["routes", index, "play"],
          message: `There is no play named "${item.play}".`,
        });
      }
      const { kinds, score_at_least, sustained } = item.when;
      if (kinds === undefined && score_at_least === undefined && sustained === undefined) {
        context.addIssue({
          code: "custom",
          path: ["routes", index, "when"],
          message: "A route needs a condition: it would match everything.",
        });
      }
    }
    for (const [name, item] of Object.entries(policy.plays)) {
      if (!(item.team in policy.teams)) {
        context.addIssue({
          code: "custom",
          path: ["plays", name, "team"],
          message: `There is no team named "${item.team}".`,
        });
      }
    }
  });

export type Policy = z.infer<typeof policySchema>;
export type KindRule = z.infer<typeof kindRule>;
export type Route = z.infer<typeof route>;
export type Play = z.infer<typeof play>;

export function kindRuleOf(policy: Policy, name: string): KindRule {
  return Object.hasOwn(policy.kinds, name) ? (policy.kinds[name] ?? policy.other_kinds) : policy.other_kinds;
}
