/** The API through which a workspace is set up: workspaces, emitters, CRM connections. zod at the door. */
import * as z from "zod";
import { emitterOf } from "../../connectors/index.ts";
import { cardKey, graceMs } from "../card/card-key.ts";
import { connectionNamed, rotateKey } from "../card/connection.ts";
import { canonicalJson, deriveKey, randomToken, seal } from "../crypto.ts";
import { defaultPolicy } from "../decide/default-policy.ts";
import { type ProblemDetails, problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";
import { loginUrlOf } from "../install/login-host.ts";
import { connectLink } from "../install/oauth.ts";
import { accountStub } from "../objects/names.ts";
import { hashApiKey, isAdmin, workspaceOf } from "./authorise.ts";
import { invalid } from "./policy-body.ts";
import { leadIdOf } from "./read.ts";

const newWorkspace = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{1,39}$/),
  name: z.string().min(1).max(100),
  /** E-mail addresses of the people who take follow-ups; the default policy's only team. */
  sales_team: z.array(z.email()).min(1).max(500),
});

/** `POST /v1/workspaces`, by the administrator. The key is shown once. */
export async function createWorkspace(c: AppContext): Promise<Response> {
  if (!isAdmin(c)) return problem(401, { code: "unauthorised" });
  const body = await checked(c, newWorkspace);
  if (body instanceof Response) return body;
  const now = Date.now();
  const key = `bt_${body.id}_${randomToken()}`;
  const policy = defaultPolicy(body.sales_team);
  const taken = await c.env.CONTROL.prepare("SELECT 1 FROM workspaces WHERE id = ?").bind(body.id).first();
  if (taken !== null) return problem(409, { code: "workspace_exists", detail: "There is a workspace of this id." });
  await c.env.CONTROL.batch([
    c.env.CONTROL.prepare("INSERT INTO workspaces VALUES (?, ?, ?, 1, 0, ?)").bind(
      body.id,
      body.name,
      hashApiKey(key),
      now,
    ),
    c.env.CONTROL.prepare(
      "INSERT INTO policies (workspace, version, document, author, created_at) VALUES (?, 1, ?, 'baton', ?)",
    ).bind(body.id, canonicalJson(policy), now),
  ]);
  return Response.json({ id: body.id, api_key: key }, { status: 201 });
}

const newEmitter = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{1,59}$/),
  vendor: z.string().min(1).max(40),
  /** Who answers for this tool. */
  owner: z.email(),
  settings: z.record(z.string().max(60), z.unknown()).default({}),
  /** Several while one rotates. */
  secrets: z.array(z.string().min(1).max(500)).max(5).default([]),
});

/** `POST /v1/emitters`. Answers with the address that the tool must be told. */
export async function createEmitter(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const body = await checked(c, newEmitter);
  if (body instanceof Response) return body;
  const connector = emitterOf(body.vendor);
  if (connector === undefined)
    return problem(422, { code: "unknown_vendor", detail: `There is no connector named "${body.vendor}".` });
  if (body.secrets.length === 0 && !connector.manifest.keyIsProof) {
    return problem(422, {
      code: "secret_missing",
      detail: `${connector.manifest.label} signs what it sends; give its secret.`,
    });
  }
  const key = `em_${randomToken()}`;
  const secrets = await seal(
    deriveKey(c.env.BATON_MASTER_KEY, "emitter-secrets", who.workspace),
    key,
    JSON.stringify(body.secrets),
  );
  const written = await c.env.CONTROL.prepare("INSERT OR IGNORE INTO emitters VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)")
    .bind(key, who.workspace, body.name, body.vendor, body.owner, JSON.stringify(body.settings), secrets, Date.now())
    .run();
  if (written.meta.changes === 0)
    return problem(409, { code: "emitter_exists", detail: "There is an emitter of this name." });
  return Response.json(
    { name: body.name, vendor: body.vendor, key, url: addressOf(c, body.vendor, key) },
    { status: 201 },
  );
}

/** What the tool must be told: Segment clients take the bare address and a write key, our own API has one address. */
function addressOf(c: AppContext, vendor: string, key: string): string {
  if (vendor === "segment") return c.env.PUBLIC_URL;
  return vendor === "baton" ? `${c.env.PUBLIC_URL}/v1/signals` : `${c.env.PUBLIC_URL}/in/${key}`;
}

