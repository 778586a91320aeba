/** What a task is known to say, and which of its fields are news. */
import { describe, expect, it } from "vitest";
import type { Command, Crm, CrmTask, TaskShape } from "../../connectors/contract.ts";
import { crmOf } from "../../connectors/index.ts";
import { type Action, newAction } from "../../src/act/exactly-once.ts";
import { beingTold, digestOf, newsIn, untold, withSeen } from "../../src/act/task-seen.ts";

const task: CrmTask = {
  subject: "Call Ada",
  body: "Why: a demo",
  dueAt: 1_790_000_000_000,
  priority: "high",
  type: "call",
  ownerId: "1",
};
const more: CrmTask = { ...task, subject: "Call Ada (Example Ltd)", priority: "low" };
const hubspot: Crm = crmOf("hubspot");
const shape = (one: CrmTask): TaskShape => hubspot.shape(one);

const make: Command = { type: "create_task", key: "fu_1-aa", person: { lead: "acme/1" }, task };
const update: Command = { type: "update_task", key: "fu_1-aa-u1", taskId: "7", task: more, before: task };
const ended = (command: Command, part: Partial<Action>): Action => ({
  ...newAction({ command, holder: "sam@example.com", node: "acme/1", hot: true }),
  attempts: 1,
  ...part,
});
const nothing = () => undefined;

describe("a field of a task", () => {
  it("is news where it says what nobody has written or told", () => {
    const known = digestOf(shape(task));
    expect(newsIn(shape(task), [known])).toEqual([]);
    expect(newsIn({ ...shape(task), subject: "Ring Ada", owner: "2" }, [known])).toEqual(["subject", "owner"]);
  });

  it("is none where any of what may stand there is what it says", () => {
    const known = [digestOf(shape(task)), digestOf(shape(more))];
    expect(newsIn({ ...shape(task), subject: more.subject }, known)).toEqual([]);
    expect(newsIn({ ...shape(task), due: "1" }, known)).toEqual(["due"]);
  });

  it("is news where nothing is known", () => {
    const all = ["subject", "due", "priority", "owner"];
    expect(newsIn(shape(task), [untold])).toEqual(all);
    expect(newsIn(shape(task), [undefined])).toEqual(all);
  });
});

describe("a field that somebody is being told of", () => {
  const known = digestOf(shape(task));

  it("is news again until they have it, whatever it says then; of the others what is known stays", () => {
    const seen = beingTold(known, ["due"]);
    expect(newsIn(shape(task), [seen])).toEqual(["due"]);
    expect(newsIn({ ...shape(task), subject: "Ring Ada" }, [seen])).toEqual(["subject", "due"]);
    expect(beingTold(seen, ["due"])).toBe(seen);
  });

  it("takes nothing from what an update leaves meanwhile", () => {
    const left = ended(update, { state: "done", update: { kept: ["subject"] } });
    const { seen } = withSeen(hubspot, left, () => beingTold(known, ["due"]));
    expect(newsIn({ ...shape(more), subject: task.subject }, [seen])).toEqual([]);
  });

  it("is every one where nothing was known", () => {
    expect(newsIn(shape(task), [beingTold(undefined, [])])).toEqual(["subject", "due", "priority", "owner"]);
  });
});

describe("what is kept of a task beside its action", () => {
  it("is what it was made, or brought up to date, to say, and names nobody", () => {
    const { seen } = withSeen(hubspot, ended(make, { state: "done" }), nothing);
    expect(newsIn(shape(task), [seen])).toEqual([]);
    expect(seen).toMatch(/^[0-9a-f]{8}(\.[0-9a-f]{8}){3}$/);
    const shown = withSeen(hubspot, ended(update, { state: "done", update: { kept: [] } }), nothing);
    expect(newsIn(shape(more), [shown.seen])).toEqual([]);
  });

  it("is, of a field that an update left, what was known of it before: a person's word is told still, and our own is not", () => {
    const left = ended(update, { state: "done", update: { kept: ["subject", "body"] } });
    const { seen } = withSeen(hubspot, left, () => digestOf({ ...shape(task), subject: "Call ada@example.com" }));
    expect(newsIn({ ...shape(more), subject: "Call ada@example.com" }, [seen])).toEqual([]);
    expect(newsIn({ ...shape(more), subject: "Ring Ada" }, [seen])).toEqual(["subject"]);
    const { seen: never } = withSeen(hubspot, left, nothing);
    expect(newsIn(shape(more), [never])).toEqual(["subject"]);
  });

  it("of an update that was refused is what may stand there, and of a task that was refused nothing", () => {
    expect(withSeen(hubspot, ended(update, { state: "parked" }), nothing).seen).toBe(digestOf(shape(more)));
    expect(withSeen(hubspot, ended(make, { state: "parked" }), nothing).seen).toBeUndefined();
  });

  it("is nothing in an outlet, where nobody is heard, or while it is under way", () => {
    expect(withSeen(null, ended(make, { state: "done" }), nothing).seen).toBeUndefined();
    expect(withSeen(hubspot, ended(make, { state: "intent" }), nothing).seen).toBeUndefined();
  });
});
