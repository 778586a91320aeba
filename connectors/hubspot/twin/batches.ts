/**
 * Batches of contacts and tasks (CRM-FACTS §1.3, §1.4). Rows that carry `objectWriteTraceId` fail alone, in a 207; without
 * them the first bad row refuses the whole batch and nothing is written.
 */
import { type Answer, ApiError, batchAnswer, invalid, notFound } from "./answers.ts";
import { changeRecord, checkNew, createRecord, historyOf, requireKey, rulesOf, toWire } from "./objects.ts";
import { type ObjectType, objectTypeOf, typeIds } from "./schemas.ts";
import type { TwinRecord } from "./store.ts";
import { appSource, type Call, fields, inputs, param, type Twin } from "./twin.ts";
import { validate } from "./validate.ts";

export function batchCreate(call: Call): Answer {
  const type = objectTypeOf(param(call, "type"));
  return run(call, 201, {
    check: (input) => void checkNew(call.twin, type, input),
    write: (input) => ({ record: createRecord(call.twin, type, input, appSource(call.twin)), isNew: null }),
  });
}

export function batchUpdate(call: Call): Answer {
  const type = objectTypeOf(param(call, "type"));
  const find = (input: Record<string, unknown>): TwinRecord => {
    const record = byInput(call.twin, type, input);
    if (record === undefined)
      throw notFound(
        `Could not get some ${label(type)} objects, they may be deleted or not exist. Check that ids are valid.`,
      );
    return record;
  };
  refuseRepeats(rowsOf(call), "id");
  return run(call, 200, {
    check: (input) => void validate(rulesOf(call.twin), type, input.properties, find(input).properties),
    write: (input) => {
      const record = find(input);
      changeRecord(call.twin, record, input.properties, appSource(call.twin));
      return { record, isNew: null };
    },
  });
}

/** A row cannot carry associations; `hs_object_id` and non-unique properties are refused as keys. */
export function batchUpsert(call: Call): Answer {
  const type = objectTypeOf(param(call, "type"));
  const rows = rowsOf(call);
  for (const input of rows) {
    if (typeof input.idProperty !== "string" || input.idProperty === "")
      throw invalid("idProperty is required for upsert");
    requireKey(call.twin, type, input.idProperty);
    if (typeof input.id !== "string" || input.id === "") throw invalid("id is required for upsert");
  }
  refuseRepeats(rows, "id");
  return run(call, 200, {
    check: (input) => {
      const record = byInput(call.twin, type, input);
      if (record === undefined) checkNew(call.twin, type, { properties: withKey(input) });
      else validate(rulesOf(call.twin), type, input.properties, record.properties);
    },
    write: (input) => {
      const record = byInput(call.twin, type, input);
      if (record !== undefined) {
        changeRecord(call.twin, record, input.properties, appSource(call.twin));
        return { record, isNew: false };
      }
      const made = createRecord(call.twin, type, { properties: withKey(input) }, appSource(call.twin));
      return { record: made, isNew: true };
    },
  });
}

export function batchRead(call: Call): Answer {
  const type = objectTypeOf(param(call, "type"));
  const body = fields(call.body);
  const archived = call.query.get("archived") === "true";
  const idProperty = typeof body.idProperty === "string" ? body.idProperty : null;
  if (idProperty !== null) requireKey(call.twin, type, idProperty);
  const names = Array.isArray(body.properties) ? body.properties.map(String) : [];
  const withHistory = Array.isArray(body.propertiesWithHistory) ? body.propertiesWithHistory.map(String) : [];
  const missing: string[] = [];
  const results: unknown[] = [];
  const rows = inputs(body, rowsMax);
  for (const [index, input] of rows.entries()) {
    const id = String(input.id);
    const record = read(call.twin, type, id, idProperty, archived);
    if (call.failRows?.rows.has(index)) continue;
    if (record === undefined) missing.push(id);
    else {
      const history = withHistory.length > 0 ? { propertiesWithHistory: historyOf(record, withHistory) } : {};
      results.push({ ...toWire(asRead(call, record), names), ...history });
    }
  }
  const what = `Could not get some ${label(type)} objects, they may be deleted or not exist. Check that ids are valid.`;
  const errors = missing.length === 0 ? [] : [notFound(what).toRow({ ids: missing })];
  if (call.failRows !== null) errors.push(new ApiError(500, call.failRows.category, "internal error").toRow({}));
  return batchAnswer(200, call.at, results, errors);
}

