/**
 * Pure. Fields of Lead and Contact that Baton writes: our own, made by the package in `package/`, and those of Salesforce's that a policy shares
 * with us. What they are called, and how values are spelt there.
 */
import { type RecordField, recordFields } from "../contract.ts";
import { ownName } from "./namespace.ts";
import type { Person } from "./requests.ts";
import { plain } from "./shape.ts";
import { clip } from "./soql.ts";

interface FieldFact {
  readonly name: string;
  /** Where the other object has none such. */
  readonly only?: Person;
  readonly type: "text" | "number" | "datetime";
  /** Characters; of a number the largest that fits. */
  readonly max: number;
}

/** The test of the package holds ours against its metadata. */
export const recordFieldsOf: Readonly<Record<RecordField, FieldFact>> = {
  baton_lead_id: { name: ownName("Baton_Lead_Id__c"), type: "text", max: 200 },
  lead_score: { name: ownName("Baton_Score__c"), type: "number", max: 999_999 },
  lead_level: { name: ownName("Baton_Level__c"), type: "text", max: 40 },
  lifecycle_state: { name: ownName("Baton_Lifecycle_State__c"), type: "text", max: 40 },
  lead_source: { name: ownName("Baton_Source__c"), type: "text", max: 255 },
  last_event_timestamp: { name: ownName("Baton_Last_Event_At__c"), type: "datetime", max: 0 },
  idempotency_key: { name: ownName("Baton_Last_Event_Key__c"), type: "text", max: 255 },
  follow_up_reason: { name: ownName("Baton_Reason__c"), type: "text", max: 255 },
  first_name: { name: "FirstName", type: "text", max: 40 },
  last_name: { name: "LastName", type: "text", max: 80 },
  phone: { name: "Phone", type: "text", max: 40 },
  company: { name: "Company", only: "Lead", type: "text", max: 255 },
  job_title: { name: "Title", type: "text", max: 128 },
  website: { name: "Website", only: "Lead", type: "text", max: 255 },
};

export function fieldsOn(type: Person): readonly RecordField[] {
  return recordFields.filter((field) => (recordFieldsOf[field].only ?? type) === type);
}

/** As it is sent; null empties the field. */
export function crmValue(field: RecordField, value: string): string | number | null {
  const { type, max } = recordFieldsOf[field];
  if (value === "") return null;
  switch (type) {
    case "text":
      return clip(value, max);
    case "number":
      return Math.min(Number(value), max);
    case "datetime":
      return new Date(Number(value)).toISOString();
  }
}

/** Whether Salesforce holds this value, in whichever words it gives it back: it keeps no parts of a second. */
export function holds(field: RecordField, present: unknown, value: string): boolean {
  const wanted = crmValue(field, value);
  const isEmpty = present === null || present === undefined || present === "";
  if (wanted === null || isEmpty) return wanted === null && isEmpty;
  switch (recordFieldsOf[field].type) {
    case "text":
      return plain(present) === plain(wanted);
    case "number":
      return Number(present) === wanted;
    case "datetime":
      return Math.abs(Date.parse(String(present)) - Number(value)) <= 1_000;
  }
}
