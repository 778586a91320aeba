import type { EmitterManifest } from "../contract.ts";

export const manifest: EmitterManifest = {
  vendor: "stripe",
  label: "Stripe",
  homepage: "https://docs.stripe.com/webhooks",
  authentication:
    "Stripe-Signature: t=,v1= hex HMAC-SHA256(whole whsec_ text, t.body); v0 is ignored; at most 300 s old, a fast clock is no reason to refuse (stripe-node, src/Webhooks.ts).",
  keyIsProof: false,
  checked: "2026-11-22",
  settings: [
    {
      name: "secret",
      label: "Signing secret",
      help: "Of the webhook endpoint; begins with whsec_.",
      required: true,
      sensitive: true,
    },
    {
      name: "client_reference",
      label: "What client_reference_id holds",
      help: "anonymous_id (the default), user_id, or none if it is a cart or an order.",
      required: false,
      sensitive: false,
    },
    {
      name: "user_id_key",
      label: "Metadata with your user id",
      help: "Name of the metadata field in which you keep your own user id; user_id unless said otherwise.",
      required: false,
      sensitive: false,
    },
    {
      name: "kinds",
      label: "Event types",
      help: 'What further event types mean, e.g. {"customer.subscription.paused": "subscription_cancelled"}.',
      required: false,
      sensitive: false,
    },
  ],
  kinds: [
    ...[
      "identified",
      "customer_deleted",
      "trial_started",
      "trial_ending",
      "trial_ended",
      "subscription_started",
      "subscription_changed",
    ],
    ...[
      "subscription_cancelled",
      "checkout_completed",
      "checkout_abandoned",
      "renewal_upcoming",
      "invoice_paid",
      "payment_failed",
    ],
    ...["quote_accepted", "dispute_opened"],
  ],
};
