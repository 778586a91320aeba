import { describe, expect, it } from "vitest";
import { durationText, instantText, leftOf } from "../src/app/cards/clock.ts";

const minute = 60_000;
const hour = 60 * minute;
const at = Date.parse("2026-11-03T10:00:00.000Z");

describe("a duration", () => {
  it.each([
    [0, "0 s"],
    [999, "0 s"],
    [9_000, "9 s"],
    [4 * minute + 9_000, "4 min 9 s"],
    [3 * hour + 5 * minute, "3 h 5 min"],
    [51 * hour, "2 d 3 h"],
    [-90_000, "1 min 30 s"],
  ])("of %d ms reads %s", (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});

describe("what is left of a promise", () => {
  const due = (ms: number) => new Date(at + ms).toISOString();

  it("is said calmly while there is time, and as a warning in the last hour", () => {
    expect(leftOf({ state: "running", due_at: due(2 * hour), left_ms: 2 * hour }, at, at)).toEqual({
      text: "2 h 0 min left.",
      tone: "info",
      changesAfterMs: 30_000,
    });
    expect(leftOf({ state: "running", due_at: due(2 * hour), left_ms: 2 * hour }, at, at + 61 * minute)).toEqual({
      text: "59 min 0 s left.",
      tone: "warning",
      changesAfterMs: 1_000,
    });
  });

  it("names business hours where the policy counts them and they are fewer", () => {
    expect(leftOf({ state: "running", due_at: due(24 * hour), left_ms: 8 * hour }, at, at).text).toBe(
      "1 d 0 h left, 8 h 0 min of them business hours.",
    );
  });

  it("is overdue from the moment it is due, whoever notices first", () => {
    expect(leftOf({ state: "running", due_at: due(0), left_ms: 0 }, at, at)).toMatchObject({
      text: "Overdue by 0 s.",
      tone: "danger",
    });
    expect(leftOf({ state: "breached", due_at: due(-hour), left_ms: -hour }, at, at).text).toBe(
      "Overdue by 1 h 0 min.",
    );
  });

  it("is nothing once it was kept, even late on the clock", () => {
    expect(leftOf({ state: "met", due_at: due(-hour), left_ms: 5 }, at, at)).toEqual({
      text: "The promise was kept.",
      tone: "success",
      changesAfterMs: null,
    });
  });
});

describe("an instant", () => {
  it("reads as the viewer writes it", () => {
    expect(instantText("2026-11-03T10:05:00.000Z", "en-GB")).toBe("3 Nov 2026, 10:05");
    expect(instantText("2026-11-03T10:05:00.000Z", "de_DE")).toBe("03.11.2026, 10:05");
  });

  it("is English where HubSpot's locale is none", () => {
    expect(instantText("2026-11-03T10:05:00.000Z", "not a locale")).toMatch(/^Nov 3, 2026, 10:05/);
  });
});
