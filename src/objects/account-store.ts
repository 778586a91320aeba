/**
 * Storage of one CRM account: its grant (sealed), its facts, and the ledger of actions of DESIGN §6.3:
 * `pending → intent(n) → done | cancelled | parked`, key = action key. A task to be made that can leave at once is written
 * first as `intent`: one row before the call, one after it. Closing and updating may be repeated: one row, after it.
 */
import type { Installation } from "../../connectors/contract.ts";
import { type Action, type ActionState, inDoubt } from "../act/exactly-once.ts";
import type { TargetName } from "../model.ts";

export interface AccountFacts {
  readonly name: string;
  readonly workspace: string;
  readonly crm: TargetName;
  readonly crmAccount: string;
  readonly installation: Installation;
  /** Sealed `Grant`. */
  readonly grant: string;
  readonly grantedAt: number;
  /** When a person granted it. */
  readonly attachedAt?: number;
  /** True from before a refresh leaves until its answer is stored: a restart then knows that one may be under way. */
  readonly refreshing: boolean;
  /** Epoch ms at which a refresh left whose answer nobody has seen: the next one waits until that one can no longer be under way. */
  readonly refreshLeftAt?: number;
  /** `removed`: taken away. Whatever is asked of an outlet is cancelled then, and of a CRM is a question for a person. */
  readonly status: "connected" | "blocked" | "removed";
  readonly problem: string | null;
  /** Delays of the reads after an attempt whose outcome is unknown, where no server key exists. */
  readonly settleReadsMs: readonly number[];
}

/** Users of the CRM account as it told them: CRM ids by address in lower case. */
export interface KnownOwners {
  readonly at: number;
  readonly ids: ReadonlyMap<string, string>;
}

type Row = { key: string; state: string; body: string };

/** A row of the ledger, parsed only where somebody asks. `closed`: done, and its task is over. */
export interface ActionRow {
  readonly key: string;
  readonly state: string;
  action(): Action;
}

/** Where listening begins after a start: rows from this key on, and the open tasks among those before it. */
export interface ListeningFrom {
  readonly from: string;
  readonly older: readonly string[];
}

