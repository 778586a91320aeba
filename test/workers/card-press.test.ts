/** What the buttons of the card do, each pressed once and again, by one person and by two at once. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Press } from "../../src/card/document.ts";
import { IdentityObject } from "../../src/objects/identity.ts";
import { asked, buttonOf, cardOf, hubspot, newRequest, numbered, pressed, settledOf } from "./card-fixture.ts";
import { type Answered, email, eventually, openWorkspace, personOf, send, type TestWorkspace } from "./fixture.ts";
import { RecordingCrm } from "./recording-crm.ts";

const crm = numbered(new RecordingCrm());
let acme: TestWorkspace;

beforeAll(async () => {
  acme = await openWorkspace("acme", {
    crm,
    policy: (policy) => ({
      ...policy,
      tiers: { ...policy.tiers, hours: { ...policy.tiers.hours, window_ms: 0 } },
      roles: { revenue_operations: { holder: "sam@example.com", deputy: "kim@example.com" } },
    }),
  });
});

const kim = "kim@example.com";
const tomorrow = new Date(Date.now() + 86_400_000).toISOString();

/** What was said of the follow-up, by whom. */
async function wordsOn(record: string) {
  const { root } = await personOf(acme, email(`ada.${record}@example.com`));
  return root.follow_ups.flatMap(({ words = [] }) => words.map(({ by, said }) => [by, said]));
}

const outcomes: readonly (readonly [Press["choice"], Partial<Press>, string, string, string])[] = [
  ["reached", {}, "done", "contacted, says sam@example.com", "Noted: you reached them."],
  ["replied", {}, "done", "replied, says sam@example.com", "Noted: they replied."],
  ["converted", {}, "done", "converted, says sam@example.com", "Noted: they converted."],
  [
    "not_a_fit",
    { reason: "a student" },
    "done",
    "not_a_fit (a student), says sam@example.com",
    "Noted: not a fit. The follow-up is closed.",
  ],
  [
    "wrong_person",
    { reason: "left the company" },
    "cancelled",
    "wrong person: left the company, says sam@example.com",
    "Noted: the wrong person. The follow-up is closed.",
  ],
];

describe("a button that closes the follow-up", () => {
  it.each(outcomes)("%s: does it once, however often it is pressed", async (choice, more, state, because, text) => {
    const record = String(1_000 + outcomes.findIndex(([name]) => name === choice));
    const { lead, follow_up } = await asked(acme, record);
    const request = newRequest();
    const press = { request, lead, follow_up, choice, ...more };
    const first = await pressed(record, press);
    expect([first.status, first.body.status, first.body.text]).toEqual([200, "ok", text]);
    expect(first.body.card.follow_up).toMatchObject({ id: follow_up, state });
    expect(buttonOf(first.body.card, "reached")).toMatchObject({
      possible: false,
      why_not: "The follow-up is closed.",
    });
    const { root } = await personOf(acme, email(`ada.${record}@example.com`));
    expect(root.follow_ups[0]?.closed_because).toBe(because);
    for (const again of [press, { ...press, request: newRequest() }]) {
      const answer = await pressed(record, again);
      expect([answer.status, answer.body.status, answer.body.text]).toEqual([200, "ok", text]);
    }
    expect(await wordsOn(record)).toHaveLength(1);
    await eventually(
      () => crm.tasks.filter(({ key }) => key.startsWith(follow_up)).map(({ open }) => open),
      (open) => open.length === 1 && open[0] === false,
    );
  });

  it("tells the second of two who said first, whatever the second one wanted to say", async () => {
    const { lead, follow_up } = await asked(acme, "1100");
    const both = await Promise.all([
      pressed("1100", { lead, follow_up, choice: "replied" }),
      pressed("1100", { lead, follow_up, choice: "reached" }, kim),
    ]);
    const [won, lost] = both[0].status === 200 ? both : [both[1], both[0]];
    expect([won.status, lost.status, lost.body.code]).toEqual([200, 409, "not_possible"]);
    expect(lost.body.detail).toMatch(/^It is closed already: (replied, says Sam|contacted, says Kim)\.$/);
    expect(await wordsOn("1100")).toHaveLength(1);
    // The same outcome of somebody else is not theirs, either.
    const late = await pressed(
      "1100",
      { lead, follow_up, choice: both[0].status === 200 ? "replied" : "reached" },
      both[0].status === 200 ? kim : "sam@example.com",
    );
    expect(late.status).toBe(409);
  });

  it("is done once when the answer was lost between doing and answering", async () => {
    const { lead, follow_up } = await asked(acme, "1101");
    const press = { request: newRequest(), lead, follow_up, choice: "replied" as const };
    const { answer } = IdentityObject.prototype;
    vi.spyOn(IdentityObject.prototype, "answer").mockImplementationOnce(function (this: IdentityObject, call) {
      answer.call(this, call);
      throw new Error("the object was reset");
    });
    const first = await pressed("1101", press);
    expect([first.status, first.body.detail]).toEqual([503, "Baton cannot answer at the moment. Try again."]);
    vi.restoreAllMocks();
    const second = await pressed("1101", press);
    expect([second.status, second.body.text]).toEqual([200, "Noted: they replied."]);
    expect(await wordsOn("1101")).toEqual([["sam@example.com", "closed it: they replied"]]);
  });
});

