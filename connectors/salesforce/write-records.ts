/**
 * `write_record`: reads our own fields of leads and contacts and those that the policy shares with us, then writes those that say something else.
 * A write of collections takes no condition, so what a person types into one of *these* between the two is lost; no other field is ever
 * written (G9).
 *
 * Reading and writing may be repeated, so it is never `unknown`. A record that was merged or converted is followed. Where the package is
 * older than we are, its org lacks some of our fields: those are left, and nothing stops for it.
 */
import { ok, type Result } from "../../src/failure.ts";
import {
  type CrmSession,
  type Outcome,
  ownFields,
  type RecordCommand,
  type RecordField,
  recordFields,
} from "../contract.ts";
import { type Fields, isFields, text } from "./answers.ts";
import { Conversation } from "./client.ts";
import { recordCost } from "./cost.ts";
import { delaysMs, type Failed, judge, refuse } from "./errors.ts";
import { follow, isContact, sameId } from "./people.ts";
import { readAll } from "./read.ts";
import { crmValue, fieldsOn, holds, recordFieldsOf } from "./record-fields.ts";
import { describe, type Person, soql, type Values } from "./requests.ts";
import { updateRecords, type Written } from "./rows.ts";

/** Fields that the org has, by object. */
type Known = Readonly<Record<Person, readonly RecordField[]>>;

interface Job {
  readonly command: RecordCommand;
  readonly type: Person;
  readonly id: string;
  readonly values: Values;
  readonly left: readonly RecordField[];
}

export async function writeRecords(
  session: CrmSession,
  commands: readonly RecordCommand[],
): Promise<readonly Outcome[]> {
  const conversation = new Conversation(session, recordCost(commands));
  const found = await read(conversation, commands);
  if (!found.ok) {
    return commands.map(() => found.failure);
  }
  const { rows, known } = found.value;
  const planned = commands.map((command) => plan(command, rows, known));
  const jobs = planned.filter((item): item is Job => "values" in item);
  // One record stands once in a request: the second has its turn later.
  const first = jobs.filter((job, index) => jobs.findIndex((other) => sameId(other.id, job.id)) === index);
  const due = first.filter(({ values }) => Object.keys(values).length > 0);
  const written = await updateRecords(conversation, due);
  return planned.map((item) => {
    if (!("values" in item)) {
      return item;
    }
    if (!first.includes(item)) {
      return deferred("same_record");
    }
    return due.includes(item) ? outcomeOf(item, written[due.indexOf(item)]) : done(item);
  });
}

/** The records by id, those that they lead to among them. */
async function read(
  conversation: Conversation,
  commands: readonly RecordCommand[],
): Promise<Result<{ readonly rows: readonly Fields[]; readonly known: Known }, Failed>> {
  const ids = commands.map(({ personId }) => personId);
  // An org may hide fields that nobody asks us to write.
  const isWanted = (field: RecordField) => commands.some(({ values }) => values[field] !== undefined);
  let known: Known = { Lead: fieldsOn("Lead").filter(isWanted), Contact: fieldsOn("Contact").filter(isWanted) };
  let first = await readAll(conversation, queriesFor(ids, known));
  if (!first.ok && first.failure.arm === "blocked" && isAboutFields(first.failure.reason)) {
    known = { Lead: await fieldsOf(conversation, "Lead"), Contact: await fieldsOf(conversation, "Contact") };
    first = await readAll(conversation, queriesFor(ids, known));
  }
  if (!first.ok) {
    const { failure } = first;
    return failure.arm === "blocked" && isAboutFields(failure.reason) ? { ok: false, failure: packageMissing } : first;
  }
  const rows = [...first.value.values()].flat();
  const next = rows.flatMap((row) => follow(row) ?? []).filter((id) => !rows.some((row) => sameId(String(row.Id), id)));
  if (next.length === 0) {
    return ok({ rows, known });
  }
  const second = await readAll(conversation, queriesFor(next, known));
  return second.ok ? ok({ rows: [...rows, ...[...second.value.values()].flat()], known }) : second;
}

