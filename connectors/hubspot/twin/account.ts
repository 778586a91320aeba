/** Owners, the account itself, and the app's own uninstall (CRM-FACTS §1.6, §1.7). */
import type { Answer } from "./answers.ts";
import { notFound } from "./answers.ts";
import { type Call, type Owner, param } from "./twin.ts";

export function listOwners(call: Call): Answer {
  const limit = Math.min(Number(call.query.get("limit") ?? 100), 500);
  const after = Number(call.query.get("after") ?? 0);
  const archived = call.query.get("archived") === "true";
  const email = call.query.get("email");
  const owners = call.twin.account.owners.filter(
    (owner) => owner.archived === archived && (email === null || owner.email === email),
  );
  const next = after + limit < owners.length ? { paging: { next: { after: String(after + limit) } } } : {};
  return { status: 200, body: { results: owners.slice(after, after + limit).map(toWire), ...next } };
}

export function getOwner(call: Call): Answer {
  const id = param(call, "id");
  const byUser = call.query.get("idProperty") === "userId";
  const owner = call.twin.account.owners.find((one) => (byUser ? String(one.userId) : one.id) === id);
  if (owner === undefined) throw notFound("Owner not found");
  return { status: 200, body: toWire(owner) };
}

export function accountDetails(call: Call): Answer {
  const { portalId, timeZone } = call.twin.account;
  return {
    status: 200,
    body: {
      portalId,
      accountType: "STANDARD",
      timeZone,
      companyCurrency: "USD",
      additionalCurrencies: [],
      utcOffset: "+00:00",
      utcOffsetMilliseconds: 0,
      uiDomain: call.twin.address,
      dataHostingLocation: "na1",
    },
  };
}

export function uninstall(call: Call): Answer {
  call.twin.tokens.uninstall();
  return { status: 204 };
}

function toWire(owner: Owner): Record<string, unknown> {
  const at = new Date(0).toISOString();
  return { ...owner, type: "PERSON", userIdIncludingInactive: owner.userId, createdAt: at, updatedAt: at };
}
