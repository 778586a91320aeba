/** What the card shows in each of its states. */
import { Accordion, Button, EmptyState, ErrorState, Link, LoadingSpinner, StatusTag } from "@hubspot/ui-extensions";
import { describe, expect, it, vi } from "vitest";
import { emptyCard, madeAt, ok, RecordingDoor, readyCard, refusal } from "./documents.ts";
import { readable, show } from "./show.tsx";

describe("before there is anything to show", () => {
  it("says that it asks", () => {
    const card = show(new RecordingDoor([]));
    expect(card.find(LoadingSpinner).props).toMatchObject({ label: "Asking Baton", showLabel: true });
  });

  it("shows Baton's sentence where no tool has said anything yet, and nothing to press but Refresh", async () => {
    const card = show(new RecordingDoor([ok(emptyCard)]));
    await card.says("No tool has said anything of this contact yet.");
    expect(card.find(EmptyState).props.title).toBe("Nothing yet");
    expect(card.findAll(Button).map((button) => button.text)).toEqual(["Refresh"]);
  });

  it.each([
    ["not_allowed", "You may not see this", "lock", "You are no user of this account."],
    ["not_connected", "Baton is not connected", "support", "Ask for a link to connect it."],
    ["refused", "Baton could not show this", "error", "The record's id cannot be read."],
    ["again", "Baton could not be asked", "error", "Not now; please try again."],
  ] as const)(
    "shows Baton's own words when it is %s, and asks again when told to",
    async (kind, title, type, detail) => {
      const door = new RecordingDoor([refusal(kind, detail), ok(emptyCard)]);
      const card = show(door);
      await card.says(detail);
      expect(card.find(ErrorState).props).toMatchObject({ title, type });
      card.button("Try again").trigger("onClick");
      await card.says("No tool has said anything");
      expect(door.reads).toBe(2);
    },
  );
});

describe("a card", () => {
  it("says why, how much, what is promised by whom until when, and what it is made of, in this order", async () => {
    const card = show(new RecordingDoor([ok(readyCard())]));
    await card.says("Kim asked for a demo after three visits to the pricing.");
    const text = card.text();
    const order = [
      "Kim asked for a demo after three visits to the pricing.",
      "Kim Example · Head of Operations · Example Ltd · engaged",
      "Level: urgent",
      "72",
      "+40 Asked for a demo, 3 Nov 2026, 09:58",
      "+20 Head of Operations",
      "−5 Uses a free e-mail address",
      "Call about the demo",
      "sam@example.com",
      "3 Nov 2026, 10:05",
      "Speed to lead",
      "I take it",
      "Perhaps the same person (1)",
      "K. Example (k.example@example.com): same phone number",
      "At the same company (1)",
      "Lee Example (CTO, lee@example.com), score 31, has an open follow-up",
      "What happened (6)",
      "3 Nov 2026, 09:58: Asked for a demo (website form)",
      "And 4 earlier.",
      "As of 3 Nov 2026, 10:00, for sam@example.com",
    ];
    const places = order.map((words) => text.replaceAll("\n", "").indexOf(words));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((one, other) => one - other));
  });

  it("links a person to their record, and only where Baton knows it", async () => {
    const card = show(new RecordingDoor([ok(readyCard())]));
    await card.says("Lee Example");
    expect(card.findAll(Link).map((link) => [link.text, link.props.href])).toEqual([
      ["Lee Example", "https://app.example.com/contacts/1/record/0-1/152"],
    ]);
  });

  it("folds away in the sidebar what it lays open in a tab, but never a question", async () => {
    const open = async (layout: "compact" | "wide") => {
      const card = show(new RecordingDoor([ok(readyCard())]), layout);
      await card.says("Call about the demo");
      return card.findAll(Accordion).map((fold) => [fold.props.title.replace(/ \(.*/, ""), fold.props.defaultOpen]);
    };
    expect(await open("compact")).toEqual([
      ["What the score is made of", false],
      ["Perhaps the same person", true],
      ["At the same company", false],
      ["What happened", false],
    ]);
    expect(await open("wide")).toEqual([
      ["What the score is made of", true],
      ["Perhaps the same person", true],
      ["At the same company", true],
      ["What happened", true],
    ]);
  });

  it("says so where there is no follow-up, nobody else, and nothing has happened", async () => {
    const card = show(
      new RecordingDoor([
        ok(readyCard({ follow_up: null, timeline: [], earlier: 0, duplicates: [], related: [], buttons: [] })),
      ]),
    );
    await card.says("There is no follow-up.");
    expect(card.text()).toContain("Nothing has happened yet.");
    expect(card.text()).not.toContain("same person");
    expect(card.text()).not.toContain("same company");
  });

  it.each([
    ["done", "Done", "success"],
    ["cancelled", "Cancelled", "default"],
    ["parked", "Waiting for a person", "warning"],
  ] as const)("shows what came of a follow-up that is %s", async (state, label, variant) => {
    const followUp = readyCard().follow_up;
    if (followUp === null) throw new Error("The example has a follow-up.");
    const card = show(new RecordingDoor([ok(readyCard({ follow_up: { ...followUp, state, sla: null } }))]));
    await card.says(label);
    expect(card.find(StatusTag, (tag) => readable(tag).trim() === label).props.variant).toBe(variant);
    expect(card.text()).not.toContain("left.");
  });

  it("keeps what it shows when a newer card cannot be had, and says so", async () => {
    const door = new RecordingDoor([ok(readyCard()), refusal("again", "Not now; please try again.")]);
    const card = show(door);
    await card.says("Call about the demo");
    card.button("Refresh").trigger("onClick");
    await card.waitFor(() => expect(card.told).toEqual([{ text: "Not now; please try again.", ok: false }]));
    expect(card.text()).toContain("Call about the demo");
  });

  it("hides what the viewer may no longer see", async () => {
    const card = show(new RecordingDoor([ok(readyCard()), refusal("not_allowed", "You are no user of this account.")]));
    await card.says("Call about the demo");
    card.button("Refresh").trigger("onClick");
    await card.says("You are no user of this account.");
    expect(card.text()).not.toContain("Call about the demo");
  });
});

describe("the clock of the promise", () => {
  it("counts down by itself, turns to warn, and counts on once the promise is broken", async () => {
    // The seller's machine is three hours fast: what counts is the time since the card came.
    vi.useFakeTimers({ toFake: ["Date", "setInterval", "clearInterval"], now: Date.parse(madeAt) + 3 * 3_600_000 });
    try {
      const card = show(new RecordingDoor([ok(readyCard())]));
      await card.says("5 min 0 s left.");
      const clock = () => card.find(StatusTag, (tag) => /left|Overdue/.test(readable(tag)));
      expect(clock().props.variant).toBe("warning");
      await card.settled();
      vi.advanceTimersByTime(61_000);
      await card.says("3 min 59 s left.");
      await card.settled();
      vi.advanceTimersByTime(239_000 + 5_000);
      await card.says("Overdue by 5 s.");
      expect(clock().props.variant).toBe("danger");
    } finally {
      vi.useRealTimers();
    }
  });
});
