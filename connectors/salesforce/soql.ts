/**
 * Pure. Values on their way into SOQL and into fields. A value never reaches a statement except through `literal`.
 * Escapes: SOQL and SOSL Reference, "Quoted String Escape Sequences", checked 2026-10.
 */

const escapes: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "'": "\\'",
  '"': '\\"',
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\b": "\\b",
  "\f": "\\f",
};

/** A quoted string. Control characters without an escape of their own cannot occur in a stored value: they become spaces. */
export function literal(value: string): string {
  const escaped = value.replaceAll(/[\\'"\p{Cc}]/gu, (character) => escapes[character] ?? " ");
  return `'${escaped}'`;
}

export function inList(values: readonly string[]): string {
  return `(${values.map(literal).join(", ")})`;
}

/** The first `max` UTF-16 units, never half of a surrogate pair. */
export function clip(text: string, max: number): string {
  if (text.length <= max) {
    return text;
  }
  const cut = text.slice(0, max);
  return /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
}
