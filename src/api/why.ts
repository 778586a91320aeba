/** Why a decision is what it is, as data and in words. */
import { policyShape } from "../decide/policy.ts";
import { why } from "../decide/why.ts";
import { problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";
import { findDecision } from "../ledger/lookup.ts";
import { ledgerOf } from "../ledger/shards.ts";
import { workspaceOf } from "./authorise.ts";
import { withInstants } from "./instants.ts";
import { leadIdOf } from "./read.ts";

/**
 * `GET /v1/decisions/:id/why?at=`: `at` is the decision's own instant (ISO 8601), which leads to the segment of history that has it; without it the
 * last seven days are looked through. Nobody is told anything of somebody who was erased.
 */
export async function explainDecision(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const asked = c.req.query("at");
  const at = asked === undefined ? null : Date.parse(asked);
  if (Number.isNaN(at)) return problem(400, { code: "bad_instant", detail: "`at` is an instant of ISO 8601." });
  const place = { ledger: ledgerOf(c.env, who.shard), history: c.env.HISTORY, workspace: who.workspace };
  const found = await findDecision(place, leadIdOf(c), at, Date.now());
  if (found.arm === "unknown") {
    const detail =
      at === null
        ? "There is no such decision in the last days; say when it was made with `at`."
        : "There is no such decision around that instant.";
    return problem(404, { code: "no_such_decision", detail });
  }
  if (found.arm === "erased") return problem(404, { code: "no_such_decision" });
  const policy = await policyOfVersion(c, who.workspace, found.decision.policy_version);
  if (found.arm === "gone" || policy === null)
    return problem(410, { code: "not_kept", detail: "What this decision was made of is no longer kept." });
  const { lead, decision, inputs, signals } = found;
  return Response.json(withInstants({ lead, decision, why: why(policy, decision, inputs, signals) }));
}

async function policyOfVersion(c: AppContext, workspace: string, version: number) {
  const row = await c.env.CONTROL.prepare("SELECT document FROM policies WHERE workspace = ? AND version = ?")
    .bind(workspace, version)
    .first<{ document: string }>();
  return row === null ? null : policyShape.parse(JSON.parse(row.document));
}
