/** From what is known of a person to the card that a seller sees on their record. Pure. */
import { instantOf } from "../api/instants.ts";
import { kindRuleOf, type Policy } from "../decide/policy.ts";
import type { CrmName } from "../model.ts";
import { displayName, emailOf, identifierValues, lifecycleOf } from "../resolve/lead.ts";
import { type LogEntry, ownLead, peopleOf, type Root } from "../resolve/node.ts";
import { tieId } from "../resolve/ties.ts";
import { buttonsOf } from "./buttons.ts";
import type { Card, ReadyCard } from "./document.ts";
import { followUpToShow, storyOf } from "./story.ts";
import { nameOf } from "./words.ts";

/** Somebody else, as the ledger shows them. */
export interface Neighbour {
  readonly lead: string;
  readonly name: string;
  readonly email: string | null;
  readonly job_title: string | null;
  readonly score: number;
  readonly open: boolean;
  /** Id of their record in this CRM; null where Baton does not know it. */
  readonly record: string | null;
}

export interface Duplicate extends Omit<Neighbour, "score" | "open"> {
  readonly because: string;
  readonly exception: string;
}

export interface CardFacts {
  readonly root: Root;
  readonly log: readonly LogEntry[];
  readonly policy: Policy;
  /** Epoch ms. */
  readonly now: number;
  /** Address. */
  readonly viewer: string;
  readonly crm: CrmName;
  /** Page of a person's record in this CRM, with `{person}`; null where it is not known. */
  readonly recordUrl: string | null;
  readonly duplicates: readonly Duplicate[];
  readonly related: readonly Neighbour[];
  /** Addresses. */
  readonly colleagues: readonly string[];
}

const relatedMax = 10;

export function cardOf(facts: CardFacts): ReadyCard {
  const { root, policy, now, viewer, duplicates, related } = facts;
  const lead = ownLead(root);
  const followUp = followUpToShow(root);
  const urlOf = (record: string | null) => urlFor(facts.recordUrl, record);
  const links = linksOf(root);
  const colleagues = facts.colleagues.filter((address) => address !== followUp?.holder);
  return {
    state: "ready",
    lead: {
      lead: root.name,
      name: displayName(lead),
      email: emailOf(lead) ?? null,
      job_title: lead.fields.job_title?.value ?? null,
      record_url: urlOf(recordOf(root, facts.crm)),
      company: lead.fields.company?.value ?? lead.account?.value.name ?? null,
      lifecycle_state: lifecycleOf(root.lead, (kind) => kindRuleOf(policy, kind).lifecycle),
    },
    ...storyOf(facts, policy, now),
    duplicates: duplicates.map(({ record, ...item }) => ({ ...item, record_url: urlOf(record) })),
    related: related
      .slice(0, relatedMax)
      .map(({ record, open, ...item }) => ({ ...item, open_follow_up: open, record_url: urlOf(record) })),
    buttons: [
      ...buttonsOf({
        followUp,
        viewer,
        duplicates: duplicates.length,
        links: links.length,
        colleagues: colleagues.length,
      }),
    ],
    colleagues: colleagues.map((email) => ({ email, name: nameOf(email) })),
    links: [...links],
    viewer,
    made_at: instantOf(now),
  };
}

export function emptyCard(viewer: string, text: string, now: number): Card {
  return { state: "empty", text, viewer, made_at: instantOf(now) };
}

/** Id of the person's record in this CRM: of the latest receipt, else as the CRM's own signals tell. */
export function recordOf(root: Root, crm: CrmName): string | null {
  const types = crm === "hubspot" ? ["hubspot_contact_id"] : ["salesforce_contact_id", "salesforce_lead_id"];
  const told = types.flatMap((type) => identifierValues(root.lead, type));
  return peopleOf(root)[crm] ?? told[0] ?? null;
}

function urlFor(template: string | null, record: string | null): string | null {
  if (template === null || record === null) return null;
  const url = template.replaceAll("{person}", () => encodeURIComponent(record));
  return URL.canParse(url) ? url : null;
}

const linksMax = 20;

/** The record of a receipt is no join of two people, and nobody looks for it here. Latest first. */
function linksOf(root: Root): ReadyCard["links"] {
  return root.ties
    .filter(({ authority }) => authority.type !== "receipt")
    .sort((a, b) => b.at - a.at)
    .slice(0, linksMax)
    .map((tie) => ({ id: tieId(tie), what: whatOf(tie.over.type, tie.over.value, tie.loser), at: instantOf(tie.at) }));
}

function whatOf(type: string, value: string, loser: string | undefined): string {
  if (type === "person") return "Joined by a person";
  const words = type.replaceAll("_", " ");
  const over = value === "" ? words : `${words} ${value}`;
  return loser === undefined ? `Known by ${over}` : `Joined with another lead over ${over}`;
}
