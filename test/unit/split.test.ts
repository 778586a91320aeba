import { describe, expect, it } from "vitest";
import { defaultIdentityPolicy } from "../../src/decide/identity-policy.ts";
import type { Signal } from "../../src/model.ts";
import { emptyLead, foldSignal } from "../../src/resolve/lead.ts";
import { type ActionRecord, type Held, inputsOf, type LogEntry, type Root } from "../../src/resolve/node.ts";
import {
  doubtOf,
  findTie,
  partAgain,
  partLoose,
  partStranded,
  type SplitChoice,
  split,
} from "../../src/resolve/split.ts";
import { tieId } from "../../src/resolve/ties.ts";
import { signal } from "../signals.ts";
import {
  anonymous,
  apartFrom,
  decisionOf,
  email,
  entryOf,
  linkTo,
  recordOf,
  rootOf,
  saidApart,
  tieBetween,
  unprojected,
  userId,
} from "../states.ts";

/*
 * Ann (root acme/1, device acme/3) and Bob (acme/4, device acme/2) were joined at 50,000 by the signal `forms:bridge`, which
 * names Ann's address first. Bob's root was the larger one and lost.
 */
const ann = email("ann@example.com");
const bob = email("bob@example.com");
const annsDevice = anonymous("a-1");
const bobsDevice = anonymous("b-1");
const nodeOf: Readonly<Record<string, string>> = {
  [ann.value]: "acme/1",
  [annsDevice.value]: "acme/3",
  [bob.value]: "acme/4",
  [bobsDevice.value]: "acme/2",
};

function row(seq: number, of: Signal): LogEntry {
  return entryOf(of, { seq, root: "acme/1", node_of: of.identifiers.map(({ value }) => nodeOf[value] ?? "") });
}

const at = (instant: number, part: Partial<Signal> & { readonly id: string }) =>
  signal({ occurred_at: instant, received_at: instant, ...part });

const annsDemo = at(10_000, { id: "ann-demo", identifiers: [ann, annsDevice], traits: { company: "Ann Ltd" } });
const bobsDemo = at(20_000, { id: "bob-demo", identifiers: [bob, bobsDevice], traits: { company: "Bob Ltd" } });
const bobsVisit = at(30_000, { id: "bob-visit", kind: "page_viewed", identifiers: [bobsDevice] });
const bridge = at(50_000, { id: "bridge", kind: "page_viewed", identifiers: [ann, bob] });
const annLater = at(60_000, { id: "ann-later", kind: "pricing_viewed", identifiers: [annsDevice] });
const bobLater = at(70_000, { id: "bob-later", kind: "pricing_viewed", identifiers: [bob] });

const anns = [annsDemo, bridge, annLater];
const bobs = [bobsDemo, bobsVisit, bobLater];
const log = (...signals: readonly Signal[]) => signals.map((of, index) => row(index + 1, of));
const whole = log(annsDemo, bobsDemo, bobsVisit, bridge, annLater, bobLater);

const annsTie = tieBetween("acme/1", "acme/3", { over: annsDevice, by: "forms:ann-demo", at: 10_000 });
const bobsTie = tieBetween("acme/4", "acme/2", { over: bobsDevice, by: "forms:bob-demo", at: 20_000 });
const joining = tieBetween("acme/1", "acme/4", { over: bob, by: "forms:bridge", at: 50_000, loser: "acme/4" });

const folded = (signals: readonly Signal[]) => signals.reduce(foldSignal, emptyLead);

const one = (part: Partial<Root> = {}): Root =>
  rootOf("acme/1", {
    version: 20,
    seq: 6,
    lead: folded([...anns, ...bobs]),
    members: ["acme/2", "acme/3", "acme/4"],
    ties: [annsTie, bobsTie, joining],
    absorbed: { "acme/4": 9 },
    projected: { version: 20, seq: 6 },
    ...part,
  });

const choice: SplitChoice = {
  tie: tieId(joining),
  by: "sam@example.com",
  at: 90_000,
  decideSince: 0,
  undecidedMs: 5_000,
};