/** `GET /v1/emitters` */
export async function listEmitters(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const rows = await c.env.CONTROL.prepare(
    "SELECT name, vendor, owner, disabled, created_at FROM emitters WHERE workspace = ? ORDER BY name",
  )
    .bind(who.workspace)
    .all<{ name: string; vendor: string; owner: string; disabled: number; created_at: number }>();
  const items = rows.results.map((row) => ({
    ...row,
    disabled: row.disabled === 1,
    created_at: new Date(row.created_at).toISOString(),
  }));
  return Response.json({ items });
}

const newConnection = z.strictObject({
  crm: z.enum(["hubspot", "salesforce"]),
  /** Where the person logs in, if not at the deployment's own host: a sandbox, or My Domain. */
  login_host: z.string().max(200).optional(),
});

/** `POST /v1/connections`: a link for the person who may connect the CRM. */
export async function createConnection(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const body = await checked(c, newConnection);
  if (body instanceof Response) return body;
  const loginUrl = body.login_host === undefined ? null : loginUrlOf(body.login_host);
  if (body.login_host !== undefined && (loginUrl === null || body.crm !== "salesforce"))
    return invalid([
      {
        path: "login_host",
        message:
          "Only Salesforce has one: test.salesforce.com, or the organisation's own, like acme.my.salesforce.com.",
      },
    ]);
  const url = await connectLink(c.env, who.workspace, body.crm, Date.now(), loginUrl);
  return Response.json({ url }, { status: 201 });
}

/** `GET /v1/connections` */
export async function listConnections(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const rows = await c.env.CONTROL.prepare(
    "SELECT object AS id, crm, crm_account, status, world, connected_at FROM crm_accounts WHERE workspace = ? ORDER BY object",
  )
    .bind(who.workspace)
    .all<{ id: string; crm: string; crm_account: string; status: string; world: string; connected_at: number }>();
  const items = rows.results.map(async (row) => {
    const { facts } = await accountStub(c.env, row.id).status();
    const isBlocked = row.status === "connected" && facts?.status === "blocked";
    // Blocked: uninstalled in the CRM, or its tokens are lost. What is to leave waits until somebody connects again.
    const now = isBlocked ? { status: "blocked", problem: facts.problem } : { problem: null };
    return { ...row, ...now, connected_at: new Date(row.connected_at).toISOString() };
  });
  return Response.json({ items: await Promise.all(items) });
}

/**
 * `POST /v1/connections/:id/card-key`: the key that the administrator of the Salesforce organisation puts into its Named Credential.
 * With `rotate` a new one; the one before serves for a day more.
 */
export async function showCardKey(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const body = await checked(
    c,
    z.strictObject({ rotate: z.boolean().default(false) }) as z.ZodType<{ rotate: boolean }>,
  );
  if (body instanceof Response) return body;
  const connection = await connectionNamed(c.env, who.workspace, leadIdOf(c));
  if (connection === null) return problem(404, { code: "no_such_connection" });
  if (connection.crm !== "salesforce") {
    const detail = "HubSpot signs what its card sends; only Salesforce's needs a key.";
    return problem(409, { code: "not_needed", detail });
  }
  const { generation, rotated_at } = body.rotate ? await rotateKey(c.env, connection.object, Date.now()) : connection;
  const card_key = cardKey(c.env.BATON_MASTER_KEY, who.workspace, connection.object, generation);
  const ends = rotated_at + graceMs;
  return Response.json({
    card_key,
    generation,
    previous_serves_until: ends > Date.now() ? new Date(ends).toISOString() : null,
  });
}

/** The body, or the answer to give. */
export async function checked<T>(c: AppContext, schema: z.ZodType<T>): Promise<T | Response> {
  let given: unknown;
  try {
    given = await c.req.json();
  } catch {
    return problem(400, { code: "not_json", detail: "The body is not JSON." });
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues
    .slice(0, 50)
    .map((issue) => ({ path: issue.path.join("."), message: issue.message }));
  const details: ProblemDetails = { code: "invalid", errors };
  return problem(422, details);
}
