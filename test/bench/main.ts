/**
 * `npm run bench [-- --json] [--quick]`: what a signal costs, as ratios to floors measured in the same run, in the same
 * runtime, over the same connections. CPU is what workerd used, simulators of D1 and R2 included; state lies on tmpfs where
 * there is one, because on disk wall time says more about the disk than about us.
 */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { Gun, inParallel, percentile, type Shot } from "../../src/local/load.ts";
import { bundleWorker, type Engine, startEngine } from "../../src/local/runtime.ts";
import { scratchFolder } from "../../src/local/scratch.ts";
import { type Seeded, seedWorkspace } from "../../src/local/seed.ts";
import { openStage, type Stage } from "../../src/local/stage.ts";
import { cardBoundMs, measureCards } from "./card.ts";
import { startUpCpuMs } from "./start-up.ts";

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, quick: { type: "boolean", default: false } },
});
const scale = values.quick ? 0.1 : 1;
const people = values.quick ? 100 : 1_000;
const connections = 16;
const folder = scratchFolder("bench");
rmSync(folder, { recursive: true, force: true });

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly bound: number | null;
  readonly ok: boolean;
}
const figures: Figure[] = [];
function figure(name: string, value: number, unit: string, bound: number | null = null): void {
  const rounded = Math.round(value * 1000) / 1000;
  figures.push({ name, value: rounded, unit, bound, ok: bound === null || rounded <= bound });
  if (!values.json)
    console.log(
      `  ${bound === null ? " " : rounded <= bound ? "✓" : "✗"} ${name.padEnd(66)} ${String(rounded).padStart(10)} ${unit}${bound === null ? "" : `  (at most ${bound})`}`,
    );
}

interface Run {
  readonly perSecond: number;
  readonly cpuMs: number;
  readonly p50: number;
  readonly p95: number;
}

/** Sends every shot once. CPU is counted until `settle` is over, so that work behind the answer is in it. */
async function run(engine: Engine, shots: readonly Shot[], width: number, settleMs = 0): Promise<Run> {
  const gun = new Gun(Number(new URL(engine.url).port), width);
  const times: number[] = [];
  const cpuBefore = engine.usage().cpuMs;
  const begun = performance.now();
  await inParallel(shots, width, async (shot) => {
    const landed = await gun.fire(shot);
    if (landed.status >= 300) throw new Error(`${shot.path} answered ${landed.status}: ${landed.text}`);
    times.push(landed.ms);
  });
  const seconds = (performance.now() - begun) / 1000;
  if (settleMs > 0) await new Promise((resolve) => setTimeout(resolve, settleMs));
  gun.close();
  return {
    perSecond: shots.length / seconds,
    cpuMs: (engine.usage().cpuMs - cpuBefore) / shots.length,
    p50: percentile(times, 0.5),
    p95: percentile(times, 0.95),
  };
}

function say(text: string): void {
  if (!values.json) console.log(text);
}

const json = { "content-type": "application/json" };
let ids = 0;
const floorShot = (path: "/a" | "/b", person: number): Shot => ({ path, headers: json, body: usage(person) });
function usage(person: number): string {
  ids++;
  return JSON.stringify({
    type: "track",
    messageId: `bench-${ids}`,
    event: "Report Opened",
    userId: `user-${person}`,
    timestamp: new Date().toISOString(),
    properties: { plan: "team", seats: 12 },
  });
}
const rows = async (stage: Stage): Promise<number> => {
  const meter = await stage.meter();
  return Object.values(meter.objects).reduce((sum, count) => sum + count, 0) + meter.alarms + meter.d1;
};
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

