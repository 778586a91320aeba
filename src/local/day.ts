/**
 * A business day of signals, made from a seed: some hundred people, each seen by several tools, with duplicates, replays,
 * events out of order and noise. Knows what must come of it: who must have exactly one task, and who none. Pure.
 */
import { createHmac } from "node:crypto";

/** The tools of the workspace that the day is played in, and the secrets they sign with. */
export const dayEmitters = [
  { name: "website", vendor: "segment" },
  { name: "product", vendor: "segment" },
  { name: "forms", vendor: "typeform", settings: { kind: "demo_requested" }, secrets: ["typeform-secret-of-the-day"] },
  { name: "billing", vendor: "stripe", secrets: ["whsec_stripe-secret-of-the-day"] },
  { name: "support", vendor: "standard-webhooks", secrets: ["whsec_c3VwcG9ydC1zZWNyZXQtb2YtdGhlLWRheQ=="] },
] as const;
export type DayEmitter = (typeof dayEmitters)[number]["name"];

export const salesTeam: readonly string[] = [
  "sam@example.com",
  "kim@example.com",
  "alex@example.com",
  "noa@example.com",
];

export interface DayDelivery {
  /** Milliseconds after the beginning of the day. */
  readonly at: number;
  readonly emitter: DayEmitter;
  /** Path behind the engine's address for Segment emitters; webhooks go to `/in/<key>`. */
  readonly path: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /**
   * Whoever fills in a form after they unsubscribed does so after the unsubscription was answered, however much the day is
   * compressed: deliveries of one sequence are sent one after the other's answer. Null: at its time, whatever else is under way.
   */
  readonly sequence: string | null;
}

export interface Day {
  readonly deliveries: readonly DayDelivery[];
  /** E-mail addresses of people who must have exactly one task. */
  readonly expected: ReadonlySet<string>;
  /** Different signals in the deliveries; every further one is a duplicate. */
  readonly distinct: number;
}

export interface DayPlan {
  readonly seed: number;
  readonly people: number;
  /** Epoch ms at which the day begins: the events' own times are laid out from there. */
  readonly startsAt: number;
  readonly dayMs: number;
}

interface Person {
  readonly index: number;
  readonly email: string;
  readonly userId: string;
  readonly anonymousId: string;
  readonly customer: string;
  readonly first: string;
  readonly last: string;
  readonly company: string;
}

type Story = "visitor" | "noise" | "demo" | "trial" | "three at once" | "late details" | "customer" | "opted out";
/** Story -> share of the people, in percent, and whether it must end in a task. */
const stories: readonly { readonly story: Story; readonly share: number; readonly task: boolean }[] = [
  { story: "visitor", share: 12, task: false },
  { story: "noise", share: 22, task: false },
  { story: "demo", share: 22, task: true },
  { story: "trial", share: 18, task: true },
  { story: "three at once", share: 10, task: true },
  { story: "late details", share: 6, task: true },
  { story: "customer", share: 7, task: false },
  { story: "opted out", share: 3, task: false },
];

const firstNames = [
  "Ada",
  "Grace",
  "Alan",
  "Edsger",
  "Barbara",
  "Donald",
  "Radia",
  "Ken",
  "Frances",
  "Niklaus",
  "Hedy",
  "Tim",
];
const lastNames = [
  "Lovelace",
  "Hopper",
  "Turing",
  "Dijkstra",
  "Liskov",
  "Knuth",
  "Perlman",
  "Thompson",
  "Allen",
  "Wirth",
  "Lamarr",
  "Lee",
];
const companies = ["Northwind", "Contoso", "Fabrikam", "Globex", "Initech", "Umbrella", "Hooli", "Vandelay"];

export function businessDay(plan: DayPlan): Day {
  const random = chance(plan.seed);
  const writer = new DayWriter(plan, random);
  const expected = new Set<string>();
  for (let index = 0; index < plan.people; index++) {
    const person = personOf(index, random);
    const { story, task } = storyOf((index * 100) / plan.people);
    writer.tell(person, story);
    if (task) expected.add(person.email);
  }
  const distinct = writer.deliveries.length;
  return { deliveries: withTrouble(writer.deliveries, plan, random), expected, distinct };
}

/** Duplicates (retries close by, replays hours later), and neighbours that overtake each other. */
function withTrouble(deliveries: readonly DayDelivery[], plan: DayPlan, random: () => number): DayDelivery[] {
  const all = [...deliveries];
  for (const delivery of deliveries) {
    if (random() < 0.15) all.push({ ...delivery, at: delivery.at + random() * 5_000 });
    if (random() < 0.06) all.push({ ...delivery, at: delivery.at + random() * (plan.dayMs - delivery.at) });
  }
  return all
    .map((delivery) => ({ ...delivery, at: Math.min(plan.dayMs, delivery.at + random() * 20_000) }))
    .sort((a, b) => a.at - b.at);
}

