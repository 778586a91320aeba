/** Reasons for which no follow-up may leave, whatever the routes say (G11). Asked when deciding and again when sending. Pure. */
import type { Reason } from "../model.ts";
import { emailOf, type LeadFold } from "../resolve/lead.ts";
import type { Policy } from "./policy.ts";

export function holdOf(policy: Policy, lead: LeadFold): Reason | null {
  if (lead.consent !== null && !lead.consent.value) {
    return { code: "hold:consent", text: "This person asked not to be contacted.", signal: lead.consent.key };
  }
  const domain = emailOf(lead)?.split("@")[1] ?? lead.account?.value.domain;
  if (domain !== undefined && policy.manual_domains.includes(domain)) {
    return { code: "hold:manual", text: `The account ${domain} is handled by hand.` };
  }
  return null;
}
