/** Runs a parsed statement over the store: by index where the condition allows it, else row by row. */
import type { Faults } from "./faults.ts";
import { findField, isObjectName, type ObjectName, pathOf, type Value } from "./fields.ts";
import { withCheck } from "./ids.ts";
import { type RowError, rowError } from "./rules.ts";
import { type Condition, MalformedQuery, parseSoql, type Statement } from "./soql.ts";
import type { Store, Stored } from "./store.ts";

export interface Found {
  readonly records: readonly object[];
  /** For COUNT() the number, else how many rows there are. */
  readonly total: number;
}

export function runQuery(store: Store, source: string, all: boolean, faults: Faults): Found | RowError {
  let statement: Statement;
  try {
    statement = parseSoql(source);
  } catch (error) {
    if (error instanceof MalformedQuery) {
      return rowError("MALFORMED_QUERY", `\n${source.slice(0, 80)}\n^\nERROR at Row:1:Column:1\n${error.message}`);
    }
    throw error;
  }
  const isHidden = statement.object.startsWith("ActionCadence") && !faults.salesEngagement;
  if (!isObjectName(statement.object) || isHidden) {
    return rowError("INVALID_TYPE", `sObject type '${statement.object}' is not supported.`);
  }
  const object = statement.object;
  const named = [
    ...(statement.fields ?? []),
    ...statement.order.map(({ field }) => field),
    ...fieldsIn(statement.where),
  ];
  for (const name of named) {
    const path = pathOf(object, name);
    if (findField(path?.of ?? object, path?.field ?? name, faults.packageMissing) === undefined) {
      return rowError("INVALID_FIELD", `\nERROR at Row:1:Column:8\nNo such column '${name}' on entity '${object}'.`);
    }
  }
  const proper = (name: string): string => findField(object, name, faults.packageMissing)?.name ?? name;
  const valueIn: ValueIn = (row, name) => {
    const path = pathOf(object, name);
    if (path === null) {
      return row.values[proper(name)] ?? null;
    }
    const field = findField(path.of, path.field, faults.packageMissing)?.name ?? path.field;
    return store.get(String(row.values[path.via]))?.values[field] ?? null;
  };
  const candidates = narrow(store, object, statement.where, proper) ?? store.table(object).values();
  const rows: Stored[] = [];
  for (const row of candidates) {
    if ((all || row.values.IsDeleted !== true) && (statement.where === null || holds(row, statement.where, valueIn))) {
      rows.push(row);
    }
  }
  sort(rows, statement, proper);
  const page = rows.slice(statement.offset, statement.limit === null ? undefined : statement.offset + statement.limit);
  if (statement.fields === null) {
    return { records: [], total: page.length };
  }
  const fields = statement.fields.map(proper);
  const records = page.map((row) => ({
    attributes: { type: object, url: `/services/data/v68.0/sobjects/${object}/${row.id}` },
    ...Object.fromEntries(fields.map((field) => [field, row.values[field] ?? null])),
  }));
  return { records, total: page.length };
}

function fieldsIn(condition: Condition | null): readonly string[] {
  switch (condition?.type) {
    case undefined:
      return [];
    case "compare":
    case "in":
      return [condition.field];
    case "not":
      return fieldsIn(condition.part);
    case "and":
    case "or":
      return condition.parts.flatMap(fieldsIn);
  }
}

/** Rows that can hold at all, from an index; null where every row has to be looked at. */
function narrow(
  store: Store,
  object: ObjectName,
  condition: Condition | null,
  proper: (name: string) => string,
): Iterable<Stored> | null {
  switch (condition?.type) {
    case "compare":
      return condition.operator === "=" ? lookUp(store, object, proper(condition.field), [condition.value]) : null;
    case "in":
      return condition.negated ? null : lookUp(store, object, proper(condition.field), condition.values);
    case "and":
      return condition.parts.map((part) => narrow(store, object, part, proper)).find((rows) => rows !== null) ?? null;
    case "or": {
      const parts = condition.parts.map((part) => narrow(store, object, part, proper));
      return parts.every((rows) => rows !== null) ? new Set(parts.flatMap((rows) => [...rows])) : null;
    }
    default:
      return null;
  }
}

function lookUp(store: Store, object: ObjectName, field: string, values: readonly Value[]): Iterable<Stored> | null {
  const found = new Set<Stored>();
  for (const value of values) {
    if (typeof value !== "string") {
      return null;
    }
    if (field === "Id") {
      const row = store.get(value);
      if (row?.object === object) {
        found.add(row);
      }
      continue;
    }
    const rows = store.find(object, field, value);
    if (rows === null) {
      return null;
    }
    for (const row of rows) {
      found.add(row);
    }
  }
  return found;
}

/** The value of a field of this row, or of the row that it names. */
type ValueIn = (row: Stored, name: string) => Value;

function holds(row: Stored, condition: Condition, valueIn: ValueIn): boolean {
  switch (condition.type) {
    case "and":
      return condition.parts.every((part) => holds(row, part, valueIn));
    case "or":
      return condition.parts.some((part) => holds(row, part, valueIn));
    case "not":
      return !holds(row, condition.part, valueIn);
    case "in": {
      const value = valueIn(row, condition.field);
      return condition.values.some((other) => compare(value, other) === 0) !== condition.negated;
    }
    case "compare": {
      const value = valueIn(row, condition.field);
      if (condition.operator === "LIKE") {
        const pattern = String(condition.value)
          .replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")
          .replaceAll("%", ".*")
          .replaceAll("_", ".");
        return typeof value === "string" && new RegExp(`^${pattern}$`, "is").test(value);
      }
      const order = compare(value, condition.value);
      if (condition.operator === "=" || condition.operator === "!=") {
        return (order === 0) === (condition.operator === "=");
      }
      if (value === null || condition.value === null) {
        return false;
      }
      return condition.operator.startsWith("<")
        ? order < 0 || (order === 0 && condition.operator === "<=")
        : order > 0 || (order === 0 && condition.operator === ">=");
    }
  }
}

/** Text is compared without case, except that ids may have 15 or 18 characters; instants by their time. Null stands first. */
function compare(left: Value, right: Value): number {
  if (left === null || right === null) {
    return left === right ? 0 : left === null ? -1 : 1;
  }
  if (typeof left === "string" && typeof right === "string") {
    const instants = isInstant(left) && isInstant(right);
    const [a, b] = instants
      ? [Date.parse(left), Date.parse(right)]
      : [withCheck(left).toLowerCase(), withCheck(right).toLowerCase()];
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

function isInstant(value: string): boolean {
  return /^\d{4}-\d\d-\d\dT/.test(value);
}

function sort(rows: Stored[], statement: Statement, proper: (name: string) => string): void {
  const order = statement.order.map((part) => ({ ...part, field: proper(part.field) }));
  rows.sort((left, right) => {
    for (const { field, descending, nullsLast } of order) {
      const [a, b] = [left.values[field] ?? null, right.values[field] ?? null];
      if (nullsLast && (a === null) !== (b === null)) {
        return a === null ? 1 : -1;
      }
      const result = compare(a, b);
      if (result !== 0) {
        return descending ? -result : result;
      }
    }
    return 0;
  });
}
