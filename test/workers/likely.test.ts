/** Leads that look like one person: asked about once, merged only where policy says so, and never against a person's word. */
import { createExecutionContext, createScheduledController, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Policy } from "../../src/decide/policy.ts";
import { inTurn, type Sweep, sweepLikely, usualBounds } from "../../src/ledger/likely.ts";
import type { Identifier } from "../../src/model.ts";
import { IdentityObject } from "../../src/objects/identity.ts";
import { identityStub } from "../../src/objects/names.ts";
import type { Choice, ChoiceAnswer } from "../../src/objects/splitting.ts";
import worker from "../../src/worker.ts";
import { strangers } from "../strangers.ts";
import {
  email,
  eventually,
  nodeOf,
  openWorkspace,
  personOf,
  rest,
  send,
  type TestWorkspace,
  userId,
} from "./fixture.ts";

const hourMs = 3_600_000;
const start = Date.now();

afterEach(() => {
  vi.restoreAllMocks();
});

const robertAt = email("robert.lindqvist@maple.example.com");
const bobAt = email("bob77@maple.example.com");
const robert = { first_name: "Robert", last_name: "Lindqvist", company: "Maple Works" };
const bob = { first_name: "Bob", last_name: "Lindqvist", company: "Maple Works Ltd" };

/** A workspace with strangers in its ledger, so that there is something to learn from. */
async function workspaceOf(id: string, likeness: Partial<Policy["identity"]["likeness"]> = {}): Promise<TestWorkspace> {
  const opened = await openWorkspace(id, {
    policy: (policy) => ({
      ...policy,
      identity: { ...policy.identity, likeness: { ...policy.identity.likeness, ...likeness } },
    }),
  });
  const rows = strangers(120).map((lead) => ({
    id: `${id}/${lead.id}`,
    email: lead.email,
    document: JSON.stringify({
      fields: {
        first_name: { value: lead.first_name },
        last_name: { value: lead.last_name },
        company: { value: lead.company },
      },
    }),
  }));
  await env.LEDGER_0.prepare(
    `INSERT INTO leads SELECT ?, value ->> '$.id', 1, value ->> '$.email', '', 'lead', 0, 'forms', 1, '', 0, NULL, value ->> '$.document'
     FROM json_each(?)`,
  )
    .bind(id, JSON.stringify(rows))
    .run();
  return opened;
}

/** Somebody is heard of, and the ledger shows it. */
async function heard(
  of: TestWorkspace,
  who: Identifier,
  traits: Record<string, string>,
  more: readonly Identifier[] = [],
): Promise<string> {
  const id = `${who.value} ${Math.random()}`;
  await send(of, { id, kind: "demo_requested", identifiers: [...more, who], traits });
  const { name } = (await personOf(of, who)).root;
  await eventually(
    () => leadRow(of, name),
    (row) => row?.idempotency_key === `forms:${id}`,
  );
  return name;
}

const leadRow = (of: TestWorkspace, name: string) =>
  env.LEDGER_0.prepare("SELECT * FROM leads WHERE workspace = ? AND id = ?")
    .bind(of.id, name)
    .first<Record<string, unknown>>();

interface Proposal {
  readonly state: string;
  readonly version: number;
  readonly document: { readonly a: string; readonly b: string; readonly [member: string]: unknown };
  readonly [column: string]: unknown;
}

async function proposals(of: TestWorkspace): Promise<Proposal[]> {
  const rows = await env.LEDGER_0.prepare(
    "SELECT * FROM exceptions WHERE workspace = ? AND reason = 'likely_duplicate' ORDER BY id",
  )
    .bind(of.id)
    .all<Record<string, unknown>>();
  return rows.results.map((row) => ({ ...row, document: JSON.parse(String(row.document)) }) as unknown as Proposal);
}

/** All that the sweep can write. */
async function written(of: TestWorkspace): Promise<string> {
  const tables = ["exceptions WHERE reason = 'likely_duplicate' AND", "likely_runs WHERE", "likely_answered WHERE"];
  const all = tables.map((table) => env.LEDGER_0.prepare(`SELECT * FROM ${table} workspace = ?`).bind(of.id));
  return JSON.stringify((await env.LEDGER_0.batch(all)).map(({ results }) => results));
}

