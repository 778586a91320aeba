import { describe, expect, it } from "vitest";
import type { Answer } from "../../src/decide/decide.ts";
import type { Receipt } from "../../src/model.ts";
import {
  type ActionRecord,
  actionKey,
  applyAnswer,
  applyEntry,
  assigned,
  cancelFollowUp,
  peopleOf,
  recordReceipt,
  revised,
  setAction,
} from "../../src/resolve/node.ts";
import { signal } from "../signals.ts";
import {
  ada,
  anonymous,
  apartFrom,
  decisionOf,
  entryOf,
  followUpOf,
  hubspotContact,
  linkTo,
  recordOf,
  rootOf,
  saidApart,
  userId,
} from "../states.ts";

const hubspot = { crm: "hubspot", account: "acme/hubspot/1" } as const;
const salesforce = { crm: "salesforce", account: "acme/salesforce/1" } as const;

describe("a log row", () => {
  it("adds its signal to the lead, and itself to what must be decided", () => {
    const next = applyEntry(rootOf("acme/r"), entryOf(signal({ id: "1" })));
    expect(next.version).toBe(1);
    expect(next.seq).toBe(1);
    expect(next.lead.kinds.demo_requested?.count).toBe(1);
    expect(next.undecided).toEqual([{ key: "forms:1", decide_at: 5_000, waiting: false }]);
  });

  it("owes a link for each identifier whose node is not part of this person yet, and remembers who says so", () => {
    const of = signal({ id: "1", identifiers: [userId("u-1"), ada], received_at: 7_000 });
    const next = applyEntry(rootOf("acme/r"), entryOf(of, { node_of: ["acme/r", "acme/e"] }));
    expect(next.links).toEqual([
      { node: "acme/e", identifier: ada, since: 7_000, from: "acme/r", by: "forms:1", authority: { type: "signal" } },
    ]);
  });

  it("owes each link from the node of the strongest identifier, wherever the person's root is", () => {
    const of = signal({ id: "1", identifiers: [userId("u-1"), ada, anonymous("a-1")] });
    const entry = entryOf(of, { node_of: ["acme/u", "acme/r", "acme/a"] });
    const next = applyEntry(rootOf("acme/r", { members: ["acme/u"] }), entry);
    expect(next.links.map(({ from, node }) => [from, node])).toEqual([["acme/u", "acme/a"]]);
  });

  it.each([
    ["is a member", rootOf("acme/r", { members: ["acme/e"] })],
    ["is being linked", rootOf("acme/r", { links: [linkTo("acme/e")] })],
    ["is an open question", rootOf("acme/r", { apart: [apartFrom("acme/e")] })],
    ["was said to be somebody else", rootOf("acme/r", { apart: [saidApart("acme/e", 500)] })],
  ])("owes no further link when the node %s", (_what, before) => {
    const of = signal({ id: "1", identifiers: [userId("u-1"), ada] });
    expect(applyEntry(before, entryOf(of, { node_of: ["acme/r", "acme/e"] })).links).toEqual(before.links);
  });

  it.each(["crm_records_merged", "crm_lead_converted"])("of kind %s has the CRM's word on its own records", (kind) => {
    const identifiers = [hubspotContact("51"), hubspotContact("52"), ada];
    const of = signal({ id: "1", kind, identifiers });
    const next = applyEntry(rootOf("acme/r"), entryOf(of, { node_of: ["acme/r", "acme/c", "acme/e"] }));
    expect(next.links.map(({ node, authority }) => [node, authority.type])).toEqual([
      ["acme/c", "crm"],
      ["acme/e", "signal"],
    ]);
  });

  it("in which a CRM says that two records are one answers what signals left open, and no person's word", () => {
    const of = signal({
      id: "1",
      kind: "crm_records_merged",
      identifiers: [hubspotContact("51"), hubspotContact("52")],
    });
    const entry = entryOf(of, { node_of: ["acme/r", "acme/c"] });
    const asked = applyEntry(rootOf("acme/r", { apart: [apartFrom("acme/c")] }), entry);
    expect(asked.links.map(({ node, authority }) => [node, authority.type])).toEqual([["acme/c", "crm"]]);
    const owing = applyEntry(rootOf("acme/r", { links: [linkTo("acme/c")] }), entry);
    expect(owing.links.map(({ node, authority }) => [node, authority.type])).toEqual([["acme/c", "crm"]]);
    const said = applyEntry(rootOf("acme/r", { apart: [saidApart("acme/c", 500)] }), entry);
    expect(said.links).toEqual([]);
  });

  it.each([
    ["another kind names two records", "contact_updated", [hubspotContact("51"), hubspotContact("52")]],
    ["no record is the strongest", "crm_records_merged", [userId("u-1"), hubspotContact("52")]],
  ])("has no more weight than any signal where %s", (_what, kind, identifiers) => {
    const of = signal({ id: "1", kind, identifiers });
    const next = applyEntry(rootOf("acme/r"), entryOf(of, { node_of: ["acme/r", "acme/c"] }));
    expect(next.links.map(({ authority }) => authority.type)).toEqual(["signal"]);
  });

  it("that was decided in its own turn replays the decision instead of deciding anew", () => {
    const answer: Answer = {
      decision: decisionOf({ outcome: "follow_up", follow_up: "fu_1" }),
      followUp: followUpOf(),
    };
    const next = applyEntry(rootOf("acme/r"), entryOf(signal({ id: "1" }), { answer, targets: [hubspot] }));
    expect(next.version).toBe(2);
    expect(next.undecided).toEqual([]);
    expect(next.follow_ups.map((item) => item.id)).toEqual(["fu_1"]);
  });
});

