/**
 * The Salesforce connector, run as the account object runs it, against the twin: every fault of CRM-FACTS §4 and what the
 * engine must then be told. Expected arms come from the table of CRM-FACTS §2.2 and from the contract.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import type { Command, CrmApp, CrmSession, Grant, Outcome, Send } from "../../connectors/contract.ts";
import { salesforce } from "../../connectors/salesforce/crm.ts";
import { startSalesforceTwin, twinApp } from "../../connectors/salesforce/twin/server.ts";
import { send, sessionNow, twin } from "./salesforce-fixture.ts";

type CreateTask = Extract<Command, { type: "create_task" }>;

let session: CrmSession;

beforeEach(() => {
  session = sessionNow();
});

const ana = "005000000000002AAA";
const gone = "005000000000005AAA";

function create(
  n: number,
  person: Partial<CreateTask["person"]> = {},
  task: Partial<CreateTask["task"]> = {},
): CreateTask {
  return {
    type: "create_task",
    key: `fu:${n}`,
    person: {
      lead: `lead_${n}`,
      email: `person${n}@example.com`,
      lastName: `Person ${n}`,
      company: "Example",
      ...person,
    },
    task: {
      subject: `Call person ${n}`,
      body: "Asked for a demo.\nTwice.",
      dueAt: Date.UTC(2026, 10, 23, 9, 30),
      priority: "high",
      type: "call",
      ...task,
    },
  };
}

const many = (count: number): CreateTask[] => Array.from({ length: count }, (_, n) => create(n));

async function run(...commands: Command[]): Promise<Outcome> {
  const [outcome] = await salesforce.execute(session, commands);
  return outcome ?? { arm: "unknown", reason: "no outcome" };
}

/** What was asked, as `METHOD path → status`, without the version. */
function asked(): string[] {
  return twin.org
    .entries()
    .map(
      ({ method, path, status }) =>
        `${method} ${path.replace("/services/data/v68.0", "").replace(/\?.*/, "")} → ${status}`,
    );
}

const live = (): number => twin.org.tasks().filter(({ deleted }) => !deleted).length;

describe("a follow-up for a new person", () => {
  it("makes a lead and a task in two requests, with what Baton knows", async () => {
    const outcome = await run(
      create(1, { firstName: "Ada", jobTitle: "CTO", phone: "+491700000000" }, { ownerId: ana }),
    );
    expect(asked()).toEqual(["POST /composite → 200", "POST /composite → 200"]);
    const [task] = twin.org.tasks();
    const [lead] = twin.org.people();
    expect(outcome).toEqual({ arm: "done", taskId: task?.id, personId: lead?.id, created: true });
    expect(twin.org.get(lead?.id ?? "")).toMatchObject({
      Baton_Key__c: "lead_1",
      LastName: "Person 1",
      FirstName: "Ada",
      Company: "Example",
      Email: "person1@example.com",
      Title: "CTO",
      Phone: "+491700000000",
    });
    expect(twin.org.get(task?.id ?? "")).toMatchObject({
      Baton_Key__c: "fu:1",
      Subject: "Call person 1",
      Description: "Asked for a demo.\nTwice.",
      WhoId: lead?.id,
      OwnerId: ana,
      Status: "Not Started",
      Priority: "High",
      TaskSubtype: "Call",
      ActivityDate: "2026-11-23",
      IsReminderSet: true,
      ReminderDateTime: "2026-11-23T09:30:00.000+0000",
    });
  });

  it("says honestly what it does not know about a lead", async () => {
    await run({ ...create(1), person: { lead: "lead_1" } });
    const lead = twin.org.get(twin.org.people()[0]?.id ?? "");
    expect(lead).toMatchObject({ LastName: "(unknown)", Company: "(unknown)" });
    expect(lead).not.toHaveProperty("Email");
  });

  it("shortens what is too long, and does not take text for a reference", async () => {
    await run(
      create(
        1,
        { lastName: "x".repeat(100) },
        { subject: `@{lead.id} ${"s".repeat(300)}`, body: `@{x}${"b".repeat(40_000)}` },
      ),
    );
    const task = twin.org.get(twin.org.tasks()[0]?.id ?? "");
    expect([String(task?.Subject).length, String(task?.Description).length]).toEqual([255, 32_000]);
    expect(String(task?.Subject)).toMatch(/^@\{lead\.id\} s/);
  });

  it("leaves no lead behind where the org refuses the task", async () => {
    twin.org.setFaults({ rows: [{ kind: "validation", object: "Task" }] });
    expect(await run(create(1))).toMatchObject({ arm: "refused" });
    expect([live(), twin.org.people().length]).toEqual([0, 0]);
  });

  it("takes keys that would not survive in an address", async () => {
    const odd = { ...create(1), key: "a/b?c#d %.json'" };
    expect(await run(odd)).toMatchObject({ arm: "done", created: true });
    expect(await salesforce.resolve(session, [odd])).toMatchObject([{ arm: "found" }]);
    expect(await salesforce.resolve(session, [{ ...odd, key: "a/b?c#d %.json" }])).toEqual([{ arm: "absent" }]);
    expect(await run({ ...odd, key: "k".repeat(256) })).toEqual({ arm: "refused", reason: "key_too_long" });
  });
});

