/** What a record in a CRM shows of a lead: only what the policy gives to the engine, only when it is worth a write, never over a person's. */
import { describe, expect, it } from "vitest";
import { bringsNews, withRecordsOwed } from "../../src/act/showing.ts";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import type { FieldOwnership } from "../../src/decide/fields/policy.ts";
import type { Policy } from "../../src/decide/policy.ts";
import type { Receipt, Signal } from "../../src/model.ts";
import { emptyLead, foldSignal } from "../../src/resolve/lead.ts";
import type { ActionRecord, Root, Target } from "../../src/resolve/node.ts";
import { nextDueAt } from "../../src/resolve/obligations.ts";
import {
  fieldsUndone,
  joinRecords,
  pendingRecords,
  recordEnded,
  recordsOf,
  writtenFields,
} from "../../src/resolve/shown.ts";
import { signal } from "../signals.ts";
import { recordOf, rootOf } from "../states.ts";

const policy = defaultPolicy(["sam@example.com"]);
const hubspot: Target = { crm: "hubspot", account: "acme/hubspot/1" };
const salesforce: Target = { crm: "salesforce", account: "acme/salesforce/1" };
const day = 86_400_000;
const now = 20_000 * day;

const demo = signal({ id: "1", occurred_at: now - 1_000, received_at: now - 900 });

function receiptOf(person_id: string, part: Partial<Receipt> = {}): Receipt {
  return { crm: "hubspot", task_id: "700", person_id, at: now - 500, ...part };
}

function done(target: Target, receipt: Receipt): ActionRecord {
  return {
    ...target,
    key: `fu_1-${target.crm}`,
    state: "done",
    retry_at: 0,
    attempts: 1,
    revision: 0,
    receipt,
    recorded: true,
  };
}

const asked = recordOf({
  created_at: now - 800,
  reasons: [{ code: "route:asked", text: "asked for a demo (route “asked for us”)" }],
  actions: [done(hubspot, receiptOf("501"))],
});

function person(signals: readonly Signal[] = [demo], part: Partial<Root> = {}): Root {
  return rootOf("acme/ada", { lead: signals.reduce(foldSignal, emptyLead), follow_ups: [asked], ...part });
}

function fields(change: Record<string, Partial<FieldOwnership> | undefined>): Policy {
  const next = Object.entries({ ...policy.fields }).flatMap(([name, field]) => {
    const part = Object.hasOwn(change, name) ? change[name] : {};
    return part === undefined ? [] : [[name, { ...field, ...part }]];
  });
  return { ...policy, fields: Object.fromEntries(next) };
}

const owed = (root: Root, of: Policy = policy, targets: readonly Target[] = [hubspot], at = now) =>
  withRecordsOwed(root, of, targets, at);

/** The first write came through, but for `left`. */
function shown(root: Root = person(), left: readonly "follow_up_reason"[] = []): Root {
  const next = owed(root);
  return recordEnded(next, recordsOf(next)[0]?.key ?? "", { left });
}

describe("a record that a receipt names", () => {
  it("is owed the canonical attributes of its lead, as of the moment of the write", () => {
    const [record] = pendingRecords(owed(person()));
    expect(record).toMatchObject({
      crm: "hubspot",
      account: hubspot.account,
      person: "501",
      state: "pending",
      at: now,
    });
    expect(record?.values).toEqual({
      baton_lead_id: { value: "acme/ada" },
      lead_score: { value: "60" },
      lead_level: { value: "card" },
      lifecycle_state: { value: "sales_ready" },
      lead_source: { value: "forms" },
      last_event_timestamp: { value: String(now - 1_000) },
      idempotency_key: { value: "forms:1" },
      follow_up_reason: { value: "asked for a demo" },
    });
  });

  it("is behind an alarm until it is written", () => {
    expect(nextDueAt(owed(person()), now)).toBe(now + 5_000);
    expect(nextDueAt(shown(), now)).toBeGreaterThan(now + day);
  });

  it("is the one that CRM has now, where the first one was merged into it", () => {
    const merged = signal({
      id: "m",
      kind: "crm_records_merged",
      identifiers: [
        { type: "hubspot_contact_id", value: "777" },
        { type: "hubspot_contact_id", value: "501" },
      ],
      properties: { survivor: "777" },
    });
    expect(pendingRecords(owed(person([demo, merged])))[0]?.person).toBe("777");
  });
});

