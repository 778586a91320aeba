import { describe, expect, it } from "vitest";
import { joinTies, reach, spans, type Tie, tied, tieId } from "../../src/resolve/ties.ts";
import { pick, seeded } from "../signals.ts";
import { tieBetween } from "../states.ts";

const ab = tieBetween("a", "b");
const bc = tieBetween("b", "c");
const cd = tieBetween("c", "d");
const xy = tieBetween("x", "y");

describe("the name of a tie", () => {
  it("is the same from either end, and another for other ends", () => {
    expect(tieId(ab)).toMatch(/^li_[0-9a-f]{24}$/);
    expect(tieId({ a: "b", b: "a" })).toBe(tieId(ab));
    expect(tieId(bc)).not.toBe(tieId(ab));
  });
});

describe("what hangs together", () => {
  it("is everything that ties lead to, in both directions, and the start itself", () => {
    expect([...reach([ab, bc, xy], "c")].sort()).toEqual(["a", "b", "c"]);
    expect([...reach([ab], "z")]).toEqual(["z"]);
  });

  it("is less without one of the ties: that is the cut", () => {
    expect([...reach([ab, bc, cd], "a", bc)].sort()).toEqual(["a", "b"]);
    expect([...reach([ab, bc, cd], "d", bc)].sort()).toEqual(["c", "d"]);
  });

  it("spans a person where it leads to every node, and does not where one is left over", () => {
    expect(spans([ab, bc], ["a", "b", "c"])).toBe(true);
    expect(spans([ab, xy], ["a", "b", "x", "y"])).toBe(false);
    expect(spans([ab, bc], ["a", "b", "c", "d"])).toBe(false);
    expect(spans([], ["a"])).toBe(true);
    expect(spans([], [])).toBe(true);
  });
});

describe("a further tie", () => {
  it("is kept where it joins what did not hang together", () => {
    expect(tied([ab], bc)).toEqual([ab, bc]);
    expect(tied([ab, cd], bc)).toEqual([ab, cd, bc]);
  });

  it("is dropped where its ends hang together already, so that every cut means something", () => {
    const before = [ab, bc];
    expect(tied(before, tieBetween("a", "c"))).toBe(before);
    expect(tied(before, tieBetween("b", "a", { by: "forms:2" }))).toBe(before);
    expect(tied(before, tieBetween("b", "b"))).toBe(before);
  });
});

describe("two forests", () => {
  it("become one, in which the first one's ties stand where they overlap", () => {
    const again = tieBetween("b", "a", { by: "forms:2" });
    expect(joinTies([ab], [again, bc])).toEqual([ab, bc]);
    expect(joinTies([again], [ab, bc])).toEqual([again, bc]);
  });

  it("stay a forest over the same nodes, whatever they are (2,000 random pairs)", () => {
    const random = seeded(31);
    const names = ["a", "b", "c", "d", "e", "f", "g"] as const;
    const grown = () => {
      const edges = Array.from({ length: 8 }, () => tieBetween(pick(random, names), pick(random, names)));
      return { edges, forest: edges.reduce<readonly Tie[]>(tied, []) };
    };
    for (let round = 0; round < 2_000; round++) {
      const [left, right] = [grown(), grown()];
      const joined = joinTies(left.forest, right.forest);
      for (const start of names) {
        const all = reach([...left.edges, ...right.edges], start);
        expect([...reach(joined, start)].sort()).toEqual([...all].sort());
      }
      for (const tie of joined) expect(reach(joined, tie.a, tie).has(tie.b)).toBe(false);
    }
  });
});
