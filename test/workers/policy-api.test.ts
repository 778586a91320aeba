/** The life of a policy: written as a draft, compared, worked through, activated, put back; and every way of being refused. */
import { env, exports } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import { digestOf } from "../../src/decide/policy/digest.ts";
import { type Policy, policySchema } from "../../src/decide/policy.ts";
import { forgetConfig, workspaceById } from "../../src/workspace.ts";
import { openWorkspace } from "./fixture.ts";

interface Answered {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what these tests are about
  readonly body: any;
}

let key = "";
let workspace = "";
let opened = 0;

/** A workspace in which nothing was changed serves the next test too. */
let touched = true;

beforeEach(async () => {
  if (!touched) return;
  touched = false;
  workspace = `policy-${++opened}`;
  key = (await openWorkspace(workspace)).apiKey;
});

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const answer = await exports.default.fetch(`https://baton.example.com/v1/policy${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  if (method !== "GET" && answer.ok) touched = true;
  const text = new TextDecoder().decode(await answer.arrayBuffer());
  const type = answer.headers.get("content-type");
  if (!answer.ok) expect(type).toBe("application/problem+json");
  return { status: answer.status, type, text, body: type?.includes("json") ? JSON.parse(text) : null };
}

const ana = "ana@example.com";
const ben = "ben@example.com";
const yaml = { "content-type": "application/yaml" };
const present = defaultPolicy(["sam@example.com"]);

/** The default policy with another time for its first play. */
function due(minutes: number, part: Partial<Policy> = {}): Policy {
  const call = present.plays["speed to lead"];
  if (call === undefined) throw new Error("the default policy has no such play");
  return {
    ...present,
    plays: { ...present.plays, "speed to lead": { ...call, due_in_ms: minutes * 60_000 } },
    ...part,
  };
}

async function drafted(document: object, by = ana): Promise<string> {
  const { status, body } = await ask("POST", "/drafts", { by, document });
  expect([status, body.mistakes]).toEqual([201, []]);
  return body.id;
}

const activate = (id: string, by: string, more: object = {}) => ask("POST", `/drafts/${id}/activate`, { by, ...more });

async function inForce(): Promise<Policy> {
  return (await ask("GET", "")).body;
}

describe("a draft", () => {
  it("becomes the next version when it is activated, and every new signal is decided by it", async () => {
    const id = await drafted(due(10));
    const { status, body } = await activate(id, ana, { note: "faster" });
    expect(status).toBe(200);
    expect(body.version).toBe(2);
    expect(body.changes).toEqual([
      {
        path: ["plays", "speed to lead", "due_in_ms"],
        before: 900_000,
        after: 600_000,
        text: "Play “speed to lead”: now due in 10 minutes (was 15 minutes)",
      },
    ]);
    expect((await inForce()).plays["speed to lead"]?.due_in_ms).toBe(600_000);
    const found = await workspaceById(env, workspace, Date.now(), () => undefined);
    expect([found?.facts.policyVersion, found?.workspace.policy.plays["speed to lead"]?.due_in_ms]).toEqual([
      2, 600_000,
    ]);
  });

  it("is numbered by the server, whatever number it brings", async () => {
    const id = await drafted({ ...due(10), version: 1 });
    expect((await activate(id, ana)).body.version).toBe(2);
    const { version: _none, ...bare } = due(11);
    expect((await activate(await drafted(bare), ana)).body.version).toBe(3);
  });

  it("may be a patch of a version: null takes away, lists are replaced", async () => {
    const patch = { teams: { sales: { manager: null } }, manual_domains: ["big.example.com"] };
    const { body } = await ask("POST", "/drafts", { by: ana, note: "by hand", base: 1, patch });
    expect([body.base, body.note, body.authors, body.mistakes]).toEqual([1, "by hand", [ana], []]);
    await activate(body.id, ana);
    const { teams, manual_domains } = await inForce();
    expect([teams.sales?.manager, manual_domains]).toEqual([undefined, ["big.example.com"]]);
  });

  it("may be saved with mistakes, which it lists, and cannot be activated with them", async () => {
    const { status, body } = await ask("POST", "/drafts", {
      by: ana,
      document: { ...present, routes: [{ ...present.routes[0], play: "nothing" }, ...present.routes.slice(1)] },
    });
    expect([status, body.digest]).toEqual([201, null]);
    expect(body.mistakes[0]).toEqual({ path: "routes.0.play", message: 'There is no play named "nothing".' });
    const refused = await activate(body.id, ana);
    expect([refused.status, refused.body.errors[0].path]).toEqual([422, "routes.0.play"]);
    expect((await inForce()).version).toBe(1);
  });

  it("is listed, read, saved again by others who are then its authors too, and deleted", async () => {
    const id = await drafted(due(10));
    const saved = await ask("PUT", `/drafts/${id}`, { by: "Ben@Example.com", note: "12 it is", document: due(12) });
    expect([saved.body.revision, saved.body.authors, saved.body.note]).toEqual([2, [ana, ben], "12 it is"]);
    const { items } = (await ask("GET", "/drafts")).body;
    expect(items.map((item: { id: string; revision: number }) => [item.id, item.revision])).toEqual([[id, 2]]);
    const { document } = (await ask("GET", `/drafts/${id}`)).body;
    expect(document.plays["speed to lead"].due_in_ms).toBe(720_000);
    expect((await ask("DELETE", `/drafts/${id}`)).body).toEqual({ id, deleted: true });
    expect((await ask("GET", `/drafts/${id}`)).body.code).toBe("no_such_draft");
  });

  it("that somebody saved meanwhile is not overwritten, and not activated unseen", async () => {
    const { body: seen } = await ask("POST", "/drafts", { by: ana, document: due(10) });
    await ask("PUT", `/drafts/${seen.id}`, { by: ben, document: due(99), revision: 1 });
    const late = await ask("PUT", `/drafts/${seen.id}`, { by: ana, document: due(11), revision: 1 });
    expect([late.status, late.body.code]).toEqual([409, "draft_changed"]);
    const unseen = await activate(seen.id, ana, { digest: seen.digest });
    expect([unseen.status, unseen.body.code]).toEqual([409, "draft_changed"]);
  });

  it("is compared with what is in force, or with any version", async () => {
    await activate(await drafted(due(10)), ana);
    const id = await drafted({ ...due(20), version: 2 });
    const texts = async (query: string) =>
      (await ask("GET", `/drafts/${id}/diff${query}`)).body.changes.map(({ text }: { text: string }) => text);
    expect(await texts("")).toEqual(["Play “speed to lead”: now due in 20 minutes (was 10 minutes)"]);
    expect(await texts("?against=1")).toEqual(["Play “speed to lead”: now due in 20 minutes (was 15 minutes)"]);
    expect((await ask("GET", `/drafts/${id}/diff?against=9`)).body.code).toBe("no_such_version");
  });

  it("that is no policy at all cannot be compared; its mistakes are told instead", async () => {
    const { body } = await ask("POST", "/drafts", { by: ana, document: { colour: "red" } });
    const { status, body: refused } = await ask("GET", `/drafts/${body.id}/diff`);
    expect([status, refused.code]).toEqual([422, "invalid"]);
    expect(refused.errors.map(({ path }: { path: string }) => path)).toContain("routes");
  });

  it("shows play by play what is missing before it may go live", async () => {
    const play = { type: "call", priority: "low", due_in_ms: 1, subject: "Call", team: "sales", cool_down_ms: 1 };
    const { body } = await ask("POST", "/drafts", {
      by: ana,
      document: { ...present, plays: { ...present.plays, "new play": { ...play, go_live: { owner: ana } } } },
    });
    const { plays } = (await ask("GET", `/drafts/${body.id}/checklist`)).body;
    const names = plays.map((list: { play: string; ready: boolean }) => [list.play, list.ready]);
    expect(names).toContainEqual(["speed to lead", true]);
    const fresh = plays.find((list: { play: string }) => list.play === "new play");
    expect(fresh.items).toEqual([
      { item: "trigger", ok: false },
      { item: "source systems", ok: false },
      { item: "destination system", ok: false },
      { item: "owner", ok: true, named: ana },
      { item: "fallback owner", ok: false },
      { item: "exception route", ok: false },
      { item: "review path", ok: false },
      { item: "QA checkpoint", ok: false },
      { item: "reporting field", ok: false },
    ]);
    expect((await activate(body.id, ana)).status).toBe(422);
  });

  it.each([
    ["without an author", {}, "by"],
    ["by somebody without an address", { by: "ana" }, "by"],
    ["from a version that does not exist", { by: ana, base: 7 }, "base"],
    ["with a patch as well", { by: ana, base: 1, patch: {} }, ""],
    ["with an unknown member beside it", { by: ana, colour: "red" }, ""],
  ])("is refused %s", async (_what, more, path) => {
    const { status, body } = await ask("POST", "/drafts", { document: due(10), ...more });
    expect([status, body.errors[0].path]).toEqual([422, path]);
  });

  it("is refused as a patch of nothing", async () => {
    const { status, body } = await ask("POST", "/drafts", { by: ana, patch: { one_open_per: "play" } });
    expect([status, body.errors[0].path]).toEqual([422, "base"]);
  });

  it("is refused when there are fifty already", async () => {
    const id = await drafted(due(10));
    await env.CONTROL.batch(
      Array.from({ length: 49 }, (_, index) =>
        env.CONTROL.prepare(
          "INSERT INTO policy_drafts SELECT workspace, ?, base, document, authors, note, revision, digest, mistakes, created_at, updated_at FROM policy_drafts WHERE id = ?",
        ).bind(`pd_${index}`, id),
      ),
    );
    const { status, body } = await ask("POST", "/drafts", { by: ana, document: due(10) });
    expect([status, body.code]).toEqual([409, "too_many_drafts"]);
  });

  it("of another workspace is nobody's, and without a key there is nothing", async () => {
    const id = await drafted(due(10));
    const own = key;
    key = (await openWorkspace(`${workspace}-other`)).apiKey;
    for (const [method, path] of [
      ["GET", ""],
      ["PUT", ""],
      ["DELETE", ""],
      ["GET", "/diff"],
      ["GET", "/checklist"],
    ] as const)
      expect(
        (await ask(method, `/drafts/${id}${path}`, method === "PUT" ? { by: ana, document: {} } : undefined)).status,
      ).toBe(404);
    expect((await activate(id, ana)).status).toBe(404);
    key = "nobody";
    for (const path of ["", "/drafts", "/versions", "/routing.md"]) expect((await ask("GET", path)).status).toBe(401);
    for (const path of ["/drafts", "/rollback", `/drafts/${id}/activate`])
      expect((await ask("POST", path, {})).status).toBe(401);
    key = own;
    expect((await ask("GET", `/drafts/${id}`)).status).toBe(200);
  });
});

describe("an activation", () => {
  it("asked for twice is answered twice in the same words, and tells others what became of the draft", async () => {
    const id = await drafted(due(10));
    const first = await activate(id, ana);
    expect(await activate(id, ana)).toEqual(first);
    const other = await activate(id, ben);
    expect([other.status, other.body.code, other.body.detail]).toEqual([
      404,
      "draft_activated",
      "This draft became version 2.",
    ]);
    expect((await inForce()).version).toBe(2);
  });

  it("of several at once succeeds for one; the others are told", async () => {
    const ids = [];
    for (const minutes of [1, 2, 3, 4]) ids.push(await drafted(due(minutes)));
    const answers = await Promise.all(ids.map((id) => activate(id, ana)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
    const won = answers.findIndex(({ status }) => status === 200);
    const { version, plays } = await inForce();
    expect([version, plays["speed to lead"]?.due_in_ms]).toEqual([2, (won + 1) * 60_000]);
    expect((await ask("GET", "/drafts")).body.items).toHaveLength(3);
  });

  it("of a draft written from an older version is refused with what it would undo", async () => {
    const stale = await drafted(due(10));
    await activate(await drafted({ ...present, one_open_per: "play" }), ben);
    const { status, body } = await activate(stale, ana);
    expect([status, body.code]).toEqual([409, "draft_stale"]);
    expect(body.overwritten).toEqual([
      { path: ["one_open_per"], before: "lead", after: "play", text: "Policy: one open per now “play” (was “lead”)" },
    ]);
    expect((await inForce()).one_open_per).toBe("play");
  });

  it("keeps both changes on request, where they touch different things", async () => {
    const stale = await drafted(due(10));
    await activate(await drafted({ ...present, one_open_per: "play" }), ben);
    const { status, body } = await activate(stale, ana, { rebase: true });
    expect([status, body.version]).toEqual([200, 3]);
    const { one_open_per, plays } = await inForce();
    expect([one_open_per, plays["speed to lead"]?.due_in_ms]).toEqual(["play", 600_000]);
  });

  it("does not choose between two changes of the same thing", async () => {
    const stale = await drafted(due(10));
    await activate(await drafted(due(20)), ben);
    const { status, body } = await activate(stale, ana, { rebase: true });
    expect([status, body.code]).toEqual([409, "rebase_conflict"]);
    expect(body.overwritten.map(({ text }: { text: string }) => text)).toEqual([
      "Play “speed to lead”: now due in 20 minutes (was 15 minutes)",
    ]);
    expect((await inForce()).plays["speed to lead"]?.due_in_ms).toBe(1_200_000);
  });

  it("checks what a rebase makes of two good policies", async () => {
    // One takes the trial's play away, the other one sends a further route there.
    const { "trial welcome": _gone, ...plays } = present.plays;
    const routes = present.routes.filter(({ play }) => play !== "trial welcome");
    const kinds = Object.fromEntries(
      Object.entries(present.kinds).map(([name, rule]) => [name, { ...rule, intent: Math.max(1, rule.intent) }]),
    );
    const stale = await drafted({
      ...present,
      kinds,
      territories: [{ name: "DACH", when: { "lead.country": { is: "DE" } } }],
    });
    const without = {
      ...present,
      kinds,
      plays: { ...plays, "product interest": { ...plays["product interest"], fallback: "speed to lead" } },
      routes,
    };
    await activate(await drafted(without), ben);
    expect((await activate(stale, ana, { rebase: true })).status).toBe(200);
    const clash = {
      ...present,
      kinds,
      plays: { ...present.plays, "speed to lead": { ...present.plays["speed to lead"], fallback: "trial welcome" } },
    };
    const { body } = await ask("POST", "/drafts", { by: ana, base: 1, document: clash });
    const { status, body: refused } = await activate(body.id, ana, { rebase: true });
    expect([status, refused.errors[0]]).toEqual([
      422,
      { path: "plays.speed to lead.fallback", message: 'There is no play named "trial welcome".' },
    ]);
  });

  it.each([
    ["without a person", {}, "by"],
    ["with a member that nobody knows", { by: ana, force: true }, ""],
  ])("is refused %s", async (_what, body, path) => {
    const id = await drafted(due(10));
    const refused = await ask("POST", `/drafts/${id}/activate`, body);
    expect([refused.status, refused.body.errors[0].path]).toEqual([422, path]);
  });
});

describe("four eyes", () => {
  const both = { changes: { four_eyes: true, backtest_required: false } };

  it("want somebody who has not written at the draft, in whatever case they write themselves", async () => {
    await activate(await drafted(due(15, both)), ana);
    const id = await drafted({ ...due(10, both), version: 2 });
    await ask("PUT", `/drafts/${id}`, { by: ben, document: { ...due(11, both), version: 2 } });
    for (const author of [ana, ben, "BEN@example.COM"]) {
      const { status, body } = await activate(id, author);
      expect([status, body.code]).toEqual([409, "four_eyes"]);
    }
    expect((await activate(id, "eve@example.com")).status).toBe(200);
  });

  it("are needed to be rid of them, and not to begin with them", async () => {
    expect((await activate(await drafted(due(15, both)), ana)).status).toBe(200);
    const id = await drafted({ ...present, version: 2 });
    expect((await activate(id, ana)).body.code).toBe("four_eyes");
    expect((await activate(id, ben)).status).toBe(200);
    expect((await ask("PUT", "?by=ana@example.com", { ...due(9), version: 4 })).status).toBe(200);
  });

  it("close the short way", async () => {
    await activate(await drafted(due(15, both)), ana);
    const { status, body } = await ask("PUT", "?by=ana@example.com", { ...due(9), version: 3 });
    expect([status, body.code]).toEqual([409, "four_eyes"]);
  });

  it("do not stand in the way of an emergency, which is on record", async () => {
    await activate(await drafted(due(15, both)), ana);
    const { status, body } = await ask("POST", "/rollback", { to: 1, by: ana, note: "wrong team" });
    expect([status, body.version]).toEqual([200, 3]);
    const { items } = (await ask("GET", "/versions")).body;
    expect(items[0]).toMatchObject({ version: 3, activated_by: ana, restores: 1, note: "wrong team" });
  });
});

describe("a required backtest", () => {
  const wanted = { changes: { four_eyes: false, backtest_required: true } };
  const record = (digest: string, finished: number | null) =>
    env.CONTROL.prepare("INSERT OR REPLACE INTO policy_backtests VALUES (?, ?, 'bt_1', ?)")
      .bind(workspace, digest, finished)
      .run();

  it("must have finished, of exactly the content that is activated", async () => {
    await activate(await drafted(due(15, wanted)), ana);
    const { body: draft } = await ask("POST", "/drafts", { by: ana, document: { ...due(10, wanted), version: 2 } });
    expect(draft.digest).toBe(digestOf(policySchema.parse(due(10, wanted))));
    const refused = async () => (await activate(draft.id, ana)).body.code;
    expect(await refused()).toBe("backtest_required");
    await record(digestOf(policySchema.parse(due(11, wanted))), 1);
    expect(await refused()).toBe("backtest_required");
    await record(draft.digest, null);
    expect(await refused()).toBe("backtest_required");
    await record(draft.digest, 1);
    expect((await activate(draft.id, ana)).status).toBe(200);
  });

  it("is asked of the short way too", async () => {
    await activate(await drafted(due(15, wanted)), ana);
    const next = { ...due(10), version: 3 };
    expect((await ask("PUT", "", next)).body.code).toBe("backtest_required");
    await record(digestOf(policySchema.parse(next)), 1);
    expect((await ask("PUT", "", next)).status).toBe(200);
  });
});

describe("versions", () => {
  it("are listed with who wrote them, who activated them, when, why and what changed", async () => {
    const id = await drafted(due(10));
    await ask("PUT", `/drafts/${id}`, { by: ben, document: due(12) });
    await activate(id, "eve@example.com", { note: "faster" });
    const { items, next_cursor } = (await ask("GET", "/versions")).body;
    expect(items).toMatchObject([
      {
        version: 2,
        authors: [ana, ben],
        activated_by: "eve@example.com",
        note: "faster",
        in_force: true,
        summary: { changes: 1, sentences: ["Play “speed to lead”: now due in 12 minutes (was 15 minutes)"] },
      },
      {
        version: 1,
        authors: ["baton"],
        activated_by: "baton",
        in_force: false,
        summary: { changes: 0, sentences: [] },
      },
    ]);
    expect(items[0].at).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(next_cursor).toBeNull();
  });

  it("page", async () => {
    for (const minutes of [1, 2, 3]) await ask("PUT", "", { ...due(minutes), version: minutes + 1 });
    const first = (await ask("GET", "/versions?limit=3")).body;
    const second = (await ask("GET", `/versions?limit=3&cursor=${first.next_cursor}`)).body;
    const numbers = (page: { items: { version: number }[] }) => page.items.map(({ version }) => version);
    expect([numbers(first), numbers(second), second.next_cursor]).toEqual([[4, 3, 2], [1], null]);
    expect((await ask("GET", "/versions?cursor=x")).body.code).toBe("bad_cursor");
  });

  it("are read and compared with the one before, or any other", async () => {
    for (const minutes of [1, 2]) await ask("PUT", "", { ...due(minutes), version: minutes + 1 });
    expect((await ask("GET", "/versions/2")).body.document.plays["speed to lead"].due_in_ms).toBe(60_000);
    const { against, changes } = (await ask("GET", "/versions/3/diff")).body;
    expect([against, changes[0].text]).toEqual([2, "Play “speed to lead”: now due in 2 minutes (was 1 minute)"]);
    expect((await ask("GET", "/versions/3/diff?against=1")).body.changes[0].before).toBe(900_000);
    expect((await ask("GET", "/versions/1/diff")).body.changes).toEqual([]);
    for (const path of ["/versions/4", "/versions/x", "/versions/4/diff", "/versions/3/diff?against=0"])
      expect((await ask("GET", path)).body.code).toBe("no_such_version");
  });
});

describe("a roll-back", () => {
  it("brings an earlier content back under a new number, and says when it holds everywhere", async () => {
    await ask("PUT", "", { ...due(1), version: 2 });
    await ask("PUT", "", { ...due(2), version: 3 });
    const { status, body } = await ask("POST", "/rollback", { to: 1, by: ana });
    expect([status, body]).toEqual([200, { version: 4, restores: 1, everywhere_within_seconds: 20, mistakes: [] }]);
    const { version, ...content } = await inForce();
    const { version: _first, ...original } = present;
    expect([version, content]).toEqual([4, JSON.parse(JSON.stringify(original))]);
    forgetConfig(env);
    const found = await workspaceById(env, workspace, Date.now(), () => undefined);
    expect(found?.workspace.policy.plays["speed to lead"]?.due_in_ms).toBe(900_000);
  });

  it("also of a version that today's check would refuse, and tells what it found", async () => {
    await ask("PUT", "", { ...due(1), version: 2 });
    const old = { ...present, kinds: { ...present.kinds, coughed: { tier: "hours", words: "coughed" } } };
    await env.CONTROL.prepare("UPDATE policies SET document = ? WHERE workspace = ? AND version = 1")
      .bind(JSON.stringify(old), workspace)
      .run();
    const { status, body } = await ask("POST", "/rollback", { to: 1, by: ana });
    expect([status, body.mistakes.map(({ path }: { path: string }) => path)]).toEqual([200, ["kinds.coughed"]]);
  });

  it.each([
    ["to a version that does not exist", { to: 9, by: ana }, 404, "no_such_version"],
    ["to the version in force", { to: 1, by: ana }, 409, "in_force"],
    ["by nobody", { to: 1 }, 422, "invalid"],
    ["to no version", { by: ana }, 422, "invalid"],
  ])("is refused %s", async (_what, body, status, code) => {
    const refused = await ask("POST", "/rollback", body);
    expect([refused.status, refused.body.code]).toEqual([status, code]);
  });
});

describe("the short way", () => {
  it("takes the next version from one person, who is on record", async () => {
    expect((await ask("PUT", "?by=ana@example.com&note=test", { ...due(9), version: 2 })).body).toEqual({ version: 2 });
    expect((await ask("PUT", "", { ...due(8), version: 3 })).body).toEqual({ version: 3 });
    const { items } = (await ask("GET", "/versions?limit=2")).body;
    expect(items.map((item: { authors: string[]; note: string }) => [item.authors, item.note])).toEqual([
      [["api"], ""],
      [[ana], "test"],
    ]);
  });

  it.each([
    ["another number than the next one", "", { ...due(9), version: 5 }, 409, "policy_version"],
    ["the present number", "", { ...due(9), version: 1 }, 409, "policy_version"],
    ["no number", "", { ...due(9), version: undefined }, 422, "invalid"],
    ["mistakes", "", { ...due(9), version: 2, colour: "red" }, 422, "invalid"],
    ["an author without an address", "?by=ana", { ...due(9), version: 2 }, 422, "invalid"],
  ])("is refused with %s", async (_what, query, document, status, code) => {
    const refused = await ask("PUT", query, document);
    expect([refused.status, refused.body.code]).toEqual([status, code]);
    expect((await inForce()).version).toBe(1);
  });
});

describe("JSON and YAML", () => {
  it("is written as either and read as either", async () => {
    const read = await ask("GET", "", undefined, { accept: "application/yaml" });
    expect(read.type).toBe("application/yaml; charset=utf-8");
    expect(read.text).toContain("  speed to lead:\n");
    const faster = read.text.replace("due_in_ms: 900000", "due_in_ms: 600000 # was 15 minutes");
    const { status, body } = await ask("POST", "/drafts?by=ana@example.com&note=in%20YAML", faster, yaml);
    expect([status, body.mistakes, body.base, body.note]).toEqual([201, [], 1, "in YAML"]);
    const { changes } = (await ask("GET", `/drafts/${body.id}/diff`)).body;
    expect(changes.map(({ text }: { text: string }) => text)).toEqual([
      "Play “speed to lead”: now due in 10 minutes (was 15 minutes)",
    ]);
    expect((await ask("GET", `/drafts/${body.id}`, undefined, { accept: "text/yaml" })).text).toContain(
      "due_in_ms: 600000",
    );
    expect((await ask("GET", "/versions/1", undefined, { accept: "text/yaml" })).text).toBe(read.text);
  });

  it("is JSON unless YAML is asked for first", async () => {
    for (const accept of ["*/*", "application/json, application/yaml", "text/html"])
      expect((await ask("GET", "", undefined, { accept })).type).toBe("application/json");
  });

  it("says in which line and column something cannot be read", async () => {
    const refused = async (text: string, headers = yaml) => {
      const { status, body } = await ask("POST", "/drafts?by=ana@example.com", text, headers);
      return [status, body.code, body.errors[0].message];
    };
    expect(await refused("routes:\n  - name: a\n   play: b\n")).toEqual([
      400,
      "not_yaml",
      "The body is not YAML (bad indentation of a sequence entry): line 3, column 4.",
    ]);
    expect(await refused("tiers: 1\ntiers: 2\n")).toEqual([
      400,
      "not_yaml",
      expect.stringContaining("duplicated mapping key): line 2, column"),
    ]);
    expect(await refused('{\n  "a": 1,\n  b\n}', { "content-type": "application/json" })).toEqual([
      400,
      "not_json",
      "The body is not JSON: line 3, column 3.",
    ]);
  });

  const laughs = `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghij".replaceAll(/./g, (name, at: number) => {
    const before = "abcdefghij"[at];
    return `${name}: &${name} [*${before},*${before},*${before},*${before},*${before},*${before}]\n`;
  })}`;

  it.each([
    ["aliases, however few", "application/yaml", "a: &a [1]\nb: *a\n", 400, "not_yaml"],
    ["a billion laughs", "application/yaml", laughs, 400, "not_yaml"],
    ["a tag", "application/yaml", "a: !!js/function 'x'\n", 400, "not_yaml"],
    ["two documents", "application/yaml", "a: 1\n---\na: 2\n", 400, "not_yaml"],
    ["deep YAML", "application/yaml", "[".repeat(500), 400, "not_yaml"],
    [
      "deep JSON",
      "application/json",
      `{"by":"ana@example.com","document":{"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`,
      422,
      "invalid",
    ],
    [
      "a prototype in JSON",
      "application/json",
      '{"by":"ana@example.com","document":{"teams":{"__proto__":{"x":1}}}}',
      422,
      "invalid",
    ],
    ["a prototype in YAML", "application/yaml", "teams:\n  __proto__: {x: 1}\n", 422, "invalid"],
    ["a constructor", "application/yaml", "plays:\n  constructor: {x: 1}\n", 422, "invalid"],
    ["another type", "text/csv", "a,b", 415, "unknown_type"],
    ["more than a megabyte", "application/yaml", `# ${"x".repeat(1_000_001)}`, 413, "body_too_large"],
    ["a list", "application/json", "[]", 422, "invalid"],
    ["nothing", "application/json", "", 400, "not_json"],
  ])("refuses %s", async (_what, type, text, status, code) => {
    const refused = await ask("POST", "/drafts?by=ana@example.com", text, { "content-type": type });
    expect([refused.status, refused.body.code]).toEqual([status, code]);
    expect((await ask("GET", "/drafts")).body.items).toEqual([]);
  });

  it("refuses bytes that are not UTF-8", async () => {
    const answer = await exports.default.fetch("https://baton.example.com/v1/policy/drafts?by=ana@example.com", {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, ...yaml },
      body: new Uint8Array([0x61, 0x3a, 0x20, 0xff]),
    });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, "not_text"]);
  });

  it("lists fifty of many mistakes and says how many there are", async () => {
    const kinds = Object.fromEntries(
      Array.from({ length: 80 }, (_, index) => [`k${index}`, { tier: "never", words: "x" }]),
    );
    const { status, body } = await ask("PUT", "", { ...present, version: 2, kinds });
    expect([status, body.errors.length, body.detail]).toEqual([
      422,
      50,
      "There are 80 mistakes; the first 50 are listed.",
    ]);
  });
});

