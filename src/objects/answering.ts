/** What people say, taken in by the object that it is about: answers to exceptions, words on follow-ups, and what has become late. */
import type { Answered, Speaker, Way, Word } from "../resolve/answers.ts";
import { settleException, tellFollowUp } from "../resolve/answers.ts";
import type { Root, Target } from "../resolve/node.ts";
import { raiseOverdue } from "../resolve/overdue.ts";
import { fieldsUndone } from "../resolve/shown.ts";
import type { NodeState } from "./node-state.ts";

export type AnswerCall = Speaker &
  (
    | { readonly exception: string; readonly way: Way; readonly targets: readonly Target[] }
    | { readonly follow_up: string; readonly word: Word }
  );

export type AnswerAnswer =
  | { readonly arm: "ok" }
  | { readonly arm: "moved"; readonly to: string }
  | { readonly arm: "busy" }
  | Exclude<Answered, { arm: "ok" }>;

export class Answering {
  readonly #state: NodeState;
  readonly #pump: () => void;

  constructor(state: NodeState, pump: () => void) {
    this.#state = state;
    this.#pump = pump;
  }

  /** On disk when this answers. */
  answer(call: AnswerCall): AnswerAnswer {
    const root = this.#here();
    if ("arm" in root) return root;
    const answered =
      "exception" in call
        ? settleException(root, call.exception, call.way, call, call.targets)
        : tellFollowUp(root, call.follow_up, call.word, call);
    if (answered.arm !== "ok") return answered;
    if (answered.root === root) return { arm: "ok" };
    // What was said is seen in the ledger however little it changed here.
    this.#state.save({ ...answered.root, version: Math.max(answered.root.version, root.version + 1) });
    this.#state.projectDue = true;
    this.#pump();
    return { arm: "ok" };
  }

  /** What this version of the policy wrote into fields of the CRMs' own is to be brought back. On disk when this answers. */
  undoFields(call: { readonly version: number }): AnswerAnswer {
    const root = this.#here();
    if ("arm" in root) return root;
    const undone = fieldsUndone(root, call.version);
    if (undone === root) return { arm: "ok" };
    this.#state.save(undone);
    this.#state.projectDue = true;
    this.#pump();
    return { arm: "ok" };
  }

  /** Somebody's time to answer has passed, or that of a promise: the ledger shows whose turn it is now, and what is late. */
  overdue(): AnswerAnswer {
    const root = this.#here();
    if ("arm" in root) return root;
    this.#state.change(raiseOverdue(root, Date.now()) ?? { ...root, version: root.version + 1 });
    this.#state.projectDue = true;
    this.#pump();
    return { arm: "ok" };
  }

  #here(): Root | Exclude<AnswerAnswer, { arm: "ok" }> {
    const node = this.#state.load();
    if (node.role === "alias") return { arm: "moved", to: node.parent };
    if (node.role !== "root") return { arm: "unknown" };
    return node.erase === undefined ? node : { arm: "busy" };
  }
}
