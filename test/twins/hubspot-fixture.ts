/**
 * What the HubSpot client's tests share: one twin per file, the real client over HTTP against it, and a small driver that
 * does what the account object does. People are of example.com only.
 */
import { expect } from "vitest";
import type { Command, CrmPerson, CrmSession, CrmTask, Outcome, World } from "../../connectors/contract.ts";
import { hubspot } from "../../connectors/hubspot/crm.ts";
import type { Faults } from "../../connectors/hubspot/twin/faults.ts";
import { type HubspotTwin, startHubspotTwin } from "../../connectors/hubspot/twin/server.ts";

export const worlds: readonly World[] = ["unique_property", "builtin_unique", "marker"];
export const dueAt = Date.UTC(2026, 10, 23, 9, 0, 0);

export const twin: HubspotTwin = await startHubspotTwin();
/** What the client sent since the last `reset`. */
export const requests: Request[] = [];

export const send = (request: Request) => {
  requests.push(request.clone());
  return fetch(request);
};

export async function reset(): Promise<void> {
  await admin("reset", {});
  requests.length = 0;
}

export async function admin(path: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`${twin.url}/admin/${path}`, { method: "POST", body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`admin ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Record<string, unknown>;
}

export async function sessionIn(world: World, faults: Partial<Faults> = {}): Promise<CrmSession> {
  twin.setFaults({ world });
  const session = { accessToken: twin.grant().accessToken, apiUrl: twin.url, world, send };
  const installed = await hubspot.install(session);
  if (!installed.ok) throw new Error(installed.failure.arm);
  expect(installed.value.world).toBe(world);
  await admin("reset", { world, ...faults });
  requests.length = 0;
  return session;
}

export function create(name: string, person: Partial<CrmPerson> = {}, task: Partial<CrmTask> = {}): Command {
  return {
    type: "create_task",
    key: `act-${name}`,
    person: { lead: `lead-${name}`, email: `${name}@example.com`, ...person },
    task: { subject: `Call ${name}`, body: "Asked for a demo", dueAt, priority: "high", type: "call", ...task },
  };
}

export function many(count: number): Command[] {
  return Array.from({ length: count }, (_, index) => create(`p${index}`));
}

export async function one(session: CrmSession, command: Command): Promise<Outcome> {
  const [outcome] = await hubspot.execute(session, [command]);
  if (outcome === undefined) throw new Error("no outcome");
  return outcome;
}

export async function resolveOne(session: CrmSession, command: Command) {
  const [resolution] = await hubspot.resolve(session, [command]);
  return resolution;
}

export function done(outcome: Outcome | undefined): Extract<Outcome, { arm: "done" }> {
  if (outcome?.arm !== "done") throw new Error(`not done: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** What the account object does, without its waiting: execute; after unknown, resolve; after absent, execute again. */
export async function drive(session: CrmSession, commands: readonly Command[], batch = 100): Promise<void> {
  let sent = 0;
  const counted: CrmSession = {
    ...session,
    send: (request) => {
      sent++;
      return session.send(request);
    },
  };
  let pending = [...commands];
  let doubtful: Command[] = [];
  for (let round = 0; round < 200 && pending.length + doubtful.length > 0; round++) {
    const next: Command[] = [];
    for (let start = 0; start < pending.length; start += batch) {
      const some = pending.slice(start, start + batch);
      sent = 0;
      const outcomes = await hubspot.execute(counted, some);
      expect(sent).toBeLessThanOrEqual(hubspot.cost(some, session.world));
      for (const [index, outcome] of outcomes.entries()) {
        const command = some[index] as Command;
        if (outcome.arm === "unknown") doubtful.push(command);
        else if (outcome.arm === "deferred") next.push(command);
        else expect(outcome.arm).toBe("done");
      }
    }
    pending = next;
    const resolutions = doubtful.length === 0 ? [] : await hubspot.resolve(session, doubtful.slice(0, 100));
    const open = doubtful.slice(100);
    for (const [index, resolution] of resolutions.entries()) {
      const command = doubtful[index] as Command;
      if (resolution.arm === "absent") pending.push(command);
      else if (resolution.arm !== "found") open.push(command);
    }
    doubtful = open;
  }
  expect(pending.length + doubtful.length).toBe(0);
}

export function expectExactlyOnce(commands: readonly Command[], world: World): void {
  const { tasks } = twin.state();
  const keys = tasks.map((task) => (world === "marker" ? task.marker : task.key)).sort();
  expect(keys).toEqual(commands.map((command) => command.key).sort());
  expect(tasks.filter((task) => task.contacts.length !== 1)).toEqual([]);
}
