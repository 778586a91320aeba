import type { EmitterManifest } from "../contract.ts";

export const manifest: EmitterManifest = {
  vendor: "baton",
  label: "Baton API and CloudEvents",
  homepage: "https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md",
  authentication: "Authorization: Bearer <secret> over TLS; nothing is signed, so the secret must stay on servers.",
  keyIsProof: false,
  checked: "2026-11-22",
  settings: [
    {
      name: "secret",
      label: "Secret",
      help: "At least 32 random characters; sent as a bearer token.",
      required: true,
      sensitive: true,
    },
    {
      name: "kinds",
      label: "Event types",
      help: 'What CloudEvents types mean, e.g. {"com.acme.booked": "meeting_booked"}. Common names are understood without it.',
      required: false,
      sensitive: false,
    },
    {
      name: "id_type",
      label: "Type of the sender's ids",
      help: "What `id` of a contact, customer or lead inside a CloudEvent is called, e.g. acme_contact_id.",
      required: false,
      sensitive: false,
    },
  ],
  kinds: [],
};
