/**
 * Whose the record is, and whose the company of a contact is. Every record has an owner there; that of one which Baton's own user made and
 * still owns was nobody's choice, and queues are no people (their ids are in no list of users).
 */
import { ok, type Result } from "../../src/failure.ts";
import type { CrmPerson, CrmSession, RecordOwners } from "../contract.ts";
import { type Fields, text } from "./answers.ts";
import { Conversation } from "./client.ts";
import type { Failed } from "./errors.ts";
import { manifest } from "./manifest.ts";
import { choose, follow, gather, type Someone, sameId } from "./people.ts";
import { readAll } from "./read.ts";
import { soql } from "./requests.ts";

export async function recordOwners(
  session: CrmSession,
  people: readonly CrmPerson[],
): Promise<Result<readonly RecordOwners[], Failed>> {
  const conversation = new Conversation(session, manifest.owned.requestsMax);
  const all = gather(people);
  const some = [...new Set(all)];
  const ids = some.flatMap(({ who }) => who ?? []);
  const emails = some.flatMap(({ email }) => email ?? []);
  const found = await readAll(conversation, {
    ...(ids.length + emails.length === 0 ? {} : { contacts: soql.contactsOwned(ids, emails) }),
    leads: soql.leadsOwned(
      some.map(({ key }) => key),
      ids,
      emails,
    ),
  });
  if (!found.ok) {
    return found;
  }
  const contacts = found.value.get("contacts") ?? [];
  const leads = found.value.get("leads") ?? [];
  const rowOf = (someone: Someone): Fields | undefined => recordOf(someone, contacts, leads);
  const companies = new Set(some.flatMap((someone) => text(rowOf(someone)?.AccountId) ?? []));
  const accounts =
    companies.size === 0
      ? ok(new Map<string, readonly Fields[]>())
      : await readAll(conversation, { accounts: soql.accountsOwned([...companies]) });
  // Without it the record's own owner still counts.
  const companyRows: readonly Fields[] = accounts.ok ? (accounts.value.get("accounts") ?? []) : [];
  return ok(
    all.map((someone) => {
      const row = rowOf(someone);
      const company = companyRows.find(({ Id }) => sameId(String(Id), text(row?.AccountId) ?? ""));
      const [record, account] = [chosen(session, row), chosen(session, company)];
      return { ...(record === null ? {} : { record }), ...(account === null ? {} : { account }) };
    }),
  );
}

/** The record that is known, while it lives; else the one that it has become part of, or that key and address lead to. */
function recordOf(someone: Someone, contacts: readonly Fields[], leads: readonly Fields[]): Fields | undefined {
  const rows = [...contacts, ...leads];
  const byId = (id: string | null) => (id === null ? undefined : rows.find(({ Id }) => sameId(String(Id), id)));
  const isLive = (row: Fields | undefined) => row?.IsDeleted === false && row.IsConverted !== true;
  const known = byId(someone.who);
  if (isLive(known)) {
    return known;
  }
  const live = byId(follow(known)) ?? byId(choose(someone, contacts, leads));
  return isLive(live) ? live : undefined;
}

function chosen({ crmUser }: CrmSession, row: Fields | undefined): string | null {
  const owner = text(row?.OwnerId);
  if (owner === null || crmUser === undefined) {
    return owner;
  }
  return sameId(owner, crmUser) && sameId(String(row?.CreatedById), crmUser) ? null : owner;
}
