/**
 * A CRM that keeps what it was asked and does what a test tells it: for tests of the account object, which must not care
 * which vendor it talks to. A task is made once per key, as with a server key; `sent` also shows what was asked in vain.
 */
import type {
  ChangedAsk,
  Command,
  Crm,
  CrmApp,
  CrmManifest,
  CrmOwner,
  CrmPerson,
  CrmSession,
  CrmTask,
  EnrolCommand,
  Grant,
  GrantFailure,
  Installation,
  Outcome,
  RecordCommand,
  RecordField,
  RecordOwners,
  Resolution,
  TaskCommand,
  TaskField,
  TaskSeen,
  TaskShape,
  World,
} from "../../connectors/contract.ts";
import { fail, ok, type Result } from "../../src/failure.ts";

/** `lost_before`: the connection broke before the CRM did anything. `lost_after`: it did it, and the answer was lost. */
export type Script = "lost_before" | "lost_after" | Exclude<Outcome, { arm: "done" }>;

export interface RecordedTask {
  readonly key: string;
  readonly taskId: string;
  subject: string;
  ownerId: string | undefined;
  open: boolean;
  dueAt?: number;
  priority?: string;
  completedAt?: number;
  modifiedAt?: number;
}

export class RecordingCrm implements Crm {
  readonly manifest: CrmManifest = {
    crm: "hubspot",
    label: "A CRM that keeps what it was asked",
    api: { version: "1", page: "https://example.com", checked: "2026-11-22" },
    scopes: [],
    refreshRotates: false,
    batchMax: 10,
    budget: { requests: 1_000, windowMs: 1_000 },
    hears: { everyMs: 50_000, tasksMax: 2, sinceTasksMax: 2, requestsMax: 1 },
    owned: { peopleMax: 2, requestsMax: 1 },
  };
  /** Addresses of the accounts it keeps. An account of an earlier test that is still at work is sent away, unseen. */
  readonly keeps = new Set<string>();
  /** Every command that arrived, in order; batches of one call together. */
  readonly sent: Command[] = [];
  /** What records were to show, in order; what becomes of the next ones, and while it is true nothing. */
  readonly records: RecordCommand[] = [];
  recordScripts: (Exclude<Outcome, { arm: "done" }> | { readonly left: readonly RecordField[] })[] = [];
  holdsRecords = false;
  /** Who was put into a sequence. */
  readonly enrolled: EnrolCommand[] = [];
  readonly batches: number[] = [];
  readonly tokens: string[] = [];
  readonly lookedUp: string[] = [];
  readonly tasks: RecordedTask[] = [];
  readonly notes: string[] = [];
  refreshed = 0;
  /** Refresh tokens that it was asked to revoke; whether it confirms. */
  readonly revokedTokens: string[] = [];
  confirmsRevocation = true;
  /** Ids of tasks that it was asked about, look by look; the failures of the next looks; tasks of which it says nothing. */
  readonly looks: (readonly string[])[] = [];
  readonly lookFails: Exclude<Outcome, { arm: "done" }>[] = [];
  readonly unanswered = new Set<string>();
  /** While true, looks have read everything and are not answered. */
  holdsLooks = false;
  world: World = "unique_property";
  /** What becomes of the next commands, first come first served; after that everything is done. */
  scripts: Script[] = [];
  /** What the next look-ups say instead of the truth. */
  lookups: Resolution[] = [];
  refreshFails: GrantFailure | null = null;
  /** Access tokens that are not accepted any more. */
  readonly expired = new Set<string>();
  /** Id of the record of whom a task is for. */
  recordOf = (_command: Command): string => "person-1";
  /** While true, commands that arrived are not answered. */
  holds = false;

  /** What it grants to who connects next. */
  grants: Grant = grant;
  /** Login hosts that were asked for grants, in order. */
  readonly askedAt: string[] = [];

  authorizeUrl(app: CrmApp): string {
    return `${app.loginUrl}/authorize`;
  }

  async exchange(app: CrmApp): Promise<Result<Grant, GrantFailure>> {
    this.askedAt.push(`exchange ${app.loginUrl}`);
    return ok(this.grants);
  }

