/** Policies that random histories are lived under: each asks decisions for something that the others do not. */
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import { memberOf } from "../../src/decide/policy/people.ts";
import type { Play } from "../../src/decide/policy/plays.ts";
import { type Policy, policySchema } from "../../src/decide/policy.ts";
import { members, policyOfRules } from "../bench/histories.ts";

/**
 * Half hours, three quarters, changes of clocks in both halves of the year, by half an hour, twice for Ramadan's sake no more, or none.
 * Not among them: places whose law changed within the last year, of which two releases of the zone data may not know the same.
 */
export const zones = [
  "UTC",
  "Africa/Cairo",
  "America/Havana",
  "America/Los_Angeles",
  "America/New_York",
  "America/Nuuk",
  "America/Santiago",
  "America/Sao_Paulo",
  "America/St_Johns",
  "Antarctica/Troll",
  "Asia/Beirut",
  "Asia/Gaza",
  "Asia/Kathmandu",
  "Asia/Tehran",
  "Australia/Lord_Howe",
  "Australia/Sydney",
  "Europe/Berlin",
  "Europe/Dublin",
  "Europe/London",
  "Pacific/Apia",
  "Pacific/Auckland",
  "Pacific/Chatham",
] as const;

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const base = defaultPolicy(members);
const [sam = "", kim = "", ola = "", max = "", eva = ""] = members;

/** JSON of each, checked at the policy's own door; a policy's version is its place in the list, from 1 on. Those of many kinds stand first. */
export function policyDocuments(): readonly string[] {
  const parts: readonly Partial<Policy>[] = [
    {},
    byConsent,
    byCompany,
    climbing,
    { ...rollingOut, one_open_per: "play" },
    byTerritory,
    policyOfRules(30),
    ...zones.flatMap((zone, index) => (index % 2 === 0 ? [inHours(zone, zones[index + 1] ?? "UTC")] : [])),
  ];
  return parts.map((part, index) => JSON.stringify(policySchema.parse({ ...base, ...part, version: index + 1 })));
}

/** In some places nothing leaves without a yes, and some accounts are handled by hand until somebody approves. */
const byConsent: Partial<Policy> = {
  holds: {
    consent: {
      regions: [
        { name: "strict", rule: "opt_in", asking_counts_days: 0, countries: ["DE", "Germany"] },
        { name: "asking", rule: "opt_in", asking_counts_days: 3, countries: ["FR", "GB"] },
        { name: "free", rule: "opt_out", asking_counts_days: 0, countries: ["US"] },
      ],
      elsewhere: { rule: "opt_in", asking_counts_days: 30 },
    },
    manual: [
      {
        name: "key account",
        when: { any_of: [{ "lead.company": { contains: "north" } }, { "lead.job_title": { is: "CEO" } }] },
        words: "A key account is called by hand.",
      },
    ],
  },
  manual_domains: ["big.example.com"],
};

/** What others at the company do counts. */
const byCompany: Partial<Policy> = {
  one_rep_per_company: true,
  escalation: {
    ...base.escalation,
    card: { enter: 20, leave: 10, sustained: { signals: 2, days: 1, within_days: 7, by: "account" } },
    task: { enter: 25, leave: 15, sustained: { signals: 3, days: 2, within_days: 14, by: "account" } },
  },
  routes: [
    {
      name: "a company is busy",
      when: { sustained: { signals: 3, days: 1, within_minutes: 60, by: "account" }, max_age_ms: 2 * day },
      play: "product interest",
    },
    ...base.routes,
  ],
};

/** Narrow rungs and a score that fades within days: leads climb up and down all the time. */
const climbing: Partial<Policy> = {
  scoring: { ...base.scoring, half_life_days: 0.7 },
  escalation: {
    watch: { enter: 3, leave: 2 },
    card: { enter: 8, leave: 6 },
    task: { enter: 12, leave: 9 },
    urgent: { enter: 30, leave: 29, sustained: { signals: 3, days: 1, within_minutes: 30 } },
    urgent_due_in_ms: 20 * minute,
  },
  plays: { ...base.plays, "product interest": { ...playOf("product interest"), cool_down_ms: 2 * hour } },
};

