/**
 * The card as a seller sees it, in a real browser: HubSpot's own front end with plain HTML for HubSpot's components (the stage of
 * `connectors/hubspot/app`), Salesforce's own compiler's build of the Lightning component (the stage of `connectors/salesforce/package`), and the
 * record pages of both stand-ins. Against the real engine, with one person who asked for a demo.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { scratchFolder } from "../../src/local/scratch.ts";
import { salesforceCardKey, seedWorkspace } from "../../src/local/seed.ts";
import { openStage, type Stage } from "../../src/local/stage.ts";
import { type Browser, openBrowser } from "./browser.ts";

const [sam, kim] = ["sam@example.com", "kim@example.com"];
const app = join("connectors", "hubspot", "app");
const lightning = join("connectors", "salesforce", "package");
let stage: Stage;
let browser: Browser;
let pages: Server | undefined;
/** Where they are served. */
let pagesUrl: string;
let contact: string;
let lead: string;
let cardKey: string;
/** What HubSpot answers instead of Baton's door, where a test wants that. */
let instead: { readonly status: number; readonly body: unknown } | null = null;

beforeAll(async () => {
  for (const folder of [app, lightning]) {
    const npm = (...words: string[]) => execFileSync("npm", ["--prefix", folder, ...words], { stdio: "pipe" });
    if (!existsSync(join(folder, "node_modules"))) npm("ci", "--no-audit", "--no-fund");
    npm("run", "stage");
  }
  stage = await openStage({ folder: scratchFolder("e2e-card"), salesTeam: [sam, kim] });
  browser = await openBrowser();
  const workspace = await seedWorkspace(stage.engine.url, stage.adminToken, {
    id: "card",
    salesTeam: [sam, kim],
    crms: ["hubspot", "salesforce"],
    emitters: [{ name: "tools", vendor: "baton", secrets: ["secret-of-the-tools"] }],
  });
  cardKey = await salesforceCardKey(stage.engine.url, workspace.apiKey);
  stage.salesforce.showCard({ url: `${stage.engine.url}/card/salesforce`, key: cardKey });
  const identifiers = [{ type: "email", value: "ada@example.com" }];
  const traits = { first_name: "Ada", last_name: "Example", company: "Northwind", job_title: "Head of Operations" };
  const signals = [
    { id: "p1", kind: "pricing_viewed", identifiers },
    { id: "d1", kind: "demo_requested", identifiers, traits },
  ];
  for (const signal of signals) {
    const sent = await fetch(`${stage.engine.url}/v1/signals`, {
      method: "POST",
      headers: {
        authorization: `Basic ${btoa(`${workspace.emitters.tools?.key ?? ""}:secret-of-the-tools`)}`,
        "content-type": "application/json",
      },
      body: JSON.stringify(signal),
    });
    expect(sent.status).toBe(202);
  }
  for (const crm of ["hubspot", "salesforce"] as const)
    await vi.waitFor(() => expect(stage.tasks(crm).length).toBe(1), { timeout: 20_000 });
  contact = stage.hubspot.state().contacts[0]?.id ?? "";
  lead = stage.salesforce.org.state().people[0]?.id ?? "";
  pages = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://stage").pathname;
    const file = join(app, "dist", "stage", path === "/" ? "index.html" : path.slice(1));
    const isThere = existsSync(file);
    response.writeHead(isThere ? 200 : 404, { "content-type": file.endsWith(".js") ? "text/javascript" : "text/html" });
    response.end(isThere ? readFileSync(file) : "");
  });
  const listening = pages;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  pagesUrl = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await browser.close();
  await stage.close();
  pages?.close();
});

/** HubSpot's page with the card on it: what the card asks for is signed and sent by the twin, as HubSpot does. */
async function hubspotPage(place: "sidebar" | "tab", userEmail = sam, objectId = contact): Promise<Page> {
  const page = await browser.open("about:blank");
  await page.exposeFunction("batonFetch", async (url: string, method: "GET" | "POST", body: unknown) => {
    if (instead !== null) return instead;
    const answers = await stage.hubspot.card({ url, method, userEmail, ...(body === undefined ? {} : { body }) });
    return answers.at(-1);
  });
  await page.addInitScript(
    ([batonUrl, id]) => {
      const host = globalThis as unknown as { batonFetch: unknown; batonHost: unknown };
      host.batonHost = { batonUrl, objectTypeId: "0-1", objectId: id, fetch: host.batonFetch };
    },
    [stage.engine.url, objectId],
  );
  await page.goto(`${pagesUrl}/#${place}`);
  return page;
}

