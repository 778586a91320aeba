/**
 * Hears which of a CRM's records became one, and what was typed into them, where the CRM does not tell by itself: it is read every
 * `everyMs`, and at once when the CRM says that something has happened (`ingest/outbound.ts`). What is found enters as signals, like those
 * that the CRM's package sends; a value that the policy lets others write is reported, as that of any tool.
 *
 * What is read twice is a duplicate at its identity, so that only progress is remembered: on disk where there was something to tell, and
 * now and then. A look that fails, or a signal that could be stored nowhere, leaves it where it was.
 */
import type { Crm } from "../../connectors/contract.ts";
import { withoutForeign } from "../decide/fields/entrance.ts";
import type { Env } from "../env.ts";
import { deliver } from "../ingest/deliver.ts";
import { foreignField, report } from "../ingest/report.ts";
import { handOnConcurrency, hearOverlapMs, joinEveryMs, joinFirstMs, joinKeepMs } from "../limits.ts";
import { errorName, log } from "../log.ts";
import { toSignal } from "../translate/signal.ts";
import { workspaceById } from "../workspace.ts";
import type { AccountFacts, AccountStore } from "./account-store.ts";
import type { CrmReader } from "./crm-reader.ts";

/** What joining needs of the account object. */
export interface Eye extends CrmReader {
  readonly env: Env;
  readonly store: AccountStore;
}

export class Joining {
  readonly #eye: Eye;
  /** Everything before was told. */
  #since: number | null = null;
  #nextAt = 0;
  #lookedAt = 0;
  #looking = false;

  constructor(eye: Eye) {
    this.#eye = eye;
  }

  /** When the next look is due; infinity for a CRM that tells by itself. */
  nextAt(crm: Crm | null): number {
    return crm?.joined === undefined ? Number.POSITIVE_INFINITY : this.#nextAt;
  }

  /** The CRM says that something has happened. When it is looked at: whoever says so all the time does not make it look all the time. */
  hurry(): number {
    this.#nextAt = Math.min(this.#nextAt, this.#lookedAt + apartMs);
    return Math.max(this.#nextAt, Date.now());
  }

  /** One look, where it is due. Never throws. */
  async look(crm: Crm, facts: AccountFacts): Promise<void> {
    const now = Date.now();
    if (crm.joined === undefined || this.#looking || this.#nextAt > now) return;
    this.#looking = true;
    this.#nextAt = now + joinEveryMs;
    this.#lookedAt = now;
    try {
      if (!(await this.#look(crm, facts, now))) this.#nextAt = Math.min(this.#nextAt, now + soonMs);
    } catch (error) {
      log("warn", "account.joining", { account: facts.name, error: errorName(error) });
    } finally {
      this.#looking = false;
    }
  }

  /** False where there is more, or it had to be put off. */
  async #look(crm: Crm, facts: AccountFacts, now: number): Promise<boolean> {
    const { store } = this.#eye;
    const since = this.#since ?? store.joinedSince() ?? now - joinFirstMs;
    let isDone = false;
    const spent = await this.#eye.spend(crm, crm.manifest.hears.requestsMax, async (send) => {
      const session = await this.#eye.session(crm, facts, send);
      if (session === null || crm.joined === undefined) return;
      const found = await crm.joined(session, since);
      if (!found.ok) return this.#eye.failed(crm, session, found.failure);
      const { drafts, through } = found.value;
      for (let at = 0; at < drafts.length; at += handOnConcurrency) {
        const some = drafts.slice(at, at + handOnConcurrency);
        const told = await Promise.all(some.map((draft) => this.#tell(facts, draft, now)));
        if (told.includes(false)) return;
      }
      this.#since = through ?? now - hearOverlapMs;
      const kept = store.joinedSince();
      if (drafts.length > 0 || kept === null || this.#since - kept > joinKeepMs) store.saveJoinedSince(this.#since);
      isDone = through === null;
    });
    return spent && isDone;
  }

  /** True when it is durable, or nothing can be made of it. */
  async #tell(facts: AccountFacts, draft: Parameters<typeof toSignal>[0], now: number): Promise<boolean> {
    const { env } = this.#eye;
    const found = await workspaceById(env, facts.workspace, now, (work) => this.#eye.later(work));
    if (found === null) return true;
    const origin = { workspace: facts.workspace, emitter: facts.crm, receivedAt: now };
    const signal = toSignal(draft, origin, found.workspace.policy.identity);
    if (!signal.ok) {
      log("warn", "account.joined_unclear", { account: facts.name, reason: signal.failure.reason });
      return true;
    }
    const { signal: own, foreign } = withoutForeign(found.workspace.policy.fields, signal.value);
    const delivered = await deliver(env, found.workspace, found.facts, own);
    // A report that is lost is made again by the next edit of its kind.
    if (delivered === "applied" && foreign.length > 0) {
      const reports = report(env, { workspace: found.workspace, name: facts.crm }, foreign.map(foreignField), now);
      this.#eye.later(reports.catch((error: unknown) => log("error", "account.report", { error: errorName(error) })));
    }
    return delivered !== null;
  }
}

/** From one look that was asked for to the next. */
const apartMs = 10_000;
/** What was put off is tried again, and what did not fit is read, so long after. */
const soonMs = 5_000;
