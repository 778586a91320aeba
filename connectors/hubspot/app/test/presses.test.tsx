/** What the buttons say to Baton, what they ask for first, and what happens when the answer does not come. */
import { Alert, Button, DateInput, Form, LoadingSpinner, Select, TextArea, TimeInput } from "@hubspot/ui-extensions";
import { describe, expect, it, vi } from "vitest";
import { underWayLookMs } from "../src/app/cards/use-card.ts";
import { buttons, ok, pressed, RecordingDoor, readyCard, refusal } from "./documents.ts";
import { fill, show } from "./show.tsx";

async function shownCard(door: RecordingDoor) {
  const card = show(door);
  await card.says("Call about the demo");
  return card;
}

describe("a button that needs nothing", () => {
  it.each(["claim", "reached", "no_answer", "replied", "converted"] as const)(
    "sends %s for the follow-up that is shown, and shows what Baton answers",
    async (choice) => {
      const door = new RecordingDoor([ok(readyCard())], [pressed("Noted: done by Sam.")]);
      const card = await shownCard(door);
      card.button(buttons.find((button) => button.choice === choice)?.label ?? "").trigger("onClick");
      await card.says("Noted: done by Sam.");
      expect(door.presses).toEqual([{ request: "request-1", lead: "ld_kim", follow_up: "fu_1", choice }]);
      expect(card.find(Alert).props).toMatchObject({ title: "Done", variant: "success" });
      expect(card.told).toEqual([{ text: "Noted: done by Sam.", ok: true }]);
    },
  );

  it("names no follow-up where the card shows none", async () => {
    const door = new RecordingDoor([ok(readyCard({ follow_up: null }))], [pressed("Noted.")]);
    const card = show(door);
    await card.says("There is no follow-up.");
    card.button("I take it").trigger("onClick");
    await card.says("Noted.");
    expect(door.presses).toEqual([{ request: "request-1", lead: "ld_kim", choice: "claim" }]);
  });

  it("is sent once however often it is pressed in the same moment, and nothing else can be pressed meanwhile", async () => {
    const door = new RecordingDoor([ok(readyCard())]);
    const card = await shownCard(door);
    const [reached, replied] = [card.button("Reached"), card.button("They replied")];
    reached.trigger("onClick");
    reached.trigger("onClick");
    replied.trigger("onClick");
    await card.waitFor(() => expect(card.find(LoadingSpinner).props.label).toBe("Telling Baton"));
    expect(door.presses.map((press) => press.choice)).toEqual(["reached"]);
    const rows = card.findAll(Button, (button) => button.text !== "Refresh");
    expect(rows.map((button) => button.props.disabled)).toEqual(buttons.map(() => true));
  });

  it("gets a new id for each press", async () => {
    const door = new RecordingDoor([ok(readyCard())], [pressed("First."), pressed("Second.")]);
    const card = await shownCard(door);
    card.button("No answer").trigger("onClick");
    await card.says("First.");
    card.button("No answer").trigger("onClick");
    await card.says("Second.");
    expect(door.presses.map((press) => press.request)).toEqual(["request-1", "request-2"]);
  });
});

