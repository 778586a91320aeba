/** Reasons for which nothing leaves, whatever the routes say: consent by region and purpose, accounts handled by hand. Pure. */
import * as z from "zod";
import { conditionSchema } from "./condition.ts";

const country = z.string().min(2).max(60);

const consentRule = z.strictObject({
  /** `opt_in`: nothing leaves without a yes. `opt_out`: anything may, until a no. */
  rule: z.enum(["opt_in", "opt_out"]),
  /** For how many days a signal of a kind with `asks` (a demo request) counts as a yes; 0 = it never does. */
  asking_counts_days: z.int().min(0).max(3650),
});

export const holds = z.strictObject({
  consent: z.strictObject({
    /** The first region that the lead's country is in; compared without case, so list the spellings that your tools send. */
    regions: z
      .array(consentRule.extend({ name: z.string().min(1).max(40), countries: z.array(country).min(1).max(300) }))
      .max(50),
    /** Everybody else, and leads whose country is not known. */
    elsewhere: consentRule,
  }),
  /** Handled by hand: the decision is held until somebody approves it. */
  manual: z
    .array(
      z.strictObject({ name: z.string().min(1).max(80), when: conditionSchema, words: z.string().min(1).max(200) }),
    )
    .max(100),
});
export type Holds = z.infer<typeof holds>;

export const defaultHolds: Holds = {
  consent: { regions: [], elsewhere: { rule: "opt_out", asking_counts_days: 30 } },
  manual: [],
};
