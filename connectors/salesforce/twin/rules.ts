/**
 * What Salesforce refuses about one row before it is saved, with the codes and messages of CRM-FACTS §2.2. Where the wording
 * of a message is not published, it is the one integrations report.
 */
import type { Faults, RowFault } from "./faults.ts";
import { type Field, fieldsOf, findField, type ObjectName, type Value, type Values } from "./fields.ts";
import { looksLikeId } from "./ids.ts";
import type { Store, Stored } from "./store.ts";

export interface RowError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly fields: readonly string[];
  readonly duplicateResult?: object;
}

export function rowError(code: string, message: string, fields: readonly string[] = [], status = 400): RowError {
  return { status, code, message, fields };
}

/** The body's fields with their proper names, or what is wrong with one of them. `existing` is null at creation. */
export function readValues(
  object: ObjectName,
  body: Readonly<Record<string, unknown>>,
  existing: Stored | null,
  faults: Faults,
): Values | RowError {
  const values: Values = {};
  for (const [name, raw] of Object.entries(body)) {
    if (name === "attributes") {
      continue;
    }
    const field = findField(object, name, faults.packageMissing);
    if (field === undefined) {
      return rowError("INVALID_FIELD", `No such column '${name}' on sobject of type ${object}`);
    }
    if (existing === null ? !field.createable : !field.updateable) {
      const advice =
        "Please check the security settings of this field and verify that it is read/write for your profile or permission set.";
      return rowError("INVALID_FIELD_FOR_INSERT_UPDATE", `Unable to create/update fields: ${field.name}. ${advice}`, [
        field.name,
      ]);
    }
    const wrong = checkValue(field, raw);
    if (wrong !== null) {
      return wrong;
    }
    const value = normalise(field, raw as Value);
    values[field.name] = faults.rewritesValues ? rewritten(field, value) : value;
  }
  const after = { ...existing?.values, ...values };
  const missing = fieldsOf(object, faults.packageMissing).filter(
    (field) => field.required && isEmpty(after[field.name]),
  );
  if (missing.length > 0) {
    const list = missing.map(({ name }) => name);
    return rowError("REQUIRED_FIELD_MISSING", `Required fields are missing: [${list.join(", ")}]`, list);
  }
  return values;
}

function checkValue(field: Field, raw: unknown): RowError | null {
  if (raw === null) {
    return null;
  }
  const isBoolean = field.type === "boolean";
  if (isBoolean ? typeof raw !== "boolean" : typeof raw !== "string" && typeof raw !== "number") {
    return rowError(
      "JSON_PARSER_ERROR",
      `Cannot deserialize instance of ${field.type} from VALUE (field ${field.name})`,
    );
  }
  const value = String(raw);
  if (field.length > 0 && value.length > field.length) {
    return field.type === "reference"
      ? rowError("MALFORMED_ID", `${field.name}: id value of incorrect type: ${value}`, [field.name])
      : rowError(
          "STRING_TOO_LONG",
          `${field.name}: data value too large: ${value.slice(0, 20)}... (max length=${field.length})`,
          [field.name],
        );
  }
  if (field.type === "reference" && value !== "" && !looksLikeId(value)) {
    return rowError("MALFORMED_ID", `${field.name}: id value of incorrect type: ${value}`, [field.name]);
  }
  if (field.type === "email" && value !== "" && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value)) {
    return rowError("INVALID_EMAIL_ADDRESS", `${field.name}: invalid email address: ${value}`, [field.name]);
  }
  if (field.type === "date" && !/^\d{4}-\d\d-\d\d$/.test(value)) {
    return rowError("JSON_PARSER_ERROR", `Cannot deserialize instance of date from VALUE_STRING value ${value}`);
  }
  if (field.type === "datetime" && Number.isNaN(Date.parse(value))) {
    return rowError("JSON_PARSER_ERROR", `Cannot deserialize instance of datetime from VALUE_STRING value ${value}`);
  }
  return null;
}

function normalise(field: Field, value: Value): Value {
  if (value === null || value === "") {
    return null;
  }
  return field.type === "datetime" ? instant(Date.parse(String(value))) : value;
}

function rewritten(field: Field, value: Value): Value {
  if (typeof value !== "string") {
    return value;
  }
  if (field.type === "datetime") {
    return value.replace(/\.\d{3}/, ".000");
  }
  return field.type === "textarea" ? value.replaceAll(/\r?\n/g, "\r\n").trimEnd() : value;
}

/** As Salesforce writes it: `2026-11-22T10:00:00.000+0000`. */
export function instant(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "+0000");
}

function isEmpty(value: Value | undefined): boolean {
  return value === undefined || value === null || (typeof value === "string" && value.trim() === "");
}

