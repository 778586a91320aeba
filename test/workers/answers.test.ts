/** What people say about questions and follow-ups, through the API, and what becomes of it in the object and in the CRM. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Command } from "../../connectors/contract.ts";
import type { Policy } from "../../src/decide/policy.ts";
import type { Identifier, Signal } from "../../src/model.ts";
import { AccountObject } from "../../src/objects/account.ts";
import { identityStub, teamStub } from "../../src/objects/names.ts";
import type { FollowUpRecord } from "../../src/resolve/node.ts";
import {
  addressesByName,
  answer,
  ask,
  connect,
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

const crm = new RecordingCrm();
let acme: TestWorkspace;
let rival: TestWorkspace;
/** Its only seller is away. */
let vacant: TestWorkspace;

const hour = 3_600_000;
const day = 24 * hour;

const desk = (policy: Policy): Policy => ({
  ...policy,
  roles: {
    revenue_operations: { holder: "rae@example.com", deputy: null },
    desk: { holder: "dana@example.com", deputy: null },
    head: { holder: "gus@example.com", deputy: null },
  },
  exceptions: {
    held: { owner: "desk", due_in_ms: 4 * hour, escalate_to: ["head"] },
    crm_refused: { owner: "desk", due_in_ms: 4 * hour, escalate_to: ["head"] },
  },
  manual_domains: ["key.example.com"],
  holds: {
    ...policy.holds,
    manual: [{ name: "partners", when: { "lead.company": { is: "Partner" } }, words: "Partners are called by hand." }],
  },
});

beforeAll(async () => {
  acme = await openWorkspace("acme", { crm, policy: desk });
  rival = await openWorkspace("rival", { crm });
  vacant = await openWorkspace("vacant", {
    crm,
    policy: (policy) => {
      const sam = { address: "sam@example.com", weight: 1, cap: null, skills: [], territories: [] };
      const away = [{ from: "2020-01-01", to: "2099-12-31" }];
      return { ...policy, teams: { sales: { members: [{ ...sam, away }], manager: "max@example.com" } } };
    },
  });
});

afterAll(() => {
  vi.useRealTimers();
});

const by = "rae@example.com";

async function asks(of: TestWorkspace, who: Identifier, part: Partial<Signal> = {}): Promise<void> {
  await send(of, { id: `demo ${who.value}`, kind: "demo_requested", identifiers: [who], ...part });
}

/** The only follow-up of this person, once it looks so. */
async function followUpOf(
  of: TestWorkspace,
  who: Identifier,
  holds: (item: FollowUpRecord) => boolean,
): Promise<FollowUpRecord> {
  const { root } = await eventually(
    () => personOf(of, who),
    (seen) => seen.root.follow_ups.some(holds),
  );
  expect(root.follow_ups).toHaveLength(1);
  const [item] = root.follow_ups;
  if (item === undefined) throw new Error("none");
  return item;
}

const isWithTask = (item: FollowUpRecord) => item.actions.some((action) => action.state === "done");

/** Somebody with an open follow-up whose task stands, as everybody can see. */
async function taskFor(of: TestWorkspace, who: Identifier): Promise<FollowUpRecord> {
  await asks(of, who);
  const item = await followUpOf(of, who, isWithTask);
  await shown(of, item.id, "open");
  return item;
}

/** A follow-up as the API lists it. */
function shown(of: TestWorkspace, id: string, state: string): Promise<{ readonly [name: string]: unknown }> {
  return eventually(
    async () =>
      (await ask(of, "GET", "/v1/follow-ups?limit=200")).body.items.find((row: { id: string }) => row.id === id),
    (row) => row?.state === state,
  );
}

/** What the CRM was asked for this follow-up. */
const sentFor = (id: string, type: Command["type"]) =>
  crm.sent.filter((command) => command.type === type && command.key.startsWith(id));
const tasksOf = (id: string) => crm.tasks.filter(({ key }) => key.startsWith(id));

