import type { EmitterManifest } from "../contract.ts";

export const manifest: EmitterManifest = {
  vendor: "standard-webhooks",
  label: "Standard Webhooks (also Svix)",
  homepage: "https://www.standardwebhooks.com",
  authentication:
    "webhook-signature: v1, base64 HMAC-SHA256 over id.timestamp.body with the base64-decoded secret; 300 s both ways (standard-webhooks, spec/standard-webhooks.md). The asymmetric v1a is not checked.",
  keyIsProof: false,
  checked: "2026-11-22",
  settings: [
    { name: "secret", label: "Signing secret", help: "Begins with whsec_.", required: true, sensitive: true },
    {
      name: "kinds",
      label: "Event types",
      help: 'What the event types mean, e.g. {"workspace.provisioned": "signed_up"}. Common names are understood without it.',
      required: false,
      sensitive: false,
    },
    {
      name: "kind",
      label: "Kind of all other events",
      help: "product_used unless said otherwise.",
      required: false,
      sensitive: false,
    },
    {
      name: "id_type",
      label: "Type of the sender's ids",
      help: "What `id` of a contact, customer or lead is called, e.g. acme_contact_id. Without it such ids are not used.",
      required: false,
      sensitive: false,
    },
  ],
  kinds: [
    "product_used",
    "identified",
    "signed_up",
    "form_submitted",
    "demo_requested",
    "contact_requested",
    "trial_started",
    "trial_ended",
  ],
};
