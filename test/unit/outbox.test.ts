import { describe, expect, it } from "vitest";
import { closeTask, createTask, updateTask } from "../../src/act/outbox.ts";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import type { Signal } from "../../src/model.ts";
import { emptyLead, foldSignal } from "../../src/resolve/lead.ts";
import { type ActionRecord, type FollowUpRecord, newRoot, type Root } from "../../src/resolve/node.ts";
import { signal } from "../signals.ts";
import { apartFrom } from "../states.ts";

const policy = defaultPolicy(["sam@example.com"]);
const link = "https://baton.example.com/leads/acme%2F1";

const action = (crm: "hubspot" | "salesforce" = "hubspot"): ActionRecord => ({
  key: "fu_1-aaaaaaaa",
  crm,
  account: `acme/${crm}/1`,
  state: "pending",
  retry_at: 0,
  attempts: 0,
  revision: 0,
});

const followUp: FollowUpRecord = {
  id: "fu_1",
  play: "speed to lead",
  state: "open",
  holder: "sam@example.com",
  priority: "high",
  policy_version: 1,
  revision: 0,
  created_at: Date.UTC(2026, 10, 22, 9, 0),
  due_at: Date.UTC(2026, 10, 22, 9, 15),
  tier: "seconds",
  trigger: "forms:1",
  accepted_at: Date.UTC(2026, 10, 22, 9, 0),
  reasons: [
    { code: "route:asked for us", text: "asked for a demo (route “asked for us”)", signal: "forms:1" },
    { code: "intent:demo_requested", text: "asked for a demo", points: 60 },
    { code: "fit:company", text: "the company is known", points: 10 },
    { code: "fit:free_mail", text: "writes from a free mailbox", points: -10 },
  ],
  actions: [],
};

/** An earlier follow-up, whose receipt says who this is in HubSpot. */
const called: FollowUpRecord = {
  ...followUp,
  id: "fu_0",
  state: "done",
  actions: [
    {
      ...action(),
      key: "fu_0-aaaaaaaa",
      state: "done",
      receipt: { crm: "hubspot", task_id: "1", person_id: "51", at: 1 },
    },
  ],
};

function personWith(part: Partial<Signal>, more: Partial<Root> = {}): Root {
  return { ...newRoot("acme/1", "acme"), lead: foldSignal(emptyLead, signal({ id: "1", ...part })), ...more };
}

function taskFor(root: Root, part: Partial<FollowUpRecord> = {}, of = action()) {
  const { command, holder } = createTask(policy, root, { ...followUp, ...part }, of, link);
  if (command.type !== "create_task") throw new Error("not a task");
  return { ...command, holder };
}

const ada = personWith({
  traits: {
    first_name: "Ada",
    last_name: "Lovelace",
    company: "Analytical Engines",
    job_title: "CTO",
    phone: "+442071234567",
  },
  attribution: { utm_source: "newsletter", utm_medium: "email", utm_campaign: "autumn" },
});

describe("an update whose outcome nobody knows", () => {
  const { task } = taskFor(ada);
  const stands = { ...action(), state: "done" as const, written: task };
  const moved = { ...followUp, revision: 4, priority: "high" as const };

  it("is asked about again in its own words, however far the follow-up has gone on since", () => {
    const sent = { revision: 1, task: { ...task, subject: "Call Ada" }, holder: "kim@example.com" };
    const { command, holder } = updateTask(policy, ada, moved, { ...stands, updating: sent }, link, 5);
    expect(command).toMatchObject({ key: "fu_1-aaaaaaaa-u1", before: task, task: { subject: "Call Ada" } });
    expect(holder).toBe("kim@example.com");
  });

  it("is followed by what is new once that is known", () => {
    const { command } = updateTask(policy, ada, moved, stands, link, 5);
    expect(command).toMatchObject({ key: "fu_1-aaaaaaaa-u4", before: task, task: { priority: "high" } });
  });
});

