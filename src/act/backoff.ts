/** Delays between attempts. Pure: the spread comes from the key, so equal inputs give equal delays and keys do not march in step. */
import { digest } from "../crypto.ts";

const firstMs = 250;
const mostMs = 30 * 60_000;

/** Doubles from a quarter of a second to half an hour, each spread over ±25 %. `attempt` counts from 1. */
export function backoffMs(key: string, attempt: number): number {
  const base = Math.min(mostMs, firstMs * 2 ** Math.min(attempt - 1, 20));
  const spread = Number.parseInt(digest(key, String(attempt)).slice(0, 4), 16) / 0xffff;
  return Math.round(base * (0.75 + spread / 2));
}
