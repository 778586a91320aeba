/**
 * Who a document without a schema of its own speaks about: for senders of our own API, CloudEvents and Standard Webhooks,
 * whose `data` is whatever the sender made of it. Only names that can mean one thing are believed; a bare `id` is taken
 * when the settings say what it is. Pure.
 */
import type { AccountRef, Attribution, Consent, Identifier, Purpose } from "../src/model.ts";
import { arrivalOf, arrivalOfFields, clickIds } from "./attribution.ts";
import { firstText, isRecord, type JsonRecord, recordOf, textOf } from "./body.ts";
import { accountOf, emailIn, identifier } from "./draft.ts";

export interface PersonFacts {
  readonly identifiers: readonly (Identifier | undefined)[];
  readonly traits: Readonly<Record<string, unknown>>;
  readonly account: AccountRef;
  readonly attribution: Attribution;
  readonly consent: Consent | undefined;
  /** What is neither of these. */
  readonly properties: Readonly<Record<string, unknown>>;
}

const people = ["user", "customer", "contact", "lead", "person", "profile"] as const;
const ownTypes = [
  "external_id",
  "hubspot_contact_id",
  "salesforce_lead_id",
  "salesforce_contact_id",
  "stripe_customer_id",
  ...clickIds,
] as const;
const traitNames = [
  ...["name", "full_name", "fullName", "first_name", "firstName", "firstname", "last_name", "lastName", "lastname"],
  ...[
    "job_title",
    "jobTitle",
    "title",
    "company",
    "company_name",
    "companyName",
    "website",
    "country",
    "time_zone",
    "timezone",
  ],
] as const;
/** Read below; not repeated as properties. */
const consumed: ReadonlySet<string> = new Set([
  ...people,
  ...[
    "identifiers",
    "traits",
    "attribution",
    "utm",
    "account",
    "consent",
    "properties",
    "page_url",
    "url",
    "referrer",
    "landing_page",
  ],
  ...[
    "email",
    "email_address",
    "emailAddress",
    "user_id",
    "userId",
    "anonymous_id",
    "anonymousId",
    "phone",
    "phone_number",
    "phoneNumber",
    "unsubscribed",
  ],
  ...["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"],
  ...ownTypes,
  ...traitNames,
]);

/** `idType`: what the sender's own `id` of a person is, e.g. `acme_contact_id`; without it a bare id is not believed. */
export function personIn(data: JsonRecord, idType?: string): PersonFacts {
  const nested = people.find((name) => isRecord(data[name]));
  const person = nested === undefined ? undefined : recordOf(data[nested]);
  const places = person === undefined ? [data] : [person, data];
  const identifiers: (Identifier | undefined)[] = [...listed(data.identifiers)];
  for (const place of places) identifiers.push(...named(place));
  // `data.user.id` is the product's user id by its very name; any other id only means something inside its own system.
  if (nested === "user") identifiers.push(identifier("user_id", textOf(person?.id)));
  else if (idType !== undefined) identifiers.push(identifier(idType, textOf((person ?? data).id)));

  const fields = arrivalOfFields({ ...data, ...recordOf(data.utm), ...recordOf(data.attribution) });
  const page = arrivalOf(firstText(data, "page_url", "url"));
  identifiers.push(...fields.identifiers, ...page.identifiers);
  return {
    identifiers,
    traits: { ...traitsIn(data), ...(person === undefined ? {} : traitsIn(person)) },
    account: accountIn(data, person),
    attribution: { ...page.attribution, ...fields.attribution },
    consent: consentIn(data) ?? (person === undefined ? undefined : consentIn(person)),
    properties: { ...rest(data), ...recordOf(data.properties) },
  };
}

function listed(given: unknown): (Identifier | undefined)[] {
  if (!Array.isArray(given)) return [];
  return given.slice(0, 50).map((item: unknown) => {
    const type = isRecord(item) ? textOf(item.type) : undefined;
    return type === undefined || !isRecord(item) ? undefined : identifier(type, textOf(item.value));
  });
}

function named(place: JsonRecord): (Identifier | undefined)[] {
  const userId = firstText(place, "user_id", "userId");
  return [
    ...ownTypes.map((type) => identifier(type, firstText(place, type))),
    identifier("user_id", userId),
    identifier("email", firstText(place, "email", "email_address", "emailAddress") ?? emailIn(userId)),
    identifier("phone", firstText(place, "phone", "phone_number", "phoneNumber")),
    identifier("anonymous_id", firstText(place, "anonymous_id", "anonymousId")),
  ];
}

function traitsIn(place: JsonRecord): Record<string, unknown> {
  const traits: Record<string, unknown> = {};
  for (const name of traitNames) if (Object.hasOwn(place, name) && place[name] !== null) traits[name] = place[name];
  // Without a person beside it, `title` may be the title of anything.
  if (named(place).every((item) => item === undefined)) delete traits.title;
  return { ...traits, ...recordOf(place.traits) };
}

function accountIn(data: JsonRecord, person: JsonRecord | undefined): AccountRef {
  for (const place of [data.account, data.company, data.organization, person?.company, person?.account]) {
    if (isRecord(place)) return accountOf(firstText(place, "name"), firstText(place, "domain", "website", "url"));
  }
  const holder = person ?? data;
  return accountOf(
    firstText(holder, "company", "company_name", "companyName") ??
      firstText(data, "company", "company_name", "companyName"),
    firstText(holder, "company_domain", "companyDomain", "domain"),
  );
}

function consentIn(place: JsonRecord): Consent | undefined {
  if (place.unsubscribed === true) return { follow_up: false };
  const consent = place.consent;
  if (typeof consent === "boolean") return { follow_up: consent };
  const { follow_up, ...given } = recordOf(consent);
  const said = recordOf(given.purposes);
  const purposes: Partial<Record<Purpose, boolean>> = {};
  for (const purpose of ["call", "email", "sequence"] as const) {
    const value = said[purpose];
    if (typeof value === "boolean") purposes[purpose] = value;
  }
  const isSaid = Object.keys(purposes).length > 0;
  if (typeof follow_up !== "boolean" && !isSaid) return undefined;
  return { ...(typeof follow_up === "boolean" ? { follow_up } : {}), ...(isSaid ? { purposes } : {}) };
}

function rest(data: JsonRecord): Record<string, unknown> {
  const properties: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(data)) if (!consumed.has(name) && value !== null) properties[name] = value;
  return properties;
}
