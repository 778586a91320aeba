/**
 * Brings what records are to show to the account object (`act/showing.ts`). Repeating is harmless: a write is known by its key, and what
 * stands in the CRM already is not written again. Every method may run twice.
 */
import type { RecordCommand } from "../../connectors/contract.ts";
import type { Env } from "../env.ts";
import { errorName, log } from "../log.ts";
import { pendingRecords, recordEnded } from "../resolve/shown.ts";
import type { SubmitAnswer } from "./account.ts";
import type { SettleCall } from "./acting.ts";
import { accountStub } from "./names.ts";
import type { NodeState } from "./node-state.ts";

export interface Surroundings {
  readonly env: Env;
  readonly state: NodeState;
  pump(): void;
}

/** Keys of follow-ups begin otherwise (`fu_`). */
export function isRecordKey(key: string): boolean {
  return key.startsWith("fr_");
}

export class Showing {
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  async show(key: string): Promise<void> {
    const { state } = this.#around;
    const before = state.root();
    const record = before === null ? undefined : pendingRecords(before).find((item) => item.key === key);
    if (before === null || record === undefined) return;
    const { account, person, values } = record;
    // As of now: it is what this person shows, however long ago it was first asked for. Since a split somebody else's may show there.
    const ask = () =>
      this.#submit(account, { type: "write_record", key, personId: person, values, at: Date.now() }, before.name);
    const first = await ask();
    // An account object that has just begun does not know what it showed before.
    const answer = first?.arm === "pending" && first.retryAfterMs === 0 ? await ask() : first;
    const root = state.root();
    if (root === null) return;
    if (record.returns !== undefined) state.projectDue = true;
    // The ledger must not wait for an account that does not answer.
    if (answer === null) return state.change(recordEnded(root, key, { retry_at: Date.now() + unreachableMs }));
    switch (answer.arm) {
      case "shown":
        return state.change(recordEnded(root, key, { left: answer.left }));
      case "parked":
        return state.change(recordEnded(root, key, { problem: answer.problem }));
      case "pending":
        return state.change(recordEnded(root, key, { retry_at: Date.now() + answer.retryAfterMs }));
      case "cancelled":
        return state.change(recordEnded(root, key, "superseded"));
      case "done":
      case "updated":
      case "worded":
        throw new Error("not an answer to a record's write");
    }
  }

  async #submit(account: string, command: RecordCommand, node: string): Promise<SubmitAnswer | null> {
    try {
      return await accountStub(this.#around.env, account).submit({ command, holder: "", node, hot: false });
    } catch (error) {
      log("info", "identity.show", { error: errorName(error) });
      return null;
    }
  }

  /** The account object tells how a write that it had taken over came out. May come twice, and late. */
  settle({ key, outcome }: SettleCall): { readonly moved: string | null } {
    const { state } = this.#around;
    const node = state.load();
    if (node.role === "alias") return { moved: node.parent };
    if (node.role !== "root") return { moved: null };
    if (pendingRecords(node).some((item) => item.key === key && item.returns !== undefined)) state.projectDue = true;
    if ("left" in outcome) state.change(recordEnded(node, key, { left: outcome.left }));
    else if ("problem" in outcome) state.change(recordEnded(node, key, { problem: outcome.problem }));
    this.#around.pump();
    return { moved: null };
  }
}

/** After this an account that could not be asked is asked again. */
const unreachableMs = 60_000;
