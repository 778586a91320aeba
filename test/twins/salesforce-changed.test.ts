/** `changed` of the Salesforce connector against the twin: how tasks of ours stand, whether they are named or asked for by time. */
import { beforeEach, describe, expect, it } from "vitest";
import type { Command, CrmSession, CrmTask, TaskSeen } from "../../connectors/contract.ts";
import { salesforce } from "../../connectors/salesforce/crm.ts";
import { sessionNow, twin } from "./salesforce-fixture.ts";

let session: CrmSession;
let sent: string[] = [];

beforeEach(() => {
  sent = [];
  const send = (request: Request) => {
    sent.push(new URL(request.url).pathname);
    return fetch(request);
  };
  session = sessionNow({ send });
});
const [ana, ben] = ["005000000000002AAA", "005000000000003AAA"] as const;
const due = Date.UTC(2026, 10, 24, 9, 30, 0, 250);
const task: CrmTask = {
  subject: "Call  Eve ",
  body: "Why\nnow",
  dueAt: due,
  priority: "medium",
  type: "call",
  ownerId: ana,
};

let people = 0;
async function made(count = 1, of: CrmTask = task): Promise<string[]> {
  const commands = Array.from({ length: count }, (): Command => {
    people++;
    const person = { lead: `lead_${people}`, email: `p${people}@example.com`, lastName: "P", company: "E" };
    return { type: "create_task", key: `fu:${people}`, person, task: of };
  });
  const outcomes = await salesforce.execute(session, commands);
  return outcomes.map((outcome) => {
    if (outcome.arm !== "done") throw new Error(JSON.stringify(outcome));
    return outcome.taskId;
  });
}

async function seen(tasks: readonly string[], since: number | null = null): Promise<readonly (TaskSeen | null)[]> {
  const answer = await salesforce.changed(session, { tasks, since });
  if (!answer.ok) throw new Error(JSON.stringify(answer.failure));
  return answer.value;
}

const arms = (states: readonly (TaskSeen | null)[]) => states.map((state) => state?.arm ?? null);

describe("a task that nobody has touched", () => {
  it.each([false, true])(
    "has the shape that was written, whether Salesforce rewrites values (%s) or not",
    async (rewritesValues) => {
      twin.org.setFaults({ rewritesValues });
      const [id = ""] = await made();
      const shape = { subject: "Call Eve", due: "2026-11-24", priority: "Normal", owner: ana };
      expect(await seen([id])).toMatchObject([{ arm: "open", shape }]);
      expect(salesforce.shape(task)).toEqual(shape);
    },
  );

  it("that has no owner of ours says that it is its maker's", async () => {
    const { ownerId: _nobody, ...unowned } = task;
    const [id = ""] = await made(1, unowned);
    expect(await seen([id])).toMatchObject([{ arm: "open", ownerIsMaker: true }]);
    const [owned = ""] = await made();
    expect((await seen([owned]))[0]).not.toHaveProperty("ownerIsMaker");
  });
});

describe("what a person did", () => {
  async function some() {
    const [completed = "", deleted = "", edited = "", left = ""] = await made(4);
    const from = Date.now();
    twin.org.completeTask(completed);
    twin.org.remove(deleted);
    twin.org.edit(edited, { Subject: "Ring Eve", ActivityDate: "2026-12-01", Priority: "Low", OwnerId: ben });
    return { tasks: [completed, deleted, edited, left], from };
  }

  const shape = { subject: "Ring Eve", due: "2026-12-01", priority: "Low", owner: ben };

  it("is told in one request: completed with its time, deleted, edited, given to somebody else", async () => {
    const { tasks, from } = await some();
    sent = [];
    const [first, second, third, fourth] = await seen(tasks);
    expect(sent).toEqual(["/services/data/v68.0/composite"]);
    expect(first?.arm).toBe("completed");
    // Salesforce may keep no parts of a second.
    expect(first?.arm === "completed" && Math.abs(first.at - from) < 2_000).toBe(true);
    expect(second).toEqual({ arm: "deleted" });
    expect(third).toMatchObject({ arm: "open", shape });
    expect(fourth?.arm).toBe("open");
  });

  it("a moved day keeps the time of day", () => {
    expect(salesforce.dueAt("2026-12-01", due)).toBe(Date.UTC(2026, 11, 1, 9, 30, 0, 250));
    expect(salesforce.dueAt("", due)).toBeNull();
  });

  it("asked since an instant, what has not changed since is not told, also not as deleted", async () => {
    const [early = ""] = await made();
    await new Promise((resolve) => setTimeout(resolve, 30));
    const since = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { tasks } = await some();
    expect(arms(await seen([early, ...tasks], since))).toEqual([null, "completed", "deleted", "open", "open"]);
  });

  it("more than a thousand are asked for by time, in one request, and only ours are read", async () => {
    const { tasks } = await some();
    twin.org.put("Task", { Subject: "A seller's own" });
    const others = Array.from({ length: 1_200 }, (_, index) => `00T0000000${String(index + 90_000)}AAA`);
    sent = [];
    const states = await seen([...tasks, ...others], Date.now() - 60_000);
    expect(arms(states.slice(0, 4))).toEqual(["completed", "deleted", "open", "open"]);
    expect(states.slice(4).every((state) => state === null)).toBe(true);
    expect(sent).toHaveLength(1);
    expect(await salesforce.changed(session, { tasks: [...tasks, ...others], since: null })).toMatchObject({
      ok: false,
    });
  });

  it("a task that left the recycle bin counts as deleted where everything is read", async () => {
    expect(await seen(["00T000000000999AAA"])).toEqual([{ arm: "deleted" }]);
  });
});

describe("an answer that does not say is never taken for deleted", () => {
  it.each([
    ["html_503", { arm: "deferred" }],
    ["html_200", { arm: "deferred" }],
    ["drop_before", { arm: "deferred" }],
    ["expire", { arm: "expired" }],
    ["request_limit", { arm: "deferred", scope: "account" }],
    ["api_disabled", { arm: "blocked" }],
    ["error_500", { arm: "deferred" }],
  ] as const)("%s is a failure of the whole look", async (kind, expected) => {
    const ids = await made(2);
    twin.org.setFaults({ requests: [{ kind, times: 1 }] });
    expect(await salesforce.changed(session, { tasks: ids, since: null })).toMatchObject({
      ok: false,
      failure: expected,
    });
  });
});
