/**
 * What of a lead is compared with other leads. Only what a person could have typed differently a second time; identifiers
 * that link by themselves are not among it, for whoever shares one is one person already. Pure.
 */
import type { Field, LikenessRecord } from "./table.ts";

/** In the order of the evaluation's contacts (`test/eval/corruptor.ts`), whose fields these are as far as leads have them. */
export const leadLikenessFields: readonly Field[] = [
  { name: "first_name", kind: "given_name" },
  { name: "last_name", kind: "family_name", swapsWith: "first_name" },
  { name: "company", kind: "text" },
  { name: "domain", kind: "domain" },
  { name: "mailbox", kind: "text" },
  { name: "phone", kind: "phone" },
  { name: "job_title", kind: "text" },
  { name: "country", kind: "category" },
];

/** The columns that are read of a lead's row and its document. */
export interface LeadText {
  readonly id: string;
  readonly email: string | null;
  readonly first_name: string | null;
  readonly last_name: string | null;
  readonly company: string | null;
  readonly account_name: string | null;
  readonly account_domain: string | null;
  readonly website: string | null;
  readonly phone: string | null;
  readonly job_title: string | null;
  readonly country: string | null;
}

/** What the policy says about addresses. */
export interface AddressRules {
  /** Local parts that are an inbox of several people. */
  readonly roleAccounts: ReadonlySet<string>;
  /** Domains that are no company's. */
  readonly freeMail: ReadonlySet<string>;
}

export function recordOf(lead: LeadText, rules: AddressRules): LikenessRecord {
  const mailbox = mailboxOf(lead.email, rules);
  const spelled = lead.first_name === null && lead.last_name === null ? namesIn(mailbox) : null;
  const [first_name, last_name] = spelled ?? [lead.first_name, lead.last_name];
  return {
    id: lead.id,
    values: {
      first_name,
      last_name,
      company: lead.company ?? lead.account_name,
      domain: domainOf(lead, rules),
      // What the names say already would count twice: two strangers called John Smith are both john.smith at their firms.
      mailbox: mailbox !== null && spells(mailbox, first_name, last_name) ? null : mailbox,
      phone: lead.phone,
      job_title: lead.job_title,
      country: lead.country,
    },
  };
}

/**
 * Whether there is anything to compare: without a family name and without a mailbox of its own, a lead would be like every
 * colleague.
 */
export function isComparable({ values }: LikenessRecord): boolean {
  return Boolean(values.last_name) || Boolean(values.mailbox) || Boolean(values.first_name && values.phone);
}

/** The part before the @ without a plus tag; null for an inbox of several people. */
function mailboxOf(email: string | null, { roleAccounts }: AddressRules): string | null {
  const [local = ""] = (email ?? "").toLowerCase().split("@");
  const [mailbox = ""] = local.split("+");
  return mailbox === "" || roleAccounts.has(mailbox) ? null : mailbox;
}

/** `ada.lovelace` names its owner where nobody else did. Two words of letters only: anything else may be no name. */
function namesIn(mailbox: string | null): readonly [string, string] | null {
  const words = /^(\p{L}{2,})[._-](\p{L}{2,})$/u.exec(mailbox ?? "");
  return words?.[1] === undefined || words[2] === undefined ? null : [words[1], words[2]];
}

/** The firm's domain: as the account says, as the website says, or of the address unless that is a free mailbox. */
function domainOf({ email, account_domain, website }: LeadText, { freeMail }: AddressRules): string | null {
  const address = (email ?? "").toLowerCase().split("@")[1] ?? "";
  const site = /^(?:[a-z]+:\/\/)?(?:www\.)?([^/:?#\s]+\.[^/:?#\s]+)/.exec((website ?? "").toLowerCase())?.[1] ?? "";
  const own = [account_domain ?? "", site, address].find((domain) => domain !== "" && !freeMail.has(domain));
  return own ?? null;
}

/** Whether a mailbox is only a way to write these names: ada, lovelace, alovelace, ada.l, lovelace-ada, al. */
function spells(mailbox: string, first: string | null, last: string | null): boolean {
  const [given, family, written] = [letters(first), letters(last), letters(mailbox)];
  if (written === "") return false;
  const [g, f] = [given.slice(0, 1), family.slice(0, 1)];
  const ways = [given, family, given + family, family + given, g + family, family + g, given + f, f + given, g + f];
  return ways.includes(written);
}

function letters(text: string | null): string {
  return (text ?? "")
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^\p{L}]/gu, "");
}
