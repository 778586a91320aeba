/**
 * Hears what people do to the tasks that one CRM account has made: completed, deleted, edited, given to somebody else. Open tasks
 * are read once a `everyMs`, in batches, and whoever they belong to is told of what is new.
 *
 * No row is written for a task in order to listen to it: which tasks are open, and what stood there last, is read from the rows of
 * the ledger of actions. A task whose end was heard is marked there, when its identity has it on disk: until then every look tells
 * it again. What lies only in memory (where the last look ended, since when changes were heard) only makes a look dearer.
 *
 * What is seen while a write of ours is under way, or was read before one, is not told: it would be our own doing.
 */
import type { Crm, Send, TaskSeen } from "../../connectors/contract.ts";
import type { Action } from "../act/exactly-once.ts";
import { beingTold, digestOf, type HeardField, newsIn, untold } from "../act/task-seen.ts";
import type { Env } from "../env.ts";
import {
  handOnConcurrency,
  hearAllEveryMs,
  hearOlderMax,
  hearOverlapMs,
  hearRequestsMax,
  hearRowsMax,
  hearSettleMs,
  hopsMax,
} from "../limits.ts";
import { errorName, log } from "../log.ts";
import type { HeardTask } from "../resolve/hearing.ts";
import type { AccountFacts, AccountStore, ActionRow } from "./account-store.ts";
import type { HeardAnswer } from "./acting.ts";
import type { CrmReader } from "./crm-reader.ts";
import { identityStub } from "./names.ts";

/** What listening needs of the account object. */
export interface Ear extends CrmReader {
  readonly env: Env;
  readonly store: AccountStore;
  /** Keys of actions that are not settled. */
  underWay(): Iterable<string>;
}

/** Whose task it is from now on, unless it went on since. */
export interface OwnCall {
  /** Of the action that made it. */
  readonly key: string;
  readonly node: string;
  readonly moves: number;
}

/** A task that was made and whose end nobody has heard of. */
interface OpenTask {
  readonly key: string;
  readonly taskId: string;
  node: string;
  /** What it is known to say (`act/task-seen.ts`): what we wrote, or what was told last. */
  seen: string | undefined;
  /** What may stand there too: of updates that were refused in the end, and may have got through before. */
  readonly also: readonly string[];
  /** Revision of the last update that came through. */
  readonly updated: number | null;
  /** When our last write of it left. */
  readonly wroteAt: number;
}

/** Something that its identity is to be told of. */
interface News {
  readonly task: OpenTask;
  readonly seen: TaskSeen;
  readonly changed: readonly HeardField[];
}

/** One look at everything that is open; may take several rounds. */
interface Pass {
  readonly startedAt: number;
  readonly since: number | null;
  /** Keys still to be looked at. */
  left: string[];
  /** Keys of which something could not be said or told: looked at again a moment later, for a write of ours was under way perhaps. */
  again: string[];
  readonly tries: number;
}

export class Listening {
  readonly #ear: Ear;
  #open: Map<string, OpenTask> | null = null;
  #pass: Pass | null = null;
  /** Everything that changed before was told. */
  #since: number | null = null;
  #allAt = 0;
  #hearing = false;
  /** Looks that failed one after another. */
  #failures = 0;

  constructor(ear: Ear) {
    this.#ear = ear;
  }

  /** Whether there is anything to listen to. */
  get isOpen(): boolean {
    return this.#tasks().size > 0;
  }

