/**
 * The write key in the address is proof enough (`keyIsProof`): Segment's API knows no other. Secrets make it stricter:
 * once one is configured, a delivery must carry a signature made with it, or name it as the write key. Whoever routes
 * Segment's own API by write key therefore passes no secrets, or the write key.
 *
 * Segment's docs sign "the JSON-stringified body"; the bytes they send are that string.
 */
import { fail, ok, type Result, refused } from "../../src/failure.ts";
import type { Delivery } from "../contract.ts";
import { anySignature, authorization, hmacHex, sameSecret, usableSecrets } from "../signature.ts";

export function verify(delivery: Delivery, secrets: readonly string[]): Result<true> {
  const usable = usableSecrets(secrets);
  if (usable.length === 0) return ok(true);
  const signature = delivery.headers["x-signature"];
  if (signature !== undefined) {
    const given = [signature.trim().toLowerCase()];
    const whole = anySignature(usable, given, (secret) => hmacHex("sha1", secret, delivery.body));
    const first = whole.ok ? undefined : firstOfBatch(delivery.body);
    return first === undefined ? whole : anySignature(usable, given, (secret) => hmacHex("sha1", secret, first));
  }
  const writeKey = writeKeyOf(delivery.headers);
  if (writeKey === undefined) return fail(refused("signature_missing"));
  return usable.some((secret) => sameSecret(secret, writeKey)) ? ok(true) : fail(refused("write_key_mismatch"));
}

/**
 * Segment's webhook action sends a batch as a list and signs the first event alone (EMITTERS §2). The others then rest on
 * the key in the address, as everything does that Segment sends without a shared secret.
 */
function firstOfBatch(body: Uint8Array): string | undefined {
  if (body[0] !== openingBracket) return undefined;
  try {
    const batch: unknown = JSON.parse(Buffer.from(body).toString("utf8"));
    return Array.isArray(batch) && batch.length > 1 ? JSON.stringify(batch[0]) : undefined;
  } catch {
    return undefined;
  }
}

const openingBracket = 91;

/** `Basic base64("<write key>:")`, with or without the colon, or `Bearer <write key>`. */
export function writeKeyOf(headers: Readonly<Record<string, string>>): string | undefined {
  const basic = authorization(headers, "basic");
  if (basic === undefined) return authorization(headers, "bearer");
  const pair = Buffer.from(basic, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  const key = colon === -1 ? pair : pair.slice(0, colon);
  return key === "" ? undefined : key;
}