describe("nothing is owed", () => {
  it("where no record is known", () => {
    expect(recordsOf(owed(person([demo], { follow_ups: [] })))).toEqual([]);
  });

  it("where a signal names a contact and two HubSpot accounts could be meant", () => {
    const webhook = signal({ id: "2", identifiers: [{ type: "hubspot_contact_id", value: "501" }] });
    const bare = person([webhook], { follow_ups: [] });
    expect(recordsOf(owed(bare, policy, [hubspot, { ...hubspot, account: "acme/hubspot/2" }]))).toEqual([]);
    expect(pendingRecords(owed(bare))[0]?.person).toBe("501");
  });

  it("of a lead that is being erased", () => {
    const erase = { id: "er", at: now, by: "sam@example.com", owed: [] };
    expect(recordsOf(owed(person([demo], { erase })))).toEqual([]);
    expect(pendingRecords({ ...owed(person()), erase })).toEqual([]);
  });

  it("where the policy carries no field of the engine's to that CRM", () => {
    const none = Object.fromEntries(Object.keys(policy.fields).map((name) => [name, { write_to: [] }]));
    expect(recordsOf(owed(person(), fields(none)))).toEqual([]);
  });
});

describe("what the policy says of a field", () => {
  const sentFor = (of: Policy) => Object.keys(pendingRecords(owed(person(), of))[0]?.values ?? {});

  it("that people own: it is never written", () => {
    expect(sentFor(fields({ lead_score: { owner: "human", write_to: [] } }))).not.toContain("lead_score");
  });

  it("that only other tools may write, or that it does not name: the same", () => {
    expect(
      sentFor(fields({ lead_source: { owner: "shared", rule: "newest_wins", writers: ["forms"] } })),
    ).not.toContain("lead_source");
    expect(sentFor(fields({ lead_level: undefined }))).not.toContain("lead_level");
  });

  it("that is shared: what stands there without our doing is a person's", () => {
    const shared = fields({ follow_up_reason: { owner: "shared", rule: "newest_wins", writers: ["*"] } });
    expect(pendingRecords(owed(person(), shared))[0]?.values.follow_up_reason).toEqual({
      value: "asked for a demo",
      ours: [""],
    });
  });

  it("of which CRMs may have it: it goes to those alone", () => {
    const contact = receiptOf("003000000000001AAA", { crm: "salesforce" });
    const both = person([demo], { follow_ups: [{ ...asked, actions: [...asked.actions, done(salesforce, contact)] }] });
    const next = owed(both, fields({ lead_score: { write_to: ["salesforce"] } }), [hubspot, salesforce]);
    const scores = Object.fromEntries(recordsOf(next).map(({ crm, values }) => [crm, values.lead_score?.value]));
    expect(scores).toEqual({ hubspot: undefined, salesforce: "60" });
  });
});

describe("a field of the CRM's own that the policy shares with Baton", () => {
  const said = (id: string, website: string, part: Partial<Signal> = {}) =>
    signal({ id, kind: "identified", occurred_at: now - 500, traits: { website }, ...part });
  const inCrm = { identifiers: [{ type: "hubspot_contact_id", value: "501" }] };
  const contact = receiptOf("003000000000001AAA", { crm: "salesforce" });
  const both = (...signals: Signal[]) =>
    person([demo, ...signals], { follow_ups: [{ ...asked, actions: [...asked.actions, done(salesforce, contact)] }] });
  const websites = (root: Root, of: Policy = policy) =>
    Object.fromEntries(
      recordsOf(owed(root, of, [hubspot, salesforce])).map(({ crm, values }) => [crm, values.website]),
    );

  it("is filled in where it is empty: what stands there already is somebody else's", () => {
    const value = { value: "example.com", ours: [""] };
    expect(websites(both(said("2", "example.com")))).toEqual({ hubspot: value, salesforce: value });
  });

  it("is carried to the other CRM where somebody typed it in one", () => {
    expect(websites(both(said("2", "eve.example.com", inCrm)))).toEqual({
      hubspot: undefined,
      salesforce: { value: "eve.example.com", ours: [""] },
    });
  });

  it("has the newest value, and what we wrote before may be replaced by it", () => {
    const first = owed(person([demo, said("2", "example.com")]));
    const stands = recordEnded(first, recordsOf(first)[0]?.key ?? "", { left: [] });
    const lead = foldSignal(stands.lead, said("3", "www.example.com", { occurred_at: now - 100 }));
    const [record] = pendingRecords(owed({ ...stands, lead }, policy, [hubspot], now + 1));
    expect(record?.values.website).toEqual({ value: "www.example.com", ours: ["example.com", ""] });
  });

  it("is worth no write where the same value is told again, nor where it tells its own CRM nothing new", () => {
    const first = owed(person([demo, said("2", "example.com")]));
    const stands = recordEnded(first, recordsOf(first)[0]?.key ?? "", { left: [] });
    const again = foldSignal(stands.lead, said("3", "example.com", { occurred_at: now - 100 }));
    expect(pendingRecords(owed({ ...stands, lead: again }, policy, [hubspot], now + 1))).toEqual([]);
    const typed = owed(person([demo, said("2", "eve.example.com", inCrm)]));
    expect(recordsOf(typed)[0]?.values).not.toHaveProperty("website");
  });

  it("is not carried of somebody who has said no", () => {
    const first = shown(both());
    const no = said("2", "example.com", { consent: { follow_up: false } });
    const [record] = pendingRecords(owed({ ...first, lead: foldSignal(first.lead, no) }, policy, [hubspot], now + 1));
    expect(record?.values).toMatchObject({ follow_up_reason: { value: "" } });
    expect(record?.values).not.toHaveProperty("website");
  });

  it.each([
    ["people own it", { owner: "human", write_to: [] }],
    ["the engine is none of its writers", { writers: ["forms"] }],
    ["it is carried nowhere", { write_to: [] }],
  ] as const)("is not written where %s", (_why, part) => {
    const of = fields({ website: { ...part, ...("writers" in part ? { writers: [...part.writers] } : {}) } as never });
    expect(websites(both(said("2", "example.com")), of)).toEqual({ hubspot: undefined, salesforce: undefined });
  });
});

