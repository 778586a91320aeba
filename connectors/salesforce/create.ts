/**
 * Makes follow-up tasks: finds the person or makes a Lead, then upserts the task by its External ID, so that the same key
 * never has two tasks. A known person costs one request, a new one two; a batch of 200 costs three.
 *
 * Rounds: locate people, write what is open, repair what came back (a merged person, an inactive owner, a race for the
 * key). Both rounds and requests are bounded; what is still open then is certainly not done and is deferred.
 *
 * An upsert must not change what is there: a seller may have completed or rewritten the task. `TaskSubtype` helps, for it
 * can only be set at creation and makes Salesforce refuse the rest. A key that is taken is therefore looked up, and what is
 * found is the receipt; only where nothing is found the upsert is sent again. Leads are treated alike.
 */
import type { CrmSession, Outcome } from "../contract.ts";
import { type CrmError, readPart, readParts, type Saved, text } from "./answers.ts";
import { Conversation } from "./client.ts";
import { type CreateTask, createCost } from "./cost.ts";
import { delaysMs, type Failed, judge, refuse, settle } from "./errors.ts";
import { choose, follow, gather, isContact, type Someone, sameId } from "./people.ts";
import { readAll, taskOf } from "./read.ts";
import {
  canPair,
  crmKey,
  type Droppable,
  keyLengthMax,
  leadValues,
  pairedWho,
  type Row,
  soql,
  taskValues,
  upsertPair,
} from "./requests.ts";
import { upsertRows, type Written } from "./rows.ts";

interface Job {
  readonly key: string;
  readonly command: CreateTask;
  readonly someone: Someone;
  readonly without: Droppable[];
  races: number;
  /** The key was said to be taken: look before writing again. */
  isTaken: boolean;
  /** Why the person was refused, while they are traced. */
  cause: CrmError | null;
  outcome: Outcome | null;
}

const roundsMax = 5;
const racesMax = 3;

export async function createTasks(session: CrmSession, commands: readonly CreateTask[]): Promise<readonly Outcome[]> {
  const people = gather(commands.map((command) => command.person));
  const jobs = new Map<string, Job>();
  for (const [index, command] of commands.entries()) {
    const someone = people[index];
    const key = crmKey(command.key);
    if (someone !== undefined && !jobs.has(key)) {
      const long = key.length > keyLengthMax || someone.key.length > keyLengthMax;
      jobs.set(key, {
        key,
        command,
        someone,
        without: [],
        races: 0,
        isTaken: false,
        cause: null,
        outcome: long ? { arm: "refused", reason: "key_too_long" } : null,
      });
    }
  }
  await new Creation(session, [...jobs.values()], createCost(commands)).run();
  return commands.map((command) => {
    const job = jobs.get(crmKey(command.key));
    const open: Outcome = job?.isTaken === true ? { arm: "unknown", reason: "duplicate_value" } : exhausted;
    return job?.outcome ?? open;
  });
}

class Creation {
  readonly #conversation: Conversation;
  readonly #jobs: readonly Job[];

  constructor(session: CrmSession, jobs: readonly Job[], requestsMax: number) {
    this.#conversation = new Conversation(session, requestsMax);
    this.#jobs = jobs;
  }

  async run(): Promise<void> {
    for (let round = 0; round < roundsMax && this.#open().length > 0; round++) {
      await this.#trace();
      await this.#seek();
      await this.#recheck();
      await this.#write();
    }
  }

