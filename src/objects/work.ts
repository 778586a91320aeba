/**
 * Pieces of work that one incarnation of an object has under way, by name. A hint against doing the same thing twice at once
 * and nothing more: what must be done lies in the object's state, and a crash forgets only that somebody was at it.
 */
import { errorName, log } from "../log.ts";

export class Work {
  readonly #names = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #keepAlive: (work: Promise<void>) => void;
  readonly #then: () => void;

  /** `then` runs after each piece that succeeded; a failed one is left to the alarm. */
  constructor(keepAlive: (work: Promise<void>) => void, then: () => void) {
    this.#keepAlive = keepAlive;
    this.#then = then;
  }

  get idle(): boolean {
    return this.#names.size === 0;
  }

  start(name: string, work: () => Promise<void>): void {
    if (this.#names.has(name)) return;
    this.#names.add(name);
    const running = this.#run(name, work).finally(() => this.#running.delete(running));
    this.#running.add(running);
    this.#keepAlive(running);
  }

  /** Resolves when nothing is under way any more, what was started meanwhile included. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #run(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      log("warn", "identity.work", { what: name.split(" ")[0] ?? "", error: errorName(error) });
      this.#names.delete(name);
      return;
    }
    this.#names.delete(name);
    this.#then();
  }
}
