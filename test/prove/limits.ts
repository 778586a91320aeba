/**
 * Limits: a backlog that comes within a minute, and beside it tasks of the hot tier, one every second or so. The vendors' own clients, the
 * account object and the stand-ins, which count requests as the vendors do: HubSpot's in every window of ten seconds, in each exactly-once world;
 * Salesforce's in a day of which others have used most, and those under way at once. Measured: the most requests, against the limit; and how
 * long the hot tier waits, with the backlog and without.
 * `node test/prove/limits.ts --cases 20000 --seed 1 [--json]`; a case is an action of the backlog. Time is virtual.
 */
import { parseArgs } from "node:util";
import { percentile } from "../../src/local/load.ts";
import { installHooks } from "../sim/hooks.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});
installHooks([], true);
const { begunAt, openCrmWorld } = await import("../sim/crm-world.ts");
const { hubspotSide } = await import("../sim/hubspot-side.ts");
const { salesforceSide } = await import("../sim/salesforce-side.ts");
type World = ReturnType<typeof openCrmWorld>;

/** What a CRM has counted. */
interface Counted {
  readonly world: World;
  /** Of each of its limits the per cent at the worst moment. */
  shares(): Readonly<Record<string, number>>;
  refused(): number;
  subjects(): readonly unknown[];
}

const cases = Number(values.cases);
const beginsAt = begunAt + 30_000;
const hotCount = 200;
const hotEveryMs = 1_100;

const seed = Number(values.seed);
/** Of a day's requests, in an org of the smallest edition there is. */
const apiLimit = 15_000;
const usedByOthers = 10_000;
/** Requests that take so long that they count as long (20 s or more) may be 25; these take 0.2 s, and are held to it all the same. */
const longMax = 25;

function inHubspot(world: "unique_property" | "builtin_unique" | "marker"): Counted {
  const opened = openCrmWorld(seed, (now) => hubspotSide(now, { world }));
  const { limits, faults, store } = opened.side.twin;
  return {
    world: opened,
    shares: () => ({ ten_seconds: (100 * limits.peak) / faults.current.limitRequests }),
    refused: () => limits.refused,
    subjects: () => [...store.all("tasks")].map(({ properties }) => properties.hs_task_subject),
  };
}

function inSalesforce(): Counted {
  const opened = openCrmWorld(seed, (now) => salesforceSide(now, { apiLimit, apiUsed: usedByOthers }));
  const { org } = opened.side;
  return {
    world: opened,
    shares: () => ({ day: (100 * org.faults.apiUsed) / apiLimit, at_once: (100 * opened.most()) / longMax }),
    refused: () => org.entries().filter(({ status }) => status === 403).length + org.state(true).violations.count,
    subjects: () => org.tasks().flatMap(({ subject, deleted }) => (deleted ? [] : [subject])),
  };
}

const places: Readonly<Record<string, () => Counted>> = {
  unique_property: () => inHubspot("unique_property"),
  builtin_unique: () => inHubspot("builtin_unique"),
  marker: () => inHubspot("marker"),
  salesforce: inSalesforce,
};

async function rush(open: () => Counted, backlog: number): Promise<Counted> {
  const counted = open();
  const opened = counted.world;
  for (let index = 0; index < backlog; index++)
    opened.ask(beginsAt + Math.floor((index * 60_000) / backlog), `rest${index}`, false);
  for (let index = 0; index < hotCount; index++) opened.ask(beginsAt + index * hotEveryMs, `hot${index}`, true);
  const until = beginsAt + Math.max(hotCount * hotEveryMs, backlog * 60) + 600_000;
  // A schedule runs its own microtasks: it must be a task.
  await new Promise<void>((resolve, reject) => {
    setImmediate(() => {
      try {
        opened.run(until);
        resolve();
      } catch (error) {
        reject(error);
      }
    });
  });
  return counted;
}

const hotP95 = ({ world: { asked } }: Counted): number =>
  percentile(
    [...asked.values()].flatMap(({ hot, at, doneAt }) => (hot ? [(doneAt ?? Number.POSITIVE_INFINITY) - at] : [])),
    0.95,
  );

const figures: Record<string, number> = { actions: 0, not_done: 0, doubled_tasks: 0, refused_by_limit: 0 };
const add = (name: string, count: number) => {
  figures[name] = (figures[name] ?? 0) + count;
};
const most = (name: string, value: number) => {
  figures[name] = Math.max(figures[name] ?? 0, value);
};
for (const [name, open] of Object.entries(places)) {
  const unloaded = await rush(open, 0);
  const loaded = await rush(open, cases);
  const all = [...loaded.world.asked.values()];
  const subjects = loaded.subjects();
  add("actions", all.length);
  add("not_done", all.filter(({ doneAt }) => doneAt === null).length);
  add("doubled_tasks", subjects.length - new Set(subjects).size);
  add("refused_by_limit", loaded.refused());
  for (const [limit, share] of Object.entries(loaded.shares())) {
    most("share_of_limit_percent", Math.ceil(share));
    figures[`share_of_limit_percent_${name}_${limit}`] = Math.ceil(share);
  }
  most("hot_p95_ratio", Number((hotP95(loaded) / hotP95(unloaded)).toFixed(2)));
  figures[`hot_p95_ms_${name}`] = hotP95(loaded);
  const last = Math.max(...all.map(({ doneAt }) => doneAt ?? Number.POSITIVE_INFINITY));
  most("drained_after_s", Math.round((last - beginsAt) / 1_000));
}

if (values.json) process.stdout.write(`${JSON.stringify({ figures })}\n`);
else for (const [name, value] of Object.entries(figures)) process.stdout.write(`${name.padEnd(28)} ${value}\n`);
process.exitCode =
  figures.not_done === 0 &&
  figures.doubled_tasks === 0 &&
  (figures.share_of_limit_percent ?? 100) <= 95 &&
  (figures.hot_p95_ratio ?? 9) <= 2
    ? 0
    : 1;
