/**
 * Pure. The objects and fields this twin knows, as the Object Reference lists them (Task, Lead, Contact, User, Organization,
 * TaskStatus, ActionCadence, ActionCadenceTracker, LeadHistory, ContactHistory; checked 2026-11-24). `*` marks what is required at creation.
 */
import type { prefixes } from "./ids.ts";

export type ObjectName = keyof typeof prefixes;
export type Value = string | number | boolean | null;
export type Values = Record<string, Value>;

export type FieldType =
  | "id"
  | "string"
  | "textarea"
  | "email"
  | "phone"
  | "url"
  | "reference"
  | "date"
  | "datetime"
  | "boolean"
  | "picklist"
  | "int"
  | "double";

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly length: number;
  readonly createable: boolean;
  readonly updateable: boolean;
  readonly required: boolean;
  /** Custom, External ID, Unique and case sensitive: what our package brings. */
  readonly key: boolean;
  /** Brought by our package: by its first version, or by the one that shows more of a lead. */
  readonly ours?: "first" | "later";
}

/** The field our package adds to Activity (and so to Task) and to Lead. */
export const keyName = "Baton_Key__c";

type Access = "read" | "create" | "write" | "key";

function field(name: string, type: FieldType, access: Access = "write", length = 0): Field {
  const bare = name.replace("*", "");
  return {
    name: bare,
    type,
    length: length || (type === "id" || type === "reference" ? 18 : 0),
    createable: access !== "read",
    updateable: access === "write" || access === "key",
    required: name !== bare,
    key: access === "key",
  };
}

function ours(name: string, version: "first" | "later", type: FieldType, length = 0): Field {
  return { ...field(name, type, "write", length), ours: version };
}

/** What our package shows of a lead on its record. */
const shown = [
  ours("Baton_Score__c", "first", "double"),
  ours("Baton_Reason__c", "first", "string", 255),
  ours("Baton_Lead_Id__c", "first", "string", 200),
  ours("Baton_Level__c", "later", "string", 40),
  ours("Baton_Lifecycle_State__c", "later", "string", 40),
  ours("Baton_Source__c", "later", "string", 255),
  ours("Baton_Last_Event_At__c", "later", "datetime"),
  ours("Baton_Last_Event_Key__c", "later", "string", 255),
];

const system = [
  field("Id", "id", "read"),
  field("IsDeleted", "boolean", "read"),
  field("CreatedDate", "datetime", "read"),
  field("CreatedById", "reference", "read"),
  field("LastModifiedDate", "datetime", "read"),
  field("LastModifiedById", "reference", "read"),
  field("SystemModstamp", "datetime", "read"),
];

/** What became of the tracked fields of a lead or contact: one row a field and change. */
const history = [
  ...system.filter(({ name }) => ["Id", "IsDeleted", "CreatedDate", "CreatedById"].includes(name)),
  field("Field", "picklist", "read", 255),
  field("OldValue", "string", "read", 255),
  field("NewValue", "string", "read", 255),
];

const person = [
  ...system,
  field("MasterRecordId", "reference", "read"),
  field("LastName*", "string", "write", 80),
  field("FirstName", "string", "write", 40),
  field("Name", "string", "read", 121),
  field("Title", "string", "write", 128),
  field("Email", "email", "write", 80),
  field("Phone", "phone", "write", 40),
  field("LeadSource", "picklist", "write", 255),
  field("Description", "textarea", "write", 32_000),
  field("OwnerId", "reference"),
];

