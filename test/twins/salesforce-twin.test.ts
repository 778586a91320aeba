/**
 * The Salesforce twin answers as CRM-FACTS §2 says and goes wrong as §4 asks. Expected values are written from there, and
 * the vendor's own client (jsforce, with its own transport) must be content with it.
 */
import { createHash } from "node:crypto";
import { Connection } from "jsforce/lib/connection.js";
import { OAuth2 } from "jsforce/lib/oauth2.js";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type SalesforceTwin, startSalesforceTwin, twinApp } from "../../connectors/salesforce/twin/server.ts";
import { parseSoql } from "../../connectors/salesforce/twin/soql.ts";

let twin: SalesforceTwin;
let token: string;

beforeAll(async () => {
  twin = await startSalesforceTwin({ pageSize: 3 });
  token = twin.org.grant().accessToken;
});

afterEach(() => {
  expect(twin.org.state(true).violations.first).toEqual([]);
  twin.org.reset();
  token = twin.org.grant().accessToken;
});

afterAll(() => twin.close());

interface Answered {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
}

async function ask(method: string, path: string, body?: unknown, base = "/services/data/v68.0"): Promise<Answered> {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  const response = await fetch(twin.url + base + path, {
    method,
    headers,
    redirect: "manual",
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: response.headers.get("content-type")?.includes("json") === true && text !== "" ? JSON.parse(text) : text,
  };
}

function query(soql: string, all = false): Promise<Answered> {
  return ask("GET", `/${all ? "queryAll" : "query"}?q=${encodeURIComponent(soql)}`);
}

const upsert = (key: string, body: object = { Subject: "Call" }): Promise<Answered> =>
  ask("PATCH", `/sobjects/Task/Baton_Key__c/${key}`, body);

describe("an upsert by External ID", () => {
  it("answers 201 when it made the task and 200 when it changed it, with the same id", async () => {
    const first = await upsert("k1");
    const second = await upsert("k1", { Subject: "Call again" });
    expect(first).toMatchObject({ status: 201, body: { success: true, errors: [], created: true } });
    expect(second).toMatchObject({ status: 200, body: { success: true, errors: [], created: false } });
    expect(second.body).toHaveProperty("id", (first.body as { id: string }).id);
  });

  it("makes nothing with updateOnly", async () => {
    expect(await ask("PATCH", "/sobjects/Task/Baton_Key__c/k1?updateOnly=true", { Subject: "Call" })).toMatchObject({
      status: 404,
      body: [{ errorCode: "NOT_FOUND" }],
    });
    expect(twin.org.tasks()).toEqual([]);
  });

  it("refuses the second of two at nearly the same moment with DUPLICATE_VALUE, and takes it when it is sent again", async () => {
    twin.org.setFaults({ raceWindowMs: 30 });
    const answers = await Promise.all([upsert("k1"), upsert("k1")]);
    const refused = answers.find(({ status }) => status === 400);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 400]);
    expect(refused?.body).toEqual([
      {
        errorCode: "DUPLICATE_VALUE",
        message: expect.stringMatching(
          /^duplicate value found: Baton_Key__c duplicates value on record with id: 00T\w{12}$/,
        ),
        fields: [],
      },
    ]);
    expect(await upsert("k1")).toMatchObject({ status: 200 });
    expect(twin.org.tasks()).toHaveLength(1);
  });

  it("answers 300 when several records carry the key", async () => {
    twin.org.put("Task", { Baton_Key__c: "k1" });
    twin.org.put("Task", { Baton_Key__c: "k1" });
    expect(await upsert("k1")).toMatchObject({
      status: 300,
      body: [expect.stringContaining("/sobjects/Task/00T"), expect.any(String)],
    });
  });

  it("is not possible without the package's field, which then is not described either", async () => {
    twin.org.setFaults({ packageMissing: true });
    expect(await upsert("k1")).toMatchObject({
      status: 404,
      body: [{ errorCode: "NOT_FOUND", message: expect.stringContaining("external ID field does not exist") }],
    });
    const described = await ask("GET", "/sobjects/Task/describe");
    expect((described.body as { fields: { name: string }[] }).fields.map(({ name }) => name)).not.toContain(
      "Baton_Key__c",
    );
  });

  it("refuses the key inside the body, which Salesforce does not allow", async () => {
    expect(await upsert("k1", { Baton_Key__c: "k1" })).toMatchObject({
      status: 400,
      body: [{ errorCode: "INVALID_FIELD" }],
    });
  });

  it("may or may not free the key of a task in the recycle bin: either can be had", async () => {
    const first = await upsert("k1");
    twin.org.remove((first.body as { id: string }).id);
    twin.org.setFaults({ recycleBinHoldsKey: true });
    expect(await upsert("k1")).toMatchObject({ status: 400, body: [{ errorCode: "DUPLICATE_VALUE" }] });
    twin.org.setFaults({ recycleBinHoldsKey: false });
    expect(await upsert("k1")).toMatchObject({ status: 201 });
  });
});

