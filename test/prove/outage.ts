/**
 * Six hours (`--hours`) without the CRM in the middle of a day on which work comes all the time: connections that are refused and requests that are
 * never answered. The vendors' own clients, the account object and the stand-ins: HubSpot's in each exactly-once world, and Salesforce's. Counted when the day is over:
 * what was lost, what was made twice, and who of the other tiers came before the last of the hot tier that had waited.
 * `node test/prove/outage.ts --cases 3000 --seed 1 [--json]`; a case is an action. Time is virtual.
 */
import { parseArgs } from "node:util";
import { installHooks } from "../sim/hooks.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "3000" },
    seed: { type: "string", default: "1" },
    hours: { type: "string", default: "6" },
    json: { type: "boolean", default: false },
  },
});
installHooks([], true);
const { begunAt, openCrmWorld } = await import("../sim/crm-world.ts");
const { hubspotSide } = await import("../sim/hubspot-side.ts");
const { salesforceSide } = await import("../sim/salesforce-side.ts");
type World = ReturnType<typeof openCrmWorld>;
type Asked = World["asked"] extends ReadonlyMap<string, infer T> ? T : never;

const cases = Number(values.cases);
const seed = Number(values.seed);
const hourMs = 3_600_000;
const from = begunAt + 9 * hourMs;
const until = from + Number(values.hours) * hourMs;
/** Batches that left together end within this of each other. */
const togetherMs = 1_000;
/** The last ones come then; what waits has the rest of the day. */
const lastAt = begunAt + 20 * hourMs;

const figures: Record<string, number> = { actions: 0, waited: 0, lost: 0, doubled_tasks: 0, overtook_hot: 0 };
const add = (name: string, count: number) => {
  figures[name] = (figures[name] ?? 0) + count;
};
type Place = () => { readonly opened: World; readonly subjects: () => readonly unknown[] };
const hubspot =
  (world: "unique_property" | "builtin_unique" | "marker"): Place =>
  () => {
    const opened = openCrmWorld(seed, (now) => hubspotSide(now, { world }));
    const { store } = opened.side.twin;
    return { opened, subjects: () => [...store.all("tasks")].map(({ properties }) => properties.hs_task_subject) };
  };
const salesforce: Place = () => {
  const opened = openCrmWorld(seed, (now) => salesforceSide(now));
  const standing = () => opened.side.org.tasks().filter(({ deleted }) => !deleted);
  return { opened, subjects: () => standing().map(({ subject }) => subject) };
};
for (const open of [hubspot("unique_property"), hubspot("builtin_unique"), hubspot("marker"), salesforce]) {
  const { opened, subjects: made } = open();
  const { engine } = opened;
  opened.outage(from, until);
  for (let index = 0; index < cases; index++)
    opened.ask(begunAt + 30_000 + engine.between(0, lastAt - begunAt), `person${index}`, index % 4 === 0);
  // A schedule runs its own microtasks: it must be a task.
  await new Promise<void>((resolve, reject) => {
    setImmediate(() => {
      try {
        opened.run(begunAt + 24 * hourMs);
        resolve();
      } catch (error) {
        reject(error);
      }
    });
  });
  const all = [...opened.asked.values()];
  const subjects = made();
  const after = ({ doneAt }: Asked) => (doneAt ?? Number.POSITIVE_INFINITY) - until;
  const waited = all.filter((item) => item.at >= from && item.at < until);
  const hotLast = Math.max(...waited.filter(({ hot }) => hot).map(after));
  add("actions", all.length);
  add("waited", waited.length);
  add("lost", all.filter(({ doneAt }) => doneAt === null).length);
  add("doubled_tasks", subjects.length - new Set(subjects).size);
  add("overtook_hot", waited.filter((item) => !item.hot && after(item) < hotLast - togetherMs).length);
  figures.hot_after_s = Math.max(figures.hot_after_s ?? 0, Math.round(hotLast / 1_000));
  figures.all_after_s = Math.max(figures.all_after_s ?? 0, Math.round(Math.max(...waited.map(after)) / 1_000));
}

if (values.json) process.stdout.write(`${JSON.stringify({ figures })}\n`);
else for (const [name, value] of Object.entries(figures)) process.stdout.write(`${name.padEnd(28)} ${value}\n`);
process.exitCode = figures.lost === 0 && figures.doubled_tasks === 0 && figures.overtook_hot === 0 ? 0 : 1;