const sweep = (of: TestWorkspace, hours: number, bounds = usualBounds): Promise<Sweep> =>
  sweepLikely(env, of.id, start + hours * hourMs, bounds);

async function choose(from: string, choice: Choice["choice"], node: string): Promise<ChoiceAnswer> {
  const stub = identityStub(env, from) as unknown as { choose(call: Choice): Promise<ChoiceAnswer> };
  return stub.choose({ choice, node, by: "sam@example.com", at: Date.now() });
}

const merged = (of: TestWorkspace) =>
  eventually(
    async () => (await personOf(of, robertAt)).root.name === (await personOf(of, bobAt)).root.name,
    (same) => same,
  );

describe("a pair that is likely one person", () => {
  it("is put before a person with what speaks for it; namesakes at different firms are not", async () => {
    const acme = await workspaceOf("likely-1");
    const names = [await heard(acme, robertAt, robert), await heard(acme, bobAt, bob)].sort();
    const klara = { first_name: "Klara", last_name: "Winter" };
    await heard(acme, email("klara.winter@oak.example.com"), { ...klara, company: "Oak Works" });
    await heard(acme, email("klara.winter@elm.example.com"), { ...klara, company: "Elm Works" });
    expect(await sweep(acme, 0)).toEqual({ leads: 124, pairs: 1, proposed: 1, merged: 0, closed: 0 });
    const [proposal, ...others] = await proposals(acme);
    expect(others).toEqual([]);
    expect(proposal).toMatchObject({
      lead: names[0],
      owner: "sam@example.com",
      state: "open",
      version: 1,
      raised_at: start,
      due_at: start + 24 * hourMs,
      document: { a: names[0], b: names[1] },
    });
    expect(proposal?.document.probability).toBeGreaterThan(0.7);
    expect(proposal?.document.weights).toContainEqual({
      field: "first_name",
      level: "nickname",
      weight: expect.any(Number),
    });
    expect(JSON.stringify(proposal?.document)).not.toMatch(/lindqvist|maple/i);
  });

  it("is asked about once: not again, not after it was closed, and nothing is written while nothing is new", async () => {
    const acme = await workspaceOf("likely-2");
    await heard(acme, robertAt, robert);
    await heard(acme, bobAt, bob);
    await sweep(acme, 0);
    const before = await written(acme);
    expect(await sweep(acme, 0.5)).toMatchObject({ leads: 0, closed: 0 });
    expect(await sweep(acme, 1)).toMatchObject({ leads: 0, closed: 0 });
    expect(await written(acme)).toBe(before);

    await env.LEDGER_0.prepare("UPDATE exceptions SET state = 'closed' WHERE workspace = ?").bind(acme.id).run();
    await heard(acme, bobAt, { ...bob, job_title: "Buyer" });
    expect(await sweep(acme, 2)).toMatchObject({ leads: 122, pairs: 0, proposed: 0 });
    expect(await proposals(acme)).toMatchObject([{ state: "closed" }]);
  });

  it("is compared again at most once an hour, however much changes", async () => {
    const acme = await workspaceOf("likely-3");
    await heard(acme, robertAt, robert);
    expect(await sweep(acme, 0)).toMatchObject({ leads: 121, proposed: 0 });
    await heard(acme, bobAt, bob);
    expect(await sweep(acme, 0.5)).toMatchObject({ leads: 0, proposed: 0 });
    expect(await sweep(acme, 1)).toMatchObject({ leads: 122, proposed: 1 });
  });

  it("is proposed once by two runs at the same time", async () => {
    const acme = await workspaceOf("likely-4");
    await heard(acme, robertAt, robert);
    await heard(acme, bobAt, bob);
    const both = await Promise.all([sweep(acme, 0), sweep(acme, 0)]);
    expect(both.map(({ proposed }) => proposed).sort()).toEqual([0, 1]);
    expect(await proposals(acme)).toHaveLength(1);
  });

  it("is found by the run after one that a crash ended before it asked", async () => {
    const acme = await workspaceOf("likely-5");
    await heard(acme, robertAt, robert);
    await heard(acme, bobAt, bob);
    vi.spyOn(IdentityObject.prototype, "read").mockImplementationOnce(() => {
      throw new Error("out of reach");
    });
    expect(await sweep(acme, 0)).toMatchObject({ leads: 122, proposed: 0 });
    expect(await sweep(acme, 0)).toMatchObject({ leads: 122, proposed: 1 });
  });

  it("is not proposed below the policy's bar", async () => {
    const strict = await workspaceOf("likely-6", { propose_at: 0.9999999 });
    await heard(strict, robertAt, robert);
    await heard(strict, bobAt, bob);
    expect(await sweep(strict, 0)).toMatchObject({ leads: 122, pairs: 0, proposed: 0 });
  });

  it("is not looked for where both bars say never", async () => {
    const never = await workspaceOf("likely-18", { propose_at: 1, merge_at: 1 });
    await heard(never, robertAt, robert);
    await heard(never, bobAt, bob);
    expect(await sweep(never, 0)).toEqual({ leads: 0, pairs: 0, proposed: 0, merged: 0, closed: 0 });
    expect(await written(never)).toBe("[[],[],[]]");
  });
});

