/**
 * Webhooks as HubSpot sends them (CRM-FACTS §1.7, §1.8): arrays of up to 100, signed with v3, retried whole until a 2xx,
 * and on request repeated, shuffled, or older than five minutes.
 */
import { createHash } from "node:crypto";
import { signatureHeader, signV3, timestampHeader } from "../signature.ts";
import type { FaultBox } from "./faults.ts";
import type { Change } from "./store.ts";
import type { Account } from "./twin.ts";

export interface WebhookEvent extends Record<string, unknown> {
  readonly eventId: number;
  readonly subscriptionType: string;
  readonly objectId: number;
  readonly occurredAt: number;
}

export interface Sent {
  readonly at: number;
  readonly status: number;
  readonly attemptNumber: number;
  readonly events: number;
}

export class Webhooks {
  readonly #account: Account;
  readonly #faults: FaultBox;
  readonly #now: () => number;
  #target: string | null = null;
  #waiting: WebhookEvent[] = [];
  #timer: NodeJS.Timeout | null = null;
  #nextEvent = 1;
  #running: Promise<void> = Promise.resolve();
  readonly sent: Sent[] = [];
  /** Between the attempts; HubSpot takes up to a day for ten of them. */
  retryMs = 200;
  attemptsMax = 10;

  constructor(account: Account, faults: FaultBox, now: () => number) {
    this.#account = account;
    this.#faults = faults;
    this.#now = now;
  }

  /** Null switches them off; events are then not kept. */
  aim(target: string | null): void {
    this.#target = target;
    if (target === null) this.#waiting = [];
  }

  get target(): string | null {
    return this.#target;
  }

  add(change: Change): void {
    if (this.#target === null) return;
    const { portalId, appId } = this.#account;
    const { subscriptionType, objectId, source, primaryObjectId, mergedObjectIds, newObjectId, ...about } = change;
    const merged =
      primaryObjectId === undefined
        ? {}
        : {
            primaryObjectId: Number(primaryObjectId),
            mergedObjectIds: mergedObjectIds?.map(Number),
            newObjectId: Number(newObjectId),
          };
    this.#waiting.push({
      eventId: this.#nextEvent++,
      subscriptionId: subscriptionOf(subscriptionType, about.propertyName),
      portalId,
      appId,
      occurredAt: this.#now() - this.#faults.current.webhookAgeMs,
      subscriptionType,
      attemptNumber: 0,
      objectId: Number(objectId),
      changeSource: source.changeSource,
      sourceId: source.sourceId,
      ...(about.propertyName === undefined ? {} : { ...about, isSensitive: false }),
      ...merged,
    });
    this.#timer ??= setTimeout(() => void this.flush(), gatherMs);
  }

  /** Sends what waits, and is done when all of it was taken or given up. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const events = this.#faults.current.webhookReorder ? this.#shuffle(this.#waiting) : this.#waiting;
    this.#waiting = [];
    for (let start = 0; start < events.length; start += batchMax) {
      const batch = events.slice(start, start + batchMax);
      const times = this.#faults.current.webhookRepeat ? 2 : 1;
      for (let time = 0; time < times; time++) this.#running = this.#running.then(() => this.#deliver(batch));
    }
    await this.#running;
  }

  /** Events made by hand, once, as they are: for what cannot come from the store. */
  async sendRaw(events: readonly Record<string, unknown>[]): Promise<number> {
    return this.#post(JSON.stringify(events));
  }

  /** Forgets what waits and what was sent. */
  drop(): void {
    this.#waiting = [];
    this.sent.length = 0;
  }

  close(): void {
    this.aim(null);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #deliver(events: readonly WebhookEvent[]): Promise<void> {
    for (let attemptNumber = 0; attemptNumber < this.attemptsMax && this.#target !== null; attemptNumber++) {
      if (attemptNumber > 0) await new Promise((resolve) => setTimeout(resolve, this.retryMs).unref());
      const status = await this.#post(JSON.stringify(events.map((event) => ({ ...event, attemptNumber }))));
      this.sent.push({ at: this.#now(), status, attemptNumber, events: events.length });
      if (status >= 200 && status < 300) return;
    }
  }

  /** 0 where no answer came within five seconds. */
  async #post(body: string): Promise<number> {
    const uri = this.#target;
    if (uri === null) return 0;
    const timestamp = String(this.#now() - this.#faults.current.webhookAgeMs);
    const headers = {
      "Content-Type": "application/json",
      [signatureHeader]: signV3(this.#account.clientSecret, { method: "POST", uri, body, timestamp }),
      [timestampHeader]: timestamp,
      // The older signature comes along; who sees v3 ignores it.
      "X-HubSpot-Signature": createHash("sha256")
        .update(this.#account.clientSecret + body)
        .digest("hex"),
      "X-HubSpot-Signature-Version": "v1",
    };
    try {
      const answer = await fetch(uri, { method: "POST", headers, body, signal: AbortSignal.timeout(answerMsMax) });
      await answer.arrayBuffer();
      return answer.status;
    } catch {
      return 0;
    }
  }

  #shuffle(events: readonly WebhookEvent[]): WebhookEvent[] {
    return events
      .map((event) => ({ event, place: this.#faults.chance() }))
      .sort((one, other) => one.place - other.place)
      .map(({ event }) => event);
  }
}

/** A subscription per type and property, with an id that stays the same. */
function subscriptionOf(type: string, property = ""): number {
  return createHash("sha256").update(`${type}/${property}`).digest().readUInt32BE(0);
}

const batchMax = 100;
const gatherMs = 20;
const answerMsMax = 5_000;