describe("a person who is in Salesforce already", () => {
  it("is found by address as a contact, without case, and keeps every field", async () => {
    const contact = twin.org.put("Contact", { LastName: "Lovelace", Email: "Person1@Example.com" });
    twin.org.put("Lead", { LastName: "Lovelace", Company: "E", Email: "person1@example.com" });
    expect(await run(create(1, { email: "PERSON1@example.com" }))).toMatchObject({ arm: "done", personId: contact });
    expect(twin.org.people()).toHaveLength(2);
    expect(twin.org.get(contact)).toMatchObject({ LastName: "Lovelace", Email: "Person1@Example.com" });
  });

  it("is found as an unconverted lead where there is no contact, the oldest of several", async () => {
    const older = twin.org.put("Lead", { LastName: "Old", Company: "E", Email: "person1@example.com" });
    twin.org.put("Lead", { LastName: "Young", Company: "E", Email: "person1@example.com" });
    expect(await run(create(1))).toMatchObject({ arm: "done", personId: older });
  });

  it("is not looked up at all when Baton knows the id", async () => {
    const lead = twin.org.put("Lead", { LastName: "L", Company: "E" });
    expect(await run(create(1, { knownId: lead }))).toMatchObject({ arm: "done", personId: lead });
    expect(asked()).toEqual(["PATCH /sobjects/Task/Baton_Key__c/fu:1 → 201"]);
  });

  it("is used where a duplicate rule knows them by other means", async () => {
    const contact = twin.org.put("Contact", { LastName: "L", Email: "person1@example.com" });
    twin.org.setFaults({ duplicateRule: true, requests: [{ kind: "error_500", method: "GET", times: 1 }] });
    twin.org.edit(contact, { Email: "other@example.com" });
    const racing = salesforce.execute(
      { ...session, send: racingSend(() => twin.org.edit(contact, { Email: "person1@example.com" })) },
      [create(1)],
    );
    expect(await racing).toMatchObject([{ arm: "done", personId: contact }]);
    expect(twin.org.people()).toHaveLength(1);
    twin.org.setFaults({ requests: [] });
  });

  it("is followed when the lead was converted", async () => {
    const lead = twin.org.put("Lead", { LastName: "L", Company: "E", Email: "person1@example.com" });
    const contact = twin.org.convert(lead);
    twin.org.edit(contact ?? "", { Email: "new@example.com" });
    expect(await run(create(1, { knownId: lead }))).toMatchObject({ arm: "done", personId: contact });
    expect(await run(create(2, { email: "person1@example.com" }))).toMatchObject({ arm: "done", personId: contact });
    expect(twin.org.tasks().map(({ who }) => who)).toEqual([contact, contact]);
  });

  it("is followed when the lead was merged, also twice", async () => {
    const [a, b, c] = ["A", "B", "C"].map((name) => twin.org.put("Lead", { LastName: name, Company: "E" }));
    twin.org.merge(b ?? "", [a ?? ""]);
    twin.org.merge(c ?? "", [b ?? ""]);
    expect(await run(create(1, { knownId: a ?? "" }))).toMatchObject({ arm: "done", personId: c });
    expect(twin.org.people().filter(({ deleted }) => !deleted)).toHaveLength(1);
  });

  it("is made anew where a person threw the record away without merging it", async () => {
    const lead = twin.org.put("Lead", { LastName: "L", Company: "E" });
    twin.org.remove(lead);
    const outcome = await run(create(1, { knownId: lead }));
    expect(outcome).toMatchObject({ arm: "done", created: true });
    expect(twin.org.people()).toHaveLength(2);
  });
});

