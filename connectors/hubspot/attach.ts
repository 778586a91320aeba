/**
 * Task → contact. An upsert row cannot carry associations, so this follows it; repeating it is harmless (CRM-FACTS §1.2,
 * §1.3). A link counts when the answer names it. What is not confirmed is tried once more: at the person's new id when
 * the record was merged or deleted, else as it was.
 */
import { fail, ok } from "../../src/failure.ts";
import type { CrmPerson } from "../contract.ts";
import { divide, type Fate, mentions } from "./batch.ts";
import type { AssociationAnswer, HubspotClient } from "./client.ts";
import { judgeRow, lost, type Mishap } from "./errors.ts";
import { relocate, relocationRequests } from "./people.ts";
import { objectTypes } from "./requests.ts";

export interface Tie {
  readonly taskId: string;
  readonly personId: string;
  readonly person: CrmPerson;
}

export type Tied =
  | { readonly arm: "tied"; readonly personId: string }
  /** The person was deleted and cannot be found again: the task is about nobody. */
  | { readonly arm: "gone" }
  | { readonly arm: "mishap"; readonly outcome: Mishap };

/** One answer per tie, in order. */
export async function attach(client: HubspotClient, ties: readonly Tie[]): Promise<Tied[]> {
  const first = await send(client, ties);
  const answers = new Map<Tie, Tied>();
  const again: { readonly tie: Tie; readonly moved: Tie }[] = [];
  for (const [index, tie] of ties.entries()) {
    const fate = first[index] ?? fail(lost("repeatable"));
    if (fate.ok) {
      answers.set(tie, { arm: "tied", personId: fate.value });
      continue;
    }
    answers.set(tie, { arm: "mishap", outcome: fate.failure.outcome });
    if (!worthAnother(fate.failure.outcome)) continue;
    if (fate.failure.outcome.arm === "deferred") {
      again.push({ tie, moved: tie });
      continue;
    }
    if (!client.has(relocationRequests)) continue;
    const where = await relocate(client, tie.person, tie.personId);
    if (where.arm === "at") again.push({ tie, moved: { ...tie, personId: where.id } });
    else answers.set(tie, where);
  }
  const second = await send(
    client,
    again.map((one) => one.moved),
  );
  for (const [index, one] of again.entries()) {
    const fate = second[index];
    if (fate?.ok === true) answers.set(one.tie, { arm: "tied", personId: fate.value });
  }
  return ties.map((tie) => answers.get(tie) ?? { arm: "mishap", outcome: lost("repeatable").outcome });
}

/** A refusal may mean a moved person, a failure may pass at once; a limit, a lock or a dead token do not. */
function worthAnother(outcome: Mishap): boolean {
  if (outcome.arm === "deferred") return outcome.scope === "action" && outcome.reason !== "request_allowance";
  return outcome.arm === "refused";
}

function send(client: HubspotClient, ties: readonly Tie[]): Promise<Fate<string>[]> {
  const ask = (some: readonly Tie[]) =>
    client.associate(
      objectTypes.tasks,
      objectTypes.contacts,
      some.map((tie) => ({ from: tie.taskId, to: tie.personId })),
    );
  return divide(ties, ask, settle);
}

function settle(ties: readonly Tie[], answer: AssociationAnswer): Fate<string>[] {
  return ties.map((tie) => {
    // The answer may name the link in either direction.
    const there =
      answer.links.find((link) => link.from === tie.taskId) ?? answer.links.find((link) => link.to === tie.taskId);
    if (there !== undefined) return ok(there.from === tie.taskId ? there.to : there.from);
    const error = answer.errors.find((one) => mentions(one, tie.taskId, tie.personId));
    return fail(error === undefined ? lost("repeatable", "row_without_answer") : judgeRow(error, "repeatable"));
  });
}
