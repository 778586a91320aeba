/**
 * One spelling per kind of field. CRMs trim, change case, add a slash or drop a zero; two values that are spelled alike are one
 * value, or every such nicety would travel to and fro between two CRMs for ever. Pure.
 */
import { normaliseEmail, normaliseInstant, normalisePhone } from "../../translate/normalise.ts";

export const fieldKinds = ["text", "choice", "number", "email", "phone", "url", "instant"] as const;
export type FieldKind = (typeof fieldKinds)[number];

/** Decimals in which two numbers can differ: what lies behind is rounding. */
const decimals = 1e6;

export function spelled(kind: FieldKind, given: string): string {
  const text = given.normalize("NFC").trim().replaceAll(/\s+/g, " ");
  switch (kind) {
    case "text":
      return text;
    case "choice":
      return text.toLowerCase().replaceAll(/[\s-]/g, "_");
    case "number":
      return numberOf(text)?.toString() ?? text;
    case "email":
      return normaliseEmail(text) ?? text.toLowerCase();
    case "phone":
      return normalisePhone(text) ?? text.replaceAll(/[\s().-]/g, "");
    case "url":
      return text
        .replace(/^https?:\/\//i, "")
        .replace(/^[^/?#]+/, (host) => host.toLowerCase())
        .replace(/\/$/, "");
    case "instant": {
      // Salesforce keeps whole seconds.
      const instant = normaliseInstant(text);
      return instant === undefined ? text : String(Math.floor(instant / 1_000));
    }
  }
}

/** The number a text means; `undefined` where it means none. */
export function numberOf(text: string): number | undefined {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  // Plus nothing, so that there is one zero.
  return Number.isFinite(number) ? Math.round(number * decimals) / decimals + 0 : undefined;
}
