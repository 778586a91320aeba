/**
 * `npm start`: the whole engine on this machine, with a stand-in for each CRM; plays a business day of signals, prints what
 * became of each, and stays up. `npm run demo -- --once [--json]` ends after the report, with exit code 1 if a promise
 * was broken. Options: `--people N`, `--seconds N` (length of the day), `--seed N`, `--port N`.
 */
import { parseArgs } from "node:util";
import { salesTeam } from "./day.ts";
import { playDay } from "./play.ts";
import { printReport, reportOf } from "./report.ts";
import { scratchFolder } from "./scratch.ts";
import { openStage } from "./stage.ts";

const { values } = parseArgs({
  options: {
    once: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    people: { type: "string", default: "300" },
    seconds: { type: "string", default: "40" },
    seed: { type: "string", default: "1" },
    port: { type: "string", default: "8787" },
    verbose: { type: "boolean", default: false },
  },
});

const say = (text: string): void => {
  if (!values.json) process.stdout.write(text);
};

const folder = scratchFolder(`demo-${values.port}`);
say("Baton: building the Worker and starting it with stand-ins for HubSpot and Salesforce …\n");
const port = Number(values.port);
const stage = await openStage({
  folder,
  enginePort: port,
  hubspotPort: port + 1,
  salesforcePort: port + 2,
  salesTeam,
  ...(values.verbose ? { log: (line: string) => process.stderr.write(line) } : {}),
}).catch((error: unknown) => {
  process.stderr.write(
    `${error instanceof Error ? error.message : String(error)}\nIs another Baton running? Choose other ports with --port.\n`,
  );
  process.exit(1);
});

const played = await playDay(stage, {
  people: Number(values.people),
  seconds: Number(values.seconds),
  seed: Number(values.seed),
  say,
});
const report = await reportOf(stage, played);
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
else printReport(report, stage, played.apiKey, say);

if (values.once) {
  await stage.close();
  process.exit(report.ok ? 0 : 1);
}
say("\nUp. End it with Ctrl-C.\n");
process.on("SIGINT", async () => {
  await stage.close();
  process.exit(report.ok ? 0 : 1);
});
