/**
 * How two values of one field agree, as one of a few levels (Fellegi & Sunter 1969 as ordinal agreement, Winkler 1990).
 * The levels are the same for every kind of field; what they are worth is learned per field, so a kind only has to put the
 * more telling agreement on the lower level. Pure.
 */
import { areNicknames } from "./nicknames.ts";
import { bitCount, characterMask, editDistance, jaroWinkler, withinOneEdit, wordOverlap } from "./similarity.ts";

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

export function isName(kind: FieldKind): boolean {
  return kind === "given_name" || kind === "family_name";
}

/** A value made ready once: pairs are many, values few. */
export interface Prepared {
  /** Lower case, no accents, single spaces: equal text is the level `exact`. */
  readonly text: string;
  /** Without spaces and punctuation, so that "mac donald" is a typo of "macdonald" and not another name. */
  readonly compact: string;
  readonly words: readonly string[];
  /** Which characters `compact` holds; see `characterMask`. */
  readonly mask: number;
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
    return digits === "" ? null : prepared(digits);
  }
  return prepared(plain);
}

function prepared(text: string): Prepared {
  const compact = text.replaceAll(" ", "");
  return { text, compact, words: text.split(" "), mask: characterMask(compact) };
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
      return compareCode(a, b);
    case "date":
      return compareDate(a, b);
    case "email":
      return compareEmail(a, b);
    case "phone":
      return comparePhone(a, b);
    case "domain":
      return within(a, b, 1) ? close : different;
  }
}

/** One slip of the hand in a name is close, two in a long one; an initial or most letters in order is similar. */
function compareName(a: Prepared, b: Prepared): number {
  const length = Math.max(a.compact.length, b.compact.length);
  if (length > 2 && within(a, b, length >= 8 ? 2 : 1)) return close;
  const initial = a.compact.length === 1 || b.compact.length === 1;
  if (initial && a.compact[0] === b.compact[0]) return similar;
  if (a.words.length + b.words.length > 2 && wordOverlap(a.words, b.words) >= 0.5) return similar;
  // Winkler 1990 finds few slips of typing under 0.88; below it different names of one language begin.
  return alike(a, b, 0.88) ? similar : different;
}

/** Words of an address or a company: two slips in a long text are close; half the words shared is similar. */
function compareText(a: Prepared, b: Prepared): number {
  const length = Math.max(a.compact.length, b.compact.length);
  if (length > 2 && within(a, b, length >= 10 ? 2 : 1)) return close;
  return wordOverlap(a.words, b.words) >= 0.5 || alike(a, b, 0.9) ? similar : different;
}

function compareCode(a: Prepared, b: Prepared): number {
  if (within(a, b, 1)) return close;
  return Math.max(a.compact.length, b.compact.length) >= 6 && within(a, b, 2) ? similar : different;
}

/** One wrong digit, or day and month exchanged, is close; two of year, month and day kept is similar. As yyyymmdd. */
function compareDate(a: Prepared, b: Prepared): number {
  if (within(a, b, 1)) return close;
  if (a.text.length !== 8 || b.text.length !== 8) return different;
  const [yearA, monthA, dayA] = [a.text.slice(0, 4), a.text.slice(4, 6), a.text.slice(6)];
  const [yearB, monthB, dayB] = [b.text.slice(0, 4), b.text.slice(4, 6), b.text.slice(6)];
  if (yearA === yearB && monthA === dayB && dayA === monthB) return close;
  const kept = Number(yearA === yearB) + Number(monthA === monthB) + Number(dayA === dayB);
  return kept >= 2 || within(a, b, 2) ? similar : different;
}

/** Two slips anywhere are close; the same mailbox name at another host is similar. The host alone says nothing here. */
function compareEmail(a: Prepared, b: Prepared): number {
  if (within(a, b, 2)) return close;
  const [mailboxA = ""] = a.text.split("@");
  const [mailboxB = ""] = b.text.split("@");
  return mailboxA.length > 3 && withinOneEdit(mailboxA, mailboxB) ? similar : different;
}

/** With and without country or area code is close: the last seven digits name the line. */
function comparePhone(a: Prepared, b: Prepared): number {
  const shortest = Math.min(a.text.length, b.text.length);
  if (shortest >= 7 && (a.text.endsWith(b.text.slice(-7)) || b.text.endsWith(a.text.slice(-7)))) return close;
  return within(a, b, 1) ? close : different;
}

function within(a: Prepared, b: Prepared, edits: number): boolean {
  if (bitCount(a.mask ^ b.mask) > 2 * edits) return false;
  return edits === 1 ? withinOneEdit(a.compact, b.compact) : editDistance(a.compact, b.compact, edits) <= edits;
}

/** Jaro–Winkler of at least `bar`, not computed where the characters in common cannot suffice. */
function alike(a: Prepared, b: Prepared, bar: number): boolean {
  const [left, right] = [a.compact.length, b.compact.length];
  const common = Math.min(left - bitCount(a.mask & ~b.mask), right - bitCount(b.mask & ~a.mask));
  const most = (common / left + common / right + 1) / 3;
  return most + 0.4 * (1 - most) >= bar && jaroWinkler(a.compact, b.compact) >= bar;
}
