/**
 * The scheduler: virtual time, one event after the other, everything drawn from a seed.
 *
 * An event that belongs to an actor (one incarnation of an object, or one run of a Worker) is one *turn* of its event loop:
 * its code runs until its microtasks are used up, then what it wrote commits, and only then what it sent leaves (the
 * platform's output gate). A crash falls before the commit, between commit and sending, or between turns; a dead actor's
 * events never run, so nothing of it has any further effect.
 */
import { setFlagsFromString } from "node:v8";
import type { Disk } from "./disk.ts";
import type { FaultKind, Faults } from "./faults.ts";

setFlagsFromString("--allow-natives-syntax");
/** Runs the microtask queue until it is empty, synchronously: a schedule never waits for the real event loop. */
export const drainMicrotasks = new Function("%PerformMicrotaskCheckpoint()") as () => void;
setFlagsFromString("--no-allow-natives-syntax");

export interface Violation {
  readonly guarantee: string;
  readonly text: string;
}

export class ViolationError extends Error {
  readonly violation: Violation;

  constructor(guarantee: string, text: string) {
    super(`${guarantee}: ${text}`);
    this.violation = { guarantee, text };
  }
}

export interface Scheduled {
  readonly time: number;
  readonly order: number;
  readonly actor: Actor | null;
  readonly what: string;
  readonly work: () => void;
  cancelled: boolean;
}

export class Actor {
  readonly name: string;
  readonly disk: Disk | null;
  readonly onDeath: () => void;
  alive = true;
  /** Events that will still wake it: timers, answers to its calls. Zero and no call in it means idle. */
  pending = 0;
  calls = 0;

  constructor(name: string, disk: Disk | null, onDeath: () => void) {
    this.name = name;
    this.disk = disk;
    this.onDeath = onDeath;
  }
}

/** For a schedule that hangs inside one turn: the trace as it happens. */
const live = process.env.BATON_SIM_LIVE !== undefined;

export class Engine {
  readonly faults: Faults;
  readonly random: () => number;
  readonly startedAt: number;
  now: number;
  current: Actor | null = null;
  /** More events than any schedule needs: one that reaches this never comes to rest. */
  eventsMax = 60_000;
  events = 0;
  violation: Violation | null = null;
  readonly #trace: string[] | null;
  readonly #heap: Scheduled[] = [];
  #order = 0;
  #outbox: (() => void)[] = [];

  constructor(startedAt: number, faults: Faults, random: () => number, traced: boolean) {
    this.startedAt = startedAt;
    this.now = startedAt;
    this.faults = faults;
    this.random = random;
    this.#trace = traced ? [] : null;
  }

  /* ---- trace */

  say(line: () => string): void {
    if (this.#trace === null) return;
    const at = ((this.now - this.startedAt) / 1000).toFixed(3).padStart(12);
    const text = `${at}  ${line()}`;
    if (live) process.stderr.write(`${text}\n`);
    this.#trace.push(text);
  }

  trace(): readonly string[] {
    return this.#trace ?? [];
  }

  fail(guarantee: string, text: string): void {
    this.violation ??= { guarantee, text };
    this.say(() => `VIOLATION ${guarantee}: ${text}`);
  }

  /** Draws a fault and tells the trace of it. */
  strikes(kind: FaultKind, where: () => string): boolean {
    if (!this.faults.strikes(kind)) return false;
    this.say(() => `!! ${kind} ${where()}`);
    return true;
  }

  between(from: number, to: number): number {
    return Math.floor(from + this.random() * (to - from));
  }

  /* ---- events */

  at(time: number, actor: Actor | null, what: string, work: () => void): Scheduled {
    const event: Scheduled = { time, order: this.#order++, actor, what, work, cancelled: false };
    if (actor !== null) actor.pending++;
    push(this.#heap, event);
    return event;
  }

  after(delayMs: number, actor: Actor | null, what: string, work: () => void): Scheduled {
    return this.at(this.now + delayMs, actor, what, work);
  }

  cancel(event: Scheduled): void {
    if (!event.cancelled && event.actor !== null) event.actor.pending--;
    event.cancelled = true;
  }

  /** Runs until nothing is left, or until a violation, or that instant (epoch ms). */
  run(until = Number.POSITIVE_INFINITY): void {
    let drained = false;
    queueMicrotask(() => {
      drained = true;
    });
    drainMicrotasks();
    if (!drained) throw new Error("a schedule has to run in a task: within a microtask nothing would drain its own");
    for (let event = pop(this.#heap); event !== undefined; event = pop(this.#heap)) {
      if (event.cancelled) continue;
      if (event.time > until) {
        push(this.#heap, event);
        this.now = until;
        return;
      }
      event.cancelled = true;
      this.now = Math.max(this.now, event.time);
      if (event.actor === null) event.work();
      else {
        event.actor.pending--;
        if (event.actor.alive) this.#turn(event.actor, event.work);
      }
      if (this.violation !== null) return;
      if (++this.events > this.eventsMax) {
        this.fail("G12", `never comes to rest: ${event.what}`);
        return;
      }
    }
  }

  /** Called by an actor's code: happens when the turn has committed. */
  send(work: () => void): void {
    this.#outbox.push(work);
  }

  kill(actor: Actor): void {
    if (!actor.alive) return;
    actor.alive = false;
    actor.disk?.rollback();
    actor.onDeath();
  }

  #turn(actor: Actor, work: () => void): void {
    const outbox: (() => void)[] = [];
    this.#outbox = outbox;
    this.current = actor;
    work();
    drainMicrotasks();
    this.current = null;
    let dies = this.strikes("crash_before_commit", () => actor.name);
    if (!dies) {
      actor.disk?.commit();
      dies = this.strikes("crash_before_send", () => actor.name);
    }
    if (!dies) {
      for (const leave of outbox) leave();
      dies = this.strikes("crash_after_turn", () => actor.name);
    }
    if (dies) this.kill(actor);
  }
}

function before(a: Scheduled, b: Scheduled): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}

function push(heap: Scheduled[], event: Scheduled): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const up = (at - 1) >> 1;
    const parent = heap[up];
    if (parent === undefined || before(parent, event)) break;
    heap[at] = parent;
    at = up;
  }
  heap[at] = event;
}

function pop(heap: Scheduled[]): Scheduled | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (top === undefined || last === undefined || heap.length === 0) return top;
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    const a = heap[left];
    if (a === undefined) break;
    const b = heap[left + 1];
    const [child, small] = b !== undefined && before(b, a) ? [left + 1, b] : [left, a];
    if (before(last, small)) break;
    heap[at] = small;
    at = child;
  }
  heap[at] = last;
  return top;
}