describe("the same key", () => {
  it("never makes two tasks, and leaves alone what a seller did to the first", async () => {
    const first = await run(create(1));
    const [task] = twin.org.tasks();
    twin.org.completeTask(task?.id ?? "");
    const again = await run(create(1));
    expect([first, again].map((outcome) => outcome.arm === "done" && outcome.created)).toEqual([true, false]);
    expect(live()).toBe(1);
    expect(twin.org.tasks()[0]?.status).toBe("Completed");
  });

  it("is done for both when two requests race for it", async () => {
    twin.org.setFaults({ raceWindowMs: 30 });
    const known = create(1, { knownId: twin.org.put("Lead", { LastName: "L", Company: "E" }) });
    const outcomes = await Promise.all([run(known), run(known)]);
    expect(outcomes.map(({ arm }) => arm)).toEqual(["done", "done"]);
    expect(live()).toBe(1);
  });

  it("is done for both when they race for a new person as well", async () => {
    twin.org.setFaults({ raceWindowMs: 30 });
    const outcomes = await Promise.all([run(create(1)), run(create(1))]);
    expect(outcomes.map(({ arm }) => arm)).toEqual(["done", "done"]);
    expect([live(), twin.org.people().length]).toEqual([1, 1]);
  });

  it("counts as found where the task was thrown away, whether or not the recycle bin holds the key", async () => {
    await run(create(1));
    twin.org.remove(twin.org.tasks()[0]?.id ?? "");
    expect(await salesforce.resolve(session, [create(1)])).toMatchObject([{ arm: "found" }]);
    twin.org.setFaults({ recycleBinHoldsKey: true });
    expect(await run(create(1))).toMatchObject({ arm: "done", created: false });
    expect(live()).toBe(0);
  });

  it("twice in one batch is one task", async () => {
    expect(await salesforce.execute(session, [create(1), create(1)])).toMatchObject([{ arm: "done" }, { arm: "done" }]);
    expect(live()).toBe(1);
  });
});

describe("a batch", () => {
  it("of 200 new people takes three requests", async () => {
    const outcomes = await salesforce.execute(session, many(200));
    expect(outcomes.every((outcome) => outcome.arm === "done" && outcome.created)).toBe(true);
    expect(asked()).toEqual([
      "POST /composite → 200",
      "PATCH /composite/sobjects/Lead/Baton_Key__c → 200",
      "PATCH /composite/sobjects/Task/Baton_Key__c → 200",
    ]);
    expect(await salesforce.resolve(session, many(200))).toHaveLength(200);
  });

  it("has one person for one address, and one outcome per command in order", async () => {
    const contact = twin.org.put("Contact", { LastName: "L", Email: "person0@example.com" });
    const outcomes = await salesforce.execute(session, [
      create(0),
      create(1, { email: "same@example.com" }),
      create(2, { email: "Same@example.com" }),
    ]);
    const people = outcomes.map((outcome) => (outcome.arm === "done" ? outcome.personId : null));
    expect(people[0]).toBe(contact);
    expect(people[1]).toBe(people[2]);
    expect(twin.org.people()).toHaveLength(2);
  });

  it("judges each row for itself", async () => {
    twin.org.setFaults({
      rows: [
        { kind: "validation", object: "Task", contains: "person 1" },
        { kind: "lock", object: "Task", contains: "person 2" },
        { kind: "trigger", object: "Lead", contains: "person3@" },
      ],
    });
    const outcomes = await salesforce.execute(session, many(5));
    expect(outcomes).toMatchObject([
      { arm: "done" },
      { arm: "refused", reason: "field_custom_validation_exception", detail: "fields: Description" },
      { arm: "deferred", reason: "row_locked", scope: "action" },
      { arm: "refused", reason: "cannot_insert_update_activate_entity" },
      { arm: "done" },
    ]);
  });

  it("that is refused as a whole is halved until only the bad row is left", async () => {
    const people = many(8).map((command, n) => ({
      ...command,
      person: { ...command.person, knownId: twin.org.put("Lead", { LastName: `L${n}`, Company: "E" }) },
    }));
    twin.org.setFaults({ requests: [{ kind: "refused_whole", body: "Call person 5", times: 99 }] });
    const outcomes = await salesforce.execute(session, people);
    expect(outcomes.map(({ arm }) => arm)).toEqual(["done", "done", "done", "done", "done", "refused", "done", "done"]);
    expect(twin.org.entries().length).toBeLessThanOrEqual(salesforce.cost(people, "unique_property"));
  });

  it("whose answer is lost is unknown in every row, and resolved in one request", async () => {
    twin.org.setFaults({ requests: [{ kind: "drop_after", path: "/Task/", times: 1 }] });
    expect((await salesforce.execute(session, many(3))).map(({ arm }) => arm)).toEqual([
      "unknown",
      "unknown",
      "unknown",
    ]);
    expect((await salesforce.resolve(session, many(4))).map(({ arm }) => arm)).toEqual([
      "found",
      "found",
      "found",
      "absent",
    ]);
  });

  it("stops at the number of requests it said it would send, and puts the rest off", async () => {
    const commands = many(64);
    twin.org.setFaults({ requests: [{ kind: "refused_whole", method: "PATCH", times: 9_999 }] });
    const outcomes = await salesforce.execute(session, commands);
    expect(twin.org.entries()).toHaveLength(salesforce.cost(commands, "unique_property"));
    expect(new Set(outcomes.map((outcome) => ("reason" in outcome ? outcome.reason : outcome.arm)))).toEqual(
      new Set(["json_parser_error", "requests_spent"]),
    );
  });

  it("makes everything once though others race for its leads and tasks", async () => {
    const commands = many(4);
    twin.org.setFaults({
      rows: [
        { kind: "duplicate_value", object: "Lead", times: 3 },
        { kind: "duplicate_value", object: "Task", times: 3 },
      ],
    });
    const outcomes = await salesforce.execute(session, commands);
    expect(outcomes.map(({ arm }) => arm)).toEqual(["done", "done", "done", "done"]);
    expect(twin.org.entries().length).toBeLessThanOrEqual(salesforce.cost(commands, "unique_property"));
    expect([live(), twin.org.people().length]).toEqual([4, 4]);
  });
});

