/** A play's sequence in the runtime it lives in: after its task, once, whatever breaks, and never against this person's word (G3, G11). */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Policy } from "../../src/decide/policy.ts";
import { accountStub } from "../../src/objects/names.ts";
import type { ActionRecord } from "../../src/resolve/node.ts";
import {
  answer,
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

const ada = email("ada@example.com");

/** Calls put people into a sequence, in their holder's name unless somebody is named. */
const withSequence =
  (sender?: string) =>
  (policy: Policy): Policy => {
    const call = policy.plays["speed to lead"];
    if (call === undefined) throw new Error("the default policy has changed");
    const hubspot = { sequence: "7001", ...(sender === undefined ? {} : { sender }) };
    return { ...policy, plays: { ...policy.plays, "speed to lead": { ...call, sequence: { hubspot } } } };
  };

async function open(id: string, change: (crm: RecordingCrm) => void = () => undefined, sender?: string) {
  const crm = new RecordingCrm();
  change(crm);
  const of = await openWorkspace(id, { crm, policy: withSequence(sender) });
  return { crm, of };
}

async function step(of: TestWorkspace): Promise<ActionRecord | undefined> {
  const { root } = await personOf(of, ada);
  return root.follow_ups[0]?.actions.find((action) => action.step !== undefined);
}

const until = (of: TestWorkspace, state: ActionRecord["state"]) =>
  eventually(
    () => step(of),
    (action) => action?.state === state,
  );

describe("a play with a sequence", () => {
  it("makes its task first, and then puts whoever it is for into the sequence, in the holder's name", async () => {
    const { crm, of } = await open("enrols");
    await send(of, { id: "1" });
    const action = await until(of, "done");
    expect(crm.sent.map(({ type }) => type)).toEqual(["create_task", "enrol"]);
    expect(crm.enrolled).toEqual([
      expect.objectContaining({
        personId: "person-1",
        sequence: "7001",
        sender: "sam@example.com",
        ownerId: "owner-sam",
      }),
    ]);
    expect(action?.receipt).toMatchObject({ crm: "hubspot", person_id: "person-1" });
  });

  it("does so in the name of whoever it says", async () => {
    const { crm, of } = await open("sender", undefined, "kim@example.com");
    await send(of, { id: "1" });
    await until(of, "done");
    expect(crm.enrolled[0]).toMatchObject({ sender: "kim@example.com", ownerId: "owner-kim" });
  });

  it("puts nobody in twice when the answer is lost: it is looked up until it is certain", async () => {
    const { crm, of } = await open("lost");
    crm.scripts = [];
    const hold = crm.execute.bind(crm);
    let lost = 0;
    crm.execute = async (session, commands) => {
      const outcomes = await hold(session, commands);
      if (commands[0]?.type !== "enrol" || lost++ > 0) return outcomes;
      return outcomes.map(() => ({ arm: "unknown", reason: "connection" }));
    };
    await send(of, { id: "1" });
    await until(of, "done");
    expect(crm.enrolled).toHaveLength(1);
    expect(crm.sent.filter(({ type }) => type === "enrol")).toHaveLength(1);
    expect(crm.lookedUp).toHaveLength(1);
  });

  it("tries again after two empty looks, where nothing was done", async () => {
    const { crm, of } = await open("absent");
    const execute = crm.execute.bind(crm);
    let dropped = false;
    crm.execute = async (session, commands) => {
      if (commands[0]?.type !== "enrol" || dropped) return execute(session, commands);
      dropped = true;
      return commands.map(() => ({ arm: "unknown", reason: "connection" }));
    };
    await send(of, { id: "1" });
    await until(of, "done");
    expect(crm.lookedUp).toHaveLength(2);
    expect(crm.enrolled).toHaveLength(1);
  });

  it("is not listened to as if it were a task: who is enrolled has deleted nothing", async () => {
    const { crm, of } = await open("unheard");
    await send(of, { id: "1" });
    await until(of, "done");
    const account = accountStub(env, of.account);
    await eventually(
      () => account.status(),
      ({ waiting }) => waiting === 0,
    );
    expect(crm.looks.flat().filter((id) => id.startsWith("enrolment"))).toEqual([]);
    const { root } = await personOf(of, ada);
    expect(root.follow_ups[0]?.state).toBe("open");
  });
});

describe("nobody is put into a sequence", () => {
  it("who has said no to sequences; the call is made all the same", async () => {
    const { crm, of } = await open("no-sequences");
    await send(of, { id: "1", consent: { purposes: { sequence: false } } });
    await until(of, "cancelled");
    expect(crm.tasks).toHaveLength(1);
    expect(crm.enrolled).toEqual([]);
    const { root } = await personOf(of, ada);
    expect(root.follow_ups[0]?.state).toBe("open");
  });

  it("who says no while it waits: asked again at the moment of sending", async () => {
    const { crm, of } = await open("no-meanwhile");
    const execute = crm.execute.bind(crm);
    let put = 0;
    crm.execute = async (session, commands) => {
      if (commands[0]?.type !== "enrol" || put++ > 0) return execute(session, commands);
      return commands.map(() => ({ arm: "deferred", retryAfterMs: 6_000, scope: "action", reason: "busy" }));
    };
    await send(of, { id: "1" });
    await eventually(
      () => put,
      (times) => times === 1,
    );
    await send(of, { id: "2", kind: "identified", consent: { purposes: { sequence: false } } });
    await eventually(
      () => step(of),
      (action) => action?.state === "cancelled",
      12_000,
    );
    expect(crm.enrolled).toEqual([]);
  }, 20_000);

  it("whose follow-up is over before its task stands", async () => {
    const { crm, of } = await open("over", (one) => {
      one.scripts = [{ arm: "deferred", retryAfterMs: 1_000, scope: "account", reason: "rate" }];
    });
    await send(of, { id: "1" });
    await send(of, { id: "2", kind: "identified", consent: { follow_up: false } });
    await until(of, "cancelled");
    await rest(1_500);
    expect(crm.enrolled).toEqual([]);
  });

  it("whose task the CRM has refused, until that is tried again", async () => {
    const { crm, of } = await open("task-refused", (one) => {
      one.scripts = [{ arm: "refused", reason: "validation" }];
    });
    await send(of, { id: "1" });
    const { id } = await exceptionOf(of, ada, "crm_refused");
    expect((await step(of))?.state).toBe("pending");
    expect(crm.enrolled).toEqual([]);
    await answer(of, id, { choice: "retry", by: "sam@example.com" });
    await until(of, "done");
    expect(crm.enrolled).toHaveLength(1);
  });
});

describe("an enrolment that the CRM refuses", () => {
  async function refused(id: string) {
    const { crm, of } = await open(id);
    const execute = crm.execute.bind(crm);
    let times = 0;
    crm.execute = async (session, commands) => {
      if (commands[0]?.type !== "enrol" || times++ > 0) return execute(session, commands);
      return commands.map(() => ({ arm: "refused", reason: "already_in_a_sequence" }));
    };
    await send(of, { id: "1" });
    return { crm, of, exception: await exceptionOf(of, ada, "crm_refused") };
  }

  it("is a question for a person, that names the step; tried again, it goes", async () => {
    const { crm, of, exception } = await refused("tried-again");
    expect(exception).toMatchObject({ problem: "already_in_a_sequence", step: "sequence", crm: "hubspot" });
    await answer(of, exception.id, { choice: "retry", by: "sam@example.com" });
    await until(of, "done");
    expect(crm.enrolled).toHaveLength(1);
  });

  it("leaves the follow-up and its task as they are when that is dismissed", async () => {
    const { crm, of, exception } = await refused("dismissed");
    await answer(of, exception.id, { choice: "dismiss", by: "sam@example.com", reason: "fine as it is" });
    await rest();
    const { root } = await personOf(of, ada);
    expect(root.follow_ups[0]?.state).toBe("open");
    expect(crm.tasks[0]?.open).toBe(true);
    expect(crm.enrolled).toEqual([]);
  });
});