export class AccountStore {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS actions (key TEXT PRIMARY KEY, state TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID",
    );
  }

  facts(): AccountFacts | null {
    return this.#storage.kv.get<AccountFacts>("facts") ?? null;
  }

  saveFacts(facts: AccountFacts): void {
    this.#storage.kv.put("facts", facts);
  }

  owners(): KnownOwners | null {
    return this.#storage.kv.get<KnownOwners>("owners") ?? null;
  }

  /** Written where they are others than before, or what is stored is older than that: each writing is a billed row. */
  keepOwners(owners: KnownOwners, olderMs: number): void {
    const known = this.owners();
    const isSame =
      known !== null &&
      known.ids.size === owners.ids.size &&
      [...owners.ids].every(([address, id]) => known.ids.get(address) === id);
    if (known === null || !isSame || owners.at - known.at > olderMs) this.#storage.kv.put("owners", owners);
  }

  action(key: string): Action | null {
    const row = this.#storage.sql.exec<Row>("SELECT * FROM actions WHERE key = ?", key).toArray()[0];
    return row === undefined ? null : parse(row);
  }

  /** Keys of the updates of the task that action `key` made. */
  updatesOf(key: string): readonly string[] {
    return this.#storage.sql
      .exec<{ key: string }>("SELECT key FROM actions WHERE key >= ? AND key < ?", `${key}-u`, `${key}-v`)
      .toArray()
      .map((row) => row.key);
  }

  save(actions: readonly Action[]): void {
    this.#storage.transactionSync(() => {
      for (const action of actions) {
        const { key, state, over, ...body } = bare(action);
        this.#storage.sql.exec(
          "INSERT INTO actions VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET state = excluded.state, body = excluded.body",
          key,
          over === true ? "closed" : state,
          JSON.stringify(body),
        );
      }
    });
  }

  /* ---- listening */

  /** Rows of tasks that were made, and of what was done with them since. */
  rowsFrom(key: string): readonly ActionRow[] {
    return this.#storage.sql.exec<Row>("SELECT * FROM actions WHERE key >= ? ORDER BY key", key).toArray().map(lazy);
  }

  /** The rows of one task. */
  rowsOf(key: string): readonly ActionRow[] {
    const after = `${key}.`;
    return this.#storage.sql
      .exec<Row>("SELECT * FROM actions WHERE key >= ? AND key < ? ORDER BY key", key, after)
      .toArray()
      .map(lazy);
  }

  /** These tasks are over; what they said is forgotten. */
  over(keys: readonly string[]): void {
    this.#storage.transactionSync(() => {
      for (const key of keys)
        this.#storage.sql.exec(
          "UPDATE actions SET state = 'closed', body = json_remove(body, '$.seen') WHERE key = ? AND state = 'done'",
          key,
        );
    });
  }

  /** What its task says was told: kept with the last write of ours. */
  saw(key: string, updated: number | null, seen: string): void {
    const of = updated === null ? key : `${key}-u${updated}`;
    this.#storage.sql.exec("UPDATE actions SET body = json_set(body, '$.seen', ?) WHERE key = ?", seen, of);
  }

  /** False where it had gone on to somebody else since, or was never made. */
  own({ key, node, moves }: { readonly key: string; readonly node: string; readonly moves: number }): boolean {
    const known = this.action(key);
    if (known?.state !== "done" || (known.moves ?? 0) >= moves) return false;
    this.#storage.sql.exec(
      "UPDATE actions SET state = 'done', body = json_set(body, '$.node', ?, '$.moves', ?) WHERE key = ?",
      node,
      moves,
      key,
    );
    return true;
  }

  /** What was refused in the end and is kept, because it may stand all the same, with one of these in its words. */
  parkedWith(values: readonly string[]): readonly Action[] {
    if (values.length === 0) return [];
    return this.#storage.sql
      .exec<Row>("SELECT * FROM actions WHERE state = 'parked'")
      .toArray()
      .filter(({ body }) => values.some((value) => body.includes(value)))
      .map(parse);
  }

  nodesOf(person: string): readonly string[] {
    return this.#storage.sql
      .exec<{ node: string }>(
        "SELECT DISTINCT json_extract(body, '$.node') AS node FROM actions WHERE state IN ('done', 'closed') AND json_extract(body, '$.receipt.person_id') = ?",
        person,
      )
      .toArray()
      .map(({ node }) => node);
  }

  listening(): ListeningFrom {
    return this.#storage.kv.get<ListeningFrom>("listening") ?? { from: "", older: [] };
  }

  saveListening(listening: ListeningFrom): void {
    this.#storage.kv.put("listening", listening);
  }

  /** A task whose key is older than where listening begins is remembered by name. */
  keepListening(key: string): void {
    const known = this.listening();
    if (key >= known.from || known.older.includes(key)) return;
    this.saveListening({ ...known, older: [...known.older, key].sort() });
  }

  heardSince(): number | null {
    return this.#storage.kv.get<number>("heard_since") ?? null;
  }

  saveHeardSince(since: number | null): void {
    if (since !== null) this.#storage.kv.put("heard_since", since);
    else if (this.heardSince() !== null) this.#storage.kv.delete("heard_since");
  }

  joinedSince(): number | null {
    return this.#storage.kv.get<number>("joined_since") ?? null;
  }

  saveJoinedSince(since: number): void {
    this.#storage.kv.put("joined_since", since);
  }

  /** What is still to be done, for a start after an eviction. Read once per incarnation. */
  unfinished(limit: number): readonly Action[] {
    return this.#storage.sql
      .exec<Row>("SELECT * FROM actions WHERE state IN ('pending', 'intent') LIMIT ?", limit)
      .toArray()
      .map(parse);
  }
}

/** What is over needs no person any more: ids and outcome stay. A task that may stand all the same may still be looked up. */
export function bare(action: Action): Action {
  const isOver = action.state === "parked" ? !inDoubt(action) : isFinal.has(action.state);
  if (!isOver) return action;
  return { ...action, holder: "", command: { type: "close_task", key: action.key, taskId: "", note: "" } };
}

const isFinal: ReadonlySet<ActionState> = new Set(["done", "cancelled"]);

function parse(row: Row): Action {
  const body = JSON.parse(row.body) as Omit<Action, "key" | "state">;
  if (row.state === "closed") return { ...body, key: row.key, state: "done", over: true };
  return { ...body, key: row.key, state: row.state as ActionState };
}

function lazy(row: Row): ActionRow {
  return { key: row.key, state: row.state, action: () => parse(row) };
}