  async refresh(app: CrmApp, old: Grant): Promise<Result<Grant, GrantFailure>> {
    this.refreshed++;
    this.askedAt.push(`refresh ${app.loginUrl}`);
    if (this.refreshFails !== null) return fail(this.refreshFails);
    return ok({ ...old, accessToken: `token-${this.refreshed + 1}` });
  }

  async revoke(app: CrmApp, grant: Grant): Promise<boolean> {
    this.askedAt.push(`revoke ${app.loginUrl}`);
    this.revokedTokens.push(grant.refreshToken);
    return this.confirmsRevocation;
  }

  async install(): Promise<Result<Installation, Exclude<Outcome, { arm: "done" }>>> {
    const recordUrl = { person: "https://example.com/{person}", task: "https://example.com/{task}" };
    return ok({ world: this.world, timeZone: null, recordUrl });
  }

  async owners(): Promise<Result<readonly CrmOwner[], Exclude<Outcome, { arm: "done" }>>> {
    return ok([
      { id: "owner-sam", email: "Sam@example.com" },
      { id: "owner-kim", email: "kim@example.com" },
    ]);
  }

  /** What it says its work costs. */
  costs = (commands: readonly Command[]): number => commands.length;

  cost(commands: readonly Command[]): number {
    return this.costs(commands);
  }

  async execute(session: CrmSession, commands: readonly Command[]): Promise<readonly Outcome[]> {
    if (!this.keeps.has(session.apiUrl)) return commands.map(() => away);
    const records = commands.filter((command) => command.type === "write_record");
    if (records.length > 0) return this.#show(session, records);
    this.sent.push(...commands);
    this.batches.push(commands.length);
    this.tokens.push(session.accessToken);
    while (this.holds) await new Promise((resolve) => setTimeout(resolve, 5));
    if (this.expired.has(session.accessToken)) return commands.map(() => ({ arm: "expired" }));
    return commands
      .filter((command) => command.type !== "write_record")
      .map((command) => {
        const script = this.scripts.shift();
        if (script === "lost_before") return { arm: "unknown", reason: "connection" };
        if (script === "lost_after") {
          this.#do(command);
          return { arm: "unknown", reason: "connection" };
        }
        return script ?? this.#do(command);
      });
  }

  async resolve(session: CrmSession, commands: readonly Command[]): Promise<readonly Resolution[]> {
    if (!this.keeps.has(session.apiUrl)) return commands.map(() => away);
    return commands.map((command): Resolution => {
      this.lookedUp.push(command.key);
      const said = this.lookups.shift();
      if (said !== undefined) return said;
      const { key } = command;
      if (command.type === "enrol")
        return this.enrolled.some((one) => one.key === key)
          ? { arm: "found", taskId: `enrolment-${key}`, personId: command.personId }
          : { arm: "absent" };
      const task = this.tasks.find((one) => one.key === key);
      return task === undefined
        ? { arm: "absent" }
        : { arm: "found", taskId: task.taskId, personId: this.recordOf(command) };
    });
  }