describe("the rules of a row", () => {
  const lead = (): string => twin.org.put("Lead", { LastName: "Lovelace", Company: "Example" });

  it.each([
    ["an unknown field", { Colour: "red" }, "INVALID_FIELD"],
    ["a subject of 256 characters", { Subject: "x".repeat(256) }, "STRING_TOO_LONG"],
    ["a description of 32,001 characters", { Description: "x".repeat(32_001) }, "STRING_TOO_LONG"],
    ["a person who is not there", { WhoId: "003000000000999AAA" }, "INVALID_CROSS_REFERENCE_KEY"],
    ["an owner who has left", { OwnerId: "005000000000005AAA" }, "INACTIVE_OWNER_OR_USER"],
    ["a field that is read only", { IsClosed: true }, "INVALID_FIELD_FOR_INSERT_UPDATE"],
  ])("refuse %s", async (_, body, errorCode) => {
    expect(await upsert("k1", body)).toMatchObject({ status: 400, body: [{ errorCode }] });
    expect(twin.org.tasks()).toEqual([]);
  });

  it("take a subject of 255 characters, a living person and an active owner", async () => {
    expect(
      await upsert("k1", { Subject: "x".repeat(255), WhoId: lead(), OwnerId: "005000000000002AAA" }),
    ).toMatchObject({ status: 201 });
  });

  it("refuse a related record for the task of a lead", async () => {
    expect(await upsert("k1", { WhoId: lead(), WhatId: "001000000000001AAA" })).toMatchObject({
      status: 400,
      body: [{ errorCode: "FIELD_INTEGRITY_EXCEPTION" }],
    });
  });

  it("refuse TaskSubtype on a task that is there, for it can only be set at creation", async () => {
    expect(await upsert("k1", { TaskSubtype: "Call" })).toMatchObject({ status: 201 });
    expect(await upsert("k1", { TaskSubtype: "Call" })).toMatchObject({
      status: 400,
      body: [{ errorCode: "INVALID_FIELD_FOR_INSERT_UPDATE", fields: ["TaskSubtype"] }],
    });
  });

  it("refuse a lead without last name and company", async () => {
    expect(await ask("POST", "/sobjects/Lead", { FirstName: "Ada" })).toMatchObject({
      status: 400,
      body: [{ errorCode: "REQUIRED_FIELD_MISSING", fields: ["LastName", "Company"] }],
    });
    expect(await ask("POST", "/sobjects/Lead", { LastName: "Lovelace", Company: "Example" })).toMatchObject({
      status: 201,
    });
  });

  it("block a lead whose address is known while a duplicate rule is on, and name the record", async () => {
    const known = twin.org.put("Contact", { LastName: "Lovelace", Email: "ada@example.com" });
    twin.org.setFaults({ duplicateRule: true });
    const answer = await ask("POST", "/sobjects/Lead", { LastName: "L", Company: "E", Email: "ADA@example.com" });
    expect(answer).toMatchObject({
      status: 400,
      body: [
        {
          errorCode: "DUPLICATES_DETECTED",
          duplicateResult: { matchResults: [{ matchRecords: [{ record: { Id: known } }] }] },
        },
      ],
    });
  });

  it.each([
    ["lock", "UNABLE_TO_LOCK_ROW"],
    ["lock_hidden", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"],
    ["trigger", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"],
    ["validation", "FIELD_CUSTOM_VALIDATION_EXCEPTION"],
    ["duplicate_value", "DUPLICATE_VALUE"],
  ] as const)("can be made to fail with %s once", async (kind, errorCode) => {
    twin.org.setFaults({ rows: [{ kind, object: "Task", times: 1 }] });
    expect(await upsert("k1")).toMatchObject({ status: 400, body: [{ errorCode }] });
    expect((await upsert("k1")).status).toBe(kind === "duplicate_value" ? 200 : 201);
  });
});

describe("merge, conversion and the recycle bin", () => {
  it("delete the loser of a merge, which names the winner, and move its tasks", async () => {
    const [winner, loser] = [
      twin.org.put("Lead", { LastName: "W", Company: "E" }),
      twin.org.put("Lead", { LastName: "L", Company: "E" }),
    ];
    await upsert("k1", { WhoId: loser });
    twin.org.merge(winner, [loser]);
    expect(await query(`SELECT Id FROM Lead WHERE Id = '${loser}'`)).toMatchObject({ body: { totalSize: 0 } });
    expect(await query(`SELECT MasterRecordId FROM Lead WHERE Id = '${loser}'`, true)).toMatchObject({
      body: { records: [{ MasterRecordId: winner }] },
    });
    expect(twin.org.tasks()[0]?.who).toBe(winner);
    expect(await upsert("k2", { WhoId: loser })).toMatchObject({
      status: 404,
      body: [{ errorCode: "ENTITY_IS_DELETED" }],
    });
  });

  it("make a contact of a converted lead, which then refuses writes and new tasks", async () => {
    const lead = twin.org.put("Lead", { LastName: "L", Company: "E", Baton_Key__c: "lead_1" });
    const contact = twin.org.convert(lead);
    expect(await query(`SELECT IsConverted, ConvertedContactId FROM Lead WHERE Id = '${lead}'`)).toMatchObject({
      body: { records: [{ IsConverted: true, ConvertedContactId: contact }] },
    });
    const refused = { status: 400, body: [{ errorCode: "CANNOT_UPDATE_CONVERTED_LEAD" }] };
    expect(await ask("PATCH", "/sobjects/Lead/Baton_Key__c/lead_1", { Company: "F" })).toMatchObject(refused);
    expect(await upsert("k1", { WhoId: lead })).toMatchObject(refused);
    expect(await upsert("k1", { WhoId: contact })).toMatchObject({ status: 201 });
  });

  it("keep deleted tasks for queryAll, and show a task again that was taken out of the bin", async () => {
    const made = await upsert("k1");
    const { id } = made.body as { id: string };
    expect(await ask("DELETE", `/sobjects/Task/${id}`)).toMatchObject({ status: 204 });
    expect(await ask("DELETE", `/sobjects/Task/${id}`)).toMatchObject({
      status: 404,
      body: [{ errorCode: "ENTITY_IS_DELETED" }],
    });
    const soql = "SELECT Id, IsDeleted FROM Task WHERE Baton_Key__c = 'k1'";
    expect(await query(soql)).toMatchObject({ body: { records: [] } });
    expect(await query(soql, true)).toMatchObject({ body: { records: [{ Id: id, IsDeleted: true }] } });
    twin.org.undelete(id);
    expect(await query(soql)).toMatchObject({ body: { totalSize: 1 } });
  });
});

describe("collections and composite", () => {
  const rows = (...records: object[]): object => ({
    allOrNone: false,
    records: records.map((record) => ({ attributes: { type: "Task" }, ...record })),
  });

  it("answer 200 with one result per row, in order, and name errors statusCode", async () => {
    const answer = await ask(
      "PATCH",
      "/composite/sobjects/Task/Baton_Key__c",
      rows({ Baton_Key__c: "k1", Subject: "One" }, { Baton_Key__c: "k2", Colour: "red" }, { Baton_Key__c: "k3" }),
    );
    expect(answer).toMatchObject({
      status: 200,
      body: [
        { success: true, created: true },
        { success: false, errors: [{ statusCode: "INVALID_FIELD" }] },
        { success: true },
      ],
    });
  });

  it("undo all rows with allOrNone", async () => {
    const body = { ...rows({ Baton_Key__c: "k1" }, { Baton_Key__c: "k2", Colour: "red" }), allOrNone: true };
    const answer = await ask("PATCH", "/composite/sobjects/Task/Baton_Key__c", body);
    expect(answer).toMatchObject({
      status: 200,
      body: [{ success: false, errors: [{ statusCode: "ALL_OR_NONE_OPERATION_ROLLED_BACK" }] }, { success: false }],
    });
    expect(twin.org.tasks()).toEqual([]);
  });

  const part = (referenceId: string, method: string, path: string, body?: object): object => ({
    referenceId,
    method,
    url: `/services/data/v68.0${path}`,
    ...(body === undefined ? {} : { body }),
  });
  const pair = (lead: object): object[] => [
    part("lead", "PATCH", "/sobjects/Lead/Baton_Key__c/lead_1", lead),
    part("task", "PATCH", "/sobjects/Task/Baton_Key__c/k1", { WhoId: "@{lead.id}" }),
  ];

  it("let a part refer to the result of an earlier one", async () => {
    const answer = await ask("POST", "/composite", {
      allOrNone: true,
      compositeRequest: pair({ LastName: "L", Company: "E" }),
    });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        compositeResponse: [
          { referenceId: "lead", httpStatusCode: 201 },
          { referenceId: "task", httpStatusCode: 201 },
        ],
      },
    });
    expect(twin.org.tasks()[0]?.who).toBe(twin.org.people()[0]?.id);
  });

  it("halt the part that refers to one that failed, and still answer 200", async () => {
    const halted = { httpStatusCode: 400, body: [{ errorCode: "PROCESSING_HALTED" }] };
    for (const allOrNone of [true, false]) {
      const answer = await ask("POST", "/composite", { allOrNone, compositeRequest: pair({ LastName: "L" }) });
      expect(answer).toMatchObject({
        status: 200,
        body: { compositeResponse: [{ body: [{ errorCode: "REQUIRED_FIELD_MISSING" }] }, halted] },
      });
    }
    expect(twin.org.tasks()).toEqual([]);
  });

  it("undo the first part when a later one fails with allOrNone, and keep it without", async () => {
    const parts = [
      part("a", "POST", "/sobjects/Lead", { LastName: "L", Company: "E" }),
      part("b", "POST", "/sobjects/Lead", {}),
    ];
    const undone = await ask("POST", "/composite", { allOrNone: true, compositeRequest: parts });
    expect(undone).toMatchObject({
      body: {
        compositeResponse: [
          { body: [{ errorCode: "PROCESSING_HALTED" }] },
          { body: [{ errorCode: "REQUIRED_FIELD_MISSING" }] },
        ],
      },
    });
    expect(twin.org.people()).toHaveLength(0);
    await ask("POST", "/composite", { allOrNone: false, compositeRequest: parts });
    expect(twin.org.people()).toHaveLength(1);
  });

  it("take five queries and refuse six, and count as one request against the limit", async () => {
    const queries = (count: number): object[] =>
      Array.from({ length: count }, (_, n) => part(`q${n}`, "GET", "/query?q=SELECT+Id+FROM+Lead"));
    expect(await ask("POST", "/composite", { compositeRequest: queries(5) })).toMatchObject({
      status: 200,
      headers: expect.anything(),
    });
    expect(twin.org.faults.apiUsed).toBe(1);
    expect(await ask("POST", "/composite", { compositeRequest: queries(6) })).toMatchObject({ status: 400 });
  });

  it("take 200 rows and 25 parts, and refuse more, which counts as a broken request of the client", async () => {
    const many = (count: number): object =>
      rows(...Array.from({ length: count }, (_, n) => ({ Baton_Key__c: `k${n}` })));
    expect(await ask("PATCH", "/composite/sobjects/Task/Baton_Key__c", many(200))).toMatchObject({ status: 200 });
    expect(await ask("PATCH", "/composite/sobjects/Task/Baton_Key__c", many(201))).toMatchObject({
      status: 400,
      body: [{ errorCode: "LIMIT_EXCEEDED" }],
    });
    const parts = Array.from({ length: 26 }, (_, n) => part(`p${n}`, "GET", "/limits"));
    expect(await ask("POST", "/composite", { compositeRequest: parts })).toMatchObject({ status: 400 });
    expect(twin.org.state(true).violations.count).toBe(2);
    twin.org.journal.clear();
  });
});

