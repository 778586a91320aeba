/** What somebody needs to see who must say whether two leads are one person: both side by side, and why it is asked. Pure. */
import { kindRuleOf, type Policy } from "../decide/policy.ts";
import { scoreOf } from "../decide/score.ts";
import { conflictId } from "../ledger/rows.ts";
import type { Identifier } from "../model.ts";
import type { IdentityView } from "../objects/identity.ts";
import { displayName, identifierValues } from "../resolve/lead.ts";
import { instantOf, withInstants } from "./instants.ts";

/** Enough to recognise a person by. */
const signalsMax = 10;

/** One of the two leads. */
export function evidenceOf({ root, log }: IdentityView, policy: Policy, now: number) {
  const { lead } = root;
  const latest = log.map((entry) => entry.signal).sort((a, b) => b.occurred_at - a.occurred_at);
  return {
    id: root.name,
    name: displayName(lead),
    emails: identifierValues(lead, "email"),
    identifiers: Object.values(lead.identifiers).map(({ type, value, first_at }) => ({
      type,
      value,
      first_seen: instantOf(first_at),
    })),
    fields: withInstants(lead.fields),
    account: lead.account?.value ?? null,
    score: scoreOf(policy, lead, now).score,
    first_seen: lead.first === null ? null : instantOf(lead.first.at),
    last_seen: lead.last === null ? null : instantOf(lead.last.at),
    signals: latest.slice(0, signalsMax).map(({ kind, emitter, occurred_at }) => ({
      kind,
      emitter,
      occurred_at: instantOf(occurred_at),
      words: kindRuleOf(policy, kind).words,
    })),
    follow_ups: root.follow_ups.map(({ id, play, state, holder, created_at, due_at }) => ({
      id,
      play,
      state,
      holder,
      created_at: instantOf(created_at),
      due_at: instantOf(due_at),
    })),
  };
}

/** The identifier that would have linked them, as long as one of the two still has the question. */
export function identifierOf(exception: string, views: readonly IdentityView[]): Identifier | undefined {
  return views.flatMap(({ root }) => root.apart).find((item) => conflictId(item) === exception)?.identifier;
}

const sentences: Readonly<Record<string, string>> = {
  kept_apart: "A person has said that they are two.",
  too_many_members: "Together they would have more identifiers than one person may have.",
  shared_device:
    "They have only a device or a click in common, which people pass on, and each has e-mail addresses of their own.",
  shared_phone:
    "They have only a phone number in common, which people share, and each has e-mail addresses of their own.",
  other_record: "They have only a record of the CRM in common, and each has e-mail addresses of their own.",
  shared_inbox: "They have only a shared inbox in common (such as info@), and each has e-mail addresses of their own.",
};

/** Why the guard (`resolve/guard.ts`) did not join them, for people. */
export function wordsOfGuard(reason: string): string {
  const [limit, type] = reason.split(":", 2);
  if (limit === "too_many" && type !== undefined)
    return `Together they would have more values of ${type} than the policy lets one person have.`;
  return Object.hasOwn(sentences, reason) ? (sentences[reason] ?? reason) : `They were not joined: ${reason}.`;
}

export function wordsOfLikeness(probability: number): string {
  return `No identifier links them. What is known of both makes them one person with a probability of ${Math.round(probability * 100)} %.`;
}