/** References and rules that look at other rows. */
export function checkRow(
  store: Store,
  object: ObjectName,
  values: Values,
  existing: Stored | null,
  faults: Faults,
): RowError | null {
  if (object === "Lead" && existing?.values.IsConverted === true) {
    return rowError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead");
  }
  return (
    checkOwner(store, object, values.OwnerId) ??
    (object === "Task" ? checkTask(store, { ...existing?.values, ...values }, values, faults) : null) ??
    (object === "Lead" && existing === null && faults.duplicateRule ? checkDuplicates(store, values.Email) : null)
  );
}

function checkOwner(store: Store, object: ObjectName, owner: Value | undefined): RowError | null {
  if (typeof owner !== "string") {
    return null;
  }
  const user = store.get(owner);
  if (user?.object !== "User") {
    return rowError("INVALID_CROSS_REFERENCE_KEY", "Owner ID: owner cannot be blank", ["OwnerId"]);
  }
  return user.values.IsActive === true
    ? null
    : rowError(
        "INACTIVE_OWNER_OR_USER",
        `operation performed with inactive user [${user.id}] as owner of ${object.toLowerCase()}`,
      );
}

function checkTask(store: Store, after: Values, changed: Values, faults: Faults): RowError | null {
  for (const field of ["Status", "Priority"]) {
    const value = changed[field];
    const allowed = field === "Status" ? faults.taskStatuses : null;
    if (typeof value === "string" && allowed !== null && !allowed.includes(value)) {
      return rowError(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        `${field}: bad value for restricted picklist field: ${value}`,
        [field],
      );
    }
  }
  const who = typeof after.WhoId === "string" ? store.get(after.WhoId) : null;
  if (typeof after.WhatId === "string" && who?.object === "Lead") {
    return rowError("FIELD_INTEGRITY_EXCEPTION", "WhatId: a task of a lead cannot be related to another record", [
      "WhatId",
    ]);
  }
  if (typeof changed.WhoId !== "string") {
    return null;
  }
  if (who === null || who === undefined || (who.object !== "Lead" && who.object !== "Contact")) {
    return rowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id");
  }
  if (who.values.IsDeleted === true) {
    return rowError("ENTITY_IS_DELETED", "entity is deleted", [], 404);
  }
  return who.values.IsConverted === true
    ? rowError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    : null;
}

function checkDuplicates(store: Store, email: Value | undefined): RowError | null {
  if (typeof email !== "string") {
    return null;
  }
  const matches = (["Lead", "Contact"] as const).flatMap((object) => {
    const rows = [...(store.find(object, "Email", email) ?? [])].filter(
      (row) => row.values.IsDeleted !== true && row.values.IsConverted !== true,
    );
    const records = rows.map((row) => ({
      additionalInformation: [],
      fieldDiffs: [],
      matchConfidence: 100,
      record: { attributes: { type: object, url: `/services/data/v68.0/sobjects/${object}/${row.id}` }, Id: row.id },
    }));
    return records.length === 0
      ? []
      : [
          {
            entityType: object,
            errors: [],
            matchEngine: "ExactMatchEngine",
            matchRecords: records,
            rule: "Same_Email",
            size: records.length,
            success: true,
          },
        ];
  });
  if (matches.length === 0) {
    return null;
  }
  const duplicateResult = {
    allowSave: false,
    duplicateRule: "Same_Email",
    duplicateRuleEntityType: "Lead",
    errorMessage: "Use one of these records?",
    matchResults: matches,
  };
  return { ...rowError("DUPLICATES_DETECTED", "Use one of these records?"), duplicateResult };
}

/** What a struck row is answered; a duplicate is made up by the caller, who knows the record. */
export function struck(kind: Exclude<RowFault["kind"], "duplicate_value">): RowError {
  switch (kind) {
    case "lock":
      return rowError(
        "UNABLE_TO_LOCK_ROW",
        "unable to obtain exclusive access to this record or 1 records: 00Q000000000001AAA",
      );
    case "lock_hidden":
      return rowError(
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "TaskTrigger: execution of AfterInsert\n\ncaused by: System.DmlException: Update failed. first error: UNABLE_TO_LOCK_ROW, unable to obtain exclusive access to this record: []",
      );
    case "trigger":
      return rowError(
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "TaskTrigger: execution of BeforeInsert\n\ncaused by: System.NullPointerException: Attempt to de-reference a null object\n\nTrigger.TaskTrigger: line 3, column 1",
      );
    case "validation":
      return rowError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Please name a reason, Mr. Secret.", ["Description"]);
    case "readonly":
      return rowError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id");
    case "storage":
      return rowError("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded");
    case "unknown_exception":
      return rowError(
        "UNKNOWN_EXCEPTION",
        "An unexpected error occurred. Please include this ErrorId if you contact support: 1-2 (3)",
      );
  }
}
