/**
 * `npm run prove -- <area> [--json] [--quick]`: the long proofs of what is promised, by area. Each part is a program of its own, which
 * can be run alone; here its figures are held against their bounds. Exits 1 where one is missed.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

interface Part {
  readonly name: string;
  readonly program: string;
  readonly cases: number;
  /** Figures that have a bound, by the names that the program prints: one that is missing is missed. The others are told. */
  readonly atMost: Readonly<Record<string, number>>;
  readonly atLeast?: Readonly<Record<string, number>>;
}

const areas: Readonly<Record<string, readonly Part[]>> = {
  decide: [
    { name: "calendar", program: "calendar.ts", cases: 100_000, atMost: { errors: 0 }, atLeast: { zones: 40 } },
    { name: "assign", program: "assign.ts", cases: 20_000, atMost: { errors: 0 } },
    {
      name: "fields",
      program: "fields.ts",
      cases: 20_000,
      atMost: {
        "newest values not standing in a CRM that carries them": 0,
        "changes echoed more than once": 0,
        "schedules that never came to rest": 0,
        "orders of arrival that made a difference": 0,
      },
    },
    { name: "consent", program: "consent.ts", cases: 100_000, atMost: { against_consent: 0, other_violations: 0 } },
    {
      name: "recompute",
      program: "recompute.ts",
      cases: 100_000,
      atMost: { mismatches: 0, differing_parts: 0 },
      atLeast: { node_versions: 2, outcomes: 6 },
    },
    { name: "speed", program: "../bench/decide.ts", cases: 20_000, atMost: { decide_median_us: 50 } },
    {
      name: "backtest",
      program: "backtest.ts",
      cases: 200_000,
      // From half a year to two: what grew with the range would grow four times.
      atMost: { heap_growth: 1.1 },
      atLeast: { signals_per_second: 20_000 },
    },
  ],
  crm: [
    {
      name: "day",
      program: "crm.ts",
      cases: 400,
      atMost: {
        human_values_overwritten: 0,
        crms_that_disagree: 0,
        doubled_tasks: 0,
        never_heard: 0,
        echoes_per_change: 1,
        heard_after_max_s: 60,
        shape_violations: 0,
      },
    },
    {
      name: "tokens",
      program: "tokens.ts",
      cases: 10_000,
      atMost: { violations: 0 },
      atLeast: { refreshes: 500, connected_again: 1 },
    },
    {
      name: "limits",
      program: "limits.ts",
      cases: 20_000,
      atMost: { share_of_limit_percent: 95, refused_by_limit: 0, hot_p95_ratio: 2, not_done: 0, doubled_tasks: 0 },
      atLeast: { actions: 3_000 },
    },
    {
      name: "outage",
      program: "outage.ts",
      cases: 3_000,
      atMost: { lost: 0, doubled_tasks: 0, overtook_hot: 0 },
      atLeast: { waited: 100 },
    },
  ],
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, quick: { type: "boolean", default: false } },
});
const area = positionals[0] ?? "";
const parts = areas[area];
if (parts === undefined) {
  process.stderr.write(`Which area? There is: ${Object.keys(areas).join(", ")}\n`);
  process.exit(2);
}

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly bound: string;
  readonly ok: boolean;
}

const figures: Figure[] = [];
function tell(figure: Figure): void {
  figures.push(figure);
  const { name, value, bound, ok: holds } = figure;
  if (!values.json)
    process.stdout.write(
      `${bound === "" ? " " : holds ? "✓" : "✗"} ${name.padEnd(72)} ${value}${bound === "" ? "" : ` (${bound})`}\n`,
    );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a part printed: all of it, or its last line. */
function documentIn(printed: string): Readonly<Record<string, unknown>> | null {
  for (const text of [printed, printed.trim().split("\n").at(-1) ?? ""]) {
    try {
      const found: unknown = JSON.parse(text);
      if (isRecord(found)) return found;
    } catch {
      // Perhaps the other one is.
    }
  }
  return null;
}

/** By name; a part gives them as such, as a list, or among all that it says. */
function figuresIn(said: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { figures: given = said } = said;
  if (isRecord(given)) return given;
  const list: readonly unknown[] = Array.isArray(given) ? given : [];
  return Object.fromEntries(list.filter(isRecord).map(({ name, value }) => [String(name), value]));
}

for (const part of parts) {
  const cases = values.quick ? Math.ceil(part.cases / 20) : part.cases;
  const program = fileURLToPath(import.meta.resolve(`./${part.program}`));
  const done = spawnSync(process.execPath, [program, "--cases", String(cases), "--json"], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const said = documentIn(done.stdout);
  if (said === null) process.stderr.write(`${part.name} did not finish:\n${done.stderr}\n`);
  const known = figuresIn(said ?? {});
  for (const name of new Set([
    ...Object.keys(known),
    ...Object.keys(part.atMost),
    ...Object.keys(part.atLeast ?? {}),
  ])) {
    const value = known[name];
    const [most, least] = [part.atMost[name], part.atLeast?.[name]];
    if (typeof value !== "number" && most === undefined && least === undefined) continue;
    const number = typeof value === "number" ? value : Number.NaN;
    const ok = (most === undefined || number <= most) && (least === undefined || number >= least);
    const bound = most !== undefined ? `at most ${most}` : least !== undefined ? `at least ${least}` : "";
    tell({ name: `${part.name}: ${name}`, value: number, unit: "", bound, ok });
  }
  if (done.status !== 0)
    tell({
      name: `${part.name}: finished`,
      value: done.status ?? -1,
      unit: "exit",
      bound: "at most 0",
      ok: false,
    });
}
const ok = figures.every((figure) => figure.ok);
if (values.json) process.stdout.write(`${JSON.stringify({ ok, figures })}\n`);
process.exitCode = ok ? 0 : 1;
