/** What each answer of HubSpot means (CRM-FACTS §1.5), on the task write and before it, and what is never said. */
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { Outcome } from "../../connectors/contract.ts";
import { hubspot } from "../../connectors/hubspot/crm.ts";
import type { Faults } from "../../connectors/hubspot/twin/faults.ts";
import { create, done, many, one, requests, reset, sessionIn, twin } from "./hubspot-fixture.ts";

beforeEach(reset);
afterAll(() => twin.close());

describe("what an answer means", () => {
  const write = "tasks/batch/upsert";
  const cases: readonly [string, Partial<Faults["script"][number]>, Partial<Outcome>][] = [
    [
      "429 in ten seconds",
      { status: 429, policyName: "TEN_SECONDLY_ROLLING" },
      { arm: "deferred", scope: "account", retryAfterMs: 10_000 },
    ],
    [
      "429 with Retry-After",
      { status: 429, retryAfter: 4 },
      { arm: "deferred", scope: "account", retryAfterMs: 4_000 },
    ],
    [
      "429 a second",
      { status: 429, policyName: "SECONDLY" },
      { arm: "deferred", scope: "account", retryAfterMs: 1_000 },
    ],
    ["429 a day", { status: 429, policyName: "DAILY" }, { arm: "deferred", scope: "account", retryAfterMs: 3_600_000 }],
    [
      "429 a day with Retry-After",
      { status: 429, policyName: "DAILY", retryAfter: 7_200 },
      { arm: "deferred", scope: "account", retryAfterMs: 7_200_000 },
    ],
    ["423", { status: 423 }, { arm: "deferred", scope: "action", retryAfterMs: 2_000 }],
    ["477", { status: 477, retryAfter: 600 }, { arm: "deferred", scope: "account", retryAfterMs: 600_000 }],
    ["477 without a time", { status: 477 }, { arm: "deferred", scope: "account", retryAfterMs: 300_000 }],
    ["401", { status: 401 }, { arm: "expired" }],
    ["403", { status: 403 }, { arm: "blocked", reason: "missing_scopes" }],
    ["400", { status: 400, code: "INVALID_DATE" }, { arm: "refused", reason: "invalid_date" }],
    [
      "400 without a content type",
      { status: 400, noContentType: true },
      { arm: "refused", reason: "validation_error" },
    ],
    ["a clash on the key", { status: 400, code: "CONFLICTING_UNIQUE_VALUE" }, { arm: "unknown", reason: "conflict" }],
    ["409", { status: 409 }, { arm: "unknown", reason: "conflict" }],
    ["500", { status: 500 }, { arm: "unknown", reason: "status_500" }],
    ["502 as a page", { status: 502, html: true }, { arm: "unknown", reason: "status_502" }],
    ["503", { status: 503 }, { arm: "unknown", reason: "status_503" }],
    ["524", { status: 524 }, { arm: "unknown", reason: "status_524" }],
    ["524 after the commit", { status: 524, commit: true }, { arm: "unknown", reason: "status_524" }],
    ["a broken connection", { kind: "drop" }, { arm: "unknown", reason: "connection_lost" }],
    ["a lost answer", { kind: "lose" }, { arm: "unknown", reason: "connection_lost" }],
    ["half an answer", { kind: "garble" }, { arm: "unknown", reason: "unreadable_answer" }],
    ["a batch still pending", { kind: "pending" }, { arm: "unknown", reason: "row_without_answer" }],
  ];
  for (const [name, fault, expected] of cases) {
    it(`${name} on the task write is ${expected.arm}`, async () => {
      const session = await sessionIn("unique_property");
      twin.setFaults({ script: [{ path: write, kind: "status", ...fault }] });
      expect(await one(session, create("eve"))).toMatchObject(expected);
    });
  }

  for (const [name, fault] of cases.filter(([, , expected]) => expected.arm === "unknown")) {
    it(`${name} before the task write is deferred, and the next run ends in one contact and one task`, async () => {
      const session = await sessionIn("unique_property");
      for (const path of ["contacts/batch/read", "contacts/batch/create"]) {
        twin.setFaults({ script: [{ path, kind: "status", ...fault }] });
        const outcome = await one(session, create("eve"));
        // A half or refused read is put right by the create that follows it, which is safe.
        expect(["deferred", "refused", "done"]).toContain(outcome.arm);
        expect(outcome.arm).not.toBe("unknown");
      }
      done(await one(session, create("eve")));
      expect(twin.state().contacts).toHaveLength(1);
      expect(twin.state().tasks).toHaveLength(1);
    });
  }

  it("a batch that is being halved stops at a limit: the rest is not sent", async () => {
    const session = await sessionIn("unique_property");
    twin.setFaults({
      script: [
        { path: write, kind: "status", status: 400 },
        { path: write, kind: "status", status: 429 },
      ],
    });
    const outcomes = await hubspot.execute(session, many(8));
    expect(outcomes).toHaveLength(8);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ arm: "deferred", scope: "account" });
    expect(requests.filter((request) => request.url.endsWith(write))).toHaveLength(2);
    expect(twin.state().tasks).toEqual([]);
  });

  it("needs nothing of an error but its status and message", async () => {
    const session = await sessionIn("unique_property", { bareErrors: true, wholeBatchErrors: true });
    const bad = create("bad", {}, { ownerId: "404" });
    const outcomes = await hubspot.execute(session, [create("eve"), bad]);
    expect(outcomes).toMatchObject([{ arm: "done" }, { arm: "refused", reason: "invalid_owner_id" }]);
    const gone = await one(session, { type: "close_task", key: "c", taskId: "99999", note: "" });
    expect(gone).toMatchObject({ arm: "done" });
  });

  it("an outcome never holds personal data", async () => {
    const session = await sessionIn("unique_property", { wholeBatchErrors: true });
    const outcomes = await hubspot.execute(session, [
      create("x", { email: "eve at example.com" }),
      create("secret-subject", {}, { ownerId: "1" }),
    ]);
    const said = JSON.stringify(outcomes);
    expect(outcomes.map((outcome) => outcome.arm)).toEqual(["refused", "refused"]);
    expect(said).not.toMatch(/eve|secret|example\.com|twin-/);
    expect(said).toContain("correlation");
  });

  it("reads the budget from the headers, and says nothing when they do not", () => {
    const headers = new Headers({ "X-HubSpot-RateLimit-Max": "110", "X-HubSpot-RateLimit-Remaining": "17" });
    expect(hubspot.remaining(headers)).toEqual({ left: 17, of: 110 });
    expect(hubspot.remaining(new Headers())).toBeNull();
    expect(
      hubspot.remaining(new Headers({ "X-HubSpot-RateLimit-Max": "x", "X-HubSpot-RateLimit-Remaining": "1" })),
    ).toBeNull();
  });
});
