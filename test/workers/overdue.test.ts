/** Promises that are not kept: found by the sweeper, asked of somebody, and over when the follow-up is. */
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Policy } from "../../src/decide/policy.ts";
import { climbOverdue } from "../../src/ledger/overdue.ts";
import type { Identifier } from "../../src/model.ts";
import { IdentityObject } from "../../src/objects/identity.ts";
import type { FollowUpRecord } from "../../src/resolve/node.ts";
import {
  type Answered,
  addressesByName,
  answer,
  ask,
  email,
  eventually,
  exceptionOf,
  letPass,
  nodeOf,
  openWorkspace,
  personOf,
  rest,
  send,
  type TestWorkspace,
  tell,
} from "./fixture.ts";
import { RecordingCrm } from "./recording-crm.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const by = "rae@example.com";
const crm = new RecordingCrm();
let acme: TestWorkspace;

/** Demo requests are promised a contact within five minutes; who is late is the desk's for four hours, then the head's. */
const desk = (policy: Policy): Policy => ({
  ...policy,
  roles: {
    revenue_operations: { holder: "rae@example.com", deputy: null },
    desk: { holder: "dana@example.com", deputy: null },
    head: { holder: "gus@example.com", deputy: null },
  },
  exceptions: {
    overdue: { owner: "desk", due_in_ms: 4 * hour, escalate_to: ["head"] },
    contract_break: { owner: "desk", due_in_ms: 4 * hour, escalate_to: ["head"] },
  },
});

beforeAll(async () => {
  acme = await openWorkspace("acme", { crm, policy: desk });
});