describe("SOQL", () => {
  it("finds by key and by address without case, and pages what does not fit", async () => {
    for (let n = 0; n < 4; n++) {
      twin.org.put("Lead", { LastName: `L${n}`, Company: "E", Email: `Lead${n}@example.com` });
    }
    const first = await query(
      "SELECT Id, Email FROM Lead WHERE Email IN ('lead0@example.com', 'lead1@example.com', 'LEAD2@example.com', 'lead3@example.com') ORDER BY CreatedDate, Id",
    );
    expect(first).toMatchObject({
      body: {
        totalSize: 4,
        done: false,
        nextRecordsUrl: expect.stringMatching(/^\/services\/data\/v68\.0\/query\/01g\w+-3$/),
      },
    });
    const next = await ask("GET", (first.body as { nextRecordsUrl: string }).nextRecordsUrl, undefined, "");
    expect(next).toMatchObject({ body: { done: true, records: [{ Email: "Lead3@example.com" }] } });
  });

  it("follows changes by SystemModstamp", async () => {
    const lead = twin.org.put("Lead", { LastName: "L", Company: "E" });
    const stamp = String(twin.org.get(lead)?.SystemModstamp).replace("+0000", "Z");
    expect(
      await query(`SELECT Id FROM Lead WHERE SystemModstamp >= ${stamp} ORDER BY SystemModstamp, Id`),
    ).toMatchObject({ body: { totalSize: 1 } });
    expect(await query(`SELECT Id FROM Lead WHERE SystemModstamp > ${stamp}`)).toMatchObject({
      body: { totalSize: 0 },
    });
    expect(await query("SELECT COUNT() FROM Lead")).toMatchObject({ body: { totalSize: 1, records: [] } });
  });

  it.each([
    ["SELECT Id FROM Lead WHERE Id = 'a' AND Id = 'b' OR Id = 'c'", "MALFORMED_QUERY"],
    ["SELECT Id FROM Lead WHERE Name = 'O'Brien'", "MALFORMED_QUERY"],
    ["SELECT Colour FROM Lead", "INVALID_FIELD"],
    ["SELECT Id FROM Horse", "INVALID_TYPE"],
  ])("refuses %s", async (soql, errorCode) => {
    expect(await query(soql)).toMatchObject({ status: 400, body: [{ errorCode }] });
  });

  it("reads escaped quotes as text", () => {
    expect(parseSoql("SELECT Id FROM Lead WHERE Name = 'O\\'Brien \\\\'").where).toEqual({
      type: "compare",
      field: "Name",
      operator: "=",
      value: "O'Brien \\",
    });
  });
});

