/**
 * Pure. What we ask of Salesforce, as data. The API version, the field names and the shape of every request stand here
 * and nowhere else; `client.ts` sends them.
 *
 * Sources (CRM-FACTS §2 unless named): REST API Developer Guide, "Upsert Records Using sObject Collections", "Composite",
 * and the Object Reference pages of Task and Lead, checked 2026-10; `TaskSubtype` "isn't updateable" (Task page) and the
 * advice to put long SOQL into a Composite body (help.salesforce.com 000386264), checked 2026-11-22.
 */
import type { CrmPerson, CrmTask } from "../contract.ts";
import { ownName } from "./namespace.ts";
import { clip, inList } from "./soql.ts";

export const api = {
  version: "68.0",
  page: "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest.htm",
  checked: "2026-10-31",
} as const;

/** Our fields, made by the package in `package/`. */
export const names = { taskKey: ownName("Baton_Key__c"), leadKey: ownName("Baton_Key__c") } as const;

export type Target = "Task" | "Lead";
export type Person = "Lead" | "Contact";

export function keyField(target: Target): string {
  return target === "Task" ? names.taskKey : names.leadKey;
}

/** Rows of one collections request, and parts of one composite request (of which at most five query). */
export const rowsMax = 200;

export type Values = Readonly<Record<string, string | number | boolean | null>>;

export interface CrmRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below `/services/data/vNN.0`, or absolute from `/services/` on. */
  readonly path: string;
  readonly body?: unknown;
}

/** One row of an upsert: the External ID, and the fields without it (it must not stand in the body of a single upsert). */
export interface Row {
  readonly key: string;
  readonly values: Values;
}

/**
 * The key as it is stored in Salesforce. It travels in an address, where a slash or a trailing `.json` changes what is
 * asked; so everything but letters, digits, `_`, `-` and `:` is written as `~` and its UTF-8 bytes. One to one.
 */
export function crmKey(key: string): string {
  return key.replaceAll(/[^A-Za-z0-9_:-]/gu, (character) =>
    Array.from(new TextEncoder().encode(character), (byte) => `~${byte.toString(16).padStart(2, "0")}`).join(""),
  );
}

/** An External ID is a text field of at most 255 characters. */
export const keyLengthMax = 255;

/* ------------------------------------------------------------------------------------------------ records */

/** Fields we can do without when an org does not take ours: it then uses its own default. */
export type Droppable = "OwnerId" | "Status" | "Priority" | "TaskSubtype";

const priorities = { high: "High", medium: "Normal", low: "Low" } as const;
const subtypes = { call: "Call", email: "Email", todo: "Task" } as const;

/**
 * A task is made with these fields; `update.ts` touches some of them again, where they are still as we wrote them. The due date is the UTC date of `dueAt`: a session does
 * not know the org's zone, and the reminder carries the exact instant. `TaskSubtype` can be set at creation only, so a
 * repeated upsert must leave it out.
 */
export function taskValues(task: CrmTask, who: string, without: readonly Droppable[]): Values {
  const due = new Date(task.dueAt).toISOString();
  const values: Record<string, string | boolean> = {
    WhoId: who,
    Subject: clip(task.subject.replaceAll(/\s+/gu, " ").trim() || "(no subject)", 255),
    Description: clip(task.body, 32_000),
    ActivityDate: due.slice(0, 10),
    Status: "Not Started",
    Priority: priorities[task.priority],
    TaskSubtype: subtypes[task.type],
    IsReminderSet: true,
    ReminderDateTime: due,
  };
  if (task.ownerId !== undefined) {
    values.OwnerId = task.ownerId;
  }
  for (const field of without) {
    delete values[field];
  }
  return values;
}

/** `LastName` and `Company` are required on a Lead; where Baton does not know them it says so. */
export function leadValues(person: CrmPerson): Values {
  const values: Record<string, string> = {
    LastName: clip(person.lastName?.trim() || "(unknown)", 80),
    Company: clip(person.company?.trim() || "(unknown)", 255),
  };
  const rest = [
    ["FirstName", person.firstName, 40],
    ["Title", person.jobTitle, 128],
    ["Phone", person.phone, 40],
  ] as const;
  for (const [field, value, max] of rest) {
    if (value !== undefined && value.trim() !== "") {
      values[field] = clip(value.trim(), max);
    }
  }
  if (person.email !== undefined && person.email.length <= 80) {
    values.Email = person.email;
  }
  return values;
}

/* ----------------------------------------------------------------------------------------------- requests */

/** 201 made, 200 changed, both `{id, success, errors, created}`. */
export function upsertOne(target: Target, row: Row): CrmRequest {
  return {
    method: "PATCH",
    path: `/sobjects/${target}/${keyField(target)}/${encodeURIComponent(row.key)}`,
    body: row.values,
  };
}

/** Always 200, with an ordered array of results: each row counts for itself. */
export function upsertMany(target: Target, rows: readonly Row[]): CrmRequest {
  const field = keyField(target);
  const records = rows.map((row) => ({ attributes: { type: target }, [field]: row.key, ...row.values }));
  return { method: "PATCH", path: `/composite/sobjects/${target}/${field}`, body: { allOrNone: false, records } };
}

