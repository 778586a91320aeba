/** The promise of STYLE "Pure core, thin shell", kept by reading the source: a comment that says "pure" proves nothing. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** Folders and files that take plain data and give plain data. */
const pureFolders = ["src/translate", "src/resolve", "src/decide", "src/act"];
const pureFiles = [
  "src/ledger/rows.ts",
  "src/model.ts",
  "src/failure.ts",
  "src/limits.ts",
  "src/api/instants.ts",
  "src/api/sla.ts",
  ...["buttons", "card", "card-key", "headline", "next-attempt", "people", "record", "story", "timeline", "words"].map(
    (name) => `src/card/${name}.ts`,
  ),
];
/** `crypto.ts` gives hashes and names to the core; its random and asynchronous parts are not reachable from pure code by name. */
const allowedOutside = new Set(["src/crypto.ts", "src/limits.ts", "src/model.ts", "src/failure.ts"]);
const allowedPackages = new Set([
  "zod",
  "tldts",
  "libphonenumber-js/min",
  "node:crypto",
  "temporal-polyfill/fns/ZonedDateTime",
]);
const impure =
  /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bfetch\(|\bconsole\.|\brandomToken\b|\bcrypto\.getRandomValues|\bcrypto\.subtle|\bsetTimeout\(|\bprocess\.|\bawait\b/;

function filesOf(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name));
}

const connectorFiles = readdirSync(join(root, "connectors"), { recursive: true, encoding: "utf8" })
  .filter(
    (name) =>
      /(^|\/)(manifest|schema|verify|translate|requests|errors|kinds|signature)\.ts$/.test(name) &&
      // The vendors' own projects bring their own packages.
      !/(^|\/)(twin|node_modules)\//.test(name),
  )
  .map((name) => join("connectors", name));

const all = [...pureFolders.flatMap(filesOf), ...pureFiles, ...connectorFiles];

describe("the pure core", () => {
  it("is found by this test", () => {
    expect(all).toContain("src/decide/decide.ts");
    expect(all).toContain("src/resolve/node.ts");
    expect(all.length).toBeGreaterThan(20);
  });

  it.each(all)("%s reads no clock, draws no chance, and does no I/O", (file) => {
    const code = readFileSync(join(root, file), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    expect(impure.exec(code)?.[0]).toBeUndefined();
  });

  it.each(all)("%s imports only what is pure as well", (file) => {
    const code = readFileSync(join(root, file), "utf8");
    for (const [, typeOnly, from] of code.matchAll(/^import (type )?[^;]*? from "([^"]+)";/gms)) {
      if (typeOnly !== undefined || from === undefined) continue;
      if (!from.startsWith(".")) {
        expect(allowedPackages, `${file} imports ${from}`).toContain(from);
        continue;
      }
      const target = relative(root, resolve(root, dirname(file), from));
      if (pureFiles.includes(target)) continue;
      const inside = pureFolders.some((folder) => target.startsWith(`${folder}/`)) || target.startsWith("connectors/");
      expect(inside || allowedOutside.has(target), `${file} imports ${target}`).toBe(true);
    }
  });
});
