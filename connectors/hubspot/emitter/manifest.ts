import type { EmitterManifest } from "../../contract.ts";

export const manifest: EmitterManifest = {
  vendor: "hubspot",
  label: "HubSpot webhooks",
  homepage: "https://developers.hubspot.com/changelog/new-subscription-types-for-webhooks",
  authentication:
    "X-HubSpot-Signature-v3: base64 HMAC-SHA256(client secret, method + address + body + X-HubSpot-Request-Timestamp in ms); 300 s either way (CRM-FACTS §1.8). The older signatures without a time are not believed.",
  keyIsProof: false,
  checked: "2026-11-22",
  settings: [
    {
      name: "secret",
      label: "Client secret",
      help: "Of the HubSpot app whose webhooks come here.",
      required: true,
      sensitive: true,
    },
    {
      name: "portal_id",
      label: "HubSpot account",
      help: "Number of the HubSpot account (Hub ID). An app sends the events of all accounts that installed it to one address: those of others are then passed over.",
      required: false,
      sensitive: false,
    },
  ],
  kinds: ["crm_records_merged", "customer_deleted", "erasure_requested", "identified"],
};