describe("the schema", () => {
  it("is there for editors, without a key, and describes conditions", async () => {
    const answer = await exports.default.fetch("https://baton.example.com/v1/policy/schema");
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/schema+json"]);
    // biome-ignore lint/suspicious/noExplicitAny: a JSON Schema
    const schema = (await answer.json()) as any;
    expect(schema.required).toContain("routes");
    expect(schema.required).not.toContain("version");
    expect(schema.properties.routes.items.properties.when.properties.where).toEqual({ $ref: "#/$defs/condition" });
    expect(schema.$defs.condition.properties["lead.country"]).toEqual({ $ref: "#/$defs/test" });
    expect(Object.keys(schema.$defs.test.properties)).toContain("starts_with");
  });
});

describe("the published pages", () => {
  it("are the routing matrix and the ownership page, as Markdown and CSV, of any version", async () => {
    await ask("PUT", "", { ...due(9), version: 2 });
    const matrix = await ask("GET", "/routing.csv");
    expect([matrix.status, matrix.type]).toEqual([200, "text/csv; charset=utf-8"]);
    expect(matrix.text.split("\r\n")[1]).toBe(
      "1,demo_requested,asked for us,the signal is at most 7 days old,seconds,speed to lead,live,call,sales,9 minutes,sam@example.com",
    );
    const first = await ask("GET", "/routing.csv?version=1");
    expect(first.text).toContain("speed to lead,live,call,sales,15 minutes");
    const page = await ask("GET", "/ownership.md");
    expect([page.type, page.text.startsWith("# Ownership, policy version 2\n")]).toEqual([
      "text/markdown; charset=utf-8",
      true,
    ]);
    expect(page.text).toContain("| revenue\\_operations | sam@example.com | – |");
    expect((await ask("GET", "/ownership.csv")).text).toContain("Roles,revenue_operations,holder,sam@example.com\r\n");
    expect((await ask("GET", "/routing.md")).text).toContain("# Routing, policy version 2");
    expect((await ask("GET", "/routing.md?version=7")).status).toBe(404);
  });
});
