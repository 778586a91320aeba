/** Links and merges (DESIGN §6.2): every identifier ever linked reaches one person, whatever breaks on the way. */
import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { handOver } from "../../src/ingest/deliver.ts";
import type { Identifier } from "../../src/model.ts";
import { IdentityObject } from "../../src/objects/identity.ts";
import { identityStub } from "../../src/objects/names.ts";
import {
  addressesByName,
  anonymous,
  email,
  eventually,
  fresh,
  letPass,
  look,
  nodeOf,
  openWorkspace,
  personOf,
  rest,
  type Seen,
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
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** True when nothing is left to be linked, sent or closed. */
function atRest(seen: Seen): boolean {
  if (seen === null || "moved" in seen) return false;
  const settled = (state: string) => state !== "pending";
  return (
    seen.root.links.length === 0 &&
    seen.root.follow_ups.every((item) => item.actions.every((action) => settled(action.state)))
  );
}

const settledPerson = (identifier: Identifier) => eventually(() => personOf(acme, identifier), atRest);

/** Two people who asked for a demo, one after the other, in the order of their names or against it. */
async function twoPeople(tag: string, winnerAsksFirst: boolean) {
  const [winner = "", loser = ""] = addressesByName(acme, 2, tag);
  const [first, second] = winnerAsksFirst ? [winner, loser] : [loser, winner];
  await send(acme, { id: `${tag}-1`, identifiers: [email(first)], traits: { company: "First" } });
  await settledPerson(email(first));
  await send(acme, { id: `${tag}-2`, identifiers: [email(second)], traits: { job_title: "CTO" } });
  await settledPerson(email(second));
  return { winner: email(winner), loser: email(loser), first: email(first), second: email(second) };
}

const openTasks = (tag: string, of: readonly string[]) =>
  crm.tasks.filter((task) => task.open && of.some((id) => task.key.startsWith(id))).map(() => tag);

describe("an identifier that nobody used yet", () => {
  it("becomes an alias of the person it came with, and says so when asked", async () => {
    await send(acme, { id: "l1", identifiers: [userId("u-1"), email("ann@example.com")], kind: "page_viewed" });
    const root = nodeOf(acme, userId("u-1"));
    const alias = nodeOf(acme, email("ann@example.com"));
    expect(
      await eventually(
        () => look(alias),
        (seen) => seen !== null,
      ),
    ).toEqual({ moved: root });
    const signal = fresh(acme, { id: "l2", identifiers: [email("ann@example.com")], kind: "page_viewed" });
    const call = {
      self: alias,
      signal: JSON.stringify(signal),
      nodes: [alias],
      via: [],
      hinted: false,
      workspace: acme.facts,
    };
    expect(await identityStub(env, alias).receive(call)).toEqual({ arm: "moved", to: root });
  });

  it("reaches that person from then on", async () => {
    await send(acme, { id: "l3", identifiers: [userId("u-2"), email("bea@example.com")], kind: "page_viewed" });
    await settledPerson(userId("u-2"));
    expect(await send(acme, { id: "l4", identifiers: [email("bea@example.com")], kind: "pricing_viewed" })).toBe(
      "applied",
    );
    const { root } = await personOf(acme, userId("u-2"));
    expect(Object.keys(root.lead.kinds).sort()).toEqual(["page_viewed", "pricing_viewed"]);
  });

  it("belongs to who claims it first, also when asked again; anybody else is told where it belongs", async () => {
    const node = identityStub(env, "acme/free");
    const claimed = { arm: "claimed" };
    expect(await node.claim({ by: "acme/one", node: "acme/free", full: false })).toEqual(claimed);
    expect(await node.claim({ by: "acme/two", node: "acme/free", full: false })).toEqual({
      arm: "moved",
      to: "acme/one",
    });
    expect(await node.claim({ by: "acme/one", node: "acme/free", full: false })).toEqual(claimed);
  });

  it("stays nobody's where the person who comes upon it has too many already", async () => {
    const node = identityStub(env, "acme/free2");
    expect(await node.claim({ by: "acme/one", node: "acme/free2", full: true })).toEqual({ arm: "unused" });
    expect(await node.claim({ by: "acme/two", node: "acme/free2", full: false })).toMatchObject({ arm: "claimed" });
  });

  it("is claimed again after a power cut that came before the person wrote it down", async () => {
    await send(acme, { id: "l5", identifiers: [userId("u-3"), email("cat@example.com")], kind: "page_viewed" });
    await eventually(
      () => look(nodeOf(acme, email("cat@example.com"))),
      (seen) => seen !== null,
    );
    await abortAllDurableObjects();
    await send(acme, { id: "l6", identifiers: [userId("u-3")], kind: "page_viewed" });
    const { root } = await settledPerson(userId("u-3"));
    expect(root.members).toEqual([nodeOf(acme, email("cat@example.com"))]);
  });

  it("costs nothing more once it is linked: the second signal is one object call", async () => {
    const identifiers = [userId("u-4"), email("deb@example.com")];
    await send(acme, { id: "l7", identifiers, kind: "page_viewed" });
    await settledPerson(userId("u-4"));
    const calls = (["receive", "claim", "requestLink", "absorb"] as const).map((name) =>
      vi.spyOn(IdentityObject.prototype, name),
    );
    await send(acme, { id: "l8", identifiers, kind: "page_viewed" });
    await rest(100);
    expect(calls.map((spy) => spy.mock.calls.length)).toEqual([1, 0, 0, 0]);
  });
});

describe("a claim that nobody came back to", () => {
  const claimant = [userId("u-6")];
  const late = (node: string) => identityStub(env, node).claim({ by: nodeOf(acme, userId("u-6")), node, full: false });

  it("does not bind: whoever comes by the node next is a person of their own", async () => {
    await send(acme, { id: "late1", identifiers: claimant, kind: "page_viewed" });
    expect(await late(nodeOf(acme, email("claimed-eve@example.com")))).toEqual({ arm: "claimed" });
    expect(
      await send(acme, { id: "late2", identifiers: [email("claimed-eve@example.com")], kind: "page_viewed" }),
    ).toBe("applied");
    const { root, log } = await personOf(acme, email("claimed-eve@example.com"));
    expect(root.name).toBe(nodeOf(acme, email("claimed-eve@example.com")));
    expect(log.map((entry) => entry.signal.id)).toEqual(["late2"]);
    expect((await personOf(acme, userId("u-6"))).log.map((entry) => entry.signal.id)).toEqual(["late1"]);
  });

  it("does not bind: somebody else who names the node has it, and not the one who claimed it once", async () => {
    expect(await late(nodeOf(acme, email("claimed-fay@example.com")))).toEqual({ arm: "claimed" });
    await send(acme, {
      id: "late3",
      identifiers: [userId("u-7"), email("claimed-fay@example.com")],
      kind: "page_viewed",
    });
    const { root } = await settledPerson(userId("u-7"));
    expect([root.name, ...root.members].sort()).toEqual(
      [nodeOf(acme, userId("u-7")), nodeOf(acme, email("claimed-fay@example.com"))].sort(),
    );
    expect((await personOf(acme, userId("u-6"))).root.members).toEqual([]);
  });

  it("binds once the one who claimed it names the node", async () => {
    const gus = email("claimed-gus@example.com");
    expect(await late(nodeOf(acme, gus))).toEqual({ arm: "claimed" });
    await send(acme, { id: "late4", identifiers: [...claimant, gus], kind: "page_viewed" });
    expect((await settledPerson(userId("u-6"))).root.members).toEqual([nodeOf(acme, gus)]);
  });
});

describe("a chain of moves that leads in a circle", () => {
  it("is given up after a bounded number of hops, and is not walked again at once", async () => {
    // Cannot come about by the protocol: names only ever move to smaller ones.
    const [x, y] = [email("circle-x@example.com"), email("circle-y@example.com")];
    await identityStub(env, nodeOf(acme, x)).claim({ by: nodeOf(acme, y), node: nodeOf(acme, x), full: false });
    await identityStub(env, nodeOf(acme, y)).claim({ by: nodeOf(acme, x), node: nodeOf(acme, y), full: false });
    const claims = vi.spyOn(IdentityObject.prototype, "claim");
    await send(acme, { id: "circle", identifiers: [userId("u-5"), x], kind: "page_viewed" });
    await rest(500);
    expect(claims.mock.calls.length).toBeLessThanOrEqual(80);
    expect((await personOf(acme, userId("u-5"))).root.links.map((link) => link.identifier)).toEqual([x]);
  });
});

describe("two people who turn out to be one", () => {
  it.each([
    ["winner", "winner", true],
    ["winner", "loser", false],
    ["loser", "winner", true],
    ["loser", "loser", false],
  ])(
    "become one under the smaller name, when the link is found at the %s and the %s was followed up first",
    async (at, _first, winnerAsksFirst) => {
      const tag = `two-${at}-${winnerAsksFirst}`;
      const people = await twoPeople(tag, winnerAsksFirst);
      const link = at === "winner" ? [people.winner, people.loser] : [people.loser, people.winner];
      await send(acme, { id: `${tag}-link`, identifiers: link, kind: "page_viewed" });
      const name = nodeOf(acme, people.winner);
      const merged = await eventually(
        () => look(nodeOf(acme, people.loser)),
        (seen) => seen !== null && "moved" in seen,
      );
      expect(merged).toEqual({ moved: name });

      const { root } = await settledPerson(people.loser);
      expect(root.name).toBe(name);
      expect(root.members).toEqual([nodeOf(acme, people.loser)]);
      expect(root.lead.fields.company?.value).toBe("First");
      expect(root.lead.fields.job_title?.value).toBe("CTO");
      expect(root.lead.kinds.demo_requested?.count).toBe(2);
      expect(root.lead.kinds.page_viewed?.count).toBe(1);

      const byTrigger = new Map(root.follow_ups.map((item) => [item.trigger, item]));
      expect(byTrigger.get(`forms:${tag}-1`)?.state).toBe("open");
      expect(byTrigger.get(`forms:${tag}-2`)).toMatchObject({
        state: "cancelled",
        closed_because: "the same person was already being followed up",
      });
      const ids = root.follow_ups.map((item) => item.id);
      expect(openTasks(tag, ids)).toHaveLength(1);
      expect(crm.notes.at(-1)).toBe("Closed by Baton: the same person was already being followed up.");
    },
  );

  it("answer from both names, and take each other's signals", async () => {
    const people = await twoPeople("both", true);
    await send(acme, { id: "both-link", identifiers: [people.winner, people.loser], kind: "page_viewed" });
    await eventually(
      () => look(nodeOf(acme, people.loser)),
      (seen) => seen !== null && "moved" in seen,
    );
    expect(await send(acme, { id: "both-3", identifiers: [people.loser], kind: "pricing_viewed" })).toBe("applied");
    expect(await send(acme, { id: "both-1", identifiers: [people.winner], traits: { company: "First" } })).toBe(
      "duplicate",
    );
    expect(await send(acme, { id: "both-2", identifiers: [people.loser], traits: { job_title: "CTO" } })).toBe(
      "duplicate",
    );
    for (const known of [people.winner, people.loser]) {
      const { root } = await personOf(acme, known);
      expect(root.lead.kinds.pricing_viewed?.count).toBe(1);
    }
  });

  it("end as one person when each asks the other at the same time", async () => {
    const people = await twoPeople("cross", true);
    await Promise.all([
      send(acme, { id: "cross-a", identifiers: [people.winner, people.loser], kind: "page_viewed" }),
      send(acme, { id: "cross-b", identifiers: [people.loser, people.winner], kind: "page_viewed" }),
    ]);
    await eventually(
      () => look(nodeOf(acme, people.loser)),
      (seen) => seen !== null && "moved" in seen,
    );
    const { root } = await eventually(
      () => personOf(acme, people.loser),
      (seen) => atRest(seen) && seen.root.lead.kinds.page_viewed?.count === 2,
    );
    expect(root.name).toBe(nodeOf(acme, people.winner));
    expect(root.follow_ups.map((item) => item.state).sort()).toEqual(["cancelled", "open"]);
  });

  it("end as one person when three of them are linked in a ring at the same time", async () => {
    const addresses = addressesByName(acme, 3, "ring").map(email);
    for (const [index, one] of addresses.entries())
      await send(acme, { id: `ring-${index}`, identifiers: [one], kind: "page_viewed" });
    await Promise.all(
      addresses.map((one, index) =>
        send(acme, {
          id: `ring-link-${index}`,
          identifiers: [one, addresses[(index + 1) % 3] ?? one],
          kind: "page_viewed",
        }),
      ),
    );
    const [smallest = email("")] = addresses;
    const { root } = await eventually(
      () => personOf(acme, addresses[2] ?? smallest),
      (seen) => atRest(seen) && seen.root.lead.kinds.page_viewed?.count === 6,
    );
    expect(root.name).toBe(nodeOf(acme, smallest));
    expect(root.members).toEqual(
      addresses
        .slice(1)
        .map((one) => nodeOf(acme, one))
        .sort(),
    );
  });

  it("lose nothing when the answer of the transfer is lost: it is sent again and taken once", async () => {
    const people = await twoPeople("lost", true);
    const { absorb } = IdentityObject.prototype;
    const spy = vi.spyOn(IdentityObject.prototype, "absorb").mockImplementationOnce(async function (
      this: IdentityObject,
      call,
    ) {
      await absorb.call(this, call);
      throw new Error("the answer was lost");
    });
    await send(acme, { id: "lost-link", identifiers: [people.loser, people.winner], kind: "page_viewed" });
    await eventually(
      () => spy.mock.calls.length,
      (count) => count === 1,
    );
    await rest(100);
    // Meanwhile the winner decides what it took over: that must not be undone by the second transfer.
    letPass(3_601_000);
    await runDurableObjectAlarm(identityStub(env, nodeOf(acme, people.winner)));
    const before = await personOf(acme, people.winner);
    await runDurableObjectAlarm(identityStub(env, nodeOf(acme, people.loser)));
    expect(spy.mock.calls.length).toBe(2);
    const { root } = await settledPerson(people.winner);
    expect(root.undecided).toEqual([]);
    expect(root.version).toBe(before.root.version);
    expect(root.lead.kinds.demo_requested?.count).toBe(2);
    expect(root.follow_ups).toHaveLength(2);
    expect(Object.keys(root.absorbed)).toEqual([nodeOf(acme, people.loser)]);
    const stored = await runInDurableObject(identityStub(env, nodeOf(acme, people.loser)), (_object, state) =>
      state.storage.kv.get("node"),
    );
    expect(stored).toMatchObject({ role: "alias", parent: nodeOf(acme, people.winner), acknowledged: true });
    expect(stored).not.toHaveProperty("sealed");
  });

  it("keep an alarm behind the transfer until it is acknowledged, also when an alarm found the link and could not make it", async () => {
    const people = await twoPeople("stuck", true);
    const loser = identityStub(env, nodeOf(acme, people.loser));
    const alarmOfLoser = () => runInDurableObject(loser, (_object, state) => state.storage.getAlarm());
    const unreachable = vi.spyOn(IdentityObject.prototype, "absorb").mockRejectedValue(new Error("not reachable"));
    const unclaimed = vi.spyOn(IdentityObject.prototype, "claim").mockRejectedValue(new Error("not reachable"));
    await send(acme, { id: "stuck-link", identifiers: [people.loser, people.winner], kind: "page_viewed" });
    await rest(100);
    unclaimed.mockRestore();
    for (const calls of [1, 2, 3]) {
      await runDurableObjectAlarm(loser);
      expect(unreachable.mock.calls.length).toBe(calls);
      expect(await alarmOfLoser()).not.toBeNull();
    }

    unreachable.mockRestore();
    await runDurableObjectAlarm(loser);
    expect(await alarmOfLoser()).toBeNull();
    expect(await look(nodeOf(acme, people.loser))).toEqual({ moved: nodeOf(acme, people.winner) });
    expect((await settledPerson(people.winner)).root.lead.kinds.demo_requested?.count).toBe(2);
  });

  it("refuse a signal while its state is on its way and the other does not answer, so that the queue takes it", async () => {
    const people = await twoPeople("moving", true);
    const spy = vi.spyOn(IdentityObject.prototype, "absorb").mockRejectedValue(new Error("not reachable"));
    await send(acme, { id: "moving-link", identifiers: [people.loser, people.winner], kind: "page_viewed" });
    await eventually(
      () => spy.mock.calls.length,
      (count) => count > 0,
    );
    const late = fresh(acme, { id: "moving-late", identifiers: [people.loser], kind: "pricing_viewed" });
    await expect(handOver(env, acme.workspace, acme.facts, late)).rejects.toThrow("not reachable");
    spy.mockRestore();
    expect(await handOver(env, acme.workspace, acme.facts, late)).toBe("applied");
    expect((await personOf(acme, people.winner)).root.lead.kinds.pricing_viewed?.count).toBe(1);
  });
});

describe("two people who must not be joined", () => {
  it("stay two when they have different user ids, are remembered as apart, and the link is not tried again", async () => {
    await send(acme, { id: "g1", identifiers: [userId("u-10"), email("gus@example.com")], kind: "page_viewed" });
    await settledPerson(userId("u-10"));
    await send(acme, { id: "g2", identifiers: [userId("u-11"), email("hub@example.com")], kind: "page_viewed" });
    await settledPerson(userId("u-11"));

    await send(acme, { id: "g3", identifiers: [userId("u-11"), email("gus@example.com")], kind: "page_viewed" });
    const { root } = await settledPerson(userId("u-11"));
    expect(root.name).toBe(nodeOf(acme, userId("u-11")));
    expect(root.apart).toMatchObject([
      {
        node: nodeOf(acme, email("gus@example.com")),
        identifier: email("gus@example.com"),
        other: nodeOf(acme, userId("u-10")),
        reason: "too_many:user_id",
      },
    ]);
    const other = await personOf(acme, email("gus@example.com"));
    expect(other.root.name).toBe(nodeOf(acme, userId("u-10")));
    expect(other.root.lead.kinds.page_viewed?.count).toBe(1);

    const claims = vi.spyOn(IdentityObject.prototype, "claim");
    await send(acme, { id: "g4", identifiers: [userId("u-11"), email("gus@example.com")], kind: "page_viewed" });
    await rest(100);
    // Of this person only: others in this isolate may be at work still.
    const own = claims.mock.calls.filter(([call]) => call.by === nodeOf(acme, userId("u-11")));
    expect(own).toEqual([]);
    expect((await personOf(acme, userId("u-11"))).root.apart).toHaveLength(1);
  });

  it("stay two when one signal names the user ids of both", async () => {
    await send(acme, { id: "g31", identifiers: [userId("u-31")], kind: "page_viewed" });
    await send(acme, { id: "g32", identifiers: [userId("u-32")], kind: "page_viewed" });
    await send(acme, { id: "g33", identifiers: [userId("u-31"), userId("u-32")], kind: "page_viewed" });
    const { root } = await settledPerson(userId("u-31"));
    expect(root.apart.map(({ node, reason }) => [node, reason])).toEqual([
      [nodeOf(acme, userId("u-32")), "too_many:user_id"],
    ]);
    expect((await personOf(acme, userId("u-32"))).root.lead.kinds.page_viewed?.count).toBe(1);
  });

  it("stay two when only a device joins them and their addresses differ, and are joined by it when one has none", async () => {
    const device = anonymous("shared-tablet");
    await send(acme, { id: "g5", identifiers: [email("ida@example.com"), device], kind: "page_viewed" });
    await settledPerson(email("ida@example.com"));
    await send(acme, { id: "g6", identifiers: [email("jon@example.com"), device], kind: "page_viewed" });
    const { root } = await settledPerson(email("jon@example.com"));
    expect(root.apart.map((item) => item.reason)).toEqual(["shared_device"]);

    await send(acme, { id: "g7", identifiers: [userId("u-12")], kind: "page_viewed" });
    await send(acme, { id: "g8", identifiers: [userId("u-12"), device], kind: "page_viewed" });
    await eventually(
      () => personOf(acme, userId("u-12")),
      (seen) => atRest(seen) && seen.root.lead.kinds.page_viewed?.count === 3,
    );
  });

  it("is seen in the list of exceptions, with an owner and a deadline", async () => {
    const row = await eventually(
      () =>
        env.LEDGER_0.prepare(
          "SELECT owner, state, due_at - raised_at AS time FROM exceptions WHERE lead = ? AND reason = 'link_conflict'",
        )
          .bind(nodeOf(acme, userId("u-11")))
          .first(),
      (found) => found !== null,
    );
    expect(row).toEqual({ owner: "sam@example.com", state: "open", time: 86_400_000 });
  });
});
