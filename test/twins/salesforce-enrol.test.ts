/** `enrol` of the Salesforce connector against the twin: into the cadence once, whatever is lost, and never a second time. */
import { beforeEach, describe, expect, it } from "vitest";
import type { CrmSession, EnrolCommand, Outcome, Resolution } from "../../connectors/contract.ts";
import { salesforce } from "../../connectors/salesforce/crm.ts";
import { sessionNow, twin } from "./salesforce-fixture.ts";

let session: CrmSession;
let cadence: string;

beforeEach(() => {
  session = sessionNow();
  cadence = twin.org.put("ActionCadence", { Name: "Inbound", State: "Active" });
});

const ana = "005000000000002AAA";
const gone = "005000000000005AAA";
const now = Date.now();
const day = 86_400_000;

const lead = () => twin.org.put("Lead", { LastName: "Example", Company: "Example", Status: "Open - Not Contacted" });

function enrol(personId: string, part: Partial<EnrolCommand> = {}): EnrolCommand {
  const base = { type: "enrol", key: `fu_${personId}-seq`, personId, sequence: "Inbound", since: now } as const;
  return { ...base, sender: "ana@example.com", ownerId: ana, ...part };
}

async function run(...commands: EnrolCommand[]): Promise<readonly Outcome[]> {
  twin.org.journal.clear();
  const outcomes = await salesforce.execute(session, commands);
  expect(twin.org.entries().length).toBeLessThanOrEqual(salesforce.cost(commands, "unique_property"));
  return outcomes;
}

const find = async (command: EnrolCommand): Promise<Resolution | undefined> =>
  (await salesforce.resolve(session, [command]))[0];
const trackers = () => [...twin.org.records.store.table("ActionCadenceTracker").values()];
const tracked = (target: string, State: string, CreatedDate: number) =>
  twin.org.edit(twin.org.put("ActionCadenceTracker", { ActionCadenceId: cadence, TargetId: target, State }), {
    CreatedDate: new Date(CreatedDate).toISOString().replace("Z", "+0000"),
  });

describe("a lead", () => {
  it("is put into the cadence by its name or its id, as its holder's", async () => {
    const [one, other] = [lead(), lead()];
    const outcomes = await run(enrol(one), enrol(other, { sequence: cadence }));
    expect(outcomes).toMatchObject([
      { arm: "done", personId: one, created: true },
      { arm: "done", personId: other, created: true },
    ]);
    expect(trackers().map(({ values }) => [values.TargetId, values.OwnerId])).toEqual([
      [one, ana],
      [other, ana],
    ]);
  });

  it.each(["Active", "Paused"])("that is in it already (%s) is left there: nothing is sent", async (state) => {
    const id = lead();
    tracked(id, state, now - 30 * day);
    expect(await run(enrol(id))).toMatchObject([{ arm: "done", created: false }]);
    expect(twin.org.entries().some(({ path }) => path.includes("actions"))).toBe(false);
  });

  it("that went through it since the follow-up was opened is not put into it again; one that did long ago is", async () => {
    const [late, early] = [lead(), lead()];
    tracked(late, "Complete", now + 1_000);
    tracked(early, "Complete", now - 30 * day);
    expect(await run(enrol(late), enrol(early))).toMatchObject([
      { arm: "done", created: false },
      { arm: "done", created: true },
    ]);
    expect(trackers()).toHaveLength(3);
  });
});

describe("what Salesforce refuses", () => {
  it("stops that person alone: a cadence that does not exist, an assignee without access, a deleted lead", async () => {
    const [one, other, third, last] = [lead(), lead(), lead(), lead()];
    twin.org.remove(third);
    const outcomes = await run(
      enrol(one, { sequence: "Nowhere" }),
      enrol(other, { ownerId: gone }),
      enrol(third),
      enrol(last),
    );
    expect(outcomes.map(({ arm }) => arm)).toEqual(["refused", "refused", "refused", "done"]);
    expect(trackers()).toHaveLength(1);
  });

  it("nobody: without a user of that address nothing is sent", async () => {
    const { ownerId: _unknown, ...command } = enrol(lead());
    expect(await run(command)).toEqual([{ arm: "refused", reason: "sender_unknown" }]);
    expect(twin.org.entries().some(({ path }) => path.includes("actions"))).toBe(false);
  });

  it("where Sales Engagement is not licensed stops cadences and not the account", async () => {
    twin.org.setFaults({ salesEngagement: false });
    expect(await run(enrol(lead()))).toEqual([{ arm: "refused", reason: "cadences_not_available" }]);
  });
});

describe("an answer that is lost", () => {
  it.each([true, false])(
    "is unknown, found by a look, and a repetition adds none, whether Salesforce refuses a second time (%s) or not",
    async (refusesAssignedTargets) => {
      twin.org.setFaults({ refusesAssignedTargets, requests: [{ kind: "drop_after", path: "actions", times: 1 }] });
      const id = lead();
      expect((await run(enrol(id)))[0]?.arm).toBe("unknown");
      expect(await find(enrol(id))).toMatchObject({ arm: "found", personId: id });
      expect((await run(enrol(id)))[0]).toMatchObject({ arm: "done", created: false });
      expect(trackers()).toHaveLength(1);
    },
  );

  it("before anything was done is found absent; a look that fails says nothing", async () => {
    twin.org.setFaults({ requests: [{ kind: "drop_before", path: "actions", times: 1 }] });
    const id = lead();
    expect((await run(enrol(id)))[0]?.arm).toBe("unknown");
    expect(await find(enrol(id))).toEqual({ arm: "absent" });
    twin.org.setFaults({ requests: [{ kind: "html_503", times: 1 }] });
    expect((await find(enrol(id)))?.arm).toBe("deferred");
  });
});
