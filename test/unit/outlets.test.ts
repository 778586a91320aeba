/** Outlets on their own: what they send, what each answer means, and which addresses are taken. */
import { beforeEach, describe, expect, it } from "vitest";
import type { Command, CrmSession, Told } from "../../connectors/contract.ts";
import { slack } from "../../connectors/slack/outlet.ts";
import { SlackTwin } from "../../connectors/slack/twin/twin.ts";
import { webhookAddress } from "../../connectors/webhook/address.ts";
import { webhook } from "../../connectors/webhook/outlet.ts";
import { WebhookReceiver } from "../../connectors/webhook/twin/receiver.ts";

const told: Told = {
  at: Date.UTC(2026, 10, 23, 9, 0),
  follow_up: "fu_1",
  lead: "acme/1",
  play: "speed to lead",
  state: "open",
  holder: "sam@example.com",
  link: "https://baton.example.com/leads/acme%2F1?key=k",
  tasks: [{ crm: "hubspot", task_id: "900" }],
};
const task = {
  subject: "Call <!channel> Ada & Co",
  body: "Why now: asked for a demo",
  dueAt: Date.UTC(2026, 10, 23, 9, 15),
  priority: "high",
  type: "call",
} as const;
const create: Command = { type: "create_task", key: "fu_1-aa", person: { lead: "acme/1" }, task, told };
const update = (taskId: string): Command => ({
  type: "update_task",
  key: "fu_1-aa-u1",
  taskId,
  before: task,
  task: { ...task, body: "Why now: asked again" },
  told,
});
const close = (taskId: string, more: Partial<Told> = {}): Command => ({
  type: "close_task",
  key: "fu_1-aa-close",
  taskId,
  note: "Closed by Baton: completed in hubspot.",
  told: { ...told, ...more },
});