class DayWriter {
  readonly deliveries: DayDelivery[] = [];
  readonly #plan: DayPlan;
  readonly #random: () => number;
  #ids = 0;
  #sequence: string | null = null;

  constructor(plan: DayPlan, random: () => number) {
    this.#plan = plan;
    this.#random = random;
  }

  tell(person: Person, story: Story): void {
    // The last tenth of the day is left for what was begun to come to its end.
    let at = this.#random() * this.#plan.dayMs * 0.8;
    const next = (ms: number) => {
      at += this.#random() * ms;
      return at;
    };
    const browse = (pages: number) => {
      for (let page = 0; page < pages; page++)
        this.#page(next(120_000), person, page === 1 ? "/pricing" : `/blog/${page}`);
    };
    switch (story) {
      case "visitor":
        browse(3 + Math.floor(this.#random() * 6));
        return;
      case "noise":
        browse(1);
        this.#identify(next(10_000), person);
        for (let use = 0; use < 12 + Math.floor(this.#random() * 20); use++) this.#used(next(60_000), person);
        return;
      case "demo":
        browse(2 + Math.floor(this.#random() * 4));
        this.#form(next(30_000), person);
        for (let use = 0; use < 3; use++) this.#page(next(60_000), person, "/docs");
        return;
      case "trial":
        browse(2);
        this.#identify(next(5_000), person);
        this.#track(next(2_000), person, "Trial Started");
        this.#subscription(next(3_000), person, "trialing");
        for (let use = 0; use < 8 + Math.floor(this.#random() * 10); use++) this.#used(next(120_000), person);
        return;
      case "three at once":
        browse(2);
        this.#form(at, person);
        this.#track(at, person, "Trial Started");
        this.#subscription(at, person, "trialing");
        for (let use = 0; use < 5; use++) this.#used(next(120_000), person);
        return;
      case "late details":
        // Asks anonymously; who it was becomes known only afterwards.
        this.#track(at, person, "Demo Requested", true);
        this.#identify(next(20_000), person);
        browse(3);
        return;
      case "customer":
        this.#subscription(at, person, "active");
        this.#support(next(600_000), person, "ticket.opened");
        for (let use = 0; use < 10; use++) this.#used(next(120_000), person);
        return;
      case "opted out":
        this.#inSequence(person.email, () => {
          this.#support(at, person, "contact.unsubscribed");
          this.#form(at + 120_000, person);
        });
        return;
    }
  }

  #inSequence(name: string, tell: () => void): void {
    this.#sequence = name;
    tell();
    this.#sequence = null;
  }

  #segment(at: number, emitter: "website" | "product", path: string, message: object): void {
    const instant = this.#instant(at);
    const body = JSON.stringify({ messageId: this.#id("m"), timestamp: instant, ...message });
    const headers = { "content-type": "application/json" };
    this.deliveries.push({ at, emitter, path, headers, body, sequence: this.#sequence });
  }

  #page(at: number, person: Person, path: string): void {
    const url = `https://www.example.com${path}?utm_source=search&utm_medium=cpc&utm_campaign=autumn&gclid=click-${person.index}`;
    this.#segment(at, "website", "/v1/page", {
      type: "page",
      anonymousId: person.anonymousId,
      properties: { path, url },
      context: { page: { path, url } },
    });
  }

  #identify(at: number, person: Person): void {
    const traits = { email: person.email, firstName: person.first, lastName: person.last, company: person.company };
    this.#segment(at, "website", "/v1/identify", {
      type: "identify",
      userId: person.userId,
      anonymousId: person.anonymousId,
      traits,
    });
  }

  #track(at: number, person: Person, event: string, anonymous = false): void {
    const who = anonymous
      ? { anonymousId: person.anonymousId }
      : { userId: person.userId, context: { traits: { email: person.email } } };
    this.#segment(at, "website", "/v1/track", { type: "track", event, ...who });
  }

  #used(at: number, person: Person): void {
    const feature = ["Report Opened", "File Exported", "Board Viewed", "Comment Written"][
      Math.floor(this.#random() * 4)
    ];
    this.#segment(at, "product", "/v1/track", { type: "track", event: feature, userId: person.userId });
  }

  #form(at: number, person: Person): void {
    const body = JSON.stringify({
      event_id: this.#id("ev"),
      event_type: "form_response",
      form_response: {
        form_id: "demo",
        token: this.#id("tok"),
        submitted_at: this.#instant(at),
        hidden: { utm_source: "search", anonymous_id: person.anonymousId },
        definition: {
          id: "demo",
          fields: [
            { id: "f1", type: "email", title: "Your work e-mail", ref: "email" },
            { id: "f2", type: "short_text", title: "First name", ref: "first_name" },
            { id: "f3", type: "short_text", title: "Last name", ref: "last_name" },
            { id: "f4", type: "short_text", title: "Company", ref: "company" },
          ],
        },
        answers: [
          { type: "email", email: person.email, field: { id: "f1", type: "email", ref: "email" } },
          { type: "text", text: person.first, field: { id: "f2", type: "short_text", ref: "first_name" } },
          { type: "text", text: person.last, field: { id: "f3", type: "short_text", ref: "last_name" } },
          { type: "text", text: person.company, field: { id: "f4", type: "short_text", ref: "company" } },
        ],
      },
    });
    const signature = createHmac("sha256", "typeform-secret-of-the-day").update(body).digest("base64");
    this.#webhook(at, "forms", { "typeform-signature": `sha256=${signature}` }, body);
  }