describe("claim", () => {
  it("makes it the viewer's, and nobody takes it from them", async () => {
    const { lead, follow_up } = await asked(acme, "1200");
    const request = newRequest();
    const first = await pressed("1200", { request, lead, follow_up, choice: "claim" }, kim);
    expect([first.status, first.body.text, first.body.card.follow_up.holder]).toEqual([200, "It is yours.", kim]);
    const again = await pressed("1200", { request, lead, follow_up, choice: "claim" }, kim);
    expect([again.status, again.body.card.follow_up.holder]).toEqual([200, kim]);
    expect(buttonOf(await cardOf("1200"), "claim")).toMatchObject({ possible: false, why_not: "Kim has claimed it." });
    const taken = await pressed("1200", { lead, follow_up, choice: "claim" });
    expect([taken.status, taken.body.code, taken.body.detail]).toEqual([
      409,
      "not_possible",
      "Kim claimed it just before you.",
    ]);
    expect(await wordsOn("1200")).toEqual([[kim, "claimed it"]]);
  });

  it("sent again late does not take back what was handed on since", async () => {
    const { lead, follow_up } = await asked(acme, "1201");
    const claim = { request: newRequest(), lead, follow_up, choice: "claim" as const };
    await pressed("1201", claim, kim);
    await pressed("1201", { lead, follow_up, choice: "hand_over", to: "sam@example.com" }, kim);
    const late = await pressed("1201", claim, kim);
    expect([late.status, late.body.card.follow_up.holder]).toEqual([200, "sam@example.com"]);
  });
});

describe("hand over", () => {
  it("gives it to a colleague, once", async () => {
    const { lead, follow_up } = await asked(acme, "1300");
    const press = { request: newRequest(), lead, follow_up, choice: "hand_over" as const, to: "Kim@example.com" };
    for (const request of [press.request, press.request, newRequest()]) {
      const answer = await pressed("1300", { ...press, request });
      expect([answer.status, answer.body.text]).toEqual([200, "Handed over to Kim."]);
      expect(answer.body.card.follow_up.holder).toBe(kim);
    }
    expect(await wordsOn("1300")).toEqual([["sam@example.com", `handed it to ${kim}`]]);
    await eventually(
      () => crm.tasks.find(({ key }) => key.startsWith(follow_up))?.ownerId,
      (owner) => owner === "owner-kim",
    );
  });

  it("is refused without a colleague, and for somebody who is none", async () => {
    const { lead, follow_up } = await asked(acme, "1301");
    for (const to of [undefined, "mallory@example.com"]) {
      const answer = await pressed("1301", {
        lead,
        follow_up,
        choice: "hand_over",
        ...(to === undefined ? {} : { to }),
      });
      expect([answer.status, answer.body.code]).toEqual([422, "invalid"]);
      expect(answer.body.detail).toBe("It can be handed to a colleague whom Baton's policy and the CRM both know.");
    }
    expect(await wordsOn("1301")).toEqual([]);
  });
});

describe("snooze", () => {
  it("puts it off, once", async () => {
    const { lead, follow_up } = await asked(acme, "1400");
    const press = { request: newRequest(), lead, follow_up, choice: "snooze" as const, until: tomorrow };
    for (const request of [press.request, press.request, newRequest()]) {
      const answer = await pressed("1400", { ...press, request });
      expect([answer.status, answer.body.card.follow_up.due_at]).toEqual([200, tomorrow]);
    }
    expect(await wordsOn("1400")).toHaveLength(1);
  });

  it("is refused without an instant, and for one that has passed", async () => {
    const { lead, follow_up } = await asked(acme, "1401");
    const open = await pressed("1401", { lead, follow_up, choice: "snooze" });
    expect([open.status, open.body.detail]).toEqual([422, "Say until when."]);
    const past = await pressed("1401", { lead, follow_up, choice: "snooze", until: "2026-01-01T00:00:00Z" });
    expect([past.status, past.body.detail]).toEqual([409, "That moment has passed already."]);
  });
});

