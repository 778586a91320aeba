/** Installing and connecting: the exactly-once world, owners, OAuth (CRM-FACTS §1.3, §1.6), and what start-up loads. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { CrmApp } from "../../connectors/contract.ts";
import { hubspot } from "../../connectors/hubspot/crm.ts";
import { startHubspotTwin } from "../../connectors/hubspot/twin/server.ts";
import { admin, create, one, reset, send, sessionIn, twin } from "./hubspot-fixture.ts";

beforeEach(reset);
afterAll(() => twin.close());

describe("install finds out the world by trying", () => {
  it("makes the unique property, proves it, and leaves no task behind", async () => {
    const session = { accessToken: twin.grant().accessToken, apiUrl: twin.url, world: "marker" as const, send };
    const first = await hubspot.install(session);
    expect(first).toEqual({
      ok: true,
      value: {
        world: "unique_property",
        timeZone: "Europe/Berlin",
        recordUrl: {
          person: `${twin.url}/contacts/4501/record/0-1/{person}`,
          task: `${twin.url}/tasks/4501/view/all/task/{task}`,
        },
      },
    });
    expect(await hubspot.install(session)).toEqual(first);
    expect(twin.state().tasks.filter((task) => !task.archived)).toEqual([]);
    expect(twin.state().shapes.violations).toBe(0);
  });

  for (const uniqueRefusal of ["create", "upsert", "scope", "ignore"] as const) {
    it(`falls back to hs_unique_id when our property is refused at ${uniqueRefusal}, and to the marker after that`, async () => {
      const fresh = await startHubspotTwin({ faults: { world: "builtin_unique", uniqueRefusal } });
      try {
        const session = { accessToken: fresh.grant().accessToken, apiUrl: fresh.url, world: "marker" as const, send };
        expect(await hubspot.install(session)).toMatchObject({ ok: true, value: { world: "builtin_unique" } });
        fresh.setFaults({ world: "marker" });
        expect(await hubspot.install(session)).toMatchObject({ ok: true, value: { world: "marker" } });
        expect(fresh.state().tasks.filter((task) => !task.archived)).toEqual([]);
      } finally {
        await fresh.close();
      }
    });
  }

  it("works without the schema scope, in a weaker world", async () => {
    const fresh = await startHubspotTwin();
    try {
      const scopes = ["oauth", "crm.objects.contacts.read", "crm.objects.contacts.write", "crm.objects.owners.read"];
      const session = {
        accessToken: fresh.grant(scopes).accessToken,
        apiUrl: fresh.url,
        world: "marker" as const,
        send,
      };
      expect(await hubspot.install(session)).toMatchObject({ ok: true, value: { world: "builtin_unique" } });
    } finally {
      await fresh.close();
    }
  });

  it("takes no passing trouble for a weaker world", async () => {
    const session = { accessToken: twin.grant().accessToken, apiUrl: twin.url, world: "marker" as const, send };
    for (const fault of [
      { path: "tasks/batch/upsert", kind: "status", status: 503 },
      { path: "tasks/batch/upsert", kind: "lose" },
      { path: "tasks/batch/upsert", skip: 1, kind: "lose" },
      { path: "tasks/batch/upsert", kind: "rows", category: "INTERNAL_ERROR" },
      { path: "tasks/batch/read", kind: "status", status: 500 },
      { path: "account-info", kind: "status", status: 429 },
    ] as const) {
      twin.setFaults({ script: [{ ...fault }] });
      expect(await hubspot.install(session)).toMatchObject({ ok: false, failure: { arm: "deferred" } });
    }
    expect(twin.state().tasks.filter((task) => !task.archived)).toEqual([]);
  });

  it("shows a customer's own rule to a person instead of guessing", async () => {
    twin.setFaults({ requiredProperty: { objectType: "tasks", property: "hs_task_reminders" } });
    const session = { accessToken: twin.grant().accessToken, apiUrl: twin.url, world: "marker" as const, send };
    const installed = await hubspot.install(session);
    expect(installed).toMatchObject({ ok: false, failure: { arm: "refused", reason: "missing_required_property" } });
  });
});

describe("owners", () => {
  it("lists the live ones with their address", async () => {
    const session = await sessionIn("marker");
    expect(await hubspot.owners(session)).toEqual({
      ok: true,
      value: [
        { id: "9001", email: "ada@example.com" },
        { id: "9002", email: "ben@example.com" },
        { id: "9003", email: "cyd@example.com" },
      ],
    });
  });

  it("says which scope is missing", async () => {
    const session = { ...(await sessionIn("marker")), accessToken: twin.grant(["oauth"]).accessToken };
    const owners = await hubspot.owners(session);
    expect(owners).toMatchObject({ ok: false, failure: { arm: "blocked", reason: "missing_scopes" } });
    expect(JSON.stringify(owners)).toContain("crm.objects.owners.read");
  });

  for (const [name, body] of [
    ["a page of a gateway", "<html></html>"],
    ["a list", "[]"],
    ["nothing in JSON", "null"],
    ["an object without owners", "{}"],
  ] as const) {
    it(`takes ${name} for no answer, and throws nothing`, async () => {
      const session = { ...(await sessionIn("marker")), send: async () => new Response(body) };
      expect(await hubspot.owners(session)).toMatchObject({ ok: false, failure: { arm: "deferred", scope: "action" } });
    });
  }
});

describe("OAuth", () => {
  const io = { send, now: 1_000_000 };
  const verifier = "v".repeat(60);
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  let app: CrmApp;
  beforeEach(() => {
    app = {
      clientId: twin.account.clientId,
      clientSecret: twin.account.clientSecret,
      redirectUri: "https://baton.example.com/oauth/hubspot/callback",
      loginUrl: twin.url,
      apiUrl: twin.url,
    };
  });

  async function consent(): Promise<string> {
    const answer = await fetch(`${hubspot.authorizeUrl(app, { state: "s1", challenge })}&auto=1`, {
      redirect: "manual",
    });
    const target = new URL(answer.headers.get("location") ?? "");
    expect(target.searchParams.get("state")).toBe("s1");
    return target.searchParams.get("code") ?? "";
  }

  it("sends a person to HubSpot with scopes, state and challenge", () => {
    const url = new URL(
      hubspot.authorizeUrl({ ...app, loginUrl: "https://app.hubspot.com" }, { state: "s1", challenge }),
    );
    expect(url.origin + url.pathname).toBe("https://app.hubspot.com/oauth/authorize");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: app.clientId,
      redirect_uri: app.redirectUri,
      scope: "oauth crm.objects.contacts.read crm.objects.contacts.write crm.objects.owners.read",
      optional_scope:
        "crm.objects.companies.read automation.sequences.read automation.sequences.enrollments.write crm.schemas.contacts.write",
      state: "s1",
      code_challenge: challenge,
      code_challenge_method: "S256",
    });
  });

  it("changes a code for a grant, with the account named in the answer or by introspection", async () => {
    for (const accountInToken of [true, false]) {
      twin.setFaults({ accountInToken });
      const grant = await hubspot.exchange(app, { code: await consent(), verifier }, io);
      expect(grant).toMatchObject({
        ok: true,
        value: { crmAccount: "4501", expiresAt: 1_000_000 + 1_800_000, apiUrl: twin.url },
      });
      expect(grant.ok && grant.value.scopes).toContain("crm.objects.contacts.write");
    }
    expect(twin.state().shapes).toMatchObject({ violations: 0, first: [] });
  });

  it("refuses a code used twice and a wrong verifier", async () => {
    const code = await consent();
    expect(await hubspot.exchange(app, { code, verifier: "wrong" }, io)).toMatchObject({
      ok: false,
      failure: { arm: "misconfigured", reason: "bad_code_verifier" },
    });
    const again = await hubspot.exchange(app, { code, verifier }, io);
    expect(again).toMatchObject({ ok: false, failure: { arm: "revoked", reason: "bad_auth_code" } });
  });

  it("refreshes; a refused refresh is revoked, our own fault is not, and a lost one is lost", async () => {
    const exchanged = await hubspot.exchange(app, { code: await consent(), verifier }, io);
    if (!exchanged.ok) throw new Error("no grant");
    const grant = exchanged.value;
    twin.setFaults({ accountInToken: false });
    const refreshed = await hubspot.refresh(app, grant, io);
    expect(refreshed).toMatchObject({ ok: true, value: { crmAccount: "4501", refreshToken: grant.refreshToken } });
    expect(refreshed.ok && refreshed.value.accessToken).not.toBe(grant.accessToken);

    const refreshWith = (change: Partial<CrmApp>) => hubspot.refresh({ ...app, ...change }, grant, io);
    expect(await refreshWith({ clientSecret: "wrong" })).toMatchObject({ failure: { arm: "misconfigured" } });
    expect(await refreshWith({ clientId: "wrong" })).toMatchObject({ failure: { arm: "misconfigured" } });
    for (const [script, arm] of [
      [{ kind: "lose" }, "lost"],
      [{ kind: "drop" }, "lost"],
      [{ kind: "status", status: 502 }, "unknown"],
      [{ kind: "status", status: 400 }, "unknown"],
    ] as const) {
      twin.setFaults({ script: [{ path: "/token", ...script }] });
      expect(await refreshWith({})).toMatchObject({ ok: false, failure: { arm } });
    }
    twin.setFaults({ refreshRefused: true });
    expect(await refreshWith({})).toEqual({ ok: false, failure: { arm: "revoked", reason: "bad_refresh_token" } });
    twin.setFaults({ refreshRefused: false });
    await admin("uninstall", {});
    expect(await refreshWith({})).toMatchObject({ failure: { arm: "revoked" } });
  });

  it("a token that has run out is expired, and nothing is done with it", async () => {
    const session = await sessionIn("unique_property");
    await admin("expire", {});
    expect(await one(session, create("eve"))).toEqual({ arm: "expired" });
    expect(twin.state().tasks).toEqual([]);
  });
});

describe("start-up", () => {
  it("crm.ts loads no vendor code by itself", () => {
    const folder = `${process.cwd()}/connectors/hubspot`;
    for (const file of ["crm.ts", "manifest.ts", "oauth.ts", "requests.ts", "errors.ts", "signature.ts"]) {
      const source = readFileSync(`${folder}/${file}`, "utf8");
      const loaded = [...source.matchAll(/^import (?!type)[^;]*from "([^"]+)"/gm)].map((match) => match[1]);
      expect(loaded.filter((name) => name?.includes("client") || name?.includes("@hubspot"))).toEqual([]);
    }
  });
});
