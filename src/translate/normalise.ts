/**
 * One spelling for each way to name a person, a company or an instant, so that equal things compare equal. Pure.
 *
 * Every function gives `undefined` for what it cannot vouch for: a wrong identifier glues strangers together, a missing
 * one only leaves two records apart, and those can still be linked later.
 */
import { type CountryCode, parsePhoneNumberFromString } from "libphonenumber-js/min";
import { getDomain } from "tldts";
import type { Identifier } from "../model.ts";

/** The longest e-mail address in use (RFC 3696 erratum 1690 allows 254; other identifiers get the older 320). */
const emailLengthMax = 254;
const valueLengthMax = 320;

/* ------------------------------------------------------------------------------------------------ identifiers */

/** Types are a closed list where we know the vendor, and open for customers' own ("loyalty_card"). */
const typePattern = /^[a-z][a-z0-9_]{1,39}$/;
const crmType = /^(?:hubspot|salesforce)_[a-z0-9_]+_id$/;
const clickTypes: ReadonlySet<string> = new Set([
  "gclid",
  "gbraid",
  "wbraid",
  "dclid",
  "fbclid",
  "li_fat_id",
  "msclkid",
  "ttclid",
  "twclid",
]);

/**
 * Strength of an identifier type: 0 is the strongest, so an ascending sort puts the strongest first (DESIGN §6.1).
 * CRM ids > user_id > email > phone > vendors' and custom ids > click ids > anonymous_id.
 */
export function rankOf(type: string): number {
  if (crmType.test(type)) return 0;
  if (type === "user_id") return 1;
  if (type === "email") return 2;
  if (type === "phone") return 3;
  if (clickTypes.has(type)) return 5;
  if (type === "anonymous_id") return 6;
  return 4;
}

/**
 * What tools send when they know nobody. An identifier that many strangers share would merge them all into one person,
 * which is the worst thing this engine can do; so the list is generous.
 */
const placeholders: ReadonlySet<string> = new Set([
  ..."null undefined none nil nan n/a na n.a. not_set notset (none) (null) -1 0 unknown anonymous anon guest visitor".split(
    " ",
  ),
  ..."user userid user_id uid id email e-mail mail phone test tester testing demo example sample dummy".split(" "),
  ..."foo bar foobar asdf qwerty abc xyz xxx tbd true false default empty blank string value system".split(" "),
  ..."- -- . .. ? * #".split(" "),
  ...["(not set)", "not set", "not provided", "[object object]", "no email", "no phone"],
]);

/** Unfilled templates: `{{user.id}}`, `${id}`, `%%email%%`, `<userId>`, `[[id]]`, `*|EMAIL|*`. */
const template = /^(?:\{\{?.*\}?\}|\$\{.*\}|%%?[a-z_. ]+%%?|<.*>|\[.*\]|\*\|.*\|\*)$/i;
/** `0000`, `00000000-0000-0000-0000-000000000000` (iOS without advertising id), `----`, `xxxx`. */
const hollow = /^(?:[0-]+|x+)$/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
const control = /[\u0000-\u001f\u007f-\u009f]/;

/** Addresses people type to get past a form. Exact; a whole domain is never blocked here. */
const placeholderEmails: ReadonlySet<string> = new Set(
  `test@test.com test@test.de test@test.test test@email.com test@mail.com test@gmail.com test@example.test a@a.com aa@aa.com a@b.com a@b.co a@a.aa abc@abc.com
   asd@asd.com asdf@asdf.com asd@asd.asd qwe@qwe.com qwerty@qwerty.com x@x.com xx@xx.com xxx@xxx.com foo@bar.com foo@foo.com bar@bar.com
   email@email.com mail@mail.com user@user.com name@name.com name@domain.com email@domain.com user@domain.com me@me.com you@you.com
   none@none.com no@no.com no@email.com noemail@noemail.com na@na.com null@null.com undefined@undefined.com unknown@unknown.com
   anonymous@anonymous.com anon@anon.com guest@guest.com fake@fake.com nobody@nowhere.com example@email.com yourname@email.com`.split(
    /\s+/,
  ),
);

/**
 * The one door for identifiers: type and value in the spelling in which they are compared, or `undefined` for a
 * placeholder, for something out of bounds (1 to 320 characters) or for a type that is no word.
 */
