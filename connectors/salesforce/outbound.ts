/**
 * Pure. Outbound Messages: SOAP 1.1, at most 100 notifications, repeated for a day until they are acknowledged, in any order, and unsigned
 * (CRM-FACTS §2.7). So nothing that stands in one is believed: it names the org that has something to tell, and the org is then read
 * (`joined.ts`). Only what is looked for is read from the XML; a document type, which could unfold entities, is refused.
 */
import { fail, ok, type Result, refused } from "../../src/failure.ts";

export interface OutboundMessage {
  /** The first fifteen characters of the organisation's id, which say it. */
  readonly organization: string;
  readonly notifications: number;
}

const namespace = "http://soap.sforce.com/2005/09/outbound";
const notificationsMax = 100;

export function readOutboundMessage(body: Uint8Array): Result<OutboundMessage> {
  let xml: string;
  try {
    xml = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(body);
  } catch {
    return fail(refused("not_utf8", "An Outbound Message is UTF-8."));
  }
  if (/<!(DOCTYPE|ENTITY)/i.test(xml))
    return fail(refused("document_type", "An Outbound Message has no document type."));
  if (!/<(\w+:)?Envelope[\s>]/.test(xml) || !xml.includes(`"${namespace}"`))
    return fail(refused("not_an_outbound_message", "The body is not the envelope of an Outbound Message."));
  const organizations = [...xml.matchAll(/<(?:\w+:)?OrganizationId>\s*(00D[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?)\s*</g)];
  const notifications = xml.match(/<(\w+:)?Notification>/g)?.length ?? 0;
  const [organization] = organizations;
  if (
    organization?.[1] === undefined ||
    organizations.length > 1 ||
    notifications < 1 ||
    notifications > notificationsMax
  )
    return fail(refused("unclear_outbound_message", "It names one organisation and 1 to 100 notifications."));
  return ok({ organization: organization[1].slice(0, 15), notifications });
}

/** What Salesforce wants to read before it stops sending a message. */
export const acknowledgement = `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><notificationsResponse xmlns="${namespace}"><Ack>true</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>`;
