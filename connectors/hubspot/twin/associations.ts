/** Links between contacts and tasks, v3 and v4 and dated (CRM-FACTS §1.2, §1.4). Outside the request budget. */
import { type Answer, ApiError, batchAnswer, invalid, notFound } from "./answers.ts";
import { namesOf } from "./objects.ts";
import { type ObjectType, objectTypeOf } from "./schemas.ts";
import type { TwinRecord } from "./store.ts";
import { type Call, fields, inputs, param, type Twin } from "./twin.ts";

/** PUT: repeating it is harmless. */
export function associateOne(call: Call): Answer {
  const [from, to] = [objectTypeOf(param(call, "from")), objectTypeOf(param(call, "to"))];
  const one = live(call.twin, from, param(call, "id"));
  const other = live(call.twin, to, param(call, "toId"));
  call.twin.store.link(one, other);
  return batchAnswer(200, call.at, both(one, other));
}

export function dissociateOne(call: Call): Answer {
  const [from, to] = [objectTypeOf(param(call, "from")), objectTypeOf(param(call, "to"))];
  call.twin.store.unlink(live(call.twin, from, param(call, "id")), live(call.twin, to, param(call, "toId")));
  return { status: 204 };
}

export function listAssociations(call: Call): Answer {
  const record = live(call.twin, objectTypeOf(param(call, "from")), param(call, "id"));
  const page = pageOf(call, record, objectTypeOf(param(call, "to")), call.query.get("after") ?? undefined);
  return { status: 200, body: { results: page.to, ...(page.paging === undefined ? {} : { paging: page.paging }) } };
}

export function batchAssociate(call: Call): Answer {
  const [from, to] = [objectTypeOf(param(call, "from")), objectTypeOf(param(call, "to"))];
  const results: unknown[] = [];
  const errors: unknown[] = [];
  for (const [index, input] of inputs(call.body, createMax).entries()) {
    const [fromId, toId] = [String(fields(input.from).id), String(fields(input.to).id)];
    const context = { fromObjectId: [fromId], toObjectId: [toId] };
    try {
      if (call.failRows?.rows.has(index)) throw new ApiError(400, call.failRows.category, "row refused by a fault");
      const [one, other] = [live(call.twin, from, fromId), live(call.twin, to, toId)];
      call.twin.store.link(one, other);
      results.push(...both(one, other));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      errors.push(error.toRow(context));
    }
  }
  return batchAnswer(200, call.at, results, errors);
}

/** A record without links is an error row, and a definite one. */
export function batchReadAssociations(call: Call): Answer {
  const [from, to] = [objectTypeOf(param(call, "from")), objectTypeOf(param(call, "to"))];
  const results: unknown[] = [];
  const errors: unknown[] = [];
  for (const [index, input] of inputs(call.body, readMax).entries()) {
    const id = String(input.id);
    const record = call.twin.store.live(from, id);
    const page = record === undefined ? null : pageOf(call, record, to, input.after as string | undefined);
    if (call.failRows?.rows.has(index)) {
      errors.push(new ApiError(500, call.failRows.category, "internal error").toRow({ fromObjectId: [id] }));
    } else if (page === null || page.to.length === 0) {
      const none = new ApiError(404, "OBJECT_NOT_FOUND", `No ${to} is associated with ${from} ${id}.`, {
        subCategory: "crm.associations.NO_ASSOCIATIONS_FOUND",
      });
      errors.push(none.toRow({ fromObjectId: [id], fromObjectType: [from], toObjectType: [to] }));
    } else results.push({ from: { id }, ...page });
  }
  return batchAnswer(200, call.at, results, errors);
}

function pageOf(call: Call, record: TwinRecord, to: ObjectType, after: string | undefined) {
  const limit = Math.min(Number(namesOf(call.query, "limit")[0] ?? pageMax), pageMax);
  const start = Number(after ?? 0);
  const all = call.twin.store.linked(record, to, call.twin.faults.current.associationLagMs);
  const ends = all.slice(start, start + limit).map((other) => ({
    toObjectId: other.id,
    associationTypes: [
      { category: "HUBSPOT_DEFINED", typeId: record.type === "tasks" ? taskToContact : contactToTask },
    ],
  }));
  const paging = start + limit < all.length ? { next: { after: String(start + limit) } } : undefined;
  return { to: ends, ...(paging === undefined ? {} : { paging }) };
}

function live(twin: Twin, type: ObjectType, id: string): TwinRecord {
  const record = twin.store.live(type, id);
  if (record === undefined) throw notFound(`${type} ${id.replace(/\D/g, "")} does not exist`);
  return record;
}

function both(one: TwinRecord, other: TwinRecord): unknown[] {
  if (one.type === other.type) throw invalid("There is no default association between these object types");
  const spec = (from: TwinRecord) => ({
    associationCategory: "HUBSPOT_DEFINED",
    associationTypeId: from.type === "tasks" ? taskToContact : contactToTask,
  });
  return [
    { from: { id: one.id }, to: { id: other.id }, associationSpec: spec(one) },
    { from: { id: other.id }, to: { id: one.id }, associationSpec: spec(other) },
  ];
}

/** CRM-FACTS §1.2. */
const taskToContact = 204;
const contactToTask = 203;
/** CRM-FACTS §1.4. */
const createMax = 2_000;
const readMax = 1_000;
const pageMax = 500;