  #subscription(at: number, person: Person, status: "trialing" | "active"): void {
    const body = JSON.stringify({
      id: this.#id("evt_"),
      object: "event",
      type: "customer.subscription.created",
      created: Math.floor((this.#plan.startsAt + at) / 1000),
      livemode: true,
      data: {
        object: {
          id: this.#id("sub_"),
          object: "subscription",
          status,
          customer: { id: person.customer, object: "customer", email: person.email },
        },
      },
    });
    // Stripe signs the time of sending, which is now, not the time of the event.
    this.#webhook(at, "billing", {}, body);
  }

  #support(at: number, person: Person, type: string): void {
    const body = JSON.stringify({ type, timestamp: this.#instant(at), data: { user: { email: person.email } } });
    this.#webhook(at, "support", { "webhook-id": this.#id("msg_") }, body);
  }

  #webhook(at: number, emitter: DayEmitter, headers: Readonly<Record<string, string>>, body: string): void {
    this.deliveries.push({
      at,
      emitter,
      path: null,
      headers: { "content-type": "application/json", ...headers },
      body,
      sequence: this.#sequence,
    });
  }

  #id(prefix: string): string {
    this.#ids++;
    return `${prefix}${this.#plan.seed}${this.#ids.toString(36).padStart(6, "0")}`;
  }

  #instant(at: number): string {
    return new Date(this.#plan.startsAt + at).toISOString();
  }
}

/** Headers that depend on the time of sending: two of the vendors sign it. */
export function signedNow(delivery: DayDelivery, now: number): Readonly<Record<string, string>> {
  const seconds = Math.floor(now / 1000);
  if (delivery.emitter === "billing") {
    const mac = createHmac("sha256", "whsec_stripe-secret-of-the-day")
      .update(`${seconds}.${delivery.body}`)
      .digest("hex");
    return { ...delivery.headers, "stripe-signature": `t=${seconds},v1=${mac}` };
  }
  if (delivery.emitter === "support") {
    const id = delivery.headers["webhook-id"] ?? "";
    const mac = createHmac("sha256", "support-secret-of-the-day")
      .update(`${id}.${seconds}.${delivery.body}`)
      .digest("base64");
    return { ...delivery.headers, "webhook-timestamp": String(seconds), "webhook-signature": `v1,${mac}` };
  }
  return delivery.headers;
}

function personOf(index: number, random: () => number): Person {
  const first = firstNames[Math.floor(random() * firstNames.length)] ?? "Ada";
  const last = lastNames[Math.floor(random() * lastNames.length)] ?? "Lovelace";
  return {
    index,
    first,
    last,
    email: `${first}.${last}.${index}@example.com`.toLowerCase(),
    userId: `user-${index + 1000}`,
    anonymousId: `browser-${index}-${Math.floor(random() * 1e9).toString(36)}`,
    customer: `cus_${index}${Math.floor(random() * 1e9).toString(36)}`,
    company: companies[Math.floor(random() * companies.length)] ?? "Northwind",
  };
}

function storyOf(percent: number): (typeof stories)[number] {
  let upTo = 0;
  for (const item of stories) {
    upTo += item.share;
    if (percent < upTo) return item;
  }
  return { story: "visitor", share: 0, task: false };
}

/** Mulberry32. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
