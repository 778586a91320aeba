/** As stripe-node does it: any v1 signature of the header, past times only, and the secret as the whole `whsec_` text. */
import { fail, type Result, refused } from "../../src/failure.ts";
import type { Delivery } from "../contract.ts";
import { anySignature, headerSeconds, hmacHex, inWindow } from "../signature.ts";

const toleranceSeconds = 300;

export function verify(delivery: Delivery, secrets: readonly string[], now: number): Result<true> {
  const header = delivery.headers["stripe-signature"] ?? "";
  let timestamp: string | undefined;
  const signatures: string[] = [];
  for (const item of header.split(",")) {
    const [name, value] = item.trim().split("=", 2);
    if (name === "t") timestamp = value;
    // v0 is Stripe's scheme for test keys; believing it would be a downgrade.
    if (name === "v1" && value !== undefined) signatures.push(value);
  }
  if (timestamp === undefined) return fail(refused("signature_missing"));
  const seconds = headerSeconds(timestamp);
  if (seconds === undefined) return fail(refused("timestamp_invalid"));
  const genuine = anySignature(secrets, signatures, (secret) =>
    hmacHex("sha256", secret, `${timestamp}.`, delivery.body),
  );
  return genuine.ok ? inWindow(seconds, now, { agedMax: toleranceSeconds, aheadMax: null }) : genuine;
}
