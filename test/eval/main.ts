/**
 * `npm run eval:identity [-- --json] [-- --febrl file.csv]`: likely duplicates against published data with known truth, and
 * against seeded data of our own. One threshold and one automatic bar for all; labels are read only to count.
 */
import { contacts, resampled, worn } from "./corruptor.ts";
import { type Dataset, datasets, febrlFields, febrlFile, febrlWeakFields, identityFolder } from "./datasets.ts";
import { type Score, scoreOf } from "./score.ts";

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly bound: string | null;
  readonly ok: boolean;
}

const json = process.argv.includes("--json");
const extra = process.argv.flatMap((argument, at) => (process.argv[at - 1] === "--febrl" ? [argument] : []));

const given = extra.flatMap((path) => [
  febrlFile(`${path}, all fields`, path, febrlFields),
  febrlFile(`${path}, weak fields`, path, febrlWeakFields),
]);
const published = extra.length > 0 ? given : datasets();
if (published.length === 0) say(`skipped the published data: ${identityFolder} is not there`);

const figures: Figure[] = [];
const scores: Score[] = [];
for (const dataset of published) {
  const score = run(dataset);
  if (dataset.fields === febrlFields) atLeast(score, "f1", 0.999);
  else if (dataset.fields === febrlWeakFields) atLeast(score, "f1", 0.96, ["automaticPrecision", 0.9995]);
  else atLeast(score, "f1", null, ["automaticPrecision", null]);
}

if (extra.length === 0) {
  const weak = published.filter(({ fields }) => fields === febrlWeakFields);
  const disturbed = weak.flatMap((dataset) => [
    resampled(dataset, 0.5, 1),
    resampled(dataset, 0.2, 2),
    worn(dataset, 0.05, 3),
    worn(dataset, 0.15, 4),
  ]);
  pool("febrl weak fields, resampled and worn", disturbed.map(run), 0.96, 0.9995);
  const worlds = [11, 12].flatMap((seed) =>
    [0.02, 0.3, 1].flatMap((duplicates) =>
      [0.1, 0.3].map((damage) => contacts({ seed, people: 2_000, duplicates, damage })),
    ),
  );
  pool("contacts of firms", worlds.map(run), 0.9, 0.999);
  const none = run(contacts({ seed: 13, people: 2_000, duplicates: 0, damage: 0 }));
  figure("contacts without duplicates: automatic merges", none.automatic, "pairs", "= 0", none.automatic === 0);
}

const ok = figures.every((one) => one.ok);
if (json) console.log(JSON.stringify({ ok, figures, scores }, null, 2));
else {
  for (const one of figures) {
    const bound = one.bound === null ? "" : ` (${one.bound})`;
    console.log(`${one.ok ? "ok    " : "MISSED"} ${one.name}: ${digits(one.value)} ${one.unit}${bound}`);
  }
}
process.exitCode = ok ? 0 : 1;

function run(dataset: Dataset): Score {
  const score = scoreOf(dataset);
  scores.push(score);
  say(
    `${score.name}: ${score.records} records, ${score.truePairs} pairs (expected ${score.expectedPairs.toFixed(0)}); ` +
      `F1 ${digits(score.f1)} (best possible ${digits(score.bestF1)}), precision ${digits(score.precision)}, ` +
      `recall ${digits(score.recall)}; automatic ${score.automatic}, of them ${score.automaticFalse} false; ` +
      `calibration error ${digits(score.calibrationError)}; ${score.seconds.toFixed(1)} s`,
  );
  return score;
}

type Measure = "f1" | "automaticPrecision";

function atLeast(score: Score, measure: Measure, bound: number | null, also?: readonly [Measure, number | null]): void {
  const label = measure === "f1" ? "F1" : `precision of ${score.automatic} automatic merges`;
  const value = score[measure];
  figure(
    `${score.name}: ${label}`,
    value,
    "share",
    bound === null ? null : `≥ ${bound}`,
    bound === null || value >= bound,
  );
  if (also !== undefined) atLeast(score, also[0], also[1]);
}

/** The worst F1 of several sets, and the precision over all their automatic merges. */
function pool(name: string, of: readonly Score[], f1Min: number, precisionMin: number): void {
  if (of.length === 0) return;
  const worst = Math.min(...of.map(({ f1 }) => f1));
  const automatic = of.reduce((sum, score) => sum + score.automatic, 0);
  const wrong = of.reduce((sum, score) => sum + score.automaticFalse, 0);
  const precision = automatic === 0 ? 1 : 1 - wrong / automatic;
  figure(`${name}: lowest F1 of ${of.length} sets`, worst, "share", `≥ ${f1Min}`, worst >= f1Min);
  const label = `${name}: precision of ${automatic} automatic merges`;
  figure(label, precision, "share", `≥ ${precisionMin}`, precision >= precisionMin);
}

function figure(name: string, value: number, unit: string, bound: string | null, ok: boolean): void {
  figures.push({ name, value, unit, bound, ok });
}

function digits(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(4);
}

/** Progress is for people; with --json the answer alone goes to stdout. */
function say(line: string): void {
  if (json) console.error(line);
  else console.log(line);
}
