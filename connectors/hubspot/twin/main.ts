/** `npm run twin:hubspot`: the HubSpot twin alone. PORT (4501), HUBSPOT_CLIENT_ID and HUBSPOT_CLIENT_SECRET may be set. */
import { startHubspotTwin } from "./server.ts";

const { PORT, HUBSPOT_CLIENT_ID, HUBSPOT_CLIENT_SECRET } = process.env;
const twin = await startHubspotTwin({
  port: Number(PORT ?? 4501),
  ...(HUBSPOT_CLIENT_ID === undefined ? {} : { clientId: HUBSPOT_CLIENT_ID }),
  ...(HUBSPOT_CLIENT_SECRET === undefined ? {} : { clientSecret: HUBSPOT_CLIENT_SECRET }),
});
console.log(`HubSpot twin: ${twin.url} (portal ${twin.account.portalId}; state at ${twin.url}/admin/state)`);

process.once("SIGINT", () => void twin.close());
process.once("SIGTERM", () => void twin.close());
