/** `Authorization: Bearer <secret>` (RFC 6750). A token in the address is not taken: addresses end up in logs. */
import { fail, ok, type Result, refused } from "../../src/failure.ts";
import type { Delivery } from "../contract.ts";
import { authorization, sameSecret, usableSecrets } from "../signature.ts";

export function verify(delivery: Delivery, secrets: readonly string[]): Result<true> {
  const usable = usableSecrets(secrets);
  if (usable.length === 0) return fail(refused("secret_missing"));
  const token = authorization(delivery.headers, "bearer");
  if (token === undefined) return fail(refused("token_missing"));
  return usable.some((secret) => sameSecret(secret, token)) ? ok(true) : fail(refused("token_mismatch"));
}
