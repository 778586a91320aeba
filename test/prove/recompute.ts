/**
 * Decisions made again from history (G10): random histories are lived, what they leave in the journal is read back as text, and every
 * decision in it is made again; both must be the same bytes, under every version of Node at hand.
 * `node test/prove/recompute.ts --cases 100000 --seed 1 [--first 0] [--json]`
 * A second Node is the first one of another major version on the PATH, or `BATON_OTHER_NODE`.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { canonicalJson } from "../../src/crypto.ts";
import { decide } from "../../src/decide/decide.ts";
import { type Policy, policyShape } from "../../src/decide/policy.ts";
import { type Why, why } from "../../src/decide/why.ts";
import type { JournalEntry } from "../../src/ledger/rows.ts";
import { scratchFolder } from "../../src/local/scratch.ts";
import type { Decision, DecisionOutcome, Signal } from "../../src/model.ts";
import type { Inputs } from "../../src/resolve/node.ts";
import { bytesOf, historyOf } from "./recompute-history.ts";
import { policyDocuments } from "./recompute-policies.ts";

export interface Plan {
  readonly cases: number;
  /** Of the cases of this seed, the first one that is lived; 0 unless said otherwise. */
  readonly first?: number;
  readonly seed: number;
  /** JSON of the policies, by version from 1 on. */
  readonly documents: readonly string[];
}

export interface Recomputed {
  readonly cases: number;
  readonly decisions: number;
  readonly mismatches: number;
  readonly outcomes: Readonly<Partial<Record<DecisionOutcome, number>>>;
  /** Decisions that were also asked why, and have to say that they are the same again. */
  readonly explained: number;
  /** Over the bytes of all decisions, and of each hundredth of the cases, in order. */
  readonly digest: string;
  readonly digests: readonly string[];
  /** The first few, in words; each names its case. */
  readonly wrong: readonly string[];
}

const explainedEvery = 200;
const wrongMax = 5;

/** `kept`: what history keeps of a decision's inputs; a test leaves something out, and must see it missed. */
export function recompute(plan: Plan, kept: (inputs: Inputs) => Inputs = (inputs) => inputs): Recomputed {
  const [first, ...others] = policiesOf(plan);
  if (first === undefined) throw new Error("there is no policy to decide by");
  // Made from their text once more, as whoever reads history has them: nothing that was worked out while deciding is known.
  const archived = policiesOf(plan);
  const outcomes: Partial<Record<DecisionOutcome, number>> = {};
  const wrong: string[] = [];
  const digests: string[] = [];
  const part = partOf(plan.cases);
  let [decisions, mismatches, explained] = [0, 0, 0];
  let hash = createHash("sha256");
  for (let index = 0; index < plan.cases; index++) {
    const number = (plan.first ?? 0) + index;
    const { journal, made } = historyOf(plan.seed * 1_000_003 + number, [first, ...others]);
    const again = madeAgain(JSON.parse(`[${journal.join(",")}]`) as JournalEntry[], archived, kept);
    for (let at = 0; at < Math.max(made.length, again.length); at++) {
      const [was, is] = [made[at], again[at]];
      const isAsked = decisions++ % explainedEvery === 0;
      const isTold = !isAsked || is?.why?.().recomputed === true;
      if (isAsked) explained++;
      if (was !== undefined) outcomes[was.outcome] = (outcomes[was.outcome] ?? 0) + 1;
      hash.update(`${is?.bytes}\n`);
      if (is?.isKept === true && was?.bytes === is.bytes && isTold) continue;
      mismatches++;
      if (wrong.length < wrongMax) wrong.push(`case ${number}, decision ${at}: ${was?.bytes} came out as ${is?.bytes}`);
    }
    if ((index + 1) % part === 0 || index + 1 === plan.cases) {
      digests.push(hash.digest("hex"));
      hash = createHash("sha256");
    }
  }
  const digest = createHash("sha256").update(digests.join()).digest("hex");
  return { cases: plan.cases, decisions, mismatches, outcomes, explained, digest, digests, wrong };
}

/** Cases that one digest is over. */
function partOf(cases: number): number {
  return Math.ceil(cases / 100);
}

function policiesOf({ documents }: Plan): readonly Policy[] {
  return documents.map((text) => policyShape.parse(JSON.parse(text)));
}

export interface MadeAgain {
  readonly decision: Decision;
  /** What history holds is what comes out. */
  readonly isKept: boolean;
  readonly bytes: string;
  /** Absent where history does not keep what it was made of. */
  readonly why?: () => Why;
}

/** Every decision of a history, of nothing but its entries and the policies by version, as `GET /v1/decisions/:id/why` does it. */
export function madeAgain(
  entries: readonly JournalEntry[],
  policies: readonly Policy[],
  kept: (inputs: Inputs) => Inputs = (inputs) => inputs,
): readonly MadeAgain[] {
  const byVersion = new Map(policies.map((policy) => [policy.version, policy]));
  const signals = new Map<string, Signal>();
  for (const entry of entries) if (entry.type === "signal") signals.set(entry.signal.idempotency_key, entry.signal);
  return entries.flatMap((entry): MadeAgain[] => {
    if (entry.type === "signal") return [];
    const { decision } = entry;
    const policy = byVersion.get(decision.policy_version);
    const inputs = entry.inputs === undefined ? undefined : kept(entry.inputs);
    const of = decision.signals.flatMap((key) => signals.get(key) ?? []);
    if (policy === undefined || inputs === undefined || of.length < decision.signals.length)
      return [{ decision, isKept: false, bytes: "nothing: history does not keep what it was made of" }];
    const { lead_id: leadId, lead, follow_ups: followUps, approvals, company } = inputs;
    const question = { policy, lead, leadId, followUps, approvals, signals: of, now: decision.at };
    const again = decide({ ...question, ...(company === undefined ? {} : { company }) });
    return [
      {
        decision,
        isKept: canonicalJson(again.decision) === canonicalJson(decision),
        bytes: bytesOf(again),
        why: () => why(policy, decision, inputs, of),
      },
    ];
  });
}