describe("Slack", () => {
  let twin: SlackTwin;
  const session = (more: Partial<CrmSession> = {}): CrmSession => ({
    accessToken: "xoxb-twin-token-1",
    apiUrl: "https://slack.example.com/api",
    crmAccount: "C0SALES01",
    world: "marker",
    send: (request) => twin.handle(request),
    ...more,
  });
  const run = async (command: Command, more: Partial<CrmSession> = {}) =>
    (await slack.execute(session(more), [command]))[0];
  const find = async (at = Date.now()) => (await slack.resolve(session(), [create], { at, cancelling: false }))[0];

  beforeEach(() => {
    twin = new SlackTwin();
  });

  it("posts one message whose receipt is its ts, and in which nothing calls a channel together or is looked at by Slack", async () => {
    const outcome = await run(create);
    const [message] = twin.messages;
    expect(outcome).toEqual({ arm: "done", taskId: message?.ts, personId: "", created: true });
    expect(message).toMatchObject({
      text: "*Call &lt;!channel&gt; Ada &amp; Co*\nWhy now: asked for a demo",
      metadata: { event_type: "baton_follow_up", event_payload: { key: "fu_1-aa" } },
      unfurls: false,
    });
  });

  it("brings the message up to date, and marks it when the follow-up is done", async () => {
    await run(create);
    const ts = twin.messages[0]?.ts ?? "";
    expect(await run(update(ts))).toMatchObject({ arm: "done", taskId: ts });
    expect(twin.messages[0]?.text).toContain("asked again");
    expect(await run(close(ts, { state: "done", subject: "Call Ada" }))).toMatchObject({ arm: "done" });
    expect(twin.messages.map(({ text }) => text)).toEqual([
      ":white_check_mark: ~Call Ada~\nClosed by Baton: completed in hubspot.\nhttps://baton.example.com/leads/acme%2F1?key=k",
    ]);
  });

  it("leaves a message that somebody has deleted alone", async () => {
    expect(await run(update("1.000001"))).toEqual({ arm: "done", taskId: "1.000001", personId: "", created: false });
    expect(await run(close("1.000001"))).toMatchObject({ arm: "done" });
    expect(twin.messages).toEqual([]);
  });

  it("is prepared where the token is good and the channel can be read, and says why not", async () => {
    expect(await slack.install(session())).toMatchObject({ ok: true, value: { world: "marker" } });
    for (const [more, reason] of [
      [{ accessToken: "xoxb-other" }, "invalid_auth"],
      [{ crmAccount: "C0NOWHERE" }, "channel_not_found"],
      [{ crmAccount: "C0OTHER01" }, "not_in_channel"],
    ] as const)
      expect(await slack.install(session(more))).toEqual({ ok: false, failure: { arm: "blocked", reason } });
  });

  it.each([
    ["not_in_channel", "blocked"],
    ["channel_not_found", "blocked"],
    ["is_archived", "blocked"],
    ["token_revoked", "blocked"],
    ["invalid_auth", "blocked"],
    ["missing_scope", "blocked"],
    ["restricted_action", "blocked"],
    ["msg_too_long", "refused"],
    ["metadata_too_large", "refused"],
    ["invalid_blocks", "refused"],
    // Slack says of these that it may have been done all the same.
    ["fatal_error", "unknown"],
    ["internal_error", "unknown"],
    ["service_unavailable", "unknown"],
    ["request_timeout", "unknown"],
    ["ratelimited", "unknown"],
  ])("%s of Slack's means %s", async (error, arm) => {
    twin.faults.push({ kind: "refuse", error });
    expect(await run(create)).toEqual({ arm, reason: error });
  });

  it("waits as long as a 429 says, the whole channel with it", async () => {
    twin.faults.push({ kind: "limited", retryAfterSeconds: 7 });
    expect(await run(create)).toEqual({
      arm: "deferred",
      retryAfterMs: 7_000,
      scope: "account",
      reason: "ratelimited",
    });
    expect(twin.messages).toEqual([]);
  });

  it.each([
    ["a broken connection", { kind: "drop" }],
    ["a lost answer", { kind: "lose" }],
    ["a gateway's page", { kind: "page", done: true }],
    ["a page with status 200", { kind: "page", status: 200 }],
  ] as const)("%s is an unknown outcome, never a second message", async (_what, fault) => {
    twin.faults.push({ ...fault });
    expect(await run(create)).toEqual({ arm: "unknown", reason: "no_answer" });
  });

  it("finds a message by its key among others around the attempt, page by page", async () => {
    twin.pageMax = 2;
    await run({ ...create, key: "fu_0-aa" });
    await run(create);
    for (const key of ["fu_2-aa", "fu_3-aa", "fu_4-aa"]) await run({ ...create, key });
    expect(await find()).toEqual({ arm: "found", taskId: twin.messages[1]?.ts, personId: "" });
    expect(twin.asked.filter((method) => method === "conversations.history")).toHaveLength(2);
  });

  it("says absent only after it has read everything, and never after a failed read", async () => {
    await run({ ...create, key: "fu_0-aa" });
    expect(await find()).toEqual({ arm: "absent" });
    twin.faults.push({ kind: "page", status: 502 });
    expect(await find()).toEqual({ arm: "unknown", reason: "no_answer" });
    twin.faults.push({ kind: "refuse", error: "token_revoked" });
    expect(await find()).toEqual({ arm: "blocked", reason: "token_revoked" });
    twin.pageMax = 1;
    for (const key of ["fu_2-aa", "fu_3-aa", "fu_4-aa", "fu_5-aa", "fu_6-aa"]) await run({ ...create, key });
    expect(await find()).toEqual({ arm: "unknown", reason: "history_unread" });
  });

  it("does not take another one's message for its own, however it is marked", async () => {
    twin.messages.push({
      channel: "C0SALES01",
      ts: `${Math.floor(Date.now() / 1000)}.000001`,
      text: "fu_1-aa",
      metadata: { event_type: "other", event_payload: { key: 7 } },
      edits: 0,
      unfurls: true,
    });
    expect(await find()).toEqual({ arm: "absent" });
  });
});

