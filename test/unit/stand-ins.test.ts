/**
 * What stands in for packages in the Worker (wrangler.toml, [alias]) does what the packages do, where the loaded part of
 * jsforce asks for it; and that part asks of a connection no more than connectors/salesforce/client.ts gives it.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";

type Checks = Readonly<Record<string, (value: unknown) => boolean>>;

const require = createRequire(import.meta.url);
const standIn: Checks = require("../../connectors/salesforce/is.cjs");
const whole: Checks = createRequire(require.resolve("jsforce"))("@sindresorhus/is");

describe("the stand-in for `is`", () => {
  it("has every check that the loaded part of jsforce uses, and no more", () => {
    const used = new Set<string>();
    const folder = dirname(require.resolve("jsforce/lib/http-api.js"));
    const loaded = new Set([join(folder, "http-api.js")]);
    for (const file of loaded) {
      const source = readFileSync(file, "utf8");
      for (const [, name = ""] of source.matchAll(/\bis_1\.default\.(\w+)/g)) used.add(name);
      for (const [, name = ""] of source.matchAll(/\brequire\("(\.[^"]+)"\)/g))
        loaded.add(join(dirname(file), `${name}.js`));
    }
    expect([...loaded].map((file) => relative(folder, file)).sort()).toEqual([
      "csv.js",
      "http-api.js",
      "util/get-body-size.js",
      "util/logger.js",
      "util/promise.js",
      "util/stream.js",
    ]);
    expect([...used].sort()).toEqual(["buffer", "function_", "nodeStream", "string", "urlSearchParams"]);
    expect(Object.keys(standIn).sort()).toEqual([...used].sort());
  });

  const values: readonly (readonly [name: string, value: unknown, checks: readonly string[]])[] = [
    ["text", "{}", ["string"]],
    ["no text", "", ["string"]],
    ["a function", () => "", ["function_"]],
    ["bytes", Buffer.from("a"), ["buffer"]],
    ["bytes that are no Buffer", new Uint8Array(1), []],
    ["a form", new URLSearchParams("a=b"), ["urlSearchParams"]],
    ["a stream", new PassThrough(), ["nodeStream"]],
    ["a stream of the web", new ReadableStream(), []],
    ["an object", { pipe: "no function" }, []],
    ["a number", 1, []],
    ["null", null, []],
    ["nothing", undefined, []],
  ];
  for (const [name, value, checks] of values) {
    it(`takes ${name} for ${checks.join(" and ") || "none of them"}, as the package does`, () => {
      const said = (of: Checks) => Object.keys(standIn).filter((check) => of[check]?.(value) === true);
      expect(said(standIn)).toEqual(checks);
      expect(said(whole)).toEqual(checks);
    });
  }
});

describe("the connection that jsforce's HttpApi is given", () => {
  it("is asked for its access token, and beside it only for what may be absent", () => {
    const source = readFileSync(require.resolve("jsforce/lib/http-api.js"), "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, "");
    const asked = new Set(Array.from(source.matchAll(/\b_?conn\.(\w+)/g), ([, name = ""]) => name));
    // Call options, a log level, a refresh and a transport other than the request's: a connection need have none of these.
    expect([...asked].sort()).toEqual(["_callOptions", "_logLevel", "_refreshDelegate", "_transport", "accessToken"]);
  });
});
