/**
 * What the clocks of a place show. Pure, but for one thing that lies outside: the runtime's time zone data, which changes
 * when governments change their minds. Temporal is the only source here; the runtime's own where it has one, else a polyfill
 * (6 KB compressed in this form).
 *
 * Only offsets are asked for. `getTimeZoneTransition` of the polyfill looks at the clock of the machine to know where to stop.
 */
import { create, offsetNanoseconds } from "temporal-polyfill/fns/ZonedDateTime";

export const dayMs = 86_400_000;

/** Letters first: "+02:00" is an offset, not a place whose clocks change. The longest IANA name has 32 characters. */
const zonePattern = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/;
export const zoneLengthMax = 64;

/** Whether the runtime knows this IANA zone ("Europe/Berlin"). About 50 µs the first time a zone is named. */
export function isZone(name: string): boolean {
  if (name.length > zoneLengthMax || !zonePattern.test(name)) return false;
  try {
    offsetAt(name, 0);
    return true;
  } catch {
    return false;
  }
}

/** The zone that a lead's `time_zone` trait names, or null. Never throws. */
export function zoneOf(trait: string | null | undefined): string | null {
  if (trait === null || trait === undefined || trait.length > zoneLengthMax) return null;
  const name = trait.trim();
  return isZone(name) ? name : null;
}

/** Milliseconds by which clocks in the zone are ahead of UTC at an instant. Throws a RangeError for a zone that `isZone` refuses. */
export function offsetAt(zone: string, at: number): number {
  return offsetNanoseconds(create(BigInt(Math.floor(at)) * 1_000_000n, zone)) / 1e6;
}

/** The local date at an instant, "YYYY-MM-DD". */
export function localDate(zone: string, at: number): string {
  return dateOf(Math.floor((at + offsetAt(zone, at)) / dayMs));
}

/** "YYYY-MM-DD" of a day counted from 1970-01-01. */
export function dateOf(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

/** Whether "YYYY-MM-DD" is a date of the calendar: 2026-02-30 is not. */
export function isDate(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && dateOf(Math.floor(at / dayMs)) === text;
}
