import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    // What people read depends on where they are; the expected times are those of UTC.
    env: { TZ: "UTC" },
    // So that a test can answer what HubSpot's library asks of HubSpot.
    server: { deps: { inline: [/@hubspot\/project-parsing-lib/] } },
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
  },
});
