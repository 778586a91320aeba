/** Where somebody came from, and the click ids that prove it. Pure. */
import type { Attribution, Identifier } from "../src/model.ts";
import { firstText, type JsonRecord, textOf } from "./body.ts";

/** One click is one person's: Google (gclid, gbraid, wbraid, dclid), Meta, LinkedIn, Microsoft, TikTok, X. */
export const clickIds = [
  "gclid",
  "gbraid",
  "wbraid",
  "dclid",
  "fbclid",
  "li_fat_id",
  "msclkid",
  "ttclid",
  "twclid",
] as const;

const utmNames = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"] as const;
const valueLengthMax = 300;

export interface Arrival {
  readonly attribution: Attribution;
  readonly identifiers: readonly Identifier[];
}

const nowhere: Arrival = { attribution: {}, identifiers: [] };

/**
 * Reads the address of the page that somebody landed on. The query is used and then dropped: it may hold anything, an
 * e-mail address included, and `landing_page` is shown to people.
 */
export function arrivalOf(page: string | undefined, referrer?: string): Arrival {
  if (page === undefined && referrer === undefined) return nowhere;
  const attribution: Record<string, string> = {};
  const identifiers: Identifier[] = [];
  const question = page?.indexOf("?") ?? -1;
  if (page !== undefined && question !== -1 && /utm_|clid|li_fat_id|braid/i.test(page)) {
    const query = new URLSearchParams(page.slice(question + 1).replace(/#.*$/s, ""));
    collect((name) => query.get(name) ?? undefined, attribution, identifiers);
  }
  const landing = withoutQuery(page);
  if (landing !== undefined) attribution.landing_page = landing;
  const from = withoutQuery(referrer);
  if (from !== undefined) attribution.referrer = from;
  return { attribution, identifiers };
}

/** The same names as plain fields: hidden fields of a form, or an `attribution` object. */
export function arrivalOfFields(fields: JsonRecord): Arrival {
  const attribution: Record<string, string> = {};
  const identifiers: Identifier[] = [];
  collect((name) => (Object.hasOwn(fields, name) ? textOf(fields[name]) : undefined), attribution, identifiers);
  const landing = withoutQuery(firstText(fields, "landing_page", "page_url", "page"));
  if (landing !== undefined) attribution.landing_page = landing;
  const referrer = withoutQuery(firstText(fields, "referrer", "referer"));
  if (referrer !== undefined) attribution.referrer = referrer;
  return { attribution, identifiers };
}

function collect(
  read: (name: string) => string | undefined,
  attribution: Record<string, string>,
  identifiers: Identifier[],
): void {
  for (const name of utmNames) {
    const value = read(name)?.trim().slice(0, valueLengthMax);
    if (value !== undefined && value !== "") attribution[name] = value.toWellFormed();
  }
  for (const type of clickIds) {
    const value = read(type)?.trim();
    if (value !== undefined && value !== "") identifiers.push({ type, value });
  }
}

function withoutQuery(address: string | undefined): string | undefined {
  const bare = address
    ?.trim()
    .replace(/[?#].*$/s, "")
    .slice(0, valueLengthMax)
    .toWellFormed();
  return bare === undefined || bare === "" ? undefined : bare;
}