afterAll(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const sweep = (at = Date.now()) => climbOverdue(env, at, (work) => void work);

/** Somebody with an open follow-up whose task stands, as the ledger shows it. */
async function taskFor(who: Identifier): Promise<FollowUpRecord> {
  await send(acme, { id: `demo ${who.value}`, kind: "demo_requested", identifiers: [who] });
  const { root } = await eventually(
    () => personOf(acme, who),
    (seen) => seen.root.follow_ups.some((item) => item.actions.some(({ state }) => state === "done")),
  );
  const [item] = root.follow_ups;
  if (item === undefined) throw new Error("none");
  await eventually(
    () => shown(item.id),
    (row) => row?.actions?.[0]?.state === "done",
  );
  return item;
}

async function shown(followUp: string): Promise<Answered["body"]> {
  const { body } = await ask(acme, "GET", "/v1/follow-ups?limit=200");
  return body.items.find((row: { id: string }) => row.id === followUp);
}

const leadOf = async (who: Identifier) =>
  (await ask(acme, "GET", `/v1/leads/${encodeURIComponent(nodeOf(acme, who))}`)).body;

const late = (who: Identifier, state: "open" | "closed" = "open") => exceptionOf(acme, who, "overdue", state);

const rowsAbout = async (who: Identifier) =>
  (
    await env.LEDGER_0.prepare("SELECT reason, version FROM exceptions WHERE lead = ?")
      .bind(nodeOf(acme, who))
      .all<{ reason: string; version: number }>()
  ).results;

const instant = (at: number) => new Date(at).toISOString();

describe("a lead", () => {
  it("shows its score with every point, its level, and what its follow-up promises", async () => {
    const ada = email("ada-shown@example.com");
    const { id, accepted_at } = await taskFor(ada);
    const sla = {
      state: "running",
      due_at: instant(accepted_at + 15 * minute),
      elapsed_ms: expect.any(Number),
      left_ms: expect.any(Number),
    };
    const lead = await leadOf(ada);
    expect(lead).toMatchObject({
      level: "card",
      score: {
        fit: 0,
        intent: 60,
        total: 60,
        reasons: [{ code: "intent:demo_requested", text: "asked for a demo", points: 60 }],
      },
      follow_ups: [{ id, promised_at: sla.due_at, sla }],
    });
    expect(lead.follow_ups[0].sla.elapsed_ms + lead.follow_ups[0].sla.left_ms).toBe(15 * minute);
    expect(await shown(id)).toMatchObject({ promised_at: sla.due_at, sla });
  });
});

describe("a promise", () => {
  it("that is kept is nobody's question, and says so", async () => {
    const bob = email("bob-kept@example.com");
    const { id, accepted_at } = await taskFor(bob);
    letPass(4 * minute);
    expect((await tell(acme, id, { choice: "done", by })).status).toBe(200);
    await eventually(
      () => shown(id),
      (row) => row?.state === "done",
    );
    letPass(10 * minute);
    await sweep();
    await rest(100);
    expect(await rowsAbout(bob)).toEqual([]);
    const sla = { state: "met", due_at: instant(accepted_at + 15 * minute), left_ms: expect.any(Number) };
    expect((await shown(id)).sla).toMatchObject(sla);
    expect((await shown(id)).sla.left_ms).toBeGreaterThan(0);
    expect((await leadOf(bob)).follow_ups[0]).toMatchObject({ sla, closed_at: expect.stringMatching(/Z$/) });
  });

  it("that is broken is a question with an owner, who was late and by how much; once, and closed when the follow-up is", async () => {
    const cat = email("cat-late@example.com");
    const { id, accepted_at } = await taskFor(cat);
    await sweep();
    await rest(100);
    expect(await rowsAbout(cat)).toEqual([]);
    letPass(22 * minute);
    await sweep();
    const question = await late(cat);
    expect(question).toMatchObject({
      id: `ex_${id}-overdue`,
      owner: "dana@example.com",
      next: "gus@example.com",
      follow_up: id,
      play: "speed to lead",
      holder: "sam@example.com",
      promised_at: instant(accepted_at + 15 * minute),
      raised_at: instant(accepted_at + 15 * minute),
      due_at: instant(accepted_at + 15 * minute + 4 * hour),
    });
    expect(question.late_ms).toBe(Date.now() - accepted_at - 15 * minute);
    const one = await ask(acme, "GET", `/v1/exceptions/${encodeURIComponent(question.id)}`);
    expect(one.body.late_ms).toBe(question.late_ms);
    expect((await leadOf(cat)).follow_ups[0]).toMatchObject({
      state: "open",
      overdue: { holder: "sam@example.com" },
      sla: { state: "breached" },
    });
    const rows = await rowsAbout(cat);
    expect(rows).toHaveLength(1);
    await sweep();
    await rest(100);
    expect(await rowsAbout(cat)).toEqual(rows);

    expect((await tell(acme, id, { choice: "done", by })).status).toBe(200);
    expect(await late(cat, "closed")).toMatchObject({
      id: question.id,
      closed_at: instant(Date.now()),
      late_ms: question.late_ms,
    });
    expect((await shown(id)).sla.state).toBe("breached");
  });

  it("that was made to somebody who is another one's since is asked of that one", async () => {
    const [winner, loser] = addressesByName(acme, 2, "late").map(email) as [Identifier, Identifier];
    const { id } = await taskFor(loser);
    await send(acme, { id: "late merged", kind: "page_viewed", identifiers: [winner, loser] });
    await eventually(
      () => personOf(acme, loser),
      ({ root }) => root.name === nodeOf(acme, winner) && root.links.length === 0,
    );
    // As it is while the ledger does not know of the merge yet.
    await rest();
    await env.LEDGER_0.prepare("UPDATE follow_ups SET lead = ? WHERE id = ?").bind(nodeOf(acme, loser), id).run();
    letPass(16 * minute);
    await sweep();
    expect(await late(winner)).toMatchObject({ follow_up: id, lead: nodeOf(acme, winner) });
  });

  it("is found by the run of the hour or of the day where it was made long ago", async () => {
    const dan = email("dan-long-ago@example.com");
    const { id } = await taskFor(dan);
    const row = () => rowsAbout(dan);
    letPass(3 * day);
    const at = (offset: number) => Math.floor(Date.now() / hour) * hour + offset;
    await sweep(at(7 * minute));
    await rest(100);
    expect(await row()).toEqual([]);
    await sweep(at(2 * minute));
    expect(await late(dan)).toMatchObject({ follow_up: id });
  });

  it("that cannot be told of keeps no other waiting", async () => {
    const [eva, fay] = [email("eva-stuck@example.com"), email("fay-behind@example.com")];
    await taskFor(eva);
    await taskFor(fay);
    letPass(16 * minute);
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const broken = vi.spyOn(IdentityObject.prototype, "overdue").mockImplementationOnce(() => {
      throw new Error("not now");
    });
    await sweep();
    broken.mockRestore();
    const asked = async () => (await Promise.all([rowsAbout(eva), rowsAbout(fay)])).map((rows) => rows.length).sort();
    await eventually(asked, (counts) => counts.join() === "0,1");
    await sweep();
    await eventually(asked, (counts) => counts.join() === "1,1");
  });
});

describe("who is late", () => {
  it("is given to somebody else by the question, which is over with that", async () => {
    const gil = email("gil-given@example.com");
    const { id } = await taskFor(gil);
    letPass(16 * minute);
    await sweep();
    const question = await late(gil);
    expect((await answer(acme, question.id, { choice: "reassign", by, to: "kim@example.com" })).status).toBe(200);
    expect(await late(gil, "closed")).toMatchObject({ how: "reassigned", note: "kim@example.com", settled_by: by });
    const { root } = await personOf(acme, gil);
    expect(root.follow_ups[0]).toMatchObject({ id, state: "open", holder: "kim@example.com" });
    letPass(hour);
    await sweep();
    await rest(100);
    expect(await rowsAbout(gil)).toHaveLength(1);
  });

  it("stays the holder where the question is dismissed", async () => {
    const hal = email("hal-dismissed@example.com");
    const { id } = await taskFor(hal);
    letPass(16 * minute);
    await sweep();
    const question = await late(hal);
    expect((await answer(acme, question.id, { choice: "dismiss", by, reason: "on holiday" })).status).toBe(200);
    expect(await late(hal, "closed")).toMatchObject({ how: "dismissed", note: "on holiday" });
    expect(await shown(id)).toMatchObject({ state: "open", holder: "sam@example.com", sla: { state: "breached" } });
  });
});

describe("whoever takes a question", () => {
  it("has it from that moment, also after its deadline, and it climbs from there when their time is over", async () => {
    const ivy = email("ivy-taken@example.com");
    await taskFor(ivy);
    letPass(5 * hour);
    await sweep();
    const question = await late(ivy);
    expect(question).toMatchObject({ owner: "gus@example.com", next: null, climbed: 1 });
    const take = { choice: "take", by, to: "hal@example.com" };
    expect((await answer(acme, question.id, take)).status).toBe(200);
    const isWith = (owner: string) =>
      eventually(
        () => late(ivy),
        (row) => row.owner === owner,
      );
    const taken = {
      due_at: instant(Date.now() + 4 * hour),
      taken_by: "hal@example.com",
      taken_at: instant(Date.now()),
    };
    expect(await isWith("hal@example.com")).toMatchObject({ ...taken, next: "gus@example.com", climbed: 0 });
    letPass(3 * hour);
    expect((await answer(acme, question.id, take)).status).toBe(200);
    await sweep();
    await rest(100);
    expect(await late(ivy)).toMatchObject({ owner: "hal@example.com", ...taken });
    letPass(hour + 1);
    await sweep();
    await isWith("gus@example.com");
    expect((await answer(acme, question.id, take)).status).toBe(200);
    expect(await isWith("hal@example.com")).toMatchObject({ due_at: instant(Date.now() + 4 * hour) });
  });

  it("that only the ledger has, has it likewise, and so does the tool's owner where the policy names nobody", async () => {
    const at = Date.now();
    const insert = (id: string, reason: string) =>
      env.LEDGER_0.prepare(
        `INSERT INTO exceptions (workspace, id, version, lead, reason, owner, state, raised_at, due_at, document)
         VALUES ('acme', ?, 1, '', ?, 'x@example.com', 'open', ?, ?, ?)`,
      )
        .bind(id, reason, at, at + 4 * hour, JSON.stringify({ told: ["owner@example.com"], next: "gus@example.com" }))
        .run();
    await insert("ex_tool", "contract_break");
    await insert("ex_fields", "field_report");
    const one = async (id: string) => (await ask(acme, "GET", `/v1/exceptions/${id}`)).body;
    letPass(9 * hour);
    await sweep();
    expect(await one("ex_tool")).toMatchObject({ owner: "gus@example.com", climbed: 1 });
    expect(await one("ex_fields")).toMatchObject({ owner: "owner@example.com", next: "rae@example.com", climbed: 0 });
    expect((await answer(acme, "ex_tool", { choice: "take", by: "hal@example.com" })).status).toBe(200);
    const taken = {
      owner: "hal@example.com",
      due_at: instant(Date.now() + 4 * hour),
      next: "gus@example.com",
      climbed: 0,
    };
    expect(await one("ex_tool")).toMatchObject({
      ...taken,
      taken_by: "hal@example.com",
      taken_at: instant(Date.now()),
    });
    letPass(3 * hour);
    expect((await answer(acme, "ex_tool", { choice: "take", by: "hal@example.com" })).status).toBe(200);
    await sweep();
    expect(await one("ex_tool")).toMatchObject(taken);
    letPass(hour + 1);
    await sweep();
    expect(await one("ex_tool")).toMatchObject({ owner: "gus@example.com", climbed: 1 });
    letPass(day);
    await sweep();
    expect(await one("ex_fields")).toMatchObject({ owner: "rae@example.com", next: null, climbed: 1 });
  });
});