describe("no answer", () => {
  it("leaves the follow-up and its promise open, due again on the next business day, and notes the attempt", async () => {
    const { lead, follow_up, root } = await asked(acme, "1500");
    const request = newRequest();
    const first = await pressed("1500", { request, lead, follow_up, choice: "no_answer" });
    const again = await pressed("1500", { request, lead, follow_up, choice: "no_answer" });
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(first.body.text).toMatch(/^Noted: no answer\. It is due again on \d+ \w+ \d{4}, \d\d:\d\d UTC\.$/);
    const shown = again.body.card.follow_up;
    expect(shown).toMatchObject({ state: "open", holder: "sam@example.com", sla: { state: "running" } });
    expect(Date.parse(shown.due_at)).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    expect([0, 6]).not.toContain(new Date(shown.due_at).getUTCDay());
    expect(Date.parse(shown.sla.due_at)).toBe(root.follow_ups[0]?.promised_at);
    expect(shown.reasons).toContain("No answer, says sam@example.com");
    expect(await wordsOn("1500")).toHaveLength(1);
  });
});

describe("who is who", () => {
  /** Those beside a person are read from the ledger, which follows. */
  const seenBeside = (record: string) =>
    eventually(
      () => cardOf(record),
      ({ duplicates }) => duplicates.length === 1,
    );

  /** Two leads whom one phone number links, which people share: a question. */
  async function twoAlike(one: string, other: string) {
    const phone = { type: "phone", value: `+49301234${one}` };
    const [first, second] = [await asked(acme, one), await asked(acme, other)];
    await send(acme, { id: `ph-${one}`, identifiers: [email(`ada.${one}@example.com`), phone], kind: "page_viewed" });
    await settledOf(acme, one);
    await send(acme, {
      id: `ph-${other}`,
      identifiers: [email(`ada.${other}@example.com`), phone],
      kind: "page_viewed",
    });
    await eventually(
      () => personOf(acme, email(`ada.${other}@example.com`)),
      ({ root }) => root.apart.length === 1 && root.links.length === 0,
    );
    return { first, second, card: await seenBeside(other) };
  }

  it("asks about somebody who may be the same person, with both ways out", async () => {
    const { first, card } = await twoAlike("2001", "2002");
    expect(card.duplicates).toMatchObject([
      {
        lead: first.lead,
        email: "ada.2001@example.com",
        job_title: "CTO",
        because:
          "They have only a phone number in common, which people share, and each has e-mail addresses of their own.",
      },
    ]);
    expect(buttonOf(card, "merge")?.possible).toBe(true);
    expect(buttonOf(card, "split")).toMatchObject({
      possible: false,
      why_not: "Nothing was joined that could be split.",
    });
  });

  it("merge makes them one; both records show one card then; split makes them two again, each on its own record", async () => {
    const { first, second } = await twoAlike("2003", "2004");
    const merge = { request: newRequest(), lead: second.lead, choice: "merge" as const, with: first.lead };
    const owed = await pressed("2004", merge);
    expect([owed.status, owed.body.status]).toEqual([200, "under_way"]);
    const one = await eventually(
      async () => [await cardOf("2003"), await cardOf("2004")] as const,
      ([a, b]) => a.lead.lead === b.lead.lead,
    );
    expect(one[0].timeline.map(({ what }) => what)).toContain("Two leads turned out to be one person");
    expect(one[0].duplicates).toEqual([]);
    const again = await pressed("2004", merge);
    expect([again.status, again.body.status, again.body.text]).toEqual([200, "ok", "They are one person."]);
    const opposite = await pressed("2004", { lead: second.lead, choice: "keep_apart", with: first.lead }, kim);
    expect([opposite.status, opposite.body.code]).toEqual([409, "not_possible"]);
    expect(opposite.body.detail).toBe("Sam has made them one person already; “Split” makes them two again.");

    const link = one[0].links.find(({ what }) => what.startsWith("Joined with another lead"));
    const split = { request: newRequest(), lead: one[0].lead.lead, choice: "split" as const, link: link?.id ?? "" };
    const cut = await pressed("2003", split);
    expect([cut.status, cut.body.text]).toEqual([200, "They are two people again."]);
    const two = await eventually(
      async () => [await cardOf("2003"), await cardOf("2004")] as const,
      ([a, b]) => a.lead.lead !== b.lead.lead,
    );
    expect(two.map(({ lead }) => lead.email)).toEqual(["ada.2003@example.com", "ada.2004@example.com"]);
    const cutAgain = await pressed("2003", split);
    expect([cutAgain.status, cutAgain.body.text]).toEqual([200, "They are two people again."]);
  });

  it("keep apart ends the question; somebody else's merge is told who has said so", async () => {
    const { first, second } = await twoAlike("2005", "2006");
    const apart = { request: newRequest(), lead: second.lead, choice: "keep_apart" as const, with: first.lead };
    for (const press of [apart, apart]) {
      const answer = await pressed("2006", press);
      expect([answer.status, answer.body.text]).toEqual([200, "They are two people, and no signal joins them."]);
      expect(answer.body.card.duplicates).toEqual([]);
    }
    const opposite = await pressed("2006", { lead: second.lead, choice: "merge", with: first.lead }, kim);
    expect([opposite.status, opposite.body.detail]).toEqual([
      409,
      "Sam has said that they are two people. If that is wrong, revenue operations can join them.",
    ]);
  });

  it("closes the question of two who only look alike, and says why it is asked", async () => {
    const [first, second] = [await asked(acme, "2010"), await asked(acme, "2011")];
    const document = JSON.stringify({ a: first.lead, b: second.lead, probability: 0.83 });
    await env.LEDGER_0.prepare(
      "INSERT INTO exceptions VALUES (?, 'ex_likely', 1, ?, 'likely_duplicate', 'sam@example.com', 'open', 1, 2, ?)",
    )
      .bind(acme.id, first.lead, document)
      .run();
    for (const [record, other] of [
      ["2010", second.lead],
      ["2011", first.lead],
    ] as const)
      expect((await seenBeside(record)).duplicates).toMatchObject([
        {
          lead: other,
          exception: "ex_likely",
          because: "No identifier links them. What is known of both makes them one person with a probability of 83 %.",
        },
      ]);
    const answer = await pressed("2011", { lead: second.lead, choice: "keep_apart", with: first.lead });
    expect(answer.body.card.duplicates).toEqual([]);
    const row = await env.LEDGER_0.prepare("SELECT state, document FROM exceptions WHERE id = 'ex_likely'").first<{
      state: string;
      document: string;
    }>();
    expect(row?.state).toBe("closed");
    expect(JSON.parse(row?.document ?? "{}")).toMatchObject({ choice: "keep_apart", settled_by: "sam@example.com" });
  });

  it("is refused for nobody, and for a join that is none", async () => {
    const { lead } = await asked(acme, "2007");
    const of = async (press: Omit<Press, "request">) => (await pressed("2007", press)).body;
    expect((await of({ lead, choice: "merge" })).code).toBe("invalid");
    expect((await of({ lead, choice: "merge", with: "rival/x" })).code).toBe("not_possible");
    expect((await of({ lead, choice: "merge", with: "acme/nobody" })).code).toBe("not_possible");
    expect((await of({ lead, choice: "keep_apart", with: lead })).code).toBe("invalid");
    expect((await of({ lead, choice: "split", link: "li_00" })).detail).toBe(
      "Nothing is joined there (any more). Reload the card.",
    );
    expect((await of({ lead, choice: "split" })).code).toBe("invalid");
  });
});