function queriesFor(ids: readonly string[], known: Known): Readonly<Record<string, string>> {
  const of = (type: Person) => {
    const mine = ids.filter((id) => isContact(id) === (type === "Contact"));
    const names = known[type].map((field) => recordFieldsOf[field].name);
    return mine.length === 0 ? {} : { [type.toLowerCase()]: soql.peopleShown(type, mine, names) };
  };
  return { ...of("Lead"), ...of("Contact") };
}

/** Those of our fields that the org has and lets us write; none where it does not say. */
async function fieldsOf(conversation: Conversation, type: Person): Promise<readonly RecordField[]> {
  const answer = await conversation.ask(describe(type));
  const there =
    answer.arm === "answered" && isFields(answer.body) && Array.isArray(answer.body.fields)
      ? answer.body.fields.filter(isFields)
      : [];
  return fieldsOn(type).filter((field) =>
    there.some(({ name, updateable }) => name === recordFieldsOf[field].name && updateable === true),
  );
}

/** What is to be written, or the outcome where nothing can be. */
function plan(command: RecordCommand, rows: readonly Fields[], known: Known): Job | Outcome {
  const rowOf = (id: string | null) =>
    id === null ? undefined : rows.find((row) => typeof row.Id === "string" && sameId(row.Id, id));
  const next = follow(rowOf(command.personId));
  const row = rowOf(next);
  const id = text(row?.Id);
  // A second merge on the way is followed by the next look at it, when our identity knows the new id.
  if (row === undefined || id === null || follow(row) === null || !sameId(follow(row) ?? "", id)) {
    return personGone;
  }
  const type: Person = isContact(id) ? "Contact" : "Lead";
  if (isPackageMissing(command, known[type])) {
    return packageMissing;
  }
  const values: Record<string, string | number | null> = {};
  const left: RecordField[] = [];
  for (const field of recordFields) {
    const wanted = command.values[field];
    if (wanted === undefined) {
      continue;
    }
    const { name } = recordFieldsOf[field];
    if (!known[type].includes(field)) {
      left.push(field);
    } else if (!holds(field, row[name], wanted.value)) {
      if (wanted.ours !== undefined && !wanted.ours.some((one) => holds(field, row[name], one))) {
        left.push(field);
      } else {
        values[name] = crmValue(field, wanted.value);
      }
    }
  }
  return { command, type, id, values, left };
}

/** None of our own fields is there, and some are to be written. */
function isPackageMissing({ values }: RecordCommand, known: readonly RecordField[]): boolean {
  const wanted = ownFields.filter((field) => values[field] !== undefined);
  return wanted.length > 0 && !wanted.some((field) => known.includes(field));
}

function outcomeOf(job: Job, row: Written | undefined): Outcome {
  if (row === undefined || row.arm === "failed") {
    return row === undefined ? deferred("not_reached") : harmless(row.outcome);
  }
  if (row.arm === "saved") {
    return done(job);
  }
  const verdict = judge(row.error, "lead", job.command.key);
  if (verdict.next === "end") {
    return harmless(verdict.outcome);
  }
  // Merged or converted since we looked: the next look follows it.
  return verdict.next === "trace" ? deferred("moved") : refuse(row.error);
}

/** A field that cannot be written is no reason to stop the tasks. */
function harmless(outcome: Failed): Outcome {
  return outcome.arm === "blocked" && isAboutFields(outcome.reason) ? { ...outcome, arm: "refused" } : outcome;
}

function isAboutFields(reason: string): boolean {
  return reason === "field_access_missing" || reason === "package_missing";
}

function done({ id, left }: Job): Outcome {
  return { arm: "done", taskId: "", personId: id, created: false, left };
}

function deferred(reason: string): Outcome {
  return { arm: "deferred", retryAfterMs: delaysMs.brief, scope: "action", reason };
}

const packageMissing = { arm: "refused", reason: "package_missing" } as const;
const personGone: Outcome = { arm: "refused", reason: "person_gone" };
