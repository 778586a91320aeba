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
 * Hot tasks first; then look-ups, because what is unknown may be late already; then what is new on hot tasks; then the rest,
 * made, updated, closed in this order; then sequences, and what records show last of all. Within a phase the order is that of arrival.
 */
export function phasesOf<T extends { readonly action: Action }>(
  items: Iterable<T>,
  circumstances: Circumstances,
): readonly Phase<T>[] {
  const hot = phase<T>("execute", true, "create_task");
  const unknown = phase<T>("resolve", true, "create_task");
  const hotNews = phase<T>("execute", true, "update_task");
  const rest = phase<T>("execute", false, "create_task");
  const news = phase<T>("execute", false, "update_task");
  const closing = phase<T>("execute", false, "close_task");
  const doubted = phase<T>("resolve", false, "enrol");
  const enrolling = phase<T>("execute", false, "enrol");
  const showing = phase<T>("execute", false, "write_record");
  const phaseOf = (action: Action): Phase<T> => {
    if (mustBeLookedUp(action)) return action.command.type === "enrol" ? doubted : unknown;
    switch (action.command.type) {
      case "create_task":
        return action.hot ? hot : rest;
      case "update_task":
        return action.hot ? hotNews : news;
      case "close_task":
        return closing;
      case "enrol":
        return enrolling;
      case "write_record":
        return showing;
    }
  };
  for (const item of items) {
    const its = phaseOf(item.action);
    const at = stepAt(item.action, circumstances);
    if (at <= circumstances.now) its.ready.push(item);
    else its.nextAt = Math.min(its.nextAt, at);
  }
  return [hot, unknown, hotNews, rest, news, closing, doubted, enrolling, showing];
}

function phase<T>(work: Phase<T>["work"], hot: boolean, type: Phase<T>["type"]): Phase<T> {
  return { work, hot, type, ready: [], nextAt: Number.POSITIVE_INFINITY };
}
