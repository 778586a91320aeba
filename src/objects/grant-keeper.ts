/**
 * The tokens of one CRM account (DESIGN §6.4). A refresh is an ambiguous write too: one at a time, at half the token's life so
 * that the old one still serves, marked on disk before it leaves, and the new pair on disk before anything uses it.
 */
import type { Crm, CrmApp, Grant, Send } from "../../connectors/contract.ts";
import { deriveKey, seal, unseal } from "../crypto.ts";
import { refreshAtShare } from "../limits.ts";
import { log } from "../log.ts";
import type { AccountFacts } from "./account-store.ts";

export type RefreshAnswer = "fresh" | "later" | "revoked";

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
    const old = await this.current(facts);
    this.#vault.save({ ...facts, refreshing: true });
    const answer = await crm.refresh(app, old, { send, now: Date.now() });
    const present = this.#vault.facts() ?? facts;
    if (!answer.ok) {
      this.#vault.save({ ...present, refreshing: false });
      // Interrupted before: a rotating token may have died with an answer that nobody stored.
      const { arm, reason } = answer.failure;
      log("warn", "account.refresh", { account: facts.name, arm, reason, interrupted: facts.refreshing });
      return answer.failure.arm === "revoked" ? "revoked" : "later";
    }
    const grant = await this.seal(facts.workspace, facts.name, answer.value);
    this.#vault.save({ ...(this.#vault.facts() ?? present), grant, grantedAt: Date.now(), refreshing: false });
    // The write above is flushed before this object's next request leaves: the output gate sees to it.
    this.#grant = answer.value;
    return "fresh";
  }

  #key(workspace: string): Uint8Array {
    return deriveKey(this.#vault.masterKey, "grants", workspace);
  }
}
