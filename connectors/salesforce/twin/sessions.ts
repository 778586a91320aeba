/**
 * Salesforce's OAuth 2.0 web-server flow: PKCE S256 and the secret, refresh tokens that rotate (the old one is dead at
 * once), sessions that end when the org's policy says (CRM-FACTS §2.4).
 */
import { createHash, createHmac, randomBytes } from "node:crypto";
import type { Faults } from "./faults.ts";

export interface TwinApp {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Null accepts any address. */
  readonly redirectUris: readonly string[] | null;
}

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

interface Code {
  readonly redirectUri: string;
  readonly challenge: string;
  readonly scope: string;
  readonly expiresAt: number;
}

export interface OAuthReply {
  readonly status: number;
  readonly body: object;
}

const codeLifeMs = 15 * 60_000;

export class Sessions {
  readonly app: TwinApp;
  readonly #faults: Faults;
  readonly #settings: { readonly sessionMs: number | null; readonly rotation: boolean; readonly now: () => number };
  readonly #codes = new Map<string, Code>();
  /** Access token to the instant it ends; null never. */
  readonly #access = new Map<string, number | null>();
  readonly #refresh = new Map<string, { readonly scope: string }>();
  #spent = 0;

  constructor(
    app: TwinApp,
    faults: Faults,
    settings: { sessionMs: number | null; rotation: boolean; now: () => number },
  ) {
    this.app = app;
    this.#faults = faults;
    this.#settings = settings;
  }

  /** Where the browser goes: back to the app with a code or an error, or nowhere (null) where that would be unsafe. */
  authorize(query: URLSearchParams): string | null {
    const redirectUri = query.get("redirect_uri") ?? "";
    if (query.get("client_id") !== this.app.clientId || !this.#knowsRedirect(redirectUri)) {
      return null;
    }
    const target = new URL(redirectUri);
    const state = query.get("state");
    if (state !== null) {
      target.searchParams.set("state", state);
    }
    const challenge = query.get("code_challenge") ?? "";
    const problem =
      query.get("response_type") !== "code"
        ? ["unsupported_response_type", "response type not supported"]
        : this.#faults.appMissing
          ? ["invalid_client", "app must be installed into org"]
          : (query.get("code_challenge_method") ?? "S256") !== "S256" || !/^[A-Za-z0-9_-]{43}$/.test(challenge)
            ? ["invalid_request", "missing required code challenge"]
            : null;
    if (problem !== null) {
      target.searchParams.set("error", problem[0] ?? "");
      target.searchParams.set("error_description", problem[1] ?? "");
      return target.toString();
    }
    const code = `aPrx.${randomBytes(24).toString("base64url")}`;
    this.#codes.set(code, {
      redirectUri,
      challenge,
      scope: query.get("scope") ?? "",
      expiresAt: this.#settings.now() + codeLifeMs,
    });
    target.searchParams.set("code", code);
    return target.toString();
  }

  token(form: URLSearchParams, identityUrl: string, instanceUrl: string): OAuthReply {
    if (form.get("client_id") !== this.app.clientId) {
      return refusal("invalid_client_id", "client identifier invalid");
    }
    if (form.get("client_secret") !== this.app.clientSecret) {
      return refusal("invalid_client", "invalid client credentials");
    }
    if (this.#faults.appMissing) {
      return refusal("invalid_client", "app must be installed into org");
    }
    const grant = form.get("grant_type");
    const scope =
      grant === "authorization_code"
        ? this.#redeem(form)
        : grant === "refresh_token"
          ? this.#renew(form)
          : refusal("unsupported_grant_type", "grant type not supported");
    if (typeof scope !== "string") {
      return scope;
    }
    const issuedAt = String(this.#settings.now());
    const rotates = grant === "authorization_code" || this.#settings.rotation;
    const { accessToken, refreshToken } = this.grant(scope);
    if (!rotates) {
      this.#refresh.delete(refreshToken);
    }
    return {
      status: 200,
      body: {
        access_token: accessToken,
        ...(rotates && scope.split(" ").includes("refresh_token") ? { refresh_token: refreshToken } : {}),
        signature: createHmac("sha256", this.app.clientSecret)
          .update(identityUrl + issuedAt)
          .digest("base64"),
        scope,
        instance_url: instanceUrl,
        id: identityUrl,
        token_type: "Bearer",
        issued_at: issuedAt,
      },
    };
  }

  /** Tokens without a browser, for tests and the local start. */
  grant(scope = "refresh_token api"): Tokens {
    const tokens = {
      accessToken: `00Dtwin!${randomBytes(48).toString("base64url")}`,
      refreshToken: `5Aep861${randomBytes(48).toString("base64url")}`,
    };
    const { sessionMs, now } = this.#settings;
    this.#access.set(tokens.accessToken, sessionMs === null ? null : now() + sessionMs);
    this.#refresh.set(tokens.refreshToken, { scope });
    return tokens;
  }

  accepts(accessToken: string): boolean {
    const end = this.#access.get(accessToken);
    return end === null || (end !== undefined && end > this.#settings.now());
  }

  /** Ends one access token, or all of them. */
  expire(accessToken?: string): void {
    if (accessToken === undefined) {
      this.#access.clear();
    } else {
      this.#access.delete(accessToken);
    }
  }

  /** The customer takes the app's access away. */
  revokeAll(): void {
    this.#access.clear();
    this.#refresh.clear();
  }

  revoke(token: string): boolean {
    return this.#refresh.delete(token) || this.#access.delete(token);
  }

  counts(): { readonly access: number; readonly refresh: number; readonly spentRefreshes: number } {
    return { access: this.#access.size, refresh: this.#refresh.size, spentRefreshes: this.#spent };
  }

  #redeem(form: URLSearchParams): string | OAuthReply {
    const code = this.#codes.get(form.get("code") ?? "");
    this.#codes.delete(form.get("code") ?? "");
    if (code === undefined || code.expiresAt < this.#settings.now()) {
      return refusal("invalid_grant", "expired authorization code");
    }
    if (form.get("redirect_uri") !== code.redirectUri) {
      return refusal("redirect_uri_mismatch", "redirect_uri must match configuration");
    }
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    return challenge === code.challenge ? code.scope : refusal("invalid_grant", "invalid code verifier");
  }

  #renew(form: URLSearchParams): string | OAuthReply {
    if (this.#faults.addressRefused) {
      return refusal("invalid_grant", "ip restricted");
    }
    const token = form.get("refresh_token") ?? "";
    const known = this.#refresh.get(token);
    if (known === undefined) {
      return refusal("invalid_grant", "expired access/refresh token");
    }
    if (this.#settings.rotation) {
      this.#refresh.delete(token);
      this.#spent += 1;
    }
    return known.scope;
  }

  #knowsRedirect(uri: string): boolean {
    return this.app.redirectUris === null ? URL.canParse(uri) : this.app.redirectUris.includes(uri);
  }
}

function refusal(error: string, description: string): OAuthReply {
  return { status: 400, body: { error, error_description: description } };
}
