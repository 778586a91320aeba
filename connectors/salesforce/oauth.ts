/**
 * Pure. Salesforce's web-server flow with PKCE S256 *and* our secret (CRM-FACTS §2.4): the address to send a person to, the
 * forms for the token endpoint, and what its answers mean.
 *
 * Each refresh gives a new refresh token and kills the old one at once, so what comes back must be stored before it is
 * used. There is no `expires_in`: a 401 tells. Error words: help.salesforce.com "OAuth 2.0 Authorization Errors" and the
 * descriptions other integrations report, checked 2026-11-22.
 */
import { fail, ok, type Result } from "../../src/failure.ts";
import type { CrmApp, Grant, GrantFailure } from "../contract.ts";
import { isFields, text } from "./answers.ts";
import { manifest } from "./manifest.ts";

export function authorizeUrl(app: CrmApp, ask: { readonly state: string; readonly challenge: string }): string {
  const url = new URL(`${app.loginUrl}/services/oauth2/authorize`);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: app.clientId,
    redirect_uri: app.redirectUri,
    scope: manifest.scopes.map(({ scope }) => scope).join(" "),
    state: ask.state,
    code_challenge: ask.challenge,
    code_challenge_method: "S256",
  }).toString();
  return url.toString();
}

export function tokenUrl(app: CrmApp): string {
  return `${app.loginUrl}/services/oauth2/token`;
}

/** Revoking a refresh token ends the access tokens that came of it (help.salesforce.com "Revoke OAuth Tokens"). */
export function revokeUrl(app: CrmApp): string {
  return `${app.loginUrl}/services/oauth2/revoke`;
}

export function exchangeForm(app: CrmApp, ask: { readonly code: string; readonly verifier: string }): URLSearchParams {
  return form(app, {
    grant_type: "authorization_code",
    code: ask.code,
    redirect_uri: app.redirectUri,
    code_verifier: ask.verifier,
  });
}

export function refreshForm(app: CrmApp, grant: Grant): URLSearchParams {
  return form(app, { grant_type: "refresh_token", refresh_token: grant.refreshToken });
}

function form(app: CrmApp, fields: Readonly<Record<string, string>>): URLSearchParams {
  return new URLSearchParams({ ...fields, client_id: app.clientId, client_secret: app.clientSecret });
}

/** `before` is the grant that was refreshed: where rotation is off, its refresh token lives on. */
export function readGrant(
  answer: { status: number; body: unknown } | { status: null },
  before: Grant | null,
): Result<Grant, GrantFailure> {
  if (answer.status === null) {
    return fail({ arm: "lost", reason: "connection_broken" });
  }
  if (answer.status !== 200) {
    return fail(readFailure(answer.status, answer.body));
  }
  const body = isFields(answer.body) ? answer.body : {};
  const accessToken = text(body.access_token);
  const apiUrl = text(body.instance_url);
  const refreshToken = text(body.refresh_token) ?? before?.refreshToken ?? null;
  // `id` is …/id/{organisation}/{user}.
  const who = /\/id\/([0-9A-Za-z]{15,18})\/([0-9A-Za-z]{15,18})$/.exec(text(body.id) ?? "");
  const crmAccount = who?.[1] ?? before?.crmAccount ?? null;
  const crmUser = who?.[2] ?? before?.crmUser;
  if (accessToken === null || apiUrl === null || crmAccount === null) {
    return fail({ arm: "lost", reason: "answer_unreadable" });
  }
  if (refreshToken === null) {
    return fail({ arm: "misconfigured", reason: "refresh_token_missing" });
  }
  const scopes = text(body.scope)?.split(" ") ?? before?.scopes ?? [];
  const known = { accessToken, refreshToken, crmAccount, scopes, ...(crmUser === undefined ? {} : { crmUser }) };
  return ok({ ...known, expiresAt: null, apiUrl: apiUrl.replace(/\/+$/, "") });
}

function readFailure(status: number, body: unknown): GrantFailure {
  const error = isFields(body) ? (text(body.error) ?? "") : "";
  const description = isFields(body) ? (text(body.error_description) ?? "").toLowerCase() : "";
  if (status >= 500 || status === 429 || error === "") {
    return { arm: "unknown", reason: `http_${status}` };
  }
  switch (error) {
    case "invalid_grant":
      if (description.includes("ip restricted")) {
        // Our address is not on the allowlist: the token is as good as it was.
        return { arm: "misconfigured", reason: "address_refused" };
      }
      return description.includes("being processed")
        ? { arm: "unknown", reason: "refresh_under_way" }
        : { arm: "revoked", reason: "invalid_grant" };
    case "inactive_user":
    case "inactive_org":
    case "access_denied":
      return { arm: "revoked", reason: error };
    case "invalid_client":
      return {
        arm: "misconfigured",
        reason: description.includes("must be installed") ? "package_missing" : "invalid_client",
      };
    case "unknown_error":
    case "server_error":
    case "rate_limit_exceeded":
    case "temporarily_unavailable":
      return { arm: "unknown", reason: error };
    default:
      return { arm: "misconfigured", reason: /^[a-z_]{3,60}$/.test(error) ? error : "unrecognised" };
  }
}
