/**
 * Install: the key property, our properties on contacts, which exactly-once world the account lives in, and where its records are shown.
 *
 * Whether tasks take a unique property is documented nowhere (CRM-FACTS §1.3), so it is tried: a throw-away task is
 * upserted twice by key and must be new once, be found by key, and is taken away again. Only a definite refusal makes the
 * world weaker; passing trouble is handed back, for a world once chosen stays. Safe to repeat.
 */
import { fail, ok, type Result } from "../../src/failure.ts";
import type { CrmSession, Installation, World } from "../contract.ts";
import { type Fate, sendRows } from "./batch.ts";
import type { HubspotClient, ObjectResult } from "./client.ts";
import { lost, type Mishap, type Refusal } from "./errors.ts";
import { ensureRecordProperties } from "./record-properties.ts";
import { keyGroup, keyProperty, keyPropertyName, objectTypeIds, objectTypes, taskGroupName } from "./requests.ts";

export async function installHubspot(
  client: HubspotClient,
  session: CrmSession,
): Promise<Result<Installation, Mishap>> {
  const world = await findWorld(client);
  if (!world.ok) return world;
  const info = await client.accountInfo();
  if (!info.ok) return fail(info.failure.outcome);
  // Without them nothing is shown on records, and everything else works.
  await ensureRecordProperties(client);
  return ok({ world: world.value, ...accountFacts(info.value, session.apiUrl) });
}

async function findWorld(client: HubspotClient): Promise<Result<World, Mishap>> {
  const property = await ensureProperty(client);
  if (!property.ok) return property;
  const candidates: World[] = property.value ? ["unique_property", "builtin_unique"] : ["builtin_unique"];
  for (const world of candidates) {
    const works = await probe(client, keyProperty(world) ?? "");
    if (!works.ok) return works;
    if (works.value) return ok(world);
  }
  return ok("marker");
}

/** True when tasks have our unique property, false when the account or our scopes do not allow it. */
async function ensureProperty(client: HubspotClient): Promise<Result<boolean, Mishap>> {
  const there = await client.getProperty(objectTypes.tasks, keyPropertyName);
  if (there.ok) return ok(there.value.hasUniqueValue === true);
  if (there.failure.status !== 404) return definitely(there.failure, false);

  const group = await client.createGroup(objectTypes.tasks, {
    name: keyGroup.name,
    label: keyGroup.label,
    displayOrder: -1,
  });
  if (!group.ok && !isDefinite(group.failure)) return fail(group.failure.outcome);
  const grouped = group.ok || group.failure.status === 409;
  const made = await client.createProperty(objectTypes.tasks, {
    name: keyPropertyName,
    label: "Baton key",
    description: "Keeps a follow-up from being created twice. Written by Baton only.",
    groupName: grouped ? keyGroup.name : taskGroupName,
    type: "string",
    fieldType: "text",
    hasUniqueValue: true,
    formField: false,
  });
  if (made.ok) return ok(made.value.hasUniqueValue === true);
  // Somebody made it since we looked; whether it is unique is for the probe to say.
  return definitely(made.failure, made.failure.status === 409);
}

/** True when tasks can be upserted and read by `idProperty`. The throw-away task is taken away whatever happens. */
async function probe(client: HubspotClient, idProperty: string): Promise<Result<boolean, Mishap>> {
  const key = `baton-probe-${crypto.randomUUID()}`;
  const first = await upsertProbe(client, idProperty, key);
  if (!first.ok && first.failure.status === 400) return isRule(first.failure) ? fail(first.failure.outcome) : ok(false);
  if (!first.ok) {
    await sweep(client, idProperty, key, []);
    return fail(first.failure.outcome);
  }
  const second = await upsertProbe(client, idProperty, key);
  const read = await client.readObjects(objectTypes.tasks, { ids: [key], idProperty, properties: [idProperty] });
  await sweep(client, idProperty, key, second.ok ? [first.value.id, second.value.id] : [first.value.id]);
  if (!second.ok) return definitely(second.failure, false);
  if (!read.ok) return definitely(read.failure, false);
  const found = read.value.results.find((result) => result.properties[idProperty] === key);
  const once = first.value._new === true && second.value._new === false && first.value.id === second.value.id;
  return ok(once && found?.id === first.value.id);
}

async function upsertProbe(client: HubspotClient, idProperty: string, key: string): Promise<Fate<ObjectResult>> {
  const properties = {
    hs_task_subject: "Baton connection check (safe to delete)",
    hs_timestamp: String(Date.now()),
    hs_task_status: "COMPLETED",
  };
  const row = { trace: "probe", properties };
  const [fate] = await sendRows([row], "repeatable", () =>
    client.upsertObjects(
      objectTypes.tasks,
      [{ id: key, idProperty, properties, objectWriteTraceId: row.trace }],
      "repeatable",
    ),
  );
  return fate ?? fail(lost("repeatable"));
}

/** Best effort: a check task that stays is a blemish, not an error. */
async function sweep(client: HubspotClient, idProperty: string, key: string, ids: readonly string[]): Promise<void> {
  let all = ids;
  if (all.length === 0) {
    const read = await client.readObjects(objectTypes.tasks, { ids: [key], idProperty, properties: [] });
    all = read.ok ? read.value.results.map((result) => result.id) : [];
  }
  if (all.length > 0) await client.archiveObjects(objectTypes.tasks, [...new Set(all)]);
}

/** A refusal that says no for good is worth `value`; anything else is handed back. */
function definitely(refusal: Refusal, value: boolean): Result<boolean, Mishap> {
  return isDefinite(refusal) ? ok(value) : fail(refusal.outcome);
}

/** 403 here is about the schema scope, which is asked for as an optional one, so it does not block the install. */
function isDefinite(refusal: Refusal): boolean {
  return [400, 403, 404, 405, 409].includes(refusal.status);
}

/** A customer's own rule may refuse the probe too (CRM-FACTS §1.1): that says nothing about keys, so a person looks. */
function isRule(refusal: Refusal): boolean {
  return refusal.codes.some((code) => code.startsWith("MISSING_"));
}

/** CRM-FACTS §1.6. The address of a single task is UNSURE: the task list opens it. */
function accountFacts(body: unknown, apiUrl: string): Omit<Installation, "world"> {
  const info = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const domain = typeof info.uiDomain === "string" ? info.uiDomain : "app.hubspot.com";
  const site = `${apiUrl.startsWith("http://") ? "http" : "https"}://${domain}`;
  const portal = String(info.portalId ?? "");
  return {
    timeZone: typeof info.timeZone === "string" ? info.timeZone : null,
    recordUrl: {
      person: `${site}/contacts/${portal}/record/${objectTypeIds.contacts}/{person}`,
      task: `${site}/tasks/${portal}/view/all/task/{task}`,
    },
  };
}
