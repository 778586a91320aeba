import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/crypto.ts";
import type { Signal } from "../../src/model.ts";
import { emptyLead, foldSignal } from "../../src/resolve/lead.ts";
import {
  absorb,
  absorbedOn,
  choseApart,
  choseMerge,
  hasAbsorbed,
  keepApart,
  linkDone,
  linked,
  reconcile,
  tieOf,
} from "../../src/resolve/merge.ts";
import type { ActionRecord, FollowUpRecord, LinkTodo, Root } from "../../src/resolve/node.ts";
import { randomSignal, seeded } from "../signals.ts";
import { ada, apartFrom, linkTo, recordOf, rootOf, saidApart, tieBetween, unprojected, userId } from "../states.ts";

const root = (part: Partial<Root> = {}): Root => rootOf("acme/r", part);
const loser = (part: Partial<Root> = {}): Root => rootOf("acme/s", { version: 7, ...part });
const person = (at: number): LinkTodo["authority"] => ({ type: "person", at });

describe("a link", () => {
  const owing = root({ version: 3, members: ["acme/z"], links: [linkTo("acme/e", { authority: { type: "crm" } })] });

  it("that is made makes its node a member, once, and is remembered as a tie with its origin", () => {
    const made = linkDone(owing, "acme/e", 9_000);
    expect(made.members).toEqual(["acme/e", "acme/z"]);
    expect(made.links).toEqual([]);
    expect(made.version).toBe(4);
    expect(made.ties).toEqual([
      { a: "acme/r", b: "acme/e", over: ada, by: "forms:1", authority: { type: "crm" }, at: 9_000 },
    ]);
    expect(linkDone(made, "acme/e", 9_500)).toBe(made);
  });

  it("whose node came with a merge meanwhile is done without a second way between the same nodes", () => {
    const ties = [tieBetween("acme/r", "acme/z"), tieBetween("acme/z", "acme/e")];
    const made = linkDone({ ...owing, members: ["acme/e", "acme/z"], ties }, "acme/e", 9_000);
    expect(made.members).toEqual(["acme/e", "acme/z"]);
    expect(made.ties).toEqual(ties);
  });

  it("that is made is in doubt where two are here whom a person keeps apart, for it may be what holds them together", () => {
    const todo = linkTo("acme/e");
    const asked = root({ members: ["acme/z"], links: [todo], apart: [saidApart("acme/x", 8_000)] });
    expect(linked(asked, todo, {}, 9_000).doubts).toEqual([]);
    const met = { ...asked, members: ["acme/x", "acme/z"] };
    expect(linked(met, todo, {}, 9_000).doubts).toEqual([{ tie: tieBetween("acme/r", "acme/e", { at: 9_000 }) }]);
  });

  it("to a node of an erased person goes on from their last version, and is told from when on it counts", () => {
    const made = linked(owing, linkTo("acme/e"), { erased_at: 7_000, epoch: 12 }, 9_000);
    expect([made.version, made.erased_nodes]).toEqual([13, { "acme/e": 7_000 }]);
  });

  it("to the root itself makes nobody a member", () => {
    expect(linkDone(root({ links: [linkTo("acme/r")] }), "acme/r", 9_000).members).toEqual([]);
  });

  it("that must not be made is an open question, once", () => {
    const refused = keepApart(owing, "acme/e", "acme/o", "too_many:user_id", 9_000);
    expect(refused.links).toEqual([]);
    expect(refused.members).toEqual(["acme/z"]);
    expect(refused.apart).toEqual([
      {
        from: "acme/r",
        node: "acme/e",
        identifier: ada,
        other: "acme/o",
        reason: "too_many:user_id",
        by: "forms:1",
        at: 9_000,
        state: "open",
      },
    ]);
    expect(keepApart(refused, "acme/e", "acme/o", "too_many:user_id", 9_500)).toBe(refused);
  });

  it("that a person has ruled out is no question any more", () => {
    const [item] = keepApart(owing, "acme/e", "acme/o", "kept_apart", 9_000).apart;
    expect(item).toMatchObject({ node: "acme/e", reason: "kept_apart", state: "kept_apart" });
  });

  it("that is refused beside an older answer leaves that answer alone", () => {
    const before = { ...owing, apart: [saidApart("acme/e", 500)] };
    const after = keepApart(before, "acme/e", "acme/o", "too_many:user_id", 9_000);
    expect(after.apart).toEqual([saidApart("acme/e", 500)]);
    expect(after.links).toEqual([]);
  });

  it("that nobody owes changes nothing", () => {
    expect(linkDone(owing, "acme/x", 1)).toBe(owing);
    expect(keepApart(owing, "acme/x", "acme/o", "too_many:user_id", 1)).toBe(owing);
  });

  it("that joins two people remembers which of them became part of the other", () => {
    expect(tieOf(linkTo("acme/e"), 9_000)).not.toHaveProperty("loser");
    expect(tieOf(linkTo("acme/e"), 9_000, "acme/s")).toEqual(
      tieBetween("acme/r", "acme/e", { at: 9_000, loser: "acme/s" }),
    );
  });
});

