/** What everybody reads: rows that only move forward (G8), a history in which everything stands once, a queue that loses nothing. */
import {
  createExecutionContext,
  createMessageBatch,
  getQueueResult,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { OverflowMessage } from "../../src/env.ts";
import { archiveJournal, readHistory } from "../../src/ledger/history.ts";
import type { JournalEntry } from "../../src/ledger/rows.ts";
import { identityStub } from "../../src/objects/names.ts";
import { ProjectorObject } from "../../src/objects/projector.ts";
import worker from "../../src/worker.ts";
import {
  addressesByName,
  api,
  email,
  eventually,
  fresh,
  nodeOf,
  openWorkspace,
  personOf,
  rest,
  send,
  type TestWorkspace,
  userId,
} from "./fixture.ts";
import { RecordingCrm } from "./recording-crm.ts";

const crm = new RecordingCrm();
let acme: TestWorkspace;

beforeAll(async () => {
  acme = await openWorkspace("acme", { crm });
});

afterEach(() => {
  vi.restoreAllMocks();
});

const rowOf = (table: "leads" | "follow_ups", column: "id" | "lead", value: string) =>
  env.LEDGER_0.prepare(`SELECT * FROM ${table} WHERE workspace = 'acme' AND ${column} = ?`)
    .bind(value)
    .first<Record<string, unknown>>();

const leadRow = (name: string) => rowOf("leads", "id", name);

/** The lead's row once it shows this state of it. */
const shown = (name: string, last: string) =>
  eventually(
    () => leadRow(name),
    (row) => row?.idempotency_key === last,
  );

describe("a lead's row", () => {
  it("shows the canonical attributes of its object", async () => {
    const name = nodeOf(acme, email("ada@example.com"));
    const signal = fresh(acme, {
      id: "p1",
      identifiers: [email("ada@example.com")],
      kind: "demo_requested",
      traits: { first_name: "Ada", last_name: "Lovelace" },
    });
    await send(acme, signal);
    expect(await shown(name, "forms:p1")).toMatchObject({
      email: "ada@example.com",
      name: "Ada Lovelace",
      lifecycle_state: "sales_ready",
      lead_score: 60,
      source: "forms",
      last_event_timestamp: signal.occurred_at,
      merged_into: null,
    });
  });

  it("is never taken back: an older version than the one that stands there changes nothing", async () => {
    const name = nodeOf(acme, email("bob@example.com"));
    await send(acme, { id: "p2", identifiers: [email("bob@example.com")], kind: "demo_requested" });
    await shown(name, "forms:p2");
    await rest(400);
    await env.LEDGER_0.prepare("UPDATE leads SET version = 1000, name = 'from the future' WHERE id = ?")
      .bind(name)
      .run();
    await send(acme, { id: "p3", identifiers: [email("bob@example.com")], kind: "contact_requested" });
    await rest(600);
    expect(await leadRow(name)).toMatchObject({ version: 1000, name: "from the future", idempotency_key: "forms:p2" });

    await env.LEDGER_0.prepare("UPDATE leads SET version = 1 WHERE id = ?").bind(name).run();
    await send(acme, { id: "p4", identifiers: [email("bob@example.com")], kind: "demo_requested" });
    expect(await shown(name, "forms:p4")).toMatchObject({ name: "bob@example.com" });
  });

  it("is written again by the alarm when the ledger could not be reached", async () => {
    vi.spyOn(ProjectorObject.prototype, "project").mockRejectedValueOnce(new Error("not reachable"));
    const name = nodeOf(acme, email("cat@example.com"));
    await send(acme, { id: "p5", identifiers: [email("cat@example.com")], kind: "page_viewed" });
    const stub = identityStub(env, name);
    const { root } = await personOf(acme, email("cat@example.com"));
    expect(root.follow_ups).toEqual([]);
    await runInDurableObject(stub, (object) => object.alarm());
    expect(await leadRow(name)).toBeNull();
    await runDurableObjectAlarm(stub);
    expect(await leadRow(name)).toMatchObject({ idempotency_key: "forms:p5" });
  });

  it("of somebody with a broken character in the name does not keep the others of its batch out", async () => {
    const broken = { id: "p6", identifiers: [email("dan@example.com")], traits: { first_name: "D\ud83dan" } };
    await Promise.all([
      send(acme, { ...broken, kind: "demo_requested" }),
      send(acme, { id: "p7", identifiers: [email("eve@example.com")], kind: "demo_requested" }),
    ]);
    await shown(nodeOf(acme, email("eve@example.com")), "forms:p7");
    await shown(nodeOf(acme, email("dan@example.com")), "forms:p6");
  });

  it("of a merged lead says where to look, keeps nothing personal, and leaves the list", async () => {
    const [winner = "", loser = ""] = addressesByName(acme, 2, "pair");
    await send(acme, { id: "p8", identifiers: [email(winner)], kind: "demo_requested" });
    await send(acme, { id: "p9", identifiers: [email(loser)], kind: "demo_requested", traits: { first_name: "Fay" } });
    await shown(nodeOf(acme, email(loser)), "forms:p9");
    await send(acme, { id: "p10", identifiers: [email(loser), email(winner)], kind: "demo_requested" });
    const row = await eventually(
      () => leadRow(nodeOf(acme, email(loser))),
      (found) => found?.merged_into !== null,
    );
    expect(row).toMatchObject({
      merged_into: nodeOf(acme, email(winner)),
      email: null,
      name: "merged",
      document: "{}",
    });
    const listed = await api<{ items: { id: string }[] }>("GET", "/v1/leads?limit=200", acme.apiKey);
    const ids = listed.items.map((item) => item.id);
    expect(ids).toContain(nodeOf(acme, email(winner)));
    expect(ids).not.toContain(nodeOf(acme, email(loser)));
  });
});

describe("a follow-up's row", () => {
  it("is not written again while only its lead changed, and is when its task was made", async () => {
    const name = nodeOf(acme, email("gil@example.com"));
    await send(acme, { id: "f1", identifiers: [email("gil@example.com")], kind: "demo_requested" });
    const made = await eventually(
      () => rowOf("follow_ups", "lead", name),
      (row) => String(row?.document).includes("task_id"),
    );
    await send(acme, { id: "f2", identifiers: [email("gil@example.com")], kind: "demo_requested" });
    const lead = await shown(name, "forms:f2");
    expect(Number(lead?.version)).toBeGreaterThan(Number(made?.version));
    expect(await rowOf("follow_ups", "lead", name)).toEqual(made);
  });
});

describe("the history", () => {
  const entriesOf = async (workspace: string): Promise<string[]> => {
    const keys: string[] = [];
    const keyOf = (entry: JournalEntry) =>
      entry.type === "signal" ? entry.signal.idempotency_key : `decision of ${entry.decision.signals.join(" ")}`;
    for await (const entry of readHistory(env.LEDGER_0, env.HISTORY, workspace)) keys.push(keyOf(entry));
    return keys.sort();
  };
  const archiveAll = () => archiveJournal(env.LEDGER_0, env.HISTORY, Date.now() + 1, 0);
  const chunksOf = (workspace: string) =>
    env.LEDGER_0.prepare("SELECT * FROM journal WHERE workspace = ?").bind(workspace).all<Record<string, string>>();
  const all = ["decision of forms:1", "decision of forms:2", "forms:1", "forms:2"];

  it("holds every signal and decision once: in the journal, archived, archived twice, and half of each", async () => {
    const past = await openWorkspace("past");
    await send(past, { id: "1", identifiers: [email("ada@example.com")], kind: "demo_requested" });
    await send(past, { id: "2", identifiers: [email("bob@example.com")], kind: "contact_requested" });
    await eventually(
      () => entriesOf("past"),
      (keys) => keys.length === 4,
    );
    expect(await entriesOf("past")).toEqual(all);

    const chunks = await chunksOf("past");
    await archiveAll();
    expect((await chunksOf("past")).results).toEqual([]);
    expect(await entriesOf("past")).toEqual(all);

    // A power cut after the segment was stored and before the chunks were deleted: they are archived again.
    const putBack = (suffix: string) =>
      env.LEDGER_0.batch(
        chunks.results.map((row) =>
          env.LEDGER_0.prepare("INSERT INTO journal VALUES (?, ?, ?, ?)").bind(
            row.workspace,
            `${row.id}${suffix}`,
            row.at,
            row.entries,
          ),
        ),
      );
    await putBack("");
    await archiveAll();
    expect((await env.HISTORY.list({ prefix: "history/past/" })).objects).toHaveLength(1);
    expect(await entriesOf("past")).toEqual(all);

    // A projection that was repeated: the same entries under another chunk.
    await putBack("x");
    await archiveAll();
    await putBack("y");
    expect((await env.HISTORY.list({ prefix: "history/past/" })).objects).toHaveLength(2);
    expect(await entriesOf("past")).toEqual(all);
  });

  it("leaves young chunks in the journal: they may still be read there", async () => {
    const young = await openWorkspace("young");
    await send(young, { id: "1", identifiers: [email("ada@example.com")], kind: "demo_requested" });
    await eventually(
      async () => (await chunksOf("young")).results.length,
      (count) => count > 0,
    );
    expect((await archiveJournal(env.LEDGER_0, env.HISTORY, Date.now())).chunks).toBe(0);
    expect((await chunksOf("young")).results.length).toBeGreaterThan(0);
  });

  it("of one workspace is not seen by another", async () => {
    expect(await entriesOf("pas")).toEqual([]);
  });

  it("answers what was decided, through the API", async () => {
    const { items } = await api<{ items: { lead: string; decision: { outcome: string } }[] }>(
      "GET",
      `/v1/decisions?lead=${encodeURIComponent(nodeOf(acme, email("ada@example.com")))}`,
      acme.apiKey,
    );
    expect(items.map((item) => item.decision.outcome)).toEqual(["follow_up"]);
  });
});

describe("the overflow queue", () => {
  const deliver = async (messages: readonly { id: string; body: OverflowMessage }[]) => {
    const batch = createMessageBatch<OverflowMessage>(
      "baton-overflow",
      messages.map((message) => ({ ...message, timestamp: new Date(), attempts: 2 })),
    );
    const ctx = createExecutionContext();
    await worker.queue(batch, env, ctx);
    return getQueueResult(batch, ctx);
  };

  it("applies a signal once, also when it is delivered twice", async () => {
    const body = { signal: fresh(acme, { id: "q1", identifiers: [userId("u-q")], kind: "page_viewed" }) };
    const result = await deliver([
      { id: "m1", body },
      { id: "m2", body },
    ]);
    expect([...result.explicitAcks].sort()).toEqual(["m1", "m2"]);
    expect((await deliver([{ id: "m1", body }])).explicitAcks).toEqual(["m1"]);
    expect((await personOf(acme, userId("u-q"))).root.lead.kinds.page_viewed?.count).toBe(1);
  });

  it("tries again what could not be applied, and lets the rest of the batch through", async () => {
    const good = { signal: fresh(acme, { id: "q2", identifiers: [userId("u-r")], kind: "page_viewed" }) };
    const lost = { signal: { ...good.signal, workspace: "nowhere" } };
    const result = await deliver([
      { id: "m3", body: lost },
      { id: "m4", body: good },
    ]);
    expect(result.explicitAcks).toEqual(["m4"]);
    expect(result.retryMessages).toEqual([{ msgId: "m3" }]);
  });
});
