/** What whoever reads a CRM on behalf of its account object needs of that object: tasks, records that became one, and whose records are. */
import type { Crm, CrmSession, Outcome, Send } from "../../connectors/contract.ts";
import type { AccountFacts } from "./account-store.ts";

export interface CrmReader {
  later(work: Promise<unknown>): void;
  /** Runs `work` with this many requests of the budget, the cold one unless it is `hot`; false where there is none to be had now. */
  spend(crm: Crm, cost: number, work: (send: Send) => Promise<void>, hot?: boolean): Promise<boolean>;
  /** How long to let cold work gather before the next request leaves. */
  gatherMs(crm: Crm): number;
  session(crm: Crm, facts: AccountFacts, send: Send): Promise<CrmSession | null>;
  /** CRM ids by address, in lower case; null where they cannot be read now. */
  owners(crm: Crm, session: CrmSession): Promise<ReadonlyMap<string, string> | null>;
  /** What a failed look means for the whole account. */
  failed(crm: Crm, session: CrmSession, failure: Exclude<Outcome, { arm: "done" }>): Promise<void>;
}