describe("a person who says that two are one", () => {
  const asked = root({ version: 5, apart: [apartFrom("acme/e"), apartFrom("acme/x")] });

  it("makes the link owed again with that word's weight, and closes the question", () => {
    const next = choseMerge(asked, "acme/e", "person:sam@example.com", 9_000);
    expect(next.links).toEqual([
      linkTo("acme/e", { since: 9_000, by: "person:sam@example.com", authority: person(9_000) }),
    ]);
    expect(next.apart).toEqual([apartFrom("acme/x")]);
    expect(next.unprojected.closed).toEqual([
      apartFrom("acme/e", { settled_by: "sam@example.com", settled_at: 9_000 }),
    ]);
    expect(next.version).toBe(6);
  });

  it("may do so after having said the opposite", () => {
    const next = choseMerge(root({ apart: [saidApart("acme/e", 500)] }), "acme/e", "person:sam@example.com", 9_000);
    expect(next.links.map(({ node, authority }) => [node, authority])).toEqual([["acme/e", person(9_000)]]);
    expect(next.apart).toEqual([]);
  });

  it("replaces a weaker link that is owed already", () => {
    const next = choseMerge({ ...asked, links: [linkTo("acme/e")] }, "acme/e", "person:sam@example.com", 9_000);
    expect(next.links.map(({ authority }) => authority)).toEqual([person(9_000)]);
  });

  it("about somebody of whom there is no question changes nothing", () => {
    expect(choseMerge(asked, "acme/other", "person:sam@example.com", 9_000)).toBe(asked);
  });
});

describe("a person who says that two are two", () => {
  it("answers that question and no other, with name and time", () => {
    const asked = root({ version: 5, apart: [apartFrom("acme/e"), apartFrom("acme/x")] });
    const next = choseApart(asked, "acme/e", "sam@example.com", 9_000);
    expect(next.apart).toEqual([saidApart("acme/e", 9_000), apartFrom("acme/x")]);
    expect(next.links).toEqual([]);
    expect(next.version).toBe(6);
  });

  it("about somebody of whom there is no question changes nothing", () => {
    const asked = root({ apart: [apartFrom("acme/e")] });
    expect(choseApart(asked, "acme/other", "sam@example.com", 9_000)).toBe(asked);
  });
});

describe("of several open follow-ups", () => {
  const three = [
    recordOf({ id: "fu_b", created_at: 2_000 }),
    recordOf({ id: "fu_c", created_at: 3_000, play: "trial welcome" }),
    recordOf({ id: "fu_a", created_at: 2_000 }),
  ];
  const states = (of: Root) => of.follow_ups.map((item) => [item.id, item.state]);

  it("the earliest stays and the others are cancelled, with the reason; of the same instant the smaller id stays", () => {
    const next = reconcile(root({ follow_ups: three }), "lead");
    expect(states(next)).toEqual([
      ["fu_b", "cancelled"],
      ["fu_c", "cancelled"],
      ["fu_a", "open"],
    ]);
    expect(next.follow_ups[0]).toMatchObject({
      closed_because: "the same person was already being followed up",
      closed_for: "fu_a",
    });
    expect(next.follow_ups[2]).not.toHaveProperty("closed_because");
  });

  it("one of each play stays where the policy says one per play", () => {
    expect(states(reconcile(root({ follow_ups: three }), "play"))).toEqual([
      ["fu_b", "cancelled"],
      ["fu_c", "open"],
      ["fu_a", "open"],
    ]);
  });

  it("those that are closed already neither stay in the way nor change", () => {
    const closed = recordOf({ id: "fu_0", created_at: 1_000, state: "done" });
    const before = root({ follow_ups: [closed, recordOf({ id: "fu_1" })] });
    expect(reconcile(before, "lead")).toBe(before);
  });
});

