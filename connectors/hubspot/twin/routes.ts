/**
 * The twin's table of URLs, with what each needs and which published shapes it has. Versions are taken out first: v3, v4
 * and the dated paths of both supported releases lead to the same place (CRM-FACTS §1.1).
 */
import { accountDetails, getOwner, listOwners, uninstall } from "./account.ts";
import {
  associateOne,
  batchAssociate,
  batchReadAssociations,
  dissociateOne,
  listAssociations,
} from "./associations.ts";
import { batchArchive, batchCreate, batchRead, batchUpdate, batchUpsert } from "./batches.ts";
import type { Budget } from "./limits.ts";
import { archiveObject, createObject, getObject, listObjects, mergeContacts, updateObject } from "./objects.ts";
import { objectTypeOf } from "./schemas.ts";
import { searchObjects } from "./search.ts";
import { enrol, enrolmentOf } from "./sequences.ts";
import type { Shape } from "./shapes.ts";
import { type Call, fields, type Handler, param } from "./twin.ts";

export interface Route {
  readonly method: string;
  readonly pattern: string;
  readonly handler: Handler;
  readonly scope: string;
  readonly budget: Budget;
  readonly request: Shape | null;
  readonly answers: Readonly<Record<number, Shape>>;
}

/** The path without its version, or null for a version that is not served. */
export function canonical(path: string): string | null {
  const trimmed = path.length > 1 ? path.replace(/\/+$/, "") : path;
  const numbered = /^\/crm\/(v\d)\/(.+)$/.exec(trimmed);
  if (numbered !== null) return ["v3", "v4"].includes(numbered[1] ?? "") ? `/crm/${numbered[2]}` : null;
  const dated = /^\/(crm\/[a-z]+|automation\/[a-z]+|account-info|oauth|appinstalls)\/(v\d|\d{4}-\d\d)(\/.*)?$/.exec(
    trimmed,
  );
  if (dated === null) return trimmed;
  return served.has(dated[2] ?? "") ? `/${dated[1]}${dated[3] ?? ""}` : null;
}

export function findRoute(method: string, path: string): { route: Route; params: Record<string, string> } | null {
  const parts = path.split("/");
  for (const route of routes) {
    if (route.method !== method) continue;
    const params = match(route.pattern.split("/"), parts);
    if (params !== null) return { route, params };
  }
  return null;
}

const served = new Set(["v1", "v3", "v4", "2026-03", "2026-09"]);

const objects = (model: string): Shape => ["crm/objects", model];
const links = (model: string): Shape => ["crm/associations/v4", model];
const schema = (model: string): Shape => ["crm/properties", model];
const mixed = (status: number, model: string) => ({ [status]: objects(model), 207: objects(`${model}WithErrors`) });

const read = "crm.objects.contacts.read";
const write = "crm.objects.contacts.write";