/** By id; answers like `upsertMany`, without `created`. */
export function updateMany(
  target: Target,
  rows: readonly { readonly id: string; readonly values: Values }[],
): CrmRequest {
  const records = rows.map((row) => ({ attributes: { type: target }, id: row.id, ...row.values }));
  return { method: "PATCH", path: "/composite/sobjects", body: { allOrNone: false, records } };
}

/** By id, Leads and Contacts side by side. */
export function updatePeople(
  rows: readonly { readonly type: Person; readonly id: string; readonly values: Values }[],
): CrmRequest {
  const records = rows.map(({ type, id, values }) => ({ attributes: { type }, id, ...values }));
  return { method: "PATCH", path: "/composite/sobjects", body: { allOrNone: false, records } };
}

interface Part {
  readonly referenceId: string;
  readonly method: string;
  readonly url: string;
  readonly body?: unknown;
}

function composite(allOrNone: boolean, parts: readonly Part[]): CrmRequest {
  return { method: "POST", path: "/composite", body: { allOrNone, compositeRequest: parts } };
}

/** Of every REST resource, below the address of the org. */
export const root = `/services/data/v${api.version}`;

/**
 * Makes the person and the task in one call. `allOrNone`, so that no task is ever left without its person: from v52 on
 * a reference without a value would silently become null.
 */
export function upsertPair(lead: Row, task: Row): CrmRequest {
  const of = (target: Target, row: Row): Part => ({
    referenceId: target.toLowerCase(),
    method: "PATCH",
    url: root + upsertOne(target, row).path,
    body: row.values,
  });
  return composite(true, [of("Lead", lead), of("Task", task)]);
}

/** How a task that is to follow the pair's lead names it. */
export const pairedWho = "@{lead.id}";

/** False where a text would be taken for a reference of the composite: such a person and task are sent one after the other. */
export function canPair(lead: Row, task: Row): boolean {
  const texts = [...Object.values(lead.values), ...Object.values(task.values)];
  return texts.every((text) => typeof text !== "string" || text === pairedWho || !text.includes("@{"));
}

/** Deleted and archived rows included. In a composite, for its body holds what an address (16,384 bytes) does not. */
export function look(queries: Readonly<Record<string, string>>): CrmRequest {
  return composite(
    false,
    Object.entries(queries).map(([referenceId, soql]) => ({
      referenceId,
      method: "GET",
      url: `${root}/queryAll?q=${encodeURIComponent(soql)}`,
    })),
  );
}

/** Sales Engagement; one target, because an answer of several is 400 as soon as one of them fails. */
export function assignToCadence(salesCadenceNameOrId: string, targetId: string, userId: string): CrmRequest {
  const inputs = [{ salesCadenceNameOrId, targetId, userId }];
  return { method: "POST", path: "/actions/standard/assignTargetToSalesCadence", body: { inputs } };
}

export function query(soql: string): CrmRequest {
  return { method: "GET", path: `/query?q=${encodeURIComponent(soql)}` };
}

export function describe(target: Target | Person): CrmRequest {
  return { method: "GET", path: `/sobjects/${target}/describe` };
}

export function deleteTask(key: string): CrmRequest {
  return { method: "DELETE", path: `/sobjects/Task/${names.taskKey}/${encodeURIComponent(key)}` };
}

/* --------------------------------------------------------------------------------------------------- SOQL */

const oldestFirst = "ORDER BY CreatedDate ASC, Id ASC";
/** Rows of each question in one look for what became one; the rest comes with the next. A page holds 2,000. */
export const joinedRowsMax = 500;
const oldestChange = `ORDER BY SystemModstamp ASC, Id ASC LIMIT ${joinedRowsMax}`;
const contactFields = "Id, Email, IsDeleted, MasterRecordId";
const leadFields = `Id, Email, ${names.leadKey}, IsConverted, ConvertedContactId, IsDeleted, MasterRecordId`;

const seenFields =
  "Id, Subject, ActivityDate, Priority, OwnerId, CreatedById, LastModifiedDate, IsClosed, CompletedDateTime, IsDeleted";

