/** `node test/prove/backtest.ts [--cases 200000] [--json]`: how fast history is replayed; see `test/bench/backtest.ts`. */
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { measureBacktest } from "../bench/backtest.ts";

const { values } = parseArgs({
  options: { cases: { type: "string", default: "200000" }, json: { type: "boolean", default: false } },
});
// What is only garbage is no growth of memory.
setFlagsFromString("--expose-gc");
globalThis.gc = runInNewContext("gc") as NodeJS.GCFunction;
const cases = Number(values.cases);
// The default policy, and so many people that most of them come again and again.
const short = measureBacktest(cases, 3, 4_000);
// And a range of more than two years: what grew with it would be three times as much at its end as after half a year.
const { heap_mb_half_a_year, heap_mb_end, heap_growth, signals_per_second } = measureBacktest(cases, 3, 350);
const figures = {
  signals: short.signals,
  signals_per_second: short.signals_per_second,
  signals_per_second_of_long_histories: signals_per_second,
  decisions: short.decisions,
  differences: short.differences,
  follow_ups: short.follow_ups,
  heap_mb_half_a_year,
  heap_mb_end,
  heap_growth,
};
const ok = figures.signals_per_second >= 20_000;
console.log(
  values.json
    ? JSON.stringify({ ok, figures })
    : `${figures.signals} signals under two policies: ${figures.signals_per_second} a second`,
);
process.exitCode = ok ? 0 : 1;
