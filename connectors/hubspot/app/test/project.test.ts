/**
 * The project as HubSpot's own tool reads it: `hs project upload` translates it with this very library. The library checks
 * places, uids and members by itself, and the contents against schemas that it fetches with the login of an account; here it
 * gets those of `documented.ts` instead.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { getProjectMetadata, parseProjectConfig } from "@hubspot/project-parsing-lib/projects";
import { isTranslationError, translate } from "@hubspot/project-parsing-lib/translate";
import { afterEach, describe, expect, it, vi } from "vitest";
import { documentedSchemas } from "./documented.ts";

vi.mock("@hubspot/local-dev-lib/http", () => ({ http: { get: async () => ({ data: documentedSchemas }) } }));

const projectDir = fileURLToPath(new URL("..", import.meta.url));
const config = parseProjectConfig(projectDir);
const sourceDir = join(projectDir, config.srcDir);

function translated(projectSourceDir: string) {
  return translate({ projectSourceDir, platformVersion: config.platformVersion, accountId: 1 }, { profile: "example" });
}

async function configs(): Promise<Record<string, Record<string, unknown>>> {
  const { intermediateRepresentation } = await translated(sourceDir);
  const nodes = Object.entries(intermediateRepresentation.intermediateNodesIndexedByUid);
  return Object.fromEntries(nodes.map(([uid, node]) => [uid, node.config as Record<string, unknown>]));
}

describe("the project", () => {
  it("is of platform version 2026.09", () => {
    expect(config).toEqual({ name: "baton", srcDir: "src", platformVersion: "2026.09" });
  });

  it("is accepted by HubSpot's translator, no file passed over, every part under the app", async () => {
    const { intermediateRepresentation, skippedHsMetaFiles } = await translated(sourceDir);
    expect(skippedHsMetaFiles).toEqual([]);
    const nodes = Object.values(intermediateRepresentation.intermediateNodesIndexedByUid);
    expect(nodes.map((node) => [node.uid, node.componentType, node.componentDeps.app]).sort()).toEqual([
      ["baton", "APPLICATION", undefined],
      ["baton_card_sidebar", "CARD", "baton"],
      ["baton_card_tab", "CARD", "baton"],
      ["baton_hand_over", "WORKFLOW_ACTION", "baton"],
      ["baton_settings", "SETTINGS", "baton"],
      ["baton_webhooks", "WEBHOOKS", "baton"],
    ]);
  });

  it("has no more of anything than HubSpot allows", async () => {
    const { components } = await getProjectMetadata(sourceDir);
    for (const { count, maxCount } of Object.values(components)) expect(count).toBeLessThanOrEqual(maxCount);
    expect(components.webhooks?.count).toBe(1);
  });

  it("points every address at the Baton of the profile", async () => {
    const { baton, baton_webhooks, baton_hand_over } = await configs();
    expect(baton).toMatchObject({
      auth: { redirectUrls: ["https://baton.example.com/oauth/hubspot/callback"] },
      permittedUrls: { fetch: ["https://baton.example.com"], iframe: [], img: [] },
    });
    expect(baton_webhooks).toMatchObject({
      settings: { targetUrl: "https://baton.example.com/in/key-of-the-hubspot-emitter" },
    });
    expect(baton_hand_over).toMatchObject({ actionUrl: "https://baton.example.com/in/key-of-the-workflow-emitter" });
  });

  it("hands the profile's variables on to the card, which reads BATON_URL", async () => {
    const { intermediateRepresentation } = await translated(sourceDir);
    expect(intermediateRepresentation.profileData?.vars.profileVariables.BATON_URL).toEqual({
      variableType: "PROFILE_STRING",
      value: "https://baton.example.com",
    });
  });

  it("has every entry point that it names", async () => {
    const entries = Object.values(await configs()).flatMap(({ entrypoint }) =>
      typeof entrypoint === "string" ? [entrypoint] : [],
    );
    expect(entries.sort()).toEqual(["/app/cards/Sidebar.tsx", "/app/cards/Tab.tsx", "/app/settings/Settings.tsx"]);
    for (const entry of entries) expect(existsSync(join(sourceDir, entry))).toBe(true);
  });

  it("labels and explains every field of the workflow action, and no other", async () => {
    const { baton_hand_over } = await configs();
    const { inputFields, labels } = baton_hand_over as {
      inputFields: readonly { typeDefinition: { name: string } }[];
      labels: { en: Record<"inputFieldLabels" | "inputFieldDescriptions", object> };
    };
    const names = inputFields.map((field) => field.typeDefinition.name);
    expect(Object.keys(labels.en.inputFieldLabels)).toEqual(names);
    expect(Object.keys(labels.en.inputFieldDescriptions)).toEqual(names);
  });
});

describe("a project with a fault", () => {
  const copies: string[] = [];
  afterEach(() => {
    for (const copy of copies.splice(0)) rmSync(copy, { recursive: true });
  });

  /** A copy of the sources with one file changed. */
  function changed(file: string, change: (text: string) => string, to = file): string {
    const copy = mkdtempSync(join(tmpdir(), "baton-hubspot-app-"));
    copies.push(copy);
    cpSync(sourceDir, copy, { recursive: true });
    const text = readFileSync(join(copy, file), "utf8");
    rmSync(join(copy, file));
    writeFileSync(join(copy, to), change(text));
    return copy;
  }

  /** In a profile's words; written so that it is no slip of a template string. */
  const batonUrl = `$${"{BATON_URL}"}`;

  it.each([
    ["a place that is none", "app/cards/tab-hsmeta.json", "crm.record.tab", "crm.record.top", /location/],
    ["a member nobody knows", "app/webhooks/webhooks-hsmeta.json", "targetUrl", "targetURL", /targetURL/],
    ["an address without https", "app/app-hsmeta.json", `${batonUrl}/oauth`, "http://localhost/oauth", /redirectUrls/],
    ["a path in what may be fetched", "app/app-hsmeta.json", `["${batonUrl}"]`, `["${batonUrl}/card"]`, /fetch/],
    [
      "a uid that another has",
      "app/cards/tab-hsmeta.json",
      "baton_card_tab",
      "baton_card_sidebar",
      /baton_card_sidebar/,
    ],
    ["a variable that the profile has not", "app/app-hsmeta.json", "BATON_URL", "BATON_ADDRESS", /BATON_ADDRESS/],
  ])("is refused for %s", async (_what, file, from, to, reason) => {
    await expect(reasonOf(changed(file, (text) => text.replace(from, to)))).resolves.toMatch(reason);
  });

  it("is refused for a part in the wrong folder", async () => {
    const copy = changed("app/settings/settings-hsmeta.json", (text) => text, "app/cards/settings-hsmeta.json");
    await expect(reasonOf(copy)).resolves.toMatch(/settings/);
  });
});

async function reasonOf(sources: string): Promise<string> {
  try {
    await translated(sources);
  } catch (error) {
    return isTranslationError(error) ? error.toString() : String(error);
  }
  return "It was accepted.";
}
