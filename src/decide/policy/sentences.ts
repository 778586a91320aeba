/** One change of a policy as a sentence: "Play “speed to lead”: now due in 10 minutes (was 15 minutes)". Pure. */
import type { Condition } from "./condition.ts";
import { levels, type Sustained } from "./scoring.ts";
import { counted, wordsOf, wordsOfSustained, wordsOfTime } from "./words.ts";

export interface Said {
  /** As in `Change`. */
  readonly path: readonly string[];
  readonly before?: unknown;
  readonly after?: unknown;
  /** Set where only the place changed. */
  readonly moved?: { readonly up: boolean; readonly beside: string };
}

/** Longest value that a sentence quotes; the change itself holds it all. */
const quotedMax = 300;
const listedMax = 8;

export function sentenceOf({ path, before, after, moved }: Said): string {
  const { subject, rest } = subjectOf(path);
  if (moved !== undefined)
    return `${subject}: moved ${moved.up ? "up" : "down"}, now ${moved.up ? "above" : "below"} “${moved.beside}”`;
  if (rest.length === 0) {
    if (before === undefined) return `${subject}: added`;
    if (after === undefined) return `${subject}: removed`;
  }
  return `${subject}: ${changeOf(rest, before, after)}`;
}

/** What the first names of a path are called, and how many of them that takes. */
const subjects: readonly (readonly [pattern: string, words: (...names: string[]) => string])[] = [
  ["routes.*", (name) => `Route “${name}”`],
  ["plays.*", (name) => `Play “${name}”`],
  ["kinds.*", (name) => `Kind ${name}`],
  ["other_kinds", () => "Kinds that are not listed"],
  ["tiers.*", (name) => `Tier “${name}”`],
  ["teams.*.members.*", (team, member) => `Team “${team}”, member ${member}`],
  ["teams.*", (name) => `Team “${name}”`],
  ["calendars.*", (name) => `Calendar “${name}”`],
  ["territories.*", (name) => `Territory “${name}”`],
  ["roles.*", (name) => `Role “${name}”`],
  ["raci.*", (name) => `Duty “${name}”`],
  ["exceptions.*", (name) => `Exceptions “${name}”`],
  ["scoring.fit.rules.*", (name) => `Points for fit, rule “${name}”`],
  ["scoring.fit", () => "Points for fit"],
  ["scoring", () => "Score"],
  ...levels.map((level) => [`escalation.${level}`, () => `Level “${level}”`] as const),
  ["escalation", () => "Urgent follow-ups"],
  ["holds.manual.*", (name) => `Hold “${name}”`],
  ["holds.consent.regions.*", (name) => `Consent in “${name}”`],
  ["holds.consent.elsewhere", () => "Consent elsewhere"],
  ["fields.*", (name) => `Field “${name}”`],
  ["identity", () => "Who is one person"],
  ["changes", () => "Changing this policy"],
];

function subjectOf(path: readonly string[]): { readonly subject: string; readonly rest: readonly string[] } {
  for (const [pattern, words] of subjects) {
    const parts = pattern.split(".");
    if (parts.length > path.length || !parts.every((part, index) => part === "*" || part === path[index])) continue;
    const names = path.filter((_, index) => parts[index] === "*");
    return { subject: words(...names), rest: path.slice(parts.length) };
  }
  return { subject: "Policy", rest: path };
}

function changeOf(rest: readonly string[], before: unknown, after: unknown): string {
  const last = rest.at(-1) ?? "";
  if ((last === "intent" || last === "points") && typeof before === "number" && typeof after === "number")
    return `${before} → ${counted(after, "point")}`;
  if (isTexts(before) && isTexts(after)) {
    const change = listChange(before, after);
    if (change !== null) return `${labelOf(rest)} ${change}`;
  }
  const now = spoken(last, after);
  const was = spoken(last, before);
  const verb = timeVerbs[last];
  if (verb !== undefined && now !== null && was !== null) return `${verb} ${now} (was ${was})`;
  const label = labelOf(rest);
  if (now === null) return `${label} removed (was ${was})`;
  if (was === null) return `${label} set to ${now}`;
  return `${label} now ${now} (was ${was})`;
}

const timeVerbs: Readonly<Record<string, string>> = {
  due_in_ms: "now due in",
  cool_down_ms: "now rests after a follow-up for",
  max_age_ms: "now takes signals up to an age of",
  window_ms: "now waits before deciding for",
  sla_ms: "now promises a follow-up within",
  urgent_due_in_ms: "now due in",
};

function labelOf(rest: readonly string[]): string {
  const names = rest.filter((name) => name !== "when" && name !== "where");
  if (names.length === 0) return "condition";
  return names.map((name) => name.replace(/_ms$/, "").replaceAll("_", " ")).join(", ");
}

/** Null: there is nothing. */
function spoken(member: string, value: unknown): string | null {
  if (value === undefined) return null;
  if (value === null) return "none";
  if (typeof value === "number") return member.endsWith("_ms") ? wordsOfTime(value) : String(value);
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "string") return cut(`“${value}”`);
  if (isTexts(value)) return listed(value);
  if (member === "sustained") return wordsOfSustained(value as Sustained);
  if (member === "where" || member === "when") return cut(wordsOf(value as Condition));
  return cut(JSON.stringify(value));
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** Null: the same items in another order. */
function listChange(before: readonly string[], after: readonly string[]): string | null {
  const olds = new Set(before);
  const youngs = new Set(after);
  const added = after.filter((item) => !olds.has(item));
  const removed = before.filter((item) => !youngs.has(item));
  if (added.length === 0 && removed.length === 0) return null;
  return [
    ...(added.length === 0 ? [] : [`added ${listed(added)}`]),
    ...(removed.length === 0 ? [] : [`removed ${listed(removed)}`]),
  ].join("; ");
}

function listed(items: readonly string[]): string {
  if (items.length === 0) return "none";
  const shown = items.slice(0, listedMax).map((item) => `“${item}”`);
  return cut(items.length > listedMax ? `${shown.join(", ")} and ${items.length - listedMax} more` : shown.join(", "));
}

function cut(text: string): string {
  return text.length <= quotedMax ? text : `${text.slice(0, quotedMax)}…`;
}
