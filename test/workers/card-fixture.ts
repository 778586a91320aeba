/** What a card in a CRM sends, and what it gets. Tasks of these CRMs name the record that the person's address begins with. */
import { env, exports } from "cloudflare:workers";
import type { Command } from "../../connectors/contract.ts";
import { signatureHeader, signV3, timestampHeader } from "../../connectors/hubspot/signature.ts";
import { cardShape, type Press, type Pressed, pressedShape, type ReadyCard } from "../../src/card/document.ts";
import { type Answered, api, email, eventually, personOf, send, type TestWorkspace } from "./fixture.ts";
import type { RecordingCrm } from "./recording-crm.ts";

const base = "https://baton.example.com";

export interface Asking {
  readonly user?: string;
  readonly portal?: string;
  readonly object?: string;
  readonly record: string;
  readonly more?: Readonly<Record<string, string>>;
  readonly secret?: string;
  readonly ageMs?: number;
  /** Signed for another address than it is sent to. */
  readonly signedFor?: string;
}

/** As HubSpot sends what our card asks for. */
export async function hubspot(asking: Asking, body?: unknown): Promise<Answered & { readonly headers: Headers }> {
  const query = new URLSearchParams({
    objectTypeId: asking.object ?? "0-1",
    objectId: asking.record,
    ...asking.more,
    userId: "7",
    portalId: asking.portal ?? "portal",
    userEmail: asking.user ?? "sam@example.com",
    appId: "1",
  });
  const method = body === undefined ? "GET" : "POST";
  const uri = `${env.PUBLIC_URL}/card/hubspot/${method === "GET" ? "record" : "press"}?${query}`;
  const text = body === undefined ? "" : JSON.stringify(body);
  const timestamp = String(Date.now() - (asking.ageMs ?? 0));
  const secret = asking.secret ?? "test-hubspot-secret";
  const signature = signV3(secret, { method, uri: asking.signedFor ?? uri, body: text, timestamp });
  const answer = await exports.default.fetch(uri.replace(env.PUBLIC_URL, base), {
    method,
    headers: { "content-type": "application/json", [signatureHeader]: signature, [timestampHeader]: timestamp },
    ...(text === "" ? {} : { body: text }),
  });
  return { status: answer.status, body: await answer.json(), headers: answer.headers };
}

export interface SalesforceAsking {
  readonly key: string;
  readonly org: string;
  readonly user?: string;
  readonly object?: string;
  readonly record: string;
  readonly more?: Readonly<Record<string, string>>;
}

export async function salesforce(asking: SalesforceAsking, body?: unknown): Promise<Answered> {
  const { key, org, user = "sam@example.com", object = "Lead", record, more = {} } = asking;
  const query = new URLSearchParams({ org, user, object, record, ...more });
  const answer = await exports.default.fetch(
    `${base}/card/salesforce/${body === undefined ? "record" : "press"}?${query}`,
    {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    },
  );
  return { status: answer.status, body: await answer.json() };
}

/** The card of this contact, which must be ready and of the published shape. */
export async function cardOf(record: string, user = "sam@example.com"): Promise<ReadyCard> {
  const { status, body } = await hubspot({ record, user });
  if (status !== 200) throw new Error(JSON.stringify(body));
  const card = cardShape.parse(body);
  if (card.state !== "ready") throw new Error(card.text);
  return card;
}

export const buttonOf = ({ buttons }: ReadyCard, choice: Press["choice"]) =>
  buttons.find((item) => item.choice === choice);

let requests = 0;
export const newRequest = (): string => `request-${++requests}`;

/** A press by somebody on this record's card. */
export async function pressed(
  record: string,
  press: Omit<Press, "request"> & { readonly request?: string },
  user = "sam@example.com",
): Promise<Answered> {
  const answer = await hubspot({ record, user }, { request: newRequest(), ...press });
  if (answer.status === 200) pressedShape.parse(answer.body);
  return answer;
}
export type { Pressed };

/** `ada.501@example.com` is contact 501 there. */
export function numbered(crm: RecordingCrm): RecordingCrm {
  crm.recordOf = (command: Command) =>
    command.type === "create_task" ? (/\.(\w+)@/.exec(command.person.email ?? "")?.[1] ?? "9999") : "";
  return crm;
}

/** Somebody who asked for a demo, whose task stands, and whose record is known. */
export async function asked(of: TestWorkspace, record: string, part: Parameters<typeof send>[1] | null = null) {
  const address = email(`ada.${record}@example.com`);
  await send(of, {
    id: `demo-${record}`,
    identifiers: [address],
    kind: "demo_requested",
    traits: { first_name: "Ada", last_name: "Lovelace", job_title: "CTO", email: address.value },
    ...part,
  });
  return settledOf(of, record);
}

export async function settledOf(of: TestWorkspace, record: string) {
  const { root } = await eventually(
    () => personOf(of, email(`ada.${record}@example.com`)),
    (view) =>
      view.root.links.length === 0 &&
      view.root.partings.length === 0 &&
      view.root.follow_ups.length > 0 &&
      view.root.follow_ups.every(({ actions }) => actions.every((action) => action.recorded === true)),
  );
  return { lead: root.name, follow_up: root.follow_ups.find(({ state }) => state === "open")?.id ?? "", root };
}

export const keyOf = (of: TestWorkspace, connection: string, rotate = false) =>
  api<{ card_key: string; generation: number }>(
    "POST",
    `/v1/connections/${encodeURIComponent(connection)}/card-key`,
    of.apiKey,
    { rotate },
  );
