/** What became of the day, counted in the CRMs and the ledger, against what had to come of it. */
import type { CrmName, Tier } from "../model.ts";
import { percentile } from "./load.ts";
import type { Played } from "./play.ts";
import { call } from "./seed.ts";
import type { Stage, StageTask } from "./stage.ts";

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly bound: number | null;
  readonly ok: boolean;
}

export interface Report {
  readonly ok: boolean;
  readonly figures: readonly Figure[];
  readonly signals: number;
  readonly duplicates_stopped: number;
  readonly leads: number;
  readonly tasks: Readonly<Record<CrmName, number>>;
  readonly missing: number;
  readonly doubled: number;
  readonly latency_ms: Readonly<Record<Tier, { readonly median: number; readonly p95: number } | null>>;
}

interface FollowUpItem {
  readonly id: string;
  readonly tier: Tier;
  readonly accepted_at: string;
  readonly actions: readonly { readonly key: string }[];
}

const crms: readonly CrmName[] = ["hubspot", "salesforce"];

export async function reportOf(stage: Stage, played: Played): Promise<Report> {
  const leads = await everything(stage, played.apiKey, "/v1/leads");
  const followUps = (await everything(stage, played.apiKey, "/v1/follow-ups")) as FollowUpItem[];
  const tasks = { hubspot: stage.tasks("hubspot"), salesforce: stage.tasks("salesforce") };
  const { missing, doubled } = againstExpected(tasks, played.day.expected);
  const latency = latencies(followUps, tasks);
  const meter = await stage.meter();
  const rows = Object.values(meter.objects).reduce((sum, count) => sum + count, 0) + meter.alarms + meter.d1;
  const figure = (name: string, value: number, unit: string, bound: number | null): Figure => ({
    name,
    value: Math.round(value * 100) / 100,
    unit,
    bound,
    ok: bound === null || value <= bound,
  });
  const figures = [
    figure("missing tasks", missing, "tasks", 0),
    figure("doubled tasks", doubled, "tasks", 0),
    figure("refused deliveries", played.refused, "deliveries", 0),
    figure("quarantined deliveries", played.quarantined, "deliveries", 0),
    figure("seconds tier p95", latency.seconds?.p95 ?? 0, "ms", 5_000),
    figure("minutes tier p95", latency.minutes?.p95 ?? 0, "ms", played.windowsMs.minutes + 5_000),
    figure("rows written per signal", rows / played.day.distinct, "rows", 6),
    figure("shape violations", violations(stage), "answers", 0),
  ];
  return {
    ok: figures.every((item) => item.ok),
    figures,
    signals: played.sent,
    duplicates_stopped: played.duplicates,
    leads: leads.length,
    tasks: { hubspot: tasks.hubspot.length, salesforce: tasks.salesforce.length },
    missing,
    doubled,
    latency_ms: latency,
  };
}

/** A person who must have a task and has none is missing; every task beyond the first, or of nobody expected, is doubled. */
function againstExpected(
  tasks: Readonly<Record<CrmName, readonly StageTask[]>>,
  expected: ReadonlySet<string>,
): { missing: number; doubled: number } {
  let missing = 0;
  let doubled = 0;
  for (const crm of crms) {
    const perPerson = new Map<string, number>();
    for (const task of tasks[crm]) {
      const email = task.emails[0] ?? "";
      perPerson.set(email, (perPerson.get(email) ?? 0) + 1);
    }
    for (const email of expected) if (!perPerson.has(email)) missing++;
    for (const [email, count] of perPerson) doubled += expected.has(email) ? count - 1 : count;
  }
  return { missing, doubled };
}

/** From the acceptance of the signal that caused it to the task standing in the CRM; both CRMs together. */
function latencies(
  followUps: readonly FollowUpItem[],
  tasks: Readonly<Record<CrmName, readonly StageTask[]>>,
): Report["latency_ms"] {
  const created = new Map([...tasks.hubspot, ...tasks.salesforce].map((task) => [task.key, task.createdAt]));
  const of = (tier: Tier) => {
    const times = followUps
      .filter((item) => item.tier === tier)
      .flatMap((item) =>
        item.actions.map((action) => (created.get(action.key) ?? Number.NaN) - Date.parse(item.accepted_at)),
      )
      .filter((ms) => !Number.isNaN(ms));
    return times.length === 0
      ? null
      : { median: Math.round(percentile(times, 0.5)), p95: Math.round(percentile(times, 0.95)) };
  };
  return { seconds: of("seconds"), minutes: of("minutes"), hours: of("hours") };
}

function violations(stage: Stage): number {
  return stage.hubspot.state().shapes.violations + stage.salesforce.org.state(true).violations.count;
}

async function everything(stage: Stage, apiKey: string, path: string): Promise<unknown[]> {
  const all: unknown[] = [];
  let cursor = "";
  do {
    const page = await call<{ items: unknown[]; next_cursor: string | null }>(
      stage.engine.url,
      "GET",
      `${path}?limit=200${cursor}`,
      apiKey,
    );
    all.push(...page.items);
    cursor = page.next_cursor === null ? "" : `&cursor=${encodeURIComponent(page.next_cursor)}`;
  } while (cursor !== "");
  return all;
}

export function printReport(report: Report, stage: Stage, apiKey: string, say: (text: string) => void): void {
  const row = (name: string, value: string | number): void =>
    say(`  ${name.padEnd(34)} ${String(value).padStart(16)}\n`);
  row("signals sent", report.signals);
  row("duplicates stopped", report.duplicates_stopped);
  row("leads (people)", report.leads);
  row("tasks in HubSpot", report.tasks.hubspot);
  row("tasks in Salesforce", report.tasks.salesforce);
  for (const tier of ["seconds", "minutes", "hours"] as const) {
    const latency = report.latency_ms[tier];
    if (latency !== null) row(`latency, ${tier} tier (median / p95)`, `${latency.median} / ${latency.p95} ms`);
  }
  say("\n  Promises\n");
  for (const item of report.figures) {
    const bound = item.bound === null ? "" : `(at most ${item.bound})`;
    say(
      `  ${item.ok ? "✓" : "✗"} ${item.name.padEnd(28)} ${String(item.value).padStart(8)} ${item.unit.padEnd(10)} ${bound}\n`,
    );
  }
  say(
    `\n  Engine      ${stage.engine.url}\n  HubSpot     ${stage.hubspot.url}  (stand-in: open a contact to see the card)\n  Salesforce  ${stage.salesforce.url}  (stand-in: open a lead)\n`,
  );
  say(`  API         curl -H "authorization: Bearer ${apiKey}" ${stage.engine.url}/v1/follow-ups\n`);
}
