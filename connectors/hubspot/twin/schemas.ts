/**
 * Properties of contacts and tasks: which there are, which are unique, which values they take, and the properties API.
 * The built-in ones are those that Baton writes or reads, plus what a person would see.
 */
import { type Answer, ApiError, invalid, notFound } from "./answers.ts";
import type { Faults } from "./faults.ts";

export type ObjectType = "contacts" | "tasks";

export interface PropertyDefinition {
  name: string;
  label: string;
  type: string;
  fieldType: string;
  groupName: string;
  description: string;
  hasUniqueValue: boolean;
  hubspotDefined: boolean;
  readOnly: boolean;
  options: string[];
  createdAt: number;
}

export const typeIds: Readonly<Record<ObjectType, string>> = { contacts: "0-1", tasks: "0-27" };

export function objectTypeOf(name: string): ObjectType {
  if (["contacts", "contact", "0-1"].includes(name)) return "contacts";
  if (["tasks", "task", "0-27"].includes(name)) return "tasks";
  throw invalid(`Unable to infer object type from: ${name.replace(/[^\w-]/g, "")}`);
}

export class Schemas {
  readonly #definitions: Record<ObjectType, Map<string, PropertyDefinition>>;
  readonly #groups: Record<ObjectType, Map<string, string>>;
  readonly #faults: () => Faults;

  constructor(faults: () => Faults) {
    this.#faults = faults;
    this.#definitions = { contacts: new Map(), tasks: new Map() };
    this.#groups = {
      contacts: new Map([["contactinformation", "Contact information"]]),
      tasks: new Map([["task_information", "Task information"]]),
    };
    for (const [type, lines] of Object.entries(builtIn)) {
      for (const line of lines) this.#add(type as ObjectType, line);
    }
  }

  find(type: ObjectType, name: string): PropertyDefinition | undefined {
    return this.#definitions[type].get(name);
  }

  /** Whether a property may be an `idProperty`: unique, and in a world where HubSpot takes it (CRM-FACTS §1.3). */
  isKey(type: ObjectType, name: string): boolean {
    if (type === "tasks" && name === "hs_unique_id") return this.#faults().world !== "marker";
    const definition = this.find(type, name);
    if (definition === undefined || !definition.hasUniqueValue) return false;
    return type !== "tasks" || this.#faults().world === "unique_property" || this.#ignores();
  }

  /** Whether its values are in fact kept unique. */
  isUnique(type: ObjectType, name: string): boolean {
    const definition = this.find(type, name);
    if (type === "tasks" && definition?.hubspotDefined === false && this.#ignores()) return false;
    return definition?.hasUniqueValue === true || this.isKey(type, name);
  }

  #ignores(): boolean {
    const { world, uniqueRefusal } = this.#faults();
    return world !== "unique_property" && uniqueRefusal === "ignore";
  }

  list(type: ObjectType): Answer {
    return { status: 200, body: { results: [...this.#definitions[type].values()].map(toWire) } };
  }

  get(type: ObjectType, name: string): Answer {
    const definition = this.find(type, name);
    if (definition === undefined) throw notFound(`Property '${name}' does not exist`);
    return { status: 200, body: toWire(definition) };
  }

  create(type: ObjectType, body: Record<string, unknown>, now: number): Answer {
    const { world, uniqueRefusal } = this.#faults();
    const name = String(body.name ?? "");
    if (!/^[a-z][a-z0-9_]*$/.test(name)) throw invalid("Property name is not valid");
    for (const field of ["label", "type", "fieldType", "groupName"]) {
      if (typeof body[field] !== "string") throw invalid(`Invalid input JSON: ${field} is required`);
    }
    if (this.find(type, name) !== undefined) {
      throw new ApiError(409, "OBJECT_ALREADY_EXISTS", `Property named '${name}' already exists.`);
    }
    if (!this.#groups[type].has(String(body.groupName))) throw invalid("Property group does not exist");
    const unique = body.hasUniqueValue === true;
    if (unique && type === "tasks" && world !== "unique_property" && ["create", "scope"].includes(uniqueRefusal)) {
      if (uniqueRefusal === "scope") throw missingScopes(["crm.schemas.tasks.write"]);
      throw invalid(`Unique properties are not supported for object type ${typeIds[type]}`);
    }
    const uniques = [...this.#definitions[type].values()].filter((one) => one.hasUniqueValue && !one.hubspotDefined);
    if (unique && uniques.length >= uniquePropertiesMax) throw invalid("Maximum number of unique properties reached");
    const definition: PropertyDefinition = {
      name,
      label: String(body.label),
      type: String(body.type),
      fieldType: String(body.fieldType),
      groupName: String(body.groupName),
      description: String(body.description ?? ""),
      hasUniqueValue: unique,
      hubspotDefined: false,
      readOnly: false,
      options: Array.isArray(body.options)
        ? body.options.map((option) => String((option as { value?: unknown }).value))
        : [],
      createdAt: now,
    };
    this.#definitions[type].set(name, definition);
    return { status: 201, body: toWire(definition) };
  }

  groups(type: ObjectType): Answer {
    const results = [...this.#groups[type]].map(([name, label]) => ({
      name,
      label,
      displayOrder: -1,
      archived: false,
    }));
    return { status: 200, body: { results } };
  }

  createGroup(type: ObjectType, body: Record<string, unknown>): Answer {
    const name = String(body.name ?? "");
    if (!/^[a-z][a-z0-9_]*$/.test(name)) throw invalid("Property group name is not valid");
    if (this.#groups[type].has(name)) {
      throw new ApiError(409, "OBJECT_ALREADY_EXISTS", `Property group '${name}' already exists.`);
    }
    this.#groups[type].set(name, String(body.label ?? name));
    return { status: 201, body: { name, label: String(body.label ?? name), displayOrder: -1, archived: false } };
  }

  /** `name`, `name!` read-only, `name*` unique, `name=A|B` with options. */
  #add(type: ObjectType, line: string): void {
    const [head = "", choices] = line.split("=");
    const name = head.replace(/[!*]/g, "");
    this.#definitions[type].set(name, {
      name,
      label: name,
      type: choices === undefined ? "string" : "enumeration",
      fieldType: choices === undefined ? "text" : "select",
      groupName: type === "tasks" ? "task_information" : "contactinformation",
      description: "",
      hasUniqueValue: head.includes("*"),
      hubspotDefined: true,
      readOnly: head.includes("!"),
      options: choices?.split("|") ?? [],
      createdAt: 0,
    });
  }
}