describe("a shared field of which tools say different things", () => {
  const told = (id: string, emitter: string, website: string, occurred_at: number, part: Partial<Signal> = {}) =>
    signal({ id, emitter, kind: "identified", occurred_at, traits: { website }, ...part });
  const inCrm = { identifiers: [{ type: "hubspot_contact_id", value: "501" }] };
  const shownOf = (of: Policy, ...signals: Signal[]) =>
    pendingRecords(owed(person([demo, ...signals]), of))[0]?.values.website?.value;
  const first = told("2", "forms", "one.example.com", now - 500);
  const second = told("3", "billing", "two.example.com", now - 400);

  it("shows what was there first until somebody has been asked, and then their answer", () => {
    const asks = fields({ website: { rule: "ask" } });
    expect(shownOf(asks, first, second)).toBe("one.example.com");
    const answer = told("4", "baton/answer", "three.example.com", now - 300);
    expect(shownOf(asks, first, second, answer)).toBe("three.example.com");
  });

  it("shows the highest of what each says now, where the highest wins, until a person has typed one", () => {
    const order = ["two.example.com", "one.example.com"];
    const highest = fields({ website: { rule: "highest_wins", order } });
    expect(shownOf(highest, first, second)).toBe("one.example.com");
    expect(shownOf(highest, first, told("5", "forms", "two.example.com", now - 350))).toBe("two.example.com");
    // It stands in HubSpot, who said it.
    expect(shownOf(highest, first, told("6", "crm", "two.example.com", now - 300, inCrm))).toBeUndefined();
  });

  it("is worth a look at once where somebody is asked, or another word than the newest may hold", () => {
    const before = foldSignal(emptyLead, first);
    const same = foldSignal(before, told("3", "billing", "one.example.com", now - 400));
    const isNews = (rule: FieldOwnership["rule"]) => bringsNews(fields({ website: { rule } }), before, same);
    expect([isNews("newest_wins"), isNews("highest_wins"), isNews("ask")]).toEqual([false, true, true]);
    expect(bringsNews(fields({ website: { rule: "ask" } }), before, before)).toBe(false);
  });
});

