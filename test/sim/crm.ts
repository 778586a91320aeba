/**
 * Stands in for `connectors/index.ts` in the simulator (see `hooks.ts`): CRMs that exist only inside one schedule. They do
 * what the contract says CRMs do: lose an answer after the commit, refuse before it, answer late, commit long after the
 * caller gave up. Two worlds: `unique_property` (upsert by our key) and `marker` (plain create, read back later).
 */
import {
  type Command,
  type Crm,
  type CrmManifest,
  type CrmPerson,
  type CrmTask,
  type Outcome,
  type RecordCommand,
  type RecordOwners,
  type Resolution,
  recordFields,
  type TaskField,
  type TaskSeen,
  type TaskShape,
  type World,
} from "../../connectors/contract.ts";
import { digest } from "../../src/crypto.ts";
import { ok } from "../../src/failure.ts";
import type { CrmName } from "../../src/model.ts";
import type { Platform } from "./platform.ts";
import { Tokens } from "./tokens.ts";

export interface Task {
  readonly id: string;
  readonly key: string;
  readonly personId: string;
  /** Committed after the caller had given up, or had died. */
  readonly late: boolean;
  state: "open" | "closed" | "completed" | "deleted";
  /** What it says, and since when. */
  says: CrmTask;
  modifiedAt: number;
  /** What people typed into it, by field: the last one each. */
  readonly typed: Map<string, unknown>;
}

/** One CRM account and everything in it. */
export class CrmAccount {
  readonly crm: CrmName;
  readonly world: World;
  readonly tokens = new Tokens();
  readonly tasks: Task[] = [];
  readonly createdOf = new Map<string, number>();
  /** Records that a task was ever made for: an attempt that is repeated after a split may name another one. */
  readonly people = new Set<string>();
  /** What was shown last on each record. */
  readonly records = new Map<string, RecordCommand>();

  constructor(crm: CrmName, world: World) {
    this.crm = crm;
    this.world = world;
  }

  taskOf(key: string): Task | undefined {
    return (
      this.tasks.find((task) => task.key === key && task.state !== "deleted") ??
      this.tasks.find((task) => task.key === key)
    );
  }
}

export interface CrmScene {
  readonly platform: Platform;
  /** By name of the account object; the API address of its grant is `sim:<name>`. */
  readonly accounts: ReadonlyMap<string, CrmAccount>;
  /** Whether tasks are still listened to: a schedule must come to rest. */
  hears(): boolean;
  /** A create leaves the engine. */
  onSend(key: string): void;
  /** The engine writes over what a person typed. */
  onOverwrite(task: Task, field: string, value: unknown): void;
  /** What a record shows is older than what it showed before. */
  onOlder(command: RecordCommand): void;
  /** A task came to be. */
  onTask(account: CrmAccount, task: Task): void;
}

let scene: CrmScene | null = null;

export function openScene(next: CrmScene): void {
  scene = next;
}

function here(): CrmScene {
  if (scene === null) throw new Error("no schedule runs");
  return scene;
}

/* ---------------------------------------------------------------------------------- what connectors/index.ts gives */

export const emitters = [];
export function emitterOf(): undefined {
  return undefined;
}

export function crmOf(name: CrmName): Crm {
  return crms[name];
}

/** Outlets do not occur in schedules. */
export function destinationOf(name: CrmName): Crm {
  return crms[name];
}

export const crms: Readonly<Record<CrmName, Crm>> = {
  hubspot: simulated("hubspot"),
  salesforce: simulated("salesforce"),
};

