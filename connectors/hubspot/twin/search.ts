/** Search as it is: it lags, shows no deleted records, and has its own limits (CRM-FACTS §1.4). Never a guard. */
import { type Answer, invalid } from "./answers.ts";
import { toWire } from "./objects.ts";
import { objectTypeOf } from "./schemas.ts";
import type { TwinRecord } from "./store.ts";
import { type Call, fields, param } from "./twin.ts";

export function searchObjects(call: Call): Answer {
  const type = objectTypeOf(param(call, "type"));
  const body = fields(call.body);
  const groups = readGroups(body);
  const limit = Number(body.limit ?? 10);
  const after = Number(body.after ?? 0);
  if (limit > pageMax) throw invalid(`limit must be at most ${pageMax}`);
  if (after + limit > resultsMax) throw invalid(`Search has a maximum of ${resultsMax} results`);
  const shown: TwinRecord[] = [];
  for (const record of call.twin.store.all(type)) {
    const seen = asIndexed(record, call.at - call.twin.faults.current.searchLagMs);
    if (
      seen !== null &&
      (groups.length === 0 || groups.some((group) => group.every((filter) => matches(seen, filter))))
    ) {
      shown.push(seen);
    }
  }
  const names = Array.isArray(body.properties) ? body.properties.map(String) : [];
  const next = after + limit < shown.length ? { paging: { next: { after: String(after + limit) } } } : {};
  const results = shown.slice(after, after + limit).map((record) => toWire(record, names));
  return { status: 200, body: { total: shown.length, results, ...next } };
}

interface Filter {
  readonly propertyName: string;
  readonly operator: string;
  readonly value?: string;
  readonly values?: readonly string[];
}

/** As the index knows it: not yet, or still as it was before the last change. */
function asIndexed(record: TwinRecord, until: number): TwinRecord | null {
  if (record.archivedAt !== null || record.mergedInto !== null || record.createdAt > until) return null;
  if (record.updatedAt <= until || record.before === null) return record;
  return { ...record, properties: record.before.properties, updatedAt: record.before.updatedAt };
}

function readGroups(body: Record<string, unknown>): Filter[][] {
  if (JSON.stringify(body).length > charactersMax) throw invalid(`A search may have ${charactersMax} characters`);
  const groups = Array.isArray(body.filterGroups) ? body.filterGroups.map(fields) : [];
  const filters = groups.map((group) => (Array.isArray(group.filters) ? (group.filters as Filter[]) : []));
  if (groups.length > groupsMax) throw invalid(`A search may have ${groupsMax} filter groups`);
  if (filters.some((group) => group.length > filtersPerGroupMax))
    throw invalid(`A group may have ${filtersPerGroupMax} filters`);
  if (filters.flat().length > filtersMax) throw invalid(`A search may have ${filtersMax} filters`);
  return filters;
}

function matches(record: TwinRecord, filter: Filter): boolean {
  const actual = record.properties[filter.propertyName];
  const wanted = filter.value ?? "";
  switch (filter.operator) {
    case "EQ":
      return actual?.toLowerCase() === wanted.toLowerCase();
    case "NEQ":
      return actual?.toLowerCase() !== wanted.toLowerCase();
    case "IN":
      return actual !== undefined && (filter.values ?? []).includes(actual);
    case "NOT_IN":
      return actual === undefined || !(filter.values ?? []).includes(actual);
    case "HAS_PROPERTY":
      return actual !== undefined;
    case "NOT_HAS_PROPERTY":
      return actual === undefined;
    case "GT":
      return Number(actual) > Number(wanted);
    case "GTE":
      return Number(actual) >= Number(wanted);
    case "LT":
      return Number(actual) < Number(wanted);
    case "LTE":
      return Number(actual) <= Number(wanted);
    case "CONTAINS_TOKEN":
      return actual?.toLowerCase().includes(wanted.replaceAll("*", "").toLowerCase()) ?? false;
    default:
      throw invalid("Invalid operator in a search filter");
  }
}

const pageMax = 200;
const resultsMax = 10_000;
const groupsMax = 5;
const filtersPerGroupMax = 6;
const filtersMax = 18;
const charactersMax = 3_000;
