/**
 * Makes Node load the product's real source, with three things put in its way: `cloudflare:workers` is a stand-in,
 * `connectors/index.ts` is the simulator's CRM, and a few files are patched as they are read.
 *
 * The patches that always apply are no changes of behaviour: bounds are made so small that small schedules reach them, and
 * the one memory that an isolate keeps beside its objects can be emptied. A mutant is one more patch (`mutants.ts`).
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

export interface Patch {
  /** From the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A file of the repository. */
export function pathOf(file: string): string {
  return fileURLToPath(import.meta.resolve(`../../${file}`));
}

const always: readonly Patch[] = [
  { file: "src/limits.ts", find: "tailEntriesMax = 64", replace: "tailEntriesMax = 4" },
  { file: "src/limits.ts", find: "absorbEntriesMax = 500", replace: "absorbEntriesMax = 2" },
  {
    file: "src/ingest/deliver.ts",
    find: "export type Delivered",
    replace: "export function forgetHints(): void { hints.clear(); }\nexport type Delivered",
  },
  {
    file: "src/objects/policy-cache.ts",
    find: "const parsed = new Map<string, Policy>();",
    replace: "const parsed = new Map<string, Policy>();\nexport function forgetPolicies(): void { parsed.clear(); }",
  },
];

export function patched(source: string, patch: Patch): string {
  const parts = source.split(patch.find);
  if (parts.length !== 2)
    throw new Error(`${patch.file}: ${JSON.stringify(patch.find)} occurs ${parts.length - 1} times, not once`);
  return parts.join(patch.replace);
}

export function installHooks(mutant: readonly Patch[]): void {
  const patches = new Map<string, Patch[]>();
  for (const patch of [...always, ...mutant]) {
    const path = pathOf(patch.file);
    patches.set(path, [...(patches.get(path) ?? []), patch]);
  }
  const standIn = (name: string) => import.meta.resolve(name);
  const crm = import.meta.resolve("../../connectors/index.ts");
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (specifier === "cloudflare:workers") return { url: standIn("./durable-object.ts"), shortCircuit: true };
      const resolved = nextResolve(specifier, context);
      return resolved.url === crm ? { ...resolved, url: standIn("./crm.ts") } : resolved;
    },
    load(url, context, nextLoad) {
      const path = url.startsWith("file:") ? fileURLToPath(url) : "";
      const mine = patches.get(path);
      if (mine === undefined) return nextLoad(url, context);
      const source = mine.reduce(patched, readFileSync(path, "utf8"));
      return { format: "module-typescript", source, shortCircuit: true };
    },
  });
}
