/**
 * Somebody chooses among the values that were told of a field (`field_conflict`). Their word is a signal like any other, newer than all that
 * they were shown, whatever the clocks said: so it outlives merges, follows splits and is replayed. It is heard before the question is closed:
 * said again it changes nothing, and a crash in between leaves a question that is asked no more.
 */
import { digest } from "../crypto.ts";
import { answerSystem } from "../decide/fields/current.ts";
import type { Env } from "../env.ts";
import { deliver } from "../ingest/deliver.ts";
import { problem } from "../ingest/problem.ts";
import type { Signal } from "../model.ts";
import { overtaken } from "../resolve/answers.ts";
import { type FieldQuestion, questionsOf } from "../resolve/field-questions.ts";
import type { Root } from "../resolve/node.ts";
import { rankOf } from "../translate/normalise.ts";
import { toSignal } from "../translate/signal.ts";
import type { Workspace, WorkspaceFacts } from "../workspace.ts";
import { viewOf } from "./read.ts";

export interface Chosen {
  /** Address of whoever says so. */
  readonly by: string;
  readonly value: string;
}

/** Null once it is heard, or was before; else the answer to who asked. */
export async function chooseValue(
  env: Env,
  { workspace, facts }: { readonly workspace: Workspace; readonly facts: WorkspaceFacts },
  row: { readonly id: string; readonly lead: string },
  chosen: Chosen,
): Promise<Response | null> {
  const root = (await viewOf(env, row.lead))?.root;
  const question = root === undefined ? undefined : questionsOf(root).find(({ id }) => id === row.id);
  // What is not a question of a field, or is settled, is refused by the lead's object.
  if (root === undefined || question === undefined || root.said[row.id]?.settled !== undefined) return null;
  if (question.closed_in !== undefined) return problem(409, { code: "not_possible", detail: overtaken });
  const signal = signalOf(root, question, chosen, workspace, Date.now());
  if (signal !== null && (await deliver(env, workspace, facts, signal)) !== null) return null;
  const detail = "This lead could not be reached; say it again in a moment.";
  return problem(503, { code: "unavailable", detail }, { "retry-after": "3" });
}

/** Null where nothing names this person any more. */
function signalOf(
  { lead }: Root,
  { id, field, options }: FieldQuestion,
  { by, value }: Chosen,
  workspace: Workspace,
  now: number,
): Signal | null {
  // By what the tools say of them rather than by a record of a CRM: it is nobody's word there.
  const [strongest] = Object.values(lead.identifiers).sort(
    (a, b) => Number(rankOf(a.type) === 0) - Number(rankOf(b.type) === 0) || rankOf(a.type) - rankOf(b.type),
  );
  if (strongest === undefined) return null;
  const draft = {
    id: `${id}:${digest(by, value)}`,
    kind: "identified",
    occurredAt: Math.max(now, ...options.map(({ at }) => at)),
    identifiers: [{ type: strongest.type, value: strongest.value }],
    traits: { [field]: value },
    properties: { by, question: id },
  };
  const origin = { workspace: workspace.id, emitter: answerSystem, receivedAt: now };
  const made = toSignal(draft, origin, workspace.policy.identity);
  return made.ok ? made.value : null;
}
