/**
 * HubSpot as a `Crm`. Thin: it picks the allowance and the file that does the work, and loads the vendor's code only
 * when something is to be sent, so that the Worker starts without it.
 *
 * `execute` creates only what the caller believes absent: after `unknown`, `resolve` comes first (see `create-tasks.ts`).
 */
import { fail, ok, type Result } from "../../src/failure.ts";
import type {
  Command,
  Crm,
  CrmApp,
  CrmOwner,
  CrmSession,
  Grant,
  GrantFailure,
  Outcome,
  Resolution,
  World,
} from "../contract.ts";
import type { CloseTask } from "./close-tasks.ts";
import type { CreateTask } from "./create-tasks.ts";
import { lost, type Mishap } from "./errors.ts";
import { crmManifest } from "./manifest.ts";
import {
  authorizeUrl,
  exchangeForm,
  introspectForm,
  readGrant,
  readIntrospection,
  refreshForm,
  revokeForm,
} from "./oauth.ts";
import { batchRowsMax, costOf, keyProperty, recordPropertiesCount } from "./requests.ts";
import { dueAt, shapeOf } from "./shape.ts";
import type { UpdateTask } from "./update-tasks.ts";

export const hubspot: Crm = {
  manifest: crmManifest,
  authorizeUrl,

  async exchange(app, ask, io) {
    const { sendForm } = await import("./client.ts");
    const answer = await sendForm(io.send, app.apiUrl, "/oauth/v1/token", exchangeForm(app, ask));
    return complete(app, readGrant(answer, app.apiUrl, io.now), io.send);
  },

  async refresh(app, grant, io) {
    const { sendForm } = await import("./client.ts");
    const answer = await sendForm(io.send, grant.apiUrl, "/oauth/v1/token", refreshForm(app, grant));
    return complete(app, readGrant(answer, grant.apiUrl, io.now, grant), io.send);
  },

  async revoke(app, grant, send) {
    const { sendForm, uninstall } = await import("./client.ts");
    if (await uninstall(send, grant)) return true;
    // Its access token may be over: without the refresh token there is no other.
    const answer = await sendForm(send, grant.apiUrl, "/oauth/v1/token/revoke", revokeForm(app, grant));
    return answer?.status === 200;
  },

  async install(session) {
    const { installHubspot } = await import("./install.ts");
    return installHubspot(await open(session, installRequestsMax), session);
  },

  async owners(session) {
    const client = await open(session, ownerPagesMax);
    const all: CrmOwner[] = [];
    let after: string | undefined;
    do {
      const page = await client.ownersPage(after);
      if (!page.ok) return fail(page.failure.outcome);
      all.push(...page.value.owners);
      after = page.value.after;
    } while (after !== undefined);
    return ok(all);
  },

  cost: costOf,

  async execute(session, commands) {
    const client = await open(session, costOf(commands, session.world));
    const creates = commands.filter(isCreate);
    const updates = commands.filter((command): command is UpdateTask => command.type === "update_task");
    const closes = commands.filter((command): command is CloseTask => command.type === "close_task");
    const records = commands.filter((command) => command.type === "write_record");
    const outcomes = new Map<Command, Outcome>();
    if (creates.length > 0) {
      const { createTasks } = await import("./create-tasks.ts");
      const made = await createTasks(client, session.world, creates);
      for (const [index, command] of creates.entries()) outcomes.set(command, made[index] ?? lost("once").outcome);
    }
    if (updates.length > 0) {
      const { updateTasks } = await import("./update-tasks.ts");
      const updated = await updateTasks(client, updates);
      for (const [index, command] of updates.entries()) outcomes.set(command, updated[index] ?? notAnswered);
    }
    if (closes.length > 0) {
      const { closeTasks } = await import("./close-tasks.ts");
      const closed = await closeTasks(client, closes);
      for (const [index, command] of closes.entries()) outcomes.set(command, closed[index] ?? notAnswered);
    }
    if (records.length > 0) {
      const { writeRecords } = await import("./write-records.ts");
      const written = await writeRecords(client, records);
      for (const [index, command] of records.entries()) outcomes.set(command, written[index] ?? notAnswered);
    }
    const enrolments = commands.filter((command) => command.type === "enrol");
    if (enrolments.length > 0) {
      const { enrolContacts } = await import("./enrol.ts");
      const enrolled = await enrolContacts(client, enrolments);
      for (const [index, command] of enrolments.entries()) outcomes.set(command, enrolled[index] ?? notAnswered);
    }
    return commands.map((command) => outcomes.get(command) ?? lost("once").outcome);
  },

  async resolve(session, commands) {
    const client = await open(session, resolveRequestsMax);
    const answers = new Map<string, Resolution>();
    const creates = commands.filter(isCreate);
    for (let start = 0; start < creates.length; start += batchRowsMax) {
      const some = creates.slice(start, start + batchRowsMax);
      for (const [key, answer] of await resolveCreates(client, session.world, some)) answers.set(key, answer);
    }
    const enrolments = commands.filter((command) => command.type === "enrol");
    if (enrolments.length > 0) {
      const { findEnrolments } = await import("./enrol.ts");
      for (const [key, answer] of await findEnrolments(client, enrolments)) answers.set(key, answer);
    }
    // Closing, updating and showing may be repeated, so for them there is nothing to look up.
    return commands.map(
      (command): Resolution =>
        isCreate(command) || command.type === "enrol" ? (answers.get(command.key) ?? notAnswered) : { arm: "absent" },
    );
  },

  async changed(session, { tasks }) {
    const { changedRequestsMax, changedTasks } = await import("./changed-tasks.ts");
    return changedTasks(await open(session, changedRequestsMax), tasks);
  },

  async recordOwners(session, people) {
    const { recordOwners } = await import("./record-owners.ts");
    return recordOwners(await open(session, crmManifest.owned.requestsMax), people);
  },

  shape: shapeOf,
  dueAt,

  counts: (request) => !/\/(associations|search|oauth)(\/|$)/.test(new URL(request.url).pathname),

  remaining(headers) {
    const left = headers.get("x-hubspot-ratelimit-remaining");
    const of = headers.get("x-hubspot-ratelimit-max");
    if (left === null || of === null || !/^\d+$/.test(left) || !/^\d+$/.test(of)) return null;
    return { left: Number(left), of: Number(of) };
  },
};

