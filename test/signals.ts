/** Signals for tests, and seeded chance. People are example.com persons. */
import type { Signal } from "../src/model.ts";

export function signal(part: Partial<Signal> & { readonly id: string }): Signal {
  const emitter = part.emitter ?? "forms";
  return {
    idempotency_key: `${emitter}:${part.id}`,
    workspace: "acme",
    emitter,
    kind: "demo_requested",
    occurred_at: 1_000,
    received_at: 1_000,
    identifiers: [{ type: "email", value: "ada@example.com" }],
    traits: {},
    account: {},
    attribution: {},
    properties: {},
    schema_version: 1,
    ...part,
  };
}

/** Mulberry32: small, fast, and the same everywhere. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function pick<T>(random: () => number, from: readonly [T, ...T[]]): T {
  return from[Math.floor(random() * from.length)] ?? from[0];
}

export function randomSignal(random: () => number, id: string): Signal {
  const day = 86_400_000;
  return signal({
    id,
    emitter: pick(random, ["forms", "product", "billing"]),
    idempotency_key: `x:${id}`,
    kind: pick(random, ["demo_requested", "page_viewed", "product_used", "trial_started"]),
    occurred_at: Math.floor(random() * 5) * 50 * day + Math.floor(random() * 3),
    identifiers: [
      pick(random, [
        { type: "email", value: "ada@example.com" },
        { type: "user_id", value: "u1" },
        { type: "anonymous_id", value: "a1" },
      ]),
    ],
    traits: random() < 0.5 ? { company: pick(random, ["A", "B"]), first_name: pick(random, ["Ada", "Grace"]) } : {},
    account: random() < 0.3 ? { domain: pick(random, ["example.com", "example.org"]) } : {},
    attribution: random() < 0.3 ? { utm_source: pick(random, ["news", "search"]) } : {},
    ...(random() < 0.2 ? { consent: { follow_up: random() < 0.5 } } : {}),
  });
}
