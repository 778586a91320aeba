/** Our registration with each CRM vendor, from the Worker's configuration. */
import type { CrmApp } from "../../connectors/contract.ts";
import type { Env } from "../env.ts";
import type { CrmName } from "../model.ts";

/** `loginUrl`: a sandbox or a domain of the organisation's own, instead of the deployment's (Salesforce). */
export function crmApp(env: Env, crm: CrmName, loginUrl?: string): CrmApp {
  const redirectUri = `${env.PUBLIC_URL}/oauth/${crm}/callback`;
  if (crm === "hubspot") {
    return {
      clientId: env.HUBSPOT_CLIENT_ID ?? "",
      clientSecret: env.HUBSPOT_CLIENT_SECRET ?? "",
      redirectUri,
      loginUrl: env.HUBSPOT_LOGIN_URL,
      apiUrl: env.HUBSPOT_API_URL,
    };
  }
  return {
    clientId: env.SALESFORCE_CLIENT_ID ?? "",
    clientSecret: env.SALESFORCE_CLIENT_SECRET ?? "",
    redirectUri,
    loginUrl: loginUrl ?? env.SALESFORCE_LOGIN_URL,
    apiUrl: loginUrl ?? env.SALESFORCE_LOGIN_URL,
  };
}
