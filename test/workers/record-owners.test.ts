/** Who holds a new follow-up, where a CRM says whose the record is: they do; and a CRM that does not say so in time holds up nobody. */

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { accountStub } from "../../src/objects/names.ts";
import { email, eventually, openWorkspace, personOf, send, type TestWorkspace } from "./fixture.ts";
import { RecordingCrm } from "./recording-crm.ts";

const team = ["sam@example.com", "kim@example.com"];

async function open(id: string, change: (crm: RecordingCrm) => void = () => undefined) {
  const crm = new RecordingCrm();
  change(crm);
  const of = await openWorkspace(id, {
    crm,
    policy: (policy) => {
      const sales = policy.teams.sales;
      const [member] = sales?.members ?? [];
      if (sales === undefined || member === undefined) throw new Error("the default policy has changed");
      const members = team.map((address) => ({ ...member, address }));
      return { ...policy, teams: { ...policy.teams, sales: { ...sales, members } } };
    },
  });
  return { crm, of };
}

async function heldBy(of: TestWorkspace, address: string) {
  const { root } = await eventually(
    () => personOf(of, email(address)),
    (seen) => seen.root.follow_ups[0]?.actions[0]?.state === "done",
  );
  const { holder, assigned_by } = root.follow_ups[0] ?? {};
  return { holder, assigned_by };
}

const asked = (of: TestWorkspace, name: string) =>
  send(of, { id: name, identifiers: [email(`${name}@example.com`)], kind: "demo_requested" });

describe("a new follow-up", () => {
  it("is held by the owner of the person's record, and its task is theirs", async () => {
    const { crm, of } = await open("owned", (one) => {
      for (const name of ["ann", "bea"]) one.recordOwnersOf.set(`${name}@example.com`, { record: "owner-kim" });
    });
    await asked(of, "ann");
    expect(await heldBy(of, "ann@example.com")).toEqual({ holder: "kim@example.com", assigned_by: "record_owner" });
    await asked(of, "bea");
    expect(await heldBy(of, "bea@example.com")).toEqual({ holder: "kim@example.com", assigned_by: "record_owner" });
    expect(crm.tasks.map(({ ownerId }) => ownerId)).toEqual(["owner-kim", "owner-kim"]);
    expect(crm.ownersRead).toEqual([["ann@example.com"], ["bea@example.com"]]);
  });

  it("is held by the owner of their company, where the record is nobody's of ours", async () => {
    const { of } = await open("account-owned", (one) =>
      one.recordOwnersOf.set("ann@example.com", { record: "owner-elsewhere", account: "owner-kim" }),
    );
    await asked(of, "ann");
    expect(await heldBy(of, "ann@example.com")).toEqual({ holder: "kim@example.com", assigned_by: "account_owner" });
  });

  it("goes by turn where the record is nobody's, or nobody's of ours", async () => {
    const { of } = await open("unowned", (one) =>
      one.recordOwnersOf.set("bea@example.com", { record: "owner-elsewhere" }),
    );
    for (const name of ["ann", "bea"]) {
      await asked(of, name);
      expect((await heldBy(of, `${name}@example.com`)).assigned_by).toBe("turn");
    }
  });

  it("goes by turn where the CRM fails to say it, and the next one is asked about again", async () => {
    const { crm, of } = await open("fails-to-say", (one) => {
      one.recordOwnersOf.set("ann@example.com", { record: "owner-kim" });
      one.recordOwnersOf.set("bea@example.com", { record: "owner-kim" });
      one.ownersReadFails.push({ arm: "unknown", reason: "timeout" });
    });
    await asked(of, "ann");
    expect((await heldBy(of, "ann@example.com")).assigned_by).toBe("turn");
    await asked(of, "bea");
    expect((await heldBy(of, "bea@example.com")).assigned_by).toBe("record_owner");
    expect(crm.ownersRead).toHaveLength(2);
  });

  it("waits 2.5 seconds at most for a CRM that is slow to say it", async () => {
    const { crm, of } = await open("slow-to-say", (one) => {
      one.recordOwnersOf.set("ann@example.com", { record: "owner-kim" });
      one.holdsOwners = true;
    });
    await asked(of, "ann");
    expect((await heldBy(of, "ann@example.com")).assigned_by).toBe("turn");
    crm.holdsOwners = false;
  });
});

describe("a rush", () => {
  it("is read in batches: whoever asks while a read is under way is in the next one", async () => {
    const { crm, of } = await open("rush", (one) => {
      one.holdsOwners = true;
    });
    const account = accountStub(env, of.account);
    const names = ["a", "b", "c", "d"];
    const answers = names.map((name) => {
      const person = { lead: `rush/${name}`, email: `${name}@example.com` };
      crm.recordOwnersOf.set(person.email, { record: "owner-kim" });
      return account.recordOwners({ person, hot: true });
    });
    await eventually(
      async () => crm.ownersRead.length,
      (reads) => reads > 0,
    );
    crm.holdsOwners = false;
    expect(await Promise.all(answers)).toEqual(names.map(() => ({ record: "kim@example.com" })));
    expect(crm.ownersRead.flat().sort()).toEqual(names.map((name) => `${name}@example.com`));
    expect(crm.ownersRead.length).toBeLessThan(names.length);
  });
});
