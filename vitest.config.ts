/** Two kinds of tests: those of the pure core, the twins and the whole system run in Node; those of the objects run inside workerd. */
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Vitest leaves one core to the machine: of two that is half.
    maxWorkers: "100%",
    projects: [
      {
        test: { name: "node", include: ["test/{unit,twins,sim}/**/*.test.ts"], testTimeout: 120_000 },
      },
      {
        test: {
          name: "system",
          include: ["test/system/**/*.test.ts"],
          testTimeout: 240_000,
          hookTimeout: 120_000,
        },
      },
      {
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: {
                CONTROL_MIGRATIONS: await readD1Migrations("./src/ledger/control"),
                LEDGER_MIGRATIONS: await readD1Migrations("./src/ledger/migrations"),
                BATON_MASTER_KEY: "test-master-key",
                BATON_ADMIN_TOKEN: "test-admin-token",
                HUBSPOT_CLIENT_SECRET: "test-hubspot-secret",
              },
            },
          })),
        ],
        test: { name: "workers", include: ["test/workers/**/*.test.ts"], testTimeout: 30_000 },
      },
    ],
  },
});
