/** The door of the cards (`document.ts`): who asks is proven, then the card is shown, or the press is done and the card shown as it is now. */

import { viewOf } from "../api/read.ts";
import { boundedBody } from "../ingest/body.ts";
import { notNow, type ProblemDetails, type ProblemStatus, problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";
import { errorName, log } from "../log.ts";
import type { CrmName } from "../model.ts";
import { type Caller, callersOf } from "./caller.ts";
import { type Card, type Pressed, pressShape } from "./document.ts";
import { press } from "./press.ts";
import { knows, showLead, showRecord } from "./show.ts";

/** A press is a few words. */
const pressBytesMax = 10_000;

/** `GET /card/<crm>/record` */
export function showCard(crm: CrmName): (c: AppContext) => Promise<Response> {
  return (c) =>
    guarded(async () => {
      const callers = await callersOf(c, crm, new Uint8Array(0));
      if (callers instanceof Response) return callers;
      const caller = await whoKnows(c, callers);
      return answered(caller, await showRecord(c.env, caller));
    });
}

/** `POST /card/<crm>/press` */
export function pressButton(crm: CrmName): (c: AppContext) => Promise<Response> {
  return (c) =>
    guarded(async () => {
      const body = await boundedBody(c.req.raw, pressBytesMax);
      if (!body.ok) return refuse(422, { code: "invalid", detail: "What the button sent cannot be read." });
      const callers = await callersOf(c, crm, body.value);
      if (callers instanceof Response) return callers;
      const given = pressShape.safeParse(json(body.value));
      if (!given.success) {
        const errors = given.error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
        return refuse(422, { code: "invalid", detail: "The button did not say all that it needs.", errors });
      }
      const { lead } = given.data;
      const caller = callers.find(({ workspace }) => lead.startsWith(`${workspace.id}/`));
      if (caller === undefined)
        return refuse(409, { code: "not_possible", detail: "This person is not known here. Reload the card." });
      const done = await press(c.env, caller, given.data);
      if ("refused" in done) return refuse(done.refused, done.details);
      const pressed: Pressed = { ...done, card: await cardAfter(c, caller, lead) };
      return answered(caller, pressed);
    });
}

/** Of the record; where that is nobody (any more), of the lead that was pressed on. */
async function cardAfter(c: AppContext, caller: Caller, lead: string): Promise<Card> {
  const card = await showRecord(c.env, caller);
  if (card.state === "ready" || caller.record.of !== "person") return card;
  const view = await viewOf(c.env, lead);
  return view === null ? card : showLead(c.env, caller, view);
}

/** Where several workspaces have this CRM account: the first that knows the record, the latest connected first. */
async function whoKnows(c: AppContext, callers: readonly Caller[]): Promise<Caller> {
  const [first, ...others] = callers;
  if (first === undefined) throw new Error("nobody asks");
  if (others.length === 0) return first;
  for (const caller of callers) if (await knows(c.env, caller)) return caller;
  return first;
}

/** Says which workspace answers: one CRM account may be connected to several. */
function answered(caller: Caller, body: Card | Pressed): Response {
  return Response.json(body, {
    headers: { "baton-workspace": caller.workspace.id, "cache-control": "no-store" },
  });
}

function refuse(status: ProblemStatus, details: ProblemDetails): Response {
  return problem(status, details, details.code === "busy" ? { "retry-after": "3" } : {});
}

/** Whatever fails inside is told in a sentence; a press that failed half-way is sent again and does the rest. */
async function guarded(answer: () => Promise<Response>): Promise<Response> {
  try {
    return await answer();
  } catch (error) {
    log("error", "card.failed", { error: errorName(error) });
    return notNow("Baton cannot answer at the moment. Try again.");
  }
}

function json(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body)) as unknown;
  } catch {
    return undefined;
  }
}