function cut(root: Root = one(), entries: readonly LogEntry[] = whole, part: Partial<SplitChoice> = {}) {
  const done = split(root, entries, { ...choice, ...part });
  if (done.arm !== "split") throw new Error(done.arm);
  return { ...done, left: done.parting.root };
}

describe("a link that is cut", () => {
  it("leaves two people, each as the own signals alone would have made them", () => {
    const { stays, left } = cut();
    expect(stays.lead).toEqual(folded(anns));
    expect(left.lead).toEqual(folded(bobs));
    expect(stays.lead.fields.company?.value).toBe("Ann Ltd");
    expect(left.lead.fields.company?.value).toBe("Bob Ltd");
  });

  it("gives each its own nodes and ties: the root stays at its name, the other one is at the smallest of its nodes", () => {
    const { stays, left, parting } = cut();
    expect([stays.name, stays.members, stays.ties]).toEqual(["acme/1", ["acme/3"], [annsTie]]);
    expect([left.name, left.members, left.ties]).toEqual(["acme/2", ["acme/4"], [bobsTie]]);
    expect(parting).toMatchObject({ to: "acme/2", staying: ["acme/3"] });
    expect(stays.partings).toEqual([parting]);
    expect(left.partings).toEqual([]);
  });

  it("lets each signal go with its strongest identifier, also the one that had joined them", () => {
    expect(cut().leaving).toEqual(["forms:bob-demo", "forms:bob-visit", "forms:bob-later"]);
    const fromBob = at(50_000, { id: "bridge", kind: "page_viewed", identifiers: [bob, ann] });
    expect(cut(one(), log(annsDemo, bobsDemo, fromBob)).leaving).toEqual(["forms:bob-demo", "forms:bridge"]);
  });

  it("can be named by its id or by the lead that was merged over it", () => {
    expect(cut(one(), whole, { tie: "acme/4" })).toEqual(cut());
    expect(findTie(one(), "acme/4")).toBe(joining);
    expect(findTie(one(), tieId(bobsTie))).toBe(bobsTie);
  });

  it("named by a lead that was merged more than once is the latest", () => {
    const again = tieBetween("acme/3", "acme/2", { at: 80_000, loser: "acme/4" });
    expect(findTie(one({ ties: [annsTie, joining, again] }), "acme/4")).toBe(again);
  });

  it("may be one that joined no two people: a single identifier then stands alone", () => {
    const { stays, left, leaving } = cut(one(), whole, { tie: tieId(annsTie) });
    expect([stays.members, left.name, left.members]).toEqual([["acme/2", "acme/4"], "acme/3", []]);
    expect(leaving).toEqual(["forms:ann-later"]);
    expect(left.lead).toEqual(folded([annLater]));
  });

  it("may lie next to the root: whatever hangs behind it leaves, the root itself never", () => {
    const chain = one({ ties: [bobsTie, joining, tieBetween("acme/2", "acme/3", { over: annsDevice })] });
    const { stays, left } = cut(chain, log(annsDemo, bobsDemo));
    expect([stays.name, stays.members]).toEqual(["acme/1", []]);
    expect([left.name, left.members]).toEqual(["acme/2", ["acme/3", "acme/4"]]);
  });

  it("takes both beyond every version that anybody has seen of either", () => {
    const { stays, left } = cut();
    expect([stays.version, left.version]).toEqual([21, 21]);
    expect([stays.seq, left.seq]).toEqual([6, 3]);
    expect(stays.projected).toEqual({ version: 20, seq: 6 });
    expect(left.projected).toEqual({ version: 0, seq: 0 });
  });

  it("has an id that comes of the choice, so that whoever hears of it twice knows; another split has another one", () => {
    expect(cut().parting.id).toBe(cut().parting.id);
    expect(cut().parting.id).toMatch(/^sp_[0-9a-f]{24}$/);
    expect(cut(one({ version: 21 })).parting.id).not.toBe(cut().parting.id);
    expect(cut(one(), whole, { tie: tieId(annsTie) }).parting.id).not.toBe(cut().parting.id);
  });

  it("still knows whom each had taken in, so that what is late does not come again", () => {
    const { stays, left } = cut();
    expect(stays.absorbed).toEqual({ "acme/4": 9 });
    expect(left.absorbed).toEqual({ "acme/4": 9 });
  });

  it("lets whoever stays remember former splits and an erasure", () => {
    expect(cut(one({ restored: ["sp_0"], erased_at: 5 })).stays).toMatchObject({ restored: ["sp_0"], erased_at: 5 });
    expect(cut().stays).not.toHaveProperty("erased_at");
  });
});