describe("what a person said", () => {
  it("that two are two is not asked again, and identity is asked only once", async () => {
    const acme = await workspaceOf("likely-7");
    const [one, other] = [await heard(acme, robertAt, robert), await heard(acme, bobAt, bob)];
    expect(await choose(one, "keep_apart", other)).toEqual({ arm: "ok" });
    expect(await sweep(acme, 0)).toMatchObject({ pairs: 1, proposed: 0 });
    await heard(acme, bobAt, { ...bob, job_title: "Buyer" });
    expect(await sweep(acme, 1)).toMatchObject({ leads: 122, pairs: 0, proposed: 0 });
    expect(await proposals(acme)).toEqual([]);
  });

  it("on the lead itself closes the proposal, under the person's name", async () => {
    const acme = await workspaceOf("likely-8");
    const [one, other] = [await heard(acme, robertAt, robert), await heard(acme, bobAt, bob)];
    await sweep(acme, 0);
    await choose(one, "keep_apart", other);
    expect(await sweep(acme, 1)).toMatchObject({ closed: 1 });
    expect(await proposals(acme)).toMatchObject([
      { state: "closed", version: 2, document: { settled_by: "sam@example.com" } },
    ]);
  });

  it("about two still holds when one of them has become part of a third", async () => {
    const acme = await workspaceOf("likely-9");
    await heard(acme, robertAt, robert);
    await heard(acme, bobAt, bob);
    await sweep(acme, 0);
    await env.LEDGER_0.prepare("UPDATE exceptions SET state = 'closed' WHERE workspace = ?").bind(acme.id).run();
    // A name smaller than Bob's takes him in, so that he is a lead under another name from here on.
    const bobs = nodeOf(acme, bobAt);
    const smaller = Array.from({ length: 500 }, (_, at) => userId(`u${at}`)).find((item) => nodeOf(acme, item) < bobs);
    if (smaller === undefined) throw new Error("no smaller name");
    await heard(acme, smaller, {});
    await send(acme, { id: "join", kind: "demo_requested", identifiers: [smaller, bobAt] });
    await eventually(
      async () => (await leadRow(acme, bobs))?.merged_into,
      (into) => into === nodeOf(acme, smaller),
    );
    await rest();
    expect(await sweep(acme, 1)).toMatchObject({ pairs: 1, proposed: 0 });
    expect(await proposals(acme)).toHaveLength(1);
  });
});

describe("a proposal whose two have become one", () => {
  it("is closed by the engine, and not before", async () => {
    const acme = await workspaceOf("likely-10");
    await heard(acme, robertAt, robert);
    await heard(acme, bobAt, bob);
    await sweep(acme, 0);
    expect(await sweep(acme, 1)).toMatchObject({ closed: 0 });
    await send(acme, { id: "both", kind: "demo_requested", identifiers: [robertAt, bobAt] });
    await merged(acme);
    expect(await sweep(acme, 2)).toMatchObject({ closed: 1 });
    expect(await proposals(acme)).toMatchObject([{ state: "closed", version: 2, document: { settled_by: "engine" } }]);
    const after = await written(acme);
    expect(await sweep(acme, 2)).toMatchObject({ closed: 0, leads: 0 });
    expect(await written(acme)).toBe(after);
  });
});

