/** Histories to measure decisions with: seeded people who do what people do, and a policy of many rules. People are example.com persons. */
import { digest } from "../../src/crypto.ts";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import type { Condition } from "../../src/decide/policy/condition.ts";
import type { Route } from "../../src/decide/policy/plays.ts";
import { type Policy, policySchema } from "../../src/decide/policy.ts";
import type { Signal } from "../../src/model.ts";
import { pick, seeded, signal } from "../signals.ts";

const dayMs = 86_400_000;
/** A Monday morning. */
export const startAt = Date.UTC(2026, 8, 7, 6);

export const members = ["sam", "kim", "ola", "max", "eva"].map((name) => `${name}@example.com`);

const kinds: [string, ...string[]] = [
  "demo_requested",
  ...Array<string>(40).fill("page_viewed"),
  ...Array<string>(30).fill("product_used"),
  ...Array<string>(10).fill("pricing_viewed"),
  ...Array<string>(8).fill("form_submitted"),
  ...Array<string>(4).fill("invite_sent"),
  ...Array<string>(3).fill("signed_up"),
  ...Array<string>(2).fill("trial_started"),
  ...Array<string>(2).fill("payment_failed"),
];

const countries = ["DE", "FR", "US", "GB", "BR", "JP"] as const;
const titles = ["VP Sales", "Head of Operations", "Student", "Engineer", "CEO"] as const;

/** So many signals of one person over so many days, in order. */
export function lifeOf(random: () => number, person: string, count: number, days: number, from = startAt): Signal[] {
  // Who they are does not change from one week to the next.
  const self = seeded(Number.parseInt(digest(person).slice(0, 8), 16));
  const free = self() < 0.2;
  const domain = free ? "gmail.com" : `c${Math.floor(self() * 500)}.example.com`;
  const known = self() < 0.8;
  const country = pick(self, countries);
  const signals: Signal[] = [];
  // People come, do a few things, and come again another day.
  let [at, left] = [0, 0];
  for (let index = 0; index < count; index++) {
    if (left-- <= 0) {
      at = from + Math.floor(random() ** 0.8 * days * dayMs);
      left = Math.floor(random() * 6);
    } else at += Math.floor(random() * 5 * 60_000);
    const names = index === 0 || random() < 0.1;
    signals.push(
      signal({
        id: `${person}-${index}`,
        emitter: pick(random, ["forms", "product", "website"]),
        idempotency_key: `x:${person}-${index}`,
        kind: pick(random, kinds),
        occurred_at: at,
        received_at: at + Math.floor(random() * 3_000),
        identifiers: known
          ? [
              { type: "user_id", value: person },
              { type: "email", value: `${person}@${domain}` },
            ]
          : [{ type: "anonymous_id", value: person }],
        traits: names
          ? { first_name: "Ada", company: `Company ${domain}`, job_title: pick(random, titles), country }
          : {},
        account: !free && random() < 0.2 ? { domain } : {},
        attribution: random() < 0.1 ? { utm_source: pick(random, ["news", "search", "partner"]) } : {},
        ...(random() < 0.002 ? { consent: { follow_up: random() < 0.5 } } : {}),
        properties: { path: pick(random, ["/pricing", "/docs", "/blog"]), seats: Math.floor(random() * 50) },
      }),
    );
  }
  return signals.sort((a, b) => a.received_at - b.received_at);
}

/** The default policy behind so many rules of its owner's own: most look at the signal and at the lead, some at score, level and place. */
export function policyOfRules(rules: number, part: Partial<Policy> = {}): Policy {
  const base = defaultPolicy(members);
  const random = seeded(5);
  const conditions = (index: number): Condition => {
    const all: Condition[] = [
      { "lead.country": { is: pick(random, countries) }, "lead.job_title": { contains: ["vp", "chief", `x${index}`] } },
      { "signal.properties.path": { like: `/pricing*${index}` }, "lead.free_mail": { is: false } },
      {
        any_of: [
          { "signal.utm_source": { is: `partner-${index}` } },
          { "account.domain": { ends_with: `.c${index}.example` } },
        ],
      },
      {
        "signal.properties.seats": { at_least: 49 },
        "lead.lifecycle": { is: ["trial", "customer"] },
        "lead.company": { contains: `z${index}` },
      },
      {
        none_of: [{ "lead.free_mail": { is: true } }],
        "lead.region": { known: true },
        "score.total": { at_least: 20 + index },
      },
    ];
    return all[index % all.length] ?? {};
  };
  const plays = Object.keys(base.plays) as [string, ...string[]];
  const own = Array.from({ length: rules }, (_, index): Route => {
    const where = conditions(index);
    const max_age_ms = 7 * dayMs;
    const name = `rule ${index}`;
    const play = pick(random, plays);
    if (index % 4 === 0)
      return { name, play, when: { kinds: ["form_submitted", "pricing_viewed"], where, max_age_ms } };
    if (index % 4 === 1) return { name, play, when: { score_at_least: 30 + index, where, max_age_ms } };
    return { name, play, when: { where, max_age_ms } };
  });
  const fit = Array.from({ length: Math.min(20, rules) }, (_, index) => ({
    name: `fit ${index}`,
    when: { "lead.job_title": { contains: `title ${index}` } },
    points: 3,
    words: "has a title of interest",
  }));
  return policySchema.parse({
    ...base,
    // Those of the default policy are the last ones to be asked.
    routes: [...own.slice(0, Math.max(0, rules - base.routes.length)), ...base.routes],
    scoring: { ...base.scoring, fit: { ...base.scoring.fit, rules: rules > 3 ? fit : [] } },
    ...part,
  });
}
