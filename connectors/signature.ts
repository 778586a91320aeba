/**
 * What the connectors need to tell a genuine delivery from a forged one. Pure; `node:crypto` is synchronous in workerd too
 * (`nodejs_compat`), so a verification costs no extra turn. Everything works on the bytes as received: a body that was
 * parsed and written again no longer carries its signature (EMITTERS §1).
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { fail, ok, type Result, refused } from "../src/failure.ts";

type Part = string | Uint8Array;

export function hmacHex(algorithm: "sha1" | "sha256", key: Part, ...parts: readonly Part[]): string {
  return mac(algorithm, key, parts).digest("hex");
}

export function hmacBase64(algorithm: "sha1" | "sha256", key: Part, ...parts: readonly Part[]): string {
  return mac(algorithm, key, parts).digest("base64");
}

function mac(algorithm: string, key: Part, parts: readonly Part[]) {
  const hmac = createHmac(algorithm, key);
  for (const part of parts) hmac.update(part);
  return hmac;
}

/** Constant time for texts of equal length. The length of a signature is public, so unequal lengths may answer at once. */
export function sameSignature(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}

/** For plain shared secrets, whose length is not public: digests are compared. */
export function sameSecret(left: string, right: string): boolean {
  return timingSafeEqual(createHash("sha256").update(left).digest(), createHash("sha256").update(right).digest());
}

/** An empty secret would make every forgery valid: HMAC takes an empty key without a murmur. */
export function usableSecrets(secrets: readonly string[]): readonly string[] {
  return secrets.filter((secret) => typeof secret === "string" && secret.trim().length > 0);
}

/** Several secrets while one rotates, several signatures in one header while the vendor does: any pair may match. */
export function anySignature(
  secrets: readonly string[],
  given: readonly string[],
  sign: (secret: string) => string | undefined,
): Result<true> {
  const usable = usableSecrets(secrets);
  if (usable.length === 0) return fail(refused("secret_missing"));
  if (given.length === 0) return fail(refused("signature_missing"));
  // A header stuffed with thousands of signatures would buy the sender that many comparisons.
  if (given.length > signaturesMax) return fail(refused("signatures_too_many"));
  for (const secret of usable) {
    const expected = sign(secret);
    if (expected !== undefined && given.some((signature) => sameSignature(signature, expected))) return ok(true);
  }
  return fail(refused("signature_mismatch"));
}

const signaturesMax = 20;

/** Seconds since 1970 as a header says them; digits only, so that `1e9` or `0x..` cannot mean something else elsewhere. */
export function headerSeconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}

/** Whole seconds are compared, as the vendors' own libraries do. `aheadMax: null` = a sender's fast clock is no reason to refuse. */
export function inWindow(
  seconds: number,
  now: number,
  window: { readonly agedMax: number; readonly aheadMax: number | null },
): Result<true> {
  const age = Math.floor(now / 1000) - seconds;
  if (age > window.agedMax) return fail(refused("timestamp_too_old"));
  if (window.aheadMax !== null && -age > window.aheadMax) return fail(refused("timestamp_too_new"));
  return ok(true);
}

/** The token of `Authorization: <scheme> <token>`; the scheme in any case (RFC 9110 §11.1). */
export function authorization(
  headers: Readonly<Record<string, string>>,
  scheme: "basic" | "bearer",
): string | undefined {
  const header = headers.authorization;
  if (header === undefined || header.slice(0, scheme.length + 1).toLowerCase() !== `${scheme} `) return undefined;
  const token = header.slice(scheme.length + 1).trim();
  return token === "" ? undefined : token;
}