describe("a split", () => {
  it("of a link that is not there is no split", () => {
    expect(split(one(), whole, { ...choice, tie: "li_000000000000000000000000" })).toEqual({ arm: "no_such_link" });
    expect(split(one(), whole, { ...choice, tie: "acme/9" })).toEqual({ arm: "no_such_link" });
  });

  it.each([
    ["a link is owed", one({ links: [linkTo("acme/9")] }), whole],
    ["somebody who was taken in is being looked at", one({ doubts: [{ tie: joining }] }), whole],
    ["another part is leaving", one({ partings: cut().stays.partings }), whole],
    [
      "a merge is on its way in: some node hangs on nothing yet",
      one({ members: ["acme/2", "acme/3", "acme/4", "acme/9"] }),
      whole,
    ],
    [
      "a merge is on its way in: signals of it are here already",
      one(),
      [...whole, entryOf(bobsDemo, { node_of: ["acme/9"] })],
    ],
  ])("must wait while %s", (_what, root, entries) => {
    expect(split(root, entries, choice)).toEqual({ arm: "busy" });
  });
});

describe("rows of the ledger after a split", () => {
  it("show who had been merged on the side that leaves as part of the new root", () => {
    expect(cut().left.unprojected).toEqual(unprojected({ gone: [{ name: "acme/4", version: 21 }] }));
  });

  it("say nothing of the new root being merged any more, where it is the one that had been", () => {
    const two = one({
      members: ["acme/4"],
      ties: [joining],
      unprojected: unprojected({ gone: [{ name: "acme/4", version: 10 }] }),
    });
    const { stays, left } = cut(two, log(annsDemo, bridge));
    expect(left.name).toBe("acme/4");
    expect(left.unprojected.gone).toEqual([]);
    expect(stays.unprojected.gone).toEqual([]);
  });

  it("still hear what they had not heard yet: decisions, questions that were closed, others that were merged", () => {
    const unheard = unprojected({
      decisions: [{ decision: decisionOf(), inputs: inputsOf(rootOf("acme/1")) }],
      closed: [apartFrom("acme/x")],
      gone: [
        { name: "acme/3", version: 7 },
        { name: "acme/4", version: 10 },
      ],
    });
    expect(cut(one({ unprojected: unheard })).stays.unprojected).toEqual({
      ...unheard,
      gone: [{ name: "acme/3", version: 7 }],
    });
  });
});

describe("follow-ups after a split", () => {
  const annsCall = recordOf({ id: "fu_ann", trigger: "forms:ann-demo", created_at: 10_001 });
  const bobsCall = recordOf({ id: "fu_bob", trigger: "forms:bob-demo", created_at: 20_001 });

  it("are with the person whose signal triggered them", () => {
    const { stays, left } = cut(one({ follow_ups: [annsCall, bobsCall] }));
    expect(stays.follow_ups).toEqual([annsCall]);
    expect(left.follow_ups).toEqual([bobsCall]);
  });

  it("stay where nobody knows their signal any more", () => {
    const old = recordOf({ trigger: "forms:forgotten" });
    const { stays, left } = cut(one({ follow_ups: [old] }));
    expect(stays.follow_ups).toEqual([old]);
    expect(left.follow_ups).toEqual([]);
  });

  it("that are under way are asked for again at once; the others keep their time", () => {
    const action: ActionRecord = {
      key: "k1",
      crm: "hubspot",
      account: "acme/hubspot/1",
      state: "pending",
      retry_at: 200_000,
      attempts: 3,
      revision: 0,
    };
    const due = { ...action, key: "k2", retry_at: 80_000 };
    const done = { ...action, key: "k3", state: "done" } as const;
    const { left } = cut(one({ follow_ups: [{ ...bobsCall, actions: [action, due, done] }] }));
    expect(left.follow_ups[0]?.actions).toEqual([
      // The account object is to know a late call of whoever had them before.
      { ...action, moves: 1, retry_at: 90_000 },
      { ...due, moves: 1 },
      // Its account object is told where what people do to the task is to be told from now on.
      { ...done, moves: 1, unannounced: true },
    ]);
  });
});

