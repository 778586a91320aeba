/** What a follow-up becomes after its task was made: better informed, done by somebody in the CRM, or withdrawn for a person's no. */
import { abortAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Command } from "../../connectors/contract.ts";
import type { Policy } from "../../src/decide/policy.ts";
import type { Identifier } from "../../src/model.ts";
import { TeamObject } from "../../src/objects/team.ts";
import type { FollowUpRecord } from "../../src/resolve/node.ts";
import { workspaceById } from "../../src/workspace.ts";
import {
  answer,
  connect,
  email,
  eventually,
  exceptionOf,
  openWorkspace,
  personOf,
  rest,
  send,
  type TestWorkspace,
} from "./fixture.ts";
import { RecordingCrm } from "./recording-crm.ts";

const hubspot = new RecordingCrm();
const salesforce = new RecordingCrm();
let acme: TestWorkspace;
/** With a CRM more. */
let both: TestWorkspace;
/** One follow-up per play, and those who live in Germany are asked first. */
let apart: TestWorkspace;

const minute = 60_000;

/** Trials are decided at once, and written to. */
function atOnce(policy: Policy): Policy {
  const { trial_started, ...kinds } = policy.kinds;
  const welcome = policy.plays["trial welcome"];
  if (trial_started === undefined || welcome === undefined) throw new Error("the default policy has changed");
  return {
    ...policy,
    kinds: { ...kinds, trial_started: { ...trial_started, tier: "seconds" } },
    plays: { ...policy.plays, "trial welcome": { ...welcome, type: "email" } },
  };
}