  async changed(
    session: CrmSession,
    { tasks }: ChangedAsk,
  ): Promise<Result<readonly (TaskSeen | null)[], Exclude<Outcome, { arm: "done" }>>> {
    if (!this.keeps.has(session.apiUrl)) return fail(away);
    this.looks.push(tasks);
    const failure = this.lookFails.shift();
    if (failure !== undefined) return fail(failure);
    const seen = tasks.map((id) => this.#seen(id));
    while (this.holdsLooks) await new Promise((resolve) => setTimeout(resolve, 5));
    return ok(seen);
  }

  /** Owners of records by the person's address; who was asked about, read by read; the failures of the next reads. */
  readonly recordOwnersOf = new Map<string, RecordOwners>();
  readonly ownersRead: (readonly string[])[] = [];
  readonly ownersReadFails: Exclude<Outcome, { arm: "done" }>[] = [];
  /** While true, reads of owners are not answered. */
  holdsOwners = false;

  async recordOwners(
    session: CrmSession,
    people: readonly CrmPerson[],
  ): Promise<Result<readonly RecordOwners[], Exclude<Outcome, { arm: "done" }>>> {
    if (!this.keeps.has(session.apiUrl)) return fail(away);
    const addresses = people.map(({ email = "" }) => email);
    this.ownersRead.push(addresses);
    const failure = this.ownersReadFails.shift();
    if (failure !== undefined) return fail(failure);
    while (this.holdsOwners) await new Promise((resolve) => setTimeout(resolve, 5));
    return ok(addresses.map((address) => this.recordOwnersOf.get(address) ?? {}));
  }

  shape({ subject, dueAt, priority, ownerId = "" }: CrmTask): TaskShape {
    return { subject, due: String(dueAt), priority, owner: ownerId };
  }

  dueAt(due: string): number | null {
    return due === "" ? null : Number(due);
  }

  #seen(id: string): TaskSeen | null {
    if (this.unanswered.has(id)) return null;
    const task = this.tasks.find((one) => one.taskId === id);
    if (task === undefined) return { arm: "deleted" };
    if (task.completedAt !== undefined) return { arm: "completed", at: task.completedAt };
    if (!task.open) return { arm: "completed", at: Date.now() };
    const { subject, dueAt = 0, priority = "", ownerId = "", modifiedAt = Date.now() } = task;
    return { arm: "open", shape: { subject, due: String(dueAt), priority, owner: ownerId }, modifiedAt };
  }

  counts(): boolean {
    return true;
  }

  remaining(): null {
    return null;
  }

  async #show(session: CrmSession, records: readonly RecordCommand[]): Promise<readonly Outcome[]> {
    this.records.push(...records);
    while (this.holdsRecords) await new Promise((resolve) => setTimeout(resolve, 5));
    if (this.expired.has(session.accessToken)) return records.map(() => ({ arm: "expired" }));
    return records.map(({ personId }): Outcome => {
      const script = this.recordScripts.shift();
      if (script !== undefined && "arm" in script) return script;
      return { arm: "done", taskId: "", personId, created: false, left: script?.left ?? [] };
    });
  }

  #do(command: TaskCommand | EnrolCommand): Outcome {
    if (command.type === "enrol") {
      const isIn = this.enrolled.some(({ key }) => key === command.key);
      if (!isIn) this.enrolled.push(command);
      return { arm: "done", taskId: `enrolment-${command.key}`, personId: command.personId, created: !isIn };
    }
    if (command.type === "close_task") {
      this.notes.push(command.note);
      for (const task of this.tasks) if (task.taskId === command.taskId) task.open = false;
      return { arm: "done", taskId: command.taskId, personId: "", created: false };
    }
    if (command.type === "update_task") {
      const { taskId, before } = command;
      const found = this.tasks.find((one) => one.taskId === taskId);
      const done = { arm: "done", taskId, personId: "", created: false } as const;
      if (found?.open !== true) return { ...done, gone: found === undefined ? "deleted" : "completed" };
      const kept: TaskField[] = [];
      if ([before.ownerId, command.task.ownerId].includes(found.ownerId)) found.ownerId = command.task.ownerId;
      else kept.push("owner");
      if ([before.subject, command.task.subject].includes(found.subject)) found.subject = command.task.subject;
      else kept.push("subject");
      return { ...done, kept };
    }
    const { key, task } = command;
    const known = this.tasks.find((one) => one.key === key);
    if (known !== undefined)
      return { arm: "done", taskId: known.taskId, personId: this.recordOf(command), created: false };
    const taskId = `task-${this.tasks.length + 1}`;
    const { subject, ownerId, dueAt, priority } = task;
    this.tasks.push({ key, taskId, subject, ownerId, dueAt, priority, open: true });
    return { arm: "done", taskId, personId: this.recordOf(command), created: true };
  }
}

const away = { arm: "deferred", retryAfterMs: 60_000, scope: "account", reason: "another_test" } as const;

export const grant: Grant = {
  accessToken: "token-1",
  refreshToken: "refresh-1",
  expiresAt: null,
  apiUrl: "https://example.com",
  crmAccount: "portal",
  scopes: [],
};
