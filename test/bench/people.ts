/**
 * `npm run bench:people [-- --leads 100000 --signals 1000000 --json]`: does a signal on a known person cost more when there
 * are many people? Two runtimes in one run, one with 1,000 leads and one with `--leads`, both with the same number of signals
 * per lead; both get their people through the real door first, then single signals on random known people, in short rounds
 * by turns, so that whatever else this machine does hits both alike. Numbers from different runs are not to be compared.
 *
 * What is compared with what. An object that nobody calls leaves memory, so with 1,000 leads and a signal every few
 * milliseconds every object is warm, and with 100,000 nearly every signal starts one: opens its database, reads its state.
 * All pairs have the bound. The strictest takes this as it comes (`as it comes` below), so the cold start is within the large
 * p95 and not within the small one. Two more pairs tell what the number of leads does by itself: signals to
 * 1,000 people of each world who were called a moment ago (`warm`), and to people of whom nobody was called since the runtimes
 * were started again (`cold`). There the number of leads is all that differs; `cold ÷ warm` of the small world is what a cold
 * start costs with few leads, too. Cold means the object: the files are in the kernel's memory in
 * both worlds.
 *
 * Before that, the same two numbers of objects of the floor (`floor.ts`: one table, one insert) get signals as they come: what is
 * left of the ratio with nothing of ours in it is what the platform asks for an object that is not in memory.
 *
 * A person has two identifiers, address and user id, and a measured signal names the user id only. For about half of them
 * that object is an alias, so a signal takes one more step unless the isolate remembers the way (`hintEntriesMax`).
 * The window of these signals is short, so that the decision on each, its projection and the alarm are within the run.
 */
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { inParallel, percentile } from "../../src/local/load.ts";
import { bundleWorker, type Engine, startEngine } from "../../src/local/runtime.ts";
import { scratchFolder } from "../../src/local/scratch.ts";
import { seedWorkspace } from "../../src/local/seed.ts";
import { close, fire, loadConnections, send, type World, world } from "./worlds.ts";

const { values } = parseArgs({
  options: {
    leads: { type: "string", default: "100000" },
    signals: { type: "string", default: "1000000" },
    json: { type: "boolean", default: false },
  },
});
const smallLeads = 1_000;
const largeLeads = positive(values.leads);
const perLead = Math.max(1, Math.round(positive(values.signals) / largeLeads));
if (largeLeads < smallLeads) throw new Error(`--leads must be ${smallLeads} or more`);

const bound = 1.2;
const warmRounds = 40;
/** The small world has 1,000 people, each of whom can be cold once per start of its runtime. */
const restarts = 3;
const coldRounds = 9;
const shotsPerRound = 100;
const windowMs = 2_000;
/** An NDJSON request: all signals of so many people, so that a person's signals share one window as they would over an hour. */
const linesPerRequest = 2_500;
/** An object that nobody called for ten seconds leaves the memory of workerd. */
const forgottenMs = 15_000;
const quietCpuShare = 0.05;
const quietPatienceMs = 120_000;
const used = { report: "pipeline", plan: "team", seats: 12 };
const secret = "0123456789abcdef0123456789abcdef";
const adminToken = "bench-admin-token";
const folder = scratchFolder("people");

/** One kind of signal to one world; `next` says whose turn it is. */
interface Arm {
  readonly world: World;
  next: () => number;
  readonly times: number[];
  /** Per round. */
  readonly p95s: number[];
  cpuMs: number;
}

interface Pair {
  readonly small: Arm;
  readonly large: Arm;
}

const figures: { name: string; value: number; unit: string; bound: number | null; ok: boolean }[] = [];
let ids = 0;

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const worlds: World[] = [];
try {
  await main();
} finally {
  for (const world of worlds) await close(world).catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
}
const ok = figures.every((item) => item.ok);
if (values.json) console.log(JSON.stringify({ ok, figures }));
process.exit(ok ? 0 : 1);

async function main(): Promise<void> {
  await measureFloor();
  const bundle = join(folder, "bundle");
  bundleWorker("src/worker.ts", bundle);
  const small = await openWorld("small", smallLeads, 8_811, bundle);
  worlds.push(small);
  const large = await openWorld("large", largeLeads, 8_812, bundle);
  worlds.push(large);
  for (const world of worlds) await load(world);
  for (const world of worlds) await quiet(world);
  for (const world of worlds) {
    figure(`${label(world)}: memory of workerd after loading`, world.engine.usage().residentBytes / 1_048_576, "MB");
  }

  say("  … measuring");
  const cold = { small: arm(small), large: arm(large) };
  for (let restart = 0; restart < restarts; restart++) {
    for (const item of [cold.small, cold.large]) {
      await item.world.restart();
      item.next = oneAfterAnother(shuffled(item.world.leads));
    }
    await heatIsolates(cold);
    await measure(cold, coldRounds);
  }
  const few = shuffled(large.leads).slice(0, smallLeads);
  const warm = { small: arm(small), large: arm(large, few) };
  for (let person = 0; person < smallLeads; person++) {
    for (const item of [warm.small, warm.large]) await send(item.world, item.next());
  }
  await measure(warm, warmRounds);
  const met = new Set(few);
  const unmet = shuffled(large.leads).filter((person) => largeLeads < 2 * smallLeads || !met.has(person));
  const asItComes = { small: arm(small), large: arm(large, unmet) };
  await measure(asItComes, warmRounds);

  tell("as it comes", asItComes, bound);
  tell("warm", warm, bound);
  tell("cold", cold, bound);
  figure("small: p95 cold ÷ warm", medianP95(cold.small) / medianP95(warm.small), "×");
  figure("large: p95 cold ÷ warm", medianP95(cold.large) / medianP95(warm.large), "×");
  for (const world of worlds) {
    await close(world);
    figure(`${label(world)}: disk per lead, open logs included`, bytesIn(world.state) / world.leads / 1_024, "KB");
  }
  worlds.length = 0;
}

