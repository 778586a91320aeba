/** Plays the business day: sends its deliveries at their (compressed) times and waits until everything has come to rest. */
import { businessDay, type Day, type DayDelivery, dayEmitters, salesTeam, signedNow } from "./day.ts";
import { Gun } from "./load.ts";
import { call, type Seeded, salesforceCardKey, seedWorkspace } from "./seed.ts";
import type { Stage } from "./stage.ts";

export interface PlayOptions {
  readonly people: number;
  readonly seconds: number;
  readonly seed: number;
  readonly say: (text: string) => void;
}

export interface Played {
  readonly day: Day;
  readonly apiKey: string;
  readonly workspace: string;
  readonly sent: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly quarantined: number;
  /** Windows of the tiers in this run: a day is played in seconds, so the policy's windows are shortened alike. */
  readonly windowsMs: { readonly seconds: number; readonly minutes: number; readonly hours: number };
}

const dayMs = 10 * 3_600_000;
const windowsMs = { seconds: 0, minutes: 2_000, hours: 6_000 };

export async function playDay(stage: Stage, options: PlayOptions): Promise<Played> {
  const { say } = options;
  const workspace = await seedWorkspace(stage.engine.url, stage.adminToken, {
    id: "northwind",
    salesTeam,
    emitters: dayEmitters,
    crms: ["hubspot", "salesforce"],
    policy: (document) => ({ ...document, tiers: shortened(document.tiers as Tiers) }),
  });
  const key = await salesforceCardKey(stage.engine.url, workspace.apiKey);
  stage.salesforce.showCard({ url: `${stage.engine.url}/card/salesforce`, key });
  say("Both CRMs are connected (OAuth, fields created, exactly-once proven with a throw-away task).\n\n");
  const day = businessDay({ seed: options.seed, people: options.people, startsAt: Date.now() - dayMs, dayMs });
  const tally = await send(stage, workspace, day, options);
  await rest(stage, workspace, day, say);
  return { day, apiKey: workspace.apiKey, workspace: workspace.id, ...tally, windowsMs };
}

type Tiers = Record<"seconds" | "minutes" | "hours", { window_ms: number; sla_ms: number }>;

function shortened(tiers: Tiers): Tiers {
  return {
    seconds: { ...tiers.seconds, window_ms: windowsMs.seconds },
    minutes: { ...tiers.minutes, window_ms: windowsMs.minutes },
    hours: { ...tiers.hours, window_ms: windowsMs.hours },
  };
}

async function send(stage: Stage, workspace: Seeded, day: Day, options: PlayOptions) {
  const gun = new Gun(Number(new URL(stage.engine.url).port), 16);
  const begun = Date.now();
  const factor = (options.seconds * 1000) / dayMs;
  const tally = { sent: 0, duplicates: 0, refused: 0, quarantined: 0 };
  const under = new Set<Promise<void>>();
  const sequences = new Map<string, Promise<void>>();
  let shown = 0;
  for (const delivery of day.deliveries) {
    const due = begun + delivery.at * factor;
    if (due > Date.now() + 5) await sleep(due - Date.now());
    while (under.size >= 16) await Promise.race(under);
    const before = sequences.get(delivery.sequence ?? "") ?? Promise.resolve();
    const one = before.then(() => shoot(gun, workspace, delivery, tally)).finally(() => under.delete(one));
    under.add(one);
    if (delivery.sequence !== null) sequences.set(delivery.sequence, one);
    if (++shown % 25 === 0) options.say(bar(shown, day.deliveries.length, delivery.at));
  }
  await Promise.all(under);
  gun.close();
  options.say(`${bar(tally.sent, day.deliveries.length, dayMs)}\n`);
  return tally;
}

async function shoot(
  gun: Gun,
  workspace: Seeded,
  delivery: DayDelivery,
  tally: { sent: number; duplicates: number; refused: number; quarantined: number },
): Promise<void> {
  const emitter = workspace.emitters[delivery.emitter];
  if (emitter === undefined) return;
  const signed = signedNow(delivery, Date.now());
  const auth = delivery.path === null ? {} : { authorization: `Basic ${btoa(`${emitter.key}:`)}` };
  const path = delivery.path ?? new URL(emitter.url).pathname;
  for (let attempt = 0; attempt < 5; attempt++) {
    const landed = await gun.fire({ path, headers: { ...signed, ...auth }, body: delivery.body });
    if (landed.status === 503) continue;
    tally.sent++;
    if (landed.status >= 300) tally.refused++;
    else {
      const answer = JSON.parse(landed.text) as { duplicates: number; quarantined: number };
      tally.duplicates += answer.duplicates;
      tally.quarantined += answer.quarantined;
    }
    return;
  }
  tally.refused++;
}

/** Until every expected task is in both CRMs and nothing moves any more, or a minute is over. */
async function rest(stage: Stage, workspace: Seeded, day: Day, say: (text: string) => void): Promise<void> {
  say("Letting the last windows end …");
  const until = Date.now() + 60_000;
  let before = "";
  for (;;) {
    await sleep(windowsMs.hours / 2);
    const counts = (["hubspot", "salesforce"] as const).map((crm) => stage.tasks(crm).length);
    const leads = await call<{ items: { lead_score: number }[] }>(
      stage.engine.url,
      "GET",
      "/v1/leads?limit=200",
      workspace.apiKey,
    );
    const now = JSON.stringify([counts, leads.items.map((lead) => lead.lead_score), (await stage.meter()).d1]);
    if ((counts.every((count) => count >= day.expected.size) && now === before) || Date.now() > until) break;
    before = now;
  }
  say("\n\n");
}

function bar(done: number, of: number, at: number): string {
  const width = 40;
  const filled = Math.round((done / of) * width);
  const minutes = Math.floor(at / 60_000);
  const clock = `${String(8 + Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  return `\r  ${clock} [${"█".repeat(filled)}${"░".repeat(width - filled)}] ${done} of ${of} deliveries`;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
