/** The plain-Node suites of the mutated packages, with one source file replaced (see replace-source.ts). */
import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

const { MUTATED_FILE = "", MUTATED_TEXT = "", MUTATED_SUITES = "" } = process.env;

/** Tests that take seconds each, or start processes. */
const SLOW = /10,000 unacknowledged|100,000 signals/;
const SLOW_FILES = [
  "packages/proof/test/{limits,simulator,soak,conformance,stored-runs}.test.ts",
  "**/unhandled-rejections*",
];

export default defineConfig({
  plugins: [
    {
      name: "replace-source",
      enforce: "pre",
      load: (id) => (id === MUTATED_FILE ? readFileSync(MUTATED_TEXT, "utf8") : undefined),
    },
  ],
  test: {
    // The cache knows a file by its own text. It would serve the original, or an earlier replacement.
    fsModuleCache: false,
    include: MUTATED_SUITES.split(","),
    exclude: ["**/node_modules/**", ...SLOW_FILES],
    testNamePattern: new RegExp(`^(?!.*(?:${SLOW.source}))`),
    reporters: ["dot"],
    bail: 1,
    isolate: false,
    maxWorkers: 1,
    testTimeout: 60_000,
  },
});
