/** Our registration with each CRM vendor, from the Worker's configuration. */
import type { CrmApp } from "../../connectors/contract.ts";
import type { Env } from "../env.ts";
import type { CrmName } from "../model.ts";

export function crmApp(env: Env, crm: CrmName): CrmApp {
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
    loginUrl: env.SALESFORCE_LOGIN_URL,
    apiUrl: env.SALESFORCE_LOGIN_URL,
  };
}