say("Floors, measured now, on this machine, in this runtime:");
bundleWorker("test/bench/floor.ts", join(folder, "floor-bundle"), "test/bench/floor.toml");
const floors = await startEngine({
  port: 8_801,
  state: join(folder, "floor-state"),
  bundle: join(folder, "floor-bundle"),
  config: "test/bench/floor.toml",
  vars: {},
});
const count = Math.round(8_000 * scale);
const nth = <T>(length: number, make: (index: number) => T): T[] => Array.from({ length }, (_, index) => make(index));
await run(
  floors,
  nth(people, (index) => floorShot("/b", index)),
  connections,
);
await run(
  floors,
  nth(2_000, (index) => floorShot("/a", index)),
  connections,
);
const floorA = await run(
  floors,
  nth(count, (index) => floorShot("/a", index % people)),
  connections,
);
const floorB = await run(
  floors,
  nth(count, (index) => floorShot("/b", index % people)),
  connections,
);
const floorCalm = await run(
  floors,
  nth(Math.round(600 * Math.max(scale, 0.3)), (index) => floorShot("/b", index % people)),
  1,
);
await floors.stop();
figure("floor (a) parse JSON, 202", floorA.perSecond, "/s");
figure("floor (a) CPU", floorA.cpuMs, "ms");
figure("floor (b) one object of 1,000, one insert, 202", floorB.perSecond, "/s");
figure("floor (b) CPU", floorB.cpuMs, "ms");
figure("floor (b) p50, 16 connections", floorB.p50, "ms");
figure("floor (b) p95, 16 connections", floorB.p95, "ms");
figure("floor (b) p95, one connection", floorCalm.p95, "ms");

say("\nThe engine:");
const stage = await openStage({ folder: join(folder, "engine"), salesTeam: ["sam@example.com", "kim@example.com"] });
await fetch(`${stage.hubspot.url}/admin/reset`, {
  method: "POST",
  body: JSON.stringify({ autoConsent: true, enforceLimits: false }),
});
const workspace: Seeded = await seedWorkspace(stage.engine.url, stage.adminToken, {
  id: "bench",
  salesTeam: ["sam@example.com", "kim@example.com"],
  crms: ["hubspot"],
  emitters: [{ name: "website", vendor: "segment" }],
  // A window of the hours tier that ends within the run, so that its decisions and projections are counted.
  policy: (document) => ({
    ...document,
    tiers: { ...(document.tiers as object), hours: { window_ms: 12_000, sla_ms: 86_400_000 } },
  }),
});
const auth = { ...json, authorization: `Basic ${btoa(`${workspace.emitters.website?.key}:`)}` };
const usageShot = (person: number): Shot => ({ path: "/v1/track", headers: auth, body: usage(person) });
function demoShot(person: number, known: boolean): Shot {
  ids++;
  const who = known ? { userId: `user-${person}` } : { context: { traits: { email: `new-${person}@example.com` } } };
  const body = JSON.stringify({
    type: "track",
    messageId: `demo-${ids}`,
    event: "Demo Requested",
    timestamp: new Date().toISOString(),
    ...who,
  });
  return { path: "/v1/track", headers: auth, body };
}

// People become known: one identify each, with an address, and everything that follows from it.
const identify = (person: number): Shot => {
  ids++;
  const traits = { email: `known-${person}@example.com`, firstName: "Ada", company: "Northwind" };
  return {
    path: "/v1/identify",
    headers: auth,
    body: JSON.stringify({ type: "identify", messageId: `id-${ids}`, userId: `user-${person}`, traits }),
  };
};
const rowsBefore = await rows(stage);
const fresh = await run(stage.engine, nth(people, identify), connections, 15_000);
figure("new person with two identifiers: CPU, everything behind it included", fresh.cpuMs, "ms");
figure("new person with two identifiers: rows written", ((await rows(stage)) - rowsBefore) / people, "rows");

// Signals that lead to nothing: ten of each person within one window of their tier.
const idle = Math.max(people, Math.round(10_000 * scale));
const rowsIdle = await rows(stage);
const nothing = await run(
  stage.engine,
  nth(idle, (index) => usageShot(index % people)),
  connections,
  8_000,
);
figure("signal that leads to nothing, known person: signals", nothing.perSecond, "/s");
figure("signal that leads to nothing: CPU", nothing.cpuMs, "ms");
figure("signal that leads to nothing: CPU ÷ floor (b)", nothing.cpuMs / floorB.cpuMs, "×", 2.5);
figure("signal that leads to nothing: CPU ÷ floor (a)", nothing.cpuMs / floorA.cpuMs, "×");
figure("signal that leads to nothing: p50", nothing.p50, "ms");
figure("signal that leads to nothing: p95", nothing.p95, "ms");
figure(
  `signal that leads to nothing: rows written (${idle / people} a person and window)`,
  ((await rows(stage)) - rowsIdle) / idle,
  "rows",
  2,
);