describe("what goes wrong", () => {
  it.each([
    ["error_500", { arm: "unknown", reason: "http_500" }],
    ["html_503", { arm: "unknown", reason: "http_503" }],
    ["json_503", { arm: "unknown", reason: "http_503" }],
    ["html_200", { arm: "unknown", reason: "answer_unreadable" }],
    ["drop_before", { arm: "unknown", reason: "connection_broken" }],
    ["drop_after", { arm: "unknown", reason: "connection_broken" }],
    ["expire", { arm: "expired" }],
    ["session_refused", { arm: "blocked", reason: "session_not_accepted" }],
    ["request_limit", { arm: "deferred", reason: "request_limit", scope: "account", retryAfterMs: 900_000 }],
    ["concurrent_limit", { arm: "deferred", reason: "request_limit", scope: "account", retryAfterMs: 30_000 }],
    ["api_disabled", { arm: "blocked", reason: "api_disabled_for_org" }],
  ] as const)("%s at the task's write is told as it is", async (kind, expected) => {
    const lead = twin.org.put("Lead", { LastName: "L", Company: "E" });
    twin.org.setFaults({ requests: [{ kind, times: 1 }] });
    expect(await run(create(1, { knownId: lead }))).toEqual(expected);
    expect(live()).toBe(kind === "drop_after" ? 1 : 0);
  });

  it.each([
    ["error_500", "deferred"],
    ["html_503", "deferred"],
    ["html_200", "deferred"],
    ["drop_after", "deferred"],
    ["expire", "expired"],
    ["request_limit", "deferred"],
  ] as const)("%s at the look-up means nothing was done, never that nobody is there", async (kind, arm) => {
    twin.org.put("Contact", { LastName: "L", Email: "person1@example.com" });
    twin.org.setFaults({ requests: [{ kind, times: 1 }] });
    expect(await run(create(1))).toMatchObject({ arm });
    expect([live(), twin.org.people().length]).toEqual([0, 1]);
    twin.org.setFaults({ requests: [{ kind, times: 1 }] });
    session = { ...session, accessToken: twin.org.grant().accessToken };
    expect(await salesforce.resolve(session, [create(1)])).toMatchObject([{ arm }]);
  });

  it("a lead whose answer was lost is deferred, and found again without a second one", async () => {
    twin.org.setFaults({ requests: [{ kind: "drop_after", path: "/Lead/", times: 1 }] });
    const commands = many(2);
    expect((await salesforce.execute(session, commands)).map(({ arm }) => arm)).toEqual(["deferred", "deferred"]);
    expect((await salesforce.execute(session, commands)).map(({ arm }) => arm)).toEqual(["done", "done"]);
    expect([live(), twin.org.people().length]).toEqual([2, 2]);
  });

  it.each([
    ["lock", { arm: "deferred", scope: "action", reason: "row_locked" }],
    ["lock_hidden", { arm: "deferred", scope: "action", reason: "row_locked" }],
    ["trigger", { arm: "refused", reason: "cannot_insert_update_activate_entity" }],
    ["validation", { arm: "refused", reason: "field_custom_validation_exception", detail: "fields: Description" }],
    ["readonly", { arm: "refused", reason: "insufficient_access_or_readonly" }],
    ["storage", { arm: "blocked", reason: "storage_limit_exceeded" }],
    ["unknown_exception", { arm: "unknown", reason: "unknown_exception" }],
    ["duplicate_value", { arm: "done", created: false }],
  ] as const)(
    "%s on the task of a new person is told as it is, and no message of the org is repeated",
    async (kind, expected) => {
      twin.org.setFaults({ rows: [{ kind, object: "Task", times: 1 }] });
      const outcome = await run(create(1));
      expect(outcome).toMatchObject(expected);
      expect(JSON.stringify(outcome)).not.toMatch(/Secret|TaskTrigger|example\.com/);
    },
  );

  it("jitter after a lock comes from the key: the same for the same, within 1 to 5 s", async () => {
    twin.org.setFaults({ rows: [{ kind: "lock", object: "Task" }] });
    const delays = await Promise.all(
      [1, 1, 2].map(async (n) => {
        const outcome = await run(create(n));
        return outcome.arm === "deferred" ? outcome.retryAfterMs : 0;
      }),
    );
    expect(delays[0]).toBe(delays[1]);
    expect(delays[0]).not.toBe(delays[2]);
    expect(delays.every((ms) => ms >= 1_000 && ms <= 5_000)).toBe(true);
  });

  it("an owner who has left, or who is no user, is replaced by the integration user", async () => {
    for (const [n, ownerId] of [gone, "005000000000999AAA"].entries()) {
      expect(await run(create(n, {}, { ownerId }))).toMatchObject({ arm: "done" });
    }
    expect(twin.org.tasks().map(({ owner }) => owner)).toEqual([
      twin.org.integrationUserId,
      twin.org.integrationUserId,
    ]);
  });

  it("a status the org does not have is left to the org", async () => {
    twin.org.setFaults({ taskStatuses: ["Offen", "Erledigt"] });
    expect(await run(create(1))).toMatchObject({ arm: "done" });
    expect(twin.org.tasks()[0]?.status).toBe("Offen");
    expect(
      await run({ type: "close_task", key: "close:1", taskId: twin.org.tasks()[0]?.id ?? "", note: "" }),
    ).toMatchObject({ arm: "done" });
    expect(twin.org.tasks()[0]?.status).toBe("Erledigt");
  });

  it("a package that is gone blocks the install", async () => {
    twin.org.setFaults({ packageMissing: true });
    expect(await run(create(1))).toMatchObject({ arm: "blocked", reason: "package_missing" });
    expect(await run(create(1, { knownId: twin.org.put("Lead", { LastName: "L", Company: "E" }) }))).toMatchObject({
      arm: "blocked",
      reason: "package_missing",
    });
    expect(await salesforce.resolve(session, [create(1)])).toMatchObject([{ arm: "blocked" }]);
  });

  it("a server that stays silent is given up at the deadline of whoever sends", async () => {
    twin.org.setFaults({ requests: [{ kind: "silent_after", times: 1 }] });
    const impatient: Send = (request) => fetch(request, { signal: AbortSignal.timeout(200) });
    const lead = twin.org.put("Lead", { LastName: "L", Company: "E" });
    expect(await salesforce.execute({ ...session, send: impatient }, [create(1, { knownId: lead })])).toMatchObject([
      { arm: "unknown" },
    ]);
    expect(live()).toBe(1);
  });

  it.each([
    [
      "a redirect",
      new Response(null, { status: 302, headers: { location: "https://elsewhere.example.com" } }),
      { arm: "deferred", scope: "account", reason: "http_302", retryAfterMs: 30_000 },
    ],
    [
      "a proxy's 403",
      new Response("<html>", { status: 403 }),
      { arm: "deferred", scope: "account", reason: "http_403", retryAfterMs: 30_000 },
    ],
    [
      "a 429 that names its delay",
      new Response("", { status: 429, headers: { "retry-after": "7" } }),
      { arm: "deferred", scope: "account", reason: "http_429", retryAfterMs: 7_000 },
    ],
    ["an org that is gone", new Response("", { status: 420 }), { arm: "blocked", reason: "org_not_available" }],
    [
      "several records for one key",
      Response.json(["/a", "/b"], { status: 300 }),
      { arm: "blocked", reason: "key_not_unique" },
    ],
    [
      "a code nobody knows",
      Response.json([{ errorCode: "Ada Lovelace", message: "ada@example.com" }], { status: 400 }),
      { arm: "refused", reason: "unrecognised" },
    ],
    [
      "a success without an id",
      Response.json({ success: true, errors: [] }, { status: 201 }),
      { arm: "unknown", reason: "answer_unreadable" },
    ],
  ])("%s is judged without following or repeating it", async (_, response, expected) => {
    let sent = 0;
    const answering: Send = async () => {
      sent += 1;
      return response;
    };
    expect(
      await salesforce.execute({ ...session, send: answering }, [create(1, { knownId: "00Q000000000001AAA" })]),
    ).toEqual([expected]);
    expect(sent).toBe(1);
  });

  it("sends every request through the session, once each", async () => {
    const seen: string[] = [];
    const counting: Send = (request) => {
      seen.push(request.headers.get("authorization") ?? "");
      return fetch(request);
    };
    twin.org.setFaults({ requests: [{ kind: "error_500", times: 1 }] });
    await salesforce.execute({ ...session, send: counting }, [create(1)]);
    await salesforce.execute({ ...session, send: counting }, [create(1)]);
    expect(seen).toEqual(Array.from({ length: twin.org.entries().length }, () => `Bearer ${session.accessToken}`));
    expect(seen).toHaveLength(3);
  });
});

