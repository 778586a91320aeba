/**
 * Fields of a lead of which several systems say different things, where the policy's rule is to ask: each is a question for the field's
 * steward, and the value that stands stays until it is answered. The answer is a signal like any other (`api/field-answers.ts`), so it is
 * merged, split, replayed and erased with the rest. Pure.
 */
import { carriedFields } from "../../connectors/contract.ts";
import { digest } from "../crypto.ts";
import type { FieldVersion } from "../decide/fields/current.ts";
import { ownershipOf } from "../decide/fields/policy.ts";
import { heldOf } from "../decide/fields/said.ts";
import type { Policy } from "../decide/policy.ts";
import type { Root } from "./node.ts";

/** One value among which the steward has to choose. */
export interface FieldOption {
  readonly value: string;
  /** `hubspot`, `salesforce`, or the name of an emitter. */
  readonly system: string;
  /** Epoch ms. */
  readonly at: number;
  readonly version: string;
}

export interface FieldQuestion {
  /** Of the exception that it is: another one whenever somebody says something new. */
  readonly id: string;
  readonly field: string;
  /** Address of whoever is asked. */
  readonly steward: string;
  readonly raised_at: number;
  /** What stands until then, first. */
  readonly options: readonly FieldOption[];
  /** Answered, or overtaken by something newer: with this version of the root. */
  readonly closed_in?: number;
}

export function questionsOf(root: Root): readonly FieldQuestion[] {
  return root.questions ?? [];
}

/** The root with the questions that its fields raise now, and none that they raise no more; the same one where nothing changes. */
export function withFieldQuestions(root: Root, policy: Policy, now: number): Root {
  if (root.erase !== undefined) return root;
  const version = root.version + 1;
  const raised = carriedFields.flatMap((field) => raisedBy(root, policy, field));
  const isRaised = (item: FieldQuestion) => raised.some((question) => isSame(question, item));
  // What is closed is kept until the ledger shows it so, and while it is an answer: of the same words nobody is asked twice.
  const known = questionsOf(root).filter(
    (item) => item.closed_in === undefined || item.closed_in > root.projected.version || isRaised(item),
  );
  const stays = known.map((item) =>
    item.closed_in !== undefined || isRaised(item) ? item : { ...item, closed_in: version },
  );
  const more = raised
    .filter((question) => !known.some((item) => isSame(question, item)))
    .map((question) => ({ ...question, id: `ex_fc_${digest(root.name, question.field, String(version))}` }))
    .map((question) => ({ ...question, raised_at: now }));
  const isChanged = more.length > 0 || stays.some((item, index) => item !== known[index]);
  return isChanged ? { ...root, version, questions: [...stays, ...more] } : root;
}

type Raised = Omit<FieldQuestion, "id" | "raised_at">;

function raisedBy({ lead }: Root, policy: Policy, field: (typeof carriedFields)[number]): Raised[] {
  const ownership = ownershipOf(policy.fields, field);
  const said = lead.fields[field];
  if (ownership?.rule !== "ask" || ownership.steward === undefined || said === undefined) return [];
  const contested = heldOf(ownership, said)?.contested ?? [];
  return contested.length === 0 ? [] : [{ field, steward: ownership.steward, options: contested.map(optionOf) }];
}

function optionOf({ value, system, at, version }: FieldVersion): FieldOption {
  return { value, system, at, version };
}

function isSame(a: Raised, b: Raised): boolean {
  const versions = ({ options }: Raised) => options.map(({ version }) => version).join();
  return a.field === b.field && versions(a) === versions(b);
}

/**
 * Of two states of one person, which is in this version: all of both. What is none any more for both of them is closed when they are
 * looked at. Both may hold one question: a sealed root whose transfer was not acknowledged sends its old state to a third one, before the
 * state of the one that had taken it in arrives there. Closed is further than open.
 */
export function joinQuestions(a: Root, b: Root, version: number): Pick<Root, "questions"> {
  const all = new Map<string, FieldQuestion>();
  for (const item of [...questionsOf(a), ...questionsOf(b)])
    if (all.get(item.id)?.closed_in === undefined) all.set(item.id, item);
  // What the ledger has seen of them is not known here.
  const shownAgain = (item: FieldQuestion) => (item.closed_in === undefined ? item : { ...item, closed_in: version });
  return all.size === 0 ? {} : { questions: [...all.values()].map(shownAgain) };
}

/** Of somebody who is to be erased: nobody is asked any more, and no value stays. */
export function closedQuestions(root: Root, version: number): Pick<Root, "questions"> {
  const all = questionsOf(root);
  return all.length === 0 ? {} : { questions: all.map((item) => ({ ...item, options: [], closed_in: version })) };
}
