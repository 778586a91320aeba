/**
 * What HubSpot is to Baton, as data. Facts: CRM-FACTS §1 (checked October 2026); every path stands in `requests.ts`.
 *
 * Scopes are the least that work (§1.6), the same as in `app/src/app/app-hsmeta.json`. The schema scope is asked for as an
 * optional one, because HubSpot's own pages disagree about which scope lets an app create a task property and one account
 * could not grant it (§1.3): without it the install falls back to a weaker exactly-once world instead of failing.
 */
import { hearEveryMs } from "../../src/limits.ts";
import type { CrmManifest } from "../contract.ts";

export const crmManifest: CrmManifest = {
  crm: "hubspot",
  label: "HubSpot",
  api: {
    version: "2026-09",
    page: "https://developers.hubspot.com/docs/api-reference/overview",
    checked: "2026-10-31",
  },
  scopes: [
    { scope: "oauth", reason: "Connect the account and read its time zone.", required: true },
    { scope: "crm.objects.contacts.read", reason: "Find the contact a follow-up is about.", required: true },
    {
      scope: "crm.objects.contacts.write",
      reason: "Create tasks, and contacts that do not exist yet.",
      required: true,
    },
    { scope: "crm.objects.owners.read", reason: "Give each task to its owner.", required: true },
    // HubSpot asks it of every app whose card stands on a company (pages of app cards, November 2026).
    { scope: "crm.objects.companies.read", reason: "Show the card on companies.", required: false },
    {
      scope: "automation.sequences.read",
      reason: "See whether somebody is in a sequence already, before a play puts them into one.",
      required: false,
    },
    {
      scope: "automation.sequences.enrollments.write",
      reason: "Put people into the sequences that a play names.",
      required: false,
    },
    {
      scope: "crm.schemas.contacts.write",
      reason: "Create the task property that makes a repeated write harmless.",
      required: false,
    },
  ],
  /** CRM-FACTS §1.4. */
  batchMax: 100,
  /** Marketplace app, per installed account; search and association calls are outside it (CRM-FACTS §1.5). */
  budget: { requests: 110, windowMs: 10_000 },
  // CRM-FACTS §1.6: it stays the same today; whatever comes is stored.
  refreshRotates: false,
  hears: { everyMs: hearEveryMs, tasksMax: 100, sinceTasksMax: 100, requestsMax: 4 },
  // By id, then by address.
  owned: { peopleMax: 100, requestsMax: 2 },
};