describe("once it is shown", () => {
  it("points alone are worth no write, however many", () => {
    const viewed = signal({ id: "3", kind: "pricing_viewed", occurred_at: now });
    const next = owed({ ...shown(), lead: foldSignal(shown().lead, viewed) });
    expect(pendingRecords(next)).toEqual([]);
  });

  it.each([
    [
      "the lifecycle state",
      signal({ id: "4", kind: "subscription_started", occurred_at: now }),
      "lifecycle_state",
      "customer",
    ],
    [
      "a no, after which no reason stands there",
      signal({ id: "5", kind: "identified", occurred_at: now, consent: { follow_up: false } }),
      "follow_up_reason",
      "",
    ],
  ] as const)("%s is", (_what, news, field, value) => {
    const next = owed({ ...shown(), lead: foldSignal(shown().lead, news) }, policy, [hubspot], now + 1);
    expect(pendingRecords(next)[0]?.values[field]?.value).toBe(value);
  });

  it("a follow-up that opens is, and its closing is not", () => {
    const closed = { ...shown(), follow_ups: [{ ...asked, state: "done" as const }] };
    expect(pendingRecords(owed(closed))).toEqual([]);
    const newer = recordOf({ ...asked, id: "fu_2", created_at: now, reasons: [{ code: "r", text: "came back" }] });
    const [record] = pendingRecords(owed({ ...shown(), follow_ups: [asked, newer] }));
    expect(record?.values.follow_up_reason).toEqual({ value: "came back", ours: ["asked for a demo"] });
  });

  it("a number that moved by less than the deadband stays as it was written", () => {
    const customer = signal({ id: "4", kind: "subscription_started", occurred_at: now });
    const { lead } = shown();
    const small = owed({ ...shown(), lead: foldSignal(lead, customer) }, fields({ lead_score: { deadband: 50 } }));
    expect(pendingRecords(small)[0]?.values.lead_score?.value).toBe("60");
    const large = owed({ ...shown(), lead: foldSignal(lead, customer) });
    expect(pendingRecords(large)[0]?.values.lead_score?.value).toBe("70");
  });

  it("what a person typed over ours is left now, and the next thing that we have to say is newer", () => {
    const left = shown(person(), ["follow_up_reason"]);
    expect(recordsOf(left)[0]).toMatchObject({ state: "done", left: ["follow_up_reason"] });
    expect(recordsOf(left)[0]?.stands).not.toHaveProperty("follow_up_reason");
    expect(pendingRecords(owed(left))).toEqual([]);
    const newer = recordOf({ ...asked, id: "fu_2", created_at: now, reasons: [{ code: "r", text: "came back" }] });
    const [record] = pendingRecords(owed({ ...left, follow_ups: [asked, newer] }));
    expect(record?.values.follow_up_reason).toEqual({ value: "came back" });
  });

  it("nothing new is begun for somebody who had said no before anything was shown", () => {
    const no = signal({ id: "5", kind: "identified", occurred_at: now, consent: { follow_up: false } });
    expect(recordsOf(owed(person([demo, no])))).toEqual([]);
  });
});

describe("the end of a write", () => {
  const pending = owed(person());
  const key = recordsOf(pending)[0]?.key ?? "";

  it("that was refused is told once, and not tried again until there is something new", () => {
    const refused = recordEnded(pending, key, { problem: "package_missing" });
    expect(recordsOf(refused)[0]).toMatchObject({ state: "refused", problem: "package_missing" });
    expect(pendingRecords(owed(refused, policy, [hubspot], now + day))).toEqual([]);
  });

  it("that comes for an older write changes nothing", () => {
    expect(recordEnded(pending, "fr_older", { left: [] })).toBe(pending);
    const once = recordEnded(pending, key, { left: [] });
    expect(recordEnded(once, key, { problem: "late" })).toBe(once);
  });

  it("whose answer was lost counts as ours in the next one, beside what stood there before", () => {
    const lost = {
      ...shown(),
      follow_ups: [
        asked,
        recordOf({ ...asked, id: "fu_2", created_at: now, reasons: [{ code: "r", text: "came back" }] }),
      ],
    };
    const second = owed(lost);
    const third = owed({
      ...second,
      follow_ups: [
        ...lost.follow_ups,
        recordOf({ ...asked, id: "fu_3", created_at: now + 1, reasons: [{ code: "r", text: "pays" }] }),
      ],
    });
    expect(pendingRecords(third)).toHaveLength(1);
    expect(pendingRecords(third)[0]?.values.follow_up_reason).toEqual({
      value: "pays",
      ours: ["asked for a demo", "came back"],
    });
  });

  it("has its own key for every write, and the same one for the same write", () => {
    expect(recordsOf(owed(person()))[0]?.key).toBe(key);
    expect(recordsOf(owed(person(), policy, [hubspot], now + 1))[0]?.key).not.toBe(key);
  });
});

it("Two people who turn out to be one have one entry for each account: that of the later write", () => {
  const early = owed(person(), policy, [hubspot], now);
  const late = owed(person(), policy, [hubspot], now + 5);
  expect(joinRecords(early, late).records).toEqual(recordsOf(late));
  expect(joinRecords(late, early).records).toEqual(recordsOf(late));
  expect(joinRecords(person(), person())).toEqual({});
});