// One such signal alone in its window pays for the window by itself.
const rowsAlone = await rows(stage);
await run(stage.engine, nth(100, usageShot), connections, 15_000);
figure("the same, alone in its window: rows written", ((await rows(stage)) - rowsAlone) / 100, "rows");

// Signals that lead to a task.
const asking = Math.min(people, 300);
const rowsTask = await rows(stage);
const requestsBefore = stage.hubspot.journal().length;
const tasked = await run(
  stage.engine,
  nth(asking, (index) => demoShot(index, true)),
  4,
  8_000,
);
figure("signal that leads to a task: CPU, all of it", tasked.cpuMs, "ms");
figure("signal that leads to a task: rows written", ((await rows(stage)) - rowsTask) / asking, "rows", 8);
figure("requests to the CRM per task", (stage.hubspot.journal().length - requestsBefore) / asking, "requests");
figure("tasks missing or doubled", Math.abs(stage.tasks("hubspot").length - asking), "tasks", 0);

// From the door to the CRM: one person after the other, nothing else going on.
const waits = await doorToCrm(Math.round(100 * Math.max(scale, 0.3)));
figure("accepted → request to the CRM, p50", percentile(waits, 0.5), "ms");
figure("accepted → request to the CRM, p95", percentile(waits, 0.95), "ms");
figure("accepted → request to the CRM, p95 ÷ p95 of floor (b)", percentile(waits, 0.95) / floorB.p95, "×", 3);
figure("the same ÷ p95 of floor (b) on one connection", percentile(waits, 0.95) / floorCalm.p95, "×");

// What a seller waits for.
const cards = await measureCards(stage, workspace, Math.round(3_000 * scale));
figure(`card of a person with ${cards.signals} signals, 16 connections: p50`, cards.p50, "ms");
figure(`card of a person with ${cards.signals} signals, 16 connections: p95`, cards.p95, "ms", cardBoundMs);
figure("the same, one connection: p95", cards.aloneP95, "ms");
figure("the same: CPU", cards.cpuMs, "ms");
figure("the same: size", cards.bytes / 1024, "KB");

// Memory over 50,000 signals.
const rounds = 5;
const resident: number[] = [];
for (let round = 0; round < rounds; round++) {
  await run(
    stage.engine,
    nth(Math.round((50_000 / rounds) * scale), (index) => usageShot(index % people)),
    connections,
    500,
  );
  resident.push(stage.engine.usage().residentBytes / 1_048_576);
}
figure("memory after 10,000 signals", resident[0] ?? 0, "MB");
figure("memory after 50,000 signals", resident.at(-1) ?? 0, "MB");
figure("memory: last fifth ÷ second fifth", (resident.at(-1) ?? 0) / (resident[1] ?? 1), "×", 1.1);
await stage.close();

bundleWorker("src/worker.ts", join(folder, "bundle"));
const bundle = readdirSync(join(folder, "bundle")).filter((name) => /\.(js|mjs|wasm)$/.test(name));
const bytes = bundle.reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, "bundle", name))).length, 0);
figure("bundle, gzipped", bytes / 1024, "KB", 300);
figure("start-up CPU", await startUpCpuMs(join(folder, "bundle")), "ms", 80);

rmSync(folder, { recursive: true, force: true });
const ok = figures.every((item) => item.ok);
if (values.json) console.log(JSON.stringify({ ok, figures }));
process.exit(ok ? 0 : 1);

/** Milliseconds from the sending of a demo request (its way to the door is in it) to the first request it causes. */
async function doorToCrm(rounds: number): Promise<number[]> {
  const gun = new Gun(Number(new URL(stage.engine.url).port), 1);
  const waited: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const last = stage.hubspot.journal().at(-1)?.seq ?? 0;
    const sentAt = Date.now();
    await gun.fire(demoShot(round + 100_000, false));
    for (;;) {
      const first = stage.hubspot.journal(last)[0];
      if (first !== undefined) {
        waited.push(first.at - sentAt);
        break;
      }
      await sleep(1);
    }
    // Unloaded also means far below the CRM's limit: more than five tasks in ten seconds would begin to be gathered.
    await sleep(650);
  }
  gun.close();
  return waited;
}