describe("taking in a root that lost", () => {
  it("gives the same lead whoever wins (300 random histories)", () => {
    const random = seeded(23);
    const fold = (name: string, part: readonly Signal[]) => rootOf(name, { lead: part.reduce(foldSignal, emptyLead) });
    for (let round = 0; round < 300; round++) {
      const signals = Array.from({ length: 8 }, (_, index) => randomSignal(random, `${round}-${index}`));
      const cut = Math.floor(random() * 9);
      const [left, right] = [signals.slice(0, cut), signals.slice(cut)];
      const one = absorb(fold("acme/a", left), fold("acme/b", right), right, "lead");
      const other = absorb(fold("acme/b", right), fold("acme/a", left), left, "lead");
      expect(canonicalJson(one.lead)).toBe(canonicalJson(other.lead));
      expect(one.lead.last?.at).toBe(Math.max(...signals.map((item) => item.occurred_at)));
    }
  });

  it("makes the loser and its members part of this person, and takes its obligations over", () => {
    const next = absorb(
      root({ members: ["acme/m"], links: [linkTo("acme/s")] }),
      loser({
        members: ["acme/n"],
        links: ["acme/r", "acme/m", "acme/far"].map((node) =>
          linkTo(node, { from: "acme/s", identifier: userId("u") }),
        ),
      }),
      [],
      "lead",
    );
    expect(next.members).toEqual(["acme/m", "acme/n", "acme/s"]);
    expect(next.links.map((link) => link.node)).toEqual(["acme/far"]);
  });

  it("joins what holds the two together, and keeps one way only between any two nodes", () => {
    const joining = tieBetween("acme/r", "acme/s", { at: 9_000, loser: "acme/s" });
    const next = absorb(
      root({ members: ["acme/m"], ties: [tieBetween("acme/r", "acme/m")] }),
      loser({
        members: ["acme/n"],
        ties: [tieBetween("acme/s", "acme/n"), joining, tieBetween("acme/m", "acme/n")],
      }),
      [],
      "lead",
    );
    expect(next.ties).toEqual([tieBetween("acme/r", "acme/m"), tieBetween("acme/s", "acme/n"), joining]);
  });

  it("looks into every link that its coming has made where a person keeps it apart, and into none otherwise", () => {
    const here = root({ members: ["acme/a"], links: [linkTo("acme/m")] });
    const came = loser({ members: ["acme/m"], ties: [tieBetween("acme/s", "acme/m")] });
    const over = { tie: tieBetween("acme/x", "acme/s") };
    const ends = (one: Root) => one.doubts.map(({ tie }) => [tie.a, tie.b]);
    expect(ends(absorb(here, came, [], "lead", [over]))).toEqual([["acme/x", "acme/s"]]);
    const apart = { ...here, apart: [saidApart("acme/s", 500)] };
    expect(ends(absorb(apart, came, [], "lead", [over]))).toEqual([
      ["acme/x", "acme/s"],
      ["acme/r", "acme/m"],
    ]);
  });

  it("makes of every tie one over which something older was still undecided: what waited on one side is decided for all", () => {
    const waiting = [{ key: "forms:2", decide_at: 5_000, waiting: true }];
    const tied = [tieBetween("acme/r", "acme/m", { at: 9_000 }), tieBetween("acme/r", "acme/o", { at: 4_000 })];
    const next = absorb(root({ members: ["acme/m", "acme/o"], ties: tied }), loser({ undecided: waiting }), [], "lead");
    expect(next.ties.map((tie) => tie.undecided_since)).toEqual([5_000, undefined]);
  });

  it("moves beyond both versions, and leaves a tombstone of the loser beyond its own", () => {
    const next = absorb(root({ version: 3 }), loser(), [], "lead");
    expect(next.version).toBe(8);
    expect(next.unprojected.gone).toEqual([{ name: "acme/s", version: 8 }]);
    expect(absorb(root({ version: 30 }), loser(), [], "lead").version).toBe(31);
  });

  it("carries on what the ledger has not heard yet from the loser", () => {
    const gone = { name: "acme/t", version: 4 };
    const next = absorb(root(), loser({ unprojected: unprojected({ gone: [gone] }) }), [], "lead");
    expect(next.unprojected.gone).toEqual([gone, { name: "acme/s", version: 8 }]);
  });

  it("wakes what waits: who could not be reached may be reachable now", () => {
    const next = absorb(
      root({ undecided: [{ key: "forms:1", decide_at: 1, waiting: true }] }),
      loser({
        undecided: [
          { key: "forms:2", decide_at: 2, waiting: true },
          { key: "forms:1", decide_at: 9, waiting: true },
        ],
      }),
      [],
      "lead",
    );
    expect(next.undecided).toEqual([
      { key: "forms:1", decide_at: 1, waiting: false },
      { key: "forms:2", decide_at: 2, waiting: false },
    ]);
  });
});

