/**
 * What is asked of HubSpot, as data: paths, property names, association types, and the rows of every write. Pure.
 *
 * `paths` is the only place an API version stands. The vendor's generated client knows the paths of its own release
 * (`released`, v3/v4, which end in 2027); what leaves is `sent`. A resource may change prefix between versions, so this
 * is a table and never a version spliced into a string (CRM-FACTS §1.1).
 */
import type { LifecycleState } from "../../src/model.ts";
import type { Command, CrmPerson, CrmTask, World } from "../contract.ts";

export interface PathFact {
  readonly released: string;
  readonly sent: string;
  readonly source: string;
  readonly checked: string;
}

const objectsPage = "CRM-FACTS §1.2, §1.3; docs/api-reference/latest/crm/activities/tasks/batch/upsert-tasks";
const associationsPage = "docs/api-reference/2026-03/crm/associations/associate-records (no newer page seen)";
const propertiesPage = "docs/api-reference/latest/crm/properties/create-property (2026-03, no newer page seen)";

const sequencesPage = "docs/api-reference/latest/automation/sequences (2026-03; 2026-09 is a beta there)";

export const paths: readonly PathFact[] = [
  path("/crm/v3/objects/{type}/batch/{operation}", "/crm/objects/2026-09/{type}/batch/{operation}", objectsPage),
  path("/crm/v3/objects/{type}/{id}", "/crm/objects/2026-09/{type}/{id}", objectsPage),
  path(
    "/crm/v4/associations/{from}/{to}/batch/associate/default",
    "/crm/associations/2026-03/{from}/{to}/batch/associate/default",
    associationsPage,
  ),
  path(
    "/crm/v4/associations/{from}/{to}/batch/read",
    "/crm/associations/2026-03/{from}/{to}/batch/read",
    associationsPage,
  ),
  path(
    "/crm/v4/objects/{from}/{id}/associations/{to}",
    "/crm/objects/2026-09/{from}/{id}/associations/{to}",
    "CRM-FACTS §1.2 (the PUT beside it)",
  ),
  path("/crm/v3/properties/{type}/groups", "/crm/properties/2026-03/{type}/groups", propertiesPage),
  path("/crm/v3/properties/{type}/{name}", "/crm/properties/2026-03/{type}/{name}", propertiesPage),
  path("/crm/v3/properties/{type}", "/crm/properties/2026-03/{type}", propertiesPage),
  path("/crm/v3/owners/", "/crm/owners/2026-09", "CRM-FACTS §1.6"),
  path("/account-info/v3/details", "/account-info/2026-09/details", "CRM-FACTS §1.6"),
  path("/automation/v4/sequences/enrollments", "/automation/sequences/2026-03/enrollments", sequencesPage),
  path(
    "/automation/v4/sequences/enrollments/contact/{id}",
    "/automation/sequences/2026-03/enrollments/contact/{id}",
    sequencesPage,
  ),
  path("/oauth/v1/token", "/oauth/2026-09/token", "CRM-FACTS §1.6; v1 ends 16 February 2027"),
  path("/oauth/v1/token/revoke", "/oauth/2026-09/token/revoke", "CRM-FACTS §1.6"),
  path("/appinstalls/v3/external-install", "/appinstalls/2026-09/external-install", "CRM-FACTS §1.7"),
  path("/oauth/v1/introspect", "/oauth/2026-09/token/introspect", "CRM-FACTS §1.6"),
];

/** The path that leaves for a path of the client's release. One that is not in the table is a bug, so it throws. */
export function sentPath(released: string): string {
  for (const fact of paths) {
    const values = match(fact.released, released);
    if (values !== null) return fact.sent.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "");
  }
  throw new Error("a HubSpot path is missing from the table in requests.ts");
}

export const objectTypes = { contacts: "contacts", tasks: "tasks" } as const;
/** CRM-FACTS §1.2. */
export const objectTypeIds = { contacts: "0-1", tasks: "0-27" } as const;
/** Task → contact, HUBSPOT_DEFINED (CRM-FACTS §1.2). */
export const taskToContact = 204;
/** CRM-FACTS §1.4: rows in a batch. */
export const batchRowsMax = 100;

/** Our own property on tasks, in a group of our own, so that an admin sees where it comes from. */
export const keyPropertyName = "baton_key";
export const keyGroup = { name: "baton", label: "Baton" } as const;
/** Where plain custom properties of tasks live (CRM-FACTS §1.3), should a group of our own be refused. */
export const taskGroupName = "task_information";
const builtinUniqueName = "hs_unique_id";

/** The unique property tasks are upserted by; null where there is none. */
export function keyProperty(world: World): string | null {
  switch (world) {
    case "unique_property":
      return keyPropertyName;
    case "builtin_unique":
      return builtinUniqueName;
    case "marker":
      return null;
  }
}

