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
// The default policy, and so many people that most of them come again and again.
const figures = measureBacktest(Number(values.cases), 3, 4_000);
const ok = figures.signals_per_second >= 20_000;
console.log(
  values.json
    ? JSON.stringify({ ok, figures })
    : `${figures.signals} signals under two policies: ${figures.signals_per_second} a second`,
);
process.exitCode = ok ? 0 : 1;