export const soql = {
  contactsByEmail: (emails: readonly string[]): string =>
    `SELECT ${contactFields} FROM Contact WHERE Email IN ${inList(emails)} ${oldestFirst}`,
  leadsByKeyOrEmail(keys: readonly string[], emails: readonly string[]): string {
    const byEmail = emails.length === 0 ? "" : ` OR Email IN ${inList(emails)}`;
    return `SELECT ${leadFields} FROM Lead WHERE ${names.leadKey} IN ${inList(keys)}${byEmail} ${oldestFirst}`;
  },
  contactsOwned: (ids: readonly string[], emails: readonly string[]): string =>
    `SELECT ${contactFields}, OwnerId, CreatedById, AccountId FROM Contact WHERE ${anyOf({ Id: ids, Email: emails })} ${oldestFirst}`,
  leadsOwned: (keys: readonly string[], ids: readonly string[], emails: readonly string[]): string =>
    `SELECT ${leadFields}, OwnerId, CreatedById FROM Lead WHERE ${anyOf({ [names.leadKey]: keys, Id: ids, Email: emails })} ${oldestFirst}`,
  accountsOwned: (ids: readonly string[]): string =>
    `SELECT Id, OwnerId, CreatedById FROM Account WHERE Id IN ${inList(ids)}`,
  contactsById: (ids: readonly string[]): string => `SELECT ${contactFields} FROM Contact WHERE Id IN ${inList(ids)}`,
  leadsById: (ids: readonly string[]): string => `SELECT ${leadFields} FROM Lead WHERE Id IN ${inList(ids)}`,
  /** What stands in our own fields, and where the record has gone. */
  peopleShown(type: Person, ids: readonly string[], fields: readonly string[]): string {
    const gone = type === "Lead" ? "IsConverted, ConvertedContactId, " : "";
    const own = fields.map((field) => `, ${field}`).join("");
    return `SELECT Id, ${gone}IsDeleted, MasterRecordId${own} FROM ${type} WHERE Id IN ${inList(ids)}`;
  },
  /** Leads that became contacts, oldest change first. */
  leadsConverted: (after: string): string =>
    `SELECT Id, ConvertedContactId, ConvertedAccountId, SystemModstamp FROM Lead WHERE IsConverted = true AND ConvertedContactId != null AND SystemModstamp > ${after} ${oldestChange}`,
  /** Rows that a merge has deleted: those that name the one that stays. */
  mergedAway: (type: Person, after: string): string =>
    `SELECT Id, MasterRecordId, SystemModstamp FROM ${type} WHERE IsDeleted = true AND MasterRecordId != null AND SystemModstamp > ${after} ${oldestChange}`,
  /** Rows that somebody has deleted, no merge, whose field `marked` says something. */
  deleted: (type: Person, marked: string, after: string): string =>
    `SELECT Id, SystemModstamp FROM ${type} WHERE IsDeleted = true AND MasterRecordId = null AND ${marked} != null AND SystemModstamp > ${after} ${oldestChange}`,
  /** What was typed into these fields of records whose field `marked` says something, oldest first. */
  fieldsEdited: (type: Person, fields: readonly string[], marked: string, after: string): string =>
    `SELECT Id, ${type}Id, Field, NewValue, CreatedById, CreatedDate FROM ${type}History WHERE Field IN ${inList(fields)} AND ${type}.${marked} != null AND CreatedDate > ${after} ${oldestFirst} LIMIT ${joinedRowsMax}`,
  cadenceTrackers: (people: readonly string[]): string =>
    `SELECT Id, TargetId, ActionCadenceId, State, CreatedDate FROM ActionCadenceTracker WHERE TargetId IN ${inList(people)} AND IsDeleted = false`,
  cadencesNamed: (cadences: readonly string[]): string =>
    `SELECT Id, Name FROM ActionCadence WHERE Name IN ${inList(cadences)}`,
  tasksByKey: (keys: readonly string[]): string =>
    `SELECT Id, ${names.taskKey}, WhoId, IsDeleted FROM Task WHERE ${names.taskKey} IN ${inList(keys)}`,
  tasksById: (ids: readonly string[]): string =>
    `SELECT Id, WhoId, IsClosed, IsDeleted, Description FROM Task WHERE Id IN ${inList(ids)}`,
  tasksToUpdate: (ids: readonly string[]): string =>
    `SELECT Id, WhoId, Subject, Description, ActivityDate, IsReminderSet, ReminderDateTime, Priority, OwnerId, CreatedById, LastModifiedById, IsClosed, IsDeleted FROM Task WHERE Id IN ${inList(ids)}`,
  tasksSeen(ids: readonly string[], after: string | null): string {
    const since = after === null ? "" : ` AND SystemModstamp > ${after}`;
    return `SELECT ${seenFields} FROM Task WHERE Id IN ${inList(ids)}${since}`;
  },
  /** All tasks that carry our key, oldest change first, so that a page that fails is asked for again from there. */
  tasksChanged: (after: string): string =>
    `SELECT ${seenFields} FROM Task WHERE ${names.taskKey} != null AND SystemModstamp > ${after} ORDER BY SystemModstamp ASC, Id ASC`,
  /** Which words an org uses for the states of a task is its own affair. */
  taskStatuses: "SELECT ApiName, IsClosed FROM TaskStatus ORDER BY SortOrder ASC",
  owners: "SELECT Id, Email FROM User WHERE IsActive = true AND UserType = 'Standard' ORDER BY Id ASC",
  organization: "SELECT Id, TimeZoneSidKey FROM Organization LIMIT 1",
} as const;

/** One of these fields holds one of its values. */
function anyOf(values: Readonly<Record<string, readonly string[]>>): string {
  const parts = Object.entries(values).filter(([, some]) => some.length > 0);
  return parts.map(([field, some]) => `${field} IN ${inList(some)}`).join(" OR ");
}
