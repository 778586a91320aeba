/** The door that policies come through: whatever is sent, it answers, in a sentence, and soon. Seeded, so a failure comes back. */
import { Hono } from "hono";
import { dump } from "js-yaml";
import { describe, expect, it } from "vitest";
import { checkPolicy, invalid, isObject, readDocument } from "../../src/api/policy-body.ts";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import { checklistOf } from "../../src/decide/policy/checklist.ts";
import { diffOf } from "../../src/decide/policy/diff.ts";
import { ownershipPage, routingMatrix } from "../../src/decide/policy/export.ts";
import type { Env } from "../../src/env.ts";

type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

const base = defaultPolicy(["sam@example.com", "kim@example.com"]);
const rich = JSON.parse(
  JSON.stringify({
    ...base,
    calendars: { office: { zone: "Europe/Berlin", week: { mon: [["09:00", "17:00"]] }, holidays: ["2026-12-25"] } },
    territories: [{ name: "DACH", when: { "lead.country": { is: ["DE", "AT", "CH"] } } }],
    exceptions: { overdue: { owner: "revenue_operations", due_in_ms: 3_600_000 } },
    routes: [
      {
        name: "large companies",
        when: {
          kinds: ["signed_up"],
          open: "office",
          where: { any_of: [{ "score.fit": { at_least: 10 } }, { none_of: [{ "lead.company": { like: "*gmbh" } }] }] },
        },
        play: "speed to lead",
      },
      ...base.routes,
    ],
    holds: {
      ...base.holds,
      manual: [{ name: "big", when: { "account.domain": { ends_with: ".gov" } }, words: "is big" }],
    },
  }),
) as { [name: string]: Json };

const app = new Hono<{ Bindings: Env }>();
app.put("/", async (c) => {
  const given = await readDocument(c);
  if (given instanceof Response) return given;
  checklistOf(given.value);
  const checked = checkPolicy(given.value, 2);
  if (!checked.ok) return invalid(checked.mistakes);
  // What comes through can be shown.
  const changes = diffOf(base, checked.policy).length;
  return Response.json({
    changes,
    rows: routingMatrix(checked.policy).rows.length + ownershipPage(checked.policy).length,
  });
});

async function send(body: string, type = "application/json") {
  const before = process.cpuUsage();
  const answer = await app.request("/", { method: "PUT", body, headers: { "content-type": type } });
  const { user, system } = process.cpuUsage(before);
  const text = await answer.text();
  return { status: answer.status, text, cpuMs: (user + system) / 1_000 };
}

/** mulberry32 */
function chanceFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const odd: readonly Json[] = [
  null,
  true,
  0,
  -1,
  1.5,
  Number.MAX_SAFE_INTEGER,
  1e308,
  "",
  " ",
  "sam@example.com",
  "speed to lead",
  "toString",
  "2026-02-30",
  "25:00",
  "Europe/Atlantis",
  "*".repeat(200),
  "(a+)+$",
  "x".repeat(5_000),
  "\u0000\ud83d\ude00",
  [],
  {},
  [[]],
  [null],
  { is: [] },
  { regex: ".*" },
  { any_of: [{ any_of: [{ any_of: [{ any_of: [{ level: { is: "task" } }] }] }] }] },
  { level: { is: "task" }, none_of: [{ level: { is: "task" } }] },
];

function mutate(document: { [name: string]: Json }, chance: () => number): Json {
  const copy = structuredClone(document);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(chance() * items.length)] as T;
  for (let times = 1 + Math.floor(chance() * 3); times > 0; times--) {
    const places: (readonly [Json[] | { [name: string]: Json }, string])[] = [];
    const gather = (value: Json): void => {
      if (typeof value !== "object" || value === null) return;
      for (const [name, item] of Object.entries(value)) {
        places.push([value, name]);
        gather(item);
      }
    };
    gather(copy);
    const [holder, name] = pick(places);
    const [other, otherName] = pick(places);
    const at = holder as { [name: string]: Json };
    switch (Math.floor(chance() * 6)) {
      case 0:
        if (Array.isArray(holder)) holder.splice(Number(name), 1);
        else delete at[name];
        break;
      case 1:
        at[name] = structuredClone(pick(odd));
        break;
      case 2:
        if (Array.isArray(holder)) holder.push(structuredClone(holder[Number(name)] as Json));
        else
          at[pick(["colour", "constructor", "toString", name.toUpperCase(), ""])] = structuredClone(at[name] as Json);
        break;
      case 3:
        at[name] = structuredClone((other as { [name: string]: Json })[otherName] as Json);
        break;
      case 4:
        if (typeof at[name] === "number") at[name] = at[name] * pick([-1, 0, 0.5, 2, 1_000_000]);
        else if (typeof at[name] === "string") at[name] = `${at[name]}${pick(["x", " ", "\n", "*", "@"])}`;
        else if (Array.isArray(at[name])) at[name].reverse();
        break;
      default:
        at[name] = [at[name] as Json];
    }
  }
  return copy;
}

