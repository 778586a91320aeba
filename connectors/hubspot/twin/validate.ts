/** What HubSpot refuses in the properties of a contact or task (CRM-FACTS §1.2, §1.3, §1.5). */
import { invalid, invalidProperty } from "./answers.ts";
import type { Faults } from "./faults.ts";
import type { ObjectType, PropertyDefinition, Schemas } from "./schemas.ts";

export interface Rules {
  readonly schemas: Schemas;
  readonly faults: Faults;
  readonly ownerIds: ReadonlySet<string>;
}

/** The properties as they may be written, or a thrown refusal. `before` is null for a new record. */
export function validate(
  rules: Rules,
  type: ObjectType,
  given: unknown,
  before: Readonly<Record<string, string>> | null,
): Record<string, string> {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw invalid("Invalid input JSON: properties are required");
  const properties: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== "string") {
      throw invalid(
        `Invalid input JSON: Cannot deserialize value of type \`java.lang.String\` for properties["${name}"]`,
      );
    }
    const definition = rules.schemas.find(type, name);
    if (definition === undefined) {
      throw invalidProperty(name, "PROPERTY_DOESNT_EXIST", `Property "${name}" does not exist`);
    }
    if (definition.readOnly) throw invalidProperty(name, "READ_ONLY_VALUE", `"${name}" is a read only property`);
    checkValue(rules, definition, value);
    properties[name] = rules.faults.rewritesTasks ? rewritten(name, definition.type, value) : value;
  }
  requireProperties(rules, type, { ...before, ...properties }, before === null);
  return properties;
}

/** Which words, is not published: a guess at what the editor makes of a body and at what a read gives back. */
function rewritten(name: string, type: string, value: string): string {
  if ((name === "hs_timestamp" || type === "datetime") && /^\d+$/.test(value))
    return new Date(Number(value)).toISOString();
  if (name !== "hs_task_body" || value === "" || value.startsWith("<div")) return value;
  const lines = value
    .replaceAll("&#38;", "&amp;")
    .replaceAll("&#60;", "&lt;")
    .replaceAll("&#62;", "&gt;")
    .split("<br>");
  const paragraphs = lines.map((line) => `<p style="margin:0;">${line === "" ? "&nbsp;" : line}</p>`);
  return `<div style="" dir="auto" data-top-level="true">${paragraphs.join("")}</div>`;
}

function checkValue(rules: Rules, definition: PropertyDefinition, value: string): void {
  const { name, options, type } = definition;
  if (value === "") return;
  if (value.length > valueCharactersMax) throw invalidProperty(name, "VALUE_TOO_LONG", `"${name}" is too long`);
  if (options.length > 0 && !options.includes(value)) {
    throw invalidProperty(
      name,
      "INVALID_OPTION",
      `${value} was not one of the allowed options: [${options.join(", ")}]`,
    );
  }
  if (name === "email" && !/^[^\s@]+@[^\s@]+\.[a-z]{2,}$/i.test(value)) {
    throw invalidProperty(name, "INVALID_EMAIL", `Email address ${value} is invalid`);
  }
  if (type === "number" && !Number.isFinite(Number(value))) {
    throw invalidProperty(name, "INVALID_NUMBER", `${value} is not a number`);
  }
  if ((name === "hs_timestamp" || type === "datetime") && !isInstant(value)) {
    throw invalidProperty(name, "INVALID_DATE", `${value} is not a valid timestamp`);
  }
  // An owner's `id`, not the `userId` (CRM-FACTS §1.2).
  if (name === "hubspot_owner_id" && !rules.ownerIds.has(value)) {
    throw invalidProperty(name, "INVALID_OWNER_ID", `Owner ${value} does not exist`);
  }
}

function requireProperties(rules: Rules, type: ObjectType, all: Record<string, string>, isNew: boolean): void {
  const missing = (name: string) => (all[name] ?? "") === "";
  if (isNew && type === "tasks" && missing("hs_timestamp")) throw required("hs_timestamp", "MISSING_REQUIRED_PROPERTY");
  if (isNew && type === "contacts" && ["email", "firstname", "lastname"].every(missing)) {
    throw invalid("At least one of email, firstname or lastname is required");
  }
  const rule = rules.faults.requiredProperty;
  if (rule === null || rule.objectType !== type || !missing(rule.property)) return;
  if (rule.conditional !== true) throw required(rule.property, "MISSING_REQUIRED_PROPERTY");
  if (all.hs_task_priority === "HIGH") throw required(rule.property, "MISSING_CONDITIONAL_REQUIRED_PROPERTY");
}

function required(name: string, code: string) {
  const message = `Error creating: required property "${name}" was not set`;
  return invalid(message, [{ message, code, context: { properties: [name] } }]);
}

function isInstant(value: string): boolean {
  return /^\d{10,15}$/.test(value) || (/^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value)));
}

const valueCharactersMax = 65_536;
