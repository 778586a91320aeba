/**
 * Limits: a backlog that comes within a minute, and beside it tasks of the hot tier, one every second or so. HubSpot's own client, the
 * account object and the stand-in, which counts requests in every window as HubSpot does; in each exactly-once world. Measured: the most
 * requests in any window, against the limit; and how long the hot tier waits, with the backlog and without.
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
const { begunAt, openHubspotWorld } = await import("../sim/hubspot-world.ts");
type World = Awaited<ReturnType<typeof openHubspotWorld>>;

const cases = Number(values.cases);
const worlds = ["unique_property", "builtin_unique", "marker"] as const;
const beginsAt = begunAt + 30_000;
const hotCount = 200;
const hotEveryMs = 1_100;

async function rush(world: (typeof worlds)[number], backlog: number): Promise<World> {
  const opened = await openHubspotWorld(Number(values.seed), { world });
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
  return opened;
}

const hotP95 = ({ asked }: World): number =>
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
for (const world of worlds) {
  const unloaded = await rush(world, 0);
  const loaded = await rush(world, cases);
  const all = [...loaded.asked.values()];
  const { limits, faults, store } = loaded.twin;
  const subjects = [...store.all("tasks")].map(({ properties }) => properties.hs_task_subject);
  add("actions", all.length);
  add("not_done", all.filter(({ doneAt }) => doneAt === null).length);
  add("doubled_tasks", subjects.length - new Set(subjects).size);
  add("refused_by_limit", limits.refused);
  most("share_of_limit_percent", Math.ceil((100 * limits.peak) / faults.current.limitRequests));
  most("hot_p95_ratio", Number((hotP95(loaded) / hotP95(unloaded)).toFixed(2)));
  figures[`hot_p95_ms_${world}`] = hotP95(loaded);
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
