/** The door as senders meet it: unmodified SDKs deliver, and bad input gets a clear answer, is counted, and breaks nothing. */
import { createHmac } from "node:crypto";
import { gzipSync } from "node:zlib";
import RudderAnalytics from "@rudderstack/rudder-sdk-node";
import { Analytics } from "@segment/analytics-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scratchFolder } from "../../src/local/scratch.ts";
import { call, type Seeded, seedWorkspace } from "../../src/local/seed.ts";
import { openStage, type Stage } from "../../src/local/stage.ts";

let stage: Stage;
let workspace: Seeded;
let url: string;

beforeAll(async () => {
  stage = await openStage({ folder: scratchFolder("door"), salesTeam: ["sam@example.com"] });
  url = stage.engine.url;
  workspace = await seedWorkspace(url, stage.adminToken, {
    id: "door",
    salesTeam: ["sam@example.com"],
    crms: [],
    emitters: [
      { name: "website", vendor: "segment" },
      {
        name: "forms",
        vendor: "typeform",
        secrets: ["old-secret", "new-secret"],
        settings: { kind: "demo_requested" },
      },
      { name: "billing", vendor: "stripe", secrets: ["whsec_door"] },
      { name: "backfill", vendor: "baton", secrets: ["backfill-secret"] },
    ],
    // Everything is decided and shown at once, so that the tests need not wait for a tier's window.
    policy: (document) => {
      const now = { window_ms: 0, sla_ms: 60_000 };
      return { ...document, tiers: { seconds: now, minutes: now, hours: now } };
    },
  });
});

afterAll(() => stage.close());

const keyOf = (name: string): string => workspace.emitters[name]?.key ?? "";
const basic = (key: string): Record<string, string> => ({
  authorization: `Basic ${btoa(`${key}:`)}`,
  "content-type": "application/json",
});
const track = (body: unknown, headers = basic(keyOf("website"))): Promise<Response> =>
  fetch(`${url}/v1/track`, { method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) });

const native = (secret: string): Record<string, string> => ({
  authorization: `Basic ${btoa(`${keyOf("backfill")}:${secret}`)}`,
  "content-type": "application/json",
});

interface Listed {
  readonly items: readonly Record<string, unknown>[];
}
const leads = (): Promise<Listed> => call<Listed>(url, "GET", "/v1/leads?limit=200", workspace.apiKey);

async function leadOf(email: string): Promise<Record<string, unknown>> {
  for (let attempt = 0; attempt < 40; attempt++) {
    const found = (await leads()).items.find((lead) => lead.email === email);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`no lead ${email}`);
}

describe("unmodified clients", () => {
  it("of Segment deliver identify and track, and the person has both", async () => {
    const analytics = new Analytics({ writeKey: keyOf("website"), host: url, flushAt: 2 });
    const errors: unknown[] = [];
    analytics.on("error", (error) => errors.push(error));
    analytics.identify({ userId: "segment-1", traits: { email: "grace@example.com", firstName: "Grace" } });
    analytics.track({ userId: "segment-1", event: "Trial Started" });
    await analytics.closeAndFlush();
    expect(errors).toEqual([]);
    const lead = await leadOf("grace@example.com");
    expect(lead.lifecycle_state).toBe("trial");
    expect(lead.name).toBe("Grace");
  });

  it("of RudderStack deliver, gzipped as they send it", async () => {
    const analytics = new RudderAnalytics(keyOf("website"), { dataPlaneUrl: url, flushAt: 1 });
    await new Promise<void>((resolve, reject) => {
      analytics.identify({ userId: "rudder-1", traits: { email: "edsger@example.com" } }, (error?: unknown) =>
        error === undefined || error === null ? resolve() : reject(error),
      );
    });
    expect((await leadOf("edsger@example.com")).source).toBe("website");
  });
});

describe("POST /v1/signals", () => {
  it("takes NDJSON line by line and names the lines it cannot take", async () => {
    const lines = [
      JSON.stringify({ id: "b1", kind: "signed_up", email: "b1@example.com" }),
      "{ not json",
      JSON.stringify({ id: "b2", kind: "signed_up", email: "b2@example.com" }),
      JSON.stringify({ id: "b3", kind: "signed_up" }),
    ];
    const answer = await fetch(`${url}/v1/signals`, {
      method: "POST",
      headers: { ...native("backfill-secret"), "content-type": "application/x-ndjson" },
      body: lines.join("\n"),
    });
    expect(answer.status).toBe(202);
    const told = (await answer.json()) as { accepted: number; refused: number; errors: { path: string }[] };
    expect(told.accepted).toBe(2);
    expect(told.refused).toBe(2);
    expect(told.errors.map((error) => error.path)).toEqual(["line 2", "line 4"]);
  });

  const send = (secret: string): Promise<Response> =>
    fetch(`${url}/v1/signals`, {
      method: "POST",
      headers: native(secret),
      body: JSON.stringify({ id: `one-${secret}`, kind: "signed_up", email: "one@example.com" }),
    });

  it("takes one signal, and nothing from somebody who knows only the key", async () => {
    expect((await send("wrong-secret")).status).toBe(401);
    const answer = await send("backfill-secret");
    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({ accepted: 1 });
  });

  it("refuses a file in which no line is a signal", async () => {
    const answer = await fetch(`${url}/v1/signals`, {
      method: "POST",
      headers: { ...native("backfill-secret"), "content-type": "application/x-ndjson" },
      body: "no\nnothing",
    });
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
  });
});

