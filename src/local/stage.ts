/** Engine and both CRM twins, up and wired to each other: what the demo, the bench and the system tests play on. */
import { mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type HubspotTwin, startHubspotTwin } from "../../connectors/hubspot/twin/server.ts";
import { type SalesforceTwin, startSalesforceTwin } from "../../connectors/salesforce/twin/server.ts";
import type { CrmName } from "../model.ts";
import type { MeterReading } from "./meter.ts";
import { bundleWorker, type Engine, startEngine } from "./runtime.ts";

export interface StageOptions {
  /** Emptied first. */
  readonly folder: string;
  readonly enginePort?: number;
  readonly hubspotPort?: number;
  readonly salesforcePort?: number;
  readonly salesTeam: readonly string[];
  /** Ports of the twins are given to the engine; false leaves a CRM out. */
  readonly log?: (line: string) => void;
  /** Entry of the Worker; the metered one unless said otherwise. */
  readonly entry?: string;
  /** Further variables of the engine. */
  readonly vars?: Readonly<Record<string, string>>;
}

export interface Stage {
  readonly engine: Engine;
  readonly hubspot: HubspotTwin;
  readonly salesforce: SalesforceTwin;
  readonly adminToken: string;
  readonly tasks: (crm: CrmName) => readonly StageTask[];
  readonly meter: () => Promise<MeterReading>;
  /** Ends the runtime with SIGKILL, as a power cut would, and starts it again on the same state. */
  readonly killAndRestart: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** One task in a CRM, however that CRM keeps it. */
export interface StageTask {
  readonly id: string;
  readonly key: string;
  /** E-mail addresses of the people it hangs on. */
  readonly emails: readonly string[];
  readonly open: boolean;
  readonly createdAt: number;
}

const adminToken = "local-admin-token";
/** What HubSpot signs with here. */
export const hubspotSecret = "baton-hubspot-secret";

export async function openStage(options: StageOptions): Promise<Stage> {
  rmSync(options.folder, { recursive: true, force: true });
  mkdirSync(options.folder, { recursive: true });
  const owners = options.salesTeam.map((email, index) => {
    const [firstName = "", lastName = ""] = (email.split("@")[0] ?? "").split(".");
    return { id: String(9_000 + index), userId: 500 + index, email, firstName, lastName, archived: false };
  });
  const port = options.enginePort ?? (await freePort());
  const hubspot = await startHubspotTwin({
    port: options.hubspotPort ?? 0,
    owners,
    faults: { autoConsent: true },
    cardUrl: `http://127.0.0.1:${port}/card/hubspot`,
  });
  const users = options.salesTeam.map((email) => ({ email, name: email.split("@")[0] ?? email, active: true }));
  const salesforce = await startSalesforceTwin({ port: options.salesforcePort ?? 0, users });
  const bundle = join(options.folder, "bundle");
  bundleWorker(options.entry ?? "src/local/worker.ts", bundle);
  const start = () =>
    startEngine({
      port,
      state: join(options.folder, "state"),
      bundle,
      vars: {
        PUBLIC_URL: `http://127.0.0.1:${port}`,
        HUBSPOT_LOGIN_URL: hubspot.url,
        HUBSPOT_API_URL: hubspot.url,
        SALESFORCE_LOGIN_URL: salesforce.url,
        HUBSPOT_CLIENT_ID: "baton-hubspot-client",
        HUBSPOT_CLIENT_SECRET: hubspotSecret,
        SALESFORCE_CLIENT_ID: "baton-twin-client",
        SALESFORCE_CLIENT_SECRET: "baton-twin-secret",
        BATON_MASTER_KEY: "local-master-key",
        BATON_ADMIN_TOKEN: adminToken,
        // The twins show at once what they did, so the world without a server key need not wait ten minutes here.
        CRM_SETTLE_READS_MS: "400,1200",
        ...options.vars,
      },
      ...(options.log === undefined ? {} : { log: options.log }),
    });
  let engine = await start();
  return {
    get engine() {
      return engine;
    },
    hubspot,
    salesforce,
    adminToken,
    tasks: (crm) => (crm === "hubspot" ? hubspotTasks(hubspot) : salesforceTasks(salesforce)),
    meter: async () => (await (await fetch(`${engine.url}/local/meter`)).json()) as MeterReading,
    killAndRestart: async () => {
      process.kill(engine.pid, "SIGKILL");
      await engine.stop().catch(() => undefined);
      engine = await start();
    },
    close: async () => {
      await engine.stop();
      await hubspot.close();
      await salesforce.close();
    },
  };
}

function hubspotTasks(twin: HubspotTwin): readonly StageTask[] {
  const { tasks, contacts } = twin.state();
  const emails = new Map(contacts.map((contact) => [contact.id, contact.email]));
  return tasks.filter(isOurs).map((task) => ({
    id: task.id,
    key: keyOf(task),
    emails: task.contacts.map((id) => emails.get(id) ?? ""),
    open: !task.archived && task.status !== "COMPLETED",
    createdAt: task.createdAt,
  }));
}

function salesforceTasks(twin: SalesforceTwin): readonly StageTask[] {
  const { tasks, people } = twin.org.state();
  const emails = new Map(people.map((person) => [person.id, person.email]));
  return tasks.filter(isOurs).map((task) => ({
    id: task.id,
    key: keyOf(task),
    emails: task.who === null ? [] : [emails.get(task.who) ?? ""],
    open: !task.deleted && task.status !== "Completed",
    createdAt: task.createdAt,
  }));
}

function keyOf(task: { readonly key: string | null; readonly marker?: string | null }): string {
  return task.key ?? task.marker ?? "";
}

/** Not the throw-away task of the probe at install, which is made and deleted again. */
function isOurs(task: { readonly key: string | null; readonly marker?: string | null }): boolean {
  return keyOf(task) === "" || keyOf(task).startsWith("fu_");
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
