import { describe, expect, it } from "vitest";
import { type CardFacts, cardOf } from "../../../src/card/card.ts";
import { cardShape } from "../../../src/card/document.ts";
import { headlineOf } from "../../../src/card/headline.ts";
import { storyOf } from "../../../src/card/story.ts";
import { defaultPolicy } from "../../../src/decide/default-policy.ts";
import { scoreOf } from "../../../src/decide/score.ts";
import type { Signal } from "../../../src/model.ts";
import { emptyLead, foldSignal } from "../../../src/resolve/lead.ts";
import type { Root } from "../../../src/resolve/node.ts";
import { signal } from "../../signals.ts";
import { ada, entryOf, recordOf, rootOf, tieBetween } from "../../states.ts";

const policy = defaultPolicy(["sam@example.com", "kim@example.com"]);
/** A Monday. */
const now = Date.UTC(2026, 10, 23, 14);
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

let count = 0;
const did = (kind: string, before: number, part: Partial<Signal> = {}): Signal =>
  signal({ id: `${++count}`, kind, identifiers: [ada], occurred_at: now - before, ...part });

const leadOf = (signals: readonly Signal[]) => signals.reduce(foldSignal, emptyLead);

function headline(...signals: readonly Signal[]): string {
  const lead = leadOf(signals);
  return headlineOf(policy, lead, scoreOf(policy, lead, now).reasons, now);
}

describe("the headline", () => {
  it("says what was asked for, and what else they did this week", () => {
    const pricing = [1, 2, 3].map((days) => did("pricing_viewed", days * day - hour));
    expect(headline(did("demo_requested", 12 * minute), ...pricing)).toBe(
      "Asked for a demo 12 minutes ago and looked at the pricing three times this week.",
    );
  });

  it("takes the newest of what weighs about the same, not what happened most often", () => {
    const used = Array.from({ length: 40 }, (_, index) => did("product_used", index * hour));
    expect(headline(did("contact_requested", 3 * day), did("demo_requested", 2 * hour), ...used)).toMatch(
      /^Asked for a demo 2 hours ago and /,
    );
    expect(headline(did("contact_requested", 2 * hour), did("demo_requested", 3 * day))).toMatch(
      /^Asked to be contacted 2 hours ago and asked for a demo 3 days ago\.$/,
    );
  });

  it("says when it was, where nothing is news", () => {
    expect(headline(did("demo_requested", 20 * day))).toBe("Asked for a demo 2 weeks ago.");
  });

  it("says that they do not want to be contacted before all else", () => {
    const no = did("unsubscribed", hour, { consent: { follow_up: false } });
    expect(headline(did("demo_requested", 2 * hour), no)).toBe("Asked 1 hour ago not to be contacted.");
  });

  it("makes nothing up where nothing points at interest", () => {
    expect(headline(did("identified", 3 * day))).toBe("Known since 3 days ago; nothing points at interest yet.");
    expect(headline()).toBe("Nothing is known yet.");
  });
});

const traits = { first_name: "Ada", last_name: "Lovelace", job_title: "CTO", company: "Analytical" };
const demo = did("demo_requested", 12 * minute, { id: "demo", traits });
const followUp = recordOf({
  created_at: now - 12 * minute,
  accepted_at: now - 12 * minute,
  due_at: now + 3 * minute,
  promised_at: now + 3 * minute,
  reasons: [
    { code: "route", text: "asked for a demo (route “asked for us”)" },
    { code: "intent:demo_requested", text: "asked for a demo", points: 60 },
  ],
});
const root = (part: Partial<Root> = {}): Root =>
  rootOf("acme/r", { lead: leadOf([demo]), follow_ups: [followUp], ...part });

const factsOf = (part: Partial<CardFacts> = {}): CardFacts => ({
  root: root(),
  log: [entryOf(demo)],
  policy,
  now,
  viewer: "sam@example.com",
  crm: "hubspot",
  recordUrl: "https://app.example.com/{person}",
  duplicates: [],
  related: [],
  colleagues: ["sam@example.com", "kim@example.com"],
  ...part,
});

