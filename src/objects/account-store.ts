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
  /** True from before a refresh leaves until its answer is stored: a restart then knows that one may be under way. */
  readonly refreshing: boolean;
  /** `removed`: an outlet that was taken away. Whatever is asked of it is cancelled. */
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
        const { key, state, ...body } = bare(action);
        this.#storage.sql.exec(
          "INSERT INTO actions VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET state = excluded.state, body = excluded.body",
          key,
          state,
          JSON.stringify(body),
        );
      }
    });
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
  return { ...(JSON.parse(row.body) as Omit<Action, "key" | "state">), key: row.key, state: row.state as ActionState };
}