describe("a webhook", () => {
  const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
  const older = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";
  let receiver: WebhookReceiver;
  const run = async (command: Command, accessToken = secret) =>
    (
      await webhook.execute(
        {
          accessToken,
          apiUrl: "https://hooks.example.com/x",
          world: "unique_property",
          send: (request) => receiver.handle(request),
        },
        [command],
      )
    )[0];

  beforeEach(() => {
    receiver = new WebhookReceiver();
    receiver.secrets = [secret];
  });

  it("is signed as Standard Webhooks says, and its id is the key of the action", async () => {
    expect(await run(create)).toEqual({ arm: "done", taskId: "fu_1-aa", personId: "", created: true });
    expect(receiver.taken).toEqual([
      {
        id: "fu_1-aa",
        genuine: true,
        signatures: 1,
        event: {
          type: "follow_up.opened",
          timestamp: "2026-11-23T09:00:00.000Z",
          data: {
            follow_up: "fu_1",
            lead: "acme/1",
            play: "speed to lead",
            state: "open",
            holder: "sam@example.com",
            link: "https://baton.example.com/leads/acme%2F1?key=k",
            tasks: [{ crm: "hubspot", task_id: "900" }],
            task: {
              subject: "Call <!channel> Ada & Co",
              body: "Why now: asked for a demo",
              priority: "high",
              type: "call",
              due_at: "2026-11-23T09:15:00.000Z",
            },
          },
        },
      },
    ]);
    await run(update("fu_1-aa"));
    await run(close("fu_1-aa"));
    expect(receiver.taken.slice(1).map(({ id, event }) => [id, event.type])).toEqual([
      ["fu_1-aa-u1", "follow_up.updated"],
      ["fu_1-aa-close", "follow_up.closed"],
    ]);
    expect(receiver.taken[2]?.event.data).toMatchObject({ note: "Closed by Baton: completed in hubspot." });
  });

  it("carries both signatures while its secret rotates, so that either is enough; a third one's is not", async () => {
    receiver.secrets = [older];
    await run(create, `${secret} ${older}`);
    await run(create, secret);
    expect(receiver.taken.map(({ genuine, signatures }) => [genuine, signatures])).toEqual([
      [true, 2],
      [false, 1],
    ]);
  });

  it.each([
    [{ status: 500 }, { scope: "action", retryAfterMs: 0, reason: "http_500" }],
    [{ status: 404 }, { scope: "action", retryAfterMs: 0, reason: "http_404" }],
    [{ status: 302 }, { scope: "action", retryAfterMs: 0, reason: "http_302" }],
    [
      { status: 503, retryAfter: "120" },
      { scope: "action", retryAfterMs: 120_000, reason: "http_503" },
    ],
    [
      { status: 429, retryAfter: "30" },
      { scope: "account", retryAfterMs: 30_000, reason: "http_429" },
    ],
    [
      { status: 429, retryAfter: "999999999" },
      { scope: "account", retryAfterMs: 3_600_000, reason: "http_429" },
    ],
    [
      { status: 429, retryAfter: "later" },
      { scope: "account", retryAfterMs: 0, reason: "http_429" },
    ],
    ["drop", { scope: "action", retryAfterMs: 0, reason: "no_answer" }],
    ["lose", { scope: "action", retryAfterMs: 0, reason: "no_answer" }],
  ] as const)("that meets %j is sent again later", async (fault, outcome) => {
    receiver.faults.push(fault);
    expect(await run(create)).toEqual({ arm: "deferred", ...outcome });
  });

  it("that nobody wants any more stops", async () => {
    receiver.faults.push({ status: 410 });
    expect(await run(create)).toEqual({ arm: "blocked", reason: "gone" });
  });

  it("whose outcome nobody knows is sent again, unless its follow-up is over: then its closing follows", async () => {
    const ask = (cancelling: boolean) =>
      webhook.resolve({} as CrmSession, [create], { at: 0, cancelling }).then(([one]) => one);
    expect(await ask(false)).toEqual({ arm: "absent" });
    expect(await ask(true)).toEqual({ arm: "found", taskId: "fu_1-aa", personId: "" });
  });
});

describe("the address of a webhook", () => {
  it.each(["https://hooks.example.com/in/1?x=y", "https://example.com:8443/", "https://xn--bcher-kva.example.com/"])(
    "may be %s",
    (url) => expect(webhookAddress(url, false)?.href).toBe(url),
  );

  it.each([
    "http://hooks.example.com/",
    "ftp://hooks.example.com/",
    "hooks.example.com",
    "https://user:pass@hooks.example.com/",
    "https://user@hooks.example.com/",
    "https://hooks.example.com/#x",
    "https://localhost/",
    "https://localhost./",
    "https://LOCALHOST/",
    "https://a.localhost/",
    "https://intranet/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://metadata.google.internal./",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://10.0.0.8/",
    "https://169.254.169.254/latest",
    "https://192.168.1.1/",
    "https://8.8.8.8/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[fd00::1]/",
    "https://1.0.0.127.in-addr.arpa/",
    `https://hooks.example.com/${"x".repeat(2_000)}`,
    "javascript:alert(1)",
    "",
  ])("may not be %s", (url) => expect(webhookAddress(url, false)).toBeNull());

  it("may be plain and local where a developer says so, and then too has no credentials", () => {
    expect(webhookAddress("http://127.0.0.1:8080/x", true)?.host).toBe("127.0.0.1:8080");
    expect(webhookAddress("http://user:pass@127.0.0.1:8080/x", true)).toBeNull();
    expect(webhookAddress("file:///etc/passwd", true)).toBeNull();
  });
});
