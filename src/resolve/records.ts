/**
 * The records that a CRM keeps of this person, as its receipts name them: each becomes an identifier of the person, so that
 * whatever is asked or told about the record reaches them without a search. Such a link is the weakest of all: it takes a node
 * that nobody has, or joins with somebody of whom nothing but the record is known, and is dropped without a question
 * otherwise (`guard.ts`). Pure.
 */
import type { Identifier, TargetName } from "../model.ts";
import { normaliseIdentifier } from "../translate/normalise.ts";
import type { ActionRecord, FollowUpRecord, LinkTodo, Root, Target } from "./node.ts";
import { isCrm } from "./targets.ts";

/** CRM-FACTS §2: the first three characters of a Salesforce id say what it is of. */
const salesforceTypes: Readonly<Record<string, string>> = {
  "00Q": "salesforce_lead_id",
  "003": "salesforce_contact_id",
};

/** The identifier that this record is; null where it is none of a person, as for what an outlet was told. */
export function recordIdentifier(crm: TargetName, id: string): Identifier | null {
  if (!isCrm(crm)) return null;
  const type = crm === "hubspot" ? "hubspot_contact_id" : salesforceTypes[id.slice(0, 3)];
  return type === undefined ? null : (normaliseIdentifier({ type, value: id }) ?? null);
}

export interface UnknownRecord {
  readonly followUp: FollowUpRecord;
  readonly action: ActionRecord;
}

/** Receipts whose record was not looked at yet. */
export function unknownRecords(root: Root): readonly UnknownRecord[] {
  return root.follow_ups.flatMap((followUp) =>
    followUp.actions
      .filter(({ receipt, recorded }) => receipt !== undefined && receipt.person_id !== "" && recorded !== true)
      .map((action) => ({ followUp, action })),
  );
}

/**
 * Ids of HubSpot's contacts count within one account: with two of them connected the same number is two people, and no link is
 * made. Salesforce's are unique everywhere.
 */
export function isUnambiguous(crm: TargetName, targets: readonly Target[]): boolean {
  return crm === "salesforce" || targets.filter((target) => target.crm === crm).length <= 1;
}

/** The link to this record is owed, unless it is made, or was refused; null: there is nothing to link. */
export function recorded(root: Root, key: string, link: LinkTodo | null): Root {
  const follow_ups = root.follow_ups.map((item) =>
    item.actions.some((action) => action.key === key)
      ? { ...item, actions: item.actions.map((one) => (one.key === key ? { ...one, recorded: true as const } : one)) }
      : item,
  );
  const isKnown =
    link === null ||
    link.node === root.name ||
    root.members.includes(link.node) ||
    [...root.apart, ...root.links].some(({ node }) => node === link.node);
  return { ...root, version: root.version + 1, follow_ups, links: isKnown ? root.links : [...root.links, link] };
}

/** The record is somebody else's, or nobody knows: links that others ask for stay owed. */
export function unlinked(root: Root, node: string): Root {
  const links = root.links.filter((link) => link.node !== node || link.authority.type !== "receipt");
  return links.length === root.links.length ? root : { ...root, version: root.version + 1, links };
}