describe("what was decided for both", () => {
  const undecided = (keys: readonly string[]) => keys.map((key) => ({ key, decide_at: 90_000, waiting: false }));

  it("is decided again for each: the signals since the merge, and those that may have waited for it", () => {
    const { stays, left } = cut();
    expect(stays.undecided).toEqual(undecided(["forms:bridge", "forms:ann-later"]));
    expect(left.undecided).toEqual(undecided(["forms:bob-later"]));
    // The merge was at 50,000; a signal of 30,000 was decided by then, unless decisions may take 20 s.
    expect(cut(one(), whole, { undecidedMs: 19_999 }).left.undecided).toEqual(undecided(["forms:bob-later"]));
    expect(cut(one(), whole, { undecidedMs: 20_000 }).left.undecided).toEqual(
      undecided(["forms:bob-visit", "forms:bob-later"]),
    );
  });

  it("is what each still has to decide anyway, at its own time, and no more a matter of waiting for the other", () => {
    const waiting = [
      { key: "forms:ann-later", decide_at: 3_660_000, waiting: true },
      { key: "forms:bob-later", decide_at: 3_670_000, waiting: false },
    ];
    const { stays, left } = cut(one({ undecided: waiting }));
    expect(stays.undecided).toEqual([
      { key: "forms:ann-later", decide_at: 3_660_000, waiting: false },
      ...undecided(["forms:bridge"]),
    ]);
    expect(left.undecided).toEqual([{ key: "forms:bob-later", decide_at: 3_670_000, waiting: false }]);
  });

  it("is also what came long before the merge, and was applied after it", () => {
    const lay = (part: Partial<LogEntry>) => ({ ...row(3, bobsVisit), ...part });
    const others = log(annsDemo, bobsDemo);
    expect(cut(one(), [...others, lay({})]).left.undecided).toEqual([]);
    expect(cut(one(), [...others, lay({ applied_at: 44_999 })]).left.undecided).toEqual([]);
    expect(cut(one(), [...others, lay({ applied_at: 45_000 })]).left.undecided).toEqual(undecided(["forms:bob-visit"]));
  });

  it("is not what led to a follow-up that stands", () => {
    const bobsCall = recordOf({ trigger: "forms:bob-later", state: "done" });
    expect(cut(one({ follow_ups: [bobsCall] })).left.undecided).toEqual([]);
  });

  it("is, however long ago, what led to a follow-up that was closed because both were taken for one", () => {
    const closed = recordOf({ id: "fu_bob", trigger: "forms:bob-demo", state: "cancelled", closed_for: "fu_ann" });
    expect(cut(one({ follow_ups: [closed] })).left.undecided).toEqual(undecided(["forms:bob-demo", "forms:bob-later"]));
    const byConsent = recordOf({ id: "fu_bob", trigger: "forms:bob-demo", state: "cancelled" });
    expect(cut(one({ follow_ups: [byConsent] })).left.undecided).toEqual(undecided(["forms:bob-later"]));
  });

  it("is not decided a third time where the closed follow-up has a successor already", () => {
    const closed = recordOf({ id: "fu_bob", trigger: "forms:bob-demo", state: "cancelled", closed_for: "fu_ann" });
    const successor = recordOf({ id: "fu_bob2", trigger: "forms:bob-demo" });
    expect(cut(one({ follow_ups: [closed, successor] })).left.undecided).toEqual(undecided(["forms:bob-later"]));
  });

  it("is not what happened so long ago that it asks for nothing any more", () => {
    const closed = recordOf({ trigger: "forms:bob-demo", state: "cancelled", closed_for: "fu_ann" });
    const { stays, left } = cut(one({ follow_ups: [closed] }), whole, { decideSince: 60_001 });
    expect(stays.undecided).toEqual([]);
    expect(left.undecided).toEqual(undecided(["forms:bob-later"]));
  });
});

