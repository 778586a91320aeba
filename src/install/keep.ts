/**
 * Refresh tokens that nobody uses end after 30 days (CRM-FACTS §2.4, Salesforce): connections through which nothing leaves are refreshed
 * once a week, spread over the day so that one run of the cron asks few of them.
 */
import type { Env } from "../env.ts";
import { keepConcurrency } from "../limits.ts";
import { errorName, log } from "../log.ts";
import { accountStub } from "../objects/names.ts";

const slotMs = 5 * 60_000;
const slotsPerDay = 288;

/** Asks each connected account once a day; the account knows whether it is time. May run twice. Never throws. */
export async function keepConnections(env: Env, now: number): Promise<void> {
  const slot = Math.floor(now / slotMs) % slotsPerDay;
  const rows = await env.CONTROL.prepare(
    `SELECT object FROM (SELECT object, ROW_NUMBER() OVER (ORDER BY object) AS place FROM crm_accounts WHERE status = 'connected')
     WHERE place % ?1 = ?2`,
  )
    .bind(slotsPerDay, slot)
    .all<{ object: string }>();
  const names = rows.results.map(({ object }) => object);
  for (let at = 0; at < names.length; at += keepConcurrency) {
    const asked = names.slice(at, at + keepConcurrency).map(async (name) => {
      try {
        if (await accountStub(env, name).keep()) log("info", "account.kept", { account: name });
      } catch (error) {
        // Asked again tomorrow; the token has weeks.
        log("warn", "account.keep", { account: name, error: errorName(error) });
      }
    });
    await Promise.all(asked);
  }
}
