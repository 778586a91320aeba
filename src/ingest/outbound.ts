/**
 * The door of Salesforce's Outbound Messages: `POST /in/:emitterKey/outbound-message`, at the key of an emitter of the connector `salesforce`.
 * Nothing is signed (CRM-FACTS §2.7), so the key in the address is the proof, the organisation must be one that this workspace is connected
 * to, and nothing else of the message is believed: the account is looked at instead. It is acknowledged when that look is on disk; sent
 * again, it only makes it look again.
 */
import { acknowledgement, readOutboundMessage } from "../../connectors/salesforce/outbound.ts";
import { deliveryBytesMax } from "../limits.ts";
import { errorName, log } from "../log.ts";
import { accountStub } from "../objects/names.ts";
import { emitterByKey } from "../workspace.ts";
import { boundedBody } from "./body.ts";
import { notNow, problem } from "./problem.ts";
import { type AppContext, countLater } from "./receive.ts";

export async function receiveOutboundMessage(c: AppContext): Promise<Response> {
  const body = await boundedBody(c.req.raw, deliveryBytesMax);
  if (!body.ok) return problem(body.failure.reason.endsWith("too_large") ? 413 : 400, { code: body.failure.reason });
  try {
    const key = c.req.param("emitterKey") ?? "";
    const emitter = await emitterByKey(c.env, key, Date.now(), (work) => c.executionCtx.waitUntil(work));
    if (emitter === null || emitter.vendor !== "salesforce") return problem(401, { code: "unauthorised" });
    const message = readOutboundMessage(body.value);
    if (!message.ok) {
      countLater(c, emitter, [`refused:${message.failure.reason}`]);
      const { reason, detail = "" } = message.failure;
      return problem(400, { code: reason, detail });
    }
    const target = emitter.facts.targets.find(
      ({ crm, account }) => crm === "salesforce" && orgOf(account) === message.value.organization,
    );
    if (target === undefined) {
      countLater(c, emitter, ["refused:other_organization"]);
      return problem(401, { code: "unauthorised" });
    }
    await accountStub(c.env, target.account).somethingHappened();
    countLater(c, emitter, ["accepted"]);
    return new Response(acknowledgement, { headers: { "content-type": "text/xml; charset=utf-8" } });
  } catch (error) {
    log("warn", "ingest.outbound_message", { error: errorName(error) });
    return notNow();
  }
}

/** The names of account objects end in the CRM's own id of the account. */
function orgOf(account: string): string {
  return account.slice(account.lastIndexOf("/") + 1).slice(0, 15);
}
