import { describe, expect, it } from "vitest";
import { ago, minuteOf, nameOf, times } from "../../../src/card/words.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

describe("how long ago something was", () => {
  it.each([
    [0, "just now"],
    [59_999, "just now"],
    [minute, "1 minute ago"],
    [12 * minute, "12 minutes ago"],
    [59 * minute + 59_000, "59 minutes ago"],
    [hour, "1 hour ago"],
    [23 * hour, "23 hours ago"],
    [day, "yesterday"],
    [2 * day, "2 days ago"],
    [13 * day, "13 days ago"],
    [14 * day, "2 weeks ago"],
    [60 * day, "2 months ago"],
    [-hour, "just now"],
  ])("%i ms is %s", (past, words) => {
    expect(ago(1_000 * day - past, 1_000 * day)).toBe(words);
  });
});

it("numbers are words up to nine", () => {
  expect([1, 2, 3, 9, 10].map(times)).toEqual(["once", "twice", "three times", "nine times", "10 times"]);
});

it("people are named by their address", () => {
  expect(nameOf("sam@example.com")).toBe("Sam");
  expect(nameOf("kim.de-vries@example.com")).toBe("Kim De-vries");
  expect(nameOf("ada_lovelace@example.com")).toBe("Ada Lovelace");
});

it("instants are in words and in UTC", () => {
  expect(minuteOf(Date.UTC(2026, 10, 23, 14, 5, 59))).toBe("23 Nov 2026, 14:05 UTC");
});
