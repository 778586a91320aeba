/**
 * Properties of contacts that Baton writes: our own, which say what of a lead its record shows, and those of HubSpot's that a policy shares
 * with us. Ours are made when the account is connected, and again where one is
 * found to be missing: accounts that were connected earlier have none, and a person may have deleted one.
 *
 * CRM-FACTS §1.3 names the scope (`crm.schemas.contacts.write`), which is asked for as an optional one: without it there are no properties,
 * and nothing is shown. Types are those of the published `PropertyCreate`; an instant is kept as `datetime`, which reads give back in ISO.
 */
import type { CarriedField, OwnField, RecordField } from "../contract.ts";
import type { HubspotClient } from "./client.ts";
import { keyGroup, objectTypes } from "./requests.ts";
import { instantOf } from "./stored.ts";

interface PropertyFact {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly type: "string" | "number" | "datetime";
}

/** In the order in which they are made: with the last one there, all are. */
export const ownProperties: Readonly<Record<OwnField, PropertyFact>> = {
  lead_score: fact("baton_score", "Baton score", "Fit and intent together, as Baton counts them.", "number"),
  lead_level: fact(
    "baton_level",
    "Baton level",
    "How far this person's interest has climbed: watch, card, task, urgent.",
  ),
  lifecycle_state: fact("baton_lifecycle_state", "Baton lifecycle state", "Where this person is in Baton."),
  lead_source: fact("baton_source", "Baton source", "The tool that told of this person first."),
  last_event_timestamp: fact(
    "baton_last_event_at",
    "Baton last event",
    "When the last signal that the score counts happened.",
    "datetime",
  ),
  idempotency_key: fact("baton_last_event_key", "Baton last event key", "Key of that signal, for reports and support."),
  follow_up_reason: fact("baton_reason", "Baton reason", "One sentence: why this person, why now."),
  baton_lead_id: fact(
    "baton_lead_id",
    "Baton lead id",
    "Name of this person's lead in Baton, for reports and support.",
  ),
};

/** HubSpot's own, which every account has. */
const carriedProperties: Readonly<Record<CarriedField, Pick<PropertyFact, "name" | "type">>> = {
  first_name: { name: "firstname", type: "string" },
  last_name: { name: "lastname", type: "string" },
  phone: { name: "phone", type: "string" },
  company: { name: "company", type: "string" },
  job_title: { name: "jobtitle", type: "string" },
  website: { name: "website", type: "string" },
};

export const recordProperties: Readonly<Record<RecordField, Pick<PropertyFact, "name" | "type">>> = {
  ...ownProperties,
  ...carriedProperties,
};

function fact(name: string, label: string, description: string, type: PropertyFact["type"] = "string"): PropertyFact {
  return { name, label, description: `${description} Written by Baton.`, type };
}

/** Makes what is missing. False where the account or our scopes do not allow it, or it could not be done now. May be repeated. */
export async function ensureRecordProperties(client: HubspotClient): Promise<boolean> {
  const there = await client.getProperty(objectTypes.contacts, ownProperties.baton_lead_id.name);
  return there.ok || (there.failure.status === 404 && makeRecordProperties(client));
}

export async function makeRecordProperties(client: HubspotClient): Promise<boolean> {
  const group = await client.createGroup(objectTypes.contacts, { ...keyGroup, displayOrder: -1 });
  if (!group.ok && group.failure.status !== 409) return false;
  for (const { name, label, description, type } of Object.values(ownProperties)) {
    const fieldType = type === "string" ? "text" : type === "number" ? "number" : "date";
    const facts = { name, label, description, type, fieldType, groupName: keyGroup.name } as const;
    const made = await client.createProperty(objectTypes.contacts, {
      ...facts,
      hasUniqueValue: false,
      formField: false,
    });
    if (!made.ok && made.failure.status !== 409) return false;
  }
  return true;
}

/** As HubSpot is to hold it. */
export function spelledFor(field: RecordField, value: string): string {
  return recordProperties[field].type === "string" ? value.slice(0, textMax).toWellFormed() : value;
}

/** Whether HubSpot holds this value, in whichever words it gives it back. */
export function holds(field: RecordField, present: string, value: string): boolean {
  const { type } = recordProperties[field];
  const wanted = spelledFor(field, value);
  if (type === "string" || present === "" || wanted === "") return present.trim() === wanted.trim();
  if (type === "number") return Number(present) === Number(wanted);
  // A datetime keeps milliseconds, but some reads show seconds.
  return Math.abs(instantOf(present) - instantOf(wanted)) < 1_000;
}

const textMax = 1_000;
