/** Salesforce through a relay with a fixed address, as the engine uses it (CRM-FACTS §2.4). */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { CrmApp, Grant } from "../../connectors/contract.ts";
import { salesforce } from "../../connectors/salesforce/crm.ts";
import { createRelay, isSalesforce } from "../../connectors/salesforce/relay/relay.ts";
import { type SalesforceTwin, startSalesforceTwin } from "../../connectors/salesforce/twin/server.ts";
import type { Env } from "../../src/env.ts";
import { leave } from "../../src/install/egress.ts";

const key = "a relay key that is long enough to be one";
let twin: SalesforceTwin;
let relay: Server;
let env: Env;
const seen: (string | undefined)[] = [];

beforeAll(async () => {
  twin = await startSalesforceTwin({});
  relay = createRelay({ key, allows: (target) => target.origin === twin.url });
  relay.on("request", (request) => seen.push(request.headers["x-baton-target"] as string | undefined));
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  const { port } = relay.address() as AddressInfo;
  env = { SALESFORCE_EGRESS_URL: `http://127.0.0.1:${port}/`, SALESFORCE_EGRESS_KEY: key } as Env;
});
afterEach(() => {
  seen.length = 0;
  twin.org.setFaults({});
});
afterAll(async () => {
  relay.close();
  await twin.close();
});

const app = (): CrmApp => ({
  clientId: "baton-twin-client",
  clientSecret: "baton-twin-secret",
  redirectUri: "https://baton.example.com/oauth/salesforce/callback",
  loginUrl: twin.url,
  apiUrl: twin.url,
});
function grant(): Grant {
  const { accessToken, refreshToken } = twin.org.grant();
  return {
    accessToken,
    refreshToken,
    expiresAt: null,
    apiUrl: twin.url,
    crmAccount: twin.org.organizationId,
    scopes: [],
  };
}
const io = () => ({ send: (request: Request) => leave(env, "salesforce", request), now: 0 });
const through = (target: string, headers: Record<string, string>) =>
  fetch(String(env.SALESFORCE_EGRESS_URL), { headers: { "x-baton-target": target, ...headers } });

describe("a relay", () => {
  it("passes on what the engine asks of Salesforce, log-in and refresh as well", async () => {
    const refreshed = await salesforce.refresh(app(), grant(), io());
    expect(refreshed).toMatchObject({ ok: true, value: { crmAccount: twin.org.organizationId } });
    expect(seen).toEqual([`${twin.url}/services/oauth2/token`]);
    if (!refreshed.ok) throw new Error("no grant");
    const session = { ...refreshed.value, world: "unique_property", send: io().send } as const;
    expect(await salesforce.owners(session)).toMatchObject({ ok: true });
    expect(seen[1]).toMatch(/\/query/);
  });

  it("breaks the connection where Salesforce did: nobody may believe that a refresh token was not used up", async () => {
    const before = grant();
    twin.org.setFaults({ requests: [{ kind: "drop_after", path: "token", times: 1 }] });
    expect(await salesforce.refresh(app(), before, io())).toMatchObject({ ok: false, failure: { arm: "lost" } });
  });

  it("passes on refusals as they are", async () => {
    twin.org.setFaults({ addressRefused: true });
    expect(await salesforce.refresh(app(), grant(), io())).toMatchObject({ failure: { reason: "address_refused" } });
  });

  it("is of no use without the key, or towards anybody else", async () => {
    expect((await through(twin.url, { "x-baton-relay-key": "another key" })).status).toBe(401);
    expect((await through("https://example.com/", { "x-baton-relay-key": key })).status).toBe(403);
    expect((await through("no address", { "x-baton-relay-key": key })).status).toBe(403);
    expect(() => createRelay({ key: "short", allows: isSalesforce })).toThrow("RELAY_KEY");
  });

  it("is left out for HubSpot", async () => {
    expect((await leave(env, "hubspot", new Request(`${twin.url}/nothing`))).status).toBe(404);
    expect(seen).toEqual([]);
  });

  it.each([
    ["https://login.salesforce.com/services/oauth2/token", true],
    ["https://acme--test.sandbox.my.salesforce.com/services/data", true],
    ["https://acme.my.site.force.com/", true],
    ["http://login.salesforce.com/", false],
    ["https://login.salesforce.com:8443/", false],
    ["https://login.salesforce.com.example.com/", false],
    ["https://notsalesforce.com/", false],
  ])("takes %s for Salesforce: %s", (target, is) => {
    expect(isSalesforce(new URL(target))).toBe(is);
  });
});
