/** What comes late must not stand over what was shown on a record since. In memory: whoever asks says when it was found out. */
import type { Command, RecordCommand } from "../../connectors/contract.ts";
import { recordFreshMs } from "../limits.ts";

/** Records of which it is remembered when what they show was found out. */
const shownMax = 2_000;

export class ShownOrder {
  readonly #shownAt = new Map<string, number>();
  /** From before this nobody here knows what was shown. */
  readonly #begunAt = Date.now();

  /** It may be from before what is forgotten: asked for again, it is of now. */
  isStale({ at }: RecordCommand): boolean {
    return at < Math.max(this.#begunAt, Date.now() - recordFreshMs);
  }

  /** False for what was found out before something that is shown already, waits, or is under way for the same record. */
  isNewest({ personId, at }: RecordCommand, waiting: Iterable<Command>): boolean {
    if ((this.#shownAt.get(personId) ?? 0) > at) return false;
    for (const command of waiting) if (isOlder({ personId, at }, command)) return false;
    return true;
  }

  remember(command: Command): void {
    if (command.type !== "write_record") return;
    this.#shownAt.delete(command.personId);
    this.#shownAt.set(command.personId, command.at);
    if (this.#shownAt.size > shownMax) this.#shownAt.delete(this.#shownAt.keys().next().value ?? "");
  }
}

/** Whether a write of that record is older than this one. */
export function isOlder({ personId, at }: Pick<RecordCommand, "personId" | "at">, than: Command): boolean {
  return than.type === "write_record" && than.personId === personId && than.at > at;
}