function simulated(crm: CrmName): Crm {
  const manifest: CrmManifest = {
    crm,
    label: crm,
    api: { version: "0", page: "", checked: "2026-11-22" },
    scopes: [],
    refreshRotates: crm === "salesforce",
    batchMax: 3,
    budget: { requests: 100, windowMs: 10_000 },
    hears: {
      get everyMs() {
        return here().hears() ? 50_000 : Number.POSITIVE_INFINITY;
      },
      tasksMax: 2,
      sinceTasksMax: 2,
      requestsMax: 1,
    },
    owned: { peopleMax: 2, requestsMax: 1 },
  };
  const unused = () => {
    throw new Error("not part of the simulation");
  };
  return {
    manifest,
    authorizeUrl: unused,
    exchange: unused,
    refresh: async (_app, grant) =>
      manifest.refreshRotates
        ? accountOf(grant.apiUrl).tokens.refresh(here().platform, grant.apiUrl.slice("sim:".length), grant)
        : ok(grant),
    revoke: unused,
    // Somebody connects it again: what was prepared is there.
    install: async (session) =>
      ok({ world: accountOf(session.apiUrl).world, timeZone: null, recordUrl: { person: "", task: "" } }),
    owners: () =>
      here().platform.ask((answer, resolve) => {
        const { engine, hop } = platformOf();
        if (engine.strikes("crm_lost_before", () => "owners"))
          return answer(engine.between(100, 20_000), () =>
            resolve({ ok: false, failure: { arm: "unknown", reason: "timeout" } }),
          );
        answer(hop(), () =>
          resolve(
            ok([
              { id: "1", email: "sam@example.com" },
              { id: "2", email: "kim@example.com" },
            ]),
          ),
        );
      }),
    cost: (commands) => commands.length,
    execute: (session, commands) => execute(accountOf(session.apiUrl), commands),
    resolve: (session, commands) => look(accountOf(session.apiUrl), commands),
    changed: (session, { tasks }) => changed(accountOf(session.apiUrl), tasks),
    recordOwners: (_session, people) => recordOwners(people),
    shape: shapeOf,
    dueAt: (due) => (due === "" ? null : Number(due)),
    counts: () => false,
    remaining: () => null,
  };
}

function platformOf() {
  const { platform } = here();
  return { engine: platform.engine, hop: () => platform.hop() + 20 };
}

function accountOf(apiUrl: string): CrmAccount {
  const found = here().accounts.get(apiUrl.slice("sim:".length));
  if (found === undefined) throw new Error(`no CRM account ${apiUrl}`);
  return found;
}

/* ---------------------------------------------------------------------------------------------------- what it does */

/** The caller's deadline: from here on it calls the outcome unknown. */
const deadlineMs = 20_000;

function execute(account: CrmAccount, commands: readonly Command[]): Promise<readonly Outcome[]> {
  const asker = here().platform.engine.current;
  return here().platform.ask((answer, resolve) => {
    const { engine, hop } = platformOf();
    const keys = () => commands.map((command) => `${command.type} ${command.key}`).join(", ");
    engine.say(() => `CRM is asked: ${keys()}`);
    for (const command of commands) if (command.type === "create_task") here().onSend(command.key);
    const all = (outcome: Outcome) => commands.map(() => outcome);
    if (engine.strikes("crm_defers", keys))
      return answer(hop(), () =>
        resolve(all({ arm: "deferred", retryAfterMs: engine.between(500, 30_000), scope: "action", reason: "busy" })),
      );
    if (engine.strikes("crm_pauses", keys))
      return answer(hop(), () =>
        resolve(
          all({ arm: "deferred", retryAfterMs: engine.between(1_000, 60_000), scope: "account", reason: "rate" }),
        ),
      );
    if (engine.strikes("crm_expired", keys)) return answer(hop(), () => resolve(all({ arm: "expired" })));
    if (engine.strikes("crm_refuses", keys))
      return answer(hop(), () => resolve(all({ arm: "refused", reason: "bad_property" })));
    const unknown = () =>
      answer(engine.between(50, deadlineMs), () => resolve(all({ arm: "unknown", reason: "timeout" })));
    if (engine.strikes("crm_lost_before", keys)) return unknown();
    if (engine.strikes("crm_late", keys)) {
      // Where the only proof is a read, what comes later than the last read is beyond what anybody can know.
      const latestMs = account.world === "marker" ? 500_000 : 90_000;
      engine.after(engine.between(deadlineMs, latestMs), null, "late commit", () => {
        engine.say(() => `CRM commits late: ${keys()}`);
        for (const command of commands) carryOut(account, command, true);
      });
      return answer(deadlineMs, () => resolve(all({ arm: "unknown", reason: "timeout" })));
    }
    const losesAnswer = engine.strikes("crm_lost_after", keys);
    const slow = engine.strikes("crm_slow", keys);
    const partMs = slow ? engine.between(1_000, 9_000) : hop();
    if (losesAnswer) {
      engine.after(partMs, null, "commit", () => {
        for (const command of commands) carryOut(account, command, asker?.alive === false);
      });
      return answer(partMs + engine.between(50, 10_000), () => resolve(all({ arm: "unknown", reason: "reset" })));
    }
    let outcomes: Outcome[] = [];
    engine.after(partMs, null, "commit", () => {
      outcomes = commands.map((command) => carryOut(account, command, asker?.alive === false));
    });
    answer(partMs + (slow ? engine.between(1_000, 9_000) : hop()) + 1, () => resolve(outcomes));
  });
}