describe("the door", () => {
  it("answers 2,000 documents that are wrong somewhere with 200 or 422, each quickly", async () => {
    const chance = chanceFrom(20_261_123);
    const seen = new Map<number, number>();
    let worst = 0;
    for (let round = 0; round < 2_000; round++) {
      const document = mutate(rich, chance);
      const asYaml = round % 4 === 0;
      const { status, text, cpuMs } = await send(
        asYaml ? dump(document, { noRefs: true }) : JSON.stringify(document),
        asYaml ? "application/yaml" : "application/json",
      );
      seen.set(status, (seen.get(status) ?? 0) + 1);
      worst = Math.max(worst, cpuMs);
      if (status === 422) expect(JSON.parse(text).errors.length, `round ${round}`).toBeGreaterThan(0);
      else expect(status, `round ${round}: ${text}`).toBe(200);
    }
    expect(worst).toBeLessThan(1_000);
    // Some are still good, most are not: the mutations do something.
    expect(seen.get(200)).toBeGreaterThan(100);
    expect(seen.get(422)).toBeGreaterThan(800);
  });

  it("answers 500 YAML texts with broken letters, saying where", async () => {
    const chance = chanceFrom(7);
    const whole = dump(rich, { noRefs: true });
    for (let round = 0; round < 500; round++) {
      const at = Math.floor(chance() * whole.length);
      const broken = ":{}[]&*!|>'\"%@`#,?-\t\n ~"[Math.floor(chance() * 24)] ?? "";
      const { status, text } = await send(`${whole.slice(0, at)}${broken}${whole.slice(at + 1)}`, "application/yaml");
      expect([200, 400, 422], `round ${round}: ${text}`).toContain(status);
      if (status === 400) expect(JSON.parse(text).errors[0].message, `round ${round}`).toMatch(/line \d+, column \d+/);
    }
  });

  const many = <T>(count: number, make: (index: number) => T) =>
    Array.from({ length: count }, (_, index) => make(index));
  const routes = (count: number, where: (index: number) => object) =>
    many(count, (index) => ({ name: `r${index}`, when: { where: where(index) }, play: "speed to lead" }));
  const values = many(480, (index) => `v${index}`);
  const heavy: readonly (readonly [string, object])[] = [
    [
      "500 routes of 60 tests each",
      { routes: routes(500, (index) => ({ any_of: many(60, (at) => ({ level: { is: `${at}-${index}` } })) })) },
    ],
    [
      "500 routes that differ in their last test",
      {
        routes: routes(500, (index) => ({
          "lead.source": { is: `s${index}` },
          all_of: many(40, (at) => ({ level: { is_not: `${at}` } })),
        })),
      },
    ],
    [
      "long lists asked of one fact in a hundred branches",
      {
        routes: routes(1, () => ({
          all_of: many(100, () => ({ level: { is: values } })),
          any_of: many(99, (index) => ({ level: { is_not: `x${index}` } })),
        })),
      },
    ],
    [
      "patterns of stars, tried on long values",
      {
        routes: routes(4, (index) => ({
          "lead.source": { is: `s${index}` },
          all_of: [
            { "lead.country": { is: many(480, (at) => `${"a".repeat(190)}${at}`) } },
            ...many(10, () => ({ "lead.country": { like: many(80, (at) => `${"*a".repeat(90)}b${at}`) } })),
          ],
        })),
      },
    ],
    [
      "a kind for each of 9,000 words",
      { kinds: Object.fromEntries(many(9_000, (at) => [`k${at}`, { tier: "hours", words: "x" }])) },
    ],
    [
      "a fallback chain of 4,000 plays",
      {
        plays: Object.fromEntries(
          many(4_000, (at) => [
            `p${at}`,
            {
              type: "call",
              priority: "low",
              due_in_ms: 1,
              subject: "x",
              team: "sales",
              cool_down_ms: 1,
              fallback: `p${at + 1}`,
            },
          ]),
        ),
      },
    ],
    [
      "branches of branches of nothing",
      { routes: routes(1, () => ({ any_of: many(200, () => ({ any_of: many(200, () => ({ any_of: [{}] })) })) })) },
    ],
    ["40,000 members", { teams: { sales: { members: many(40_000, (at) => `a${at}@example.com`) } } }],
    ["an address of dots", { teams: { sales: { members: ["a.".repeat(400_000)] } } }],
    ["60,000 unknown members of the document", Object.fromEntries(many(60_000, (at) => [`x${at}`, 1]))],
  ];
  it.each(heavy)("answers %s with less than a second of CPU", async (_what, part) => {
    const body = JSON.stringify({ ...base, ...part });
    expect(body.length).toBeLessThan(1_000_001);
    const { status, text, cpuMs } = await send(body);
    expect(status, text.slice(0, 300)).toBe(422);
    expect(text.length).toBeLessThan(60_000);
    expect(cpuMs).toBeLessThan(1_000);
  });

  it("does not look at more than a megabyte", async () => {
    const { status } = await send(
      JSON.stringify({
        ...base,
        routes: routes(500, () => ({ any_of: many(200, () => ({ level: { known: true } })) })),
      }),
    );
    expect(status).toBe(413);
  });

  it("sees whether it was given an object", () => {
    expect([isObject({}), isObject([]), isObject(null), isObject("x")]).toEqual([true, false, false, false]);
  });
});
