import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/crypto.ts";
import type { Answer } from "../../src/decide/decide.ts";
import type { Decision, FollowUp, Identifier, Receipt, Signal } from "../../src/model.ts";
import {
  absorb,
  actionKey,
  applyAnswer,
  applyEntry,
  type FollowUpRecord,
  guard,
  keepApart,
  type LogEntry,
  linkDone,
  newRoot,
  type Root,
  reconcile,
  recordReceipt,
  type Strong,
  setAction,
} from "../../src/resolve/node.ts";
import { randomSignal, seeded, signal } from "../signals.ts";

const email: Identifier = { type: "email", value: "ada@example.com" };
const user: Identifier = { type: "user_id", value: "u-1" };
const hubspot = { crm: "hubspot", account: "acme/hubspot/1" } as const;
const salesforce = { crm: "salesforce", account: "acme/salesforce/1" } as const;

const root = (part: Partial<Root> = {}): Root => ({ ...newRoot("acme/r", "acme"), ...part });

const entry = (of: Signal, part: Partial<LogEntry> = {}): LogEntry => ({
  seq: 1,
  root: "acme/r",
  signal: of,
  node_of: ["acme/r"],
  undecided: { key: of.idempotency_key, decide_at: 5_000, waiting: false },
  ...part,
});

const decision = (part: Partial<Decision> = {}): Decision => ({
  id: "de_1",
  outcome: "none",
  at: 9_000,
  policy_version: 1,
  signals: ["forms:1"],
  tier: "hours",
  score: { fit: 0, intent: 0, total: 0 },
  reasons: [],
  ...part,
});

const followUp = (part: Partial<FollowUp> = {}): FollowUp => ({
  id: "fu_1",
  play: "speed to lead",
  state: "open",
  holder: "sam@example.com",
  created_at: 9_000,
  due_at: 99_000,
  tier: "seconds",
  trigger: "forms:1",
  accepted_at: 8_000,
  reasons: [],
  ...part,
});

const record = (part: Partial<FollowUpRecord> = {}): FollowUpRecord => ({ ...followUp(), actions: [], ...part });

describe("a log row", () => {
  it("adds its signal to the lead, and itself to what must be decided", () => {
    const next = applyEntry(root(), entry(signal({ id: "1" })));
    expect(next.version).toBe(1);
    expect(next.seq).toBe(1);
    expect(next.lead.kinds.demo_requested?.count).toBe(1);
    expect(next.undecided).toEqual([{ key: "forms:1", decide_at: 5_000, waiting: false }]);
  });

  it("owes a link for each identifier whose node is not part of this person yet", () => {
    const of = signal({ id: "1", identifiers: [user, email], received_at: 7_000 });
    const next = applyEntry(root(), entry(of, { node_of: ["acme/r", "acme/e"] }));
    expect(next.links).toEqual([{ node: "acme/e", identifier: email, since: 7_000 }]);
  });

  it.each([
    ["is a member", root({ members: ["acme/e"] })],
    ["is being linked", root({ links: [{ node: "acme/e", identifier: email, since: 1 }] })],
    [
      "was kept apart",
      root({ apart: [{ node: "acme/e", identifier: email, other: "acme/o", reason: "two_user_ids", at: 1 }] }),
    ],
  ])("owes no further link when the node %s", (_what, before) => {
    const of = signal({ id: "1", identifiers: [user, email] });
    expect(applyEntry(before, entry(of, { node_of: ["acme/r", "acme/e"] })).links).toEqual(before.links);
  });

  it("that was decided in its own turn replays the decision instead of deciding anew", () => {
    const answer: Answer = { decision: decision({ outcome: "follow_up", follow_up: "fu_1" }), followUp: followUp() };
    const next = applyEntry(root(), entry(signal({ id: "1" }), { answer, targets: [hubspot] }));
    expect(next.version).toBe(2);
    expect(next.undecided).toEqual([]);
    expect(next.follow_ups.map((item) => item.id)).toEqual(["fu_1"]);
  });
});

