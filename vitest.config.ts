import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const workersTests = "packages/orchestrator-cloudflare/test-workers";

export default defineConfig({
  test: {
    reporters: ["default", "./scripts/closing-line-reporter.ts"],
    // Objects that die on purpose say so by the hundred.
    onConsoleLog: (log) => !log.includes("the contract suite made it crash"),
    coverage: {
      provider: "istanbul",
      include: ["packages/protocol/src/**", "packages/orchestrator/src/**"],
      reporter: ["text-summary", "text"],
    },
    projects: [
      {
        test: {
          name: "node",
          include: ["{packages,apps,examples}/*/test/**/*.test.ts", "scripts/**/*.test.ts"],
          testTimeout: 30_000,
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: `./${workersTests}/wrangler.jsonc` } })],
        test: {
          name: "workerd",
          include: [`${workersTests}/**/*.test.ts`],
          isolate: false,
          testTimeout: 30_000,
        },
      },
    ],
  },
});
