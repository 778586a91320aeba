/**
 * Storage of a workspace's team object: one row per follow-up, which is all there is. What the rota, the caps and the companies need
 * is read from these rows when the object wakes up, so that an assignment costs one row written; closing or handing over, one each.
 */
export interface Assigned {
  readonly follow_up: string;
  /** Team and play it was asked for; empty where it was given to somebody without being asked. */
  readonly team: string;
  readonly play: string;
  /** Empty: it was closed before anybody had it. */
  readonly holder: string;
  readonly why: string;
  /** Who could have had the turn but for their cap; null where there is none. */
  readonly at_cap: string | null;
  /** Number of the workspace's event; ascending. */
  readonly event: number;
  /** Whose turn this was (`personKey`), and its virtual begin; null where it was nobody's turn. Does not change when it is handed over. */
  readonly taker: string | null;
  readonly begin: number | null;
  /** Domain of the lead's company while it is open. */
  readonly company: string | null;
  /** Epoch ms since which the holder has it. */
  readonly held_since: number;
  readonly released_at: number | null;
}

export interface LastTurn {
  readonly team: string;
  readonly taker: string;
  readonly event: number;
  readonly begin: number;
}

export type Open = Pick<Assigned, "follow_up" | "holder" | "company">;

/** The latest turn of each person in each team is where the rota stands: that row stays. */
const lastEvents = "SELECT MAX(event) FROM assigned WHERE taker IS NOT NULL GROUP BY team, taker";

export class TeamStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    // An index would be a further row written per assignment; the table holds what is open and the closed ones of `teamKeepMs`.
    sql.exec(
      `CREATE TABLE IF NOT EXISTS assigned (follow_up TEXT PRIMARY KEY, team TEXT NOT NULL, play TEXT NOT NULL, holder TEXT NOT NULL,
       why TEXT NOT NULL, at_cap TEXT, event INTEGER NOT NULL, taker TEXT, begin REAL, company TEXT, held_since INTEGER NOT NULL,
       released_at INTEGER) WITHOUT ROWID`,
    );
  }

  of(followUp: string): Assigned | null {
    const [row] = this.#sql.exec("SELECT * FROM assigned WHERE follow_up = ?", followUp).toArray();
    return row === undefined ? null : (row as unknown as Assigned);
  }

  add(row: Assigned): void {
    const { follow_up, team, play, holder, why, at_cap, event, taker, begin, company, held_since, released_at } = row;
    this.#sql.exec(
      "INSERT INTO assigned VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ...[follow_up, team, play, holder, why, at_cap, event, taker, begin, company, held_since, released_at],
    );
  }

  release(followUp: string, at: number): void {
    this.#sql.exec("UPDATE assigned SET released_at = ?, company = NULL WHERE follow_up = ?", at, followUp);
  }

  handOver(followUp: string, holder: string, why: string, at: number): void {
    this.#sql.exec(
      "UPDATE assigned SET holder = ?, why = ?, held_since = ? WHERE follow_up = ?",
      ...[holder, why, at, followUp],
    );
  }

  /** In the order in which they were given. */
  open(): readonly Open[] {
    const query = "SELECT follow_up, holder, company FROM assigned WHERE released_at IS NULL ORDER BY event";
    return this.#sql.exec(query).toArray() as unknown as Open[];
  }

  lastTurns(): readonly LastTurn[] {
    // SQLite gives the other columns of the row that has the maximum (sqlite.org/lang_select.html#bareagg).
    const rows = this.#sql.exec(
      "SELECT team, taker, MAX(event) AS event, begin FROM assigned WHERE taker IS NOT NULL GROUP BY team, taker",
    );
    return rows.toArray() as unknown as LastTurn[];
  }

  lastEvent(): number {
    const [row] = this.#sql.exec("SELECT MAX(event) AS event FROM assigned").toArray() as { event: number | null }[];
    return row?.event ?? 0;
  }

  /** Forgets up to `max` that were closed before. */
  prune(before: number, max: number): void {
    const old = `SELECT follow_up FROM assigned WHERE released_at < ? AND event NOT IN (${lastEvents}) LIMIT ?`;
    this.#sql.exec(`DELETE FROM assigned WHERE follow_up IN (${old})`, before, max);
  }

  /** When the first of those was closed that may be forgotten one day; null where there is none. */
  oldestReleased(): number | null {
    const query = `SELECT MIN(released_at) AS at FROM assigned WHERE released_at IS NOT NULL AND event NOT IN (${lastEvents})`;
    const [row] = this.#sql.exec(query).toArray() as { at: number | null }[];
    return row?.at ?? null;
  }
}