describe("a decision", () => {
  const undecided = root({
    version: 4,
    undecided: [
      { key: "forms:1", decide_at: 1, waiting: false },
      { key: "forms:2", decide_at: 2, waiting: false },
    ],
  });

  it("takes its signals off the list, and only them", () => {
    const next = applyAnswer(undecided, { decision: decision() }, [hubspot]);
    expect(next.undecided.map((item) => item.key)).toEqual(["forms:2"]);
    expect(next.version).toBe(5);
    expect(next.follow_ups).toEqual([]);
    expect(next.unprojected.decisions.map((item) => item.id)).toEqual(["de_1"]);
  });

  it("to wait leaves its signals on the list, marked", () => {
    const next = applyAnswer(undecided, { decision: decision({ outcome: "waiting" }) }, []);
    expect(next.undecided.map((item) => [item.key, item.waiting])).toEqual([
      ["forms:1", true],
      ["forms:2", false],
    ]);
  });

  it("to follow up opens one action for each CRM account", () => {
    const answer: Answer = { decision: decision({ outcome: "follow_up" }), followUp: followUp() };
    const [opened] = applyAnswer(undecided, answer, [hubspot, salesforce]).follow_ups;
    expect(opened?.actions).toEqual([
      { ...hubspot, key: actionKey("fu_1", hubspot.account), state: "pending", retry_at: 9_000, attempts: 0 },
      { ...salesforce, key: actionKey("fu_1", salesforce.account), state: "pending", retry_at: 9_000, attempts: 0 },
    ]);
  });

  it("to follow up without any CRM stays visible: open, with nothing that carries it", () => {
    const answer: Answer = { decision: decision({ outcome: "follow_up" }), followUp: followUp() };
    expect(applyAnswer(undecided, answer, []).follow_ups).toMatchObject([{ state: "open", actions: [] }]);
  });
});

describe("the key of an action", () => {
  it("is the same whenever it is computed, and another for each follow-up and account", () => {
    expect(actionKey("fu_1", "acme/hubspot/1")).toBe(actionKey("fu_1", "acme/hubspot/1"));
    expect(actionKey("fu_1", "acme/hubspot/1")).toMatch(/^fu_1-[0-9a-f]{8}$/);
    const keys = ["fu_1", "fu_2"].flatMap((id) => ["acme/hubspot/1", "acme/hubspot/2"].map((to) => actionKey(id, to)));
    expect(new Set(keys).size).toBe(4);
  });
});

describe("a receipt", () => {
  const receipt: Receipt = { crm: "hubspot", task_id: "7", person_id: "51", at: 10_000 };
  const open = root({
    version: 2,
    follow_ups: [record({ actions: [{ ...hubspot, key: "k", state: "pending", retry_at: 0, attempts: 0 }] })],
  });

  it("settles its action and teaches who the person is in that CRM", () => {
    const next = recordReceipt(open, "k", receipt);
    expect(next.follow_ups[0]?.actions[0]).toMatchObject({ state: "done", receipt });
    expect(next.people).toEqual({ hubspot: "51" });
    expect(next.version).toBe(3);
  });

  it("without a person teaches nothing, and forgets nothing", () => {
    const known = { ...open, people: { hubspot: "51" } };
    expect(recordReceipt(known, "k", { ...receipt, person_id: "" }).people).toEqual({ hubspot: "51" });
  });

  it("for an unknown key changes no follow-up", () => {
    expect(setAction(open, "other", (item) => ({ ...item, state: "parked" })).follow_ups).toEqual(open.follow_ups);
  });
});

