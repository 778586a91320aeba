/** CPU that the Worker's start-up takes, from the profile that `wrangler check startup` records. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string } }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Median of three profiles, in milliseconds; idle and program samples are not ours. */
export async function startUpCpuMs(folder: string): Promise<number> {
  const times = [profileOnce(folder), profileOnce(folder), profileOnce(folder)].sort((a, b) => a - b);
  return times[1] ?? Number.NaN;
}

function profileOnce(folder: string): number {
  const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
  const outfile = join(folder, "start-up.cpuprofile");
  const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
  const done = spawnSync(process.execPath, [wrangler, "check", "startup", "--outfile", outfile], {
    cwd: root,
    encoding: "utf8",
  });
  if (done.status !== 0) throw new Error(`wrangler check startup failed:\n${done.stdout}\n${done.stderr}`);
  const profile = JSON.parse(readFileSync(outfile, "utf8")) as Profile;
  rmSync(outfile, { force: true });
  const names = new Map(profile.nodes.map((node) => [node.id, node.callFrame.functionName]));
  let micros = 0;
  for (const [index, sample] of profile.samples.entries()) {
    if (!["(idle)", "(program)"].includes(names.get(sample) ?? "")) micros += profile.timeDeltas[index] ?? 0;
  }
  return micros / 1000;
}