export const objects: Readonly<Record<ObjectName, readonly Field[]>> = {
  Task: [
    ...system,
    field("WhoId", "reference"),
    field("WhatId", "reference"),
    field("AccountId", "reference", "read"),
    field("OwnerId", "reference"),
    field("Subject", "string", "write", 255),
    field("Description", "textarea", "write", 32_000),
    field("ActivityDate", "date"),
    field("Status", "picklist", "write", 255),
    field("Priority", "picklist", "write", 255),
    field("IsHighPriority", "boolean", "read"),
    field("IsClosed", "boolean", "read"),
    field("IsArchived", "boolean", "read"),
    field("TaskSubtype", "picklist", "create", 40),
    field("IsReminderSet", "boolean"),
    field("ReminderDateTime", "datetime"),
    field("CompletedDateTime", "datetime", "read"),
    field(keyName, "string", "key", 255),
  ],
  Lead: [
    ...person,
    field("Company*", "string", "write", 255),
    field("Website", "url", "write", 255),
    field("Status", "picklist", "write", 255),
    field("IsConverted", "boolean", "read"),
    field("ConvertedDate", "date", "read"),
    field("ConvertedAccountId", "reference", "read"),
    field("ConvertedContactId", "reference", "read"),
    field("ConvertedOpportunityId", "reference", "read"),
    field(keyName, "string", "key", 255),
    ...shown,
  ],
  Contact: [...person, field("AccountId", "reference"), ...shown],
  Account: [
    ...system,
    field("Name*", "string", "write", 255),
    field("MasterRecordId", "reference", "read"),
    field("OwnerId", "reference"),
  ],
  User: [
    ...system.filter(({ name }) => name !== "IsDeleted"),
    field("Username", "string", "read", 80),
    field("Name", "string", "read", 121),
    field("Email", "email", "read", 128),
    field("IsActive", "boolean", "read"),
    field("UserType", "picklist", "read", 40),
    field("TimeZoneSidKey", "picklist", "read", 40),
  ],
  Organization: [
    ...system.filter(({ name }) => name !== "IsDeleted"),
    field("Name", "string", "read", 80),
    field("TimeZoneSidKey", "picklist", "read", 40),
    field("InstanceName", "string", "read", 5),
    field("IsSandbox", "boolean", "read"),
    field("OrganizationType", "picklist", "read", 40),
  ],
  /** Sales Engagement, where it is licensed. */
  ActionCadence: [...system, field("Name", "string", "read", 255), field("State", "picklist", "read", 40)],
  ActionCadenceTracker: [
    ...system,
    field("ActionCadenceId", "reference", "read"),
    field("TargetId", "reference", "read"),
    field("OwnerId", "reference", "read"),
    field("State", "picklist", "read", 40),
  ],
  LeadHistory: [...history, field("LeadId", "reference", "read")],
  ContactHistory: [...history, field("ContactId", "reference", "read")],
  TaskStatus: [
    ...system.filter(({ name }) => name !== "IsDeleted"),
    field("ApiName", "string", "read", 255),
    field("MasterLabel", "string", "read", 255),
    field("SortOrder", "int", "read"),
    field("IsDefault", "boolean", "read"),
    field("IsClosed", "boolean", "read"),
  ],
};

export function isObjectName(name: string): name is ObjectName {
  return Object.hasOwn(objects, name);
}

/** Of the package nothing (true), or not what its latest version brings. */
export type PackageMissing = boolean | "later";

/** Without the package its fields do not exist at all. */
export function fieldsOf(object: ObjectName, packageMissing: PackageMissing): readonly Field[] {
  if (packageMissing === false) return objects[object];
  return objects[object].filter(({ key, ours }) =>
    packageMissing === "later" ? ours !== "later" : !key && ours === undefined,
  );
}

/** `Lead.Email` of a row of `LeadHistory`: the field that it names, and the field of whatever stands there. */
export function pathOf(
  object: ObjectName,
  name: string,
): { readonly via: string; readonly of: ObjectName; readonly field: string } | null {
  const [parent = "", field] = name.split(".");
  const of = field === undefined ? undefined : (["Lead", "Contact"] as const).find((one) => object === `${one}History`);
  return field === undefined || of === undefined || of.toLowerCase() !== parent.toLowerCase()
    ? null
    : { via: `${of}Id`, of, field };
}

/** Field names are not case sensitive in SOQL nor in bodies. */
export function findField(object: ObjectName, name: string, packageMissing: PackageMissing): Field | undefined {
  const lower = name.toLowerCase();
  return fieldsOf(object, packageMissing).find((candidate) => candidate.name.toLowerCase() === lower);
}
