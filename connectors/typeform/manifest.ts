import type { EmitterManifest } from "../contract.ts";

export const manifest: EmitterManifest = {
  vendor: "typeform",
  label: "Typeform",
  homepage: "https://www.typeform.com/developers/webhooks/",
  authentication:
    "Typeform-Signature: sha256=<base64 HMAC-SHA256(secret, body)>, sent only when the webhook has a secret; no timestamp, so a replay is caught by the response's token.",
  keyIsProof: false,
  checked: "2026-11-22",
  settings: [
    {
      name: "secret",
      label: "Secret",
      help: "The secret of the form's webhook (Connect > Webhooks > Edit).",
      required: true,
      sensitive: true,
    },
    {
      name: "kind",
      label: "What a submission means",
      help: "form_submitted unless said otherwise, e.g. demo_requested.",
      required: false,
      sensitive: false,
    },
    {
      name: "kinds",
      label: "What single forms mean",
      help: 'By form id, e.g. {"lT4Z3j": "demo_requested"}; goes before the kind above.',
      required: false,
      sensitive: false,
    },
    {
      name: "consent_field",
      label: "Consent question",
      help: "Ref or id of a yes/no or legal question that asks whether we may contact the person.",
      required: false,
      sensitive: false,
    },
    {
      name: "region",
      label: "Country of phone numbers",
      help: "Two letters, e.g. DE, for numbers typed without a country code.",
      required: false,
      sensitive: false,
    },
  ],
  kinds: [
    "form_submitted",
    "demo_requested",
    "contact_requested",
    "signed_up",
    "content_downloaded",
    "webinar_registered",
  ],
};
