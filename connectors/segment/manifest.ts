import type { EmitterManifest } from "../contract.ts";

export const manifest: EmitterManifest = {
  vendor: "segment",
  label: "Segment, RudderStack or Jitsu",
  homepage: "https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/",
  authentication:
    "The write key (user name of Basic authentication, or part of the address) is the only proof. A Segment webhook destination with a shared secret also signs: X-Signature, hex HMAC-SHA1 of the body (segment-docs, destinations/catalog/webhooks).",
  keyIsProof: true,
  checked: "2026-11-22",
  settings: [
    {
      name: "secret",
      label: "Shared secret",
      help: "Only for a Segment webhook destination: the shared secret from its settings. Unsigned deliveries are then refused.",
      required: false,
      sensitive: true,
    },
    {
      name: "kinds",
      label: "Events",
      help: 'What your event or page names mean, e.g. {"Booked Walkthrough": "demo_requested"}. Common names are understood without it.',
      required: false,
      sensitive: false,
    },
    {
      name: "previous_id_type",
      label: "Previous id of alias",
      help: "anonymous_id (the default) if alias ties visitors to users; user_id if your alias calls rename users.",
      required: false,
      sensitive: false,
    },
    {
      name: "consent_category",
      label: "Consent category",
      help: "Category of context.consent.categoryPreferences that covers being contacted, e.g. Marketing. Refused there = no follow-up.",
      required: false,
      sensitive: false,
    },
  ],
  kinds: [
    ...[
      "identified",
      "account_identified",
      "aliased",
      "page_viewed",
      "pricing_viewed",
      "demo_requested",
      "contact_requested",
    ],
    ...[
      "form_submitted",
      "signed_up",
      "trial_started",
      "trial_ending",
      "trial_ended",
      "product_used",
      "invite_sent",
      "erasure_requested",
    ],
  ],
};
