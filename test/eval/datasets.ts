/** The published data sets with known duplicates. What says which records belong together is kept apart from the records. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Field, LikenessRecord } from "../../src/resolve/likeness/table.ts";

export interface Dataset {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly records: readonly LikenessRecord[];
  /** The entity of each record, by position. Only the evaluation sees it. */
  readonly entities: readonly string[];
}

export const identityFolder = join(import.meta.dirname, "../../../shared/fixtures/identity");

export const febrlFields: readonly Field[] = [
  { name: "given_name", kind: "given_name" },
  { name: "surname", kind: "family_name", swapsWith: "given_name" },
  { name: "street_number", kind: "code" },
  { name: "address_1", kind: "text" },
  { name: "address_2", kind: "text", swapsWith: "address_1" },
  { name: "suburb", kind: "text" },
  { name: "postcode", kind: "code" },
  { name: "state", kind: "category" },
  { name: "date_of_birth", kind: "date" },
  { name: "soc_sec_id", kind: "code" },
];
export const febrlWeakFields = febrlFields.filter(({ name }) => name !== "date_of_birth" && name !== "soc_sec_id");

const splinkFields: readonly Field[] = [
  { name: "first_name", kind: "given_name" },
  { name: "surname", kind: "family_name", swapsWith: "first_name" },
  { name: "dob", kind: "date" },
  { name: "city", kind: "text" },
  { name: "email", kind: "email" },
];

const dedupeFields: readonly Field[] = [
  { name: "Site name", kind: "text" },
  { name: "Address", kind: "text" },
  { name: "Zip", kind: "code" },
  { name: "Phone", kind: "phone" },
];

/** Empty when the fixtures are not beside the repository. */
export function datasets(): Dataset[] {
  if (!existsSync(identityFolder)) return [];
  return [
    ...[1, 2, 3].map((n) => febrl(n, febrlFields, "all fields")),
    ...[1, 2, 3].map((n) => febrl(n, febrlWeakFields, "weak fields")),
    load("splink fake_1000", "splink.fake_1000.csv", splinkFields, "unique_id", (row) => row.cluster ?? ""),
    load(
      "dedupe csv_example",
      "dedupe.csv_example_with_true_ids.csv",
      dedupeFields,
      "Id",
      (row) => row["True Id"] ?? "",
    ),
  ];
}

function febrl(n: number, fields: readonly Field[], which: string): Dataset {
  const entity = (row: Record<string, string>): string => row.rec_id?.split("-")[1] ?? "";
  return load(`febrl ${n}, ${which}`, `febrl.dataset${n}.csv`, fields, "rec_id", entity);
}

function load(
  name: string,
  file: string,
  fields: readonly Field[],
  id: string,
  entity: (row: Record<string, string>) => string,
): Dataset {
  const rows = parseCsv(readFileSync(join(identityFolder, file), "utf8"));
  const values = (row: Record<string, string>): Record<string, string | null> =>
    Object.fromEntries(fields.map((field) => [field.name, row[field.name] ?? null]));
  // The id is a running number: Febrl's own says who is whose duplicate.
  const records = rows.map((row, at) => ({
    id: id === "rec_id" ? String(at) : (row[id] ?? String(at)),
    values: values(row),
  }));
  return { name, fields, records, entities: rows.map(entity) };
}

/** RFC 4180 with quoted line breaks; blanks around unquoted values are dropped, as Febrl writes ", ". */
export function parseCsv(text: string): Record<string, string>[] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/[ \t]*(?:"((?:[^"]|"")*)"|([^",\r\n]*))[ \t]*(,|\r?\n|$)/g)) {
    rows.at(-1)?.push(quoted === undefined ? (plain ?? "").trim() : quoted.replaceAll('""', '"'));
    if (end !== ",") rows.push([]);
  }
  const [header = [], ...body] = rows.filter((row) => row.length > 1);
  return body.map((row) => Object.fromEntries(header.map((name, at) => [name, row[at] ?? ""])));
}
