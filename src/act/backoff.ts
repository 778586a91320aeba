/** Delays between attempts. Pure: the spread comes from the key, so equal inputs give equal delays and keys do not march in step. */
import { digest } from "../crypto.ts";

const firstMs = 250;
/** A CRM that fails now and then is asked again within seconds, however unlucky one action is. */
const nowAndThenMs = 8_000;
const nowAndThenAttempts = 20;
/** One that fails for longer is left alone more and more. */
const mostMs = 30 * 60_000;

/**
 * Doubles from a quarter of a second to eight seconds, stays there for a while, and after twenty attempts doubles on to half
 * an hour; each spread over ±25 %. `attempt` counts from 1.
 */
export function backoffMs(key: string, attempt: number): number {
  const early = Math.min(nowAndThenMs, firstMs * 2 ** Math.min(attempt - 1, 10));
  const late = nowAndThenMs * 2 ** Math.min(attempt - nowAndThenAttempts, 20);
  const base = attempt <= nowAndThenAttempts ? early : Math.min(mostMs, late);
  const spread = Number.parseInt(digest(key, String(attempt)).slice(0, 4), 16) / 0xffff;
  return Math.round(base * (0.75 + spread / 2));
}
