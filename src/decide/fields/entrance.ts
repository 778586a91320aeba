/** What a signal brings for fields that its emitter may not write (policy `fields`): kept with the signal, and not taken for the lead. Pure. */
import type { JsonObject, Signal } from "../../model.ts";
import { type FieldPolicy, mayWrite, ownershipOf } from "./policy.ts";

/** Names of the fields, and the signal without their values; those stay readable in its properties. */
export function withoutForeign(
  policy: FieldPolicy,
  signal: Signal,
): { readonly signal: Signal; readonly foreign: readonly string[] } {
  const foreign = Object.keys(signal.traits).filter((field) => {
    const ownership = ownershipOf(policy, field);
    return ownership !== undefined && !mayWrite(ownership, signal.emitter);
  });
  if (foreign.length === 0) return { signal, foreign };
  const traits: Record<string, string> = {};
  const not_taken: Record<string, string> = {};
  for (const [field, value] of Object.entries(signal.traits))
    (foreign.includes(field) ? not_taken : traits)[field] = value;
  const properties: JsonObject = { ...signal.properties, not_taken };
  return { signal: { ...signal, traits, properties }, foreign };
}