async function updatesOf(id: string, count: number) {
  const updates = await eventually(
    () => sentFor(id, "update_task"),
    (all) => all.length >= count,
  );
  expect(updates).toHaveLength(count);
  return updates as Extract<Command, { type: "update_task" }>[];
}

const holderInTeam = (of: TestWorkspace, id: string) =>
  runInDurableObject(teamStub(env, of.id), (_object, { storage }) =>
    storage.sql.exec("SELECT holder, released_at FROM assigned WHERE follow_up = ?", id).toArray(),
  );

describe("what a hold stopped", () => {
  it("is a question with an owner, a deadline and whoever is next, and nothing leaves", async () => {
    const ada = email("ada@key.example.com");
    await asks(acme, ada);
    const held = await exceptionOf(acme, ada, "held");
    expect(held).toMatchObject({
      owner: "dana@example.com",
      next: "gus@example.com",
      climbed: 0,
      code: "hold:manual",
      play: "speed to lead",
      reasons: [{ text: "The account key.example.com is handled by hand." }, { text: "asked for a demo", points: 60 }],
    });
    expect(Date.parse(held.due_at) - Date.parse(held.raised_at)).toBe(4 * hour);
    expect((await personOf(acme, ada)).root.follow_ups).toEqual([]);
    expect(crm.sent).toEqual([]);
  });

  it("leaves when somebody approves it, once, however often and at once that is said", async () => {
    const bea = email("bea@example.com");
    await asks(acme, bea, { traits: { company: "Partner" } });
    const { id, code } = await exceptionOf(acme, bea, "held");
    expect(code).toBe("hold:partners");
    const said = await Promise.all([1, 2, 3].map(() => answer(acme, id, { choice: "approve", by })));
    expect(said).toEqual([1, 2, 3].map(() => ({ status: 200, body: { status: "ok" } })));
    const item = await followUpOf(acme, bea, isWithTask);
    expect(tasksOf(item.id)).toMatchObject([
      { ownerId: "owner-sam", subject: "Call bea@example.com (Partner): asked for a demo" },
    ]);
    expect(await exceptionOf(acme, bea, "held", "closed")).toMatchObject({
      id,
      how: "approved",
      settled_by: by,
      settled_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(await answer(acme, id, { choice: "approve", by })).toEqual({ status: 200, body: { status: "ok" } });
    await rest();
    expect(tasksOf(item.id)).toHaveLength(1);
  });

  it("leaves as whoever approves it wants it: with another holder, priority and time", async () => {
    const cat = email("cat@key.example.com");
    await asks(acme, cat);
    const { id } = await exceptionOf(acme, cat, "held");
    const dueAt = Date.now() + 2 * day;
    const edit = { holder: "kim@example.com", priority: "low", due_at: new Date(dueAt).toISOString() };
    expect((await answer(acme, id, { choice: "approve", by, edit })).status).toBe(200);
    const item = await followUpOf(acme, cat, isWithTask);
    expect(item).toMatchObject({ holder: "kim@example.com", assigned_by: "approver", priority: "low", due_at: dueAt });
    expect(sentFor(item.id, "create_task")).toMatchObject([{ task: { ownerId: "owner-kim", priority: "low", dueAt } }]);
    expect(await exceptionOf(acme, cat, "held", "closed")).toMatchObject({ how: "edited_and_approved" });
    expect(await holderInTeam(acme, item.id)).toEqual([{ holder: "kim@example.com", released_at: null }]);
  });

  it("is over when somebody dismisses it: who and why stays, nothing leaves, and it cannot be approved any more", async () => {
    const dan = email("dan@key.example.com");
    await asks(acme, dan);
    const { id } = await exceptionOf(acme, dan, "held");
    const dismissal = { choice: "dismiss", by, reason: "a competitor" };
    expect((await answer(acme, id, dismissal)).status).toBe(200);
    expect(await exceptionOf(acme, dan, "held", "closed")).toMatchObject({
      how: "dismissed",
      note: "a competitor",
      settled_by: by,
      by,
    });
    expect((await answer(acme, id, dismissal)).status).toBe(200);
    expect(await answer(acme, id, { choice: "approve", by })).toMatchObject({
      status: 409,
      body: { code: "not_possible", detail: "This is settled already: dismissed." },
    });
    await rest();
    expect((await personOf(acme, dan)).root.follow_ups).toEqual([]);
  });

  it("for a person's no cannot be approved: nobody consents in another's place", async () => {
    const eva = email("eva@example.com");
    await asks(acme, eva, { consent: { follow_up: false } });
    const { id, code } = await exceptionOf(acme, eva, "held");
    expect(code).toBe("hold:consent");
    expect(await answer(acme, id, { choice: "approve", by })).toMatchObject({
      status: 409,
      body: {
        code: "not_possible",
        detail: "Consent is the person's own to give; nobody can approve in their place.",
      },
    });
    expect((await exceptionOf(acme, eva, "held")).id).toBe(id);
  });

  it("is somebody else's who takes it, whoever was asked before, and goes back to its owner when their time is over", async () => {
    const flo = email("flo@key.example.com");
    await asks(acme, flo);
    const { id } = await exceptionOf(acme, flo, "held");
    expect((await answer(acme, id, { choice: "take", by: "hal@example.com" })).status).toBe(200);
    const taken = await eventually(
      () => exceptionOf(acme, flo, "held"),
      (row) => row.owner === "hal@example.com",
    );
    expect(taken).toMatchObject({ state: "open", next: "dana@example.com" });
    expect((await answer(acme, id, { choice: "take", by, to: "ivo@example.com" })).status).toBe(200);
    await eventually(
      () => exceptionOf(acme, flo, "held"),
      (row) => row.owner === "ivo@example.com",
    );
  });

  it("of a lead that was merged is settled where that lead is by now, by its old name too", async () => {
    const [winner, loser] = addressesByName(acme, 2, "merged")
      .map((value) => email(value.replace("@", "@key.")))
      .sort((a, b) => (nodeOf(acme, a) < nodeOf(acme, b) ? -1 : 1)) as [Identifier, Identifier];
    await asks(acme, loser);
    const { id } = await exceptionOf(acme, loser, "held");
    await send(acme, { id: "merged", kind: "page_viewed", identifiers: [winner, loser] });
    await eventually(
      () => personOf(acme, loser),
      ({ root }) => root.name === nodeOf(acme, winner) && root.links.length === 0,
    );
    await exceptionOf(acme, loser, "held");
    // As it is while the ledger does not know of the merge yet.
    await env.LEDGER_0.prepare("UPDATE exceptions SET lead = ? WHERE id = ?").bind(nodeOf(acme, loser), id).run();
    expect((await answer(acme, id, { choice: "approve", by })).status).toBe(200);
    const item = await followUpOf(acme, winner, isWithTask);
    expect(tasksOf(item.id)).toHaveLength(1);
    expect(await exceptionOf(acme, winner, "held", "closed")).toMatchObject({ id, how: "approved" });
  });

  it("counts as approved for a while, but what was said of the first follow-up is not said of the next one", async () => {
    const gil = email("gil@key.example.com");
    await asks(acme, gil);
    const { id } = await exceptionOf(acme, gil, "held");
    const edit = { due_at: new Date(Date.now() + hour).toISOString(), holder: "kim@example.com" };
    await answer(acme, id, { choice: "approve", by, edit });
    const first = await followUpOf(acme, gil, isWithTask);
    await shown(acme, first.id, "open");
    expect((await tell(acme, first.id, { choice: "done", by: "kim@example.com" })).status).toBe(200);
    letPass(8 * day);
    await send(acme, { id: "gil again", kind: "demo_requested", identifiers: [gil] });
    const { root } = await eventually(
      () => personOf(acme, gil),
      (seen) => seen.root.follow_ups.slice(1).some(isWithTask),
    );
    expect(root.follow_ups[1]).toMatchObject({ state: "open", priority: "high", due_at: Date.now() + 15 * 60_000 });
  });
});

describe("what a CRM refused", () => {
  it("goes to it once more when somebody says so, and becomes exactly one task", async () => {
    crm.scripts.push({ arm: "refused", reason: "bad_email" });
    const ada = email("ada-refused@example.com");
    await asks(acme, ada);
    const refused = await exceptionOf(acme, ada, "crm_refused");
    expect(refused).toMatchObject({ owner: "dana@example.com", crm: "hubspot", problem: "bad_email" });
    expect(crm.tasks.filter(({ key }) => key.startsWith(refused.follow_up))).toEqual([]);
    const said = await Promise.all([1, 2].map(() => answer(acme, refused.id, { choice: "retry", by })));
    expect(said.map(({ status }) => status)).toEqual([200, 200]);
    const item = await followUpOf(acme, ada, isWithTask);
    await exceptionOf(acme, ada, "crm_refused", "closed");
    expect((await answer(acme, refused.id, { choice: "retry", by })).status).toBe(200);
    await rest();
    expect(tasksOf(item.id)).toHaveLength(1);
    expect(sentFor(item.id, "create_task")).toHaveLength(2);
  });

  it("and refuses again is a question again, to be tried a second time", async () => {
    crm.scripts.push({ arm: "refused", reason: "bad_email" }, { arm: "refused", reason: "bad_phone" });
    const bob = email("bob-refused@example.com");
    await asks(acme, bob);
    const { id } = await exceptionOf(acme, bob, "crm_refused");
    await answer(acme, id, { choice: "retry", by });
    await eventually(
      () => exceptionOf(acme, bob, "crm_refused"),
      (row) => row.problem === "bad_phone",
    );
    await answer(acme, id, { choice: "retry", by });
    const item = await followUpOf(acme, bob, isWithTask);
    expect(tasksOf(item.id)).toHaveLength(1);
  });

  it("is given to somebody else, and goes to the CRM once more as theirs: nobody holds what the CRM does not show", async () => {
    crm.scripts.push({ arm: "refused", reason: "owner_inactive" });
    const cat = email("cat-refused@example.com");
    await asks(acme, cat);
    const { id } = await exceptionOf(acme, cat, "crm_refused");
    expect((await answer(acme, id, { choice: "reassign", by, to: "kim@example.com" })).status).toBe(200);
    const item = await followUpOf(acme, cat, isWithTask);
    expect(item.holder).toBe("kim@example.com");
    expect(sentFor(item.id, "create_task")).toMatchObject([
      { task: { ownerId: "owner-sam" } },
      { task: { ownerId: "owner-kim" } },
    ]);
    expect(tasksOf(item.id)).toMatchObject([{ ownerId: "owner-kim" }]);
    await exceptionOf(acme, cat, "crm_refused", "closed");
  });

  it("is dismissed with its follow-up where no CRM has the task", async () => {
    crm.scripts.push({ arm: "refused", reason: "bad_email" });
    const dan = email("dan-refused@example.com");
    await asks(acme, dan);
    const { id } = await exceptionOf(acme, dan, "crm_refused");
    await answer(acme, id, { choice: "dismiss", by, reason: "no such person" });
    expect(await exceptionOf(acme, dan, "crm_refused", "closed")).toMatchObject({
      how: "dismissed",
      note: "no such person",
      settled_by: by,
    });
    const item = await followUpOf(acme, dan, ({ state }) => state === "cancelled");
    expect(item.closed_because).toBe("dismissed: no such person");
    expect(tasksOf(item.id)).toEqual([]);
    expect(await answer(acme, id, { choice: "reassign", by, to: "kim@example.com" })).toMatchObject({
      status: 409,
      body: { detail: "This follow-up is closed already." },
    });
  });

  it("has nothing to approve", async () => {
    crm.scripts.push({ arm: "refused", reason: "bad_email" });
    const eva = email("eva-refused@example.com");
    await asks(acme, eva);
    const { id } = await exceptionOf(acme, eva, "crm_refused");
    expect(await answer(acme, id, { choice: "approve", by })).toMatchObject({
      status: 409,
      body: { detail: "There is nothing to approve: try again, give it to somebody, or dismiss it." },
    });
  });
});

describe("a follow-up that nobody of the team could take", () => {
  it("is a question until it is given to somebody, who then has its task in the CRM and its place in the team", async () => {
    const ada = email("ada@example.com");
    const first = await taskFor(vacant, ada);
    const question = await exceptionOf(vacant, ada, "no_owner");
    expect(question).toMatchObject({ follow_up: first.id, owner: "sam@example.com" });
    expect(tasksOf(first.id)).toMatchObject([{ ownerId: "owner-sam" }]);
    expect((await answer(vacant, question.id, { choice: "reassign", by, to: "kim@example.com" })).status).toBe(200);
    const [update] = await updatesOf(first.id, 1);
    expect(update?.task.ownerId).toBe("owner-kim");
    expect(tasksOf(first.id)).toMatchObject([{ ownerId: "owner-kim" }]);
    expect(await exceptionOf(vacant, ada, "no_owner", "closed")).toMatchObject({
      how: "reassigned",
      note: "kim@example.com",
      settled_by: by,
    });
    await eventually(
      () => holderInTeam(vacant, first.id),
      ([row]) => row?.holder === "kim@example.com",
    );
  });

  it("is no question any more when its follow-up is given on by the way of follow-ups", async () => {
    const bob = email("bob@example.com");
    const { id } = await taskFor(vacant, bob);
    await exceptionOf(vacant, bob, "no_owner");
    expect((await tell(vacant, id, { choice: "reassign", by, to: "kim@example.com" })).status).toBe(200);
    await exceptionOf(vacant, bob, "no_owner", "closed");
  });

  it("is not tried again: somebody has to be named", async () => {
    const cat = email("cat@example.com");
    await taskFor(vacant, cat);
    const { id } = await exceptionOf(vacant, cat, "no_owner");
    expect(await answer(vacant, id, { choice: "retry", by })).toMatchObject({
      status: 409,
      body: { detail: "Nobody was found to take it: give it to somebody, or dismiss it." },
    });
  });
});

describe("a follow-up that no CRM carries", () => {
  it("waits for a CRM, and leaves when one is connected and somebody tries again", async () => {
    const bare = await openWorkspace("bare");
    const ada = email("ada-bare@example.com");
    await asks(bare, ada);
    const { id } = await exceptionOf(bare, ada, "no_crm_connected");
    expect(await answer(bare, id, { choice: "retry", by })).toMatchObject({
      status: 409,
      body: { detail: "No CRM is connected yet; connect one and try again." },
    });
    await connect("bare", crm);
    expect((await answer(bare, id, { choice: "retry", by })).status).toBe(200);
    expect((await answer(bare, id, { choice: "retry", by })).status).toBe(200);
    const item = await followUpOf(bare, ada, isWithTask);
    expect(tasksOf(item.id)).toHaveLength(1);
    expect(await exceptionOf(bare, ada, "no_crm_connected", "closed")).toMatchObject({
      how: "retried",
      settled_by: by,
    });
  });
});

describe("an answer", () => {
  it("to a question that nobody asked is not found", async () => {
    expect(await answer(acme, "ex_nothing", { choice: "dismiss", by, reason: "x" })).toMatchObject({
      status: 404,
      body: { code: "no_such_exception" },
    });
    expect(await answer(acme, "%E0%A4%A", { choice: "dismiss", by, reason: "x" })).toMatchObject({ status: 404 });
  });

  it("to another workspace's question is not found, and says nothing of it", async () => {
    const ada = email("ada-theirs@key.example.com");
    await asks(acme, ada);
    const { id } = await exceptionOf(acme, ada, "held");
    expect(await answer(rival, id, { choice: "approve", by })).toMatchObject({
      status: 404,
      body: { code: "no_such_exception" },
    });
    expect((await exceptionOf(acme, ada, "held")).id).toBe(id);
    const item = await taskFor(acme, email("bob-theirs@example.com"));
    expect(await tell(rival, item.id, { choice: "done", by })).toMatchObject({
      status: 404,
      body: { code: "no_such_follow_up" },
    });
  });

  it.each([
    {},
    { choice: "approve" },
    { choice: "approve", by: "rae" },
    { choice: "approve", by, edit: {} },
    { choice: "approve", by, edit: { priority: "now" } },
    { choice: "approve", by, edit: { due_at: "tomorrow" } },
    { choice: "approve", by, edit: { holder: "kim" } },
    { choice: "dismiss", by },
    { choice: "dismiss", by, reason: "" },
    { choice: "reassign", by },
    { choice: "merge", by },
    { choice: "take", by, to: "hal" },
    { choice: "retry", by, more: true },
  ])("that is not understood is refused and changes nothing: %j", async (body) => {
    const ada = email("ada@key.example.com");
    const { id, owner } = await exceptionOf(acme, ada, "held");
    expect(await answer(acme, id, body)).toMatchObject({ status: 422, body: { code: "invalid" } });
    expect(await exceptionOf(acme, ada, "held")).toMatchObject({ id, owner, state: "open" });
  });
});

describe("what is said of a follow-up", () => {
  it("done: it is done, its task is closed with who said so, and its holder has room for another one", async () => {
    const ada = email("ada-done@example.com");
    const { id } = await taskFor(acme, ada);
    const word = { choice: "done", by: "sam@example.com", outcome: "replied" };
    expect(await tell(acme, id, word)).toEqual({ status: 200, body: { status: "ok" } });
    await eventually(
      () => tasksOf(id),
      ([task]) => task?.open === false,
    );
    expect(crm.notes).toContain("Closed by Baton: replied, says sam@example.com.");
    const [released] = await eventually(
      () => holderInTeam(acme, id),
      ([row]) => row?.released_at !== null,
    );
    expect(released?.holder).toBe("sam@example.com");
    expect(await shown(acme, id, "done")).toMatchObject({
      closed_because: "replied, says sam@example.com",
      outcome: "replied",
    });
    expect((await tell(acme, id, word)).status).toBe(200);
    await rest();
    expect(sentFor(id, "close_task")).toHaveLength(1);
  });

  it("done while its task is not made yet: none is made any more", async () => {
    vi.spyOn(AccountObject.prototype, "submit").mockResolvedValueOnce({ arm: "pending", retryAfterMs: 50 });
    const bob = email("bob-done@example.com");
    await asks(acme, bob);
    const { id } = await followUpOf(acme, bob, ({ actions }) => actions[0]?.attempts === 1);
    await shown(acme, id, "open");
    expect((await tell(acme, id, { choice: "done", by })).status).toBe(200);
    letPass(100);
    await runDurableObjectAlarm(identityStub(env, nodeOf(acme, bob)));
    const item = await followUpOf(acme, bob, ({ actions }) => actions[0]?.state === "cancelled");
    expect(item.state).toBe("done");
    expect(sentFor(id, "create_task")).toEqual([]);
  });

  it("done: later signals of the same play do nothing while it cools down, and after that there is a new one", async () => {
    const cat = email("cat-done@example.com");
    const { id } = await taskFor(acme, cat);
    await tell(acme, id, { choice: "done", by: "sam@example.com" });
    letPass(6 * day);
    await send(acme, { id: "cat early", kind: "demo_requested", identifiers: [cat] });
    await rest(100);
    expect((await personOf(acme, cat)).root.follow_ups.map((item) => [item.id, item.state])).toEqual([[id, "done"]]);
    letPass(day + hour);
    await send(acme, { id: "cat late", kind: "demo_requested", identifiers: [cat] });
    const { root } = await eventually(
      () => personOf(acme, cat),
      (seen) => seen.root.follow_ups.slice(1).some(isWithTask),
    );
    expect(root.follow_ups.map(({ state }) => state)).toEqual(["done", "open"]);
  });

  it("dismissed: it is cancelled with who and why, and its task is closed", async () => {
    const dan = email("dan-dismissed@example.com");
    const { id } = await taskFor(acme, dan);
    const word = { choice: "dismiss", by: "sam@example.com", reason: "a student" };
    expect((await tell(acme, id, word)).status).toBe(200);
    const item = await followUpOf(acme, dan, ({ state }) => state === "cancelled");
    expect(item.closed_because).toBe("a student, says sam@example.com");
    await eventually(
      () => tasksOf(id),
      ([task]) => task?.open === false,
    );
    expect((await tell(acme, id, word)).status).toBe(200);
  });

  it("reassigned: its task is the other one's, and it counts for them in the team", async () => {
    const eva = email("eva-reassigned@example.com");
    const { id } = await taskFor(acme, eva);
    const word = { choice: "reassign", by, to: "kim@example.com" };
    expect((await tell(acme, id, word)).status).toBe(200);
    const [update] = await updatesOf(id, 1);
    expect(update).toMatchObject({ before: { ownerId: "owner-sam" }, task: { ownerId: "owner-kim" } });
    await eventually(
      () => holderInTeam(acme, id),
      ([row]) => row?.holder === "kim@example.com",
    );
    expect((await tell(acme, id, word)).status).toBe(200);
    await rest();
    expect(sentFor(id, "update_task")).toHaveLength(1);
  });

  it("snoozed: its task is due then, and a mere repetition of what they did does not wake it", async () => {
    const flo = email("flo-snoozed@example.com");
    const { id } = await taskFor(acme, flo);
    const until = Date.now() + 3 * day;
    const word = { choice: "snooze", by: "sam@example.com", until: new Date(until).toISOString() };
    expect((await tell(acme, id, word)).status).toBe(200);
    const [update] = await updatesOf(id, 1);
    expect(update?.task.dueAt).toBe(until);
    expect((await tell(acme, id, word)).status).toBe(200);
    await send(acme, { id: "flo again", kind: "demo_requested", identifiers: [flo] });
    await rest();
    expect(sentFor(id, "update_task")).toHaveLength(1);
    expect((await followUpOf(acme, flo, isWithTask)).due_at).toBe(until);
  });

  it("snoozed to a moment that has passed is refused", async () => {
    const gil = email("gil-snoozed@example.com");
    const { id, due_at } = await taskFor(acme, gil);
    const until = new Date(Date.now() - 1).toISOString();
    expect(await tell(acme, id, { choice: "snooze", by, until })).toMatchObject({
      status: 409,
      body: { code: "not_possible", detail: "That moment has passed already." },
    });
    expect((await followUpOf(acme, gil, isWithTask)).due_at).toBe(due_at);
  });

  it("that is closed is refused, but for what closed it", async () => {
    const hal = email("hal-closed@example.com");
    const { id } = await taskFor(acme, hal);
    await tell(acme, id, { choice: "done", by });
    for (const word of [
      { choice: "dismiss", by, reason: "x" },
      { choice: "reassign", by, to: "kim@example.com" },
      { choice: "snooze", by, until: new Date(Date.now() + day).toISOString() },
    ])
      expect(await tell(acme, id, word)).toMatchObject({
        status: 409,
        body: { detail: "This follow-up is closed already." },
      });
  });

  it("that nobody has heard of is not found, and words that are not understood are refused", async () => {
    expect(await tell(acme, "fu_nothing", { choice: "done", by })).toMatchObject({
      status: 404,
      body: { code: "no_such_follow_up" },
    });
    for (const body of [
      {},
      { choice: "done" },
      { choice: "done", by, outcome: "perhaps" },
      { choice: "dismiss", by },
      { choice: "reassign", by, to: "kim" },
      { choice: "snooze", by, until: "later" },
      { choice: "approve", by },
    ])
      expect(await tell(acme, "fu_nothing", body)).toMatchObject({ status: 422, body: { code: "invalid" } });
  });
});
