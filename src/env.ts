/** The bindings and variables of wrangler.toml, plus the secrets (`wrangler secret put`). */

import type { Signal } from "./model.ts";
import type { AccountObject } from "./objects/account.ts";
import type { CompanyObject } from "./objects/company.ts";
import type { IdentityObject } from "./objects/identity.ts";
import type { ProjectorObject } from "./objects/projector.ts";
import type { TeamObject } from "./objects/team.ts";

export interface Env {
  readonly CONTROL: D1Database;
  readonly LEDGER_0: D1Database;
  readonly HISTORY: R2Bucket;
  readonly OVERFLOW: Queue<OverflowMessage>;
  readonly IDENTITY: DurableObjectNamespace<IdentityObject>;
  readonly ACCOUNT: DurableObjectNamespace<AccountObject>;
  readonly TEAM: DurableObjectNamespace<TeamObject>;
  readonly COMPANY: DurableObjectNamespace<CompanyObject>;
  readonly PROJECTOR: DurableObjectNamespace<ProjectorObject>;

  /** Where the world reaches this Worker; signatures and OAuth redirects are computed over it. */
  readonly PUBLIC_URL: string;
  readonly HUBSPOT_LOGIN_URL: string;
  readonly HUBSPOT_API_URL: string;
  readonly SALESFORCE_LOGIN_URL: string;
  /**
   * Milliseconds after an attempt at which a CRM account without a server key is read, e.g. "60000,600000" (the default).
   * Must be longer than that CRM takes to show what it did (CRM-FACTS §1.3).
   */
  readonly CRM_SETTLE_READS_MS?: string;

  /** Where Slack's API lives; `https://slack.com/api` unless said otherwise. */
  readonly SLACK_API_URL?: string;
  /** `allowed`: webhooks may go to plain and local addresses. For local development only. */
  readonly LOCAL_WEBHOOKS?: string;

  /** Secrets. */
  readonly BATON_MASTER_KEY: string;
  readonly BATON_ADMIN_TOKEN: string;
  readonly HUBSPOT_CLIENT_ID?: string;
  readonly HUBSPOT_CLIENT_SECRET?: string;
  readonly SALESFORCE_CLIENT_ID?: string;
  readonly SALESFORCE_CLIENT_SECRET?: string;
  /** Address of a relay that Salesforce's calls leave through, and its key: see `install/egress.ts`. */
  readonly SALESFORCE_EGRESS_URL?: string;
  readonly SALESFORCE_EGRESS_KEY?: string;
}

export interface OverflowMessage {
  readonly signal: Signal;
}