describe("what was taken in", () => {
  it("is known with its version, also by way of somebody who had taken it in, and is not taken in again", () => {
    const next = absorb(
      root({ absorbed: { "acme/t": 9, "acme/u": 2 } }),
      loser({ absorbed: { "acme/t": 4, "acme/u": 6 } }),
      [],
      "lead",
    );
    expect(next.absorbed).toEqual({ "acme/s": 7, "acme/t": 9, "acme/u": 6 });
    expect(hasAbsorbed(next, { name: "acme/s", version: 7 })).toBe(true);
    expect(hasAbsorbed(next, { name: "acme/s", version: 3 })).toBe(true);
  });

  it("is taken in again when it has changed since, as after a split; and so is whoever never came", () => {
    const next = absorb(root(), loser(), [], "lead");
    expect(hasAbsorbed(next, { name: "acme/s", version: 8 })).toBe(false);
    expect(hasAbsorbed(next, { name: "acme/new", version: 0 })).toBe(false);
  });

  it("can be told apart by the nodes it sits on", () => {
    const of = root({ absorbed: { "acme/s": 7, "acme/t": 9 } });
    expect(absorbedOn(of, ["acme/x", "acme/t"])).toEqual(["acme/t"]);
    expect(absorbedOn(of, ["acme/x"])).toEqual([]);
  });
});

describe("follow-ups of two people who are one", () => {
  const action: ActionRecord = {
    key: "k",
    crm: "hubspot",
    account: "acme/hubspot/1",
    state: "pending",
    retry_at: 0,
    attempts: 0,
    revision: 0,
  };
  const both = (own: FollowUpRecord, theirs: FollowUpRecord) =>
    absorb(root({ follow_ups: [own] }), loser({ follow_ups: [theirs] }), [], "lead").follow_ups;

  it("are all kept with every action, and one stays open: the earlier one", () => {
    const done = { ...action, state: "done" } as const;
    const follow_ups = both(
      recordOf({ id: "fu_late", created_at: 2_000, actions: [{ ...done, key: "k1" }] }),
      recordOf({ id: "fu_early", created_at: 1_000, actions: [{ ...done, key: "k2" }] }),
    );
    expect(follow_ups.map((item) => [item.id, item.state, item.actions.length])).toEqual([
      ["fu_late", "cancelled", 1],
      ["fu_early", "open", 1],
    ]);
  });

  it("that both know are one, as far as the one that went further got", () => {
    const open = recordOf({ actions: [action] });
    const closed = recordOf({ state: "cancelled", closed_because: "said so", actions: [{ ...action, state: "done" }] });
    expect(both(open, closed)).toEqual([closed]);
    expect(both(closed, open)).toEqual([closed]);
  });

  it.each([
    ["pending", "done"],
    ["pending", "parked"],
    ["done", "cancelled"],
  ] as const)("never fall back: of an action that is %s here and %s there, the latter is true", (behind, ahead) => {
    const at = (state: ActionRecord["state"]) => recordOf({ actions: [{ ...action, state }] });
    for (const [own, theirs] of [
      [behind, ahead],
      [ahead, behind],
    ] as const)
      expect(both(at(own), at(theirs))[0]?.actions[0]?.state).toBe(ahead);
  });
});

