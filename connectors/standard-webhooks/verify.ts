/**
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 * Svix, whose scheme it was, still sends the same three headers under its own name.
 */
import { fail, type Result, refused } from "../../src/failure.ts";
import type { Delivery } from "../contract.ts";
import { anySignature, headerSeconds, hmacBase64, inWindow } from "../signature.ts";

const toleranceSeconds = 300;

export function verify(delivery: Delivery, secrets: readonly string[], now: number): Result<true> {
  const id = messageId(delivery);
  const timestamp = header(delivery, "timestamp");
  const seconds = headerSeconds(timestamp);
  if (id === undefined || timestamp === undefined) return fail(refused("signature_missing"));
  if (seconds === undefined) return fail(refused("timestamp_invalid"));
  // v1a (asymmetric) and everything unknown is passed over, as the specification asks.
  const signatures = (header(delivery, "signature") ?? "")
    .split(" ")
    .flatMap((one) => (one.startsWith("v1,") ? [one.slice(3)] : []));
  const genuine = anySignature(secrets, signatures, (secret) => {
    const key = keyOf(secret);
    return key === undefined ? undefined : hmacBase64("sha256", key, `${id}.${timestamp}.`, delivery.body);
  });
  return genuine.ok ? inWindow(seconds, now, { agedMax: toleranceSeconds, aheadMax: toleranceSeconds }) : genuine;
}

export function messageId(delivery: Delivery): string | undefined {
  return header(delivery, "id");
}

function header(delivery: Delivery, name: string): string | undefined {
  const value = (delivery.headers[`webhook-${name}`] ?? delivery.headers[`svix-${name}`])?.trim();
  return value === "" ? undefined : value;
}

/** Undefined for what is no base64 or decodes to nothing: an empty key would verify what anybody signed. */
function keyOf(secret: string): Uint8Array | undefined {
  const text = secret.trim().replace(/^whsec_/, "");
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return undefined;
  const key = Buffer.from(text, "base64");
  return key.byteLength === 0 ? undefined : key;
}
