/**
 * The twin alone: `npm run twin:salesforce`. PORT (4502), HOST, PUBLIC_URL, SEED, SESSION_MS, TWIN_CLIENT_ID and
 * TWIN_CLIENT_SECRET change it.
 */
import { startSalesforceTwin, twinApp } from "./server.ts";

const { PORT = "4502", HOST, PUBLIC_URL, SEED = "1", SESSION_MS, TWIN_CLIENT_ID, TWIN_CLIENT_SECRET } = process.env;

const twin = await startSalesforceTwin({
  port: Number(PORT),
  seed: Number(SEED),
  sessionMs: SESSION_MS === undefined ? null : Number(SESSION_MS),
  app: {
    clientId: TWIN_CLIENT_ID ?? twinApp.clientId,
    clientSecret: TWIN_CLIENT_SECRET ?? twinApp.clientSecret,
    redirectUris: null,
  },
  ...(HOST === undefined ? {} : { host: HOST }),
  ...(PUBLIC_URL === undefined ? {} : { publicUrl: PUBLIC_URL }),
});

console.log(
  `Salesforce twin: ${twin.url}  (a page for people at /, controls at /admin/state, /admin/journal, /admin/faults)`,
);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    void twin.close().then(() => process.exit(0));
  });
}
