/**
 * Sequences and who is in them (CRM-FACTS §1.6; the shapes are those of the published reference). A contact is in one at a time; there is no
 * unenrolment. What HubSpot says in its refusals is a guess: only that they are refusals is documented.
 */
import { type Answer, ApiError, invalid, notFound } from "./answers.ts";
import { type Call, fields, param } from "./twin.ts";

export interface Enrolled {
  readonly id: string;
  readonly contactId: string;
  readonly sequenceId: string;
  readonly senderEmail: string;
  readonly enrolledAt: number;
  active: boolean;
}

export class Sequences {
  readonly ids = new Set(["7001", "7002"]);
  readonly enrolled: Enrolled[] = [];

  clear(): void {
    this.enrolled.length = 0;
  }

  /** Written by whoever enrols, in the app or over the API. */
  add(contactId: string, sequenceId: string, senderEmail: string, at: number): Enrolled {
    const id = String(880_001 + this.enrolled.length);
    const made: Enrolled = { id, contactId, sequenceId, senderEmail, enrolledAt: at, active: true };
    this.enrolled.push(made);
    return made;
  }

  of(contactId: string): Enrolled | undefined {
    return this.enrolled.findLast((one) => one.contactId === contactId);
  }
}

export function enrolmentOf(call: Call): Answer {
  const { sequences, faults } = call.twin;
  const { enrolmentLagMs, notEnrolled, showsEndedEnrolments } = faults.current;
  const found = sequences.of(param(call, "id"));
  const isShown = found !== undefined && found.enrolledAt + enrolmentLagMs <= call.at;
  if (isShown && (found.active || showsEndedEnrolments)) return { status: 200, body: toWire(found) };
  if (notEnrolled === "404") throw notFound("Contact is not enrolled in a sequence");
  return { status: 204 };
}

export function enrol(call: Call): Answer {
  const { sequences, store, account, faults } = call.twin;
  const { contactId, sequenceId, senderEmail } = fields(call.body);
  const userId = Number(call.query.get("userId"));
  const owner = account.owners.find((one) => one.userId === userId && !one.archived);
  if (owner === undefined) throw invalid("userId is not a user of this account");
  if (faults.current.noSequenceSeat) throw new ApiError(403, "FORBIDDEN", "The user has no Sales Hub seat assigned.");
  if (faults.current.senderNotConnected || owner.email !== senderEmail)
    throw invalid("The sender's inbox is not connected");
  if (!sequences.ids.has(String(sequenceId))) throw notFound("Sequence not found");
  const contact = store.live("contacts", String(contactId));
  if (contact === undefined) throw notFound("Contact not found");
  if (sequences.of(contact.id)?.active === true) throw invalid("The contact is already enrolled in a sequence");
  const made = sequences.add(contact.id, String(sequenceId), String(senderEmail), call.at);
  const { enrolledAt, id, toEmail, updatedAt } = toWire(made, contact.properties.email ?? "");
  return { status: 200, body: { enrolledAt, id, toEmail, updatedAt } };
}

function toWire({ id, sequenceId, senderEmail, enrolledAt }: Enrolled, toEmail = "") {
  const at = new Date(enrolledAt).toISOString();
  return {
    id,
    sequenceId,
    sequenceName: `Sequence ${sequenceId}`,
    enrolledAt: at,
    updatedAt: at,
    enrolledBy: "",
    enrolledByEmail: senderEmail,
    toEmail,
  };
}
