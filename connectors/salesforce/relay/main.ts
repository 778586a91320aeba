/** `RELAY_KEY=… PORT=8443 node connectors/salesforce/relay/main.ts`, behind whatever ends TLS on a fixed address. */
import { createRelay, isSalesforce } from "./relay.ts";

const port = Number(process.env.PORT ?? "8443");
createRelay({ key: process.env.RELAY_KEY ?? "", allows: isSalesforce }).listen(port, () => {
  process.stdout.write(`The relay to Salesforce listens on port ${port}.\n`);
});
