/**
 * OAuth as HubSpot does it (CRM-FACTS §1.6): consent, codes that work once, tokens of 1,800 s, refresh tokens that stay the
 * same, PKCE where it is used, introspection, revocation, and the customer who leaves.
 */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { Answer } from "./answers.ts";
import type { Faults } from "./faults.ts";
import { escapeHtml } from "./page.ts";
import type { Account } from "./twin.ts";

export interface TwinGrant {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Epoch ms. */
  readonly expiresAt: number;
  readonly scopes: readonly string[];
}

interface Code {
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly challenge: string | null;
  readonly until: number;
}

export class Tokens {
  readonly #account: Account;
  readonly #faults: () => Faults;
  readonly #now: () => number;
  readonly #codes = new Map<string, Code>();
  readonly #refresh = new Map<string, { readonly scopes: readonly string[]; live: boolean }>();
  readonly #access = new Map<
    string,
    { expiresAt: number; readonly scopes: readonly string[]; readonly refreshToken: string }
  >();

  constructor(account: Account, faults: () => Faults, now: () => number) {
    this.#account = account;
    this.#faults = faults;
    this.#now = now;
  }

  /** For tests and the demo: a grant without the round through a browser. */
  issue(scopes: readonly string[] = allScopes): TwinGrant {
    const refreshToken = `twin-refresh-${randomUUID()}`;
    this.#refresh.set(refreshToken, { scopes, live: true });
    return this.#grantAccess(refreshToken, scopes);
  }

  /** The scopes of a live access token, or null. */
  scopesOf(authorization: string | undefined): readonly string[] | null {
    const token = /^Bearer (.+)$/.exec(authorization ?? "")?.[1] ?? "";
    const found = this.#access.get(token);
    return found !== undefined && found.expiresAt > this.#now() ? found.scopes : null;
  }

