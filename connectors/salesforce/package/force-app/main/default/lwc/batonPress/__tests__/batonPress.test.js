import { Presses, pressOf } from "c/batonPress";

const card = { lead: { lead: "lead_1" }, follow_up: { id: "fu_1" } };
const button = (choice, needs) => ({ choice, needs });

describe("A press", () => {
  it("names the lead and the follow-up that the card showed", () => {
    expect(pressOf(card, button("claim", "nothing"))).toEqual({ lead: "lead_1", choice: "claim", follow_up: "fu_1" });
  });

  it("has no follow-up where the card showed none", () => {
    expect(pressOf({ ...card, follow_up: null }, button("claim", "nothing"))).toEqual({
      lead: "lead_1",
      choice: "claim",
    });
  });

  it.each([
    ["snooze", "until", "2026-03-03T10:00:00.000Z", "until"],
    ["hand_over", "colleague", "robin@example.com", "to"],
    ["not_a_fit", "reason", "They are a school.", "reason"],
  ])("%s carries what was asked for", (choice, needs, given, member) => {
    expect(pressOf(card, button(choice, needs), given)).toEqual({
      lead: "lead_1",
      choice,
      follow_up: "fu_1",
      [member]: given,
    });
  });

  it.each([
    ["merge", "duplicate", "lead_2", "with"],
    ["keep_apart", "duplicate", "lead_2", "with"],
    ["split", "link", "link_1", "link"],
  ])("%s is about people and names no follow-up", (choice, needs, given, member) => {
    expect(pressOf(card, button(choice, needs), given)).toEqual({ lead: "lead_1", choice, [member]: given });
  });

  it("leaves a reason out that nobody gave", () => {
    for (const given of ["", "  ", undefined]) {
      expect(pressOf(card, button("wrong_person", "reason"), given)).toEqual({
        lead: "lead_1",
        choice: "wrong_person",
        follow_up: "fu_1",
      });
    }
  });
});

describe("Its request", () => {
  const press = { lead: "lead_1", choice: "claim" };

  it("stays while there is no definite answer", () => {
    const presses = new Presses();
    const first = presses.open(press);
    expect(first.request).toMatch(/^press-[0-9a-f]{32}$/);
    expect(presses.open({ ...press })).toEqual(first);
  });

  it("is another one for another press", () => {
    const presses = new Presses();
    expect(presses.open({ ...press, choice: "reached" }).request).not.toBe(presses.open(press).request);
    expect(presses.open({ ...press, reason: "a" }).request).not.toBe(presses.open({ ...press, reason: "b" }).request);
  });

  it("is another one after ten minutes without an answer, for that is meant anew", () => {
    const presses = new Presses();
    const first = presses.open(press, 0);
    expect(presses.open(press, 599_999)).toEqual(first);
    expect(presses.open(press, 600_000).request).not.toBe(first.request);
  });

  it("is another one once Baton has answered for good", () => {
    const presses = new Presses();
    const first = presses.open(press);
    presses.settle(first);
    expect(presses.open(press).request).not.toBe(first.request);
  });
});
