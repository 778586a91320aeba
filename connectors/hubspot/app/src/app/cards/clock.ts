/** Instants and durations as people read them, and what is left of a promise. Pure: now is an argument. */
import type { ReadyCard } from "./document.ts";

type Sla = NonNullable<NonNullable<ReadyCard["follow_up"]>["sla"]>;

export interface Left {
  readonly text: string;
  readonly tone: "success" | "info" | "warning" | "danger";
  /** Ms after which the text may have changed; null where it never will. */
  readonly changesAfterMs: number | null;
}

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** The two largest units that say something: `2 d 3 h`, `3 h 5 min`, `4 min 9 s`, `9 s`. */
export function durationText(ms: number): string {
  const whole = Math.floor(Math.abs(ms) / secondMs) * secondMs;
  if (whole >= dayMs) return `${Math.floor(whole / dayMs)} d ${Math.floor((whole % dayMs) / hourMs)} h`;
  if (whole >= hourMs) return `${Math.floor(whole / hourMs)} h ${Math.floor((whole % hourMs) / minuteMs)} min`;
  if (whole >= minuteMs) return `${Math.floor(whole / minuteMs)} min ${Math.floor((whole % minuteMs) / secondMs)} s`;
  return `${Math.floor(whole / secondMs)} s`;
}

/**
 * Counts on the wall's clock towards `due_at`. Where the policy counts business hours, `left_ms` is less than that: it is said
 * beside it as it was when the card was made, for only Baton knows when that clock stands still.
 */
export function leftOf(sla: Sla, madeAtMs: number, nowMs: number): Left {
  if (sla.state === "met") return { text: "The promise was kept.", tone: "success", changesAfterMs: null };
  const dueMs = Date.parse(sla.due_at);
  const left = dueMs - nowMs;
  const changesAfterMs = Math.abs(left) < hourMs ? secondMs : minuteMs / 2;
  if (sla.state === "breached" || left <= 0)
    return { text: `Overdue by ${durationText(left)}.`, tone: "danger", changesAfterMs };
  const worked = Math.abs(dueMs - madeAtMs - sla.left_ms) > minuteMs;
  return {
    text: `${durationText(left)} left${worked ? `, ${durationText(sla.left_ms)} of them business hours` : ""}.`,
    tone: left < hourMs ? "warning" : "info",
    changesAfterMs,
  };
}

/** In the viewer's language and the time zone of their browser. HubSpot writes locales as `en-us`, at times as `en_US`. */
export function instantText(instant: string, locale: string | undefined): string {
  const options = { dateStyle: "medium", timeStyle: "short" } as const;
  const at = new Date(instant);
  try {
    return new Intl.DateTimeFormat(locale?.replace("_", "-"), options).format(at);
  } catch {
    return new Intl.DateTimeFormat("en", options).format(at);
  }
}
