/**
 * A small relay with an address that does not change, for organisations that let refresh tokens in from listed addresses only
 * (CRM-FACTS §2.4). It passes a request on as it is and keeps nothing. Whoever has the key may use it, and only towards Salesforce.
 *
 * Where Salesforce did not answer, neither does the relay: it breaks the connection. An answer of its own making would tell the engine
 * that a refresh token was not used up.
 */
import { timingSafeEqual } from "node:crypto";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";

export interface RelaySettings {
  /** At least 32 characters; the engine's `SALESFORCE_EGRESS_KEY`. */
  readonly key: string;
  /** Whether requests may go there. */
  readonly allows: (target: URL) => boolean;
}

/** Hosts of Salesforce: login, sandboxes, My Domain and instances. */
export function isSalesforce(target: URL): boolean {
  return (
    target.protocol === "https:" && target.port === "" && /\.(salesforce|force|cloudforce)\.com$/.test(target.hostname)
  );
}

export function createRelay({ key, allows }: RelaySettings): Server {
  if (key.length < 32) throw new Error("RELAY_KEY must have at least 32 characters");
  return createServer((incoming, outgoing) => {
    const target = targetOf(incoming.headers);
    if (!sameKey(String(incoming.headers["x-baton-relay-key"] ?? ""), key)) return refuse(outgoing, 401, "wrong_key");
    if (target === null || !allows(target)) return refuse(outgoing, 403, "not_salesforce");
    passOn(incoming, outgoing, target).catch(() => outgoing.destroy());
  });
}

async function passOn(incoming: IncomingMessage, outgoing: ServerResponse, target: URL): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const hasBody = incoming.method !== "GET" && incoming.method !== "HEAD";
  const answer = await fetch(target, {
    method: incoming.method ?? "GET",
    headers: Object.entries(incoming.headers).filter(
      (header): header is [string, string] => typeof header[1] === "string" && !hopByHop.has(header[0]),
    ),
    redirect: "manual",
    ...(hasBody ? { body: Buffer.concat(chunks) } : {}),
  });
  const body = Buffer.from(await answer.arrayBuffer());
  // Taken off by `fetch`: what is passed on is plain.
  const headers = [...answer.headers].filter(([name]) => !hopByHop.has(name) && name !== "content-encoding");
  outgoing.writeHead(answer.status, Object.fromEntries(headers));
  outgoing.end(body);
}

/** Of one connection only, or the relay's own. */
const hopByHop = new Set([
  "connection",
  "content-length",
  "host",
  "keep-alive",
  "transfer-encoding",
  "x-baton-relay-key",
  "x-baton-target",
]);

function targetOf(headers: IncomingHttpHeaders): URL | null {
  const target = String(headers["x-baton-target"] ?? "");
  return URL.canParse(target) ? new URL(target) : null;
}

function sameKey(given: string, key: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(key)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function refuse(outgoing: ServerResponse, status: number, error: string): void {
  outgoing.writeHead(status, { "content-type": "application/json" });
  outgoing.end(JSON.stringify({ error: `relay_${error}` }));
}
