/**
 * Asks the CRM whose a person's record is, when somebody is to hold a new follow-up. One read at a time, and with the budget filling up fewer
 * of them: whoever asks meanwhile is in the next one, so that a rush is read in batches and leaves the budget to the tasks. Nobody waits for
 * longer than `recordOwnersWaitMs`: a follow-up that leaves is worth more than one that leaves to the right person too late. Nothing is
 * remembered: an owner may change at any time.
 */
import type { Crm, CrmPerson, Send } from "../../connectors/contract.ts";
import type { OwnersSaid } from "../decide/candidates.ts";
import { recordOwnersWaitMs } from "../limits.ts";
import { errorName, log } from "../log.ts";
import type { AccountFacts } from "./account-store.ts";
import type { CrmReader } from "./crm-reader.ts";

export interface RecordOwnersCall {
  readonly person: CrmPerson;
  /** Takes from what of the budget is reserved for the hot tier. */
  readonly hot: boolean;
}

interface Waiting extends RecordOwnersCall {
  answer(said: OwnersSaid | null): void;
}

/** Where the budget has no room, it is asked for again after this. */
const roomMs = 200;

export class RecordOwnersReader {
  readonly #reader: CrmReader;
  readonly #waiting = new Set<Waiting>();
  #reading = false;
  /** When the last read left. */
  #leftAt = 0;

  constructor(reader: CrmReader) {
    this.#reader = reader;
  }

  /** Addresses, in lower case, of whoever owns the records; null where that is not known in time. Never throws. */
  ask(crm: Crm, facts: AccountFacts, call: RecordOwnersCall): Promise<OwnersSaid | null> {
    const answer = new Promise<OwnersSaid | null>((resolve) => {
      const waiting: Waiting = {
        ...call,
        answer: (said) => {
          clearTimeout(timer);
          this.#waiting.delete(waiting);
          resolve(said);
        },
      };
      const timer = setTimeout(() => waiting.answer(null), recordOwnersWaitMs);
      this.#waiting.add(waiting);
    });
    if (!this.#reading) this.#reader.later(this.#readAll(crm, facts));
    return answer;
  }

  async #readAll(crm: Crm, facts: AccountFacts): Promise<void> {
    this.#reading = true;
    try {
      while (this.#waiting.size > 0) {
        await until(this.#leftAt + this.#reader.gatherMs(crm));
        // They may have been answered by the clock meanwhile.
        const hasRoom = this.#waiting.size === 0 || (await this.#readSome(crm, facts));
        if (!hasRoom) await until(Date.now() + roomMs);
      }
    } finally {
      this.#reading = false;
    }
  }

  /** False where the budget had no room for it. */
  async #readSome(crm: Crm, facts: AccountFacts): Promise<boolean> {
    const { peopleMax, requestsMax } = crm.manifest.owned;
    const some = [...this.#waiting].slice(0, peopleMax);
    const hot = some.some((item) => item.hot);
    const read = async (send: Send) => {
      this.#leftAt = Date.now();
      const said = await this.#said(crm, facts, some, send);
      for (const [index, item] of some.entries()) item.answer(said?.[index] ?? null);
    };
    return this.#reader.spend(crm, requestsMax, read, hot);
  }

  async #said(
    crm: Crm,
    facts: AccountFacts,
    some: readonly Waiting[],
    send: Send,
  ): Promise<readonly OwnersSaid[] | null> {
    try {
      const session = await this.#reader.session(crm, facts, send);
      const users = session === null ? null : await this.#reader.owners(crm, session);
      if (session === null || users === null) return null;
      const people = some.map(({ person }) => person);
      const found = await crm.recordOwners(session, people);
      if (!found.ok) {
        await this.#reader.failed(crm, session, found.failure);
        return null;
      }
      const addresses = new Map([...users].map(([address, id]) => [id, address]));
      return found.value.map(({ record = "", account = "" }) => {
        const [ofRecord, ofAccount] = [addresses.get(record), addresses.get(account)];
        return {
          ...(ofRecord === undefined ? {} : { record: ofRecord }),
          ...(ofAccount === undefined ? {} : { account: ofAccount }),
        };
      });
    } catch (error) {
      log("info", "account.record_owners", { account: facts.name, error: errorName(error) });
      return null;
    }
  }
}

async function until(at: number): Promise<void> {
  const waitMs = at - Date.now();
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
}
