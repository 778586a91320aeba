/**
 * `node test/bench/likeness.ts [leads] [--json]`: CPU time and memory of comparing so many leads, by default as many as the
 * sweep does (`likelyLeadsMax`). The comparison runs in a process of its own with a heap of `heapMb`, because a process that may
 * take more does, and says nothing about what is needed. Leads are the seeded contacts of the identity evaluation, one in
 * ten of them twice.
 */
import { spawnSync } from "node:child_process";
import { likelyLeadsMax } from "../../src/limits.ts";
import { likelyDuplicates } from "../../src/resolve/likeness/duplicates.ts";
import { isComparable, leadLikenessFields, recordOf } from "../../src/resolve/likeness/records.ts";
import type { LikenessRecord } from "../../src/resolve/likeness/table.ts";
import { contacts } from "../eval/corruptor.ts";

/** An isolate has 128 MB for heap and buffers; what these need besides the heap is measured as the growth of the process. */
const heapMb = 48;
const memoryMbMax = 100;
/** Half of what a cron run may use, so that two such workspaces fit. */
const cpuSecondsMax = 15;

interface Measured {
  readonly cpuSeconds: number;
  readonly memoryMb: number;
  readonly pairs: number;
  readonly right: number;
}

const size = Number(process.argv.slice(2).find((argument) => /^\d+$/.test(argument)) ?? likelyLeadsMax);
if (process.argv.includes("--measure")) console.log(JSON.stringify(measure(size)));
else report(size);

function report(leads: number): void {
  const run = (count: number): Measured | null => {
    const flags = [`--max-old-space-size=${heapMb}`, "--max-semi-space-size=2"];
    const child = spawnSync(process.execPath, [...flags, import.meta.filename, String(count), "--measure"], {
      encoding: "utf8",
    });
    return child.status === 0 ? (JSON.parse(child.stdout) as Measured) : null;
  };
  const idle = run(10);
  const busy = run(leads);
  const name = `${leads} leads`;
  const memory = busy === null || idle === null ? Number.NaN : Math.round(busy.memoryMb - idle.memoryMb);
  const cpu = busy?.cpuSeconds ?? Number.NaN;
  const figures = [
    { name: `${name}: CPU`, value: cpu, unit: "s", bound: `≤ ${cpuSecondsMax}`, ok: cpu <= cpuSecondsMax },
    { name: `${name}: memory`, value: memory, unit: "MB", bound: `≤ ${memoryMbMax}`, ok: memory <= memoryMbMax },
    { name: `${name}: pairs at 0.7 or more`, value: busy?.pairs ?? 0, unit: "pairs", bound: null, ok: true },
    { name: `${name}: of them right`, value: busy?.right ?? 0, unit: "pairs", bound: null, ok: true },
  ];
  const ok = figures.every((figure) => figure.ok);
  if (process.argv.includes("--json")) console.log(JSON.stringify({ ok, figures }, null, 2));
  else {
    if (busy === null) console.log(`a heap of ${heapMb} MB is not enough for ${name}`);
    for (const { name, value, unit, bound, ok } of figures)
      console.log(`${ok ? "ok    " : "MISSED"} ${name}: ${value} ${unit}${bound === null ? "" : ` (${bound})`}`);
  }
  process.exitCode = ok ? 0 : 1;
}

function measure(leads: number): Measured {
  const { records, entities } = world(leads);
  const before = process.cpuUsage();
  const { pairs } = likelyDuplicates(records, leadLikenessFields, { probabilityMin: 0.7 });
  const { user, system } = process.cpuUsage(before);
  const right = pairs.filter(({ a, b }) => entities[Number(a)] === entities[Number(b)]).length;
  const memoryMb = process.resourceUsage().maxRSS / 1024;
  return { cpuSeconds: Math.round((user + system) / 1e5) / 10, memoryMb, pairs: pairs.length, right };
}

function world(leads: number): { readonly records: LikenessRecord[]; readonly entities: readonly string[] } {
  const rules = { roleAccounts: new Set<string>(), freeMail: new Set<string>() };
  const people = Math.ceil(leads / 1.1) + 50;
  const { records, entities } = contacts({ seed: 21, people, duplicates: 0.1, damage: 0.2 });
  const rows = records.slice(0, leads).map(({ id, values }) =>
    recordOf(
      {
        id,
        email: values.domain ? `m${id}@${values.domain}` : null,
        first_name: values.first_name ?? null,
        last_name: values.last_name ?? null,
        company: values.company ?? null,
        account_name: null,
        account_domain: values.domain ?? null,
        website: null,
        phone: values.phone ?? null,
        job_title: values.job_title ?? null,
        country: null,
      },
      rules,
    ),
  );
  return { records: rows.filter(isComparable), entities };
}
