/**
 * Starts the engine on this machine: bundles the Worker once, then starts workerd through miniflare with the bindings of
 * wrangler.toml, without the layers that `wrangler dev` puts before it. Used by `npm start`, the demo, the bench and the
 * tests that kill it.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

export interface EngineOptions {
  readonly port: number;
  /** Folder for all state; deleted by nobody but the caller. */
  readonly state: string;
  /** Variables and secrets beside those of wrangler.toml. */
  readonly vars: Readonly<Record<string, string>>;
  /** Folder of the bundle; see `bundleWorker`. */
  readonly bundle: string;
  /** Port for a V8 inspector (CPU profiles). */
  readonly inspectorPort?: number;
  /** Whose bindings; the engine's own `wrangler.toml` unless said otherwise (the bench starts its floors so). */
  readonly config?: string;
  /** Where the runtime's log lines go. */
  readonly log?: (line: string) => void;
}

export interface Engine {
  readonly url: string;
  readonly stop: () => Promise<void>;
  /** CPU used by workerd so far, in milliseconds, and its resident memory in bytes; Linux only, else zeros. */
  readonly usage: () => { readonly cpuMs: number; readonly residentBytes: number };
  /** Process id of workerd. */
  readonly pid: number;
  /** Runs the cron, which local runtimes do not do by themselves. */
  readonly cron: () => Promise<void>;
}

const quiet = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  X_LOCAL_OBSERVABILITY: "false",
};

/** Bundles an entry into a folder with wrangler's own bundler. Throws with wrangler's words when it does not build. */
export function bundleWorker(entry: string, folder: string, config = "wrangler.toml"): void {
  mkdirSync(folder, { recursive: true });
  const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
  const args = [wrangler, "deploy", join(root, entry), "--config", join(root, config), "--dry-run", "--outdir", folder];
  const done = spawnSync(process.execPath, args, { cwd: root, env: { ...process.env, ...quiet }, encoding: "utf8" });
  if (done.status !== 0) throw new Error(`the Worker does not build:\n${done.stdout}\n${done.stderr}`);
}

export async function startEngine(options: EngineOptions): Promise<Engine> {
  Object.assign(process.env, quiet);
  const { workerOptions } = unstable_getMiniflareWorkerOptions(join(root, options.config ?? "wrangler.toml"));
  const script = readdirSync(options.bundle).find((name) => name.endsWith(".js")) ?? "worker.js";
  const {
    rootPath: _path,
    modulesRules: _rules,
    ...rest
  } = workerOptions as typeof workerOptions & { rootPath?: string };
  const converted = convertV4MiniflareOptions({
    ...rest,
    name: "baton",
    modules: true,
    script: readFileSync(join(options.bundle, script), "utf8"),
    bindings: { ...(rest.bindings as Record<string, string>), ...options.vars },
    // A socket straight into the Worker, past the layers that miniflare puts before it.
    unsafeDirectSockets: [{ host: "127.0.0.1", port: options.port }],
    cf: false,
    logRequests: false,
    ...(options.inspectorPort === undefined ? {} : { inspectorPort: options.inspectorPort }),
    handleStructuredLogs: ({ message }) => options.log?.(`${message}\n`),
    handleRuntimeStdio: (stdout: NodeJS.ReadableStream, stderr: NodeJS.ReadableStream) => {
      stdout.on("data", (chunk: Buffer) => options.log?.(chunk.toString()));
      stderr.on("data", (chunk: Buffer) => options.log?.(chunk.toString()));
    },
  });
  const before = workerdChildren();
  const runtime = new Miniflare({ ...converted, resourcePersistencePath: options.state });
  const entry = await runtime.ready;
  const pid = workerdChildren().find((child) => !before.includes(child)) ?? 0;
  for (const [binding, folder] of [
    ["CONTROL", "src/ledger/control"],
    ["LEDGER_0", "src/ledger/migrations"],
  ] as const) {
    if (options.config === undefined) await migrate(await runtime.getD1Database(binding), join(root, folder));
  }
  return {
    url: `http://127.0.0.1:${options.port}`,
    stop: () => runtime.dispose(),
    usage: () => usageOf(pid),
    pid,
    cron: async () => {
      await fetch(new URL("/cdn-cgi/local/scheduled?cron=*/5+*+*+*+*", entry));
    },
  };
}

type LocalD1 = Awaited<ReturnType<Miniflare["getD1Database"]>>;

/** Applies migrations that are new, in the order of their names, as `wrangler d1 migrations apply` does. */
async function migrate(database: LocalD1, folder: string): Promise<void> {
  await database.prepare("CREATE TABLE IF NOT EXISTS d1_migrations (name TEXT PRIMARY KEY)").run();
  const done = await database.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const names = new Set(done.results.map((row) => row.name));
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith(".sql") || names.has(name)) continue;
    const sql = readFileSync(join(folder, name), "utf8").replaceAll(/^\s*--.*$/gm, "");
    const statements = sql
      .split(";")
      .map((part) => part.trim())
      .filter((part) => part !== "");
    await database.batch([
      ...statements.map((part) => database.prepare(part)),
      database.prepare("INSERT INTO d1_migrations VALUES (?)").bind(name),
    ]);
  }
}

function workerdChildren(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((name) => isOurWorkerd(name))
      .map(Number);
  } catch {
    return [];
  }
}

function isOurWorkerd(pid: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.includes("(workerd)") && Number(stat.split(") ")[1]?.split(" ")[1]) === process.pid;
  } catch {
    return false;
  }
}

/** Ticks of /proc are 10 ms on every Linux that Node supports. */
function usageOf(pid: number): { cpuMs: number; residentBytes: number } {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return { cpuMs: (Number(fields[11]) + Number(fields[12])) * 10, residentBytes: Number(fields[21]) * 4096 };
  } catch {
    return { cpuMs: 0, residentBytes: 0 };
  }
}
