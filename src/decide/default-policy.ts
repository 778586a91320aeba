/** The policy a new workspace starts with. `docs/policy.md` explains it line by line. Pure data. */
import { defaultIdentityPolicy } from "./identity-policy.ts";
import type { Policy } from "./policy.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

export function defaultPolicy(members: readonly string[]): Policy {
  return {
    version: 1,
    tiers: {
      seconds: { window_ms: 0, sla_ms: 5 * minute },
      minutes: { window_ms: minute, sla_ms: hour },
      hours: { window_ms: hour, sla_ms: day },
    },
    kinds: {
      demo_requested: {
        tier: "seconds",
        intent: 60,
        daily_cap: 1,
        lifecycle: "sales_ready",
        words: "asked for a demo",
      },
      contact_requested: {
        tier: "seconds",
        intent: 50,
        daily_cap: 1,
        lifecycle: "sales_ready",
        words: "asked to be contacted",
      },
      trial_started: { tier: "minutes", intent: 40, daily_cap: 1, lifecycle: "trial", words: "started a trial" },
      signed_up: { tier: "minutes", intent: 25, daily_cap: 1, lifecycle: "lead", words: "signed up" },
      trial_ending: {
        tier: "minutes",
        intent: 20,
        daily_cap: 1,
        lifecycle: "trial",
        words: "has a trial that is about to end",
      },
      checkout_completed: {
        tier: "minutes",
        intent: 30,
        daily_cap: 2,
        lifecycle: "customer",
        words: "completed a checkout",
      },
      quote_accepted: { tier: "minutes", intent: 50, daily_cap: 1, lifecycle: "customer", words: "accepted a quote" },
      subscription_started: {
        tier: "hours",
        intent: 10,
        daily_cap: 1,
        lifecycle: "customer",
        words: "started a subscription",
      },
      subscription_cancelled: {
        tier: "hours",
        intent: 0,
        daily_cap: 1,
        lifecycle: "churned",
        words: "cancelled the subscription",
      },
      payment_failed: { tier: "hours", intent: 0, daily_cap: 1, words: "had a failed payment" },
      pricing_viewed: { tier: "hours", intent: 6, daily_cap: 3, lifecycle: "engaged", words: "looked at the pricing" },
      form_submitted: { tier: "minutes", intent: 10, daily_cap: 3, lifecycle: "lead", words: "filled in a form" },
      product_used: { tier: "hours", intent: 2, daily_cap: 5, lifecycle: "engaged", words: "used the product" },
      invite_sent: { tier: "hours", intent: 8, daily_cap: 3, words: "invited a colleague" },
      page_viewed: { tier: "hours", intent: 1, daily_cap: 3, words: "visited a page" },
      identified: { tier: "hours", intent: 0, daily_cap: 1, words: "was identified" },
      crm_records_merged: { tier: "hours", intent: 0, daily_cap: 1, words: "was merged in the CRM" },
      crm_lead_converted: { tier: "hours", intent: 0, daily_cap: 1, words: "was converted to a contact" },
    },
    other_kinds: { tier: "hours", intent: 0, daily_cap: 1, words: "did something" },
    scoring: {
      half_life_days: 7,
      fit: { company_known: 10, job_title_known: 5, free_mail: -10 },
      free_mail_domains: [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "yahoo.com",
        "icloud.com",
        "proton.me",
        "gmx.de",
        "web.de",
      ],
    },
    routes: [
      {
        name: "asked for us",
        when: { kinds: ["demo_requested", "contact_requested"], max_age_ms: 7 * day },
        play: "speed to lead",
      },
      {
        name: "trial begins",
        when: { kinds: ["trial_started", "quote_accepted"], max_age_ms: 7 * day },
        play: "trial welcome",
      },
      {
        name: "sustained product interest",
        when: { score_at_least: 40, sustained: { signals: 8, days: 2, within_days: 7 }, max_age_ms: 2 * day },
        play: "product interest",
      },
    ],
    plays: {
      "speed to lead": {
        type: "call",
        priority: "high",
        due_in_ms: 15 * minute,
        subject: "Call {name}: {what}",
        team: "sales",
        cool_down_ms: 7 * day,
      },
      "trial welcome": {
        type: "call",
        priority: "medium",
        due_in_ms: 4 * hour,
        subject: "Welcome {name}: {what}",
        team: "sales",
        cool_down_ms: 14 * day,
      },
      "product interest": {
        type: "email",
        priority: "medium",
        due_in_ms: day,
        subject: "Write to {name}: sustained interest",
        team: "sales",
        cool_down_ms: 30 * day,
      },
    },
    teams: { sales: { members: [...members] } },
    one_open_per: "lead",
    manual_domains: [],
    identity: defaultIdentityPolicy,
  };
}
