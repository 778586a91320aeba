/** `npm run stage` builds one HTML file into `dist/stage`: the card's own code with plain HTML in place of HubSpot's components. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("."),
  base: "./",
  logLevel: "warn",
  define: { "process.env.NODE_ENV": '"production"' },
  resolve: { alias: [{ find: "@hubspot/ui-extensions", replacement: here("components.tsx") }] },
  esbuild: { jsx: "automatic", jsxDev: false },
  build: { outDir: here("../dist/stage"), emptyOutDir: true },
});
