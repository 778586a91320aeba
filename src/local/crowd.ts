/**
 * The two crowds of the exactly-once bar: many signals each sent three times at once, and many people each hit by three
 * emitters in the same moment. Used by the system tests and the bench.
 */
import { createHmac } from "node:crypto";
import type { CrmName } from "../model.ts";
import { Gun, inParallel, type Landed, type Shot } from "./load.ts";
import { call, type Seeded, seedWorkspace } from "./seed.ts";
import type { Stage } from "./stage.ts";

export interface CrowdPlan {
  readonly id: string;
  readonly crm: CrmName;
  /** Signals that are each sent three times at once. */
  readonly tripled: number;
  /** People who are each hit by three emitters in the same moment. */
  readonly people: number;
  readonly connections: number;
  /** Longest wait for the last task. */
  readonly patienceMs: number;
}

export interface CrowdResult {
  readonly expected: number;
  readonly tasks: number;
  readonly missing: number;
  readonly doubled: number;
  /** Tasks of one person standing on another's record. */
  readonly misplaced: number;
  readonly refused: number;
  readonly crmRequests: number;
  readonly settledMs: number;
  /** Every task the CRM holds has its receipt in Baton. */
  readonly receipts: number;
}

const typeformSecret = "crowd-typeform-secret";
const stripeSecret = "whsec_crowd";

export async function crowd(stage: Stage, plan: CrowdPlan): Promise<CrowdResult> {
  const { url } = stage.engine;
  const workspace = await seedWorkspace(url, stage.adminToken, {
    id: plan.id,
    salesTeam: ["sam@example.com", "kim@example.com"],
    crms: [plan.crm],
    emitters: [
      { name: "website", vendor: "segment" },
      { name: "forms", vendor: "typeform", secrets: [typeformSecret], settings: { kind: "demo_requested" } },
      { name: "billing", vendor: "stripe", secrets: [stripeSecret] },
    ],
    policy: (document) => ({
      ...document,
      tiers: { ...(document.tiers as object), minutes: { window_ms: 300, sla_ms: 3_600_000 } },
    }),
  });
  const requestsBefore = journalLength(stage, plan.crm);
  const begun = Date.now();
  const gun = new Gun(Number(new URL(url).port), plan.connections);
  let refused = 0;
  const note = (landed: Landed): void => {
    if (landed.status >= 300) refused++;
  };
  const tripled = Array.from({ length: plan.tripled }, (_, index) => index);
  await inParallel(tripled, Math.ceil(plan.connections / 3), async (index) => {
    const shot = demo(workspace, `tripled-${index}`, `t${index}.${plan.id}@example.com`);
    for (const landed of await Promise.all([gun.fire(shot), gun.fire(shot), gun.fire(shot)])) note(landed);
  });
  const people = Array.from({ length: plan.people }, (_, index) => index);
  await inParallel(people, Math.ceil(plan.connections / 3), async (index) => {
    const email = `p${index}.${plan.id}@example.com`;
    const shots = [
      demo(workspace, `person-${index}`, email),
      trial(workspace, index, email),
      subscription(workspace, index, email),
    ];
    for (const landed of await Promise.all(shots.map((shot) => gun.fire(shot)))) note(landed);
  });
  gun.close();
  const expected = plan.tripled + plan.people;
  await settled(stage, workspace, plan, expected);
  const tasks = stage.tasks(plan.crm);
  const perPerson = new Map<string, number>();
  let misplaced = 0;
  for (const task of tasks) {
    if (task.emails.length !== 1) misplaced++;
    for (const email of task.emails) perPerson.set(email, (perPerson.get(email) ?? 0) + 1);
  }
  let doubled = 0;
  for (const count of perPerson.values()) doubled += count - 1;
  return {
    expected,
    tasks: tasks.length,
    missing: expected - perPerson.size,
    doubled,
    misplaced,
    refused,
    crmRequests: journalLength(stage, plan.crm) - requestsBefore,
    settledMs: Date.now() - begun,
    receipts: await receipts(url, workspace),
  };
}

/** Until every expected task stands and is known to stand, and then a little longer, in which nothing more may come. */
async function settled(stage: Stage, workspace: Seeded, plan: CrowdPlan, expected: number): Promise<void> {
  const until = Date.now() + plan.patienceMs;
  while (Date.now() < until) {
    if (stage.tasks(plan.crm).length >= expected && (await receipts(stage.engine.url, workspace)) >= expected) break;
    await sleep(500);
  }
  await sleep(1_500);
}

async function receipts(url: string, workspace: Seeded): Promise<number> {
  let count = 0;
  let cursor = "";
  do {
    const page = await call<{ items: { actions: { state: string }[] }[]; next_cursor: string | null }>(
      url,
      "GET",
      `/v1/follow-ups?limit=200${cursor}`,
      workspace.apiKey,
    );
    for (const item of page.items) count += item.actions.filter((action) => action.state === "done").length;
    cursor = page.next_cursor === null ? "" : `&cursor=${encodeURIComponent(page.next_cursor)}`;
  } while (cursor !== "");
  return count;
}

function journalLength(stage: Stage, crm: CrmName): number {
  return crm === "hubspot" ? stage.hubspot.journal().length : stage.salesforce.org.entries().length;
}

const json = { "content-type": "application/json" };

export function demo(workspace: Seeded, token: string, email: string): Shot {
  const body = JSON.stringify({
    event_id: `ev-${token}`,
    event_type: "form_response",
    form_response: {
      form_id: "demo",
      token,
      submitted_at: new Date().toISOString(),
      definition: { id: "demo", fields: [{ id: "f1", type: "email", title: "E-mail", ref: "email" }] },
      answers: [{ type: "email", email, field: { id: "f1", type: "email", ref: "email" } }],
    },
  });
  const signature = createHmac("sha256", typeformSecret).update(body).digest("base64");
  return { path: pathOf(workspace, "forms"), headers: { ...json, "typeform-signature": `sha256=${signature}` }, body };
}

export function trial(workspace: Seeded, index: number, email: string): Shot {
  const body = JSON.stringify({
    type: "track",
    messageId: `trial-${index}`,
    event: "Trial Started",
    userId: `user-${index}`,
    timestamp: new Date().toISOString(),
    context: { traits: { email } },
  });
  return {
    path: "/v1/track",
    headers: { ...json, authorization: `Basic ${btoa(`${workspace.emitters.website?.key}:`)}` },
    body,
  };
}

export function subscription(workspace: Seeded, index: number, email: string): Shot {
  const seconds = Math.floor(Date.now() / 1000);
  const customer = { id: `cus_${index}`, object: "customer", email };
  const body = JSON.stringify({
    id: `evt_${index}`,
    object: "event",
    type: "customer.subscription.created",
    created: seconds,
    livemode: true,
    data: { object: { id: `sub_${index}`, object: "subscription", status: "trialing", customer } },
  });
  const mac = createHmac("sha256", stripeSecret).update(`${seconds}.${body}`).digest("hex");
  return {
    path: pathOf(workspace, "billing"),
    headers: { ...json, "stripe-signature": `t=${seconds},v1=${mac}` },
    body,
  };
}

function pathOf(workspace: Seeded, emitter: string): string {
  return new URL(workspace.emitters[emitter]?.url ?? "http://x/").pathname;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
