/** The API of outlets: Slack channels and webhooks that plays tell of their follow-ups. zod at the door. */
import * as z from "zod";
import { webhookAddress } from "../../connectors/webhook/address.ts";
import { deriveKey, randomToken, seal, unseal } from "../crypto.ts";
import { outletName } from "../decide/policy/plays.ts";
import type { Policy } from "../decide/policy.ts";
import { problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";
import { settleReads } from "../install/oauth.ts";
import type { OutletType } from "../model.ts";
import { accountName, accountStub } from "../objects/names.ts";
import { forgetConfig } from "../workspace.ts";
import { workspaceOf } from "./authorise.ts";
import { invalid } from "./policy-body.ts";
import { checked } from "./setup.ts";

const common = {
  name: outletName,
  /** It is not told who the person is. */
  anonymous: z.boolean().default(false),
};
const newOutlet = z.discriminatedUnion("type", [
  z.strictObject({
    ...common,
    type: z.literal("slack"),
    token: z.string().regex(/^xox[bp]-[\w-]{10,200}$/),
    channel: z.string().regex(/^[CG][A-Z0-9]{6,20}$/),
  }),
  z.strictObject({
    ...common,
    type: z.literal("webhook"),
    url: z.string(),
    /** 24 to 64 bytes, as the specification wants them. */
    secret: z
      .string()
      .regex(/^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/)
      .optional(),
  }),
]);

interface Row {
  readonly name: string;
  readonly type: OutletType;
  readonly object: string;
  readonly leads_to: string;
  readonly secrets: string;
  readonly anonymous: number;
  readonly problem: string | null;
  readonly created_at: number;
}

/** `POST /v1/outlets`: adds one, or gives one of that name and type another token, address or secret. The secret is shown once. */
export async function saveOutlet(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const body = await checked(c, newOutlet as unknown as z.ZodType<z.infer<typeof newOutlet>>);
  if (body instanceof Response) return body;
  const { name, type } = body;
  const known = (await rowsOf(c, who.workspace)).find((row) => row.name === name);
  if (known !== undefined && known.type !== type)
    return problem(409, { code: "outlet_exists", detail: "There is an outlet of this name." });
  const url =
    type === "webhook"
      ? webhookAddress(body.url, c.env.LOCAL_WEBHOOKS === "allowed")
      : new URL(c.env.SLACK_API_URL ?? "https://slack.com/api");
  if (url === null || (type === "webhook" && url.origin === c.env.PUBLIC_URL))
    return invalid([
      { path: "url", message: "Give an https address with a public host name, without credentials or a fragment." },
    ]);
  const leads_to = type === "slack" ? body.channel : url.host;
  const object = accountName(who.workspace, type, name);
  const key = deriveKey(c.env.BATON_MASTER_KEY, "outlet-secrets", who.workspace);
  const before = known === undefined ? [] : (JSON.parse(await unseal(key, object, known.secrets)) as string[]);
  // The secret before signs along, until there is another new one.
  const secrets = type === "slack" ? [] : [...new Set([body.secret ?? newSecret(), ...before])].slice(0, 2);
  const attached = await accountStub(c.env, object).attach({
    name: object,
    workspace: who.workspace,
    crm: type,
    grant: {
      accessToken: type === "slack" ? body.token : secrets.join(" "),
      refreshToken: "",
      expiresAt: null,
      apiUrl: url.href,
      crmAccount: leads_to,
      scopes: [],
    },
    ...settleReads(c.env),
  });
  if (!attached.ok) return problem(422, { code: "not_prepared", detail: attached.reason });
  await c.env.CONTROL.prepare("INSERT OR REPLACE INTO outlets VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?)")
    .bind(
      who.workspace,
      name,
      type,
      object,
      leads_to,
      await seal(key, object, JSON.stringify(secrets)),
      body.anonymous ? 1 : 0,
      Date.now(),
    )
    .run();
  forgetConfig(c.env);
  // Absent where there is none.
  return Response.json({ name, type, leads_to, anonymous: body.anonymous, secret: secrets[0] }, { status: 201 });
}

function newSecret(): string {
  return `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`;
}

/** `GET /v1/outlets` */
export async function listOutlets(c: AppContext): Promise<Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const rows = await rowsOf(c, who.workspace);
  const items = rows.map(({ name, type, leads_to, anonymous, problem: why, created_at }) => ({
    name,
    type,
    leads_to,
    anonymous: anonymous === 1,
    problem: why,
    created_at: new Date(created_at).toISOString(),
  }));
  return Response.json({ items });
}

/** `DELETE /v1/outlets/:name`: what waits for it is cancelled. */
export async function removeOutlet(c: AppContext): Promise<Response> {
  const found = await outletOf(c);
  if (found instanceof Response) return found;
  // First the object: whoever is told of the outlet meanwhile hears that it is gone.
  await accountStub(c.env, found.object).remove();
  await c.env.CONTROL.prepare("DELETE FROM outlets WHERE object = ?").bind(found.object).run();
  forgetConfig(c.env);
  return Response.json({ status: "removed" });
}

/** `POST /v1/outlets/:name/test`: says something through it, once. */
export async function testOutlet(c: AppContext): Promise<Response> {
  const found = await outletOf(c);
  if (found instanceof Response) return found;
  const task = { subject: "Baton can be heard here.", body: "", dueAt: 0, priority: "low", type: "todo" } as const;
  const outcome = await accountStub(c.env, found.object).tryOut({
    type: "create_task",
    key: `test_${randomToken()}`,
    person: { lead: "" },
    task,
  });
  if (outcome.arm === "done") return Response.json({ delivered: true });
  return problem(422, { code: "not_delivered", detail: "reason" in outcome ? outcome.reason : outcome.arm });
}

async function outletOf(c: AppContext): Promise<Row | Response> {
  const who = await workspaceOf(c);
  if (who instanceof Response) return who;
  const rows = await rowsOf(c, who.workspace);
  return rows.find(({ name }) => name === c.req.param("name")) ?? problem(404, { code: "no_such_outlet" });
}

async function rowsOf(c: AppContext, workspace: string): Promise<readonly Row[]> {
  const { results } = await c.env.CONTROL.prepare("SELECT * FROM outlets WHERE workspace = ? ORDER BY name")
    .bind(workspace)
    .all<Row>();
  return results;
}

/** The refusal of a policy whose plays name outlets that are not there. */
export async function outletMissing(c: AppContext, workspace: string, policy: Policy): Promise<Response | null> {
  const wanted = Object.entries(policy.plays).flatMap(([play, { notify = [] }]) =>
    notify.map((name, at) => ({ name, path: `plays.${play}.notify.${at}` })),
  );
  if (wanted.length === 0) return null;
  const known = new Set((await rowsOf(c, workspace)).map(({ name }) => name));
  const missing = wanted.filter(({ name }) => !known.has(name));
  return missing.length === 0
    ? null
    : invalid(missing.map(({ name, path }) => ({ path, message: `There is no outlet named "${name}".` })));
}
