/**
 * `enrol`: a contact is put into a sequence, once. HubSpot takes no key for it and keeps no unenrolment in its API (CRM-FACTS §1.6), so what
 * leaves cannot be taken back: the contact's enrolment is read before anything is sent, and again whenever HubSpot refuses or nobody knows.
 *
 * What is documented (sequences API, latest, read in November 2026): POST `…/enrollments?userId=` with `{contactId, sequenceId, senderEmail}`
 * answers `{id, enrolledAt, toEmail, updatedAt}`; GET `…/enrollments/contact/{id}` gives one enrolment; the user needs a Sales or Service Hub seat.
 * UNSURE: what GET says of somebody who is in none (404 and nothing at all are both taken for it), whether it still shows one that has ended, how
 * soon it shows a new one, and in which words a refusal names its reason. So a refusal's words are not relied on: the second look is.
 */
import type { EnrolCommand, Outcome, Resolution } from "../contract.ts";
import type { Enrolment, HubspotClient } from "./client.ts";
import type { Mishap, Refusal } from "./errors.ts";

/** One after the other: each is a chain of requests, and few leave at a time. */
export async function enrolContacts(client: HubspotClient, commands: readonly EnrolCommand[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const command of commands) outcomes.push(await enrolOne(client, command));
  return outcomes;
}

export async function findEnrolments(
  client: HubspotClient,
  commands: readonly EnrolCommand[],
): Promise<Map<string, Resolution>> {
  const found = new Map<string, Resolution>();
  for (const command of commands) {
    const seen = await look(client, command);
    if (seen.arm === "mishap") found.set(command.key, seen.outcome);
    else if (isTheirs(seen.enrolment, command))
      found.set(command.key, { arm: "found", taskId: seen.enrolment.id, personId: command.personId });
    else found.set(command.key, { arm: "absent" });
  }
  return found;
}

async function enrolOne(client: HubspotClient, command: EnrolCommand): Promise<Outcome> {
  const { personId, sequence, sender } = command;
  const before = await look(client, command);
  if (before.arm === "mishap") return before.outcome;
  if (isTheirs(before.enrolment, command)) return enrolled(command, before.enrolment.id, false);
  const user = await client.userIdOf(sender);
  if (!user.ok) return harmless(user.failure);
  if (user.value === null) return { arm: "refused", reason: "sender_unknown" };
  const reply = await client.enrolContact(user.value, {
    contactId: personId,
    sequenceId: sequence,
    senderEmail: sender,
  });
  if (reply.ok) {
    // A 2xx is no receipt until its body names the enrolment.
    const { id } = reply.value;
    return id === undefined ? { arm: "unknown", reason: "unclear_answer" } : enrolled(command, String(id), true);
  }
  if (reply.failure.outcome.arm !== "refused") return harmless(reply.failure);
  const after = await look(client, command);
  // Refused for what nobody could read: once more later, which is harmless, for it was refused.
  if (after.arm === "mishap") return after.outcome;
  if (after.enrolment?.sequenceId === sequence) return enrolled(command, after.enrolment.id, false);
  return after.enrolment === null
    ? reply.failure.outcome
    : { ...reply.failure.outcome, reason: "already_in_a_sequence" };
}

type Seen =
  | { readonly arm: "seen"; readonly enrolment: Enrolment | null }
  | { readonly arm: "mishap"; readonly outcome: Mishap };

async function look(client: HubspotClient, { personId }: EnrolCommand): Promise<Seen> {
  const reply = await client.enrolmentOf(personId);
  if (reply.ok) return { arm: "seen", enrolment: reply.value };
  if (reply.failure.status === 404) return { arm: "seen", enrolment: null };
  return { arm: "mishap", outcome: harmless(reply.failure) };
}

/** Since the follow-up was opened: an older one may have ended long ago, and HubSpot itself knows whether it has. */
function isTheirs(enrolment: Enrolment | null, { sequence, since }: EnrolCommand): enrolment is Enrolment {
  return enrolment !== null && enrolment.sequenceId === sequence && enrolment.enrolledAt >= since - clockSkewMs;
}

function enrolled({ personId }: EnrolCommand, id: string, created: boolean): Outcome {
  return { arm: "done", taskId: id, personId, created };
}

/** A scope, a seat or a hub that is missing stops sequences, and never the account's tasks. */
function harmless({ outcome }: Refusal): Mishap {
  return outcome.arm === "blocked" ? { ...outcome, arm: "refused", reason: `sequences_${outcome.reason}` } : outcome;
}

const clockSkewMs = 5 * 60_000;