describe("the start of a Worker", () => {
  it("does not load jsforce: nothing that is imported at once leads to it", () => {
    const folder = join(dirname(fileURLToPath(import.meta.url)), "../../connectors/salesforce");
    const seen = new Set(["crm.ts"]);
    for (const file of seen) {
      const source = readFileSync(join(folder, file), "utf8");
      for (const [, name] of source.matchAll(/^import (?!type )[^;]*? from "\.\/([^"]+)";/gms)) {
        seen.add(name ?? "");
      }
      expect(source).not.toMatch(/^import [^;]*from "jsforce/m);
    }
    expect(seen).toContain("oauth.ts");
    expect(seen).not.toContain("client.ts");
  });
});

describe("closing a task", () => {
  const close = (taskId: string, note = "Answered elsewhere."): Command => ({
    type: "close_task",
    key: `close:${taskId}`,
    taskId,
    note,
  });

  it("completes it and puts the note below what stands there", async () => {
    await run(create(1));
    const [task] = twin.org.tasks();
    expect(await run(close(task?.id ?? ""))).toEqual({
      arm: "done",
      taskId: task?.id,
      personId: task?.who,
      created: false,
    });
    expect(twin.org.get(task?.id ?? "")).toMatchObject({
      Status: "Completed",
      Description: "Asked for a demo.\nTwice.\n\nAnswered elsewhere.",
    });
  });

  it("is done for a task that is completed, deleted or unknown, and changes nothing then", async () => {
    await salesforce.execute(session, many(2));
    const [first, second] = twin.org.tasks().map(({ id }) => id);
    twin.org.completeTask(first ?? "");
    twin.org.remove(second ?? "");
    const commands = [close(first ?? ""), close(second ?? ""), close("00T000000000999AAA")];
    expect((await salesforce.execute(session, commands)).map(({ arm }) => arm)).toEqual(["done", "done", "done"]);
    expect(twin.org.get(first ?? "")?.Description).toBe("Asked for a demo.\nTwice.");
  });

  it("is unknown when its answer is lost, and resolved by looking at the task", async () => {
    await salesforce.execute(session, many(2));
    const [first, second] = twin.org.tasks().map(({ id }) => id);
    twin.org.setFaults({ requests: [{ kind: "drop_after", method: "PATCH", times: 1 }] });
    expect(await run(close(first ?? ""))).toMatchObject({ arm: "unknown" });
    expect(await salesforce.resolve(session, [close(first ?? ""), close(second ?? "")])).toMatchObject([
      { arm: "found" },
      { arm: "absent" },
    ]);
  });

  it("is refused where a rule of the org forbids it", async () => {
    await run(create(1));
    twin.org.setFaults({ rows: [{ kind: "validation", object: "Task" }] });
    expect(await run(close(twin.org.tasks()[0]?.id ?? ""))).toMatchObject({
      arm: "refused",
      reason: "field_custom_validation_exception",
    });
    expect(twin.org.tasks()[0]?.status).toBe("Not Started");
  });
});