describe("a decision", () => {
  const undecided = rootOf("acme/r", {
    version: 4,
    undecided: [
      { key: "forms:1", decide_at: 1, waiting: false },
      { key: "forms:2", decide_at: 2, waiting: false },
    ],
  });

  it("takes its signals off the list, and only them", () => {
    const next = applyAnswer(undecided, { decision: decisionOf() }, [hubspot]);
    expect(next.undecided.map((item) => item.key)).toEqual(["forms:2"]);
    expect(next.version).toBe(5);
    expect(next.follow_ups).toEqual([]);
    expect(next.unprojected.decisions.map(({ decision }) => decision.id)).toEqual(["de_1"]);
  });

  it("to wait leaves its signals on the list, marked", () => {
    const next = applyAnswer(undecided, { decision: decisionOf({ outcome: "waiting" }) }, []);
    expect(next.undecided.map((item) => [item.key, item.waiting])).toEqual([
      ["forms:1", true],
      ["forms:2", false],
    ]);
  });

  it("to wait takes off the list what is too old to be asked about again", () => {
    const keys = Array.from({ length: 28 }, (_, at) => `forms:${at}`);
    const many = { ...undecided, undecided: keys.map((key) => ({ key, decide_at: 1, waiting: false })) };
    const why = [{ code: "no_address", text: "Nobody can be contacted yet.", signal: "forms:0" }];
    const decision = decisionOf({ outcome: "waiting", signals: keys, reasons: why });
    const left = applyAnswer(many, { decision }, []).undecided.map(({ key }) => key);
    expect(left).toEqual(["forms:0", ...keys.slice(3)]);
  });

  it("to follow up opens one action for each CRM account", () => {
    const answer: Answer = { decision: decisionOf({ outcome: "follow_up" }), followUp: followUpOf() };
    const [opened] = applyAnswer(undecided, answer, [hubspot, salesforce]).follow_ups;
    expect(opened?.actions).toEqual([
      {
        ...hubspot,
        key: actionKey("fu_1", hubspot.account),
        state: "pending",
        retry_at: 9_000,
        attempts: 0,
        revision: 0,
      },
      {
        ...salesforce,
        key: actionKey("fu_1", salesforce.account),
        state: "pending",
        retry_at: 9_000,
        attempts: 0,
        revision: 0,
      },
    ]);
  });

  it("to follow up without any CRM stays visible: open, with nothing that carries it", () => {
    const answer: Answer = { decision: decisionOf({ outcome: "follow_up" }), followUp: followUpOf() };
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
  const action = { ...hubspot, state: "pending", retry_at: 0, attempts: 0, revision: 0 } as const;
  const open = rootOf("acme/r", {
    version: 2,
    follow_ups: [recordOf({ actions: [{ ...action, key: "k" }] })],
  });

  it("settles its action and teaches who the person is in that CRM", () => {
    expect(peopleOf(open)).toEqual({});
    const next = recordReceipt(open, "k", receipt);
    expect(next.follow_ups[0]?.actions[0]).toMatchObject({ state: "done", receipt });
    expect(peopleOf(next)).toEqual({ hubspot: "51" });
    expect(next.version).toBe(3);
  });

  it("does not count once the CRM has merged that record into another one", () => {
    const next = recordReceipt(open, "k", receipt);
    const merged = { ...next, lead: { ...next.lead, former: { "hubspot_contact_id:51": true as const } } };
    expect(peopleOf(merged)).toEqual({});
  });

  it("without a person teaches nothing, and forgets nothing", () => {
    const known = rootOf("acme/r", {
      follow_ups: [
        recordOf({
          actions: [
            { ...action, key: "j", state: "done", receipt },
            { ...action, key: "k" },
          ],
        }),
      ],
    });
    expect(peopleOf(recordReceipt(known, "k", { ...receipt, at: 11_000, person_id: "" }))).toEqual({ hubspot: "51" });
  });

  it("for an unknown key changes no follow-up", () => {
    expect(setAction(open, "other", (item) => ({ ...item, state: "parked" })).follow_ups).toEqual(open.follow_ups);
  });
});

describe("the ids of a person in the CRMs", () => {
  const done = (key: string, receipt: Receipt): ActionRecord => ({
    key,
    crm: receipt.crm,
    account: `acme/${receipt.crm}/1`,
    state: "done",
    retry_at: 0,
    attempts: 0,
    revision: 0,
    receipt,
  });
  const at = (instant: number, person_id: string, crm: Receipt["crm"] = "hubspot"): Receipt => ({
    crm,
    task_id: `t${instant}`,
    person_id,
    at: instant,
  });

  it("are those of the latest receipt of each, in whatever order the follow-ups are kept", () => {
    const follow_ups = [
      recordOf({ id: "fu_2", actions: [done("k2", at(200, "52")), done("k3", at(150, "003", "salesforce"))] }),
      recordOf({ id: "fu_1", actions: [done("k1", at(100, "51"))] }),
    ];
    expect(peopleOf(rootOf("acme/r", { follow_ups }))).toEqual({ hubspot: "52", salesforce: "003" });
    expect(peopleOf(rootOf("acme/r", { follow_ups: follow_ups.toReversed() }))).toEqual({
      hubspot: "52",
      salesforce: "003",
    });
  });
});

describe("a follow-up that is cancelled", () => {
  it("says why, and leaves the others alone", () => {
    const two = rootOf("acme/r", { version: 4, follow_ups: [recordOf({ id: "fu_1" }), recordOf({ id: "fu_2" })] });
    const next = cancelFollowUp(two, "fu_1", "consent or a hold forbids it", 10_000);
    expect(next.follow_ups).toEqual([
      recordOf({
        id: "fu_1",
        state: "cancelled",
        closed_because: "consent or a hold forbids it",
        closed_at: 10_000,
      }),
      recordOf({ id: "fu_2" }),
    ]);
    expect(next.version).toBe(5);
  });
});

describe("a follow-up that changes before a CRM was told of it", () => {
  const action = {
    key: "fu_1-aa",
    crm: "hubspot",
    account: "acme/hubspot/1",
    state: "pending",
    retry_at: 0,
    attempts: 0,
    revision: 0,
  } as const;
  const before = recordOf({ holder: "sam@example.com", priority: "medium", due_at: 90_000, actions: [action] });

  it("remembers how it was opened: that is told first, whoever asks again after a crash", () => {
    const once = revised(before, { priority: "high" });
    const twice = revised(once, { holder: "kim@example.com" });
    expect(twice).toMatchObject({ revision: 2, holder: "kim@example.com", priority: "high" });
    expect(twice.opened).toMatchObject({ revision: 0, holder: "sam@example.com", priority: "medium", due_at: 90_000 });
  });

  it("remembers nothing where each CRM was told", () => {
    const written = { subject: "Call", body: "", dueAt: 90_000, priority: "medium", type: "call" } as const;
    const told = recordOf({
      actions: [
        { ...action, written },
        { ...action, key: "fu_1-bb", state: "done", written },
        { ...action, key: "fu_1-cc", state: "cancelled" },
      ],
    });
    expect(revised(told, { priority: "high" }).opened).toBeUndefined();
  });

  it("remembers it where a task stands and a crash took what it was told: what people changed there is compared with that", () => {
    const made = recordOf({ priority: "medium", actions: [{ ...action, state: "done" }] });
    expect(revised(made, { priority: "high" }).opened).toMatchObject({ revision: 0, priority: "medium" });
  });

  it("was opened with whoever's turn it turns out to be", () => {
    const { assign: _asked, ...rest } = before;
    const waiting = { ...rest, assign: [] };
    const root = rootOf("acme/r", { follow_ups: [revised(waiting, { priority: "high" })] });
    const [item] = assigned(root, before.id, { holder: "kim@example.com", why: "turn", due_at: 80_000 }).follow_ups;
    expect(item).toMatchObject({ holder: "kim@example.com", priority: "high", due_at: 90_000 });
    expect(item?.opened).toMatchObject({ holder: "kim@example.com", priority: "medium", due_at: 80_000 });
  });
});
