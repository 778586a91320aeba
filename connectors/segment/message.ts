/** What one message of the Segment spec says, in our words. Pure. */
import type { AccountRef, Consent, Identifier } from "../../src/model.ts";
import { arrivalOf } from "../attribution.ts";
import { firstText, isRecord, type JsonRecord, recordOf, textOf } from "../body.ts";
import type { EmitterSettings, SignalDraft } from "../contract.ts";
import { accountOf, draftOf, emailIn, identifier } from "../draft.ts";
import { kindOf, mappedKind } from "../kinds.ts";
import type { Message } from "./schema.ts";

/**
 * Kinds in whose properties a person describes herself (segment-docs, spec/b2b-saas "Signed Up"). In any other event an
 * `email` may be somebody else's: the invited colleague's, the recipient's.
 */
const aboutOneself: ReadonlySet<string> = new Set([
  ...["signed_up", "trial_started", "demo_requested", "contact_requested", "form_submitted", "content_downloaded"],
  ...["webinar_registered", "meeting_booked", "checkout_completed", "subscription_started", "unsubscribed"],
]);

export function draftOfMessage(
  message: Message,
  occurredAt: number | undefined,
  settings: EmitterSettings,
): SignalDraft {
  const context = recordOf(message.context);
  const properties = recordOf(message.properties);
  const kind = kindOfMessage(message, properties, context, settings);
  const told = aboutOneself.has(kind) ? personal(properties) : {};
  // The traits of a group describe the company; the person's stand in the context.
  const traits: JsonRecord = {
    ...told,
    ...recordOf(context.traits),
    ...(message.type === "group" ? {} : recordOf(message.traits)),
  };
  const arrival = arrivalOf(pageOf(properties, context), referrerOf(properties, context));
  return draftOf({
    id: textOf(message.messageId),
    kind,
    occurredAt,
    identifiers: [...identifiersOf(message, traits, settings), ...arrival.identifiers],
    traits,
    account: accountOfMessage(message, traits, properties),
    attribution: { ...arrival.attribution, ...campaign(recordOf(context.campaign)) },
    consent: consentOf(context, traits, settings),
    properties: propertiesOf(message, properties, context),
  });
}

function kindOfMessage(
  message: Message,
  properties: JsonRecord,
  context: JsonRecord,
  settings: EmitterSettings,
): string {
  switch (message.type) {
    case "identify":
      return recordOf(message.traits).unsubscribed === true ? "unsubscribed" : "identified";
    case "track":
      return kindOf(textOf(message.event) ?? "", settings);
    case "page":
    case "screen": {
      const name = textOf(message.name);
      const mapped = name === undefined ? undefined : mappedKind(name, settings);
      return mapped ?? (isPricing(properties, context) ? "pricing_viewed" : "page_viewed");
    }
    case "group":
      return "account_identified";
    case "alias":
      return "aliased";
    case "delete":
      return "erasure_requested";
  }
}

/** The path counts, not the query: `/blog?from=/pricing` is no look at the pricing. */
function isPricing(properties: JsonRecord, context: JsonRecord): boolean {
  const page = recordOf(context.page);
  const path =
    firstText(properties, "path") ?? firstText(properties, "url") ?? firstText(page, "path") ?? firstText(page, "url");
  return path !== undefined && /^[^?#]*\/pricing/i.test(path);
}

function identifiersOf(message: Message, traits: JsonRecord, settings: EmitterSettings): (Identifier | undefined)[] {
  const userId = textOf(message.userId);
  const previous = textOf(message.previousId);
  const named = [
    identifier("user_id", userId),
    identifier("email", firstText(traits, "email") ?? textOf(message.email) ?? emailIn(userId)),
    identifier("phone", firstText(traits, "phone")),
    identifier("anonymous_id", textOf(message.anonymousId)),
  ];
  if (message.type === "alias" && previous !== undefined)
    named.push(previousIdentifier(previous, textOf(message.anonymousId), settings));
  return named;
}

/**
 * `previousId` may be an anonymous id, an e-mail address or an older user id (segment-docs, spec/alias), and does not say
 * which. A wrongly believed user id would be a second strong name that nobody can take back, so it is one only where the
 * settings say so.
 */
function previousIdentifier(previous: string, anonymousId: string | undefined, settings: EmitterSettings): Identifier {
  if (emailIn(previous) !== undefined) return { type: "email", value: previous };
  const renames = settings.previous_id_type === "user_id" && previous !== anonymousId;
  return { type: renames ? "user_id" : "anonymous_id", value: previous };
}

function accountOfMessage(message: Message, traits: JsonRecord, properties: JsonRecord): AccountRef {
  if (message.type === "group") {
    const group = recordOf(message.traits);
    return accountOf(firstText(group, "name", "company"), firstText(group, "domain", "website", "url"));
  }
  const company = traits.company;
  if (isRecord(company)) return accountOf(firstText(company, "name"), firstText(company, "domain", "website"));
  return accountOf(
    textOf(company) ?? firstText(traits, "company_name", "companyName") ?? firstText(properties, "account_name"),
    undefined,
  );
}

function personal(properties: JsonRecord): JsonRecord {
  const told: Record<string, unknown> = {};
  for (const name of [
    ...["email", "phone", "name", "first_name", "last_name", "firstName", "lastName", "firstname", "lastname"],
    ...["company", "company_name", "companyName", "job_title", "jobTitle", "website", "country"],
  ]) {
    if (Object.hasOwn(properties, name)) told[name] = properties[name];
  }
  return told;
}

function pageOf(properties: JsonRecord, context: JsonRecord): string | undefined {
  const page = recordOf(context.page);
  const url = firstText(page, "url") ?? firstText(properties, "url");
  if (url === undefined || url.includes("?")) return url;
  const search = firstText(page, "search") ?? firstText(properties, "search");
  return search?.startsWith("?") === true ? url + search : url;
}

function referrerOf(properties: JsonRecord, context: JsonRecord): string | undefined {
  return (
    firstText(recordOf(context.page), "referrer") ??
    firstText(properties, "referrer") ??
    firstText(recordOf(context.referrer), "url")
  );
}

function campaign(given: JsonRecord): Record<string, string> {
  const utm: Record<string, string> = {};
  for (const [name, ...others] of [["source"], ["medium"], ["name", "campaign"], ["term"], ["content"]] as const) {
    const value = firstText(given, name, ...others)?.slice(0, 300);
    if (value !== undefined) utm[`utm_${name === "name" ? "campaign" : name}`] = value;
  }
  return utm;
}

/** Consent is only ever taken away here: a tick in a cookie banner is no wish to be called. */
function consentOf(context: JsonRecord, traits: JsonRecord, settings: EmitterSettings): Consent | undefined {
  if (traits.unsubscribed === true) return { follow_up: false };
  const category = settings.consent_category;
  if (typeof category !== "string") return undefined;
  const choices = recordOf(recordOf(context.consent).categoryPreferences);
  return Object.hasOwn(choices, category) && choices[category] === false ? { follow_up: false } : undefined;
}

function propertiesOf(message: Message, properties: JsonRecord, context: JsonRecord): JsonRecord {
  const said: Record<string, unknown> = { ...properties };
  if (message.type === "track") said.event = textOf(message.event) ?? "";
  if (message.type === "page" || message.type === "screen") {
    const name = textOf(message.name);
    if (name !== undefined) said.name = name;
    said.view = message.type;
  }
  if (message.type === "group") said.group = recordOf(message.traits);
  const group = textOf(message.groupId) ?? firstText(context, "groupId", "group_id");
  if (group !== undefined) said.group_id = group;
  return said;
}