describe("a link", () => {
  const owing = root({ version: 3, members: ["acme/z"], links: [{ node: "acme/e", identifier: email, since: 1 }] });

  it("that is made makes its node a member, once", () => {
    const made = linkDone(owing, "acme/e");
    expect(made.members).toEqual(["acme/e", "acme/z"]);
    expect(made.links).toEqual([]);
    expect(made.version).toBe(4);
    expect(linkDone(made, "acme/e")).toBe(made);
  });

  it("that must not be made is remembered, once", () => {
    const apart = keepApart(owing, "acme/e", "acme/o", "two_user_ids", 9_000);
    expect(apart.links).toEqual([]);
    expect(apart.members).toEqual(["acme/z"]);
    expect(apart.apart).toEqual([
      { node: "acme/e", identifier: email, other: "acme/o", reason: "two_user_ids", at: 9_000 },
    ]);
    expect(keepApart(apart, "acme/e", "acme/o", "two_user_ids", 9_500)).toBe(apart);
  });

  it("that nobody owes changes nothing", () => {
    expect(linkDone(owing, "acme/x")).toBe(owing);
    expect(keepApart(owing, "acme/x", "acme/o", "two_user_ids", 1)).toBe(owing);
  });
});

describe("the guard", () => {
  const strong = (part: Partial<Strong> = {}): Strong => ({ user_ids: [], emails: [], members: 0, ...part });
  const device = (type: string): Identifier => ({ type, value: "x-1" });
  const a = strong({ emails: ["ada@example.com"] });
  const b = strong({ emails: ["bob@example.com"] });

  const cases: readonly [string, Strong, Strong, Identifier, string | null][] = [
    ["joins two of whom nothing strong is known", strong(), strong(), device("anonymous_id"), null],
    [
      "keeps two different user ids apart",
      strong({ user_ids: ["1"] }),
      strong({ user_ids: ["2"] }),
      email,
      "two_user_ids",
    ],
    ["joins two that share a user id", strong({ user_ids: ["1", "2"] }), strong({ user_ids: ["2"] }), email, null],
    ["joins when only one has a user id", strong({ user_ids: ["1"] }), strong(), email, null],
    ["joins two addresses over a user id", a, b, user, null],
    ["joins over a device when only one has an address", a, strong(), device("anonymous_id"), null],
    [
      "joins over a device two who share an address",
      a,
      strong({ emails: ["bob@example.com", "ada@example.com"] }),
      device("anonymous_id"),
      null,
    ],
    ["joins up to 50 members in all", strong({ members: 30 }), strong({ members: 19 }), email, null],
    ["stops above 50 members", strong({ members: 30 }), strong({ members: 20 }), email, "too_many_members"],
    ...["anonymous_id", "gclid", "gbraid", "wbraid", "dclid", "fbclid", "li_fat_id", "msclkid", "ttclid", "twclid"].map(
      (type): [string, Strong, Strong, Identifier, string] => [
        `keeps two addresses apart that only share ${type}`,
        a,
        b,
        device(type),
        "shared_device",
      ],
    ),
  ];
  it.each(cases)("%s, whoever asks", (_what, one, other, over, expected) => {
    expect(guard(one, other, over, 50)).toBe(expected);
    expect(guard(other, one, over, 50)).toBe(expected);
  });
});

describe("of several open follow-ups", () => {
  const three = [
    record({ id: "fu_b", created_at: 2_000 }),
    record({ id: "fu_c", created_at: 3_000, play: "trial welcome" }),
    record({ id: "fu_a", created_at: 2_000 }),
  ];
  const states = (of: Root) => of.follow_ups.map((item) => [item.id, item.state]);

  it("the earliest stays and the others are cancelled, with the reason; of the same instant the smaller id stays", () => {
    const next = reconcile(root({ follow_ups: three }), "lead");
    expect(states(next)).toEqual([
      ["fu_b", "cancelled"],
      ["fu_c", "cancelled"],
      ["fu_a", "open"],
    ]);
    expect(next.follow_ups[0]?.closed_because).toBe("the same person was already being followed up");
    expect(next.follow_ups[2]?.closed_because).toBeUndefined();
  });

  it("one of each play stays where the policy says one per play", () => {
    expect(states(reconcile(root({ follow_ups: three }), "play"))).toEqual([
      ["fu_b", "cancelled"],
      ["fu_c", "open"],
      ["fu_a", "open"],
    ]);
  });

  it("those that are closed already neither stay in the way nor change", () => {
    const closed = record({ id: "fu_0", created_at: 1_000, state: "done" });
    const before = root({ follow_ups: [closed, record({ id: "fu_1" })] });
    expect(reconcile(before, "lead")).toBe(before);
  });
});