const routes: readonly Route[] = [
  on("POST", "/crm/objects/{type}/batch/create", batchCreate, write, {
    request: objects("BatchInputSimplePublicObjectBatchInputForCreate"),
    answers: mixed(201, "BatchResponseSimplePublicObject"),
  }),
  on("POST", "/crm/objects/{type}/batch/read", batchRead, read, {
    request: objects("BatchReadInputSimplePublicObjectId"),
    answers: mixed(200, "BatchResponseSimplePublicObject"),
  }),
  on("POST", "/crm/objects/{type}/batch/update", batchUpdate, write, {
    request: objects("BatchInputSimplePublicObjectBatchInput"),
    answers: mixed(200, "BatchResponseSimplePublicObject"),
  }),
  on("POST", "/crm/objects/{type}/batch/upsert", batchUpsert, write, {
    request: objects("BatchInputSimplePublicObjectBatchInputUpsert"),
    answers: mixed(200, "BatchResponseSimplePublicUpsertObject"),
  }),
  on("POST", "/crm/objects/{type}/batch/archive", batchArchive, write, {
    request: objects("BatchInputSimplePublicObjectId"),
  }),
  on("POST", "/crm/objects/{type}/search", searchObjects, read, {
    budget: "search",
    request: objects("PublicObjectSearchRequest"),
    answers: { 200: objects("CollectionResponseWithTotalSimplePublicObject") },
  }),
  on("POST", "/crm/objects/contacts/merge", mergeContacts, write, {
    request: ["crm/contacts", "PublicMergeInput"],
    answers: { 200: objects("SimplePublicObject") },
  }),
  on("PUT", "/crm/objects/{from}/{id}/associations/default/{to}/{toId}", associateOne, write, {
    budget: "free",
    answers: { 200: links("BatchResponsePublicDefaultAssociation") },
  }),
  on("PUT", "/crm/objects/{from}/{id}/associations/{to}/{toId}", associateOne, write, { budget: "free" }),
  on("DELETE", "/crm/objects/{from}/{id}/associations/{to}/{toId}", dissociateOne, write, { budget: "free" }),
  on("GET", "/crm/objects/{from}/{id}/associations/{to}", listAssociations, read, {
    budget: "free",
    answers: { 200: links("CollectionResponseMultiAssociatedObjectWithLabelForwardPaging") },
  }),
  on("POST", "/crm/associations/{from}/{to}/batch/associate/default", batchAssociate, write, {
    budget: "free",
    request: links("BatchInputPublicDefaultAssociationMultiPost"),
    answers: {
      200: links("BatchResponsePublicDefaultAssociation"),
      207: links("BatchResponsePublicDefaultAssociation"),
    },
  }),
  on("POST", "/crm/associations/{from}/{to}/batch/read", batchReadAssociations, read, {
    budget: "free",
    request: links("BatchInputPublicFetchAssociationsBatchRequest"),
    answers: {
      200: links("BatchResponsePublicAssociationMultiWithLabel"),
      207: links("BatchResponsePublicAssociationMultiWithLabelWithErrors"),
    },
  }),
  on("POST", "/crm/objects/{type}", createObject, write, {
    request: objects("SimplePublicObjectInputForCreate"),
    answers: { 201: objects("SimplePublicObject") },
  }),
  on("GET", "/crm/objects/{type}", listObjects, read, {
    answers: { 200: objects("CollectionResponseSimplePublicObjectWithAssociationsForwardPaging") },
  }),
  on("GET", "/crm/objects/{type}/{id}", getObject, read, {
    answers: { 200: objects("SimplePublicObjectWithAssociations") },
  }),
  on("PATCH", "/crm/objects/{type}/{id}", updateObject, write, {
    request: objects("SimplePublicObjectInput"),
    answers: { 200: objects("SimplePublicObject") },
  }),
  on("DELETE", "/crm/objects/{type}/{id}", archiveObject, write, {}),
  on("GET", "/crm/properties/{type}/groups", (call) => call.twin.schemas.groups(typeOf(call)), read, {
    answers: { 200: schema("CollectionResponsePropertyGroupNoPaging") },
  }),
  on(
    "POST",
    "/crm/properties/{type}/groups",
    (call) => call.twin.schemas.createGroup(typeOf(call), fields(call.body)),
    "crm.schemas.contacts.write",
    { request: schema("PropertyGroupCreate"), answers: { 201: schema("PropertyGroup") } },
  ),
  on("GET", "/crm/properties/{type}", (call) => call.twin.schemas.list(typeOf(call)), read, {
    answers: { 200: schema("CollectionResponsePropertyNoPaging") },
  }),
  on(
    "POST",
    "/crm/properties/{type}",
    (call) => call.twin.schemas.create(typeOf(call), fields(call.body), call.at),
    "crm.schemas.contacts.write",
    { request: schema("PropertyCreate"), answers: { 201: schema("Property") } },
  ),
  on("GET", "/crm/properties/{type}/{name}", (call) => call.twin.schemas.get(typeOf(call), param(call, "name")), read, {
    answers: { 200: schema("Property") },
  }),
  on("GET", "/crm/owners", listOwners, "crm.objects.owners.read", {
    answers: { 200: ["crm/owners", "CollectionResponsePublicOwnerForwardPaging"] },
  }),
  on("GET", "/crm/owners/{id}", getOwner, "crm.objects.owners.read", {
    answers: { 200: ["crm/owners", "PublicOwner"] },
  }),
  on("GET", "/automation/sequences/enrollments/contact/{id}", enrolmentOf, "automation.sequences.read", {}),
  on("POST", "/automation/sequences/enrollments", enrol, "automation.sequences.enrollments.write", {}),
  on("GET", "/account-info/details", accountDetails, "oauth", {}),
  on("DELETE", "/appinstalls/external-install", uninstall, "oauth", {}),
];

function on(
  method: string,
  pattern: string,
  handler: Handler,
  scope: string,
  more: { budget?: Budget; request?: Shape; answers?: Readonly<Record<number, Shape>> },
): Route {
  return {
    method,
    pattern,
    handler,
    scope,
    budget: more.budget ?? "general",
    request: more.request ?? null,
    answers: more.answers ?? {},
  };
}

function typeOf(call: Call) {
  return objectTypeOf(param(call, "type"));
}

function match(pattern: readonly string[], parts: readonly string[]): Record<string, string> | null {
  if (pattern.length !== parts.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const given = parts[index] ?? "";
    if (part.startsWith("{")) params[part.slice(1, -1)] = decodeURIComponent(given);
    else if (part !== given) return null;
  }
  return params;
}
