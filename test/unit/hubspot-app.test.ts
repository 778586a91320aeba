/**
 * The HubSpot project against what it has to agree with here: the manifest, the card's document, the URLs, the kinds. What is in
 * it is tested in the project itself (`npm run check:hubspot-app`), with HubSpot's own libraries.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { cardTypes } from "../../connectors/hubspot/card-types/print.ts";
import { translate } from "../../connectors/hubspot/emitter/translate.ts";
import { crmManifest } from "../../connectors/hubspot/manifest.ts";
import { manifest as workflowManifest } from "../../connectors/hubspot/workflow/manifest.ts";
import { isKind } from "../../connectors/kinds.ts";
import { app } from "../../src/routes.ts";

const project = fileURLToPath(new URL("../../connectors/hubspot/app/", import.meta.url).href);
const read = (path: string) => readFileSync(join(project, path), "utf8");
const meta = <Shape extends z.ZodType>(path: string, config: Shape): z.infer<Shape> =>
  config.parse(z.object({ config: z.unknown() }).parse(JSON.parse(read(path))).config);

const appMeta = meta(
  "src/app/app-hsmeta.json",
  z.object({
    auth: z.object({
      redirectUrls: z.array(z.string()),
      requiredScopes: z.array(z.string()),
      optionalScopes: z.array(z.string()),
      conditionallyRequiredScopes: z.array(z.string()),
    }),
    permittedUrls: z.object({ fetch: z.array(z.string()) }),
  }),
);

/** In HubSpot's words: a value of the profile that a project is uploaded with. */
const variable = (name: string) => `$${`{${name}}`}`;

describe("the app for HubSpot", () => {
  it("asks for the scopes of the manifest, and for no other", () => {
    const scopes = (required: boolean) =>
      crmManifest.scopes.filter((scope) => scope.required === required).map((scope) => scope.scope);
    expect(appMeta.auth.requiredScopes).toEqual(scopes(true));
    expect(appMeta.auth.optionalScopes).toEqual(scopes(false));
    expect(appMeta.auth.conditionallyRequiredScopes).toEqual([]);
  });

  it("sends people back to an address that there is", () => {
    const [address, ...others] = appMeta.auth.redirectUrls;
    expect(others).toEqual([]);
    expect(address).toBe(`${variable("BATON_URL")}/oauth/hubspot/callback`);
    expect(app.routes.map((route) => `${route.method} ${route.path}`)).toContain("GET /oauth/:crm/callback");
  });

  it("may fetch from Baton only", () => {
    expect(appMeta.permittedUrls.fetch).toEqual([variable("BATON_URL")]);
  });

  it("shows the card in the sidebar and in a tab of contacts and companies", () => {
    const card = z.object({ location: z.string(), entrypoint: z.string(), objectTypes: z.array(z.string()) });
    const files = readdirSync(join(project, "src/app/cards")).filter((name) => name.endsWith("-hsmeta.json"));
    const cards = files.map((name) => meta(`src/app/cards/${name}`, card));
    expect(cards.map(({ location, objectTypes }) => [location, objectTypes])).toEqual([
      ["crm.record.sidebar", ["contacts", "companies"]],
      ["crm.record.tab", ["contacts", "companies"]],
    ]);
    for (const { entrypoint } of cards) expect(existsSync(join(project, "src", entrypoint))).toBe(true);
  });

  it("knows the card's document as it is: if this fails, run npm run types:hubspot-app", () => {
    expect(read("src/app/cards/document.ts")).toBe(cardTypes());
  });

  it("hears merges of contacts in the form that our connector reads", () => {
    const { subscriptions } = meta(
      "src/app/webhooks/webhooks-hsmeta.json",
      z.object({
        subscriptions: z.object({
          crmObjects: z.array(
            z.object({ subscriptionType: z.string(), objectType: z.string(), active: z.literal(true) }),
          ),
          hubEvents: z.array(z.object({ subscriptionType: z.string(), active: z.literal(true) })),
        }),
      }),
    );
    const heard = [...subscriptions.crmObjects, ...subscriptions.hubEvents].map((one) => one.subscriptionType);
    expect([...new Set(heard)]).toEqual([
      "object.propertyChange",
      "object.merge",
      "object.deletion",
      "object.restore",
      "contact.privacyDeletion",
    ]);
    expect(new Set(subscriptions.crmObjects.map((one) => one.objectType))).toEqual(new Set(["contact"]));
    const event = {
      subscriptionType: "object.merge",
      objectTypeId: "0-1",
      portalId: 1,
      primaryObjectId: 151,
      mergedObjectIds: [152],
      occurredAt: 1_793_700_000_000,
    };
    const body = new TextEncoder().encode(JSON.stringify([event]));
    const translated = translate(
      { method: "POST", url: "https://baton.example.com/in/key", headers: {}, body, receivedAt: 0 },
      {},
    );
    expect(translated.ok && translated.value.drafts).toHaveLength(1);
  });

  it("lets a workflow say only what our connector believes and policies have a word for", () => {
    const { inputFields } = meta(
      "src/app/workflow-actions/hand-to-baton-hsmeta.json",
      z.object({
        inputFields: z.array(
          z.object({
            typeDefinition: z.object({
              name: z.string(),
              options: z.array(z.object({ value: z.string(), label: z.string() })).optional(),
            }),
            isRequired: z.boolean(),
          }),
        ),
      }),
    );
    expect(inputFields.map((field) => [field.typeDefinition.name, field.isRequired])).toEqual([
      ["kind", true],
      ["reason", false],
      ["happened_at", false],
    ]);
    const kinds = inputFields[0]?.typeDefinition.options?.map((option) => option.value);
    expect(kinds).toEqual(workflowManifest.kinds);
    expect(workflowManifest.kinds.filter((kind) => !isKind(kind))).toEqual([]);
  });

  it("names nobody's account, Baton or registry", () => {
    expect(JSON.parse(read("src/hsprofile.example.json"))).toMatchObject({ accountId: 0 });
    const hosts = ["src/hsprofile.example.json", "src/app/app-hsmeta.json", "hsproject.json"].flatMap((path) => [
      ...read(path).matchAll(/https?:\/\/([^/"\s]+)/g),
    ]);
    expect(new Set(hosts.map((match) => match[1]))).toEqual(new Set(["baton.example.com"]));
    expect(read("package-lock.json")).not.toMatch(/"resolved"/);
    const { devDependencies } = JSON.parse(read("package.json")) as { devDependencies: Record<string, string> };
    for (const version of Object.values(devDependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