describe("taking in a root that lost", () => {
  const loser = (part: Partial<Root> = {}): Root => ({ ...newRoot("acme/s", "acme"), version: 7, ...part });

  it("gives the same lead whoever wins (300 random histories)", () => {
    const random = seeded(23);
    for (let round = 0; round < 300; round++) {
      const signals = Array.from({ length: 8 }, (_, index) => randomSignal(random, `${round}-${index}`));
      const cut = Math.floor(random() * 9);
      const fold = (name: string, part: readonly Signal[]) =>
        part.reduce((of, one) => applyEntry(of, entry(one, { root: name, node_of: [] })), newRoot(name, "acme"));
      const [left, right] = [signals.slice(0, cut), signals.slice(cut)];
      const one = absorb(fold("acme/a", left), fold("acme/b", right), right, "lead");
      const other = absorb(fold("acme/b", right), fold("acme/a", left), left, "lead");
      expect(canonicalJson(one.lead)).toBe(canonicalJson(other.lead));
      expect(one.lead.last?.at).toBe(Math.max(...signals.map((item) => item.occurred_at)));
    }
  });

  it("makes the loser and its members part of this person, and takes its obligations over", () => {
    const next = absorb(
      root({ members: ["acme/m"], links: [{ node: "acme/s", identifier: email, since: 1 }] }),
      loser({
        members: ["acme/n"],
        links: [
          { node: "acme/r", identifier: user, since: 2 },
          { node: "acme/m", identifier: user, since: 3 },
          { node: "acme/far", identifier: user, since: 4 },
        ],
      }),
      [],
      "lead",
    );
    expect(next.members).toEqual(["acme/m", "acme/n", "acme/s"]);
    expect(next.links.map((link) => link.node)).toEqual(["acme/far"]);
    expect(next.absorbed).toEqual(["acme/s"]);
  });

  it("moves beyond both versions, and leaves a tombstone of the loser beyond its own", () => {
    const next = absorb(root({ version: 3 }), loser(), [], "lead");
    expect(next.version).toBe(8);
    expect(next.unprojected.gone).toEqual([{ name: "acme/s", version: 8 }]);
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

  it("keeps one follow-up open, the earlier one, and every action of both", () => {
    const action = { ...hubspot, state: "done", retry_at: 0, attempts: 0 } as const;
    const next = absorb(
      root({ follow_ups: [record({ id: "fu_late", created_at: 2_000, actions: [{ ...action, key: "k1" }] })] }),
      loser({ follow_ups: [record({ id: "fu_early", created_at: 1_000, actions: [{ ...action, key: "k2" }] })] }),
      [],
      "lead",
    );
    expect(next.follow_ups.map((item) => [item.id, item.state, item.actions.length])).toEqual([
      ["fu_late", "cancelled", 1],
      ["fu_early", "open", 1],
    ]);
  });

  it("forgets that they were kept apart, and remembers each other stranger once", () => {
    const apart = (node: string, other: string) => ({ node, identifier: email, other, reason: "shared_device", at: 1 });
    const next = absorb(
      root({ apart: [apart("acme/n", "acme/s"), apart("acme/x", "acme/y")] }),
      loser({ members: ["acme/n"], apart: [apart("acme/x", "acme/y"), apart("acme/r", "acme/r")] }),
      [],
      "lead",
    );
    expect(next.apart.map((item) => item.node)).toEqual(["acme/x"]);
  });

  it("asks a stranger of one of them again where the link is owed: what both know may be enough", () => {
    const stranger = { node: "acme/x", identifier: email, other: "acme/y", reason: "shared_device", at: 1 };
    const next = absorb(
      root({ links: [{ node: "acme/x", identifier: email, since: 1 }] }),
      loser({ apart: [stranger] }),
      [],
      "lead",
    );
    expect(next.links.map((link) => link.node)).toEqual(["acme/x"]);
    expect(next.apart).toEqual([]);
  });
});