describe("who was split", () => {
  const saidBy = {
    reason: "split",
    at: 90_000,
    state: "kept_apart",
    settled_by: "sam@example.com",
    settled_at: 90_000,
  };

  it("remembers the other one, at the node that had joined them, and so does the other one", () => {
    const { stays, left } = cut();
    expect(stays.apart).toEqual([
      { from: "acme/1", node: "acme/4", identifier: bob, by: "forms:bridge", other: "acme/2", ...saidBy },
    ]);
    expect(left.apart).toEqual([
      {
        from: "acme/4",
        node: "acme/1",
        identifier: { type: "email", value: "" },
        by: "forms:bridge",
        other: "acme/1",
        ...saidBy,
      },
    ]);
  });

  it("remembers every identifier of the other one that the own signals name", () => {
    const borrowed = at(65_000, { id: "borrowed", kind: "page_viewed", identifiers: [bob, annsDevice] });
    const { stays, left } = cut(one(), log(annsDemo, bobsDemo, bridge, borrowed));
    expect(left.apart.map(({ from, node, identifier, by }) => [from, node, identifier, by])).toEqual([
      ["acme/4", "acme/3", annsDevice, "forms:borrowed"],
      ["acme/4", "acme/1", { type: "email", value: "" }, "forms:bridge"],
    ]);
    expect(stays.apart.map(({ node }) => node)).toEqual(["acme/4"]);
  });

  it("takes the questions and answers along that the own identifiers had raised, and a copy of those that both had", () => {
    const mine = apartFrom("acme/x", { from: "acme/3" });
    const theirs = saidApart("acme/y", 500, { from: "acme/2" });
    const stranger = email("eve@example.com");
    const visit = entryOf(at(66_000, { id: "eve", kind: "page_viewed", identifiers: [bob, stranger] }), {
      node_of: ["acme/4", "acme/x"],
    });
    const { stays, left } = cut(one({ apart: [mine, theirs] }), [...whole, visit]);
    expect(stays.apart.filter(({ reason }) => reason !== "split")).toEqual([mine]);
    expect(left.apart.filter(({ reason }) => reason !== "split")).toEqual([theirs, { ...mine, from: "acme/4" }]);
  });

  it("keeps what a person said of both while they were taken for one; what was said before stays with whom it was said of", () => {
    const before = saidApart("acme/x", 49_999, { from: "acme/2" });
    const since = saidApart("acme/y", 60_000, { from: "acme/2" });
    const { stays, left } = cut(one({ apart: [before, since] }));
    const words = (of: Root) => of.apart.filter(({ reason }) => reason !== "split").map(({ node }) => node);
    expect(words(left)).toEqual(["acme/x", "acme/y"]);
    expect(words(stays)).toEqual(["acme/y"]);
    expect(stays.apart.find(({ node }) => node === "acme/y")).toEqual({ ...since, from: "acme/1" });
  });

  it("owes no links: nothing is to join them again", () => {
    expect(cut().stays.links).toEqual([]);
    expect(cut().left.links).toEqual([]);
  });
});