/** Live for some leads only, a play that nothing leaves from yet, and one that falls back to another. */
const rollingOut: Partial<Policy> = {
  plays: {
    ...base.plays,
    "speed to lead": { ...playOf("speed to lead"), live_percent: 50, cool_down_ms: hour, fallback: "trial welcome" },
    "trial welcome": { ...playOf("trial welcome"), cool_down_ms: 0 },
    "product interest": { ...playOf("product interest"), status: "shadow" },
    invitations: { ...playOf("product interest"), type: "todo", cool_down_ms: day },
    "to come": { ...playOf("product interest"), status: "draft" },
  },
  routes: [
    { name: "not yet", when: { kinds: ["page_viewed"], max_age_ms: day }, play: "to come" },
    { name: "invites", when: { kinds: ["invite_sent"], max_age_ms: day }, play: "invitations" },
    {
      name: "warm",
      when: { score_at_least: 20, kinds: ["pricing_viewed"], max_age_ms: day },
      play: "product interest",
    },
    ...base.routes,
  ],
};

const byTerritory: Partial<Policy> = {
  scoring: {
    ...base.scoring,
    fit: {
      ...base.scoring.fit,
      disposable_mail: -30,
      rules: [
        {
          name: "title",
          when: { "lead.job_title": { contains: ["vp", "chief", "ceo"] } },
          points: 15,
          words: "decides things",
        },
      ],
    },
  },
  territories: [
    { name: "north", when: { "lead.country": { is: ["DE", "GB"] } } },
    { name: "elsewhere", when: { "lead.country": { known: true } } },
  ],
  teams: {
    sales: {
      members: [
        { ...memberOf(sam), weight: 3, territories: ["north"], skills: ["german"] },
        { ...memberOf(kim), cap: 2, territories: ["elsewhere"] },
        { ...memberOf(ola), skills: ["german", "billing"] },
        memberOf(max),
      ],
      manager: eva,
    },
  },
  plays: {
    ...base.plays,
    "speed to lead": { ...playOf("speed to lead"), by_territory: true, skills: ["german"], fallback: "trial welcome" },
    "trial welcome": { ...playOf("trial welcome"), by_territory: true },
  },
};

/** Office hours here, people who live there, part-time or away, calls by the lead's own clocks, promises in open hours. */
function inHours(here: string, there: string): Partial<Policy> {
  const workdays = { mon: nine, tue: nine, wed: nine, thu: nine, fri: nine };
  return {
    sla_clock: "business",
    calendars: {
      office: {
        zone: here,
        week: { ...workdays, sat: [["00:00", "24:00"]] },
        holidays: ["2026-12-25", "2027-01-01"],
        special: { "2026-12-24": [["09:00", "12:00"]], "2026-10-25": [["01:00", "04:00"]] },
      },
      nights: { zone: there, week: { ...workdays, sun: [["00:30", "03:30"]] }, holidays: [], special: {} },
    },
    teams: {
      sales: {
        calendar: "office",
        manager: eva,
        members: [
          { ...memberOf(sam), zone: there },
          { ...memberOf(kim), week: { tue: nine, thu: [["00:00", "12:00"]] } },
          { ...memberOf(ola), away: [{ from: "2026-10-20", to: "2026-11-10", hand_over_to: max }] },
          { ...memberOf(max), calendar: "nights" },
        ],
      },
    },
    plays: {
      ...base.plays,
      "speed to lead": {
        ...playOf("speed to lead"),
        calendar: "office",
        call_window: { from: "08:30", to: "18:00" },
        fallback: "product interest",
      },
      "trial welcome": { ...playOf("trial welcome"), calendar: "nights", due_in_ms: 12 * hour },
    },
    routes: [
      {
        name: "by night",
        when: { kinds: ["demo_requested"], closed: "office", max_age_ms: 7 * day },
        play: "trial welcome",
      },
      {
        name: "by day",
        when: { kinds: ["form_submitted"], open: "office", max_age_ms: 7 * day },
        play: "speed to lead",
      },
      ...base.routes,
    ],
  };
}

const nine: [string, string][] = [
  ["09:00", "12:30"],
  ["13:30", "18:00"],
];

function playOf(name: string): Play {
  const play = base.plays[name];
  if (play === undefined) throw new Error(`the default policy has no play “${name}”`);
  return play;
}