  expireAll(): void {
    for (const one of this.#access.values()) one.expiresAt = 0;
  }

  /** The customer leaves: nothing is pushed, the next call and the next refresh fail (CRM-FACTS §1.7). */
  uninstall(): void {
    for (const one of this.#refresh.values()) one.live = false;
    this.#access.clear();
  }

  authorize(query: URLSearchParams): Answer {
    const redirectUri = query.get("redirect_uri") ?? "";
    if (query.get("client_id") !== this.#account.clientId)
      return page("This app does not exist: the client_id is wrong.");
    if (!/^https?:\/\//.test(redirectUri)) return page("The redirect_uri is missing.");
    if (!query.has("auto") && !this.#faults().autoConsent) return page(null, query);
    const target = new URL(redirectUri);
    if (query.get("deny") !== null) target.searchParams.set("error", "access_denied");
    else target.searchParams.set("code", this.#code(query, redirectUri));
    const state = query.get("state");
    if (state !== null) target.searchParams.set("state", state);
    return { status: 302, headers: { Location: target.toString() } };
  }

  token(form: URLSearchParams): Answer {
    if (form.get("client_id") !== this.#account.clientId) return refuse("BAD_CLIENT_ID", "invalid_client");
    if (form.get("client_secret") !== this.#account.clientSecret) return refuse("BAD_CLIENT_SECRET", "invalid_client");
    if (form.get("grant_type") === "refresh_token") return this.#byRefresh(form.get("refresh_token") ?? "");
    if (form.get("grant_type") === "authorization_code") return this.#byCode(form);
    return refuse("BAD_GRANT_TYPE", "unsupported_grant_type");
  }

  introspect(form: URLSearchParams): Answer {
    if (form.get("client_secret") !== this.#account.clientSecret) return refuse("BAD_CLIENT_SECRET", "invalid_client");
    const token = form.get("token") ?? "";
    const access = this.#access.get(token);
    const active = access === undefined ? (this.#refresh.get(token)?.live ?? false) : access.expiresAt > this.#now();
    if (!active) return { status: 200, body: { active: false } };
    const scopes = access?.scopes ?? this.#refresh.get(token)?.scopes ?? [];
    const { portalId, appId, clientId } = this.#account;
    return {
      status: 200,
      body: { active, hub_id: portalId, app_id: appId, user_id: 1, client_id: clientId, scopes, token_type: "bearer" },
    };
  }

  /** Access tokens already given out live on (CRM-FACTS §1.6). */
  revoke(form: URLSearchParams): Answer {
    const found = this.#refresh.get(form.get("token") ?? "");
    if (found !== undefined) found.live = false;
    return { status: 200, body: {} };
  }

  /** GET /oauth/v1/access-tokens/{token}, which the vendor's client knows. */
  describe(token: string): Answer {
    const found = this.#access.get(token);
    if (found === undefined || found.expiresAt <= this.#now()) return refuse("BAD_ACCESS_TOKEN", "invalid_token");
    const { portalId, appId } = this.#account;
    const expires_in = Math.round((found.expiresAt - this.#now()) / 1_000);
    const body = {
      token,
      user: "admin@example.com",
      hub_domain: "example.com",
      scopes: found.scopes,
      hub_id: portalId,
      app_id: appId,
      expires_in,
      user_id: 1,
      token_type: "access",
    };
    return { status: 200, body };
  }

  #code(query: URLSearchParams, redirectUri: string): string {
    const scopes = `${query.get("scope") ?? ""} ${query.get("optional_scope") ?? ""}`
      .split(" ")
      .filter((scope) => scope !== "");
    const code = randomUUID();
    this.#codes.set(code, {
      redirectUri,
      scopes,
      challenge: query.get("code_challenge"),
      until: this.#now() + codeLifeMs,
    });
    return code;
  }

  #byCode(form: URLSearchParams): Answer {
    const code = form.get("code") ?? "";
    const found = this.#codes.get(code);
    this.#codes.delete(code);
    if (found === undefined || found.until < this.#now()) return refuse("BAD_AUTH_CODE", "invalid_grant");
    if (form.get("redirect_uri") !== found.redirectUri) return refuse("BAD_REDIRECT_URI", "invalid_request");
    if (found.challenge !== null) {
      const sent = createHash("sha256")
        .update(form.get("code_verifier") ?? "")
        .digest("base64url");
      if (sent !== found.challenge) return refuse("BAD_CODE_VERIFIER", "invalid_grant");
    }
    return this.#answer(this.issue(found.scopes));
  }

  #byRefresh(refreshToken: string): Answer {
    const found = this.#refresh.get(refreshToken);
    if (found === undefined || !found.live || this.#faults().refreshRefused)
      return refuse("BAD_REFRESH_TOKEN", "invalid_grant");
    return this.#answer(this.#grantAccess(refreshToken, found.scopes));
  }

  #grantAccess(refreshToken: string, scopes: readonly string[]): TwinGrant {
    const accessToken = `twin-${randomBytes(48).toString("base64url")}`;
    const expiresAt = this.#now() + accessLifeMs;
    this.#access.set(accessToken, { expiresAt, scopes, refreshToken });
    return { accessToken, refreshToken, expiresAt, scopes };
  }

  #answer(grant: TwinGrant): Answer {
    const named = this.#faults().accountInToken
      ? { hub_id: this.#account.portalId, user_id: 1, scopes: grant.scopes }
      : {};
    const tokens = { access_token: grant.accessToken, refresh_token: grant.refreshToken };
    return {
      status: 200,
      body: { ...tokens, expires_in: accessLifeMs / 1_000, token_type: "bearer", token_use: "access_token", ...named },
    };
  }
}

export const allScopes: readonly string[] = [
  "oauth",
  "crm.objects.contacts.read",
  "crm.objects.contacts.write",
  "crm.objects.owners.read",
  "crm.objects.companies.read",
  "automation.sequences.read",
  "automation.sequences.enrollments.write",
  "crm.schemas.contacts.write",
];

/** RFC 6749 plus `{status, message}`. */
function refuse(status: string, error: string): Answer {
  const message = status.toLowerCase().replaceAll("_", " ");
  return { status: 400, body: { status, message, correlationId: randomUUID(), error, error_description: message } };
}

function page(problem: string | null, query = new URLSearchParams()): Answer {
  const fields = [...query].map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  const scopes = `${query.get("scope") ?? ""} ${query.get("optional_scope") ?? ""}`.trim().split(" ");
  const body =
    problem === null
      ? `<p>An app wants to use this account:</p><ul>${scopes.map((scope) => `<li>${escapeHtml(scope)}</li>`).join("")}</ul>
<form method="get" action="/oauth/authorize">${fields.join("")}<button name="auto" value="1">Connect app</button>
<button name="deny" value="1" formaction="/oauth/authorize?auto=1">Cancel</button></form>`
      : `<p>${escapeHtml(problem)}</p>`;
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>HubSpot twin: connect</title><h1>HubSpot twin</h1>${body}</html>`;
  return { status: problem === null ? 200 : 400, html };
}

const accessLifeMs = 1_800_000;
const codeLifeMs = 600_000;