describe("what a press must say", () => {
  const refused = ({ status, body }: Answered) => [status, body.code];

  it("is refused where it says too little, too much, or nothing", async () => {
    const { lead, follow_up } = await asked(acme, "3000");
    const press = (body: unknown) => hubspot({ record: "3000" }, body);
    const good = { request: newRequest(), lead, follow_up, choice: "reached" };
    for (const body of [
      "nothing",
      { ...good, choice: "delete" },
      { ...good, request: "short" },
      { ...good, by: "kim@example.com" },
      { ...good, follow_up: undefined },
    ])
      expect(refused(await press(body))).toEqual([422, "invalid"]);
    expect(refused(await press({ ...good, follow_up: "fu_none" }))).toEqual([409, "not_possible"]);
    expect(refused(await press({ ...good, lead: "rival/x" }))).toEqual([409, "not_possible"]);
    expect(await wordsOn("3000")).toEqual([]);
  });

  it("is refused where it is not proven: nothing is done", async () => {
    const { lead, follow_up } = await asked(acme, "3001");
    const press = { request: newRequest(), lead, follow_up, choice: "reached" };
    expect(refused(await hubspot({ record: "3001", secret: "another" }, press))).toEqual([401, "unproven"]);
    expect(refused(await hubspot({ record: "3001", user: "mallory@example.com" }, press))).toEqual([
      403,
      "not_a_colleague",
    ]);
    expect(await wordsOn("3001")).toEqual([]);
  });
});
