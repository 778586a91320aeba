/** Contacts and tasks one at a time: create, read, change, delete (CRM-FACTS §1.2). `batches.ts` has the batches. */
import { type Answer, invalid, notFound } from "./answers.ts";
import { type ObjectType, objectTypeOf, typeIds } from "./schemas.ts";
import type { Source, TwinRecord } from "./store.ts";
import { appSource, type Call, fields, param, type Twin } from "./twin.ts";
import { validate } from "./validate.ts";

export function createObject(call: Call): Answer {
  const record = createRecord(call.twin, objectTypeOf(param(call, "type")), fields(call.body), appSource(call.twin));
  return { status: 201, body: toWire(record, null) };
}

export function getObject(call: Call): Answer {
  const record = find(call);
  const wire = toWire(record, namesOf(call.query, "properties"));
  const withHistory = namesOf(call.query, "propertiesWithHistory");
  if (withHistory.length > 0) wire.propertiesWithHistory = historyOf(record, withHistory);
  const wanted = namesOf(call.query, "associations");
  if (wanted.length > 0) wire.associations = associationsOf(call.twin, record, wanted.map(objectTypeOf));
  return { status: 200, body: wire };
}

export function listObjects(call: Call): Answer {
  const type = objectTypeOf(param(call, "type"));
  const archived = call.query.get("archived") === "true";
  const limit = Math.min(Number(call.query.get("limit") ?? 10), 100);
  const after = Number(call.query.get("after") ?? 0);
  const records = [...call.twin.store.all(type)].filter(
    (record) => (record.archivedAt !== null) === archived && record.mergedInto === null,
  );
  const page = records.slice(after, after + limit);
  const names = namesOf(call.query, "properties");
  const next = after + limit < records.length ? { paging: { next: { after: String(after + limit) } } } : {};
  return { status: 200, body: { results: page.map((record) => toWire(record, names)), ...next } };
}

export function updateObject(call: Call): Answer {
  const record = find(call);
  changeRecord(call.twin, record, fields(call.body).properties, appSource(call.twin));
  return { status: 200, body: toWire(record, null) };
}

export function archiveObject(call: Call): Answer {
  const record = call.twin.store.live(objectTypeOf(param(call, "type")), param(call, "id"));
  if (record !== undefined) call.twin.store.archive(record, appSource(call.twin));
  return { status: 204 };
}

export function mergeContacts(call: Call): Answer {
  const body = fields(call.body);
  const [primary, other] = [body.primaryObjectId, body.objectIdToMerge].map((id) =>
    call.twin.store.live("contacts", String(id)),
  );
  if (primary === undefined || other === undefined || primary === other) throw notFound("Contact to merge not found");
  return { status: 200, body: toWire(call.twin.store.merge(primary, other, appSource(call.twin)), null) };
}

/** Checks everything first: a record is written whole, with its links, or not at all. */
export function createRecord(twin: Twin, type: ObjectType, input: Record<string, unknown>, source: Source): TwinRecord {
  const { properties, links } = checkNew(twin, type, input);
  const record = twin.store.create(type, properties, source);
  for (const other of links) twin.store.link(record, other);
  return record;
}

/** Everything a new record can be refused for. */
export function checkNew(twin: Twin, type: ObjectType, input: Record<string, unknown>) {
  const properties = validate(rulesOf(twin), type, input.properties, null);
  const links = linksOf(twin, type, input.associations);
  twin.store.requireFree(type, properties, null);
  return { properties, links };
}

export function changeRecord(twin: Twin, record: TwinRecord, properties: unknown, source: Source): void {
  twin.store.update(record, validate(rulesOf(twin), record.type, properties, record.properties), source);
}

export function rulesOf(twin: Twin) {
  const ownerIds = new Set(twin.account.owners.filter((owner) => !owner.archived).map((owner) => owner.id));
  return { schemas: twin.schemas, faults: twin.faults.current, ownerIds };
}