function carryOut(account: CrmAccount, command: Command, late: boolean): Outcome {
  const { engine } = here().platform;
  if (command.type === "close_task") {
    const task = account.tasks.find((item) => item.id === command.taskId);
    if (task !== undefined && task.state === "open") {
      task.state = "closed";
      task.modifiedAt = engine.now;
    }
    engine.say(() => `CRM closes ${command.taskId}`);
    return { arm: "done", taskId: command.taskId, personId: "", created: false };
  }
  if (command.type === "update_task") {
    const task = account.tasks.find((item) => item.id === command.taskId);
    const done = { arm: "done", taskId: command.taskId, personId: "", created: false } as const;
    engine.say(() => `CRM updates ${command.taskId}`);
    if (task === undefined || task.state === "deleted") return { ...done, gone: "deleted" };
    if (task.state !== "open") return { ...done, gone: "completed" };
    const kept: TaskField[] = [];
    for (const [field, name] of fields) {
      const [present, last, next] = [task.says[name], command.before[name], command.task[name]];
      if (present === next) continue;
      if (present !== last || next === undefined) kept.push(field);
      else {
        if (task.typed.has(name) && task.typed.get(name) === present) here().onOverwrite(task, name, next);
        task.says = { ...task.says, [name]: next };
        task.modifiedAt = engine.now;
      }
    }
    return { ...done, kept };
  }
  if (command.type === "write_record") {
    const done = { arm: "done", taskId: "", personId: command.personId, created: false, left: [] } as const;
    // What a CRM carries out long after it was given up may stand over something newer: that is not promised.
    const stands = account.records.get(command.personId);
    if (stands !== undefined && stands.at > command.at) {
      if (!late && overwrites(command, stands)) here().onOlder(command);
      return done;
    }
    account.records.set(command.personId, command);
    engine.say(() => `CRM shows ${command.key} on ${command.personId}`);
    return done;
  }
  if (command.type === "enrol") throw new Error("no play of the simulation has a sequence");
  const personId = personIdOf(account.crm, command.person.email ?? command.person.lead);
  account.people.add(personId);
  const known = account.taskOf(command.key);
  if (account.world === "unique_property" && known !== undefined && (late || known.state !== "deleted"))
    return { arm: "done", taskId: known.id, personId, created: false };
  const id = `task-${account.tasks.length + 1}`;
  const task: Task = {
    id,
    key: command.key,
    personId,
    late,
    state: "open",
    says: command.task,
    modifiedAt: engine.now,
    typed: new Map(),
  };
  account.tasks.push(task);
  account.createdOf.set(command.key, (account.createdOf.get(command.key) ?? 0) + 1);
  engine.say(() => `CRM makes ${id} for ${command.key}`);
  here().onTask(account, task);
  return { arm: "done", taskId: id, personId, created: true };
}

/** As the contract has it: what stands already is not written, and what stands in none of `ours` is left. */
function overwrites(command: RecordCommand, stands: RecordCommand): boolean {
  return recordFields.some((field) => {
    const [next, present] = [command.values[field], stands.values[field]?.value];
    if (next === undefined || next.value === present) return false;
    return present === undefined || next.ours === undefined || next.ours.includes(present);
  });
}

/** As the vendor spells it: an identifier of the person from then on. */
function personIdOf(crm: CrmName, who: string): string {
  const number = String(Number.parseInt(digest(who).slice(0, 9), 16)).padStart(12, "0");
  return crm === "hubspot" ? number : `003${number}`;
}

function shapeOf({ subject, dueAt, priority, ownerId = "" }: CrmTask): TaskShape {
  return { subject, due: String(dueAt), priority, owner: ownerId };
}