describe("strangers of two people who are one", () => {
  const merged = (own: Partial<Root>, theirs: Partial<Root>) => absorb(root(own), loser(theirs), [], "lead");

  it("are no strangers where they are part of that one, and their question is closed; all others stay, once", () => {
    const next = merged(
      { apart: [apartFrom("acme/n", { other: "acme/s" }), apartFrom("acme/x")] },
      {
        members: ["acme/n"],
        apart: [apartFrom("acme/x", { from: "acme/s" }), apartFrom("acme/r", { from: "acme/n" })],
      },
    );
    expect(next.apart.map((item) => item.node)).toEqual(["acme/x"]);
    expect(next.unprojected.closed.map((item) => item.node)).toContain("acme/n");
    expect(next.unprojected.closed.map((item) => item.node)).toContain("acme/r");
  });

  it("are asked again where the link is owed: what both know together may be enough", () => {
    const next = merged({ links: [linkTo("acme/x")] }, { apart: [apartFrom("acme/x", { reason: "shared_device" })] });
    expect(next.links.map((link) => link.node)).toEqual(["acme/x"]);
    expect(next.apart).toEqual([]);
  });

  it("stay so where a person said so to one of them, whatever signals of the other say", () => {
    const next = merged(
      { links: [linkTo("acme/x")], apart: [apartFrom("acme/y")] },
      {
        apart: [saidApart("acme/x", 500), saidApart("acme/y", 500)],
      },
    );
    // Asked all the same: it may have been claimed before this was known, and is to be let go then.
    expect(next.links).toEqual([linkTo("acme/x")]);
    expect(next.apart).toEqual([saidApart("acme/x", 500), saidApart("acme/y", 500)]);
  });

  it("are linked by a person's newer word, whichever of them it was said to", () => {
    const word = linkTo("acme/x", { from: "acme/s", by: "person:sam@example.com", authority: person(900) });
    const next = merged({ apart: [saidApart("acme/x", 500)] }, { links: [word] });
    expect(next.links).toEqual([word]);
    // The older word stays until the newer one has been carried out.
    expect(next.apart).toEqual([saidApart("acme/x", 500)]);
  });

  it("are linked by a person's word also where a signal of the other one names them as well", () => {
    const word = linkTo("acme/x", { from: "acme/s", by: "person:sam@example.com", authority: person(900) });
    // First in line: should the other one be refused, the question would be closed for both.
    expect(merged({ links: [linkTo("acme/x")] }, { links: [word] }).links[0]).toEqual(word);
    const settled = merged({ links: [linkTo("acme/x")] }, { links: [word], apart: [saidApart("acme/x", 500)] });
    expect(settled.links[0]).toEqual(word);
  });

  it("stay so where they came by a race, and a person's word on others is no word on them", () => {
    const said = saidApart("acme/n", 500);
    const byPerson = tieBetween("acme/s", "acme/n", { authority: person(900), loser: "acme/n" });
    const bySignal = tieBetween("acme/r", "acme/s", { loser: "acme/s" });
    const theirs = { members: ["acme/n"], ties: [byPerson, bySignal] };
    expect(merged({ apart: [said] }, theirs).apart).toEqual([said]);
    const joinedByPerson = { ...theirs, ties: [byPerson, { ...bySignal, authority: person(900) }] };
    expect(merged({ apart: [said] }, joinedByPerson).apart).toEqual([]);
  });

  it("stay strangers of each, so that what was said of either holds after a split", () => {
    const own = saidApart("acme/x", 500);
    const theirs = saidApart("acme/x", 600, { from: "acme/s" });
    expect(merged({ apart: [own] }, { apart: [theirs] }).apart).toEqual([own, theirs]);
  });
});
