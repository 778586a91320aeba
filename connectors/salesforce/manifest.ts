/** Data about the Salesforce connector; panels, docs and the account's budget are made from it. */
import { hearEveryMs } from "../../src/limits.ts";
import type { CrmManifest } from "../contract.ts";
import { api, rowsMax } from "./requests.ts";

export const manifest: CrmManifest = {
  crm: "salesforce",
  label: "Salesforce",
  api,
  scopes: [
    {
      scope: "api",
      reason: "Read leads, contacts, users and tasks, and write leads and tasks, over the REST API.",
      required: true,
    },
    {
      scope: "refresh_token",
      reason: "Keep working after the person who connected Salesforce has left the page.",
      required: true,
    },
  ],
  batchMax: rowsMax,
  // Enterprise Edition: 100,000 requests per rolling 24 hours and 1,000 more per user; we count on the smaller (CRM-FACTS §2.3).
  budget: { requests: 100_000, windowMs: 86_400_000 },
  // A look is one request, so 1,728 a day: under 2 % of that.
  // CRM-FACTS §2.4.
  refreshRotates: true,
  hears: { everyMs: hearEveryMs, tasksMax: 1_000, sinceTasksMax: 100_000, requestsMax: 6 },
  // People, then their companies.
  owned: { peopleMax: 100, requestsMax: 2 },
};
