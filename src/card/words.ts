/** How a card speaks of time, number and people. Pure. */

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** "12 minutes ago"; an instant that is still to come is now. */
export function ago(at: number, now: number): string {
  const past = Math.max(0, now - at);
  if (past < minuteMs) return "just now";
  if (past < hourMs) return count(Math.floor(past / minuteMs), "minute");
  if (past < dayMs) return count(Math.floor(past / hourMs), "hour");
  const days = Math.floor(past / dayMs);
  if (days === 1) return "yesterday";
  if (days < 14) return count(days, "day");
  return days < 60 ? count(Math.floor(days / 7), "week") : count(Math.floor(days / 30), "month");
}

function count(number: number, unit: string): string {
  return `${number} ${unit}${number === 1 ? "" : "s"} ago`;
}

const numbers = ["", "once", "twice", "three", "four", "five", "six", "seven", "eight", "nine"];

/** "three times" */
export function times(number: number): string {
  if (number <= 2) return numbers[number] ?? "";
  return `${numbers[number] ?? number} times`;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `kim.de-vries@example.com` → `Kim De-vries`: CRMs and policies tell addresses only. */
export function nameOf(address: string): string {
  const [local = ""] = address.split("@");
  const parts = local.split(/[._]+/).filter((part) => part !== "");
  return parts.length === 0 ? address : parts.map(capital).join(" ");
}

/** "23 Nov 2026, 14:05 UTC" */
export function minuteOf(at: number): string {
  const [day = "", time = ""] = new Date(at).toISOString().split("T");
  const [year = "", month = "", date = ""] = day.split("-");
  return `${Number(date)} ${months[Number(month) - 1]} ${year}, ${time.slice(0, 5)} UTC`;
}

const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
