import { describe, expect, it } from "vitest";
import { type Answered, settleException, tellFollowUp, type Way, type Word } from "../../src/resolve/answers.ts";
import { type ActionRecord, applyAnswer, type Root, type Target } from "../../src/resolve/node.ts";
import { openActions, reassigned, unreleased } from "../../src/resolve/obligations.ts";
import { decisionOf, recordOf, rootOf } from "../states.ts";

const kim = { by: "kim@example.com", at: 50_000 };
const hubspot: Target = { crm: "hubspot", account: "acme/hubspot/1" };
const action = (part: Partial<ActionRecord> = {}): ActionRecord => ({
  ...hubspot,
  key: "fu_1-aa",
  state: "pending",
  retry_at: 0,
  attempts: 3,
  revision: 0,
  ...part,
});

const held = applyAnswer(
  rootOf("acme/r"),
  {
    decision: decisionOf({
      id: "de_9",
      outcome: "held",
      play: "speed to lead",
      signals: ["forms:1", "forms:2"],
      reasons: [{ code: "hold:manual", text: "The account example.com is handled by hand." }],
    }),
  },
  [],
);

const settle = (root: Root, id: string, way: Way, targets: readonly Target[] = [hubspot]) =>
  settleException(root, id, way, kim, targets);
function ok(answered: Answered): Root {
  if (answered.arm !== "ok") throw new Error(JSON.stringify(answered));
  return answered.root;
}