describe("OAuth", () => {
  const redirectUri = "https://baton.example.com/oauth/salesforce/callback";
  const verifier = "v".repeat(64);
  const challenge = createHash("sha256").update(verifier).digest("base64url");

  async function code(changes: Record<string, string> = {}): Promise<URL> {
    const ask = {
      response_type: "code",
      client_id: twinApp.clientId,
      redirect_uri: redirectUri,
      scope: "api refresh_token",
      state: "s1",
      code_challenge: challenge,
      code_challenge_method: "S256",
      ...changes,
    };
    const response = await fetch(`${twin.url}/services/oauth2/authorize?${new URLSearchParams(ask)}`, {
      redirect: "manual",
    });
    return new URL(response.headers.get("location") ?? "about:blank");
  }

  async function post(form: Record<string, string>): Promise<Answered> {
    const secret = { client_id: twinApp.clientId, client_secret: twinApp.clientSecret };
    const response = await fetch(`${twin.url}/services/oauth2/token`, {
      method: "POST",
      body: new URLSearchParams({ ...secret, ...form }),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  }

  const redeem = (value: string | null, changes: Record<string, string> = {}): Promise<Answered> =>
    post({
      grant_type: "authorization_code",
      code: value ?? "",
      redirect_uri: redirectUri,
      code_verifier: verifier,
      ...changes,
    });

  it("gives tokens, the instance and the identity, and no expires_in", async () => {
    const back = await code();
    expect(back.searchParams.get("state")).toBe("s1");
    const answer = await redeem(back.searchParams.get("code"));
    expect(answer).toMatchObject({
      status: 200,
      body: { instance_url: twin.url, id: expect.stringMatching(/\/id\/00D\w{15}\/005\w{15}$/), token_type: "Bearer" },
    });
    expect(answer.body).not.toHaveProperty("expires_in");
  });

  it("takes a code once, and not with another verifier", async () => {
    const first = (await code()).searchParams.get("code");
    expect(await redeem(first, { code_verifier: "w".repeat(64) })).toMatchObject({
      status: 400,
      body: { error: "invalid_grant" },
    });
    expect(await redeem(first)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
  });

  it("sends back without a code where the challenge is missing, or the app is not installed", async () => {
    expect((await code({ code_challenge: "" })).searchParams.get("error")).toBe("invalid_request");
    twin.org.setFaults({ appMissing: true });
    expect((await code()).searchParams.get("error_description")).toBe("app must be installed into org");
  });

  it("rotates the refresh token: the old one is dead at once, the access token lives on", async () => {
    const { accessToken, refreshToken } = twin.org.grant();
    const first = await post({ grant_type: "refresh_token", refresh_token: refreshToken });
    expect(first).toMatchObject({ status: 200, body: { refresh_token: expect.any(String) } });
    expect(await post({ grant_type: "refresh_token", refresh_token: refreshToken })).toMatchObject({
      status: 400,
      body: { error: "invalid_grant", error_description: "expired access/refresh token" },
    });
    token = accessToken;
    expect(await ask("GET", "/limits")).toMatchObject({ status: 200 });
  });

  it("refuses a refresh from an address that is not on the list, and keeps the token", async () => {
    const { refreshToken } = twin.org.grant();
    twin.org.setFaults({ addressRefused: true });
    expect(await post({ grant_type: "refresh_token", refresh_token: refreshToken })).toMatchObject({
      status: 400,
      body: { error: "invalid_grant", error_description: "ip restricted" },
    });
    twin.org.setFaults({ addressRefused: false });
    expect(await post({ grant_type: "refresh_token", refresh_token: refreshToken })).toMatchObject({ status: 200 });
  });
});

describe("what goes wrong on request", () => {
  it("ends a token at any moment", async () => {
    twin.org.setFaults({ requests: [{ kind: "expire", times: 1 }] });
    const refused = { status: 401, body: [{ errorCode: "INVALID_SESSION_ID", message: "Session expired or invalid" }] };
    expect(await ask("GET", "/limits")).toMatchObject(refused);
    expect(await ask("GET", "/limits")).toMatchObject(refused);
    token = twin.org.grant().accessToken;
    expect(await ask("GET", "/limits")).toMatchObject({ status: 200 });
  });

  it("counts the API limit down in the header, then refuses", async () => {
    twin.org.setFaults({ apiUsed: 8, apiLimit: 10 });
    expect((await ask("GET", "/limits")).headers.get("sforce-limit-info")).toBe("api-usage=9/10");
    expect((await ask("GET", "/limits")).headers.get("sforce-limit-info")).toBe("api-usage=10/10");
    expect(await ask("GET", "/limits")).toMatchObject({ status: 403, body: [{ errorCode: "REQUEST_LIMIT_EXCEEDED" }] });
  });

  it("answers 503 with a page in HTML", async () => {
    twin.org.setFaults({ unavailable: "html" });
    const answer = await ask("GET", "/limits");
    expect([answer.status, answer.headers.get("content-type")]).toEqual([503, "text/html;charset=UTF-8"]);
  });

  it("does nothing before a 500, and everything before a lost answer", async () => {
    twin.org.setFaults({
      requests: [
        { kind: "error_500", times: 1 },
        { kind: "drop_after", times: 1 },
      ],
    });
    expect(await upsert("k1")).toMatchObject({ status: 500 });
    expect(twin.org.tasks()).toHaveLength(0);
    await expect(upsert("k1")).rejects.toThrow();
    expect(twin.org.tasks()).toHaveLength(1);
  });

  it("strikes by rate with the chance of its seed, the same each time", async () => {
    const draw = async (): Promise<number[]> => {
      twin.org.reset();
      twin.org.setFaults({ errorRate: 0.3 });
      const statuses: number[] = [];
      for (let n = 0; n < 20; n++) {
        statuses.push((await ask("GET", "/limits")).status);
      }
      return statuses;
    };
    const first = await draw();
    expect(first).toContain(500);
    expect(first).toContain(200);
    expect(await draw()).toEqual(first);
  });

  it("is reached over HTTP as well, and written down", async () => {
    const admin = async (method: string, path: string, body?: object): Promise<unknown> =>
      (
        await fetch(`${twin.url}/admin/${path}`, {
          method,
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        })
      ).json();
    await admin("POST", "faults", { requests: [{ kind: "json_503", times: 1 }] });
    expect(await upsert("k1")).toMatchObject({ status: 503, body: [{ errorCode: "SERVER_UNAVAILABLE" }] });
    const made = (await upsert("k1")).body as { id: string };
    await admin("POST", `task/${made.id}/complete`);
    expect(await admin("GET", "state")).toMatchObject({
      counts: { tasks: 1 },
      tasks: [{ key: "k1", status: "Completed" }],
    });
    expect(await admin("GET", "journal")).toMatchObject([
      { status: 503, fault: "json_503" },
      { status: 201, fault: null },
    ]);
    expect(await (await fetch(twin.url)).text()).toContain(made.id);
  });

  it("notices a request that breaks the published shape", async () => {
    await ask("PATCH", "/sobjects/Task/Baton_Key__c/k1", { Subject: { deep: true } });
    await ask("GET", "/limits?colour=red");
    expect(twin.org.state(true).violations.first.map(({ side }) => side)).toEqual(["request", "request"]);
    twin.org.journal.clear();
  });
});

describe("jsforce, the vendor's own client", () => {
  it("connects with PKCE, refreshes, describes, writes, queries over pages and reads its limits", async () => {
    const oauth2 = new OAuth2({
      loginUrl: twin.url,
      clientId: twinApp.clientId,
      clientSecret: twinApp.clientSecret,
      redirectUri: "https://baton.example.com/callback",
      useVerifier: true,
    });
    const response = await fetch(oauth2.getAuthorizationUrl({ scope: "api refresh_token" }), { redirect: "manual" });
    const connection = new Connection({ oauth2, instanceUrl: twin.url, version: "68.0" });
    const code = new URL(response.headers.get("location") ?? "").searchParams.get("code") ?? "";
    const user = await connection.authorize(code, { code_verifier: oauth2.codeVerifier ?? "" });
    expect(user.organizationId).toBe(twin.org.organizationId);
    expect((await connection.identity()).user_id).toBe(twin.org.integrationUserId);
    const described = await connection.describe("Task");
    expect(described.fields.find(({ name }) => name === "Baton_Key__c")).toMatchObject({
      externalId: true,
      unique: true,
    });

    const records = Array.from({ length: 5 }, (_, n) => ({ Baton_Key__c: `k${n}`, Subject: `Task ${n}` }));
    const saved = await connection.sobject("Task").upsert(records, "Baton_Key__c");
    expect(saved.map(({ success }) => success)).toEqual([true, true, true, true, true]);
    expect(
      await connection.sobject("Task").upsert({ Baton_Key__c: "k0", Subject: "Changed" }, "Baton_Key__c"),
    ).toMatchObject({ success: true, created: false });

    twin.org.sessions.expire();
    const all = await connection.query("SELECT Id, Subject FROM Task ORDER BY Baton_Key__c", {
      autoFetch: true,
      maxFetch: 10,
    });
    expect(all.records.map((record) => record.Subject)).toEqual(["Changed", "Task 1", "Task 2", "Task 3", "Task 4"]);
    expect((await connection.limits()).DailyApiRequests?.Max).toBe(100_000);
    expect(connection.limitInfo.apiUsage?.limit).toBe(100_000);
  });
});
