/** A person is erased (DESIGN §6.7, G14): from objects, ledger, history and the CRM's queue, and nothing late brings them back. */
import { abortAllDurableObjects } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { eraseFromHistory } from "../../src/ledger/erasures.ts";
import { archiveJournal, readHistory } from "../../src/ledger/history.ts";
import { identityStub } from "../../src/objects/names.ts";
import { signal } from "../signals.ts";
import {
  email,
  eventually,
  look,
  nodeOf,
  openWorkspace,
  personOf,
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

async function erase(lead: string, key = acme.apiKey, body: unknown = { by: "sam@example.com" }) {
  const answer = await exports.default.fetch(`https://baton.example.com/v1/leads/${encodeURIComponent(lead)}/erase`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

const erased = (lead: string) =>
  eventually(
    () => erase(lead),
    (answer) => answer.status === 200,
  );

async function history(): Promise<string> {
  const entries: string[] = [];
  for await (const entry of readHistory(env.LEDGER_0, env.HISTORY, "acme")) entries.push(JSON.stringify(entry));
  return entries.join("\n");
}

describe("a person who is erased", () => {
  const ada = [userId("e-1"), email("ada@example.com")];
  const lead = () => nodeOf(acme, userId("e-1"));

  it("is gone from objects, ledger and history, and their open task is closed", async () => {
    await send(acme, { id: "e1", identifiers: ada, kind: "demo_requested" });
    await eventually(
      () => personOf(acme, userId("e-1")),
      (seen) => seen.root.follow_ups[0]?.actions[0]?.state === "done" && seen.root.links.length === 0,
    );
    await eventually(history, (text) => text.includes("ada@example.com"));
    await archiveJournal(env.LEDGER_0, env.HISTORY, Date.now() + 1, 0);

    expect(await erase(lead())).toEqual({ status: 202, body: { status: "under_way" } });
    expect((await erased(lead())).body).toEqual({ status: "erased" });

    expect(await look(lead())).toBeNull();
    expect(await look(nodeOf(acme, email("ada@example.com")))).toBeNull();
    for (const table of ["leads", "follow_ups", "exceptions"]) {
      const rows = await env.LEDGER_0.prepare(`SELECT * FROM ${table}`).all();
      expect(JSON.stringify(rows.results)).not.toContain("ada@example.com");
    }
    expect(await history()).not.toContain("ada@example.com");
    expect(await eraseFromHistory(env.LEDGER_0, env.HISTORY, Date.now())).toBe(1);
    const segments = await env.HISTORY.list();
    for (const { key } of segments.objects) {
      const text = await (await env.HISTORY.get(key))?.text();
      expect(text).not.toContain("ada@example.com");
    }
    expect(crm.tasks.map((task) => task.open)).toEqual([false]);
  });

  it("does not come back with a late signal, by whatever identifier", async () => {
    const before = Date.now() - 3_600_000;
    await send(acme, { id: "e1", identifiers: ada, kind: "demo_requested", occurred_at: before });
    await send(acme, { id: "e2", identifiers: [ada[1] ?? email("")], kind: "page_viewed", occurred_at: before });
    expect(await look(lead())).toBeNull();
    expect(await look(nodeOf(acme, email("ada@example.com")))).toBeNull();
  });

  it("is somebody new when they do something new", async () => {
    await send(acme, {
      id: "e3",
      identifiers: [email("ada@example.com")],
      kind: "page_viewed",
      occurred_at: Date.now() + 5_000,
    });
    const seen = await personOf(acme, email("ada@example.com"));
    expect(seen.log.map((entry) => entry.signal.id)).toEqual(["e3"]);
  });

  it("stays that somebody new through a power cut", async () => {
    await abortAllDurableObjects();
    const seen = await personOf(acme, email("ada@example.com"));
    expect(seen.log.map((entry) => entry.signal.id)).toEqual(["e3"]);
  });
});

describe("somebody new where an erased person was", () => {
  it("keeps what they came with, whatever was ordered of the one before and comes late", async () => {
    const device = { type: "anonymous_id", value: "late-order" };
    const ada = email("ada@example.com");
    await send(acme, { id: "n1", identifiers: [ada, device], kind: "page_viewed", occurred_at: Date.now() + 6_000 });
    const { root } = await eventually(
      () => personOf(acme, ada),
      (seen) => seen.root.members.includes(nodeOf(acme, device)),
    );
    const late = { at: Date.now() - 1_000, epoch: 3, within: [root.name] };
    await identityStub(env, nodeOf(acme, device)).swallow(late);
    expect((await personOf(acme, device)).root.name).toBe(root.name);
  });

  it("takes in nobody who was on the way to the one before, whenever they set out", async () => {
    const { root } = await personOf(acme, email("ada@example.com"));
    const name = `${root.name}-late`;
    const tie = {
      a: name,
      b: root.name,
      over: userId("late"),
      by: "forms:late",
      authority: { type: "signal" },
    } as const;
    const loser = { ...root, name, members: [], ties: [{ ...tie, loser: name, at: Date.now() }] };
    const call = { self: root.name, loser, entries: [], first: true, last: true };
    const absorbed = (joins: number) => identityStub(env, root.name).absorb({ ...call, joins });
    expect(await absorbed(0)).toEqual({ arm: "erased", at: root.erased_at });
    expect(await absorbed(root.erased_at ?? 0)).toMatchObject({ arm: "ok" });
  });
});

describe("a node of an erased person that somebody new has claimed, and does not know of yet", () => {
  const [node, root] = ["nowhere/device", "nowhere/person"] as const;
  const at = Date.now();
  // A workspace that nobody can look up: what is received is applied, and what is owed stays owed.
  const receive = (nodes: readonly string[], via: readonly string[], part: Parameters<typeof signal>[0]) =>
    identityStub(env, root).receive({
      self: root,
      nodes,
      via,
      workspace: { ...acme.facts, id: "nowhere" },
      signal: JSON.stringify(signal({ workspace: "nowhere", kind: "page_viewed", received_at: at, ...part })),
    });

  it("brings nothing of theirs back by way of them", async () => {
    await identityStub(env, node).claim({ by: "nowhere/before", node, full: false });
    await identityStub(env, node).swallow({ at, epoch: 3, within: ["nowhere/before"] });
    const both = [userId("nobody"), { type: "anonymous_id", value: "device" }];
    expect(await receive([root, node], [], { id: "x1", identifiers: both, occurred_at: at + 1_000 })).toEqual({
      arm: "applied",
    });
    const claimed = await identityStub(env, node).claim({ by: root, node, full: false, after: 3 });
    expect(claimed).toEqual({ arm: "claimed", erased_at: at, epoch: 3 });

    const device = both.slice(1);
    const late = { id: "x2", identifiers: device, occurred_at: at - 1_000 };
    expect(await receive([node], [node], late)).toEqual({ arm: "swallowed" });
    const later = { id: "x3", identifiers: device, occurred_at: at + 2_000 };
    expect(await receive([node], [node], later)).toEqual({ arm: "applied" });
  });
});

describe("the order to erase", () => {
  it("is refused for nobody, for a stranger's lead, and without a name to it", async () => {
    expect((await erase("acme/nobody")).status).toBe(404);
    const rival = await openWorkspace("rival");
    await send(acme, { id: "e9", identifiers: [userId("e-9")], kind: "page_viewed" });
    expect((await erase(nodeOf(acme, userId("e-9")), rival.apiKey)).status).toBe(404);
    expect((await erase(nodeOf(acme, userId("e-9")), acme.apiKey, {})).status).toBe(422);
    expect(await look(nodeOf(acme, userId("e-9")))).not.toBeNull();
  });
});