describe("installing", () => {
  it("proves the world with a throw-away task, and leaves nothing behind", async () => {
    expect(await salesforce.install(session)).toEqual({
      ok: true,
      value: {
        world: "unique_property",
        timeZone: "Europe/Berlin",
        recordUrl: { person: `${twin.url}/{person}`, task: `${twin.url}/{task}` },
      },
    });
    const probes = twin.org.entries().filter(({ method }) => method === "PATCH" || method === "DELETE");
    expect(probes.map(({ status }) => status)).toEqual([201, 200, 204]);
    expect(live()).toBe(0);
  });

  it("is blocked while the package is missing, and expired with an old token", async () => {
    twin.org.setFaults({ packageMissing: true });
    expect(await salesforce.install(session)).toEqual({
      ok: false,
      failure: { arm: "blocked", reason: "package_missing", detail: "Task.Baton_Key__c" },
    });
    twin.org.sessions.expire();
    expect(await salesforce.install(session)).toEqual({ ok: false, failure: { arm: "expired" } });
  });

  it("tidies up when the probe is cut short", async () => {
    twin.org.setFaults({ requests: [{ kind: "drop_after", method: "PATCH", times: 1 }] });
    expect(await salesforce.install(session)).toMatchObject({ ok: false, failure: { arm: "deferred" } });
    expect(live()).toBe(0);
  });

  it("knows the active users as owners", async () => {
    const owners = await salesforce.owners(session);
    expect(owners).toMatchObject({
      ok: true,
      value: [
        { email: "integration@example.com" },
        { id: ana, email: "ana@example.com" },
        { email: "ben@example.com" },
        { email: "cleo@example.com" },
      ],
    });
    twin.org.setFaults({ unavailable: "html" });
    expect(await salesforce.owners(session)).toMatchObject({
      ok: false,
      failure: { arm: "deferred", scope: "account" },
    });
  });

  it("reads what is left of the limit by name", () => {
    const left = (header: string): unknown => salesforce.remaining(new Headers({ "sforce-limit-info": header }));
    expect(left("api-usage=10018/100000")).toEqual({ left: 89_982, of: 100_000 });
    expect(left("per-app-api-usage=17/250(appName=x), api-usage=25/5000")).toEqual({ left: 4_975, of: 5_000 });
    expect(left("per-app-api-usage=17/250(appName=x)")).toBeNull();
    expect(salesforce.remaining(new Headers())).toBeNull();
  });
});