/** Refuses what is not a unique property, in HubSpot's words (CRM-FACTS §1.3). */
export function requireKey(twin: Twin, type: ObjectType, idProperty: string): void {
  if (twin.schemas.isKey(type, idProperty)) return;
  const { portalId } = twin.account;
  throw invalid(
    `Unable to perform update/upsert by non-unique ${typeIds[type]} property ${idProperty} in portal ID ${portalId}`,
  );
}

export function toWire(record: TwinRecord, names: readonly string[] | null): Record<string, unknown> {
  return {
    id: record.id,
    properties: pick(record, names),
    createdAt: new Date(record.createdAt).toISOString(),
    updatedAt: new Date(record.updatedAt).toISOString(),
    archived: record.archivedAt !== null,
    ...(record.archivedAt === null ? {} : { archivedAt: new Date(record.archivedAt).toISOString() }),
  };
}

/** Properties are opt-in on reads: a few come by themselves, those asked for come or are null. */
function pick(record: TwinRecord, names: readonly string[] | null): Record<string, string | null> {
  if (names === null) return { ...record.properties };
  const picked: Record<string, string | null> = {};
  for (const name of [...defaults[record.type], ...names]) picked[name] = record.properties[name] ?? null;
  return picked;
}

export function historyOf(record: TwinRecord, names: readonly string[]): Record<string, unknown[]> {
  return Object.fromEntries(
    names.map((name) => [
      name,
      (record.history[name] ?? []).map(({ value, at, source }) => ({
        value,
        timestamp: new Date(at).toISOString(),
        sourceType: source.changeSource,
        sourceId: source.sourceId,
      })),
    ]),
  );
}

function find(call: Call): TwinRecord {
  const type = objectTypeOf(param(call, "type"));
  const id = param(call, "id");
  const { store, schemas } = call.twin;
  const idProperty = call.query.get("idProperty");
  const archived = call.query.get("archived") === "true";
  if (idProperty !== null && !schemas.isKey(type, idProperty)) requireKey(call.twin, type, idProperty);
  const record =
    idProperty === null
      ? archived
        ? store.archived(type, id)
        : store.followed(type, id)
      : archived
        ? store.archivedByUnique(type, idProperty, id)
        : store.byUnique(type, idProperty, id);
  if (record === undefined) throw notFound("Object not found. objectId are usually numeric.");
  return record;
}

function linksOf(twin: Twin, type: ObjectType, associations: unknown): TwinRecord[] {
  if (associations === undefined) return [];
  if (!Array.isArray(associations)) throw invalid("Invalid input JSON: associations must be an array");
  return associations.map((association) => {
    const { to, types } = fields(association);
    const id = String(fields(to).id);
    const [first] = Array.isArray(types) ? types.map(fields) : [];
    const expected = type === "tasks" ? 204 : 203;
    if (first?.associationCategory !== "HUBSPOT_DEFINED" || first.associationTypeId !== expected) {
      throw invalid("One or more association types are not valid");
    }
    // An id that went in a merge is not followed here (CRM-FACTS §3).
    const other = twin.store.live(type === "tasks" ? "contacts" : "tasks", id);
    if (other === undefined) {
      const message = `One or more associations are not valid. ${id} is not valid`;
      throw invalid(message, [{ message, code: "INVALID_ASSOCIATION" }]);
    }
    return other;
  });
}

function associationsOf(twin: Twin, record: TwinRecord, types: readonly ObjectType[]): Record<string, unknown> {
  const lag = twin.faults.current.associationLagMs;
  return Object.fromEntries(
    types.map((type) => {
      const kind = record.type === "tasks" ? "task_to_contact" : "contact_to_task";
      return [type, { results: twin.store.linked(record, type, lag).map((other) => ({ id: other.id, type: kind })) }];
    }),
  );
}

export function namesOf(query: URLSearchParams, name: string): string[] {
  return query
    .getAll(name)
    .flatMap((value) => value.split(","))
    .filter((value) => value !== "");
}

const defaults: Readonly<Record<ObjectType, readonly string[]>> = {
  contacts: ["createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"],
  tasks: ["hs_createdate", "hs_lastmodifieddate", "hs_object_id"],
};
