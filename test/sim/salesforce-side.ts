/** Salesforce's stand-in for a world in virtual time (`crm-world.ts`): its own code behind an exchange that is no connection. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Exchange } from "../../connectors/salesforce/twin/exchange.ts";
import type { FaultPatch } from "../../connectors/salesforce/twin/org.ts";
import { Org } from "../../connectors/salesforce/twin/org.ts";
import { orgOptions, serve } from "../../connectors/salesforce/twin/server.ts";
import type { Incoming, Side } from "./crm-world.ts";

export interface SalesforceSide extends Side {
  readonly org: Org;
}

/** Loaded by and by in a Worker; in a turn nothing may wait for a file. */
for (const part of ["client", "install", "create", "update", "close", "resolve", "changed", "joined", "write-records"])
  await import(`../../connectors/salesforce/${part}.ts`);

export function salesforceSide(now: () => number, faults: FaultPatch = {}): SalesforceSide {
  const apiUrl = "https://salesforce.example.com";
  const org = new Org({ ...orgOptions, now });
  org.setFaults(faults);
  return {
    org,
    crm: "salesforce",
    crmAccount: org.organizationId,
    apiUrl,
    grant: () => ({ ...org.grant(), expiresAt: null, crmUser: org.integrationUserId }),
    answer: (request) =>
      new Promise((resolve, reject) => {
        let head: { readonly status: number; readonly headers: Readonly<Record<string, string>> };
        const response = {
          writeHead: (status: number, headers: Readonly<Record<string, string>>) => {
            head = { status, headers };
          },
          end: (body: string) => resolve({ ...head, body, rows: exchange.rows }),
        };
        const broken = () => resolve(null);
        const exchange = new Exchange(
          org,
          apiUrl,
          messageOf(request, broken) as unknown as IncomingMessage,
          response as unknown as ServerResponse,
        );
        serve(exchange, null).catch(reject);
      }),
  };
}

/** As much of Node's as the exchange reads. */
function messageOf({ method, url, headers, text }: Incoming, broken: () => void) {
  return {
    method,
    url: url.pathname + url.search,
    headers: Object.fromEntries(headers),
    socket: { destroy: broken },
    async *[Symbol.asyncIterator]() {
      yield Buffer.from(text);
    },
  };
}
