/**
 * The clock, the timers, chance and Web Crypto as the code under simulation sees them. Patched once; outside of a schedule
 * everything is the real thing again.
 */
import type { Actor, Engine, Scheduled } from "./engine.ts";

let engine: Engine | null = null;
let chance: () => number = Math.random;

const real = {
  now: Date.now,
  random: Math.random,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  crypto,
  stackTraceLimit: Error.stackTraceLimit,
};

/** Lost calls are errors by the hundred, and nobody reads where they were made. */
export function enter(next: Engine, random: () => number): void {
  engine = next;
  chance = random;
  Error.stackTraceLimit = 0;
}

export function leave(): void {
  engine = null;
  Error.stackTraceLimit = real.stackTraceLimit;
}

export function realNow(): number {
  return performance.now();
}

/** Looks at the clock within one turn that no honest turn needs: code that spins would otherwise never give control back. */
const looksMax = 5_000;
let looks = { turn: -1, count: 0 };

Date.now = () => {
  if (engine === null) return real.now.call(Date);
  if (looks.turn !== engine.events) looks = { turn: engine.events, count: 0 };
  if (++looks.count > looksMax) {
    Error.stackTraceLimit = real.stackTraceLimit;
    const error = new Error("this turn does not end");
    engine.fail(
      "SPIN",
      `${engine.current?.name}: a turn does not end: ${error.stack?.split("\n").slice(2, 6).join(" ")}`,
    );
    throw error;
  }
  return engine.now;
};
Math.random = () => (engine === null ? real.random.call(Math) : chance());

const patchedSetTimeout = (work: () => void, delayMs = 0): unknown => {
  if (engine === null) return real.setTimeout(work, delayMs);
  const actor: Actor | null = engine.current;
  if (actor === null) throw new Error("a timer outside of a turn");
  return engine.after(Math.max(0, delayMs), actor, `timer of ${actor.name}`, work);
};
const patchedClearTimeout = (timer: unknown): void => {
  if (engine === null) real.clearTimeout(timer as NodeJS.Timeout);
  else if (typeof timer === "object" && timer !== null) engine.cancel(timer as Scheduled);
};
globalThis.setTimeout = patchedSetTimeout as unknown as typeof setTimeout;
globalThis.clearTimeout = patchedClearTimeout as unknown as typeof clearTimeout;

/** Sealing is not what is under test, and the real one would wait for a thread of the real world. */
const subtle = {
  importKey: async () => ({}),
  encrypt: async (_how: unknown, _key: unknown, text: Uint8Array) => text.slice().buffer,
  decrypt: async (_how: unknown, _key: unknown, text: Uint8Array) => text.slice().buffer,
};
const simulatedCrypto = {
  subtle,
  getRandomValues: <T extends Uint8Array>(bytes: T): T => {
    for (let index = 0; index < bytes.length; index++) bytes[index] = Math.floor(chance() * 256);
    return bytes;
  },
  randomUUID: () => {
    const digits = Array.from({ length: 32 }, () => Math.floor(chance() * 16).toString(16)).join("");
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  },
};
Object.defineProperty(globalThis, "crypto", {
  get: () => (engine === null ? real.crypto : simulatedCrypto),
  configurable: true,
});

/** The engine logs every failure it meets; here failures are the point. A bug of the code itself must not hide among them. */
const bug = /"error":"(?:TypeError|ReferenceError|RangeError|SyntaxError|DataCloneError)"/;
for (const level of ["log", "warn", "error"] as const) {
  const original = console[level].bind(console);
  console[level] = (...words: unknown[]) => {
    if (engine === null) return original(...words);
    const line = String(words[0]);
    engine.say(() => `log ${line}`);
    if (bug.test(line)) engine.fail("BUG", line);
  };
}
process.on("unhandledRejection", () => {});