describe("a card", () => {
  it("is of the published shape, and its follow-up is in the play's words with what is left of its promise", () => {
    const card = cardShape.parse(cardOf(factsOf()));
    expect(card).toMatchObject({
      state: "ready",
      lead: {
        lead: "acme/r",
        name: "Ada Lovelace",
        email: "ada@example.com",
        job_title: "CTO",
        record_url: null,
        company: "Analytical",
      },
      follow_up: {
        title: "Call Ada Lovelace (Analytical): asked for a demo",
        due_at: "2026-11-23T14:03:00.000Z",
        sla: { state: "running", due_at: "2026-11-23T14:03:00.000Z", left_ms: 180_000 },
        reasons: ["Asked for a demo"],
      },
      made_at: "2026-11-23T14:00:00.000Z",
    });
  });

  it("shows points that add up to the score, most first", () => {
    const { why } = cardOf(factsOf());
    expect(why.points.map(({ text, points }) => [text, points])).toEqual([
      ["Asked for a demo", 60],
      ["The company is known", 10],
      ["The job title is known", 5],
    ]);
    expect(why.score).toEqual({ total: 75, fit: 15, intent: 60 });
    expect(why.points.map(({ at }) => at)).toEqual(Array(3).fill("2026-11-23T13:48:00.000Z"));
  });

  it("shows the open follow-up that is due first, else the latest, and none where there was none", () => {
    const later = recordOf({ ...followUp, id: "fu_2", due_at: now + day });
    const closed = recordOf({ ...followUp, id: "fu_3", state: "done", created_at: now });
    const shown = (...follow_ups: readonly ReturnType<typeof recordOf>[]) =>
      cardOf(factsOf({ root: root({ follow_ups }) })).follow_up?.id;
    expect(shown(later, followUp, closed)).toBe("fu_1");
    expect(shown({ ...followUp, state: "done" }, closed)).toBe("fu_3");
    expect(shown()).toBeUndefined();
    expect(cardOf(factsOf({ root: root({ follow_ups: [] }) })).follow_up).toBeNull();
  });

  it("shows the latest fifty of everything, and counts the rest, also what it was not given", () => {
    const many = Array.from({ length: 500 }, (_, index) => did("product_used", index * hour, { id: `u-${index}` }));
    const log = many.slice(0, 100).map((one) => entryOf(one));
    const { timeline, earlier } = cardOf(factsOf({ root: root({ lead: leadOf(many) }), log }));
    expect([timeline.length, earlier]).toEqual([50, 451]);
    expect(timeline[0]?.at).toBe("2026-11-23T14:00:00.000Z");
  });

  it("tells what a tool says of it: which event, which form, which page", () => {
    const log = [
      did("product_used", 1, { properties: { event: "Report Opened" } }),
      did("page_viewed", 2, { properties: { path: "/pricing" } }),
      did("form_submitted", 3, { properties: { form: "Newsletter" } }),
      did("demo_requested", 4, { properties: { event: "Demo Requested" } }),
    ].map((one) => entryOf(one));
    const { timeline } = storyOf({ root: root({ follow_ups: [] }), log }, policy, now);
    expect(timeline.map(({ what }) => what)).toEqual([
      "Used the product: Report Opened",
      "Visited a page: /pricing",
      "Filled in a form: Newsletter",
      "Asked for a demo",
    ]);
  });

  it("tells what became of the follow-up, and who did it", () => {
    const receipt = { crm: "hubspot" as const, task_id: "t-1", person_id: "501", at: now - 11 * minute };
    const done = recordOf({
      ...followUp,
      state: "done",
      closed_at: now - minute,
      closed_because: "replied, says kim@example.com",
      words: [
        { by: "kim@example.com", at: now - 5 * minute, said: "claimed it", claimed: true },
        { by: "kim@example.com", at: now - minute, said: "closed it: they replied" },
      ],
      actions: [
        {
          key: "a",
          crm: "hubspot",
          account: "acme/hubspot/1",
          state: "done",
          retry_at: 0,
          attempts: 1,
          revision: 0,
          receipt,
        },
      ],
    });
    const { timeline, lead } = cardOf(factsOf({ root: root({ follow_ups: [done] }) }));
    expect(timeline.map(({ what, source }) => [what, source])).toEqual([
      ["Closed it: they replied", "kim@example.com"],
      ["Claimed it", "kim@example.com"],
      ["Task in HubSpot: speed to lead", "baton"],
      ["Follow-up “speed to lead” for sam@example.com: asked for a demo", "baton"],
      ["Asked for a demo", "forms"],
    ]);
    expect(lead.record_url).toBe("https://app.example.com/501");
  });

  it("lists joins that can be undone, and not the record that a task named", () => {
    const ties = [
      tieBetween("acme/r", "acme/a", { at: now - day, over: { type: "user_id", value: "u-1" } }),
      tieBetween("acme/r", "acme/b", { at: now, loser: "acme/b", over: { type: "phone", value: "+49301234567" } }),
      tieBetween("acme/r", "acme/c", {
        authority: { type: "receipt" },
        over: { type: "hubspot_contact_id", value: "501" },
      }),
    ];
    const { links } = cardOf(factsOf({ root: root({ ties }) }));
    expect(links.map(({ what }) => what)).toEqual([
      "Joined with another lead over phone +49301234567",
      "Known by user id u-1",
    ]);
  });
});