  /** An action is settled and on disk: a task came to be, says something new of ours, or is over. */
  settled(action: Action): void {
    // Of what a record shows, and of a sequence, nobody is heard.
    if (!mayStand(action) || action.left !== undefined || action.step !== undefined) return;
    const { base, kind, revision } = partsOf(action.key);
    const { store } = this.#ear;
    if (kind === "create") store.keepListening(base);
    const open = this.#open;
    if (open === null) return;
    if (kind === "create") {
      const made = openTask(action);
      if (made !== null) open.set(base, made);
      return;
    }
    const known = open.get(base);
    if (known === undefined) return;
    // One that found no open task any more: whoever asked for it may never hear so, and the next look tells.
    if (kind === "close") open.delete(base);
    else if (action.state === "parked") open.set(base, { ...known, also: [...known.also, action.seen ?? untold] });
    // An older one that came through later says nothing of what was asked since.
    else if ((revision ?? 0) >= (known.updated ?? 0))
      open.set(base, { ...known, updated: revision, seen: action.seen, wroteAt: action.attemptAt });
  }

  /** What the task that this action made, updates or closes is known to say. Reads its rows. */
  seenOf(key: string): string | undefined {
    const { base } = partsOf(key);
    return openIn(this.#ear.store.rowsOf(base)).get(base)?.seen;
  }

  /** Its follow-up went to somebody else with a split: listened to again, also where whoever had it before is gone. True where that is new. */
  own(call: OwnCall): boolean {
    const { store } = this.#ear;
    if (!store.own(call)) return false;
    store.keepListening(call.key);
    this.#open = null;
    this.#pass = null;
    return true;
  }

  /** Nobody is to hear of these any more. */
  forget(keys: readonly string[]): void {
    this.#ear.store.over(keys);
    for (const key of keys) this.#open?.delete(key);
  }

  /**
   * One round: as much of a look as it may cost. Epoch ms at which the next one is due: `everyMs` after this look began, or a moment
   * later where it failed, was put off, or something could not be told. Never throws.
   */
  async hear(crm: Crm, facts: AccountFacts): Promise<number> {
    const { everyMs } = crm.manifest.hears;
    if (this.#hearing || facts.status !== "connected" || !this.isOpen) return Date.now() + everyMs;
    this.#hearing = true;
    try {
      return await this.#round(crm, facts);
    } catch (error) {
      log("warn", "account.hearing", { account: facts.name, error: errorName(error) });
      return this.#fail(everyMs);
    } finally {
      this.#hearing = false;
    }
  }

  async #round(crm: Crm, facts: AccountFacts): Promise<number> {
    const { everyMs, tasksMax, sinceTasksMax, requestsMax } = crm.manifest.hears;
    const pass = this.#begin(Date.now(), everyMs);
    let sent = 0;
    while (pass.left.length > 0 && sent < hearRequestsMax) {
      const slice = pass.left.slice(0, pass.since === null ? tasksMax : sinceTasksMax);
      let goesOn = false;
      const spent = await this.#ear.spend(crm, requestsMax, async (send) => {
        const counted: Send = (request) => {
          sent++;
          return send(request);
        };
        goesOn = await this.#look(crm, facts, pass, slice, counted);
      });
      if (!spent) return Date.now() + soonMs;
      if (!goesOn) return this.#fail(everyMs);
      this.#failures = 0;
      pass.left = pass.left.slice(slice.length);
    }
    return pass.left.length > 0 ? Date.now() + everyMs : this.#end(crm, pass);
  }

  /** A look that failed told nobody: it is repeated soon, and less and less so while it goes on failing. */
  #fail(everyMs: number): number {
    this.#drop();
    return Date.now() + Math.min(everyMs, soonMs * 2 ** this.#failures++);
  }

  /** What was left of it is looked at by the next one, at everything again if this one was to. */
  #drop(): void {
    if (this.#pass?.since === null) this.#allAt = 0;
    this.#pass = null;
  }

  /** What cannot be told for long holds up nobody else: a look at everything begins when it is due. */
  #begin(now: number, everyMs: number): Pass {
    if (this.#pass !== null && this.#pass.tries > 0 && now >= this.#pass.startedAt + everyMs) this.#drop();
    if (this.#pass !== null) return this.#pass;
    const since = now - this.#allAt > hearAllEveryMs ? null : (this.#since ?? this.#ear.store.heardSince());
    if (since === null) this.#allAt = now;
    this.#pass = { startedAt: now, since, left: [...this.#tasks().keys()], again: [], tries: 0 };
    return this.#pass;
  }

  /** When they cannot be told for long, the next pass asks from the same instant. */
  #end(crm: Crm, pass: Pass): number {
    const { again, startedAt, tries } = pass;
    const { everyMs, tasksMax, sinceTasksMax } = crm.manifest.hears;
    const next = startedAt + everyMs;
    if (again.length > 0) {
      if (tries < triesMax) {
        this.#pass = { ...pass, left: again, again: [], tries: tries + 1 };
        return Math.min(next, Date.now() + soonMs);
      }
      this.#drop();
      return next;
    }
    this.#pass = null;
    this.#since = startedAt - hearOverlapMs;
    // Only where a look at everything would be dear after the object has slept.
    if (sinceTasksMax > tasksMax && this.#tasks().size > tasksMax) this.#ear.store.saveHeardSince(this.#since);
    return next;
  }

  /** False when the pass cannot go on now. */
  async #look(crm: Crm, facts: AccountFacts, pass: Pass, keys: readonly string[], send: Send): Promise<boolean> {
    const session = await this.#ear.session(crm, facts, send);
    const owners = session === null ? null : await this.#ear.owners(crm, session);
    if (session === null || owners === null) return false;
    const before = this.#busy();
    const tasks = keys.flatMap((key) => (before.has(key) ? [] : (this.#tasks().get(key) ?? [])));
    pass.again.push(...keys.filter((key) => before.has(key)));
    if (tasks.length === 0) return true;
    const answer = await crm.changed(session, { tasks: tasks.map((task) => task.taskId), since: pass.since });
    if (!answer.ok) {
      await this.#ear.failed(crm, session, answer.failure);
      return false;
    }
    const addresses = new Map([...owners].map(([address, id]) => [id, address]));
    const busy = this.#busy();
    const news: News[] = [];
    for (const [index, task] of tasks.entries()) {
      const seen = answer.value[index] ?? null;
      const isStill = this.#tasks().get(task.key) === task && !busy.has(task.key);
      if (seen === null ? pass.since === null : !isStill || isOlder(seen, task)) pass.again.push(task.key);
      else if (seen !== null) {
        const changed = seen.arm === "open" ? newsIn(seen.shape, [task.seen, ...task.also]) : [];
        if (seen.arm !== "open" || changed.length > 0) news.push({ task, seen, changed });
      }
    }
    for (let at = 0; at < news.length; at += handOnConcurrency) {
      const some = news.slice(at, at + handOnConcurrency);
      const told = await Promise.all(some.map((item) => this.#tell(item, addresses)));
      pass.again.push(...some.filter((_, index) => told[index] === false).map(({ task }) => task.key));
    }
    return true;
  }

  /** True when whoever it belongs to has it on disk. */
  async #tell({ task, seen, changed }: News, addresses: ReadonlyMap<string, string>): Promise<boolean> {
    const holder = seen.arm === "open" ? addresses.get(seen.shape.owner) : undefined;
    const call: HeardTask = {
      key: task.key,
      updated: task.updated,
      seen,
      changed,
      ...(holder === undefined ? {} : { holder }),
    };
    const { store } = this.#ear;
    const told = seen.arm === "open" ? beingTold(task.seen, changed) : untold;
    if (task.seen !== told) store.saw(task.key, task.updated, told);
    task.seen = told;
    const answer = await this.#ask(task, call);
    // Written anew or somebody else's meanwhile: the next look compares with that.
    if (answer === "later" || this.#tasks().get(task.key) !== task) return false;
    if (answer === "unknown" || seen.arm !== "open") {
      store.over([task.key]);
      this.#open?.delete(task.key);
      return true;
    }
    task.seen = digestOf(seen.shape);
    store.saw(task.key, task.updated, task.seen);
    return true;
  }

  async #ask(task: OpenTask, call: HeardTask): Promise<"ok" | "later" | "unknown"> {
    try {
      for (let hops = 0; hops < hopsMax; hops++) {
        const stub: unknown = identityStub(this.#ear.env, task.node);
        const answer = await (stub as { heard(call: HeardTask): Promise<HeardAnswer> }).heard(call);
        if (answer.arm !== "moved") return answer.arm;
        task.node = answer.to;
      }
    } catch (error) {
      log("info", "account.tell", { error: errorName(error) });
    }
    return "later";
  }

  #busy(): ReadonlySet<string> {
    const keys = new Set<string>();
    for (const key of this.#ear.underWay()) keys.add(partsOf(key).base);
    return keys;
  }

  #tasks(): Map<string, OpenTask> {
    this.#open ??= this.#read();
    return this.#open;
  }

  /** From the rows of the ledger of actions. Those of a task stand together, for their keys begin with its own. */
  #read(): Map<string, OpenTask> {
    const { store } = this.#ear;
    const { from, older } = store.listening();
    const rows = [...older.flatMap((key) => store.rowsOf(key)), ...store.rowsFrom(from)];
    const open = openIn(rows);
    const recent = rows.length - hearRowsMax;
    if (recent > hearRowsMax) {
      const next = rows[recent]?.key ?? from;
      const before = [...open.keys()].filter((key) => key < next);
      if (before.length <= hearOlderMax) store.saveListening({ from: next, older: before });
    }
    return open;
  }
}

function openIn(rows: readonly ActionRow[]): Map<string, OpenTask> {
  const open = new Map<string, OpenTask>();
  for (const row of rows) {
    const { base, kind, revision } = partsOf(row.key);
    if (row.state !== "done" && (row.state !== "parked" || kind !== "update")) continue;
    if (kind === "create") {
      const made = openTask(row.action());
      if (made !== null) open.set(base, made);
      continue;
    }
    const known = open.get(base);
    if (known === undefined) continue;
    if (kind === "close") open.delete(base);
    else {
      const { seen, attemptAt } = row.action();
      if (row.state === "parked") {
        if (seen !== undefined) open.set(base, { ...known, also: [...known.also, seen] });
      } else if ((revision ?? 0) > (known.updated ?? 0))
        open.set(base, { ...known, updated: revision, seen, wroteAt: attemptAt });
    }
  }
  return open;
}

function openTask({ key, receipt, node, seen, attemptAt, over, step }: Action): OpenTask | null {
  if (receipt === null || receipt.task_id === "" || over === true || step !== undefined) return null;
  return { key, taskId: receipt.task_id, node, seen, also: [], updated: null, wroteAt: attemptAt };
}

/** Looks at what could not be told, `soonMs` apart, before the next look at everything. */
const triesMax = 3;
const soonMs = 5_000;

/** Updates and closings carry the key of the action that made the task. */
function partsOf(key: string): {
  readonly base: string;
  readonly kind: "create" | "update" | "close";
  readonly revision: number | null;
} {
  const match = /^(.*)-(?:u(\d+)|close)$/.exec(key);
  if (match === null) return { base: key, kind: "create", revision: null };
  const [, base = "", revision] = match;
  return revision === undefined
    ? { base, kind: "close", revision: null }
    : { base, kind: "update", revision: Number(revision) };
}

/** Whether its task says, or may say, what it asked for. */
function mayStand({ state, seen }: Action): boolean {
  return state === "done" || (state === "parked" && seen !== undefined);
}

/** A version from before our own write, where one may still be read. */
function isOlder(seen: TaskSeen, { wroteAt }: OpenTask): boolean {
  const clockSkewMs = 5_000;
  return seen.arm === "open" && seen.modifiedAt < wroteAt - clockSkewMs && Date.now() < wroteAt + hearSettleMs;
}
