/**
 * Parsed policies of one isolate, by workspace and version. A version never changes once it is stored, so a copy can never
 * be wrong, only unneeded; the number is bounded.
 */
import type { Policy } from "../decide/policy.ts";

const entriesMax = 500;
const parsed = new Map<string, Policy>();

/**
 * `json` was checked against the schema when it was read from the control database; empty where the caller hopes that it is
 * known here. Null: it is not.
 */
export function policyOf(version: number, workspace: string, json: string): Policy | null {
  const key = `${workspace}@${version}`;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  if (json === "") return null;
  const policy = JSON.parse(json) as Policy;
  if (parsed.size >= entriesMax) parsed.delete(parsed.keys().next().value ?? "");
  parsed.set(key, policy);
  return policy;
}