beforeAll(async () => {
  acme = await openWorkspace("acme", { crm: hubspot, policy: atOnce });
  const opened = await openWorkspace("both", { crm: hubspot, policy: atOnce });
  await connect("both", salesforce, "salesforce");
  const found = await workspaceById(env, "both", Date.now(), () => undefined);
  if (found === null) throw new Error("no workspace");
  both = { ...opened, ...found };
  const german = { name: "Germany", countries: ["DE"], rule: "opt_in" as const, asking_counts_days: 0 };
  apart = await openWorkspace("apart", {
    crm: hubspot,
    policy: (policy) => ({
      ...atOnce(policy),
      one_open_per: "play",
      holds: { ...policy.holds, consent: { ...policy.holds.consent, regions: [german] } },
    }),
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** What this person does now; `at` is when it happened and was received. */
async function does(of: TestWorkspace, who: Identifier, kind: string, part: Parameters<typeof send>[1] | object = {}) {
  const at = Date.now();
  const id = `${kind} ${who.value} ${at} ${Math.random()}`;
  await send(of, { id, kind, identifiers: [who], occurred_at: at, received_at: at, ...part });
  return at;
}

const seen = async (of: TestWorkspace, who: Identifier, holds: (items: readonly FollowUpRecord[]) => boolean) =>
  (
    await eventually(
      () => personOf(of, who),
      ({ root }) => holds(root.follow_ups),
    )
  ).root.follow_ups;

/** Somebody whose trial is followed up, the task standing in each CRM. */
async function trialOf(of: TestWorkspace, who: Identifier): Promise<FollowUpRecord> {
  await does(of, who, "trial_started");
  const [item] = await seen(of, who, (items) => items[0]?.actions.every(({ state }) => state === "done") === true);
  if (item === undefined) throw new Error("none");
  return item;
}

const sentFor = <T extends Command["type"]>(crm: RecordingCrm, id: string, type: T) =>
  crm.sent.filter(
    (command): command is Extract<Command, { type: T }> => command.type === type && command.key.startsWith(id),
  );
const updatesOf = (id: string, count: number, crm = hubspot) =>
  eventually(
    () => sentFor(crm, id, "update_task"),
    (all) => all.length === count,
  );
function taskOf(id: string, crm = hubspot) {
  const [task, ...others] = crm.tasks.filter(({ key }) => key.startsWith(id));
  if (task === undefined || others.length > 0) throw new Error("not one task");
  return task;
}

describe("a task that stands", () => {
  it("becomes more urgent, earlier and better informed with a weightier signal, in one update; repetition changes nothing", async () => {
    const ada = email("ada@example.com");
    const began = Date.now();
    const { id, due_at } = await trialOf(acme, ada);
    expect(Math.floor((due_at - began) / minute)).toBe(240);
    expect(sentFor(hubspot, id, "create_task")).toMatchObject([
      {
        task: {
          priority: "medium",
          dueAt: due_at,
          subject: "Welcome ada@example.com: started a trial",
        },
      },
    ]);
    const at = await does(acme, ada, "demo_requested");
    const [update] = await updatesOf(id, 1);
    expect(update?.taskId).toBe(taskOf(id).taskId);
    expect(update?.before).toMatchObject({
      priority: "medium",
      dueAt: due_at,
      ownerId: "owner-sam",
    });
    expect(update?.task).toMatchObject({
      priority: "high",
      dueAt: at + 15 * minute,
      subject: "Welcome ada@example.com: asked for a demo",
      ownerId: "owner-sam",
    });
    await does(acme, ada, "demo_requested");
    await does(acme, ada, "trial_started");
    await rest();
    expect(sentFor(hubspot, id, "update_task")).toHaveLength(1);
    const { root } = await personOf(acme, ada);
    expect(root.follow_ups).toMatchObject([{ id, play: "trial welcome", state: "open", revision: 1 }]);
    expect(hubspot.tasks.filter(({ key }) => key.startsWith(id))).toHaveLength(1);
  });

  it("keeps what a person has changed in the CRM, in every later update too", async () => {
    const bob = email("bob@example.com");
    const { id } = await trialOf(acme, bob);
    taskOf(id).ownerId = "owner-kim";
    await does(acme, bob, "demo_requested");
    await updatesOf(id, 1);
    await seen(acme, bob, ([item]) => item?.actions[0]?.revision === 1);
    await does(acme, bob, "contact_requested");
    const [, second] = await updatesOf(id, 2);
    expect(second?.before).toMatchObject({
      ownerId: "owner-sam",
      subject: "Welcome bob@example.com: asked for a demo",
    });
    expect(taskOf(id)).toMatchObject({
      ownerId: "owner-kim",
      subject: "Welcome bob@example.com: asked to be contacted",
    });
  });

  it("is not taken for changed by a person where our own update got through, and a power cut took its answer", async () => {
    const dee = email("dee@example.com");
    const { id } = await trialOf(acme, dee);
    hubspot.scripts.push("lost_after");
    await does(acme, dee, "demo_requested");
    await eventually(
      () => taskOf(id).subject,
      (subject) => subject === "Welcome dee@example.com: asked for a demo",
    );
    await abortAllDurableObjects();
    await does(acme, dee, "contact_requested");
    await seen(acme, dee, ([item]) => item?.actions[0]?.revision === 2);
    const [lost, again, next] = sentFor(hubspot, id, "update_task");
    expect(again).toEqual(lost);
    expect(next).toMatchObject({
      before: lost?.task,
      task: { subject: "Welcome dee@example.com: asked to be contacted" },
    });
    expect(taskOf(id).subject).toBe("Welcome dee@example.com: asked to be contacted");
    expect((await personOf(acme, dee)).root.follow_ups[0]?.touched).toBeUndefined();
  });

  it("that became more urgent before it was known who holds it stays so", async () => {
    const cat = email("cat@example.com");
    const assign = TeamObject.prototype.assign;
    vi.spyOn(TeamObject.prototype, "assign").mockImplementationOnce(async function (
      this: TeamObject,
      call: Parameters<typeof assign>[0],
    ) {
      await rest(200);
      return assign.call(this, call);
    } as unknown as typeof assign);
    await does(acme, cat, "trial_started");
    const at = await does(acme, cat, "demo_requested");
    const [item] = await seen(acme, cat, ([one]) => one?.actions[0]?.revision === 1);
    expect(item).toMatchObject({ revision: 1, priority: "high", due_at: at + 15 * minute, holder: "sam@example.com" });
    // The CRM is told of it as it was opened, so that whoever asks again after a crash says the same; the rest is an update.
    const id = item?.id ?? "";
    expect(sentFor(hubspot, id, "create_task")).toMatchObject([{ task: { priority: "medium" } }]);
    const update = { task: { priority: "high", dueAt: at + 15 * minute } };
    expect(sentFor(hubspot, id, "update_task")).toMatchObject([update]);
  });

  it("that somebody has completed in one CRM is done, and its task in the other one is closed", async () => {
    const dan = email("dan@example.com");
    const { id } = await trialOf(both, dan);
    taskOf(id).open = false;
    await does(both, dan, "demo_requested");
    const [item] = await seen(both, dan, ([one]) => one?.actions.every(({ state }) => state === "cancelled") === true);
    expect(item).toMatchObject({ state: "done", outcome: "completed", closed_because: "completed in hubspot" });
    expect(taskOf(id, salesforce).open).toBe(false);
    expect(salesforce.notes).toContain("Closed by Baton: completed in hubspot.");
    expect(sentFor(hubspot, id, "close_task")).toEqual([]);
    await does(both, dan, "trial_started");
    await rest(100);
    expect((await personOf(both, dan)).root.follow_ups).toHaveLength(1);
  });

  it("that somebody has deleted in one CRM is cancelled, and its task in the other one is closed", async () => {
    const eva = email("eva@example.com");
    const { id } = await trialOf(both, eva);
    hubspot.tasks.splice(hubspot.tasks.indexOf(taskOf(id)), 1);
    await does(both, eva, "demo_requested");
    const [item] = await seen(both, eva, ([one]) => one?.actions.every(({ state }) => state === "cancelled") === true);
    expect(item).toMatchObject({ state: "cancelled", closed_because: "somebody deleted its task in hubspot" });
    expect(taskOf(id, salesforce).open).toBe(false);
  });
});

describe("a person's no", () => {
  it("closes the task that stands, in every CRM, and nothing leaves for them any more", async () => {
    const ada = email("ada-no@example.com");
    const { id } = await trialOf(both, ada);
    await does(both, ada, "identified", { consent: { follow_up: false } });
    const [item] = await seen(both, ada, ([one]) => one?.actions.every(({ state }) => state === "cancelled") === true);
    expect(item).toMatchObject({ state: "cancelled", closed_because: "This person asked not to be contacted." });
    expect([taskOf(id).open, taskOf(id, salesforce).open]).toEqual([false, false]);
    await does(both, ada, "demo_requested");
    expect((await exceptionOf(both, ada, "held")).code).toBe("hold:consent");
    expect((await personOf(both, ada)).root.follow_ups).toHaveLength(1);
  });

  it("to calls closes the call and leaves the e-mail, also for those that come later", async () => {
    const bob = email("bob-no@example.com");
    await does(apart, bob, "demo_requested");
    await does(apart, bob, "trial_started");
    const items = await seen(
      apart,
      bob,
      (all) => all.length === 2 && all.every(({ actions }) => actions[0]?.state === "done"),
    );
    expect(items.map(({ play }) => play)).toEqual(["speed to lead", "trial welcome"]);
    const [call = "", mail = ""] = items.map(({ id }) => id);
    await does(apart, bob, "identified", { consent: { purposes: { call: false } } });
    await eventually(
      () => taskOf(call).open,
      (open) => !open,
    );
    const after = (await personOf(apart, bob)).root.follow_ups;
    expect(after.map(({ state, closed_because }) => [state, closed_because])).toEqual([
      ["cancelled", "This person asked not to be contacted by call."],
      ["open", undefined],
    ]);
    await rest();
    expect(taskOf(mail).open).toBe(true);
    const cat = email("cat-no@example.com");
    await does(apart, cat, "demo_requested", { consent: { purposes: { call: false } } });
    expect((await exceptionOf(apart, cat, "held")).code).toBe("hold:consent:call");
    await does(apart, cat, "trial_started");
    const [only, ...more] = await seen(apart, cat, ([one]) => one?.actions[0]?.state === "done");
    expect([only?.play, more]).toEqual(["trial welcome", []]);
  });

  it("that they take back lets what was held for it go, and nobody else can", async () => {
    const dan = email("dan-no@example.com");
    await does(apart, dan, "demo_requested", { traits: { country: "DE" } });
    const { id, code } = await exceptionOf(apart, dan, "held");
    expect(code).toBe("hold:no_consent");
    const approval = { choice: "approve", by: "rae@example.com" };
    expect((await answer(apart, id, approval)).status).toBe(409);
    await does(apart, dan, "identified", { consent: { purposes: { email: true } } });
    await rest();
    expect((await personOf(apart, dan)).root).toMatchObject({ follow_ups: [], held: [{ id, state: "open" }] });
    await does(apart, dan, "identified", { consent: { purposes: { call: true } } });
    const [item] = await seen(apart, dan, ([one]) => one?.actions[0]?.state === "done");
    expect(item?.play).toBe("speed to lead");
    expect((await personOf(apart, dan)).root.held).toMatchObject([{ id, state: "closed" }]);
    expect((await answer(apart, id, approval)).status).toBe(409);
  });
});