/** Signals as they come to objects that do nothing but one insert: `smallLeads` of them, and `largeLeads`. */
async function measureFloor(): Promise<void> {
  const bundle = join(folder, "floor-bundle");
  const config = "test/bench/floor.toml";
  bundleWorker("test/bench/floor.ts", bundle, config);
  const open = async (name: World["name"], leads: number, port: number): Promise<World> => {
    const state = join(folder, `floor-${name}`);
    const start = (): Promise<Engine> => startEngine({ port, state, bundle, config, vars: {} });
    return world({ name, leads, path: "/b", headers: {}, signal: floorSignal, state }, port, await start(), start);
  };
  const small = await open("small", smallLeads, 8_813);
  worlds.push(small);
  const large = await open("large", largeLeads, 8_814);
  worlds.push(large);
  for (const world of worlds) {
    const everybody = Array.from({ length: world.leads }, (_, person) => person);
    await inParallel(everybody, loadConnections, async (person) => void (await send(world, person)));
  }
  await sleep(forgottenMs);
  const pair = { small: arm(small), large: arm(large) };
  for (let person = 0; person < smallLeads; person++) await send(small, pair.small.next());
  await measure(pair, warmRounds);
  tell("floor, as it comes", pair);
  for (const world of worlds) {
    await close(world);
    rmSync(world.state, { recursive: true, force: true });
  }
  worlds.length = 0;
}

async function openWorld(name: World["name"], leads: number, port: number, bundle: string): Promise<World> {
  const state = join(folder, name);
  const start = (): Promise<Engine> =>
    startEngine({
      port,
      state,
      bundle,
      vars: {
        PUBLIC_URL: `http://127.0.0.1:${port}`,
        BATON_MASTER_KEY: "bench-master-key",
        BATON_ADMIN_TOKEN: adminToken,
      },
    });
  const engine = await start();
  const seeded = await seedWorkspace(engine.url, adminToken, {
    id: name,
    salesTeam: ["sam@example.com"],
    crms: [],
    emitters: [{ name: "product", vendor: "baton", secrets: [secret] }],
    policy: (document) => ({
      ...document,
      tiers: { ...(document.tiers as object), hours: { window_ms: windowMs, sla_ms: 86_400_000 } },
    }),
  });
  const { url, key } = seeded.emitters.product ?? { url: "", key: "" };
  const headers = { authorization: `Basic ${btoa(`${key}:${secret}`)}` };
  return world({ name, leads, path: new URL(url).pathname, headers, signal: usage, state }, port, engine, start);
}

/** Everybody is identified and then does something, `perLead` signals in all, one group of people per request. */
async function load(world: World): Promise<void> {
  const begun = performance.now();
  const cpuBefore = world.engine.usage().cpuMs;
  const group = Math.max(1, Math.floor(linesPerRequest / perLead));
  const starts = Array.from({ length: Math.ceil(world.leads / group) }, (_, index) => index * group);
  let loaded = 0;
  let saidAt = begun;
  await inParallel(starts, loadConnections, async (start) => {
    const people = Array.from({ length: Math.min(group, world.leads - start) }, (_, index) => start + index);
    const lines = Array.from({ length: perLead }, (_, turn) => people.map((person) => line(person, turn))).flat();
    const landed = await fire(world, "application/x-ndjson", lines.join("\n"));
    const { accepted } = JSON.parse(landed) as { accepted: number };
    if (accepted !== lines.length) throw new Error(`${world.name}: ${lines.length} lines were sent: ${landed}`);
    loaded += people.length;
    if (performance.now() - saidAt < 30_000) return;
    saidAt = performance.now();
    say(`  … ${loaded} of ${world.leads} leads`);
  });
  const seconds = (performance.now() - begun) / 1_000;
  figure(`${label(world)}: loading, signals`, (world.leads * perLead) / seconds, "/s");
  figure(`${label(world)}: loading, CPU per lead`, (world.engine.usage().cpuMs - cpuBefore) / world.leads, "ms");
}

function line(person: number, turn: number): string {
  if (turn > 0) return usage(person);
  ids++;
  return JSON.stringify({
    id: `b-${ids}`,
    kind: "identified",
    email: `known-${person}@example.com`,
    user_id: `user-${person}`,
    traits: { first_name: "Ada", last_name: `Lovelace ${person}`, company: "Northwind" },
  });
}

