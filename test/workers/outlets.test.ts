/** Outlets in the runtime they live in: who is told of a follow-up, once, whatever breaks, and never in the way of its task. */
import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { SlackTwin } from "../../connectors/slack/twin/twin.ts";
import { WebhookReceiver } from "../../connectors/webhook/twin/receiver.ts";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import type { Policy } from "../../src/decide/policy.ts";
import type { Identifier } from "../../src/model.ts";
import type { AccountObject } from "../../src/objects/account.ts";
import { accountName, accountStub } from "../../src/objects/names.ts";
import type { ActionRecord, FollowUpRecord } from "../../src/resolve/node.ts";
import { forgetConfig, workspaceById } from "../../src/workspace.ts";
import {
  answer,
  ask,
  email,
  eventually,
  exceptionOf,
  letPass,
  openWorkspace,
  personOf,
  rest,
  send,
  type TestWorkspace,
  tell,
} from "./fixture.ts";
import { RecordingCrm } from "./recording-crm.ts";

const hubspot = new RecordingCrm();
let twin = new SlackTwin();
let receiver = new WebhookReceiver();
/** Everything that left for anywhere but the CRM. */
let left: string[] = [];

const slackBody = { name: "sales-room", type: "slack", token: "xoxb-twin-token-1", channel: "C0SALES01" };
const hookBody = { name: "warehouse", type: "webhook", url: "https://hooks.example.com/in?x=1" };

