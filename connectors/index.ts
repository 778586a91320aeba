/** Every vendor there is: a vendor is one folder and one line here. */
import type { CrmName } from "../src/model.ts";
import type { Crm, Emitter } from "./contract.ts";
import { hubspot } from "./hubspot/crm.ts";
import { hubspotWebhooks } from "./hubspot/emitter/emitter.ts";
import { hubspotWorkflow } from "./hubspot/workflow/emitter.ts";
import { native } from "./native/emitter.ts";
import { salesforce } from "./salesforce/crm.ts";
import { salesforceEvents } from "./salesforce/emitter/emitter.ts";
import { segment } from "./segment/emitter.ts";
import { standardWebhooks } from "./standard-webhooks/emitter.ts";
import { stripe } from "./stripe/emitter.ts";
import { typeform } from "./typeform/emitter.ts";

/* ---- what sends signals */
export const emitters: readonly Emitter[] = [
  native,
  segment,
  standardWebhooks,
  stripe,
  typeform,
  hubspotWebhooks,
  hubspotWorkflow,
  salesforceEvents,
];

export function emitterOf(vendor: string): Emitter | undefined {
  return emitters.find((emitter) => emitter.manifest.vendor === vendor);
}

/* ---- where follow-ups leave to */
export const crms: Readonly<Record<CrmName, Crm>> = { hubspot, salesforce };

export function crmOf(name: CrmName): Crm {
  return crms[name];
}
