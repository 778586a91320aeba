/** Which record of a CRM a card stands on, and the identifier that it is. Pure. */
import type { CrmName, Identifier } from "../model.ts";
import { normaliseIdentifier } from "../translate/normalise.ts";

export type CrmRecord =
  | { readonly of: "person"; readonly identifier: Identifier }
  /** What the card told of it: Baton knows companies by their domain, and by the name that people give. */
  | { readonly of: "company"; readonly domain: string | undefined; readonly name: string | undefined };

const types: Readonly<Record<CrmName, Readonly<Record<string, string>>>> = {
  // CRM-FACTS §1: contacts are `0-1`, companies `0-2`.
  hubspot: { "0-1": "hubspot_contact_id", "0-2": "company" },
  salesforce: { Lead: "salesforce_lead_id", Contact: "salesforce_contact_id", Account: "company" },
};

/** Undefined: not a record on which there is a card, or no id of one. */
export function recordOf(
  crm: CrmName,
  object: string,
  id: string,
  company: { readonly domain?: string | undefined; readonly name?: string | undefined },
): CrmRecord | undefined {
  const type = Object.hasOwn(types[crm], object) ? types[crm][object] : undefined;
  if (type === undefined) return undefined;
  const named = type === "company" ? { type: `${crm}_company_id`, value: id } : { type, value: id };
  const identifier = normaliseIdentifier(named);
  if (identifier === undefined) return undefined;
  if (type !== "company") return { of: "person", identifier };
  return { of: "company", domain: domainIn(company.domain), name: company.name?.trim() || undefined };
}

/** A web address, or a bare domain, as people type it into a CRM. */
function domainIn(text: string | undefined): string | undefined {
  const host = text
    ?.trim()
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, "")
    .replace(/^www\./, "")
    .split(/[/?#:]/)[0];
  return host !== undefined && /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host) ? host : undefined;
}