describe("connecting", () => {
  const app = (): CrmApp => ({
    clientId: twinApp.clientId,
    clientSecret: twinApp.clientSecret,
    redirectUri: "https://baton.example.com/oauth/salesforce/callback",
    loginUrl: twin.url,
    apiUrl: twin.url,
  });
  const io = { send, now: 0 };
  const verifier = "v".repeat(64);
  const challenge = createHash("sha256").update(verifier).digest("base64url");

  async function connect(): Promise<Grant> {
    const answer = await fetch(salesforce.authorizeUrl(app(), { state: "s1", challenge }), { redirect: "manual" });
    const back = new URL(answer.headers.get("location") ?? "about:blank");
    expect(back.searchParams.get("state")).toBe("s1");
    const grant = await salesforce.exchange(app(), { code: back.searchParams.get("code") ?? "", verifier }, io);
    if (!grant.ok) {
      throw new Error(grant.failure.reason);
    }
    return grant.value;
  }

  it("gives a grant that works, without an expiry", async () => {
    const grant = await connect();
    expect(grant).toMatchObject({
      expiresAt: null,
      apiUrl: twin.url,
      crmAccount: twin.org.organizationId,
      scopes: ["api", "refresh_token"],
    });
    expect(await salesforce.execute({ ...session, accessToken: grant.accessToken }, [create(1)])).toMatchObject([
      { arm: "done" },
    ]);
  });

  it("replays once after a refresh, and the old refresh token is dead at once", async () => {
    const before = await connect();
    twin.org.sessions.expire(before.accessToken);
    expect(await salesforce.execute({ ...session, accessToken: before.accessToken }, [create(1)])).toEqual([
      { arm: "expired" },
    ]);
    const after = await salesforce.refresh(app(), before, io);
    expect(after.ok && after.value.refreshToken !== before.refreshToken).toBe(true);
    const accessToken = after.ok ? after.value.accessToken : "";
    expect(await salesforce.execute({ ...session, accessToken }, [create(1)])).toMatchObject([{ arm: "done" }]);
    expect(await salesforce.refresh(app(), before, io)).toEqual({
      ok: false,
      failure: { arm: "revoked", reason: "invalid_grant" },
    });
  });

  it("keeps the refresh token where the org does not rotate", async () => {
    const still = await startSalesforceTwin({ rotation: false });
    const { accessToken, refreshToken } = still.org.grant();
    const before: Grant = {
      accessToken,
      refreshToken,
      expiresAt: null,
      apiUrl: still.url,
      crmAccount: still.org.organizationId,
      scopes: [],
    };
    expect(await salesforce.refresh({ ...app(), loginUrl: still.url }, before, io)).toMatchObject({
      ok: true,
      value: { refreshToken },
    });
    await still.close();
  });

  it.each([
    [
      "a lost answer",
      { requests: [{ kind: "drop_after", path: "token", times: 1 }] },
      { arm: "lost", reason: "connection_broken" },
    ],
    ["a maintenance page", { unavailable: "html" }, { arm: "unknown", reason: "http_503" }],
    [
      "an address that is not on the list",
      { addressRefused: true },
      { arm: "misconfigured", reason: "address_refused" },
    ],
    ["an app that is not installed", { appMissing: true }, { arm: "misconfigured", reason: "package_missing" }],
  ] as const)("says what %s means for the grant", async (_, faults, failure) => {
    const grant = await connect();
    twin.org.setFaults(structuredClone(faults) as Parameters<typeof twin.org.setFaults>[0]);
    expect(await salesforce.refresh(app(), grant, io)).toEqual({ ok: false, failure });
  });

  it("is our own fault with a wrong secret, and the customer's leaving without a grant", async () => {
    const grant = await connect();
    expect(await salesforce.refresh({ ...app(), clientSecret: "wrong" }, grant, io)).toMatchObject({
      failure: { arm: "misconfigured", reason: "invalid_client" },
    });
    expect(await salesforce.exchange(app(), { code: "none", verifier }, io)).toMatchObject({
      failure: { arm: "revoked" },
    });
    twin.org.sessions.revokeAll();
    expect(await salesforce.refresh(app(), grant, io)).toMatchObject({ failure: { arm: "revoked" } });
  });
});

