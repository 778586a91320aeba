/** Signature v3 only: v1 and v2 sign no time, and believing them would be a downgrade. The scheme stands in `../signature.ts`. */
import { fail, type Result, refused } from "../../../src/failure.ts";
import type { Delivery } from "../../contract.ts";
import { usableSecrets } from "../../signature.ts";
import { signatureHeader, timestampHeader, verifyV3 } from "../signature.ts";

export function verify(delivery: Delivery, secrets: readonly string[], now: number): Result<true> {
  const usable = usableSecrets(secrets);
  if (usable.length === 0) return fail(refused("secret_missing"));
  const signature = delivery.headers[signatureHeader];
  const timestamp = delivery.headers[timestampHeader];
  if (signature === undefined || timestamp === undefined) return fail(refused("signature_missing"));
  const { method, url, body } = delivery;
  return verifyV3(usable, { method, uri: url, body, timestamp, signature }, now);
}
