/** Every vendor there is: a vendor is one folder and one line here. */
import type { CrmName, OutletType, TargetName } from "../src/model.ts";
import type { Crm, Destination, Emitter } from "./contract.ts";
import { hubspot } from "./hubspot/crm.ts";
import { hubspotWebhooks } from "./hubspot/emitter/emitter.ts";
import { hubspotWorkflow } from "./hubspot/workflow/emitter.ts";
import { native } from "./native/emitter.ts";
import { salesforce } from "./salesforce/crm.ts";
import { salesforceEvents } from "./salesforce/emitter/emitter.ts";
import { segment } from "./segment/emitter.ts";
import { slack } from "./slack/outlet.ts";
import { standardWebhooks } from "./standard-webhooks/emitter.ts";
import { stripe } from "./stripe/emitter.ts";
import { typeform } from "./typeform/emitter.ts";
import { webhook } from "./webhook/outlet.ts";

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

/* ---- who is told of them */
export const outlets: Readonly<Record<OutletType, Destination>> = { slack, webhook };

export function crmOf(name: CrmName): Crm {
  return crms[name];
}

export function destinationOf(name: TargetName): Destination {
  return name === "slack" || name === "webhook" ? outlets[name] : crms[name];
}
