/** The policy a new workspace starts with. `docs/policy.md` explains it line by line. Pure data. */
import { defaultFieldPolicy } from "./fields/policy.ts";
import { defaultIdentityPolicy } from "./identity-policy.ts";
import { defaultHolds } from "./policy/holds.ts";
import { memberOf } from "./policy/people.ts";
import type { GoLive } from "./policy/plays.ts";
import { defaultEscalation } from "./policy/scoring.ts";
import type { Policy } from "./policy.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** `members`: addresses of those who take follow-ups; the first one answers for all of it until the workspace says otherwise. */
export function defaultPolicy(members: readonly string[]): Policy {
  const first = members[0] ?? "";
  const live = (source_systems: string[], reporting_field: string): GoLive => ({
    source_systems,
    destination_system: ["hubspot", "salesforce"],
    owner: first,
    fallback_owner: members[1] ?? first,
    exception_route: "revenue_operations",
    review_path: "weekly, with those who hold the follow-ups",
    qa_checkpoint: "a synthetic signal each week: its task stands in the CRM within the tier's time",
    reporting_field,
  });
  return {
    version: 1,
    tiers: {
      seconds: { window_ms: 0, sla_ms: 15 * minute },
      minutes: { window_ms: minute, sla_ms: hour },
      hours: { window_ms: hour, sla_ms: day },
    },
    kinds: {
      demo_requested: {
        tier: "seconds",
        intent: 60,
        daily_cap: 1,
        lifecycle: "sales_ready",
        asks: true,
        words: "asked for a demo",
      },
      contact_requested: {
        tier: "seconds",
        intent: 50,
        daily_cap: 1,
        lifecycle: "sales_ready",
        asks: true,
        words: "asked to be contacted",
      },
      trial_started: {
        tier: "minutes",
        intent: 40,
        daily_cap: 1,
        lifecycle: "trial",
        asks: true,
        words: "started a trial",
      },
      signed_up: {
        tier: "minutes",
        intent: 25,
        daily_cap: 1,
        lifecycle: "lead",
        words: "signed up",
      },
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
      quote_accepted: {
        tier: "minutes",
        intent: 50,
        daily_cap: 1,
        lifecycle: "customer",
        asks: true,
        words: "accepted a quote",
      },
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
        fact: true,
        words: "cancelled the subscription",
      },
      payment_failed: {
        tier: "hours",
        intent: 0,
        daily_cap: 1,
        fact: true,
        words: "had a failed payment",
      },
      pricing_viewed: {
        tier: "hours",
        intent: 6,
        daily_cap: 3,
        lifecycle: "engaged",
        words: "looked at the pricing",
      },
      form_submitted: {
        tier: "minutes",
        intent: 10,
        daily_cap: 3,
        lifecycle: "lead",
        words: "filled in a form",
      },
      product_used: {
        tier: "hours",
        intent: 2,
        daily_cap: 5,
        lifecycle: "engaged",
        words: "used the product",
      },
      marked_ready: {
        tier: "minutes",
        intent: 15,
        daily_cap: 1,
        words: "was marked ready for follow-up by another tool",
      },
      invite_sent: { tier: "hours", intent: 8, daily_cap: 3, words: "invited a colleague" },
      page_viewed: { tier: "hours", intent: 1, daily_cap: 3, words: "visited a page" },
      identified: { tier: "hours", intent: 0, daily_cap: 1, fact: true, words: "was identified" },
      crm_records_merged: {
        tier: "hours",
        intent: 0,
        daily_cap: 1,
        fact: true,
        words: "was merged in the CRM",
      },
      crm_lead_converted: {
        tier: "hours",
        intent: 0,
        daily_cap: 1,
        fact: true,
        words: "was converted to a contact",
      },
    },
    other_kinds: { tier: "hours", intent: 0, daily_cap: 1, fact: true, words: "did something" },
    scoring: {
      half_life_days: 7,
      fit: { company_known: 10, job_title_known: 5, free_mail: -10, disposable_mail: -20, rules: [] },
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
    escalation: defaultEscalation,
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
        when: { level_at_least: "task", max_age_ms: 2 * day },
        play: "product interest",
      },
    ],
    plays: {
      "speed to lead": {
        status: "live",
        live_percent: 100,
        type: "call",
        priority: "high",
        due_in_ms: 15 * minute,
        subject: "Call {name}: {what}",
        team: "sales",
        cool_down_ms: 7 * day,
        skills: [],
        by_territory: false,
        go_live: live(["forms", "chat"], "median time to first contact"),
      },
      "trial welcome": {
        status: "live",
        live_percent: 100,
        type: "call",
        priority: "medium",
        due_in_ms: 4 * hour,
        subject: "Welcome {name}: {what}",
        team: "sales",
        cool_down_ms: 14 * day,
        skills: [],
        by_territory: false,
        go_live: live(["product", "billing"], "trials contacted within a day"),
      },
      "product interest": {
        status: "live",
        live_percent: 100,
        type: "email",
        priority: "medium",
        due_in_ms: day,
        subject: "Write to {name}: sustained interest",
        team: "sales",
        cool_down_ms: 30 * day,
        skills: [],
        by_territory: false,
        go_live: live(["product", "website"], "meetings from product interest"),
      },
    },
    sla_clock: "wall",
    calendars: {},
    teams: { sales: { members: members.map(memberOf), manager: first } },
    territories: [],
    one_open_per: "lead",
    one_rep_per_company: false,
    manual_domains: [],
    holds: defaultHolds,
    fields: defaultFieldPolicy(first),
    roles: {
      revenue_operations: { holder: first, deputy: members[1] ?? null },
    },
    raci: {
      ready_for_follow_up: {
        what: "Marking a lead ready for follow-up; this engine alone does it",
        responsible: ["revenue_operations"],
        accountable: "revenue_operations",
        consulted: [],
        informed: [],
      },
    },
    exceptions: {},
    changes: { four_eyes: false, backtest_required: false },
    identity: defaultIdentityPolicy,
  };
}