beforeEach(() => {
  twin = new SlackTwin();
  receiver = new WebhookReceiver();
  left = [];
  hubspot.scripts = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    const { host } = new URL(request.url);
    left.push(host);
    if (host === "slack.com") return twin.handle(request);
    if (host === "hooks.example.com") return receiver.handle(request);
    throw new TypeError("nobody lives there");
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Calls (and trials, where `trials`) are told to outlets of these names; nothing else is. */
function telling(notify: readonly string[], trials = false) {
  return (policy: Policy): Policy => {
    const { "speed to lead": call, ...plays } = policy.plays;
    const welcome = plays["trial welcome"];
    const { trial_started, ...kinds } = policy.kinds;
    if (call === undefined || welcome === undefined || trial_started === undefined) throw new Error("policy changed");
    return {
      ...policy,
      kinds: { ...kinds, trial_started: { ...trial_started, tier: "seconds" } },
      plays: {
        ...plays,
        "speed to lead": { ...call, notify: [...notify] },
        "trial welcome": trials ? { ...welcome, notify: [...notify] } : welcome,
      },
    };
  };
}

/** A workspace with a CRM and both outlets, whose calls are told to those of `notify`. */
async function openOutlets(
  id: string,
  notify: readonly string[],
  more: object = {},
  trials = false,
): Promise<TestWorkspace> {
  const opened = await openWorkspace(id, { crm: hubspot });
  expect((await ask(opened, "POST", "/v1/outlets", { ...slackBody, ...more })).status).toBe(201);
  const hook = await ask(opened, "POST", "/v1/outlets", { ...hookBody, ...more });
  receiver.secrets = [hook.body.secret];
  await quickReads(id);
  const policy = telling(notify, trials)({ ...defaultPolicy(["sam@example.com"]), version: 2 });
  expect((await ask(opened, "PUT", "/v1/policy", policy)).status).toBe(200);
  twin.asked.length = 0;
  left = [];
  return again(opened);
}

/** As the workspace is now. */
async function again(of: TestWorkspace): Promise<TestWorkspace> {
  forgetConfig(env);
  const found = await workspaceById(env, of.id, Date.now(), () => undefined);
  if (found === null) throw new Error("no workspace");
  return { ...of, ...found };
}

const outlet = (id: string, type: "slack" | "webhook" = "slack") =>
  accountStub(env, accountName(id, type, type === "slack" ? "sales-room" : "warehouse"));

/** Messages of which nobody knows are looked for sooner than in life. */
async function quickReads(id: string): Promise<void> {
  await runInDurableObject(outlet(id), async (_object: AccountObject, { storage }) => {
    storage.kv.put("facts", { ...(storage.kv.get("facts") as object), settleReadsMs: [50, 100] });
  });
  await abortAllDurableObjects();
}

async function does(of: TestWorkspace, who: Identifier, kind: string, part: object = {}): Promise<void> {
  await send(of, { id: `${kind} ${who.value} ${Math.random()}`, kind, identifiers: [who], ...part });
}

async function followUpOf(
  of: TestWorkspace,
  who: Identifier,
  holds: (item: FollowUpRecord) => boolean,
  ms = 10_000,
): Promise<FollowUpRecord> {
  const { root } = await eventually(
    () => personOf(of, who),
    ({ root }) => root.follow_ups[0] !== undefined && holds(root.follow_ups[0]),
    ms,
  );
  const [item] = root.follow_ups;
  if (item === undefined) throw new Error("none");
  return item;
}

/** What became of everything that both outlets were asked for. */
async function statesIn(id: string): Promise<readonly unknown[]> {
  const of = (type: "slack" | "webhook") =>
    runInDurableObject(outlet(id, type), (_object: AccountObject, { storage }) =>
      storage.sql
        .exec("SELECT state FROM actions")
        .toArray()
        .map(({ state }) => state),
    );
  return [...(await of("slack")), ...(await of("webhook"))];
}

const both = ["sales-room", "warehouse"];
const isTold = ({ actions }: FollowUpRecord) => actions.every(({ state }) => state === "done");
const stateOf = ({ actions }: FollowUpRecord, crm: ActionRecord["crm"]) =>
  actions.find((action) => action.crm === crm)?.state;
const posted = (text: string) => twin.messages.filter((message) => message.text.includes(text));

describe("a follow-up of a play that names outlets", () => {
  it("is one message and one event, which name its task; enriched and done, both are brought up to date", async () => {
    const acme = await openOutlets("acme", both, {}, true);
    const ada = email("ada@example.com");
    await does(acme, ada, "trial_started");
    const item = await followUpOf(acme, ada, isTold);
    const { receipt } = item.actions.find(({ crm }) => crm === "slack") ?? {};
    const [message] = posted("ada@example.com");
    expect(receipt).toMatchObject({ crm: "slack", task_id: message?.ts, person_id: "" });
    expect(message?.text).toContain("Held by: sam@example.com");
    expect(message?.text).toContain("https://baton.example.com/leads/");
    expect(receiver.once).toHaveLength(1);
    const task = hubspot.tasks.find(({ key }) => key.startsWith(item.id));
    expect(receiver.once[0]?.event).toMatchObject({
      type: "follow_up.opened",
      data: { follow_up: item.id, holder: "sam@example.com", tasks: [{ crm: "hubspot", task_id: task?.taskId }] },
    });

    await does(acme, ada, "demo_requested");
    await followUpOf(
      acme,
      ada,
      ({ revision, actions }) => revision === 1 && actions.every((one) => one.revision === 1),
    );
    expect(posted("asked for a demo")).toHaveLength(1);
    expect(twin.messages).toHaveLength(1);
    expect(receiver.once.map(({ event }) => event.type)).toEqual(["follow_up.opened", "follow_up.updated"]);

    // The ledger knows of it in a moment.
    await eventually(
      () => tell(acme, item.id, { choice: "done", outcome: "contacted", by: "sam@example.com" }),
      ({ status }) => status === 200,
    );
    await followUpOf(acme, ada, ({ actions }) => actions.every(({ state }) => state === "cancelled"));
    expect(twin.messages.map(({ text }) => text.split("\n", 2))).toEqual([
      [
        ":white_check_mark: ~Welcome ada@example.com: asked for a demo~",
        "Closed by Baton: contacted, says sam@example.com.",
      ],
    ]);
    expect(receiver.once.at(-1)?.event).toMatchObject({ type: "follow_up.closed", data: { state: "done" } });
    expect(receiver.once).toHaveLength(3);
  });

  it("of another play tells nobody", async () => {
    const acme = await openOutlets("bob", both);
    const bob = email("bob@example.com");
    await does(acme, bob, "trial_started");
    const item = await followUpOf(acme, bob, isTold);
    expect(item.actions.map(({ crm }) => crm)).toEqual(["hubspot"]);
    await rest();
    expect(left).toEqual([]);
  });

  it("that a no withdraws says so where it was told, and nothing of the person any more", async () => {
    const acme = await openOutlets("cat", both);
    const cat = email("cat@example.com");
    await does(acme, cat, "demo_requested", { traits: { first_name: "Cat", last_name: "Cartwright" } });
    await followUpOf(acme, cat, isTold);
    expect(posted("Cat Cartwright")).toHaveLength(1);
    await does(acme, cat, "identified", { consent: { follow_up: false } });
    await followUpOf(acme, cat, ({ actions }) => actions.every(({ state }) => state === "cancelled"));
    expect(twin.messages.map(({ text }) => text.split("\n", 1)[0])).toEqual([
      "Closed by Baton: This person asked not to be contacted.",
    ]);
    expect(receiver.once.at(-1)?.event).toMatchObject({ type: "follow_up.closed", data: { state: "cancelled" } });
  });

  it("of somebody who is erased says nothing of them any more", async () => {
    const acme = await openOutlets("jan", both);
    const jan = email("jan@example.com");
    await does(acme, jan, "demo_requested");
    await followUpOf(acme, jan, isTold);
    const { root } = await personOf(acme, jan);
    await eventually(
      () => ask(acme, "POST", `/v1/leads/${encodeURIComponent(root.name)}/erase`, { by: "sam@example.com" }),
      ({ status }) => status === 200,
    );
    expect(twin.messages.map(({ text }) => text.split("\n", 1)[0])).toEqual([
      "Closed by Baton: the person was erased.",
    ]);
    for (const type of ["slack", "webhook"] as const)
      await runInDurableObject(outlet("jan", type), (_object: AccountObject, { storage }) =>
        expect(JSON.stringify(storage.sql.exec("SELECT * FROM actions").toArray())).not.toContain("jan@example.com"),
      );
  });

  it("leaves for nobody when consent went before it could leave", async () => {
    const acme = await openOutlets("dan", both);
    const dan = email("dan@example.com");
    twin.faults.push({ method: "chat.postMessage", kind: "limited", retryAfterSeconds: 20 });
    receiver.faults.push({ status: 503, retryAfter: "20" });
    await does(acme, dan, "demo_requested");
    await followUpOf(acme, dan, (item) => stateOf(item, "hubspot") === "done");
    await eventually(
      () => [twin.asked.length, receiver.attempts],
      ([asked, attempts]) => asked === 1 && attempts === 1,
    );
    await does(acme, dan, "identified", { consent: { follow_up: false } });
    await followUpOf(acme, dan, (item) => stateOf(item, "hubspot") === "cancelled");
    // The outlets have taken it over by then, and ask before they send.
    await rest(5_500);
    letPass(130_000);
    await runDurableObjectAlarm(outlet("dan"));
    await runDurableObjectAlarm(outlet("dan", "webhook"));
    await eventually(
      () => statesIn("dan"),
      (states) => states.every((state) => state === "cancelled" || state === "done"),
    );
    expect(twin.messages).toEqual([]);
    // Nobody knows what became of the event's first attempt, so its end is told.
    expect(receiver.taken.map(({ event }) => event.type)).toEqual(["follow_up.closed"]);
  });

  it("is told once though answers are lost, and while Slack fails its task stands at once", async () => {
    const acme = await openOutlets("eva", both);
    const eva = email("eva@example.com");
    twin.faults.push(
      { method: "chat.postMessage", kind: "lose" },
      { method: "conversations.history", kind: "page", status: 500 },
    );
    receiver.faults.push("lose", { status: 500 }, "drop");
    await does(acme, eva, "demo_requested");
    const item = await followUpOf(acme, eva, isTold);
    expect(posted("eva@example.com")).toHaveLength(1);
    expect(twin.asked.filter((method) => method === "chat.postMessage")).toHaveLength(1);
    expect(receiver.attempts).toBe(4);
    expect(receiver.taken.map(({ id, genuine }) => [id, genuine])).toEqual(
      Array(2).fill([item.actions.find(({ crm }) => crm === "webhook")?.key, true]),
    );
  });

  it("is told once though history lags, and again only after two reads that found nothing", async () => {
    const acme = await openOutlets("fay", both);
    const fay = email("fay@example.com");
    twin.faults.push({ method: "chat.postMessage", kind: "drop" });
    await does(acme, fay, "demo_requested");
    await followUpOf(acme, fay, isTold);
    expect(posted("fay@example.com")).toHaveLength(1);
    expect(twin.asked).toEqual([
      "chat.postMessage",
      "conversations.history",
      "conversations.history",
      "chat.postMessage",
    ]);
  });

  it("is told once through a power cut between post and receipt", async () => {
    const acme = await openOutlets("gil", both);
    const gil = email("gil@example.com");
    twin.faults.push({ method: "chat.postMessage", kind: "lose" });
    await does(acme, gil, "demo_requested");
    await eventually(
      () => twin.messages.length,
      (count) => count === 1,
    );
    await abortAllDurableObjects();
    letPass(6_000);
    const { root } = await personOf(acme, gil);
    await runDurableObjectAlarm(env.IDENTITY.get(env.IDENTITY.idFromName(root.name)));
    await followUpOf(acme, gil, isTold);
    expect(posted("gil@example.com")).toHaveLength(1);
    expect(twin.asked.filter((method) => method === "chat.postMessage")).toHaveLength(1);
  });

  it("that Slack refuses asks a person, whose dismissal is of the message alone, and whose retry sends it", async () => {
    const acme = await openOutlets("hal", both);
    const hal = email("hal@example.com");
    twin.faults.push({ method: "chat.postMessage", kind: "refuse", error: "msg_too_long" });
    await does(acme, hal, "demo_requested");
    const question = await exceptionOf(acme, hal, "outlet_refused");
    expect(question).toMatchObject({ outlet: "sales-room", problem: "msg_too_long", owner: "sam@example.com" });
    await answer(acme, question.id, { choice: "retry", by: "sam@example.com" });
    await followUpOf(acme, hal, isTold);
    expect(posted("hal@example.com")).toHaveLength(1);

    const ivy = email("ivy@example.com");
    twin.faults.push({ method: "chat.postMessage", kind: "refuse", error: "msg_too_long" });
    await does(acme, ivy, "demo_requested");
    const other = await exceptionOf(acme, ivy, "outlet_refused");
    await answer(acme, other.id, { choice: "dismiss", reason: "they know", by: "sam@example.com" });
    await exceptionOf(acme, ivy, "outlet_refused", "closed");
    expect((await personOf(acme, ivy)).root.follow_ups).toMatchObject([{ state: "open" }]);
  });
});

describe("a follow-up that another play takes over", () => {
  it("is told to whom that one names, and to nobody else", async () => {
    const over = await openOutlets("over", both);
    const policy = telling(both)({ ...defaultPolicy(["sam@example.com"]), version: 3 });
    const [team] = Object.values(policy.teams);
    const { "speed to lead": call, "trial welcome": welcome } = policy.plays;
    if (team === undefined || call === undefined || welcome === undefined) throw new Error("policy changed");
    const gone = { address: "gus@example.com", weight: 1, cap: null, skills: [], territories: [] };
    const next = {
      ...policy,
      teams: {
        ...policy.teams,
        absent: { members: [{ ...gone, away: [{ from: "2020-01-01", to: "2099-01-01" }] }] },
      },
      plays: {
        ...policy.plays,
        "speed to lead": { ...call, team: "absent", fallback: "trial welcome", notify: ["sales-room"] },
        "trial welcome": { ...welcome, notify: ["warehouse"] },
      },
    };
    expect((await ask(over, "PUT", "/v1/policy", next)).body).toEqual({ version: 3 });
    const ada = email("ada-over@example.com");
    await does(await again(over), ada, "demo_requested");
    const item = await followUpOf(
      over,
      ada,
      (one) => stateOf(one, "webhook") === "done" && stateOf(one, "slack") === "cancelled",
    );
    expect(item.play).toBe("trial welcome");
    expect(twin.messages).toEqual([]);
    expect(receiver.once).toHaveLength(1);
  });
});

describe("a slow CRM", () => {
  it("is waited for, so that the message names the task, and not for ever", async () => {
    const late = await openOutlets("late", ["sales-room"]);
    const ada = email("ada-late@example.com");
    hubspot.holds = true;
    await does(late, ada, "demo_requested");
    await rest(600);
    expect(twin.messages).toEqual([]);
    letPass(31_000);
    const { root } = await personOf(late, ada);
    await runDurableObjectAlarm(env.IDENTITY.get(env.IDENTITY.idFromName(root.name)));
    await followUpOf(late, ada, (item) => stateOf(item, "slack") === "done");
    expect(posted("ada-late@example.com")).toHaveLength(1);
    hubspot.holds = false;
    await followUpOf(late, ada, isTold);
  });
});

describe("an outlet that is not to know who it is about", () => {
  it("hears of the follow-up without names and addresses", async () => {
    const shy = await openOutlets("shy", both, { anonymous: true });
    const ada = email("ada-shy@example.com");
    await does(shy, ada, "demo_requested", { traits: { first_name: "Ada", company: "Analytical Engines" } });
    const item = await followUpOf(shy, ada, isTold);
    expect(twin.messages).toHaveLength(1);
    expect(receiver.once).toHaveLength(1);
    const heard = JSON.stringify([twin.messages, receiver.once]);
    for (const word of ["Ada", "ada-shy", "Analytical"]) expect(heard).not.toContain(word);
    expect(heard).toContain(item.id);
    expect(hubspot.tasks.find(({ key }) => key.startsWith(item.id))?.subject).toContain("Analytical Engines");
  });
});

describe("an outlet that stopped", () => {
  it("asks one person, gets nothing more, and works again with another token", async () => {
    const gone = await openOutlets("gone", ["sales-room"]);
    const ada = email("ada-gone@example.com");
    twin.tokens.clear();
    await does(gone, ada, "demo_requested");
    const question = await exceptionOf(gone, ada, "outlet_refused");
    expect(question.problem).toBe("invalid_auth");
    const { body } = await ask(gone, "GET", "/v1/outlets");
    expect(body.items.map(({ name, problem }: { name: string; problem: string }) => [name, problem])).toEqual([
      ["sales-room", "invalid_auth"],
      ["warehouse", null],
    ]);
    const bob = email("bob-gone@example.com");
    const now = await again(gone);
    await does(now, bob, "demo_requested");
    expect((await followUpOf(now, bob, isTold)).actions.map(({ crm }) => crm)).toEqual(["hubspot"]);

    twin.tokens.add("xoxb-another-token");
    expect((await ask(gone, "POST", "/v1/outlets", { ...slackBody, token: "xoxb-another-token" })).status).toBe(201);
    await answer(gone, question.id, { choice: "retry", by: "sam@example.com" });
    await followUpOf(gone, ada, isTold);
    expect(posted("ada-gone@example.com")).toHaveLength(1);
  });

  it("also where a receiver says that it is gone; others go on", async () => {
    const pair = await openOutlets("pair", both);
    const ada = email("ada-both@example.com");
    receiver.faults.push({ status: 410 });
    await does(pair, ada, "demo_requested");
    expect(await exceptionOf(pair, ada, "outlet_refused")).toMatchObject({ outlet: "warehouse", problem: "gone" });
    await followUpOf(pair, ada, (item) => stateOf(item, "slack") === "done" && stateOf(item, "hubspot") === "done");
    const bob = email("bob-both@example.com");
    await does(await again(pair), bob, "demo_requested");
    await followUpOf(pair, bob, isTold);
    expect(receiver.attempts).toBe(1);
  });

  it("parks what comes all the same, and cancels what is to be cancelled: nothing waits for it", async () => {
    const shut = await openOutlets("shut", both);
    twin.tokens.clear();
    const ada = email("ada-shut@example.com");
    await does(shut, ada, "demo_requested");
    await exceptionOf(shut, ada, "outlet_refused");
    const { root } = await personOf(shut, ada);
    const task = { subject: "s", body: "", dueAt: 0, priority: "high", type: "call" } as const;
    const command = { type: "create_task", key: "fu_late-1", person: { lead: root.name }, task } as const;
    const late = { command, holder: "sam@example.com", node: root.name, hot: true };
    expect(await outlet("shut").submit(late)).toEqual({ arm: "parked", problem: "invalid_auth" });
    const [action] = (await personOf(shut, ada)).root.follow_ups[0]?.actions.filter(({ crm }) => crm === "slack") ?? [];
    expect(await outlet("shut").cancel({ key: action?.key ?? "" })).toEqual({ arm: "cancelled" });
  });

  it("by deletion while a message is under way does not repeat it, whatever comes of it", async () => {
    const race = await openOutlets("race", ["sales-room"]);
    let answered = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const handle = twin.handle.bind(twin);
    twin.handle = async (request) => {
      if (request.url.endsWith("chat.postMessage")) await held;
      return handle(request);
    };
    twin.faults.push({ method: "chat.postMessage", kind: "drop" });
    const ada = email("ada-race@example.com");
    await does(race, ada, "demo_requested");
    await eventually(
      () => left.length,
      (count) => count === 1,
    );
    await ask(race, "DELETE", "/v1/outlets/sales-room");
    answered();
    const item = await followUpOf(race, ada, (one) => stateOf(one, "slack") === "cancelled");
    expect(item.state).toBe("open");
    expect((await ask(race, "POST", "/v1/outlets", slackBody)).status).toBe(201);
    await rest();
    expect(twin.messages).toEqual([]);
  });

  it("by deletion takes what waits for it with it, and follow-ups go on without", async () => {
    const cut = await openOutlets("cut", ["sales-room"]);
    const ada = email("ada-cut@example.com");
    twin.faults.push({ method: "chat.postMessage", kind: "limited", retryAfterSeconds: 600 });
    await does(cut, ada, "demo_requested");
    await eventually(
      () => twin.asked.length,
      (count) => count === 1,
    );
    expect((await ask(cut, "DELETE", "/v1/outlets/sales-room")).status).toBe(200);
    const item = await followUpOf(cut, ada, (one) => stateOf(one, "slack") === "cancelled");
    expect([item.state, stateOf(item, "hubspot")]).toEqual(["open", "done"]);
    expect((await ask(cut, "DELETE", "/v1/outlets/sales-room")).status).toBe(404);
    expect(twin.messages).toEqual([]);
  });
});

describe("the API of outlets", () => {
  let desk: TestWorkspace;
  beforeAll(async () => {
    desk = await openWorkspace("desk", { crm: hubspot });
  });

  it("shows a generated secret once, lists no secret, and signs with the one before as well when it is changed", async () => {
    const made = await ask(desk, "POST", "/v1/outlets", hookBody);
    expect(made.body).toMatchObject({ name: "warehouse", type: "webhook", leads_to: "hooks.example.com" });
    expect(made.body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const rotated = await ask(desk, "POST", "/v1/outlets", hookBody);
    expect(rotated.body.secret).not.toBe(made.body.secret);
    const { body } = await ask(desk, "GET", "/v1/outlets");
    expect(JSON.stringify(body)).not.toMatch(/whsec|x=1/);
    for (const secret of [made.body.secret, rotated.body.secret]) {
      receiver.secrets = [secret];
      expect((await ask(desk, "POST", "/v1/outlets/warehouse/test")).body).toEqual({ delivered: true });
      expect(receiver.taken.at(-1)).toMatchObject({ genuine: true, signatures: 2, event: { type: "outlet.test" } });
    }
    await ask(desk, "POST", "/v1/outlets", hookBody);
    receiver.secrets = [made.body.secret];
    await ask(desk, "POST", "/v1/outlets/warehouse/test");
    expect(receiver.taken.at(-1)).toMatchObject({ genuine: false, signatures: 2 });
  });

  it("keeps no token and no secret where it can be read", async () => {
    await ask(desk, "POST", "/v1/outlets", slackBody);
    const { results } = await env.CONTROL.prepare("SELECT * FROM outlets").all();
    expect(JSON.stringify(results)).not.toMatch(/xoxb|whsec|x=1/);
  });

  it("says whether a test arrived, and what stood in its way", async () => {
    await ask(desk, "POST", "/v1/outlets", slackBody);
    expect((await ask(desk, "POST", "/v1/outlets/sales-room/test")).body).toEqual({ delivered: true });
    expect(twin.messages.map(({ text }) => text)).toEqual(["*Baton can be heard here.*\n"]);
    twin.faults.push({ kind: "refuse", error: "is_archived" });
    const refused = await ask(desk, "POST", "/v1/outlets/sales-room/test");
    expect([refused.status, refused.body.code, refused.body.detail]).toEqual([422, "not_delivered", "is_archived"]);
    expect((await ask(desk, "POST", "/v1/outlets/nobody/test")).status).toBe(404);
  });

  it.each([
    [
      "a token that Slack does not accept",
      { ...slackBody, name: "no-token", token: "xoxb-not-this-one" },
      "invalid_auth",
    ],
    ["a channel that is not there", { ...slackBody, name: "no-channel", channel: "C0NOWHERE" }, "channel_not_found"],
    ["a channel it is no member of", { ...slackBody, name: "stranger", channel: "C0OTHER01" }, "not_in_channel"],
  ])("refuses %s, and keeps nothing", async (_what, body, detail) => {
    const { status, body: said } = await ask(desk, "POST", "/v1/outlets", body);
    expect([status, said.code, said.detail]).toEqual([422, "not_prepared", detail]);
    expect((await ask(desk, "POST", `/v1/outlets/${body.name}/test`)).status).toBe(404);
  });

  it.each([
    { ...hookBody, url: "http://hooks.example.com/" },
    { ...hookBody, url: "https://127.0.0.1/" },
    { ...hookBody, url: "https://baton.example.com/in/em_1" },
    { ...hookBody, secret: "whsec_short" },
    { ...hookBody, name: "Not A Name" },
    { ...slackBody, token: "hunter2" },
    { ...slackBody, channel: "#sales" },
    { ...slackBody, type: "pigeon" },
  ])("refuses %j", async (body) => {
    const { status, body: said } = await ask(desk, "POST", "/v1/outlets", body);
    expect([status, said.code]).toEqual([422, "invalid"]);
  });

  it("does not let a name change its type", async () => {
    await ask(desk, "POST", "/v1/outlets", slackBody);
    const { status } = await ask(desk, "POST", "/v1/outlets", { ...hookBody, name: "sales-room" });
    expect(status).toBe(409);
  });

  it("of another workspace shows and reaches nothing", async () => {
    await ask(desk, "POST", "/v1/outlets", slackBody);
    const other = await openWorkspace("stranger", { crm: hubspot });
    expect((await ask(other, "GET", "/v1/outlets")).body).toEqual({ items: [] });
    expect((await ask(other, "POST", "/v1/outlets/sales-room/test")).status).toBe(404);
    expect((await ask(other, "DELETE", "/v1/outlets/sales-room")).status).toBe(404);
  });

  it("has a policy, and the activation of a draft, refused that names an outlet which is not there", async () => {
    const policy = telling(["sales-room", "nowhere"])({ ...defaultPolicy(["sam@example.com"]), version: 2 });
    await ask(desk, "POST", "/v1/outlets", slackBody);
    const { status, body } = await ask(desk, "PUT", "/v1/policy", policy);
    expect(status).toBe(422);
    expect(body.errors).toEqual([
      { path: "plays.speed to lead.notify.1", message: 'There is no outlet named "nowhere".' },
    ]);
    const by = "sam@example.com";
    const patch = { plays: { "speed to lead": { notify: ["nowhere"] } } };
    const draft = await ask(desk, "POST", "/v1/policy/drafts", { by, base: 1, patch });
    const activate = () => ask(desk, "POST", `/v1/policy/drafts/${draft.body.id}/activate`, { by });
    expect((await activate()).body.errors).toMatchObject([{ path: "plays.speed to lead.notify.0" }]);
    await ask(desk, "POST", "/v1/outlets", { ...hookBody, name: "nowhere" });
    expect((await activate()).body.version).toBe(2);
  });
});