export function normaliseIdentifier(given: Identifier, region?: string): Identifier | undefined {
  const type = given.type.trim().toLowerCase();
  if (!typePattern.test(type)) return undefined;
  const value = given.value.normalize("NFC").trim();
  if (value.length === 0 || value.length > valueLengthMax || control.test(value) || !value.isWellFormed())
    return undefined;
  if (isPlaceholder(value)) return undefined;
  const clean = normaliseValue(type, value, region);
  return clean === undefined ? undefined : { type, value: clean };
}

function isPlaceholder(value: string): boolean {
  return hollow.test(value) || placeholders.has(value.toLowerCase()) || template.test(value);
}

function normaliseValue(type: string, value: string, region: string | undefined): string | undefined {
  if (type === "email") {
    const email = normaliseEmail(value);
    return email === undefined || placeholderEmails.has(email) ? undefined : email;
  }
  if (type === "phone") return phoneIdentifier(value, region);
  if (type.startsWith("salesforce_") && crmType.test(type)) return salesforceId(value);
  if (type.startsWith("hubspot_") && crmType.test(type)) return /^\d{1,20}$/.test(value) ? value : undefined;
  return value;
}

/** Salesforce writes one record as 15 case-sensitive characters or as 18 whose last three repeat the case: one spelling, 18. */
function salesforceId(value: string): string | undefined {
  if (!/^(?:[a-z0-9]{15}|[a-z0-9]{18})$/i.test(value)) return undefined;
  const short = value.slice(0, 15);
  let suffix = "";
  for (let block = 0; block < 3; block++) {
    let bits = 0;
    for (let place = 0; place < 5; place++) if (/[A-Z]/.test(short.charAt(block * 5 + place))) bits |= 1 << place;
    suffix += "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345".charAt(bits);
  }
  // Eighteen characters in a wrong case are repaired by nobody: the case of the first fifteen is then lost.
  return value.length === 18 && value.slice(15).toUpperCase() !== suffix ? undefined : short + suffix;
}

/* ----------------------------------------------------------------------------------------------------- e-mail */

/** Unquoted local part, also with letters beyond ASCII (RFC 6531). Dots only between other characters. */
const localPart =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~\u0080-\u{10ffff}-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~\u0080-\u{10ffff}-]+)*$/u;
/** At least two labels, none longer than 63, the last not all digits (that would be an address, not a name). */
const asciiDomain = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Invisible characters that survive copy and paste and make two equal addresses differ. */
const invisible = /[\u00ad\u200b-\u200f\u2060\ufeff]/g;

/**
 * `" Peter@BÜCHER.example "` → `peter@xn--bcher-kva.example`. Plus signs and dots stay, for this is also the address to
 * write to; which spellings are one mailbox is a provider's rule (`mailbox.ts`). Quoted local parts, comments, address literals and one-label domains are valid
 * by RFC 5321 and never a lead's address, so they are refused.
 */
export function normaliseEmail(given: string): string | undefined {
  const text = given.replace(invisible, "").trim().normalize("NFC").toLowerCase();
  if (text.length > valueLengthMax) return undefined;
  const at = text.lastIndexOf("@");
  if (at < 1 || at !== text.indexOf("@")) return undefined;
  const local = text.slice(0, at);
  if (!localPart.test(local) || utf8Length(local) > 64 || /[\s\u0080-\u009f]/.test(local)) return undefined;
  const domain = asciiHost(text.slice(at + 1));
  if (domain === undefined) return undefined;
  const email = `${local.normalize("NFC")}@${domain}`;
  return email.length > emailLengthMax ? undefined : email;
}

