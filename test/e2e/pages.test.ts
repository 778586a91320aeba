/** The pages of the engine as a person opens them: the first one, and the one that the link in a task leads to. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { scratchFolder } from "../../src/local/scratch.ts";
import { seedWorkspace } from "../../src/local/seed.ts";
import { openStage, type Stage } from "../../src/local/stage.ts";
import { type Browser, openBrowser } from "./browser.ts";

const sam = "sam@example.com";
let stage: Stage;
let browser: Browser;

beforeAll(async () => {
  stage = await openStage({ folder: scratchFolder("e2e-pages"), salesTeam: [sam] });
  browser = await openBrowser();
});

afterAll(async () => {
  await browser.close();
  await stage.close();
});

it("says what is running, and where to go", async () => {
  const page = await browser.open(stage.engine.url);
  expect(await page.title()).toBe("Baton");
  expect(await page.textContent("h1")).toBe("Baton");
  await browser.keep(page, "overview");
});

it("shows a seller who follows the link in a task why this person, why now", async () => {
  const workspace = await seedWorkspace(stage.engine.url, stage.adminToken, {
    id: "pages",
    salesTeam: [sam],
    crms: ["hubspot"],
    emitters: [{ name: "tools", vendor: "baton", secrets: ["secret-of-the-tools"] }],
  });
  const ada = { type: "email", value: "ada@example.com" };
  const sent = await fetch(`${stage.engine.url}/v1/signals`, {
    method: "POST",
    headers: {
      authorization: `Basic ${btoa(`${workspace.emitters.tools?.key ?? ""}:secret-of-the-tools`)}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ id: "d1", kind: "demo_requested", identifiers: [ada], traits: { first_name: "Ada" } }),
  });
  expect(sent.status).toBe(202);
  await expect.poll(() => stage.tasks("hubspot").length, { timeout: 20_000 }).toBe(1);
  const [task] = stage.tasks("hubspot");
  const inCrm = await browser.open(
    `${stage.hubspot.url}/tasks/${stage.hubspot.account.portalId}/view/all/task/${task?.id ?? ""}`,
  );
  const body = (await inCrm.textContent("table")) ?? "";
  const page = await browser.open(
    /https?:\/\/[^\s"<>]*\/leads\/[^\s"<>]*key=[0-9a-f]{32}/.exec(body)?.[0] ?? "about:blank",
  );
  expect(await page.textContent("h1")).toContain("Ada");
  await browser.keep(page, "lead-page");
});

it("has nothing on them that fails", () => {
  expect(browser.errors).toEqual([]);
});