/** The Node this runs under, and one of another major version where there is one. */
function nodesHere(): readonly string[] {
  const own = process.versions.node.split(".")[0];
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const others = [process.env.BATON_OTHER_NODE ?? "", ...folders.map((folder) => join(folder, "node"))];
  const other = others.find((path) => {
    const said = existsSync(path) ? spawnSync(path, ["--version"], { encoding: "utf8" }).stdout : "";
    return said.startsWith("v") && said.slice(1).split(".")[0] !== own;
  });
  return other === undefined ? [process.execPath] : [process.execPath, other];
}

interface Ran {
  readonly node: string;
  readonly result: Recomputed;
  /** By zone, digest of its clocks. */
  readonly clocks: Readonly<Record<string, string>>;
}

/** All of it as one file without types, which older versions of Node can run too. */
async function bundled(folder: string): Promise<string> {
  const { build } = await import("vite");
  await build({
    configFile: false,
    logLevel: "error",
    // A part of a bundle is no program.
    define: { "import.meta.main": "false" },
    ssr: { noExternal: true },
    build: {
      ssr: fileURLToPath(import.meta.url),
      outDir: folder,
      target: "node20",
      minify: false,
      copyPublicDir: false,
    },
  });
  return join(folder, "recompute.js");
}

function runUnder(node: string, file: string, plan: Plan): Promise<Ran> {
  const script = `const { recompute, clocks } = await import(${JSON.stringify(pathToFileURL(file).href)});
    let plan = ""; for await (const part of process.stdin) plan += part;
    console.log(JSON.stringify({ node: process.versions.node, result: recompute(JSON.parse(plan)), clocks: clocks() }));`;
  return new Promise((resolve, reject) => {
    const child = spawn(node, ["--input-type=module", "-e", script], { stdio: ["pipe", "pipe", "inherit"] });
    let printed = "";
    child.stdout.on("data", (part: Buffer) => {
      printed += part.toString();
    });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(JSON.parse(printed) as Ran) : reject(new Error(`${node} ended with ${code}`)),
    );
    child.stdin.end(JSON.stringify(plan));
  });
}

/** What the clocks of each zone showed every three days from 2024 to 2030: two releases of the zone data need not agree. */
export function clocks(): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const zone of Intl.supportedValuesOf("timeZone")) {
    const clock = new Intl.DateTimeFormat("en", { timeZone: zone, month: "numeric", day: "numeric", hour: "numeric" });
    const hash = createHash("sha256");
    for (let at = Date.UTC(2024, 0, 1); at < Date.UTC(2030, 0, 1); at += 3 * 86_400_000) hash.update(clock.format(at));
    shown[zone] = hash.digest("base64");
  }
  return shown;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      cases: { type: "string", default: "100000" },
      first: { type: "string", default: "0" },
      seed: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
    },
  });
  const [cases, first, seed] = [Number(values.cases), Number(values.first), Number(values.seed)];
  const plan = { cases, first, seed, documents: policyDocuments() };
  const started = performance.now();
  const folder = scratchFolder(`recompute-${process.pid}`);
  const file = await bundled(folder);
  const ran = await Promise.all(nodesHere().map((node) => runUnder(node, file, plan)));
  rmSync(folder, { recursive: true });
  const [own, ...rest] = ran;
  if (own === undefined) throw new Error("no Node ran it");
  const size = partOf(cases);
  const unlike = own.result.digests.flatMap((digest, at) =>
    rest.some(({ result }) => result.digests[at] !== digest) ? [`--first ${first + at * size} --cases ${size}`] : [],
  );
  const zonesUnlike = Object.keys(own.clocks).filter((zone) =>
    rest.some((one) => one.clocks[zone] !== own.clocks[zone]),
  );
  const figures = {
    cases: own.result.cases,
    decisions: own.result.decisions,
    mismatches: ran.reduce((sum, { result }) => sum + result.mismatches, 0),
    explained: own.result.explained,
    node_versions: ran.length,
    /** Hundredths of the cases in which two versions of Node decided differently. */
    differing_parts: unlike.length,
    outcomes: Object.keys(own.result.outcomes).length,
    ...Object.fromEntries(Object.entries(own.result.outcomes).map(([name, count]) => [`decided_${name}`, count])),
    /** Whose law one of the versions does not know yet: decisions that look at their clocks may differ. */
    zones_that_differ: zonesUnlike.length,
    seconds: Math.round((performance.now() - started) / 100) / 10,
  };
  const ok = figures.mismatches === 0 && figures.differing_parts === 0;
  const nodes = ran.map(({ node, result }) => ({ node, digest: result.digest }));
  const wrong = [
    ...ran.flatMap(({ node, result }) => result.wrong.map((text) => `Node ${node}: ${text}`)),
    ...unlike.slice(0, wrongMax).map((where) => `Two versions of Node decide differently: ${where}`),
  ];
  if (values.json) console.log(JSON.stringify({ ok, figures, nodes, zones_that_differ: zonesUnlike, wrong }));
  else {
    for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(20)} ${value}`);
    for (const { node, digest } of nodes) console.log(`Node ${node.padEnd(15)} ${digest}`);
    if (zonesUnlike.length > 0) console.log(`zones that differ    ${zonesUnlike.join(", ")}`);
    for (const line of wrong) console.log(line);
  }
  process.exitCode = ok ? 0 : 1;
}
