/**
 * Keys, names and seals. Hashes are computed synchronously, so that the pure core may use them and the hot path has no extra
 * turn: by `@noble/hashes`, because `node:crypto` builds a whole stream for each one in workerd. Web Crypto is used where
 * the operation must not be synchronous (AES-GCM).
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/** Hashed at once and not kept: `utf8ToBytes` would copy it and wipe the first one. */
const encoder = new TextEncoder();

/** A key for one purpose of one workspace, derived from the master key: nothing else is ever stored. */
export function deriveKey(masterKey: string, purpose: string, workspace: string): Uint8Array {
  return hmac(sha256, utf8ToBytes(masterKey), utf8ToBytes(`baton/${purpose}/${workspace}`));
}

/**
 * The name of the node of one identifier (DESIGN §6.1): HMAC of the value, never the value, so that an object's name
 * says nothing about a person. 128 bits, hex, behind the workspace.
 */
export function nodeName(key: Uint8Array, workspace: string, type: string, value: string): string {
  const mac = hmac(sha256, key, utf8ToBytes(`${workspace}|${type}|${value}`));
  return `${workspace}/${bytesToHex(mac.subarray(0, 16))}`;
}

/** Short, stable, collision-resistant id of a list of parts. */
export function digest(...parts: readonly string[]): string {
  let text = "";
  for (const part of parts) text += `${part.length}:${part}|`;
  return bytesToHex(sha256(encoder.encode(text)).subarray(0, 12));
}

/** Compares secrets in a time that says nothing about where they differ. */
export function sameText(left: string, right: string): boolean {
  const a = sha256(utf8ToBytes(left));
  const b = sha256(utf8ToBytes(right));
  let difference = 0;
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0);
  return difference === 0;
}

/** JSON with sorted keys: equal documents have equal bytes. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

/** Seals text with AES-GCM under a derived key; `bound` is authenticated with it, so a seal cannot move between rows. */
export async function seal(key: Uint8Array, bound: string, text: string): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const aesKey = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
  const additionalData = new TextEncoder().encode(bound);
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData },
    aesKey,
    new TextEncoder().encode(text),
  );
  return `v1.${toBase64(iv)}.${toBase64(new Uint8Array(sealed))}`;
}

/** Throws when the seal is broken, was made for another `bound`, or under another key: that is never an expected case. */
export async function unseal(key: Uint8Array, bound: string, sealed: string): Promise<string> {
  const [version, iv, body] = sealed.split(".");
  if (version !== "v1" || iv === undefined || body === undefined) throw new Error("not a seal of this engine");
  const aesKey = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  const additionalData = new TextEncoder().encode(bound);
  const text = await crypto.subtle.decrypt(
    { name: "AES-GCM", iv: fromBase64(iv), additionalData },
    aesKey,
    fromBase64(body),
  );
  return new TextDecoder().decode(text);
}

export function randomToken(bytes = 24): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(bytes)));
}

/** PKCE S256 challenge of a verifier (RFC 7636 §4.2). */
export function pkceChallenge(verifier: string): string {
  return toBase64Url(sha256(utf8ToBytes(verifier)));
}

function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
