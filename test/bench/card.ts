/**
 * How long a card takes: of somebody with 500 signals, asked for over 16 connections as HubSpot asks, signature and all; and over one.
 * Part of `npm run bench`; alone: `node test/bench/card.ts`.
 */
import { rmSync } from "node:fs";
import { signatureHeader, signV3, timestampHeader } from "../../connectors/hubspot/signature.ts";
import { Gun, inParallel, percentile, type Shot } from "../../src/local/load.ts";
import { scratchFolder } from "../../src/local/scratch.ts";
import { call, type Seeded, seedWorkspace } from "../../src/local/seed.ts";
import { hubspotSecret, openStage, type Stage } from "../../src/local/stage.ts";

export interface CardFigures {
  /** Milliseconds. */
  readonly p50: number;
  readonly p95: number;
  readonly aloneP95: number;
  readonly cpuMs: number;
  readonly bytes: number;
  /** Signals of the person, and moments that the card shows and counts. */
  readonly signals: number;
  readonly moments: number;
}

const json = { "content-type": "application/json" };
const connections = 16;
const signals = 500;
export const seller = "sam@example.com";
/** The bar of the card: milliseconds. */
export const cardBoundMs = 300;

/**
 * `workspace` is connected to HubSpot, has the emitter `website` of Segment's, and `seller` in its sales team. `cards`: how many are
 * asked for.
 */
export async function measureCards(stage: Stage, workspace: Seeded, cards: number): Promise<CardFigures> {
  const { engine } = stage;
  const auth = { ...json, authorization: `Basic ${btoa(`${workspace.emitters.website?.key}:`)}` };
  const email = "ada.card@example.com";
  const track = (index: number, event: string): Shot => ({
    path: "/v1/track",
    headers: auth,
    body: JSON.stringify({
      type: "track",
      messageId: `card-${index}`,
      event,
      userId: "card-1",
      timestamp: new Date(Date.now() - index * 60_000).toISOString(),
      context: { traits: { email, firstName: "Ada", company: "Northwind" } },
    }),
  });
  const gun = new Gun(Number(new URL(engine.url).port), connections);
  const fire = async (shot: Shot): Promise<number> => {
    const landed = await gun.fire(shot);
    if (landed.status >= 300) throw new Error(`${shot.path} answered ${landed.status}: ${landed.text}`);
    return landed.ms;
  };
  await fire(track(0, "Demo Requested"));
  for (let index = 1; index < signals; index++)
    await fire(track(index, index % 3 === 0 ? "Pricing Viewed" : "Report Opened"));
  const { record, portal } = await knownAs(engine.url, workspace.apiKey, email);
  const cardShot = (): Shot => {
    const query = new URLSearchParams({
      objectTypeId: "0-1",
      objectId: record,
      userId: "1",
      portalId: portal,
      userEmail: seller,
      appId: "1",
    });
    const path = `/card/hubspot/record?${query}`;
    const timestamp = String(Date.now());
    const signature = signV3(hubspotSecret, { method: "GET", uri: `${engine.url}${path}`, body: "", timestamp });
    return { method: "GET", path, headers: { [signatureHeader]: signature, [timestampHeader]: timestamp }, body: "" };
  };
  const first = await gun.fire(cardShot());
  const card = JSON.parse(first.text) as { state?: string; timeline?: unknown[]; earlier?: number };
  if (card.state !== "ready") throw new Error(`the card is not ready: ${first.text}`);
  const cpuBefore = engine.usage().cpuMs;
  const times: number[] = [];
  await inParallel(Array.from({ length: cards }, cardShot), connections, async (shot) => {
    times.push(await fire(shot));
  });
  const cpuMs = (engine.usage().cpuMs - cpuBefore) / cards;
  const alone: number[] = [];
  for (let index = 0; index < Math.min(cards, 200); index++) alone.push(await fire(cardShot()));
  gun.close();
  return {
    p50: percentile(times, 0.5),
    p95: percentile(times, 0.95),
    aloneP95: percentile(alone, 0.95),
    cpuMs,
    bytes: first.text.length,
    signals,
    moments: (card.timeline?.length ?? 0) + (card.earlier ?? 0),
  };
}

/** HubSpot's id of the person, once Baton has heard it, and of the account. */
async function knownAs(url: string, key: string, email: string): Promise<{ record: string; portal: string }> {
  interface Leads {
    readonly items: readonly { readonly email: string | null; readonly people?: { readonly hubspot?: string } }[];
  }
  for (const end = Date.now() + 30_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 200))) {
    const leads = await call<Leads>(url, "GET", "/v1/leads?limit=200", key);
    const record = leads.items.find((item) => item.email === email)?.people?.hubspot;
    if (record === undefined) continue;
    const { items } = await call<{ items: { crm: string; crm_account: string }[] }>(url, "GET", "/v1/connections", key);
    return { record, portal: items.find(({ crm }) => crm === "hubspot")?.crm_account ?? "" };
  }
  throw new Error("no task was made");
}

if (import.meta.main) {
  const folder = scratchFolder("bench-card");
  const stage = await openStage({ folder, salesTeam: [seller] });
  const workspace = await seedWorkspace(stage.engine.url, stage.adminToken, {
    id: "bench-card",
    salesTeam: [seller],
    crms: ["hubspot"],
    emitters: [{ name: "website", vendor: "segment" }],
  });
  const figures = await measureCards(stage, workspace, 3_000);
  await stage.close();
  rmSync(folder, { recursive: true, force: true });
  console.log(JSON.stringify(figures, null, 2));
  process.exit(figures.p95 <= cardBoundMs ? 0 : 1);
}