export function batchArchive(call: Call): Answer {
  const type = objectTypeOf(param(call, "type"));
  for (const input of inputs(call.body, rowsMax)) {
    const record = call.twin.store.live(type, String(input.id));
    if (record !== undefined) call.twin.store.archive(record, appSource(call.twin));
  }
  return { status: 204 };
}

interface Operation {
  /** Throws what the row would be refused with, and changes nothing. */
  check(input: Record<string, unknown>): void;
  write(input: Record<string, unknown>): { record: TwinRecord; isNew: boolean | null };
}

function run(call: Call, status: number, operation: Operation): Answer {
  const rows = rowsOf(call);
  const faults = call.twin.faults.current;
  const traced = !faults.wholeBatchErrors && rows.every((input) => typeof input.objectWriteTraceId === "string");
  if (!traced) for (const input of rows) operation.check(input);
  const results: unknown[] = [];
  const errors: unknown[] = [];
  for (const [index, input] of rows.entries()) {
    const traceId = traced ? String(input.objectWriteTraceId) : null;
    try {
      if (traceId !== null) failRow(call, index);
      const { record, isNew } = operation.write(input);
      results.push({
        ...toWire(record, null),
        ...(isNew === null ? {} : { new: isNew }),
        ...(traceId === null || faults.hideTraceIds ? {} : { objectWriteTraceId: traceId }),
      });
    } catch (error) {
      if (!(error instanceof ApiError) || traceId === null) throw error;
      errors.push(error.toRow({ objectWriteTraceId: [traceId] }));
    }
  }
  return batchAnswer(status, call.at, results, errors);
}

function failRow(call: Call, index: number): void {
  const { faults } = call.twin;
  if (call.failRows?.rows.has(index)) {
    const { category, code } = call.failRows;
    const message = "row refused by a fault";
    throw new ApiError(400, category, message, code === undefined ? {} : { parts: [{ message, code }] });
  }
  if (faults.strikes(faults.current.rowErrorRate)) {
    throw new ApiError(500, faults.current.rowErrorCategory, "row refused by a fault");
  }
}

function rowsOf(call: Call): Record<string, unknown>[] {
  return inputs(call.body, rowsMax);
}

function refuseRepeats(rows: readonly Record<string, unknown>[], field: string): void {
  const seen = new Set<string>();
  for (const input of rows) {
    const id = String(input[field]).toLowerCase();
    if (seen.has(id)) throw invalid("Duplicate IDs found in batch input. IDs in a batch must be unique");
    seen.add(id);
  }
}

function withKey(input: Record<string, unknown>): Record<string, unknown> {
  const properties = fields(input.properties);
  return { ...properties, [String(input.idProperty)]: input.id };
}

/** Batches do not follow ids that went in a merge (CRM-FACTS §3). */
function byInput(twin: Twin, type: ObjectType, input: Record<string, unknown>): TwinRecord | undefined {
  const id = String(input.id);
  if (input.idProperty === undefined) return twin.store.live(type, id);
  const idProperty = String(input.idProperty);
  requireKey(twin, type, idProperty);
  return twin.store.byUnique(type, idProperty, id);
}

function read(twin: Twin, type: ObjectType, id: string, idProperty: string | null, archived: boolean) {
  const { store } = twin;
  if (idProperty !== null)
    return archived ? store.archivedByUnique(type, idProperty, id) : store.byUnique(type, idProperty, id);
  if (archived) return store.archived(type, id);
  return twin.faults.current.mergedInBatchRead ? store.followed(type, id) : store.live(type, id);
}

/** A replica that has not heard of the last change. */
function asRead({ twin, at }: Call, record: TwinRecord): TwinRecord {
  const isLate = at - record.updatedAt < twin.faults.current.readLagMs;
  return isLate && record.before !== null ? { ...record, ...record.before } : record;
}

function label(type: ObjectType): string {
  return type === "contacts" ? "CONTACT" : `TASK (${typeIds.tasks})`;
}

/** CRM-FACTS §1.4. */
const rowsMax = 100;