async function resolveCreates(
  client: Awaited<ReturnType<typeof open>>,
  world: World,
  commands: readonly CreateTask[],
): Promise<Map<string, Resolution>> {
  const idProperty = keyProperty(world);
  if (idProperty === null) {
    const { resolveByMarker } = await import("./resolve-marked.ts");
    return resolveByMarker(client, commands);
  }
  const { resolveByKey } = await import("./resolve-tasks.ts");
  return resolveByKey(client, idProperty, commands);
}

async function open(session: CrmSession, requestsMax: number) {
  const { allow, openClient } = await import("./client.ts");
  return openClient(session, allow(requestsMax));
}

/** The token answer names the account only perhaps; then introspection does. Without an account there is no grant. */
async function complete(
  app: CrmApp,
  read: ReturnType<typeof readGrant>,
  send: CrmSession["send"],
): Promise<Result<Grant, GrantFailure>> {
  if (!read.ok) return read;
  const grant = read.value;
  if (grant.crmAccount !== null && grant.scopes.length > 0) return ok({ ...grant, crmAccount: grant.crmAccount });
  const { sendForm } = await import("./client.ts");
  const form = introspectForm(app, grant.accessToken);
  const said = readIntrospection(await sendForm(send, grant.apiUrl, "/oauth/v1/introspect", form));
  const crmAccount = grant.crmAccount ?? said?.account;
  if (crmAccount === undefined) return fail({ arm: "unknown", reason: "account_not_named" });
  return ok({ ...grant, crmAccount, scopes: grant.scopes.length > 0 ? grant.scopes : (said?.scopes ?? []) });
}

function isCreate(command: Command): command is CreateTask {
  return command.type === "create_task";
}

const notAnswered: Mishap = lost("repeatable", "not_reached").outcome;
/** Property, group, two probes of four requests, account, and what records show: more than that is not an install. */
const installRequestsMax = 16 + 2 + recordPropertiesCount;
/** 100 owners a page. */
const ownerPagesMax = 50;
/** 100 keys, their links and people, and in the marker world the bodies of their contacts' tasks. */
const resolveRequestsMax = 60;
