/** Slack and a webhook that fail, while the power goes twice: tasks stand at once, and everybody is told of each follow-up once. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { SlackTwin } from "../../connectors/slack/twin/twin.ts";
import { WebhookReceiver } from "../../connectors/webhook/twin/receiver.ts";
import { demo } from "../../src/local/crowd.ts";
import { Gun, inParallel } from "../../src/local/load.ts";
import { scratchFolder } from "../../src/local/scratch.ts";
import { call, type Seeded, seedWorkspace } from "../../src/local/seed.ts";
import { type LocalServer, serveLocally } from "../../src/local/serve.ts";
import { openStage, type Stage } from "../../src/local/stage.ts";

const twin = new SlackTwin();
const receiver = new WebhookReceiver();
const people = Array.from({ length: 24 }, (_, index) => `told-${index}@example.com`);
let isDown = false;
let slack: LocalServer;
let hook: LocalServer;
let stage: Stage;
let workspace: Seeded;

beforeAll(async () => {
  slack = await serveLocally((request) => (isDown ? Promise.reject(new Error("down")) : twin.handle(request)));
  hook = await serveLocally((request) => (isDown ? Promise.reject(new Error("down")) : receiver.handle(request)));
  stage = await openStage({
    folder: scratchFolder("outlets"),
    salesTeam: ["sam@example.com"],
    vars: { SLACK_API_URL: `${slack.url}/api`, LOCAL_WEBHOOKS: "allowed" },
  });
  await fetch(`${stage.hubspot.url}/admin/reset`, {
    method: "POST",
    body: JSON.stringify({ autoConsent: true, enforceLimits: false }),
  });
  workspace = await seedWorkspace(stage.engine.url, stage.adminToken, {
    id: "told",
    salesTeam: ["sam@example.com"],
    crms: ["hubspot"],
    emitters: [
      { name: "forms", vendor: "typeform", secrets: ["crowd-typeform-secret"], settings: { kind: "demo_requested" } },
    ],
  });
  const { url } = stage.engine;
  const { apiKey } = workspace;
  await call(url, "POST", "/v1/outlets", apiKey, {
    name: "sales-room",
    type: "slack",
    token: "xoxb-twin-token-1",
    channel: "C0SALES01",
  });
  const made = await call<{ secret: string }>(url, "POST", "/v1/outlets", apiKey, {
    name: "warehouse",
    type: "webhook",
    url: `${hook.url}/in`,
  });
  receiver.secrets = [made.secret];
  const policy = await call<{ plays: Record<string, object> }>(url, "GET", "/v1/policy", apiKey);
  const plays = Object.entries(policy.plays).map(([name, play]) => [
    name,
    { ...play, notify: ["sales-room", "warehouse"] },
  ]);
  await call(url, "PUT", "/v1/policy", apiKey, { ...policy, version: 2, plays: Object.fromEntries(plays) });
  // Isolates keep what they know of a workspace for a moment.
  await new Promise((resolve) => setTimeout(resolve, 21_000));
});

afterAll(async () => {
  await stage.close();
  await slack.close();
  await hook.close();
});

async function until(holds: () => boolean, ms: number): Promise<void> {
  const end = Date.now() + ms;
  while (!holds() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 200));
}

it("makes every task while nobody can be told, and then tells each once over lost answers and two SIGKILLs", async () => {
  isDown = true;
  const gun = new Gun(Number(new URL(stage.engine.url).port), 8);
  await inParallel(people, 8, async (email) => {
    expect((await gun.fire(demo(workspace, email, email))).status).toBeLessThan(300);
  });
  gun.close();
  const tasks = () => new Set(stage.tasks("hubspot").flatMap(({ emails }) => emails));
  await until(() => tasks().size === people.length, 20_000);
  expect([...tasks()].sort()).toEqual([...people].sort());
  expect([twin.messages, receiver.taken]).toEqual([[], []]);

  twin.lostRate = 0.2;
  receiver.faults = ["lose", { status: 500 }, "drop", { status: 429, retryAfter: "1" }, "lose", "lose"];
  isDown = false;
  for (const share of [0.2, 0.6]) {
    await until(() => twin.messages.length >= people.length * share, 60_000);
    await stage.killAndRestart();
  }
  await until(() => twin.messages.length >= people.length && receiver.once.length >= people.length, 120_000);
  // Time for a second message to show, if there were to be one.
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const times = (texts: readonly string[]) =>
    people.map((email) => texts.filter((text) => text.includes(`${email}:`)).length);
  expect(times(twin.messages.map(({ text }) => text))).toEqual(people.map(() => 1));
  expect(times(receiver.once.map(({ event }) => JSON.stringify(event.data.task)))).toEqual(people.map(() => 1));
  expect(receiver.taken.every(({ genuine }) => genuine)).toBe(true);
  expect(receiver.taken.length).toBeGreaterThan(receiver.once.length);
});
