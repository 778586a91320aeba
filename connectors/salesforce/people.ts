/**
 * Pure. Which record a person is in Salesforce: nobody is made twice, and a record that was merged or converted leads to
 * the one that lives on. A Contact is preferred to a Lead, the oldest to a younger one.
 */
import type { CrmPerson } from "../contract.ts";
import { type Fields, text } from "./answers.ts";
import { crmKey, names } from "./requests.ts";

/** One person of a batch, however many tasks are for them. `who` is null while no record is known. */
export interface Someone {
  readonly key: string;
  readonly person: CrmPerson;
  readonly email: string | null;
  who: string | null;
  /** `seek`: look by key and e-mail. `trace`: `who` was refused, follow it. `make`: nobody there, make a Lead. `ready`. */
  state: "seek" | "trace" | "make" | "ready";
  /** Looked for once more already, after what was found had gone. */
  soughtAgain: boolean;
  races: number;
}

/** People are one when the lead is, or the e-mail address: the second of two new leads must find the first one's record. */
export function gather(people: readonly CrmPerson[]): readonly Someone[] {
  const byKey = new Map<string, Someone>();
  const byEmail = new Map<string, Someone>();
  return people.map((person) => {
    const key = crmKey(person.lead);
    const email = emailOf(person);
    const known = byKey.get(key) ?? (email === null ? undefined : byEmail.get(email));
    const someone: Someone = known ?? { key, person, email, who: null, state: "seek", soughtAgain: false, races: 0 };
    if (someone.who === null && person.knownId !== undefined) {
      someone.who = person.knownId;
      someone.state = "ready";
    }
    byKey.set(key, someone);
    if (email !== null) {
      byEmail.set(email, someone);
    }
    return someone;
  });
}

/** The id to use, or null where a Lead has to be made. Rows come oldest first. */
export function choose(someone: Someone, contacts: readonly Fields[], leads: readonly Fields[]): string | null {
  const mine = (row: Fields): boolean => someone.email !== null && text(row.Email)?.toLowerCase() === someone.email;
  const keyed = (row: Fields): boolean => text(row[names.leadKey]) === someone.key;
  const ownContacts = contacts.filter(mine);
  const ownLeads = [...leads.filter(keyed), ...leads.filter((row) => mine(row) && !keyed(row))];
  const candidates = [
    ...ownContacts.filter(isLive).map(idOf),
    ...ownContacts.map(masterOf),
    ...ownLeads.filter(isLive).map(idOf),
    ...ownLeads.map((row) => text(row.ConvertedContactId)),
    ...ownLeads.map(masterOf),
  ];
  return candidates.find((id) => id !== null) ?? null;
}

/** Where a record leads: to itself while it lives, to a contact, to the winner of a merge, or nowhere. */
export function follow(row: Fields | undefined): string | null {
  if (row === undefined) {
    return null;
  }
  return isLive(row) ? idOf(row) : (text(row.ConvertedContactId) ?? masterOf(row));
}

/** As it is compared. Salesforce holds at most 80 characters, so a longer one is nobody's. */
function emailOf(person: CrmPerson): string | null {
  const email = person.email?.trim().toLowerCase() ?? "";
  return email === "" || email.length > 80 ? null : email;
}

export function isContact(id: string): boolean {
  return id.startsWith("003");
}

/** Ids have 15 characters or, with their check, 18. */
export function sameId(left: string, right: string): boolean {
  return left.slice(0, 15) === right.slice(0, 15);
}

function isLive(row: Fields): boolean {
  return row.IsDeleted !== true && row.IsConverted !== true;
}

function idOf(row: Fields): string | null {
  return text(row.Id);
}

function masterOf(row: Fields): string | null {
  return row.IsDeleted === true ? text(row.MasterRecordId) : null;
}
