/**
 * The key by which the card of one Salesforce connection proves itself: an administrator puts it into the customer's Named
 * Credential. It is derived from the master key, the workspace, the connection and a generation, so that nothing but the number of
 * the generation is stored; a new generation is a new key. The one before serves for a day more, until the credential is changed. Pure.
 */
import { deriveKey, nodeName, sameText } from "../crypto.ts";

export interface Generation {
  readonly generation: number;
  /** Epoch ms; 0 where it is the first one. */
  readonly rotated_at: number;
}

export const firstGeneration: Generation = { generation: 1, rotated_at: 0 };
export const graceMs = 86_400_000;

/** `connection`: name of the account object. */
export function cardKey(masterKey: string, workspace: string, connection: string, generation: number): string {
  const key = deriveKey(masterKey, "card-keys", workspace);
  return `ck_${nodeName(key, workspace, "card-key", `${generation}|${connection}`).slice(workspace.length + 1)}`;
}

export function isCardKey(
  masterKey: string,
  workspace: string,
  connection: string,
  { generation, rotated_at }: Generation,
  given: string,
  now: number,
): boolean {
  const current = sameText(cardKey(masterKey, workspace, connection, generation), given);
  const before = sameText(cardKey(masterKey, workspace, connection, generation - 1), given);
  return current || (before && generation > 1 && now - rotated_at < graceMs);
}