/** Host name in lower-case ASCII. `URL` does IDNA; it only sees names without the characters that would make it parse more. */
function asciiHost(given: string): string | undefined {
  let host = given;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: "is not ASCII"
  if (/[^\u0000-\u007f]/.test(host)) {
    if (/[\s/\\:?#@%[\]<>^|]/.test(host)) return undefined;
    try {
      host = new URL(`http://${host}/`).hostname;
    } catch {
      return undefined;
    }
  }
  return host.length <= 253 && asciiDomain.test(host) ? host : undefined;
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

/* ------------------------------------------------------------------------------------------------------ phone */

/**
 * E.164 (`+16502530000`), or `undefined` when the text is not just one phone number of a possible length. A number without
 * country needs `region` (ISO 3166, e.g. `DE`); guessing one would give the number to somebody else.
 */
export function normalisePhone(given: string, region?: string): string | undefined {
  return parsePhone(given, region)?.number;
}

/** Colleagues share a switchboard: with an extension, the extension is part of who is called (as in RFC 3966). */
function phoneIdentifier(given: string, region: string | undefined): string | undefined {
  const phone = parsePhone(given, region);
  if (phone === undefined) return undefined;
  return phone.extension === undefined ? phone.number : `${phone.number};ext=${phone.extension}`;
}

function parsePhone(
  given: string,
  region: string | undefined,
): { number: string; extension: string | undefined } | undefined {
  const text = given.trim();
  if (text.length < 3 || text.length > 64) return undefined;
  const parsed = parsePhoneNumberFromString(text, {
    extract: false,
    ...(region === undefined || !/^[A-Z]{2}$/.test(region) ? {} : { defaultCountry: region as CountryCode }),
  });
  if (parsed === undefined || !parsed.isPossible() || isHollowNumber(parsed.nationalNumber)) return undefined;
  return { number: parsed.number, extension: parsed.ext };
}

/** `000 000 0000`, `1111111`, `1234567890`: typed to get past a form. */
function isHollowNumber(national: string): boolean {
  return /^(\d)\1+$/.test(national) || "01234567890".startsWith(national) || "1234567890".startsWith(national);
}

/* ----------------------------------------------------------------------------------------------------- domain */

/**
 * The registrable domain of a company from whatever was given: host, address of a page, e-mail address. Private suffixes
 * count (`acme.myshopify.com` is one company, `myshopify.com` is thousands). IP addresses and bare suffixes are none.
 */
export function normaliseDomain(given: string): string | undefined {
  const text = given.replace(invisible, "").trim().toLowerCase();
  if (text.length === 0 || text.length > 2_000) return undefined;
  const hostname = text
    .replace(/^[a-z][a-z0-9+.-]*:\/\//, "")
    .replace(/^\/\//, "")
    .replace(/[/?#].*$/s, "");
  const bare = hostname
    .slice(hostname.lastIndexOf("@") + 1)
    .replace(/:\d*$/, "")
    .replace(/\.$/, "");
  const host = asciiHost(bare);
  if (host === undefined) return undefined;
  return getDomain(host, { allowPrivateDomains: true, extractHostname: false }) ?? undefined;
}

/* ---------------------------------------------------------------------------------------------------- instant */

/** Instants of events lie in this range. Outside it is a placeholder (`0001-01-01`) or a unit we would misread. */
const instantMin = Date.UTC(1970, 0, 2);
const instantMax = Date.UTC(2100, 0, 1);
/** Seconds since 1970 stay below this until 2100 and milliseconds are above it since 1973: the number tells its unit. */
const secondsMax = 1e11;
const numeric = /^\d{8,14}(?:\.\d{1,9})?$/;
/** Month and day of one digit occur in Segment's own documentation (fixtures/segment/http.batch.json). */
const iso =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[t ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?(z|utc|gmt|[+-]\d{2}(?::?\d{2})?)?)?$/i;

/** ISO 8601, epoch seconds or epoch milliseconds → epoch milliseconds. A time without a zone is UTC. */
export function normaliseInstant(given: unknown): number | undefined {
  if (typeof given === "number") return fromNumber(given);
  if (typeof given !== "string") return undefined;
  const text = given.trim();
  if (text.length > 40) return undefined;
  return numeric.test(text) ? fromNumber(Number(text)) : fromIso(text);
}

function fromNumber(value: number): number | undefined {
  // Below 1973 in either unit: far more likely a counter or a date written as digits.
  if (!Number.isFinite(value) || value < 1e8) return undefined;
  return inRange(Math.round(value < secondsMax ? value * 1000 : value));
}

function fromIso(text: string): number | undefined {
  const match = iso.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((group) => Number(match[group] ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || minute > 59 || second > 60) return undefined;
  if (hour > 23 && !(hour === 24 && minute === 0 && second === 0)) return undefined;
  const offset = offsetMinutes(match[8]);
  if (offset === undefined) return undefined;
  const fraction = Number(`${match[7] ?? ""}000`.slice(0, 3));
  return inRange(Date.UTC(year, month - 1, day, hour, minute, second, fraction) - offset * 60_000);
}

function offsetMinutes(zone: string | undefined): number | undefined {
  if (zone === undefined || /^[a-z]/i.test(zone)) return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(":", "") || "0");
  if (hours > 14 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function inRange(instant: number): number | undefined {
  return instant >= instantMin && instant < instantMax ? instant : undefined;
}