describe("what waits for somebody's approval when its people are split", () => {
  const question = (id: string, signals: readonly string[]): Held => ({
    id,
    code: "consent",
    play: "speed to lead",
    reasons: [],
    signals,
    at: 60_000,
    state: "open",
  });
  const asked = (of: Root) => of.held.map(({ id, signals }) => [id, signals]);

  it("goes, under its own name, with the one whose signals it is about", () => {
    const { stays, left } = cut(
      one({ held: [question("ex_1", ["forms:ann-demo"]), question("ex_2", ["forms:bob-demo"])] }),
    );
    expect(asked(stays)).toEqual([["ex_1", ["forms:ann-demo"]]]);
    expect(asked(left)).toEqual([["ex_2", ["forms:bob-demo"]]]);
  });

  it("is asked of each where it is about signals of both, and is never the same question of two people", () => {
    const ofBoth = question("ex_1", ["forms:ann-demo", "forms:bob-demo"]);
    const first = cut(one({ held: [ofBoth] }));
    const part = first.left.held[0]?.id ?? "";
    expect(asked(first.stays)).toEqual([["ex_1", ["forms:ann-demo"]]]);
    expect(part).toMatch(/^ex_1~[0-9a-f]{8}$/);

    // Merged again, they are split once more, and the part that left with the first split stays with Ann.
    const again = cut(one({ version: 30, held: [ofBoth, question(part, ["forms:ann-later"])] }));
    expect(asked(again.stays)).toEqual([
      ["ex_1", ["forms:ann-demo"]],
      [part, ["forms:ann-later"]],
    ]);
    expect(again.left.held[0]?.id).toMatch(/^ex_1~[0-9a-f]{8}$/);
    expect(again.left.held[0]?.id).not.toBe(part);
  });

  it("has been answered for each where somebody had answered it for both", () => {
    const said = { settled: { by: "sam@example.com", how: "approved", note: "" }, at: 61_000 };
    const { stays, left } = cut(
      one({ held: [question("ex_1", ["forms:ann-demo", "forms:bob-demo"])], said: { ex_1: said } }),
    );
    expect(stays.said.ex_1).toEqual(said);
    expect(left.said[left.held[0]?.id ?? ""]).toEqual(said);
  });
});

const time = { at: 90_000, decideSince: 0, undecidedMs: 5_000 };

describe("somebody who was taken in, and should not have been", () => {
  const again = (root: Root, entries: readonly LogEntry[], reason: string | null, tie = joining) =>
    partAgain(root, entries, tie, time, reason);

  it("becomes a person of their own again, and a person looks at it", () => {
    const done = again(one(), whole, "too_many:user_id");
    expect(done?.stays.lead).toEqual(folded(anns));
    expect(done?.parting.root.lead).toEqual(folded(bobs));
    expect(done?.stays.apart).toEqual([
      {
        from: "acme/1",
        node: "acme/4",
        identifier: bob,
        by: "forms:bridge",
        other: "acme/2",
        reason: "too_many:user_id",
        at: 90_000,
        state: "open",
      },
    ]);
    expect(done?.parting.root.apart.map(({ node, state }) => [node, state])).toEqual([["acme/1", "open"]]);
  });

  it("is somebody else without a question where a person had said so", () => {
    const done = again(one(), whole, "kept_apart");
    expect(done?.stays.apart.map(({ reason, state }) => [reason, state])).toEqual([["kept_apart", "kept_apart"]]);
  });

  it("goes on with the link owed, where the identifier that had joined them left with a split meanwhile", () => {
    const gone = tieBetween("acme/4", "acme/9", { by: "forms:bob-demo", authority: { type: "crm" } });
    const arrived = one({ members: ["acme/3", "acme/4"], ties: [annsTie, gone] });
    const done = again(arrived, log(annsDemo, bobsDemo), null, gone);
    expect(done?.stays.members).toEqual(["acme/3"]);
    expect(done?.leaving).toEqual(["forms:bob-demo"]);
    const left = done?.parting.root;
    expect(left).toMatchObject({ name: "acme/4", members: [], ties: [], apart: [] });
    expect(left?.lead).toEqual(folded([bobsDemo]));
    expect(left?.links.map(({ from, node, authority }) => [from, node, authority])).toContainEqual([
      "acme/4",
      "acme/9",
      { type: "crm" },
    ]);
  });

  it("stays where that tie was cut already, or is only the root's own", () => {
    expect(again(one({ ties: [annsTie, bobsTie] }), whole, "too_many:user_id")).toBeNull();
    const dangling = tieBetween("acme/3", "acme/9");
    const own = one({ members: ["acme/3"], ties: [annsTie, dangling] });
    expect(again(own, log(annsDemo), null, dangling)).toBeNull();
  });
});

