/**
 * What a browser gets. Built as HubSpot builds it (`@hubspot/ui-extensions-dev-server` 2.1.2, `remoteBuild`): its Vite, one script per
 * entry point, React and remote-ui from outside; with its folder as root, so that nothing may come from beside it.
 */
import { readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";
import * as RemoteUI from "@remote-ui/react";
import * as React from "react";
import { build, type Rollup } from "vite";
import { describe, expect, it, vi } from "vitest";

const projectDir = fileURLToPath(new URL("..", import.meta.url));
const appDir = join(projectDir, "src/app");
/** HubSpot states no bound; this is what a card may cost a seller's browser before somebody asks why. */
const bundleBytesMax = 200_000;

async function bundleOf(entry: string): Promise<Rollup.OutputChunk> {
  // Or Vite, run by a test, builds for tests.
  vi.stubEnv("NODE_ENV", "production");
  const built = await build({
    configFile: false,
    logLevel: "error",
    root: dirname(entry),
    define: { "process.env.NODE_ENV": '"production"' },
    build: {
      write: false,
      minify: true,
      lib: { entry, name: "card", formats: ["iife"], fileName: () => "card.js" },
      rollupOptions: {
        external: ["react", "react-dom", "@remote-ui/react"],
        output: { globals: { react: "React", "@remote-ui/react": "RemoteUI" }, extend: true },
      },
    },
  });
  const [{ output }] = built as [Rollup.RollupOutput];
  expect(output).toHaveLength(1);
  return output[0];
}

describe.each(["cards/Sidebar.tsx", "cards/Tab.tsx", "settings/Settings.tsx"])("%s", (file) => {
  const entry = join(appDir, file);
  const folder = dirname(entry) + sep;

  it("is one script of its own folder and of HubSpot's package", async () => {
    const chunk = await bundleOf(entry);
    const beside = chunk.moduleIds.filter(
      (id) => !id.startsWith(folder) && !id.includes("node_modules") && !id.startsWith("\0"),
    );
    expect(beside).toEqual([]);
    const packages = chunk.moduleIds.flatMap((id) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1] ?? []);
    const allowed = new Set(["@hubspot/ui-extensions", "@remote-ui/core", "@remote-ui/rpc", "react", "tslib"]);
    expect([...new Set(packages)].filter((name) => !allowed.has(name))).toEqual([]);
    expect(chunk.imports.filter((name) => name !== "react" && name !== "@remote-ui/react")).toEqual([]);
    expect(Buffer.byteLength(chunk.code)).toBeLessThan(bundleBytesMax);
  });

  it("runs where there is no page, only HubSpot's worker, and hands HubSpot one extension", async () => {
    const { code } = await bundleOf(entry);
    const extensions: ((api: object) => { readonly props: object })[] = [];
    const worker = {
      __HUBSPOT_EXTENSION_WORKER__: true,
      extend_V2: (extension: (typeof extensions)[number]) => extensions.push(extension),
    };
    runInNewContext(code, { self: worker, React, RemoteUI, URLSearchParams });
    expect(extensions).toHaveLength(1);
    const variables = { BATON_URL: "https://baton.example.com" };
    expect(extensions[0]?.({ context: { variables }, actions: {} }).props).toMatchObject(
      {
        "cards/Sidebar.tsx": { layout: "compact", context: { variables } },
        "cards/Tab.tsx": { layout: "wide", context: { variables } },
        "settings/Settings.tsx": { batonUrl: "https://baton.example.com" },
      }[file] ?? {},
    );
  });
});

describe("the packages that HubSpot installs", () => {
  it.each(["cards", "settings"])("for %s are the very ones tested here", (folder) => {
    const read = (path: string) => JSON.parse(readFileSync(path, "utf8")) as Record<string, Record<string, string>>;
    const tested = read(join(projectDir, "package.json")).devDependencies ?? {};
    const installed = read(join(appDir, folder, "package.json")).dependencies ?? {};
    expect(Object.keys(installed)).toEqual(["@hubspot/ui-extensions", "react"]);
    for (const [name, version] of Object.entries(installed)) expect(version).toBe(tested[name]);
  });
});
