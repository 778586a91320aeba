/** Splits (G7): two people who were taken for one are two again, whatever breaks on the way; and what people say of refused links. */
import { abortAllDurableObjects, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Identifier } from "../../src/model.ts";
import { IdentityObject, type IdentityView } from "../../src/objects/identity.ts";
import { identityStub } from "../../src/objects/names.ts";
import type { Choice, ChoiceAnswer } from "../../src/objects/splitting.ts";
import type { Root } from "../../src/resolve/node.ts";
import { tieId } from "../../src/resolve/ties.ts";
import {
  addressesByName,
  anonymous,
  api,
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

/** Nothing is left to be linked, moved, decided, sent or closed. */
function atRest({ root }: IdentityView): boolean {
  return (
    root.links.length + root.partings.length + root.doubts.length === 0 &&
    root.undecided.every((item) => item.decide_at > Date.now()) &&
    root.follow_ups.every((item) => item.actions.every((action) => action.state !== "pending"))
  );
}

const settled = (identifier: Identifier, holds: (root: Root) => boolean = () => true) =>
  eventually(
    () => personOf(acme, identifier),
    (seen) => atRest(seen) && holds(seen.root),
  );

interface Joined {
  readonly winner: Identifier;
  readonly loser: Identifier;
  readonly tie: string;
}

/** Two people with a device each, who both asked for a demo, and whom a signal that names both addresses made one. */
async function joined(tag: string): Promise<Joined> {
  const [winner, loser] = addressesByName(acme, 2, tag).map(email) as [Identifier, Identifier];
  await send(acme, { id: `${tag}-1`, identifiers: [winner, anonymous(`${tag}-w`)], traits: { company: "First" } });
  await settled(winner);
  await send(acme, { id: `${tag}-2`, identifiers: [loser, anonymous(`${tag}-l`)], traits: { company: "Second" } });
  await settled(loser);
  await send(acme, { id: `${tag}-bridge`, identifiers: [winner, loser], kind: "page_viewed" });
  const { root } = await settled(loser, (one) => one.name === nodeOf(acme, winner));
  expect(root.members).toHaveLength(3);
  const lead = await api<{ links: { id: string; merged: string | null }[] }>(
    "GET",
    `/v1/leads/${encodeURIComponent(root.name)}`,
    acme.apiKey,
  );
  const tie = lead.links.find((link) => link.merged === nodeOf(acme, loser))?.id ?? "";
  expect(tie).toMatch(/^li_[0-9a-f]{24}$/);
  return { winner, loser, tie };
}

const cut = (at: Identifier, tie: string) =>
  identityStub(env, nodeOf(acme, at)).split({ tie, by: "sam@example.com", at: Date.now() });

/** The generated stub type of a whole state is too deep for the compiler. */
const choose = (at: string, choice: Choice["choice"], node: string) =>
  (identityStub(env, at) as unknown as { choose(call: Choice): Promise<ChoiceAnswer> }).choose({
    choice,
    node,
    by: "sam@example.com",
    at: Date.now(),
  });

const keysOf = ({ log }: IdentityView) => log.map((entry) => entry.signal.idempotency_key).sort();
const openOf = ({ root }: IdentityView) =>
  root.follow_ups.filter((item) => item.state === "open").map((item) => item.trigger);
const openTasks = ({ root }: IdentityView) =>
  crm.tasks.filter((task) => task.open && root.follow_ups.some((item) => task.key.startsWith(item.id)));

/** Both as if they had never met, but that each knows the other one to be somebody else. */
async function expectTwo(tag: string, { winner, loser }: Joined) {
  const one = await settled(winner, (root) => root.partings.length === 0);
  const other = await settled(loser, (root) => root.name !== nodeOf(acme, winner));
  expect(keysOf(one)).toEqual([`forms:${tag}-1`, `forms:${tag}-bridge`]);
  expect(keysOf(other)).toEqual([`forms:${tag}-2`]);
  expect(one.root.members).toEqual([nodeOf(acme, anonymous(`${tag}-w`))]);
  expect([other.root.name, ...other.root.members].sort()).toEqual(
    [loser, anonymous(`${tag}-l`)].map((item) => nodeOf(acme, item)).sort(),
  );
  expect(one.root.lead.fields.company?.value).toBe("First");
  expect(other.root.lead.fields.company?.value).toBe("Second");
  expect(one.root.lead.kinds).toMatchObject({ demo_requested: { count: 1 }, page_viewed: { count: 1 } });
  expect(other.root.lead.kinds).toMatchObject({ demo_requested: { count: 1 } });
  expect(other.root.lead.kinds).not.toHaveProperty("page_viewed");
  expect(openOf(one)).toEqual([`forms:${tag}-1`]);
  expect(openOf(other)).toEqual([`forms:${tag}-2`]);
  const told = await Promise.all([one, other].map((seen) => openTasks(seen).length));
  expect(told).toEqual([1, 1]);
  expect(one.root.apart.map(({ node, state }) => [node, state])).toEqual([[nodeOf(acme, loser), "kept_apart"]]);
  expect(other.root.apart.map(({ node, state }) => [node, state])).toEqual([[nodeOf(acme, winner), "kept_apart"]]);
  return { one, other };
}

describe("a merge that is undone", () => {
  it("leaves two people with their own signals, follow-ups and tasks; who was no more followed up is again", async () => {
    const two = await joined("undo");
    const before = await personOf(acme, two.winner);
    expect(openOf(before)).toHaveLength(1);
    expect(openTasks(before)).toHaveLength(1);
    const [smallest] = [two.loser, anonymous("undo-l")].map((item) => nodeOf(acme, item)).sort();
    expect(await cut(two.winner, two.tie)).toEqual({
      arm: "split",
      stays: nodeOf(acme, two.winner),
      leaves: smallest,
    });
    const { one, other } = await expectTwo("undo", two);
    expect(one.root.version).toBeGreaterThan(before.root.version);
    expect(other.root.version).toBeGreaterThan(before.root.version);
  });

  it("can be named by the lead that was merged", async () => {
    const two = await joined("name");
    expect((await cut(two.winner, nodeOf(acme, two.loser))).arm).toBe("split");
    await expectTwo("name", two);
  });

  it("is shown in the ledger: two leads, and none of them merged into the other", async () => {
    const two = await joined("rows");
    const rowOf = (name: string) =>
      env.LEDGER_0.prepare("SELECT name, merged_into FROM leads WHERE id = ?")
        .bind(name)
        .first<{ name: string; merged_into: string | null }>();
    const lost = await eventually(
      () => rowOf(nodeOf(acme, two.loser)),
      (row) => row !== null && row.merged_into !== null,
    );
    expect(lost?.merged_into).toBe(nodeOf(acme, two.winner));
    await cut(two.winner, two.tie);
    const { one, other } = await expectTwo("rows", two);
    for (const { root } of [one, other]) {
      const row = await eventually(
        () => rowOf(root.name),
        (seen) => seen !== null && seen.merged_into === null,
      );
      expect(row?.name).toMatch(/@example\.com$/);
    }
  });

  it("happens once, however often it is asked for", async () => {
    const two = await joined("twice");
    await Promise.all([cut(two.winner, two.tie), cut(two.winner, two.tie)]);
    const { one, other } = await expectTwo("twice", two);
    expect(await cut(two.winner, two.tie)).toEqual({ arm: "no_such_link" });
    expect(await identityStub(env, other.root.name).split({ tie: two.tie, by: "sam@example.com", at: 1 })).toEqual({
      arm: "no_such_link",
    });
    await rest(100);
    expect((await personOf(acme, two.winner)).root.version).toBe(one.root.version);
    expect((await personOf(acme, two.loser)).root.version).toBe(other.root.version);
  });

  it("is asked for at the person, not at one of their aliases; and not of a link that is not there", async () => {
    const two = await joined("where");
    expect(await cut(two.loser, two.tie)).toEqual({ arm: "moved", to: nodeOf(acme, two.winner) });
    expect(await cut(two.winner, "li_000000000000000000000000")).toEqual({ arm: "no_such_link" });
    expect((await personOf(acme, two.loser)).root.name).toBe(nodeOf(acme, two.winner));
    expect(await identityStub(env, "acme/nobody").split({ tie: two.tie, by: "sam@example.com", at: 1 })).toEqual({
      arm: "no_such_link",
    });
  });
});

describe("signals after a split", () => {
  it("reach each by each of their identifiers, also from where the way was remembered", async () => {
    const two = await joined("way");
    // Everybody here has learned that the loser is the winner.
    await send(acme, { id: "way-hint", identifiers: [anonymous("way-l")], kind: "page_viewed" });
    await send(acme, { id: "way-hint2", identifiers: [two.loser], kind: "page_viewed" });
    await cut(two.winner, two.tie);
    const later: readonly [string, Identifier][] = [
      ["w1", two.winner],
      ["w2", anonymous("way-w")],
      ["l1", two.loser],
      ["l2", anonymous("way-l")],
    ];
    for (const [id, identifier] of later)
      expect(await send(acme, { id: `way-${id}`, identifiers: [identifier], kind: "pricing_viewed" })).toBe("applied");
    expect(keysOf(await settled(two.winner))).toEqual(["1", "bridge", "w1", "w2"].map((id) => `forms:way-${id}`));
    expect(keysOf(await settled(two.loser))).toEqual(["2", "hint", "hint2", "l1", "l2"].map((id) => `forms:way-${id}`));
  });

  it("that came before are known still: each is a duplicate where it belongs", async () => {
    const two = await joined("dup");
    await cut(two.winner, two.tie);
    await expectTwo("dup", two);
    const again = (id: string, identifiers: Identifier[], company: string) =>
      send(acme, { id, identifiers, traits: { company } });
    expect(await again("dup-1", [two.winner, anonymous("dup-w")], "First")).toBe("duplicate");
    expect(await again("dup-2", [two.loser, anonymous("dup-l")], "Second")).toBe("duplicate");
    expect(await again("dup-2", [two.loser, anonymous("dup-l")], "Third")).toBe("conflict");
  });

  it("that name both join them no more; a person's newer word does", async () => {
    const two = await joined("again");
    await cut(two.winner, two.tie);
    await expectTwo("again", two);
    await send(acme, { id: "again-3", identifiers: [two.loser, two.winner], kind: "page_viewed" });
    await send(acme, { id: "again-4", identifiers: [two.winner, anonymous("again-l")], kind: "page_viewed" });
    await send(acme, { id: "again-5", identifiers: [two.loser, anonymous("again-w")], kind: "page_viewed" });
    await rest();
    const [one, other] = [await settled(two.winner), await settled(two.loser)];
    expect(keysOf(one)).toEqual(["1", "4", "bridge"].map((id) => `forms:again-${id}`));
    expect(keysOf(other)).toEqual(["2", "3", "5"].map((id) => `forms:again-${id}`));
    expect(other.root.name).not.toBe(one.root.name);

    expect(await choose(one.root.name, "merge", nodeOf(acme, two.loser))).toEqual({ arm: "ok" });
    const both = await settled(two.loser, (root) => root.members.length === 3);
    expect(both.root.name).toBe((await personOf(acme, two.winner)).root.name);
    expect(keysOf(both)).toHaveLength(6);
    expect(openOf(both)).toHaveLength(1);
  });
});

describe("a split that is interrupted", () => {
  /** Where the power goes, and which calls had failed by then. */
  const breaks: readonly [string, () => void][] = [
    ["right after the answer", () => undefined],
    [
      "before what leaves has arrived",
      () => vi.spyOn(IdentityObject.prototype, "restore").mockRejectedValue(new Error("not reachable")),
    ],
    [
      "when it has arrived and nobody was told",
      () => {
        const { restore } = IdentityObject.prototype;
        vi.spyOn(IdentityObject.prototype, "restore").mockImplementation(async function (this: IdentityObject, call) {
          await restore.call(this, call);
          throw new Error("the answer was lost");
        });
      },
    ],
    [
      "before the aliases know",
      () => vi.spyOn(IdentityObject.prototype, "repoint").mockRejectedValue(new Error("not reachable")),
    ],
  ];

  it.each(breaks.map(([when, fails], index) => ({ when, fails, tag: `kill${index}` })))(
    "$when ends as one that was not",
    async ({ fails, tag }) => {
      const two = await joined(tag);
      fails();
      expect((await cut(two.winner, two.tie)).arm).toBe("split");
      await rest(50);
      await abortAllDurableObjects();
      vi.restoreAllMocks();
      await runDurableObjectAlarm(identityStub(env, nodeOf(acme, two.winner)));
      const { other } = await expectTwo(tag, two);
      // An alarm may run twice, and late.
      await abortAllDurableObjects();
      await runDurableObjectAlarm(identityStub(env, nodeOf(acme, two.winner)));
      await runDurableObjectAlarm(identityStub(env, other.root.name));
      await expectTwo(tag, two);
    },
  );

  it.each([0, 1, 3, 10])("by a power cut %i ms after the answer ends as one that was not", async (ms) => {
    const two = await joined(`cut${ms}`);
    expect((await cut(two.winner, two.tie)).arm).toBe("split");
    await rest(ms);
    await abortAllDurableObjects();
    await runDurableObjectAlarm(identityStub(env, nodeOf(acme, two.winner)));
    await expectTwo(`cut${ms}`, two);
  });

  it("takes signals in at once: they go where they belong while the rest is on its way", async () => {
    const two = await joined("busy");
    const spy = vi.spyOn(IdentityObject.prototype, "restore").mockRejectedValueOnce(new Error("not reachable"));
    await cut(two.winner, two.tie);
    await eventually(
      () => spy.mock.calls.length,
      (count) => count > 0,
    );
    expect(await send(acme, { id: "busy-3", identifiers: [two.loser], kind: "pricing_viewed" })).toBe("applied");
    expect(await send(acme, { id: "busy-4", identifiers: [two.winner], kind: "pricing_viewed" })).toBe("applied");
    expect(keysOf(await settled(two.winner))).toEqual(["1", "4", "bridge"].map((id) => `forms:busy-${id}`));
    expect(keysOf(await settled(two.loser))).toEqual(["2", "3"].map((id) => `forms:busy-${id}`));
  });

  it("lets a second one of the same person wait until the first one is through", async () => {
    const two = await joined("both");
    const { root } = await personOf(acme, two.winner);
    const own = root.ties.find((tie) => tie.b === nodeOf(acme, anonymous("both-w")));
    const device = own === undefined ? "" : tieId(own);
    vi.spyOn(IdentityObject.prototype, "restore").mockRejectedValueOnce(new Error("not reachable"));
    expect((await cut(two.winner, two.tie)).arm).toBe("split");
    expect(await cut(two.winner, device)).toEqual({ arm: "busy" });
    await runDurableObjectAlarm(identityStub(env, nodeOf(acme, two.winner)));
    await expectTwo("both", two);
    expect(await cut(two.winner, device)).toMatchObject({ arm: "split", leaves: nodeOf(acme, anonymous("both-w")) });
  });
});

describe("a link that was refused", () => {
  /** Two accounts of the product, and a signal of the second one that names the address of the first one. */
  async function refused(tag: string) {
    const [first, second] = [userId(`${tag}-1`), userId(`${tag}-2`)];
    const address = email(`${tag}@example.com`);
    await send(acme, { id: `${tag}-1`, identifiers: [first, address], kind: "page_viewed" });
    await settled(first);
    await send(acme, { id: `${tag}-2`, identifiers: [second], kind: "page_viewed" });
    await send(acme, { id: `${tag}-3`, identifiers: [second, address], kind: "page_viewed" });
    const { root } = await settled(second, (one) => one.apart.length === 1);
    expect(root.apart).toMatchObject([{ node: nodeOf(acme, address), reason: "too_many:user_id", state: "open" }]);
    return { first, second, address, name: root.name };
  }

  const exceptionOf = (name: string) =>
    env.LEDGER_0.prepare("SELECT state, document FROM exceptions WHERE lead = ? AND reason = 'link_conflict'")
      .bind(name)
      .first<{ state: string; document: string }>();
  const ruled = (name: string, state: string) =>
    eventually(
      () => exceptionOf(name),
      (row) => row?.state === state,
    );

  it("is made where a person says that the two are one, and the question is closed", async () => {
    const { first, second, address, name } = await refused("yes");
    await ruled(name, "open");
    expect(await choose(name, "merge", nodeOf(acme, address))).toEqual({ arm: "ok" });
    const { root } = await settled(second, (one) => one.members.length === 2);
    expect([root.name, ...root.members].sort()).toEqual(
      [first, second, address].map((item) => nodeOf(acme, item)).sort(),
    );
    expect(root.apart).toEqual([]);
    expect(root.lead.kinds.page_viewed?.count).toBe(3);
    expect((await personOf(acme, first)).root.name).toBe(root.name);
    expect(await choose(root.name, "merge", nodeOf(acme, address))).toEqual({ arm: "ok" });
    // The question was of the one who asked; wherever that is now, nobody has to look any more.
    const open = await env.LEDGER_0.prepare(
      "SELECT count(*) AS count FROM exceptions WHERE reason = 'link_conflict' AND state = 'open' AND lead IN (?, ?)",
    );
    await eventually(
      () => open.bind(nodeOf(acme, first), nodeOf(acme, second)).first<number>("count"),
      (count) => count === 0,
    );
  });

  it("is never made where a person says that they are two, and the question is closed with that person's name", async () => {
    const { second, address, name } = await refused("no");
    await ruled(name, "open");
    expect(await choose(name, "keep_apart", nodeOf(acme, address))).toEqual({ arm: "ok" });
    const row = await ruled(name, "closed");
    expect(JSON.parse(row?.document ?? "")).toMatchObject({ settled_by: "sam@example.com" });
    await send(acme, { id: "no-4", identifiers: [second, address], kind: "page_viewed" });
    await rest();
    const { root } = await settled(second);
    expect(root.members).toEqual([]);
    expect(root.apart).toMatchObject([{ node: nodeOf(acme, address), state: "kept_apart" }]);
  });

  it("that a person made can be cut as well, and the older word is then the newer one's", async () => {
    const { first, second, address, name } = await refused("undone");
    await choose(name, "merge", nodeOf(acme, address));
    const { root } = await settled(second, (one) => one.members.length === 2);
    const loser = root.ties.find((tie) => tie.loser !== undefined)?.loser ?? "";
    expect((await identityStub(env, root.name).split({ tie: loser, by: "kim@example.com", at: Date.now() })).arm).toBe(
      "split",
    );
    const [one, other] = [
      await settled(first, (is) => is.members.length === 1),
      await settled(second, (is) => is.members.length === 0),
    ];
    expect(keysOf(one)).toEqual(["forms:undone-1"]);
    expect(keysOf(other)).toEqual(["forms:undone-2", "forms:undone-3"]);
  });

  it("is a matter of two people: of the own identifiers, or at nobody, there is nothing to say", async () => {
    const { first, address } = await refused("odd");
    const { root } = await personOf(acme, first);
    expect(await choose(root.name, "keep_apart", nodeOf(acme, address))).toEqual({ arm: "unknown" });
    expect(await choose("acme/odd-nobody", "merge", nodeOf(acme, address))).toEqual({ arm: "unknown" });
    const [alias] = root.members;
    expect(await choose(alias ?? "", "merge", root.name)).toEqual({ arm: "moved", to: root.name });
  });

  it("need not have been asked for: a person may join any two", async () => {
    const [one, other] = [email("any-1@example.com"), email("any-2@example.com")];
    await send(acme, { id: "any-1", identifiers: [one], kind: "page_viewed" });
    await send(acme, { id: "any-2", identifiers: [other], kind: "page_viewed" });
    expect(await choose(nodeOf(acme, one), "merge", nodeOf(acme, other))).toEqual({ arm: "ok" });
    const { root } = await settled(one, (is) => is.members.length === 1);
    expect((await personOf(acme, other)).root.name).toBe(root.name);
  });
});
