/** Whether two deliveries under one key say the same. Pure. */
import { canonicalJson } from "../crypto.ts";
import type { Signal } from "../model.ts";

/** Everything but their times must agree: vendors and senders correct clocks on each retry. */
export function sameFact(a: Signal, b: Signal): boolean {
  return canonicalJson(withoutTimes(a)) === canonicalJson(withoutTimes(b));
}

function withoutTimes(signal: Signal): Signal {
  return { ...signal, occurred_at: 0, received_at: 0, properties: { ...signal.properties, clock_off_ms: 0 } };
}
