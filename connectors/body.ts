/**
 * Bytes → JSON values we can trust the shape of, if not the content. Pure.
 *
 * `JSON.parse` alone would lose digits of ids beyond 2^53 (Salesforce, Google), hand on lone surrogates that no database
 * takes, and let `__proto__` through to whoever copies keys. One pass over the text before it is parsed also bounds the
 * nesting and the number of members, so that nothing behind this file has to fear recursion or a million keys.
 */
import { fail, ok, quarantined, type Result, refused } from "../src/failure.ts";
import { deliveryBytesMax } from "../src/limits.ts";

const depthMax = 64;
const objectKeysMax = 1_000;
const arrayItemsMax = 20_000;

export type JsonRecord = { readonly [key: string]: unknown };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** `refused` for anything that is not JSON within bounds: the bytes are broken and stay so. */
export function parseBody(body: Uint8Array, bytesMax = deliveryBytesMax): Result<unknown> {
  if (body.byteLength === 0) return fail(refused("body_empty", "The request has no body."));
  if (body.byteLength > bytesMax) return fail(refused("body_too_large", `The body may have ${bytesMax} bytes.`));
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    return fail(refused("body_not_utf8", "The body is not UTF-8."));
  }
  return parseText(text);
}

/** As `parseBody`, for vendors whose deliveries are always one object; another JSON value is a shape we do not know. */
export function parseObject(body: Uint8Array, bytesMax = deliveryBytesMax): Result<JsonRecord> {
  const parsed = parseBody(body, bytesMax);
  if (!parsed.ok) return parsed;
  return isRecord(parsed.value)
    ? ok(parsed.value)
    : fail(quarantined("not_an_object", "The body is JSON, but not an object."));
}

export function parseText(text: string): Result<unknown> {
  const scanned = scan(text);
  if (!scanned.ok) return scanned;
  let value: unknown;
  try {
    value = JSON.parse(scanned.value);
  } catch {
    return fail(refused("body_not_json", "The body is not valid JSON."));
  }
  return ok(suspicious.test(text) ? clean(value) : value);
}

/* ------------------------------------------------------------------------------------- before it is parsed */

const quote = 34;
const backslash = 92;
const integer = /^-?(?:0|[1-9]\d*)$/;
const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Gives the text with every number that JavaScript cannot hold put into quotes; fails when a bound is passed. */
function scan(text: string): Result<string> {
  const members: number[] = [];
  const isObject: boolean[] = [];
  let depth = 0;
  let kept = 0;
  let patched = "";
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === quote) {
      at = closingQuote(text, at);
      if (at === -1) return fail(refused("body_not_json", "The body is not valid JSON."));
    } else if (char === 123 || char === 91) {
      depth += 1;
      if (depth > depthMax)
        return fail(refused("nested_too_deep", `Objects and lists may be nested ${depthMax} deep.`));
      members[depth] = 1;
      isObject[depth] = char === 123;
    } else if (char === 125 || char === 93) {
      depth = Math.max(0, depth - 1);
    } else if (char === 44) {
      const count = (members[depth] ?? 0) + 1;
      members[depth] = count;
      if (depth > 0 && count > (isObject[depth] === true ? objectKeysMax : arrayItemsMax))
        return fail(tooMany(isObject[depth] === true));
    } else if (char === 45 || (char >= 48 && char <= 57)) {
      const end = numberEnd(text, at);
      const literal = text.slice(at, end);
      if (isUnsafe(literal)) {
        patched += `${text.slice(kept, at)}"${literal}"`;
        kept = end;
      }
      at = end - 1;
    }
  }
  return ok(kept === 0 ? text : patched + text.slice(kept));
}

function tooMany(keys: boolean) {
  return keys
    ? refused("too_many_keys", `One object may have ${objectKeysMax} members.`)
    : refused("too_many_items", `One list may have ${arrayItemsMax} items.`);
}

function closingQuote(text: string, opening: number): number {
  let end = text.indexOf('"', opening + 1);
  while (end !== -1) {
    let before = end - 1;
    while (text.charCodeAt(before) === backslash) before -= 1;
    if ((end - before) % 2 === 1) return end;
    end = text.indexOf('"', end + 1);
  }
  return -1;
}

function numberEnd(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length) {
    const char = text.charCodeAt(end);
    // digits + - . e E
    if (!((char >= 48 && char <= 57) || char === 43 || char === 45 || char === 46 || char === 69 || char === 101))
      break;
    end += 1;
  }
  return end;
}

function isUnsafe(literal: string): boolean {
  if (literal.length < 16)
    return /e\+?\d{3}/i.test(literal) && number.test(literal) && !Number.isFinite(Number(literal));
  if (integer.test(literal)) return !Number.isSafeInteger(Number(literal));
  return number.test(literal) && !Number.isFinite(Number(literal));
}

/* --------------------------------------------------------------------------------------- after it is parsed */

/** Only these can hide a lone surrogate, a NUL or `__proto__`; almost no body has one, and the others are left alone. */
const suspicious = /\\u[dD][89a-fA-F]|\\u0000|\\u005[fF]|__proto__/;

/** Lone surrogates and NUL become U+FFFD, `__proto__` members go. Recursion is bounded by `depthMax`. */
function clean(value: unknown): unknown {
  if (typeof value === "string") return cleanText(value);
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => key !== "__proto__");
  return Object.fromEntries(entries.map(([key, item]) => [cleanText(key), clean(item)]));
}

function cleanText(text: string): string {
  return text.toWellFormed().replaceAll("\u0000", "\ufffd");
}

/* -------------------------------------------------------------------------------------------- reading values */

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const nothing: JsonRecord = Object.freeze({});

/** The object at this place, or an empty one. */
export function recordOf(value: unknown): JsonRecord {
  return isRecord(value) ? value : nothing;
}

/** A text, or a number as text (many tools send ids as numbers); trimmed, never empty. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : undefined;
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  return text === "" ? undefined : text;
}

/** The first of several spellings that holds a text. */
export function firstText(record: JsonRecord, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    if (!Object.hasOwn(record, name)) continue;
    const text = textOf(record[name]);
    if (text !== undefined) return text;
  }
  return undefined;
}