  #open(): readonly Job[] {
    return this.#jobs.filter((job) => job.outcome === null);
  }

  #people(state: Someone["state"]): readonly Someone[] {
    return [...new Set(this.#open().map((job) => job.someone))].filter((someone) => someone.state === state);
  }

  #end(people: readonly Someone[], outcome: Outcome): void {
    for (const job of this.#open().filter((candidate) => people.includes(candidate.someone))) {
      job.outcome = outcome;
    }
  }

  /* ------------------------------------------------------------------------------------------- people */

  /** Looks people up by our key and by e-mail, in the primary store: search indexes lag and have doubled people. */
  async #seek(): Promise<void> {
    const people = this.#people("seek");
    if (people.length === 0) {
      return;
    }
    const emails = people.map((someone) => someone.email).filter((email) => email !== null);
    const found = await readAll(this.#conversation, {
      ...(emails.length === 0 ? {} : { contacts: soql.contactsByEmail(emails) }),
      leads: soql.leadsByKeyOrEmail(
        people.map((someone) => someone.key),
        emails,
      ),
    });
    if (!found.ok) {
      this.#end(people, found.failure);
      return;
    }
    for (const someone of people) {
      someone.who = choose(someone, found.value.get("contacts") ?? [], found.value.get("leads") ?? []);
      someone.state = someone.who === null ? "make" : "ready";
    }
  }

  /**
   * Follows a record that was refused one step, to the winner of a merge or to the contact a lead became; if that one is
   * refused too, the next round goes on from there. Who leads nowhere is looked for once more.
   */
  async #trace(): Promise<void> {
    const people = this.#people("trace");
    const ids = people.map((someone) => someone.who).filter((id) => id !== null);
    if (ids.length === 0) {
      return;
    }
    const contacts = ids.filter(isContact);
    const leads = ids.filter((id) => !isContact(id));
    const found = await readAll(this.#conversation, {
      ...(contacts.length === 0 ? {} : { contacts: soql.contactsById(contacts) }),
      ...(leads.length === 0 ? {} : { leads: soql.leadsById(leads) }),
    });
    if (!found.ok) {
      this.#end(people, found.failure);
      return;
    }
    const rows = [...found.value.values()].flat();
    for (const someone of people) {
      const from = someone.who ?? "";
      someone.who = follow(rows.find((row) => typeof row.Id === "string" && sameId(row.Id, from)));
      this.#arrived(someone, from);
    }
  }

  #arrived(someone: Someone, from: string): void {
    const jobs = this.#open().filter((job) => job.someone === someone);
    if (someone.who === null) {
      someone.state = "seek";
      if (someone.soughtAgain) {
        this.#end([someone], { arm: "refused", reason: "person_not_usable" });
      }
      someone.soughtAgain = true;
      return;
    }
    someone.state = "ready";
    if (sameId(someone.who, from)) {
      // The person is well, so the reference that was refused is another one: the owner, else we do not know.
      for (const job of jobs.filter((candidate) => candidate.cause !== null)) {
        this.#leaveOut(job, "OwnerId", job.cause);
      }
    }
  }

  /** Deleted tasks count: a person who threw the task away has seen it. */
  async #recheck(): Promise<void> {
    const jobs = this.#open().filter((job) => job.isTaken);
    if (jobs.length === 0) {
      return;
    }
    const found = await readAll(this.#conversation, { tasks: soql.tasksByKey(jobs.map((job) => job.key)) });
    for (const job of jobs) {
      const row = found.ok ? taskOf(job.key, found.value.get("tasks") ?? []) : undefined;
      if (!found.ok) {
        job.outcome = found.failure;
      } else if (row !== undefined) {
        const personId = text(row.WhoId) ?? job.someone.who ?? "";
        job.outcome = { arm: "done", taskId: text(row.Id) ?? "", personId, created: false };
      }
      job.isTaken = false;
    }
  }

  /* ------------------------------------------------------------------------------------------- writes */

  async #write(): Promise<void> {
    const [only, ...others] = this.#open();
    if (only === undefined) {
      return;
    }
    if (others.length === 0 && only.someone.state === "make") {
      const lead = this.#leadRow(only.someone);
      const task = this.#taskRow(only, pairedWho);
      if (canPair(lead, task)) {
        await this.#writePair(only, lead, task);
        return;
      }
    }
    const people = this.#people("make");
    const leads = await upsertRows(
      this.#conversation,
      "Lead",
      people.map((someone) => this.#leadRow(someone)),
    );
    for (const [index, someone] of people.entries()) {
      this.#leadWritten(someone, leads[index]);
    }
    const ready = this.#open().filter((job) => job.someone.state === "ready");
    const tasks = await upsertRows(
      this.#conversation,
      "Task",
      ready.map((job) => this.#taskRow(job, job.someone.who ?? "")),
    );
    for (const [index, job] of ready.entries()) {
      this.#taskWritten(job, tasks[index]);
    }
  }

  /** All or nothing: where one part is rejected the other was rolled back, and says so. */
  async #writePair(job: Job, lead: Row, task: Row): Promise<void> {
    const answer = await this.#conversation.ask(upsertPair(lead, task));
    const parts = answer.arm === "answered" ? readParts(answer.body) : null;
    const person = readPart(parts?.get("lead"));
    const made = readPart(parts?.get("task"));
    if (answer.arm !== "answered" || person === null || made === null) {
      job.outcome = settle(answer, "task", job.key);
    } else if (person.arm === "saved") {
      job.someone.who = person.id;
      job.someone.state = made.arm === "saved" ? "ready" : "make";
      this.#taskWritten(job, made);
    } else if (
      made.arm === "rejected" &&
      person.error.code === "PROCESSING_HALTED" &&
      made.error.code !== "PROCESSING_HALTED"
    ) {
      this.#taskWritten(job, made);
    } else {
      this.#leadWritten(job.someone, person);
    }
  }

  #leadRow(someone: Someone): Row {
    return { key: someone.key, values: leadValues(someone.person) };
  }

  #taskRow(job: Job, who: string): Row {
    return { key: job.key, values: taskValues(job.command.task, who, job.without) };
  }

  #leadWritten(someone: Someone, row: Written | undefined): void {
    if (row === undefined || row.arm === "failed") {
      this.#end([someone], row?.outcome ?? unreadable);
      return;
    }
    if (row.arm === "saved") {
      someone.who = row.id;
      someone.state = "ready";
      return;
    }
    const verdict = judge(row.error, "lead", someone.key);
    switch (verdict.next) {
      case "again":
        // Somebody made it a moment ago: found by its key now. If it never is, something else holds the key.
        someone.races += 1;
        someone.state = "seek";
        if (someone.races >= racesMax) {
          this.#end([someone], refuse(row.error));
        }
        return;
      case "use":
        someone.who = verdict.id;
        someone.state = "ready";
        return;
      case "trace":
        // The lead with our key was merged, converted or deleted a moment ago, or holds the key in the recycle bin.
        this.#arrived(someone, "");
        return;
      case "without":
        this.#end([someone], refuse(row.error));
        return;
      case "end":
        this.#end([someone], verdict.outcome);
    }
  }

  #taskWritten(job: Job, row: Written | Saved | undefined): void {
    if (row === undefined || row.arm === "failed") {
      job.outcome = row?.outcome ?? { arm: "unknown", reason: "answer_unreadable" };
      return;
    }
    if (row.arm === "saved") {
      job.outcome = { arm: "done", taskId: row.id, personId: job.someone.who ?? "", created: row.created };
      return;
    }
    const verdict = judge(row.error, "task", job.key);
    switch (verdict.next) {
      case "again":
        this.#taken(job);
        return;
      case "trace":
        job.cause = row.error;
        job.someone.state = "trace";
        return;
      case "without":
        this.#leaveOut(job, verdict.field, row.error);
        return;
      case "use":
        job.outcome = refuse(row.error);
        return;
      case "end":
        job.outcome = verdict.outcome;
    }
  }

  #taken(job: Job): void {
    job.races += 1;
    job.isTaken = true;
    if (job.races >= racesMax) {
      job.outcome = { arm: "unknown", reason: "duplicate_value" };
    }
  }

  #leaveOut(job: Job, field: Droppable, error: CrmError | null): void {
    const has = field !== "OwnerId" || job.command.task.ownerId !== undefined;
    if (has && !job.without.includes(field)) {
      job.without.push(field);
      job.isTaken = field === "TaskSubtype";
      return;
    }
    job.outcome = error === null ? { arm: "refused", reason: "not_accepted" } : refuse(error);
  }
}

const unreadable: Failed = {
  arm: "deferred",
  retryAfterMs: delaysMs.retry,
  scope: "action",
  reason: "answer_unreadable",
};
const exhausted: Failed = {
  arm: "deferred",
  retryAfterMs: delaysMs.unavailable,
  scope: "action",
  reason: "repairs_exhausted",
};
