/** `enrol` by the real HubSpot client against the twin: into the sequence once, whatever is lost, and never a second time. */
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { CrmSession, EnrolCommand } from "../../connectors/contract.ts";
import { hubspot } from "../../connectors/hubspot/crm.ts";
import { startHubspotTwin } from "../../connectors/hubspot/twin/server.ts";
import { admin, one, requests, reset, resolveOne, send, sessionIn, twin } from "./hubspot-fixture.ts";

beforeEach(reset);
afterAll(() => twin.close());

const now = Date.now();
const day = 86_400_000;
/** A colleague of the twin's account. */
const sender = twin.account.owners[0]?.email ?? "";

function enrol(personId: string, part: Partial<EnrolCommand> = {}): EnrolCommand {
  return { type: "enrol", key: `fu_${personId}-seq`, personId, sequence: "7001", sender, since: now, ...part };
}

async function contact(name = "eve"): Promise<string> {
  return String((await admin("contact", { email: `${name}@example.com` })).id);
}

const inSequences = () => twin.state().enrolled.map(({ contactId, sequenceId }) => [contactId, sequenceId]);
const paths = () => requests.map((request) => `${request.method} ${new URL(request.url).pathname}`);

describe("a contact", () => {
  it.each(["404", "empty"] as const)(
    "that is in no sequence (HubSpot says so by %s) is put into it, in the sender's name",
    async (notEnrolled) => {
      const session = await sessionIn("unique_property", { notEnrolled });
      const id = await contact();
      expect(await one(session, enrol(id))).toEqual({ arm: "done", taskId: "880001", personId: id, created: true });
      expect(inSequences()).toEqual([[id, "7001"]]);
      expect(twin.state().enrolled[0]?.senderEmail).toBe(sender);
      expect(paths()).toEqual([
        `GET /automation/sequences/2026-03/enrollments/contact/${id}`,
        "GET /crm/owners/2026-09",
        "POST /automation/sequences/2026-03/enrollments",
      ]);
      expect(requests.length).toBeLessThanOrEqual(hubspot.cost([enrol(id)], "unique_property"));
    },
  );

  it("that is in it since the follow-up was opened is left there: nothing is sent", async () => {
    const session = await sessionIn("unique_property");
    const id = await contact();
    await admin(`contact/${id}/enrol`, { sequence: "7001" });
    expect(await one(session, enrol(id))).toEqual({ arm: "done", taskId: "880001", personId: id, created: false });
    expect(paths()).toHaveLength(1);
  });

  it("that is in it for long, and still, is left there after HubSpot has refused", async () => {
    const session = await sessionIn("unique_property");
    const id = await contact();
    await admin(`contact/${id}/enrol`, { sequence: "7001", at: now - 30 * day });
    expect(await one(session, enrol(id))).toMatchObject({ arm: "done", taskId: "880001", created: false });
    expect(inSequences()).toHaveLength(1);
  });

  it.each([false, true])(
    "that was in it once and has finished is put into it again, whether HubSpot still shows the old one (%s) or not",
    async (showsEndedEnrolments) => {
      const session = await sessionIn("unique_property", { showsEndedEnrolments });
      const id = await contact();
      await admin(`contact/${id}/enrol`, { sequence: "7001", at: now - 30 * day });
      await admin(`contact/${id}/finish`, {});
      expect(await one(session, enrol(id))).toMatchObject({ arm: "done", taskId: "880002", created: true });
    },
  );

  it("that is in another sequence is refused, with that reason", async () => {
    const session = await sessionIn("unique_property");
    const id = await contact();
    await admin(`contact/${id}/enrol`, { sequence: "7002" });
    expect(await one(session, enrol(id))).toMatchObject({ arm: "refused", reason: "already_in_a_sequence" });
    expect(inSequences()).toEqual([[id, "7002"]]);
  });
});

describe("what HubSpot refuses", () => {
  it("for want of a seat, or of the scopes, stops the sequence and not the account", async () => {
    const session = await sessionIn("unique_property", { noSequenceSeat: true });
    expect(await one(session, enrol(await contact()))).toMatchObject({ arm: "refused", reason: "sequences_forbidden" });
    const fresh = await startHubspotTwin();
    try {
      const scopes = ["oauth", "crm.objects.contacts.read", "crm.objects.contacts.write", "crm.objects.owners.read"];
      const poor: CrmSession = { ...session, apiUrl: fresh.url, accessToken: fresh.grant(scopes).accessToken, send };
      expect(await one(poor, enrol("1"))).toMatchObject({ arm: "refused", reason: "sequences_missing_scopes" });
    } finally {
      await fresh.close();
    }
  });

  it("because the sender's inbox is not connected, or the sequence does not exist, is refused as it says", async () => {
    const session = await sessionIn("unique_property", { senderNotConnected: true });
    const id = await contact();
    expect(await one(session, enrol(id))).toMatchObject({ arm: "refused", reason: "validation_error" });
    twin.setFaults({ senderNotConnected: false });
    expect(await one(session, enrol(id, { sequence: "9" }))).toMatchObject({
      arm: "refused",
      reason: "object_not_found",
    });
    expect(inSequences()).toEqual([]);
  });

  it("nobody: a sender whom the account does not know is not even asked for", async () => {
    const session = await sessionIn("unique_property");
    const command = enrol(await contact(), { sender: "stranger@example.com" });
    expect(await one(session, command)).toEqual({ arm: "refused", reason: "sender_unknown" });
    expect(paths().some((path) => path.startsWith("POST"))).toBe(false);
  });
});

describe("an answer that is lost", () => {
  it("after the enrolment is unknown, and found by a look", async () => {
    const session = await sessionIn("unique_property");
    const id = await contact();
    twin.setFaults({ script: [{ method: "POST", path: "enrollments", kind: "lose" }] });
    expect((await one(session, enrol(id))).arm).toBe("unknown");
    expect(await resolveOne(session, enrol(id))).toEqual({ arm: "found", taskId: "880001", personId: id });
    expect(inSequences()).toHaveLength(1);
  });

  it("before it is unknown too, and a look finds nothing", async () => {
    const session = await sessionIn("unique_property");
    const id = await contact();
    twin.setFaults({ script: [{ method: "POST", path: "enrollments", kind: "drop" }] });
    expect((await one(session, enrol(id))).arm).toBe("unknown");
    expect(await resolveOne(session, enrol(id))).toEqual({ arm: "absent" });
  });

  it("of the look itself is never taken for nothing", async () => {
    const session = await sessionIn("unique_property");
    const id = await contact();
    twin.setFaults({ script: [{ method: "GET", path: "enrollments", kind: "drop", times: 2 }] });
    expect(await one(session, enrol(id))).toMatchObject({ arm: "deferred" });
    expect(await resolveOne(session, enrol(id))).toMatchObject({ arm: "deferred" });
    expect(inSequences()).toEqual([]);
  });

  it("where HubSpot shows enrolments late: an early look is empty, so one is not enough", async () => {
    const session = await sessionIn("unique_property", { enrolmentLagMs: 60_000 });
    const id = await contact();
    await one(session, enrol(id));
    expect(await resolveOne(session, enrol(id))).toEqual({ arm: "absent" });
  });
});