describe("buttons", () => {
  const possible = (part: Partial<CardFacts> = {}) =>
    cardOf(factsOf(part))
      .buttons.filter((button) => button.possible)
      .map(({ choice }) => choice);
  const whyNot = (choice: string, part: Partial<CardFacts> = {}) =>
    cardOf(factsOf(part)).buttons.find((button) => button.choice === choice)?.why_not;

  it("are all shown, in one order, and each says what it needs or why it is not possible", () => {
    const { buttons } = cardOf(factsOf());
    expect(buttons.map(({ choice, needs }) => [choice, needs])).toEqual([
      ["claim", "nothing"],
      ["reached", "nothing"],
      ["no_answer", "nothing"],
      ["replied", "nothing"],
      ["converted", "nothing"],
      ["snooze", "until"],
      ["not_a_fit", "reason"],
      ["wrong_person", "reason"],
      ["hand_over", "colleague"],
      ["merge", "duplicate"],
      ["keep_apart", "duplicate"],
      ["split", "link"],
    ]);
    expect(buttons.every((button) => button.possible === (button.why_not === null))).toBe(true);
  });

  it("claim is for what is somebody else's and not claimed", () => {
    expect(whyNot("claim")).toBe("It is yours already.");
    expect(whyNot("claim", { viewer: "kim@example.com" })).toBeNull();
    const words = [{ by: "sam@example.com", at: 1, said: "claimed it", claimed: true as const }];
    const claimed = root({ follow_ups: [{ ...followUp, words }] });
    expect(whyNot("claim", { viewer: "kim@example.com", root: claimed })).toBe("Sam has claimed it.");
  });

  it("on the follow-up are for an open one", () => {
    const done = root({ follow_ups: [{ ...followUp, state: "done" }] });
    expect(possible({ root: done })).toEqual([]);
    expect(whyNot("reached", { root: done })).toBe("The follow-up is closed.");
    expect(whyNot("reached", { root: root({ follow_ups: [] }) })).toBe("There is no follow-up for this person.");
  });

  it("hand over needs somebody else to hand it to", () => {
    expect(whyNot("hand_over", { colleagues: ["sam@example.com"] })).toBe(
      "There is nobody else whom it could be handed to.",
    );
    expect(cardOf(factsOf()).colleagues).toEqual([{ email: "kim@example.com", name: "Kim" }]);
  });

  it("on who is who need somebody who may be the same, or a join", () => {
    expect(whyNot("merge")).toBe("Nobody is known who may be the same person.");
    const other = { lead: "acme/o", name: "Ada", email: null, job_title: null, record: null };
    const duplicates = [{ ...other, because: "They look alike.", exception: "ex_1" }];
    expect(possible({ duplicates })).toContain("merge");
    expect(possible({ duplicates })).toContain("keep_apart");
    expect(whyNot("split")).toBe("Nothing was joined that could be split.");
    expect(possible({ root: root({ ties: [tieBetween("acme/r", "acme/a")] }) })).toContain("split");
  });
});