const formBody = (token: string): string =>
  JSON.stringify({
    event_id: `ev-${token}`,
    event_type: "form_response",
    form_response: {
      form_id: "demo",
      token,
      submitted_at: new Date().toISOString(),
      definition: { id: "demo", fields: [{ id: "f1", type: "email", title: "E-mail", ref: "email" }] },
      answers: [{ type: "email", email: `${token}@example.com`, field: { id: "f1", type: "email", ref: "email" } }],
    },
  });

const form = (body: string, secret: string | null, key = keyOf("forms")): Promise<Response> => {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (secret !== null)
    headers["typeform-signature"] = `sha256=${createHmac("sha256", secret).update(body).digest("base64")}`;
  return fetch(`${url}/in/${key}`, { method: "POST", headers, body });
};

describe("bad input", () => {
  const refusals: readonly [string, () => Promise<Response>, number, string][] = [
    ["a wrong signature", () => form(formBody("w1"), "wrong-secret"), 401, "unauthorised"],
    ["no signature", () => form(formBody("w2"), null), 401, "unauthorised"],
    ["an unknown emitter key", () => form(formBody("w3"), "new-secret", "em_unknown"), 401, "unauthorised"],
    [
      "an unknown write key",
      () => track({ type: "track", userId: "u", event: "x" }, basic("em_unknown")),
      401,
      "unauthorised",
    ],
    [
      "no write key",
      () =>
        track({ type: "track", userId: "u", event: "x" }, { authorization: "", "content-type": "application/json" }),
      401,
      "unauthorised",
    ],
    [
      "a key of another connector",
      () => track({ type: "track", userId: "u", event: "x" }, basic(keyOf("forms"))),
      401,
      "unauthorised",
    ],
    ["a body over the bound", () => form("x".repeat(1_000_001), "new-secret"), 413, "body_too_large"],
    ["broken JSON", () => track('{"type":"track",'), 400, "body_not_json"],
    ["an empty body", () => track(""), 400, "body_empty"],
    [
      "an object of 10,000 keys",
      () => track(Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, 1]))),
      400,
      "too_many_keys",
    ],
    ["GET where deliveries are posted", () => fetch(`${url}/in/${keyOf("forms")}`), 405, "method_not_allowed"],
    ["an address that does not exist", () => fetch(`${url}/nothing`), 404, "not_found"],
    [
      "an unknown encoding",
      () =>
        fetch(`${url}/v1/track`, {
          method: "POST",
          headers: { ...basic(keyOf("website")), "content-encoding": "br" },
          body: "x",
        }),
      400,
      "unknown_encoding",
    ],
    [
      "a gzip bomb",
      () =>
        fetch(`${url}/v1/track`, {
          method: "POST",
          headers: { ...basic(keyOf("website")), "content-encoding": "gzip" },
          body: gzipSync("0".repeat(20_000_000)),
        }),
      413,
      "body_too_large",
    ],
  ];

  it.each(refusals)("%s is refused with a clear problem", async (_what, send, status, code) => {
    const answer = await send();
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    const problem = (await answer.json()) as { status: number; code: string; title: string };
    expect([answer.status, problem.code]).toEqual([status, code]);
    expect(problem.status).toBe(status);
    expect(problem.title.length).toBeGreaterThan(10);
  });

  it("in the address of a lead's page leads to no page", async () => {
    expect((await fetch(`${url}/leads/%E0%A4%A`)).status).toBe(404);
    expect((await fetch(`${url}/leads/door%2Funknown?key=guessed`)).status).toBe(404);
  });

  it("that is verified but has no shape we know is acknowledged and kept", async () => {
    const body = JSON.stringify({ something: "else" });
    const answer = await form(body, "new-secret");
    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({ accepted: 0, quarantined: 1 });
  });

  it("with wrong types in one message of a batch does not lose the other messages", async () => {
    const batch = [
      {
        type: "track",
        messageId: "good-1",
        userId: "batch-1",
        event: "Signed Up",
        context: { traits: { email: "batch1@example.com" } },
      },
      { type: "track", messageId: "bad-1", userId: { not: "text" }, event: 7 },
    ];
    const answer = await fetch(`${url}/v1/batch`, {
      method: "POST",
      headers: basic(keyOf("website")),
      body: JSON.stringify({ batch }),
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ success: true, accepted: 1, quarantined: 1 });
  });

  it("of a clock far in the future is taken at its arrival time", async () => {
    const answer = await track({
      type: "track",
      messageId: "future",
      userId: "future-1",
      event: "Signed Up",
      timestamp: "2199-01-01T00:00:00Z",
      context: { traits: { email: "future@example.com" } },
    });
    expect(await answer.json()).toMatchObject({ accepted: 1 });
    const lead = await leadOf("future@example.com");
    expect(Math.abs(Date.parse(String(lead.last_event_timestamp)) - Date.now())).toBeLessThan(60_000);
  });

  it("of ids beyond 2^53 keeps every digit", async () => {
    const body =
      '{"type":"track","messageId":"big","userId":9007199254740993,"event":"Signed Up","context":{"traits":{"email":"big@example.com"}}}';
    expect(await (await track(body)).json()).toMatchObject({ accepted: 1 });
    const lead = await leadOf("big@example.com");
    expect(lead.identifiers).toContainEqual(expect.objectContaining({ type: "user_id", value: "9007199254740993" }));
  });

  it("with lone surrogates breaks nothing", async () => {
    const body =
      '{"type":"identify","messageId":"lone","userId":"lone-1","traits":{"email":"lone@example.com","firstName":"A\\ud800B"}}';
    const answer = await track(body);
    expect(answer.status).toBe(200);
    expect((await leadOf("lone@example.com")).name).toBe("A\ufffdB");
  });

  it("is counted per emitter and reason", async () => {
    await form(formBody("c1"), "wrong-secret");
    // Counts are written every five seconds; what matters is that refusals left the accepted signals alone.
    expect((await form(formBody("c2"), "old-secret")).status).toBe(202);
    expect((await form(formBody("c3"), "new-secret")).status).toBe(202);
    const counted = async (): Promise<number> => {
      const page = await call<{ items: { what: string; count: number }[] }>(url, "GET", "/v1/counts", workspace.apiKey);
      return page.items.filter((item) => item.what.startsWith("refused:")).reduce((sum, item) => sum + item.count, 0);
    };
    for (let attempt = 0; attempt < 40 && (await counted()) === 0; attempt++)
      await new Promise((resolve) => setTimeout(resolve, 250));
    expect(await counted()).toBeGreaterThan(0);
  });

  it("of a known key with another body is refused and kept for a person", async () => {
    const message = (event: string) => ({
      type: "track",
      messageId: "same-key",
      userId: "same-1",
      event,
      context: { traits: { email: "same@example.com" } },
    });
    expect(await (await track(message("Signed Up"))).json()).toMatchObject({ accepted: 1 });
    expect(await (await track(message("Signed Up"))).json()).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await (await track(message("Trial Started"))).json()).toMatchObject({ accepted: 0, conflicts: 1 });
  });
});

