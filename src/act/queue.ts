/** What of an account's actions may leave now, by what must happen to it, most urgent first. Pure. */
import { type Action, type Circumstances, mustBeLookedUp, stepAt } from "./exactly-once.ts";

export interface Phase<T> {
  readonly work: "execute" | "resolve";
  readonly hot: boolean;
  readonly type: Action["command"]["type"];
  readonly ready: T[];
  /** When the first of those that are not ready will be; infinity when there are none. */
  nextAt: number;
}

/**
 * Hot actions first; then look-ups, because what is unknown may be late already; then the rest; then tasks to be closed.
 * Within a phase the order is that of arrival.
 */
export function phasesOf<T extends { readonly action: Action }>(
  items: Iterable<T>,
  circumstances: Circumstances,
): readonly Phase<T>[] {
  const hot = phase<T>("execute", true, "create_task");
  const unknown = phase<T>("resolve", true, "create_task");
  const rest = phase<T>("execute", false, "create_task");
  const closing = phase<T>("execute", false, "close_task");
  for (const item of items) {
    const { action } = item;
    const making = action.hot ? hot : rest;
    const its = mustBeLookedUp(action) ? unknown : action.command.type === "close_task" ? closing : making;
    const at = stepAt(action, circumstances);
    if (at <= circumstances.now) its.ready.push(item);
    else its.nextAt = Math.min(its.nextAt, at);
  }
  return [hot, unknown, rest, closing];
}

function phase<T>(work: Phase<T>["work"], hot: boolean, type: Phase<T>["type"]): Phase<T> {
  return { work, hot, type, ready: [], nextAt: Number.POSITIVE_INFINITY };
}
