import { describe, expect, it } from "vitest";
import { joined, once, oneMore, youngerThan } from "../../src/resolve/counts.ts";
import { seeded } from "../signals.ts";

describe("counts by day", () => {
  const counts = { at: [400, 403], times: [2, 1] };

  it("take one signal more on the newest day, on a newer one, on an old one and on one between", () => {
    expect(oneMore(counts, 403)).toEqual({ at: [400, 403], times: [2, 2] });
    expect(oneMore(counts, 404)).toEqual({ at: [400, 403, 404], times: [2, 1, 1] });
    expect(oneMore(counts, 400)).toEqual({ at: [400, 403], times: [3, 1] });
    expect(oneMore(counts, 401)).toEqual({ at: [400, 401, 403], times: [2, 1, 1] });
    expect(oneMore({ at: [], times: [] }, 7)).toEqual(once(7));
    expect(counts).toEqual({ at: [400, 403], times: [2, 1] });
  });

  it("of two people add up", () => {
    expect(joined(counts, { at: [399, 403], times: [5, 4] })).toEqual({ at: [399, 400, 403], times: [5, 2, 5] });
    expect(joined(counts, { at: [], times: [] })).toEqual(counts);
  });

  it("forget what is as old as the limit, and are not copied where nothing is", () => {
    expect(youngerThan(counts, 400)).toEqual({ at: [403], times: [1] });
    expect(youngerThan(counts, 403)).toEqual({ at: [], times: [] });
    expect(youngerThan(counts, 399)).toBe(counts);
  });

  it("are the same in whatever order the signals come (1,000 random orders)", () => {
    const random = seeded(3);
    for (let round = 0; round < 1_000; round++) {
      const days = Array.from({ length: 12 }, () => Math.floor(random() * 6));
      const expected = [0, 1, 2, 3, 4, 5].flatMap((day) => {
        const times = days.filter((one) => one === day).length;
        return times === 0 ? [] : [[day, times]];
      });
      const { at, times } = days.reduce(oneMore, { at: [], times: [] });
      expect(at.map((day, index) => [day, times[index]])).toEqual(expected);
    }
  });
});
