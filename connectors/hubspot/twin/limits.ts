/** HubSpot's limits, enforced for real when switched on (CRM-FACTS §1.5): a rolling window per account, one for search. */
import { type Answer, rateLimited } from "./answers.ts";
import type { Faults } from "./faults.ts";

/** `free`: association calls are outside the budget. */
export type Budget = "general" | "search" | "free";

export class Limits {
  #general: number[] = [];
  #searches: number[] = [];
  /** The most requests there were in one window, and how many were refused: what G15 is judged by. */
  peak = 0;
  refused = 0;

  /** A refusal, or null when the request may pass. Counts also while not enforced, so that `peak` can be read. */
  take(budget: Budget, faults: Faults, now: number): Answer | null {
    if (budget === "free") return null;
    const search = budget === "search";
    const windowMs = search ? 1_000 : faults.limitWindowMs;
    const max = search ? faults.searchesPerSecond : faults.limitRequests;
    const window = (search ? this.#searches : this.#general).filter((at) => at > now - windowMs);
    const refuse = faults.enforceLimits && window.length >= max;
    if (!refuse) window.push(now);
    if (search) this.#searches = window;
    else {
      this.#general = window;
      this.peak = Math.max(this.peak, window.length);
    }
    if (!refuse) return null;
    this.refused++;
    const wait = faults.retryAfter ? Math.max(1, Math.ceil(((window[0] ?? now) + windowMs - now) / 1_000)) : null;
    return rateLimited(search ? "SECONDLY" : "TEN_SECONDLY_ROLLING", wait);
  }

  /** Search carries no limit headers. */
  headers(budget: Budget, faults: Faults, now: number): Record<string, string> {
    if (budget !== "general") return {};
    const used = this.#general.filter((at) => at > now - faults.limitWindowMs).length;
    return {
      "X-HubSpot-RateLimit-Max": String(faults.limitRequests),
      "X-HubSpot-RateLimit-Remaining": String(Math.max(0, faults.limitRequests - used)),
      "X-HubSpot-RateLimit-Interval-Milliseconds": String(faults.limitWindowMs),
    };
  }

  clear(): void {
    this.#general = [];
    this.#searches = [];
    this.peak = 0;
    this.refused = 0;
  }
}
