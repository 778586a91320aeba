/** `npm run e2e`: what a person sees, in a real browser. Not part of `npm test`, for it needs Chromium (`apt-get install chromium`). */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "e2e",
    include: ["test/e2e/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
});
