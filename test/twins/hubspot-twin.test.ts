/**
 * The HubSpot twin itself: it must be as HubSpot is documented and as nasty as CRM-FACTS §1 says. Requests are raw HTTP,
 * not our client, so that a mistake made twice does not agree with itself. Expected values by hand from those facts.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FaultBox } from "../../connectors/hubspot/twin/faults.ts";
import { type HubspotTwin, startHubspotTwin } from "../../connectors/hubspot/twin/server.ts";

let twin: HubspotTwin;
let token = "";

beforeAll(async () => {
  twin = await startHubspotTwin();
});
afterAll(() => twin.close());
beforeEach(async () => {
  await admin("reset", {});
  token = twin.grant().accessToken;
});

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes, taken apart by the assertions.
type Loose = any;

async function call(method: string, path: string, body?: unknown, bearer = token) {
  const answer = await fetch(twin.url + path, {
    method,
    headers: { Authorization: `Bearer ${bearer}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: (text === "" ? null : JSON.parse(text)) as Loose };
}

async function admin(path: string, body: unknown): Promise<Loose> {
  const answer = await fetch(`${twin.url}/admin/${path}`, { method: "POST", body: JSON.stringify(body) });
  return answer.json();
}

const task = (properties: Record<string, unknown> = {}) => ({
  properties: { hs_timestamp: "1767225600000", hs_task_subject: "Call", ...properties },
});
const upsertRow = (id: string, idProperty: string, properties: Record<string, string> = {}) => ({
  id,
  idProperty,
  ...task(properties),
});
const tasks = "/crm/objects/2026-09/tasks";
const contacts = "/crm/objects/2026-09/contacts";

async function makeKey() {
  const body = {
    name: "baton_key",
    label: "Key",
    type: "string",
    fieldType: "text",
    groupName: "task_information",
    hasUniqueValue: true,
  };
  return call("POST", "/crm/properties/2026-09/tasks", body);
}

describe("versions and access", () => {
  it("serves v3, v4 and both dated releases alike, and no other", async () => {
    for (const path of ["/crm/v3/objects/tasks", "/crm/objects/v3/tasks", "/crm/objects/2026-03/0-27", tasks]) {
      expect((await call("POST", path, task())).status).toBe(201);
    }
    expect((await call("POST", "/crm/objects/2025-03/tasks", task())).status).toBe(404);
    expect((await call("POST", "/crm/v2/objects/tasks", task())).status).toBe(404);
    expect((await call("POST", "/crm/v3/objects/gizmos", task())).status).toBe(400);
  });

  it("wants a live token with the scope, and names the missing one", async () => {
    expect(await call("POST", tasks, task(), "nonsense")).toMatchObject({
      status: 401,
      body: { category: "INVALID_AUTHENTICATION" },
    });
    const small = twin.grant(["oauth"]).accessToken;
    const refused = await call("POST", tasks, task(), small);
    expect(refused).toMatchObject({ status: 403, body: { category: "MISSING_SCOPES" } });
    expect(refused.body.errors[0].context.requiredGranularScopes).toEqual(["crm.objects.contacts.write"]);
    expect((await call("GET", "/account-info/2026-09/details", undefined, small)).body).toMatchObject({
      portalId: 4501,
      timeZone: "Europe/Berlin",
      uiDomain: twin.url.slice("http://".length),
    });
  });

  it("uninstalled, it takes neither token nor refresh token", async () => {
    const grant = twin.grant();
    expect((await call("DELETE", "/appinstalls/2026-09/external-install", undefined, grant.accessToken)).status).toBe(
      204,
    );
    expect((await call("POST", tasks, task(), grant.accessToken)).status).toBe(401);
    const form = new URLSearchParams({
      grant_type: "refresh_token",
      client_id: twin.account.clientId,
      client_secret: twin.account.clientSecret,
      refresh_token: grant.refreshToken,
    });
    const refused = await fetch(`${twin.url}/oauth/2026-09/token`, { method: "POST", body: form });
    expect(await refused.json()).toMatchObject({ status: "BAD_REFRESH_TOKEN", error: "invalid_grant" });
  });
});

describe("tasks and contacts", () => {
  it("creates, reads, changes and deletes", async () => {
    const made = await call("POST", tasks, task({ hs_task_priority: "HIGH", hubspot_owner_id: "9001" }));
    expect(made).toMatchObject({ status: 201, body: { properties: { hs_task_priority: "HIGH" }, archived: false } });
    const path = `${tasks}/${made.body.id}`;
    expect((await call("GET", `${path}?properties=hs_task_subject`)).body.properties).toMatchObject({
      hs_task_subject: "Call",
    });
    expect((await call("PATCH", path, { properties: { hs_task_status: "COMPLETED" } })).status).toBe(200);
    expect((await call("DELETE", path)).status).toBe(204);
    expect((await call("GET", path)).status).toBe(404);
    expect((await call("GET", `${path}?archived=true`)).body.archived).toBe(true);
  });

  const refusals: readonly [string, Record<string, unknown>, string][] = [
    ["an unknown property", { no_such: "x" }, "PROPERTY_DOESNT_EXIST"],
    ["an owner's user id", { hubspot_owner_id: "1" }, "INVALID_OWNER_ID"],
    ["an owner who left", { hubspot_owner_id: "9004" }, "INVALID_OWNER_ID"],
    ["a status that is none", { hs_task_status: "DONE" }, "INVALID_OPTION"],
    ["a due date in words", { hs_timestamp: "tomorrow" }, "INVALID_DATE"],
    ["no due date", { hs_timestamp: "" }, "MISSING_REQUIRED_PROPERTY"],
    ["a read-only property", { hs_object_id: "5" }, "READ_ONLY_VALUE"],
  ];
  for (const [what, properties, code] of refusals) {
    it(`refuses ${what} with 400 ${code}`, async () => {
      const refused = await call("POST", tasks, task(properties));
      expect(refused).toMatchObject({ status: 400, body: { status: "error", category: "VALIDATION_ERROR" } });
      expect(refused.body.errors[0].code).toBe(code);
      expect(twin.state().tasks).toEqual([]);
    });
  }

  it("refuses a value that is no string", async () => {
    expect((await call("POST", tasks, task({ hs_timestamp: 1_767_225_600_000 }))).status).toBe(400);
  });

  it("refuses a second contact with the same address, in whatever case, and names the first", async () => {
    const first = await call("POST", contacts, { properties: { email: "eve@example.com" } });
    const clash = await call("POST", contacts, { properties: { email: "EVE@example.com" } });
    expect(clash).toMatchObject({
      status: 409,
      body: { category: "CONFLICT", message: `Contact already exists. Existing ID: ${first.body.id}` },
    });
    expect((await call("POST", contacts, { properties: { email: "not an address" } })).status).toBe(400);
    expect((await call("POST", contacts, { properties: { company: "Example" } })).status).toBe(400);
  });

  it("obeys a customer's rule, and asks for it only of tasks it applies to", async () => {
    twin.setFaults({ requiredProperty: { objectType: "tasks", property: "hs_task_body", conditional: true } });
    expect((await call("POST", tasks, task({ hs_task_priority: "LOW" }))).status).toBe(201);
    const refused = await call("POST", tasks, task({ hs_task_priority: "HIGH" }));
    expect(refused.body.errors[0]).toMatchObject({
      code: "MISSING_CONDITIONAL_REQUIRED_PROPERTY",
      context: { properties: ["hs_task_body"] },
    });
  });

  it("links a task as it is created, and refuses a link to nobody or of the wrong type", async () => {
    const eve = await call("POST", contacts, { properties: { email: "eve@example.com" } });
    const linked = (id: string, associationTypeId: number) => ({
      ...task(),
      associations: [{ to: { id }, types: [{ associationCategory: "HUBSPOT_DEFINED", associationTypeId }] }],
    });
    const made = await call("POST", tasks, linked(eve.body.id, 204));
    expect(made.status).toBe(201);
    expect(twin.state().tasks[0]?.contacts).toEqual([eve.body.id]);
    expect((await call("POST", tasks, linked("99999", 204))).status).toBe(400);
    expect((await call("POST", tasks, linked(eve.body.id, 203))).status).toBe(400);
    expect(twin.state().tasks).toHaveLength(1);
  });
});

describe("batches", () => {
  it("upserts by the unique property: new once, then not; nothing of it is doubled", async () => {
    expect((await makeKey()).status).toBe(201);
    const rows = { inputs: [upsertRow("k1", "baton_key"), upsertRow("k2", "baton_key")] };
    const first = await call("POST", `${tasks}/batch/upsert`, rows);
    const second = await call("POST", `${tasks}/batch/upsert`, rows);
    expect(first.body.results.map((row: Loose) => row.new)).toEqual([true, true]);
    expect(second.body.results.map((row: Loose) => row.new)).toEqual([false, false]);
    expect(twin.state().tasks.map((one) => one.key)).toEqual(["k1", "k2"]);
    expect((await call("GET", `${tasks}/k1?idProperty=baton_key`)).body.id).toBe(first.body.results[0].id);
  });

  it("refuses a property that is not unique, in the words that were seen, and hs_object_id too", async () => {
    for (const idProperty of ["hs_task_subject", "hs_object_id"]) {
      const refused = await call("POST", `${tasks}/batch/upsert`, { inputs: [upsertRow("k1", idProperty)] });
      expect(refused).toMatchObject({
        status: 400,
        body: {
          category: "VALIDATION_ERROR",
          message: `Unable to perform update/upsert by non-unique 0-27 property ${idProperty} in portal ID 4501`,
        },
      });
    }
  });

  it("refuses two rows for one record and more than a hundred rows, whole", async () => {
    await makeKey();
    const same = { inputs: [upsertRow("k1", "baton_key"), upsertRow("k1", "baton_key")] };
    expect((await call("POST", `${tasks}/batch/upsert`, same)).status).toBe(400);
    const rows = (count: number) => ({
      inputs: Array.from({ length: count }, (_, row) => upsertRow(`k${row}`, "baton_key")),
    });
    expect((await call("POST", `${tasks}/batch/upsert`, rows(101))).status).toBe(400);
    expect(twin.state().tasks).toEqual([]);
    expect((await call("POST", `${tasks}/batch/upsert`, rows(100))).status).toBe(200);
  });

  it("answers 207 per row when rows carry trace ids, and refuses whole when they do not", async () => {
    const good = task();
    const bad = task({ hubspot_owner_id: "404" });
    const traced = [good, bad].map((row, index) => ({ ...row, objectWriteTraceId: `t${index}` }));
    const whole = await call("POST", `${tasks}/batch/create`, { inputs: [good, bad] });
    expect(whole.status).toBe(400);
    expect(twin.state().tasks).toHaveLength(0);
    const mixed = await call("POST", `${tasks}/batch/create`, { inputs: traced });
    expect(mixed).toMatchObject({ status: 207, body: { status: "COMPLETE", numErrors: 1 } });
    expect(mixed.body.results[0].objectWriteTraceId).toBe("t0");
    expect(mixed.body.errors[0]).toMatchObject({
      category: "VALIDATION_ERROR",
      context: { objectWriteTraceId: ["t1"] },
    });
    expect((await call("POST", `${tasks}/batch/create`, { inputs: [good] })).status).toBe(201);
  });

  it("holds unique values unique", async () => {
    await makeKey();
    await call("POST", tasks, task({ baton_key: "k1" }));
    const clash = await call("POST", tasks, task({ baton_key: "k1" }));
    expect(clash.status).toBe(400);
    expect(clash.body.errors[0].code).toBe("CONFLICTING_UNIQUE_VALUE");
  });

  it("reads by key: found ones, and one error that names the missing; deleted ones only when asked for", async () => {
    await makeKey();
    await call("POST", `${tasks}/batch/upsert`, {
      inputs: [upsertRow("k1", "baton_key"), upsertRow("k2", "baton_key")],
    });
    const id = twin.state().tasks[1]?.id;
    await call("POST", `${tasks}/batch/archive`, { inputs: [{ id }] });
    const ask = {
      inputs: [{ id: "k1" }, { id: "k2" }, { id: "k3" }],
      idProperty: "baton_key",
      properties: ["baton_key"],
      propertiesWithHistory: [],
    };
    const live = await call("POST", `${tasks}/batch/read`, ask);
    expect(live.status).toBe(207);
    expect(live.body.results.map((row: Loose) => row.properties.baton_key)).toEqual(["k1"]);
    expect(live.body.errors[0]).toMatchObject({ category: "OBJECT_NOT_FOUND", context: { ids: ["k2", "k3"] } });
    const archived = await call("POST", `${tasks}/batch/read?archived=true`, ask);
    expect(archived.body.results.map((row: Loose) => row.id)).toEqual([id]);
  });

  it("a deleted task gives its key free or holds it, as switched", async () => {
    await makeKey();
    const once = async () =>
      (await call("POST", `${tasks}/batch/upsert`, { inputs: [upsertRow("k1", "baton_key")] })).status;
    await once();
    await admin(`task/${twin.state().tasks[0]?.id}/delete`, {});
    expect(await once()).toBe(200);
    expect(twin.state().tasks).toHaveLength(2);
    twin.setFaults({ archivedKey: "held" });
    await admin(`task/${twin.state().tasks[1]?.id}/delete`, {});
    expect(await once()).toBe(400);
  });
});

describe("the three worlds", () => {
  for (const [world, ours, builtIn] of [
    ["unique_property", 200, 200],
    ["builtin_unique", 400, 200],
    ["marker", 400, 400],
  ] as const) {
    it(`${world}: our own key ${ours === 200 ? "works" : "is refused"}, hs_unique_id ${builtIn === 200 ? "works" : "is refused"}`, async () => {
      const fresh = await startHubspotTwin({ faults: { world, uniqueRefusal: "upsert" } });
      const before = twin;
      try {
        twin = fresh;
        token = fresh.grant().accessToken;
        expect((await makeKey()).status).toBe(201);
        const upsert = (idProperty: string) =>
          call("POST", `${tasks}/batch/upsert`, { inputs: [upsertRow("k1", idProperty)] });
        expect((await upsert("baton_key")).status).toBe(ours);
        expect((await upsert("hs_unique_id")).status).toBe(builtIn);
      } finally {
        twin = before;
        await fresh.close();
      }
    });
  }
});

describe("links", () => {
  it("are made by PUT or in a batch, repeating is harmless, and reading an empty one is an error row", async () => {
    const eve = (await call("POST", contacts, { properties: { email: "eve@example.com" } })).body.id;
    const one = (await call("POST", tasks, task())).body.id;
    const other = (await call("POST", tasks, task())).body.id;
    for (let time = 0; time < 2; time++) {
      expect((await call("PUT", `${tasks}/${one}/associations/default/contacts/${eve}`)).status).toBe(200);
      const batch = { inputs: [{ from: { id: one }, to: { id: eve } }] };
      expect((await call("POST", "/crm/v4/associations/tasks/contacts/batch/associate/default", batch)).status).toBe(
        200,
      );
    }
    expect(twin.state().tasks[0]?.contacts).toEqual([eve]);
    const read = await call("POST", "/crm/associations/2026-09/tasks/contacts/batch/read", {
      inputs: [{ id: one }, { id: other }],
    });
    expect(read.status).toBe(207);
    expect(read.body.results).toMatchObject([
      { from: { id: one }, to: [{ toObjectId: eve, associationTypes: [{ typeId: 204 }] }] },
    ]);
    expect(read.body.errors[0]).toMatchObject({
      subCategory: "crm.associations.NO_ASSOCIATIONS_FOUND",
      context: { fromObjectId: [other] },
    });
    expect((await call("PUT", `${tasks}/${one}/associations/default/contacts/99999`)).status).toBe(404);
  });
});

describe("merge", () => {
  it("gives a new id; old ids answer GET and single PATCH, and no batch; tasks stay with the survivor", async () => {
    const [a, b] = await Promise.all(
      ["a", "b"].map(async (name) => (await admin("contact", { email: `${name}@example.com`, firstname: name })).id),
    );
    const made = (await call("POST", tasks, task())).body.id;
    await call("PUT", `${tasks}/${made}/associations/default/contacts/${b}`);
    const { id } = await admin("merge", { primary: a, merged: b });
    expect([a, b]).not.toContain(id);
    expect((await call("GET", `${contacts}/${a}`)).body).toMatchObject({
      id,
      properties: { email: "a@example.com", firstname: "a" },
    });
    expect((await call("PATCH", `${contacts}/${b}`, { properties: { lastname: "X" } })).body.id).toBe(id);
    const batch = await call("POST", `${contacts}/batch/update`, {
      inputs: [{ id: a, properties: { lastname: "Y" }, objectWriteTraceId: "t" }],
    });
    expect(batch.body.errors[0].category).toBe("OBJECT_NOT_FOUND");
    const read = { inputs: [{ id: a }], properties: [], propertiesWithHistory: [] };
    expect((await call("POST", `${contacts}/batch/read`, read)).body.results).toEqual([]);
    twin.setFaults({ mergedInBatchRead: true });
    expect((await call("POST", `${contacts}/batch/read`, read)).body.results[0].id).toBe(id);
    expect(twin.state().tasks[0]?.contacts).toEqual([id]);
    // The other address is still taken.
    const clash = await call("POST", contacts, { properties: { email: "b@example.com" } });
    expect(clash.body.message).toBe(`Contact already exists. Existing ID: ${id}`);
  });
});

describe("search", () => {
  const find = (email: string) =>
    call("POST", `${contacts}/search`, {
      filterGroups: [{ filters: [{ propertyName: "email", operator: "EQ", value: email }] }],
    });

  it("lags, shows no deleted records, and has no limit headers", async () => {
    twin.setFaults({ searchLagMs: 120 });
    const { body } = await call("POST", contacts, { properties: { email: "eve@example.com" } });
    expect((await find("eve@example.com")).body.total).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 150));
    const seen = await find("eve@example.com");
    expect(seen.body.total).toBe(1);
    expect(seen.headers.get("x-hubspot-ratelimit-max")).toBeNull();
    await call("DELETE", `${contacts}/${body.id}`);
    expect((await find("eve@example.com")).body.total).toBe(0);
  });

  it("has its own limit of five a second and its own bounds", async () => {
    twin.setFaults({ enforceLimits: true });
    const statuses = [];
    for (let time = 0; time < 6; time++) statuses.push((await find("eve@example.com")).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    twin.setFaults({ enforceLimits: false });
    expect((await call("POST", `${contacts}/search`, { limit: 201 })).status).toBe(400);
    const group = { filters: Array.from({ length: 7 }, () => ({ propertyName: "email", operator: "HAS_PROPERTY" })) };
    expect((await call("POST", `${contacts}/search`, { filterGroups: [group] })).status).toBe(400);
  });
});

describe("limits and failures", () => {
  it("refuses the request after the 110th in ten seconds; links are outside the budget", async () => {
    twin.setFaults({ enforceLimits: true, retryAfter: true });
    const get = () => call("GET", "/crm/owners/2026-09");
    const all = await Promise.all(Array.from({ length: 110 }, get));
    expect(all.every((answer) => answer.status === 200)).toBe(true);
    const refused = await get();
    expect(refused).toMatchObject({
      status: 429,
      body: { errorType: "RATE_LIMIT", policyName: "TEN_SECONDLY_ROLLING" },
    });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(refused.headers.get("x-hubspot-ratelimit-remaining")).toBe("0");
    expect(refused.headers.get("x-hubspot-ratelimit-max")).toBe("110");
    const link = await call("POST", "/crm/v4/associations/tasks/contacts/batch/read", { inputs: [{ id: "1" }] });
    expect(link.status).toBe(207);
    expect(twin.state().limits).toEqual({ peak: 110, refused: 1 });
    twin.setFaults({ retryAfter: false });
    expect((await get()).headers.get("retry-after")).toBeNull();
  });

  it("answers what is scripted, for as many requests as asked, where it matches", async () => {
    twin.setFaults({
      script: [
        { method: "POST", path: "/tasks", kind: "status", status: 429, policyName: "DAILY", retryAfter: 9 },
        { method: "POST", path: "/tasks", kind: "status", status: 423 },
        { method: "POST", path: "/tasks", kind: "status", status: 477, retryAfter: 60 },
        { method: "POST", path: "/tasks", kind: "status", status: 524, times: 2 },
      ],
    });
    expect((await call("GET", "/crm/owners/2026-09")).status).toBe(200);
    const answers = [];
    for (let time = 0; time < 6; time++) answers.push(await call("POST", tasks, task()));
    expect(answers.map((answer) => answer.status)).toEqual([429, 423, 477, 524, 524, 201]);
    expect(answers[0]?.body.policyName).toBe("DAILY");
    expect(answers[2]?.headers.get("retry-after")).toBe("60");
    expect(twin.state().tasks).toHaveLength(1);
  });

  it("loses answers after the commit and drops connections before it, and the journal tells them apart", async () => {
    twin.setFaults({
      script: [
        { path: "/tasks", kind: "lose" },
        { path: "/tasks", kind: "drop" },
      ],
    });
    await expect(call("POST", tasks, task())).rejects.toThrow();
    expect(twin.state().tasks).toHaveLength(1);
    await expect(call("POST", tasks, task())).rejects.toThrow();
    expect(twin.state().tasks).toHaveLength(1);
    expect(twin.journal().map(({ status, fault, committed }) => ({ status, fault, committed }))).toEqual([
      { status: 0, fault: "lose", committed: true },
      { status: 0, fault: "drop", committed: false },
    ]);
  });

  it("strikes at the rates given, the same again for the same seed", async () => {
    const pattern = async () => {
      await admin("reset", { errorRate: 0.3, seed: 42 });
      const statuses = [];
      for (let time = 0; time < 60; time++) statuses.push((await call("POST", tasks, task())).status);
      return statuses;
    };
    const first = await pattern();
    expect(await pattern()).toEqual(first);
    const failed = first.filter((status) => status === 500).length;
    expect(failed).toBeGreaterThan(8);
    expect(failed).toBeLessThan(30);
    expect(twin.state().tasks).toHaveLength(60 - failed);
    expect(new FaultBox({ seed: 1 }).chance()).not.toBe(new FaultBox({ seed: 2 }).chance());
  });

  it("refuses a switch it does not know", async () => {
    const answer = await fetch(`${twin.url}/admin/faults`, { method: "POST", body: JSON.stringify({ eroorRate: 1 }) });
    expect(answer.status).toBe(400);
    expect((await fetch(`${twin.url}/admin/faults`, { method: "POST", body: '{"errorRate":"1"}' })).status).toBe(400);
  });

  it("takes its time when told to", async () => {
    twin.setFaults({ latencyMs: 60 });
    const start = Date.now();
    await call("POST", tasks, task());
    expect(Date.now() - start).toBeGreaterThanOrEqual(55);
  });
});

describe("published shapes", () => {
  it("counts what a request has too much, and refuses it when strict", async () => {
    await call("POST", tasks, { ...task(), surprise: true });
    expect(twin.state().shapes).toMatchObject({ violations: 1, first: [{ what: ".surprise is unknown" }] });
    twin.setFaults({ strictShapes: true });
    expect((await call("POST", tasks, { ...task(), surprise: true })).status).toBe(500);
    expect((await call("POST", tasks, task())).status).toBe(201);
    expect(twin.state().shapes.violations).toBe(2);
  });

  it("its own answers all have them", async () => {
    twin.setFaults({ strictShapes: true });
    const eve = (await call("POST", contacts, { properties: { email: "eve@example.com" } })).body.id;
    await makeKey();
    const paths = [
      "/crm/properties/2026-09/tasks",
      "/crm/properties/2026-09/tasks/groups",
      "/crm/properties/2026-09/tasks/baton_key",
      "/crm/owners/2026-09",
      "/crm/owners/2026-09/9001",
      `${contacts}?limit=1`,
      `${contacts}/${eve}?propertiesWithHistory=email&associations=tasks`,
      `/crm/v4/objects/contacts/${eve}/associations/tasks`,
    ];
    for (const path of paths) expect({ path, status: (await call("GET", path)).status }).toEqual({ path, status: 200 });
    expect((await call("GET", `${contacts}/99999`)).status).toBe(404);
    expect(twin.state().shapes).toMatchObject({ violations: 0, first: [] });
  });
});

describe("OAuth pages", () => {
  const query = () =>
    new URLSearchParams({
      client_id: twin.account.clientId,
      redirect_uri: "https://baton.example.com/cb",
      scope: "oauth",
      state: "s",
    });
  const authorize = (more: Record<string, string> = {}) =>
    fetch(`${twin.url}/oauth/authorize?${new URLSearchParams({ ...Object.fromEntries(query()), ...more })}`, {
      redirect: "manual",
    });

  it("shows a page with a button, and goes on by itself when told to", async () => {
    const page = await authorize();
    expect(page.status).toBe(200);
    expect(await page.text()).toContain("<button");
    const away = new URL((await authorize({ auto: "1" })).headers.get("location") ?? "");
    expect(away.origin + away.pathname).toBe("https://baton.example.com/cb");
    expect(away.searchParams.get("state")).toBe("s");
    expect(away.searchParams.get("code")).toBeTruthy();
    twin.setFaults({ autoConsent: true });
    expect((await authorize()).status).toBe(302);
    const denied = new URL((await authorize({ deny: "1" })).headers.get("location") ?? "");
    expect(denied.searchParams.get("error")).toBe("access_denied");
    expect((await authorize({ client_id: "wrong" })).status).toBe(400);
  });

  it("introspects and revokes; access tokens already given out live on", async () => {
    const grant = twin.grant();
    const ask = async (path: string, token: string) => {
      const form = new URLSearchParams({
        client_id: twin.account.clientId,
        client_secret: twin.account.clientSecret,
        token,
      });
      return (
        await fetch(`${twin.url}/oauth/2026-09/token/${path}`, { method: "POST", body: form })
      ).json() as Promise<Loose>;
    };
    expect(await ask("introspect", grant.accessToken)).toMatchObject({ active: true, hub_id: 4501 });
    await ask("revoke", grant.refreshToken);
    expect(await ask("introspect", grant.refreshToken)).toEqual({ active: false });
    expect((await call("GET", "/crm/owners/2026-09", undefined, grant.accessToken)).status).toBe(200);
    expect(grant.accessToken.length).toBeGreaterThan(60);
  });
});

describe("for a person", () => {
  it("shows tasks and contacts, escaped", async () => {
    await admin("contact", { email: "eve@example.com", firstname: "<b>Eve" });
    await call("POST", tasks, task({ hs_task_subject: "Call <script>" }));
    const page = await (await fetch(twin.url)).text();
    expect(page).toContain("eve@example.com");
    expect(page).toContain("Call &#60;script&#62;");
    expect(page).not.toContain("<script>");
    const { tasks: all, portalId } = twin.state();
    expect((await fetch(`${twin.url}/tasks/${portalId}/view/all/task/${all[0]?.id}`)).status).toBe(200);
    expect((await fetch(`${twin.url}/tasks/${portalId}/view/all/task/1`)).status).toBe(404);
  });

  it("lets a person complete, edit and delete through /admin", async () => {
    const { id } = (await call("POST", tasks, task())).body;
    await admin(`task/${id}/complete`, {});
    await admin(`task/${id}/edit`, { hs_task_subject: "Mine" });
    expect(twin.state().tasks[0]).toMatchObject({ status: "COMPLETED", subject: "Mine" });
    await admin(`task/${id}/delete`, {});
    expect(twin.state().tasks[0]?.archived).toBe(true);
    const answer = await fetch(`${twin.url}/admin/state`);
    expect(await answer.json()).toEqual(JSON.parse(JSON.stringify(twin.state())));
    expect((await fetch(`${twin.url}/admin/nothing`)).status).toBe(404);
  });

  it("takes thousands of tasks without slowing down", async () => {
    await makeKey();
    const start = Date.now();
    for (let batch = 0; batch < 50; batch++) {
      const inputs = Array.from({ length: 100 }, (_, row) => upsertRow(`k${batch}-${row}`, "baton_key"));
      expect((await call("POST", `${tasks}/batch/upsert`, { inputs })).status).toBe(200);
    }
    expect(twin.state().tasks).toHaveLength(5_000);
    expect(Date.now() - start).toBeLessThan(8_000);
  });
});
