import type { EmitterManifest } from "../../contract.ts";

export const manifest: EmitterManifest = {
  vendor: "hubspot-workflow",
  label: "HubSpot workflows (Hand to Baton)",
  homepage: "https://developers.hubspot.com/docs/apps/developer-platform/add-features/custom-workflow-actions",
  authentication:
    "X-HubSpot-Signature-v3, as HubSpot's webhooks (CRM-FACTS §1.8): it comes with every request to an OAuth app. The version 2 that HubSpot's pages name for workflow actions signs no time and is not believed.",
  keyIsProof: false,
  checked: "2026-11-23",
  settings: [
    {
      name: "secret",
      label: "Client secret",
      help: "Of the HubSpot app whose workflow action comes here.",
      required: true,
      sensitive: true,
    },
    {
      name: "portal_id",
      label: "HubSpot account",
      help: "Number of the HubSpot account (Hub ID). An app sends the executions of all accounts that installed it to one address: those of others are then passed over.",
      required: false,
      sensitive: false,
    },
  ],
  /** What the action offers in HubSpot (`../app/src/app/workflow-actions`); nothing else is believed of it. */
  kinds: [
    "demo_requested",
    "contact_requested",
    "meeting_booked",
    "form_submitted",
    "webinar_registered",
    "content_downloaded",
    "pricing_viewed",
    "trial_started",
    "marked_ready",
  ],
};
