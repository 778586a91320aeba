/** One Salesforce org: its rows, its sessions, its faults, its journal, and what people do in it. */
import { type Faults, noFaults, seeded, statusesOf } from "./faults.ts";
import { keyName, type ObjectName, type Values } from "./fields.ts";
import { Journal, type JournalEntry, type Violation } from "./journal.ts";
import type { Found } from "./query.ts";
import { type Call, Records } from "./records.ts";
import { Sessions, type Tokens, type TwinApp } from "./sessions.ts";
import { Store, type Stored } from "./store.ts";

export interface TwinUser {
  readonly email: string;
  readonly name: string;
  readonly active: boolean;
}

export interface OrgOptions {
  readonly seed: number;
  readonly app: TwinApp;
  readonly users: readonly TwinUser[];
  readonly timeZone: string;
  /** Life of an access token; null for ever. */
  readonly sessionMs: number | null;
  /** Each refresh gives a new refresh token and kills the old one. */
  readonly rotation: boolean;
  /** Rows of one page of a query. */
  readonly pageSize: number;
  readonly now: () => number;
}

/** What a person looking at the org sees of a task. */
export interface TaskSummary {
  readonly id: string;
  readonly key: string | null;
  readonly who: string | null;
  readonly whatId: string | null;
  readonly owner: string | null;
  readonly subject: string | null;
  readonly status: string | null;
  readonly createdAt: number;
  readonly deleted: boolean;
}

export interface PersonSummary {
  readonly id: string;
  readonly object: "Lead" | "Contact";
  readonly key: string | null;
  readonly name: string | null;
  readonly email: string | null;
  readonly deleted: boolean;
  readonly master: string | null;
  readonly convertedTo: string | null;
}

export interface TwinState {
  readonly counts: {
    readonly tasks: number;
    readonly tasksDeleted: number;
    readonly leads: number;
    readonly contacts: number;
    readonly doubledKeys: number;
  };
  readonly api: { readonly used: number; readonly limit: number };
  readonly sessions: { readonly access: number; readonly refresh: number; readonly spentRefreshes: number };
  readonly violations: { readonly count: number; readonly first: readonly Violation[] };
  readonly tasks: readonly TaskSummary[];
  readonly people: readonly PersonSummary[];
}

/** A patch of the faults; lists replace lists. */
export type FaultPatch = { readonly [Name in keyof Faults]?: Faults[Name] | undefined };

export class Org {
  readonly options: OrgOptions;
  readonly faults: Faults = noFaults();
  readonly journal = new Journal();
  readonly sessions: Sessions;
  /** Results of queries that did not fit one page. */
  readonly locators = new Map<string, Found>();
  records: Records;
  chance: () => number;
  #requests = 0;
  organizationId = "";
  integrationUserId = "";
  /** The person who does what `/admin` asks. */
  #personId = "";

  constructor(options: OrgOptions) {
    this.options = options;
    this.sessions = new Sessions(options.app, this.faults, options);
    this.chance = seeded(options.seed);
    this.records = this.#found();
  }

  /** Back to an empty org without faults; whoever is connected stays so, and ids are the same again. */
  reset(): void {
    Object.assign(this.faults, noFaults());
    this.journal.clear();
    this.locators.clear();
    this.chance = seeded(this.options.seed);
    this.records = this.#found();
  }

  setFaults(patch: FaultPatch): void {
    for (const [name, value] of Object.entries(patch)) {
      if (value !== undefined && Object.hasOwn(this.faults, name)) {
        Object.assign(this.faults, { [name]: structuredClone(value) });
      }
    }
    if (patch.taskStatuses !== undefined) {
      this.#seedStatuses(this.records);
    }
  }

  /** A request that reaches the org now, by our integration user. */
  arrive(): Call {
    this.#requests += 1;
    return {
      request: this.#requests,
      arrived: this.records.store.made,
      user: this.integrationUserId,
      now: this.options.now(),
    };
  }

  /* ------------------------------------------------------------------------------------ what people do */

  grant(): Tokens {
    return this.sessions.grant();
  }