/** Of some people the record is somebody's, of some that of nobody whom the policy knows. */
function recordOwners(people: readonly CrmPerson[]): ReturnType<Crm["recordOwners"]> {
  return here().platform.ask((answer, resolve) => {
    const { engine, hop } = platformOf();
    const what = () => `owners of ${people.map(({ email }) => email ?? "").join(", ")}`;
    if (engine.strikes("crm_lost_before", what))
      return answer(engine.between(100, deadlineMs), () =>
        resolve({ ok: false, failure: { arm: "unknown", reason: "timeout" } }),
      );
    if (engine.strikes("crm_expired", what))
      return answer(hop(), () => resolve({ ok: false, failure: { arm: "expired" } }));
    const delayMs = engine.strikes("crm_slow", what) ? engine.between(1_000, 9_000) : hop();
    answer(delayMs, () => resolve(ok(people.map(({ email = "" }) => ownersOf(email)))));
  });
}

function ownersOf(email: string): RecordOwners {
  const number = Number.parseInt(digest(email).slice(0, 2), 16) % 5;
  return number > 2 ? {} : { record: String(number) };
}

function changed(account: CrmAccount, ids: readonly string[]): ReturnType<Crm["changed"]> {
  return here().platform.ask((answer, resolve) => {
    const { engine, hop } = platformOf();
    const what = () => `look at ${ids.join(", ")}`;
    const failed = (failure: Exclude<Outcome, { arm: "done" }>) => answer(hop(), () => resolve({ ok: false, failure }));
    if (engine.strikes("crm_lost_before", what)) return failed({ arm: "unknown", reason: "timeout" });
    if (engine.strikes("crm_pauses", what))
      return failed({ arm: "deferred", retryAfterMs: engine.between(1_000, 60_000), scope: "account", reason: "rate" });
    if (engine.strikes("crm_expired", what)) return failed({ arm: "expired" });
    let seen: (TaskSeen | null)[] = [];
    const partMs = hop();
    engine.after(partMs, null, "look", () => {
      seen = ids.map((id) => seenOf(account, id));
      engine.say(() => `CRM is listened to: ${ids.map((id, index) => `${id} ${seen[index]?.arm}`).join(", ")}`);
    });
    const slow = engine.strikes("crm_slow", what);
    answer(partMs + (slow ? engine.between(1_000, 9_000) : hop()) + 1, () => resolve(ok(seen)));
  });
}

function seenOf(account: CrmAccount, id: string): TaskSeen | null {
  const task = account.tasks.find((one) => one.id === id);
  if (task === undefined || task.state === "deleted") return { arm: "deleted" };
  if (task.state === "open") return { arm: "open", shape: shapeOf(task.says), modifiedAt: task.modifiedAt };
  return { arm: "completed", at: task.modifiedAt };
}

const fields = [
  ["subject", "subject"],
  ["body", "body"],
  ["due", "dueAt"],
  ["priority", "priority"],
  ["owner", "ownerId"],
] as const satisfies readonly (readonly [TaskField, keyof CrmTask])[];

function look(account: CrmAccount, commands: readonly Command[]): Promise<readonly Resolution[]> {
  return here().platform.ask((answer, resolve) => {
    const { engine, hop } = platformOf();
    const keys = () => commands.map((command) => command.key).join(", ");
    if (engine.strikes("crm_lost_before", () => `look-up ${keys()}`))
      return answer(engine.between(50, deadlineMs), () =>
        resolve(commands.map(() => ({ arm: "unknown", reason: "timeout" }))),
      );
    let found: Resolution[] = [];
    const partMs = hop();
    engine.after(partMs, null, "look-up", () => {
      found = commands.map((command): Resolution => {
        const task = account.taskOf(command.key);
        if (task === undefined || (account.world === "marker" && task.state === "deleted")) return { arm: "absent" };
        return { arm: "found", taskId: task.id, personId: task.personId };
      });
      engine.say(
        () => `CRM is read: ${commands.map((command, index) => `${command.key} ${found[index]?.arm}`).join(", ")}`,
      );
    });
    answer(partMs + hop() + 1, () => resolve(found));
  });
}
