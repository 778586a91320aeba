/**
 * `enrol`: a lead or contact is put into a cadence (Sales Engagement), once. The action takes no key, so the trackers of that person are read
 * before anything is sent, and again whenever Salesforce refuses or nobody knows.
 *
 * Documented (Actions Developer Guide, "Sales Engagement Actions", and Object Reference, `ActionCadenceTracker`, read in November 2026): POST
 * `assignTargetToSalesCadence` with `{inputs: [{salesCadenceNameOrId, targetId, userId}]}` answers `[{isSuccess, errors, …}]`; a tracker is made for
 * each target and has `ActionCadenceId`, `TargetId` and `State` (`Complete` when it is over). UNSURE: which code a refusal carries, and whether a target
 * that is in the cadence already is refused at all. So a refusal's words are not relied on: the second look is.
 */
import { fail, ok, type Result } from "../../src/failure.ts";
import type { CrmSession, EnrolCommand, Outcome, Resolution } from "../contract.ts";
import { type Fields, isFields, text } from "./answers.ts";
import { Conversation } from "./client.ts";
import { enrolCost } from "./cost.ts";
import { type Failed, settle } from "./errors.ts";
import { sameId } from "./people.ts";
import { readAll, readQueryRows } from "./read.ts";
import { assignToCadence, soql } from "./requests.ts";

export async function enrolPeople(session: CrmSession, commands: readonly EnrolCommand[]): Promise<readonly Outcome[]> {
  const conversation = new Conversation(session, enrolCost(commands));
  const found = await look(conversation, commands);
  if (!found.ok) {
    return commands.map(() => found.failure);
  }
  const outcomes: Outcome[] = [];
  for (const command of commands) {
    const tracker = theirs(command, found.value);
    outcomes.push(tracker === null ? await enrolOne(conversation, command) : enrolled(command, tracker, false));
  }
  return outcomes;
}

export async function findEnrolments(
  session: CrmSession,
  commands: readonly EnrolCommand[],
): Promise<ReadonlyMap<string, Resolution>> {
  const found = await look(new Conversation(session, enrolCost(commands)), commands);
  return new Map(
    commands.map((command): [string, Resolution] => {
      const tracker = found.ok ? theirs(command, found.value) : null;
      if (!found.ok) {
        return [command.key, found.failure];
      }
      return [
        command.key,
        tracker === null ? { arm: "absent" } : { arm: "found", taskId: tracker, personId: command.personId },
      ];
    }),
  );
}

async function enrolOne(conversation: Conversation, command: EnrolCommand): Promise<Outcome> {
  const { personId, sequence, ownerId } = command;
  // Without a user it would be the integration user's own cadence, which nobody works.
  if (ownerId === undefined) {
    return { arm: "refused", reason: "sender_unknown" };
  }
  const answer = await conversation.ask(assignToCadence(sequence, personId, ownerId));
  if (answer.arm === "answered") {
    const [result] = Array.isArray(answer.body) ? answer.body : [];
    if (!isFields(result) || typeof result.isSuccess !== "boolean") {
      return { arm: "unknown", reason: "answer_unreadable" };
    }
    if (result.isSuccess) {
      // The answer names no tracker: who looks for it finds it by person and cadence.
      return enrolled(command, `${personId}/${sequence}`, true);
    }
  }
  const refusal: Failed = answer.arm === "answered" ? { arm: "refused", reason: "not_assigned" } : settled(answer);
  if (refusal.arm !== "refused") {
    return refusal;
  }
  const after = await look(conversation, [command]);
  if (!after.ok) {
    return after.failure;
  }
  const tracker = theirs(command, after.value);
  return tracker === null ? refusal : enrolled(command, tracker, false);
}

interface Seen {
  readonly trackers: readonly Fields[];
  /** Cadences that were named, by name. */
  readonly cadences: readonly Fields[];
}

async function look(conversation: Conversation, commands: readonly EnrolCommand[]): Promise<Result<Seen, Failed>> {
  const people = [...new Set(commands.map(({ personId }) => personId))];
  const named = [...new Set(commands.map(({ sequence }) => sequence))].filter((name) => !isId(name));
  const trackers = await readAll(conversation, { trackers: soql.cadenceTrackers(people) });
  const cadences = named.length === 0 ? ok([]) : await readQueryRows(conversation, soql.cadencesNamed(named));
  if (!trackers.ok) {
    return fail(harmless(trackers.failure));
  }
  return cadences.ok
    ? ok({ trackers: trackers.value.get("trackers") ?? [], cadences: cadences.value })
    : fail(harmless(cadences.failure));
}

/** Id of the tracker: one that runs still, or that began since the follow-up was opened. */
function theirs({ personId, sequence, since }: EnrolCommand, { trackers, cadences }: Seen): string | null {
  const ids = isId(sequence)
    ? [sequence]
    : cadences.filter(({ Name }) => Name === sequence).map(({ Id }) => String(Id));
  const found = trackers.find(
    ({ TargetId, ActionCadenceId, State, CreatedDate }) =>
      sameId(String(TargetId), personId) &&
      ids.some((id) => sameId(id, String(ActionCadenceId))) &&
      (State !== "Complete" || Date.parse(String(CreatedDate)) >= since - clockSkewMs),
  );
  return text(found?.Id);
}

function settled(answer: Parameters<typeof settle>[0]): Failed {
  // As a task's write: what is not known must be looked up.
  return harmless(settle(answer, "task", ""));
}

/** Where Sales Engagement is not licensed, or its objects are not to be seen, cadences stop, and never the org's tasks. */
function harmless(failure: Failed): Failed {
  if (failure.arm !== "blocked") {
    return failure;
  }
  const isAboutCadences = failure.reason === "field_access_missing" || failure.reason === "package_missing";
  return isAboutCadences ? { arm: "refused", reason: "cadences_not_available" } : failure;
}

function enrolled({ personId }: EnrolCommand, id: string, created: boolean): Outcome {
  return { arm: "done", taskId: id, personId, created };
}

function isId(name: string): boolean {
  return /^[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?$/.test(name) && /\d/.test(name);
}

const clockSkewMs = 5 * 60_000;