  /** Makes a record as a person would; an e-mail address in `values` is where the engine should find them. */
  put(object: ObjectName, values: Values): string {
    return this.records.put(object, values, this.#byPerson()).id;
  }

  edit(id: string, values: Values): boolean {
    return this.records.edit(id, values, this.#byPerson());
  }

  merge(winner: string, losers: readonly string[]): boolean {
    return this.records.merge(winner, losers, this.#byPerson());
  }

  /** Gives the contact's id, or null where the lead cannot be converted. */
  convert(lead: string, contact: string | null = null): string | null {
    return this.records.convert(lead, contact, this.#byPerson());
  }

  completeTask(id: string): boolean {
    return this.edit(id, { Status: statusesOf(this.faults).at(-1) ?? "Completed" });
  }

  remove(id: string): boolean {
    return this.edit(id, { IsDeleted: true });
  }

  undelete(id: string): boolean {
    return this.edit(id, { IsDeleted: false });
  }

  get(id: string): Values | null {
    return this.records.store.get(id)?.values ?? null;
  }

  /* ------------------------------------------------------------------------------------ looking at it */

  entries(): readonly JournalEntry[] {
    return this.journal.entries;
  }

  tasks(): readonly TaskSummary[] {
    return this.#rows("Task").map(({ id, values }) => ({
      id,
      key: word(values[keyName]),
      who: word(values.WhoId),
      whatId: word(values.WhatId),
      owner: word(values.OwnerId),
      subject: word(values.Subject),
      status: word(values.Status),
      createdAt: Date.parse(String(values.CreatedDate)),
      deleted: values.IsDeleted === true,
    }));
  }

  people(): readonly PersonSummary[] {
    return [...this.#rows("Lead"), ...this.#rows("Contact")].map(({ id, object, values }) => ({
      id,
      object: object === "Lead" ? "Lead" : "Contact",
      key: word(values[keyName]),
      name: word(values.Name),
      email: word(values.Email),
      deleted: values.IsDeleted === true,
      master: word(values.MasterRecordId),
      convertedTo: word(values.ConvertedContactId),
    }));
  }

  /** `brief` leaves the lists out. */
  state(brief = false): TwinState {
    const tasks = this.tasks();
    const people = this.people();
    const keys = tasks.map(({ key }) => key).filter((key) => key !== null);
    const live = people.filter((person) => !person.deleted);
    return {
      counts: {
        tasks: tasks.filter((task) => !task.deleted).length,
        tasksDeleted: tasks.filter((task) => task.deleted).length,
        leads: live.filter((person) => person.object === "Lead").length,
        contacts: live.filter((person) => person.object === "Contact").length,
        doubledKeys: keys.length - new Set(keys).size,
      },
      api: { used: this.faults.apiUsed, limit: this.faults.apiLimit },
      sessions: this.sessions.counts(),
      violations: { count: this.journal.violationCount, first: this.journal.violations },
      tasks: brief ? [] : tasks,
      people: brief ? [] : people,
    };
  }

  #rows(object: ObjectName): readonly Stored[] {
    return [...this.records.store.table(object).values()];
  }

  #byPerson(): Call {
    return { ...this.arrive(), user: this.#personId };
  }

  #seedStatuses(records: Records): void {
    const call: Call = { request: 0, arrived: 0, user: this.integrationUserId, now: this.options.now() };
    const names = statusesOf(this.faults);
    records.store.table("TaskStatus").clear();
    for (const [index, name] of names.entries()) {
      const isClosed = index === names.length - 1;
      records.put(
        "TaskStatus",
        { ApiName: name, MasterLabel: name, SortOrder: index + 1, IsDefault: index === 0, IsClosed: isClosed },
        call,
      );
    }
  }

  #found(): Records {
    const records = new Records(new Store(), this.faults);
    const call: Call = { request: 0, arrived: 0, user: "", now: this.options.now() };
    const { users, timeZone } = this.options;
    const [integration, person] = [
      { email: "integration@example.com", name: "Baton Integration", active: true },
      ...users,
    ].map(({ email, name, active }) =>
      records.put(
        "User",
        { Username: email, Name: name, Email: email, IsActive: active, UserType: "Standard", TimeZoneSidKey: timeZone },
        call,
      ),
    );
    this.integrationUserId = integration?.id ?? "";
    this.#personId = person?.id ?? this.integrationUserId;
    this.organizationId = records.put(
      "Organization",
      {
        Name: "Twin",
        TimeZoneSidKey: timeZone,
        InstanceName: "TWIN1",
        IsSandbox: true,
        OrganizationType: "Enterprise Edition",
      },
      call,
    ).id;
    this.#seedStatuses(records);
    return records;
  }
}

function word(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
