/**
 * What an emitter's owner has to know: its deliveries break the contract, it writes fields that are not its own, or it marks leads
 * ready for follow-up, which this engine alone does. Each is one exception per emitter, cause and day, told to both sides.
 */
import { digest } from "../crypto.ts";
import { answerableFor } from "../decide/answerable.ts";
import type { Env } from "../env.ts";
import { ledgerOf } from "../ledger/shards.ts";
import type { Signal } from "../model.ts";
import type { ConfiguredEmitter } from "../workspace.ts";

export interface Report {
  readonly reason: "contract_break" | "not_canonical" | "field_report";
  /** What is wrong, in one word: the same one is one report a day. */
  readonly cause: string;
  readonly detail: string;
}

/** PLAYBOOK, rule 1: one system alone may mark a lead ready for follow-up; whoever else does is heard as a signal, and told of. */
export function marksReady({ kind, properties }: Pick<Signal, "kind" | "properties">): boolean {
  return (
    kind === "marked_ready" ||
    properties.lifecycle_state === "ready_for_follow_up" ||
    properties.ready_for_follow_up === true
  );
}

/** A value that the policy lets others write. */
export function foreignField(field: string): Report {
  const detail = `This tool sends ${field}, which the policy lets others write. Its value was kept with the signal and not taken.`;
  return { reason: "field_report", cause: field, detail };
}

/** `owner`: who answers for the tool; a CRM has none here. */
export async function report(
  env: Env,
  emitter: Pick<ConfiguredEmitter, "workspace" | "name"> & Partial<Pick<ConfiguredEmitter, "owner">>,
  reports: readonly Report[],
  now: number,
): Promise<void> {
  const { workspace, name, owner: emitterOwner } = emitter;
  const ledger = ledgerOf(env, workspace.shard);
  const day = new Date(now).toISOString().slice(0, 10);
  const seen = new Map(reports.map((item) => [`${item.reason} ${item.cause}`, item]));
  const statements = [...seen.values()].map(({ reason, cause, detail }) => {
    const { owner, due_at, next, climbed } = answerableFor(workspace.policy, reason, now, now, {
      holder: emitterOwner,
    });
    const told = [...new Set([emitterOwner, owner])].filter((address) => address !== undefined);
    const document = JSON.stringify({ emitter: name, cause, detail, told, day, next, climbed });
    return ledger
      .prepare(
        `INSERT INTO exceptions (workspace, id, version, lead, reason, owner, state, raised_at, due_at, document)
         VALUES (?, ?, 1, '', ?, ?, 'open', ?, ?, ?) ON CONFLICT DO NOTHING`,
      )
      .bind(workspace.id, `ex_${digest(reason, name, cause, day)}`, reason, owner, now, due_at, document);
  });
  if (statements.length > 0) await ledger.batch(statements);
}
