/**
 * Who asks for a card: proven by HubSpot's signature or by the key of the Salesforce connection; then a user of that CRM account,
 * whom the policy lets act. Nothing that a request says is believed before it is proven.
 */
import * as z from "zod";
import { signatureHeader, timestampHeader, verifyV3 } from "../../connectors/hubspot/signature.ts";
import type { Policy } from "../decide/policy.ts";
import { problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";
import { crmApp } from "../install/crm-app.ts";
import { log } from "../log.ts";
import type { CrmName } from "../model.ts";
import { accountStub } from "../objects/names.ts";
import { normaliseIdentifier } from "../translate/normalise.ts";
import { type Workspace, workspaceById } from "../workspace.ts";
import { isCardKey } from "./card-key.ts";
import { type Connection, connectionsTo } from "./connection.ts";
import { actorOf, actorsOf } from "./people.ts";
import { type CrmRecord, recordOf } from "./record.ts";

export interface Caller {
  readonly connection: Connection;
  readonly workspace: Workspace;
  readonly policy: Policy;
  /** Address, in the policy's spelling. */
  readonly viewer: string;
  /** Addresses of those who may hold a follow-up and are users of the CRM account. */
  readonly colleagues: readonly string[];
  readonly record: CrmRecord;
}

const text = z.string().min(1).max(255);
const company = { domain: text.optional().catch(undefined), name: text.optional().catch(undefined) };

/** What each CRM calls what we ask for. */
const names = {
  hubspot: { account: "portalId", user: "userEmail", object: "objectTypeId", record: "objectId" },
  salesforce: { account: "org", user: "user", object: "object", record: "record" },
} as const;
const queryShape = z.object({ account: text, user: z.email().max(320), object: text, record: text, ...company });

/** Everybody this caller may be: one for each workspace that is connected to the CRM account; or the answer to give. */
export async function callersOf(c: AppContext, crm: CrmName, body: Uint8Array): Promise<readonly Caller[] | Response> {
  const now = Date.now();
  if (crm === "hubspot" && !isSigned(c, body, now)) return unproven(crm);
  const given = Object.fromEntries(Object.entries(names[crm]).map(([ours, theirs]) => [ours, c.req.query(theirs)]));
  const known = await connectionsTo(c.env, crm, spellingsOf(crm, given.account ?? ""));
  const proven = crm === "hubspot" ? known : known.filter((one) => isKeyOf(c, one, now));
  if (crm === "salesforce" && proven.length === 0) return unproven(crm);
  const parsed = queryShape.safeParse({ ...given, domain: c.req.query("domain"), name: c.req.query("name") });
  if (!parsed.success) return badQuery(parsed.error);
  const query = parsed.data;
  const connected = proven.filter((one) => one.connected);
  if (connected.length === 0) return notConnected(crm);
  const record = recordOf(crm, query.object, query.record, query);
  if (record === undefined)
    return problem(422, { code: "unknown_record", detail: "There is a card for people and companies only." });
  const refusals: Refusal[] = [];
  const callers: Caller[] = [];
  for (const connection of connected) {
    const caller = await callerAt(c, connection, query.user, record, now);
    if ("because" in caller) refusals.push(caller);
    else callers.push(caller);
  }
  return callers.length > 0 ? callers : refusalOf(crm, refusals);
}

/* ------------------------------------------------------------------------------------------ proof */

/** Over the address as it arrived, under the name by which the world reaches this Worker (CRM-FACTS §1.8). */
function isSigned(c: AppContext, body: Uint8Array, now: number): boolean {
  const { url } = c.req;
  const pathAt = url.indexOf("/", url.indexOf("://") + 3);
  const verified = verifyV3(
    [crmApp(c.env, "hubspot").clientSecret],
    {
      method: c.req.method,
      uri: `${c.env.PUBLIC_URL}${url.slice(pathAt)}`,
      body,
      timestamp: c.req.header(timestampHeader) ?? "",
      signature: c.req.header(signatureHeader) ?? "",
    },
    now,
  );
  if (!verified.ok) log("info", "card.unproven", { crm: "hubspot", reason: reasonOf(verified.failure) });
  return verified.ok;
}

function reasonOf(failure: object): string {
  return "reason" in failure ? String(failure.reason) : "refused";
}

function isKeyOf(c: AppContext, connection: Connection, now: number): boolean {
  const [scheme, key] = (c.req.header("authorization") ?? "").split(" ", 2);
  if (scheme?.toLowerCase() !== "bearer" || key === undefined) return false;
  const { workspace, object } = connection;
  return isCardKey(c.env.BATON_MASTER_KEY, workspace, object, connection, key, now);
}

/** Salesforce writes one id as 15 or 18 characters. */
function spellingsOf(crm: CrmName, account: string): readonly string[] {
  if (crm === "hubspot") return [account];
  const long = normaliseIdentifier({ type: "salesforce_organisation_id", value: account })?.value;
  return long === undefined ? [account] : [account, long, long.slice(0, 15)];
}

/* ------------------------------------------------------------------------------------------ permission */

interface Refusal {
  readonly because: "no_user" | "no_actor" | "unavailable" | "gone";
}

async function callerAt(
  c: AppContext,
  connection: Connection,
  user: string,
  record: CrmRecord,
  now: number,
): Promise<Caller | Refusal> {
  const [found, users] = await Promise.all([
    workspaceById(c.env, connection.workspace, now, (work) => c.executionCtx.waitUntil(work)),
    accountStub(c.env, connection.object).users({ looksFor: user }),
  ]);
  if (found === null) return { because: "gone" };
  if (users === null) return { because: "unavailable" };
  if (!users.includes(user.toLowerCase())) return { because: "no_user" };
  const { workspace } = found;
  const viewer = actorOf(workspace.policy, user);
  if (viewer === undefined) return { because: "no_actor" };
  const colleagues = actorsOf(workspace.policy).filter((address) => users.includes(address.toLowerCase()));
  return { connection, workspace, policy: workspace.policy, viewer, colleagues, record };
}

/* ------------------------------------------------------------------------------------------ refusals */

const labels: Readonly<Record<CrmName, string>> = { hubspot: "HubSpot", salesforce: "Salesforce" };

function unproven(crm: CrmName): Response {
  const detail =
    crm === "hubspot"
      ? "HubSpot's signature is missing, wrong or older than five minutes. Reload the record."
      : "The card's key is missing or is not this organisation's. Ask an administrator to look at the Named Credential.";
  return problem(401, { code: "unproven", detail });
}

function badQuery(error: z.ZodError): Response {
  const errors = error.issues.slice(0, 20).map(({ path, message }) => ({ path: path.join("."), message }));
  return problem(422, { code: "invalid", detail: "The card did not say which record it is on.", errors });
}

function notConnected(crm: CrmName): Response {
  return problem(404, { code: "not_connected", detail: `This ${labels[crm]} account is not connected to Baton.` });
}

function refusalOf(crm: CrmName, refusals: readonly Refusal[]): Response {
  const is = (because: Refusal["because"]) => refusals.some((item) => item.because === because);
  const refused = (detail: string) => problem(403, { code: "not_a_colleague", detail });
  if (is("no_actor")) return refused("Baton's policy does not name you. Ask revenue operations to add you to a team.");
  if (is("no_user"))
    return refused(
      `${labels[crm]} does not tell Baton of a user with your address. A new user is known after a minute.`,
    );
  if (is("unavailable"))
    return problem(
      503,
      { code: "unavailable", detail: `${labels[crm]} does not tell Baton at the moment who its users are. Try again.` },
      { "retry-after": "5" },
    );
  return notConnected(crm);
}
