/**
 * What can be known of the package without an org: every file belongs to a metadata type that Salesforce's own library knows
 * and can be turned into the form that is deployed; every XML file is well formed; every name that one file says of another is
 * there; nothing secret and nobody's key stands in it; Apex can be parsed. Prints one line a check and exits 1 at the first that fails.
 *
 * What only an org can tell is listed in the package's README.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { checkApex } from "./apex.mjs";
import { checkNames } from "./names.mjs";
import { checkSecrets } from "./secrets.mjs";
import { checkConversion } from "./types.mjs";
import { checkXml } from "./xml.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Every file of the package, as `{path, text}`; tests of components are no part of it. */
function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("__tests__"))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { path: relative(root, path), text: readFileSync(path, "utf8") };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

const files = filesOf(join(root, "force-app"));
const project = JSON.parse(readFileSync(join(root, "sfdx-project.json"), "utf8"));
const out = mkdtempSync(join(tmpdir(), "baton-package-"));
try {
  const checks = [
    ["XML is well formed", () => checkXml(files)],
    ["names lead to something", () => checkNames(files, project)],
    ["no secret, no key", () => checkSecrets(files)],
    ["Apex can be parsed", () => checkApex(files)],
    ["every file has a type and converts", () => checkConversion(root, files, project, out)],
  ];
  for (const [title, check] of checks) {
    console.log(`${title}: ${await check()}`);
  }
} finally {
  rmSync(out, { recursive: true, force: true });
}
