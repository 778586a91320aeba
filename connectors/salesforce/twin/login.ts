/** The addresses of the login host: authorize (whoever comes agrees), token, revoke, and who one is. */
import { delay, type Exchange } from "./exchange.ts";
import { tokenForms } from "./shapes.ts";

export async function serveLogin(exchange: Exchange, body: string): Promise<void> {
  const { org, url } = exchange;
  await delay(org.faults.latencyMs);
  const form = new URLSearchParams(body);
  switch (url.pathname) {
    case "/services/oauth2/authorize": {
      const target = org.sessions.authorize(url.searchParams);
      return target === null
        ? exchange.html(400, "error=invalid_client_id or redirect_uri_mismatch")
        : exchange.redirect(target);
    }
    case "/services/oauth2/token":
      return token(exchange, form, body);
    case "/services/oauth2/revoke": {
      const known = org.sessions.revoke(form.get("token") ?? url.searchParams.get("token") ?? "");
      const error = { error: "unsupported_token_type", error_description: "this token type is not supported" };
      return known ? exchange.json(200, undefined, "none") : exchange.json(400, error, "oauth_error");
    }
    default:
      return identity(exchange);
  }
}

function token(exchange: Exchange, form: URLSearchParams, body: string): void {
  if (exchange.strike(body, false)) {
    return;
  }
  exchange.inspectForm(tokenForms, form);
  const { status, body: answer } = exchange.org.sessions.token(form, exchange.identityUrl, exchange.base);
  exchange.json(status, answer, status === 200 ? "token" : "oauth_error");
}

function identity(exchange: Exchange): void {
  const { org, identityUrl, base } = exchange;
  if (!org.sessions.accepts(exchange.bearer)) {
    exchange.html(403, "Bad_OAuth_Token");
    return;
  }
  const rest = `${base}/services/data/v{version}/`;
  const names = ["enterprise", "metadata", "partner", "rest", "sobjects", "search", "query", "profile"];
  const answer = {
    id: identityUrl,
    sub: identityUrl,
    user_id: org.integrationUserId,
    organization_id: org.organizationId,
    username: "integration@example.com",
    preferred_username: "integration@example.com",
    display_name: "Baton Integration",
    nick_name: "integration",
    email: "integration@example.com",
    photos: { picture: "", thumbnail: "" },
    urls: Object.fromEntries(names.map((name) => [name, rest])),
    user_type: "STANDARD",
    language: "en_US",
  };
  exchange.json(200, answer, "identity");
}
