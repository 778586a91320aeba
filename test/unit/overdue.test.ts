import { describe, expect, it } from "vitest";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import { projectionOf } from "../../src/ledger/rows.ts";
import { type Answered, settleException, tellFollowUp, type Way } from "../../src/resolve/answers.ts";
import { absorb } from "../../src/resolve/merge.ts";
import type { ActionRecord, FollowUpRecord, Root } from "../../src/resolve/node.ts";
import { overdueQuestion, raiseOverdue } from "../../src/resolve/overdue.ts";
import { recordOf, rootOf } from "../states.ts";

const rae = { by: "rae@example.com", at: 95_000 };
const task: ActionRecord = {
  key: "fu_1-aa",
  crm: "hubspot",
  account: "acme/hubspot/1",
  state: "done",
  retry_at: 0,
  attempts: 1,
  revision: 0,
};
const promised = (part: Partial<FollowUpRecord> = {}): FollowUpRecord =>
  recordOf({ promised_at: 90_000, assigned_by: "turn", actions: [task], ...part });
const withOne = (part: Partial<FollowUpRecord> = {}): Root => rootOf("acme/r", { follow_ups: [promised(part)] });

function raised(root: Root, now = 90_001): Root {
  const next = raiseOverdue(root, now);
  if (next === null) throw new Error("nothing is late");
  return next;
}

function ok(answered: Answered): Root {
  if (answered.arm !== "ok") throw new Error(JSON.stringify(answered));
  return answered.root;
}

const late = raised(withOne());
const settle = (way: Way, root = late) => settleException(root, "ex_fu_1-overdue", way, rae, []);

/** The question as the ledger shows it. */
function shown(root: Root, policy = defaultPolicy(["sam@example.com"])) {
  const rows = projectionOf(root, [], policy, 96_000).exceptions.filter(({ reason }) => reason === "overdue");
  return rows.map(({ document, ...row }) => ({ ...row, ...(JSON.parse(document) as object) }));
}

describe("a follow-up that is open after what it promised", () => {
  it("is late from the first instant after it, and keeps who held it then", () => {
    expect(raiseOverdue(withOne(), 90_000)).toBeNull();
    expect(late.follow_ups[0]?.overdue).toEqual({ since: 90_000, holder: "sam@example.com" });
    expect(late.version).toBe(1);
  });

  it("is late once, however often and late that is said", () => {
    expect(raiseOverdue(late, 200_000)).toBeNull();
  });

  it.each([
    ["is done", { state: "done", closed_at: 95_000 }],
    ["was cancelled", { state: "cancelled" }],
    ["promised nothing", { promised_at: undefined }],
  ] as const)("is none where it %s", (_what, part) => {
    const { promised_at: _none, ...rest } = promised();
    const item = "promised_at" in part ? rest : { ...promised(), ...part };
    expect(raiseOverdue(rootOf("acme/r", { follow_ups: [item] }), 95_000)).toBeNull();
  });

  it("leaves those beside it alone that are not late", () => {
    const root = rootOf("acme/r", { follow_ups: [promised(), promised({ id: "fu_2", promised_at: 99_000 })] });
    expect(raised(root).follow_ups.map(({ overdue }) => overdue?.since)).toEqual([90_000, undefined]);
  });

  it("is late for whoever takes the person in, whichever of them knew", () => {
    const [mine, theirs] = [withOne(), { ...late, name: "acme/s" }];
    expect(absorb(mine, theirs, [], "lead").follow_ups[0]?.overdue?.since).toBe(90_000);
    const other = { ...withOne({ state: "done", closed_at: 95_000 }), name: "acme/s" };
    expect(absorb(late, other, [], "lead").follow_ups[0]).toMatchObject({ state: "done", overdue: { since: 90_000 } });
  });
});