describe("the task that a seller finds", () => {
  it("says who, why now, what they did and until when, and leads to the reasons", () => {
    const { task, key, holder } = taskFor(ada);
    expect(key).toBe("fu_1-aaaaaaaa");
    expect(holder).toBe("sam@example.com");
    expect(task.subject).toBe("Call Ada Lovelace (Analytical Engines): asked for a demo");
    expect(task).toMatchObject({ dueAt: Date.UTC(2026, 10, 22, 9, 15), priority: "high", type: "call" });
    expect(task.body).toBe(
      [
        "Who: Ada Lovelace, CTO, Analytical Engines",
        "Reach: ada@example.com, +442071234567",
        "Why now: asked for a demo (route “asked for us”)",
        "",
        "What they did:",
        "• asked for a demo (+60)",
        "• the company is known (+10)",
        "• writes from a free mailbox (-10)",
        "",
        "Came from: newsletter / email / autumn",
        "",
        "Due: 2026-11-22T09:15:00.000Z",
        "All signals and the reasons: https://baton.example.com/leads/acme%2F1",
      ].join("\n"),
    );
  });

  it("is as short as what is known: an address and the reasons", () => {
    const { task } = taskFor(personWith({}), { reasons: followUp.reasons.slice(0, 1) });
    expect(task.subject).toBe("Call ada@example.com: asked for a demo");
    expect(task.body).toBe(
      [
        "Who: ada@example.com",
        "Reach: ada@example.com",
        "Why now: asked for a demo (route “asked for us”)",
        "",
        "What they did:",
        "",
        "Due: 2026-11-22T09:15:00.000Z",
        "All signals and the reasons: https://baton.example.com/leads/acme%2F1",
      ].join("\n"),
    );
  });

  it("names the company of the account where the person named none", () => {
    const { task, person } = taskFor(personWith({ account: { name: "Example Ltd" }, traits: { first_name: "Ada" } }));
    expect(task.subject).toBe("Call Ada (Example Ltd): asked for a demo");
    expect(person.company).toBe("Example Ltd");
  });

  it("lists eight reasons at most: a list nobody reads hides the first ones", () => {
    const many = Array.from({ length: 20 }, (_, index) => ({ code: "x", text: `reason ${index}` }));
    const { task } = taskFor(ada, { reasons: many });
    expect(task.body.match(/^• /gm)).toHaveLength(8);
    expect(task.body).toContain("• reason 8\n");
    expect(task.body).not.toContain("reason 9");
  });

  it("takes names as they are: no sign in them is a command, and no CRM's escaping is done here", () => {
    const odd = personWith({ traits: { first_name: "$& $1 {what}", last_name: "<b>&amp;</b>", company: "Ca$$h" } });
    const { task } = taskFor(odd);
    expect(task.subject).toBe("Call $& $1 {what} <b>&amp;</b> (Ca$$h): asked for a demo");
    expect(task.body).toContain("Who: $& $1 {what} <b>&amp;</b>, Ca$$h\n");
  });

  it("has a subject of at most 250 characters, cut between characters", () => {
    const long = personWith({ traits: { first_name: `${"x".repeat(244)}😀😀` } });
    const { subject } = taskFor(long).task;
    expect(subject.length).toBeLessThanOrEqual(250);
    expect(subject.isWellFormed()).toBe(true);
  });

  it("of a play that the policy does not know any more is still a task", () => {
    const { task } = taskFor(ada, { play: "of yesterday" });
    expect(task).toMatchObject({
      subject: "Follow up with Ada Lovelace (Analytical Engines)",
      type: "todo",
      priority: "high",
    });
  });
});

describe("the person of a task", () => {
  it("carries what the CRM may need to find or make a record, and nothing that is not known", () => {
    expect(taskFor(ada).person).toEqual({
      lead: "acme/1",
      email: "ada@example.com",
      phone: "+442071234567",
      firstName: "Ada",
      lastName: "Lovelace",
      company: "Analytical Engines",
      jobTitle: "CTO",
    });
    expect(taskFor(personWith({})).person).toEqual({ lead: "acme/1", email: "ada@example.com" });
  });

  it("is known by the id of an earlier receipt of the same CRM", () => {
    const known = personWith({}, { follow_ups: [called] });
    expect(taskFor(known).person.knownId).toBe("51");
    expect(taskFor(known, {}, action("salesforce")).person.knownId).toBeUndefined();
  });

  it("is known by an id that a signal brought along; in Salesforce a contact goes before a lead", () => {
    const identifiers = [
      { type: "hubspot_contact_id", value: "77" },
      { type: "salesforce_lead_id", value: "00Q000000000001AAA" },
      { type: "salesforce_contact_id", value: "003000000000001AAA" },
    ];
    const known = personWith({ identifiers });
    expect(taskFor(known).person.knownId).toBe("77");
    expect(taskFor(known, {}, action("salesforce")).person.knownId).toBe("003000000000001AAA");
    const lead = personWith({ identifiers: identifiers.slice(0, 2) });
    expect(taskFor(lead, {}, action("salesforce")).person.knownId).toBe("00Q000000000001AAA");
  });

  it("is not known by an id that turned out to be somebody else's, as after a split", () => {
    const identifiers = [
      { type: "hubspot_contact_id", value: "77" },
      { type: "user_id", value: "u-1" },
    ];
    const known = personWith({ identifiers });
    expect(taskFor(known).person.knownId).toBe("77");
    const apart = [apartFrom("acme/2", { identifier: { type: "hubspot_contact_id", value: "77" } })];
    expect(taskFor({ ...known, apart }).person.knownId).toBeUndefined();
  });

  it("of a receipt goes before that of a signal: the CRM may have merged the record since", () => {
    const identifiers = [{ type: "hubspot_contact_id", value: "77" }];
    expect(taskFor(personWith({ identifiers }, { follow_ups: [called] })).person.knownId).toBe("51");
  });
});

