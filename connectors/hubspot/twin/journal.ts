/** What the twin was asked and what it answered: nothing is mocked, it is written down (STYLE). */

export interface JournalEntry {
  readonly seq: number;
  /** Epoch ms. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** 0 where the connection was broken instead of an answer. */
  readonly status: number;
  /** The fault that struck, e.g. `error_rate` or `script:lose`. */
  readonly fault: string | null;
  /** Whether the request was carried out, whatever was answered. */
  readonly committed: boolean;
  readonly rows: number | null;
  /** `x-baton-*` request headers, as sent. */
  readonly baton: Readonly<Record<string, string>>;
}

export class Journal {
  #entries: JournalEntry[] = [];
  #seq = 0;

  add(entry: Omit<JournalEntry, "seq">): void {
    this.#seq++;
    this.#entries.push({ seq: this.#seq, ...entry });
    if (this.#entries.length > entriesMax) this.#entries = this.#entries.slice(-entriesMax / 2);
  }

  since(seq: number, limit = entriesMax): readonly JournalEntry[] {
    return this.#entries.filter((entry) => entry.seq > seq).slice(0, limit);
  }

  clear(): void {
    this.#entries = [];
  }
}

const entriesMax = 100_000;
