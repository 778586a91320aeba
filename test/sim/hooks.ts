/**
 * Makes Node load the product's real source, with three things put in its way: `cloudflare:workers` is a stand-in,
 * `connectors/index.ts` is the simulator's CRM, and a few files are patched as they are read.
 *
 * The patches that always apply are no changes of behaviour: bounds are made so small that small schedules reach them,
 * the one memory that an isolate keeps beside its objects can be emptied, and what is computed again and again from the
 * same text (hashes, the policy) is remembered. A mutant is one more patch (`mutants.ts`).
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

const small: readonly Patch[] = [
  { file: "src/limits.ts", find: "tailEntriesMax = 64", replace: "tailEntriesMax = 4" },
  { file: "src/limits.ts", find: "absorbEntriesMax = 500", replace: "absorbEntriesMax = 2" },
  { file: "src/limits.ts", find: "hearRowsMax = 2_000", replace: "hearRowsMax = 1" },
];

const always: readonly Patch[] = [
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
  ...["deriveKey", "nodeName", "digest"].map((name) => ({
    file: "src/crypto.ts",
    find: `export function ${name}(`,
    replace: `export const ${name} = remembered(${name}Anew);\nfunction ${name}Anew(`,
  })),
  {
    file: "src/crypto.ts",
    find: 'import { hmac } from "@noble/hashes/hmac.js";',
    replace: `import { remembered } from "${import.meta.url}";\nimport { hmac } from "@noble/hashes/hmac.js";`,
  },
  {
    file: "src/workspace.ts",
    find: 'import { type Policy, policyShape } from "./decide/policy.ts";',
    replace: `import { type Policy, policyShape } from "./decide/policy.ts";
import { frozen, remembered } from "${import.meta.url}";
const policyOf = remembered((text) => frozen(policyShape.parse(JSON.parse(text))));
const jsonOf = remembered((text) => JSON.stringify(policyOf(text)));`,
  },
  { file: "src/workspace.ts", find: "policyShape.parse(JSON.parse(row.document))", replace: "policyOf(row.document)" },
  { file: "src/workspace.ts", find: "policyJson: JSON.stringify(policy)", replace: "policyJson: jsonOf(row.document)" },
];

/** The same function, which must be pure, without computing anything twice. */
export function remembered<A extends readonly (string | Uint8Array)[], T>(
  work: (...given: A) => T,
): (...given: A) => T {
  const ofText = new Map<string, T>();
  const ofParts = new Map<string, T>();
  return (...given) => {
    const [text, ...others] = given;
    const isText = typeof text === "string" && others.length === 0;
    const [known, key] = isText ? [ofText, text] : [ofParts, keyOf(given)];
    let value = known.get(key);
    if (value === undefined) {
      if (known.size >= rememberedMax) known.clear();
      value = work(...given);
      known.set(key, value);
    }
    // Bytes can be written to, and nobody may change what the next one gets.
    return value instanceof Uint8Array ? (value.slice() as T) : value;
  };
}

function keyOf(parts: readonly (string | Uint8Array)[]): string {
  let key = "";
  for (const part of parts) key += `${part.length}:${typeof part === "string" ? part : String.fromCharCode(...part)}`;
  return key;
}

const rememberedMax = 20_000;

/** What is shared by those that believe they have one each. */
export function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const item of Object.values(value)) frozen(item);
  return Object.freeze(value);
}

export function patched(source: string, patch: Patch): string {
  const parts = source.split(patch.find);
  if (parts.length !== 2)
    throw new Error(`${patch.file}: ${JSON.stringify(patch.find)} occurs ${parts.length - 1} times, not once`);
  return parts.join(patch.replace);
}

/** `asShipped`: the bounds are those of production, and the CRMs' own clients are loaded. */
export function installHooks(mutant: readonly Patch[], asShipped = false): void {
  const patches = new Map<string, Patch[]>();
  for (const patch of [...always, ...(asShipped ? [] : small), ...mutant]) {
    const path = pathOf(patch.file);
    patches.set(path, [...(patches.get(path) ?? []), patch]);
  }
  const standIn = (name: string) => import.meta.resolve(name);
  const crm = import.meta.resolve("../../connectors/index.ts");
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (specifier === "cloudflare:workers") return { url: standIn("./durable-object.ts"), shortCircuit: true };
      const resolved = nextResolve(specifier, context);
      return resolved.url === crm && !asShipped ? { ...resolved, url: standIn("./crm.ts") } : resolved;
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