export function missingScopes(scopes: readonly string[]): ApiError {
  return new ApiError(403, "MISSING_SCOPES", "This app hasn't been granted all required scopes to make this call.", {
    parts: [
      { message: "One or more of the following scopes are required.", context: { requiredGranularScopes: scopes } },
    ],
  });
}

/** CRM-FACTS §1.3. */
const uniquePropertiesMax = 10;

const builtIn: Readonly<Record<ObjectType, readonly string[]>> = {
  contacts: [
    "email*",
    "hs_additional_emails!",
    "hs_merged_object_ids!",
    "firstname",
    "lastname",
    "phone",
    "mobilephone",
    "company",
    "website",
    "jobtitle",
    "lifecyclestage=subscriber|lead|marketingqualifiedlead|salesqualifiedlead|opportunity|customer|evangelist|other",
    "hs_lead_status=NEW|OPEN|IN_PROGRESS|OPEN_DEAL|UNQUALIFIED|ATTEMPTED_TO_CONTACT|CONNECTED|BAD_TIMING",
    "hubspot_owner_id",
    "createdate!",
    "lastmodifieddate!",
    "hs_object_id!",
  ],
  tasks: [
    "hs_task_subject",
    "hs_task_body",
    "hs_timestamp",
    "hubspot_owner_id",
    "hs_task_status=NOT_STARTED|COMPLETED|IN_PROGRESS|WAITING|DEFERRED",
    "hs_task_priority=LOW|MEDIUM|HIGH|NONE",
    "hs_task_type=EMAIL|CALL|TODO",
    "hs_task_reminders",
    "hs_queue_membership_ids",
    "hs_unique_id",
    "hs_task_completion_date!",
    "hs_createdate!",
    "hs_lastmodifieddate!",
    "hs_object_id!",
  ],
};

function toWire(definition: PropertyDefinition): Record<string, unknown> {
  const { createdAt, readOnly, options, ...rest } = definition;
  const at = new Date(createdAt).toISOString();
  return {
    ...rest,
    options: options.map((value, displayOrder) => ({ label: value, value, displayOrder, hidden: false })),
    displayOrder: -1,
    calculated: false,
    externalOptions: false,
    archived: false,
    hidden: false,
    formField: false,
    createdAt: at,
    updatedAt: at,
    modificationMetadata: {
      archivable: !definition.hubspotDefined,
      readOnlyDefinition: definition.hubspotDefined,
      readOnlyValue: readOnly,
    },
  };
}
