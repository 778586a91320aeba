/** A real Chromium for the tests of pages; its pictures are kept in `dist/screenshots`. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";

export interface Browser {
  /** A page of its own, `width` CSS pixels wide. Whatever goes wrong in it fails the test that closes the browser. */
  open(url: string, width?: number): Promise<Page>;
  /** Kept as `dist/screenshots/<name>.png`, the whole page. */
  keep(page: Page, name: string): Promise<void>;
  /** Errors of scripts and what could not be loaded, of all pages so far. */
  readonly errors: readonly string[];
  close(): Promise<void>;
}

/** Where Debian puts it; `CHROMIUM` names another. */
const program = process.env.CHROMIUM ?? "/usr/bin/chromium";
const pictures = join("dist", "screenshots");

export async function openBrowser(): Promise<Browser> {
  if (!existsSync(program))
    throw new Error(`There is no browser at ${program}: apt-get install chromium, or set CHROMIUM.`);
  mkdirSync(pictures, { recursive: true });
  const profile = mkdtempSync(join(tmpdir(), "baton-e2e-"));
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: program,
    viewport: { width: 1_200, height: 800 },
    // The last four keep it from calling home (it has no internet here and would wait for it).
    args: [
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--disable-gpu",
      "--no-first-run",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  const errors: string[] = [];
  return {
    errors,
    open: async (url, width = 1_200) => {
      const page = await context.newPage();
      await page.setViewportSize({ width, height: 800 });
      page.on("pageerror", (error) => errors.push(`${page.url()}: ${error.message}`));
      page.on("requestfailed", (request) => errors.push(`${request.url()}: ${request.failure()?.errorText ?? ""}`));
      await page.goto(url);
      return page;
    },
    keep: async (page, name) => {
      await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
    },
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
