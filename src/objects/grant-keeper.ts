/**
 * The tokens of one CRM account (DESIGN §6.4). A refresh is an ambiguous write too: one at a time, at half the token's life so
 * that the old one still serves, marked on disk before it leaves, and the new pair on disk before anything uses it.
 */
import type { Crm, CrmApp, Grant, GrantFailure, Send } from "../../connectors/contract.ts";
import { deriveKey, seal, unseal } from "../crypto.ts";
import { crmDeadlineMs, refreshAtShare } from "../limits.ts";
import { log } from "../log.ts";
import type { AccountFacts } from "./account-store.ts";

/** `lost`: an answer with the next refresh token may have been lost, and the one that is left is used up: somebody connects again. */
export type RefreshAnswer = "fresh" | "later" | "revoked" | "lost";

export interface Vault {
  readonly masterKey: string;
  facts(): AccountFacts | null;
  save(facts: AccountFacts): void;
}

export class GrantKeeper {
  readonly #vault: Vault;
  #grant: Grant | null = null;
  #refreshing: Promise<RefreshAnswer> | null = null;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  seal(workspace: string, name: string, grant: Grant): Promise<string> {
    return seal(this.#key(workspace), name, JSON.stringify(grant));
  }

  /** After a reconnect: what was unsealed before is of the past. */
  forget(): void {
    this.#grant = null;
  }

  async current(facts: AccountFacts): Promise<Grant> {
    this.#grant ??= JSON.parse(await unseal(this.#key(facts.workspace), facts.name, facts.grant)) as Grant;
    return this.#grant;
  }

  /** `now`: the token cannot serve any more; `soon`: half its life is over; `no`: it serves, as far as its vendor says. */
  refreshDue(facts: AccountFacts, grant: Grant, now: number): "now" | "soon" | "no" {
    if (grant.expiresAt === null) return "no";
    if (grant.expiresAt <= now + 5_000) return "now";
    return now >= facts.grantedAt + (grant.expiresAt - facts.grantedAt) * refreshAtShare ? "soon" : "no";
  }

  refresh(crm: Crm, app: CrmApp, send: Send): Promise<RefreshAnswer> {
    this.#refreshing ??= this.#refreshOnce(crm, app, send).finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #refreshOnce(crm: Crm, app: CrmApp, send: Send): Promise<RefreshAnswer> {
    const facts = this.#vault.facts();
    if (facts === null) return "later";
    const { refreshRotates } = crm.manifest;
    // Marked by an incarnation that never stored an answer.
    if (facts.refreshing && refreshRotates) return "lost";
    // One of the grant before may still be under way: one at a time for each account (CRM-FACTS §2.4).
    if (refreshRotates && Date.now() < (facts.refreshLeftAt ?? 0) + crmDeadlineMs) return "later";
    const old = await this.current(facts);
    if (this.#present(facts) === null) return "later";
    this.#vault.save({ ...facts, refreshing: true, refreshLeftAt: Date.now() });
    const answer = await crm.refresh(grantedAt(app, old), old, { send, now: Date.now() });
    if (!answer.ok) return this.#refused(crm, facts, answer.failure);
    const { loginUrl } = old;
    const fresh: Grant = { ...answer.value, ...(loginUrl === undefined ? {} : { loginUrl }) };
    const grant = await this.seal(facts.workspace, facts.name, fresh);
    const present = this.#present(facts);
    if (present === null) return "later";
    this.#vault.save({ ...present, grant, grantedAt: Date.now(), refreshing: false, refreshLeftAt: 0 });
    // The write above is flushed before this object's next request leaves: the output gate sees to it.
    this.#grant = fresh;
    return "fresh";
  }

  #refused(crm: Crm, facts: AccountFacts, { arm, reason }: GrantFailure): RefreshAnswer {
    log("warn", "account.refresh", { account: facts.name, arm, reason });
    const present = this.#present(facts);
    if (present === null) return "later";
    const isLost = arm === "lost" && crm.manifest.refreshRotates;
    this.#vault.save({ ...present, refreshing: isLost, ...(isLost ? {} : { refreshLeftAt: 0 }) });
    if (isLost) return "lost";
    return arm === "revoked" ? "revoked" : "later";
  }

  /** Null where it was connected anew, or disconnected, meanwhile: what was asked for before says nothing of that. */
  #present(facts: AccountFacts): AccountFacts | null {
    const present = this.#vault.facts();
    return present?.grant === facts.grant ? present : null;
  }

  /** Ends the install on the CRM's side, behind a refresh that is under way. False where the CRM did not confirm. */
  async revoke(crm: Crm, app: CrmApp, send: Send): Promise<boolean> {
    await this.#refreshing;
    const facts = this.#vault.facts();
    if (facts === null || facts.grant === "") return true;
    const grant = await this.current(facts);
    return crm.revoke(grantedAt(app, grant), grant, send);
  }

  #key(workspace: string): Uint8Array {
    return deriveKey(this.#vault.masterKey, "grants", workspace);
  }
}

/** Our registration, at the login host where this was granted. */
function grantedAt(app: CrmApp, { loginUrl }: Grant): CrmApp {
  return loginUrl === undefined ? app : { ...app, loginUrl };
}
