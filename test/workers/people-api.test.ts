/** Who is who, as revenue operations settles it through the API. */
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Identifier } from "../../src/model.ts";
import { IdentityObject, type IdentityView } from "../../src/objects/identity.ts";
import type { Root } from "../../src/resolve/node.ts";
import {
  addressesByName,
  anonymous,
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

let acme: TestWorkspace;
let rival: TestWorkspace;

beforeAll(async () => {
  acme = await openWorkspace("acme");
  // In the other workspace nobody may have more than two identifiers.
  rival = await openWorkspace("rival", {
    policy: (policy) => ({ ...policy, identity: { ...policy.identity, members_max: 2 } }),
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

const sam = { by: "sam@example.com" };
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

interface Answered {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what these tests are about
  readonly body: any;
  readonly retryAfter: string | null;
}

async function ask(method: string, path: string, body?: unknown, key = acme.apiKey): Promise<Answered> {
  const answer = await exports.default.fetch(`https://baton.example.com${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const type = answer.ok ? "application/json" : "application/problem+json";
  expect(answer.headers.get("content-type")).toContain(type);
  return { status: answer.status, body: await answer.json(), retryAfter: answer.headers.get("retry-after") };
}

const at = (lead: string, verb = "") => `/v1/leads/${encodeURIComponent(lead)}${verb}`;
const exceptionAt = (id: string) => `/v1/exceptions/${encodeURIComponent(id)}`;

/** Nothing is left to be linked, moved or looked into. */
function atRest({ root }: IdentityView): boolean {
  return root.links.length + root.partings.length + root.doubts.length === 0;
}

const settled = (identifier: Identifier, holds: (root: Root) => boolean = () => true) =>
  eventually(
    () => personOf(acme, identifier),
    (seen) => atRest(seen) && holds(seen.root),
  );

interface Two {
  readonly winner: Identifier;
  readonly loser: Identifier;
  /** Their leads. */
  readonly one: string;
  readonly other: string;
}

async function twoPeople(tag: string): Promise<Two> {
  const [winner, loser] = addressesByName(acme, 2, tag).map(email) as [Identifier, Identifier];
  await send(acme, { id: `${tag}-1`, identifiers: [winner], kind: "page_viewed", traits: { company: "First" } });
  await send(acme, { id: `${tag}-2`, identifiers: [loser], kind: "pricing_viewed", traits: { company: "Second" } });
  await settled(winner);
  await settled(loser);
  return { winner, loser, one: nodeOf(acme, winner), other: nodeOf(acme, loser) };
}

/** Two people whom a signal that names both made one; `link` is what made them so. */
async function joined(tag: string): Promise<Two & { readonly link: string }> {
  const two = await twoPeople(tag);
  await send(acme, { id: `${tag}-bridge`, identifiers: [two.winner, two.loser], kind: "page_viewed" });
  await settled(two.loser, (root) => root.name === two.one);
  const { body } = await ask("GET", at(two.one));
  const link = body.links.find((item: { merged: string | null }) => item.merged === two.other);
  return { ...two, link: link.id };
}

const areTwo = async ({ winner, loser }: Two) => {
  const one = await settled(winner);
  const other = await settled(loser, (root) => root.name !== one.root.name);
  return [one.root, other.root] as const;
};

const areOne = ({ loser, one }: Two) => settled(loser, (root) => root.name === one);

describe("a split", () => {
  it("makes two people of one, by the link that joined them, and says who stays and who leaves", async () => {
    const two = await joined("split-link");
    const { status, body } = await ask("POST", at(two.one, "/split"), { link: two.link, ...sam });
    expect([status, body]).toEqual([200, { stays: two.one, leaves: two.other }]);
    const [one, other] = await areTwo(two);
    expect(one.lead.fields.company?.value).toBe("First");
    expect(other.lead.fields.company?.value).toBe("Second");
    expect(one.apart).toMatchObject([{ node: two.other, state: "kept_apart", settled_by: "sam@example.com" }]);
  });

  it("can be asked for at either name, by the name of the lead that was merged", async () => {
    const two = await joined("split-name");
    const { status, body } = await ask("POST", at(two.other, "/split"), { lead: two.other, ...sam });
    expect([status, body]).toEqual([200, { stays: two.one, leaves: two.other }]);
    await areTwo(two);
  });

  it("that was made already is answered in the same words, whichever way and wherever it is asked for again", async () => {
    const two = await joined("split-twice");
    const first = await ask("POST", at(two.one, "/split"), { link: two.link, ...sam });
    const at_once = await ask("POST", at(two.one, "/split"), { link: two.link, ...sam });
    expect(at_once).toEqual(first);
    const before = await areTwo(two);
    for (const lead of [two.one, two.other])
      for (const named of [{ link: two.link }, { lead: lead === two.one ? two.other : two.one }])
        expect(await ask("POST", at(lead, "/split"), { ...named, ...sam })).toEqual(first);
    const after = await areTwo(two);
    expect(after.map((root) => root.version)).toEqual(before.map((root) => root.version));
  });

  it("waits for what is on its way, and says when to come again if that takes long", async () => {
    const two = await joined("split-busy");
    const busy = vi.spyOn(IdentityObject.prototype, "split").mockResolvedValue({ arm: "busy" });
    const refused = await ask("POST", at(two.one, "/split"), { link: two.link, ...sam });
    expect([refused.status, refused.body.code, refused.retryAfter]).toEqual([409, "merge_under_way", "3"]);
    expect(busy.mock.calls.length).toBeGreaterThan(5);
    busy.mockRestore();
    vi.spyOn(IdentityObject.prototype, "split").mockResolvedValueOnce({ arm: "busy" });
    expect((await ask("POST", at(two.one, "/split"), { link: two.link, ...sam })).status).toBe(200);
    await areTwo(two);
  });

  it("waits for a merge whose state has not arrived yet", async () => {
    const two = await twoPeople("split-moving");
    const { absorb } = IdentityObject.prototype;
    let hold = true;
    vi.spyOn(IdentityObject.prototype, "absorb").mockImplementation(async function (this: IdentityObject, call) {
      while (hold) await new Promise((resolve) => setTimeout(resolve, 10));
      return absorb.call(this, call);
    });
    // The loser finds the link, so the winner knows nothing of it yet.
    await send(acme, { id: "split-moving-bridge", identifiers: [two.loser, two.winner], kind: "page_viewed" });
    await rest(50);
    const asked = ask("POST", at(two.one, "/split"), { lead: two.other, ...sam });
    await rest(300);
    hold = false;
    expect((await asked).status).toBe(200);
    await areTwo(two);
  });

  it("is refused for a link that the lead does not have, and for a lead that was not merged into it", async () => {
    const two = await joined("split-none");
    for (const named of [{ link: "li_000000000000000000000000" }, { lead: two.one }, { lead: "acme/nobody" }]) {
      const { status, body } = await ask("POST", at(two.one, "/split"), { ...named, ...sam });
      expect([status, body.code]).toEqual([404, "no_such_link"]);
      expect(body.detail).toContain("GET /v1/leads/:id lists its links");
    }
    expect((await personOf(acme, two.loser)).root.name).toBe(two.one);
  });

  it("is refused when it names both a link and a lead, or neither, or nobody who says so", async () => {
    const two = await joined("split-bad");
    const bad = [
      { link: two.link, lead: two.other, ...sam },
      sam,
      { link: "other", ...sam },
      { link: two.link },
      { link: two.link, by: "sam" },
      { link: two.link, because: "I know", ...sam },
    ];
    for (const body of bad)
      expect(await ask("POST", at(two.one, "/split"), body)).toMatchObject({ status: 422, body: { code: "invalid" } });
    expect((await personOf(acme, two.loser)).root.name).toBe(two.one);
  });

  it("is refused to another workspace, to a stranger, and for nobody", async () => {
    const two = await joined("split-else");
    const body = { link: two.link, ...sam };
    expect((await ask("POST", at(two.one, "/split"), body, rival.apiKey)).status).toBe(404);
    expect((await ask("POST", at("rival/x", "/split"), { lead: two.other, ...sam }, rival.apiKey)).status).toBe(404);
    expect((await ask("POST", at(two.one, "/split"), body, "bt_acme_wrongwrongwrongwrongwrong")).status).toBe(401);
    expect((await ask("POST", at("acme/nobody", "/split"), body)).body.code).toBe("no_such_lead");
    expect((await personOf(acme, two.loser)).root.name).toBe(two.one);
  });
});

describe("a merge that a person asks for", () => {
  it("is owed when the answer comes, then made; after that they are one already", async () => {
    const two = await twoPeople("merge");
    const body = { with: two.one, ...sam };
    const { status, body: told } = await ask("POST", at(two.other, "/merge"), body);
    expect([status, told]).toEqual([202, { status: "owed" }]);
    const { root } = await areOne(two);
    expect(root.ties).toMatchObject([{ by: "person:sam@example.com", loser: two.other }]);
    for (const [lead, other] of [
      [two.one, two.other],
      [two.other, two.one],
      [two.one, two.one],
    ] as const)
      expect(await ask("POST", at(lead, "/merge"), { with: other, ...sam })).toMatchObject({
        status: 200,
        body: { status: "one" },
      });
    expect((await personOf(acme, two.winner)).root.version).toBe(root.version);
  });

  it("asked for again while it is under way, from either side, is owed once", async () => {
    const two = await twoPeople("merge-twice");
    const claims = vi.spyOn(IdentityObject.prototype, "claim").mockRejectedValue(new Error("not reachable"));
    await ask("POST", at(two.one, "/merge"), { with: two.other, ...sam });
    const { root } = await personOf(acme, two.winner);
    expect(root.links).toHaveLength(1);
    for (const [lead, other] of [
      [two.one, two.other],
      [two.other, two.one],
    ] as const)
      expect((await ask("POST", at(lead, "/merge"), { with: other, ...sam })).status).toBe(202);
    expect((await personOf(acme, two.winner)).root).toMatchObject({ version: root.version, links: root.links });
    expect((await personOf(acme, two.loser)).root.links).toEqual([]);
    claims.mockRestore();
  });

  it("overrules an older word that they are two", async () => {
    const two = await twoPeople("merge-after");
    expect((await ask("POST", at(two.one, "/keep-apart"), { from: two.other, ...sam })).status).toBe(200);
    await rest(20);
    expect((await ask("POST", at(two.other, "/merge"), { with: two.one, ...sam })).status).toBe(202);
    const { root } = await areOne(two);
    expect(root.apart).toEqual([]);
  });

  it("is refused where one of the two is nobody, or another workspace's", async () => {
    const two = await twoPeople("merge-none");
    const stranger = email("stranger@example.com");
    await send(rival, { id: "stranger", identifiers: [stranger], kind: "page_viewed" });
    const theirs = nodeOf(rival, stranger);
    for (const [lead, other, key] of [
      [two.one, "acme/nobody", acme.apiKey],
      ["acme/nobody", two.one, acme.apiKey],
      [two.one, theirs, acme.apiKey],
      [theirs, two.one, acme.apiKey],
      [two.one, theirs, rival.apiKey],
      [theirs, two.one, rival.apiKey],
    ] as const)
      expect(await ask("POST", at(lead, "/merge"), { with: other, ...sam }, key)).toMatchObject({
        status: 404,
        body: { code: "no_such_lead" },
      });
    await areTwo(two);
    expect((await personOf(rival, stranger)).root.apart).toEqual([]);
  });

  it("is refused where they would be more identifiers than any person has", async () => {
    const two = await twoPeople("merge-many");
    const { read } = IdentityObject.prototype;
    vi.spyOn(IdentityObject.prototype, "read").mockImplementation(function (this: IdentityObject) {
      const seen = read.call(this);
      if (seen === null || "moved" in seen) return seen;
      const members = Array.from({ length: 150 }, (_, index) => `${seen.root.name}-${index}`);
      return { ...seen, root: { ...seen.root, members } };
    });
    const { status, body } = await ask("POST", at(two.one, "/merge"), { with: two.other, ...sam });
    expect([status, body.code]).toEqual([409, "too_many_members"]);
    vi.restoreAllMocks();
    expect((await personOf(acme, two.winner)).root.links).toEqual([]);
  });

  it("is refused without the other one, or without a person who says so", async () => {
    const two = await twoPeople("merge-bad");
    for (const body of [sam, { with: two.other }, { with: 7, ...sam }, { with: two.other, by: "" }])
      expect((await ask("POST", at(two.one, "/merge"), body)).status).toBe(422);
    expect((await personOf(acme, two.winner)).root.links).toEqual([]);
  });
});

describe("two leads that a person keeps apart", () => {
  it("stay two whatever signal names both, and no question is raised about it", async () => {
    const two = await twoPeople("apart");
    const { status, body } = await ask("POST", at(two.one, "/keep-apart"), { from: two.other, ...sam });
    expect([status, body]).toEqual([200, { status: "apart" }]);
    await send(acme, { id: "apart-bridge", identifiers: [two.winner, two.loser], kind: "page_viewed" });
    const [one, other] = await areTwo(two);
    expect([...one.apart, ...other.apart].map(({ state }) => state)).toEqual(["kept_apart"]);
  });

  it("are kept apart once, however often and from whichever side it is said", async () => {
    const two = await twoPeople("apart-twice");
    await ask("POST", at(two.one, "/keep-apart"), { from: two.other, ...sam });
    const before = await areTwo(two);
    for (const [lead, other] of [
      [two.one, two.other],
      [two.other, two.one],
    ] as const)
      expect((await ask("POST", at(lead, "/keep-apart"), { from: other, by: "kim@example.com" })).status).toBe(200);
    const after = await areTwo(two);
    expect(after.map(({ version, apart }) => ({ version, apart }))).toEqual(
      before.map(({ version, apart }) => ({ version, apart })),
    );
  });

  it("are kept apart also when somebody said the opposite a moment ago, and that is not made yet", async () => {
    const two = await twoPeople("apart-after");
    const claims = vi.spyOn(IdentityObject.prototype, "claim").mockRejectedValue(new Error("not reachable"));
    await ask("POST", at(two.one, "/merge"), { with: two.other, ...sam });
    await rest(20);
    expect((await ask("POST", at(two.other, "/keep-apart"), { from: two.one, ...sam })).status).toBe(200);
    claims.mockRestore();
    // Whatever is said next starts what is owed anew.
    await send(acme, { id: "apart-after-3", identifiers: [two.winner], kind: "page_viewed" });
    const [one, other] = await areTwo(two);
    expect([...one.apart, ...other.apart].every(({ state }) => state === "kept_apart")).toBe(true);
  });

  it("are refused when they are one already: the link to split them by is named, and does it", async () => {
    const two = await joined("apart-one");
    const { status, body } = await ask("POST", at(two.one, "/keep-apart"), { from: two.other, ...sam });
    expect([status, body.code, body.link]).toEqual([409, "already_one", two.link]);
    expect(body.detail).toContain("/split");
    expect((await ask("POST", at(two.one, "/split"), { link: body.link, ...sam })).status).toBe(200);
    await areTwo(two);
    expect((await ask("POST", at(two.one, "/keep-apart"), { from: two.other, ...sam })).status).toBe(200);
  });

  it("are refused while they become one, until the link is there to be named", async () => {
    const two = await twoPeople("apart-moving");
    const { absorb } = IdentityObject.prototype;
    let hold = true;
    vi.spyOn(IdentityObject.prototype, "absorb").mockImplementation(async function (this: IdentityObject, call) {
      while (hold) await new Promise((resolve) => setTimeout(resolve, 10));
      return absorb.call(this, call);
    });
    await send(acme, { id: "apart-moving-bridge", identifiers: [two.loser, two.winner], kind: "page_viewed" });
    await rest(50);
    const asked = ask("POST", at(two.one, "/keep-apart"), { from: two.other, ...sam });
    await rest(300);
    hold = false;
    expect((await asked).body).toMatchObject({ code: "already_one", link: expect.stringMatching(/^li_/) });
    await areOne(two);
  });

  it("are refused when they are one lead by name, nobody, or another workspace's", async () => {
    const two = await twoPeople("apart-bad");
    const keep = (lead: string, from: unknown, key?: string) =>
      ask("POST", at(lead, "/keep-apart"), { from, ...sam }, key);
    expect((await keep(two.one, two.one)).body.code).toBe("same_lead");
    expect((await keep(two.one, "acme/nobody")).body.code).toBe("no_such_lead");
    expect((await keep(two.one, "rival/somebody")).body.code).toBe("no_such_lead");
    expect((await keep(two.one, two.other, rival.apiKey)).status).toBe(404);
    expect((await keep(two.one, "")).status).toBe(422);
    expect((await areTwo(two)).flatMap((root) => root.apart)).toEqual([]);
  });
});

/** Two users of the product, one of whom signs in with the other one's address: not joined, and somebody has to look. */
async function conflict(tag: string) {
  const [first, second] = [userId(`${tag}-a`), userId(`${tag}-b`)];
  const address = email(`${tag}@example.com`);
  await send(acme, {
    id: `${tag}-1`,
    identifiers: [first, address],
    kind: "page_viewed",
    traits: { first_name: "Ada", company: "First" },
  });
  await settled(first, (root) => root.members.length === 1);
  for (const id of [2, 3]) await send(acme, { id: `${tag}-${id}`, identifiers: [second], kind: "pricing_viewed" });
  await send(acme, { id: `${tag}-4`, identifiers: [second, address], kind: "demo_requested" });
  const { root } = await settled(second, ({ apart }) => apart.length === 1);
  const row = await eventually(
    () => exceptionOf("link_conflict", root.name),
    (found) => found !== undefined,
  );
  return { first, second, address, one: nodeOf(acme, first), other: nodeOf(acme, second), id: row?.id ?? "" };
}

async function exceptionOf(
  reason: string,
  lead: string,
  state = "open",
  of = acme,
): Promise<{ id: string } | undefined> {
  const { body } = await ask("GET", `/v1/exceptions?state=${state}&limit=200`, undefined, of.apiKey);
  return body.items.find((item: Record<string, unknown>) => item.reason === reason && item.lead === lead);
}

const closed = (id: string) =>
  eventually(
    () => ask("GET", exceptionAt(id)),
    ({ body }) => body.state === "closed",
  );

describe("a link that was not made", () => {
  it("is shown with both leads side by side, what would have linked them, and why it did not", async () => {
    const { id, one, other, address } = await conflict("seen");
    const { status, body } = await ask("GET", exceptionAt(id));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id,
      reason: "link_conflict",
      state: "open",
      owner: "sam@example.com",
      raised_at: expect.stringMatching(instant),
      due_at: expect.stringMatching(instant),
      identifier: address,
      because: "Together they would have more values of user_id than the policy lets one person have.",
    });
    expect(body.leads.map((lead: { id: string }) => lead.id)).toEqual([other, one]);
    const [asks, knows] = body.leads;
    expect(knows).toMatchObject({
      name: "Ada",
      emails: [address.value],
      fields: { company: { value: "First", at: expect.stringMatching(instant) } },
      score: { total: expect.any(Number) },
      follow_ups: [],
      first_seen: expect.stringMatching(instant),
      last_seen: expect.stringMatching(instant),
      signals: [{ kind: "page_viewed", emitter: "forms", occurred_at: expect.stringMatching(instant) }],
    });
    expect(knows.identifiers).toContainEqual({ type: "user_id", value: "seen-a", first_seen: expect.any(String) });
    expect(asks.signals.map((item: { words: string }) => item.words)).toContain("asked for a demo");
    expect(asks.follow_ups).toMatchObject([{ state: "open", holder: "sam@example.com" }]);
  });

  it("shows the ten latest signals of each, latest first", async () => {
    const { id, second } = await conflict("latest");
    const now = Date.now();
    for (let index = 0; index < 12; index++)
      await send(acme, {
        id: `latest-more-${index}`,
        identifiers: [second],
        kind: "page_viewed",
        occurred_at: now - index * 60_000,
      });
    const { body } = await ask("GET", exceptionAt(id));
    const times = body.leads[0].signals.map((item: { occurred_at: string }) => item.occurred_at);
    expect(times).toHaveLength(10);
    expect(times).toEqual([...times].sort().reverse());
  });

  it("that a person keeps apart is closed and in the list of closed ones; saying so again changes nothing", async () => {
    const { id, one, other, address } = await conflict("keep");
    expect(await exceptionOf("link_conflict", other)).toMatchObject({ id });
    const settle = () => ask("POST", exceptionAt(id), { choice: "keep_apart", ...sam });
    expect(await settle()).toMatchObject({ status: 200, body: { status: "apart" } });
    const { body } = await closed(id);
    expect(body).toMatchObject({ settled_by: "sam@example.com", settled_at: expect.stringMatching(instant) });
    expect(await exceptionOf("link_conflict", other)).toBeUndefined();
    expect(await exceptionOf("link_conflict", other, "closed")).toMatchObject({ id, state: "closed" });

    const before = await personOf(acme, userId("keep-b"));
    expect((await settle()).status).toBe(200);
    expect((await personOf(acme, userId("keep-b"))).root.version).toBe(before.root.version);
    expect((await personOf(acme, address)).root.name).toBe(one);
  });

  it("that a person makes is made, over every limit, and closed; saying so again finds one person", async () => {
    const { id, one, first, second, address } = await conflict("make");
    const settle = () => ask("POST", exceptionAt(id), { choice: "merge", reason: "Ada has two accounts.", ...sam });
    expect(await settle()).toMatchObject({ status: 202, body: { status: "owed" } });
    const { root } = await eventually(
      () => personOf(acme, second),
      (seen) => atRest(seen) && seen.root.members.length === 2,
    );
    expect((await personOf(acme, first)).root.name).toBe(root.name);
    expect(root.ties.find(({ loser }) => loser !== undefined)?.over).toEqual(address);
    expect((await closed(id)).body.leads).toHaveLength(1);
    expect(await settle()).toMatchObject({ status: 200, body: { status: "one" } });

    const refused = await ask("POST", exceptionAt(id), { choice: "keep_apart", ...sam });
    expect([refused.status, refused.body.code]).toEqual([409, "already_one"]);
    const split = await ask("POST", at(one, "/split"), { link: refused.body.link, ...sam });
    expect(split.status).toBe(200);
  });

  it("to an identifier that is nobody's yet is shown with the one lead, and settled all the same", async () => {
    for (const device of ["full-1", "full-2"]) {
      await send(rival, { id: device, identifiers: [userId("full"), anonymous(device)], kind: "page_viewed" });
      await eventually(() => personOf(rival, userId("full")), atRest);
    }
    const { root } = await eventually(
      () => personOf(rival, userId("full")),
      (seen) => seen.root.apart.length === 1,
    );
    const row = await eventually(
      () => exceptionOf("link_conflict", root.name, "open", rival),
      (found) => found !== undefined,
    );
    const path = exceptionAt(row?.id ?? "");
    const { body } = await ask("GET", path, undefined, rival.apiKey);
    expect(body.because).toBe("Together they would have more identifiers than one person may have.");
    expect(body.leads.map((lead: { id: string }) => lead.id)).toEqual([root.name]);
    const settle = () => ask("POST", path, { choice: "keep_apart", ...sam }, rival.apiKey);
    expect(await settle()).toMatchObject({ status: 200, body: { status: "apart" } });
    const { version, apart } = (await personOf(rival, userId("full"))).root;
    expect(apart).toMatchObject([{ state: "kept_apart", settled_by: "sam@example.com" }]);
    expect((await settle()).status).toBe(200);
    expect((await personOf(rival, userId("full"))).root.version).toBe(version);
  });

  it("about which both have the question is settled for both", async () => {
    const { id, first, second, one, other } = await conflict("both");
    const address = email("both-too@example.com");
    await send(acme, { id: "both-5", identifiers: [second, address], kind: "page_viewed" });
    await settled(second, ({ members }) => members.length === 1);
    await send(acme, { id: "both-6", identifiers: [first, address], kind: "page_viewed" });
    await settled(first, ({ apart }) => apart.length === 1);
    await eventually(
      () => exceptionOf("link_conflict", one),
      (row) => row !== undefined,
    );
    expect((await ask("POST", exceptionAt(id), { choice: "keep_apart", ...sam })).status).toBe(200);
    await eventually(
      async () => [await exceptionOf("link_conflict", one), await exceptionOf("link_conflict", other)],
      (rows) => rows.every((row) => row === undefined),
    );
  });
});

describe("two leads that look alike", () => {
  const weights = [{ field: "name", level: "same", weight: 4.2 }];

  async function alike(tag: string) {
    const two = await twoPeople(tag);
    const id = `ex_like_${tag}`;
    await env.LEDGER_0.prepare(
      "INSERT INTO exceptions VALUES ('acme', ?, 1, ?, 'likely_duplicate', 'sam@example.com', 'open', 1000, 2000, ?)",
    )
      .bind(id, two.one, JSON.stringify({ a: two.one, b: two.other, probability: 0.834, weights }))
      .run();
    return { ...two, id };
  }

  it("are shown side by side, with how probable it is that they are one and what speaks for it", async () => {
    const { id, one, other } = await alike("like-seen");
    const { body } = await ask("GET", exceptionAt(id));
    expect(body).toMatchObject({
      id,
      probability: 0.834,
      weights,
      identifier: null,
      raised_at: "1970-01-01T00:00:01.000Z",
    });
    expect(body.because).toContain("83 %");
    expect(body.leads.map((lead: { id: string }) => lead.id)).toEqual([one, other]);
  });

  it.each([
    ["merge", "like-merge", 202],
    ["keep_apart", "like-apart", 200],
  ] as const)("are settled by %s, and the question is closed with who said so and why", async (choice, tag, status) => {
    const pair = await alike(tag);
    const settle = (by: string) => ask("POST", exceptionAt(pair.id), { choice, by, reason: "Spoke with them." });
    expect((await settle("sam@example.com")).status).toBe(status);
    if (choice === "merge") await areOne(pair);
    else expect((await areTwo(pair)).flatMap(({ apart }) => apart)).toMatchObject([{ state: "kept_apart" }]);
    const stored = () =>
      env.LEDGER_0.prepare("SELECT version, state, document FROM exceptions WHERE id = ?").bind(pair.id).first();
    const row = await stored();
    expect(row).toMatchObject({ version: 2, state: "closed" });
    const { body } = await ask("GET", exceptionAt(pair.id));
    expect(body).toMatchObject({
      choice,
      settled_by: "sam@example.com",
      settled_at: expect.stringMatching(instant),
      settled_because: "Spoke with them.",
      weights,
    });
    expect((await settle("kim@example.com")).status).toBe(200);
    expect(await stored()).toEqual(row);
  });

  it("and were kept apart can be merged later: the newer word is the one that stands there", async () => {
    const pair = await alike("like-change");
    await ask("POST", exceptionAt(pair.id), { choice: "keep_apart", reason: "Two.", ...sam });
    await rest(20);
    expect((await ask("POST", exceptionAt(pair.id), { choice: "merge", by: "kim@example.com" })).status).toBe(202);
    await areOne(pair);
    const { body } = await ask("GET", exceptionAt(pair.id));
    expect(body).toMatchObject({ choice: "merge", settled_by: "kim@example.com", state: "closed" });
    expect(body).not.toHaveProperty("settled_because");
  });

  it("stay an open question where the answer was refused", async () => {
    const pair = await alike("like-one");
    await ask("POST", at(pair.one, "/merge"), { with: pair.other, ...sam });
    await areOne(pair);
    expect((await ask("POST", exceptionAt(pair.id), { choice: "keep_apart", ...sam })).status).toBe(409);
    expect((await ask("GET", exceptionAt(pair.id))).body.state).toBe("open");
    expect((await ask("POST", exceptionAt(pair.id), { choice: "merge", ...sam })).status).toBe(200);
    expect((await ask("GET", exceptionAt(pair.id))).body.state).toBe("closed");
  });
});

describe("an exception", () => {
  it("that asks something else is shown as it is, and is not settled by saying who is who", async () => {
    await send(acme, { id: "other-1", identifiers: [email("other@example.com")], kind: "demo_requested" });
    const row = await eventually(
      () => exceptionOf("no_crm_connected", nodeOf(acme, email("other@example.com"))),
      (found) => found !== undefined,
    );
    const id = row?.id ?? "";
    const { status, body } = await ask("GET", exceptionAt(id));
    expect([status, body]).toEqual([200, row]);
    const refused = await ask("POST", exceptionAt(id), { choice: "merge", ...sam });
    expect([refused.status, refused.body.code]).toEqual([422, "invalid"]);
    expect((await ask("GET", exceptionAt(id))).body.state).toBe("open");
  });

  it("is nobody else's: neither shown to another workspace nor settled by it", async () => {
    const { id, second } = await conflict("mine");
    const answer = { choice: "merge", ...sam };
    for (const [method, body] of [["GET"], ["POST", answer]] as const) {
      expect((await ask(method, exceptionAt(id), body, rival.apiKey)).body.code).toBe("no_such_exception");
      expect((await ask(method, exceptionAt("ex_none"), body)).body.code).toBe("no_such_exception");
      expect((await ask(method, exceptionAt(id), body, "wrong")).status).toBe(401);
    }
    expect((await personOf(acme, second)).root.apart).toMatchObject([{ state: "open" }]);
  });

  it("is not settled by anything but a choice of somebody", async () => {
    const { id, second } = await conflict("bad");
    for (const body of [{ choice: "split", ...sam }, { choice: "merge" }, sam, { choice: "merge", reason: "", ...sam }])
      expect((await ask("POST", exceptionAt(id), body)).status).toBe(422);
    expect((await personOf(acme, second)).root.apart).toMatchObject([{ state: "open" }]);
  });
});

describe("the list of exceptions", () => {
  it("shows open ones unless closed ones are asked for, page by page", async () => {
    const pages: string[] = [];
    let cursor = "";
    for (;;) {
      const { body } = await ask("GET", `/v1/exceptions?state=closed&limit=2${cursor}`);
      for (const item of body.items) {
        expect(item.state).toBe("closed");
        pages.push(item.id);
      }
      if (body.next_cursor === null) break;
      cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`;
    }
    expect(pages.length).toBeGreaterThan(2);
    expect(new Set(pages).size).toBe(pages.length);
    const { body } = await ask("GET", "/v1/exceptions?limit=200");
    expect(body.items.length).toBeGreaterThan(0);
    for (const item of body.items) expect(item.state).toBe("open");
  });

  it("refuses a state that there is not", async () => {
    expect((await ask("GET", "/v1/exceptions?state=all")).body.code).toBe("bad_state");
  });
});

describe("a lead", () => {
  it("lists its links and whom it was kept apart from, all instants in words, and every name it answers to", async () => {
    const two = await joined("read");
    const device = anonymous("read-device");
    await send(acme, { id: "read-3", identifiers: [two.winner, device], kind: "page_viewed", properties: { at: 5 } });
    await settled(device);
    const third = await twoPeople("read-third");
    await ask("POST", at(two.one, "/keep-apart"), { from: third.one, ...sam });
    const { body } = await ask("GET", at(two.other));
    expect(body.id).toBe(two.one);
    expect(body.links).toHaveLength(2);
    for (const link of body.links) expect(link.at).toMatch(instant);
    expect(body.apart).toMatchObject([
      { node: third.one, at: expect.stringMatching(instant), settled_at: expect.stringMatching(instant) },
    ]);
    expect(body.members).toBe(3);
    expect([...body.aliases].sort()).toEqual([two.other, nodeOf(acme, device)].sort());
    expect(body.lead.last.at).toMatch(instant);
    const signal = body.signals.find((item: { id: string }) => item.id === "read-3");
    expect(signal.occurred_at).toMatch(instant);
    expect(signal.properties).toEqual({ at: 5 });
    const numbers = JSON.stringify({ ...body, signals: [] }).match(/:1[67]\d{11}[,}]/g);
    expect(numbers).toBeNull();
  });
});
