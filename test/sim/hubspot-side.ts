/** HubSpot's stand-in for a world in virtual time (`crm-world.ts`), its limits enforced. */
import { serveApi } from "../../connectors/hubspot/twin/api.ts";
import type { Faults } from "../../connectors/hubspot/twin/faults.ts";
import { build } from "../../connectors/hubspot/twin/server.ts";
import type { Twin } from "../../connectors/hubspot/twin/twin.ts";
import type { Side } from "./crm-world.ts";

export interface HubspotSide extends Side {
  readonly twin: Twin;
}

/** Loaded by and by in a Worker; in a turn nothing may wait for a file. */
for (const part of [
  "client",
  "install",
  "create-tasks",
  "update-tasks",
  "close-tasks",
  "resolve-tasks",
  "resolve-marked",
])
  await import(`../../connectors/hubspot/${part}.ts`);

export function hubspotSide(now: () => number, faults: Partial<Faults> = {}): HubspotSide {
  const twin = build({ clientId: "", clientSecret: "", now, faults: { ...faults, enforceLimits: true } });
  return {
    twin,
    crm: "hubspot",
    crmAccount: "4501",
    apiUrl: "https://hubspot.example.com",
    grant: () => twin.tokens.issue(),
    async answer({ method, url, headers, text }) {
      const { answer, rows } = url.pathname.startsWith("/oauth/")
        ? { answer: twin.tokens.token(new URLSearchParams(text)), rows: 0 }
        : serveApi(twin, {
            method,
            path: url.pathname,
            query: url.searchParams,
            authorization: headers.get("authorization") ?? undefined,
            text,
          });
      if (answer === null) return null;
      const type = { "content-type": "application/json" };
      const body = JSON.stringify(answer.body ?? {});
      return { status: answer.status, headers: { ...type, ...answer.headers }, body, rows: rows ?? 0 };
    },
  };
}