describe("a button that asks first", () => {
  const asked = async (label: string) => {
    const door = new RecordingDoor([ok(readyCard())], [pressed("Noted.")]);
    const card = await shownCard(door);
    expect(card.maybeFind(Form)).toBeNull();
    card.button(label).trigger("onClick");
    await card.waitFor(() => card.find(Form));
    expect(door.presses).toEqual([]);
    const send = async () => {
      card.find(Form).trigger("onSubmit");
      await card.says("Noted.");
      return door.presses[0];
    };
    return { door, card, send };
  };

  it("snoozes until the day and time chosen", async () => {
    const { card, send } = await asked("Later");
    fill(card.find(DateInput), { year: 2099, month: 0, date: 15 });
    fill(card.find(TimeInput), { hours: 14, minutes: 30 });
    expect(await send()).toEqual({
      request: "request-1",
      lead: "ld_kim",
      follow_up: "fu_1",
      choice: "snooze",
      until: "2099-01-15T14:30:00.000Z",
    });
  });

  it("snoozes until nine in the morning where only the day is chosen", async () => {
    const { card, send } = await asked("Later");
    fill(card.find(DateInput), { year: 2099, month: 0, date: 15 });
    expect(await send()).toMatchObject({ until: "2099-01-15T09:00:00.000Z" });
  });

  it("does not snooze without a day, nor into the past", async () => {
    const { card, door } = await asked("Later");
    card.find(Form).trigger("onSubmit");
    await card.says("Choose a day.");
    fill(card.find(DateInput), { year: 2020, month: 0, date: 15 });
    await card.waitFor(() => expect(card.find(DateInput).props.error).toBe(false));
    card.find(Form).trigger("onSubmit");
    await card.says("Choose a time that is still to come.");
    expect(card.find(DateInput).props.error).toBe(true);
    expect(door.presses).toEqual([]);
  });

  it.each([
    [
      "Hand over",
      "To whom?",
      "Choose a colleague.",
      "alex@example.com",
      "Alex (alex@example.com)",
      { choice: "hand_over", to: "alex@example.com", follow_up: "fu_1" },
    ],
    [
      "Same person",
      "Which person?",
      "Choose a person.",
      "ld_k2",
      "K. Example (k.example@example.com)",
      { choice: "merge", with: "ld_k2" },
    ],
    [
      "Not the same person",
      "Which person?",
      "Choose a person.",
      "ld_k2",
      "K. Example (k.example@example.com)",
      { choice: "keep_apart", with: "ld_k2" },
    ],
    [
      "Undo a join",
      "What is to be undone?",
      "Choose what is to be undone.",
      "ln_1",
      "Kim Example and kim@old.example.com, 30 Oct 2026, 12:00",
      { choice: "split", link: "ln_1" },
    ],
  ] as const)("%s asks %s", async (label, question, missing, value, option, fields) => {
    const { card, door, send } = await asked(label);
    expect(card.find(Select).props).toMatchObject({ label: question, required: true });
    expect(card.find(Select).props.options).toContainEqual({ label: option, value });
    card.find(Form).trigger("onSubmit");
    await card.says(missing);
    expect(door.presses).toEqual([]);
    fill(card.find(Select), value);
    // About two people, so no follow-up is named.
    expect(await send()).toEqual({ request: "request-1", lead: "ld_kim", ...fields });
  });

  it.each(["Not a fit", "Wrong person"])("%s takes a reason in the seller's words, trimmed", async (label) => {
    const { card, send } = await asked(label);
    expect(card.find(TextArea).props).toMatchObject({ label: "Why? (may stay empty)", maxLength: 500 });
    fill(card.find(TextArea), "  a student writing a thesis ", "onInput");
    expect(await send()).toMatchObject({ follow_up: "fu_1", reason: "a student writing a thesis" });
  });

  it("sends no reason where none was given", async () => {
    const { send } = await asked("Not a fit");
    expect(await send()).toEqual({ request: "request-1", lead: "ld_kim", follow_up: "fu_1", choice: "not_a_fit" });
  });

  it("sends nothing when it is cancelled", async () => {
    const { card, door } = await asked("Hand over");
    card.find(Button, (button) => button.text === "Cancel").trigger("onClick");
    await card.waitFor(() => expect(card.maybeFind(Form)).toBeNull());
    expect(door.presses).toEqual([]);
  });

  it("says so where there is nothing to choose from", async () => {
    const card = show(new RecordingDoor([ok(readyCard({ colleagues: [] }))]));
    await card.says("Call about the demo");
    card.button("Hand over").trigger("onClick");
    await card.says("There is nobody to hand it to.");
    expect(
      card
        .find(Form)
        .findAll(Button)
        .map((button) => button.text),
    ).toEqual(["Cancel"]);
  });
});

