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

const dedupeFile = "dedupe.csv_example_with_true_ids.csv";
const idOf = (row: Record<string, string>, at: number): string => row.unique_id ?? row.Id ?? String(at);

/** Empty when the fixtures are not beside the repository. */
export function datasets(): Dataset[] {
  if (!existsSync(identityFolder)) return [];
  return [
    ...[1, 2, 3].map((n) => febrl(n, febrlFields, "all fields")),
    ...[1, 2, 3].map((n) => febrl(n, febrlWeakFields, "weak fields")),
    load(
      "splink fake_1000",
      join(identityFolder, "splink.fake_1000.csv"),
      splinkFields,
      idOf,
      (row) => row.cluster ?? "",
    ),
    load("dedupe csv_example", join(identityFolder, dedupeFile), dedupeFields, idOf, (row) => row["True Id"] ?? ""),
  ];
}

function febrl(n: number, fields: readonly Field[], which: string): Dataset {
  return febrlFile(`febrl ${n}, ${which}`, join(identityFolder, `febrl.dataset${n}.csv`), fields);
}

/** Any file in Febrl's form: `rec_id` as rec-N-org and rec-N-dup-M, N being the person. */
export function febrlFile(name: string, path: string, fields: readonly Field[]): Dataset {
  // The id becomes a running number: Febrl's own says who is whose duplicate.
  return load(
    name,
    path,
    fields,
    (_, at) => String(at),
    (row) => row.rec_id?.split("-")[1] ?? "",
  );
}

function load(
  name: string,
  path: string,
  fields: readonly Field[],
  id: (row: Record<string, string>, at: number) => string,
  entity: (row: Record<string, string>) => string,
): Dataset {
  const rows = parseCsv(readFileSync(path, "utf8"));
  const values = (row: Record<string, string>): Record<string, string | null> =>
    Object.fromEntries(fields.map((field) => [field.name, row[field.name] ?? null]));
  return {
    name,
    fields,
    records: rows.map((row, at) => ({ id: id(row, at), values: values(row) })),
    entities: rows.map(entity),
  };
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
