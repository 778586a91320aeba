import { describe, expect, it } from "vitest";
import { type Answered, tellFollowUp } from "../../src/resolve/answers.ts";
import type { ActionRecord, FollowUpRecord, Root } from "../../src/resolve/node.ts";
import { openActions } from "../../src/resolve/obligations.ts";
import { lookedAt } from "../../src/resolve/undoing.ts";
import { recordOf, rootOf } from "../states.ts";

const rae = { by: "rae@example.com", at: 50_000 };
const inCrm = (crm: "hubspot" | "salesforce", part: Partial<ActionRecord> = {}): ActionRecord => ({
  key: `fu_1-${crm}`,
  crm,
  account: `acme/${crm}/1`,
  state: "done",
  retry_at: 0,
  attempts: 1,
  revision: 0,
  ...part,
});
const both = [inCrm("hubspot"), inCrm("salesforce")];
const withOne = (part: Partial<FollowUpRecord> = {}) =>
  rootOf("acme/r", { follow_ups: [recordOf({ assigned_by: "turn", actions: both, ...part })] });
const undo = (root: Root): Answered => tellFollowUp(root, "fu_1", { choice: "undo", reason: "undone: version 3" }, rae);

function ok(answered: Answered): Root {
  if (answered.arm !== "ok") throw new Error(answered.arm);
  return answered.root;
}

/** As it is when the CRM has answered: the action shows this revision. */
function seen(root: Root, crm: "hubspot" | "salesforce", kept: Parameters<typeof lookedAt>[2]): Root {
  const [item] = root.follow_ups;
  const actions = item?.actions.map((one) => (one.crm === crm ? { ...one, revision: item.revision } : one)) ?? [];
  const shown = { ...root, follow_ups: root.follow_ups.map((one) => ({ ...one, actions })) };
  return lookedAt(shown, `fu_1-${crm}`, kept, 60_000);
}

describe("a follow-up that is taken back", () => {
  it("is cancelled at once where no task of it stands yet", () => {
    const root = ok(undo(withOne({ actions: [inCrm("hubspot", { state: "pending" })] })));
    expect(root.follow_ups[0]).toMatchObject({
      state: "cancelled",
      closed_because: "undone: version 3, says rae@example.com",
    });
  });

  it("stays open until each of its tasks was looked at, then is cancelled", () => {
    const asked = ok(undo(withOne()));
    expect(openActions(asked).map(({ action }) => action.crm)).toEqual(["hubspot", "salesforce"]);
    const first = seen(asked, "hubspot", []);
    expect(first.follow_ups[0]?.state).toBe("open");
    expect(seen(first, "salesforce", []).follow_ups[0]).toMatchObject({ state: "cancelled", closed_at: 60_000 });
  });

  it("asked for again changes nothing", () => {
    const asked = ok(undo(withOne()));
    expect(undo(asked)).toEqual({ arm: "ok", root: asked });
  });

  it("is left where a person has changed a task of it, which is said from then on", () => {
    const left = seen(ok(undo(withOne())), "hubspot", ["due", "owner"]);
    expect(left.follow_ups[0]).toMatchObject({ state: "open" });
    expect(Object.keys(left.follow_ups[0] ?? {})).not.toContain("undo");
    expect(undo(left)).toEqual({ arm: "refused", detail: "somebody changed its task in hubspot (due, owner)" });
    expect(seen(left, "salesforce", []).follow_ups[0]?.state).toBe("open");
  });

  it("is taken back where what differs may be ours, in words that a crash took: who changed it would be heard of", () => {
    const unsure = withOne({ actions: [inCrm("hubspot", { unworded: true })] });
    expect(seen(ok(undo(unsure)), "hubspot", ["subject"]).follow_ups[0]?.state).toBe("cancelled");
    const heardOf = withOne({ actions: [inCrm("hubspot", { unworded: true })], touched: "somebody changed its task" });
    expect(undo(heardOf)).toEqual({ arm: "refused", detail: "somebody changed its task" });
  });

  it("is left where a task of it cannot be looked at", () => {
    const left = seen(ok(undo(withOne())), "salesforce", null);
    expect(undo(left)).toEqual({ arm: "refused", detail: "its task in salesforce could not be looked at" });
  });

  it("is left where somebody put it off, before or while that is asked", () => {
    const later = { choice: "snooze", until: 90_000 } as const;
    const before = ok(tellFollowUp(withOne(), "fu_1", later, rae));
    expect(undo(before)).toEqual({ arm: "refused", detail: "rae@example.com has put it off" });
    const meanwhile = ok(tellFollowUp(ok(undo(withOne())), "fu_1", later, rae));
    const after = seen(seen(meanwhile, "hubspot", []), "salesforce", []);
    expect(after.follow_ups[0]?.state).toBe("open");
  });

  it("is left where somebody gave it to somebody else while that is asked", () => {
    const given = ok(tellFollowUp(ok(undo(withOne())), "fu_1", { choice: "reassign", to: "kim@example.com" }, rae));
    expect(seen(seen(given, "hubspot", []), "salesforce", []).follow_ups[0]).toMatchObject({
      state: "open",
      holder: "kim@example.com",
    });
  });
});
