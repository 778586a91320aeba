/**
 * What holds of a lead's field that several systems have told, under its rule. A CRM's word counts as a person's: who of those in there
 * wrote it, nobody can be sure of. Pure.
 */
import type { FieldValue } from "../../model.ts";
import { answerSystem, type Change, type Current, ruled } from "./current.ts";
import type { FieldOwnership } from "./policy.ts";

/** Undefined where nobody who counts has said anything. */
export function heldOf(ownership: FieldOwnership, said: FieldValue): Current | undefined {
  const { others = [], ...newest } = said;
  return ruled(ownership, [newest, ...others].map(changeOf));
}

function changeOf({ value, source, crm, at, key }: FieldValue): Change {
  const isPerson = crm !== undefined || source === answerSystem;
  return { value, system: crm ?? source, actor: isPerson ? "person" : "system", at, key };
}
