/**
 * What the people of one company do together, where the policy asks for it (`sustained.by: account`): each lead leaves its counts here
 * when it is decided on, and hears those of the others. Nothing that names anybody: counts by kind, under the lead's name, which
 * is an HMAC. Losing all of it would lose nothing that the leads do not have.
 */
import { DurableObject } from "cloudflare:workers";
import type { Env } from "../env.ts";
import { companyLeadsMax, countDaysMax } from "../limits.ts";
import { joinKinds, type LeadFold } from "../resolve/lead.ts";

export interface NoteCall {
  readonly lead: string;
  /** Leads that have become part of it: what they did is in its own counts. */
  readonly merged: readonly string[];
  readonly kinds: LeadFold["kinds"];
  readonly at: number;
}

export class CompanyObject extends DurableObject<Env> {
  #ready = false;

  /** Idempotent. Answers with what the others did, all of it together. */
  note(call: NoteCall): LeadFold["kinds"] {
    const { sql } = this.ctx.storage;
    this.#ensure();
    const counts = JSON.stringify(call.kinds);
    this.ctx.storage.transactionSync(() => {
      const gone = sql.exec(
        "DELETE FROM leads WHERE lead IN (SELECT value FROM json_each(?)) AND lead <> ?",
        JSON.stringify(call.merged),
        call.lead,
      );
      gone.toArray();
      sql.exec(
        "INSERT INTO leads VALUES (?, ?, ?) ON CONFLICT (lead) DO UPDATE SET counts = excluded.counts, at = excluded.at WHERE counts <> excluded.counts",
        call.lead,
        counts,
        call.at,
      );
    });
    const others = sql
      .exec<{ counts: string }>(
        "SELECT counts FROM leads WHERE lead <> ? AND at > ? ORDER BY at DESC LIMIT ?",
        call.lead,
        call.at - countDaysMax * 86_400_000,
        companyLeadsMax,
      )
      .toArray();
    return others
      .map((row) => JSON.parse(row.counts) as LeadFold["kinds"])
      .reduce((all, kinds) => joinKinds(all, kinds, call.at), {});
  }

  /** The lead is erased, or belongs to another company by now. */
  forget(call: { readonly leads: readonly string[] }): void {
    if (this.ctx.storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'leads'").toArray().length === 0) return;
    this.ctx.storage.sql.exec(
      "DELETE FROM leads WHERE lead IN (SELECT value FROM json_each(?))",
      JSON.stringify(call.leads),
    );
  }

  #ensure(): void {
    if (this.#ready) return;
    this.ctx.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS leads (lead TEXT PRIMARY KEY, counts TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID",
    );
    this.#ready = true;
  }
}
