/**
 * People at work in both CRMs, drawn from a seed: they complete, delete, give on, put off and rename tasks, type into records, merge contacts
 * and convert leads. Nobody there knows of the engine. Everything they did is remembered, with when.
 */
import type { CrmName } from "../model.ts";
import type { Stage } from "./stage.ts";

export type Deed =
  | "completed"
  | "deleted"
  | "given"
  | "postponed"
  | "renamed"
  | "lowered"
  | "wrote_website"
  | "merged"
  | "converted";

export interface Done {
  readonly at: number;
  readonly crm: CrmName;
  readonly deed: Deed;
  readonly task: string;
  /** Of the action that made the task. */
  readonly key: string;
  /** What was typed: an address, epoch ms, or text. */
  readonly value?: string | number;
  /** Id of the record that the task is about. */
  readonly person: string | null;
}

/** How a task stands, in the words of both CRMs. */
export interface Standing {
  readonly id: string;
  readonly key: string;
  readonly crm: CrmName;
  readonly open: boolean;
  readonly deleted: boolean;
  readonly subject: string;
  readonly priority: string;
  /** Address. */
  readonly owner: string | null;
  /** Epoch ms; in Salesforce the beginning of the day. */
  readonly dueAt: number;
  readonly person: string | null;
}

export const dayMs = 86_400_000;

export class Human {
  readonly did: Done[] = [];
  readonly #stage: Stage;
  readonly #random: () => number;
  readonly #sellers: readonly string[];
  #names = 0;

  constructor(stage: Stage, sellers: readonly string[], random: () => number) {
    this.#stage = stage;
    this.#sellers = sellers;
    this.#random = random;
  }

  /** Does one thing to some open task of ours; null where there is none. */
  async act(deed: Deed): Promise<Done | null> {
    const crm: CrmName =
      deed === "merged" ? "hubspot" : deed === "converted" || this.#random() < 0.5 ? "salesforce" : "hubspot";
    const open = standing(this.#stage, crm).filter((task) => task.open && task.key.startsWith("fu_"));
    const task = this.#pick(open);
    if (task === undefined) return null;
    const value = await this.#do(task, deed, open);
    if (value === null) return null;
    const done: Done = {
      at: Date.now(),
      crm,
      deed,
      task: task.id,
      key: task.key,
      person: task.person,
      ...(value === undefined ? {} : { value }),
    };
    this.did.push(done);
    return done;
  }

  /** What was typed; null where it could not be done. */
  async #do(task: Standing, deed: Deed, open: readonly Standing[]): Promise<string | number | undefined | null> {
    const { crm } = task;
    switch (deed) {
      case "completed":
        if (crm === "hubspot") await this.#hubspot(`task/${task.id}/complete`, {});
        else this.#stage.salesforce.org.completeTask(task.id);
        return undefined;
      case "deleted":
        if (crm === "hubspot") await this.#hubspot(`task/${task.id}/delete`, {});
        else this.#stage.salesforce.org.remove(task.id);
        return undefined;
      case "given": {
        const to = this.#pick(this.#sellers.filter((address) => address !== task.owner)) ?? "";
        await this.#edit(
          task,
          { hubspot_owner_id: this.#ownerId("hubspot", to) },
          { OwnerId: this.#ownerId("salesforce", to) },
        );
        return to;
      }
      case "postponed": {
        const dueAt = task.dueAt + (1 + Math.floor(this.#random() * 9)) * dayMs;
        await this.#edit(
          task,
          { hs_timestamp: String(dueAt) },
          { ActivityDate: new Date(dueAt).toISOString().slice(0, 10) },
        );
        return dueAt;
      }
      case "renamed": {
        const subject = `Theirs ${++this.#names}`;
        await this.#edit(task, { hs_task_subject: subject }, { Subject: subject });
        return subject;
      }
      case "lowered":
        await this.#edit(task, { hs_task_priority: "LOW" }, { Priority: "Low" });
        return "low";
      case "wrote_website": {
        const website = `theirs-${++this.#names}.example.com`;
        if (crm === "hubspot") await this.#hubspot(`contact/${task.person}/edit`, { website });
        else if (task.person?.startsWith("00Q") === true)
          this.#stage.salesforce.org.edit(task.person, { Website: website });
        else return null;
        return website;
      }
      case "merged": {
        const other = this.#pick(open.filter(({ person }) => person !== null && person !== task.person));
        if (other === undefined || task.person === null) return null;
        await this.#hubspot("merge", { primary: task.person, merged: other.person });
        return other.key;
      }
      case "converted":
        return task.person?.startsWith("00Q") === true ? this.#stage.salesforce.org.convert(task.person) : null;
    }
  }

  #edit(task: Standing, inHubspot: Record<string, string>, inSalesforce: Record<string, string>): Promise<void> {
    if (task.crm === "hubspot") return this.#hubspot(`task/${task.id}/edit`, inHubspot);
    this.#stage.salesforce.org.edit(task.id, inSalesforce);
    return Promise.resolve();
  }

  async #hubspot(path: string, body: object): Promise<void> {
    const answer = await fetch(`${this.#stage.hubspot.url}/admin/${path}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`the twin said ${answer.status} to ${path}`);
  }

  #ownerId(crm: CrmName, address: string): string {
    return ownersOf(this.#stage, crm).find(([, email]) => email === address)?.[0] ?? "";
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.#random() * items.length)];
  }
}

/** Every task there, deleted ones too. */
export function standing(stage: Stage, crm: CrmName): readonly Standing[] {
  const owners = new Map(ownersOf(stage, crm));
  if (crm === "hubspot")
    return stage.hubspot.state().tasks.map((task) => ({
      id: task.id,
      key: task.key ?? task.marker ?? "",
      crm,
      open: !task.archived && task.status !== "COMPLETED",
      deleted: task.archived,
      subject: task.subject,
      priority: task.priority.toLowerCase(),
      owner: owners.get(task.owner ?? "") ?? null,
      dueAt: task.dueAt,
      person: task.contacts[0] ?? null,
    }));
  const { org } = stage.salesforce;
  return org.tasks().map((task) => {
    const values = org.get(task.id) ?? {};
    return {
      id: task.id,
      key: task.key ?? "",
      crm,
      open: !task.deleted && task.status !== "Completed",
      deleted: task.deleted,
      subject: task.subject ?? "",
      priority: String(values.Priority).toLowerCase(),
      owner: owners.get(task.owner ?? "") ?? null,
      dueAt: Date.parse(String(values.ActivityDate)),
      person: task.who,
    };
  });
}

function ownersOf(stage: Stage, crm: CrmName): readonly (readonly [id: string, email: string])[] {
  if (crm === "hubspot") return stage.hubspot.account.owners.map(({ id, email }) => [id, email]);
  return [...stage.salesforce.org.records.store.table("User").values()].map(({ id, values }) => [
    id,
    String(values.Email),
  ]);
}
