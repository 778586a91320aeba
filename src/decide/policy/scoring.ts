/** Points, levels, and what counts as sustained. Pure. */
import * as z from "zod";
import { kindPattern } from "../../limits.ts";
import { conditionSchema } from "./condition.ts";

const tier = z.enum(["seconds", "minutes", "hours"]);
const points = z.int().min(-1_000).max(1_000);
const domain = z.string().min(3).max(100);

export const kind = z.string().regex(kindPattern);

export const kindRule = z
  .strictObject({
    /** How soon a lead is decided after this kind of signal. */
    tier,
    /** Points of intent per signal, before decay. */
    intent: z.int().min(0).max(1000).default(0),
    /** Learning may move `intent` between these and no further; absent = it may not move it. */
    intent_bounds: z.tuple([z.int().min(0).max(1000), z.int().min(0).max(1000)]).optional(),
    /** At most so many signals of this kind count per day: one noisy product does not drown the rest. */
    daily_cap: z.int().min(1).max(1000).default(10),
    /** Moves the lead to this state, if it is a step forward. */
    lifecycle: z.enum(["subscriber", "lead", "engaged", "trial", "sales_ready", "customer", "churned"]).optional(),
    /** Asking to be contacted is consent to being contacted, where the region's rule lets it count. */
    asks: z.boolean().optional(),
    /** Only recorded: rightly without points and without a route. */
    fact: z.boolean().optional(),
    /** What a seller reads: "asked for a demo". */
    words: z.string().min(1).max(120),
  })
  .superRefine(({ intent, intent_bounds }, context) => {
    if (intent_bounds === undefined) return;
    if (intent_bounds[0] <= intent && intent <= intent_bounds[1]) return;
    context.addIssue({ code: "custom", path: ["intent_bounds"], message: "The points lie outside their own bounds." });
  });
export type KindRule = z.infer<typeof kindRule>;

/** So many signals that give points, on so many different days within the last `within_days`; or within `within_minutes`. */
export const sustained = z
  .strictObject({
    signals: z.int().min(1).max(10_000),
    days: z.int().min(1).max(90).default(1),
    within_days: z.int().min(1).max(180).optional(),
    /** A burst: so many signals within any such time of the last six hours. */
    within_minutes: z.int().min(10).max(360).optional(),
    /** Whose signals count: this lead's, or those of everybody at the company. */
    by: z.enum(["lead", "account"]).optional(),
  })
  .superRefine(({ days, within_days, within_minutes }, context) => {
    if ((within_days === undefined) === (within_minutes === undefined)) {
      context.addIssue({ code: "custom", message: "Say either within_days or within_minutes." });
    } else if (within_days !== undefined && days > within_days) {
      context.addIssue({
        code: "custom",
        path: ["days"],
        message: "There are not so many different days within that time.",
      });
    }
  });
export type Sustained = z.infer<typeof sustained>;

export const scoring = z.strictObject({
  half_life_days: z.number().positive().max(365),
  fit: z.strictObject({
    company_known: points,
    job_title_known: points,
    free_mail: points,
    /** A throw-away address (`identity.disposable_domains`). */
    disposable_mail: points.default(0),
    /** Further points, each rule once. */
    rules: z
      .array(
        z.strictObject({
          name: z.string().min(1).max(80),
          when: conditionSchema,
          points,
          words: z.string().min(1).max(120),
        }),
      )
      .max(100)
      .default([]),
  }),
  free_mail_domains: z.array(domain).max(5_000),
});

/** Rungs of the ladder, lowest first. */
export const levels = ["watch", "card", "task", "urgent"] as const;
export type Level = "none" | (typeof levels)[number];

const rung = z
  .strictObject({
    /** The score at which a lead climbs here, and the lower one at which it climbs down again. */
    enter: z.int().min(0).max(10_000),
    leave: z.int().min(0).max(10_000),
    /** Needed besides the score to climb here, not to stay. */
    sustained: sustained.optional(),
  })
  .refine(
    ({ enter, leave }) => leave <= enter,
    "A lead would leave this level as soon as it came: `leave` is above `enter`.",
  );

export const escalation = z
  .strictObject({
    watch: rung,
    card: rung,
    task: rung,
    urgent: rung,
    /** A follow-up of a lead that is `urgent` is due so long after it became so at the latest, has high priority, and the team's manager knows. */
    urgent_due_in_ms: z
      .int()
      .min(0)
      .max(30 * 86_400_000),
  })
  .superRefine((ladder, context) => {
    for (const [index, upper] of levels.entries()) {
      const lower = levels[index - 1];
      if (lower !== undefined && ladder[upper].enter < ladder[lower].enter)
        context.addIssue({
          code: "custom",
          path: [upper, "enter"],
          message: `"${upper}" is above "${lower}" and must not be easier to reach.`,
        });
    }
  });
export type Escalation = z.infer<typeof escalation>;

export const defaultEscalation: Escalation = {
  watch: { enter: 10, leave: 5 },
  card: { enter: 25, leave: 15 },
  task: { enter: 40, leave: 25, sustained: { signals: 8, days: 2, within_days: 7 } },
  urgent: { enter: 90, leave: 60, sustained: { signals: 12, days: 3, within_days: 7 } },
  urgent_due_in_ms: 2 * 3_600_000,
};
