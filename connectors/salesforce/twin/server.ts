/**
 * The Salesforce twin: a real HTTP server that answers as Salesforce documents (CRM-FACTS §2), goes wrong on request (§4),
 * and checks every request and every answer against the published shapes. `admin.ts` lists what it can be told to do.
 */
import { createServer } from "node:http";
import { admin } from "./admin.ts";
import { serveData } from "./data.ts";
import { Exchange, parse } from "./exchange.ts";
import { serveLogin } from "./login.ts";
import { Org, type OrgOptions } from "./org.ts";
import { page } from "./page.ts";
import { type CardAddress, personPage } from "./record.ts";

export interface SalesforceTwinOptions extends Partial<OrgOptions> {
  /** 0 or absent: any free port. */
  readonly port?: number;
  readonly host?: string;
  /** How the twin names itself in `instance_url`; `http://host:port` where absent. */
  readonly publicUrl?: string;
}

export interface SalesforceTwin {
  readonly url: string;
  readonly port: number;
  /** What `/admin` reaches over HTTP, without HTTP. */
  readonly org: Org;
  /** Record pages show our panel from now on. */
  showCard(card: CardAddress): void;
  close(): Promise<void>;
}

/** The registration the twin knows where none is given. */
export const twinApp = {
  clientId: "baton-twin-client",
  clientSecret: "baton-twin-secret",
  redirectUris: null,
} as const;

export const twinUsers = [
  { email: "ana@example.com", name: "Ana Seller", active: true },
  { email: "ben@example.com", name: "Ben Seller", active: true },
  { email: "cleo@example.com", name: "Cleo Seller", active: true },
  { email: "gone@example.com", name: "Gone Seller", active: false },
] as const;

/** An org, where nothing else is asked for. */
export const orgOptions: OrgOptions = {
  seed: 1,
  app: twinApp,
  users: twinUsers,
  timeZone: "Europe/Berlin",
  sessionMs: null,
  rotation: true,
  pageSize: 2_000,
  now: Date.now,
};

export async function startSalesforceTwin(options: SalesforceTwinOptions = {}): Promise<SalesforceTwin> {
  const { port = 0, host = "127.0.0.1", publicUrl, ...given } = options;
  const org = new Org({ ...orgOptions, ...given });
  let card: CardAddress | null = null;
  const server = createServer({ maxHeaderSize: 65_536, keepAliveTimeout: 60_000 }, (request, response) => {
    serve(new Exchange(org, url, request, response), card).catch((error: unknown) => {
      // A client that goes away while it sends is no fault of ours.
      if (!(error instanceof Error && "code" in error && error.code === "ECONNRESET")) {
        org.journal.violate({ side: "answer", where: "twin", what: String(error) });
      }
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  const url = publicUrl ?? `http://${host}:${bound}`;
  return {
    url,
    port: bound,
    org,
    showCard: (address) => {
      card = address;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const htmlType = { "content-type": "text/html; charset=utf-8" };

/** Answers one request; also without a connection, where time is virtual. */
export async function serve(exchange: Exchange, card: CardAddress | null): Promise<void> {
  const body = await exchange.readBody();
  const { pathname } = exchange.url;
  if (pathname === "/") {
    exchange.write(200, htmlType, page(exchange.org));
  } else if (pathname.startsWith("/admin/")) {
    const { status, body: answer } = admin(exchange.org, exchange.method, exchange.url, parse(body));
    exchange.write(status, { "content-type": "application/json" }, JSON.stringify(answer));
  } else if (pathname.startsWith("/services/oauth2/") || pathname.startsWith("/id/")) {
    await serveLogin(exchange, body);
  } else if (pathname === "/services/data" || pathname.startsWith("/services/data/")) {
    await serveData(exchange, body);
  } else if (/^\/00[Q3]\w{15}$/.test(pathname)) {
    const { org, method, url } = exchange;
    const asked = { id: pathname.slice(1), method, url, form: new URLSearchParams(body) };
    const person = await personPage(org, card, asked);
    exchange.write(person === null ? 404 : 200, htmlType, person ?? "No such record.");
  } else {
    exchange.html(404, "URL No Longer Exists");
  }
}