describe("the card in HubSpot", () => {
  it("says why this person, why now, in the sidebar and in a tab", async () => {
    for (const place of ["sidebar", "tab"] as const) {
      const page = await hubspotPage(place);
      await page.getByText("Head of Operations").first().waitFor();
      expect(await page.textContent("#card h2")).toMatch(/^Asked for a demo/);
      await browser.keep(page, `hubspot-card-${place}`);
    }
  });

  it("puts a follow-up off with the keyboard alone, and hears the second press as the first", async () => {
    const page = await hubspotPage("sidebar");
    await page.getByRole("button", { name: "No answer" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("Done", { exact: true }).waitFor();
    await browser.keep(page, "hubspot-card-pressed");
    expect(stage.tasks("hubspot").filter(({ open }) => open).length).toBe(1);
  });

  it("tells somebody who is no colleague that they may not see it", async () => {
    const page = await hubspotPage("sidebar", "stranger@example.com");
    await page.getByRole("alert").waitFor();
    expect(await page.textContent("#card")).toContain("You may not see this");
    await browser.keep(page, "hubspot-card-not-allowed");
  });

  it("is empty, and no mistake, where no tool has said anything", async () => {
    const page = await hubspotPage("sidebar", sam, "999999");
    await page.getByText("Nothing yet").waitFor();
    await browser.keep(page, "hubspot-card-empty");
  });

  it("offers to try again where Baton does not answer", async () => {
    instead = { status: 503, body: { title: "Unavailable", status: 503, code: "unavailable" } };
    const page = await hubspotPage("sidebar");
    await page.getByRole("button", { name: "Try again" }).waitFor();
    await browser.keep(page, "hubspot-card-failed");
    instead = null;
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("Head of Operations").first().waitFor();
  });
});

/** Salesforce's record page with the Lightning component on it. What Apex asks for there, a script asks the engine for here. */
async function lightningPage(user = sam, record = lead): Promise<Page> {
  const page = await browser.open("about:blank");
  // The engine lets no other origin ask, so the page is one of its own.
  const address = `${stage.engine.url}/record-page`;
  await page.route(address, (route) => route.fulfill({ path: join(lightning, "stage", "built", "card.html") }));
  await page.addInitScript((told) => Object.assign(globalThis, { stage: told }), {
    engine: "",
    key: cardKey,
    org: stage.salesforce.org.organizationId,
    user,
    object: "Lead",
    record,
  });
  await page.goto(address);
  return page;
}

describe("the card in Salesforce", () => {
  it("says why this person, why now", async () => {
    const page = await lightningPage();
    await page.getByText("Head of Operations").first().waitFor();
    expect(await page.getByRole("region", { name: "Why this person, why now" }).textContent()).toContain(
      "Asked for a demo",
    );
    await browser.keep(page, "salesforce-card");
  });

  it("puts a follow-up off with the keyboard alone, and says so", async () => {
    const page = await lightningPage();
    await page.getByRole("button", { name: "No answer" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("status").filter({ hasText: /\S/ }).waitFor();
    await browser.keep(page, "salesforce-card-pressed");
    expect(stage.tasks("salesforce").filter(({ open }) => open).length).toBe(1);
  });

  it("tells somebody who is no colleague that they may not see it", async () => {
    const page = await lightningPage("stranger@example.com");
    await page.getByRole("alert").waitFor();
    expect(await page.getByRole("alert").textContent()).toContain("Baton does not know you as a colleague");
    await browser.keep(page, "salesforce-card-not-allowed");
  });

  it("is empty, and no mistake, where no tool has said anything", async () => {
    const page = await lightningPage(sam, "00Q00000000ZZZZ");
    await page.getByText("No tool has said anything").waitFor();
    await browser.keep(page, "salesforce-card-empty");
  });

  it("offers to try again where Baton does not answer", async () => {
    let isDown = true;
    const page = await lightningPage();
    await page.getByText("Head of Operations").first().waitFor();
    await page.route("**/card/salesforce/record?*", (route) =>
      isDown
        ? route.fulfill({ status: 503, json: { title: "Unavailable", status: 503, code: "unavailable" } })
        : route.continue(),
    );
    await page.getByRole("button", { name: "Read the card again" }).click();
    await page.getByRole("button", { name: "Try again" }).waitFor();
    await browser.keep(page, "salesforce-card-failed");
    isDown = false;
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("alert").waitFor({ state: "detached" });
    await page.getByText("Head of Operations").first().waitFor();
  });
});

describe("the record page of a stand-in", () => {
  it("shows the card in both CRMs", async () => {
    const inHubspot = `${stage.hubspot.url}/contacts/${stage.hubspot.account.portalId}/record/0-1/${contact}`;
    for (const [name, url] of [
      ["hubspot", inHubspot],
      ["salesforce", `${stage.salesforce.url}/${lead}`],
    ] as const) {
      const page = await browser.open(`${url}?viewer=${sam}`);
      expect(await page.textContent("aside")).toContain("Asked for a demo");
      await browser.keep(page, `record-page-${name}`);
    }
  });

  it("does what a button says, and the task in the other CRM follows", async () => {
    const page = await browser.open(`${stage.salesforce.url}/${lead}?viewer=${sam}`);
    await page.getByRole("button", { name: "Reached" }).click();
    await page.getByRole("status").waitFor();
    await browser.keep(page, "record-page-pressed");
    await expect.poll(() => stage.tasks("hubspot").filter(({ open }) => open).length, { timeout: 20_000 }).toBe(0);
  });
});

it("has nothing on it that fails", () => {
  expect(browser.errors).toEqual([]);
});
