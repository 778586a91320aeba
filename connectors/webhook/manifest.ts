/**
 * An outgoing webhook, as data. Facts: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md 1.0.0, read on
 * 2026-11-23: three headers, `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`, several signatures while a secret rotates; any
 * 2xx is success, 410 switches the address off, anything else is tried again, with `Retry-After` where it is said; no redirects;
 * secrets of 24 to 64 bytes.
 */
import type { DestinationManifest } from "../contract.ts";

export const manifest: DestinationManifest = {
  crm: "webhook",
  batchMax: 1,
  /** Ours: nobody publishes one. */
  budget: { requests: 100, windowMs: 10_000 },
};
