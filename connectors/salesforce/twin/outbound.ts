/** An Outbound Message as Salesforce sends it (CRM-FACTS §2.7), until it is acknowledged; repeated once more where it is told to. */

const namespace = "http://soap.sforce.com/2005/09/outbound";

export interface Notification {
  readonly id: string;
  readonly object: "Lead" | "Contact";
  /** Id of the record. */
  readonly record: string;
}

export function envelope(organization: string, notifications: readonly Notification[]): string {
  const each = notifications.map(
    ({ id, object, record }) =>
      `<Notification><Id>${id}</Id><sObject xsi:type="sf:${object}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>${record}</sf:Id></sObject></Notification>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="${namespace}">
   <OrganizationId>${organization}</OrganizationId>
   <ActionId>04k000000000001AAA</ActionId>
   <SessionId xsi:nil="true"/>
   <EnterpriseUrl>https://example.com/services/Soap/c/68.0</EnterpriseUrl>
   <PartnerUrl>https://example.com/services/Soap/u/68.0</PartnerUrl>
   ${each.join("\n   ")}
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>`;
}

/** Whether an answer ends the sending of a message. */
export async function isAcknowledged(answer: Response): Promise<boolean> {
  return answer.ok && /<(\w+:)?Ack>\s*true\s*</.test(await answer.text());
}