/** Lets the world change after the look-up, before the write. */
function racingSend(change: () => void): Send {
  let sent = 0;
  return async (request) => {
    sent += 1;
    if (sent === 2) {
      change();
    }
    return fetch(request);
  };
}

/** What the account object does, in small: execute; resolve what is unknown; execute again what is absent or deferred. */
async function drive(commands: readonly CreateTask[], batch: number): Promise<void> {
  const queue = commands.map((command) => ({ command, inDoubt: false }));
  for (let turn = 0; queue.length > 0; turn++) {
    expect(turn).toBeLessThan(commands.length * 20);
    const head = queue[0]?.inDoubt ?? false;
    const part = queue.filter(({ inDoubt }) => inDoubt === head).slice(0, batch);
    const work = part.map(({ command }) => command);
    const answers = head ? await salesforce.resolve(session, work) : await salesforce.execute(session, work);
    for (const [index, item] of part.entries()) {
      const arm = answers[index]?.arm;
      queue.splice(queue.indexOf(item), 1);
      if (arm !== "done" && arm !== "found") {
        expect(["absent", "deferred", "unknown"]).toContain(arm);
        queue.push({ command: item.command, inDoubt: arm === "unknown" || (item.inDoubt && arm !== "absent") });
      }
    }
  }
}

describe("with one request in ten failing and one answer in twenty lost", () => {
  it.each([
    ["one by one", 1, 150],
    ["in batches of 7", 7, 210],
    ["in batches of 200", 200, 1_000],
  ])("commands %s end in exactly one task and one lead each", async (_, batch, count) => {
    twin.org.setFaults({ errorRate: 0.1, lostRate: 0.05 });
    const commands = many(count);
    await drive(commands, batch);
    expect(twin.org.state(true).counts).toEqual({
      tasks: count,
      tasksDeleted: 0,
      leads: count,
      contacts: 0,
      doubledKeys: 0,
    });
    const tasks = new Map(twin.org.tasks().map((task) => [task.key, task]));
    const leads = new Map(twin.org.people().map((person) => [person.id, person]));
    for (const { key, person } of commands) {
      expect(leads.get(tasks.get(key)?.who ?? "")?.email).toBe(person.email);
    }
    const faults = twin.org.entries().map(({ fault }) => fault);
    expect(faults).toContain("error_500");
  });
});
