/**
 * Hosts at which an organisation of Salesforce's logs in (CRM-FACTS §2.4; help.salesforce.com "My Domain URL Formats"): production, sandboxes, and
 * My Domain in all its kinds. Nothing else: the client secret and the refresh token are sent there.
 */
const shared = /^(login|test)\.salesforce\.com$/;
const myDomain =
  /^[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?(?:\.(?:sandbox|develop|scratch|demo|patch|trailblaze|free))?\.my\.salesforce\.com$/;

/** The address, or null for a host that is not Salesforce's. */
export function loginUrlOf(host: string): string | null {
  return shared.test(host) || myDomain.test(host) ? `https://${host}` : null;
}
