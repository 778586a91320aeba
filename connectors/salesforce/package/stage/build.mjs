/**
 * Builds the card into one static page that stands in for Salesforce's record page, and prints its path. The components are
 * the package's own, compiled by Salesforce's compiler; `lightning-*` are small stand-ins of ours, and Apex is `apex.js`.
 *
 * How to open it is said in the package's README.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import lwc from "@lwc/rollup-plugin";
import { rollup } from "rollup";

const stage = dirname(fileURLToPath(import.meta.url));
const main = join(stage, "../force-app/main/default");

/** Our components are in Salesforce's own layout, `lwc/<name>`, which the compiler knows as namespace `c`. */
const components = {
  name: "components",
  resolveId(id) {
    const [, own] = /^c\/(\w+)$/.exec(id) ?? [];
    return own === undefined ? null : join(main, "lwc", own, `${own}.js`);
  },
};

/** Apex methods are functions of `apex.js`. */
const apex = {
  name: "apex",
  resolveId: (id) => (id.startsWith("@salesforce/apex/") ? `\0${id}` : null),
  load(id) {
    const [, method] = /^\0@salesforce\/apex\/BatonCardController\.(\w+)$/.exec(id) ?? [];
    return method === undefined
      ? null
      : `export { ${method} as default } from ${JSON.stringify(join(stage, "apex.js"))};`;
  },
};

/** The engine's checks for developers stay in: a mistake of ours then shows as an error of the page. */
const environment = {
  name: "environment",
  transform: (code) => ({ code: code.replaceAll("process.env.NODE_ENV", '"development"'), map: null }),
};

export async function build(out = join(stage, "built")) {
  const bundle = await rollup({
    input: join(stage, "main.js"),
    plugins: [
      components,
      apex,
      environment,
      lwc({
        rootDir: main,
        modules: [{ dir: join(stage, "modules") }, { npm: "@lwc/engine-dom" }],
      }),
    ],
    onwarn(warning) {
      throw new Error(warning.message);
    },
  });
  const { output } = await bundle.generate({ format: "iife" });
  await bundle.close();
  const page = readFileSync(join(stage, "page.html"), "utf8");
  // A function, for `$` in the code would otherwise be taken for a pattern.
  const html = page.replace("/*card*/", () => output[0].code.replaceAll("</script", "<\\/script"));
  mkdirSync(out, { recursive: true });
  const file = join(out, "card.html");
  writeFileSync(file, html);
  return file;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(await build());
}
