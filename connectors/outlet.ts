/** What outlets have in common: nobody owns a message, each travels alone, and nothing is said of a budget. */
import { ok } from "../src/failure.ts";
import type { Command, Destination, Outcome, TaskCommand } from "./contract.ts";

export type Mishap = Exclude<Outcome, { arm: "done" }>;

export const silent = {
  owners: async () => ok([]),
  cost: (commands) => commands.length,
  counts: () => true,
  remaining: () => null,
} satisfies Partial<Destination>;

/** An outlet is told of follow-ups; it keeps no records of people. */
export const notTold: Mishap = { arm: "refused", reason: "not_for_outlets" };

export function isOfTask(command: Command): command is TaskCommand {
  return command.type === "create_task" || command.type === "update_task" || command.type === "close_task";
}

/** Longer than an hour nobody makes us wait. */
const mostMs = 3_600_000;

/** 0 where nothing is said that we understand. */
export function retryAfterMs(headers: Headers): number {
  return Math.min(mostMs, Number(headers.get("retry-after")) * 1000 || 0);
}
