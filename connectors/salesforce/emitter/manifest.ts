import type { EmitterManifest } from "../../contract.ts";

export const manifest: EmitterManifest = {
  vendor: "salesforce",
  label: "Salesforce (Flow, Apex or poller)",
  homepage:
    "https://help.salesforce.com/apex/HTViewHelpDoc?id=platform.flow_http_callout_guidelines_authenticating.htm",
  authentication:
    "Authorization: Bearer <secret> over TLS; nothing is signed, for neither Flow nor Apex callouts sign by themselves. The secret belongs into an external credential.",
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
  ],
  kinds: ["crm_lead_converted", "crm_records_merged"],
};
