/** Connecting a CRM, from the link to the account: where the person logs in, and how many accounts a workspace has. */
import { env, exports } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { crms } from "../../connectors/index.ts";
import type { CrmName } from "../../src/model.ts";
import { accountName, accountStub } from "../../src/objects/names.ts";
import { workspaceById } from "../../src/workspace.ts";
import { ask, email, eventually, letPass, openWorkspace, send, type TestWorkspace } from "./fixture.ts";
import { grant, RecordingCrm } from "./recording-crm.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const visit = (url: string) => exports.default.fetch(url, { redirect: "manual" });

/** As the person does who got the link: to the CRM's page of consent and back. Answers where that page is. */
async function install(of: TestWorkspace, asked: Readonly<Record<string, string>>) {
  const made = await ask(of, "POST", "/v1/connections", asked);
  expect(made.status).toBe(201);
  const link = new URL(made.body.url);
  const consent = (await visit(link.href)).headers.get("location");
  const state = link.searchParams.get("state");
  const back = `${env.PUBLIC_URL}/oauth/${asked.crm}/callback?state=${state}&code=c1`;
  const answer = await visit(back);
  return { consent, status: answer.status, again: () => visit(back) };
}

/** With the accounts that are connected by now, as the door knows them. */
async function signalTo(of: TestWorkspace, part: Parameters<typeof send>[1]): Promise<void> {
  const found = await workspaceById(env, of.id, Date.now(), () => undefined);
  if (found === null) throw new Error(`no workspace ${of.id}`);
  await send({ ...of, ...found }, part);
}

function knownAs(crm: CrmName): RecordingCrm {
  const recording = new RecordingCrm();
  Object.assign(crms, { [crm]: recording });
  return recording;
}

describe("connecting Salesforce", () => {
  it("leads to the host that was named, which is also asked for the code, every refresh and the end", async () => {
    const of = await openWorkspace("sandboxed");
    const crm = knownAs("salesforce");
    const host = "https://acme--dev.sandbox.my.salesforce.com";
    const { consent, status } = await install(of, {
      crm: "salesforce",
      login_host: "acme--dev.sandbox.my.salesforce.com",
    });
    expect([consent, status]).toEqual([`${host}/authorize`, 200]);
    const name = accountName("sandboxed", "salesforce", "portal");
    for (let week = 0; week < 2; week++) {
      letPass(7 * 86_400_000 + 1_000);
      await accountStub(env, name).keep();
    }
    await ask(of, "DELETE", `/v1/connections/${encodeURIComponent(name)}`);
    expect(crm.askedAt).toEqual([`exchange ${host}`, `refresh ${host}`, `refresh ${host}`, `revoke ${host}`]);
  });

  it("leads to the deployment's own host where none is named", async () => {
    const of = await openWorkspace("plain");
    const crm = knownAs("salesforce");
    expect((await install(of, { crm: "salesforce" })).consent).toBe(`${env.SALESFORCE_LOGIN_URL}/authorize`);
    expect(crm.askedAt).toEqual([`exchange ${env.SALESFORCE_LOGIN_URL}`]);
  });

  it("is refused at a host that is not Salesforce's", async () => {
    const of = await openWorkspace("phished");
    const refused = await ask(of, "POST", "/v1/connections", { crm: "salesforce", login_host: "login.example.com" });
    expect(refused.status).toBe(422);
    expect(refused.body.errors[0].path).toBe("login_host");
    expect(
      (await ask(of, "POST", "/v1/connections", { crm: "hubspot", login_host: "test.salesforce.com" })).status,
    ).toBe(422);
  });

  it("uses a link once", async () => {
    const of = await openWorkspace("onelink");
    knownAs("salesforce");
    const { status, again } = await install(of, { crm: "salesforce" });
    expect([status, (await again()).status]).toEqual([200, 400]);
  });
});

describe("two accounts of one CRM", () => {
  it("get a task each for a follow-up, and go on without each other", async () => {
    const of = await openWorkspace("twoportals");
    const crm = knownAs("hubspot");
    for (const crmAccount of ["4501", "4502"]) {
      const apiUrl = `https://portal${crmAccount}.example.com`;
      crm.keeps.add(apiUrl);
      crm.grants = { ...grant, apiUrl, crmAccount, accessToken: `token-${crmAccount}` };
      expect((await install(of, { crm: "hubspot" })).status).toBe(200);
    }
    const listed = await ask(of, "GET", "/v1/connections");
    expect(listed.body.items.map((item: { crm_account: string }) => item.crm_account)).toEqual(["4501", "4502"]);
    await signalTo(of, { id: "1", kind: "demo_requested", identifiers: [email("ada@example.com")] });
    await eventually(
      () => crm.tasks.length,
      (count) => count === 2,
    );
    expect(new Set(crm.tokens)).toEqual(new Set(["token-4501", "token-4502"]));
    expect(new Set(crm.tasks.map(({ key }) => key)).size).toBe(2);

    await ask(of, "DELETE", `/v1/connections/${encodeURIComponent(accountName("twoportals", "hubspot", "4501"))}`);
    await signalTo(of, { id: "2", kind: "demo_requested", identifiers: [email("bob@example.com")] });
    await eventually(
      () => crm.tasks.length,
      (count) => count === 3,
    );
    expect(crm.tokens.at(-1)).toBe("token-4502");
  });
});
