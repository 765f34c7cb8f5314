import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { buildDashboard } from "./apps/dashboard/build.ts";
import { bundleWorker } from "./packages/cli/src/local/bundle.ts";
import { findFreePort } from "./packages/cli/src/local/free-port.ts";

const workersTests = "packages/orchestrator-cloudflare/test-workers";
/** They follow whole pages with many processes, and take minutes: `pnpm test:readers`. `pnpm test` follows the README. */
const readersTests = ["checks/tutorial.test.ts", "checks/examples.test.ts", "checks/pages/programs.test.ts"];
const browserTests = "apps/dashboard/test/browser/**/*.test.ts";

/** A busy machine is no failure: processes that a test starts get less than a tenth of a core there. */
const PATIENT = { testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 30_000 } } };

// The process that serves workflows over HTTP listens here; its set-up file reads both.
process.env["STEP_HANDLER_PORT"] ??= String(await findFreePort());
process.env["STEP_HANDLER_KEY"] ??= randomBytes(16).toString("hex");
const { STEP_HANDLER_PORT, STEP_HANDLER_KEY } = process.env;

// Tests start the commands of this checkout hundreds of times: Node compiles each module once.
if (process.env["NODE_COMPILE_CACHE"] === undefined) {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-compiled-"));
  process.env["NODE_COMPILE_CACHE"] = folder;
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
}

// Bundles of the tests hold the dashboard of this checkout.
await buildDashboard();

/** The sibling Worker of the suite, as one module. */
const sibling = await bundleWorker(`${workersTests}/sibling.ts`);

export default defineConfig({
  test: {
    reporters: ["./checks/output/reporter.ts"],
    // Each call of the console is a message of its own, so that one cannot hide in another that is expected.
    printConsoleTrace: true,
    coverage: {
      provider: "istanbul",
      include: ["packages/protocol/src/**/*.ts", "packages/orchestrator/src/**/*.ts"],
      reporter: ["text-summary", "text"],
    },
    projects: [
      {
        test: {
          name: "node",
          include: ["{packages,apps,examples,deploy}/*/test/**/*.test.{ts,tsx}", "{checks,benchmarks}/**/*.test.ts"],
          // Tests of documents write the modules of a page into checks/dist.
          exclude: [browserTests, ...readersTests, "**/node_modules/**", "**/dist/**"],
          // Many files wait for processes. The default is one less than the cores: on two cores, one file after the other.
          maxWorkers: Math.max(2, availableParallelism() - 1),
          setupFiles: "checks/output/wait-longer.ts",
          ...PATIENT,
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: `./${workersTests}/wrangler.jsonc` },
            miniflare: {
              bindings: { STEP_HANDLER_URL: `http://127.0.0.1:${STEP_HANDLER_PORT}/holdfast`, STEP_HANDLER_KEY },
              serviceBindings: { SIBLING: "sibling", SIBLING_RPC: { name: "sibling", entrypoint: "Workflows" } },
              workers: [
                {
                  name: "sibling",
                  modules: true,
                  script: sibling,
                  compatibilityDate: "2026-10-01",
                  compatibilityFlags: ["nodejs_compat"],
                },
              ],
            },
          }),
        ],
        test: {
          name: "workerd",
          globalSetup: "packages/orchestrator-cloudflare/test/start-node-handler.ts",
          include: [`${workersTests}/**/*.test.ts`],
          // One workerd for all files: they share a step handler, which one of them kills.
          isolate: false,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          ...PATIENT,
        },
      },
      {
        test: {
          name: "browser",
          globalSetup: "apps/dashboard/test/browser/harness/global-setup.ts",
          include: [browserTests],
          // Each file starts a browser and a workerd, which use more than one core.
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          ...PATIENT,
          // As long as a locator waits.
          expect: { poll: { timeout: 20_000 } },
        },
      },
      { test: { name: "readers", include: readersTests, maxWorkers: 2, ...PATIENT } },
    ],
  },
});
