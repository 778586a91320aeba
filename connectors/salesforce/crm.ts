/**
 * Salesforce as one of the two CRMs that follow-ups leave into. Whatever sends, and jsforce with it, is loaded at the
 * first call: a Worker's start does not pay for it.
 */
import type { Crm } from "../contract.ts";
import { isClose, isCreate, isEnrol, isRecord, isUpdate, requestsFor } from "./cost.ts";
import { manifest } from "./manifest.ts";
import { authorizeUrl, exchangeForm, readGrant, refreshForm, revokeUrl, tokenUrl } from "./oauth.ts";
import { dueAt, shapeOf } from "./shape.ts";

export const salesforce: Crm = {
  manifest,
  authorizeUrl,

  async exchange(app, ask, io) {
    const { sendForm } = await import("./client.ts");
    return readGrant(await sendForm(io.send, tokenUrl(app), exchangeForm(app, ask)), null);
  },

  async refresh(app, grant, io) {
    const { sendForm } = await import("./client.ts");
    return readGrant(await sendForm(io.send, tokenUrl(app), refreshForm(app, grant)), grant);
  },

  async revoke(app, grant, send) {
    const { sendForm } = await import("./client.ts");
    const { status } = await sendForm(send, revokeUrl(app), new URLSearchParams({ token: grant.refreshToken }));
    // 400: no such token (any more).
    return status === 200 || status === 400;
  },

  async install(session) {
    const { probe } = await import("./install.ts");
    return probe(session);
  },

  async owners(session) {
    const { activeOwners } = await import("./install.ts");
    return activeOwners(session);
  },

  cost: (commands) => requestsFor(commands),

  async execute(session, commands) {
    const creates = commands.filter(isCreate);
    const updates = commands.filter(isUpdate);
    const closes = commands.filter(isClose);
    const records = commands.filter(isRecord);
    const enrolments = commands.filter(isEnrol);
    if ([creates, updates, closes, records, enrolments].filter((some) => some.length > 0).length > 1) {
      throw new Error("a batch holds commands of one type");
    }
    if (updates.length > 0) {
      const { updateOpenTasks } = await import("./update.ts");
      return updateOpenTasks(session, updates);
    }
    if (closes.length > 0) {
      const { closeTasks } = await import("./close.ts");
      return closeTasks(session, closes);
    }
    if (records.length > 0) {
      const { writeRecords } = await import("./write-records.ts");
      return writeRecords(session, records);
    }
    if (enrolments.length > 0) {
      const { enrolPeople } = await import("./enrol.ts");
      return enrolPeople(session, enrolments);
    }
    const { createTasks } = await import("./create.ts");
    return createTasks(session, creates);
  },

  async resolve(session, commands) {
    const enrolments = commands.filter(isEnrol);
    if (enrolments.length === commands.length) {
      const { findEnrolments } = await import("./enrol.ts");
      const found = await findEnrolments(session, enrolments);
      return commands.map(({ key }) => found.get(key) ?? { arm: "unknown", reason: "no_answer" });
    }
    const { resolveCommands } = await import("./resolve.ts");
    return resolveCommands(session, commands);
  },

  async changed(session, ask) {
    const { changedTasks } = await import("./changed.ts");
    return changedTasks(session, ask);
  },

  async recordOwners(session, people) {
    const { recordOwners } = await import("./record-owners.ts");
    return recordOwners(session, people);
  },

  async joined(session, since) {
    const { joinedRecords } = await import("./joined.ts");
    return joinedRecords(session, since);
  },

  shape: shapeOf,
  dueAt,

  /** Log-in and refresh are not counted by Salesforce. */
  counts: (request) => new URL(request.url).pathname.startsWith("/services/data/"),

  /** `api-usage=10018/100000`, among other pairs such as `per-app-api-usage=…`: read by name (CRM-FACTS §2.3). */
  remaining(headers) {
    const usage = /(?:^|[\s,;])api-usage=(\d+)\/(\d+)/.exec(headers.get("sforce-limit-info") ?? "");
    return usage === null ? null : { left: Math.max(Number(usage[2]) - Number(usage[1]), 0), of: Number(usage[2]) };
  },
};
