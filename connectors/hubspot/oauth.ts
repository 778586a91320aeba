/**
 * OAuth with HubSpot (CRM-FACTS §1.6): where to send a person, the forms of the token endpoint, and what an answer means.
 * Pure; `client.ts` sends.
 *
 * Only the customer's leaving counts as `revoked`. What is our own fault (`BAD_CLIENT_ID` …) never drops a token, and
 * everything else is passing trouble: `unknown` or `lost`, so the old token is tried again.
 */
import { fail, ok, type Result } from "../../src/failure.ts";
import type { CrmApp, Grant, GrantFailure } from "../contract.ts";
import { crmManifest } from "./manifest.ts";

export function authorizeUrl(app: CrmApp, ask: { readonly state: string; readonly challenge: string }): string {
  const scopes = (required: boolean) =>
    crmManifest.scopes.filter((scope) => scope.required === required).map((scope) => scope.scope);
  const query = new URLSearchParams({
    client_id: app.clientId,
    redirect_uri: app.redirectUri,
    scope: scopes(true).join(" "),
    optional_scope: scopes(false).join(" "),
    state: ask.state,
    code_challenge: ask.challenge,
    code_challenge_method: "S256",
  });
  return `${app.loginUrl}/oauth/authorize?${query}`;
}

export function exchangeForm(app: CrmApp, ask: { readonly code: string; readonly verifier: string }): URLSearchParams {
  return new URLSearchParams({
    grant_type: "authorization_code",
    client_id: app.clientId,
    client_secret: app.clientSecret,
    redirect_uri: app.redirectUri,
    code: ask.code,
    code_verifier: ask.verifier,
  });
}

export function refreshForm(app: CrmApp, grant: Grant): URLSearchParams {
  return new URLSearchParams({
    grant_type: "refresh_token",
    client_id: app.clientId,
    client_secret: app.clientSecret,
    refresh_token: grant.refreshToken,
  });
}

export function revokeForm(app: CrmApp, grant: Grant): URLSearchParams {
  return new URLSearchParams({
    client_id: app.clientId,
    client_secret: app.clientSecret,
    token: grant.refreshToken,
    token_type_hint: "refresh_token",
  });
}

export function introspectForm(app: CrmApp, token: string): URLSearchParams {
  return new URLSearchParams({
    client_id: app.clientId,
    client_secret: app.clientSecret,
    token,
    token_type_hint: "access_token",
  });
}

export interface TokenAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A grant whose account may still be unknown: `hub_id` and `scopes` are in the answer only perhaps. */
export function readGrant(
  answer: TokenAnswer | null,
  apiUrl: string,
  now: number,
  before?: Grant,
): Result<Omit<Grant, "crmAccount"> & { readonly crmAccount: string | null }, GrantFailure> {
  if (answer === null) return fail({ arm: "lost", reason: "connection_lost" });
  const body = fields(answer.body);
  if (answer.status !== 200) return fail(judgeGrant(answer.status, body));
  const accessToken = body.access_token;
  // The refresh token stays the same today; whatever comes is stored (§1.6).
  const refreshToken = typeof body.refresh_token === "string" ? body.refresh_token : before?.refreshToken;
  if (typeof accessToken !== "string" || accessToken === "" || refreshToken === undefined || refreshToken === "") {
    return fail({ arm: "lost", reason: "unreadable_answer" });
  }
  const seconds = typeof body.expires_in === "number" && body.expires_in > 0 ? body.expires_in : 1_800;
  return ok({
    accessToken,
    refreshToken,
    expiresAt: now + seconds * 1_000,
    apiUrl,
    crmAccount: idOf(body.hub_id) ?? before?.crmAccount ?? null,
    scopes: scopesOf(body.scopes) ?? before?.scopes ?? [],
  });
}

/** Account and scopes from an introspection; null when it does not say. */
export function readIntrospection(answer: TokenAnswer | null): { account: string; scopes: readonly string[] } | null {
  if (answer === null || answer.status !== 200) return null;
  const body = fields(answer.body);
  const account = idOf(body.hub_id);
  return account === null || body.active === false
    ? null
    : { account, scopes: scopesOf(body.scopes ?? body.scope) ?? [] };
}

function judgeGrant(status: number, body: Record<string, unknown>): GrantFailure {
  const words = [body.status, body.error].filter((word): word is string => typeof word === "string");
  const reason = words.find((word) => /^[A-Za-z_]{3,40}$/.test(word))?.toLowerCase() ?? `status_${status}`;
  if (status >= 500 || status === 429) return { arm: "unknown", reason: `status_${status}` };
  if (words.some((word) => ours.has(word))) return { arm: "misconfigured", reason };
  if (words.some((word) => left.has(word))) return { arm: "revoked", reason };
  return { arm: "unknown", reason };
}

const ours = new Set([
  "BAD_CLIENT_ID",
  "BAD_CLIENT_SECRET",
  "BAD_REDIRECT_URI",
  "BAD_CODE_VERIFIER",
  "BAD_SCOPES",
  "invalid_client",
  "unauthorized_client",
]);

const left = new Set(["BAD_REFRESH_TOKEN", "BAD_AUTH_CODE", "BAD_HUB", "invalid_grant", "access_denied"]);

function fields(body: unknown): Record<string, unknown> {
  return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
}

function idOf(value: unknown): string | null {
  return typeof value === "number" || (typeof value === "string" && value !== "") ? String(value) : null;
}

function scopesOf(value: unknown): readonly string[] | null {
  if (typeof value === "string") return value.split(" ").filter((scope) => scope !== "");
  return Array.isArray(value) ? value.filter((scope): scope is string => typeof scope === "string") : null;
}