describe("a button that is not possible now", () => {
  it("is shown, cannot be pressed, and says why", async () => {
    const snooze = {
      choice: "snooze",
      label: "Later",
      needs: "until",
      possible: false,
      why_not: "It is done.",
    } as const;
    const card = show(new RecordingDoor([ok(readyCard({ buttons: [snooze] }))]));
    await card.says("Later: It is done.");
    expect(card.button("Later").props.disabled).toBe(true);
  });
});

describe("a press whose answer does not come", () => {
  const lost = async () => {
    const door = new RecordingDoor(
      [ok(readyCard()), ok(readyCard({ made_at: "2026-11-03T10:01:00.000Z" }))],
      [refusal("again", "Baton did not answer in time. Please try again."), pressed("Noted, once.")],
    );
    const card = await shownCard(door);
    card.button("Reached").trigger("onClick");
    await card.says("It is not known whether this was done");
    return {
      door,
      card,
      choose: (label: string) => card.find(Button, (button) => button.text === label).trigger("onClick"),
    };
  };

  it("is sent again as it was, under the same id, so that it cannot be done twice", async () => {
    const { door, card, choose } = await lost();
    choose("Send again");
    await card.says("Noted, once.");
    expect(door.presses).toHaveLength(2);
    expect(door.presses[1]).toEqual(door.presses[0]);
  });

  it("blocks every other press until it is settled", async () => {
    const { card, choose } = await lost();
    expect(card.button("They replied").props.disabled).toBe(true);
    choose("Look what became of it");
    await card.says("As of 3 Nov 2026, 10:01");
    expect(card.button("They replied").props.disabled).toBe(false);
    expect(card.text()).not.toContain("It is not known");
  });
});

describe("a press that Baton refuses", () => {
  it("is not offered again: the seller reads why, and the card is read anew", async () => {
    const done = readyCard({ buttons: [], made_at: "2026-11-03T10:01:00.000Z" });
    const door = new RecordingDoor(
      [ok(readyCard()), ok(done)],
      [refusal("refused", "Somebody else has done it already.")],
    );
    const card = await shownCard(door);
    card.button("Reached").trigger("onClick");
    await card.says("Somebody else has done it already.");
    await card.says("As of 3 Nov 2026, 10:01");
    expect(card.find(Alert).props).toMatchObject({ title: "Not done", variant: "danger" });
    expect(card.maybeFind(Button, (button) => button.text === "Send again")).toBeNull();
    expect(card.told).toEqual([{ text: "Somebody else has done it already.", ok: false }]);
  });
});

describe("a press that is under way", () => {
  it("is looked after once by the card itself", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const door = new RecordingDoor(
        [ok(readyCard()), ok(readyCard({ made_at: "2026-11-03T10:01:00.000Z" }))],
        [pressed("They are being joined.", { status: "under_way" })],
      );
      const card = await shownCard(door);
      card.button("Reached").trigger("onClick");
      await card.says("They are being joined.");
      expect(card.find(Alert).props).toMatchObject({ title: "Under way", variant: "info" });
      await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0));
      expect(door.reads).toBe(1);
      await vi.advanceTimersByTimeAsync(underWayLookMs);
      await card.says("As of 3 Nov 2026, 10:01");
      await vi.advanceTimersByTimeAsync(10 * underWayLookMs);
      expect(door.reads).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("an older answer", () => {
  it("never hides what a press has shown", async () => {
    let late: (value: ReturnType<typeof ok<ReturnType<typeof readyCard>>>) => void = () => {};
    const door = new RecordingDoor([ok(readyCard())], [pressed("Noted.")]);
    const card = await shownCard(door);
    door.read = () => new Promise((resolve) => (late = resolve));
    card.button("Refresh").trigger("onClick");
    card.button("Reached").trigger("onClick");
    await card.says("Noted.");
    late(ok(readyCard({ made_at: "2026-11-03T09:00:00.000Z" })));
    await card.settled();
    expect(card.text()).toContain("As of 3 Nov 2026, 10:00");
  });
});
