/** What was asked of the twin and what it answered, newest last, and every break of a published shape. */

export interface JournalEntry {
  readonly n: number;
  /** Epoch ms of its arrival. */
  readonly at: number;
  readonly method: string;
  /** With its query, decoded, cut at 500 characters. */
  readonly path: string;
  /** 0 where the connection was broken or nothing was answered. */
  readonly status: number;
  readonly fault: string | null;
  /** Rows of a collections request, parts of a composite, else 1 or 0. */
  readonly rows: number;
  /** Of a collections request: rows that are tasks. */
  readonly tasks: number;
}

export interface Violation {
  readonly side: "request" | "answer";
  readonly where: string;
  readonly what: string;
}

const entriesMax = 20_000;
const violationsMax = 50;

export class Journal {
  #entries: JournalEntry[] = [];
  #violations: Violation[] = [];
  #numbers = 0;
  violationCount = 0;

  add(entry: Omit<JournalEntry, "n">): void {
    this.#numbers += 1;
    this.#entries.push({ n: this.#numbers, ...entry });
    if (this.#entries.length > entriesMax) {
      this.#entries = this.#entries.slice(entriesMax / 2);
    }
  }

  violate(violation: Violation): void {
    this.violationCount += 1;
    if (this.#violations.length < violationsMax) {
      this.#violations.push(violation);
    }
  }

  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  get violations(): readonly Violation[] {
    return this.#violations;
  }

  clear(): void {
    this.#entries = [];
    this.#violations = [];
    this.violationCount = 0;
  }
}
