/**
 * `write_record`: reads the contacts' properties of ours and those that the policy shares with us, then writes those that say something else, one
 * batch each. HubSpot has no conditional write, so what a person types into one of *these* between the two is lost; no other property is ever
 * written (G9).
 *
 * Reading and writing may be repeated, so it is never `unknown`: a repetition finds the wanted values and writes nothing. A contact that
 * was merged answers a GET under another id (CRM-FACTS §3), and is written under that one.
 */
import { fail, ok } from "../../src/failure.ts";
import type { Outcome, RecordCommand, RecordField, RecordValue } from "../contract.ts";
import { divide, type Fate, mentions, sendRows } from "./batch.ts";
import type { BatchAnswer, HubspotClient, ObjectResult, Reply } from "./client.ts";
import { judgeRow, lost, type Refusal, withheld } from "./errors.ts";
import { holds, makeRecordProperties, recordProperties, spelledFor } from "./record-properties.ts";
import { objectTypes } from "./requests.ts";

export async function writeRecords(client: HubspotClient, commands: readonly RecordCommand[]): Promise<Outcome[]> {
  // Two rows for one record refuse the whole batch (CRM-FACTS §1.3): the second has its turn later.
  const distinct = [...Map.groupBy(commands, ({ personId }) => personId).values()].flatMap(([first]) => first ?? []);
  const outcomes = new Map<RecordCommand, Outcome>();
  const ids = distinct.map(({ personId }) => personId);
  const found = await divide(
    ids,
    (some) => client.readObjects(objectTypes.contacts, { ids: some, properties: names }),
    (some, answer) => some.map((id) => rowOf(id, answer)),
  );
  const rows: RecordRow[] = [];
  for (const [index, command] of distinct.entries()) {
    const fate = await followed(client, command.personId, found[index] ?? fail(notReached));
    if (!fate.ok) {
      outcomes.set(command, fate.failure.status === 404 ? gone : fate.failure.outcome);
      continue;
    }
    const row = planned(command, fate.value, rows.length);
    // Two ids of one record, where it was merged.
    if (rows.some(({ id }) => id === row.id)) outcomes.set(command, sameRecord);
    else if (Object.keys(row.properties).length === 0) outcomes.set(command, written(row));
    else rows.push(row);
  }
  const fates = await send(client, rows);
  for (const [index, row] of rows.entries()) {
    const fate = fates[index] ?? fail(notReached);
    outcomes.set(row.command, fate.ok ? written(row) : fate.failure.status === 404 ? gone : fate.failure.outcome);
  }
  return commands.map((command) => outcomes.get(command) ?? sameRecord);
}

interface RecordRow {
  readonly command: RecordCommand;
  readonly id: string;
  readonly trace: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly left: readonly RecordField[];
  readonly recognise: (result: ObjectResult) => boolean;
}

/** Where HubSpot knows one of our properties no more, or not yet, they are made, and the same rows are sent again: once. */
async function send(client: HubspotClient, rows: readonly RecordRow[]): Promise<Fate<ObjectResult>[]> {
  let isMade = false;
  return sendRows(rows, "repeatable", async (sent) => {
    const update = () =>
      client.updateObjects(
        objectTypes.contacts,
        sent.map((row) => ({ id: row.id, properties: { ...row.properties }, objectWriteTraceId: row.trace })),
      );
    const reply = await update();
    if (isMade || !lacksProperties(reply)) return reply;
    isMade = true;
    return (await makeRecordProperties(client)) ? update() : reply;
  });
}

function lacksProperties(reply: Awaited<Reply<BatchAnswer>>): boolean {
  const refusals = reply.ok ? reply.value.errors.map((one) => judgeRow(one, "repeatable")) : [reply.failure];
  return refusals.some(({ codes }) => codes.includes("PROPERTY_DOESNT_EXIST"));
}

function rowOf(id: string, answer: BatchAnswer): Fate<ObjectResult> {
  const row = answer.results.find((result) => result.id === id);
  if (row !== undefined) return ok(row);
  const error = answer.errors.find((one) => mentions(one, id));
  // A batch leaves out what was merged or deleted: whoever is missing is asked for alone.
  return fail(error === undefined ? missing : judgeRow(error, "repeatable"));
}

async function followed(client: HubspotClient, id: string, fate: Fate<ObjectResult>): Promise<Fate<ObjectResult>> {
  if (fate.ok || (fate.failure.status !== 404 && fate.failure !== missing)) return fate;
  return client.getObject(objectTypes.contacts, id, names);
}

function planned(command: RecordCommand, { id, properties: present }: ObjectResult, index: number): RecordRow {
  const properties: Record<string, string> = {};
  const left: RecordField[] = [];
  for (const [field, { value, ours }] of Object.entries(command.values) as [RecordField, RecordValue][]) {
    const { name } = recordProperties[field];
    const there = present[name] ?? "";
    if (holds(field, there, value)) continue;
    if (ours !== undefined && !ours.some((one) => holds(field, there, one))) left.push(field);
    else properties[name] = spelledFor(field, value);
  }
  return { command, id, trace: `record-${index}`, properties, left, recognise: (result) => result.id === id };
}

function written({ id, left }: RecordRow): Outcome {
  return { arm: "done", taskId: "", personId: id, created: false, left };
}

const names = Object.values(recordProperties).map(({ name }) => name);
const notReached = withheld("not_reached");
const missing: Refusal = lost("repeatable", "unclear_answer");
const sameRecord: Outcome = withheld("same_record").outcome;
const gone: Outcome = { arm: "refused", reason: "person_gone", detail: "The contact was deleted in HubSpot." };
