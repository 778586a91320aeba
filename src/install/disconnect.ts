/** Ending a connection from our side; the CRM's side is heard when its tokens are refused. */
import { workspaceOf } from "../api/authorise.ts";
import { leadIdOf } from "../api/read.ts";
import { connectionNamed } from "../card/connection.ts";
import { problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";
import { accountStub } from "../objects/names.ts";
import { forgetConfig } from "../workspace.ts";

/**
 * `DELETE /v1/connections/:id`: what waits for this CRM account becomes questions for people, its tokens are revoked and forgotten. May
 * be repeated. `revoked` is false where the CRM did not confirm: then somebody removes the app there as well.
 */
export async function removeConnection(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const connection = await connectionNamed(c.env, who.workspace, leadIdOf(c));
  if (connection === null) return problem(404, { code: "no_such_connection" });
  // First, so that no new follow-up is sent there.
  await c.env.CONTROL.prepare("UPDATE crm_accounts SET status = 'removed' WHERE object = ?")
    .bind(connection.object)
    .run();
  forgetConfig(c.env);
  const { revoked } = await accountStub(c.env, connection.object).disconnect();
  return Response.json({ id: connection.object, status: "removed", revoked });
}