describe("the API", () => {
  it("keeps strangers out, and one workspace out of another", async () => {
    expect((await fetch(`${url}/v1/leads`)).status).toBe(401);
    expect(
      (await fetch(`${url}/v1/leads`, { headers: { authorization: "Bearer bt_door_wrongwrongwrongwrongwrong" } }))
        .status,
    ).toBe(401);
    const other = await seedWorkspace(url, stage.adminToken, {
      id: "other",
      salesTeam: ["kim@example.com"],
      crms: [],
      emitters: [],
    });
    expect((await call<Listed>(url, "GET", "/v1/leads", other.apiKey)).items).toEqual([]);
    const lead = await leadOf("big@example.com");
    const stolen = await fetch(`${url}/v1/leads/${encodeURIComponent(String(lead.id))}`, {
      headers: { authorization: `Bearer ${other.apiKey}` },
    });
    expect(stolen.status).toBe(404);
  });

  it("pages through a list without repeating or leaving out", async () => {
    const all = (await leads()).items.map((item) => item.id);
    const paged: unknown[] = [];
    let cursor = "";
    do {
      const page = await call<Listed & { next_cursor: string | null }>(
        url,
        "GET",
        `/v1/leads?limit=3${cursor}`,
        workspace.apiKey,
      );
      paged.push(...page.items.map((item) => item.id));
      cursor = page.next_cursor === null ? "" : `&cursor=${encodeURIComponent(page.next_cursor)}`;
    } while (cursor !== "");
    expect(paged).toEqual(all);
    expect(all.length).toBeGreaterThan(5);
  });

  it("says which field of a policy is wrong, and keeps the policy it had", async () => {
    const before = await call<Record<string, unknown>>(url, "GET", "/v1/policy", workspace.apiKey);
    const answer = await fetch(`${url}/v1/policy`, {
      method: "PUT",
      headers: { authorization: `Bearer ${workspace.apiKey}`, "content-type": "application/json" },
      body: JSON.stringify({ ...before, version: 3, colour: "red" }),
    });
    expect(answer.status).toBe(422);
    expect(await call(url, "GET", "/v1/policy", workspace.apiKey)).toEqual(before);
  });
});
