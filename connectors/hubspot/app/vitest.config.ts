import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    // What people read depends on where they are; the expected texts are those of London.
    env: { TZ: "UTC" },
    restoreMocks: true,
    unstubGlobals: true,
  },
});