function usage(person: number): string {
  ids++;
  return JSON.stringify({ id: `b-${ids}`, kind: "product_used", user_id: `user-${person}`, properties: used });
}

function floorSignal(person: number): string {
  ids++;
  return JSON.stringify({ messageId: `b-${ids}`, userId: `user-${person}`, properties: used });
}

/** A runtime that was just started reads its configuration and compiles what it runs; fifty people are spent on that. */
async function heatIsolates(pair: Pair): Promise<void> {
  for (let count = 0; count < 50; count++)
    for (const item of [pair.small, pair.large]) await send(item.world, item.next());
}

/** Small and large by turns, one signal at a time; every other round in reverse, as each hears the echo of the other. */
async function measure(pair: Pair, count: number): Promise<void> {
  const arms = [pair.small, pair.large];
  // What was sent before has its windows and their decisions behind it, and what is sent now is waited for: CPU is all of it.
  await sleep(windowMs + 1_500);
  for (const item of arms) item.cpuMs -= item.world.engine.usage().cpuMs;
  for (let round = 0; round < count; round++) {
    for (const item of round % 2 === 0 ? arms : [...arms].reverse()) {
      const times: number[] = [];
      for (let shot = 0; shot < shotsPerRound; shot++) times.push(await send(item.world, item.next()));
      await sleep(50);
      item.times.push(...times);
      item.p95s.push(percentile(times, 0.95));
    }
  }
  await sleep(windowMs + 1_500);
  for (const item of arms) item.cpuMs += item.world.engine.usage().cpuMs;
}

/** What loading left to do is done; waits no longer than bounded, and says when that was not enough. */
async function quiet(world: World): Promise<void> {
  const begun = performance.now();
  await sleep(windowMs + 1_000);
  while (performance.now() - begun < quietPatienceMs) {
    const before = world.engine.usage().cpuMs;
    await sleep(2_000);
    if (world.engine.usage().cpuMs - before <= 2_000 * quietCpuShare) return;
  }
  say(`  ${world.name} is still busy with what was loaded`);
}

function tell(name: string, { small, large }: Pair, most: number | null = null): void {
  say(`\n${name}:`);
  for (const { world, times, cpuMs } of [small, large]) {
    figure(`${name}: p50, ${label(world)}`, percentile(times, 0.5), "ms");
    figure(`${name}: p95, ${label(world)}`, percentile(times, 0.95), "ms");
    figure(`${name}: CPU of workerd per signal, all of it, ${label(world)}`, cpuMs / times.length, "ms");
  }
  figure(`${name}: p95, large ÷ small`, percentile(large.times, 0.95) / percentile(small.times, 0.95), "×", most);
  const perRound = large.p95s.map((value, round) => value / (small.p95s[round] ?? Number.NaN));
  figure(`${name}: p95, large ÷ small, median of the rounds`, percentile(perRound, 0.5), "×");
  figure(`${name}: CPU, large ÷ small`, large.cpuMs / small.cpuMs, "×");
}

function medianP95(item: Arm): number {
  return percentile(item.p95s, 0.5);
}

function arm(world: World, people: readonly number[] = shuffled(world.leads)): Arm {
  return { world, next: oneAfterAnother(people), times: [], p95s: [], cpuMs: 0 };
}

function label(world: World): string {
  return `${world.name} (${world.leads.toLocaleString("en")} leads)`;
}

function figure(name: string, value: number, unit: string, most: number | null = null): void {
  const rounded = Math.round(value * 1000) / 1000;
  const good = most === null || rounded <= most;
  figures.push({ name, value: rounded, unit, bound: most, ok: good });
  const mark = most === null ? " " : good ? "✓" : "✗";
  const limit = most === null ? "" : `  (at most ${most})`;
  say(`  ${mark} ${name.padEnd(66)} ${String(rounded).padStart(10)} ${unit}${limit}`);
}

function say(text: string): void {
  if (!values.json) console.log(text);
}

/**
 * Allocated, not written: most objects are a few pages. An object in memory has a write-ahead log beside its database, which
 * goes when the object does: the small world, whose objects all are in memory, shows mostly these.
 */
function bytesIn(path: string): number {
  let bytes = 0;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    bytes += entry.isDirectory() ? bytesIn(child) : statSync(child).blocks * 512;
  }
  return bytes;
}

function shuffled(length: number): number[] {
  const people = Array.from({ length }, (_, index) => index);
  for (let at = length - 1; at > 0; at--) {
    const other = random(at + 1);
    [people[at], people[other]] = [people[other] ?? 0, people[at] ?? 0];
  }
  return people;
}

/**
 * People in a random order instead of drawn at random: in the small world nobody comes twice within a window, so that both
 * worlds make one decision per signal, and a smaller run meets nobody twice, as a large one hardly does.
 */
function oneAfterAnother(people: readonly number[]): () => number {
  let at = 0;
  return () => people[at++ % people.length] ?? 0;
}

function random(below: number): number {
  return Math.floor(Math.random() * below);
}

function positive(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${text} is not a positive whole number`);
  return number;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