describe("somebody who was taken in with the one they had come over, and hangs on nobody else here", () => {
  // Bob's device came over Bob, who had been refused here meanwhile; then Bob came back over the device.
  const over = tieBetween("acme/4", "acme/2", { over: bobsDevice, by: "forms:bob-demo", at: 20_000, loser: "acme/4" });
  const met = one({ ties: [annsTie, over], doubts: [{ tie: over }], apart: [] });
  const entries = log(annsDemo, bobsDemo, bobsVisit, bridge);

  it("goes on with them as another person, and the tie and its doubt go along", () => {
    const done = partLoose(met, entries, over, time);
    const left = done?.parting.root;
    expect(done?.stays).toMatchObject({ name: "acme/1", members: ["acme/3"], ties: [annsTie], doubts: [] });
    expect(left).toMatchObject({ name: "acme/2", members: ["acme/4"], doubts: [{ tie: over }] });
    expect(left?.ties.map(tieId)).toEqual([tieId(over)]);
    expect(left?.lead).toEqual(folded([bobsDemo, bobsVisit]));
  });

  it("is asked about again where a signal names both, on that signal's word only", () => {
    const byPerson = { ...over, authority: { type: "person", at: 1 } } as const;
    const done = partLoose({ ...met, ties: [annsTie, byPerson] }, entries, byPerson, time);
    expect(done?.stays.links.map(({ from, node, by, authority }) => [from, node, by, authority])).toEqual([
      ["acme/1", "acme/4", "forms:bridge", { type: "signal" }],
    ]);
    expect(done?.parting.root.links).toEqual([]);
  });

  it("stays where they hang together with the root", () => {
    expect(partLoose(one(), whole, bobsTie, time)).toBeNull();
    expect(partLoose(one({ members: ["acme/3"], ties: [annsTie, joining] }), log(annsDemo), joining, time)).toBeNull();
  });
});

describe("those whom somebody met at a node that has left meanwhile", () => {
  // Bob came over a node that left with a split, to whoever had hung on it; both became part of Ann, whom Bob knows.
  const gone = tieBetween("acme/2", "acme/9", { by: "forms:bob-demo" });
  const known = tieBetween("acme/2", "acme/1", { by: "forms:bridge" });
  const met = one({ ties: [annsTie, gone, known], doubts: [{ tie: gone }] });
  const entries = log(annsDemo, bobsDemo, bobsVisit, bridge);

  it("go on as a person of their own, while who came stays with whom they know", () => {
    const done = partStranded(met, entries, gone, time);
    expect(done?.stays).toMatchObject({ name: "acme/1", members: ["acme/2", "acme/3"], doubts: [] });
    expect(done?.stays.ties.map(tieId)).toEqual([tieId(annsTie), tieId(known)]);
    expect(done?.parting.root).toMatchObject({ name: "acme/4", members: [], ties: [] });
  });

  it("stay where they hang on somebody else as well", () => {
    expect(partStranded({ ...met, ties: [...met.ties, bobsTie] }, entries, gone, time)).toBeNull();
  });
});

describe("a doubt about somebody who was taken in", () => {
  const named = (of: Signal, id: string): Signal => ({ ...of, identifiers: [userId(id), ...of.identifiers] });
  const rowOf = (seq: number, of: Signal, nodes: readonly string[]) => entryOf(of, { seq, node_of: nodes });
  const annsRow = rowOf(1, named(annsDemo, "u-1"), ["acme/1", "acme/1", "acme/3"]);
  const doubt = (bobsUser: string) =>
    doubtOf(
      one(),
      [annsRow, rowOf(2, named(bobsDemo, bobsUser), ["acme/4", "acme/4", "acme/2"])],
      joining,
      defaultIdentityPolicy,
    );

  it("is what the guard says of those on both sides, each with its own signals only", () => {
    expect(doubt("u-2")).toBe("too_many:user_id");
    expect(doubt("u-1")).toBeNull();
  });

  it("is none where the tie was cut already", () => {
    expect(doubtOf(one({ ties: [annsTie, bobsTie] }), whole, joining, defaultIdentityPolicy)).toBeNull();
  });
});