describe("closing a task", () => {
  const receipt = { crm: "hubspot", task_id: "900", person_id: "51", at: 1 } as const;

  it("names the task of the receipt and says why", () => {
    const closed = closeTask(
      ada,
      { ...followUp, closed_because: "consent or a hold forbids it" },
      { ...action(), receipt },
      link,
    );
    expect(closed).toEqual({
      command: {
        type: "close_task",
        key: "fu_1-aaaaaaaa-close",
        taskId: "900",
        note: "Closed by Baton: consent or a hold forbids it.",
      },
      holder: "sam@example.com",
    });
  });

  it("says that it is no longer needed where nothing else is known", () => {
    const { command } = closeTask(ada, followUp, { ...action(), receipt }, link);
    expect(command).toMatchObject({ note: "Closed by Baton: no longer needed." });
  });
});

describe("what an outlet is told", () => {
  const tasked: ActionRecord = {
    ...action(),
    state: "done",
    receipt: { crm: "hubspot", task_id: "900", person_id: "51", at: 1 },
  };
  const message = (part: Partial<ActionRecord> = {}): ActionRecord => ({
    ...action(),
    key: "fu_1-bbbbbbbb",
    crm: "slack",
    account: "acme/slack/sales",
    outlet: "sales",
    ...part,
  });
  const urgent: FollowUpRecord = { ...followUp, tell: "max@example.com", actions: [tasked, message()] };

  it("is what the task says, who holds it, who else knows of it, and the tasks that stand; nothing more of the person", () => {
    const { command, holder } = createTask(policy, ada, urgent, message(), link);
    if (command.type !== "create_task") throw new Error("not a task");
    expect(holder).toBe("sam@example.com");
    expect(command.person.knownId).toBeUndefined();
    expect(command.task.subject).toBe("Call Ada Lovelace (Analytical Engines): asked for a demo");
    expect(command.task.body).toContain(
      "\nHeld by: sam@example.com\nDue: 2026-11-22T09:15:00.000Z\nUrgent: max@example.com knows of it.\nAll signals",
    );
    expect(command.told).toEqual({
      at: Date.UTC(2026, 10, 22, 9, 0),
      follow_up: "fu_1",
      lead: "acme/1",
      play: "speed to lead",
      state: "open",
      holder: "sam@example.com",
      tell: "max@example.com",
      link,
      tasks: [{ crm: "hubspot", task_id: "900" }],
    });
  });

  it("is nothing where the action is a CRM's", () => {
    expect(createTask(policy, ada, urgent, action(), link).command.told).toBeUndefined();
  });

  it("names nobody where the outlet is not to know, in the message and beside it", () => {
    const anonymous = message({ anonymous: true, state: "done" });
    for (const { command } of [
      createTask(policy, ada, urgent, anonymous, link),
      updateTask(policy, ada, { ...urgent, revision: 1 }, anonymous, link, 5),
      closeTask(ada, { ...urgent, state: "done" }, anonymous, link),
    ]) {
      const text = JSON.stringify(command);
      for (const word of ["Ada", "Lovelace", "ada@example.com", "+44", "Analytical", "CTO"])
        expect(text).not.toContain(word);
      expect(text).toContain("acme%2F1");
    }
    const { command } = createTask(policy, ada, urgent, anonymous, link);
    expect(command).toMatchObject({ task: { subject: "Call a lead: asked for a demo" }, person: { lead: "acme/1" } });
  });

  it("says of one that was done what it was, and of one that was withdrawn nothing of the person", () => {
    const { task } = taskFor(ada, {}, message());
    const written = message({ state: "done", written: task });
    const over = { ...urgent, closed_at: 7, closed_because: "completed in hubspot" };
    const done = closeTask(ada, { ...over, state: "done" }, written, link).command;
    expect(done).toMatchObject({
      note: "Closed by Baton: completed in hubspot.",
      told: { at: 7, state: "done", subject: "Call Ada Lovelace (Analytical Engines): asked for a demo" },
    });
    const withdrawn = closeTask(ada, { ...over, state: "cancelled" }, written, link).command;
    expect(withdrawn.told).toMatchObject({ state: "cancelled" });
    expect(JSON.stringify(withdrawn)).not.toContain("Ada");
  });
});
