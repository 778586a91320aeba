/** Pure. The most requests a call may send; it stops there, so the account can take them from its budget first. */
import type { Command, EnrolCommand, RecordCommand } from "../contract.ts";

export type CreateTask = Extract<Command, { type: "create_task" }>;
export type UpdateTask = Extract<Command, { type: "update_task" }>;
export type CloseTask = Extract<Command, { type: "close_task" }>;

export function isCreate(command: Command): command is CreateTask {
  return command.type === "create_task";
}

export function isUpdate(command: Command): command is UpdateTask {
  return command.type === "update_task";
}

export function isClose(command: Command): command is CloseTask {
  return command.type === "close_task";
}

export function isRecord(command: Command): command is RecordCommand {
  return command.type === "write_record";
}

export function isEnrol(command: Command): command is EnrolCommand {
  return command.type === "enrol";
}

/** A look of two requests at all of them; for each one the enrolment, and two more where it is refused. */
export function enrolCost(commands: readonly EnrolCommand[]): number {
  return 2 + 3 * commands.length;
}

/**
 * Usually 1 for a known person, 2 for a new one, 3 for a batch. The rest is for repairs (a merged person, a race, an
 * inactive owner) and for halving a refused batch down to its one bad row, which takes two requests a level.
 */
export function createCost(commands: readonly CreateTask[]): number {
  const known = commands.every((command) => command.person.knownId !== undefined);
  return commands.length === 1 ? (known ? 5 : 7) : 6 + halving(commands.length);
}

/** One look and one write, and two more where the org takes neither our owner nor our word for a priority. */
export function updateCost(commands: readonly UpdateTask[]): number {
  return 4 + halving(commands.length);
}

/** One look and one write. */
export function closeCost(commands: readonly CloseTask[]): number {
  return 2 + halving(commands.length);
}

/** Usually one look and one write. Two looks more where a person was merged or converted, and three where fields are missing. */
export function recordCost(commands: readonly RecordCommand[]): number {
  return 7 + halving(commands.length);
}

export function requestsFor(commands: readonly Command[]): number {
  const creates = commands.filter(isCreate);
  const updates = commands.filter(isUpdate);
  const closes = commands.filter(isClose);
  const records = commands.filter(isRecord);
  const enrolments = commands.filter(isEnrol);
  return (
    (creates.length === 0 ? 0 : createCost(creates)) +
    (updates.length === 0 ? 0 : updateCost(updates)) +
    (closes.length === 0 ? 0 : closeCost(closes)) +
    (records.length === 0 ? 0 : recordCost(records)) +
    (enrolments.length === 0 ? 0 : enrolCost(enrolments))
  );
}

function halving(rows: number): number {
  return rows < 2 ? 0 : 2 * Math.ceil(Math.log2(rows));
}
