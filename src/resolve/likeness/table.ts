/**
 * Records as columns of numbered values: a pair is then two small integers per field, a value is made ready once, and equal
 * ones need no comparison. Pure.
 */
import {
  close,
  compare,
  different,
  exact,
  type FieldKind,
  type Prepared,
  prepare,
  silent,
  swapped,
} from "./compare.ts";

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  /** The field whose value people exchange with this one: given and family name, two lines of an address. Say it once. */
  readonly swapsWith?: string;
}

export interface LikenessRecord {
  readonly id: string;
  readonly values: Readonly<Record<string, string | null | undefined>>;
}

export interface Column {
  readonly field: Field;
  /** Number of the value per record, -1 where it is missing. */
  readonly of: Int32Array;
  readonly values: readonly Prepared[];
  /** Column index of the partner in `swapsWith`, or -1. Only the field that declares it carries the level `swapped`. */
  readonly partner: number;
}

export interface Table {
  readonly size: number;
  readonly columns: readonly Column[];
  /** Writes one level per field of the pair into `into`, from `offset`. */
  readonly levelsOf: (a: number, b: number, into: Uint8Array, offset: number) => void;
}

export function tableOf(records: readonly LikenessRecord[], fields: readonly Field[]): Table {
  // Partners share one numbering, so that "is this value that one, in the other field" is a comparison of integers.
  const columns: Column[] = [];
  const numberings = new Map<string, Map<string, number>>();
  const valuesOf = new Map<string, Prepared[]>();
  for (const field of fields) {
    const group = fields.find((other) => other.swapsWith === field.name)?.name ?? field.name;
    const numbers = numberings.get(group) ?? new Map<string, number>();
    const values = valuesOf.get(group) ?? [];
    numberings.set(group, numbers);
    valuesOf.set(group, values);
    const of = Int32Array.from(records, (record) => {
      const prepared = prepare(field.kind, record.values[field.name]);
      if (prepared === null) return -1;
      const known = numbers.get(prepared.text);
      if (known !== undefined) return known;
      numbers.set(prepared.text, values.length);
      return values.push(prepared) - 1;
    });
    columns.push({ field, of, values, partner: fields.findIndex((other) => other.name === field.swapsWith) });
  }

  function level(at: number, x: number, y: number): number {
    if (x < 0 || y < 0) return silent;
    if (x === y) return exact;
    const column = columns[at];
    const [a, b] = [column?.values[x], column?.values[y]];
    return column === undefined || a === undefined || b === undefined ? silent : compare(column.field.kind, a, b);
  }

  return {
    size: records.length,
    columns,
    levelsOf(a, b, into, offset) {
      for (const [at, column] of columns.entries())
        into[offset + at] = level(at, column.of[a] ?? -1, column.of[b] ?? -1);
      for (const [at, column] of columns.entries()) {
        if (column.partner < 0) continue;
        const other = columns[column.partner];
        if (other === undefined) continue;
        const [here, there] = [into[offset + at] ?? silent, into[offset + column.partner] ?? silent];
        if (here < different || there < different || (here === silent && there === silent)) continue;
        const one = level(at, column.of[a] ?? -1, other.of[b] ?? -1);
        const two = level(at, other.of[a] ?? -1, column.of[b] ?? -1);
        // Crosswise both must agree, one of them well; where one is missing, the other has to carry it alone.
        if (Math.min(one, two) > close || Math.max(one, two) === different) continue;
        into[offset + at] = swapped;
        into[offset + column.partner] = silent;
      }
    },
  };
}
