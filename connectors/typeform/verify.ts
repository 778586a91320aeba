/** Typeform-Signature: `sha256=` and base64 HMAC-SHA256 of the body with the webhook's secret. Nothing in it says when. */
import type { Result } from "../../src/failure.ts";
import type { Delivery } from "../contract.ts";
import { anySignature, hmacBase64 } from "../signature.ts";

const prefix = "sha256=";

export function verify(delivery: Delivery, secrets: readonly string[]): Result<true> {
  const header = delivery.headers["typeform-signature"]?.trim() ?? "";
  const signatures = header.startsWith(prefix) ? [header.slice(prefix.length)] : [];
  return anySignature(secrets, signatures, (secret) => hmacBase64("sha256", secret, delivery.body));
}
