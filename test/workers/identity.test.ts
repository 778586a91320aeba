/** One person's object in the runtime it lives in: what it keeps through evictions, and when it decides. */
import { abortAllDurableObjects, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { AccountObject } from "../../src/objects/account.ts";
import { IdentityObject } from "../../src/objects/identity.ts";
import { identityStub } from "../../src/objects/names.ts";
import { forgetConfig } from "../../src/workspace.ts";
import {
  anonymous,
  email,
  eventually,
  fresh,
  letPass,
  look,
  nodeOf,
  openWorkspace,
  personOf,
  rest,
  send,
  type TestWorkspace,
  userId,
} from "./fixture.ts";
import { RecordingCrm } from "./recording-crm.ts";

const crm = new RecordingCrm();
let acme: TestWorkspace;

beforeAll(async () => {
  acme = await openWorkspace("acme", { crm });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const stubOf = (name: string) => identityStub(env, name);

describe("a signal", () => {
  it("is on disk when it was answered: a power cut right after it takes nothing away", async () => {
    const ada = [email("ada@example.com")];
    expect(
      await send(acme, { id: "s1", identifiers: ada, kind: "page_viewed", traits: { company: "Analytical" } }),
    ).toBe("applied");
    await abortAllDurableObjects();
    const { root, log } = await personOf(acme, email("ada@example.com"));
    expect(root.lead.fields.company?.value).toBe("Analytical");
    expect(log.map((entry) => entry.signal.idempotency_key)).toEqual(["forms:s1"]);
  });

  it("of a known key is a duplicate, also after an eviction, and changes nothing", async () => {
    const twice = { id: "s2", identifiers: [email("bob@example.com")], kind: "page_viewed" };
    expect(await send(acme, twice)).toBe("applied");
    expect(await send(acme, twice)).toBe("duplicate");
    await evictDurableObject(stubOf(nodeOf(acme, email("bob@example.com"))));
    expect(await send(acme, twice)).toBe("duplicate");
    const { root } = await personOf(acme, email("bob@example.com"));
    expect(root.lead.kinds.page_viewed?.count).toBe(1);
    expect(root.seq).toBe(1);
  });

  it("of a known key with another body is a conflict, and the first one stands", async () => {
    const first = { id: "s3", identifiers: [email("cleo@example.com")], traits: { company: "First" } };
    await send(acme, first);
    expect(await send(acme, { ...first, traits: { company: "Second" } })).toBe("conflict");
    await evictDurableObject(stubOf(nodeOf(acme, email("cleo@example.com"))));
    expect(await send(acme, { ...first, traits: { company: "Second" } })).toBe("conflict");
    expect((await personOf(acme, email("cleo@example.com"))).root.lead.fields.company?.value).toBe("First");
  });

  it("of a known key with other times is a duplicate: vendors correct the clock on each retry", async () => {
    const first = fresh(acme, { id: "s4", identifiers: [email("dan@example.com")], kind: "page_viewed" });
    expect(await send(acme, first)).toBe("applied");
    expect(
      await send(acme, { ...first, occurred_at: first.occurred_at - 700, received_at: first.received_at + 900 }),
    ).toBe("duplicate");
  });

  it("survives an eviction with more of its kind than one snapshot's tail holds", async () => {
    const identifiers = [email("ed@example.com")];
    for (let index = 0; index < 70; index++) await send(acme, { id: `t${index}`, identifiers, kind: "product_used" });
    const before = await personOf(acme, email("ed@example.com"));
    await abortAllDurableObjects();
    const after = await personOf(acme, email("ed@example.com"));
    expect(after.root.lead.kinds.product_used?.count).toBe(70);
    expect(after.root.lead).toEqual(before.root.lead);
    expect(after.root.undecided.map((item) => item.key)).toEqual(before.root.undecided.map((item) => item.key));
  });
});

describe("a decision", () => {
  it("of the hot tier is made in the turn that commits the signal, when every identifier is linked", async () => {
    await send(acme, { id: "d1", identifiers: [email("eve@example.com")], kind: "demo_requested" });
    const { root, log } = await personOf(acme, email("eve@example.com"));
    expect(log[0]?.answer?.decision.outcome).toBe("follow_up");
    expect(root.follow_ups.map((item) => [item.play, item.holder])).toEqual([["speed to lead", "sam@example.com"]]);
    expect(root.undecided).toEqual([]);
  });

  it("of the hot tier waits for links that are still to be made, and is made right after them", async () => {
    const identifiers = [userId("u-fay"), email("fay@example.com")];
    await send(acme, { id: "d2", identifiers, kind: "demo_requested" });
    const { root, log } = await eventually(
      () => personOf(acme, userId("u-fay")),
      (seen) => seen.root.follow_ups.length > 0,
    );
    expect(log[0]?.answer).toBeUndefined();
    expect(root.members).toEqual([nodeOf(acme, email("fay@example.com"))]);
    expect(root.follow_ups.map((item) => item.trigger)).toEqual(["forms:d2"]);
  });

  it("of the hot tier does not wait for ever for an identifier that cannot be reached", async () => {
    vi.spyOn(IdentityObject.prototype, "claim").mockImplementation(() => {
      throw new Error("not reachable");
    });
    await send(acme, { id: "d3", identifiers: [userId("u-gil"), email("gil@example.com")], kind: "demo_requested" });
    await rest(100);
    expect((await personOf(acme, userId("u-gil"))).root.follow_ups).toEqual([]);
    letPass(2_100);
    await runDurableObjectAlarm(stubOf(nodeOf(acme, userId("u-gil"))));
    const { root } = await personOf(acme, userId("u-gil"));
    expect(root.follow_ups.map((item) => item.state)).toEqual(["open"]);
    expect(root.links.map((link) => link.identifier)).toEqual([email("gil@example.com")]);
  });

  it("of the minutes tier is made by the alarm, once for many signals", async () => {
    const identifiers = [email("hal@example.com")];
    for (const id of ["m1", "m2", "m3"]) await send(acme, { id, identifiers, kind: "form_submitted" });
    await send(acme, { id: "m4", identifiers, kind: "trial_started" });
    const name = nodeOf(acme, email("hal@example.com"));
    const before = await personOf(acme, email("hal@example.com"));
    expect(before.root.undecided.map((item) => item.key)).toEqual(["forms:m1", "forms:m2", "forms:m3", "forms:m4"]);

    await runDurableObjectAlarm(stubOf(name));
    expect((await personOf(acme, email("hal@example.com"))).root.follow_ups).toEqual([]);

    letPass(61_000);
    expect(await runDurableObjectAlarm(stubOf(name))).toBe(true);
    const { root } = await personOf(acme, email("hal@example.com"));
    expect(root.undecided).toEqual([]);
    expect(root.follow_ups.map((item) => [item.play, item.trigger])).toEqual([["trial welcome", "forms:m4"]]);
    const tasks = crm.tasks.filter((task) => task.key.startsWith(root.follow_ups[0]?.id ?? "none"));
    expect(tasks).toHaveLength(1);
  });

  it("has an alarm behind it before the answer leaves, at its tier's time", async () => {
    await send(acme, { id: "m5", identifiers: [email("ian@example.com")], kind: "form_submitted" });
    const alarmAt = await runInDurableObject(stubOf(nodeOf(acme, email("ian@example.com"))), (_object, state) =>
      state.storage.getAlarm(),
    );
    expect(alarmAt).not.toBeNull();
    expect(Math.abs((alarmAt ?? 0) - Date.now() - 60_000)).toBeLessThan(5_000);
  });

  it("is not made again by an alarm that fires twice", async () => {
    const name = nodeOf(acme, email("jan@example.com"));
    await send(acme, { id: "a1", identifiers: [email("jan@example.com")], kind: "demo_requested" });
    await eventually(
      () => look(name),
      (seen) => seen !== null && "root" in seen && seen.root.follow_ups[0]?.actions[0]?.state === "done",
    );
    const before = await personOf(acme, email("jan@example.com"));
    const sent = crm.sent.length;
    for (let round = 0; round < 2; round++) {
      await runInDurableObject(stubOf(name), (object) => object.alarm());
      await abortAllDurableObjects();
    }
    const after = await personOf(acme, email("jan@example.com"));
    expect(after.root.follow_ups).toEqual(before.root.follow_ups);
    expect(after.root.lead).toEqual(before.root.lead);
    expect(crm.sent).toHaveLength(sent);
  });
});

describe("somebody of a workspace that is not there any more", () => {
  it("does not keep the object busy for ever: it tries again at an alarm", async () => {
    const gone = await openWorkspace("gone", { crm });
    await send(gone, { id: "x1", identifiers: [email("zoe@example.com")], kind: "trial_started" });
    await rest();
    await env.CONTROL.prepare("DELETE FROM workspaces WHERE id = 'gone'").run();
    forgetConfig(env);
    letPass(61_000);
    const stub = stubOf(nodeOf(gone, email("zoe@example.com")));
    const alarm = runInDurableObject(stub, (object) => object.alarm()).then(() => "came to rest");
    expect(await Promise.race([alarm, rest(1_000)])).toBe("came to rest");
    expect(await runInDurableObject(stub, (_object, state) => state.storage.getAlarm())).not.toBeNull();
    expect((await personOf(gone, email("zoe@example.com"))).root.undecided.map((item) => item.key)).toEqual([
      "forms:x1",
    ]);
  });
});

describe("somebody who cannot be reached", () => {
  it("waits with the demo request, and is followed up as soon as an e-mail address comes", async () => {
    await send(acme, { id: "w1", identifiers: [anonymous("visitor-1")], kind: "demo_requested" });
    const waiting = await personOf(acme, anonymous("visitor-1"));
    expect(waiting.log[0]?.answer?.decision.outcome).toBe("waiting");
    expect(waiting.root.undecided.map((item) => item.waiting)).toEqual([true]);
    expect(waiting.root.follow_ups).toEqual([]);

    await send(acme, {
      id: "w2",
      identifiers: [email("kim@example.com"), anonymous("visitor-1")],
      kind: "identified",
    });
    const { root } = await eventually(
      () => personOf(acme, email("kim@example.com")),
      (seen) => seen.root.follow_ups.length > 0,
    );
    expect(root.follow_ups.map((item) => item.trigger)).toEqual(["forms:w1"]);
    expect(root.undecided).toEqual([]);
  });

  it("is not woken by a further signal that brings no way to reach them", async () => {
    await send(acme, { id: "w3", identifiers: [anonymous("visitor-2")], kind: "demo_requested" });
    await send(acme, { id: "w4", identifiers: [anonymous("visitor-2")], kind: "page_viewed" });
    const { root } = await personOf(acme, anonymous("visitor-2"));
    expect(root.undecided.map((item) => [item.key, item.waiting])).toEqual([
      ["forms:w3", true],
      ["forms:w4", true],
    ]);
    expect(root.follow_ups).toEqual([]);
  });
});

describe("somebody who asked not to be contacted", () => {
  it("is held: the decision says why, and nothing leaves", async () => {
    const sent = crm.sent.length;
    await send(acme, {
      id: "h1",
      identifiers: [email("lea@example.com")],
      kind: "demo_requested",
      consent: { follow_up: false },
    });
    await rest();
    const { root, log } = await personOf(acme, email("lea@example.com"));
    expect(log[0]?.answer?.decision).toMatchObject({ outcome: "held", reasons: [{ code: "hold:consent" }, {}] });
    expect(root.follow_ups).toEqual([]);
    expect(crm.sent).toHaveLength(sent);
  });

  it("is not confirmed when the account asks again before it sends (G11), and the follow-up ends", async () => {
    const dry = await openWorkspace("dry");
    const target = { crm: "hubspot" as const, account: "dry/hubspot/none" };
    const withTarget: TestWorkspace = { ...dry, facts: { ...dry.facts, targets: [target] } };
    const name = nodeOf(dry, email("max@example.com"));
    await send(withTarget, { id: "h2", identifiers: [email("max@example.com")], kind: "demo_requested" });
    const key = (await personOf(dry, email("max@example.com"))).root.follow_ups[0]?.actions[0]?.key ?? "";
    expect(await stubOf(name).confirm({ key })).toMatchObject({ arm: "go", person: { email: "max@example.com" } });

    await send(withTarget, {
      id: "h3",
      identifiers: [email("max@example.com")],
      kind: "identified",
      consent: { follow_up: false },
    });
    expect(await stubOf(name).confirm({ key })).toEqual({ arm: "stop" });
    const { root } = await personOf(dry, email("max@example.com"));
    expect(root.follow_ups.map((item) => [item.state, item.closed_because])).toEqual([
      ["cancelled", "This person asked not to be contacted."],
    ]);
  });

  it("is still withdrawn when the CRM refuses it meanwhile: an earlier attempt may have made a task", async () => {
    const no = await openWorkspace("no");
    const target = { crm: "hubspot" as const, account: "no/hubspot/none" };
    const withTarget: TestWorkspace = { ...no, facts: { ...no.facts, targets: [target] } };
    const noa = [email("noa@example.com")];
    const isInFlight = vi.spyOn(AccountObject.prototype, "cancel").mockResolvedValue({ arm: "in_flight" });
    await send(withTarget, { id: "w1", identifiers: noa, kind: "demo_requested" });
    await send(withTarget, { id: "w2", identifiers: noa, kind: "identified", consent: { follow_up: false } });
    const action = async () => (await personOf(no, email("noa@example.com"))).root.follow_ups[0]?.actions[0];
    const { key = "" } = (await action()) ?? {};
    const stub = stubOf(nodeOf(no, email("noa@example.com")));
    expect(await stub.settle({ key, outcome: { problem: "bad_email" } })).toEqual({ moved: null });
    expect(await action()).toMatchObject({ state: "pending" });

    isInFlight.mockRestore();
    letPass(10_000);
    await runInDurableObject(stub, (object) => object.alarm());
    expect(await action()).toMatchObject({ state: "cancelled" });
  });

  it("does not stop what is not known here yet: it may be on its way with a merge, and stopping is for good", async () => {
    const name = nodeOf(acme, email("ada@example.com"));
    await runInDurableObject(stubOf(name), async (object) => {
      await expect(object.confirm({ key: "unknown-key" })).rejects.toThrow("not known here yet");
    });
  });

  it("is not sent what was decided before and still lies with the person's own object", async () => {
    const late = await openWorkspace("late");
    const target = { crm: "hubspot" as const, account: "late/hubspot/portal" };
    const withTarget: TestWorkspace = { ...late, facts: { ...late.facts, targets: [target] } };
    // The account is not connected yet, so the action stays with its person.
    await send(withTarget, { id: "h4", identifiers: [email("nia@example.com")], kind: "demo_requested" });
    await send(withTarget, {
      id: "h5",
      identifiers: [email("nia@example.com")],
      kind: "identified",
      consent: { follow_up: false },
    });
    const sent = crm.sent.length;
    letPass(130_000);
    const name = nodeOf(late, email("nia@example.com"));
    await runInDurableObject(stubOf(name), (object) => object.alarm());
    const { root } = await personOf(late, email("nia@example.com"));
    expect(root.follow_ups.map((item) => [item.state, item.actions.map((action) => action.state)])).toEqual([
      ["cancelled", ["cancelled"]],
    ]);
    expect(crm.sent).toHaveLength(sent);
  });
});