describe("merging without a person", () => {
  it("happens above the bar that the policy sets, and says so", async () => {
    const acme = await workspaceOf("likely-11", { merge_at: 0.95 });
    await heard(acme, robertAt, robert);
    await heard(acme, bobAt, bob);
    expect(await sweep(acme, 0)).toMatchObject({ pairs: 1, proposed: 0, merged: 1 });
    await merged(acme);
    expect(await proposals(acme)).toMatchObject([
      { state: "closed", version: 2, document: { settled_by: "likeness" } },
    ]);
    expect((await proposals(acme))[0]?.document.probability).toBeGreaterThan(0.95);
  });

  it("does not happen below it, nor by default", async () => {
    const acme = await workspaceOf("likely-12", { merge_at: 0.9999999 });
    await heard(acme, robertAt, robert);
    await heard(acme, bobAt, bob);
    expect(await sweep(acme, 0)).toMatchObject({ proposed: 1, merged: 0 });
    expect(await proposals(acme)).toMatchObject([{ state: "open" }]);
  });

  it("does not happen where the guard objects: two user ids are put before a person", async () => {
    const acme = await workspaceOf("likely-13", { merge_at: 0.95 });
    await heard(acme, robertAt, robert, [userId("u-robert")]);
    await heard(acme, bobAt, bob, [userId("u-bob")]);
    expect(await sweep(acme, 0)).toMatchObject({ proposed: 1, merged: 0 });
    expect(await proposals(acme)).toMatchObject([{ state: "open", version: 1 }]);
  });

  it("does not happen more often than the bound allows: the rest waits for the next run", async () => {
    const acme = await workspaceOf("likely-14", { merge_at: 0.95 });
    await heard(acme, robertAt, robert);
    await heard(acme, bobAt, bob);
    expect(await sweep(acme, 0, { ...usualBounds, merges: 0 })).toMatchObject({ proposed: 0, merged: 0 });
    expect(await proposals(acme)).toEqual([]);
    expect(await sweep(acme, 0)).toMatchObject({ merged: 1 });
  });

  it("that is interrupted is left to a person, and no later run merges by itself", async () => {
    const acme = await workspaceOf("likely-15", { merge_at: 0.95 });
    await heard(acme, robertAt, robert);
    await heard(acme, bobAt, bob);
    vi.spyOn(IdentityObject.prototype, "choose").mockImplementationOnce(() => {
      throw new Error("power cut");
    });
    await sweep(acme, 0);
    expect(await proposals(acme)).toMatchObject([{ state: "open" }]);
    expect(await sweep(acme, 1)).toMatchObject({ proposed: 0, merged: 0 });
    expect((await personOf(acme, bobAt)).root.members).toEqual([]);
  });
});

describe("more leads than one comparison holds", () => {
  it("the most recently active ones meet every other lead, stretch by stretch", async () => {
    const acme = await workspaceOf("likely-16");
    const names = [await heard(acme, robertAt, robert), await heard(acme, bobAt, bob)].sort();
    // One of the two has not been seen for long, and stands in the last stretch by id.
    const [recent = "", old = ""] = names;
    await env.LEDGER_0.prepare("UPDATE leads SET active_day = 0, last_event_timestamp = 0 WHERE id = ?")
      .bind(old)
      .run();
    const bounds = { ...usualBounds, leads: 100, recent: 60 };
    const runs: Sweep[] = [];
    for (let hour = 0; hour < 4; hour++) runs.push(await sweep(acme, hour, bounds));
    expect(runs.map(({ proposed }) => proposed).reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(runs.every(({ leads }) => leads <= 100)).toBe(true);
    expect(await proposals(acme)).toMatchObject([{ document: { a: recent, b: old } }]);
  });
});

describe("the cron", () => {
  it("takes each workspace when its turn comes, and not before", async () => {
    const acme = await workspaceOf("likely-17");
    await heard(acme, robertAt, robert);
    await heard(acme, bobAt, bob);
    const run = async (at: number) => {
      const ctx = createExecutionContext();
      await worker.scheduled(createScheduledController({ scheduledTime: new Date(at), cron: "*/5 * * * *" }), env, ctx);
      await waitOnExecutionContext(ctx);
    };
    const turns = Array.from({ length: 12 }, (_, at) => at * 300_000);
    const turn = turns.find((at) => inTurn([acme.id], at).length > 0) ?? 0;
    await run(turn === 0 ? 300_000 : 0);
    expect(await proposals(acme)).toEqual([]);
    await run(turn);
    expect(await proposals(acme)).toHaveLength(1);
  });
});