describe("the question about it", () => {
  it("says which follow-up, who held it and since when, and is the holder's where the policy names nobody", () => {
    expect(shown(withOne())).toEqual([]);
    expect(shown(late)).toEqual([
      {
        id: overdueQuestion("fu_1"),
        version: 1,
        lead: "acme/r",
        reason: "overdue",
        owner: "sam@example.com",
        state: "open",
        raised_at: 90_000,
        due_at: 90_000 + 86_400_000,
        follow_up: "fu_1",
        play: "speed to lead",
        holder: "sam@example.com",
        promised_at: 90_000,
        next: null,
        climbed: 0,
      },
    ]);
  });

  it("is whose the policy says", () => {
    const policy = {
      ...defaultPolicy(["sam@example.com"]),
      roles: { desk: { holder: "dana@example.com", deputy: null }, head: { holder: "gus@example.com", deputy: null } },
      exceptions: { overdue: { owner: "desk", due_in_ms: 4_000, escalate_to: ["head"] } },
    };
    // Raised at 90 s, asked at 96 s.
    expect(shown(late, policy)).toMatchObject([{ owner: "gus@example.com", due_at: 98_000, climbed: 1 }]);
    const taken = ok(settle({ choice: "take", to: "hal@example.com", due_in_ms: 4_000 }));
    expect(shown(taken, policy)).toMatchObject([
      {
        owner: "hal@example.com",
        due_at: 99_000,
        next: "gus@example.com",
        taken_by: "hal@example.com",
        taken_at: 95_000,
      },
    ]);
  });

  it("is closed with the follow-up, however that is closed", () => {
    const done = ok(tellFollowUp(late, "fu_1", { choice: "done", outcome: "contacted" }, rae));
    expect(shown(done)).toMatchObject([{ state: "closed", closed_at: 95_000 }]);
    const cancelled = ok(tellFollowUp(late, "fu_1", { choice: "dismiss", reason: "a student" }, rae));
    expect(shown(cancelled)).toMatchObject([{ state: "closed" }]);
  });

  it("is answered by giving the follow-up to somebody else, by either way", () => {
    const reassigned = ok(settle({ choice: "reassign", to: "kim@example.com" }));
    expect(reassigned.follow_ups[0]).toMatchObject({ state: "open", holder: "kim@example.com", reassigned: true });
    expect(shown(reassigned)).toMatchObject([
      {
        state: "closed",
        how: "reassigned",
        note: "kim@example.com",
        settled_by: "rae@example.com",
        holder: "sam@example.com",
      },
    ]);
    const told = ok(tellFollowUp(late, "fu_1", { choice: "reassign", to: "kim@example.com" }, rae));
    expect(shown(told)).toMatchObject([{ state: "closed", how: "reassigned", note: "kim@example.com" }]);
    const same = ok(tellFollowUp(late, "fu_1", { choice: "reassign", to: "sam@example.com" }, rae));
    expect(shown(same)).toMatchObject([{ state: "open" }]);
  });

  it("is answered once: what was said first stays, and it does not come again with another holder", () => {
    const dismissed = ok(settle({ choice: "dismiss", reason: "on holiday" }));
    const given = ok(tellFollowUp(dismissed, "fu_1", { choice: "reassign", to: "kim@example.com" }, rae));
    expect(shown(given)).toMatchObject([{ state: "closed", how: "dismissed", note: "on holiday" }]);
    expect(raiseOverdue(given, 500_000)).toBeNull();
  });

  it("is dismissed alone: the follow-up stays what it is, also where no CRM has its task", () => {
    for (const root of [late, raised(withOne({ actions: [] }))]) {
      const next = ok(settle({ choice: "dismiss", reason: "the lead is on holiday" }, root));
      expect(next.follow_ups[0]?.state).toBe("open");
      expect(shown(next)).toMatchObject([{ state: "closed", how: "dismissed", note: "the lead is on holiday" }]);
    }
  });

  it("has nothing to approve or to try again", () => {
    expect(settle({ choice: "approve" })).toEqual({
      arm: "refused",
      detail: "There is nothing to approve: give it to somebody, or dismiss it.",
    });
    expect(settle({ choice: "retry" })).toEqual({
      arm: "refused",
      detail: "Nothing was refused that could be tried again: give it to somebody, or dismiss it.",
    });
  });

  it("about a closed follow-up is not given to anybody", () => {
    const done = ok(tellFollowUp(late, "fu_1", { choice: "done", outcome: "contacted" }, rae));
    expect(settle({ choice: "reassign", to: "kim@example.com" }, done).arm).toBe("refused");
  });
});
