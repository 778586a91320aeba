/**
 * HubSpot's request signature, version 3 (CRM-FACTS §1.8): webhooks, and calls of the card through `hubspot.fetch`. Pure.
 *
 * Base64 of HMAC-SHA256(client secret, METHOD + URI + raw body + timestamp). The documentation has some percent-codes
 * decoded before hashing and HubSpot's own packages decode nothing, so either form is accepted.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { type Failure, fail, ok, type Result, refused } from "../../src/failure.ts";

export const signatureHeader = "x-hubspot-signature-v3";
export const timestampHeader = "x-hubspot-request-timestamp";
/** Older requests are refused. The same the other way round: a clock that far ahead is no clock. */
export const signatureAgeMsMax = 300_000;

export interface SignedRequest {
  readonly method: string;
  /** The whole public address with its query, as received. */
  readonly uri: string;
  readonly body: Uint8Array | string;
  /** Epoch ms as text, as in the header. */
  readonly timestamp: string;
}

export function signV3(secret: string, request: SignedRequest): string {
  const hmac = createHmac("sha256", secret);
  hmac.update(request.method.toUpperCase() + request.uri);
  hmac.update(request.body);
  return hmac.update(request.timestamp).digest("base64");
}

/** Any of `secrets` will do, while one rotates. No secret, or an empty one, is a refusal. */
export function verifyV3(
  secrets: readonly string[],
  request: SignedRequest & { readonly signature: string },
  now: number,
): Result<true, Failure> {
  const usable = secrets.filter((secret) => secret !== "");
  if (usable.length === 0) return fail(refused("no_secret"));
  if (!/^\d{10,16}$/.test(request.timestamp)) return fail(refused("timestamp_unreadable"));
  if (Math.abs(now - Number(request.timestamp)) > signatureAgeMsMax) return fail(refused("timestamp_too_old"));
  let matches = false;
  for (const secret of usable) {
    for (const uri of uriForms(request.uri)) {
      if (same(signV3(secret, { ...request, uri }), request.signature)) matches = true;
    }
  }
  return matches ? ok(true) : fail(refused("signature_mismatch"));
}

/** As received, and with the documented percent-codes decoded. */
export function uriForms(uri: string): readonly string[] {
  const decoded = uri.replace(/%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi, decodeURIComponent);
  return decoded === uri ? [uri] : [uri, decoded];
}

function same(one: string, other: string): boolean {
  const left = Buffer.from(one);
  const right = Buffer.from(other);
  return left.length === right.length && timingSafeEqual(left, right);
}
