/** Erasing a person (DESIGN §6.7): the order is stored when this answers; what it takes is worked off by the lead's object. */
import * as z from "zod";
import { problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";
import type { Erasable } from "../objects/erasing.ts";
import { askIdentity } from "../objects/names.ts";
import { workspaceOf } from "./authorise.ts";
import { leadIdOf } from "./read.ts";
import { checked } from "./setup.ts";

/**
 * `POST /v1/leads/:id/erase`: 202 while open tasks are withdrawn and everything is removed, 200 when the person is gone. May be
 * asked again at any time, which is also how one sees that it is done.
 */
export async function eraseLead(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const body = await checked(c, z.strictObject({ by: z.email().max(320) }));
  if (body instanceof Response) return body;
  const lead = leadIdOf(c);
  const call = { by: body.by, at: Date.now() };
  const answer = lead.startsWith(`${who.workspace}/`)
    ? await askIdentity(c.env, lead, (stub: Erasable) => stub.erase(call))
    : null;
  if (answer?.arm === "under_way") return Response.json({ status: "under_way" }, { status: 202 });
  if (answer?.arm === "erased") return Response.json({ status: "erased" });
  return problem(404, { code: "no_such_lead", detail: "There is no such lead in this workspace." });
}