describe("undoing what a version of the policy wrote into a field of the CRM's own", () => {
  const tells = (id: string, website: string, at = now - 500) =>
    signal({ id, kind: "identified", occurred_at: at, traits: { website } });
  const version = (number: number, of: Policy = policy): Policy => ({ ...of, version: number });
  const shares = (number: number) => version(number);
  const keeps = (number: number) => version(number, fields({ website: { write_to: [] } }));
  /** Shown in the CRM under that policy, but for the fields that are left. */
  const written = (root: Root, of: Policy, at = now, left: "website"[] = []): Root => {
    const next = owed(root, of, [hubspot], at);
    return recordEnded(next, pendingRecords(next)[0]?.key ?? "", { left });
  };
  const website = (root: Root, of: Policy, at: number) =>
    pendingRecords(owed(root, of, [hubspot], at))[0]?.values.website;
  const stands = (root: Root) => recordsOf(root)[0]?.stands?.website;
  const versions = (root: Root) => writtenFields(root).map((item) => [item.field, item.version]);
  const filled = written(person([demo, tells("2", "example.com")]), shares(2));

  it("empties what it had filled in, where that stands there still, once the policy writes there no more", () => {
    expect(versions(filled)).toEqual([["website", 2]]);
    const undone = fieldsUndone(filled, 2);
    expect(undone.version).toBe(filled.version + 1);
    expect(website(undone, keeps(3), now + 1)).toEqual({ value: "", ours: ["example.com"] });
    const back = written(undone, keeps(3), now + 1);
    expect([stands(back), versions(back)]).toEqual(["", []]);
    expect(pendingRecords(owed(back, keeps(3), [hubspot], now + 2))).toEqual([]);
    expect(fieldsUndone(back, 2)).toBe(back);
  });

  it("brings back what an earlier version had written, and that can be undone then", () => {
    const lead = foldSignal(filled.lead, tells("3", "www.example.com", now - 100));
    const newer = written({ ...filled, lead }, shares(3), now + 1);
    expect([stands(newer), versions(newer)]).toEqual(["www.example.com", [["website", 3]]]);
    expect(fieldsUndone(newer, 2)).toBe(newer);
    const back = written(fieldsUndone(newer, 3), keeps(4), now + 2);
    expect([stands(back), versions(back)]).toEqual(["example.com", [["website", 2]]]);
    expect(stands(written(fieldsUndone(back, 2), keeps(4), now + 3))).toBe("");
  });

  it("counts one version's first write alone, however often it wrote", () => {
    const lead = foldSignal(filled.lead, tells("3", "www.example.com", now - 100));
    const again = written({ ...filled, lead }, shares(2), now + 1);
    expect(stands(again)).toBe("www.example.com");
    expect(website(fieldsUndone(again, 2), keeps(3), now + 2)).toEqual({ value: "", ours: ["www.example.com"] });
  });

  it("leaves what a person has typed there since, and asks for it no more", () => {
    const back = written(fieldsUndone(filled, 2), keeps(3), now + 1, ["website"]);
    expect([stands(back), versions(back)]).toEqual([undefined, []]);
    expect(pendingRecords(owed(back, keeps(3), [hubspot], now + 2))).toEqual([]);
    const theirs = written(person([demo, tells("2", "example.com")]), shares(2), now, ["website"]);
    expect(fieldsUndone(theirs, 2)).toBe(theirs);
  });

  it("waits while the policy in force writes there itself", () => {
    const undone = fieldsUndone(filled, 2);
    expect(pendingRecords(owed(undone, shares(2), [hubspot], now + 1))).toEqual([]);
    expect(website(undone, keeps(3), now + 2)).toEqual({ value: "", ours: ["example.com"] });
  });

  it("is over where another version has written there since", () => {
    const undone = fieldsUndone(filled, 2);
    const lead = foldSignal(undone.lead, tells("3", "www.example.com", now - 100));
    const newer = written({ ...undone, lead }, shares(3), now + 1);
    expect([stands(newer), versions(newer)]).toEqual(["www.example.com", [["website", 3]]]);
    expect(website(newer, keeps(4), now + 2)).toBeUndefined();
  });

  it("may come while the write is on its way: what that may have written is taken back as well", () => {
    const onItsWay = owed(person([demo, tells("2", "example.com")]), shares(2));
    expect(website(fieldsUndone(onItsWay, 2), keeps(3), now + 1)).toEqual({ value: "", ours: ["example.com"] });
  });

  it("shows no reason of a follow-up that was taken back", () => {
    const item = { ...asked, state: "cancelled" as const, undo: { because: "undone" } };
    const back = owed({ ...filled, follow_ups: [item] }, shares(2), [hubspot], now + 1);
    expect(pendingRecords(back)[0]?.values.follow_up_reason?.value).toBe("");
  });
});
