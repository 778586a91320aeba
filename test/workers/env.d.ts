/** What `env` and `exports` of `cloudflare:workers` are in these tests: the Worker's own, and the migrations of vitest.config.ts. */
declare namespace Cloudflare {
  interface Env extends Omit<import("../../src/env.ts").Env, never> {
    readonly CONTROL_MIGRATIONS: import("cloudflare:test").D1Migration[];
    readonly LEDGER_MIGRATIONS: import("cloudflare:test").D1Migration[];
  }
  interface GlobalProps {
    mainModule: typeof import("../../src/worker.ts");
  }
}
