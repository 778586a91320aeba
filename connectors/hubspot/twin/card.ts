/**
 * What the card in HubSpot sends through `hubspot.fetch` (CRM-FACTS §1.9): user and account in the query, the signature
 * over all of it, and the whole request once more when the connection breaks or the answer is a 5xx, or when asked to.
 */
import { signatureHeader, signV3, timestampHeader } from "../signature.ts";
import type { Twin } from "./twin.ts";

export interface CardRequest {
  /** Where our card lives, without the query that HubSpot adds. */
  readonly url: string;
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: unknown;
  readonly userId?: number;
  readonly userEmail?: string;
  readonly portalId?: number;
  /** Sends it a second time although the first was answered. */
  readonly twice?: boolean;
  /** Signed as if sent that long ago. */
  readonly ageMs?: number;
  /** Signed with another secret: a forgery. */
  readonly secret?: string;
}

export interface CardAnswer {
  /** 0 where the connection broke. */
  readonly status: number;
  readonly body: unknown;
}

export async function sendCardRequest(twin: Twin, request: CardRequest): Promise<CardAnswer[]> {
  const first = await post(twin, request);
  const again = request.twice === true || first.status === 0 || first.status >= 500;
  return again ? [first, await post(twin, request)] : [first];
}

async function post(twin: Twin, request: CardRequest): Promise<CardAnswer> {
  const url = new URL(request.url);
  const added: Record<string, string> = {
    userId: String(request.userId ?? 1),
    portalId: String(request.portalId ?? twin.account.portalId),
    userEmail: request.userEmail ?? "seller@example.com",
    appId: String(twin.account.appId),
  };
  for (const [name, value] of Object.entries(added)) url.searchParams.set(name, value);
  const method = request.method ?? "POST";
  const body = request.body === undefined ? "" : JSON.stringify(request.body);
  const timestamp = String(twin.now() - (request.ageMs ?? 0));
  const secret = request.secret ?? twin.account.clientSecret;
  const uri = url.toString();
  try {
    const answer = await fetch(uri, {
      method,
      redirect: "error",
      headers: {
        "Content-Type": "application/json",
        [signatureHeader]: signV3(secret, { method, uri, body, timestamp }),
        [timestampHeader]: timestamp,
      },
      ...(body === "" ? {} : { body }),
      signal: AbortSignal.timeout(15_000),
    });
    const text = await answer.text();
    return { status: answer.status, body: parse(text) };
  } catch {
    return { status: 0, body: null };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
