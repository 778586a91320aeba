import { duration, signed, webAddress, words } from "c/batonText";

const minute = 60_000;

describe("Words of the card", () => {
  it.each([
    [0, "0 s"],
    [999, "0 s"],
    [5_000, "5 s"],
    [12 * minute, "12 min 00 s"],
    [12 * minute + 5_000, "12 min 05 s"],
    [60 * minute, "1 h"],
    [72 * minute + 59_000, "1 h 12 min"],
    [24 * 60 * minute, "1 d"],
    [27 * 60 * minute + 5 * minute, "1 d 3 h"],
    [-5, "0 s"],
  ])("%d ms are %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it("shows points with their sign", () => {
    expect(signed(40)).toBe("+40");
    expect(signed(0)).toBe("+0");
    expect(signed(-8)).toBe("−8");
  });

  it("writes a code as words", () => {
    expect(words("sales_ready")).toBe("Sales ready");
    expect(words("")).toBe("");
  });

  it("leads to pages of the web only", () => {
    expect(webAddress("https://example.my.salesforce.com/00Q")).toBe("https://example.my.salesforce.com/00Q");
    expect(webAddress("javascript:alert(1)")).toBeUndefined();
    expect(webAddress("http://example.com")).toBeUndefined();
    expect(webAddress(null)).toBeUndefined();
  });
});