describe("what a hold stopped", () => {
  it("is decided again when somebody approves it", () => {
    const next = ok(settle(held, "ex_de_9", { choice: "approve" }));
    expect(next.held.map(({ id, state }) => [id, state])).toEqual([["ex_de_9", "closed"]]);
    expect(next.undecided.map(({ key, decide_at }) => [key, decide_at])).toEqual([
      ["forms:1", 50_000],
      ["forms:2", 50_000],
    ]);
    expect(next.approvals).toMatchObject([{ code: "hold:manual", by: "kim@example.com", at: 50_000 }]);
    expect(next.said.ex_de_9).toMatchObject({ settled: { by: "kim@example.com", how: "approved" } });
  });

  it("may be changed with the approval", () => {
    const next = ok(settle(held, "ex_de_9", { choice: "approve", edit: { holder: "sam@example.com" } }));
    expect(next.approvals[0]?.edit).toEqual({ holder: "sam@example.com" });
    expect(next.said.ex_de_9?.settled?.how).toBe("edited_and_approved");
  });

  it("is over when somebody dismisses it, and why is kept", () => {
    const next = ok(settle(held, "ex_de_9", { choice: "dismiss", reason: "a competitor" }));
    expect(next.undecided).toEqual([]);
    expect(next.held[0]?.state).toBe("closed");
    expect(next.said.ex_de_9?.settled).toEqual({ by: "kim@example.com", how: "dismissed", note: "a competitor" });
  });

  it("is approved once, however often that is said", () => {
    const once = ok(settle(held, "ex_de_9", { choice: "approve" }));
    expect(ok(settle(once, "ex_de_9", { choice: "approve" }))).toBe(once);
  });

  it.each(["hold:consent", "hold:consent:call", "hold:no_consent"])(
    "for %s cannot be approved: nobody consents in another's place",
    (code) => {
      const own = { ...held, held: held.held.map((item) => ({ ...item, code })) };
      expect(settle(own, "ex_de_9", { choice: "approve" })).toMatchObject({
        arm: "refused",
        detail: expect.stringMatching(/^Consent is the person's own/),
      });
      expect(settle(own, "ex_de_9", { choice: "dismiss", reason: "so be it" }).arm).toBe("ok");
    },
  );

  it("cannot be retried", () => expect(settle(held, "ex_de_9", { choice: "retry" }).arm).toBe("refused"));

  it("is somebody's who takes it over", () => {
    const next = ok(settle(held, "ex_de_9", { choice: "take", to: "eli@example.com", due_in_ms: 1_000 }));
    expect(next.said.ex_de_9).toEqual({ taken: { by: "eli@example.com", at: 50_000 }, at: 50_000 });
  });

  it("is theirs for as long as anybody's: taken again meanwhile not for longer, afterwards anew", () => {
    const take = (root: Root, to: string, at: number) =>
      ok(settleException(root, "ex_de_9", { choice: "take", to, due_in_ms: 1_000 }, { by: to, at }, []));
    const once = take(held, "eli@example.com", 50_000);
    expect(take(once, "eli@example.com", 50_999)).toBe(once);
    expect(take(once, "eli@example.com", 51_000).said.ex_de_9?.taken?.at).toBe(51_000);
    expect(take(once, "fay@example.com", 50_999).said.ex_de_9?.taken).toEqual({ by: "fay@example.com", at: 50_999 });
  });

  it("remembers who took it when it is settled", () => {
    const taken = ok(settle(held, "ex_de_9", { choice: "take", to: "eli@example.com", due_in_ms: 1_000 }));
    expect(ok(settle(taken, "ex_de_9", { choice: "approve" })).said.ex_de_9).toMatchObject({
      taken: { by: "eli@example.com", at: 50_000 },
      settled: { by: "kim@example.com", how: "approved" },
    });
  });

  it("is unknown under another id", () =>
    expect(settle(held, "ex_other", { choice: "approve" })).toEqual({ arm: "unknown" }));
});

describe("what a CRM refused", () => {
  const refused = rootOf("acme/r", {
    follow_ups: [recordOf({ assigned_by: "turn", actions: [action({ state: "parked", problem: "bad_email" })] })],
  });

  it("goes to it once more", () => {
    const next = ok(settle(refused, "ex_fu_1-aa", { choice: "retry" }));
    expect(next.follow_ups[0]?.actions).toEqual([
      action({ state: "pending", retry_at: 50_000, problem: "bad_email", again: 1 }),
    ]);
  });

  it("can be given to somebody else", () => {
    const next = ok(settle(refused, "ex_fu_1-aa", { choice: "reassign", to: "eli@example.com" }));
    expect(next.follow_ups[0]).toMatchObject({ holder: "eli@example.com", assigned_by: "person", revision: 1 });
    expect(reassigned(next)).toHaveLength(1);
  });

  it("is dismissed with its follow-up, where no CRM has the task", () => {
    const next = ok(settle(refused, "ex_fu_1-aa", { choice: "dismiss", reason: "no such person" }));
    expect(next.follow_ups[0]).toMatchObject({
      state: "cancelled",
      closed_because: "dismissed: no such person",
      closed_at: 50_000,
    });
  });

  it("is dismissed alone, where another CRM has it", () => {
    const done = action({ key: "fu_1-bb", crm: "salesforce", state: "done" });
    const both = rootOf("acme/r", {
      follow_ups: [recordOf({ actions: [action({ state: "parked", problem: "x" }), done] })],
    });
    expect(ok(settle(both, "ex_fu_1-aa", { choice: "dismiss", reason: "fine" })).follow_ups[0]?.state).toBe("open");
  });

  it("has nothing to approve", () => expect(settle(refused, "ex_fu_1-aa", { choice: "approve" }).arm).toBe("refused"));
});

describe("a follow-up that no CRM carries", () => {
  const bare = rootOf("acme/r", { follow_ups: [recordOf()] });

  it("is carried by those that are connected now, when it is tried again", () => {
    expect(ok(settle(bare, "ex_fu_1", { choice: "retry" })).follow_ups[0]?.actions).toMatchObject([
      { ...hubspot, state: "pending", retry_at: 50_000 },
    ]);
  });

  it("is refused while there is none", () => {
    expect(settle(bare, "ex_fu_1", { choice: "retry" }, [])).toMatchObject({
      arm: "refused",
      detail: expect.stringMatching(/^No CRM/),
    });
  });
});

describe("what is said of a follow-up", () => {
  const root = rootOf("acme/r", {
    version: 3,
    follow_ups: [recordOf({ assigned_by: "turn", actions: [action({ state: "done" })] })],
  });
  const tell = (word: Word, of = root) => tellFollowUp(of, "fu_1", word, kim);

  it("done closes it, in the CRM as well, and leaves its holder's hands", () => {
    const next = ok(tell({ choice: "done", outcome: "replied" }));
    expect(next.follow_ups[0]).toMatchObject({
      state: "done",
      outcome: "replied",
      closed_at: 50_000,
      closed_because: "replied, says kim@example.com",
    });
    expect(openActions(next).map((item) => item.action.key)).toEqual(["fu_1-aa"]);
    expect(unreleased(next)).toHaveLength(1);
  });

  it("dismissed withdraws it", () =>
    expect(ok(tell({ choice: "dismiss", reason: "wrong person" })).follow_ups[0]?.state).toBe("cancelled"));

  it("snoozed is due later, and the CRM shows it", () => {
    const next = ok(tell({ choice: "snooze", until: 90_000 }));
    expect(next.follow_ups[0]).toMatchObject({ due_at: 90_000, revision: 1, state: "open" });
    expect(openActions(next)).toHaveLength(1);
  });

  it("cannot be snoozed into the past", () => expect(tell({ choice: "snooze", until: 40_000 }).arm).toBe("refused"));

  it("twice changes nothing, and against what was said before is refused", () => {
    const done = ok(tell({ choice: "done", outcome: "replied" }));
    expect(ok(tell({ choice: "done", outcome: "replied" }, done))).toBe(done);
    expect(tell({ choice: "reassign", to: "eli@example.com" }, done).arm).toBe("refused");
  });
});

describe("what somebody says of a card that they look at", () => {
  const sam = { by: "sam@example.com", at: 100_000 };
  const open = rootOf("acme/r", { follow_ups: [recordOf({ reasons: [{ code: "route", text: "asked for a demo" }] })] });
  const say = (root: Root, word: Word, by: typeof sam & { request?: string; unaware?: boolean } = sam) =>
    tellFollowUp(root, "fu_1", word, by);
  const item = (root: Root) => root.follow_ups[0];

  it("is kept with the follow-up, by whom and when", () => {
    const next = ok(say(open, { choice: "done", outcome: "not_a_fit", note: "a student" }, { ...sam, request: "r-1" }));
    expect(item(next)?.words).toEqual([
      { by: "sam@example.com", at: 100_000, said: "closed it: not a fit (a student)", request: "r-1" },
    ]);
    expect(item(next)?.closed_because).toBe("not_a_fit (a student), says sam@example.com");
  });

  it("is heard once per press, whatever has come since", () => {
    const press = { ...sam, request: "r-1" };
    const claimed = ok(say(open, { choice: "claim" }, press));
    const handed = ok(say(claimed, { choice: "reassign", to: "kim@example.com" }));
    expect(ok(say(handed, { choice: "claim" }, press))).toBe(handed);
  });

  it("claim makes it theirs; what somebody has claimed is handed over, not taken", () => {
    const kims = ok(say(open, { choice: "claim" }, kim));
    expect(item(kims)).toMatchObject({ holder: "kim@example.com", assigned_by: "person" });
    expect(say(kims, { choice: "claim" })).toEqual({ arm: "refused", detail: "kim@example.com has claimed it." });
    const handed = ok(say(kims, { choice: "reassign", to: "lee@example.com" }));
    expect(item(ok(say(handed, { choice: "claim" })))?.holder).toBe("sam@example.com");
  });

  it("no answer puts it off, says so to whoever reads the task, and leaves the promise", () => {
    const promised = rootOf("acme/r", { follow_ups: [recordOf({ ...item(open), promised_at: 120_000 })] });
    const word: Word = { choice: "no_answer", until: 200_000 };
    const next = ok(say(promised, word));
    expect(item(next)).toMatchObject({ state: "open", due_at: 200_000, promised_at: 120_000, revision: 1 });
    expect(item(next)?.reasons.map(({ text }) => text)).toEqual([
      "asked for a demo",
      "no answer, says sam@example.com",
    ]);
    expect(ok(say(next, word))).toBe(next);
    expect(say(next, { choice: "no_answer", until: 100_000 })).toMatchObject({ arm: "refused" });
  });

  it("of which somebody else has just said something is refused, with what they said; a minute later it is not", () => {
    const snooze: Word = { choice: "snooze", until: 500_000 };
    const kims = ok(say(open, { choice: "no_answer", until: 300_000 }, kim));
    const late = (ms: number) => ({ ...sam, at: kim.at + ms, unaware: true });
    expect(say(kims, snooze, late(59_999))).toEqual({
      arm: "refused",
      detail: "kim@example.com got no answer and tries again on 1970-01-01 00:05 UTC just before you.",
    });
    expect(say(kims, snooze, late(60_000)).arm).toBe("ok");
    expect(say(kims, snooze, { ...sam, at: kim.at + 1 }).arm).toBe("ok");
  });

  it("that is closed says by whom and why; the same outcome again by the same person is no news", () => {
    const done = ok(say(open, { choice: "done", outcome: "replied" }, kim));
    const again = (by: string, word: Word) => say(done, word, { by, at: 900_000, unaware: true });
    expect(again("sam@example.com", { choice: "done", outcome: "replied" })).toEqual({
      arm: "refused",
      detail: "It is closed already: replied, says kim@example.com.",
    });
    expect(again("kim@example.com", { choice: "done", outcome: "converted" }).arm).toBe("refused");
    expect(again("kim@example.com", { choice: "done", outcome: "replied" })).toEqual({ arm: "ok", root: done });
  });
});
