/**
 * The face for tests and for the laptop, below `/admin`. It plays the people in the org and sets what goes wrong; nothing
 * here exists at Salesforce.
 */
import { isObjectName, type Values } from "./fields.ts";
import type { FaultPatch, Org } from "./org.ts";

export interface AdminReply {
  readonly status: number;
  readonly body: unknown;
}

export function admin(org: Org, method: string, url: URL, body: unknown): AdminReply {
  const given = isObject(body) ? body : {};
  const [, , area, id, verb] = url.pathname.split("/");
  switch (`${method} ${area ?? ""}`) {
    case "GET state":
      return ok(org.state(url.searchParams.has("brief")));
    case "GET journal": {
      const since = Number(url.searchParams.get("since") ?? 0);
      return ok(org.entries().filter((entry) => entry.n > since));
    }
    case "DELETE journal":
      org.journal.clear();
      return ok({});
    case "GET faults":
      return ok(org.faults);
    case "POST faults":
      org.setFaults(given as FaultPatch);
      return ok(org.faults);
    case "POST reset":
      org.reset();
      return ok({});
    case "POST grant":
      return ok({ ...org.grant(), organizationId: org.organizationId });
    case "POST expire":
      org.sessions.expire();
      return ok({});
    case "POST revoke":
      org.sessions.revokeAll();
      return ok({});
    case "POST merge":
      return found(org.merge(String(given.winner), Array.isArray(given.losers) ? given.losers.map(String) : []));
    case "POST convert": {
      const contact = org.convert(String(given.lead), typeof given.contact === "string" ? given.contact : null);
      return contact === null ? found(false) : ok({ contact });
    }
    case "POST records":
      return typeof given.object === "string" && isObjectName(given.object)
        ? ok({ id: org.put(given.object, values(given.values)) })
        : { status: 400, body: { error: "object and values are required" } };
    case "GET records": {
      const record = org.get(id ?? "");
      return record === null ? found(false) : ok(record);
    }
    case "PATCH records":
      return found(org.edit(id ?? "", values(body)));
    case "POST task":
      return found(task(org, id ?? "", verb ?? "", given));
    default:
      return { status: 404, body: { error: "no such admin address" } };
  }
}

function task(org: Org, id: string, verb: string, given: Readonly<Record<string, unknown>>): boolean {
  switch (verb) {
    case "complete":
      return org.completeTask(id);
    case "reopen":
      return org.edit(id, { Status: "Not Started" });
    case "delete":
      return org.remove(id);
    case "undelete":
      return org.undelete(id);
    case "edit":
      return org.edit(id, values(given));
    default:
      return false;
  }
}

function ok(body: unknown): AdminReply {
  return { status: 200, body };
}

function found(was: boolean): AdminReply {
  return was ? ok({}) : { status: 404, body: { error: "not found, or not possible" } };
}

function values(given: unknown): Values {
  const isValue = (value: unknown): boolean => value === null || ["string", "number", "boolean"].includes(typeof value);
  return isObject(given)
    ? (Object.fromEntries(Object.entries(given).filter(([, value]) => isValue(value))) as Values)
    : {};
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
