/**
 * How two values of one field agree, as one of a few levels (Fellegi & Sunter 1969 as ordinal agreement, Winkler 1990).
 * The levels are the same for every kind of field; what they are worth is learned per field, so a kind only has to put the
 * more telling agreement on the lower level. Pure.
 */
import { areNicknames } from "./nicknames.ts";
import { editDistance, jaroWinkler, wordOverlap } from "./similarity.ts";

export const levels = ["exact", "nickname", "close", "similar", "swapped", "different"] as const;
export type Level = (typeof levels)[number];
/** Positions in `levels`, for the counting loops. */
export const exact = 0;
export const nickname = 1;
export const close = 2;
export const similar = 3;
export const swapped = 4;
export const different = 5;
/** A value is missing on one side, or already counted by its swapped partner: says nothing for or against. */
export const silent = 6;
export const levelCount = 6;

/**
 * given_name, family_name: one or two words. text: company, street, several words. code: numbers where a typo is one
 * digit (postcode, customer number). date: any order that `Date` users write, kept as digits. category: few values.
 * email, phone, domain: as normalised by `translate/normalise`.
 */
export type FieldKind =
  | "given_name"
  | "family_name"
  | "text"
  | "code"
  | "date"
  | "category"
  | "email"
  | "phone"
  | "domain";

/** A value made ready once: pairs are many, values few. */
export interface Prepared {
  /** Lower case, no accents, single spaces: equal text is the level `exact`. */
  readonly text: string;
  /** Without spaces and punctuation, so that "mac donald" is a typo of "macdonald" and not another name. */
  readonly compact: string;
  readonly words: readonly string[];
}

/** Null for a value that says nothing: empty, or a placeholder people type to get past a form. */
export function prepare(kind: FieldKind, value: string | null | undefined): Prepared | null {
  const plain = (value ?? "")
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/['’]/g, "")
    .replaceAll(kind === "email" || kind === "domain" ? /\s+/g : /[^\p{L}\p{N}]+/gu, " ")
    .trim();
  if (plain === "" || placeholders.has(plain)) return null;
  if (kind === "date" || kind === "phone") {
    const digits = plain.replaceAll(/\D/g, "");
    return digits === "" ? null : { text: digits, compact: digits, words: [digits] };
  }
  return { text: plain, compact: plain.replaceAll(" ", ""), words: plain.split(" ") };
}

const placeholders = new Set(["na", "n a", "none", "null", "unknown", "test", "nil", "undefined"]);

/** The level at which two present values of one kind agree; symmetric. */
export function compare(kind: FieldKind, a: Prepared, b: Prepared): number {
  if (a.text === b.text) return exact;
  switch (kind) {
    case "given_name":
      if (areNicknames(a.text, b.text)) return nickname;
      return compareName(a, b);
    case "family_name":
      return compareName(a, b);
    case "text":
      return compareText(a, b);
    case "code":
    case "category":
      return compareCode(a.compact, b.compact);
    case "date":
      return compareDate(a.compact, b.compact);
    case "email":
      return compareEmail(a.text, b.text);
    case "phone":
      return comparePhone(a.compact, b.compact);
    case "domain":
      return editDistance(a.text, b.text, 1) <= 1 ? close : different;
  }
}

/** One slip of the hand in a name is close, two in a long one; an initial or half the letters in order is similar. */
function compareName(a: Prepared, b: Prepared): number {
  const length = Math.max(a.compact.length, b.compact.length);
  if (editDistance(a.compact, b.compact, 2) <= (length >= 8 ? 2 : 1) && length > 2) return close;
  const initial = a.compact.length === 1 || b.compact.length === 1;
  if (initial && a.compact[0] === b.compact[0]) return similar;
  if (a.words.length + b.words.length > 2 && wordOverlap(a.words, b.words) >= 0.5) return similar;
  // Winkler 1990 finds few errors of typing under 0.88; below it different names of one language begin.
  return jaroWinkler(a.compact, b.compact) >= 0.88 ? similar : different;
}

/** Words of an address or a company: two slips in a long text are close; half the words shared is similar. */
function compareText(a: Prepared, b: Prepared): number {
  const length = Math.max(a.compact.length, b.compact.length);
  const slips = length >= 10 ? 2 : 1;
  if (length > 2 && editDistance(a.compact, b.compact, slips) <= slips) return close;
  if (wordOverlap(a.words, b.words) >= 0.5) return similar;
  return jaroWinkler(a.compact, b.compact) >= 0.9 ? similar : different;
}

function compareCode(a: string, b: string): number {
  const distance = editDistance(a, b, 2);
  if (distance <= 1) return close;
  return distance === 2 && Math.max(a.length, b.length) >= 6 ? similar : different;
}

/** One wrong digit, or day and month exchanged, is close; two of year, month and day kept is similar. Both as yyyymmdd. */
function compareDate(a: string, b: string): number {
  if (editDistance(a, b, 1) <= 1) return close;
  if (a.length !== 8 || b.length !== 8) return different;
  const [yearA, monthA, dayA] = [a.slice(0, 4), a.slice(4, 6), a.slice(6)];
  const [yearB, monthB, dayB] = [b.slice(0, 4), b.slice(4, 6), b.slice(6)];
  if (yearA === yearB && monthA === dayB && dayA === monthB) return close;
  const kept = Number(yearA === yearB) + Number(monthA === monthB) + Number(dayA === dayB);
  return kept >= 2 || editDistance(a, b, 2) <= 2 ? similar : different;
}

/** Two slips anywhere are close; the same mailbox name at another host is similar. The host alone says nothing here. */
function compareEmail(a: string, b: string): number {
  if (editDistance(a, b, 2) <= 2) return close;
  const [mailboxA = ""] = a.split("@");
  const [mailboxB = ""] = b.split("@");
  return mailboxA.length > 3 && editDistance(mailboxA, mailboxB, 1) <= 1 ? similar : different;
}

/** With and without country or area code is close: the last seven digits name the line. */
function comparePhone(a: string, b: string): number {
  if (Math.min(a.length, b.length) >= 7 && (a.endsWith(b.slice(-7)) || b.endsWith(a.slice(-7)))) return close;
  return editDistance(a, b, 1) <= 1 ? close : different;
}
