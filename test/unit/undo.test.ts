import { describe, expect, it } from "vitest";
import { type Made, undoOf } from "../../src/decide/undo.ts";

const made = (part: Partial<Made> = {}): Made => ({
  id: "fu_1",
  lead: "acme/1",
  play: "speed to lead",
  state: "open",
  holder: "sam@example.com",
  policy_version: 3,
  assigned_by: "turn",
  actions: [{ crm: "hubspot", state: "done" }],
  ...part,
});

describe("undoing a version of the policy", () => {
  it("withdraws what is open, and closes the tasks that stand", () => {
    const two = [
      { crm: "hubspot", state: "done" as const },
      { crm: "salesforce", state: "pending" as const },
    ];
    expect(undoOf([made({ actions: two })], 3)).toMatchObject([
      { follow_up: "fu_1", arm: "withdraw", close_tasks: ["hubspot"] },
    ]);
  });

  it("leaves what a person has given to somebody, and says so", () => {
    expect(undoOf([made({ assigned_by: "person" })], 3)).toMatchObject([
      { arm: "left", because: "a person gave it to its holder" },
    ]);
  });

  it("leaves what somebody approved, put off or changed in a CRM, and says which", () => {
    expect(undoOf([made({ assigned_by: "approver" })], 3)).toMatchObject([
      { arm: "left", because: "a person approved it, and said whose it is" },
    ]);
    expect(undoOf([made({ touched: "sam@example.com has put it off" })], 3)).toMatchObject([
      { arm: "left", because: "sam@example.com has put it off" },
    ]);
  });

  it("has nothing to do where it is done or cancelled already", () => {
    expect(
      undoOf([made({ state: "done" }), made({ id: "fu_2", state: "cancelled" })], 3).map(({ arm }) => arm),
    ).toEqual(["nothing", "nothing"]);
  });

  it("does not look at what another version made", () => {
    expect(undoOf([made({ policy_version: 2 })], 3)).toEqual([]);
  });
});