/** Every value is a string; `hs_timestamp` is required and is the due date (CRM-FACTS §1.2). */
export function taskProperties(task: CrmTask): Record<string, string> {
  return {
    hs_task_subject: task.subject,
    hs_task_body: toHtml(task.body),
    hs_timestamp: String(Math.round(task.dueAt)),
    hs_task_status: "NOT_STARTED",
    hs_task_priority: { low: "LOW", medium: "MEDIUM", high: "HIGH" }[task.priority],
    hs_task_type: { call: "CALL", email: "EMAIL", todo: "TODO" }[task.type],
    ...(task.ownerId === undefined ? {} : { hubspot_owner_id: task.ownerId }),
  };
}

/** A contact that does not exist yet. One that exists is never written: a person's edit always stays (G9). */
export function contactProperties(email: string, person: CrmPerson): Record<string, string> {
  const stage = person.lifecycle === undefined ? undefined : lifecycleStages[person.lifecycle];
  return {
    email,
    ...(person.firstName === undefined ? {} : { firstname: person.firstName }),
    ...(person.lastName === undefined ? {} : { lastname: person.lastName }),
    ...(person.company === undefined ? {} : { company: person.company }),
    ...(person.jobTitle === undefined ? {} : { jobtitle: person.jobTitle }),
    ...(person.phone === undefined ? {} : { phone: person.phone }),
    ...(stage === undefined ? {} : { lifecyclestage: stage }),
  };
}

/** HubSpot compares addresses in lower case. */
export function emailKey(email: string): string {
  return email.trim().toLowerCase();
}

/** The line that stands in for a server key in the marker world (CRM-FACTS §1.3). */
export function marker(key: string): string {
  return `[baton:${escapeHtml(key)}]`;
}

export function withMarker(properties: Record<string, string>, key: string): Record<string, string> {
  return { ...properties, hs_task_body: `${properties.hs_task_body ?? ""}<br><br>${marker(key)}` };
}

/**
 * How many requests commands may send at most; `client.ts` is held to it by an allowance. Counted:
 * read people, create people, write, link; and a reserve for halving one bad row out of a batch and for following a
 * person who was merged. Links are outside HubSpot's own budget but counted, so that the figure is what is sent.
 */
export function costOf(commands: readonly Command[], world: World): number {
  const creates = commands.filter((command) => command.type === "create_task");
  const strangers = creates.some((command) => command.person.knownId === undefined);
  const updates = commands.filter((command) => command.type === "update_task").length;
  const closes = commands.filter((command) => command.type === "close_task").length;
  const records = commands.filter((command) => command.type === "write_record").length;
  const create =
    creates.length === 0 ? 0 : (strangers ? 2 : 0) + (world === "marker" ? 1 : 2) + reserve(creates.length);
  const enrolments = commands.filter((command) => command.type === "enrol").length * enrolRequests;
  const changes = (updates === 0 ? 0 : 2 + halving(updates)) + (closes === 0 ? 0 : 1 + halving(closes));
  return create + changes + recordCost(records) + enrolments;
}

/** For each person: a look, the sender, the enrolment, and a second look where that is refused. */
const enrolRequests = 4;

/** A read and a write of the batch; and where our properties are missing, what makes them, and the write again. */
function recordCost(rows: number): number {
  return rows === 0 ? 0 : 4 + halving(rows) + recordPropertiesCount + 1;
}

/** `record-properties.ts`; here, because what evaluates this file does so at the Worker's start. */
export const recordPropertiesCount = 8;

function reserve(rows: number): number {
  return 4 + halving(rows);
}

function halving(rows: number): number {
  return 2 * Math.ceil(Math.log2(rows));
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function toHtml(text: string): string {
  return escapeHtml(text).replace(/\r\n|\r|\n/g, "<br>");
}

/** HubSpot's default stages; an account may have renamed them, so a refused stage is dropped, never the contact. */
const lifecycleStages: Readonly<Record<LifecycleState, string | undefined>> = {
  unknown: undefined,
  subscriber: "subscriber",
  lead: "lead",
  engaged: "marketingqualifiedlead",
  trial: "marketingqualifiedlead",
  sales_ready: "salesqualifiedlead",
  customer: "customer",
  churned: "other",
};

function path(released: string, sent: string, source: string): PathFact {
  return { released, sent, source, checked: "2026-10-31" };
}

function match(template: string, actual: string): Record<string, string> | null {
  const wanted = template.split("/");
  const given = actual.split("/");
  if (wanted.length !== given.length) return null;
  const values: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? "";
    if (part.startsWith("{")) values[part.slice(1, -1)] = value;
    else if (part !== value) return null;
  }
  return values;
}
